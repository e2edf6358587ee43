"""The planner against hand computation, exhaustive search, brute force and the judge, which shares nothing with it."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from clearplan.planning.judge import judge_work
from clearplan.planning.methods import triangular_quantile
from clearplan.planning.planned import STRATEGIES
from clearplan.planning.search.schedule import schedule
from tests.conftest import FULL
from tests.worlds import exhaustive, few_tasks, planned, random_case, world


def test_toy_case_of_complements_exact_19_greedy_12():
    # Ten team-days. Road 0 (6) and houses 1 (2) open A (10 people), with houses 2 (2) B (9): 19 people for 10
    # days. C (12 people, 3 days) has the best ratio; after it 7 days are left, and A or B alone needs 8: 12 people.
    efforts = [6, 2, 2, 3]
    zones = [(10, [0, 1]), (9, [0, 2]), (12, [3])]
    case = world(efforts, zones, days=10)
    plan, told = planned(case)
    assert told.totals["person_months"] == pytest.approx(19)
    assert not len(told.breaches)
    bundle = judge_work(plan.strategies[STRATEGIES[2]], case)
    assert bundle.totals["person_months"] == pytest.approx(12)
    assert plan.value == pytest.approx(19)
    assert plan.gap == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("deferred", [False, True])
def test_a_zone_that_cannot_open_is_worth_nothing_from_the_start(deferred):
    # Z0 opens after period 1 and counts 1 of 2 months: 10. Nothing is known to block Z1, but it has no place, or its
    # road has none: its 700 people are in no plan, so neither value nor bound may count them.
    case = world([1], [(10, [0]), (700, [])])
    if deferred:
        case = replace(case, zones=case.zones.assign(deferred=[None, "no coordinates"]))
    else:
        case = replace(case, without_place={"Z1": "depends on lifeline L, which has no place on the map"})
    plan = schedule(case)
    assert plan.value == pytest.approx(10)
    assert plan.bound == pytest.approx(10, abs=1e-3)


@pytest.mark.parametrize("seed", range(8))
def test_smiths_rule_on_one_machine_by_brute_force(seed):
    # One team of a team-day a period, tasks of whole team-days, a zone each: the sum of people x completion is least in
    # the order of people over effort (Smith 1956); person-months = sum of people x (counted - completion).
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    efforts, people = rng.integers(1, 4, n), rng.integers(1, 20, n)
    periods = int(efforts.sum())

    def value(order):
        ends = np.cumsum(efforts[list(order)])
        return float((people[list(order)] * (periods + 1 - ends)).sum())

    best = max(value(order) for order in itertools.permutations(range(n)))
    smith = np.argsort(-people / efforts, kind="stable")
    assert value(smith) == pytest.approx(best)
    zones = [(p, [k]) for k, p in enumerate(people)]
    _, told = planned(world(efforts, zones, periods=periods, counted_months=periods + 1))
    assert told.totals["person_months"] == pytest.approx(best, rel=1e-6)


def test_two_hundred_instances_equal_exhaustive_search():
    rng = np.random.default_rng(20201110)
    for _ in range(200 if FULL else 60):
        efforts, zones, days = few_tasks(rng)
        _, told = planned(world(efforts, zones, days=days, periods=3, counted_months=4))
        assert told.totals["person_months"] == pytest.approx(exhaustive(efforts, zones, [days] * 3), rel=1e-6)
        assert not len(told.breaches)


#: A thousand worlds in blocks of 250, each with a seed of its own.
BLOCKS, WORLDS = ((7, 8, 9, 10), 250) if FULL else ((7,), 80)


@pytest.mark.parametrize("seed", BLOCKS)
def test_no_limit_is_broken_in_a_thousand_random_worlds(seed):
    # The judge shares no code with the planner. The three other ways of planning in every fourth world.
    rng, kept = np.random.default_rng(seed), {"deadline": 0, "promise": 0, "clash": 0}
    for k in range(WORLDS):
        case = random_case(rng)
        promises, asked = case.commitments, case.settings
        plan = schedule(case)
        worth = {}
        for name, work in plan.strategies.items():
            if name != STRATEGIES[3] and k % 4:
                continue
            told = judge_work(work, case)
            late = told.breaches["unit"] == "periods"
            assert late.all(), (name, told.breaches["words"].tolist())
            worth[name] = told.totals["objective"]
            if name == STRATEGIES[3]:
                # What is late is told, and only the lists, which know no dates, are late without a word.
                for where in told.breaches["where"].str.removeprefix("P, "):
                    assert any(where in note for note in map(str, plan.notes)), (where, plan.notes)
                kept["clash"] += len(told.breaches)
                kept["deadline"] += len(asked.hard_deadlines) and "deadline" not in set(told.breaches["limit"])
                kept["promise"] += len(promises) and "commitment" not in set(told.breaches["limit"])
                assert worth[name] <= plan.bound * (1 + 1e-6) + 1e-6
                assert worth[name] >= plan.value - 1e-5 * max(1.0, plan.value)
            elif not late.any():
                assert worth[name] <= plan.bound * (1 + 1e-6) + 1e-6, name
        if not k % 4 and not asked.hard_deadlines and not len(promises):
            assert worth[STRATEGIES[3]] >= worth[STRATEGIES[2]] - 1e-6 * max(1.0, plan.value)
    assert min(kept.values()) >= WORLDS / 20, kept


def test_eight_tasks_and_four_places_under_season_and_money_equal_exhaustive_search():
    # At 1 a team-day, money for a period is a limit on its days, and money in all one on the days up to any period.
    rng = np.random.default_rng(8)
    for _ in range(60 if FULL else 12):
        efforts, zones, days = few_tasks(rng, 8, 4)
        budget, a_period = float(rng.integers(8, 30)), float(rng.integers(2, 9))
        case = world(efforts, zones, days=days, periods=4, counted_months=5, crew=[{"season": "2-4"}], budget=budget,
                     budget_a_period=a_period)  # fmt: skip
        plan, told = planned(case)
        able = np.minimum(np.cumsum([0.0, *[min(days, a_period)] * 3]), budget)
        best = exhaustive(efforts, zones, np.diff(able, prepend=0.0))
        assert told.totals["person_months"] == pytest.approx(best, rel=1e-6)
        assert not len(told.breaches)
        assert plan.bound >= best * (1 - 1e-9)


def test_more_budget_is_never_worse():
    rng = np.random.default_rng(3)
    efforts = rng.lognormal(1, 0.7, 20)
    zones = [(int(rng.integers(1, 99)), sorted(rng.choice(20, 3, replace=False).tolist())) for _ in range(8)]
    values = []
    for budget in (0, 5, 10, 20, 40, 80):
        plan, _ = planned(world(efforts, zones, days=8, periods=4, counted_months=6, budget=budget))
        values.append(plan.value)
        assert plan.gap < 1e-5
    assert all(b >= a - 1e-5 * b for a, b in itertools.pairwise(values))
    assert values[0] == 0


def test_merging_two_identical_zones_changes_nothing():
    efforts = [3, 2, 4, 1]
    three, two = [(5, [0, 1]), (7, [0, 1]), (9, [2, 3])], [(12, [0, 1]), (9, [2, 3])]
    apart, merged = (schedule(world(efforts, zones, days=3, periods=3, counted_months=4)) for zones in (three, two))
    assert apart.value == pytest.approx(merged.value)


def test_a_task_larger_than_all_days_of_a_period_spans_periods():
    _, told = planned(world([10], [(4, [0])], days=4, periods=3, counted_months=5))
    assert told.zones["opens_in"].tolist() == [3]
    assert told.totals["person_months"] == pytest.approx(4 * 2)


def test_a_task_that_no_team_can_do_is_named_and_its_zone_stays_shut():
    case = world([1, 1], [(4, [0]), (3, [1])], days=4, crew=[{"districts": "D"}])
    plan, told = planned(replace(case, tasks=case.tasks.assign(district=["elsewhere", "D"])))
    assert any("T0" in note and "no team does 'clearance'" in note for note in map(str, plan.notes))
    assert "Z0" in plan.shut
    assert told.zones["opens_in"].isna().tolist() == [True, False]


def test_a_zone_without_tasks_is_open_from_the_start():
    plan, told = planned(world([1], [(4, []), (3, [0])], days=4))
    assert told.zones["opens_in"].tolist() == [0, 1]
    assert plan.value == pytest.approx(4 * 2 + 3 * 1)


def test_a_season_that_never_comes_is_told():
    plan = schedule(world([1], [(4, [0])], days=4, crew=[{"season": "6-8"}]))
    assert any("Team A never works" in note for note in map(str, plan.notes))
    assert not len(plan.work)


def test_triangular_quantile_inverts_the_distribution():
    # F(x) = (x - a)^2 / ((b - a)(c - a)) up to the likely value c, 1 - (b - x)^2 / ((b - a)(b - c)) beyond it.
    a, c, b = 100.0, 250.0, 500.0
    for p in (0.05, 0.2, 0.375, 0.5, 0.9):
        x = float(triangular_quantile(p, a, c, b))
        told = (x - a) ** 2 / ((b - a) * (c - a)) if x <= c else 1 - (b - x) ** 2 / ((b - a) * (b - c))
        assert told == pytest.approx(p)
