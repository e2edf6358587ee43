"""Whole zones, one after the other: the plan as arrays, and schedules made from an order of its parts."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Parts of a step or of a day below this are rounding.
TINY = 1e-9


@dataclass(frozen=True)
class Problem:
    """A plan as arrays: blocks of like tasks whose steps teams work on, and the unlocks that wait for blocks.

    ``ground`` (steps) [m2]; ``before`` (steps): the step before on the same block, -1 for the first;
    ``block`` (steps); ``last`` (blocks): a block's last step, -1 where it has no ground to work on;
    ``options``: for each step the (team, team-days for the whole step) that may do it;
    ``capacity`` (teams, periods) [team-days]; ``cost`` (teams) [currency a team-day];
    ``budget``, ``budget_a_period`` [currency], infinite where there is none;
    ``wait``: periods between a step and the next; ``needs``: for each unlock its blocks; ``parent`` (unlocks): the
    unlock without which it is worth nothing, -1 for none;
    ``value`` (unlocks, periods + 1): what it is worth to open from the start, after period 1, 2, ... [person-months];
    ``reward`` (blocks, periods + 1): the same for a block's finished part, beside all unlocks;
    ``due`` (unlocks), ``block_due`` (blocks): period by whose end it must be open or finished, -1 for none;
    ``begin`` (blocks): periods that must be over before it may be worked on; ``floor`` (unlocks): period before whose
    end it does not open, whatever is finished;
    ``district`` (blocks), ``kept`` (teams, districts, periods): team-days of the plan in force; ``stability``: worth
    of each of them [person-months a team-day];
    ``beside``: for each step, team to those of its team-days that are booked when teams come and when they leave, at
    the least; ``carried`` (2, teams): most of these that a team has booked ahead as it comes, and still owes as it
    leaves, at the end of a period, for each of its days in this period and in the next [1]; ``reach``: for each step,
    team to the most of it that the team may do in each period [1]; empty where nothing limits lines of work.
    """

    ground: Array
    before: Array
    block: Array
    last: Array
    options: tuple[tuple[tuple[int, float], ...], ...]
    capacity: Array
    cost: Array
    budget: float
    budget_a_period: float
    wait: int
    needs: tuple[tuple[int, ...], ...]
    parent: Array
    value: Array
    reward: Array
    due: Array
    block_due: Array
    begin: Array
    floor: Array
    district: Array
    kept: Array
    stability: float
    beside: tuple[dict[int, tuple[float, float]], ...] = ()
    carried: Array = field(default_factory=lambda: np.zeros((2, 0)))
    reach: tuple[dict[int, tuple[float, ...]], ...] = ()

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.capacity.shape[1])

    @functools.cached_property
    def goes_on(self) -> Array:
        """Whether another step follows each step (steps)."""
        return np.isin(np.arange(len(self.ground)), self.before)


def stored(problem: Problem, s: int, team: int) -> tuple[float, float]:
    """Of the days that a team books beside its work on a step, those that a bound must let wait for other periods.

    As it comes, and as it leaves [team-days]. Most need not: let lines use so many days of a team in each period; then
    parts of the step in proportion to these days use as many, and end in the same period. But the next step may follow
    the work alone, of which parts have less by what is booked as teams leave; and what is booked as they come must not
    put a step ahead of the one before it.
    """
    comes, leaves = problem.beside[s][team]
    return (comes if problem.before[s] >= 0 else 0.0), (leaves if problem.goes_on[s] else 0.0)


@dataclass
class Filling:
    """A schedule that is being filled: what is left of capacity and budgets, and how far each step is at each end.

    ``work`` holds (step, team, period, part of the step).
    """

    capacity: list[list[float]]
    budget: float
    budgets: list[float]
    done: dict[int, list[float]] = field(default_factory=dict)
    work: list[tuple[int, int, int, float]] = field(default_factory=list)


def empty_filling(problem: Problem) -> Filling:
    """Nothing worked yet."""
    return Filling(problem.capacity.tolist(), problem.budget, [problem.budget_a_period] * problem.periods)


def filling_of(problem: Problem, work: Sequence[tuple[int, int, int, float]]) -> Filling:
    """A schedule as a filling, for more to be filled in."""
    filling = empty_filling(problem)
    effort = [dict(options) for options in problem.options]
    for s, team, t, part in work:
        days = part * effort[s][team]
        price = days * float(problem.cost[team])
        filling.capacity[team][t] = max(filling.capacity[team][t] - days, 0.0)
        filling.budget = max(filling.budget - price, 0.0)
        filling.budgets[t] = max(filling.budgets[t] - price, 0.0)
        filling.work.append((s, team, t, part))
    done = np.minimum(progress(problem, work), 1.0)
    filling.done = {s: done[s].tolist() for s in {s for s, *_ in work}}
    return filling


def steps_of(problem: Problem) -> list[list[int]]:
    """Steps of each block in order."""
    steps: list[list[int]] = [[] for _ in problem.last]
    for s, b in enumerate(problem.block.tolist()):
        steps[b].append(s)
    return steps


def finished_by(problem: Problem, filling: Filling, block: int) -> int:
    """Period (1 ...) at whose end a block is finished, 0 if it has no ground to work on, -1 if never."""
    last = int(problem.last[block])
    if last < 0:
        return 0
    done = filling.done.get(last)
    if done is None or done[-1] < 1 - TINY:
        return -1
    return next(t for t, part in enumerate(done) if part >= 1 - TINY) + 1


def fill_block(problem: Problem, filling: Filling, steps: Sequence[int], *, whole: bool) -> bool:
    """Work on a block as early as it can be; with ``whole`` nothing at all unless it can be finished.

    Returns whether it is finished within the periods.
    """
    periods, wait = problem.periods, problem.wait
    begin = int(problem.begin[problem.block[steps[0]]]) if steps else 0
    allowed = [0.0] * begin + [1.0] * (periods - begin)
    begun, spent, placed = len(filling.work), 0.0, []
    fresh: dict[int, list[float]] = {}
    finished = True
    for s in steps:
        done = list(filling.done.get(s, (0.0,) * periods))
        reach = problem.reach[s] if problem.reach else None
        part = done[-1]
        if part < 1 - TINY:
            part = 0.0
            more = 0.0
            for t in range(periods):
                part = done[t] + more
                room = min(allowed[t], 1.0) - part
                if room > TINY:
                    for team, effort in problem.options[s]:
                        days = filling.capacity[team][t]
                        if days <= TINY:
                            continue
                        step_part = min(room, days / effort, 1.0 if reach is None else reach[team][t])
                        price = effort * problem.cost[team]
                        if price > 0:
                            step_part = min(step_part, filling.budget / price, filling.budgets[t] / price)
                        if step_part <= TINY:
                            continue
                        filling.capacity[team][t] = days - step_part * effort
                        filling.budget -= step_part * price
                        filling.budgets[t] -= step_part * price
                        spent += step_part * price
                        placed.append((team, t, step_part * effort, step_part * price))
                        filling.work.append((s, team, t, step_part))
                        part, more, room = part + step_part, more + step_part, room - step_part
                        if room <= TINY:
                            break
                done[t] = part
            fresh[s] = done
        if done[-1] < 1 - TINY:
            finished = False
        allowed = [0.0] * wait + done[: periods - wait]
    if whole and not finished:
        for team, t, days, price in placed:
            filling.capacity[team][t] += days
            filling.budgets[t] += price
        filling.budget += spent
        del filling.work[begun:]
        return False
    filling.done |= fresh
    return finished


def _undo_point(filling: Filling) -> tuple[Any, ...]:
    return (
        [list(row) for row in filling.capacity],
        filling.budget,
        list(filling.budgets),
        dict(filling.done),
        len(filling.work),
    )


def _back_to(filling: Filling, point: tuple[Any, ...]) -> None:
    filling.capacity, filling.budget, filling.budgets, filling.done = point[:4]
    del filling.work[point[4] :]


def prices(problem: Problem) -> Array:
    """What a team-day of each team is worth, as a part of all that can be had of it (teams) [1].

    Teams that are asked for more than they can do are dear, idle ones nearly free.
    """
    able = problem.capacity.sum(axis=1)
    wanted = np.zeros(len(able))
    for options in problem.options:
        share = sum(able[team] / effort for team, effort in options) or 1.0
        for team, _ in options:
            wanted[team] += able[team] / share
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(able > 0, np.minimum(np.maximum(wanted / able, 0.01), 1e6) / able, 1e9)
    if np.isfinite(problem.budget) and problem.budget > 0:
        price = price + problem.cost / problem.budget
    return np.asarray(price)


def step_prices(problem: Problem) -> list[float]:
    """Price of each step by its cheapest team [1]; infinite where none may do it."""
    price = prices(problem).tolist()
    return [min((effort * price[team] for team, effort in options), default=np.inf) for options in problem.options]


def greedy(problem: Problem, *, until: Filling | None = None) -> Filling:
    """The cheapest whole unlock next, again and again: most value for each part of the capacity that it still needs.

    What is due comes first, by its day. An unlock that can't be finished within periods and budgets is left out whole.
    At the end what is left of the capacity goes to the blocks with the most reward for it.
    """
    steps, filling = steps_of(problem), until or empty_filling(problem)
    dear = step_prices(problem)
    block_price = [sum(dear[s] for s in steps_of_block) for steps_of_block in steps]
    done: set[int] = {b for b, steps_of_block in enumerate(steps) if not steps_of_block}
    users: list[list[int]] = [[] for _ in steps]
    for u, blocks in enumerate(problem.needs):
        for b in blocks:
            users[b].append(u)
    for b in sorted(np.flatnonzero(problem.block_due >= 0).tolist(), key=lambda b: problem.block_due[b]):
        if fill_block(problem, filling, steps[b], whole=True):
            done.add(b)
    worth = problem.value[:, min(1, problem.periods)].tolist()
    ratio = _ratios(problem, block_price, worth)
    heap = [(-ratio(u, done), u) for u in range(len(worth)) if problem.parent[u] < 0]
    heapq.heapify(heap)
    left, opened = set(range(len(worth))), set()
    for u in sorted(np.flatnonzero(problem.due >= 0).tolist(), key=lambda u: problem.due[u]):
        if _open(problem, filling, steps, u, done):
            opened.add(u)
        left.discard(u)
        heap += [(-ratio(child, done), child) for child in np.flatnonzero(problem.parent == u).tolist()]
    heapq.heapify(heap)
    children: dict[int, list[int]] = {}
    for u, parent in enumerate(problem.parent.tolist()):
        children.setdefault(parent, []).append(u)
    while heap:
        ratio_then, u = heapq.heappop(heap)
        if u not in left or -ratio(u, done) < ratio_then - TINY:
            continue
        left.discard(u)
        before = set(done)
        if _open(problem, filling, steps, u, done):
            again = {v for b in done - before for v in users[b]} | set(children.get(u, ()))
            for v in again & left:
                if problem.parent[v] < 0 or int(problem.parent[v]) not in left:
                    heapq.heappush(heap, (-ratio(v, done), v))
    rest = [b for b in range(len(steps)) if b not in done]
    return fill_rest(problem, filling, rest, block_price)


def _ratios(problem: Problem, block_price: list[float], worth: list[float]) -> Any:
    def ratio(u: int, done: set[int]) -> float:
        price = sum(block_price[b] for b in problem.needs[u] if b not in done)
        return worth[u] / price if price > 0 else np.inf

    return ratio


def _open(problem: Problem, filling: Filling, steps: list[list[int]], u: int, done: set[int]) -> bool:
    """Work on all that an unlock still needs, or on nothing."""
    todo = [b for b in problem.needs[u] if b not in done]
    if len(todo) == 1:
        if fill_block(problem, filling, steps[todo[0]], whole=True):
            done.add(todo[0])
            return True
        return False
    point = _undo_point(filling)
    for b in todo:
        if not fill_block(problem, filling, steps[b], whole=True):
            _back_to(filling, point)
            return False
    done.update(todo)
    return True


def fill_rest(problem: Problem, filling: Filling, blocks: Iterable[int], block_price: Sequence[float]) -> Filling:
    """What is left of the capacity goes to blocks with a reward of their own, the most for its price first."""
    steps = steps_of(problem)
    gain = problem.reward[:, min(1, problem.periods)]
    wanted = [b for b in blocks if gain[b] > 0 and np.isfinite(block_price[b])]
    for b in sorted(wanted, key=lambda b: (-gain[b] / max(block_price[b], TINY), b)):
        fill_block(problem, filling, steps[b], whole=False)
    return filling


def in_order(problem: Problem, blocks: Sequence[int]) -> Filling:
    """Blocks worked down a list: each as early as it can be, as far as periods and budgets reach."""
    steps, filling = steps_of(problem), empty_filling(problem)
    for b in blocks:
        fill_block(problem, filling, steps[b], whole=False)
    return filling


def whole_in_order(problem: Problem, unlocks: Sequence[int]) -> Filling:
    """Unlocks opened whole in an order; one that can't be finished is left out, and the rest filled as in greedy."""
    steps, filling = steps_of(problem), empty_filling(problem)
    done: set[int] = {b for b, steps_of_block in enumerate(steps) if not steps_of_block}
    for b in sorted(np.flatnonzero(problem.block_due >= 0).tolist(), key=lambda b: problem.block_due[b]):
        if fill_block(problem, filling, steps[b], whole=True):
            done.add(b)
    due = sorted(np.flatnonzero(problem.due >= 0).tolist(), key=lambda u: problem.due[u])
    for u in (*due, *unlocks):
        _open(problem, filling, steps, int(u), done)
    dear = step_prices(problem)
    rest = [b for b in range(len(steps)) if b not in done]
    return fill_rest(problem, filling, rest, [sum(dear[s] for s in steps_of_block) for steps_of_block in steps])


