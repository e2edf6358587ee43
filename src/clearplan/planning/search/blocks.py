"""TASKS, ZONES and TEAMS as blocks of like tasks, the arrays of a plan; and schedules of blocks back as WORK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError, TableError
from clearplan.planning.blockers import waits_for
from clearplan.planning.blockers import without_place as nowhere
from clearplan.planning.calendar import months_counted, months_to, period_days, period_of, team_days
from clearplan.planning.methods import allowed, methods_of, people_range, rates_of
from clearplan.planning.search.problem import TINY, Problem
from clearplan.settings.planning import Method, PlanningSettings
from clearplan.tables.texts import ids_in

Array = NDArray[Any]
Parts = Sequence[tuple[int, int, int, float]]

#: Blocks that unlock nothing are told apart by what they are worth for their ground, in so many groups.
_GROUPS = 8
#: Work of a step that is finished but for this part is finished: rounding of the solver [1].
_FINISHED = 1e-7


@dataclass(frozen=True)
class Blocks:
    """A plan as blocks of like tasks.

    ``members``: positions in TASKS of each block's tasks, in the order in which they are worked on;
    ``step_no`` (steps of the problem): number of the step in the task's method, from 1; ``unlocks``: (zone, part) of
    each unlock; ``open_worth``: what is worth from the start, whatever is done [person-months]; ``slack``: how much
    more the order within blocks could be worth than the blocks tell [person-months];
    ``left_out``: task to the reason why nobody may work on it; ``shut``: zone to the reason why it can't open.
    """

    problem: Problem
    members: tuple[Array, ...]
    step_no: Array
    unlocks: tuple[tuple[str, str], ...]
    open_worth: float
    slack: float
    left_out: dict[str, str]
    shut: dict[str, str]


def make_blocks(
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    blockers: pd.DataFrame,
    teams: pd.DataFrame,
    settings: PlanningSettings,
    *,
    unknown_people: tuple[float, float, float] | None = None,
    commitments: pd.DataFrame | None = None,
    without_place: Mapping[str, str] | None = None,
    previous: pd.DataFrame | None = None,
    alone: bool = False,
) -> Blocks:
    """Blocks: tasks that unlock the same, by the same method, with the same teams, are one piece of fluid work.

    Parameters
    ----------
    tasks, zones, blockers, teams
        The tables.
    settings : PlanningSettings
    unknown_people : (low, likely, high) [people], optional
        Assumed for a zone whose number nobody knows.
    commitments : DataFrame, optional
        COMMITMENTS.
    without_place : mapping, optional
        Zone to why it is not known what blocks it.
    previous : DataFrame, optional
        WORK of the plan in force, for the weight of stability.
    alone : bool
        Each task is a block of its own, for ways of planning that go by tasks.

    Raises
    ------
    TableError, SettingsError
        A zone has no number of people and none is assumed; a commitment or a deadline names what is not there.
    """
    waits = waits_for(blockers)
    able, reasons = _able(tasks, teams, settings)
    promised = _promised(tasks, teams, settings, commitments, able, reasons)
    lost = nowhere(zones, None) if "deferred" in zones.columns else {}
    shut = _shut(zones, waits, lost | dict(without_place or {}), reasons)
    unlocks, needs, parent = _unlocks(zones, blockers, waits, shut, reasons)
    gain = _gains(tasks, settings)
    where = {task: k for k, task in enumerate(tasks["task_id"].astype(str))}
    users: dict[int, list[int]] = {}
    for u, own in enumerate(needs):
        for task in own:
            users.setdefault(where[task], []).append(u)
    area = tasks["area_m2"].to_numpy(float)
    keys = _keys(tasks, able, users, promised, gain, area, settings, alone)
    members = tuple(_best_first(np.array(own), gain, area) for own in keys.values())
    steps, step_no = _steps(members, able, area, teams, settings)
    block_of = {int(k): b for b, own in enumerate(members) for k in own}
    worth, open_worth = _worth(zones, unlocks, settings, unknown_people, {*waits, *shut})
    months = np.append(float(settings.counted_months), months_counted(settings))
    total = np.array([gain[own].sum() for own in members])
    problem = Problem(
        **steps,
        capacity=team_days(teams, settings),
        cost=pd.to_numeric(teams["cost_per_day"]).to_numpy(float),
        budget=np.inf if settings.budget is None else settings.budget,
        budget_a_period=np.inf if settings.budget_a_period is None else settings.budget_a_period,
        wait=settings.wait_periods,
        needs=tuple(tuple(sorted({block_of[where[task]] for task in own})) for own in needs),
        parent=np.array(parent, dtype=int),
        value=worth,
        reward=total[:, None] * months,
        due=_due(zones, unlocks, settings),
        block_due=np.array([promised.get(int(own[0]), (-1, None))[0] for own in members], dtype=int),
        **_stability(tasks, members, teams, settings, previous),
    )
    slack = sum(_order_gain(own, gain, area) for own in members) * months[1] if settings.periods else 0.0
    return Blocks(problem, members, step_no, tuple(unlocks), open_worth, float(slack), reasons, shut)


Able = list[tuple[Method, tuple[tuple[int, ...], ...]] | None]


def _able(tasks: pd.DataFrame, teams: pd.DataFrame, settings: PlanningSettings) -> tuple[Able, dict[str, str]]:
    """Method of each task and the teams of each step; tasks that nobody may work on, with the reason."""
    gates = tasks["gates"] if "gates" in tasks.columns else [None] * len(tasks)
    works = team_days(teams, settings).sum(axis=1) > 0
    able: Able = []
    reasons: dict[str, str] = {}
    known: dict[Any, tuple[int, ...]] = {}
    rows = zip(
        tasks["task_id"], methods_of(tasks, settings), tasks["district"], gates, tasks["land_class"], strict=True
    )
    for task, method, district, gate, land_class in rows:
        able.append(None)
        if isinstance(gate, str):
            reasons[str(task)] = f"behind a gate: {gate}"
        elif method is None:
            reasons[str(task)] = f"no method of [[planning.methods]] fits class {land_class} and its ordnance"
        else:
            own = []
            for step in method.steps:
                key = (step.kinds, district if isinstance(district, str) else None)
                if key not in known:
                    known[key] = tuple(k for k in allowed(*key, teams) if works[k])
                if not known[key] and settings.part(land_class, step.ground) > 0:
                    place = f"in {district}" if isinstance(district, str) else "outside every district"
                    reasons[str(task)] = f"no team does '{step.name}' ({' or '.join(step.kinds)}) {place}"
                    break
                own.append(known[key])
            else:
                able[-1] = (method, tuple(own))
    return able, reasons


def _promised(
    tasks: pd.DataFrame, teams: pd.DataFrame, settings: PlanningSettings, commitments: Any, able: Able, reasons: Any
) -> dict[int, tuple[int, tuple[int, ...] | None]]:
    """Task to the period by which it was promised, and the teams that may do it (None: any)."""
    promised: dict[int, tuple[int, tuple[int, ...] | None]] = {}
    if commitments is None or not len(commitments):
        return promised
    ids = {task: k for k, task in enumerate(tasks["task_id"].astype(str))}
    team_no = {team: k for k, team in enumerate(teams["team_id"].astype(str))}
    hazards: dict[str, list[int]] = {}
    for k, cell in enumerate(tasks["hazard_ids"] if "hazard_ids" in tasks.columns else ()):
        for hazard in ids_in(cell):
            hazards.setdefault(hazard, []).append(k)
    for row in commitments.to_dict("records"):
        if isinstance(row.get("deferred"), str):
            continue
        name, task, team = row["commitment_id"], row.get("task_id"), row.get("team_id")
        if isinstance(task, str) and task not in ids:
            raise TableError(
                f"commitment {name}: there is no task {task!r}; mend its task_id, or drop it if it is done"
            )
        if isinstance(team, str) and team not in team_no:
            raise TableError(f"commitment {name}: there is no team {team!r}; mend its team_id")
        own = [ids[task]] if isinstance(task, str) else hazards.get(str(row.get("hazard_id")), [])
        due = period_of(row["until"], settings)
        only: tuple[int, ...] | None = (team_no[team],) if isinstance(team, str) else None
        for k in own:
            before = promised.get(k, (due, None))
            both = only if before[1] is None else before[1] if only is None else tuple(set(only) & set(before[1]))
            promised[k] = (min(due, before[0]), both)
    for k, (_, only) in promised.items():
        found = able[k]
        if found is not None and only is not None:
            fewer = tuple(tuple(team for team in own if team in only) for own in found[1])
            land_class = tasks["land_class"].iloc[k]
            lacking = [s.name for s, own in zip(found[0].steps, fewer, strict=True)
                       if not own and settings.part(land_class, s.ground) > 0]  # fmt: skip
            if lacking:
                task = str(tasks["task_id"].iloc[k])
                reasons[task] = f"promised to a team that does no '{lacking[0]}' there"
                able[k] = None
            else:
                able[k] = (found[0], fewer)
    return promised


def _shut(
    zones: pd.DataFrame, waits: Mapping[str, list[str]], without_place: Mapping[str, str], reasons: Mapping[str, str]
) -> dict[str, str]:
    """Zones that can't open in any plan, with the first reason."""
    shut = {}
    for zone in zones["zone_id"].astype(str):
        if zone in without_place:
            shut[zone] = without_place[zone]
            continue
        held = [task for task in waits.get(zone, []) if task in reasons]
        if held:
            more = f" (and {len(held) - 1} more task{'s' * (len(held) > 2)})" if len(held) > 1 else ""
            shut[zone] = f"task {held[0]}{more}: {reasons[held[0]]}"
    return shut


