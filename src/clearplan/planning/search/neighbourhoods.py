"""A schedule made better piece by piece: some unlocks and their work are taken out and planned again by HiGHS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.search.allowance import PIECE, Allowance
from clearplan.planning.search.highs import solve
from clearplan.planning.search.milp import columns_of, point_of, programme_of, work_of
from clearplan.planning.search.problem import Problem, days_by_district, opened, progress, worth

Array = NDArray[Any]
Work = Sequence[tuple[int, int, int, float]]
DaysOf = Callable[[Problem, Work], Array]

#: Unlocks in a piece: at first, at least, at most. It grows where HiGHS soon has the best, and shrinks where not.
_FIRST, _LEAST, _MOST = 24, 8, 120
#: A piece is planned to within this part of its best, or as far as so many nodes of the search tree reach.
_GAP, _NODES = 0.002, 5


@dataclass(frozen=True)
class Piece:
    """A part of a problem: some unlocks, the blocks that no other open unlock needs, and what the rest leaves to them.

    ``steps``: the whole problem's step of each of the piece's; ``ready`` (unlocks): period after which what each needs
    beside the piece is there; ``money`` (periods): what is left of the budget a period [currency];
    ``kept``, ``others``: the work inside and outside.
    """

    problem: Problem
    steps: Array
    ready: Array
    money: Array
    kept: Work
    others: Work


def replanned(
    problem: Problem,
    work: Work,
    hopes: Array,
    *,
    seed: int,
    allowance: Allowance,
    share: float = 1.0,
    going_on: Callable[[int, float], bool],
) -> list[tuple[int, int, int, float]]:
    """The best schedule found by planning pieces again, all the rest as it is: a search of large neighbourhoods.

    Work of blocks that no open unlock needs is left out (Shaw 1998, CP-98, on such neighbourhoods).

    Parameters
    ----------
    problem : Problem
    work : schedule
        To begin with.
    hopes : array (unlocks)
        How far each unlock is open in the linear relaxation [1].
    seed : int
    allowance : Allowance
        Charged with the work of each piece.
    share : float
        Part of the allowance that may be spent [1].
    going_on : callable
        Asked (pieces so far, worth) before each piece; the search ends where it says no.
    """
    generator = np.random.default_rng(seed)
    best = needed(problem, work)
    value, size, count = worth(problem, best), float(_FIRST), 0
    while going_on(count, value):
        count += 1
        allowance.spend(PIECE)
        ends = opened(problem, progress(problem, best))
        unlocks = chosen(problem, ends, hopes, generator, round(size))
        piece = piece_of(problem, best, unlocks, days_of=_days)
        if not len(piece.steps):
            continue
        at = columns_of(piece.problem)
        programme = programme_of(piece.problem, at, piece.money)
        early = too_early(piece, at.open)
        start = point_of(piece.problem, at, piece.kept)
        programme.upper[early] = start[early] = 0.0
        answer = solve(programme, allowance=allowance, share=share, gap=_GAP, seed=seed, nodes=_NODES, start=start)
        size = min(max(size * (1.05 if answer.gap <= _GAP else 0.95), _LEAST), _MOST)
        if answer.point is not None:
            fresh = [
                (int(piece.steps[s]), team, t, part) for s, team, t, part in work_of(piece.problem, at, answer.point)
            ]
            schedule = needed(problem, [*piece.others, *fresh])
            worth_of_schedule = worth(problem, schedule)
            if worth_of_schedule >= value:
                best, value = schedule, worth_of_schedule
    return best


def too_early(piece: Piece, opens: Array) -> Array:
    """Columns of a piece, of those of its unlocks by period, in which the rest that they need is not there yet."""
    periods = np.arange(1, piece.problem.periods + 1)
    return np.asarray(opens[periods < piece.ready[:, None]])


def needed(problem: Problem, work: Work) -> list[tuple[int, int, int, float]]:
    """Work on blocks that an open unlock needs, or that are due."""
    ends = opened(problem, progress(problem, work))
    wanted = {b for u in np.flatnonzero(ends <= problem.periods) for b in problem.needs[u]}
    wanted |= set(np.flatnonzero(problem.block_due >= 0).tolist())
    return [part for part in work if int(problem.block[part[0]]) in wanted]


def chosen(problem: Problem, ends: Array, hopes: Array, generator: np.random.Generator, size: int) -> list[int]:
    """Unlocks of a piece: a third are shut, by their hopes; the others open, near one another in time or anywhere."""
    shut = np.flatnonzero(ends > problem.periods)
    there = np.flatnonzero((ends > 0) & (ends <= problem.periods))
    few = min(len(shut), max(size // 3, size - len(there)))
    chance = np.clip(hopes[shut], 0, 1) + 0.02
    chosen: list[int] = generator.choice(shut, few, replace=False, p=chance / chance.sum()).tolist() if few else []
    if len(there):
        spread = 2 * generator.choice((0.5, 1.5, float(problem.periods)))
        apart = np.abs(ends[there] - ends[generator.choice(there)]) + spread * generator.random(len(there))
        chosen += there[np.argsort(apart, kind="stable")[: size - few]].tolist()
    return sorted(chosen)


def piece_of(problem: Problem, work: Work, unlocks: list[int], *, days_of: DaysOf) -> Piece:
    """The piece of some unlocks in a schedule; ``days_of`` counts the team-days of work (teams, periods)."""
    done = progress(problem, work)
    ends = opened(problem, done)
    inside = set(unlocks)
    others = [u for u in np.flatnonzero(ends <= problem.periods).tolist() if u not in inside]
    held = {b for u in unlocks for b in problem.needs[u]} - {b for u in others for b in problem.needs[u]}
    blocks, steps = sorted(held), np.flatnonzero(np.isin(problem.block, list(held)))
    step_no = np.full(len(problem.ground) + 1, -1)  # one more: the step before the first is -1
    step_no[steps] = np.arange(len(steps))
    block_no, unlock_no = ({k: n for n, k in enumerate(part)} for part in (blocks, unlocks))
    kept, rest = ([part for part in work if bool(step_no[part[0]] >= 0) is inner] for inner in (True, False))
    days, used = days_of(problem, rest), days_of(problem, kept)
    part = replace(
        problem,
        ground=problem.ground[steps],
        before=step_no[problem.before[steps]],
        block=np.array([block_no[b] for b in problem.block[steps].tolist()], dtype=int),
        last=step_no[problem.last[blocks]],
        options=tuple(problem.options[s] for s in steps),
        beside=(),  # its lines take what they take when they are worked on
        reach=tuple(problem.reach[s] for s in steps) if problem.reach else (),
        # what it uses now it may use again: what is left is not less by rounding
        capacity=np.maximum(np.where(problem.capacity - days > 1e-6, problem.capacity - days, 0.0), used),
        budget=max(problem.budget - float((problem.cost @ days).sum()), 0.0),
        needs=tuple(tuple(block_no[b] for b in problem.needs[u] if b in held) for u in unlocks),
        parent=np.array([unlock_no.get(int(problem.parent[u]), -1) for u in unlocks], dtype=int),
        value=problem.value[unlocks],
        reward=problem.reward[blocks],
        due=problem.due[unlocks],
        block_due=problem.block_due[blocks],
        begin=problem.begin[blocks],
        floor=problem.floor[unlocks],
        district=problem.district[blocks],
        kept=np.maximum(problem.kept - days_by_district(problem, rest), 0.0) if problem.kept.size else problem.kept,
    )
    own_kept = [(int(step_no[s]), team, t, share) for s, team, t, share in kept]
    ready = np.array([_ready(problem, done, ends, u, held, inside) for u in unlocks], dtype=int)
    return Piece(part, steps, ready, np.maximum(problem.budget_a_period - problem.cost @ days, 0.0), own_kept, rest)


def _days(problem: Problem, work: Work) -> Array:
    """Team-days of a schedule (teams, periods)."""
    days = np.zeros(problem.capacity.shape)
    for s, team, t, part in work:
        days[team, t] += part * dict(problem.options[s])[team]
    return days


def _ready(problem: Problem, done: Array, ends: Array, u: int, held: set[int], inside: set[int]) -> int:
    """Period after which all is there that an unlock needs beside its piece, periods + 1 for never."""
    ready, parent = 0, int(problem.parent[u])
    if parent >= 0 and parent not in inside:
        ready = int(ends[parent])
    for b in problem.needs[u]:
        if b not in held and problem.last[b] >= 0:
            finished = done[problem.last[b]] >= 1 - 1e-7
            ready = max(ready, int(finished.argmax()) + 1 if finished.any() else problem.periods + 1)
    return ready
