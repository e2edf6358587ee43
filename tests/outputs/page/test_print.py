"""The map page on paper: A4 and A3, upright and across, printed by Chromium and read back."""

import datetime as dt
import unicodedata

import pytest

from clearplan.core.imprint import Imprint
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from tests.browser import PICTURES, opened
from tests.conftest import FULL
from tests.outputs.page.test_draw import PERIODS
from tests.outputs.page.test_figures import donor_facts, donor_world

pypdf = pytest.importorskip("pypdf")
pytestmark = [
    pytest.mark.browser,
    # The driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
#: Width and height of the sheets [pt].
SHEETS = {"A4": (595, 842), "A3": (842, 1191)}
PAPERS = (("A4", False), ("A4", True), ("A3", False), ("A3", True))


def words_of(page):
    """Text of a sheet; the font joins letters such as fi."""
    return " ".join(unicodedata.normalize("NFKC", page.extract_text() or "").split())


@pytest.mark.parametrize(("sheet", "across"), PAPERS if FULL else PAPERS[:1])
def test_paper_holds_map_legend_disclaimers_and_lists(sample, sheet, across):
    study, folder = sample
    PICTURES.mkdir(exist_ok=True)
    target = PICTURES / f"paper-{sheet}-{'across' if across else 'upright'}.pdf"
    with opened(folder / "map.html", 1300, 800) as (page, watch):
        before = page.evaluate("[map_clearplan.getZoom(), map_clearplan.getSize().x, map_clearplan.getSize().y]")
        page.pdf(path=str(target), format=sheet, landscape=across, print_background=False)
        # The screen is as it was.
        assert page.evaluate("document.getElementById('legend').closest('#map_clearplan') !== null")
        assert before == page.evaluate(
            "[map_clearplan.getZoom(), map_clearplan.getSize().x, map_clearplan.getSize().y]"
        )
        assert page.locator("canvas").count() == page.locator("canvas:visible").count()
    assert watch.complaints == []
    pdf = pypdf.PdfReader(target)
    wide, high = SHEETS[sheet][::-1] if across else SHEETS[sheet]
    assert [float(side) for side in pdf.pages[0].mediabox[2:]] == pytest.approx([wide, high], abs=2)
    pages = [words_of(one) for one in pdf.pages]
    assert all(pages), "no blank sheet"
    text = " ".join(pages)
    for words in (
        study.project.map.title, "Home / waiting", "Legend", "Suspected hazardous area (SHA)",
        "Ground without colour is unknown", "Illustrative data, not for operational use.",
        "Not for navigation or entry.", "do not imply official endorsement", "Sources:", "GeoNames (CC BY 4.0)",
        study.run["fingerprint"], "Next tasks", "Behind a gate", "Hazard by district", "People who come home over time",
        "What more money buys", "Planned to open",
    ):  # fmt: skip
        assert words in text, words
    waits = study.zones["deferred"].isna() & study.zones["opens_in"].isna()
    assert ("Never open in the plan" in text) == waits.any()
    for words in ("Show all", "Show 20 more", "Copy link", "Search a place", "Measure", "To clear"):
        assert words not in text, words
    # Within a sheet text comes up as it was painted, so the sheets are compared.
    parts = ("Leaflet", "Legend", "Next tasks", "Hazard by district")
    first = [next(k for k, own in enumerate(pages) if words in own) for words in parts]
    assert first == sorted(first)
    assert "Leaflet" in pages[0]  # the map stands on the first sheet
    assert text.count("In all") == 1


def test_the_map_fills_the_width_of_the_sheet(tmp_path, margins, task_settings, priority_settings):
    """As wide as A4 upright, A4 across and A3 across leave room within margins of 12 mm, at 96 dots an inch."""
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    imprint = Imprint("On paper", dt.date(2027, 1, 1), "", "y", "x", illustrative=True)
    page_ = draw_map(
        Layers(ranked, zones, areas=areas, context=context), imprint, periods=PERIODS, facts=donor_facts(ranked, zones)
    )
    page_.save(tmp_path / "m.html")
    with opened(tmp_path / "m.html", 360, 780) as (page, watch):
        for width, least in ((703, 690), (1032, 1010), (1497, 1460)):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(media="print")
            page.evaluate("void window.dispatchEvent(new Event('beforeprint'))")
            room = page.locator("#map_clearplan").bounding_box()
            assert least <= room["width"] <= width
            assert 0.5 <= room["height"] / room["width"] <= 0.65
            hidden = page.evaluate(
                """() => ['.leaflet-control-zoom', '.leaflet-control-layers', '#tools', '#filters', '#language-choice',
                '.tabs [aria-pressed=false]'].filter(name => { const n = document.querySelector(name);
                return n && n.checkVisibility(); })"""
            )
            assert hidden == []
            exact = page.evaluate("getComputedStyle(document.querySelector('.lens .bar')).printColorAdjust")
            assert exact == "exact"
            page.evaluate("void window.dispatchEvent(new Event('afterprint'))")
            page.emulate_media(media="screen")
    assert watch.complaints == []


def test_a_filter_is_told_on_paper(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    page_ = draw_map(
        Layers(ranked, zones, areas=areas, context=context), periods=PERIODS, facts=donor_facts(ranked, zones)
    )
    page_.save(tmp_path / "m.html")
    with opened(tmp_path / "m.html") as (page, _):
        page.locator("#charts button[data-district=West]").click()
        page.pdf(path=str(tmp_path / "m.pdf"), format="A4")
    first = words_of(pypdf.PdfReader(tmp_path / "m.pdf").pages[0])
    assert "Filter: West." in first
    assert "Ground that a filter dims or hides is still hazard." in first
