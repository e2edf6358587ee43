"""Charts of the plan of work: the same text twice, figures that can be read in them, plans of any size and shape."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import numpy as np
import pandas as pd
import pytest

from clearplan.core.errors import TableError
from clearplan.outputs.charts.plan import _fills, _starts, draw_budgets, draw_chances, draw_gantt, draw_home
from clearplan.outputs.charts.style import save_chart
from tests.plans import plan

HOSTILE = '<script>alert(1)</script>{{7*7}} $x$\n"><img src=x>'
MADE = plan()


def gantt(made=MADE, **options):
    return draw_gantt(made["work"], made["tasks"], made["zones"], use=made["use"], **options)


CHARTS = {
    "gantt": gantt,
    "home": lambda made=MADE: draw_home(made["home"], waiting=20_000),
    "budgets": lambda made=MADE: draw_budgets(made["budgets"], budget=3e7, currency="USD"),
    "chances": lambda made=MADE: draw_chances(made["zones"]),
}


def told(svg):
    """What a chart says to those who can't see it, as text."""
    return next(e.text for e in ET.fromstring(svg) if e.tag.endswith("desc"))


@cache
def drawn(chart):
    """A chart of the made-up plan, drawn once."""
    return CHARTS[chart]()


@pytest.mark.parametrize("chart", CHARTS)
def test_charts_are_the_same_twice_and_hold_nothing_of_the_clock(chart):
    text = drawn(chart)
    assert text == CHARTS[chart]()
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    named = {e.get("id"): e.text for e in root if e.tag.endswith(("title", "desc"))}
    assert list(named) == root.get("aria-labelledby").split() == [f"{chart}-title", f"{chart}-desc"]
    assert all(named.values())
    assert "<metadata" not in text
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_ids_differ_from_chart_to_chart_and_every_reference_is_met():
    texts = [drawn(chart) for chart in CHARTS]
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in texts]
    for k, own in enumerate(ids):
        assert all(own.isdisjoint(other) for other in ids[:k])
        met = {a or b for a, b in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', texts[k])}
        assert met <= own


@pytest.mark.parametrize("chart", CHARTS)
def test_large_plans_are_drawn_and_stay_small(chart):
    made = plan(zones=40, teams=20, periods=40)
    assert len(CHARTS[chart](made)) < 600_000


def test_pictures_are_saved_the_same_twice(tmp_path):
    for name in ("a.png", "b.png"):
        save_chart(draw_gantt, tmp_path / name, MADE["work"], MADE["tasks"], MADE["zones"], use=MADE["use"])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


# --- teams and openings


def small(**columns):
    """Two teams and three periods: by hand."""
    work = pd.DataFrame({
        "task_id": ["A", "A", "B"], "kind": ["TS", "TS", "manual"], "team_id": ["T1", "T1", "M"], "period": [1, 2, 2],
        "starts_on": pd.to_datetime(["2026-01-01", "2026-04-01", "2026-04-01"]),
        "ends_on": pd.to_datetime(["2026-03-31", "2026-06-30", "2026-06-30"]), "days": [30.0, 10.0, 60.0],
    })  # fmt: skip
    use = pd.DataFrame({
        "team_id": ["T1", "T1", "T1", "M", "M", "M"], "kind": ["TS"] * 3 + ["manual"] * 3, "period": [1, 2, 3] * 2,
        "days": [30.0, 10.0, 0.0, 0.0, 60.0, 0.0], "available": [60.0, 60.0, 0.0, 60.0, 60.0, 0.0],
    })  # fmt: skip
    zones = pd.DataFrame({
        "zone_id": ["Z1", "Z2", "Z3"], "name": ["Talish", None, "Badara"], "people": pd.array([10, None, 30], "Int64"),
        "opens_in": pd.array([2, 0, None], "Int64"),
    })  # fmt: skip
    tasks = pd.DataFrame({"task_id": ["A", "B"], "district": ["Tartar", None]})
    return {"work": work.assign(**columns), "tasks": tasks, "zones": zones, "use": use}


def test_teams_and_openings_are_told_in_numbers():
    # 40 of 120 team-days are a third; period 2 ends on 30 June.
    assert told(gantt(small())) == (
        "T1: 40 team-days, 33 % of its capacity, most in Tartar. M: 60 team-days, 50 % of its capacity, most in no "
        "district. Open on 2026-01-01: Z2. Open on 2026-06-30: Talish."
    )
    assert told(gantt()).count("team-days") == MADE["use"]["team_id"].nunique()


def test_lanes_can_be_the_first_ones_and_bars_told_by_another_column():
    made = small()
    assert "T1" not in told(gantt(made, first=1))
    tasks = made["tasks"].assign(land_class=["SHA", "CHA"])
    words = told(draw_gantt(made["work"], tasks, by="land_class"))
    assert words == "T1: 40 team-days, most in SHA. M: 60 team-days, most in CHA."


def test_periods_without_work_have_their_days():
    work = small()["work"]
    assert [f"{day:%Y-%m-%d}" for day in _starts(work.iloc[1:], 3)] == [
        "2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"
    ]  # fmt: skip


def test_no_two_districts_of_a_legend_look_alike_in_grey():
    days = pd.DataFrame({"where": [f"D{k}" for k in range(9)], "days": np.arange(9, 0, -1.0)})
    fills = list(_fills(days, "no district").values())

    def light(colour):  # relative luminance (WCAG 2)
        parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        return float(
            np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        )

    for k, (colour, hatch) in enumerate(fills):
        for other, others_hatch in fills[:k]:
            bright, dark = sorted((light(colour), light(other)), reverse=True)
            assert hatch != others_hatch or (bright + 0.05) / (dark + 0.05) > 1.5, (colour, other)
    more = pd.concat([days, pd.DataFrame({"where": ["D9", "no district"], "days": [0.5, 99.0]})])
    shared = _fills(more, "no district")
    assert shared["D8"] == shared["D9"] != shared["D7"]
    assert list(shared)[-1] == "no district"


@pytest.mark.parametrize("months", [1, 2, 5, 12])
def test_periods_of_any_length_and_number(months):
    made = plan(zones=5, teams=2, periods=3)
    starts = pd.date_range("2026-03-01", periods=4, freq=f"{months}MS")
    work = made["work"].assign(
        starts_on=starts[made["work"]["period"] - 1], ends_on=starts[made["work"]["period"]] - pd.Timedelta(days=1)
    )
    assert gantt(made | {"work": work}).startswith("<svg")


def test_many_openings_at_once_and_names_that_are_code():
    made = plan(zones=70, teams=3, periods=6)
    zones = made["zones"].assign(name=[HOSTILE] * 3 + ["x" * 80] * 67)
    use = made["use"].assign(team_id=made["use"]["team_id"].replace("NTS", HOSTILE))
    tasks = made["tasks"].assign(district=HOSTILE)
    svg = gantt(made | {"zones": zones, "use": use, "tasks": tasks})
    assert "<script" not in svg
    assert "<img" not in svg
    assert draw_chances(zones).startswith("<svg")


def test_plans_with_little_in_them():
    made = small()
    alone = made["work"].iloc[:1]
    assert draw_gantt(alone, made["tasks"]).startswith("<svg")
    assert "M: 60 team-days, most in" in told(gantt(made | {"use": made["use"].iloc[:3]}))  # of a team without capacity
    idle = made["use"].assign(available=0.0)
    assert gantt(made | {"use": idle}).startswith("<svg")  # more days than there are: drawn, and the judge says so
    with pytest.raises(TableError, match="the table is empty"):
        draw_gantt(alone.iloc[:0], made["tasks"])
    with pytest.raises(TableError, match="no column district"):
        draw_gantt(alone, made["tasks"].drop(columns="district"))


# --- people at home


def test_home_tells_all_ends_and_the_range_of_the_best_plan_alone():
    words = told(drawn("home"))
    last = MADE["home"].groupby("strategy").tail(1).set_index("strategy")
    for name, row in last.iterrows():
        assert f"{name}: {row['people']:,.0f} of those who wait home" in words
    best = last.loc["best plan found"]
    assert words.count(" to ") == 1
    assert f"({best['people_low']:,.0f} to {best['people_high']:,.0f}) on 2028-12-31" in words
    assert words.endswith("All people waiting: 20,000.")
    assert "waiting" not in told(draw_home(MADE["home"]))


def test_home_of_one_way_of_nobody_and_of_other_names():
    one = MADE["home"][MADE["home"]["strategy"] == "ranked list"].assign(strategy="another way")
    assert "another way: " in told(draw_home(one))
    assert "another way: " in told(draw_home(one[one["period"] == 0]))
    nobody = MADE["home"].assign(people=0.0, people_low=0.0, people_high=0.0)
    assert "best plan found: 0 of those who wait home on" in told(draw_home(nobody))


# --- budgets and chances


def test_budgets_tell_what_each_million_bought():
    table = pd.DataFrame({
        "budget": [2e6, 4e6, 5e6], "people_home": [100.0, 150.0, 150.0], "person_months": [1000.0, 3000.0, 2990.0],
        "per_million": [500.0, 1000.0, -10.0],
    })  # fmt: skip
    words = told(draw_budgets(table, currency="USD"))
    assert words.startswith(
        "With 2 million USD: 100 of those who wait home, 1,000 person-months, 500 for each million more. "
        "With 4 million USD: 150 of those who wait home, 3,000 person-months, 1,000 for each million more."
    )
    assert "−10 for each million more" in words
    little = table.assign(budget=[0.0, 4e3, 5e3], per_million=[np.nan, 1.0, 2.0])
    assert "With 4 thousand: 150 of those who wait home" in told(draw_budgets(little))
    assert "not known for each million" in told(draw_budgets(little))
    assert draw_budgets(table.iloc[:1]).startswith("<svg")
    nothing = table.iloc[:1].assign(budget=0.0, people_home=0, person_months=0.0, per_million=np.nan)
    assert draw_budgets(nothing).startswith("<svg")  # without a warning of an axis of no length


def test_chances_tell_dates_and_leave_out_what_is_not_in_the_plan():
    zones = pd.DataFrame({
        "zone_id": ["Z1", "Z2", "Z3"], "name": ["Talish", "Badara", "Lost"],
        "opens_on": pd.to_datetime(["2026-06-30", "2026-03-31", None]),
        "p50_on": pd.to_datetime(["2026-09-30", "2026-03-31", None]),
        "p80_on": pd.to_datetime([None, "2026-03-31", None]),
        "probability": [0.204, 0.999, np.nan],
    })  # fmt: skip
    assert told(draw_chances(zones)) == (
        "Badara: 2026-03-31, chance over 99 %, half of the draws by 2026-03-31, four fifths by 2026-03-31. Talish: "
        "2026-06-30, chance 20 %, half of the draws by 2026-09-30, four fifths by no day of the plan."
    )
    assert draw_chances(zones.iloc[:1].assign(probability=np.nan, p50_on=pd.NaT)).startswith("<svg")
    with pytest.raises(TableError, match="no place opens in the plan"):
        draw_chances(zones.iloc[2:])
