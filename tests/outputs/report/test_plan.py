"""The report's section on the plan of work: its figures are those of the tables, and text stays text."""

import functools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearplan.core.reason import Reason
from clearplan.outputs.report.html import page
from clearplan.outputs.report.plan import lead, workplan_section
from tests.browser import PICTURES, opened
from tests.plans import plan, planned_of

HOSTILE = '<script>alert(1)</script>{{7*7}}"><img src=x>'
MADE = plan()
NOTES = ["Rates are illustrative.", "One place of unknown population counts with 300 people (50 to 900)."]


def section(*, notes=(), currency="USD", **changed):
    """The section of the made-up plan, with other frames."""
    frames = MADE | changed
    return workplan_section(planned_of(frames, notes=notes, currency=currency), frames["tasks"], frames["zones"])


@functools.cache
def whole():
    """The section with all that there is, drawn once."""
    return section(notes=NOTES)


def tables(html):
    """Tables by their first head: rows as mappings from head to text, as a reader sees them."""
    found = {}
    for text in re.findall(r"<table>.*?</table>", html, flags=re.DOTALL):
        rows = ["".join(cell.itertext()) for cell in ET.fromstring(text).iter() if cell.tag in ("th", "td")]
        wide = len(re.findall(r"<th[ >]", text))
        cells = [rows[k : k + wide] for k in range(0, len(rows), wide)]
        name = cells[0][0] + ("" if cells[0][0] != "place" or "opens on" in cells[0] else " left out")
        found[name] = [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]
    return found


def number(text):
    """A figure read back: separators, signs and per cent are for the eye."""
    return float(text.replace(",", "").replace("\u2212", "-").replace(" %", "e-2").replace("+", ""))


def test_figures_of_the_ways_are_those_of_the_table():
    rows = tables(whole())["way"]
    expected = MADE["comparison"]
    assert [row["way"] for row in rows] == expected["strategy"].tolist()
    for row, told in zip(expected.to_dict("records"), rows, strict=True):
        assert number(told["of those who wait, home at the end"]) == pytest.approx(row["people_home"], abs=0.5)
        assert number(told["places open"]) == row["zones_open"]
        assert number(told["person-months at home"]) == pytest.approx(row["person_months"], abs=0.5)
        assert [number(v) for v in told["range"].split(" to ")] == pytest.approx(
            [row["person_months_low"], row["person_months_high"]], abs=0.5
        )
        more = row["person_months"] - expected["person_months"].iloc[0]
        assert number(told["against the ranked list"]) == pytest.approx(more, abs=0.5)
        assert number(told["ground finished [km²]"]) == pytest.approx(row["m2_finished"] / 1e6, abs=0.005)
        assert number(told["team-days"]) == pytest.approx(row["days"], abs=0.5)
        assert number(told["cost [million USD]"]) == pytest.approx(row["cost"] / 1e6, abs=0.005)


def test_places_stand_by_their_dates_and_none_is_lost():
    found = tables(whole())
    zones = MADE["zones"].set_index("name")
    assert [row["opens on"] for row in found["place"][1:]] == sorted(row["opens on"] for row in found["place"][1:])
    assert {row["place"] for row in found["place"]} | {row["place"] for row in found["place left out"]} == set(
        zones.index
    )
    for row in found["place"]:
        own = zones.loc[row["place"]]
        day = "the first day" if own["opens_in"] == 0 else f"{own['opens_on']:%Y-%m-%d}"
        assert row["opens on"] == day
        assert row["who wait"] == ("unknown" if pd.isna(own["people"]) else f"{own['people']:,}")
        assert row["already home"] == "unknown"
        assert number(row["chance"]) == pytest.approx(own["probability"], abs=0.005)
        late = "beyond the plan" if pd.isna(own["p80_on"]) else f"{own['p80_on']:%Y-%m-%d}"
        assert row["four fifths by"] == late
        assert number(row["waits for tasks"]) == own["waits_for"]
        assert row["why then"] == own["why"]
        assert row["what would bring it forward"] == ("" if pd.isna(own["sooner"]) else own["sooner"])
    for row in found["place left out"]:
        assert row["why"] == "Has no place on the map: no coordinates."


