"""The judge: a small plan worked out with a pencil, each limit broken by one change of it, laws on random plans."""

import copy
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearplan.core.errors import SettingsError, TableError
from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import judge_work
from clearplan.settings.planning import Method, PlanningSettings, Step
from tests import worlds
from tests.worlds import QUARTERS, outcome

# Four quarters of 2026; people count until the end of 2027. Months that count after period 0, 1, 2, 3, 4:
#   24, 21, 18, 15, 12.
ENDS = {1: "2026-03-31", 2: "2026-06-30", 3: "2026-09-30", 4: "2026-12-31"}
STARTS = {1: "2026-01-01", 2: "2026-04-01", 3: "2026-07-01", 4: "2026-10-01"}
UNKNOWN = (10.0, 40.0, 90.0)

SURVEY = Step(name="survey", kinds=("NTS",))
CLEARANCE = Step(name="clearance", kinds=("manual", "dogs"))
REST = Step(name="clearance", kinds=("manual", "dogs"), ground="to-clear")
PREPARE = Step(name="preparation", kinds=("mechanical",))


def plan(**changes) -> PlanningSettings:
    methods = (
        Method(land_class="SHA", steps=(SURVEY, REST)),
        Method(land_class="CHA", ordnance=("AV", "UXO"), steps=(PREPARE, CLEARANCE)),
        Method(land_class="CHA", steps=(CLEARANCE,)),
    )
    worth = {"score_weight": 0.2, "risk_weight": 3, "optional_share": 0.1, "late_penalty": 0.5}
    outcomes = {"SHA": outcome(0.5, 0.25, 0.25)}
    return PlanningSettings(**QUARTERS | {"methods": methods, "outcomes": outcomes} | worth | changes)


def teams(**changes) -> pd.DataFrame:
    # A quarter has 3 x 20 days. N: 60 team-days; M: two teams, 120; D rests in winter: 0, 60, 60, 60.
    table = worlds.teams(
        ("N", "NTS", 500.0, 1000.0, 2000.0), ("M", "manual", 50.0, 100.0, 200.0), ("D", "dogs", 100.0, 200.0, 400.0),
        number=[1, 2, 1], cost_per_day=[100.0, 50.0, 80.0], season=[None, None, "4-12"],
        districts=[None, "West; North", None],
    )  # fmt: skip
    return changed(table, **changes)


def tasks() -> pd.DataFrame:
    # a: survey of 40,000 m2, then clearance of a quarter, 10,000 m2. The others are cleared whole. A gate holds d.
    return pd.DataFrame(
        [
            ("a", "SHA", "West", 40_000.0, "H1; H2", "AP", 50.0, 2_000.0, None),
            ("b", "CHA", "West", 6_000.0, "H3", "AP", 100.0, np.nan, None),
            ("c", "CHA", "East", 3_000.0, "H1", "AP; AV", 20.0, 1_000.0, None),
            ("d", "CHA", None, 1_000.0, "H4", None, 80.0, 500.0, "security: nobody may go there"),
        ],
        columns=["task_id", "land_class", "district", "area_m2", "hazard_ids", "ordnance", "score", "expected_m2",
                 "gates"],
    )  # fmt: skip


