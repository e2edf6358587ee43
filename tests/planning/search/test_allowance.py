"""The search ends by counted work: the same plan under any load, and whatever the clock shows."""

import itertools
import time

import numpy as np
import pytest

from clearplan.planning.search import schedule as rooms
from clearplan.planning.search.allowance import Allowance, Clock, interior_iterations, interior_work, rounds
from clearplan.planning.search.blocks import make_blocks
from clearplan.planning.search.budgets import budget_curve
from clearplan.planning.search.highs import relax, solve
from clearplan.planning.search.milp import columns_of, programme_of
from clearplan.planning.search.schedule import schedule
from clearplan.study.planning import plan_work
from tests.busy import busy_loops
from tests.worlds import changed, world


def hard_world(**settings):
    """Twenty-four places that share forty tasks: too many for the least of searches to prove anything."""
    rng = np.random.default_rng(6)
    zones = [(int(rng.integers(5, 99)), sorted(rng.choice(40, 3, replace=False).tolist())) for _ in range(24)]
    return changed(world(rng.lognormal(1, 1, 40), zones, days=10, periods=6, counted_months=9), **settings)


def outcome_of(plan):
    return plan.work.to_csv(), plan.value, plan.bound, plan.spent, [str(note) for note in plan.notes]


@pytest.fixture
def large(monkeypatch):
    """Orders, pieces and HiGHS on the whole have their turn in a small world too."""
    monkeypatch.setattr(rooms, "_SMALL", 0)
    monkeypatch.setattr(rooms, "_FEW", 0)


def test_the_same_plan_beside_two_busy_loops(large):
    case = hard_world(search_work=0.5)
    quiet = outcome_of(schedule(case))
    with busy_loops():
        assert outcome_of(schedule(case)) == quiet
    assert any("counted work of 0.5" in note for note in quiet[-1])


def test_the_clock_may_jump_as_long_as_its_stop_is_not_reached(large, monkeypatch):
    case = hard_world(search_work=0.3)
    plain = outcome_of(schedule(case))
    moments = itertools.count(0.0, 0.5)
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    assert outcome_of(schedule(case)) == plain


def test_a_plan_that_the_clock_stopped_says_so():
    case = hard_world(search_work=1e6, stop_after_s=0.05, budgets=(5.0, 50.0))
    plan = schedule(case)
    assert [str(note) for note in plan.notes] == [
        "The search was stopped by the clock after 0.05 s: another run may give another plan"
    ]
    clock = Clock(1e-9)
    assert len(budget_curve(case, clock=clock)) == 2  # plain plans stand all the same
    assert clock.struck
    (note,) = plan_work(changed(case, previous=None)).schedule.notes
    assert note.code == "plan.clock"


def test_more_work_is_never_a_worse_plan(large):
    plans = [schedule(hard_world(search_work=work)) for work in (0.01, 0.2, 0.6)]
    assert all(plan.gap > 0 for plan in plans[:1])
    assert plans[0].value <= plans[1].value + 1e-9
    assert plans[1].value <= plans[2].value + 1e-9


def test_counted_work_of_an_allowance_ends_a_search():
    problem = make_blocks(world([6, 2, 2, 3], [(10, [0, 1]), (9, [0, 2]), (12, [3])], days=10)).problem
    programme = programme_of(problem, columns_of(problem))
    entries = len(programme.entry)
    assert rounds(1e-4 * entries, entries) == 0
    assert rounds(1e-4 * entries + 10.5 * (0.03 + 1e-5 * entries), entries) == 11  # the relaxation and ten rounds
    assert interior_iterations(10 * interior_work(1, entries) * 1.001, entries) == 10
    assert interior_iterations(0.0, entries) == 1
    much, nothing = Allowance(100.0, Clock(86_400)), Allowance(0.0, Clock(86_400))
    proven = solve(programme, allowance=much, gap=0.0, seed=1)
    assert proven.gap < 1e-6
    assert solve(programme, allowance=nothing, gap=0.0, seed=1).bound >= proven.objective - 1e-6
    assert relax(programme, allowance=much).bound >= proven.objective - 1e-6


def test_what_a_search_has_done_is_charged():
    problem = make_blocks(hard_world()).problem
    programme = programme_of(problem, columns_of(problem))
    little, more = Allowance(0.3, Clock(86_400)), Allowance(2.0, Clock(86_400))
    for allowance in (little, more):
        solve(programme, allowance=allowance, gap=0.0, seed=1)
    assert 0 < little.spent < more.spent < 10
    before = more.spent
    relax(programme, allowance=more)
    assert more.spent > before
