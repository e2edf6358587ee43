"""What a team is told in words: every unknown is said, every list in its order."""

import datetime as dt

import pandas as pd
import pytest
import shapely

from clearplan.outputs.field.borders import Approach, border_of
from clearplan.outputs.field.briefs import (
    Known,
    access_of,
    facts_of,
    hazards_of,
    hectares,
    method_of,
    metres,
    warnings_of,
)
from clearplan.settings.planning import Method, PlanningSettings, Step
from tests.conftest import E0, N0, accident_table, hazard_table
from tests.sheets_of_paper import task_table, world

SQUARE = shapely.box(E0, N0, E0 + 400, N0 + 300)


def told(section):
    return "\n".join(section.items)


def one_task(**columns):
    return task_table([{"geometry": SQUARE} | columns]).to_dict("records")[0]


def warned(task, tasks=None, **known):
    table = Known(**known)
    border = border_of(task["geometry"], 24)
    return told(warnings_of(task, border, task_table([task]) if tasks is None else tasks, table, table.finds()))


def test_figures_at_the_head_say_what_nobody_knows():
    task = one_task(position_error_m=None, rank=None, district=None, ordnance=None)
    assert facts_of(task, 7) == [
        ("Queue", "clearance"), ("Land class", "confirmed hazardous area"), ("Rank", "none"), ("Area", "12.0 ha"),
        ("Expected contaminated", "unknown"), ("District", "outside every district given"),
        ("Ordnance", "not reported"), ("Position error (95 %)", "unknown"),
    ]  # fmt: skip
    known = one_task(expected_m2=16_860.0, low_m2=5_210.0, high_m2=45_610.0, priority_class="high")
    assert dict(facts_of(known, 7))["Expected contaminated"] == "1.69 ha (0.52 to 4.56)"
    assert dict(facts_of(known, 7))["Rank"] == "1 of 7, high"
    few = one_task(expected_m2=500.0, low_m2=100.0, high_m2=9_000.0)
    assert dict(facts_of(few, 7))["Expected contaminated"] == "500 m² (100 m² to 0.90 ha)"


def test_hazards_are_told_with_source_date_error_and_trust():
    hazards = hazard_table([{"geometry": SQUARE, "position_error_m": 12.3, "reliability": 0.25, "record_number": "7/3",
                             "ordnance_count": 40, "blunder": True, "misclosure_m": 371.2, "misclosure_limit_m": 46.0},
                            {"geometry": SQUARE, "position_error_m": None, "recorded_on": None}])  # fmt: skip
    section = hazards_of(one_task(hazard_ids="H0; H1; H9"), hazards)
    assert section.title == "Hazards and their sources (3)"
    assert section.items == (
        "H0: minefield, ordnance anti-personnel mines, open, 40 reported, recorded 2021-01-01, position error 13 m, "
        "record no. 7/3, reliability 25%. Source: made up",
        "H1: minefield, ordnance anti-personnel mines, open, recorded on an unknown day, position error unknown. "
        "Source: made up",
        "H9: not in the table of hazards",
    )
    assert "no table of hazards was given" in told(hazards_of(one_task(), None))
    words = warned(one_task(), hazards=hazards)
    assert "Record H0 holds a blunder: its legs miss by 372 m, limit 46 m." in words
    assert "Record H0 is trusted by 25% only." in words


def test_ways_in_say_bearings_and_what_is_not_known():
    way = Approach("zone", "Z0", "Place", (0, 0), (0, 1), 1_234.4, 95.0, None, False, True)
    inside = Approach("zone", "Z1", "Mill", (0, 0), (0, 1), 20.0, 10.0, 5.0, True, False)
    section = access_of([way, inside], ["38S A", "38S B"], 6.4, zones=True, lifelines=False, roads=False)
    assert section.items[0] == (
        "Place (zone Z0): 1,234 m to the border, 95° true, 89° compass, at 38S A; its position error unknown"
    )
    assert section.items[1].startswith("Mill (zone Z1): lies in the task, 20 m from its border")
    assert section.items[2] == "Not known: no table of lifelines or roads was given."
    assert "is not known to be without hazard" in section.items[-1]
    assert "compass" not in access_of([way], ["38S A"], None, zones=True, lifelines=True, roads=True).items[0]