def test_use_of_teams_sums_over_all_periods():
    rows = tables(whole())["team"]
    sums = MADE["use"].groupby("team_id", sort=False)[["days", "available", "cost"]].sum()
    assert [row["team"] for row in rows] == sums.index.tolist()
    for row, (_, told) in zip(rows, sums.iterrows(), strict=True):
        assert number(row["team-days planned"]) == pytest.approx(told["days"], abs=0.5)
        assert number(row["team-days there are"]) == pytest.approx(told["available"], abs=0.5)
        assert number(row["share used"]) == pytest.approx(told["days"] / told["available"], abs=0.0051)
        assert number(row["cost [million USD]"]) == pytest.approx(told["cost"] / 1e6, abs=0.005)
    assert rows[2]["periods fully used"] == "12 of 12"  # deminers work at their limit, all year round
    assert rows[5]["periods fully used"].endswith(" of 9")  # machines rest in three winters
    assert "No day to spare: MAN-N, MAN-S." in whole()


def test_days_and_costs_of_operators_and_donors_sum_those_of_their_teams():
    made = planned_of(MADE)
    ids = MADE["use"]["team_id"].drop_duplicates().tolist()
    whose = {"operator": [HOSTILE, "B", HOSTILE, "B", "B", None, "B"], "donor": ["D"] + [None] * 6}
    teams = pd.DataFrame({"team_id": ids} | whose)
    found = tables(workplan_section(replace(made, case=replace(made.case, teams=teams)), MADE["tasks"], MADE["zones"]))
    days = MADE["use"].groupby("team_id")[["days", "cost"]].sum()
    for name, own in whose.items():
        of = {who or "not stated": [one for one, w in zip(ids, own, strict=True) if w == who] for who in own}
        assert {row[name]: row["teams"] for row in found[name]} == {who: ", ".join(named) for who, named in of.items()}
        for row in found[name]:
            sums = days.loc[of[row[name]]].sum()
            assert number(row["team-days planned"]) == pytest.approx(sums["days"], abs=0.5)
            assert number(row["cost [million USD]"]) == pytest.approx(sums["cost"] / 1e6, abs=0.005)
    assert {"operator", "donor"}.isdisjoint(tables(whole()))


def test_words_stand_where_a_million_is_too_close_to_call():
    budgets = MADE["budgets"].copy()
    budgets["note"] = [Reason("budget.too_close"), *[None] * (len(budgets) - 1)]
    budgets.loc[0, "per_million"] = np.nan
    found = tables(section(budgets=budgets))["budget [million USD]"]
    words = [row["person-months for each million more"] for row in found]
    assert words[0] == "too close to call: below the proven gap"
    assert "too close" not in "".join(words[1:])


def test_budgets_and_what_if_are_those_of_the_tables():
    found = tables(whole())
    for row, told in zip(MADE["budgets"].to_dict("records"), found["budget [million USD]"], strict=True):
        assert number(told["budget [million USD]"]) * 1e6 == row["budget"]
        assert number(told["of those who wait, home at the end"]) == row["people_home"]
        assert number(told["person-months for each million more"]) == pytest.approx(row["per_million"], abs=0.5)
        assert number(told["proven within"]) == pytest.approx(row["gap"])
    best = MADE["comparison"].iloc[-1]
    for row, told in zip(MADE["what_if"].to_dict("records"), found["what if"], strict=True):
        assert told["what if"] == row["name"]
        assert number(told["person-months at home"]) == pytest.approx(row["person_months"], abs=0.5)
        more = row["person_months"] - best["person_months"]
        assert number(told["person-months at home, against the plan"]) == pytest.approx(more, abs=0.5)
        assert number(told["places open, against the plan"]) == row["zones_open"] - best["zones_open"]
    alone = tables(section(comparison=MADE["comparison"].iloc[:-1]))["what if"][0]
    assert list(alone) == ["what if", "person-months at home", "of those who wait, home at the end", "places open"]


def ways(**best):
    rows = [("ranked list", 1.0, 1, 50.0, np.nan), ("best plan found", 3.0, 2, 100.0, 0.0)]
    table = pd.DataFrame(rows, columns=["strategy", "people_home", "zones_open", "person_months", "gap"])
    for name, value in best.items():
        table.loc[1, name] = value
    return table


def test_the_lead_says_what_the_plan_buys_even_where_that_is_little():
    assert lead(ways()) == (
        "Under the best plan found, 3 people who wait for 2 places can be home when the plan ends; by the ranked list, "
        "with the same teams and money, 1 person who waits for 1 place. Counted over all months that is 100 "
        "person-months at home instead of 50: 50 more (+100 %). The search proved that there is none better."
    )
    assert "40 person-months at home instead of 50: 10 fewer (−20 %)." in lead(ways(person_months=40.0))
    assert "50 person-months at home instead of 50. The" in lead(ways(person_months=50.0))
    assert "was not proven." in lead(ways(gap=np.nan))
    nothing = ways().assign(person_months=[0.0, 100.0])
    assert "instead of 0: 100 more. The" in lead(nothing)
    assert "ranked list" not in lead(ways().iloc[1:])
    assert lead(ways().iloc[:1]) == "No plan was found."


