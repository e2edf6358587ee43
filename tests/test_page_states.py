"""States in which a reader meets the page: narrow windows, other languages, links in any order, open cards."""

import colorsys

import pytest

from clearplan.maps import draw_map

from .browser import opened
from .test_headline import donor_figures, donor_world
from .test_maps import PERIODS

pytestmark = [
    pytest.mark.browser,
    # The driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def world(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    page = draw_map(ranked, zones, areas=areas, context=context, first=2, periods=PERIODS, figures=donor_figures())
    page.save(tmp_path / "m.html")
    return ranked, tmp_path / "m.html"


@pytest.mark.parametrize("link", ["lang=ru&T-{id}", "T-{id}&lang=ru"])
def test_a_link_tells_language_and_task_in_any_order(world, link):
    ranked, path = world
    own = ranked["task_id"].iloc[0]
    with opened(path) as (page, watch):
        page.evaluate(f"location.hash = '{link.format(id=own)}'")
        page.wait_for_selector(".card h3")
        assert page.locator("html").get_attribute("lang") == "ru"
        assert page.inner_text(".card h3") == own
    assert watch.complaints == []


@pytest.mark.parametrize("size", [(1300, 800), (360, 780)])
def test_an_open_card_is_told_in_the_language_that_is_chosen(world, size):
    _, path = world
    with opened(path, *size) as (page, watch):
        page.locator("#charts button[data-district=West]").click()
        page.evaluate("location.hash = 'lang=az'")
        page.locator("#list button").first.click()
        own = page.inner_text(".card h3")
        page.focus("#language")
        page.select_option("#language", "ru")
        page.wait_for_timeout(400)  # the old bubble fades out
        assert page.locator(".card").count() == 1
        assert page.inner_text(".card h3") == own
        assert "Критерий" in page.inner_text(".card")
        assert page.evaluate("document.activeElement.id") == "language"
        assert page.inner_text("#filtered-words").startswith("Фильтр: West.")
        assert page.evaluate("location.hash").endswith("&lang=ru")
        page.keyboard.press("Escape")
        page.wait_for_timeout(400)
        assert page.locator(".card").count() == 0
        page.select_option("#language", "en")
        assert page.locator(".card").count() == 0, "a closed card stays closed"
        assert "lang=" not in page.evaluate("location.hash")
    assert watch.complaints == []


@pytest.mark.parametrize("size", [(768, 1024), (701, 600), (900, 700)])
def test_narrow_windows_fold_legend_and_tools(world, size):
    _, path = world
    with opened(path, *size) as (page, _):
        assert page.locator("#legend").get_attribute("open") is None
        page.locator(".tools .toggle").click()
        search, zoom = page.locator("#search").bounding_box(), page.locator(".leaflet-control-zoom").bounding_box()
        assert search["x"] >= zoom["x"] + zoom["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("language", ["en", "az", "hy", "ru"])
@pytest.mark.parametrize("size", [(360, 780), (650, 400), (1300, 400)])
def test_map_list_and_foot_never_lie_on_one_another(world, size, language):
    """Also with a filter and the plan told above them, and at a zoom of 200 % (650 by 400)."""
    _, path = world
    with opened(path, *size) as (page, _):
        page.select_option("#language", language)
        page.locator("#charts button[data-district=West]").click()
        page.locator("#filters button[data-land]").first.click()
        page.focus("#plan-stop")
        page.keyboard.press("End")
        room, panel, foot = (page.locator(own).bounding_box() for own in ("#map_clearplan", "#panel", "#foot"))
        assert room["height"] >= 199
        if size[0] <= 700:
            assert room["y"] + room["height"] <= panel["y"] + 1
        assert max(room["y"] + room["height"], panel["y"] + panel["height"]) <= foot["y"] + 1
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("language", ["en", "az", "hy", "ru"])
def test_no_figure_of_the_head_is_cut(sample, language):
    _, folder = sample
    with opened(folder / "map.html", 1300, 800) as (page, _):
        page.select_option("#language", language)
        for width, height in ((1300, 800), (1400, 900), (1024, 768), (360, 780)):
            page.set_viewport_size({"width": width, "height": height})
            cut = page.evaluate(
                """() => { const r = document.getElementById('figures-holder'); return [r.scrollWidth - r.clientWidth,
                ...[...document.querySelectorAll('#figures div')].map(n => n.scrollWidth - n.clientWidth)]; }"""
            )
            assert max(cut) <= 1, (width, cut)


def test_the_first_rank_stands_above_all_others(sample):
    _, folder = sample
    with opened(folder / "map.html") as (page, _):
        order = page.evaluate(
            """() => [...document.querySelectorAll('.leaflet-marker-icon.number')].map(
            n => [Number(n.textContent), Number(n.style.zIndex)]).sort((a, b) => b[1] - a[1]).map(own => own[0])"""
        )
    assert order == sorted(order)


def test_nothing_that_is_hazard_is_green(world):
    """Records, planned ground and the legend: a hue between yellow-green and teal says "go" to a hurried reader."""
    _, path = world
    with opened(path) as (page, _):
        page.focus("#plan-stop")
        page.keyboard.press("End")
        colours = page.evaluate(
            """() => { const found = new Set(); map_clearplan.eachLayer(l => {
            for (const name of ['color', 'fillColor']) {
            if (l.options && /^#/.test(l.options[name])) { found.add(l.options[name]); } } });
            document.querySelectorAll('#legend svg *').forEach(n => { for (const name of ['fill', 'stroke'])
            { if (/^#/.test(n.getAttribute(name) || '')) { found.add(n.getAttribute(name)); } } });
            return [...found]; }"""
        )
    assert "#2B3A8C" in colours
    for name in colours:
        digits = name[1:] if len(name) == 7 else "".join(2 * digit for digit in name[1:])
        hue, _, depth = colorsys.rgb_to_hls(*(int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)))
        assert depth < 0.15 or not 70 <= 360 * hue <= 185, name
