"""The plan worked through in draws: a plan without doubt comes out as planned, probabilities by formula, laws."""

import copy
import functools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearplan.core.errors import SettingsError, TableError
from clearplan.planning.case import PlanningCase
from clearplan.planning.methods import triangular_quantile
from clearplan.planning.replay import _draw, _plan, _worked, replay_work
from clearplan.settings.planning import Method, PlanningSettings, Step, Uncertainty
from tests import worlds
from tests.worlds import QUARTERS, outcome, places

# Four quarters of 2026 with 60 working days each; people count, and work may go on, for two years: eight quarters.
ENDS = ["2026-01-01", "2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31", "2027-03-31", "2027-06-30", "2027-09-30",
        "2027-12-31"]  # fmt: skip
DRAWS = 2000

SURVEY = Step(name="survey", kinds=("NTS",))
REST = Step(name="clearance", kinds=("manual", "dogs"), ground="to-clear")
METHODS = (
    Method(land_class="SHA", steps=(SURVEY, REST)),
    Method(land_class="indication", steps=(SURVEY, REST)),
    Method(land_class="CHA", ordnance=("AV",), steps=(Step(name="first", kinds=("manual",)),
                                                      Step(name="then", kinds=("dogs",)))),
    Method(land_class="CHA", ordnance=("UXO",), steps=(Step(name="first", kinds=("dogs",)),
                                                       Step(name="then", kinds=("manual",)))),
    Method(land_class="CHA", steps=(Step(name="clearance", kinds=("manual", "dogs")),)),
)  # fmt: skip


def plan(*, draws=DRAWS, spread=0.0, seed=5, **changes) -> PlanningSettings:
    outcomes = {"SHA": outcome(0, 0, 1), "indication": outcome(1, 0, 0)}
    uncertainty = Uncertainty(draws=draws, seed=seed, task_spread=spread)
    return PlanningSettings(
        **QUARTERS | {"methods": METHODS, "outcomes": outcomes, "uncertainty": uncertainty} | changes
    )


teams = functools.partial(worlds.teams, cost_per_day=10.0)


def tasks(*rows) -> pd.DataFrame:
    """Rows of (id, class, area) or (id, class, area, ordnance)."""
    full = [row if len(row) == 4 else (*row, "AP") for row in rows]
    return pd.DataFrame(full, columns=["task_id", "land_class", "area_m2", "ordnance"]).assign(gates=None)


def work(*rows) -> pd.DataFrame:
    """Rows of (task, step, team, period, m2); the plan's days don't matter, its cost is 1 a row."""
    table = pd.DataFrame(rows, columns=["task_id", "step", "team_id", "period", "m2"])
    table.insert(0, "work_id", [f"W{k}" for k in range(len(table))])
    return table.assign(days=1.0, cost=1.0)


def case(of, may, waits, by, **changes) -> PlanningCase:
    """Zones of 100 people each; each waits for tasks as letters of a word or a list."""
    lie, block = places(waits)
    return PlanningCase(tasks=of, zones=lie, teams=may, blockers=block, settings=by, **changes)


def run(schedule, of, may, by=None, *, waits=None, **changes):
    """The replay, of one zone for each task where no zones are given."""
    waits = {f"Z{task}": [task] for task in of["task_id"]} if waits is None else waits
    return replay_work(schedule, case(of, may, waits, plan() if by is None else by, **changes))


def near(share, p, draws=DRAWS):
    """Within 3 standard errors."""
    return abs(share - p) <= 3 * math.sqrt(p * (1 - p) / draws)


# Without doubt: the plan itself.

# N surveys 1,000 m2 a day, M clears 100, D 200; all days of N in quarter 1, of M and D in 1 to 3, are planned:
#   N 1: a 12 days, b 48. M 1: d 60; 2: a 60; 3: f 60. D 1: e 60; 2: a 30, c 30; 3: f 60.
# All of b's ground is cancelled: it is released by the survey.
FULL_TASKS = tasks(("a", "SHA", 12_000), ("b", "indication", 48_000), ("c", "CHA", 6_000), ("d", "CHA", 6_000),
                   ("e", "CHA", 12_000), ("f", "CHA", 18_000))  # fmt: skip
FULL_WORK = work(
    ("a", 1, "N", 1, 12_000), ("b", 1, "N", 1, 48_000), ("d", 1, "M", 1, 6_000), ("e", 1, "D", 1, 12_000),
    ("a", 2, "M", 2, 6_000), ("a", 2, "D", 2, 6_000), ("c", 1, "D", 2, 6_000), ("f", 1, "M", 3, 6_000),
    ("f", 1, "D", 3, 12_000),
).assign(days=[12, 48, 60, 60, 60, 30, 30, 60, 60])  # fmt: skip
FULL_TEAMS = teams(("N", "NTS", 1000.0), ("M", "manual", 100.0), ("D", "dogs", 200.0))
FULL_WAITS = {"Y": "b", "Z": "ad", "V": "ce", "W": "fb", "O": ""}


