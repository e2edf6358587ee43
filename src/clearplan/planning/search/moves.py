"""Orders of whole unlocks, quickly valued, and made better by moving one unlock at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.search.problem import TINY, Problem, steps_of, valued

Array = NDArray[Any]
#: What is left: days by team and period, days by team, money in all and by period; and when each block is finished.
State = tuple[list[list[float]], list[float], list[float], list[int]]

#: A move that makes an order worse is kept if it is no worse than the order was so many moves ago: late acceptance
#: (Burke and Bykov 2017, European Journal of Operational Research 258).
_MEMORY = 50
#: Parts of an order at whose beginnings its state is kept.
_PARTS = 32


class Orders:
    """What orders of unlocks are worth: the schedule of ``whole_in_order``, without writing it down.

    An order that differs from a known one from a place on is filled from there only: ``states`` of the known one hold
    what is left before every so many of its unlocks.
    """

    def __init__(self, problem: Problem) -> None:
        cost, steps = problem.cost.tolist(), steps_of(problem)
        self.problem = problem
        self.blocks = [
            [[(k, days, days * cost[k]) for k, days in problem.options[s]] for s in members] for members in steps
        ]
        self.reach = [[problem.reach[s] if problem.reach else None for s in members] for members in steps]
        # needs of all unlocks side by side, each after a block more that is finished from the start
        self.flat = np.concatenate([[len(steps), *members] for members in problem.needs]).astype(int)
        self.begins = np.cumsum([0, *(len(members) + 1 for members in problem.needs[:-1])])
        self.value, self.reward = valued(problem)
        self.begin = problem.begin.tolist()
        self.children = np.flatnonzero(problem.parent >= 0).tolist()
        self.every = max(1, len(problem.needs) // _PARTS)
        money = [problem.budget, *([problem.budget_a_period] * problem.periods)]
        finish = [0 if not members else -1 for members in steps]
        self.first: State = (problem.capacity.tolist(), problem.capacity.sum(axis=1).tolist(), money, finish)
        for b in sorted(np.flatnonzero(problem.block_due >= 0).tolist(), key=lambda b: problem.block_due[b]):
            self._work(self.first, (b,))
        for u in sorted(np.flatnonzero(problem.due >= 0).tolist(), key=lambda u: problem.due[u]):
            self._work(self.first, problem.needs[u])

    def fill(self, order: Sequence[int], states: Sequence[State], place: int) -> tuple[float, list[State], Array]:
        """Worth of an order that is as the one of ``states`` before a place, its states, and when each unlock opens."""
        known = list(states[: place // self.every + 1]) or [self.first]
        state = _copy(known[-1])
        for k in range((len(known) - 1) * self.every, len(order)):
            if k % self.every == 0 and k // self.every == len(known):
                known.append(_copy(state))
            self._work(state, self.problem.needs[order[k]])
        ends = np.array([*state[3], 0])
        ends[ends < 0] = self.problem.periods + 1
        opens = np.maximum(np.maximum.reduceat(ends[self.flat], self.begins), self.problem.floor)
        for u in self.children:
            opens[u] = max(opens[u], opens[self.problem.parent[u]])
        total = self.value[np.arange(len(opens)), opens].sum() + self.reward[np.arange(len(ends) - 1), ends[:-1]].sum()
        return float(total), known, opens

    def _work(self, state: State, blocks: Sequence[int]) -> None:
        """Work on all blocks that are not finished, as early as can be, or on none of them."""
        finish, finished_now = state[3], []
        log: list[tuple[int, int, float, float]] = []
        for b in blocks:
            if finish[b] < 0:
                finish[b] = self._fill(state, b, log)
                finished_now.append(b)
                if finish[b] < 0:
                    for other in finished_now:
                        finish[other] = -1
                    _undo(state, log)
                    return

    def _fill(self, state: State, b: int, log: list[tuple[int, int, float, float]]) -> int:
        """Work on a block; the period after which it is finished, -1 if it can't be."""
        capacity, left, money, _ = state
        for options in self.blocks[b]:  # where all teams together have too few days is seen at once
            if sum([left[team] / effort for team, effort, _ in options]) < 1 - TINY:
                return -1
        periods, wait = self.problem.periods, self.problem.wait
        begin, end = self.begin[b], 0
        allowed = [0.0] * begin + [1.0] * (periods - begin)
        for options, reach in zip(self.blocks[b], self.reach[b], strict=True):
            part, done = 0.0, [1.0] * periods
            for t in range(periods):
                room = allowed[t] - part
                if room > TINY:
                    for team, effort, price in options:
                        days = capacity[team][t]
                        if days <= TINY:
                            continue
                        part_of_team = min(room, days / effort, 1.0 if reach is None else reach[team][t])
                        if price > 0:
                            part_of_team = min(part_of_team, money[0] / price, money[t + 1] / price)
                        if part_of_team <= TINY:
                            continue
                        capacity[team][t] = days - part_of_team * effort
                        left[team] -= part_of_team * effort
                        money[0] -= part_of_team * price
                        money[t + 1] -= part_of_team * price
                        log.append((team, t, part_of_team * effort, part_of_team * price))
                        part += part_of_team
                        room -= part_of_team
                        if room <= TINY:
                            break
                if part >= 1 - TINY:
                    end = t + 1
                    break
                done[t] = part
            else:
                return -1
            allowed = [0.0] * wait + done[: periods - wait]
        return end