def _unlocks(
    zones: pd.DataFrame, blockers: pd.DataFrame, waits: Mapping[str, list[str]], shut: Any, reasons: Any
) -> tuple[list[tuple[str, str]], list[list[str]], list[int]]:
    """Zones that wait for something, and their optional parts: what each needs, and which zone it hangs on."""
    unlocks: list[tuple[str, str]] = []
    needs: list[list[str]] = []
    parent: list[int] = []
    number = {}
    for zone in zones["zone_id"].astype(str):
        if zone in waits and zone not in shut:
            number[zone] = len(unlocks)
            unlocks.append((zone, ""))
            needs.append(waits[zone])
            parent.append(-1)
    optional = blockers[blockers["essential"] == "no"]
    for key, own in optional.groupby(["zone_id", "part"], sort=True)["task_id"]:
        zone, part = map(str, key)
        todo = list(dict.fromkeys(map(str, own)))
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


def _keys(
    tasks: pd.DataFrame, able: Able, users: Mapping[int, list[int]], promised: Mapping[int, Any], gain: Array,
    area: Array, settings: PlanningSettings, alone: bool,
) -> dict[Any, list[int]]:  # fmt: skip
    """Tasks by what makes them alike."""
    free = [k for k in range(len(tasks)) if able[k] is not None and k not in users]
    density = gain / np.maximum(area, TINY)
    order = np.argsort(density[free], kind="stable")
    group = np.zeros(len(tasks), dtype=int)
    group[np.array(free, dtype=int)[order]] = np.arange(len(free)) * _GROUPS // max(len(free), 1)
    districts = tasks["district"].astype(str) if settings.stability else pd.Series("", index=tasks.index)
    classes = tasks["land_class"]
    keys: dict[Any, list[int]] = {}
    for k, found in enumerate(able):
        if found is None:
            continue
        key: Any = k
        if not alone:
            own = tuple(users[k]) if k in users else ("free", int(group[k]))
            key = (own, id(found[0]), found[1], classes.iloc[k], districts.iloc[k], promised.get(k))
        keys.setdefault(key, []).append(k)
    return keys