@pytest.mark.parametrize("wait", [0, 1])
def test_a_full_plan_without_doubt_comes_out_as_planned(wait):
    schedule = FULL_WORK.assign(cost=FULL_WORK["days"] * 10.0)
    found = run(schedule, FULL_TASKS, FULL_TEAMS, plan(draws=20, wait_periods=wait), waits=FULL_WAITS)
    table = found.zones
    assert table["zone_id"].tolist() == ["Y", "Z", "V", "W", "O"]
    assert table["opens_in"].tolist() == table["p50_in"].tolist() == table["p80_in"].tolist() == [1, 2, 2, 3, 0]
    assert table["probability"].tolist() == [1] * 5
    days = [ENDS[k] for k in (1, 2, 2, 3, 0)]
    assert table["p50_on"].dt.strftime("%F").tolist() == table["p80_on"].dt.strftime("%F").tolist() == days
    assert [str(table[name].dtype) for name in ("opens_in", "p50_in", "p80_in")] == ["Int64"] * 3
    ends = [ENDS[k] for k in (2, 1, 2, 1, 1, 3)]
    assert found.tasks["finish_p50_on"].dt.strftime("%F").tolist() == ends
    assert found.tasks["finish_p80_on"].dt.strftime("%F").tolist() == ends
    assert found.tasks["critical"].tolist() == [0] * 6
    assert found.home["period"].tolist() == list(range(9))
    assert found.home["on"].dt.strftime("%F").tolist() == ENDS
    assert found.home["people_p10"].tolist() == [100, 200, 400, 500, 500, 500, 500, 500, 500]
    assert found.home["people_p10"].equals(found.home["people_p90"])
    totals = found.totals.set_index("figure")
    # 24 months from the start, 21 after quarter 1, 18 after 2, 15 after 3; 420 days at 10.
    assert totals.loc["person_months", "planned"] == 100 * (24 + 21 + 18 + 18 + 15)
    assert totals.loc["cost", "planned"] == 4200
    assert totals.loc["people_home", "planned"] == 500
    for name in ("p10", "p50", "p80", "p90", "mean"):
        assert totals[name].tolist() == pytest.approx(totals["planned"].tolist(), rel=1e-5), name
    assert (found.draws, found.seed) == (20, 5)


def test_steps_of_one_period_that_wait_for_one_another():
    # M: the second step of u, then the first of v, 30 days each; D the other way round. Then w, 60 days of M.
    of = tasks(("v", "CHA", 3000, "AV"), ("u", "CHA", 3000, "UXO"), ("w", "CHA", 6000))
    schedule = work(("u", 2, "M", 1, 3000), ("v", 1, "M", 1, 3000), ("v", 2, "D", 1, 3000), ("u", 1, "D", 1, 3000),
                    ("w", 1, "M", 2, 6000))  # fmt: skip
    may = teams(("M", "manual", 100.0), ("D", "dogs", 100.0))
    found = run(schedule, of, may, plan(draws=20, wait_periods=0))
    assert found.zones["opens_in"].tolist() == found.zones["p80_in"].tolist() == [1, 1, 2]


def test_rounding_of_a_solver_is_no_delay():
    schedule = FULL_WORK.assign(m2=FULL_WORK["m2"] * (1 + np.resize([3e-8, -3e-8, 1e-7], len(FULL_WORK))))
    found = run(schedule, FULL_TASKS, FULL_TEAMS, plan(draws=20), waits=FULL_WAITS)
    assert found.zones["probability"].tolist() == [1] * 5


# By formula.


@pytest.mark.parametrize(("area", "low", "likely", "high"), [(6000, 50, 100, 200), (4800, 50, 100, 200),
                                                             (9000, 100, 100, 200), (5000, 50, 100, 100)])  # fmt: skip
def test_probability_of_one_task_by_the_triangular_distribution(area, low, likely, high):
    # Open after quarter t where 60 t days are enough: rate >= area / (60 t).
    found = run(work(("a", 1, "M", 1, area)), tasks(("a", "CHA", area)), teams(("M", "manual", low, likely, high)))
    rate = area / 60
    if rate <= likely:
        p = 1 - (rate - low) ** 2 / ((high - low) * (likely - low))
    else:
        p = (high - rate) ** 2 / ((high - low) * (high - likely))
    assert 0.05 < p < 0.99
    assert near(found.zones.loc[0, "probability"], p)
    assert found.tasks.loc[0, "critical"] == pytest.approx(1 - found.zones.loc[0, "probability"])
    assert found.zones.loc[0, "p50_in"] == (1 if p >= 0.5 else 2)
    on = ENDS[found.zones.loc[0, "p50_in"]]
    assert str(found.zones.loc[0, "p50_on"].date()) == str(found.tasks.loc[0, "finish_p50_on"].date()) == on
    # People home after quarter 1: 100 in a share p of the draws.
    assert found.home.loc[1, "people_p10"] == (100 if p > 0.9 else 0)


