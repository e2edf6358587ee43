"""The report of a run as a page: what stands in it, and that text stays text."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from clearplan.core.errors import TableError
from clearplan.outputs.facts import facts_of
from clearplan.outputs.report.run import draw_report, head_figures
from clearplan.priority.sensitivity import share_words
from clearplan.priority.why import Why
from tests.browser import PICTURES, opened
from tests.outputs.charts.test_results import order
from tests.sheets_of_paper import IMPRINT

HOSTILE = '<script>alert(1)</script>{{7*7}}"><img src=x>'


@pytest.mark.browser
def test_report_of_the_sample_opens_without_a_network(sample):
    study, folder = sample
    with opened(folder / "report.html", scripted=False) as (page, watch):
        text = page.inner_text("body")
        for words in ("Illustrative data, not for operational use.", study.run["fingerprint"], "closed by status",
                      "nobody knows", "What moved the remaining ground from 2024-12-31 to 2026-01-01",
                      "trend.az 3870489", "outside every known hazard"):  # fmt: skip
            assert words in text, words
        # The order of each queue, a bridge for each class, the published release; home, teams, budgets, chances.
        assert page.locator("svg").count() == 2 + 2 + 1 + 4  # of the bridge only CHA and SHA have reported ground
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / "report.png", full_page=True)
    assert watch.complaints == []
    assert watch.requests == []
    with opened(folder / "report.html", 390, 844, scripted=False) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    html = (folder / "report.html").read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_published_figures_sum_and_are_said_to_be_published(sample):
    html = (sample[1] / "report.html").read_text(encoding="utf-8")
    assert "Land released in 2023: 53,081.8 hectares" in html
    assert "Published figures, not computed here." in html


def books(**more):
    ledger = {"land_class": [HOSTILE], "district": [HOSTILE], "reported_m2": [2e6], "remaining_m2": [1e6],
              "cancelled_m2": [1e6 - 200], "reduced_m2": [200.0], "cleared_m2": [0.0], "closed_m2": [0.0],
              "planning_m2": [3e6], "planning_released_m2": [0.0]}  # fmt: skip
    return {"ledger": pd.DataFrame(ledger)} | more


def facts(tables):
    """Facts of a run of two places, one task and these books."""
    zones = pd.DataFrame({"people": [1234.0, None]})
    net = pd.DataFrame(
        {
            "land_class": ["CHA"],
            "district": [HOSTILE],
            "reported_m2": [2.4e6],
            "planning_m2": [2.5e6],
            "gross_m2": [3e6],
            "stated_m2": [0.0],
            "no_area": [0],
        }
    )
    return facts_of(tables | {"net_area": net}, zones=zones, tasks=pd.DataFrame({"queue": ["survey"]}))


def test_the_head_line_states_ground_release_and_people():
    assert head_figures(facts(books())) == [
        ("Confirmed hazardous (CHA), reported", "2.4 km²"),
        ("Suspected hazardous (SHA), reported", "0.0 km²"),
        ("Indication, planning ground to survey", "0 km²"),
        ("Released by decisions", "1.0 km²"),
        ("People already home", "unknown in 2 places"),
        ("People who wait to return", "1,234 in 1 place; unknown in 1"),
    ]


def test_text_from_data_stays_text_and_little_is_not_nothing():
    imprint = replace(IMPRINT, title=HOSTILE, notice=HOSTILE)
    html = draw_report(imprint, facts(books()), notes=[HOSTILE], books=books()).html
    assert "<script" not in html
    assert "<img" not in html
    assert "{{7*7}}" in html
    assert "&lt; 0.01" in html  # 200 m2 are little, and not 0


def test_published_without_its_columns_is_refused():
    with pytest.raises(TableError, match="lack the column source"):
        reported(published=pd.DataFrame({"breakdown": [], "name": [], "hectares": []}))


def sure(**columns):
    """Tasks of ``order`` with all that draws and gates say."""
    return order(
        gates=[None] * 4 + [HOSTILE], priority_class=["high", "high/medium", "high/low", "low", None],
        class_share=[1.0, 0.6, 0.4, 1.0, None], first_share=[1.0, 0.83, 0.004, 0.0, None],
        tied_with=[None, "T2", "T1", None, None], change=[HOSTILE, None, None, None, None],
    ).assign(**columns)  # fmt: skip


def reported(*, tasks=None, why=None, **more):
    return draw_report(IMPRINT, facts(books()), books=books(**more), tasks=tasks, why=why).html


def test_why_this_order_tells_how_sure_and_what_would_change_it():
    hangs = pd.DataFrame({"criterion": ["people", "area", "slope", "people"], "before": [18.18, 20, 30, 40],
                          "after": [18.23, 30, 10, 50], "out": "T1", "into": ["T2", "T3", HOSTILE, "END"]})  # fmt: skip
    sets = pd.DataFrame({"queue": ["survey"], "criterion": ["area"], "the plan": [50.0], HOSTILE: [float("nan")]})
    agreement = pd.DataFrame([("survey", "the plan", HOSTILE, 0.333, 1, 2)],
                             columns=["queue", "one", "other", "kendall_tau", "shared_first", "first"])  # fmt: skip
    cuts = ("survey queue: high ends " + HOSTILE,)
    why = Why(cuts=cuts, hangs={"survey": hangs}, weights=sets, agreement=agreement, first=2)
    html = reported(tasks=sure(), why=why)
    section = html[html.index("Why this order") : html.index("Land release: where")]
    assert section.count("<svg") == 1
    for words in (
        "The first 4 of 4 ranked tasks.", "among the first 2", "<td>high or medium</td>", "<td>83 %</td>",
        "<td>below 1 %</td>", "<td>1 to 3</td>", "<td>no task</td>", "<td>not computed</td>",
        "If the weight of &#x27;people who wait, in zones that the task affects&#x27; rises from 18.18 % to 18.23 % of "
        "all weights, T2 comes into the first 2 and T1 leaves.", "falls from 30 % to 10 %", "not weighed",
        "<td>0.33</td>",
        "<td>1 of 2</td>", "Behind a gate: 1", "GATED", "No task of this queue has a rank.", "Size &lt;of&gt; it",
    ):  # fmt: skip
        assert words in section, words
    assert "END" not in section
    assert "<script" not in html
    assert "<img" not in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert not re.search(r"\bsa" + r"fe(ly|ty)?\b", html, flags=re.IGNORECASE)


def test_reports_without_draws_tell_the_order_alone_and_without_tasks_nothing():
    plain = order().drop(columns=["rank_low", "rank_high"])
    html = reported(tasks=plain)
    assert "<th>rank</th><th>task</th><th>score</th></tr>" in html
    assert "draws" not in html
    assert "no reason given" in html  # a task without a rank is told even where nobody says why
    assert "Behind a gate" not in reported(tasks=plain[plain["rank"].notna()])
    assert "Why this order" not in reported()


def test_a_list_on_which_no_weight_bears_says_so():
    nothing = pd.DataFrame(columns=["criterion", "before", "after", "out", "into"])
    html = reported(tasks=sure(), why=Why(hangs={"survey": nothing}, first=2))
    assert "No change of one weight brings another task into the first 2." in html
    assert share_words(0.0) == "0 %"


@pytest.mark.browser
def test_why_this_order_fits_a_phone(tmp_path):
    page = draw_report(IMPRINT, facts(books()), books=books(), tasks=sure(change="A long sentence. " * 9))
    page.save(tmp_path / "r.html")
    with opened(tmp_path / "r.html", 390, 844, scripted=False) as (page, watch):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("svg").bounding_box()["width"] >= 600  # scrolls on its own rather than shrink to nothing
    assert watch.complaints == []
