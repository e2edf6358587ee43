"""Judge of a plan of work: every limit held against the schedule, every figure made again from its tables alone.

Nothing here comes from the planner. What the schedule says of days, ground and dates is held against TASKS, TEAMS and
the settings (``limits``); costs, openings, people at home and the objective are computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from clearplan.core.errors import SettingsError, TableError
from clearplan.planning.blockers import waits_for
from clearplan.planning.calendar import open_from, opening_day, opening_days, opening_periods
from clearplan.planning.case import PlanningCase
from clearplan.planning.limits import breaches, progress
from clearplan.planning.schedule_rows import counted_rows
from clearplan.planning.world import (
    RELATIVE,
    Array,
    Openings,
    World,
    amounts,
    ids_of,
    index_in,
    need,
    numbered,
    numbers,
    openings_of,
    sums_by,
    world_of,
)
from clearplan.tables.people import already_home


@dataclass(frozen=True)
class Judgement:
    """What a plan of work is worth, and which limits it breaks."""

    breaches: pd.DataFrame
    """One row for each broken limit: limit, where, by, unit, words; empty where none is. ``by`` is blank where it is no
    amount, and where nobody knows how late."""
    zones: pd.DataFrame
    """As ZONES: zone_id, finished_in (period after which its blockers are finished and it opens later than its gate
    ends, 0: from the start, blank: never), opens_in (period by whose end it is handed over and open, 0: from the start,
    blank: not in the plan), opens_on, people, people_low, people_high, person_months, person_months_low,
    person_months_high, near_released [1], last_tasks."""
    tasks: pd.DataFrame
    """As TASKS: task_id, finished_part [1], finished_in (period), finish_on, start_on, teams."""
    home: pd.DataFrame
    """People at home after each period, from 0, the start, to the end of the last handover: period, on, people,
    people_low, people_high, zones."""
    use: pd.DataFrame
    """As TEAMS, for each period: team_id, kind, period, days, available [team-days], cost [currency]."""
    totals: dict[str, float]
    """person_months, person_months_low, person_months_high, people_home, zones_open, zones_in_time (those open within
    the periods of a floor, where one is stated), people_near_hazard (already home, with tasks near),
    people_near_released (of them those all of whose near ground is released), m2_finished, m2_worked, days, cost,
    optional_value, score_value, home_risk_value, risk_value, kept_days, objective [person-months, people, m2, team-days
    or currency]; areas are of tasks alone."""
    surveys: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Of place surveys, as of tasks."""


def judge_work(work: pd.DataFrame, case: PlanningCase) -> Judgement:
    """Hold a schedule against every limit and compute again what it is worth.

    A row of the schedule that names no known task, team, step or period, or whose days or ground are no amount, is
    stated as a breach and counts nowhere. All others count as they stand, whatever they break; their cost is days x the
    team's cost a day, whatever they say.

    Parameters
    ----------
    work : DataFrame
        The schedule, a table WORK.
    case : PlanningCase

    Raises
    ------
    TableError
        A table lacks a column, an id stands twice or is unknown, an area is no amount, or the people of a zone are
        unknown and nothing is assumed.
    SettingsError
        A hard deadline names a zone that is not there or has no planned return, or ``unknown_people`` is out of order.
    """
    world = world_of(case)
    rows, faults = counted_rows(work, world)
    parts, finish, too_early = progress(rows, world)
    people = _people(case)
    zone, task = _waits(world)
    last, handover = (_last(zone, values[task], len(case.zones)) for values in (finish, world.handover))
    last[case.zones["zone_id"].isin(case.never_open).to_numpy()] = world.never
    opens = openings_of(np.maximum(last, _gates(handover, world)), handover, world)
    use = _use(rows, world)
    works, count = _tasks(rows, parts, finish, world), len(case.tasks)
    tables = {
        "zones": _zones(people, opens, zone, task, finish, world),
        "tasks": works.iloc[:count],
        "home": _home(people, opens, world),
    }
    return Judgement(
        breaches=breaches(rows, use, opens, finish, too_early, faults, world),
        use=use,
        totals=_totals(tables, opens, use, rows, parts, world),
        surveys=works.iloc[count:].reset_index(drop=True),
        **tables,
    )


# What it is worth.


def _people(case: PlanningCase) -> Array:
    """People of each zone, low, likely and high, shape (3, zones) [people]."""
    zones, unknown = case.zones, case.unknown_people
    need(zones, "ZONES", ("zone_id", "people"))
    ids_of(zones, "zone_id", "ZONES")
    people = numbers(zones["people"])
    blank = np.isnan(people)
    if unknown is None and blank.any():
        name = zones["zone_id"].to_numpy(object)[blank][0]
        raise TableError(f"zone {name}: people are unknown; give their number, or low, likely and high unknown_people")
    if unknown is not None and not 0 <= unknown[0] <= unknown[1] <= unknown[2]:
        raise SettingsError(f"unknown_people {unknown} must be low, likely, high in that order; fix it")
    return np.array([np.where(blank, assumed, people) for assumed in unknown or (0.0, 0.0, 0.0)])