def test_probability_by_the_spread_of_tasks():
    # Effort 60 days x exp(s z - s^2 / 2) <= 60 days: z <= s / 2.
    found = run(work(("a", 1, "M", 1, 6000)), tasks(("a", "CHA", 6000)), teams(("M", "manual", 100.0)),
                plan(spread=0.6))  # fmt: skip
    assert near(found.zones.loc[0, "probability"], 0.5 * (1 + math.erf(0.3 / math.sqrt(2))))


def test_probability_by_the_outcomes_of_survey():
    # Dirichlet(1, 1, 1): the cleared share is below x with probability 1 - (1 - x)^2.
    # All 30,000 m2 are surveyed in quarter 1; 6,000 m2 of them can be cleared in quarter 2.
    third = outcome(1 / 3, 1 / 3, 1 / 3)
    found = run(work(("a", 1, "N", 1, 30_000), ("a", 2, "M", 2, 10_000)), tasks(("a", "SHA", 30_000)),
                teams(("N", "NTS", 1000.0), ("M", "manual", 100.0)), plan(outcomes={"SHA": third,
                "indication": third}))  # fmt: skip
    assert near(found.zones.loc[0, "probability"], 1 - 0.8**2)
    # 6,000 m2 more in each quarter: 0.36, 0.64, 0.84, 0.96 and 1 after 2, 3, 4, 5 and 6. People are home in half of the
    # draws after 3; in nine of ten after 5, so that one in ten at most lacks them.
    assert found.zones.loc[0, ["p50_in", "p80_in"]].tolist() == [3, 4]
    assert found.home["people_p50"].tolist() == [0, 0, 0, *[100] * 6]
    assert found.home["people_p10"].tolist() == [0] * 5 + [100] * 4


def test_means_are_those_of_the_settings():
    # Cost: 40 tasks of 30 days at 10 each on average, whatever spreads; enough months to do all in every draw.
    of = tasks(*((f"t{k}", "SHA", 10_000) for k in range(40)))
    rows = [(f"t{k}", 1, "N", 1, 10_000) for k in range(40)] + [(f"t{k}", 2, "M", 2, 2_500) for k in range(40)]
    may = teams(("N", "NTS", 2000.0), ("M", "manual", 100.0), number=20)
    mix = {"SHA": outcome(0.5, 0.25, 0.25, 2.0), "indication": outcome(1, 0, 0)}
    found = run(work(*rows), of, may, plan(spread=0.4, outcomes=mix))
    # A task's cost: 10 x f x (5 + 100 x share), f of mean 1, E f^2 = exp(0.16); share Beta(0.5, 1.5): mean 1/4,
    # variance (1/4)(3/4) / 3 = 1/16.
    second = math.exp(0.16) * 100 * (25 + 2 * 5 * 25 + 1e4 * (1 / 16 + 1 / 16))
    error = math.sqrt((second - 300**2) * 40 / DRAWS)
    cost = found.totals.set_index("figure").loc["cost", "mean"]
    assert abs(cost - 40 * 300) < 3 * error
    assert 3 * error < 0.02 * cost


def test_survey_that_finds_nothing_ends_a_task():
    # Nearly all or nothing: in 30 % of the draws all is to be cleared, from quarter 2 on; in the others nothing is.
    mix = {"SHA": outcome(0.6, 0.1, 0.3, 1e-4), "indication": outcome(1, 0, 0)}
    found = run(work(("a", 1, "N", 1, 6_000), ("a", 2, "M", 2, 1_800)), tasks(("a", "SHA", 6_000)),
                teams(("N", "NTS", 1000.0), ("M", "manual", 100.0)), plan(outcomes=mix))  # fmt: skip
    # Months: 21 after quarter 1 with probability 0.7, else 18 after quarter 2.
    mean = found.totals.set_index("figure").loc["person_months", "mean"] / 100
    assert near((mean - 18) / 3, 0.7)
    assert found.zones.loc[0, "probability"] == 1


def test_teams_of_one_kind_and_rate_share_the_doubt():
    # P(rate >= 100) = 2/3 for one team; for two alike as well, for two of two kinds its square.
    rows = (("a", 1, "M", 1, 6000), ("b", 1, "X", 1, 6000))
    of = tasks(("a", "CHA", 6000), ("b", "CHA", 6000))
    waits = {"A": "a", "B": "b", "Z": "ab"}
    doubt = (50.0, 100.0, 200.0)
    alike = run(work(*rows), of, teams(("M", "manual", *doubt), ("X", "manual", *doubt)), waits=waits).zones
    assert alike["probability"].nunique() == 1
    assert near(alike.loc[0, "probability"], 2 / 3)
    apart = run(work(*rows), of, teams(("M", "manual", *doubt), ("X", "dogs", *doubt)), waits=waits).zones
    assert near(apart.loc[2, "probability"], 4 / 9)
    other = run(work(*rows), of, teams(("M", "manual", *doubt), ("X", "manual", 50, 100, 200.001)), waits=waits).zones
    assert near(other.loc[2, "probability"], 4 / 9)


