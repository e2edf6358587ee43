"""The plan of work: which teams go where, when, so that most people are home soonest; how near it is to the best."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.core.reason import Reason, one_decimal
from clearplan.planning.case import PlanningCase
from clearplan.planning.deployments import comes_and_leaves
from clearplan.planning.methods import people_range
from clearplan.planning.outcomes import beyond_stated
from clearplan.planning.planned import BEST, STRATEGIES, Parts, Schedule, gap_of
from clearplan.planning.search.allowance import Allowance, Clock, allowance_of, move_work, rounds
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.deadlines import Clash, meet
from clearplan.planning.search.highs import Programme, relax, solve
from clearplan.planning.search.line_search import as_lines, best_lines
from clearplan.planning.search.lines import in_list
from clearplan.planning.search.milp import Columns, columns_of, point_of, programme_of, work_of
from clearplan.planning.search.moves import reordered
from clearplan.planning.search.neighbourhoods import replanned
from clearplan.planning.search.problem import (
    Problem,
    cheapest_first,
    filling_of,
    greedy,
    in_order,
    opened,
    whole_in_order,
    with_rest,
    worth,
)
from clearplan.planning.search.problem import progress as worked
from clearplan.planning.search.sooner import clash_reason
from clearplan.planning.search.work import lines_table, work_table
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.codes import SURVEY
from clearplan.tables.texts import ids_in

Array = NDArray[Any]
Progress = Callable[[float, float], None]
#: So many of the tasks that are left out for one reason are named.
_NAMED = 5


def schedule(case: PlanningCase, *, progress: Progress | None = None, clock: Clock | None = None) -> Schedule:
    """The plan that brings most people home soonest, and the three plain ways beside it.

    Person-months at home within the counted months, with the declared weights of score, risk, optional lifelines and
    stability, under days of teams, seasons, districts, budgets, order of steps, promises and deadlines. The greedy plan
    is made better by the linear relaxation's order, by moving zones in that order, and by HiGHS, until it is proven to
    be within ``gap`` of the best or ``search_work`` is done; the bound is the least that any of these proves.

    Parameters
    ----------
    case : PlanningCase
    progress : callable, optional
        Called with (gap, part of the search that is done) now and then.
    clock : Clock, optional
        A stop by the clock that runs already; else ``stop_after_s`` from now on.

    Raises
    ------
    TableError, SettingsError
        A table lacks what is needed, or a commitment or deadline names what is not there.
    """
    _refuse(case)
    allowance = allowance_of(case.settings, clock=clock)
    blocks, single = make_blocks(case), make_blocks(case, alone=True)
    best = best_found(blocks, case, allowance, progress=progress)
    orders = [_by_rank(case, single), _by_value(case, single)]
    works = [*_lists(single, orders, case), _as_work(blocks, best.search.greedy, case), best.work]
    strategies = dict(zip(STRATEGIES, works, strict=True))
    return Schedule(
        work=strategies[BEST],
        strategies=strategies,
        value=best.value,
        bound=best.bound,
        spent=allowance.spent,
        notes=(
            *(clash_reason(clash, blocks, case) for clash in best.search.clashes),
            *_notes(blocks, case.teams, case.lived_in),
            *_beyond_outcomes(case),
            *travel_notes(best.work, case),
            *_seasons(case),
            *best.notes,
            *allowance.clock.notes(),
        ),
        left_out=blocks.left_out,
        shut=blocks.shut,
        parts=best.search.parts,
    )


def _lists(single: Blocks, orders: Sequence[Sequence[int]], case: PlanningCase) -> list[pd.DataFrame]:
    """WORK of tasks worked down lists."""
    if single.order.limits_lines:
        return [lines_table(single, in_list(single, order).lines, case) for order in orders]
    return [work_table(single, in_order(single.problem, order).work, case) for order in orders]


def _as_work(blocks: Blocks, parts: Parts, case: PlanningCase) -> pd.DataFrame:
    """WORK of a plan of parts, as whole lines where these are limited."""
    if not blocks.order.limits_lines:
        return work_table(blocks, parts, case)
    single, lines = as_lines(blocks, parts, case)
    return lines_table(single, lines.lines, case)


def _refuse(case: PlanningCase) -> None:
    teams = case.teams
    needed = (
        ("TASKS", case.tasks, ("task_id", "land_class", "district", "area_m2")),
        ("ZONES", case.zones, ("zone_id", "people")),
        ("TEAMS", teams, ("team_id", "kind", "number", "rate_likely", "cost_per_day")),
    )
    for name, table, columns in needed:
        for column in columns:
            if column not in table.columns:
                raise TableError(f"{name} lacks the column {column}; read it by its reader, or add it")
    if not len(teams):
        raise TableError("TEAMS has no rows: nobody can work; add teams with their rates")
    rates = pd.to_numeric(teams["rate_likely"])
    if (wrong := ~(rates > 0)).any():
        team = teams["team_id"][wrong].iloc[0]
        raise TableError(
            f"team {team}: rate_likely {rates[wrong].iloc[0]:g} is no rate; give m2 a team and day above 0"
        )


def _beyond_outcomes(case: PlanningCase) -> list[Reason]:
    """Classes of which more is cleared than is stated, because the surface expects more."""
    return [
        Reason("plan.beyond_outcome", land_class=name, kept_percent=100 * kept, stated_percent=100 * stated)
        for name, kept, stated in beyond_stated(case.works, case.settings)
    ]


def _seasons(case: PlanningCase) -> list[Reason]:
    """Districts whose season is stated and in which there is no work: a name that is wrong, or no longer needed."""
    named = dict.fromkeys(name for season in case.settings.place_seasons for name in season.districts)
    there = set(case.works["district"].dropna())
    return [Reason("plan.no_season_place", district=name) for name in named if name not in there]


def travel_notes(work: pd.DataFrame, case: PlanningCase) -> list[Reason]:
    """How much of the plan is travel, and which teams have no base from which it could be counted."""
    if case.settings.travel is None:
        return []
    teams = case.teams
    no_base = teams["team_id"][teams["base_lon"].isna()] if "base_lon" in teams.columns else teams["team_id"]
    ids = [list(table) for table in (case.works["task_id"], teams["team_id"])]
    at = [pd.Index(names).get_indexer(work[column]) for names, column in zip(ids, ("task_id", "team_id"), strict=True)]
    rows = pd.DataFrame({"task": at[0], "step": work["step"], "team": at[1], "period": work["period"]})
    ways = np.sum(comes_and_leaves(rows), axis=0)
    days = float(case.travel[at[0], at[1]] @ ways) if len(work) else 0.0
    notes = [Reason("plan.travel", on_road=one_decimal(days), booked=one_decimal(float(work["days"].sum())))]
    return notes + [Reason("plan.no_base", team=str(team)) for team in no_base]


def _notes(blocks: Blocks, teams: pd.DataFrame, lived_in: Collection[str]) -> list[Reason]:
    """What a reader must know of what is not in the plan."""
    idle = np.flatnonzero(blocks.problem.capacity.sum(axis=1) <= 0)
    notes = [Reason("plan.idle_team", team=str(team)) for team in teams["team_id"].iloc[idle]]
    left_out: dict[Reason, list[str]] = {}
    for task, reason in blocks.left_out.items():
        if not task.startswith(SURVEY):  # of a place survey, what is said of the zone that waits for it
            left_out.setdefault(reason, []).append(task)
    for reason in sorted(left_out):
        tasks = left_out[reason]
        if len(tasks) > _NAMED:
            notes.append(Reason("plan.left_out_many", count=len(tasks), reason=reason, tasks=tasks[:_NAMED]))
        else:
            notes.append(Reason("plan.left_out", count=len(tasks), reason=reason, tasks=tasks))
    shut = {zone: reason for zone, reason in blocks.shut.items() if zone not in lived_in}
    return notes + [Reason("plan.shut", zone=zone, reason=reason) for zone, reason in shut.items()]


# --- lists


def _by_rank(case: PlanningCase, single: Blocks) -> list[int]:
    """Blocks of one task each in the order of their ranks, the two queues in turn; without ranks as they stand.

    No list ranks place surveys. They come first, so that the plain way opens what it can.
    """
    rank = np.arange(len(case.works), dtype=float)
    if "rank" in case.works.columns:
        rank = pd.to_numeric(case.works["rank"]).astype(float).to_numpy(copy=True)
    rank[len(case.tasks) :] = -1.0
    rows = np.array([int(ids[0]) for ids in single.members], dtype=int)
    return [int(k) for k in np.lexsort((rows, np.nan_to_num(rank[rows], nan=np.inf)))]


def _by_value(case: PlanningCase, single: Blocks) -> list[int]:
    """The same in the order of people near the task for each square metre."""
    nobody, likely = (0.0, 0.0, 0.0), {}
    for zone, number in zip(case.zones["zone_id"].astype(str), case.zones["people"], strict=True):
        _, likely[zone], _ = people_range(number, case.unknown_people) or nobody
    cells = case.works["zone_ids"] if "zone_ids" in case.works.columns else [None] * len(case.works)
    people = np.array([sum(likely.get(zone, 0.0) for zone in ids_in(cell)) for cell in cells])
    value = people / np.maximum(case.works["area_m2"].to_numpy(float), 1e-9)
    rows = np.array([int(ids[0]) for ids in single.members], dtype=int)
    return [int(k) for k in np.lexsort((rows, -value[rows]))]


# --- the search


@dataclass(frozen=True)
class Found:
    """What the search found: schedules of blocks, the value of the best, the bound, and deadlines that gave way.

    ``problem``: with deadlines that can be met.
    """

    parts: Parts
    greedy: Parts
    value: float
    bound: float
    problem: Problem
    notes: tuple[Reason, ...] = ()
    clashes: tuple[Clash, ...] = ()


def lifted(blocks: Blocks, parts: Parts) -> float:
    """What a schedule is worth by the floor alone: nothing of it is person-months."""
    if not blocks.lift:
        return 0.0
    ends = opened(blocks.problem, worked(blocks.problem, parts))
    return blocks.lift * float(np.count_nonzero(ends <= blocks.in_time))


def proven(blocks: Blocks, search: Found) -> tuple[float, float]:
    """Value and bound of what a search found, without the floor's own worth [person-months].

    No plan in which as many places open within the floor is worth more than the bound. Where it is not proven that no
    more of them can, the bound is far away.
    """
    beside = blocks.open_worth - lifted(blocks, search.parts)
    return search.value + beside, search.bound + beside + blocks.slack


def searched(blocks: Blocks, settings: PlanningSettings) -> PlanningSettings:
    """Settings of the search, whose gap is of person-months, not of a floor's own worth."""
    if not blocks.lift:
        return settings
    first = greedy(blocks.problem).work
    plain = max(worth(blocks.problem, first) - lifted(blocks, first), 0.0)
    most = plain + blocks.lift * float(np.count_nonzero(blocks.in_time >= 0))
    return settings.model_copy(update={"gap": settings.gap * plain / most if most else settings.gap})


