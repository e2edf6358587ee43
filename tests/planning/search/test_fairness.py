"""Levers of fairness: a floor that comes first, a weight by vulnerability, and what each costs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearplan.planning.judge import judge_work
from clearplan.planning.planned import BEST
from clearplan.planning.search.allowance import Clock
from clearplan.planning.search.fairness import levers
from clearplan.planning.search.schedule import schedule
from clearplan.settings.planning import Fairness
from clearplan.study.planning import plan_work
from clearplan.study.publish import _planned as published_plan
from clearplan.tables.row_rules import sourced_vulnerability
from tests.conftest import FULL
from tests.tiny_worlds import GATE, tiny
from tests.worlds import changed, planned, settings, world


def fair(case, **lever):
    """The case with levers of fairness."""
    return changed(case, fairness=Fairness(**lever))


def one_large_place(**changes):
    """A day a month: Z0 waits for two days of work and has 100 people, Z1 and Z2 for one day each and have 10 and 1.

    Without a lever Z0 opens after 2 months, Z1 after 3, Z2 after 4. Of 6 months 100 x 4 + 10 x 3 + 1 x 2 = 432 count.
    """
    return world([2, 1, 1], [(100, [0]), (10, [1]), (1, [2])], days=1, periods=4, counted_months=6, **changes)


def test_a_floor_opens_most_places_in_time_and_then_counts_people():
    # Within 2 months either Z0 opens, or Z1 and Z2. Two are more than one: then Z1 after 1, Z2 after 2, Z0 after 4.
    case = fair(one_large_place(), open_within_periods=2, in_force="floor")
    plan, judged = planned(case)
    assert judged.zones["opens_in"].tolist() == [4, 1, 2]
    assert judged.totals["person_months"] == 100 * 2 + 10 * 5 + 1 * 4 == 254
    assert judged.totals["zones_in_time"] == 2
    assert plan.value == pytest.approx(254)
    assert plan.bound == pytest.approx(254, rel=1e-6)


@pytest.mark.parametrize("in_force", ["none", "floor"])
def test_the_comparison_has_a_row_for_each_lever_and_its_price(in_force):
    work = plan_work(fair(one_large_place(), open_within_periods=2, in_force=in_force))
    table = work.comparison.set_index("strategy")
    other, months = {"none": ("floor of 2 periods", 254), "floor": ("without a lever", 432)}[in_force]
    assert table.index.tolist()[3:] == [BEST, other]
    assert table["person_months"][other] == pytest.approx(months)
    assert table["price"].dropna().to_dict() == {other if in_force == "none" else BEST: pytest.approx(432 - 254)}
    assert [str(note) for note in work.notes] == ["The lever 'floor of 2 periods' costs 178 person-months"]
    (_, floor) = work.levers
    assert floor.totals["zones_in_time"] == 2
    # Z0 takes two days, and both of two months are taken: two days more of team A would do.
    assert {zone: str(why) for zone, why in floor.misses.items()} == {"Z0": "it takes at least 2 more team-days of A"}


def test_without_a_lever_there_is_no_row_and_no_price():
    work = plan_work(one_large_place())
    assert len(work.comparison) == 4
    assert work.comparison["price"].isna().all()
    assert work.levers == ()


def test_a_floor_that_the_best_plan_keeps_costs_nothing():
    work = plan_work(fair(one_large_place(), open_within_periods=4))
    assert [str(note) for note in work.notes] == ["The lever 'floor of 4 periods' costs no person-months"]
    (_, floor) = work.levers
    assert floor.most
    assert floor.misses == {}


def test_places_that_no_floor_reaches_say_why():
    case = one_large_place()
    case = replace(case, gates_of_zones={"Z1": (GATE, pd.Timestamp("2026-03-15").date()), "Z2": (GATE, None)})
    work = plan_work(fair(case, open_within_periods=1))
    (_, floor) = work.levers
    reasons = {zone: str(why) for zone, why in floor.misses.items()}
    assert reasons["Z1"] == "a gate holds it until 2026-03-15: a gate"
    assert reasons["Z2"] == "a gate"
    assert "team-day" in reasons["Z0"]  # two days of work in the one month
    assert list(reasons) == ["Z0", "Z1", "Z2"]


def test_the_floor_is_lexicographic_by_brute_force():
    rng = np.random.default_rng(40)
    for k in range(80 if FULL else 12):
        small, within = tiny(rng, *((8, 4) if k % 3 == 0 else (6, 3)), gated=k % 2 == 1), int(rng.integers(1, 4))
        case = fair(small.case, open_within_periods=within, in_force="floor")
        plan, judged = planned(case)
        soon, months = small.best(within)
        assert judged.totals["zones_in_time"] == soon
        assert judged.totals["person_months"] == pytest.approx(months, rel=1e-6, abs=1e-6)
        assert plan.value == pytest.approx(months, rel=1e-6, abs=1e-6)
        assert plan.gap < 1e-4


def test_vulnerability_weighs_in_the_plan_and_in_no_printed_figure():
    # Z1's 10 people count 1 + 2 x (31 - 1) = 61 times: 610 for a day are more than 100 for two. Z1 after 1 month, Z0
    # after 3, Z2 after 4: 10 x 5 + 100 x 3 + 1 x 2 = 352 person-months, 80 fewer.
    case = one_large_place()
    case = replace(case, zones=case.zones.assign(vulnerability=[None, 31.0, 1.0]))
    weighed = fair(case, vulnerability_weight=2.0, in_force="vulnerability")
    plan, judged = planned(weighed)
    assert judged.zones["opens_in"].tolist() == [3, 1, 4]
    assert judged.totals["person_months"] == 352
    assert judged.zones["person_months"].tolist() == [300, 50, 2]
    assert judged.totals["objective"] == pytest.approx(300 + 61 * 50 + 2)
    assert plan.value == pytest.approx(judged.totals["objective"])
    work = plan_work(fair(case, vulnerability_weight=2.0))
    row = work.comparison.set_index("strategy").loc["weighed by vulnerability"]
    assert (row["person_months"], row["price"]) == (pytest.approx(352), pytest.approx(80))
    assert work.judgement.totals["person_months"] == pytest.approx(432)


def test_plans_by_vulnerability_are_those_of_brute_force():
    rng = np.random.default_rng(41)
    for k in range(60 if FULL else 8):
        small, weight = tiny(rng, gated=k % 2 == 1), float(rng.uniform(0.5, 3))
        zones = small.case.zones["zone_id"].tolist()
        vulnerability = np.where(rng.random(len(zones)) < 0.5, rng.integers(1, 6, len(zones)), np.nan)
        case = replace(small.case, zones=small.case.zones.assign(vulnerability=vulnerability))
        plan, judged = planned(fair(case, vulnerability_weight=weight, in_force="vulnerability"))
        times = 1 + weight * (np.nan_to_num(vulnerability, nan=1.0) - 1)
        factor = dict(zip(zones, times.tolist(), strict=True))
        _, best = small.best(weights=factor)
        assert plan.value == pytest.approx(best, rel=1e-6, abs=1e-6)
        assert judged.totals["objective"] == pytest.approx(best, rel=1e-6, abs=1e-6)


def test_a_lever_is_never_better_than_the_plan_without_one():
    rng = np.random.default_rng(42)
    for _ in range(30 if FULL else 5):
        small = tiny(rng)
        work = plan_work(fair(small.case, open_within_periods=int(rng.integers(1, 4))))
        (free, floor) = work.levers
        assert free.price == 0
        assert floor.price == pytest.approx(free.totals["person_months"] - floor.totals["person_months"])
        assert floor.price >= -1e-6 * max(free.totals["person_months"], 1.0)
        assert floor.totals["zones_in_time"] >= free.totals["zones_in_time"]


@pytest.mark.parametrize("in_force", ["none", "floor"])
def test_a_better_plan_that_another_lever_finds_becomes_the_plan_in_force(in_force):
    # All four months keep every place open at last: by either lever the best plan is worth 432 (see above).
    case = fair(one_large_place(), open_within_periods=4, in_force=in_force)
    poor = schedule(case)
    work = poor.work.iloc[:0]
    poor = replace(poor, work=work, value=0.0, parts=(), strategies={**poor.strategies, BEST: work})
    found, best, judged = levers(case, poor, judge_work(work, case), clock=Clock(1e6))
    assert judged.totals["objective"] == pytest.approx(432)
    assert best.value == pytest.approx(432)
    assert best.work is best.strategies[BEST]
    assert judge_work(best.work, case).totals["objective"] == pytest.approx(432)
    assert [lever.price for lever in found] == [0, pytest.approx(0)]


def test_a_plan_that_opens_fewer_places_in_time_does_not_take_the_place_of_a_floor():
    # Without a lever 432, of which the floor of 2 periods may have only 254: more is not better there.
    case = fair(one_large_place(), open_within_periods=2, in_force="floor")
    plan = schedule(case)
    _, best, judged = levers(case, plan, judge_work(plan.work, case), clock=Clock(1e6))
    assert best is plan
    assert judged.totals["person_months"] == 254


def test_budgets_and_what_if_follow_the_lever_in_force():
    case = one_large_place(budget=4, budgets=[2, 4])
    work = plan_work(fair(case, open_within_periods=2, in_force="floor"))
    assert work.budgets["person_months"].tolist() == [pytest.approx(54), pytest.approx(254)]
    assert (work.budgets["gap"] < 1e-4).all()
    free = plan_work(case)
    assert free.budgets["person_months"].tolist() == [pytest.approx(400), pytest.approx(432)]


def test_levers_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="in_force floor needs open_within_periods"):
        Fairness(in_force="floor")
    with pytest.raises(ValueError, match="within the periods of work"):
        settings(fairness={"open_within_periods": 2})
    zones = pd.DataFrame({"vulnerability": [1.5, 2.0, None], "vulnerability_source": ["camp register", " ", None]})
    assert [(fault[0], fault[1]) for fault in sourced_vulnerability(zones)] == [(1, "vulnerability_source")]


def test_the_judge_needs_no_planner_for_the_floor():
    case = fair(one_large_place(), open_within_periods=2)
    work = schedule(case).work
    assert judge_work(work, case).totals["zones_in_time"] == 1
    assert "zones_in_time" not in judge_work(work, one_large_place()).totals


def test_partners_read_of_a_missed_place_only_what_may_leave():
    # Why a row could not be placed may quote what was entered; it stays in the house.
    case = one_large_place()
    case = replace(case, zones=case.zones.assign(deferred=[None, "at the house of N. N.", None]))
    work = plan_work(fair(case, open_within_periods=2))
    tables = {"tasks": case.tasks, "zones": case.zones, "teams": case.teams, "commitments": None}
    kept, told = (plan.levers[-1].misses["Z1"] for plan in (work, published_plan(work, tables, None)))
    assert "at the house of N. N." in str(kept)
    assert str(told) == "has no place on the map"