def test_accidents_count_where_their_error_lets_them_have_happened_near():
    near = accident_table([(E0 + 200, N0 - 590), (E0 + 200, N0 - 610), (E0 + 9, N0 + 9)], ["2025-03-04", None, None])
    words = warned(one_task(), accidents=near)  # errors of 100 m: 590 - 100 is within 500 m, 610 - 100 is not
    assert "2 accidents may have happened within 500 m: A2 in the task, on an unknown day, AP, error 100 m; A0 590 m off, 2025-03-04" in words  # fmt: skip # noqa: E501
    assert "No accident on record within 500 m; accidents are not all reported." in warned(
        one_task(), accidents=near.iloc[:0]
    )
    assert "Accidents: no table was given; nobody knows." in warned(one_task())


def test_gates_errors_contradictions_and_neighbours_warn():
    tasks = task_table([{"geometry": SQUARE}, {"geometry": shapely.box(E0 + 430, N0, E0 + 500, N0 + 50)},
                        {"geometry": shapely.box(E0 + 900, N0, E0 + 950, N0 + 50)}])  # fmt: skip
    task = tasks.to_dict("records")[0] | {"gates": "dispute (H0): two claim it", "position_error_m": 100.0}
    assert warned(task, tasks).splitlines()[0] == "HELD BACK, no work before it is lifted: dispute (H0): two claim it"
    assert "Position error 100 m" in warned(task, tasks)
    assert "Other hazardous ground within 50 m: T-1." in warned(task, tasks)
    assert "Position error of the border: unknown." in warned(one_task(position_error_m=None))
    assert "Position error" not in warned(one_task(position_error_m=20.0))
    layers = world()
    later = layers.areas.assign(recorded_on=pd.Timestamp("2025-01-01"), status="worked-on")
    accidents = accident_table([(E0 + 400, N0 + 350)], ["2025-03-04"])
    words = warned(
        one_task(hazard_ids="H0; H1"), hazards=later, accidents=accidents, releases=layers.releases.assign(reason="x")
    )
    assert "Contradiction: release R0 touches this ground, and later came accident A0" in words
    assert "Contradiction: its hazards report different ordnance (AP, mixed)." in words
    assert "Work is under way on H0, H1: ask who is there." in words
    assert "Of 3.00 ha in it nobody has reported anything." in warned(one_task(unknown_m2=30_000.0))
    assert "expect any" in warned(one_task(ordnance="AP; unknown"))


def test_the_method_is_that_of_the_plan_of_work_or_of_the_class_or_is_not_known():
    work = pd.DataFrame({
        "task_id": "T-0", "step": [1, 2, 2], "step_name": ["technical survey", "clearance", "clearance"],
        "kind": ["TS", "manual", "manual"], "team_id": ["TS-1", "M", "M"], "days": [0.4, 10.0, 12.0],
        "m2": [120_000.0, 30_000.0, 20_000.0], "starts_on": ["2026-01-01", "2026-04-01", "2026-07-01"],
        "ends_on": [dt.date(2026, 3, 31), dt.date(2026, 6, 30), dt.date(2026, 9, 30)],
    })  # fmt: skip
    teams = pd.DataFrame({"team_id": ["M", "TS-1"], "rate_low": [100, 2_000], "rate_likely": [250, 5_000],
                          "rate_high": [500, 10_000], "rate_source": ["a book", None]})  # fmt: skip
    section = method_of(one_task(finished_part=0.5), Known(work=work, teams=teams))
    assert section.items == (
        "technical survey (TS): team TS-1, 2026-01-01 to 2026-03-31, less than a team-day, 12.0 ha",
        "clearance (manual): team M, 2026-04-01 to 2026-09-30, 22 team-days, 5.00 ha",
        "The plan finishes 50% of it, not all.",
        "Rate of M: 250 (100 to 500) m² a day. Source: a book",
        "Rate of TS-1: 5,000 (2,000 to 10,000) m² a day. Source: not stated",
    )
    steps = (Step(name="clearance", kinds=("manual", "dogs")),)
    planning = PlanningSettings.model_construct(methods=(Method(land_class="CHA", steps=steps),))
    words = told(method_of(one_task(task_id="other"), Known(work=work, planning=planning)))
    assert "Not in the plan of work: no team is sent here. Team and dates: not known." in words
    assert "Method for CHA: clearance (manual or dogs)." in words
    assert "No plan of work was given." in told(method_of(one_task(), Known()))
    assert "Method: not stated" in told(method_of(one_task(), Known()))


@pytest.mark.parametrize(("value", "words"), [(0.0, "0 m"), (99.01, "100 m"), (float("nan"), "unknown")])
def test_an_error_is_never_told_too_small(value, words):
    assert metres(value) == words
    assert hectares(4_999.0) == "4,999 m²"
