"""The plan of work: which teams go where, when, so that most people are home soonest; how near it is to the best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .blocks import Blocks, Parts, make_blocks, work_table
from .deadlines import Clash, Deadline, Lack, meet
from .errors import TableError
from .methods import people_range
from .model import Columns, columns_of, point_of, programme_of, work_of
from .periods import period_days
from .settings_planning import PlanningSettings
from .solver import Programme, solve
from .tables import ids_in
from .unlocking import Problem, filling_of, greedy, in_order, whole_in_order, worth

Array = NDArray[Any]
Progress = Callable[[float, float], None]
Unknown = tuple[float, float, float] | None

#: The four ways of planning that every run compares.
STRATEGIES = ("ranked list", "value per area", "greedy unlock", "best plan found")
BEST = STRATEGIES[-1]


@dataclass(frozen=True)
class WorkPlan:
    """A plan of work, and how near it is to the best there can be.

    ``work``: WORK of the best plan found; ``strategies``: WORK of each way of planning; ``value``: what the plan is
    worth in the planner's own objective, ``bound``: no plan is worth more [person-months]; ``seconds``: spent;
    ``notes``: what a reader must know; ``left_out``: task to the reason why nobody may work on it; ``shut``: zone to
    the reason why it can't open.
    """

    work: pd.DataFrame
    strategies: dict[str, pd.DataFrame]
    value: float
    bound: float
    seconds: float
    notes: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    shut: dict[str, str] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """How far the plan may be from the best, as a part of the bound [1]."""
        return gap_of(self.bound, self.value)


def schedule(
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    teams: pd.DataFrame,
    settings: PlanningSettings,
    *,
    blockers: pd.DataFrame,
    unknown_people: Unknown = None,
    commitments: pd.DataFrame | None = None,
    without_place: Mapping[str, str] | None = None,
    previous: pd.DataFrame | None = None,
    progress: Progress | None = None,
) -> WorkPlan:
    """The plan that brings most people home soonest, and the three plain ways beside it.

    Person-months at home within the counted months, with the declared weights of score, risk, optional lifelines and
    stability, under days of teams, seasons, districts, budgets, order of steps, promises and deadlines. The greedy plan
    is made better by the linear relaxation's order, by moving zones in that order, and by HiGHS, until it is proven to
    be within ``gap`` of the best or the time is over; the bound is the least that any of these proves.

    Parameters
    ----------
    tasks : DataFrame
        TASKS; ``rank`` and ``score`` where they are ranked.
    zones, teams, blockers
        ZONES, TEAMS, BLOCKERS.
    settings : PlanningSettings
    unknown_people : (low, likely, high), optional
        For a zone whose number nobody knows [people].
    commitments : DataFrame, optional
        COMMITMENTS.
    without_place : mapping, optional
        Zone to why it is not known what blocks it.
    previous : DataFrame, optional
        WORK of the plan in force; needed for ``stability``.
    progress : callable, optional
        Told (gap, seconds) now and then.

    Raises
    ------
    TableError, SettingsError
        A table lacks what is needed, or a commitment or deadline names what is not there.
    """
    begun = time.monotonic()
    _refuse(tasks, zones, teams)
    given: dict[str, Any] = {
        "unknown_people": unknown_people, "commitments": commitments, "without_place": without_place,
        "previous": previous,
    }  # fmt: skip
    blocks = make_blocks(tasks, zones, blockers, teams, settings, **given)
    single = make_blocks(tasks, zones, blockers, teams, settings, alone=True, **given)
    found = best_plan(blocks.problem, settings, progress=progress)
    lists = {
        STRATEGIES[0]: in_order(single.problem, _by_rank(tasks, single)).work,
        STRATEGIES[1]: in_order(single.problem, _by_value(tasks, zones, single, unknown_people)).work,
    }
    made = {name: work_table(single, parts, tasks, teams, settings) for name, parts in lists.items()}
    made[STRATEGIES[2]] = work_table(blocks, found.greedy, tasks, teams, settings)
    made[BEST] = work_table(blocks, found.parts, tasks, teams, settings)
    return WorkPlan(
        work=made[BEST],
        strategies=made,
        value=found.value + blocks.open_worth,
        bound=found.bound + blocks.open_worth + blocks.slack,
        seconds=time.monotonic() - begun,
        notes=(
            *(clash_words(clash, blocks, tasks, teams, settings) for clash in found.clashes),
            *_notes(blocks, teams),
            *found.notes,
        ),
        left_out=blocks.left_out,
        shut=blocks.shut,
    )


def _refuse(tasks: pd.DataFrame, zones: pd.DataFrame, teams: pd.DataFrame) -> None:
    needed = (
        ("TASKS", tasks, ("task_id", "land_class", "district", "area_m2")),
        ("ZONES", zones, ("zone_id", "people")),
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


def _notes(blocks: Blocks, teams: pd.DataFrame) -> list[str]:
    """What a reader must know of what is not in the plan."""
    notes = []
    idle = np.flatnonzero(blocks.problem.capacity.sum(axis=1) <= 0)
    for team in teams["team_id"].iloc[idle]:
        notes.append(f"Team {team} never works: neither its season nor its days lie within the plan")
    reasons: dict[str, list[str]] = {}
    for task, reason in blocks.left_out.items():
        reasons.setdefault(reason, []).append(task)
    for reason, own in sorted(reasons.items()):
        named = ", ".join(own[:5]) + (" ..." if len(own) > 5 else "")
        number = "1 task is" if len(own) == 1 else f"{len(own)} tasks are"
        notes.append(f"{number} not in the plan, {reason}: {named}")
    notes += [f"Zone {zone} can't open in this plan: {reason}" for zone, reason in blocks.shut.items()]
    return notes


def clash_words(
    clash: Clash, blocks: Blocks, tasks: pd.DataFrame, teams: pd.DataFrame, settings: PlanningSettings
) -> str:
    """Deadlines that can't all be met, what is lacking, and which of them gives way, in a sentence."""
    ends = [settings.start, *(last for _, last in period_days(settings))]

    def named(deadline: Deadline, period: int) -> str:
        kind, k = deadline
        day = f"by {ends[period]}" if period > 0 else "before the end of the first period"
        if kind == "unlock":
            return f"zone {blocks.unlocks[k][0]} open {day}"
        ids = tasks["task_id"].iloc[blocks.members[k]].astype(str).tolist()
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        return f"task {ids[0]}{more} released {day}, as promised"

    asked = " and ".join(named(deadline, period) for deadline, period in clash.deadlines.items())
    told = lack_words(clash.lack, teams, settings)
    deadline, period = clash.later
    own = named(deadline, clash.deadlines[deadline]).split(" open ")[0].split(" released ")[0]
    way = f"{own} gives way, to {ends[period]}" if period > 0 else f"{own} gives way and has no day in this plan"
    return f"Can't hold: {asked}; {told}. In this plan {way}"