@dataclass(frozen=True)
class Best:
    """The best plan found: its WORK, value and bound [person-months], and the search for its parts.

    ``worth``: of its work with a floor's own worth, by which plans are compared; ``notes``: what a reader must know of
    the search.
    """

    work: pd.DataFrame
    value: float
    bound: float
    worth: float
    search: Found
    notes: tuple[Reason, ...]

    @property
    def gap(self) -> float:
        """How far the plan may be from the best, as a part of the bound [1]."""
        return gap_of(self.bound, self.value)


def best_found(
    blocks: Blocks,
    case: PlanningCase,
    allowance: Allowance,
    *,
    start: Parts | None = None,
    whole: bool = True,
    progress: Progress | None = None,
) -> Best:
    """The best plan of parts, and of whole lines where something limits them.

    Parameters
    ----------
    blocks : Blocks
        Of the case, with its budget or another one.
    case : PlanningCase
    allowance : Allowance
        Ends the search by counted work, and is charged with it.
    start : schedule, optional
        A further plan of parts to begin with, such as that of a smaller budget.
    whole : bool
        Whether lines are planned again as a whole, or by the order of unlocks alone.
    progress : callable, optional
    """
    settings = searched(blocks, case.settings)
    limits_lines = blocks.order.limits_lines
    parts = Allowance((_OF_PARTS if limits_lines else 1.0) * allowance.limit, allowance.clock)
    search = best_plan(blocks.problem, settings, parts, slack=blocks.slack, start=start, progress=progress)
    allowance.spend(parts.spent)
    if not limits_lines:
        value, bound = proven(blocks, search)
        return Best(work_table(blocks, search.parts, case), value, bound, search.value, search, search.notes)
    there = replace(blocks, problem=search.problem)
    single, lines, bound = best_lines(
        there, search.parts, case, settings, bound=search.bound + blocks.slack, allowance=allowance, whole=whole
    )
    bound = max(bound, lines.value)
    far = gap_of(bound, lines.value) > settings.gap and not allowance.clock.struck
    beside = blocks.open_worth - lifted(single, lines.parts)
    return Best(
        lines_table(single, lines.lines, case),
        lines.value + beside,
        bound + beside,
        lines.value,
        search,
        (Reason("plan.search_work", work=allowance.limit),) if far and whole else (),
    )


