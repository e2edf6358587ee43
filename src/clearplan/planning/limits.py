"""What a plan of work may not do: each limit recomputed from the schedule, TASKS, TEAMS and the settings alone.

Nothing here comes from the planner: methods, rates, team-days and the order of steps are worked out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clearplan.core.errors import SettingsError, TableError
from clearplan.planning.calendar import Day, months_counted, period_days, period_of, team_days
from clearplan.planning.case import PlanningCase
from clearplan.settings.planning import Method, PlanningSettings, Step
from clearplan.tables.lookup import base_columns
from clearplan.tables.texts import ids_in

Array = NDArray[Any]
#: Sums of a solver are right to about this part of them, and to this much near 0.
RELATIVE, ABSOLUTE = 1e-6, 1e-6
#: Part of the draws in which a team's rate is lower than the one on which a robust plan counts.
ROBUST = 0.2

Ids: TypeAlias = "pd.Index[str]"
Breach = tuple[str, str, float, str, str]
_Fault = tuple[int, str, float, str]


@dataclass(frozen=True)
class World:
    """What there is to do, who may do it and when, as arrays; period 0 is the start."""

    case: PlanningCase
    task_ids: Ids
    team_ids: Ids
    method: Array  # number of each task's method, -1: none fits
    ground: Array  # (tasks, steps) [m2], NaN: the task's method has no such step
    gated: Array  # whether a gate holds the task
    rate: Array  # of each team [m2/day]
    available: Array  # (teams, periods) [team-days]
    bounds: list[tuple[Any, Any]]

    @property
    def never(self) -> int:
        """Number that stands for a period after all others."""
        return len(self.bounds) + 1

    def dates(self) -> pd.DatetimeIndex:
        """Day of the start, last day of each period, and no day for what never happens."""
        return pd.to_datetime([self.case.settings.start, *(last for _, last in self.bounds), None])

    def months(self) -> Array:
        """Months that count after the start, after the end of each period, and after never [months]."""
        return np.concatenate([[self.case.settings.counted_months], months_counted(self.case.settings), [0.0]])

    def said(self, period: int) -> str:
        """A period in words, with its first and last day."""
        first, last = self.bounds[period - 1]
        return f"period {period} ({first} to {last})"

    def steps_of(self, task: int) -> tuple[Step, ...]:
        """Steps of the method of a task, none where no method fits."""
        number = int(self.method[task])
        return self.case.settings.methods[number].steps if number >= 0 else ()


def world_of(case: PlanningCase) -> World:
    """World of a case; an error where a column is missing, an id stands twice or an area is no amount."""
    tasks, teams, settings = case.tasks, case.teams, case.settings
    need(tasks, "TASKS", ("task_id", "land_class", "district", "area_m2"))
    need(teams, "TEAMS", ("team_id", "kind", "number", "rate_low", "rate_likely", "rate_high", "cost_per_day"))
    area = numbers(tasks["area_m2"])
    if (bad := np.flatnonzero(~amounts(area))).size:
        name = tasks["task_id"].iloc[bad[0]]
        raise TableError(f"task {name}: area_m2 {area[bad[0]]:g} is no area; give its area [m2]")
    method = _methods(tasks, settings)
    most = max(len(one.steps) for one in settings.methods)
    part = np.full((len(settings.methods) + 1, most), np.nan)  # its last row is that of no method, -1
    for number, one in enumerate(settings.methods):
        part[number, : len(one.steps)] = [settings.part(one.land_class, step.ground) for step in one.steps]
    idle = teams["deferred"].notna().to_numpy() if "deferred" in teams.columns else np.zeros(len(teams), dtype=bool)
    available = np.zeros((len(teams), settings.periods))
    available[~idle] = team_days(teams[~idle], settings)
    gates = tasks["gates"].notna().to_numpy() if "gates" in tasks.columns else np.zeros(len(tasks), dtype=bool)
    return World(
        case=case,
        task_ids=ids_of(tasks, "task_id", "TASKS"),
        team_ids=ids_of(teams, "team_id", "TEAMS"),
        method=method,
        ground=area[:, None] * part[method],
        gated=gates,
        rate=_rates(teams, settings.robust),
        available=available,
        bounds=period_days(settings),
    )


def _methods(tasks: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Number of the first method that fits each task, -1 where none does."""
    classes = tasks["land_class"].to_numpy(object)
    cells = tasks["ordnance"].to_numpy(object) if "ordnance" in tasks.columns else np.full(len(tasks), None)
    known: dict[Any, int] = {}

    def fits(one: Method, land_class: str, cell: str | None) -> bool:
        held = ids_in(cell)
        # Ordnance that nobody reported may be any: only a method for any fits.
        return one.land_class == land_class and (one.ordnance is None or (bool(held) and set(held) <= {*one.ordnance}))

    for key in zip(classes, cells, strict=True):
        if key not in known:
            known[key] = next((k for k, one in enumerate(settings.methods) if fits(one, *key)), -1)
    return np.array([known[key] for key in zip(classes, cells, strict=True)], dtype=int)