def test_breaches_are_said_before_all_else():
    breaches = pd.DataFrame(
        {"rule": ["budget"], "by_how_much": [1234.5], "until": [pd.Timestamp("2026-03-31")], "words": ["Too dear."]}
    )
    html = section(breaches=breaches)
    loud = html.index(
        '<p class="loud">Do not use this plan: judged again from its tables alone, there is 1 breach of its'
    )
    assert loud < html.index("Under the best plan found")
    assert tables(html)["rule"] == [
        {"rule": "budget", "by how much": "1,234.5", "until": "2026-03-31", "words": "Too dear."}
    ]
    assert "<li>The plan breaks a limit: Too dear.</li>" in html
    assert "keeps every rule" not in html
    assert "there are 2 breaches" in section(breaches=pd.concat([breaches, breaches]))
    assert "the plan keeps every rule that it was given." in whole()
    assert "loud" not in whole()


def test_what_is_not_there_is_left_out():
    assert whole().count("<svg") == 4
    undrawn = MADE["zones"].drop(columns=["probability", "p50_on", "p80_on"])
    html = section(zones=undrawn, budgets=None)
    assert html.count("<svg") == 2
    assert "chance" not in html.lower()
    assert "million would buy" not in html
    assert "return programme" not in html
    assert "What to know about these figures" not in html
    assert list(tables(html)["place"][0])[:6] == [
        "place", "already home", "who wait", "survey status", "opens on", "waits for tasks",
    ]  # fmt: skip
    nothing = MADE["zones"].assign(opens_in=pd.array([None] * 15, dtype="Int64"), opens_on=pd.NaT)
    html = section(zones=nothing, work=MADE["work"].iloc[:0])
    assert "No place opens in the plan." in html
    assert "Not in the plan: 15 places" in html
    assert "No work is planned." in html
    assert "No place that people wait for is left out of the plan." in section(zones=MADE["zones"].iloc[:3])


def test_text_from_data_stays_text_and_the_word_is_not_there():
    made = {
        "zones": MADE["zones"].assign(name=HOSTILE, why=HOSTILE, sooner=HOSTILE),
        "use": MADE["use"].assign(team_id=HOSTILE, kind=HOSTILE, days=1.0, available=1.0),
        "what_if": MADE["what_if"].assign(name=HOSTILE),
        "breaches": pd.DataFrame({HOSTILE: [HOSTILE], "words": [HOSTILE]}),
    }
    html = section(**made, notes=[HOSTILE], currency=HOSTILE)
    assert "<script" not in html
    assert "<img" not in html
    assert "{{7*7}}" in html
    assert not re.search(r"\bsa" + r"fe(ly|ty)?\b", whole(), flags=re.IGNORECASE)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_figures_have_no_false_digits_and_little_is_not_nothing():
    little = MADE["comparison"].assign(m2_finished=[0.0, 200.0, 1e6, np.nan], cost=[10.0, 2000.4, np.nan, 0.0])
    rows = tables(section(comparison=little))["way"]
    assert [row["ground finished [km²]"] for row in rows] == ["0.00", "< 0.01", "1.00", "not known"]
    assert [row["cost [USD]"] for row in rows] == ["10", "2,000", "not known", "0"]
    sure = MADE["comparison"].assign(person_months_low=1.0, person_months_high=1.0)
    assert "range" not in tables(section(comparison=sure))["way"][0]
    idle = MADE["use"].assign(available=0.0, days=0.0, cost=0.0)
    assert {row["share used"] for row in tables(section(use=idle))["team"]} == {"no capacity"}


@pytest.mark.browser
def test_the_section_opens_without_a_network_and_fits_a_phone(tmp_path):
    page("Plan of work", whole(), notice="n").save(tmp_path / "plan.html")
    with opened(tmp_path / "plan.html", 1200, 900, scripted=False) as (shown, watch):
        assert shown.locator("svg").count() == 4
        assert "Under the best plan found" in shown.inner_text("body")
        PICTURES.mkdir(exist_ok=True)
        shown.screenshot(path=PICTURES / "workplan.png", full_page=True)
    assert watch.complaints == []
    assert watch.requests == []
    with opened(tmp_path / "plan.html", 390, 844, scripted=False) as (shown, _):
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390
        assert all(box["width"] >= 600 for box in (one.bounding_box() for one in shown.locator("svg").all()))