def lack_words(lack: Lack, teams: pd.DataFrame, settings: PlanningSettings) -> str:
    """What it would take, in words that follow a semicolon."""
    lacks = [f"{max(days, 1):,.0f} more team-days of {teams['team_id'].iloc[k]}" for k, days in lack.days.items()]
    for money, per in ((lack.budget, ""), (lack.budget_a_period, " in every period")):
        lacks += [f"{money:,.0f} {settings.currency} more{per}"] if money > 0 else []
    if not lacks:
        return "no number of teams does it: the order of steps, seasons and the time left stand against it"
    return "it takes at least " + ", or ".join(lacks)


# --- lists


def _by_rank(tasks: pd.DataFrame, single: Blocks) -> list[int]:
    """Blocks of one task each in the order of their ranks, the two queues in turn; without ranks as they stand."""
    rank = np.arange(len(tasks), dtype=float)
    if "rank" in tasks.columns:
        rank = pd.to_numeric(tasks["rank"]).astype(float).to_numpy()
    own = np.array([int(ids[0]) for ids in single.members], dtype=int)
    return [int(k) for k in np.lexsort((own, np.nan_to_num(rank[own], nan=np.inf)))]


def _by_value(tasks: pd.DataFrame, zones: pd.DataFrame, single: Blocks, unknown: Unknown) -> list[int]:
    """The same in the order of people near the task for each square metre."""
    told = {str(z): people_range(n, unknown) for z, n in zip(zones["zone_id"], zones["people"], strict=True)}
    cells = tasks["zone_ids"] if "zone_ids" in tasks.columns else [None] * len(tasks)
    people = np.array([sum((told.get(zone) or (0.0, 0.0, 0.0))[1] for zone in ids_in(cell)) for cell in cells])
    value = people / np.maximum(tasks["area_m2"].to_numpy(float), 1e-9)
    own = np.array([int(ids[0]) for ids in single.members], dtype=int)
    return [int(k) for k in np.lexsort((own, -value[own]))]


# --- the search


@dataclass(frozen=True)
class Found:
    """What the search found: schedules of blocks, the value of the best, the bound, and deadlines that gave way."""

    parts: Parts
    greedy: Parts
    value: float
    bound: float
    notes: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()


