"""States in which a reader meets the page: narrow windows, other languages, links in any order, open cards."""

import colorsys
import datetime as dt
import itertools
from dataclasses import replace

import geopandas as gpd
import pytest
from shapely import Point

from clearplan.core.imprint import Imprint
from clearplan.outputs.facts import ContactLine
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from tests.browser import opened
from tests.conftest import E0, FULL, N0, UTM
from tests.outputs.page.test_draw import PERIODS
from tests.outputs.page.test_draw_browser import HOSTILE
from tests.outputs.page.test_figures import bare_facts, donor_facts, donor_world, net_table

pytestmark = [
    pytest.mark.browser,
    # The driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory, margins, task_settings, priority_settings):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    page = draw_map(
        Layers(ranked, zones, areas=areas, context=context), first=2, periods=PERIODS, facts=donor_facts(ranked, zones)
    )
    path = tmp_path_factory.mktemp("world") / "m.html"
    page.save(path)
    return ranked, path


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


LANGUAGES = ("en", "az", "hy", "ru")
SIZES = ((1300, 800), (1400, 900), (1024, 768), (360, 780)) if FULL else ((1300, 800), (360, 780))


@pytest.mark.parametrize("size", [(360, 780), (650, 400), (1300, 400)])
def test_map_list_and_foot_never_lie_on_one_another(world, size):
    """Also with a filter and the plan told above them, and at a zoom of 200 % (650 by 400)."""
    _, path = world
    with opened(path, *size) as (page, _):
        page.locator("#charts button[data-district=West]").click()
        page.locator("#filters button[data-land]").first.click()
        page.focus("#plan-stop")
        page.keyboard.press("End")
        for language in LANGUAGES:
            page.select_option("#language", language)
            room, panel, foot = (page.locator(own).bounding_box() for own in ("#map_clearplan", "#panel", "#foot"))
            assert room["height"] >= 199, language
            if size[0] <= 700:
                assert room["y"] + room["height"] <= panel["y"] + 1, language
            assert max(room["y"] + room["height"], panel["y"] + panel["height"]) <= foot["y"] + 1, language
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], language


def test_no_figure_of_the_head_is_cut(sample):
    _, folder = sample
    with opened(folder / "map.html", 1300, 800) as (page, _):
        for language, (width, height) in itertools.product(LANGUAGES, SIZES):
            page.select_option("#language", language)
            page.set_viewport_size({"width": width, "height": height})
            cut = page.evaluate(
                """() => { const r = document.getElementById('figures-holder'); return [r.scrollWidth - r.clientWidth,
                ...[...document.querySelectorAll('#figures div')].map(n => n.scrollWidth - n.clientWidth)]; }"""
            )
            assert max(cut) <= 1, (language, width, cut)


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
            """() => { const found = new Set(), told = name => { if (/^#/.test(name || '')) { found.add(name); } };
            map_clearplan.eachLayer(l => { told((l.options || {}).color); told((l.options || {}).fillColor); });
            for (const n of document.querySelectorAll('#legend svg *'))
            { told(n.getAttribute('fill')); told(n.getAttribute('stroke')); }
            return [...found]; }"""
        )
    assert "#2B3A8C" in colours
    for name in colours:
        digits = name[1:] if len(name) == 7 else "".join(2 * digit for digit in name[1:])
        hue, _, depth = colorsys.rgb_to_hls(*(int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)))
        assert depth < 0.15 or not 70 <= 360 * hue <= 185, name


def test_a_card_is_not_covered_and_pressed_buttons_show_in_forced_colours(world):
    _, path = world
    with opened(path, 1300, 800) as (page, _):
        page.locator("#list button").first.click()
        page.wait_for_timeout(400)
        assert not page.locator(".readout").is_visible()
        page.keyboard.press("Escape")
        page.wait_for_timeout(400)
        assert page.locator(".readout").is_visible()
        page.emulate_media(forced_colors="active")
        looks = page.evaluate(
            """() => [...document.querySelectorAll('.tabs button')].map(n => getComputedStyle(n).backgroundColor)"""
        )
        assert looks[0] != looks[1]


