"""A case as blocks of like tasks, the arrays of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError, TableError
from clearplan.core.reason import Reason
from clearplan.planning.blockers import waits_for
from clearplan.planning.calendar import (
    last_counted,
    months_counted,
    months_to,
    open_from,
    period_days,
    period_of,
    team_days,
)
from clearplan.planning.case import PlanningCase
from clearplan.planning.methods import (
    allowed,
    day_costs,
    first_periods,
    handovers,
    methods_of,
    people_range,
    people_weights,
    rates_of,
)
from clearplan.planning.place_seasons import closed_periods
from clearplan.planning.search.order import WorkOrder, beside_work, finished_ahead, most_carried, work_order
from clearplan.planning.search.problem import TINY, Problem
from clearplan.settings.planning import Method, PlaceSurvey, PlanningSettings, Step
from clearplan.tables.codes import PLACE, SURVEY
from clearplan.tables.people import already_home
from clearplan.tables.texts import ids_in

Array = NDArray[Any]

#: Blocks that unlock nothing are kept apart by what they are worth for their ground, in so many groups; the second
#: where a task takes days that are not work, for the order within a block then weighs more beside the gap.
_GROUPS, _MORE_GROUPS = 8, 32
#: Tasks of one block that unlock something are of like size: the largest is less than so many times the smallest.
_LIKE_SIZE = 1.25
#: Blocks near homes are kept apart by what they are worth for their ground, in so many bands for each doubling.
_BANDS = 3


@dataclass(frozen=True)
class Blocks:
    """A plan as blocks of like tasks.

    ``members``: positions in TASKS of each block's tasks, in the order in which they are worked on;
    ``step_no`` (steps of the problem): number of the step in the task's method, from 1; ``order``:
    what lines of work on these steps keep; ``unlocks``: (zone, part) of
    each unlock; ``open_worth``: what is worth from the start, whatever is done [person-months]; ``slack``: how much
    more the order within blocks could be worth than the blocks tell [person-months];
    ``handover`` (unlocks): from the last work to the opening [months];
    ``lift``: how much more than it brings each zone is worth that is open within the periods of a floor, more than all
    else together, 0 without a floor; ``in_time`` (unlocks): last period after which it is, -1: none;
    ``left_out``: task to the reason why nobody may work on it; ``shut``: zone to the reason why it can't open.
    """

    problem: Problem
    members: tuple[Array, ...]
    step_no: Array
    order: WorkOrder
    unlocks: tuple[tuple[str, str], ...]
    handover: Array
    open_worth: float
    slack: float
    left_out: dict[str, Reason]
    shut: dict[str, Reason]
    lift: float
    in_time: Array


def make_blocks(case: PlanningCase, *, alone: bool = False) -> Blocks:
    """Blocks: tasks that unlock the same, by the same method, with the same teams, are one piece of fluid work.

    Parameters
    ----------
    case : PlanningCase
    alone : bool
        Each task is a block of its own, for ways of planning that go by tasks.

    Raises
    ------
    TableError, SettingsError
        A zone has no number of people and none is assumed; a commitment or a deadline names what is not there.
    """
    tasks, settings = case.works, case.settings
    waits = waits_for(case.blockers)
    able, reasons = _able(case)
    promised = _promised(case, able, reasons)
    first, held = first_periods(tasks, settings), _held(case, waits)
    shut = _shut(case, waits, reasons, held)
    unlocks, needs, parent = _unlocks(case, waits, shut, reasons)
    home, area = _home_gains(case), tasks["area_m2"].to_numpy(float)
    gain = _gains(tasks, settings) + home
    where = {task: k for k, task in enumerate(tasks["task_id"].astype(str))}
    users: dict[int, list[int]] = {}
    for u, needed in enumerate(needs):
        for task in needed:
            users.setdefault(where[task], []).append(u)
    keys = _keys(case, able, users, promised, gain, home, first, alone=alone)
    members = tuple(_best_first(np.array(ids), gain, area) for ids in keys.values())
    steps, step_no, ahead, order = _steps(case, members, able)
    block_of = {int(k): b for b, ids in enumerate(members) for k in ids}
    handover = _handovers(case, waits, unlocks, needs)
    worth, open_worth = _worth(case, unlocks, handover, {*waits, *shut}, held)
    months = np.append(float(settings.counted_months), months_counted(settings))
    total = np.array([gain[ids].sum() for ids in members])
    begin = np.maximum(np.array([first[ids[0]] for ids in members], dtype=int) - 1, 0)
    # A block without ground is finished in the first period in which its gate would let it be worked on.
    bare = np.where((steps["last"] < 0) & (begin > 0), begin + 1, 0)
    blocks_of = tuple(tuple(sorted({block_of[where[task]] for task in needed})) for needed in needs)
    slack = sum(_order_gain(ids, gain, area) for ids in members) + float(total @ ahead)
    slack *= months[1] if settings.periods else 0.0
    stability, in_time = _stability(case, members), _in_time(unlocks, handover, settings)
    lift = 0.0
    if settings.lever == "floor":
        kept = stability["stability"] * float(stability["kept"].sum())
        lift = 2 * (1 + float(worth[:, 0].sum() + total.sum() * months[0]) + slack + kept)
        worth = worth + lift * (np.arange(settings.periods + 1) <= in_time[:, None])
    problem = Problem(
        **steps,
        capacity=team_days(case.teams, settings),
        cost=day_costs(case.teams, settings),
        budget=np.inf if settings.budget is None else settings.budget,
        budget_a_period=np.inf if settings.budget_a_period is None else settings.budget_a_period,
        wait=settings.wait_periods,
        needs=blocks_of,
        parent=np.array(parent, dtype=int),
        value=worth,
        reward=total[:, None] * np.minimum(months, months[bare][:, None]),
        begin=begin,
        floor=np.array(
            [max([held.get(zone, 0), *bare[list(ids)]]) for (zone, _), ids in zip(unlocks, blocks_of, strict=True)],
            dtype=int,
        ),
        due=_due(case.zones, unlocks, handover, settings),
        block_due=np.array([promised.get(int(ids[0]), (-1, None))[0] for ids in members], dtype=int),
        **stability,
    )
    return Blocks(
        problem,
        members,
        step_no,
        order,
        tuple(unlocks),
        handover,
        open_worth,
        float(slack),
        reasons,
        shut,
        lift,
        in_time,
    )


#: Method of each task and the teams of each of its steps; None where nobody may work on it.
Able = list[tuple[Method | PlaceSurvey, tuple[tuple[int, ...], ...]] | None]
#: Task to the period by which it was promised, and the teams that may do it (None: any).
Promised = dict[int, tuple[int, tuple[int, ...] | None]]


def _able(case: PlanningCase) -> tuple[Able, dict[str, Reason]]:
    """Method of each task and the teams of each step; tasks that nobody may work on, with the reason."""
    tasks, teams, settings = case.works, case.teams, case.settings
    gates = tasks["gates"] if "gates" in tasks.columns else [None] * len(tasks)
    late = first_periods(tasks, settings) > settings.periods
    works = team_days(teams, settings).sum(axis=1) > 0
    able: Able = []
    reasons: dict[str, Reason] = {}
    known: dict[Any, tuple[int, ...]] = {}
    rows = zip(
        tasks["task_id"], methods_of(tasks, settings), tasks["district"], gates, tasks["land_class"], late, strict=True
    )
    for number, (task, method, district, gate, land_class, gated) in enumerate(rows):
        able.append(None)
        if gated:
            reasons[str(task)] = Reason("left_out.gated", gates=gate)
        elif method is None and land_class == PLACE:
            reasons[str(task)] = Reason("left_out.no_place_survey")
        elif method is None:
            reasons[str(task)] = Reason("left_out.no_method", land_class=land_class)
        else:
            teams_of_steps = []
            for step in method.steps:
                key = (step.kinds, district if isinstance(district, str) else None)
                if key not in known:
                    known[key] = tuple(k for k in allowed(*key, teams) if works[k])
                if not known[key] and case.shares.part(step.ground)[number] > 0:
                    reasons[str(task)] = _no_team(step, district)
                    break
                teams_of_steps.append(known[key])
            else:
                able[-1] = (method, tuple(teams_of_steps))
    return able, reasons


def _no_team(step: Step, district: object) -> Reason:
    """Why nobody may do a step, as no kind of team does it where the task lies."""
    if isinstance(district, str):
        return Reason("left_out.no_team", step=step.name, kinds=step.kinds, district=district)
    return Reason("left_out.no_team_outside", step=step.name, kinds=step.kinds)


def _promised(case: PlanningCase, able: Able, reasons: dict[str, Reason]) -> Promised:
    """What was promised; tasks that the promised team can't do are taken out of ``able``, with the reason."""
    if case.commitments is None or not len(case.commitments):
        return {}
    promised = _promises(case, case.commitments)
    for k, (_, only) in promised.items():
        methods = able[k]
        if methods is None or only is None:
            continue
        method, teams_of_steps = methods
        fewer = tuple(tuple(team for team in teams if team in only) for teams in teams_of_steps)
        lacking = [
            step.name
            for step, teams in zip(method.steps, fewer, strict=True)
            if not teams and case.shares.part(step.ground)[k] > 0
        ]
        if lacking:
            reasons[str(case.works["task_id"].iloc[k])] = Reason("left_out.promised", step=lacking[0])
        able[k] = None if lacking else (method, fewer)
    return promised