def best_plan(
    problem: Problem,
    settings: PlanningSettings,
    allowance: Allowance,
    *,
    slack: float = 0.0,
    start: Parts | None = None,
    progress: Progress | None = None,
) -> Found:
    """Greedy unlock, the order of the linear relaxation, moves in that order, pieces planned again, HiGHS on the whole.

    Parameters
    ----------
    problem : Problem
    settings : PlanningSettings
        ``gap`` [1], ``seed``.
    allowance : Allowance
        Ends the search by counted work, and is charged with it.
    slack : float
        How much more the order within blocks could be worth: the gap must hold with it [person-months].
    start : schedule, optional
        A further schedule to begin with, such as that of a smaller budget.
    progress : callable, optional
    """

    def report(gap: float) -> None:
        if progress is not None:
            progress(gap, min(allowance.spent / allowance.limit, 1.0))

    met = meet(problem)
    problem = met.problem
    first = greedy(problem).work
    begins: list[Parts] = [first, *([start] if start is not None else [])]
    if met.work:
        begins.append(greedy(problem, until=filling_of(problem, met.work)).work)
    best = max(begins, key=lambda parts: worth(problem, parts))
    if not len(problem.needs) or not len(problem.ground):
        return Found(best, first, worth(problem, best), worth(problem, best), problem, clashes=met.clashes)
    at = columns_of(problem)
    programme = programme_of(problem, at)
    relaxed = relax(programme, allowance=allowance, share=_RELAXATION_UNTIL, seed=settings.seed)
    bound = relaxed.bound + 1e-6
    guide, point = _guide(problem, at, relaxed.point, settings, allowance)
    settings = settings.model_copy(update={"gap": max(settings.gap - slack / bound, _LEAST_GAP * settings.gap)})
    ways = [_by_relaxation(way, guide, point, best) for way in (problem, cheapest_first(problem))]
    best = max((best, *(way.parts for way in ways)), key=lambda parts: worth(problem, parts))
    report(gap_of(bound, worth(problem, best)))
    if at.number > _SMALL:
        hopes = np.full(len(problem.needs), 0.1) if point is None else point[guide.open[:, -1]]
        moved = _reordered(max(ways, key=lambda way: way.value), bound, settings, allowance, at.number)
        best = max(best, moved, key=lambda parts: worth(problem, parts))
        if len(problem.needs) > _FEW:
            last = rounds((1 - _PIECES_UNTIL) * allowance.limit, len(programme.entry)) == 0
            until = 1.0 if last else _PIECES_UNTIL  # what is too little for the whole is left to the pieces
            again = _replanned(problem, best, hopes, bound, settings, allowance, until, report)
            best = max(best, again, key=lambda parts: worth(problem, parts))
    far = gap_of(bound, worth(problem, best)) > settings.gap
    if far and problem.beside and rounds(allowance.left(), len(programme.entry)):
        best, bound = _by_highs_beside(problem, best, bound, settings, allowance, report)
    elif far and rounds(allowance.left(), len(programme.entry)):
        best, bound = _by_highs(problem, at, programme, best, bound, settings, allowance, report)
    value, notes = worth(problem, best), []
    if gap_of(bound, value) > settings.gap and not allowance.clock.struck:
        notes.append(Reason("plan.search_work", work=allowance.limit))
    return Found(best, first, value, max(bound, value), problem, tuple(notes), met.clashes)