def zones() -> pd.DataFrame:
    rows = [
        ("Y", 100.0, "2026-06-30"), ("Z", 200.0, "2026-03-31"), ("O", 50.0, None), ("G", 10.0, "2026-12-31"),
        ("U", None, "2026-09-15"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["zone_id", "people", "planned_return"])
    return table.assign(planned_return=pd.to_datetime(table["planned_return"]), deferred=None)


def blockers(rows=None) -> pd.DataFrame:
    return worlds.blockers(rows or [
        ("Y", "b", "home", "yes"), ("Z", "a", "home", "yes"), ("Z", "c", "road", "yes"), ("Z", "a", "road", "yes"),
        ("G", "d", "home", "yes"), ("U", "c", "home", "yes"),
        ("Y", "c", "school", "no"), ("O", "a", "well", "no"), ("O", "b", "well", "no"), ("Z", "d", "school", "no"),
    ])  # fmt: skip


NAMES = {("a", 1): "survey", ("a", 2): "clearance", ("b", 1): "clearance", ("c", 1): "clearance"}
KINDS = {"N": "NTS", "M": "manual", "D": "dogs"}
ROWS = [  # task, step, team, period, days, m2, cost
    ("a", 1, "N", 1, 40.0, 40_000.0, 4_000.0),
    ("b", 1, "M", 1, 60.0, 6_000.0, 3_000.0),
    ("a", 2, "M", 2, 50.0, 5_000.0, 2_500.0),
    ("a", 2, "D", 3, 25.0, 5_000.0, 2_000.0),
    ("c", 1, "D", 2, 15.0, 3_000.0, 1_200.0),
]


def work(rows=ROWS, names=NAMES, **changes) -> pd.DataFrame:
    """WORK of the rows; ``W2={"days": 61.0}`` changes its second row."""
    table = pd.DataFrame(rows, columns=["task_id", "step", "team_id", "period", "days", "m2", "cost"])
    table.insert(0, "work_id", [f"W{k + 1}" for k in range(len(table))])
    table["step_name"] = [names.get(key) for key in zip(table["task_id"], table["step"], strict=True)]
    table["kind"] = table["team_id"].map(KINDS)
    table["starts_on"] = pd.to_datetime(table["period"].map(STARTS))
    table["ends_on"] = pd.to_datetime(table["period"].map(ENDS))
    return changed(table, **changes)


def changed(table: pd.DataFrame, **changes) -> pd.DataFrame:
    """A table with other values in rows that are named by their first column."""
    if changes:
        table = table.astype(object)
    for name, values in changes.items():
        row = table.index[table.iloc[:, 0] == name][0]
        for column, value in values.items():
            table.loc[row, column] = value
    return table


def moved(period):
    return {"period": period, "starts_on": pd.Timestamp(STARTS[period]), "ends_on": pd.Timestamp(ENDS[period])}


def case(**tables) -> PlanningCase:
    plain = {"tasks": tasks, "zones": zones, "teams": teams, "blockers": blockers, "settings": plan}
    made = {name: make() for name, make in plain.items() if name not in tables}
    return PlanningCase(**{"unknown_people": UNKNOWN} | made | tables)


def judged(schedule=None, **tables):
    return judge_work(work() if schedule is None else schedule, case(**tables))


def told(found):
    return [(row.limit, row.where, row.by, row.unit) for row in found.breaches.itertuples()]


# Worth, by hand.


def test_a_plan_that_keeps_every_limit():
    found = judged(settings=plan(budget=12_700, budget_a_period=7_000))
    assert found.breaches.empty
    assert found.breaches.columns.tolist() == ["limit", "where", "by", "unit", "words"]


def test_tasks_by_hand():
    # a: surveyed in 1, half cleared in 2, the rest in 3. b in 1, c in 2, d never.
    table = judged().tasks
    assert table["task_id"].tolist() == ["a", "b", "c", "d"]
    assert table["finished_part"].tolist() == [1, 1, 1, 0]
    assert table["finished_in"].tolist() == [3, 1, 2, pd.NA]
    assert table["finish_on"].dt.strftime("%F").tolist()[:3] == [ENDS[3], ENDS[1], ENDS[2]]
    assert table["start_on"].dt.strftime("%F").tolist()[:3] == [STARTS[1], STARTS[1], STARTS[2]]
    assert table.loc[3, ["finish_on", "start_on", "teams"]].isna().all()
    assert table["teams"].tolist()[:3] == ["N; M; D", "M", "D"]
    assert str(table["finished_in"].dtype) == "Int64"
    half = judged(work(ROWS[:3])).tasks
    assert half["finished_part"].tolist() == [0.5, 1, 0, 0]
    assert half["finished_in"].isna().tolist() == [True, False, True, True]


def test_zones_by_hand():
    # Y waits for b: 1. Z for a and c: 3, and a sets the date. O for nothing: 0. G for d: never. U for c: 2.
    # Person-months: 100 x 21, 200 x 15, 50 x 24, 0, and 10, 40, 90 x 18.
    table = judged().zones
    assert table["zone_id"].tolist() == ["Y", "Z", "O", "G", "U"]
    assert table["opens_in"].tolist() == [1, 3, 0, pd.NA, 2]
    assert str(table["opens_in"].dtype) == "Int64"
    days = [ENDS[1], ENDS[3], "2026-01-01", ENDS[2]]
    assert table["opens_on"].dropna().dt.strftime("%F").tolist() == days
    assert table.loc[3, ["opens_on", "last_tasks"]].isna().all()
    assert table["person_months"].tolist() == [2100, 3000, 1200, 0, 720]
    assert table["person_months_low"].tolist() == [2100, 3000, 1200, 0, 180]
    assert table["person_months_high"].tolist() == [2100, 3000, 1200, 0, 1620]
    assert table["people_low"].tolist() == [100, 200, 50, 10, 10]
    assert table["people"].tolist() == [100, 200, 50, 10, 40]
    assert table["people_high"].tolist() == [100, 200, 50, 10, 90]
    assert table["last_tasks"].fillna("-").tolist() == ["b", "a", "-", "-", "c"]


def test_a_task_is_finished_at_all_but_a_millionth():
    # b: 6,000 m2. 5,999.997 are all but half a millionth, 5,999.9 all but 17 millionths.
    assert judged(work(W2={"days": 59.99997, "m2": 5_999.997, "cost": 2_999.9985})).tasks.loc[1, "finished_in"] == 1
    assert judged(work(W2={"days": 59.999, "m2": 5_999.9, "cost": 2_999.95})).tasks["finished_in"].isna()[1]


def test_zones_that_wait_for_several_tasks_of_one_period_name_them_all():
    found = judged(blockers=blockers([("Z", "c", "home", "yes"), ("Z", "b", "home", "yes"), ("Z", "b", "road", "yes")]))
    assert found.zones.loc[1, ["opens_in", "last_tasks"]].tolist() == [2, "c"]
    both = judged(work(W5=moved(3)), blockers=blockers([("Z", "c", "home", "yes"), ("Z", "a", "home", "yes")]))
    assert both.zones.loc[1, ["opens_in", "last_tasks"]].tolist() == [3, "a; c"]


def test_home_by_hand():
    # O at the start, Y after 1, U after 2, Z after 3.
    table = judged().home
    assert table["period"].tolist() == [0, 1, 2, 3, 4]
    assert table["on"].dt.strftime("%F").tolist() == ["2026-01-01", ENDS[1], ENDS[2], ENDS[3], ENDS[4]]
    assert table["people"].tolist() == [50, 150, 190, 390, 390]
    assert table["people_low"].tolist() == [50, 150, 160, 360, 360]
    assert table["people_high"].tolist() == [50, 150, 240, 440, 440]
    assert table["zones"].tolist() == [1, 2, 3, 4, 4]


def test_use_by_hand():
    table = judged().use
    assert table["team_id"].tolist() == ["N"] * 4 + ["M"] * 4 + ["D"] * 4
    assert table["kind"].tolist() == ["NTS"] * 4 + ["manual"] * 4 + ["dogs"] * 4
    assert table["period"].tolist() == [1, 2, 3, 4] * 3
    assert table["days"].tolist() == [40, 0, 0, 0, 60, 50, 0, 0, 0, 15, 25, 0]
    assert table["available"].tolist() == pytest.approx([60] * 4 + [120] * 4 + [0, 60, 60, 60])
    assert table["cost"].tolist() == [4000, 0, 0, 0, 3000, 2500, 0, 0, 0, 1200, 2000, 0]


def test_totals_by_hand():
    found = judged().totals
    assert found["person_months"] == 2100 + 3000 + 1200 + 720
    assert found["person_months_low"] == 2100 + 3000 + 1200 + 180
    assert found["person_months_high"] == 2100 + 3000 + 1200 + 1620
    assert (found["people_home"], found["zones_open"]) == (390, 4)
    assert found["m2_finished"] == 40_000 + 6_000 + 3_000
    assert found["m2_worked"] == 40_000 + 6_000 + 5_000 + 5_000 + 3_000
    assert (found["days"], found["cost"]) == (190, 12_700)
    # Optional: Y is open after 1, its school free after 2: 100 x 18. O's well after 3: 50 x 15. Z's school never.
    assert found["optional_value"] == pytest.approx(0.1 * (1800 + 750))
    # Score: a half after 2, half after 3: 16.5 months; b 21; c 18. Weight 0.2.
    assert found["score_value"] == pytest.approx(0.2 * (0.5 * 16.5 + 1.0 * 21 + 0.2 * 18))
    # Contaminated: a 0.2 ha, c 0.1 ha; of b nobody knows. Weight 3.
    assert found["risk_value"] == pytest.approx(3 * (0.2 * 16.5 + 0.1 * 18))
    assert found["kept_days"] == 0
    # Months after the planned return: Y has 21 months, of them 18 after 30 June. Z is late with all its 15.
    # U has 18, of them 15.5 after 15 September (half of September, 3 months of 2026, 12 of 2027). O has no day.
    late = 0.5 * (100 * 18 + 200 * 15 + 40 * 15.5)
    assert late == 2710
    assert found["objective"] == pytest.approx(7020 + 2710 + 255 + 6.57 + 15.3)
    assert list(found) == [
        "person_months", "person_months_low", "person_months_high", "people_home", "zones_open", "people_near_hazard",
        "people_near_released", "m2_finished", "m2_worked", "days", "cost", "optional_value", "score_value",
        "home_risk_value", "risk_value", "kept_days", "objective",
    ]  # fmt: skip
    assert all(type(value) is float for value in found.values())


def test_risk_near_people_already_home_by_hand():
    """A benefit of its own: it adds to the objective alone, and its people to no figure of those who come home."""
    home = zones().assign(already_home=[60.0, np.nan, 30.0, np.nan, 0.0])
    near = pd.DataFrame([("Y", "a", 0.25), ("Y", "b", 0.75), ("O", "c", 0.6), ("O", "d", 0.4)],
                        columns=["zone_id", "task_id", "part"])  # fmt: skip
    plain, found = judged(), judged(zones=home, near_homes=near, settings=plan(home_risk_weight=0.1))
    # Y: a is released for 16.5 months, b for 21; O: c for 18, d, behind its gate, never.
    assert found.totals["home_risk_value"] == pytest.approx(0.1 * (60 * (0.25 * 16.5 + 0.75 * 21) + 30 * 0.6 * 18))
    assert found.totals["objective"] == pytest.approx(plain.totals["objective"] + 151.65)
    # Of Y all is released at the end, of O 0.6; of the others nobody knows that anybody is near.
    assert found.zones["near_released"].fillna(-1).tolist() == pytest.approx([1, -1, 0.6, -1, -1])
    assert (found.totals["people_near_hazard"], found.totals["people_near_released"]) == (90, 60)
    for name in ("person_months", "person_months_low", "person_months_high", "people_home", "zones_open"):
        assert found.totals[name] == plain.totals[name]
    assert plain.totals["people_near_hazard"] == plain.totals["home_risk_value"] == 0


def test_a_return_planned_before_the_start_or_after_all_that_counts():
    for day, months in (("2020-01-01", 21), ("2028-06-01", 0), ("2027-12-31", 0), ("2027-11-30", 1)):
        lie = zones().assign(planned_return=pd.to_datetime([day, None, None, None, None]))
        found = judged(zones=lie).totals
        # Only Y has a day: 100 people, 21 months.
        assert found["objective"] == pytest.approx(7020 + 0.5 * 100 * months + 255 + 6.57 + 15.3), day


def test_days_that_stay_in_their_district():
    # Team and district in the same quarter, now and then: M West 60 and 45; M West 50 and 30 + 30; D East 15 and 20;
    # N West 40 and 10: 45 + 50 + 15 + 10 = 120. D had no days in West, then, and M's days in 2025 are over.
    rows = [
        ("b", 1, "M", 1, 45.0, 4_500.0, 2_250.0), ("a", 2, "M", 2, 30.0, 3_000.0, 1_500.0),
        ("b", 1, "M", 2, 30.0, 3_000.0, 1_500.0), ("c", 1, "D", 2, 20.0, 4_000.0, 1_600.0),
        ("a", 2, "D", 2, 10.0, 2_000.0, 800.0), ("a", 1, "N", 1, 10.0, 10_000.0, 1_000.0),
        ("gone", 1, "N", 1, 10.0, 10_000.0, 1_000.0), ("d", 1, "D", 2, 9.0, 1_800.0, 720.0),
        ("b", 1, "M", 1, 7.0, 700.0, 350.0), ("b", 1, "X", 1, 7.0, 700.0, 350.0),
    ]  # fmt: skip
    then = work(rows, W9={"starts_on": pd.Timestamp("2025-10-01")}).assign(period=99)
    found = judged(settings=plan(stability=2, previous="work.csv"), previous=then)
    assert found.totals["kept_days"] == 120
    assert found.totals["objective"] == pytest.approx(10_006.87 + 240)
    assert judged(previous=then.iloc[:0]).totals["kept_days"] == 0
    same = judged(previous=work()).totals
    assert same["kept_days"] == 190
    assert same["objective"] == pytest.approx(10_006.87)


def test_ground_outside_every_district_keeps_no_team():
    nowhere = tasks().assign(district=None)
    found = judged(tasks=nowhere, teams=teams(M={"districts": None}), previous=work())
    assert found.breaches.empty
    assert found.totals["kept_days"] == 0


def test_without_score_surface_gates_and_ordnance():
    bare = tasks().drop(columns=["score", "expected_m2", "gates", "ordnance"])
    found = judged(tasks=bare).totals
    assert (found["score_value"], found["risk_value"]) == (0, 0)
    more = work([*ROWS, ("d", 1, "D", 3, 5.0, 1_000.0, 400.0)], NAMES | {("d", 1): "clearance"})
    assert judged(more, tasks=bare).breaches.empty
    assert judged(more, tasks=bare).zones["opens_in"].tolist() == [1, 3, 0, 3, 2]


def test_an_empty_plan():
    found = judged(work([]))
    assert found.breaches.empty
    assert found.zones["opens_in"].tolist() == [pd.NA, pd.NA, 0, pd.NA, pd.NA]
    assert found.totals["person_months"] == 1200
    assert found.totals["cost"] == found.totals["m2_finished"] == found.totals["optional_value"] == 0


def test_nothing_to_do_at_all():
    found = judged(work([]), tasks=tasks().iloc[:0], blockers=blockers().iloc[:0])
    assert found.breaches.empty
    assert found.zones["opens_in"].tolist() == [0] * 5
    assert found.totals["person_months"] == (100 + 200 + 50 + 10 + 40) * 24
    other = judged(tasks=tasks().iloc[:0], blockers=blockers().iloc[:0])
    assert [row[:2] for row in told(other)] == [("table", f"W{k}") for k in range(1, 6)]


def test_zones_without_a_place_never_open():
    lost = judged(without_place={"O": "depends on lifeline L1, which has no place on the map"})
    assert lost.zones["opens_in"].tolist() == [1, 3, pd.NA, pd.NA, 2]
    # 1200 person-months less, and its well adds nothing: 0.1 x 750.
    assert lost.totals["person_months"] == 5820
    assert lost.totals["optional_value"] == pytest.approx(180)
    deferred = judged(zones=changed(zones(), O={"deferred": "no coordinates"}))
    assert deferred.totals == lost.totals


# Limits: each broken by one change.


def test_capacity_when_a_team_comes_late():
    # N from 15 February: half of February and March, 1.5 x 20 days.
    found = judged(teams=teams(N={"available_from": pd.Timestamp("2026-02-15")}))
    assert told(found) == [("capacity", "N, period 1", pytest.approx(10), "team-days")]
    assert found.breaches["words"].map(str)[0] == (
        "Team N works 40.0 team-days in period 1 (2026-01-01 to 2026-03-31); 30.0 are available: 10.0 too many"
    )


def test_capacity_out_of_season_and_of_a_deferred_team():
    assert judged(teams=teams(D={"season": "5-12"})).breaches.empty
    assert told(judged(teams=teams(D={"season": "7-12"}))) == [("capacity", "D, period 2", 15, "team-days")]
    gone = teams(D={"deferred": "rates are not in order", "number": None, "rate_likely": None, "cost_per_day": None})
    found = judged(teams=gone)
    assert told(found) == [("capacity", "D, period 2", 15, "team-days"), ("capacity", "D, period 3", 25, "team-days")]
    assert found.totals["cost"] == 12_700
    still = judged(teams=teams(D={"deferred": "recorded after the day", "season": "April"}))
    assert told(still) == told(found)
    assert still.use["available"].tolist()[8:] == [0] * 4


def test_capacity_within_the_tolerance_of_a_solver():
    rows = [("a", 1, "N", 1, 60.00004, 60_000.04, 6_000.004)]
    big = changed(tasks(), a={"area_m2": 70_000.0})
    assert judged(work(rows), tasks=big).breaches.empty
    rows = [("a", 1, "N", 1, 60.01, 60_010.0, 6_001.0)]
    found = judged(work(rows), tasks=big)
    assert told(found) == [("capacity", "N, period 1", pytest.approx(0.01), "team-days")]
    assert found.breaches["words"].map(str)[0].endswith("60.0 are available: 0.01 too many")


def test_least_deployment():
    # D works c in 15 days. Booked for 20 at least, it lacks 5; booked for 20, with 5 idle ones, it lacks nothing.
    found = judged(settings=plan(min_team_days=20))
    assert told(found) == [("least deployment", "c, D, period 2", 5, "team-days")]
    assert found.breaches["words"].map(str)[0] == (
        "Team D is on task c for 15.0 team-days in period 2 (2026-04-01 to 2026-06-30); it is booked for at least 20.0"
    )
    idle = work(W5={"days": 20.0, "cost": 1_600.0})
    assert judged(idle, settings=plan(min_team_days=20)).breaches.empty
    assert judged(idle, settings=plan(min_team_days=20)).totals["days"] == 195
    assert told(judged(idle)) == [("table", "W5", 1_000, "m2")]
    assert told(judged(idle, settings=plan(min_team_days=19))) == [("table", "W5", 1, "team-days")]


def test_days_to_set_up_and_to_close_out():
    # Clearance books 3 days when a team comes and 2 when it leaves. M clears b and the first half of a, D the second
    # half and c: each is one stay, 5 days more.
    steps = {"set_up_days": 3, "close_out_days": 2}
    methods = tuple(
        Method(
            land_class=one.land_class,
            ordnance=one.ordnance,
            steps=tuple(step.model_copy(update=steps if step.name == "clearance" else {}) for step in one.steps),
        )
        for one in plan().methods
    )
    longer = {
        f"W{k}": {"days": ROWS[k - 1][4] + 5, "cost": ROWS[k - 1][6] * (1 + 5 / ROWS[k - 1][4])} for k in (2, 3, 4, 5)
    }
    assert judged(work(**longer), settings=plan(methods=methods)).breaches.empty
    found = judged(settings=plan(methods=methods))
    assert told(found) == [("table", f"W{k}", 5, "team-days") for k in (2, 3, 4, 5)]
    assert found.breaches["words"].map(str)[0] == (
        "Schedule, W2: 6,000.0 m2 of M at 100.0 m2 a day and 5.0 team-days to set up and close out, at least 0.0 in "
        "all, are 65.0 team-days; 60.0 are written"
    )
    # M stays on a from period 2 to 3: it sets up in one and closes out in the other.
    stays = [("a", 2, "M", 2, 33.0, 3_000.0, 1_650.0), ("a", 2, "M", 3, 72.0, 7_000.0, 3_600.0)]
    rows = [*ROWS[:2], *stays, ROWS[4]]
    changes = {"W2": longer["W2"], "W5": longer["W5"]}
    assert judged(work(rows, **changes), settings=plan(methods=methods)).breaches.empty


def test_teams_on_site():
    # M is two teams of 60 days a quarter: 61 days on b are two of them.
    assert judged(settings=plan(teams_on_site=1)).breaches.empty
    more = changed(tasks(), b={"area_m2": 6_100.0})
    found = judged(work(W2={"days": 61.0, "m2": 6_100.0, "cost": 3_050.0}), tasks=more, settings=plan(teams_on_site=1))
    assert told(found) == [("teams on site", "b, period 1", 1, "teams")]
    assert found.breaches["words"].map(str)[0] == (
        "2 teams are on task b in period 1 (2026-01-01 to 2026-03-31); there may be 1"
    )
    # Both kinds at once: M and D clear a in one quarter.
    both = judged(work(W4={**moved(2)}), settings=plan(teams_on_site=1))
    assert told(both) == [("teams on site", "a, period 2", 1, "teams")]
    assert judged(work(W4={**moved(2)}), settings=plan(teams_on_site=2)).breaches.empty


def test_medical_standby_is_part_of_the_cost_of_a_day():
    # 60 a day for two teams: 30 more for each day of M (110) and D (40), none of N: 12,700 + 150 x 30.
    standby = {"cost_a_day": 60, "teams_covered": 2, "kinds": ["manual", "dogs"], "source": "test"}
    found = judged(settings=plan(medical_standby=standby))
    assert found.totals["cost"] == 12_700 + 150 * 30
    assert [row[:2] for row in told(found)] == [("table", f"W{k}") for k in (2, 3, 4, 5)]
    assert "60.0 team-days of M cost 4,800.00 USD; 3,000.00 are written" in found.breaches["words"].map(str)[0]
    costs = {f"W{k}": {"cost": ROWS[k - 1][6] + 30 * ROWS[k - 1][4]} for k in (2, 3, 4, 5)}
    assert judged(work(**costs), settings=plan(medical_standby=standby)).breaches.empty


def test_district():
    # c lies in East, where M may not work: 30 days of M in the place of 15 of D.
    change = {"team_id": "M", "kind": "manual", "days": 30.0, "cost": 1_500.0}
    found = judged(work(W5=change))
    assert told(found) == [("district", "c, M", 30, "team-days")]
    assert found.breaches["words"].map(str)[0] == (
        "Team M works 30.0 team-days on task c, which lies in East; it may only work in West, North"
    )
    nowhere = judged(work(W5=change), tasks=changed(tasks(), c={"district": None}))
    assert "which lies in no district" in nowhere.breaches["words"].map(str)[0]
    assert judged(work(W5=change), teams=teams(M={"districts": None})).breaches.empty


def test_kind():
    # N clears b: 6 days at 1,000 m2.
    found = judged(work(W2={"team_id": "N", "kind": "NTS", "days": 6.0, "cost": 600.0}))
    assert told(found) == [("kind", "b, step 1, N", 6, "team-days")]
    assert found.breaches["words"].map(str)[0] == (
        "Team N (NTS) works 6.0 team-days on step 1 (clearance) of task b, which only manual, dogs may do"
    )


def test_gate():
    found = judged(tasks=changed(tasks(), c={"gates": "dispute: two villages claim it"}))
    assert told(found) == [("gate", "c", 15, "team-days")]
    assert found.breaches["words"].map(str)[0].endswith("although a gate holds it back: dispute: two villages claim it")


def test_precedence():
    # Half of the clearance in the quarter of the survey; a quarter before, nothing was surveyed.
    found = judged(work(W3=moved(1)))
    assert told(found) == [("precedence", "a, step 2", 0.5, "1")]
    assert found.breaches["words"].map(str)[0] == (
        "Task a: at the end of period 1 (2026-01-01 to 2026-03-31) step 2 (clearance) is done on 50.0 % of its ground, "
        "step 1 (survey) 1 period before on 0.0 %: 50.0 percentage points ahead"
    )
    assert judged(work(W3=moved(1)), settings=plan(wait_periods=0)).breaches.empty
    assert judged(settings=plan(wait_periods=0)).breaches.empty
    # Two quarters of waiting: half is cleared after 2, nothing was surveyed after 0. Twelve: all is, after 3.
    assert told(judged(settings=plan(wait_periods=2))) == [("precedence", "a, step 2", 0.5, "1")]
    assert told(judged(settings=plan(wait_periods=12))) == [("precedence", "a, step 2", 1.0, "1")]


def test_precedence_is_by_part_of_the_ground():
    # Surveyed after 1: a half; cleared after 2: a half, after 3: all. This may be; a quarter surveyed is too little.
    halves = [("a", 1, "N", 1, 20.0, 20_000.0, 2_000.0), ("a", 1, "N", 2, 20.0, 20_000.0, 2_000.0), *ROWS[2:4]]
    assert judged(work(halves)).breaches.empty
    quarter = [("a", 1, "N", 1, 10.0, 10_000.0, 1_000.0), ("a", 1, "N", 2, 30.0, 30_000.0, 3_000.0), *ROWS[2:4]]
    assert told(judged(work(quarter))) == [("precedence", "a, step 2", 0.25, "1")]


def test_what_is_cleared_without_survey_is_not_finished():
    found = judged(work(ROWS[1:]))
    assert told(found) == [("precedence", "a, step 2", 1.0, "1")]
    assert "at the end of period 3" in found.breaches["words"].map(str)[0]
    assert found.tasks.loc[0, "finished_part"] == 1
    assert found.tasks["finished_in"].tolist() == [pd.NA, 1, 2, pd.NA]
    assert found.zones["opens_in"].tolist() == [1, pd.NA, 0, pd.NA, 2]


def test_ground():
    found = judged(work(W2={"days": 61.0, "m2": 6_100.0, "cost": 3_050.0}))
    assert told(found) == [("ground", "b, step 1", 100, "m2")]
    assert found.breaches["words"].map(str)[0] == (
        "Step 1 (clearance) of task b has 6,000.0 m2; 6,100.0 are worked: 100.0 too much"
    )
    # Clearance has a quarter of a's ground, so that 50 days more in period 4 are 5,000 m2 too much.
    found = judged(work([*ROWS, ("a", 2, "M", 4, 50.0, 5_000.0, 2_500.0)]))
    assert told(found) == [("ground", "a, step 2", 5_000, "m2")]
    assert found.tasks.loc[0, "finished_part"] == 1
    assert found.totals["score_value"] == pytest.approx(6.57)


def test_budget():
    found = judged(settings=plan(budget=12_600))
    assert told(found) == [("budget", "plan", pytest.approx(100), "USD")]
    assert (
        found.breaches["words"].map(str)[0] == "The plan costs 12,700.00 USD; the budget is 12,600.00: 100.00 too much"
    )
    assert judged(settings=plan(budget=12_699.99)).breaches.empty  # a millionth of it is allowed
    assert told(judged(settings=plan(budget=0)))[0][2] == 12_700


def test_budget_of_a_period():
    # Spent: 7,000, 3,700, 2,000, 0.
    found = judged(settings=plan(budget_a_period=3_600))
    assert told(found) == [
        ("budget of a period", "period 1", pytest.approx(3_400), "USD"),
        ("budget of a period", "period 2", pytest.approx(100), "USD"),
    ]
    assert (
        found.breaches["words"].map(str)[1].startswith("Work in period 2 (2026-04-01 to 2026-06-30) costs 3,700.00 USD")
    )


def test_budgets_count_days_not_what_the_rows_say():
    found = judged(work(W1={"cost": 0.0}), settings=plan(budget=12_600))
    assert [row[0] for row in told(found)] == ["budget", "table"]
    assert found.totals["cost"] == 12_700


def test_deadline():
    # Y is open after 1 and due on 30 June, after 2. Z is open after 3 and due on 31 March, after 1.
    assert judged(settings=plan(hard_deadlines=("Y",))).breaches.empty
    found = judged(settings=plan(hard_deadlines=("Z", "G")))
    assert told(found)[0] == ("deadline", "Z", 2, "periods")
    assert found.breaches["words"].map(str)[0] == (
        "Zone Z has to open by 2026-03-31, so by the end of period 1; it opens on 2026-09-30: 2 periods too late"
    )
    # G never opens: nobody knows how late that is.
    assert told(found)[1][:2] == ("deadline", "G")
    assert np.isnan(found.breaches["by"][1])
    assert found.breaches["words"].map(str)[1] == (
        "Zone G has to open by 2026-12-31, so by the end of period 4; it opens in no period of the plan"
    )


@pytest.mark.parametrize(("day", "late"), [("2026-09-30", 0), ("2026-09-29", 1), ("2026-03-30", 3), ("2027-05-01", 0)])
def test_deadline_to_the_day(day, late):
    lie = changed(zones(), Z={"planned_return": pd.Timestamp(day)})
    found = judged(zones=lie, settings=plan(hard_deadlines=("Z",)))
    assert told(found) == ([("deadline", "Z", late, "periods")] if late else [])


def promised(*rows):
    columns = ["commitment_id", "task_id", "hazard_id", "team_id", "until", "deferred"]
    return pd.DataFrame(rows, columns=columns).assign(reason="said so", until=lambda t: pd.to_datetime(t["until"]))


def test_commitment_of_a_task():
    assert judged(commitments=promised(("C1", "a", None, None, "2026-09-30", None))).breaches.empty
    found = judged(commitments=promised(("C1", "a", None, None, "2026-07-15", None)))
    assert told(found) == [("commitment", "C1, a", 1, "periods")]
    assert found.breaches["words"].map(str)[0] == (
        "By commitment C1 task a is promised until 2026-07-15, so by the end of period 2; it is finished at the end of "
        "period 3 (2026-07-01 to 2026-09-30): 1 period too late"
    )
    found = judged(commitments=promised(("C1", "d", None, None, "2026-12-31", None)))
    assert np.isnan(found.breaches["by"][0])
    assert found.breaches["words"].map(str)[0].endswith("it is finished in no period of the plan")
    assert judged(commitments=promised(("C1", "d", None, None, "2026-12-31", "no until"))).breaches.empty


def test_commitment_of_a_hazard():
    # H1 reaches into a (after 3) and c (after 2), H2 into a alone; nothing is left of H9.
    late = promised(("C1", None, "H1", None, "2026-03-31", None), ("C2", None, "H9", None, "2026-03-31", None))
    found = judged(commitments=late)
    assert told(found) == [("commitment", "C1, a", 2, "periods"), ("commitment", "C1, c", 1, "periods")]
    assert judged(commitments=promised(("C1", None, "H2", None, "2026-09-30", None))).breaches.empty


def test_commitment_of_a_team():
    assert judged(commitments=promised(("C1", "b", None, "M", "2026-09-30", None))).breaches.empty
    found = judged(commitments=promised(("C1", "a", None, "M", "2026-09-30", None)))
    assert told(found) == [("commitment", "C1, a, N", 40, "team-days"), ("commitment", "C1, a, D", 25, "team-days")]
    assert found.breaches["words"].map(str)[1] == (
        "By commitment C1 task a is promised to team M; team D works 25.0 team-days on it"
    )


@pytest.mark.parametrize(
    ("change", "by", "words"),
    [
        ({"work_id": "W1"}, None, "work_id is blank or stands twice"),
        ({"task_id": "z"}, None, "there is no task z"),
        ({"team_id": "X"}, None, "there is no team X"),
        ({"step": 2}, None, "task b has 1 step, there is no step 2"),
        ({"step": 0}, None, "task b has 1 step, there is no step 0"),
        ({"step": None}, None, "there is no step None"),
        ({"period": 5}, None, "the plan has 4 periods, there is no 5"),
        ({"period": 1.5}, None, "there is no 1.5"),
        ({"days": -60.0}, None, "days -60.0 are no amount of 0 or more"),
        ({"m2": float("nan")}, None, "m2 nan are no amount of 0 or more"),
        ({"m2": float("inf")}, None, "m2 inf are no amount of 0 or more"),
        ({"m2": 5_900.0}, 100, "60.0 team-days of M at 100.0 m2 a day are 6,000.0 m2; 5,900.0 are written"),
        ({"days": 59.0}, 100, "59.0 team-days of M at 100.0 m2 a day are 5,900.0 m2; 6,000.0 are written"),
        ({"cost": 2_999.0}, 1, "60.0 team-days of M cost 3,000.00 USD; 2,999.00 are written"),
        ({"cost": None}, None, "cost 3,000.00 USD; nan are written"),
        ({"starts_on": pd.Timestamp("2026-01-02")}, None, "starts_on of period 1 is 2026-01-01; 2026-01-02 is"),
        ({"ends_on": pd.NaT}, None, "ends_on of period 1 is 2026-03-31; NaT is written"),
        ({"kind": "dogs"}, None, "team M is of kind manual; dogs is written"),
        ({"step_name": "survey"}, None, "step 1 of task b is clearance; survey is written"),
    ],
)
def test_rows_that_are_wrong_in_themselves(change, by, words):
    found = judged(work(W2=change))
    first = found.breaches[found.breaches["limit"] == "table"].iloc[0]
    where = change.get("work_id", "W2")
    assert first["where"] == where
    assert str(first["words"]).startswith(f"Schedule, {where}: ")
    assert words in str(first["words"])
    assert np.isnan(first["by"]) if by is None else first["by"] == pytest.approx(by)
    # Half as many days as cost say so too; no other change breaks two things.
    assert len(found.breaches) == (2 if "days" in change and by else 1)


def test_rows_that_can_not_be_counted_count_nowhere():
    for change in ({"task_id": "z"}, {"team_id": "X"}, {"step": 7}, {"period": 0}, {"days": -1.0}, {"m2": None}):
        found = judged(work(W2=change))
        assert found.totals["cost"] == 9_700, change  # without b's 3,000
        assert found.totals["m2_worked"] == 53_000, change
        assert found.zones["opens_in"].tolist() == [pd.NA, 3, 0, pd.NA, 2], change


def test_wrong_rows_are_told_in_their_order():
    found = judged(work(W1={"kind": "dogs", "cost": 1.0}, W2={"kind": "dogs"}, W3={"task_id": "z"}, W5={"m2": -1.0}))
    assert found.breaches["where"].tolist() == ["W1", "W1", "W2", "W3", "W5"]


def test_a_row_without_an_id_is_named_by_its_place():
    assert told(judged(work(W2={"work_id": None})))[0][:2] == ("table", "row 2")


#: What may be broken, in the order in which breaches stand.
LIMITS = (
    "capacity",
    "least deployment",
    "teams on site",
    "district",
    "kind",
    "gate",
    "precedence",
    "ground",
    "budget",
    "budget of a period",
    "deadline",
    "commitment",
    "table",
)


def test_breaches_stand_in_the_order_of_the_limits():
    schedule = work(W1={"m2": 41_000.0}, W2={"kind": "dogs"}, W3=moved(1))
    by = plan(budget=1, budget_a_period=1, hard_deadlines=("Z",), min_team_days=20, teams_on_site=1)
    may = teams(N={"districts": "East", "number": 0}, D={"kind": "EOD"})
    of = changed(tasks(), b={"gates": "dispute"})
    late = promised(("C1", "a", None, None, "2026-01-15", None))
    found = judged(schedule, tasks=of, teams=may, settings=by, commitments=late)
    assert list(dict.fromkeys(found.breaches["limit"])) == list(LIMITS)
    again = judged(schedule, tasks=of, teams=may, settings=by, commitments=late)
    pd.testing.assert_frame_equal(found.breaches, again.breaches)
    assert found.breaches["words"].map(str).str.len().min() > 20


# Methods, steps without ground, rates.


def test_the_first_method_that_fits_is_taken():
    # Anti-vehicle mines alone are prepared first; with anti-personnel mines, or where nobody knows, all is cleared.
    def first_step(ordnance):
        found = judged(tasks=changed(tasks(), b={"ordnance": ordnance}))
        return "step 1 of task b is preparation" in " ".join(found.breaches["words"].map(str))

    assert [first_step(cell) for cell in ("AV", "AV; UXO", "AP; AV", "AP", None, "")] == [True, True] + [False] * 4
    assert not judged(tasks=tasks().assign(ordnance="AV").drop(columns="ordnance")).breaches["words"].map(str).any()


def test_a_task_for_which_no_method_fits_is_never_finished():
    found = judged(tasks=changed(tasks(), c={"land_class": "indication"}))
    assert told(found)[0][:2] == ("table", "W5")
    assert "task c has no method that fits, there is no step 1" in found.breaches["words"].map(str)[0]
    assert found.tasks.loc[2, "finished_part"] == 0
    assert found.zones["opens_in"].tolist() == [1, pd.NA, 0, pd.NA, pd.NA]


def test_a_last_step_without_ground_is_done_with_the_one_before():
    nothing = plan(outcomes={"SHA": outcome(0.5, 0.5, 0)})
    found = judged(work([ROWS[0], ROWS[1], ROWS[4]]), settings=nothing)
    assert found.breaches.empty
    assert found.tasks["finished_in"].tolist() == [1, 1, 2, pd.NA]
    assert found.zones["opens_in"].tolist() == [1, 2, 0, pd.NA, 2]
    # a counts from the survey on: 21 months.
    assert found.totals["score_value"] == pytest.approx(0.2 * (0.5 * 21 + 1.0 * 21 + 0.2 * 18))
    assert told(judged(settings=nothing)) == [("ground", "a, step 2", 10_000, "m2")]


def test_a_step_without_ground_between_two_others_adds_no_waiting():
    rest = Step(name="technical survey", kinds=("TS",), ground="to-clear")
    by = plan(
        methods=(Method(land_class="SHA", steps=(SURVEY, rest, CLEARANCE)), plan().methods[2]),
        outcomes={"SHA": outcome(0.5, 0.5, 0)},
    )
    of = changed(tasks(), a={"area_m2": 8_000.0})
    names = NAMES | {("a", 3): "clearance"}
    survey, late = ("a", 1, "N", 1, 8.0, 8_000.0, 800.0), ("a", 3, "M", 2, 80.0, 8_000.0, 4_000.0)
    found = judged(work([survey, late], names), tasks=of, settings=by)
    assert found.breaches.empty
    assert found.tasks.loc[0, "finished_in"] == 2
    early = judged(work([survey, ("a", 3, "M", 1, 80.0, 8_000.0, 4_000.0)], names), tasks=of, settings=by)
    assert told(early) == [("precedence", "a, step 3", 1.0, "1")]
    assert "step 1 (survey) 1 period before on 0.0 %" in early.breaches["words"].map(str)[0]


def test_a_first_step_without_ground_holds_nothing_back():
    rest = Step(name="technical survey", kinds=("TS",), ground="to-clear")
    by = plan(
        methods=(Method(land_class="SHA", steps=(rest, CLEARANCE)), plan().methods[2]),
        outcomes={"SHA": outcome(0.5, 0.5, 0)},
    )
    of = changed(tasks(), a={"area_m2": 8_000.0})
    found = judged(work([("a", 2, "M", 1, 80.0, 8_000.0, 4_000.0)]), tasks=of, settings=by)
    assert found.breaches.empty
    assert found.tasks.loc[0, "finished_in"] == 1
    # Where no step has ground there is nothing to do, unless a gate holds the task.
    none = by.model_copy(update={"methods": (Method(land_class="SHA", steps=(rest,)), plan().methods[2])})
    found = judged(work([]), tasks=of, settings=none)
    assert found.tasks["finished_in"].tolist() == [0, pd.NA, pd.NA, pd.NA]
    assert found.tasks["finish_on"][0] == pd.Timestamp("2026-01-01")
    assert found.totals["score_value"] == pytest.approx(0.2 * 0.5 * 24)
    held = judged(work([]), tasks=changed(of, a={"gates": "dispute"}), settings=none)
    assert held.tasks["finished_in"].isna().all()
    assert held.tasks["finished_part"].tolist() == [0] * 4


def test_robust_rates_are_those_that_four_days_of_five_reach():
    # Triangle 50, 100, 200: a third lies below 100, so that the fifth is on the rising side,
    # 50 + sqrt(0.2 x 150 x 50) = 88.73. Triangle 90, 100, 200: an eleventh lies below, 200 - sqrt(0.8 x 110 x 100).
    triang = pytest.importorskip("scipy.stats").triang
    for low, rate in ((50.0, 50 + 1500**0.5), (90.0, 200 - 8800**0.5)):
        assert triang.ppf(0.2, (100 - low) / (200 - low), low, 200 - low) == pytest.approx(rate)
        may = teams(M={"rate_low": low})
        rows = [("b", 1, "M", 1, 6_000 / rate, 6_000.0, 50 * 6_000 / rate)]
        assert judged(work(rows), teams=may, settings=plan(robust=True)).breaches.empty
        assert told(judged(work(rows), teams=may)) == [
            ("table", "W1", pytest.approx(abs(1 - 100 / rate) * 6_000), "m2")
        ]
    sure = teams().assign(rate_low=teams()["rate_likely"], rate_high=teams()["rate_likely"])
    assert judged(teams=sure, settings=plan(robust=True)).breaches.empty
    assert set(judged(settings=plan(robust=True)).breaches["limit"]) == {"table"}


# Errors.


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (TableError, "zone U: people are unknown; give their number", {"unknown_people": None}),
        (SettingsError, "low, likely, high", {"unknown_people": (9.0, 1.0, 2.0)}),
        (TableError, "WORK lacks the column days", {"schedule": work().drop(columns="days")}),
        (TableError, "TASKS lacks the column area_m2", {"tasks": tasks().drop(columns="area_m2")}),
        (TableError, "TASKS: task_id a stands twice", {"tasks": pd.concat([tasks(), tasks()])}),
        (TableError, "task b: area_m2 nan is no area", {"tasks": changed(tasks(), b={"area_m2": None})}),
        (TableError, "BLOCKERS names task 'z', which TASKS lacks", {"blockers": blockers([("Y", "z", "home", "yes")])}),
        (TableError, "BLOCKERS names zone 'X', which ZONES lacks", {"blockers": blockers([("X", "a", "home", "no")])}),
        (SettingsError, "names zone 'X', which ZONES lacks", {"settings": plan(hard_deadlines=("X",))}),
        (SettingsError, "zone 'O', which has no planned_return", {"settings": plan(hard_deadlines=("O",))}),
        (TableError, "C1 names task 'z'", {"commitments": promised(("C1", "z", None, None, "2026-03-31", None))}),
        (TableError, "C1 names team 'X'", {"commitments": promised(("C1", "a", None, "X", "2026-03-31", None))}),
        (TableError, "neither task nor", {"commitments": promised(("C1", None, None, None, "2026-03-31", None))}),
        (
            TableError,
            "TASKS lacks the column hazard_ids",
            {
                "tasks": tasks().drop(columns="hazard_ids"),
                "commitments": promised(("C1", None, "H1", None, "2026-03-31", None)),
            },
        ),
    ],
)
def test_tables_that_can_not_be_judged(error, words, change):
    with pytest.raises(error, match=words):
        judged(**change)


