"""Deadlines that must hold: whether all can be met, and if not, which limits stand against which, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.search.highs import relax
from clearplan.planning.search.milp import columns_of, programme_of, work_of
from clearplan.planning.search.problem import Problem

Array = NDArray[Any]
#: What limits the work of a team on a step.
Limit = TypeVar("Limit")
#: A deadline: ("unlock", its number) or ("block", its number).
Deadline = tuple[str, int]

#: Teams or money without end, as a multiple of what there is.
_ENDLESS = 1e6
#: A step that lacks less of its ground is finished: rounding of the solver [1].
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Lack:
    """What lacks for some deadlines.

    ``days``: team to the team-days that it lacks at least; ``budget``, ``budget_a_period``: money that is lacking at
    least, 0 for none [currency]; any one of these. Where no team and no money is named, time is lacking: the order of
    steps, seasons and the days before the deadline leave too little of it, however many teams there are. ``further``:
    what lacks besides, however much there is of what is named here.
    """

    days: Mapping[int, float]
    budget: float
    budget_a_period: float
    further: Lack | None = None


@dataclass(frozen=True)
class Clash:
    """Deadlines and limits that can't all hold; leave out any one of them and the others can.

    ``deadlines``: each with its period; ``later``: the deadline that gives way, and the period that it gets, -1 for
    none; ``lack``: what would let all of them hold.
    """

    deadlines: Mapping[Deadline, int]
    later: tuple[Deadline, int]
    lack: Lack


@dataclass(frozen=True)
class Met:
    """A problem whose deadlines can all be met, work that meets them, and the clashes that were resolved for it."""

    problem: Problem
    work: list[tuple[int, int, int, float]]
    clashes: tuple[Clash, ...]


def meet(problem: Problem) -> Met:
    """The problem with deadlines that can all be met; in each clash the unlock that is worth least gives way.

    What must be finished by a deadline is fluid work, so a linear programme decides exactly whether it can be. A clash
    is reduced by leaving out one limit after the other (deletion filter: Chinneck, Feasibility and Infeasibility in
    Optimization, 2008), so every limit that is named matters.
    """
    clashes: list[Clash] = []
    while True:
        work = _work(problem, _due(problem))
        if work is not None:
            return Met(problem, work, tuple(clashes))
        clash = _clash(problem)
        clashes.append(clash)
        problem = _with(problem, dict([clash.later]))


def _deadlines(problem: Problem) -> dict[Deadline, int]:
    unlocks: dict[Deadline, int] = {("unlock", int(u)): int(problem.due[u]) for u in np.flatnonzero(problem.due >= 0)}
    return unlocks | {("block", int(b)): int(problem.block_due[b]) for b in np.flatnonzero(problem.block_due >= 0)}


def _with(problem: Problem, changed: Mapping[Deadline, int]) -> Problem:
    due, block_due = problem.due.copy(), problem.block_due.copy()
    for (kind, k), period in changed.items():
        (due if kind == "unlock" else block_due)[k] = period
    return replace(problem, due=due, block_due=block_due)


def _due(problem: Problem, only: Iterable[Deadline] | None = None) -> Array:
    """Period by which each block must be finished (blocks), -1 for none."""
    deadlines = _deadlines(problem)
    due = np.full(len(problem.last), -1)
    for kind, k in deadlines if only is None else only:
        period = deadlines[kind, k]
        if kind == "unlock" and period < problem.floor[k]:
            period = 0  # a gate holds it until later, whatever is finished
        for b in problem.needs[k] if kind == "unlock" else (k,):
            if problem.last[b] >= 0:
                due[b] = period if due[b] < 0 else min(due[b], period)
    return due


def part_due(problem: Problem, due: Array | None = None, *, held: bool = False) -> tuple[Problem, Array]:
    """The blocks that are due, as a problem of their own without unlocks; and its steps in the whole problem.

    With ``held`` they are due in it too; else it only tells them.
    """
    due = _due(problem) if due is None else due
    blocks = np.flatnonzero(due >= 0)
    steps = np.flatnonzero(np.isin(problem.block, blocks))
    place = np.full(len(problem.ground) + 1, -1)
    place[steps] = np.arange(len(steps))
    none = np.zeros((len(blocks), problem.periods + 1))
    part = replace(
        problem,
        ground=problem.ground[steps],
        before=place[problem.before[steps]],
        block=np.searchsorted(blocks, problem.block[steps]),
        last=place[problem.last[blocks]],
        options=tuple(problem.options[s] for s in steps),
        beside=tuple(problem.beside[s] for s in steps) if problem.beside else (),
        reach=tuple(problem.reach[s] for s in steps) if problem.reach else (),
        needs=(),
        parent=np.zeros(0, dtype=int),
        value=none[:0],
        reward=none,
        due=np.zeros(0, dtype=int),
        block_due=due[blocks] if held else np.full(len(blocks), -1),
        begin=problem.begin[blocks],
        floor=problem.floor[:0],
        district=problem.district[blocks],
        kept=problem.kept[:, :0],
        stability=0.0,
    )
    return part, steps


def _work(problem: Problem, due: Array) -> list[tuple[int, int, int, float]] | None:
    """Work that finishes each block by its period, in the numbers of the whole problem; None where none can."""
    part, steps = part_due(problem, due)
    periods = due[due >= 0]
    if not len(periods):
        return []
    if (periods == 0).any():
        return None
    at = columns_of(part)
    programme = programme_of(part, at)
    programme.gain[at.done[part.last, periods - 1]] = 1.0
    answer = relax(programme, corner=True)
    if answer.point is None or answer.objective < len(periods) - _ROUNDING:
        return None
    return [(int(steps[s]), team, t, share) for s, team, t, share in work_of(part, at, answer.point)]


def _clash(problem: Problem) -> Clash:
    deadlines = _deadlines(problem)
    clashing = list(deadlines)
    for deadline in sorted(deadlines, key=lambda d: (-deadlines[d], d)):  # the latest are left out first
        fewer = [other for other in clashing if other != deadline]
        if _work(problem, _due(problem, fewer)) is None:
            clashing = fewer
    lack = _lack(problem, _due(problem, clashing))
    return Clash({d: deadlines[d] for d in clashing}, _gives_way(problem, clashing, deadlines), lack)


def what_lacks(problem: Problem, opens: Mapping[int, int]) -> Lack | None:
    """What it would take for unlocks to be open by given periods, promises kept; None where nothing lacks.

    Of the limits of each lack any one would do, as far as all others have more than enough.
    """
    dated = _with(replace(problem, due=np.full(len(problem.due), -1)), {("unlock", u): t for u, t in opens.items()})
    due = _due(dated)
    return None if _work(dated, due) is not None else _lack(dated, due)


def _lack(problem: Problem, due: Array) -> Lack:
    """Limits that stand against deadlines, and how much of each lacks; then those that still do without these."""
    groups: list[Lack] = []
    limits, enough = _limits(problem, due), False
    while not enough:
        endless, held = problem, []
        for limit in limits:
            more = _endless(endless, limit)
            if _work(more, due) is None:
                endless = more
            else:
                held.append(limit)
        groups.append(Lack(*_amounts(problem, endless, held, due)))
        for limit in held:
            problem = _endless(problem, limit)
        limits = [limit for limit in limits if limit not in held]
        enough = not held or _work(problem, due) is not None
    lack = groups.pop()
    while groups:
        lack = replace(groups.pop(), further=lack)
    return lack


def _amounts(
    problem: Problem, endless: Problem, held: Sequence[tuple[str, int]], due: Array
) -> tuple[dict[int, float], float, float]:
    """How much of each limit lacks: with all others as they are where that can be, else with them endless."""
    days, money = {}, {"budget": 0.0, "budget_a_period": 0.0}
    for kind, k in held:
        base = problem if _work(_endless(problem, (kind, k)), due) is not None else endless
        if kind == "team":
            days[k] = _lacking_days(base, due, k)
        else:
            money[kind] = (_lacking_budget if kind == "budget" else _lacking_a_period)(base, due)
    return days, money["budget"], money["budget_a_period"]


def _limits(problem: Problem, due: Array) -> list[tuple[str, int]]:
    """Limits on work that is due: money, then teams."""
    part, _ = part_due(problem, due)
    teams = sorted({team for options in part.options for team, _ in options})
    money = [name for name in ("budget", "budget_a_period") if np.isfinite(getattr(problem, name))]
    return [*((name, 0) for name in money), *(("team", team) for team in teams)]


def _endless(problem: Problem, limit: tuple[str, int]) -> Problem:
    kind, k = limit
    if kind != "team":
        return replace(problem, **{kind: np.inf})  # type: ignore[arg-type]
    capacity = problem.capacity.copy()
    capacity[k] *= _ENDLESS
    return replace(problem, capacity=capacity)


def _least(problem: Problem, due: Array, price: Mapping[int, float]) -> float:
    """Least cost of work that meets all deadlines, at a price for a team-day of each team."""
    part, _ = part_due(problem, due, held=True)
    at = columns_of(part)
    programme = programme_of(part, at)
    for (s, team, _), column in at.part.items():
        programme.gain[column] = -price.get(team, 0.0) * dict(part.options[s])[team]
    answer = relax(programme, corner=True)
    return -answer.objective if answer.point is not None else float("inf")


def _lacking_days(problem: Problem, due: Array, team: int) -> float:
    """Team-days that a team lacks, the least that would do [team-days]."""
    more = with_twin(problem, team, problem.capacity[team] * _ENDLESS)
    return _least(more, due, {len(problem.cost): 1.0})


def with_twin(problem: Problem, team: int, capacity: Array) -> Problem:
    """The problem with one more team that does all that a team does, with days of its own (periods) [team-days]."""
    twin = len(problem.cost)
    options = []
    for teams in problem.options:
        effort = dict(teams).get(team)
        options.append(teams if effort is None else (*teams, (twin, effort)))

    def with_it(of_steps: tuple[dict[int, Limit], ...]) -> tuple[dict[int, Limit], ...]:
        return tuple(of | {twin: of[team]} if team in of else of for of in of_steps)

    return replace(
        problem,
        options=tuple(options),
        beside=with_it(problem.beside),
        carried=np.column_stack([problem.carried, problem.carried[:, team]]) if problem.beside else problem.carried,
        reach=with_it(problem.reach),
        capacity=np.vstack([problem.capacity, capacity]),
        cost=np.append(problem.cost, problem.cost[team]),
        kept=np.concatenate([problem.kept, problem.kept[:1] * 0.0]),
    )


def _lacking_budget(problem: Problem, due: Array) -> float:
    price = dict(enumerate(problem.cost.tolist()))
    return _least(replace(problem, budget=np.inf), due, price) - problem.budget


def _lacking_a_period(problem: Problem, due: Array) -> float:
    """What the budget of every period lacks, found by halving."""
    low, high = problem.budget_a_period, max(2 * problem.budget_a_period, 1.0)
    while _work(replace(problem, budget_a_period=high), due) is None:
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        if _work(replace(problem, budget_a_period=middle), due) is None:
            low = middle
        else:
            high = middle
    return high - problem.budget_a_period


def _gives_way(problem: Problem, clashing: Sequence[Deadline], periods: Mapping[Deadline, int]) -> tuple[Deadline, int]:
    """The unlock of a clash that is worth least, or else its last block; and the first period that the others leave."""
    unlocks = [k for kind, k in clashing if kind == "unlock"]
    one: Deadline = clashing[-1]
    if unlocks:
        one = ("unlock", min(unlocks, key=lambda u: (float(problem.value[u, :2].max()), u)))
    low, high = periods[one], problem.periods + 1
    while high - low > 1:
        middle = (low + high) // 2
        moved = _with(problem, {one: middle})
        if _work(moved, _due(moved, clashing)) is None:
            low = middle
        else:
            high = middle
    return one, high if high <= problem.periods else -1