def _best_first(own: Array, gain: Array, area: Array) -> Array:
    return np.asarray(own[np.lexsort((own, -gain[own] / np.maximum(area[own], TINY)))])


def _order_gain(own: Array, gain: Array, area: Array) -> float:
    """How much more than its part of the whole the best of a block's tasks can be worth when they come first."""
    if len(own) == 1 or not gain[own].any():
        return 0.0
    parts, worth = np.cumsum(area[own]) / area[own].sum(), np.cumsum(gain[own])
    return float((worth - parts * worth[-1]).max())


def _steps(
    members: Sequence[Array], able: Able, area: Array, teams: pd.DataFrame, settings: PlanningSettings
) -> tuple[dict[str, Any], Array]:
    """Steps of all blocks, one after the other, and their numbers; steps without ground are done by themselves."""
    rates = rates_of(teams, settings)
    ground: list[float] = []
    before: list[int] = []
    block: list[int] = []
    last: list[int] = []
    number: list[int] = []
    options = []
    for b, own in enumerate(members):
        found = able[int(own[0])]
        assert found is not None
        method, doing = found
        previous = -1
        for no, (step, team) in enumerate(zip(method.steps, doing, strict=True), 1):
            m2 = float(area[own].sum()) * settings.part(method.land_class, step.ground)
            if m2 <= 0:
                continue
            ground.append(m2)
            number.append(no)
            before.append(previous)
            block.append(b)
            options.append(tuple((k, m2 / float(rates[k])) for k in team))
            previous = len(ground) - 1
        last.append(previous)
    steps = {
        "ground": np.array(ground), "before": np.array(before, dtype=int), "block": np.array(block, dtype=int),
        "last": np.array(last, dtype=int), "options": tuple(options),
    }  # fmt: skip
    return steps, np.array(number, dtype=int)


