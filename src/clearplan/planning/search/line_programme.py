"""Plans of whole lines as a mixed-integer programme: whether a team is on a step in a period, and what it books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.search.highs import Programme
from clearplan.planning.search.lines import Key, Line
from clearplan.planning.search.milp import Rows, add_openings, add_steps
from clearplan.planning.search.order import WorkOrder
from clearplan.planning.search.problem import TINY, Problem, opened, progress

Array = NDArray[Any]
#: Who is on a step works there at least so much [team-days]: nobody stays without work to be spared another set-up.
_SOME_WORK = 0.05


@dataclass(frozen=True)
class LineColumns:
    """Where the programme keeps what: number of the column of each.

    ``done`` (steps, periods), ``open`` (unlocks, periods) and ``part`` as in :class:`milp.Columns`; of each line of
    ``keys`` (step, team, period): ``worked``, its part of the step, ``there``, whether it is, ``days`` [team-days],
    ``comes`` and ``leaves``.
    """

    done: Array
    part: dict[Key, int]
    open: Array
    keys: Array
    worked: Array
    there: Array
    days: Array
    comes: Array
    leaves: Array
    number: int


def line_columns(problem: Problem, order: WorkOrder, near: Mapping[int, range]) -> LineColumns:
    """Numbers of all columns: lines that have days to be worked in; of steps that are ``near`` only in its periods."""
    steps, periods, unlocks = len(problem.ground), problem.periods, len(problem.needs)
    depth = _depth(problem)
    able, every = problem.capacity >= max(order.least, TINY), range(periods)
    keys = [
        (s, team, t)
        for s in range(steps)
        for team in order.work[s]
        for t in range(int(problem.begin[problem.block[s]]) + depth[s] * problem.wait, periods)
        if able[team, t] and not order.closed[s, t] and t in near.get(s, every)
    ]
    done = np.arange(steps * periods).reshape(steps, periods)
    number = done.size
    opening = np.arange(number, number + unlocks * periods).reshape(unlocks, periods)
    number += opening.size
    each = np.arange(number, number + 5 * len(keys)).reshape(5, len(keys))
    part = dict(zip(keys, each[0].tolist(), strict=True))
    table, (worked, there, days, comes, leaves) = np.array(keys, dtype=int).reshape(-1, 3), each
    return LineColumns(done, part, opening, table, worked, there, days, comes, leaves, number + each.size)


def _depth(problem: Problem) -> list[int]:
    """How many steps come before each on its block."""
    depth: list[int] = []
    for before in problem.before.tolist():
        depth.append(0 if before < 0 else depth[before] + 1)
    return depth


def line_programme(problem: Problem, order: WorkOrder, at: LineColumns, money: Array) -> Programme:
    """The programme of a problem of blocks of one task each; ``money`` (periods): what may be spent [currency]."""
    rows = Rows()
    gain, upper, whole = np.zeros(at.number), np.ones(at.number), np.zeros(at.number, dtype=bool)
    add_steps(problem, at, rows, upper)
    add_openings(problem, at, rows, upper, gain)
    _lines(problem, order, at, rows, upper)
    _stays(at, rows)
    _on_site(problem, order, at, rows)
    _sums(problem, at, rows, money)
    whole[at.open.ravel()] = True
    whole[at.there] = True
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


def _lines(problem: Problem, order: WorkOrder, at: LineColumns, rows: Rows, upper: Array) -> None:
    """What a line books: its work, the set-up and the close-out, the least deployment."""
    if not len(at.keys):
        return
    s, team, t = at.keys.T
    work = np.array([order.work[step][who] for step, who in zip(s.tolist(), team.tolist(), strict=True)])
    able = np.minimum(problem.capacity[team, t], order.most * order.of_one[team, t])
    rows.add(-np.inf, 0, (at.worked, 1.0), (at.there, -np.minimum(able / work, 1.0)))
    rows.add(0, np.inf, (at.worked, work), (at.there, -np.minimum(_SOME_WORK, work)))
    rows.add(
        0,
        np.inf,
        (at.days, 1.0),
        (at.worked, -work),
        (at.comes, -order.set_up[s, team]),
        (at.leaves, -order.close_out[s, team]),
    )
    if order.least > 0:
        rows.add(0, np.inf, (at.days, 1.0), (at.there, -order.least))
    upper[at.days] = able


def _stays(at: LineColumns, rows: Rows) -> None:
    """A team comes where it was not the period before, and leaves where it is not in the next."""
    keys = at.keys.tolist()
    number = {(s, team, t): k for k, (s, team, t) in enumerate(keys)}
    for side, shift in ((at.comes, -1), (at.leaves, 1)):
        near = np.array([number.get((s, team, t + shift), -1) for s, team, t in keys], dtype=int)
        alone = near < 0
        if alone.any():
            rows.add(0, np.inf, (side[alone], 1.0), (at.there[alone], -1.0))
        if (~alone).any():
            rows.add(0, np.inf, (side[~alone], 1.0), (at.there[~alone], -1.0), (at.there[near[~alone]], 1.0))


def _on_site(problem: Problem, order: WorkOrder, at: LineColumns, rows: Rows) -> None:
    """Teams on a task in a period: a line is less than one team more than its days take."""
    if not np.isfinite(order.most):
        return
    there: dict[tuple[int, int], list[int]] = {}
    for k, (s, _, t) in enumerate(at.keys.tolist()):
        there.setdefault((int(problem.block[s]), t), []).append(k)
    for lines in there.values():
        of_one = [float(order.of_one[at.keys[k, 1], at.keys[k, 2]]) for k in lines]
        columns = [int(at.days[k]) for k in lines] + [int(at.there[k]) for k in lines]
        rows.add_sum(-np.inf, order.most + 1.0, columns, [1 / days for days in of_one] + [1.0] * len(lines))


def _sums(problem: Problem, at: LineColumns, rows: Rows, money: Array) -> None:
    """Days of teams, and money."""
    lines: dict[tuple[int, int], list[int]] = {}
    for k, (_, team, t) in enumerate(at.keys.tolist()):
        lines.setdefault((team, t), []).append(k)
    for (team, t), there in lines.items():
        able = float(problem.capacity[team, t])
        rows.add_sum(-np.inf, 1.0, at.days[there], [1 / able] * len(there))
    cost = problem.cost[at.keys[:, 1]]
    for t in range(problem.periods):
        of_period = np.flatnonzero(at.keys[:, 2] == t)
        if np.isfinite(money[t]) and len(of_period):
            scale = max(float(money[t]), 1.0)
            rows.add_sum(-np.inf, float(money[t]) / scale, at.days[of_period], cost[of_period] / scale)
    if np.isfinite(problem.budget) and len(cost):
        scale = max(problem.budget, 1.0)
        rows.add_sum(-np.inf, problem.budget / scale, at.days, cost / scale)


def line_point(problem: Problem, at: LineColumns, lines: Mapping[Key, Line]) -> Array:
    """Lines as a point of the programme, to begin the search with."""
    point = np.zeros(at.number)
    done = np.minimum(progress(problem, [(*key, line.part) for key, line in lines.items()]), 1.0)
    done[done >= 1 - 1e-7] = 1.0
    point[at.done.ravel()] = done.ravel()
    number = {(s, team, t): k for k, (s, team, t) in enumerate(at.keys.tolist())}
    for (s, team, t), line in lines.items():
        k = number[s, team, t]
        point[at.worked[k]] = line.part
        point[at.there[k]], point[at.days[k]] = 1.0, line.days
        point[at.comes[k]] = float((s, team, t - 1) not in lines)
        point[at.leaves[k]] = float((s, team, t + 1) not in lines)
    ends = opened(problem, done)
    point[at.open] = ends[:, None] <= np.arange(1, problem.periods + 1)
    return point


def lines_of(order: WorkOrder, at: LineColumns, point: Array) -> dict[Key, Line]:
    """Lines of a point, each with just the days that it books."""
    parts: dict[int, list[tuple[Key, float]]] = {}
    for k, (s, team, t) in enumerate(at.keys.tolist()):
        if point[at.there[k]] > 0.5 and point[at.worked[k]] > 1e-9:
            parts.setdefault(s, []).append(((s, team, t), float(point[at.worked[k]])))
    there = {key: part for of_step in parts.values() for key, part in _rounded(of_step)}
    return {key: line_at(order, key, part, there) for key, part in there.items()}


def _rounded(parts: list[tuple[Key, float]]) -> list[tuple[Key, float]]:
    """Parts of a step: what is the whole but for rounding of the solver is the whole."""
    whole = sum(part for _, part in parts)
    if abs(whole - 1) < 1e-6:
        return [(key, part / whole) for key, part in parts]
    return parts


def line_at(order: WorkOrder, key: Key, part: float, there: Mapping[Key, object]) -> Line:
    """The line that does a part of a step, beside the lines that are there."""
    s, team, t = key
    comes, leaves = (s, team, t - 1) not in there, (s, team, t + 1) not in there
    beside = comes * float(order.set_up[s, team]) + leaves * float(order.close_out[s, team])
    return Line(part, max(part * order.work[s][team] + beside, order.least), comes)