def _waits(world: World) -> tuple[Array, Array]:
    """Pairs of numbers: a zone, and a task for which it waits; in the order of ZONES and TASKS."""
    blockers, zones = world.case.blockers, world.case.zones
    need(blockers, "BLOCKERS", ("zone_id", "task_id", "part", "essential"))
    numbered(blockers["zone_id"], ids_of(zones, "zone_id", "ZONES"), "BLOCKERS", "zone", "ZONES")
    numbered(blockers["task_id"], world.task_ids, "BLOCKERS", "task", "TASKS")
    number = {str(name): k for k, name in enumerate(zones["zone_id"])}
    waits = waits_for(blockers)
    zone = np.repeat([number[name] for name in waits], [len(rows) for rows in waits.values()]).astype(int)
    task = index_in(world.task_ids, [one for rows in waits.values() for one in rows])
    order = np.lexsort((task, zone))
    return zone[order], task[order]


def _gates(handover: Array, world: World) -> Array:
    """Period after which each zone opens later than its gates end, 0 where it has none."""
    periods = np.zeros(len(handover), dtype=int)
    for k, zone in enumerate(world.case.zones["zone_id"].astype(str)):
        if zone in world.case.gates_of_zones:
            _, end = world.case.gates_of_zones[zone]
            periods[k] = open_from(end, int(handover[k]), world.case.settings)
    return periods


def _zones(people: Array, opens: Openings, zone: Array, task: Array, finish: Array, world: World) -> pd.DataFrame:
    low, likely, high = people
    zones, months = world.case.zones, _months_open(opens, world)
    settings = world.case.settings
    days = [
        opening_day(period, handover, settings) if is_open else None
        for period, handover, is_open in zip(
            opens.finished.tolist(), opens.handover.tolist(), opens.open.tolist(), strict=True
        )
    ]
    last: dict[int, list[str]] = {}
    latest = _last(zone, finish[task], len(zones))
    for k in np.flatnonzero((finish[task] == latest[zone]) & opens.open[zone]):
        last.setdefault(int(zone[k]), []).append(str(world.task_ids[task[k]]))
    return pd.DataFrame(
        {
            "zone_id": zones["zone_id"].to_numpy(object),
            "finished_in": _periods(opens.finished, world),
            "opens_in": pd.Series(_opens_in(opens, world), dtype="Int64").mask(~opens.open).array,
            "opens_on": pd.to_datetime(pd.Series(days, dtype=object)).to_numpy(),
            "people": likely,
            "people_low": low,
            "people_high": high,
            "person_months": likely * months,
            "person_months_low": low * months,
            "person_months_high": high * months,
            "near_released": _near_released(finish, world),
            "last_tasks": ["; ".join(last[k]) if k in last else None for k in range(len(zones))],
        }
    )


def _tasks(rows: pd.DataFrame, parts: Array, finish: Array, world: World) -> pd.DataFrame:
    count = len(world.case.works)
    first = np.full(count, world.never)
    np.minimum.at(first, rows["task"].to_numpy(int), rows["period"].to_numpy(int))
    begins = pd.to_datetime([None, *(begin for begin, _ in world.bounds), None])
    names: list[list[str]] = [[] for _ in range(count)]
    for (task, team), _ in sums_by(rows, ["task", "team"]):
        names[task].append(f"{world.team_ids[team]}")
    return pd.DataFrame(
        {
            "task_id": world.case.works["task_id"].to_numpy(object),
            "finished_part": parts[:, -1],
            "finished_in": _periods(finish, world),
            "finish_on": world.dates()[finish].to_numpy(),
            "start_on": begins[first].to_numpy(),
            "teams": ["; ".join(teams) or None for teams in names],
        }
    )


def _months_open(opens: Openings, world: World) -> Array:
    """Months that count of each opening [months]."""
    return np.where(opens.open, world.case.settings.counted_months - opens.after, 0.0)


def _opens_in(opens: Openings, world: World) -> Array:
    """Period by whose end each is open, one after the last handover where it never is."""
    beyond = opening_periods(world.case.settings) + 1
    after = np.where(opens.open, opens.after, 0.0) / world.case.settings.period_months
    return np.where(opens.open, np.ceil(after - 1e-9), beyond).astype(int)