def test_the_task_that_makes_a_zone_late():
    # M works at half of what was planned: a takes 120 days, ends in 2. b is in time. Both: late by a alone.
    of = tasks(("a", "CHA", 6000), ("b", "CHA", 6000), ("c", "CHA", 6000), ("d", "CHA", 6000))
    schedule = work(("a", 1, "M", 1, 6000), ("b", 1, "D", 1, 6000), ("c", 1, "X", 1, 6000))
    may = teams(("M", "manual", 50.0), ("D", "dogs", 100.0), ("X", "dogs", 50.0))
    found = run(schedule, of, may, plan(draws=20), waits={"Y": "ab", "Z": "b", "V": "d"})
    assert found.zones["probability"].tolist()[:2] == [0, 1]
    # c is late as well, but nobody waits for it; d is not in the plan.
    assert found.tasks["critical"].tolist()[:3] == [1, 0, 0]
    assert found.tasks.loc[3].isna().tolist() == [False, True, True, True]
    assert found.zones.loc[2].isna().sum() == 6


# The order of work.


def finish(found):
    """Number of the period in which each task is finished in half of the draws."""
    return [ENDS.index(day) if isinstance(day, str) else None for day in found.tasks["finish_p50_on"].dt.strftime("%F")]


def test_a_team_that_waits_goes_on_with_later_work_and_comes_back():
    # D is to do the second step of a in quarter 2 and b in 3, 60 days each. M takes twice the planned days for the
    # first step of a: half is done after 1, all after 2. In 1 D works b ahead, in 2 half of a, in 3 the rest.
    of = tasks(("a", "CHA", 6000, "AV"), ("b", "CHA", 6000))
    schedule = work(("a", 1, "M", 1, 6000), ("a", 2, "D", 2, 6000), ("b", 1, "D", 3, 6000))
    may = teams(("M", "manual", 50.0), ("D", "dogs", 100.0))
    assert finish(run(schedule, of, may, plan(draws=20))) == [3, 1]
    # Another task c before b, of 90 days: 60 of them in 1, the rest in 2 beside a; b in 3, 30 days left by a, and 4.
    more = tasks(("a", "CHA", 6000, "AV"), ("b", "CHA", 6000), ("c", "CHA", 9000))
    schedule = work(("a", 1, "M", 1, 6000), ("a", 2, "D", 2, 6000), ("c", 1, "D", 3, 9000), ("b", 1, "D", 3, 6000))
    assert finish(run(schedule, more, may, plan(draws=20))) == [3, 4, 2]
    # In the planned order when nothing waits: M in time, a done in 2, c before b.
    brisk = teams(("M", "manual", 100.0), ("D", "dogs", 100.0))
    assert finish(run(schedule, more, brisk, plan(draws=20))) == [2, 4, 3]


@pytest.mark.parametrize(("wait", "ends"), [(0, 2), (1, 3), (2, 4), (3, 5), (7, None)])
def test_a_step_waits_for_the_one_before(wait, ends):
    # First step done half after 1, whole after 2; the second has days enough for all at once.
    of = tasks(("a", "CHA", 6000, "AV"))
    schedule = work(("a", 1, "M", 1, 6000), ("a", 2, "D", 1, 6000))
    found = run(schedule, of, teams(("M", "manual", 50.0), ("D", "dogs", 1000.0)), plan(draws=20, wait_periods=wait))
    assert finish(found) == [ends]


def test_nobody_takes_work_off_others():
    # A step shared 1:2. D is done in a day; M needs 120 days for its third, and X has nothing to do.
    of = tasks(("a", "CHA", 9000))
    may = teams(("M", "manual", 25.0), ("D", "dogs", 9000.0), ("X", "manual", 9000.0))
    found = run(work(("a", 1, "M", 1, 3000), ("a", 1, "D", 1, 6000)), of, may, plan(draws=20))
    assert finish(found) == [2]
    assert found.totals.set_index("figure").loc["cost", "mean"] == pytest.approx(10 * (120 + 2 / 3), rel=1e-5)