# Laws.


def test_law_1_inputs_stay():
    late = promised(("C1", "a", None, "M", "2026-03-31", None))
    tables = [work(), tasks(), zones(), blockers(), teams(), late, work()]
    before = copy.deepcopy(tables)
    schedule, of, lie, wait, may, promises, then = tables
    judged(
        schedule, tasks=of, zones=lie, blockers=wait, teams=may, commitments=promises, previous=then,
        without_place={"O": "?"},
    )  # fmt: skip
    for table, was in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(table, was)


def test_other_row_labels_change_nothing():
    def turned(table):
        return table.set_axis(range(100, 100 + len(table)), axis="index")

    late = promised(("C1", "a", None, "M", "2026-03-31", None))
    one = judged(work(W2={"kind": "dogs"}), commitments=late, previous=work())
    other = judged(
        turned(work(W2={"kind": "dogs"})), tasks=turned(tasks()), zones=turned(zones()), blockers=turned(blockers()),
        teams=turned(teams()), commitments=turned(late), previous=turned(work()),
    )  # fmt: skip
    assert one.totals == other.totals
    for name in ("breaches", "zones", "tasks", "home", "use"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


@given(
    people=st.tuples(st.integers(0, 100_000), st.integers(0, 100_000)),
    waits=st.sets(st.sampled_from("abcd")),
    optional=st.sets(st.sampled_from("abcd")),
    planned=st.dates(dt.date(2025, 6, 1), dt.date(2028, 6, 1)) | st.none(),
    late=st.floats(0, 3),
)
@settings(max_examples=40, deadline=None)
def test_two_like_zones_are_worth_what_one_with_all_their_people_is(people, waits, optional, planned, late):
    def worth(names_and_people):
        lie = pd.DataFrame(names_and_people, columns=["zone_id", "people"])
        lie["planned_return"] = pd.Timestamp(planned) if planned else pd.NaT
        rows = [(name, task, "home", "yes") for name, _ in names_and_people for task in sorted(waits)]
        rows += [(name, task, "school", "no") for name, _ in names_and_people for task in sorted(optional)]
        wait = blockers(rows) if rows else blockers().iloc[:0]
        return judged(zones=lie, blockers=wait, settings=plan(late_penalty=late), unknown_people=None).totals

    two = worth([("P", people[0]), ("Q", people[1])])
    one = worth([("P", sum(people))])
    for name in two:
        if name != "zones_open":
            assert two[name] == pytest.approx(one[name]), name
    assert two["zones_open"] == 2 * one["zones_open"]


@given(seed=st.integers(0, 2**32 - 1), wait=st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_random_plans_read_step_by_step(seed, wait):
    """The contract written out once more, row by row and period by period, on plans that break what they like."""
    draw = np.random.default_rng(seed)
    steps = {"a": 2, "b": 1, "c": 1}
    ground = {("a", 1): 40_000.0, ("a", 2): 10_000.0, ("b", 1): 6_000.0, ("c", 1): 3_000.0}
    rate, price, capacity = {"N": 1000, "M": 100, "D": 200}, {"N": 100, "M": 50, "D": 80}, {"N": 60, "M": 120, "D": 60}
    rows = []
    for (task, step), m2 in ground.items():
        for _ in range(draw.integers(0, 5)):
            team, part = str(draw.choice(list(rate))), float(draw.choice([0.25, 0.5, 1.0]))
            days = part * m2 / rate[team]
            rows.append((task, step, team, int(draw.integers(1, 5)), days, part * m2, days * price[team]))
    found = judged(work(rows), settings=plan(wait_periods=wait))
    limits = {(row.limit, row.where) for row in found.breaches.itertuples()}

    def done(task, step, period):
        return min(sum(r[5] for r in rows if r[:2] == (task, step) and r[3] <= period) / ground[task, step], 1)

    finish = {}
    for task, count in steps.items():
        whole = [t for t in range(1, 5) if all(done(task, k, t) == 1 for k in range(1, count + 1))]
        finish[task] = min(whole, default=None)
    assert found.tasks["finished_in"].tolist()[:3] == [finish[task] or pd.NA for task in steps]
    opens = {"Y": finish["b"], "Z": finish["a"] and finish["c"] and max(finish["a"], finish["c"]), "U": finish["c"]}
    worth = {"Y": 100, "Z": 200, "U": 40}
    months = sum(worth[zone] * (24 - 3 * t) for zone, t in opens.items() if t)
    assert found.totals["person_months"] == pytest.approx(1200 + months)
    ahead = any(done("a", 2, t) > (done("a", 1, t - wait) if t - wait > 0 else 0) for t in range(1, 5))
    assert (("precedence", "a, step 2") in limits) == ahead
    for team, there in capacity.items():
        for t in range(1, 5):
            spent = sum(r[4] for r in rows if r[2] == team and r[3] == t)
            can = 0 if (team, t) == ("D", 1) else there
            assert (("capacity", f"{team}, period {t}") in limits) == (spent > can + 1e-9)
    for (task, step), m2 in ground.items():
        over = sum(r[5] for r in rows if r[:2] == (task, step)) > m2
        assert (("ground", f"{task}, step {step}") in limits) == over
    kinds = {f"{r[0]}, step {r[1]}, {r[2]}" for r in rows if (r[:2] == ("a", 1)) != (r[2] == "N")}
    assert {where for limit, where in limits if limit == "kind"} == kinds
    assert (("district", "c, M") in limits) == any(r[0] == "c" and r[2] == "M" for r in rows)
    assert found.totals["cost"] == pytest.approx(sum(r[6] for r in rows))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_rows_cut_in_two_and_in_any_order_are_the_same_plan(seed):
    draw = np.random.default_rng(seed)
    rows = []
    for *key, days, m2, cost in ROWS:
        part = draw.uniform(0, 1)
        rows += [
            (*key, part * days, part * m2, part * cost),
            (*key, days * (1 - part), m2 * (1 - part), cost * (1 - part)),
        ]
    cut = work([rows[k] for k in draw.permutation(len(rows))])
    one, other = judged(), judged(cut)
    assert other.breaches.empty
    assert other.totals == pytest.approx(one.totals)
    for name in ("zones", "tasks", "home", "use"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