def _promises(case: PlanningCase, commitments: pd.DataFrame) -> Promised:
    """Of several promises of a task the earliest day holds, and the teams that all of them name."""
    ids = {task: k for k, task in enumerate(case.works["task_id"].astype(str))}
    team_no = {team: k for k, team in enumerate(case.teams["team_id"].astype(str))}
    hazards: dict[str, list[int]] = {}
    for k, cell in enumerate(case.works["hazard_ids"] if "hazard_ids" in case.works.columns else ()):
        for hazard in ids_in(cell):
            hazards.setdefault(hazard, []).append(k)
    promised: Promised = {}
    for row in commitments.to_dict("records"):
        if isinstance(row.get("deferred"), str):
            continue
        name, task, team = row["commitment_id"], row.get("task_id"), row.get("team_id")
        if isinstance(task, str) and task not in ids:
            raise TableError(f"commitment {name}: there is no task {task!r}; fix its task_id, or drop it if it is done")
        if isinstance(team, str) and team not in team_no:
            raise TableError(f"commitment {name}: there is no team {team!r}; fix its team_id")
        tasks = [ids[task]] if isinstance(task, str) else hazards.get(str(row.get("hazard_id")), [])
        due = period_of(row["until"], case.settings)
        only = (team_no[team],) if isinstance(team, str) else None
        for k in tasks:
            due_before, only_before = promised.get(k, (due, None))
            promised[k] = (min(due, due_before), _both(only, only_before))
    return promised