def _home(people: Array, opens: Openings, world: World) -> pd.DataFrame:
    days, opens_in = opening_days(world.case.settings), _opens_in(opens, world)

    def so_far(weights: Array | None) -> Array:
        return np.bincount(opens_in, weights=weights, minlength=len(days) + 1)[: len(days)].cumsum()

    low, likely, high = (so_far(weights) for weights in people)
    table = {"period": np.arange(len(days)), "on": pd.to_datetime(days), "people": likely, "people_low": low}
    return pd.DataFrame(table | {"people_high": high, "zones": so_far(None)})


def _use(rows: pd.DataFrame, world: World) -> pd.DataFrame:
    shape = (len(world.case.teams), len(world.bounds))
    cells = rows["team"].to_numpy(int) * shape[1] + rows["period"].to_numpy(int) - 1
    days, cost = (
        np.bincount(cells, weights=rows[name].to_numpy(float), minlength=shape[0] * shape[1])
        for name in ("days", "cost")
    )
    return pd.DataFrame(
        {
            "team_id": np.repeat(world.case.teams["team_id"].to_numpy(object), shape[1]),
            "kind": np.repeat(world.case.teams["kind"].to_numpy(object), shape[1]),
            "period": np.tile(np.arange(1, shape[1] + 1), shape[0]),
            "days": days,
            "available": world.available.ravel(),
            "cost": cost,
        }
    )


def _totals(
    tables: Mapping[str, pd.DataFrame],
    opens: Openings,
    use: pd.DataFrame,
    rows: pd.DataFrame,
    parts: Array,
    world: World,
) -> dict[str, float]:
    settings, months = world.case.settings, world.months()
    finish = tables["tasks"]["finished_in"].fillna(world.never).to_numpy(int)
    weighed = tables["zones"]["people"].to_numpy(float) * _weights(world)
    tasks = world.case.tasks
    home, released = already_home(world.case.zones), tables["zones"]["near_released"].to_numpy(float)
    area, on_tasks = tasks["area_m2"].to_numpy(float), (rows["task"] < len(tasks)).to_numpy(bool)
    # Months that count of each task, by the part of its last step that is done after each period.
    since = np.diff(parts[: len(tasks)], axis=1, prepend=0.0) @ months[:-1]
    totals = {name: float(tables["zones"][name].sum()) for name in _PERSON_MONTHS}
    totals |= {
        "people_home": float(tables["home"]["people"].iloc[-1]),
        "zones_open": float(opens.open.sum()),
        "people_near_hazard": float(home[~np.isnan(released)].sum()),
        "people_near_released": float(home[released == 1].sum()),
        "m2_finished": float(area[finish < world.never].sum()),
        "m2_worked": float(rows.loc[on_tasks, "m2"].sum()),
        "days": float(use["days"].sum()),
        "cost": float(use["cost"].sum()),
        "optional_value": _optional(weighed, opens, finish, world),
        "score_value": settings.score_weight * float(_column(tasks, "score") @ since) / 100,
        "home_risk_value": settings.home_risk_weight * _home_risk(since, world),
        "risk_value": settings.risk_weight * float(_column(tasks, "expected_m2") @ since) / 1e4,
        "kept_days": _kept_days(rows, world),
    }
    if settings.fairness is not None and settings.fairness.open_within_periods is not None:
        within = settings.fairness.open_within_periods * settings.period_months
        totals["zones_in_time"] = float((opens.after <= within).sum())
    months_open = _months_open(opens, world)
    late = np.minimum(months_open, _months_after(world))
    totals["objective"] = (
        float(weighed @ months_open)
        + settings.late_penalty * float(weighed @ late)
        + sum(totals[name] for name in ("optional_value", "score_value", "risk_value", "home_risk_value"))
        + settings.stability * totals["kept_days"]
    )
    return totals


def _weights(world: World) -> Array:
    """How many times each person of a zone counts in the objective [1]."""
    zones, fairness = world.case.zones, world.case.settings.fairness
    weight = fairness.vulnerability_weight if fairness is not None and fairness.in_force == "vulnerability" else None
    if weight is None or "vulnerability" not in zones.columns:
        return np.ones(len(zones))
    vulnerability = numbers(zones["vulnerability"])
    return np.where(np.isnan(vulnerability), 1.0, 1 + weight * (vulnerability - 1))


_PERSON_MONTHS = ("person_months", "person_months_low", "person_months_high")


def _near_released(finish: Array, world: World) -> Array:
    """Part of what is expected to be contaminated near the homes of each zone that is released at the plan's end [1].

    Blank where nobody is known to be home, or no task has ground near homes.
    """
    near, zones = world.case.near_homes, world.case.zones
    if near is None:
        return np.full(len(zones), np.nan)
    zone = numbered(near["zone_id"], ids_of(zones, "zone_id", "ZONES"), "NEAR_HOMES", "zone", "ZONES")
    task = numbered(near["task_id"], world.task_ids, "NEAR_HOMES", "task", "TASKS")
    done = np.bincount(zone, weights=near["part"] * (finish[task] < world.never), minlength=len(zones))
    there = np.bincount(zone, minlength=len(zones)) > 0
    # Parts of a whole may sum to a little less.
    return np.where(there & (already_home(zones) > 0), np.where(done >= 1 - RELATIVE, 1.0, done), np.nan)