def looked_at(path, size=(360, 780)):
    """Every language, every card and list of a page; what it complained of, and its text."""
    with opened(path, *size) as (page, watch):
        for language in (*LANGUAGES[1:], "en"):
            page.select_option("#language", language)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        for name in ("#list button", "#gated button", "#opening button", "#never button"):
            page.evaluate(f"document.querySelectorAll('{name}').forEach(n => n.click())")
        if page.locator("#plan-stop").count():
            page.focus("#plan-stop")
            page.keyboard.press("End")
        page.evaluate("document.querySelectorAll('#charts .toggle, #filters .toggle').forEach(n => n.click())")
        page.select_option("#language", "hy")
        page.select_option("#language", "en")
        page.focus("#map_clearplan")
        page.keyboard.press("Enter")
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
        text = page.inner_text("body")
    assert watch.complaints == []
    assert watch.requests == []
    return text


@pytest.mark.parametrize(("size", "share"), [((360, 780), 1), ((1300, 800), 0)])
def test_pages_that_lack_something_open_in_every_language(
    tmp_path, margins, task_settings, priority_settings, size, share
):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    bare, none = bare_facts(ranked, zones), zones.iloc[:0]
    planned = {"periods": PERIODS, "facts": donor_facts(ranked, zones)}
    states = {
        "no plan": (Layers(ranked, zones, areas, context=context), {"facts": bare}),
        "no districts": (Layers(ranked, zones, areas), planned),
        "no zones": (Layers(ranked, none, areas, context=context), planned | {"facts": donor_facts(ranked, none)}),
        "zones not given": (Layers(ranked, areas=areas, context=context), {"facts": bare}),
        "no tasks": (Layers(ranked.iloc[:0], zones, areas, context=context), planned),
        "nothing": (Layers(ranked.iloc[:0], zones.iloc[:0]), {}),
        "picture": (Layers(ranked, zones, areas, context=context), planned | {"most_outlines": 2}),
    }
    for k, (name, (layers, given)) in enumerate(states.items()):
        if not FULL and k % 4 != share:
            continue  # some of the pages at one of the sizes
        draw_map(layers, **given).save(tmp_path / "m.html")
        text = looked_at(tmp_path / "m.html", size)
        assert not any(words in text for words in ("undefined", "NaN", "[object")), name


def test_hostile_names_stay_text_in_every_list_card_chart_and_search(
    tmp_path, margins, task_settings, priority_settings
):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    ranked["district"] = ranked["district"].replace({"West": HOSTILE[4], "East": HOSTILE[5]})
    layer = context.districts.assign(name=[HOSTILE[4], HOSTILE[5]])
    ranked["gates"] = [None, None, HOSTILE[5], *[None] * (len(ranked) - 3)]
    ranked.loc[ranked.index[2], "rank"] = None
    zones["name"], zones["why"], zones["sooner"], zones["source"] = HOSTILE[4:9], HOSTILE[:5], HOSTILE[5], HOSTILE[8]
    spots = gpd.GeoDataFrame(
        {"name": HOSTILE[4:7], "alternatenames": [",".join(HOSTILE[5:6])] * 3},
        geometry=[Point(E0 + k, N0) for k in range(3)], crs=UTM,
    )  # fmt: skip
    net = net_table().replace({"West": HOSTILE[4], "East": HOSTILE[5]})
    line = ContactLine(HOSTILE[4], length_km=1.0, scale=HOSTILE[5], position_error_m=5.0)
    facts = replace(donor_facts(ranked, zones, net=net), contact_lines=(line,))
    areas["source"] = [HOSTILE[k % len(HOSTILE)] for k in range(len(areas))]
    imprint = Imprint(
        HOSTILE[4], dt.date(2027, 1, 1), HOSTILE[4], "y", crs=HOSTILE[5], illustrative=True, tier=HOSTILE[5]
    )
    notes = (*HOSTILE, "Land release: " + HOSTILE[5])
    context = replace(context, districts=layer, places=spots, attribution=HOSTILE[8])
    periods = [(HOSTILE[k], day) for k, (_, day) in zip((2, 4, 5, 8), PERIODS, strict=True)]
    page_ = draw_map(
        Layers(ranked, zones, areas=areas, context=context), imprint, facts=facts, notes=notes, periods=periods
    )
    page_.save(tmp_path / "m.html")
    for size in ((360, 780), (1300, 800)):
        looked_at(tmp_path / "m.html", size)
    with opened(tmp_path / "m.html", 1300, 800) as (page, watch):
        for words in (*HOSTILE, "img", "script", "%", "#T-%E0"):
            page.fill("#search", words)
            page.keyboard.press("Enter")
            page.evaluate("words => { location.hash = 'T-' + words; location.hash = 'Z-' + words; }", words)
        page.wait_for_timeout(300)
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
    assert watch.complaints == []
    assert watch.requests == []