def progress(problem: Problem, work: Sequence[tuple[int, int, int, float]]) -> Array:
    """Finished part of each step at the end of each period (steps, periods) [1]."""
    done = np.zeros((len(problem.ground), problem.periods))
    if work:
        s, _, t, part = (np.array(column) for column in zip(*work, strict=True))
        np.add.at(done, (s.astype(int), t.astype(int)), part)
    return np.cumsum(done, axis=1)


def opened(problem: Problem, done: Array) -> Array:
    """Period after which each unlock is open (unlocks); 0 from the start, periods + 1 never."""
    periods = problem.periods
    ends = np.zeros(len(problem.last), dtype=int)
    held = problem.last >= 0
    part = done[problem.last[held]] >= 1 - 1e-7
    ends[held] = np.where(part.any(axis=1), part.argmax(axis=1) + 1, periods + 1)
    last = [max((ends[b] for b in blocks), default=0) for blocks in problem.needs]
    opens: Array = np.maximum(np.array(last, dtype=int), problem.floor)
    for u in np.flatnonzero(problem.parent >= 0):
        opens[u] = max(opens[u], opens[problem.parent[u]])
    return opens


def worth(problem: Problem, work: Sequence[tuple[int, int, int, float]]) -> float:
    """The objective of a schedule [person-months]; a deadline that is missed outweighs all that can be won."""
    done = progress(problem, work)
    value = np.column_stack([problem.value, np.zeros(len(problem.value))])
    ends = opened(problem, done)
    total = float(value[np.arange(len(value)), ends].sum())
    missed = np.count_nonzero((problem.due >= 0) & (ends > problem.due))
    for b in np.flatnonzero((problem.block_due >= 0) & (problem.last >= 0)):
        missed += int(done[problem.last[b], problem.block_due[b] - 1] < 1 - 1e-7)
    if missed:
        total -= missed * (1 + float(problem.value[:, 0].sum() + problem.reward[:, 0].sum()))
    held = problem.last >= 0
    if held.any():
        gains = np.diff(done[problem.last[held]], axis=1, prepend=0.0)
        total += float((gains * problem.reward[held][:, 1:]).sum())
    total += float(problem.reward[~held, 0].sum())
    if problem.stability and problem.kept.size:
        total += problem.stability * float(np.minimum(days_by_district(problem, work), problem.kept).sum())
    return total