def _rates(teams: pd.DataFrame, robust: bool) -> Array:
    """Ground that a team of each row works in a day, by which the plan counts [m2/day].

    >>> _rates(pd.DataFrame({"rate_low": [0.0], "rate_likely": [5.0], "rate_high": [10.0]}), False).tolist()
    [5.0]
    >>> _rates(pd.DataFrame({"rate_low": [0.0], "rate_likely": [10.0], "rate_high": [20.0]}), True).round(4).tolist()
    [6.3246]
    """
    low, likely, high = (numbers(teams[f"rate_{name}"]) for name in ("low", "likely", "high"))
    if not robust:
        return likely
    span = high - low
    rising = low + np.sqrt(np.maximum(ROBUST * span * (likely - low), 0))
    falling = high - np.sqrt(np.maximum((1 - ROBUST) * span * (high - likely), 0))
    rates: Array = np.where(ROBUST * span <= likely - low, rising, falling)
    return rates


# What the schedule says.


def counted_rows(work: pd.DataFrame, world: World) -> tuple[pd.DataFrame, list[Breach]]:
    """Rows that can be counted, with numbers for ids (team, task, step from 0) and cost [currency]; and faults."""
    need(work, "WORK", [column.name for column in base_columns("work")])
    names = work["work_id"].to_numpy(object)
    where = [f"row {k + 1}" if _blank(name) else f"{name}" for k, name in enumerate(names)]
    rows = pd.DataFrame({name: numbers(work[name]) for name in ("step", "period", "days", "m2", "cost")})
    rows["row"] = np.arange(len(work))
    rows["task"], rows["team"] = index_in(world.task_ids, work["task_id"]), index_in(world.team_ids, work["team_id"])
    twice = pd.Series(where, dtype=object).duplicated() | work["work_id"].isna().to_numpy()
    faults = _told(twice, lambda k: "work_id is blank or stands twice")
    unknown = _unknown(work, rows, world)
    rows = rows.drop(index=sorted({fault[0] for fault in unknown})).astype({"step": int, "period": int})
    rows["step"] -= 1
    price, stated = numbers(world.case.teams["cost_per_day"])[rows["team"]], rows["cost"].to_numpy(float)
    # A deferred team may lack its cost; then the schedule's is the only one.
    rows["cost"] = np.where(np.isnan(price), np.nan_to_num(stated), rows["days"] * price)
    faults += unknown + _untrue(work, rows.assign(stated=stated), world)
    counted = rows[(rows["days"] > 0) | (rows["m2"] > 0)].reset_index(drop=True)
    faults.sort(key=lambda fault: fault[0])
    return counted, [("table", where[k], by, unit, f"Schedule, {where[k]}: {words}") for k, words, by, unit in faults]


def _told(mask: Any, words: Callable[[int], str], by: Any = None, unit: str = "") -> list[_Fault]:
    """A fault of each row of a mask; ``by`` is an amount of each row."""
    return [(int(k), words(int(k)), np.nan if by is None else float(by[k]), unit) for k in np.flatnonzero(mask)]