def test_those_ahead_leave_what_is_planned_before_them():
    # All days of M, D and E are planned. X idles until its half of a in quarter 4. From 2 on a half of a may be worked
    # on, but it is M's, in 3. If X took it, M would have to wait for the other half until 4, and b would be late.
    of = tasks(("a", "CHA", 6000, "UXO"), ("b", "CHA", 6000, "UXO"), *((name, "CHA", 6000) for name in "kcglm"),
               *((name, "CHA", 3000) for name in "ehi"))  # fmt: skip
    schedule = work(
        ("k", 1, "M", 1, 6000), ("c", 1, "M", 2, 6000), ("a", 2, "M", 3, 3000), ("i", 1, "M", 3, 3000),
        ("b", 2, "M", 4, 6000), ("a", 2, "X", 4, 3000),
        ("a", 1, "D", 1, 3000), ("e", 1, "D", 1, 3000), ("g", 1, "D", 2, 6000), ("a", 1, "D", 3, 3000),
        ("h", 1, "D", 3, 3000), ("l", 1, "E", 1, 6000), ("m", 1, "E", 2, 6000), ("b", 1, "E", 3, 6000),
    )  # fmt: skip
    may = teams(("M", "manual", 100.0), ("X", "manual", 1000.0), ("D", "dogs", 100.0), ("E", "dogs", 100.0))
    assert finish(run(schedule, of, may, plan(draws=20))) == [4, 4, 1, 2, 2, 1, 2, 1, 3, 3]


def test_days_that_are_left_move_later_work_forward():
    of = tasks(*((name, "CHA", 6000) for name in "abcd"))
    schedule = work(*((name, 1, "M", k + 1, 6000) for k, name in enumerate("abcd")))
    assert finish(run(schedule, of, teams(("M", "manual", 200.0)), plan(draws=20))) == [1, 1, 2, 2]
    # Rows of one period in the order of the table, whatever the order of TASKS.
    together = work(*((name, 1, "M", 4, 6000) for name in "dcab"))
    assert finish(run(together, of, teams(("M", "manual", 100.0)), plan(draws=20))) == [3, 4, 2, 1]


def test_work_goes_on_beyond_the_plan_as_long_as_months_count():
    # 8 quarters of 60 days at 50 m2 a day: 24,000 m2. The plan has 4.
    of = tasks(("a", "CHA", 15_000), ("b", "CHA", 12_000))
    schedule = work(("a", 1, "M", 3, 15_000), ("b", 1, "M", 4, 12_000))
    found = run(schedule, of, teams(("M", "manual", 50.0)), plan(draws=20))
    assert finish(found) == [5, None]
    table = found.zones
    assert table["opens_in"].tolist() == [3, 4]
    assert table["probability"].tolist() == [0, 0]
    assert table["p50_in"].tolist() == [5, pd.NA]
    assert table["p80_on"].isna().tolist() == [False, True]
    assert found.tasks["critical"].tolist() == [1, 1]
    totals = found.totals.set_index("figure")
    assert totals.loc["people_home", ["p90", "planned"]].tolist() == [0, 200]
    # a counts for 24 - 15 months; planned 15 and 12. All 480 days are paid.
    assert totals.loc["person_months", ["mean", "planned"]].tolist() == [900, 2700]
    assert totals.loc["cost", "mean"] == pytest.approx(4800, rel=1e-5)


def test_a_team_that_leaves_does_no_more_and_seasons_go_on():
    of, schedule = tasks(("a", "CHA", 9000)), work(("a", 1, "M", 1, 9000))
    gone = teams(("M", "manual", 50.0), available_to=pd.Timestamp("2026-06-30"))
    assert finish(run(schedule, of, gone, plan(draws=20))) == [None]
    # April to September, two quarters a year: 60 days in 2 and 3, the third in the spring of 2027.
    assert finish(run(schedule, of, teams(("M", "manual", 50.0), season="4-9"), plan(draws=20))) == [6]
    assert finish(run(schedule, of, teams(("M", "manual", 50.0), deferred="lent out"), plan(draws=20))) == [None]


# Zones that never open.


def test_zones_that_nobody_plans_to_open():
    of = tasks(("a", "CHA", 6000), ("b", "CHA", 6000), ("c", "SHA", 6000), ("d", "CHA", 6000), ("e", "CHA", 6000))
    of["gates"] = [None, None, None, None, "security: nobody may go there"]
    schedule = work(("a", 1, "D", 1, 6000), ("b", 1, "D", 1, 3000), ("c", 1, "N", 1, 6000), ("e", 1, "D", 1, 6000))
    may = teams(("D", "dogs", 1000.0), ("N", "NTS", 1000.0))
    waits = {"A": "a", "half": "ab", "survey": "ac", "none": "ad", "gate": "ae", "O": "", "lost": "a", "far": ""}
    lost = case(of, may, waits, plan(draws=20), without_place={"far": "its road has no place"})
    lost.zones.loc[lost.zones["zone_id"] == "lost", "deferred"] = "no coordinates"
    found = replay_work(schedule, lost)
    table = found.zones.set_index("zone_id")
    assert table["opens_in"].tolist() == [1, *[pd.NA] * 4, 0, pd.NA, pd.NA]
    never = table.loc[["half", "survey", "none", "gate", "lost", "far"]]
    assert never.isna().all(axis=None)
    assert table.loc[["A", "O"], "probability"].tolist() == [1, 1]
    assert str(table.loc["O", "p80_on"].date()) == ENDS[0]
    assert found.home["people_p50"].tolist() == [100] + [200] * 8
    assert found.tasks["critical"].isna().tolist() == [False, True, True, True, True]
    # Nobody works behind the gate: 6 days, 3 and 6.
    assert found.totals.set_index("figure").loc["cost", "mean"] == pytest.approx(150, rel=1e-5)