def _copy(state: State) -> State:
    capacity, left, money, finish = state
    return [row[:] for row in capacity], left[:], money[:], finish[:]


def _undo(state: State, log: Sequence[tuple[int, int, float, float]]) -> None:
    capacity, left, money, _ = state
    for team, t, days, price in log:
        capacity[team][t] += days
        left[team] += days
        money[0] += price
        money[t + 1] += price


def reordered(
    problem: Problem, order: Sequence[int], *, seed: int, going_on: Callable[[int, float], bool]
) -> list[int]:
    """The best order found by moving one unlock at a time: a local search with a seed.

    Parameters
    ----------
    problem : Problem
    order : sequence of int
        Unlocks in the order to begin with.
    seed : int
    going_on : callable
        Asked (moves so far, worth of the best order) before each move; the search ends where it says no.
    """
    generator = np.random.default_rng(seed)
    orders, now, size = Orders(problem), list(order), len(order)
    value, states, ends = orders.fill(now, (), 0)
    best, best_order, before, moves = value, now, [value] * _MEMORY, 0
    head = _head(now, ends, problem.periods)
    while size > 1 and going_on(moves, best):
        moves += 1
        if generator.random() < 0.7:  # near, among those that open: half the way or a hundredth of that
            place = int(generator.integers(head))
            shift = generator.normal() * 0.5 * head * 10 ** (-2 * generator.random())
            other = min(max(place + (round(shift) or (1 if shift > 0 else -1)), 0), head - 1)
        else:  # any of all to among those that open
            place, other = int(generator.integers(size)), int(generator.integers(head))
        fresh = now[:place] + now[place + 1 :]
        fresh.insert(other, now[place])
        worth_of_order, known, opens = orders.fill(fresh, states, min(place, other))
        if worth_of_order >= value or worth_of_order >= before[moves % _MEMORY]:
            now, value, states = fresh, worth_of_order, known
            head = _head(now, opens, problem.periods)
            if value > best:
                best, best_order = value, now
        before[moves % _MEMORY] = value
    return best_order


def _head(order: Sequence[int], ends: Array, periods: int) -> int:
    """Number of the first unlocks among which all that open are, and a quarter more."""
    opens = np.flatnonzero(ends[np.array(order)] <= periods)
    last = int(opens[-1]) + 1 if len(opens) else 0
    return min(len(order), int(1.25 * last) + 2)