def _worth(
    zones: pd.DataFrame,
    unlocks: Sequence[tuple[str, str]],
    settings: PlanningSettings,
    unknown: tuple[float, float, float] | None,
    closed: Set[str],
) -> tuple[Array, float]:
    """What each unlock is worth by the period after which it is open, and what is open from the start."""
    months = np.append(float(settings.counted_months), months_counted(settings))
    people: dict[str, float] = {}
    weighed: dict[str, Array] = {}
    returns = zones["planned_return"] if "planned_return" in zones.columns else [None] * len(zones)
    for zone, number, day in zip(zones["zone_id"].astype(str), zones["people"], returns, strict=True):
        told = people_range(number, unknown)
        if told is None:
            raise TableError(f"zone {zone}: nobody knows its people; state priority.unknown_people, or its number")
        late = np.zeros(len(months))
        if day is not None and pd.notna(day):
            late = np.minimum(months, max(settings.counted_months - months_to(day, settings), 0.0))
        people[zone] = told[1]
        weighed[zone] = told[1] * (months + settings.late_penalty * late)
    value = [weighed[zone] if not part else settings.optional_share * people[zone] * months for zone, part in unlocks]
    shape = (len(unlocks), settings.periods + 1)
    from_start = sum(float(own[0]) for zone, own in weighed.items() if zone not in closed)
    return np.array(value).reshape(shape), from_start


def _due(zones: pd.DataFrame, unlocks: Sequence[tuple[str, str]], settings: PlanningSettings) -> Array:
    """Period by whose end each unlock must be open, -1 for none."""
    ids = zones["zone_id"].astype(str).tolist()
    days = dict(zip(ids, zones["planned_return"], strict=True)) if "planned_return" in zones.columns else {}
    for zone in settings.hard_deadlines:
        if zone not in ids:
            raise SettingsError(f"planning.hard_deadlines: there is no zone {zone!r}; mend its id")
        if pd.isna(days.get(zone)):
            raise SettingsError(f"planning.hard_deadlines: zone {zone} has no planned_return; state one, or drop it")
    due = {zone: period_of(days[zone], settings) for zone in settings.hard_deadlines}
    return np.array([due.get(zone, -1) if not part else -1 for zone, part in unlocks], dtype=int)