def test_a_task_without_ground_is_done_from_the_start():
    of = tasks(("a", "CHA", 0.0), ("b", "CHA", 0.0))
    of["gates"] = [None, "security: nobody may go there"]
    found = run(work(), of, teams(("M", "manual", 100.0)), plan(draws=20))
    assert found.zones["opens_in"].tolist() == [0, pd.NA]
    assert found.tasks["critical"].isna().tolist() == [False, True]


def test_an_empty_plan_and_an_empty_world():
    of = tasks(("a", "CHA", 6000))
    found = run(work(), of, teams(("M", "manual", 100.0)), plan(draws=20), waits={"Z": "a", "O": ""})
    assert found.zones["opens_in"].tolist() == [pd.NA, 0]
    assert found.totals["mean"].tolist() == [2400, 0, 100]
    empty = run(work(), of.iloc[:0], teams(("M", "manual", 100.0)).iloc[:0], plan(draws=20), waits={})
    assert (len(empty.zones), len(empty.tasks)) == (0, 0)
    assert empty.home["people_p50"].tolist() == [0] * 9


def test_people_that_nobody_knows():
    of, schedule, may = tasks(("a", "CHA", 6000)), work(("a", 1, "M", 1, 6000)), teams(("M", "manual", 100.0))
    blank = case(of, may, {"Z": "a", "Y": "a"}, plan(draws=20))
    blank.zones["people"] = [100.0, np.nan]
    found = replay_work(schedule, replace(blank, unknown_people=(10, 40, 90)))
    assert found.home["people_p50"].tolist() == [0] + [140] * 8
    with pytest.raises(TableError, match="zone Y: people are unknown"):
        replay_work(schedule, blank)
    with pytest.raises(SettingsError, match="low, likely, high"):
        replay_work(schedule, replace(blank, unknown_people=(10, 5, 90)))


# Laws.

DOUBT = (
    teams(("N", "NTS", 400.0, 1000.0, 2000.0), ("M", "manual", 50.0, 100.0, 200.0), ("D", "dogs", 150.0, 200.0, 250.0)),
    {"SHA": outcome(0.2, 0.3, 0.5), "indication": outcome(1, 0, 0)},
)


def doubtful(schedule=FULL_WORK, of=FULL_TASKS, waits=FULL_WAITS, **more):
    half = (schedule["task_id"] == "a") & (schedule["step"] == 2)
    schedule = schedule.assign(m2=schedule["m2"].where(~half, schedule["m2"] / 2))
    return run(schedule, of, DOUBT[0], plan(outcomes=DOUBT[1], spread=0.3, **more), waits=waits)