def _guide(
    problem: Problem, at: Columns, point: Array | None, settings: PlanningSettings, allowance: Allowance
) -> tuple[Columns, Array | None]:
    """A point of a relaxation from which good orders come, and its columns.

    Days beside work are booked with it there, as most are: a bound must let them wait for other periods.
    """
    if not at.beside.size:
        return at, point
    plain = replace(problem, beside=())
    columns = columns_of(plain)
    again = relax(programme_of(plain, columns), allowance=allowance, share=_RELAXATION_UNTIL, seed=settings.seed).point
    return (at, point) if again is None else (columns, again)


#: Part of the allowance for the plan of parts, where whole lines are then sought [1].
_OF_PARTS = 0.8
#: Part of the gap that is left to the search where the order within blocks may take more than the rest of it [1].
_LEAST_GAP = 0.25
#: Programmes with fewer columns are left to HiGHS at once, and after the moves those in which a piece is nearly all.
_SMALL, _FEW = 1_000, 48
#: So many moves of an order and so many pieces are tried at most.
_MOVES, _PIECES = 4_000, 200
#: Parts of the allowance after which each ends all the same, so that what follows has its turn [1].
_RELAXATION_UNTIL, _MOVES_UNTIL, _PIECES_UNTIL = 0.6, 0.5, 0.9