def best_plan(
    problem: Problem, settings: PlanningSettings, *, start: Parts | None = None, progress: Progress | None = None
) -> Found:
    """Greedy unlock, then the order of the linear relaxation, then moves in that order, then HiGHS.

    Parameters
    ----------
    problem : Problem
    settings : PlanningSettings
        ``time_limit_s`` [s], ``gap`` [1], ``seed``.
    start : schedule, optional
        A further schedule to begin with, such as that of a smaller budget.
    progress : callable, optional
    """
    begun = time.monotonic()

    def left(share: float = 1.0) -> float:
        return max(0.0, share * settings.time_limit_s - (time.monotonic() - begun))

    def told(gap: float) -> None:
        if progress is not None:
            progress(gap, time.monotonic() - begun)

    met = meet(problem)
    problem = met.problem
    first = greedy(problem).work
    begins: list[Parts] = [first, *([start] if start is not None else [])]
    if met.work:
        begins.append(greedy(problem, until=filling_of(problem, met.work)).work)
    best = max(begins, key=lambda parts: worth(problem, parts))
    if not len(problem.needs) or not len(problem.ground):
        return Found(best, first, worth(problem, best), worth(problem, best), clashes=met.clashes)
    at = columns_of(problem)
    programme = programme_of(problem, at)
    relaxed = solve(programme, time_limit_s=max(left(0.6), 0.1), gap=0.0, seed=settings.seed, relaxed=True)
    if relaxed.point is None:
        return Found(best, first, worth(problem, best), _loose_bound(problem), clashes=met.clashes)
    bound = relaxed.objective * (1 + 1e-7) + 1e-6
    order, best = _by_relaxation(problem, at, relaxed.point, best)
    told(gap_of(bound, worth(problem, best)))
    if at.number > _SMALL:
        best = _moved(problem, order, best, bound, settings, left)
        told(gap_of(bound, worth(problem, best)))
    if gap_of(bound, worth(problem, best)) > settings.gap and left() > 0.05:
        best, bound = _by_highs(problem, at, programme, best, bound, settings, left(), told)
    value, notes = worth(problem, best), []
    if gap_of(bound, value) > settings.gap and left() <= 0.05:
        limit = f"The search ended by its time limit of {settings.time_limit_s:g} s"
        notes.append(f"{limit}: another run may find another plan, as near to the best")
    return Found(best, first, value, max(bound, value), tuple(notes), met.clashes)


#: Programmes with fewer columns are left to HiGHS at once.
_SMALL = 4_000


def gap_of(bound: float, value: float) -> float:
    """How far a value may be from the best [1]; what is rounding is nothing."""
    return (bound - value) / bound if bound - value > 1e-5 else 0.0


def _loose_bound(problem: Problem) -> float:
    """Everything at once: the bound where nothing better is proven."""
    return float(problem.value[:, 1].sum() + problem.reward[:, 1].sum())


def _by_relaxation(problem: Problem, at: Columns, point: Array, best: Parts) -> tuple[list[int], Parts]:
    """Orders of the unlocks by how early the linear relaxation opens them; the best of them, and its schedule."""
    early = point[at.open]
    total = early.sum(axis=1)
    orders = [(early**2).sum(axis=1), *((early >= part).sum(axis=1) + 1e-3 * total for part in (0.5, 0.9))]
    found, top, value = [], best, worth(problem, best)
    for key in orders:
        order = np.argsort(-key, kind="stable").tolist()
        parts = whole_in_order(problem, order).work
        made = worth(problem, parts)
        found.append((made, order))
        if made > value:
            top, value = parts, made
    return max(found)[1], top


def _moved(
    problem: Problem, order: Sequence[int], best: Parts, bound: float, settings: PlanningSettings, left: Any
) -> Parts:
    """Unlocks moved a little in the order, one at a time, as long as it pays: a local search with a seed."""
    generator = np.random.default_rng(settings.seed)
    order, value = list(order), worth(problem, best)
    own = worth(problem, whole_in_order(problem, order).work)
    idle, size = 0, len(order)
    while left(0.85) > 0 and idle < 20 * size and gap_of(bound, value) > settings.gap:
        k = int(generator.integers(size))
        shift = round(float(generator.normal()) * 0.05 * size) or 1
        fresh = order[:k] + order[k + 1 :]
        fresh.insert(min(max(k + shift, 0), size - 1), order[k])
        parts = whole_in_order(problem, fresh).work
        made = worth(problem, parts)
        idle += 1
        if made >= own:
            idle = 0 if made > own + 1e-9 else idle
            order, own = fresh, made
            if made > value:
                best, value = parts, made
    return best


def _by_highs(
    problem: Problem, at: Columns, programme: Programme, best: Parts, bound: float, settings: PlanningSettings,
    seconds: float, told: Callable[[float], None],
) -> tuple[Parts, float]:  # fmt: skip
    answer = solve(
        programme, time_limit_s=seconds, gap=settings.gap, seed=settings.seed, start=point_of(problem, at, best),
        progress=lambda gap, _: told(gap),
    )  # fmt: skip
    if np.isfinite(answer.bound):
        bound = min(bound, answer.bound * (1 + 1e-9) + 1e-6)
    if answer.point is not None:
        parts = work_of(problem, at, answer.point)
        if worth(problem, parts) > worth(problem, best):
            best = parts
    return best, bound
