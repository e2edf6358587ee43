"""The page's languages: what a catalogue must hold, what it must not, and the switch in a real Chromium."""

import ast
import csv
import datetime as dt
import json
import re

import pytest

from clearplan.core.imprint import BOUNDARIES, ILLUSTRATIVE, NOT_FOR_ENTRY, Imprint
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import EVIDENCE_WORDS, draw_map
from clearplan.outputs.page.translations import LANGUAGES, body_keys, page_words, read_words, script_keys
from clearplan.priority.criteria import CRITERIA
from tests.browser import PICTURES, opened
from tests.conftest import ROOT
from tests.outputs.page.test_draw import PERIODS, planned_world
from tests.outputs.page.test_figures import donor_facts

SRC = ROOT / "src" / "clearplan"
PAGE = SRC / "outputs" / "page" / "assets"
OTHERS = list(LANGUAGES)[1:]
#: Deliberately in English in every language: figures without words.
UNTRANSLATED: set[str] = set()
#: Forms that CLDR's plural rules have for whole numbers: one|other, and in Russian one|few|many.
FORMS = {"az": 2, "hy": 2, "ru": 3}
#: Neither the forbidden word nor words that take a side over the land; "released" is a term of land release.
NEVER = (
    "безопас", "təhlükəsiz", "անվտանգ", "оккуп", "освобожд", "işğal", "azad", "օկուպ", "ազատագր", "artsax", "արցախ",
    "арцах", "сепарат", "separat",
)  # fmt: skip


def page_keys() -> set[str]:
    """Sentences that the page's own files say."""
    scripts = [path.read_text(encoding="utf-8") for path in sorted(PAGE.glob("*.js"))]
    return {key for text in scripts for key in script_keys(text)} | set(
        body_keys((PAGE / "map.html").read_text(encoding="utf-8"))
    )


def python_keys() -> set[str]:
    """Fixed sentences of ours that reach the page as data."""
    fixed = {ILLUSTRATIVE, NOT_FOR_ENTRY, BOUNDARIES, *EVIDENCE_WORDS.values()}
    return fixed | {text for own in CRITERIA.values() for text in (own.label, own.unit) if text not in ("0-1", "°")}


def literals() -> set[str]:
    """Every string that stands in our Python, which any table might carry to the page."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SRC.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_page_is_in_the_catalogue_or_listed_as_english(language):
    missing = sorted((page_keys() | python_keys()) - set(read_words(language)))
    print(f"{language}: {len(missing)} sentences are shown in English", *missing, sep="\n  ")
    assert missing == sorted(UNTRANSLATED)


@pytest.mark.parametrize("language", OTHERS)
def test_no_catalogue_holds_a_sentence_that_no_page_says(language):
    assert sorted(set(read_words(language)) - page_keys() - literals()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_rows_of_a_catalogue_are_whole(language):
    path = SRC / "outputs" / "page" / "words" / f"{language}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        head, *rows = csv.reader(lines, strict=True)
    assert head == ["english", "text", "status", "source"]
    assert all(len(row) == len(head) and all(row) and not any("\n" in cell for cell in row) for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
    for english, text, status, source in rows:
        assert status in ("official", "draft")
        # A draft is ours; what is official names who published it.
        assert (source == "clearplan") == (status == "draft"), english
        assert not re.search(r"[<>&]", text), english
        assert not [stem for stem in NEVER if stem in text.lower()], english
        given, told = english.split("|"), text.split("|")
        assert len(told) == 1 if len(given) == 1 else len(told) in (1, FORMS[language]), english
        names = {frozenset(re.findall(r"\{\w+\}", form)) for form in given + told}
        assert len(names) == 1, f"{english}: {names}"


def test_only_what_a_page_can_use_travels():
    script, body = 'say("Relief"); term("unknown")', "<h2 data-say>Legend</h2>"
    data = json.dumps({"about": [BOUNDARIES], "name": "Accidents near Layers"})
    russian = page_words(script, body, data)["ru"]
    assert set(russian["words"]) == {"Relief", "unknown", "Legend", BOUNDARIES}
    assert (russian["name"], russian["drafts"]) == ("Русский", 4)
    assert page_words(script, body, data)["hy"]["words"]["Relief"] == "Ռելիեֆ"


def words_of(html: str) -> dict:
    """By language its sentences, as the page's script reads them."""
    held = json.loads(re.search(r'id="clearplan-languages">(.*?)</script>', html, flags=re.DOTALL).group(1))
    english = [row[0] for row in held["sentences"]]
    assert len(set(english)) == len(english)
    return {
        code: own | {"words": {row[0]: row[k] for row in held["sentences"] if row[k] is not None}}
        for k, (code, own) in enumerate(held["languages"].items(), start=1)
    }


