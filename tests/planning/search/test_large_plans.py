"""The search of large plans: orders, moves and pieces, on small worlds where other ways of counting can follow it."""

from dataclasses import replace

import numpy as np
import pytest

from clearplan.planning.planned import STRATEGIES
from clearplan.planning.search import schedule as rooms
from clearplan.planning.search.allowance import Allowance, Clock
from clearplan.planning.search.blocks import make_blocks
from clearplan.planning.search.highs import Programme, proven_bound, relax, solve
from clearplan.planning.search.moves import Orders, reordered
from clearplan.planning.search.neighbourhoods import replanned
from clearplan.planning.search.problem import greedy, opened, progress, whole_in_order, worth
from tests.conftest import FULL
from tests.worlds import changed, exhaustive, few_tasks, planned, random_case, world


def endless():
    """More work than any of these searches does."""
    return Allowance(1e6, Clock(86_400))


def problems(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        problem = make_blocks(random_case(rng)).problem
        if len(problem.needs) and len(problem.ground):
            yield rng, problem


def test_an_order_is_told_what_its_schedule_opens():
    # The schedule of the order, written down, has no unlock open later than told; what is left of days and money may
    # open more. Told from the middle on, with what was left there, it is the same as told from the beginning.
    seen = 0
    for rng, problem in problems(60, 1):
        orders = Orders(problem)
        order = rng.permutation(len(problem.needs)).tolist()
        value, states, ends = orders.fill(order, (), 0)
        written = whole_in_order(problem, order).work
        there = opened(problem, progress(problem, written))
        assert (there <= ends).all()
        assert worth(problem, written) >= value - 1e-6 * max(1.0, abs(value))
        first, second = sorted(rng.integers(0, len(order), 2).tolist())
        fresh = order[:first] + order[first + 1 :]
        fresh.insert(second, order[first])
        quick, _, own = orders.fill(fresh, states, first)
        plain, _, other = Orders(problem).fill(fresh, (), 0)
        assert quick == pytest.approx(plain)
        assert own.tolist() == other.tolist()
        seen += bool((ends <= problem.periods).any())
    assert seen > 30


def test_moves_never_make_an_order_worse_and_hang_on_the_seed_alone():
    better = 0
    for rng, problem in problems(25, 2):
        order = rng.permutation(len(problem.needs)).tolist()
        before = Orders(problem).fill(order, (), 0)[0]
        found = [reordered(problem, order, seed=5, going_on=lambda moves, _: moves < 40) for _ in range(2)]
        assert found[0] == found[1]
        assert sorted(found[0]) == sorted(order)
        after = Orders(problem).fill(found[0], (), 0)[0]
        assert after >= before - 1e-9
        better += after > before + 1e-6
    assert better >= 3


def test_pieces_never_make_a_schedule_worse():
    for _, problem in problems(25, 3):
        problem = replace(problem, reward=np.zeros_like(problem.reward))  # what opens nothing is left to with_rest
        first = greedy(problem).work
        hopes = np.full(len(problem.needs), 0.5)
        made = replanned(problem, first, hopes, seed=1, allowance=endless(), going_on=lambda count, _: count < 4)
        assert worth(problem, made) >= worth(problem, first) - 1e-6 * max(1.0, abs(worth(problem, first)))


@pytest.fixture
def large(monkeypatch):
    """Small worlds are searched as large ones are."""
    monkeypatch.setattr(rooms, "_SMALL", 0)
    monkeypatch.setattr(rooms, "_FEW", 0)
    monkeypatch.setattr(rooms, "_MOVES", 60)
    monkeypatch.setattr(rooms, "_PIECES", 6)


def test_the_search_of_large_plans_keeps_every_limit(large):
    rng = np.random.default_rng(11)
    for _ in range(60 if FULL else 20):
        plan, told = planned(changed(random_case(rng), gap=0.0))
        assert (told.breaches["unit"] == "periods").all(), told.breaches["words"].tolist()
        assert told.totals["objective"] <= plan.bound * (1 + 1e-6) + 1e-6
        assert told.totals["objective"] >= plan.value - 1e-5 * max(1.0, plan.value)


def test_the_search_of_large_plans_finds_what_exhaustive_search_finds(large, monkeypatch):
    # Without HiGHS on the whole: pieces of all three places and their moves alone.
    monkeypatch.setattr(rooms, "_by_highs", lambda problem, at, programme, best, bound, *rest: (best, bound))
    rng = np.random.default_rng(12)
    for _ in range(40 if FULL else 15):
        efforts, zones, days = few_tasks(rng)
        plan, told = planned(world(efforts, zones, days=days, periods=3, counted_months=4))
        best = exhaustive(efforts, zones, [days] * 3)
        assert told.totals["person_months"] == pytest.approx(best, rel=0.0025)  # a piece is planned to within 0.2 %
        assert plan.bound >= best * (1 - 1e-9)


def test_the_bound_of_any_duals_is_above_the_best():
    rng = np.random.default_rng(4)
    for _ in range(50):
        columns, rows = 6, 4
        entry = rng.uniform(0, 3, (rows, columns))
        row, column = np.nonzero(entry)
        programme = Programme(
            gain=rng.uniform(0, 5, columns), upper=rng.uniform(0.5, 3, columns), whole=rng.random(columns) < 0.5,
            row=row, column=column, entry=entry[row, column], low=np.full(rows, -np.inf), high=rng.uniform(2, 8, rows),
        )  # fmt: skip
        best = solve(programme, allowance=endless(), gap=0, seed=1)
        relaxed = relax(programme, allowance=endless(), seed=1)
        assert relaxed.bound >= best.objective - 1e-7
        assert relaxed.bound == pytest.approx(relaxed.objective, rel=1e-4)
        for duals in (rng.normal(size=rows), np.full(rows, np.inf), np.zeros(rows)):
            assert proven_bound(programme, duals) >= best.objective - 1e-7


def test_four_strategies_stand_in_every_plan_of_the_search(large):
    plan, _ = planned(world([6, 2, 2, 3], [(10, [0, 1]), (9, [0, 2]), (12, [3])], days=10))
    assert tuple(plan.strategies) == STRATEGIES
    assert plan.value == pytest.approx(19)