def same(one, other):
    for name in ("zones", "tasks", "home", "totals"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_law_1_inputs_stay_as_they_are():
    full = case(FULL_TASKS.copy(), FULL_TEAMS.copy(), FULL_WAITS, plan(draws=20))
    tables = [FULL_WORK.copy(), full.tasks, full.zones, full.blockers, full.teams]
    before = copy.deepcopy(tables)
    found = replay_work(tables[0], full)
    for table, was in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(table, was)
    assert found.zones["zone_id"].tolist() == full.zones["zone_id"].tolist()
    assert found.tasks["task_id"].tolist() == FULL_TASKS["task_id"].tolist()


def test_law_7_same_seed_same_figures_whatever_the_order_of_tables():
    one = doubtful(draws=600)
    same(one, doubtful(draws=600))
    turned = doubtful(draws=600, of=FULL_TASKS.iloc[::-1].reset_index(drop=True))
    assert turned.zones.equals(one.zones)
    assert turned.tasks.set_index("task_id").equals(one.tasks.set_index("task_id").iloc[::-1])
    assert not doubtful(draws=600, seed=6).zones.equals(one.zones)
    assert one.zones["probability"].between(0.01, 0.99).sum() >= 3


def test_draws_of_a_task_hang_on_nothing_else():
    # A team of its own surveys one more task: nothing of the others changes.
    more = pd.concat([FULL_TASKS, tasks(("A0", "indication", 9000))], ignore_index=True)
    schedule = pd.concat([work(("A0", 1, "Q", 1, 9000)), FULL_WORK], ignore_index=True)
    may = pd.concat([teams(("Q", "NTS", 500.0, 600.0, 700.0)), FULL_TEAMS], ignore_index=True)
    by = plan(spread=0.5, draws=700)
    one = run(FULL_WORK, FULL_TASKS, FULL_TEAMS, by, waits=FULL_WAITS)
    other = run(schedule, more, may, by, waits=FULL_WAITS | {"new": ["A0"]})
    assert other.zones.iloc[:5].equals(one.zones)
    assert other.tasks.iloc[:6].equals(one.tasks)


def test_more_draws_only_add_to_those_that_were_there():
    few, many = (
        _worked(made, 1, *_draw(made, by.uncertainty, 0))[0]
        for by in (plan(spread=0.5, draws=30), plan(spread=0.5, draws=900))
        for made in [_plan(FULL_WORK, case(FULL_TASKS, FULL_TEAMS, {}, by), by)]
    )
    assert (few == many[:, :30]).all()


def random_plan(seed: int, wait: int, steps: int):
    """A plan that keeps every limit: steps follow each other after ``wait`` periods, by parts that never run ahead."""
    draw = np.random.default_rng(seed)
    count, ids = int(draw.integers(1, 9)), ["M", "X", "D", "E"]
    may = teams(*((name, "manual" if name in "MX" else "dogs", float(draw.uniform(50, 300))) for name in ids))
    of, rows = [], []
    for k in range(count):
        kind = draw.choice(["AV", "UXO", "AP"]) if steps > 1 else "AP"
        area = float(draw.uniform(100, 20_000))
        of.append((f"t{k}", "CHA", area, kind))
        at, upto = int(draw.integers(1, 4)), 1.0
        for step in range(1 if kind == "AP" else 2):
            upto = float(draw.uniform(0, upto))  # part of the step in the first of two periods
            own = ids if kind == "AP" else ["M", "X"] if (kind == "AV") == (step == 0) else ["D", "E"]
            for period, part in ((at, upto), (at + 1, 1 - upto)):
                shared = draw.dirichlet(np.ones(2)) * part
                for team, share in zip(draw.choice(own, 2, replace=False), shared, strict=True):
                    rows.append((f"t{k}", step + 1, str(team), period, area * share))
            at += wait
    schedule = work(*(rows[k] for k in draw.permutation(len(rows))))
    # As many teams as are needed in the fullest period.
    days = schedule["m2"] / may.set_index("team_id")["rate_likely"].reindex(schedule["team_id"]).to_numpy()
    load = days.groupby([schedule["team_id"], schedule["period"]]).sum()
    may["number"] = np.maximum(np.ceil(load.groupby("team_id").max().reindex(ids, fill_value=0) / 60).to_numpy(int), 1)
    waits = {f"Z{k}": [f"t{j}" for j in draw.choice(count, draw.integers(1, count + 1), replace=False)]
             for k in range(3)}  # fmt: skip
    return schedule, tasks(*of), may, waits


@given(seed=st.integers(0, 10_000), wait=st.integers(0, 2), better=st.floats(1, 3))
@settings(max_examples=60, deadline=None)
def test_nothing_is_late_where_no_rate_is_below_the_planned(seed, wait, better):
    schedule, of, may, waits = random_plan(seed, wait, steps=2)
    may["rate_high"] = may["rate_likely"] * better
    found = run(schedule, of, may, plan(draws=20, wait_periods=wait, periods=8), waits=waits)
    assert found.zones["opens_in"].notna().all()
    assert (found.zones["probability"] == 1).all()
    assert (found.zones["p80_in"] <= found.zones["opens_in"]).all()
    assert (found.tasks["critical"] == 0).all()


@given(seed=st.integers(0, 10_000), raised=st.floats(1, 3))
@settings(max_examples=60, deadline=None)
def test_higher_rates_open_nothing_later_where_no_step_waits(seed, raised):
    # Where steps wait for others, idle days are filled, and a team that is late can bring other work forward.
    schedule, of, may, waits = random_plan(seed, 1, steps=1)
    may = may.assign(rate_low=may["rate_likely"] * 0.3, rate_high=may["rate_likely"] * 1.5)
    by = plan(draws=40, spread=0.5, periods=8)
    slow = run(schedule, of, may, by, waits=waits)
    dogs = may["kind"] == "dogs"
    names = ["rate_low", "rate_likely", "rate_high"]
    may.loc[dogs, names] *= raised
    fast = run(schedule, of, may, by, waits=waits)
    assert (fast.zones["probability"] >= slow.zones["probability"]).all()
    for name in ("p50_in", "p80_in"):
        assert (fast.zones[name].fillna(99) <= slow.zones[name].fillna(99)).all()
    for name in ("people_p10", "people_p50", "people_p90"):
        assert (fast.home[name] >= slow.home[name]).all()


def by_hand(schedule, of, may, by, effort):
    """Period in which each task is finished in one draw, by the rule, in plain loops over amounts of days."""
    steps = {("AV", 1), ("AV", 2), ("UXO", 1), ("UXO", 2), ("AP", 1)}
    kind = dict(zip(of["task_id"], of["ordnance"], strict=True))
    area = dict(zip(of["task_id"], of["area_m2"], strict=True))
    rows = sorted(zip(schedule["period"], range(len(schedule)), schedule["task_id"], schedule["step"],
                      schedule["team_id"], schedule["m2"], strict=True))  # fmt: skip
    left_of = [1.0] * len(rows)
    ends = [{(task, step): 0.0 for task in kind for step in (1, 2)}]
    finished = {}
    for period in range(1, by.counted_months // by.period_months + 1):
        days = {team: 60.0 * number * (1 + 1e-6) for team, number in zip(may["team_id"], may["number"], strict=True)}
        done = dict(ends[-1])
        for turn in sorted({row[0] for row in rows}):
            for _ in range(2 if by.wait_periods == 0 else 1):
                for k, (own, _, task, step, team, m2) in enumerate(rows):
                    if own != turn:
                        continue
                    may_be = 1.0
                    if step == 2:
                        planned = [(r[0], r[5] / area[task]) for r in rows if (r[2], r[3]) == (task, 2)]
                        earlier = sum(part for when, part in planned if when < turn)
                        beside = sum(part for when, part in planned if when == turn)
                        far = done if by.wait_periods == 0 else ends[max(period - by.wait_periods, 0)]
                        may_be = min(max((far[task, 1] - earlier) / beside, 0.0), 1.0)
                    part = max(may_be - (1 - left_of[k]), 0.0)
                    part = min(part, days[team] / effort[k])
                    left_of[k] -= part
                    days[team] -= part * effort[k]
                    done[task, step] += part * m2 / area[task]
        ends.append(done)
        for task in kind:
            last = 2 if (kind[task], 2) in steps else 1
            if done[task, last] >= 1 - 1e-6:
                finished.setdefault(task, period)
    return [finished.get(task, by.counted_months // by.period_months + 1) for task in of["task_id"]]


@given(seed=st.integers(0, 10_000), wait=st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_draws_at_once_are_draws_one_by_one(seed, wait):
    schedule, of, may, _ = random_plan(seed, wait, steps=2)
    may = may.assign(rate_low=may["rate_likely"] * 0.3, rate_high=may["rate_likely"] * 2)
    by = plan(draws=20, spread=0.4, wait_periods=wait)
    longer = by.model_copy(update={"periods": 8})
    made = _plan(schedule, case(of, may, {}, longer), longer)
    effort, none = _draw(made, by.uncertainty, 0)
    found, cost = _worked(made, wait, effort, none)
    for k in range(3):
        assert found[:, k].tolist() == by_hand(schedule, of, may, by, effort[:, k])
    if (found < 9).all():
        assert cost.tolist() == pytest.approx((effort.sum(axis=0) * 10).tolist(), rel=1e-5)


def test_rates_are_drawn_by_the_inverse_of_their_distribution():
    u = np.array([0.0, 0.25, 2 / 3, 1.0])
    # (0, 2, 3): below 2 the distribution function is x^2 / 6, 2/3 at 2.
    assert triangular_quantile(u, 0.0, 2.0, 3.0) == pytest.approx([0, math.sqrt(1.5), 2, 3])


# What is wrong with the tables.


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task_id": "x"}, "row 1: names a task that TASKS lacks"),
        ({"team_id": "x"}, "row 1: names a team that TEAMS lacks"),
        ({"period": 5}, "row 1: period must be one of 1 to 4"),
        ({"period": 1.5}, "row 1: period must be one of 1 to 4"),
        ({"step": 2}, "row 1: task a has no ground for a step 2"),
        ({"m2": -1.0}, "row 1: m2 is no amount"),
        ({"m2": 6100.0}, "101.7 % of the ground of step 1 of task a"),
    ],
)
def test_work_that_does_not_fit_its_tables(change, words):
    with pytest.raises(TableError, match=words):
        run(work(("a", 1, "M", 1, 6000.0)).assign(**change), tasks(("a", "CHA", 6000)), teams(("M", "manual", 100.0)))


def test_other_faults_are_told():
    of, schedule, may = tasks(("a", "CHA", 6000)), work(("a", 1, "M", 1, 6000)), teams(("M", "manual", 100.0))
    with pytest.raises(SettingsError, match=r"planning\.uncertainty is not set"):
        run(schedule, of, may, plan(uncertainty=None))
    with pytest.raises(TableError, match="WORK lacks the column m2"):
        run(schedule.drop(columns="m2"), of, may)
    with pytest.raises(TableError, match="TASKS: task_id a stands twice"):
        run(schedule, pd.concat([of, of]), may, waits={})
    with pytest.raises(TableError, match="BLOCKERS names task_id 'q'"):
        run(schedule, of, may, waits={"Z": "q"})
    with pytest.raises(TableError, match="TEAMS, M: give 0 < rate_low"):
        run(schedule, of, may.assign(rate_low=200.0))
    no_method = of.assign(land_class="SHA")
    by = plan(methods=METHODS[2:], outcomes={})
    with pytest.raises(TableError, match="no ground for a step 1"):
        run(schedule, no_method, may, by)
    assert run(work(), no_method, may, by).zones["opens_in"].isna().all()
