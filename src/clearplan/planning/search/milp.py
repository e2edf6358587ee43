"""The plan as a mixed-integer programme: what is done by when, and what is open by when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.search.highs import Programme
from clearplan.planning.search.problem import Problem, days_by_district, opened, progress, stored

Array = NDArray[Any]


@dataclass(frozen=True)
class Columns:
    """Where the programme keeps what: number of the column of each.

    ``done`` (steps, periods): finished part of a step at the end of a period;
    ``part``: (step, team, period) -> part of the step that the team works then;
    ``open`` (unlocks, periods): whether it is open after a period; ``stays`` (teams, districts, periods), -1: none;
    ``beside`` (4, teams, periods): days booked as teams come, of these what later work has still to use, days booked as
    teams leave, and what earlier work has still to book; of no periods where nothing is booked beside work.
    """

    done: Array
    part: dict[tuple[int, int, int], int]
    open: Array
    stays: Array
    beside: Array
    number: int


class Numbered(Protocol):
    """Columns that every programme of a problem has: see :class:`Columns`."""

    @property
    def done(self) -> Array: ...  # noqa: D102
    @property
    def part(self) -> dict[tuple[int, int, int], int]: ...  # noqa: D102
    @property
    def open(self) -> Array: ...  # noqa: D102


class Rows:
    """Rows of a programme as they are written."""

    def __init__(self) -> None:
        self.row: list[Array] = []
        self.column: list[Array] = []
        self.entry: list[Array] = []
        self.low: list[Array] = []
        self.high: list[Array] = []
        self.count = 0

    def add(self, low: float | Array, high: float | Array, *terms: tuple[int | Array, float | Array]) -> None:
        """Rows side by side: each term is (columns, entries), arrays of one length or single values."""
        size = max(np.size(columns) for columns, _ in terms)
        rows = np.arange(self.count, self.count + size)
        for columns, entries in terms:
            self.row.append(rows)
            self.column.append(np.broadcast_to(columns, size))
            self.entry.append(np.broadcast_to(np.asarray(entries, dtype=float), size))
        self.low.append(np.broadcast_to(np.asarray(low, dtype=float), size))
        self.high.append(np.broadcast_to(np.asarray(high, dtype=float), size))
        self.count += size

    def add_sum(
        self, low: float, high: float, columns: Sequence[int] | Array, entries: Sequence[float] | Array
    ) -> None:
        """One row over many columns."""
        self.row.append(np.full(len(columns), self.count))
        self.column.append(np.asarray(columns, dtype=int))
        self.entry.append(np.asarray(entries, dtype=float))
        self.low.append(np.array([low]))
        self.high.append(np.array([high]))
        self.count += 1


def columns_of(problem: Problem, *, stores: bool = True) -> Columns:
    """Numbers of all columns; without ``stores`` days beside work only cost money, and take no days of teams."""
    steps, periods, unlocks = len(problem.ground), problem.periods, len(problem.needs)
    done = np.arange(steps * periods).reshape(steps, periods)
    number, part = steps * periods, {}
    able = problem.capacity > 0
    for s, options in enumerate(problem.options):
        for team, _ in options:
            begin = int(problem.begin[problem.block[s]])
            for t in (begin + np.flatnonzero(able[team, begin:])).tolist():
                part[(s, team, t)] = number
                number += 1
    opening = np.arange(number, number + unlocks * periods).reshape(unlocks, periods)
    number += unlocks * periods
    stays = np.full(problem.kept.shape, -1)
    if problem.stability > 0:
        wanted = np.argwhere(problem.kept > 0)
        stays[tuple(wanted.T)] = np.arange(number, number + len(wanted))
        number += len(wanted)
    carried = stores and any(max(stored(problem, s, team)) > 0 for s, of in enumerate(problem.beside) for team in of)
    shape = (4, len(problem.cost), periods if carried else 0)
    beside = np.arange(number, number + int(np.prod(shape))).reshape(shape)
    return Columns(done, part, opening, stays, beside, number + beside.size)


def programme_of(problem: Problem, at: Columns, money: Array | None = None) -> Programme:
    """The programme of a problem.

    A step's finished part grows by what teams work on it, within their days and the budgets; a step follows the one
    before after ``wait`` periods; an unlock is open when its blocks are finished. Teams, money and ground are fluid,
    only openings are whole: so blocks of like tasks can stand for the tasks, and the answer is exact. ``money``
    (periods) stands for ``budget_a_period`` where periods differ [currency].
    """
    rows = Rows()
    gain, upper, whole = np.zeros(at.number), np.ones(at.number), np.zeros(at.number, dtype=bool)
    add_steps(problem, at, rows, upper)
    _limits(problem, at, rows, money)
    _beside(problem, at, rows, upper)
    _reach(problem, at, upper)
    add_openings(problem, at, rows, upper, gain)
    whole[at.open.ravel()] = True
    _staying(problem, at, rows, upper, gain)
    return Programme(
        gain,
        upper,
        whole,
        np.concatenate(rows.row),
        np.concatenate(rows.column),
        np.concatenate(rows.entry),
        np.concatenate(rows.low),
        np.concatenate(rows.high),
    )


def _due(rows: Rows, upper: Array, columns: Array, due: int) -> None:
    if due == 0:
        rows.add(1, 1, (columns[0], 0.0))  # can't be met: the programme has no answer
    else:
        rows.add(1, 1, (columns[due - 1], 1.0))


def add_steps(problem: Problem, at: Numbered, rows: Rows, upper: Array) -> None:
    """Finished parts grow by the work on them, and follow the step before."""
    periods, wait = problem.periods, problem.wait
    keys = np.array(list(at.part), dtype=int).reshape(-1, 3)
    numbers = np.fromiter(at.part.values(), dtype=int, count=len(at.part))
    first = rows.count
    rows.add(0, 0, (at.done[:, 0], 1.0))
    for t in range(1, periods):
        rows.add(0, 0, (at.done[:, t], 1.0), (at.done[:, t - 1], -1.0))
    if len(keys):
        rows.row.append(first + keys[:, 2] * len(problem.ground) + keys[:, 0])
        rows.column.append(numbers)
        rows.entry.append(np.full(len(numbers), -1.0))
    later = np.flatnonzero(problem.before >= 0)
    for t in range(periods if len(later) else 0):
        if t < wait:
            upper[at.done[later, t]] = 0.0
        else:
            rows.add(-np.inf, 0, (at.done[later, t], 1.0), (at.done[problem.before[later], t - wait], -1.0))


def _limits(problem: Problem, at: Columns, rows: Rows, money: Array | None) -> None:
    """Days of teams, and money."""
    effort = {(s, team): days for s, options in enumerate(problem.options) for team, days in options}
    by_team: dict[tuple[int, int], list[tuple[int, float]]] = {}
    spent: dict[int, list[tuple[int, float]]] = {}
    every: list[tuple[int, float]] = []
    for (s, team, t), column in at.part.items():
        days, cost = effort[s, team], float(problem.cost[team])
        every.append((column, days * cost))
        if problem.beside:  # what may be booked in another period than the work
            days = max(days - sum(stored(problem, s, team)), 0.0)
        by_team.setdefault((team, t), []).append((column, days))
        spent.setdefault(t, []).append((column, days * cost))
    if at.beside.size:
        for team, t in by_team:
            booked = [int(at.beside[side, team, t]) for side in (0, 2)]
            by_team[team, t] += [(column, 1.0) for column in booked]
            spent[t] += [(column, float(problem.cost[team])) for column in booked]
    for (team, t), terms in by_team.items():
        able = float(problem.capacity[team, t])
        rows.add_sum(-np.inf, 1.0, [c for c, _ in terms], [days / able for _, days in terms])
    if np.isfinite(problem.budget_a_period):
        scale = max(problem.budget_a_period, 1.0)
        for t, terms in spent.items():
            able = float(problem.budget_a_period if money is None else money[t])
            rows.add_sum(-np.inf, able / scale, [c for c, _ in terms], [m / scale for _, m in terms])
    if np.isfinite(problem.budget):
        scale = max(problem.budget, 1.0)
        rows.add_sum(-np.inf, problem.budget / scale, [c for c, _ in every], [m / scale for _, m in every])


def _beside(problem: Problem, at: Columns, rows: Rows, upper: Array) -> None:
    """Days beside work that may be booked in other periods than the work: see :func:`problem.stored`.

    Those as teams come are booked not after the work, those as they leave not before. They are counted by stores of
    days for each team: what is booked as teams come, less what work uses of it, is never below nothing; so is what work
    asks for as teams leave, less what is booked of it, and at the end nothing is left of that. Only stays that go on
    into the next period carry any of it there, and each takes the least deployment in both: so a store is no more than
    ``carried`` of these days.
    """
    if not at.beside.size:
        return
    comes, ahead, leaves, owed = at.beside
    used: dict[tuple[int, int], list[tuple[int, float, float]]] = {}
    for (s, team, t), column in at.part.items():
        used.setdefault((team, t), []).append((column, *stored(problem, s, team)))
    able = np.cumsum(problem.capacity, axis=1)
    upper[comes], upper[leaves] = problem.capacity, problem.capacity
    both = np.minimum(problem.capacity, np.roll(problem.capacity, -1, axis=1))
    with np.errstate(invalid="ignore"):
        most = np.where(both > 0, problem.carried[:, :, None] * both, 0.0)
    upper[ahead], upper[owed] = np.minimum(able, most)
    upper[owed[:, -1]] = 0.0
    for team, t in np.ndindex(comes.shape):
        scale = max(float(able[team, -1]), 1.0) / problem.periods
        parts = used.get((team, t), [])
        columns = [c for c, _, _ in parts]
        before = [] if t == 0 else [int(ahead[team, t - 1])]
        signs = [1.0, -1.0, *(-1.0 for _ in before), *(days for _, days, _ in parts)]
        rows.add_sum(
            0.0,
            0.0,
            [int(ahead[team, t]), int(comes[team, t]), *before, *columns],
            [sign / scale for sign in signs],
        )
        before = [] if t == 0 else [int(owed[team, t - 1])]
        signs = [1.0, 1.0, *(-1.0 for _ in before), *(-days for _, _, days in parts)]
        rows.add_sum(
            0.0,
            0.0,
            [int(owed[team, t]), int(leaves[team, t]), *before, *columns],
            [sign / scale for sign in signs],
        )


def _reach(problem: Problem, at: Columns, upper: Array) -> None:
    """No more teams on a task than may be there."""
    for (s, team, t), column in at.part.items() if problem.reach else ():
        upper[column] = min(upper[column], problem.reach[s][team][t])


def add_openings(problem: Problem, at: Numbered, rows: Rows, upper: Array, gain: Array) -> None:
    """Open is what all of its blocks are finished for; what it is worth, and what finished blocks are."""
    pairs = [(u, problem.last[b]) for u, blocks in enumerate(problem.needs) for b in blocks if problem.last[b] >= 0]
    if pairs:
        u, s = np.array(pairs, dtype=int).T
        for t in range(problem.periods):
            rows.add(-np.inf, 0, (at.open[u, t], 1.0), (at.done[s, t], -1.0))
    for one in np.flatnonzero(problem.floor > 1):
        upper[at.open[one, : problem.floor[one] - 1]] = 0.0
    children = np.flatnonzero(problem.parent >= 0)
    if len(children):
        for t in range(problem.periods):
            rows.add(-np.inf, 0, (at.open[children, t], 1.0), (at.open[problem.parent[children], t], -1.0))
    later = np.column_stack([problem.value[:, 2:], np.zeros(len(problem.value))])
    gain[at.open.ravel()] = (problem.value[:, 1:] - later).ravel()
    for u in np.flatnonzero(problem.due >= 0):
        _due(rows, upper, at.open[u], int(problem.due[u]))
    for b in np.flatnonzero(problem.last >= 0):
        columns = at.done[problem.last[b]]
        gain[columns] += problem.reward[b, 1:] - np.append(problem.reward[b, 2:], 0.0)
        if problem.block_due[b] >= 0:
            _due(rows, upper, columns, int(problem.block_due[b]))


def _staying(problem: Problem, at: Columns, rows: Rows, upper: Array, gain: Array) -> None:
    """Days that stay in a team's district are worth something, as far as the plan in force has them."""
    wanted = np.argwhere(at.stays >= 0)
    if not len(wanted):
        return
    effort = {(s, team): days for s, options in enumerate(problem.options) for team, days in options}
    there: dict[tuple[int, int, int], list[tuple[int, float]]] = {}
    for (s, team, t), column in at.part.items():
        there.setdefault((team, int(problem.district[problem.block[s]]), t), []).append((column, effort[s, team]))
    for team, district, t in wanted.tolist():
        key = (team, district, t)
        column, columns = int(at.stays[key]), there.get(key, [])
        upper[column] = problem.kept[key]
        gain[column] = problem.stability
        rows.add_sum(-np.inf, 0.0, [column, *(c for c, _ in columns)], [1.0, *(-days for _, days in columns)])


def point_of(problem: Problem, at: Columns, work: Sequence[tuple[int, int, int, float]]) -> Array:
    """A schedule as a point of the programme, to begin the search with."""
    point = np.zeros(at.number)
    done = np.minimum(progress(problem, work), 1.0)
    point[at.done.ravel()] = done.ravel()
    for s, team, t, part in work:
        point[at.part[s, team, t]] += part
        if at.beside.size:
            for side, days in zip((0, 2), stored(problem, s, team), strict=True):
                point[at.beside[side, team, t]] += part * days
    ends = opened(problem, done)
    point[at.open] = ends[:, None] <= np.arange(1, problem.periods + 1)
    if (at.stays >= 0).any():
        staying = np.minimum(days_by_district(problem, work), problem.kept)
        point[at.stays[at.stays >= 0]] = staying[at.stays >= 0]
    return point


def work_of(problem: Problem, at: Columns, point: Array) -> list[tuple[int, int, int, float]]:
    """The schedule of a point, parts of steps that are rounding left out."""
    return [(*key, float(point[column])) for key, column in at.part.items() if point[column] > 1e-9]