def test_pages_without_a_plan_carry_no_words_of_one(margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    without = words_of(draw_map(Layers(ranked, zones, areas=areas)).html)
    planned = words_of(draw_map(Layers(ranked, zones, areas=areas), periods=PERIODS).html)
    for language in OTHERS:
        assert not [english for english in without[language]["words"] if re.search(r"\bplan\b", english)]
        assert "Never open in the plan" in planned[language]["words"]
        assert len(without[language]["words"]) < len(planned[language]["words"])


# --- in a browser

IMPRINT = Imprint("Clearance map", dt.date(2026, 1, 1), "", "abc", crs="WGS 84", illustrative=True)
NOTES = ("19 hazards have status closed and are not counted as remaining",)
PARTS = ("#head", "#plan", "#panel", "#legend", "#foot")
VIEW = "() => { const c = map_clearplan.getCenter(); return [c.lat, c.lng, map_clearplan.getZoom()]; }"
#: Per language: of the head, the legend, the list, the slider; and a figure as CLDR writes it, with its plural form.
EXPECTED = {
    "az": ("Evində / gözləyən", "Şübhəli təhlükəli ərazi (SHA)", "Növbəti tapşırıqlar",
           "30 sentyabr 2027 tarixinədək", "1.234 gözləyir"),
    "hy": ("Տանը / սպասող", "Կասկածելի վտանգավոր տարածք (SHA)", "Հաջորդ առաջադրանքները",
           "Մինչև 2027 թ. սեպտեմբերի 30", "1\u00a0234 սպասում են"),
    "ru": ("Дома / ждут", "Подозреваемый опасный район (SHA)", "Ближайшие задания", "К 30 сентября 2027 года",
           "ждут 1\u00a0234"),
}  # fmt: skip


@pytest.fixture(scope="module")
def page_path(tmp_path_factory, margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    facts, made_up = donor_facts(ranked, zones), {"source": "Illustrative"}
    layers = Layers(ranked, zones.assign(**made_up), areas.assign(**made_up))
    page = draw_map(layers, IMPRINT, facts=facts, notes=NOTES, first=2, periods=PERIODS)
    path = tmp_path_factory.mktemp("page") / "m.html"
    page.save(path)
    return path


def browser_test(test):
    """The driver leaves its pipes to the garbage collector."""
    ignored = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
    return pytest.mark.browser(ignored(test))


@browser_test
def test_the_page_is_switched_without_reload_and_keeps_its_view(page_path):
    with opened(page_path) as (page, watch):
        page.focus("#plan-stop")
        page.keyboard.press("End")
        page.evaluate("void map_clearplan.setZoom(map_clearplan.getZoom() - 1, {animate: false})")
        page.wait_for_timeout(300)
        english, view = [page.inner_text(part) for part in PARTS], page.evaluate(VIEW)
        assert page.get_attribute("html", "lang") == "en"
        assert page.locator("body [lang]").count() == page.locator("#language option").count() == len(LANGUAGES)
        assert page.locator("#language option").all_inner_texts() == list(LANGUAGES.values())
        for language, (head, legend, listed, slider, people) in EXPECTED.items():
            page.locator("#language").select_option(language)
            assert page.get_attribute("html", "lang") == language
            words = read_words(language)
            assert head in page.inner_text("#head")
            assert legend in page.inner_text("#legend")
            assert listed in page.inner_text("#panel")
            assert words["Legend"]["text"] in page.inner_text("#legend")
            assert page.inner_text("#plan-words").startswith(slider)
            assert people in page.locator(".leaflet-tooltip.label").all_inner_texts()[0]
            foot = page.inner_text("#foot")
            for sentence in (ILLUSTRATIVE, NOT_FOR_ENTRY, BOUNDARIES):
                assert words[sentence]["text"] in foot
                assert sentence not in foot
            # Told in that language, and in English.
            own = words_of(page_path.read_text(encoding="utf-8"))[language]
            told = f"Sentences that are drafts: {own['drafts']} of {len(own['words'])}."
            assert told in page.inner_text("#foot .draft[lang=en]")
            assert page.locator("#foot .draft").count() == 2
            assert page.get_attribute(".leaflet-control-zoom-in", "title") == words["Zoom in"]["text"]
            assert words["Tasks to survey"]["text"] in page.locator(".leaflet-control-layers-overlays").text_content()
            assert page.evaluate(VIEW) == pytest.approx(view, abs=1e-3)
            # What has no translation is marked as English, and it is nothing but what comes from the run.
            english_left = set(page.locator("body [lang=en]:visible").all_inner_texts())
            assert {text for text in english_left if "This translation is a draft" not in text} == {
                NOTES[0],
                "Illustrative",
                "Q3 2027",
                "1 of 2 tasks is not finished.",
                "has no place on the map",
                "access: no road (until the bridge stands)",
            }, language
            PICTURES.mkdir(exist_ok=True)
            page.screenshot(path=PICTURES / f"map-words-{language}.png")
        page.locator("#language").select_option("en")
        assert [page.inner_text(part) for part in PARTS] == english
        assert page.locator("body [lang]").count() == len(LANGUAGES)
    assert watch.complaints == []
    assert watch.requests == []


@browser_test
def test_cards_speak_the_language_and_count_by_its_rules(page_path):
    with opened(page_path) as (page, watch):
        page.focus("#language")
        for _ in OTHERS:
            page.keyboard.press("ArrowDown")  # by keyboard alone
        assert page.get_attribute("html", "lang") == "ru"
        page.locator("#list button").first.click()
        card = page.locator(".leaflet-popup-content")
        words = card.inner_text()
        assert "Запланированные группы: M1, D1." in words
        assert "Начало по плану: Q1 2027 (с 1 января 2027 года); завершение к сроку: 31 марта 2027 года" in words
        assert page.get_attribute(".leaflet-popup-close-button", "aria-label") == "Закрыть окно"
        assert card.locator(".sure p").last.get_attribute("lang") == "en"  # a sentence from the run
        assert card.locator(".sure p").first.get_attribute("lang") is None
        page.locator("#language").select_option("en")
        page.wait_for_selector(".leaflet-popup-content:has-text('Copy link')")  # told anew
        page.locator("#language").select_option("ru")
        for place, told in (("Place 0", "Ждёт завершения 1 задания."), ("Place 3", "Ждёт завершения 3 заданий, всех")):
            page.get_by_role("button", name=place, exact=True).click()
            assert told in page.locator(f".leaflet-popup-content:has(h3:text-is('{place}'))").inner_text()
        labels = " ".join(page.locator(".leaflet-tooltip.label").all_text_contents())
        for told in ("ждут 1\u00a0234", "ждут 50", "ждут 9", "число неизвестно"):
            assert told in labels
    assert watch.complaints == []


@browser_test
def test_a_link_asks_for_a_language_and_nothing_else_does(page_path):
    with opened(page_path, 360, 780) as (page, watch):
        page.screenshot(path=PICTURES / "map-words-phone-en.png")
        for asked, language in (("?lang=hy", "hy"), ("#lang=az", "az"), ("?lang=xx", "en"), ("?lang=auto", "en"),
                                ("?lang=constructor", "en")):  # fmt: skip
            page.goto(page_path.resolve().as_uri() + asked)
            page.wait_for_selector("html[data-ready=yes]")
            assert page.get_attribute("html", "lang") == language
            assert page.input_value("#language") == language
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            page.screenshot(path=PICTURES / f"map-words-phone-{language}.png")
        page.evaluate("void (location.hash = '#lang=ru')")
        page.wait_for_selector("html[lang=ru]")
    assert watch.complaints == []


@browser_test
def test_letters_of_each_language_show(page_path):
    """No letter is drawn as the box that stands for an unknown one."""
    with opened(page_path) as (page, _):
        drawn = """letters => { const pen = document.createElement('canvas').getContext('2d');
            pen.font = '20px ' + getComputedStyle(document.body).fontFamily;
            return letters.map(letter => { pen.clearRect(0, 0, 60, 40); pen.fillText(letter, 5, 25);
            return pen.getImageData(0, 0, 60, 40).data.join(); }); }"""
        letters = sorted({letter for language in OTHERS for letter in "".join(
            row["text"] for row in read_words(language).values()) if letter.isalpha()})  # fmt: skip
        unknown, *own = page.evaluate(drawn, ["\U0010fffd", *letters])
        assert [letter for letter, picture in zip(letters, own, strict=True) if picture == unknown] == []
        assert {"ə", "ğ", "Հ", "ֆ", "Ж", "ё"} <= set(letters)