def _stability(
    tasks: pd.DataFrame,
    members: Sequence[Array],
    teams: pd.DataFrame,
    settings: PlanningSettings,
    previous: pd.DataFrame | None,
) -> dict[str, Any]:
    """Districts of blocks, and the team-days that the plan in force has in each."""
    if previous is None or not settings.stability:
        none = np.zeros((len(teams), 0, settings.periods))
        return {"district": np.zeros(len(members), dtype=int), "kept": none, "stability": 0.0}
    names = [name for name in pd.unique(tasks["district"]) if isinstance(name, str)]
    place = {name: k for k, name in enumerate(names)}
    own = tasks["district"].to_numpy(object)
    district = np.array([place.get(own[int(ids[0])], len(names)) for ids in members], dtype=int)
    kept = np.zeros((len(teams), len(names) + 1, settings.periods))
    team = {name: k for k, name in enumerate(teams["team_id"].astype(str))}
    where = dict(zip(tasks["task_id"].astype(str), own, strict=True))
    begins = {first: t for t, (first, _) in enumerate(period_days(settings))}
    for row in previous.to_dict("records"):
        t = begins.get(pd.Timestamp(row["starts_on"]).date())
        name = where.get(str(row["task_id"]))
        if t is not None and isinstance(name, str) and str(row["team_id"]) in team:
            kept[team[str(row["team_id"])], place[name], t] += float(row["days"])
    return {"district": district, "kept": kept, "stability": settings.stability}


def work_table(
    blocks: Blocks, parts: Parts, tasks: pd.DataFrame, teams: pd.DataFrame, settings: PlanningSettings
) -> pd.DataFrame:
    """WORK of a schedule of blocks: within a block the tasks are worked on one after the other.

    Returns
    -------
    DataFrame
        One row a task, step, team and period, in the order of periods, teams and tasks.
    """
    problem, area = blocks.problem, tasks["area_m2"].to_numpy(float)
    rates, costs = rates_of(teams, settings), problem.cost
    methods, ids = methods_of(tasks, settings), tasks["task_id"].to_numpy(object)
    names, kinds = teams["team_id"].to_numpy(object), teams["kind"].to_numpy(object)
    edges = [np.append(0.0, np.cumsum(area[own]) / area[own].sum()) for own in blocks.members]
    rows = []
    for s, pieces in _by_step(parts).items():
        b, no, at = int(problem.block[s]), int(blocks.step_no[s]), 0.0
        method = methods[int(blocks.members[b][0])]
        assert method is not None
        for team, t, part in _finished(pieces):
            end = min(at + part, 1.0) if at + part < 1 - TINY else 1.0
            first = int(np.searchsorted(edges[b], at, side="right")) - 1
            for k in range(max(first, 0), len(blocks.members[b])):
                overlap = min(end, edges[b][k + 1]) - max(at, edges[b][k])
                if edges[b][k] >= end:
                    break
                if overlap <= 1e-13:
                    continue
                m2 = overlap * float(problem.ground[s])
                days = m2 / float(rates[team])
                rows.append((ids[blocks.members[b][k]], no, method.steps[no - 1].name, kinds[team],
                             names[team], t + 1, days, m2, days * float(costs[team])))  # fmt: skip
            at = end
    rows.sort(key=lambda row: (row[5], row[4], row[0], row[1]))
    columns = ["task_id", "step", "step_name", "kind", "team_id", "period", "days", "m2", "cost"]
    work = pd.DataFrame(rows, columns=columns)
    ids_of_rows = [f"{row[0]}/{row[1]}/{row[4]}/{row[5]}" for row in rows]
    work.insert(0, "work_id", pd.Series(ids_of_rows, dtype=str))
    bounds, period = np.array(period_days(settings), dtype="datetime64[ms]"), [row[5] - 1 for row in rows]
    for at_column, name in enumerate(("starts_on", "ends_on")):
        work.insert(7 + at_column, name, bounds[period, at_column])
    return work


def _by_step(parts: Parts) -> dict[int, list[tuple[int, int, float]]]:
    """Pieces of each step, (team, period, part), in the order of periods and teams."""
    steps: dict[int, list[tuple[int, int, float]]] = {}
    for s, team, t, part in sorted(parts):
        steps.setdefault(s, []).append((team, t, part))
    return {s: sorted(own, key=lambda piece: (piece[1], piece[0])) for s, own in steps.items()}


def _finished(pieces: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Pieces without the rounding of the solver: what is finished but for a crumb is finished."""
    out, at = [], 0.0
    for team, t, part in pieces:
        if at >= 1 - _FINISHED:
            break
        if at + part >= 1 - _FINISHED:
            part = 1.0 - at
        out.append((team, t, part))
        at += part
    return out