def _unknown(work: pd.DataFrame, rows: pd.DataFrame, world: World) -> list[_Fault]:
    """Rows that name what is not there, or whose days or ground are no amount."""
    settings = world.case.settings
    task, step, period = rows["task"].to_numpy(int), rows["step"].to_numpy(float), rows["period"].to_numpy(float)
    length = np.array([len(one.steps) for one in settings.methods] + [0])[np.append(world.method, -1)[task]]
    cells = {name: work[name].to_numpy(object) for name in ("task_id", "team_id", "step", "period", "days", "m2")}

    def step_words(k: int) -> str:
        most = f"{length[k]} step{'s' * int(length[k] > 1)}" if length[k] else "no method that fits"
        return f"task {cells['task_id'][k]} has {most}, there is no step {cells['step'][k]}"

    faults = _told(task < 0, lambda k: f"there is no task {cells['task_id'][k]}")
    faults += _told(rows["team"] < 0, lambda k: f"there is no team {cells['team_id'][k]}")
    faults += _told((task >= 0) & ~((step >= 1) & (step <= length) & (step % 1 == 0)), step_words)
    in_plan = (period >= 1) & (period <= settings.periods) & (period % 1 == 0)
    faults += _told(~in_plan, lambda k: f"the plan has {settings.periods} periods, there is no {cells['period'][k]}")
    faults += _told(~amounts(rows["days"]), lambda k: f"days {cells['days'][k]} are no amount of 0 or more")
    faults += _told(~amounts(rows["m2"]), lambda k: f"m2 {cells['m2'][k]} are no amount of 0 or more")
    return faults


def _untrue(work: pd.DataFrame, rows: pd.DataFrame, world: World) -> list[_Fault]:
    """What rows say that is not so; all that they name is there."""
    at, task, team, step = (rows[name].to_numpy(int) for name in ("row", "task", "team", "step"))
    days, m2, cost, stated = (rows[name].to_numpy(float) for name in ("days", "m2", "cost", "stated"))
    rate, money = world.rate[team], world.case.settings.currency
    teams = world.case.teams["team_id"].to_numpy(object)[team]
    kinds = world.case.teams["kind"].to_numpy(object)[team]
    names = [world.steps_of(i)[k].name for i, k in zip(task, step, strict=True)]
    written = {name: work[name].to_numpy(object)[at] for name in ("kind", "step_name")}

    faults = _told(
        _unequal(m2, days * rate),
        lambda k: (
            f"{_said(days[k])} team-days of {teams[k]} at {_said(rate[k])} m2 a day are "
            f"{_said(days[k] * rate[k])} m2; {_said(m2[k])} are written"
        ),
        np.abs(m2 - days * rate),
        "m2",
    )
    faults += _told(
        _unequal(stated, cost) | ~amounts(rows["stated"]),
        lambda k: f"{_said(days[k])} team-days of {teams[k]} cost {cost[k]:,.2f} {money}; {stated[k]:,.2f} are written",
        np.abs(stated - cost),
        money,
    )
    period = rows["period"].to_numpy(int)
    for side, name in enumerate(("starts_on", "ends_on")):
        true = np.array([bounds[side] for bounds in world.bounds], dtype="datetime64[D]")[period - 1]
        day = pd.to_datetime(work[name], errors="coerce").to_numpy("datetime64[D]")[at]
        for k in np.flatnonzero(true != day):
            words = f"{name} of period {period[k]} is {true[k]}; {day[k]} is written"
            faults.append((int(k), words, np.nan, ""))
    faults += _told(
        kinds != written["kind"],
        lambda k: f"team {teams[k]} is of kind {kinds[k]}; {written['kind'][k]} is written",
    )
    faults += _told(
        np.array(names, dtype=object) != written["step_name"],
        lambda k: (
            f"step {step[k] + 1} of task {world.task_ids[task[k]]} is {names[k]}; {written['step_name'][k]} is written"
        ),
    )
    return [(int(at[k]), words, by, unit) for k, words, by, unit in faults]


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
        excess = np.where((begun & real)[:, None] & _over(part, allowed), part - allowed, 0.0)
        for task in np.flatnonzero(excess.any(axis=1)):
            period = int(np.argmax(excess[task]))
            ahead.append((int(task), k, period, float(part[task, period]), float(allowed[task, period])))
        done, least, begun = part, np.minimum(least, part), begun | real
    idle = (world.method < 0) | (world.gated & ~begun)  # nobody may say that these are done
    done[idle], least[idle] = 0.0, 0.0
    ready = least >= 1 - RELATIVE - 1e-12
    finish = np.where(ready.any(axis=1), ready.argmax(axis=1), world.never)
    return done, finish, [_ahead(*one, world) for one in sorted(ahead)]