def _home_risk(since: Array, world: World) -> float:
    """Months of people already home from the release of what is near them on, by its part [person-months]."""
    near, zones = world.case.near_homes, world.case.zones
    if near is None or not len(near):
        return 0.0
    home = np.nan_to_num(already_home(zones))
    zone = index_in(ids_of(zones, "zone_id", "ZONES"), near["zone_id"])
    task = index_in(world.task_ids, near["task_id"])
    return float((home[zone] * near["part"].to_numpy(float)) @ since[task])


def _optional(people: Array, opens: Openings, finish: Array, world: World) -> float:
    """What lifelines add without which zones can open, after one handover of both [person-months]."""
    blockers, zones = world.case.blockers, world.case.zones
    optional = blockers[blockers["essential"] == "no"]
    parts = optional.groupby(["zone_id", "part"], sort=False, dropna=False)
    part = parts.ngroup().to_numpy(int)
    task = index_in(world.task_ids, optional["task_id"])
    done = _last(part, finish[task], parts.ngroups)
    handover = _last(part, world.handover[task], parts.ngroups)
    served = np.zeros(parts.ngroups, dtype=int)
    served[part] = index_in(ids_of(zones, "zone_id", "ZONES"), optional["zone_id"])
    finished = np.where(opens.open[served], np.maximum(done, opens.finished[served]), world.never)
    both = openings_of(finished, np.maximum(handover, opens.handover[served]), world)
    return world.case.settings.optional_share * float(people[served] @ _months_open(both, world))


def _months_after(world: World) -> Array:
    """Months that count after the day of each zone's planned return, 0 where it has none [months].

    The day itself does not count; of a month that the day cuts, its part of days.
    """
    zones = world.case.zones
    if "planned_return" not in zones.columns:
        return np.zeros(len(zones))
    counted, start = world.case.settings.counted_months, pd.Timestamp(world.case.settings.start)
    edges = np.array([(start + pd.DateOffset(months=k) - start).days for k in range(counted + 1)], dtype=float)
    days = (pd.to_datetime(zones["planned_return"]) - start).dt.days.to_numpy(float)
    after: Array = np.nan_to_num(counted - np.interp(days + 1, edges, np.arange(counted + 1.0)))
    return after


def _kept_days(rows: pd.DataFrame, world: World) -> float:
    """Team-days that are in the district where the plan in force has them [team-days]."""
    previous = world.case.previous
    if previous is None:
        return 0.0
    need(previous, "WORK of the plan in force", ("task_id", "team_id", "starts_on", "days"))
    starts = pd.DatetimeIndex([first for first, _ in world.bounds])
    begun = pd.DatetimeIndex(pd.to_datetime(previous["starts_on"], errors="coerce"))
    days = numbers(previous["days"])
    then = pd.DataFrame(
        {
            "task": index_in(world.task_ids, previous["task_id"]),
            "team": index_in(world.team_ids, previous["team_id"]),
            "period": starts.get_indexer(begun) + 1,
            "days": np.where(amounts(days), days, 0.0),
        }
    )
    then = then[then["task"] >= 0]  # what is not known now as team or period joins nothing
    place = pd.factorize(world.case.works["district"])[0]  # -1: in no district
    # Days that a team only books are no work that stays.
    with np.errstate(invalid="ignore", divide="ignore"):
        worked = np.fmin(rows["days"].to_numpy(float), rows["m2"].to_numpy(float) / world.rate[rows["team"]])
    sums = []
    for table in (rows.assign(days=worked), then):
        table = table.assign(place=place[table["task"].to_numpy(int)])
        sums.append(table[table["place"] >= 0].groupby(["team", "place", "period"])["days"].sum())
    return float(pd.concat(sums, axis=1, join="inner").min(axis=1).sum())


def _column(table: pd.DataFrame, name: str) -> Array:
    """Numbers of a column; what is blank or not there counts as nothing."""
    return np.nan_to_num(numbers(table[name])) if name in table.columns else np.zeros(len(table))


def _last(group: Array, period: Array, count: int) -> Array:
    """Latest period of each group, 0 where it has no member."""
    latest = np.zeros(count, dtype=int)
    np.maximum.at(latest, group, period)
    return latest


def _periods(numbers: Array, world: World) -> Any:
    """Numbers of periods, blank for never."""
    return pd.Series(numbers, dtype="Int64").mask(numbers == world.never).array
