"""What a plan of work may not do: each limit recomputed from the schedule, TASKS, TEAMS and the settings alone.

Nothing here comes from the planner: methods, rates, team-days and the order of steps are worked out again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from clearplan.core.checks import months_of
from clearplan.core.errors import SettingsError, TableError
from clearplan.core.reason import Reason, one_decimal
from clearplan.planning.calendar import Day, opening_day, period_of
from clearplan.planning.world import RELATIVE, Array, Openings, World, blank, need, numbered, over, sums_by
from clearplan.tables.texts import ids_in

#: Limit, where, by how much, unit, reason.
Breach = tuple[str, str, float, str, Reason]


def progress(rows: pd.DataFrame, world: World) -> tuple[Array, Array, list[Breach]]:
    """Part of the last step that is done at the end of each period from 0 (tasks, periods + 1), period in which each
    task is finished, and where a step runs ahead of the one before it.
    """
    count, most = world.ground.shape
    periods, wait = len(world.bounds), world.case.settings.wait_periods
    cells = np.ravel_multi_index(
        (rows["task"].to_numpy(int), rows["step"].to_numpy(int), rows["period"].to_numpy(int)),
        (max(count, 1), most, periods + 1),
    )
    m2 = np.bincount(cells, weights=rows["m2"].to_numpy(float), minlength=count * most * (periods + 1))
    worked = np.cumsum(m2[: count * most * (periods + 1)].reshape(count, most, periods + 1), axis=2)
    # A step without ground is done as soon as the one before it; if it is the first, there is nothing to do before.
    done, least = np.ones((count, periods + 1)), np.ones((count, periods + 1))
    begun, ahead = np.zeros(count, dtype=bool), []
    for k in range(most):
        ground = world.ground[:, k]
        real = ground > 0
        part = np.where(real[:, None], np.minimum(worked[:, k] / np.where(real, ground, 1.0)[:, None], 1.0), done)
        allowed = np.zeros_like(done)
        allowed[:, wait:] = done[:, : max(periods + 1 - wait, 0)]
        excess = np.where((begun & real)[:, None] & over(part, allowed), part - allowed, 0.0)
        for task in np.flatnonzero(excess.any(axis=1)):
            period = int(np.argmax(excess[task]))
            ahead.append((int(task), k, period, float(part[task, period]), float(allowed[task, period])))
        done, least, begun = part, np.minimum(least, part), begun | real
    # Nobody may say that these are done: no method fits, or there is no ground, and a gate still holds it.
    idle = (world.method < 0)[:, None] | (~begun[:, None] & (np.arange(periods + 1) < world.first[:, None]))
    done[idle], least[idle] = 0.0, 0.0
    ready = least >= 1 - RELATIVE - 1e-12
    finish = np.where(ready.any(axis=1), ready.argmax(axis=1), world.never)
    return done, finish, [_ahead(*one, world) for one in sorted(ahead)]


def _ahead(task: int, step: int, period: int, part: float, allowed: float, world: World) -> Breach:
    names, ground = [one.name for one in world.steps_of(task)], world.ground[task]
    before = max(k for k in range(step) if ground[k] > 0)
    wait = world.case.settings.wait_periods
    reason = Reason(
        "breach.precedence",
        task=world.task_ids[task],
        period=world.named(period),
        step_no=step + 1,
        step=names[step],
        done_percent=100 * part,
        earlier_no=before + 1,
        earlier=names[before],
        then=Reason("breach.by_then") if wait == 0 else Reason("breach.before_then", count=wait),
        earlier_percent=100 * allowed,
        excess=one_decimal(100 * (part - allowed)),
    )
    return "precedence", f"{world.task_ids[task]}, step {step + 1}", part - allowed, "1", reason


# Limits.


def breaches(
    rows: pd.DataFrame,
    use: pd.DataFrame,
    opens: Openings,
    finish: Array,
    ahead: list[Breach],
    faults: list[Breach],
    world: World,
) -> pd.DataFrame:
    """One row for each broken limit, capacity first and the table last: limit, where, by, unit, words.

    ``rows`` are those of ``counted_rows``, ``use`` has the days and cost of each team in each period, ``opens``
    the openings of zones, ``finish`` the period of each task, ``ahead`` and ``faults`` what reading them found.
    """
    rows_of_breaches = [
        *_capacity(use, world),
        *_least_deployment(rows, world),
        *_teams_on_site(rows, world),
        *_districts(rows, world),
        *_kinds(rows, world),
        *_gates(rows, world),
        *_place_seasons(rows, world),
        *ahead,
        *_too_much_ground(rows, world),
        *_budgets(use, world),
        *_deadlines(opens, world),
        *_commitments(rows, finish, world),
        *faults,
    ]
    return pd.DataFrame(rows_of_breaches, columns=["limit", "where", "by", "unit", "words"]).astype({"by": float})


def _capacity(use: pd.DataFrame, world: World) -> list[Breach]:
    broken: list[Breach] = []
    for row in use[over(use["days"].to_numpy(float), use["available"].to_numpy(float))].to_dict("records"):
        team, period, days, there = row["team_id"], row["period"], row["days"], row["available"]
        reason = Reason(
            "breach.capacity",
            team=team,
            days=one_decimal(days),
            period=world.named(period),
            available=one_decimal(there),
            excess=one_decimal(days - there),
        )
        broken.append(("capacity", f"{team}, period {period}", days - there, "team-days", reason))
    return broken


def _least_deployment(rows: pd.DataFrame, world: World) -> list[Breach]:
    """Rows of work under the least deployment."""
    least, broken = world.case.settings.min_team_days, []
    for row in rows[over(least, rows["days"].to_numpy(float))].to_dict("records"):
        task, team, period, days = world.task_ids[row["task"]], world.team_ids[row["team"]], row["period"], row["days"]
        reason = Reason(
            "breach.least_deployment",
            team=team,
            days=one_decimal(days),
            task=task,
            period=world.named(period),
            least=one_decimal(least),
        )
        broken.append(("least deployment", f"{task}, {team}, period {period}", least - days, "team-days", reason))
    return broken


def _teams_on_site(rows: pd.DataFrame, world: World) -> list[Breach]:
    """Tasks on which too many teams are in one period; a row counts the teams that its days take."""
    most = world.case.settings.teams_on_site
    if most is None:
        return []
    days, of_one = rows["days"].to_numpy(float), world.of_one[rows["team"], rows["period"] - 1]
    able = np.where(of_one > 0, of_one, np.inf)  # where the team can do nothing, its days are too many by capacity
    teams, broken = np.maximum(np.ceil(days / able - RELATIVE), 1.0), []
    for (i, period), count in sums_by(rows.assign(teams=teams), ["task", "period"], "teams"):
        if count > most:
            task = world.task_ids[i]
            reason = Reason(
                "breach.teams_on_site", task=task, period=world.named(period), teams_there=int(count), most=most
            )
            broken.append(("teams on site", f"{task}, period {period}", count - most, "teams", reason))
    return broken


def _districts(rows: pd.DataFrame, world: World) -> list[Breach]:
    if "districts" not in world.case.teams.columns:
        return []
    bound = [ids_in(cell) for cell in world.case.teams["districts"]]
    lies, broken = world.case.works["district"].to_numpy(object), []
    for (i, j), days in sums_by(rows, ["task", "team"]):
        if bound[j] and lies[i] not in bound[j]:
            task, team, worked = world.task_ids[i], world.team_ids[j], one_decimal(days)
            if blank(lies[i]):
                reason = Reason("breach.no_district", team=team, days=worked, task=task, districts=bound[j])
            else:
                reason = Reason(
                    "breach.district", team=team, days=worked, task=task, district=lies[i], districts=bound[j]
                )
            broken.append(("district", f"{task}, {team}", days, "team-days", reason))
    return broken


def _kinds(rows: pd.DataFrame, world: World) -> list[Breach]:
    broken, kinds = [], world.case.teams["kind"].to_numpy(object)
    for (i, k, j), days in sums_by(rows, ["task", "step", "team"]):
        step = world.steps_of(i)[k]
        if kinds[j] not in step.kinds:
            task, team = world.task_ids[i], world.team_ids[j]
            reason = Reason(
                "breach.kind",
                team=team,
                kind=kinds[j],
                days=one_decimal(days),
                step_no=k + 1,
                step=step.name,
                task=task,
                kinds=step.kinds,
            )
            broken.append(("kind", f"{task}, step {k + 1}, {team}", days, "team-days", reason))
    return broken


def _gates(rows: pd.DataFrame, world: World) -> list[Breach]:
    broken = []
    early = rows["period"].to_numpy(int) < world.first[rows["task"].to_numpy(int)]
    for (i,), days in sums_by(rows[early], ["task"]):
        task, gates = world.task_ids[i], world.case.works["gates"].iloc[i]
        reason = Reason("breach.gate", task=task, days=one_decimal(days), gates=gates)
        broken.append(("gate", f"{task}", days, "team-days", reason))
    return broken


def _place_seasons(rows: pd.DataFrame, world: World) -> list[Breach]:
    """Work in periods with a month in which nobody works at its place."""
    broken, lies = [], world.case.works["district"].to_numpy(object)
    seasons = [(one.districts, months_of(one.months)) for one in world.case.settings.place_seasons]
    for (i, period), days in sums_by(rows, ["task", "period"]) if seasons else ():
        first, last = world.bounds[period - 1]
        months = set(pd.period_range(first, last, freq="M").month)
        if any(lies[i] in districts and not months <= able for districts, able in seasons):
            task = world.task_ids[i]
            reason = Reason(
                "breach.place_season",
                task=task,
                days=one_decimal(days),
                period=world.named(period),
                district=lies[i],
            )
            broken.append(("season of a place", f"{task}, period {period}", days, "team-days", reason))
    return broken


def _too_much_ground(rows: pd.DataFrame, world: World) -> list[Breach]:
    broken = []
    for (i, k), m2 in sums_by(rows, ["task", "step"], "m2"):
        if over(m2, ground := float(world.ground[i, k])):
            task, step = world.task_ids[i], world.steps_of(i)[k]
            reason = Reason(
                "breach.ground",
                step_no=k + 1,
                step=step.name,
                task=task,
                ground=one_decimal(ground),
                worked=one_decimal(m2),
                excess=one_decimal(m2 - ground),
            )
            broken.append(("ground", f"{task}, step {k + 1}", m2 - ground, "m2", reason))
    return broken


def _budgets(use: pd.DataFrame, world: World) -> list[Breach]:
    settings, broken = world.case.settings, []
    spent = use["cost"].to_numpy(float).reshape(len(world.case.teams), len(world.bounds)).sum(axis=0)
    money, whole, each = settings.currency, settings.budget, settings.budget_a_period
    cost = float(spent.sum())
    if whole is not None and over(cost, whole):
        reason = Reason("breach.budget", cost=cost, budget=whole, currency=money, excess_cost=cost - whole)
        broken.append(("budget", "plan", cost - whole, money, reason))
    if each is None:
        return broken
    for period, cost in enumerate(spent.tolist(), start=1):
        if over(cost, each):
            reason = Reason(
                "breach.budget_a_period",
                period=world.named(period),
                cost=cost,
                budget=each,
                currency=money,
                excess_cost=cost - each,
            )
            broken.append(("budget of a period", f"period {period}", cost - each, money, reason))
    return broken


def _deadlines(opens: Openings, world: World) -> list[Breach]:
    broken, zones = [], world.case.zones
    number = {name: k for k, name in enumerate(zones["zone_id"])}
    days = zones["planned_return"].to_numpy(object) if "planned_return" in zones.columns else [None] * len(zones)
    for name in world.case.settings.hard_deadlines:
        if name not in number:
            raise SettingsError(f"hard_deadlines names zone {name!r}, which ZONES lacks; fix the name or take it out")
        day = days[number[name]]
        if pd.isna(day):
            raise SettingsError(f"hard_deadlines names zone {name!r}, which has no planned_return; give it the day")
        period, handover = int(opens.finished[number[name]]), int(opens.handover[number[name]])
        period = period if opens.open[number[name]] else world.never
        if (late := _periods_late(period, day, world, handover)) == 0:
            continue
        due = _due(day, world, handover)
        if period == world.never:
            reason = Reason("breach.never_open", zone=name, due=due)
        else:
            opens_on = opening_day(period, handover, world.case.settings)
            reason = Reason("breach.opens_late", zone=name, due=due, day=opens_on, count=int(late))
        broken.append(("deadline", name, late, "periods", reason))
    return broken


def _periods_late(period: int, day: Day, world: World, handover: int = 0) -> float:
    """Periods by which something is late, blank where nobody knows; 0 where it is in time."""
    limit = period_of(day, world.case.settings, handover)
    if handover and opening_day(0, handover, world.case.settings) > pd.Timestamp(day).date():
        limit = -1  # the handover alone takes longer, even where there is no work to do
    if period <= limit:
        return 0.0
    return np.nan if period == world.never else float(period - limit)


def _due(day: Day, world: World, handover: int = 0) -> Reason:
    """A day by which something was due, and the period by whose end its work had to be finished."""
    limit, due = period_of(day, world.case.settings, handover), pd.Timestamp(day).date()
    return Reason("due.by_period", day=due, number=limit) if limit else Reason("due.at_once", day=due)


def _commitments(rows: pd.DataFrame, finish: Array, world: World) -> list[Breach]:
    table = world.case.commitments
    if table is None or not len(table):
        return []
    need(table, "COMMITMENTS", ("commitment_id", "until"))
    days = {(task, team): spent for (task, team), spent in sums_by(rows, ["task", "team"])}
    broken: list[Breach] = []
    by_hazard = _tasks_of_hazards(world)
    for row in table.to_dict("records"):
        if not blank(row.get("deferred")):
            continue
        name, team_id = row["commitment_id"], row.get("team_id")
        named = [] if blank(team_id) else [team_id]
        only = numbered(named, world.team_ids, f"commitment {name}", "team", "TEAMS").tolist()
        for task in _promised_tasks(row, by_hazard, world):
            broken += _kept_late(name, task, int(finish[task]), row["until"], world)
            for team in range(len(world.team_ids)) if only else ():
                if team not in only and (spent := days.get((task, team))) is not None:
                    where = f"{name}, {world.task_ids[task]}, {world.team_ids[team]}"
                    reason = Reason(
                        "breach.other_team",
                        commitment=name,
                        task=world.task_ids[task],
                        team=team_id,
                        other_team=world.team_ids[team],
                        days=one_decimal(spent),
                    )
                    broken.append(("commitment", where, spent, "team-days", reason))
    return broken


def _tasks_of_hazards(world: World) -> dict[str, list[int]]:
    """Hazard to the numbers of its tasks."""
    tasks: dict[str, list[int]] = {}
    for k, cell in enumerate(world.case.works["hazard_ids"]) if "hazard_ids" in world.case.works.columns else ():
        for hazard in ids_in(cell):
            tasks.setdefault(hazard, []).append(k)
    return tasks


def _promised_tasks(row: Mapping[Any, Any], by_hazard: Mapping[str, list[int]], world: World) -> list[int]:
    """Numbers of the tasks that a commitment is about."""
    name = row["commitment_id"]
    if not blank(row.get("task_id")):
        tasks: list[int] = numbered([row["task_id"]], world.task_ids, f"commitment {name}", "task", "TASKS").tolist()
        return tasks
    if blank(row.get("hazard_id")):
        raise TableError(f"commitment {name} names neither task nor hazard; give the one that was promised")
    need(world.case.works, "TASKS", ["hazard_ids"])
    return by_hazard.get(row["hazard_id"], [])


def _kept_late(commitment: str, task: int, period: int, day: Day, world: World) -> list[Breach]:
    """The breach of a promise that is kept late, or not at all."""
    if (late := _periods_late(period, day, world)) == 0:
        return []
    name, due = world.task_ids[task], _due(day, world)
    if period == world.never:
        reason = Reason("breach.never_finished", commitment=commitment, task=name, due=due)
    else:
        reason = Reason(
            "breach.finished_late",
            commitment=commitment,
            task=name,
            due=due,
            period=world.named(period),
            count=int(late),
        )
    return [("commitment", f"{commitment}, {name}", late, "periods", reason)]