@dataclass(frozen=True)
class _Way:
    """An order of the unlocks, its schedule by a way of asking teams, and its worth."""

    problem: Problem
    order: list[int]
    parts: Parts
    value: float


def _by_relaxation(problem: Problem, at: Columns, point: Array | None, best: Parts) -> _Way:
    """The best of the orders of the unlocks by how early the linear relaxation opens them.

    Where it is not solved, the order in which the best schedule opens them.
    """
    if point is None:
        keys = [-opened(problem, worked(problem, best)).astype(float)]
    else:
        early = point[at.open]
        total = early.sum(axis=1)
        keys = [(early**2).sum(axis=1), *((early >= part).sum(axis=1) + 1e-3 * total for part in (0.5, 0.9))]
    ways = []
    for key in keys:
        order = np.argsort(-key, kind="stable").tolist()
        parts = whole_in_order(problem, order).work
        ways.append(_Way(problem, order, parts, worth(problem, parts)))
    return max(ways, key=lambda way: way.value)


def _reordered(way: _Way, bound: float, settings: PlanningSettings, allowance: Allowance, columns: int) -> Parts:
    """The schedule of an order made better by moves."""

    def going_on(moves: int, value: float) -> bool:
        if moves:
            allowance.spend(move_work(columns))
        return moves < _MOVES and gap_of(bound, value) > settings.gap and allowance.left(_MOVES_UNTIL) > 0

    order = reordered(way.problem, way.order, seed=settings.seed, going_on=going_on)
    return whole_in_order(way.problem, order).work


def _replanned(
    problem: Problem,
    best: Parts,
    hopes: Array,
    bound: float,
    settings: PlanningSettings,
    allowance: Allowance,
    until: float,
    report: Callable[[float], None],
) -> Parts:
    """The schedule made better by planning pieces of it again."""

    def going_on(pieces: int, value: float) -> bool:
        report(gap_of(bound, value))
        return pieces < _PIECES and gap_of(bound, value) > settings.gap and allowance.left(until) > 0

    parts = replanned(problem, best, hopes, seed=settings.seed, allowance=allowance, share=until, going_on=going_on)
    return with_rest(problem, parts)


def _by_highs_beside(
    problem: Problem,
    best: Parts,
    bound: float,
    settings: PlanningSettings,
    allowance: Allowance,
    report: Callable[[float], None],
) -> tuple[Parts, float]:
    """A better schedule where all days beside work are booked with it, and a bound where they only cost money.

    Stores of days are many entries in few rows; without them a search tree is soon done.
    """
    plain = replace(problem, beside=())
    at = columns_of(plain)
    best, _ = _by_highs(plain, at, programme_of(plain, at), best, bound, settings, allowance, report)
    if gap_of(bound, worth(problem, best)) <= settings.gap:
        return best, bound
    at = columns_of(problem, stores=False)
    _, bound = _by_highs(problem, at, programme_of(problem, at), best, bound, settings, allowance, report)
    return best, bound


def _by_highs(
    problem: Problem,
    at: Columns,
    programme: Programme,
    best: Parts,
    bound: float,
    settings: PlanningSettings,
    allowance: Allowance,
    report: Callable[[float], None],
) -> tuple[Parts, float]:
    answer = solve(
        programme,
        allowance=allowance,
        gap=settings.gap,
        seed=settings.seed,
        start=point_of(problem, at, best),
        progress=report,
    )
    if np.isfinite(answer.bound):
        bound = min(bound, answer.bound * (1 + 1e-9) + 1e-6)
    if answer.point is not None:
        parts = work_of(problem, at, answer.point)
        if worth(problem, parts) > worth(problem, best):
            best = parts
    return best, bound