def _ahead(task: int, step: int, period: int, part: float, allowed: float, world: World) -> Breach:
    names, ground = [one.name for one in world.steps_of(task)], world.ground[task]
    before = max(k for k in range(step) if ground[k] > 0)
    wait = world.case.settings.wait_periods
    then = "by then" if wait == 0 else f"{wait} period{'s' * (wait > 1)} before"
    words = (
        f"Task {world.task_ids[task]}: at the end of {world.said(period)} step {step + 1} ({names[step]}) is done on "
        f"{100 * part:.1f} % of its ground, step {before + 1} ({names[before]}) {then} on {100 * allowed:.1f} %: "
        f"{_said(100 * (part - allowed))} percentage points ahead"
    )
    return "precedence", f"{world.task_ids[task]}, step {step + 1}", part - allowed, "1", words


# Limits.


def breaches(
    rows: pd.DataFrame,
    use: pd.DataFrame,
    opens: Array,
    finish: Array,
    ahead: list[Breach],
    faults: list[Breach],
    world: World,
) -> pd.DataFrame:
    """One row for each broken limit, capacity first and the table last: limit, where, by, unit, words.

    ``rows`` are those of ``counted_rows``, ``use`` has the days and cost of each team in each period, ``opens`` and
    ``finish`` the period of each zone and task, ``ahead`` and ``faults`` what reading them found.
    """
    rows_of_breaches = [
        *_capacity(use, world),
        *_districts(rows, world),
        *_kinds(rows, world),
        *_gates(rows, world),
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
    for row in use[_over(use["days"].to_numpy(float), use["available"].to_numpy(float))].to_dict("records"):
        team, period, days, there = row["team_id"], row["period"], row["days"], row["available"]
        words = f"Team {team} works {_said(days)} team-days in {world.said(period)}; {_said(there)} are available: "
        words += f"{_said(days - there)} too many"
        broken.append(("capacity", f"{team}, period {period}", days - there, "team-days", words))
    return broken


def _districts(rows: pd.DataFrame, world: World) -> list[Breach]:
    if "districts" not in world.case.teams.columns:
        return []
    bound = [ids_in(cell) for cell in world.case.teams["districts"]]
    lies, broken = world.case.tasks["district"].to_numpy(object), []
    for (i, j), days in sums_by(rows, ["task", "team"]):
        if bound[j] and lies[i] not in bound[j]:
            task, team = world.task_ids[i], world.team_ids[j]
            place = "in no district" if _blank(lies[i]) else f"in {lies[i]}"
            words = f"Team {team} works {_said(days)} team-days on task {task}, which lies {place}; "
            words += f"it may only work in {', '.join(bound[j])}"
            broken.append(("district", f"{task}, {team}", days, "team-days", words))
    return broken


def _kinds(rows: pd.DataFrame, world: World) -> list[Breach]:
    broken, kinds = [], world.case.teams["kind"].to_numpy(object)
    for (i, k, j), days in sums_by(rows, ["task", "step", "team"]):
        step = world.steps_of(i)[k]
        if kinds[j] not in step.kinds:
            task, team = world.task_ids[i], world.team_ids[j]
            words = f"Team {team} ({kinds[j]}) works {_said(days)} team-days on step {k + 1} ({step.name}) of task "
            words += f"{task}, which only {', '.join(step.kinds)} may do"
            broken.append(("kind", f"{task}, step {k + 1}, {team}", days, "team-days", words))
    return broken


def _gates(rows: pd.DataFrame, world: World) -> list[Breach]:
    broken = []
    for (i,), days in sums_by(rows[world.gated[rows["task"].to_numpy(int)]], ["task"]):
        task, why = world.task_ids[i], world.case.tasks["gates"].iloc[i]
        words = f"Task {task} is worked for {_said(days)} team-days although a gate holds it back: {why}"
        broken.append(("gate", f"{task}", days, "team-days", words))
    return broken


def _too_much_ground(rows: pd.DataFrame, world: World) -> list[Breach]:
    broken = []
    for (i, k), m2 in sums_by(rows, ["task", "step"], "m2"):
        if _over(m2, ground := float(world.ground[i, k])):
            task, step = world.task_ids[i], world.steps_of(i)[k]
            words = f"Step {k + 1} ({step.name}) of task {task} has {_said(ground)} m2; {_said(m2)} are worked: "
            words += f"{_said(m2 - ground)} too much"
            broken.append(("ground", f"{task}, step {k + 1}", m2 - ground, "m2", words))
    return broken


def _budgets(use: pd.DataFrame, world: World) -> list[Breach]:
    settings, broken = world.case.settings, []
    spent = use["cost"].to_numpy(float).reshape(len(world.case.teams), len(world.bounds)).sum(axis=0)

    def tell(limit: str, where: str, what: str, cost: float, budget: float) -> None:
        if _over(cost, budget):
            words = f"{what} costs {cost:,.2f} {settings.currency}; the budget is {budget:,.2f}: "
            broken.append((limit, where, cost - budget, settings.currency, words + f"{cost - budget:,.2f} too much"))

    if settings.budget is not None:
        tell("budget", "plan", "The plan", float(spent.sum()), settings.budget)
    if settings.budget_a_period is not None:
        for period, cost in enumerate(spent.tolist(), start=1):
            what = f"Work in {world.said(period)}"
            tell("budget of a period", f"period {period}", what, cost, settings.budget_a_period)
    return broken


def _deadlines(opens: Array, world: World) -> list[Breach]:
    broken, zones = [], world.case.zones
    number = {name: k for k, name in enumerate(zones["zone_id"])}
    days = zones["planned_return"].to_numpy(object) if "planned_return" in zones.columns else [None] * len(zones)
    for name in world.case.settings.hard_deadlines:
        if name not in number:
            raise SettingsError(f"hard_deadlines names zone {name!r}, which ZONES lacks; fix the name or take it out")
        day = days[number[name]]
        if pd.isna(day):
            raise SettingsError(f"hard_deadlines names zone {name!r}, which has no planned_return; give it the day")
        late, words = _late(int(opens[number[name]]), day, "opens", world)
        if words:
            broken.append(("deadline", name, late, "periods", f"Zone {name} has to open by {words}"))
    return broken


def _late(period: int, day: Day, verb: str, world: World) -> tuple[float, str]:
    """Periods by which something is late, blank where nobody knows, and words; none where it is in time."""
    limit = period_of(day, world.case.settings)
    if period <= limit:
        return 0.0, ""
    due = f"{pd.Timestamp(day).date()}, " + (f"so by the end of period {limit}" if limit else "before any period ends")
    if period == world.never:
        return np.nan, f"{due}; it {verb} in no period of the plan"
    late = period - limit
    return float(late), f"{due}; it {verb} at the end of {world.said(period)}: {late} period{'s' * (late > 1)} too late"


def _commitments(rows: pd.DataFrame, finish: Array, world: World) -> list[Breach]:
    table = world.case.commitments
    if table is None or not len(table):
        return []
    need(table, "COMMITMENTS", ("commitment_id", "until"))
    days = {(task, team): spent for (task, team), spent in sums_by(rows, ["task", "team"])}
    by_hazard: dict[Any, list[int]] = {}
    for k, cell in enumerate(world.case.tasks["hazard_ids"]) if "hazard_ids" in world.case.tasks.columns else ():
        for hazard in ids_in(cell):
            by_hazard.setdefault(hazard, []).append(k)
    broken: list[Breach] = []
    for row in table.to_dict("records"):
        if not _blank(row.get("deferred")):
            continue
        name, team_id = row["commitment_id"], row.get("team_id")
        if not _blank(row.get("task_id")):
            promised = numbered([row["task_id"]], world.task_ids, f"commitment {name}", "task", "TASKS").tolist()
        elif _blank(row.get("hazard_id")):
            raise TableError(f"commitment {name} names neither task nor hazard; give the one that was promised")
        else:
            need(world.case.tasks, "TASKS", ["hazard_ids"])
            promised = by_hazard.get(row["hazard_id"], [])
        named = [] if _blank(team_id) else [team_id]
        only = numbered(named, world.team_ids, f"commitment {name}", "team", "TEAMS").tolist()
        for task in promised:
            said = f"By commitment {name} task {world.task_ids[task]} is promised "
            late, words = _late(int(finish[task]), row["until"], "is finished", world)
            if words:
                where = f"{name}, {world.task_ids[task]}"
                broken.append(("commitment", where, late, "periods", f"{said}until {words}"))
            for team in range(len(world.team_ids)) if only else ():
                if team not in only and (spent := days.get((task, team))) is not None:
                    where = f"{name}, {world.task_ids[task]}, {world.team_ids[team]}"
                    words = f"{said}to team {team_id}; team {world.team_ids[team]} works {_said(spent)} team-days on it"
                    broken.append(("commitment", where, spent, "team-days", words))
    return broken


# Helpers.


def need(table: pd.DataFrame, what: str, columns: Iterable[str]) -> None:
    """An error that names the first of the columns that the table lacks."""
    if missing := [name for name in columns if name not in table.columns]:
        raise TableError(f"{what} lacks the column {missing[0]}; add it")


def ids_of(table: pd.DataFrame, name: str, what: str) -> Ids:
    """Ids of a table in its order; an error where one stands twice."""
    ids: Ids = pd.Index(table[name].to_numpy(object), dtype=object)
    if not ids.is_unique:
        raise TableError(f"{what}: {name} {ids[ids.duplicated()][0]} stands twice; give each row an id of its own")
    return ids


def index_in(ids: Ids, names: Iterable[object]) -> Array:
    """Number of each name among the ids, -1 where it is none of them.

    >>> index_in(pd.Index(["a", "b"]), ["b", "c"]).tolist()
    [1, -1]
    """
    return np.asarray(ids.get_indexer(pd.Index(np.array(list(names), dtype=object), dtype=object)), dtype=int)


def numbered(names: Iterable[object], ids: Ids, what: str, kind: str, table: str) -> Array:
    """Number of each name among the ids; a name that is none of them is an error."""
    known = list(names)
    numbers_of_names = index_in(ids, known)
    if (numbers_of_names < 0).any():
        name = known[int(np.argmax(numbers_of_names < 0))]
        raise TableError(f"{what} names {kind} {name!r}, which {table} lacks; make both from the same tables")
    return numbers_of_names


def sums_by(rows: pd.DataFrame, keys: list[str], name: str = "days") -> list[tuple[list[int], float]]:
    """Sum of a column by whole numbers in others, in their order.

    >>> sums_by(pd.DataFrame({"task": [4, 1, 4], "days": [2.0, 3.0, 5.0]}), ["task"])
    [([1], 3.0), ([4], 7.0)]
    """
    keys_found, group = np.unique(rows[keys].to_numpy(int), axis=0, return_inverse=True)
    sums = np.bincount(group.ravel(), weights=rows[name].to_numpy(float), minlength=len(keys_found))
    return list(zip(keys_found.tolist(), sums.tolist(), strict=True))


def numbers(values: pd.Series) -> Array:
    """Values as numbers, blank where they are none.

    >>> numbers(pd.Series(["2.5", "many", None])).tolist()
    [2.5, nan, nan]
    """
    return np.asarray(pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan))


def amounts(values: ArrayLike) -> Array:
    """Whether each is a number of 0 or more.

    >>> amounts([0.0, -1.0, float("nan"), float("inf")]).tolist()
    [True, False, False, False]
    """
    figures = np.asarray(values, dtype=float)
    good: Array = np.isfinite(figures) & (figures >= 0)
    return good


def _blank(value: str | float | None) -> bool:
    return bool(pd.isna(value)) or not str(value).strip()


def _over(amount: Any, limit: Any) -> Any:
    return amount > limit + RELATIVE * np.abs(limit) + ABSOLUTE


def _unequal(one: Array, other: Array) -> Array:
    apart: Array = np.abs(one - other) > RELATIVE * np.maximum(np.abs(one), np.abs(other)) + ABSOLUTE
    return apart


def _said(amount: float) -> str:
    """An amount with one decimal, or as many as it takes to see it."""
    return f"{amount:,.1f}" if amount == 0 or abs(amount) >= 0.05 else f"{amount:.1g}"
