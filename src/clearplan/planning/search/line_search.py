"""The plan of parts as whole lines: as it has them, then in better orders, then piece by piece by HiGHS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.case import PlanningCase
from clearplan.planning.planned import Parts, gap_of
from clearplan.planning.search.allowance import PIECE, Allowance
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.highs import solve
from clearplan.planning.search.line_programme import line_columns, line_point, line_programme, lines_of
from clearplan.planning.search.lines import Book, Key, Line, Lines, Wish, in_order, worth_of
from clearplan.planning.search.neighbourhoods import Work, chosen, needed, piece_of, too_early
from clearplan.planning.search.order import WorkOrder
from clearplan.planning.search.problem import Problem, opened, progress, step_prices
from clearplan.planning.search.work import parts_of_tasks
from clearplan.settings.planning import PlanningSettings

Array = NDArray[Any]

#: So many orders and so many pieces are tried at most, and work of an order for each unlock [units].
_ORDERS, _PIECES, _ORDER = 100, 8, 1e-3
#: An order that is worse is kept if it is no worse than the order was so many moves ago, as in ``moves``.
_MEMORY = 30
#: Of tasks for which nothing waits, so many that the plan of parts finishes are planned as whole lines with the others.
_WISHED = 60
#: A plan of more lines than this is made better by pieces, not as a whole.
_KEYS = 1_500
#: The whole is planned again to within this part of the gap that is asked for: what is left out of it has the rest [1].
_PROVEN = 0.85
#: Part of the money that is thought to be left over, by which the price of money is chosen [1].
_LEFT = 0.005
#: Unlocks in a piece: at first, at least, at most; it is planned to within a part of its best, or so many nodes.
_FIRST, _LEAST, _MOST = 4, 2, 60
_GAP, _NODES = 0.002, 5


def best_lines(
    blocks: Blocks,
    parts: Parts,
    case: PlanningCase,
    settings: PlanningSettings,
    *,
    bound: float,
    allowance: Allowance,
    whole: bool = True,
) -> tuple[Blocks, Lines, float]:
    """The best plan of whole lines found from a plan of parts, on blocks of one task each, and the bound of it.

    Parameters
    ----------
    blocks : Blocks
        Of the plan of parts.
    parts : schedule
        Of ``blocks``.
    case : PlanningCase
    settings : PlanningSettings
        Of the search: ``gap`` [1], ``seed``.
    bound : float
        No plan is worth more [person-months]; the search ends within ``gap`` of it.
    allowance : Allowance
        Ends the search by counted work, and is charged with it.
    whole : bool
        Whether lines are planned again far from where the plan of parts has them, and a nearer bound is sought.
    """
    single, wishes, order = _as_wished(blocks, parts, case)
    generator = np.random.default_rng(settings.seed)
    best = in_order(single, order, wishes)

    def near(value: float) -> bool:
        return gap_of(bound, value) <= settings.gap

    if near(best.value) or not len(single.problem.needs):
        return single, best, bound
    best = max(best, _reordered(single, order, wishes, generator, allowance, near), key=_value)
    best = _near_by(single, best, wishes, allowance)
    if near(best.value) or not whole:
        return single, best, bound
    if _keys(single) <= _KEYS:
        best, bound = _whole(single, best, bound, settings, allowance)
    else:
        best = _replanned(single, best, generator, allowance, near)
    return single, best, bound


def as_lines(blocks: Blocks, parts: Parts, case: PlanningCase, *, rest: bool = True) -> tuple[Blocks, Lines]:
    """A plan of parts as whole lines on blocks of one task each, its unlocks in the order in which they open.

    Without ``rest``, only what is due.
    """
    single, wishes, order = _as_wished(blocks, parts, case)
    return single, in_order(single, order if rest else [], wishes, rest=rest)


def _as_wished(blocks: Blocks, parts: Parts, case: PlanningCase) -> tuple[Blocks, dict[int, Wish], list[int]]:
    """Blocks of one task each, how a plan of parts has their steps, and the order in which it opens unlocks.

    Tasks for which nothing waits, and of which the plan of parts finishes those that are worth most, are unlocks of
    their own, worth nothing beside their reward.
    """
    single = _single(blocks, case)
    wishes = _wishes(blocks, single, parts, case)
    waited_for = {b for needs in single.problem.needs for b in needs}
    ends_of = {b: wishes[s].last + 1 for b, s in enumerate(single.problem.last.tolist()) if s in wishes}
    reward = single.problem.reward[:, min(1, single.problem.periods)]
    wished = sorted(set(ends_of) - waited_for, key=lambda b: (-reward[b], b))[:_WISHED]
    ends = np.append(opened(blocks.problem, progress(blocks.problem, parts)), [ends_of[b] for b in wished])
    worth = np.append(blocks.problem.value[:, :2].max(axis=1), reward[wished])
    order: list[int] = np.lexsort((-worth, ends)).tolist()
    return _with_unlocks(single, wished), wishes, order


def _with_unlocks(single: Blocks, tasks: Sequence[int]) -> Blocks:
    """Blocks of which some are unlocks of their own, worth nothing."""
    problem, none = single.problem, np.full(len(tasks), -1)
    more = replace(
        problem,
        needs=(*problem.needs, *((b,) for b in tasks)),
        parent=np.append(problem.parent, none),
        value=np.vstack([problem.value, np.zeros((len(tasks), problem.periods + 1))]),
        due=np.append(problem.due, none),
        floor=np.append(problem.floor, np.zeros(len(tasks), dtype=int)),
    )
    return replace(single, problem=more, in_time=np.append(single.in_time, none))


def _value(lines: Lines) -> float:
    return lines.value


def _single(blocks: Blocks, case: PlanningCase) -> Blocks:
    """Blocks of one task each with the days, money and deadlines of others."""
    single, like = make_blocks(case, alone=True), blocks.problem
    block_of = {int(k): b for b, ids in enumerate(blocks.members) for k in ids}
    due = [int(like.block_due[block_of[int(ids[0])]]) for ids in single.members]
    problem = replace(
        single.problem,
        capacity=like.capacity,
        budget=like.budget,
        budget_a_period=like.budget_a_period,
        value=like.value,
        due=like.due,
        block_due=np.array(due, dtype=int),
    )
    return replace(single, problem=problem, lift=blocks.lift)


def _keys(single: Blocks) -> int:
    """How many lines there could be on tasks for which something waits."""
    problem = single.problem
    wanted = np.isin(problem.block, [b for blocks in problem.needs for b in blocks])
    return problem.periods * sum(len(single.order.work[s]) for s in np.flatnonzero(wanted))


def _near_by(single: Blocks, best: Lines, wishes: Mapping[int, Wish], allowance: Allowance) -> Lines:
    """Better lines, if HiGHS finds any in the periods in which each step is worked on now or by the plan of parts."""
    periods: dict[int, list[int]] = {s: [wish.first, wish.last] for s, wish in wishes.items()}
    for s, _, t in best.lines:
        periods.setdefault(s, []).append(t)
    near = {s: range(min(of_step), max(of_step) + 1) for s, of_step in periods.items()}
    every = list(range(len(single.problem.needs)))
    again = _planned_again(single, best.lines, every, allowance, gap=_GAP, nodes=_NODES, near=near)
    return best if again.lines is None else max(best, with_rest(single, again.lines), key=_value)


def _whole(
    single: Blocks, best: Lines, bound: float, settings: PlanningSettings, allowance: Allowance
) -> tuple[Lines, float]:
    """Better lines, if HiGHS finds any on the whole within what is left of the work, and a better bound.

    Tasks for which nothing waits are left out. What they may add to the bound is what they are worth beyond their cost
    at a price of money, while money that lines leave counts at that price: a Lagrangean bound.
    """
    every = list(range(len(single.problem.needs)))
    price, beyond = _price_of_money(single)
    again = _planned_again(single, best.lines, every, allowance, gap=_PROVEN * settings.gap, price=price)
    if again.bound is not None and not single.problem.stability:
        bound = min(bound, again.bound + beyond)
    if again.lines is not None:
        best = max(best, with_rest(single, again.lines), key=_value)
    return best, bound


def _price_of_money(single: Blocks) -> tuple[float, float]:
    """A price of money [person-months a unit], and what is worth something beyond it without being a line that waits.

    That is tasks for which nothing waits, and those without ground.
    """
    problem = single.problem
    needed_blocks = {b for blocks in problem.needs for b in blocks}
    free = [b for b in range(len(problem.last)) if b not in needed_blocks]
    worth, cost = problem.reward[free, min(1, problem.periods)], np.zeros(len(problem.last))
    bare = float(problem.reward[sorted(b for b in needed_blocks if problem.last[b] < 0), 0].sum())
    for s, b in enumerate(problem.block.tolist()):
        cost[b] += min((days * problem.cost[team] for team, days in problem.options[s]), default=np.inf)
    money = problem.budget
    if not np.isfinite(money) or not len(free):
        return 0.0, bare + float(worth.sum())
    paid = np.where(np.isfinite(cost[free]), cost[free], 0.0)
    ratio = np.divide(worth, paid, out=np.zeros(len(free)), where=paid > 0)
    prices = np.unique(np.quantile(ratio, np.linspace(0, 1, 101)))
    beyond = [float(np.maximum(worth - price * paid, 0.0).sum()) for price in prices]
    k = int(np.argmin(beyond + prices * _LEFT * money))
    return float(prices[k]), bare + beyond[k]


def _names(blocks: Blocks) -> list[tuple[int, int]]:
    """Position of the first task of each step, and the number of the step in its method."""
    steps = zip(blocks.problem.block.tolist(), blocks.step_no.tolist(), strict=True)
    return [(int(blocks.members[b][0]), no) for b, no in steps]


def _wishes(blocks: Blocks, single: Blocks, parts: Parts, case: PlanningCase) -> dict[int, Wish]:
    """How a plan of parts has each step of single tasks that it works on."""
    number = {name: s for s, name in enumerate(_names(single))}
    pieces: dict[int, list[tuple[int, int, float]]] = {}
    for s, task, team, t, part in parts_of_tasks(blocks, parts, case):
        pieces.setdefault(number[task, int(blocks.step_no[s])], []).append((t, team, part))
    return {s: _wish(of_step) for s, of_step in pieces.items()}


def _wish(pieces: Sequence[tuple[int, int, float]]) -> Wish:
    most: dict[int, float] = {}
    for _, team, part in pieces:
        most[team] = most.get(team, 0.0) + part
    periods = [t for t, _, _ in pieces]
    return Wish(min(periods), tuple(sorted(most, key=lambda team: (-most[team], team))), max(periods))


def _reordered(
    single: Blocks,
    order: Sequence[int],
    wishes: Mapping[int, Wish],
    generator: np.random.Generator,
    allowance: Allowance,
    near: Callable[[float], bool],
) -> Lines:
    """The best lines of an order, made better by moving one unlock at a time."""
    now = list(order)
    lines = best = in_order(single, now, wishes, rest=False)
    before = [lines.value] * _MEMORY
    for move in range(_ORDERS if len(now) > 1 else 0):
        if near(best.value) or not allowance.left(0.8):
            break
        allowance.spend(_ORDER * len(now))
        place, other = generator.integers(len(now), size=2).tolist()
        fresh = now[:place] + now[place + 1 :]
        fresh.insert(other, now[place])
        moved = in_order(single, fresh, wishes, rest=False)
        if moved.value >= min(lines.value, before[move % _MEMORY]):
            now, lines = fresh, moved
            best = max(best, lines, key=lambda one: one.value)
        before[move % _MEMORY] = lines.value
    return with_rest(single, best.lines)


def _replanned(
    single: Blocks,
    best: Lines,
    generator: np.random.Generator,
    allowance: Allowance,
    near: Callable[[float], bool],
) -> Lines:
    """Lines made better by planning pieces of them again, all the rest as it is."""
    problem, size = single.problem, float(_FIRST)
    hopes = np.full(len(problem.needs), 0.5)
    for _ in range(_PIECES):
        if near(best.value) or not allowance.left():
            break
        allowance.spend(PIECE)
        ends = opened(problem, progress(problem, best.parts))
        unlocks = chosen(problem, ends, hopes, generator, round(size))
        again = _planned_again(single, best.lines, unlocks, allowance, gap=_GAP, nodes=_NODES)
        size = min(max(size * (1.1 if again.gap <= _GAP else 0.9), _LEAST), _MOST)
        if again.lines is not None:
            best = max(best, with_rest(single, again.lines), key=_value)
    return best


@dataclass(frozen=True)
class _Again:
    """Lines with a piece planned again, None where HiGHS has none; how near the piece is to its best; a bound on it."""

    lines: dict[Key, Line] | None
    gap: float
    bound: float | None


def _planned_again(
    single: Blocks,
    lines: Mapping[Key, Line],
    unlocks: list[int],
    allowance: Allowance,
    *,
    gap: float,
    nodes: int | None = None,
    price: float = 0.0,
    near: Mapping[int, range] | None = None,
) -> _Again:
    """Lines with those of some unlocks planned again; money that is left is worth a price [person-months a unit].

    With ``near``, each of its steps in these periods alone, and no other step.
    The bound is one on the whole where all unlocks are planned again and no task is promised beside them.
    """

    def days_of(problem: Problem, parts: Work) -> Array:
        days = np.zeros(problem.capacity.shape)
        for s, team, t, _ in parts:
            days[team, t] += lines[s, team, t].days
        return days

    work = needed(single.problem, [(*key, line.part) for key, line in lines.items()])
    piece = piece_of(single.problem, work, unlocks, days_of=days_of)
    if not len(piece.steps):
        return _Again(None, 0.0, None)
    order = _of_steps(single.order, piece.steps)
    periods = {k: near.get(s, range(0)) for k, s in enumerate(piece.steps.tolist())} if near is not None else {}
    at = line_columns(piece.problem, order, periods)
    programme = line_programme(piece.problem, order, at, piece.money)
    programme.gain[at.days] -= price * piece.problem.cost[at.keys[:, 1]]
    left = price * piece.problem.budget if price else 0.0
    before = {(s, team, t): lines[int(piece.steps[s]), team, t] for s, team, t, _ in piece.kept}
    start, early = line_point(piece.problem, at, before), too_early(piece, at.open)
    programme.upper[early] = start[early] = 0.0
    answer = solve(programme, allowance=allowance, gap=gap, seed=1, nodes=nodes, start=start)
    # Where HiGHS has no point, its tolerances clashed with the data, for no work at all is one: no bound comes of that.
    alone = not piece.others and near is None and answer.point is not None and np.isfinite(answer.bound)
    bound = left + answer.bound * (1 + 1e-9) + 1e-6 if alone else None
    if answer.point is None:
        return _Again(None, answer.gap, bound)
    again = lines_of(order, at, answer.point)
    fresh = {(int(piece.steps[s]), team, t): line for (s, team, t), line in again.items()}
    others = {(s, team, t): lines[s, team, t] for s, team, t, _ in piece.others}
    return _Again(others | fresh, answer.gap, bound)


def _of_steps(order: WorkOrder, steps: Array) -> WorkOrder:
    """Limits on lines of some of the steps."""
    return replace(
        order,
        set_up=order.set_up[steps],
        close_out=order.close_out[steps],
        closed=order.closed[steps],
        work=tuple(order.work[s] for s in steps.tolist()),
    )


def with_rest(single: Blocks, lines: Mapping[Key, Line]) -> Lines:
    """Lines, and what is left of days and money put to tasks with a reward of their own."""
    problem, book = single.problem, Book(single.problem, single.order)
    for key, line in lines.items():
        book.write(key, line)
    begun = {int(problem.block[s]) for s, _, _ in lines}
    dear = step_prices(problem)
    todo = [b for b in range(len(problem.last)) if b not in begun]
    book.fill_rest(todo, [sum(dear[s] for s in steps) for steps in book.steps])
    return Lines(book.lines, worth_of(single, book))