def _both(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Teams that two promises allow; None stands for any team."""
    if one is None or other is None:
        return other if one is None else one
    return tuple(set(one) & set(other))


def _held(case: PlanningCase, waits: Mapping[str, list[str]]) -> dict[str, int]:
    """Zones behind gates to the period after which they open later than these end, one more than the periods: never."""
    settings, held = case.settings, {}
    months = handovers(waits, case.works, settings)
    for zone, (_, end) in case.gates_of_zones.items():
        period, handover = open_from(end, months.get(zone, 0), settings), months.get(zone, 0)
        held[zone] = period if period <= last_counted(settings, handover) else settings.periods + 1
    return held


def _shut(
    case: PlanningCase, waits: Mapping[str, list[str]], reasons: Mapping[str, Reason], held: Mapping[str, int]
) -> dict[str, Reason]:
    """Zones that can't open in any plan, with the first reason."""
    shut: dict[str, Reason] = {}
    late = {zone: case.gates_of_zones[zone][0] for zone, period in held.items() if period > case.settings.periods}
    never_open = late | case.never_open
    for zone in case.zones["zone_id"].astype(str):
        if zone in never_open:
            shut[zone] = never_open[zone]
            continue
        left = sorted((task for task in waits.get(zone, []) if task in reasons), key=_survey_first)
        if left and left[0].startswith(SURVEY):
            shut[zone] = Reason("shut.survey", reason=reasons[left[0]])
        elif len(left) == 1:
            shut[zone] = Reason("shut.task", task=left[0], reason=reasons[left[0]])
        elif left:
            shut[zone] = Reason("shut.tasks", task=left[0], count=len(left) - 1, reason=reasons[left[0]])
    return shut


def _survey_first(task: str) -> bool:
    return not task.startswith(SURVEY)


def _unlocks(
    case: PlanningCase, waits: Mapping[str, list[str]], shut: Mapping[str, Reason], reasons: Mapping[str, Reason]
) -> tuple[list[tuple[str, str]], list[list[str]], list[int]]:
    """Zones that wait for something, and their optional parts: what each needs, and which zone it hangs on."""
    unlocks: list[tuple[str, str]] = []
    needs: list[list[str]] = []
    parent: list[int] = []
    number = {}
    for zone in case.zones["zone_id"].astype(str):
        if zone in waits and zone not in shut:
            number[zone] = len(unlocks)
            unlocks.append((zone, ""))
            needs.append(waits[zone])
            parent.append(-1)
    optional = case.blockers[case.blockers["essential"] == "no"]
    for key, tasks in optional.groupby(["zone_id", "part"], sort=True)["task_id"]:
        zone, part = map(str, key)
        todo = list(dict.fromkeys(map(str, tasks)))
        if zone in shut or any(task in reasons for task in todo):
            continue
        unlocks.append((zone, part))
        needs.append(todo)
        parent.append(number.get(zone, -1))
    return unlocks, needs, parent


def _gains(tasks: pd.DataFrame, settings: PlanningSettings) -> Array:
    """What each task is worth a month from its release on, beside unlocks [person-months a month]."""
    gain = np.zeros(len(tasks))
    for weight, column, unit in ((settings.score_weight, "score", 100.0), (settings.risk_weight, "expected_m2", 1e4)):
        if weight and column in tasks.columns:
            gain += weight * pd.to_numeric(tasks[column]).fillna(0.0).to_numpy(float) / unit
    return gain


def _home_gains(case: PlanningCase) -> Array:
    """What each task is worth a month from its release on for people already home near it [person-months a month]."""
    near = case.near_homes
    if near is None or not len(near) or not case.settings.home_risk_weight:
        return np.zeros(len(case.works))
    home = dict(zip(case.zones["zone_id"].astype(str), already_home(case.zones), strict=True))
    worth = near["part"] * near["zone_id"].map(home) * case.settings.home_risk_weight
    by_task = worth.groupby(near["task_id"].astype(str)).sum()
    return case.works["task_id"].astype(str).map(by_task).fillna(0.0).to_numpy(float)


def _keys(
    case: PlanningCase,
    able: Able,
    users: Mapping[int, list[int]],
    promised: Promised,
    gain: Array,
    home: Array,
    first: Array,
    *,
    alone: bool,
) -> dict[Any, list[int]]:
    """Tasks by what makes them alike; ``gain`` and, of it, what counts for people already home (``home``)."""
    tasks, area = case.works, case.works["area_m2"].to_numpy(float)
    free = [k for k in range(len(tasks)) if able[k] is not None and k not in users]
    density = gain / np.maximum(area, TINY)
    order = np.argsort(density[free], kind="stable")
    group = np.zeros(len(tasks), dtype=int)
    groups = _MORE_GROUPS if _limits_lines(case.settings) else _GROUPS
    group[np.array(free, dtype=int)[order]] = np.arange(len(free)) * groups // max(len(free), 1)
    # Ground near homes differs in worth by far more than scores do: within a block by a quarter at most.
    band = np.round(_BANDS * np.log2(np.maximum(home, TINY) / np.maximum(area, TINY))) * (home > 0)
    apart = case.settings.stability or case.settings.place_seasons
    districts = tasks["district"].astype(str) if apart else pd.Series("", index=tasks.index)
    classes, sizes = tasks["land_class"], _sizes(area, case.settings)
    keys: dict[Any, list[int]] = {}
    for k, methods in enumerate(able):
        if methods is None:
            continue
        key: Any = k
        if not alone:
            unlocked = tuple(users[k]) if k in users else ("free", int(group[k]))
            shares = (float(case.shares.cancelled[k]), float(case.shares.cleared[k]))
            left = () if np.isnan(shares).any() else shares  # NaN is not like itself
            like = (classes.iloc[k], districts.iloc[k], promised.get(k), first[k], left, band[k])
            key = (unlocked, id(methods[0]), methods[1], sizes[k] if k in users else 0, *like)
        keys.setdefault(key, []).append(k)
    return keys


def _limits_lines(settings: PlanningSettings) -> bool:
    """Whether a task takes days that are not work."""
    steps = (step for method in settings.every_method for step in method.steps)
    beside = any(step.set_up_days or step.close_out_days for step in steps)
    return bool(settings.min_team_days) or settings.travel is not None or beside


def _sizes(area: Array, settings: PlanningSettings) -> Array:
    """Class of size of each task, where it matters how many tasks the ground is cut into."""
    if not _limits_lines(settings):
        return np.zeros(len(area), dtype=int)
    return np.asarray(np.floor(np.log(np.maximum(area, TINY)) / np.log(_LIKE_SIZE)).astype(int))


def _best_first(ids: Array, gain: Array, area: Array) -> Array:
    return np.asarray(ids[np.lexsort((ids, -gain[ids] / np.maximum(area[ids], TINY)))])


def _order_gain(ids: Array, gain: Array, area: Array) -> float:
    """How much more than its part of the whole the best of a block's tasks can be worth when they come first."""
    if len(ids) == 1 or not gain[ids].any():
        return 0.0
    parts, worth = np.cumsum(area[ids]) / area[ids].sum(), np.cumsum(gain[ids])
    return float((worth - parts * worth[-1]).max())


def _steps(case: PlanningCase, members: Sequence[Array], able: Able) -> tuple[dict[str, Any], Array, Array, WorkOrder]:
    """Steps of all blocks, one after the other, their numbers, how far lines may be ahead of parts, and their limits.

    Steps without ground are done by themselves. Lines may be ahead on the last step of a block: see ``finished_ahead``.
    """
    settings, area = case.settings, case.works["area_m2"].to_numpy(float)
    rates = rates_of(case.teams, settings)
    ground: list[float] = []
    before: list[int] = []
    block: list[int] = []
    last: list[int] = []
    number: list[int] = []
    work: list[dict[int, float]] = []
    beside: list[dict[int, tuple[float, float]]] = []
    both: list[Array] = []
    ahead: list[float] = []
    for b, ids in enumerate(members):
        methods = able[int(ids[0])]
        assert methods is not None
        method, teams_of_steps = methods
        previous, first = -1, 0.0
        for no, (step, teams) in enumerate(zip(method.steps, teams_of_steps, strict=True), 1):
            on_tasks = area[ids] * case.shares.part(step.ground)[ids]
            m2 = float(on_tasks.sum())
            if m2 <= 0:
                continue
            ground.append(m2)
            number.append(no)
            before.append(previous)
            block.append(b)
            work.append({k: m2 / float(rates[k]) for k in teams})
            come, leave = step.set_up_days + case.travel[ids], step.close_out_days + case.travel[ids]
            both.append(np.array([come.max(axis=0), leave.max(axis=0)]))
            least = settings.min_team_days
            beside.append({k: beside_work(on_tasks / float(rates[k]), come[:, k], leave[:, k], least) for k in teams})
            first = (
                finished_ahead(on_tasks / float(rates[list(teams)].max()), float(leave[:, list(teams)].max()))
                if teams
                else 0.0
            )
            previous = len(ground) - 1
        last.append(previous)
        ahead.append(first)
    shut = closed_periods(case.works, settings)
    closed = np.array([shut[int(members[b][0])] for b in block], dtype=bool).reshape(-1, settings.periods)
    order = work_order(case, both, work, closed)
    steps = {
        "ground": np.array(ground),
        "before": np.array(before, dtype=int),
        "block": np.array(block, dtype=int),
        "last": np.array(last, dtype=int),
        "options": tuple(tuple((k, days + sum(beside[s][k])) for k, days in work[s].items()) for s in range(len(work))),
        "beside": tuple(beside) if order.limits_lines else (),
        "carried": most_carried(order, np.array(before, dtype=int), len(case.teams)),
        "reach": _reach(order, block, [len(ids) for ids in members]),
    }
    return steps, np.array(number, dtype=int), np.array(ahead), order


def _reach(order: WorkOrder, block: Sequence[int], tasks: Sequence[int]) -> tuple[dict[int, tuple[float, ...]], ...]:
    """Most that a team may do of a step in each period, as no more teams may be on each task of its block [1].

    Nothing where nobody works at its place.
    """
    if not np.isfinite(order.most) and not order.closed.any():
        return ()
    days = np.where(order.of_one > 0, order.most, 0.0) * np.maximum(order.of_one, TINY)
    return tuple(
        {k: tuple((np.minimum(days[k] * tasks[b] / effort, 1.0) * ~closed).tolist()) for k, effort in work.items()}
        for b, work, closed in zip(block, order.work, order.closed, strict=True)
    )


def _handovers(
    case: PlanningCase, waits: Mapping[str, list[str]], unlocks: Sequence[tuple[str, str]], needs: Sequence[list[str]]
) -> Array:
    """Months of handover of each unlock; one that adds to a zone is handed over with it (unlocks) [months]."""
    both = {
        f"{zone}/{part}": [*waits.get(zone, ()), *needed] for (zone, part), needed in zip(unlocks, needs, strict=True)
    }
    return np.array(list(handovers(both, case.works, case.settings).values()), dtype=int)


def _worth(
    case: PlanningCase,
    unlocks: Sequence[tuple[str, str]],
    handover: Array,
    closed: Set[str],
    held: Mapping[str, int],
) -> tuple[Array, float]:
    """What each unlock is worth by the period after which it is finished, and what opens without any work."""
    zones, settings = case.zones, case.settings
    counted = np.append(float(settings.counted_months), months_counted(settings))
    people: dict[str, float] = {}
    after_return: dict[str, float] = {}
    returns = zones["planned_return"] if "planned_return" in zones.columns else [None] * len(zones)
    weights = people_weights(zones, settings)
    for zone, number, day, weight in zip(zones["zone_id"].astype(str), zones["people"], returns, weights, strict=True):
        people_of_zone = people_range(number, case.unknown_people)
        if people_of_zone is None:
            raise TableError(f"zone {zone}: nobody knows its people; state priority.unknown_people, or its number")
        after_return[zone] = 0.0
        if day is not None and pd.notna(day):
            after_return[zone] = max(settings.counted_months - months_to(day, settings), 0.0)
        people[zone] = float(weight) * people_of_zone[1]

    def weighed(zone: str, months: Array) -> Array:
        late = np.minimum(months, after_return[zone])
        return np.asarray(people[zone] * (months + settings.late_penalty * late))

    value = np.zeros((len(unlocks), settings.periods + 1))
    for u, (zone, part) in enumerate(unlocks):
        months = np.maximum(counted - handover[u], 0.0)
        value[u] = settings.optional_share * people[zone] * months if part else weighed(zone, months)
    workless = [zone for zone in people if zone not in closed]
    return value, sum(float(weighed(zone, counted[[held.get(zone, 0)]])[0]) for zone in workless)


def _in_time(unlocks: Sequence[tuple[str, str]], handover: Array, settings: PlanningSettings) -> Array:
    """Last period after which each zone is still open within the periods of the floor, -1 where none is (unlocks)."""
    fairness = settings.fairness
    if fairness is None or fairness.open_within_periods is None:
        return np.full(len(unlocks), -1)
    months = fairness.open_within_periods * settings.period_months - handover
    zones = np.array([not part for _, part in unlocks], dtype=bool)
    return np.where(zones & (months >= 0), months // settings.period_months, -1)


def _due(zones: pd.DataFrame, unlocks: Sequence[tuple[str, str]], handover: Array, settings: PlanningSettings) -> Array:
    """Period by whose end the work of each unlock must be finished, so that it is open in time, -1 for none."""
    ids = zones["zone_id"].astype(str).tolist()
    days = dict(zip(ids, zones["planned_return"], strict=True)) if "planned_return" in zones.columns else {}
    for zone in settings.hard_deadlines:
        if zone not in ids:
            raise SettingsError(f"planning.hard_deadlines: there is no zone {zone!r}; fix its id")
        if pd.isna(days.get(zone)):
            raise SettingsError(f"planning.hard_deadlines: zone {zone} has no planned_return; state one, or drop it")
    due = np.full(len(unlocks), -1)
    for u, (zone, part) in enumerate(unlocks):
        if zone in settings.hard_deadlines and not part:
            due[u] = period_of(days[zone], settings, int(handover[u]))
    return due


def _stability(case: PlanningCase, members: Sequence[Array]) -> dict[str, Any]:
    """Districts of blocks, and the team-days that the plan in force has in each."""
    settings = case.settings
    if case.previous is None or not settings.stability:
        none = np.zeros((len(case.teams), 0, settings.periods))
        return {"district": np.zeros(len(members), dtype=int), "kept": none, "stability": 0.0}
    districts = case.works["district"].to_numpy(object)
    names = [name for name in pd.unique(districts) if isinstance(name, str)]
    place = {name: k for k, name in enumerate(names)}
    district = np.array([place.get(districts[int(ids[0])], len(names)) for ids in members], dtype=int)
    kept = np.zeros((len(case.teams), len(names) + 1, settings.periods))
    team = {name: k for k, name in enumerate(case.teams["team_id"].astype(str))}
    where = dict(zip(case.works["task_id"].astype(str), districts, strict=True))
    begins = {first: t for t, (first, _) in enumerate(period_days(settings))}
    for row in case.previous.to_dict("records"):
        t = begins.get(pd.Timestamp(row["starts_on"]).date())
        name = where.get(str(row["task_id"]))
        if t is not None and isinstance(name, str) and str(row["team_id"]) in team:
            kept[team[str(row["team_id"])], place[name], t] += float(row["days"])
    return {"district": district, "kept": kept, "stability": settings.stability}