def valued(problem: Problem) -> tuple[Array, Array]:
    """Worth of each unlock and of each finished block by period, 0 to periods + 1 for never, with fines for deadlines.

    The fines are those of ``worth``; a block counts as if all of it were finished at its end.
    """
    value = np.column_stack([problem.value, np.zeros(len(problem.value))])
    reward = np.column_stack([problem.reward, np.zeros(len(problem.reward))])
    fine = 1 + float(problem.value[:, 0].sum() + problem.reward[:, 0].sum())
    for u in np.flatnonzero(problem.due >= 0):
        value[u, problem.due[u] + 1 :] -= fine
    for b in np.flatnonzero((problem.block_due >= 0) & (problem.last >= 0)):
        reward[b, problem.block_due[b] + 1 :] -= fine
    return value, reward


def cheapest_first(problem: Problem) -> Problem:
    """The same problem, in which the team whose work on a step costs least is asked first."""
    cost = problem.cost.tolist()
    options = tuple(tuple(sorted(teams, key=lambda team: team[1] * cost[team[0]])) for teams in problem.options)
    return replace(problem, options=options)


def with_rest(problem: Problem, work: Sequence[tuple[int, int, int, float]]) -> list[tuple[int, int, int, float]]:
    """A schedule, and what is left of days and money put to blocks with a reward of their own."""
    filling, steps, dear = filling_of(problem, work), steps_of(problem), step_prices(problem)
    rest = [b for b, steps_of_block in enumerate(steps) if steps_of_block and finished_by(problem, filling, b) < 0]
    return fill_rest(problem, filling, rest, [sum(dear[s] for s in steps_of_block) for steps_of_block in steps]).work


def days_by_district(problem: Problem, work: Sequence[tuple[int, int, int, float]]) -> Array:
    """Team-days by team, district and period (teams, districts, periods)."""
    days = np.zeros(problem.kept.shape)
    effort = [dict(options) for options in problem.options]
    for s, team, t, part in work:
        days[team, problem.district[problem.block[s]], t] += part * effort[s][team]
    return days
