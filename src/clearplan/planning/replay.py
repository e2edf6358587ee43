"""A plan of work worked through again in draws of rates, efforts and outcomes of survey: how sure its dates are.

The plan is kept: every team does its own work in its own order. Only how long it takes is drawn. What nobody drew
(roads washed out, money that ends, a gate that shuts) is in no probability here.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError, TableError
from clearplan.planning.blockers import waits_for
from clearplan.planning.calendar import months_counted, open_from, opening_day, opening_periods, period_days, team_days
from clearplan.planning.case import PlanningCase
from clearplan.planning.deployments import comes_and_leaves
from clearplan.planning.methods import (
    day_costs,
    first_periods,
    handovers,
    methods_of,
    people_range,
    triangular_quantile,
)
from clearplan.planning.place_seasons import closed_periods
from clearplan.settings.planning import Outcome, PlanningSettings, Uncertainty

Array = NDArray[Any]
#: A task is finished at all but this part of its ground; a draw that leaves less of it to a step leaves nothing [1].
TINY = 1e-6
_BLOCK = 500  # draws that are worked through at once
_ROUNDING = 1e-12  # parts of a row below this are none [1]
_TOO_MUCH = 1e-3  # part of a step by which WORK may exceed it, where it was rounded [1]
_GROUNDS = ("all", "not-cancelled", "to-clear")


@dataclass(frozen=True)
class Replay:
    """How sure the dates of a plan are. Figures at p10, p50, p80, p90: that part of the draws is at or below."""

    zones: pd.DataFrame
    """As ZONES: zone_id, opens_in (period by whose end the plan opens it, 0: from the start, blank: not in the plan),
    probability (share of draws in which it is open by then; blank where it is not in the plan) [1], p50_in, p80_in
    (period by whose end it is open in half, in four fifths of the draws; blank: beyond the months that are counted),
    p50_on, p80_on."""
    tasks: pd.DataFrame
    """As TASKS: task_id, finish_p50_on, finish_p80_on (blank: not wholly in the plan, or beyond the months that are
    counted), critical (share of draws in which it is among the last to finish of a zone that opens later than planned;
    blank: not wholly in the plan) [1]."""
    home: pd.DataFrame
    """People at home after each period, from 0, the start, to the last whose months count: period, on, people_p10,
    people_p50, people_p90 [people]."""
    totals: pd.DataFrame
    """figure (person_months, cost, people_home at the plan's end), p10, p50, p80, p90, mean, planned [person-months,
    currency, people]."""
    draws: int
    seed: int


@dataclass(frozen=True)
class _Teams:
    like: list[str]  # what teams share whose rates are drawn as one
    rates: Array  # (3, teams) low, likely, high [m2/day]
    capacity: Array  # (teams, periods) [team-days]
    price: Array  # (teams) [currency/day]


@dataclass(frozen=True)
class _Plan:
    """The plan as arrays. Steps are those with ground, of tasks that the plan touches; never: after all periods."""

    tasks: list[str]
    finish: Array  # (tasks) period in which the plan finishes each
    first: Array  # (tasks) period from which on gates let each be worked on
    closed: Array  # (tasks, periods) whether nobody works at its place
    touched: Array  # tasks with work
    outcome: list[Outcome | None]  # stated for each touched task
    shares: list[Array]  # of each touched task: cancelled, reduced and cleared [1]
    # of each step
    task_no: Array  # number of its task among the touched
    ground: Array  # number in _GROUNDS
    part: Array  # of the task's ground, as planned
    before: Array  # step before it, -1: none
    last: Array  # (touched) last step of each, -1 where the plan doesn't finish it
    # of each row of work, in the order in which all teams work
    step: Array
    team: Array
    turn: Array  # period in which it is planned
    m2: Array
    size: Array  # part of its step
    begins: Array  # part of the step that is planned for earlier periods
    width: Array  # part of the step that is planned for the same period
    beside: Array  # booked beside the work [team-days]
    least: float  # least deployment [team-days]
    teams: _Teams

    @property
    def never(self) -> int:
        """Number that stands for a period after all others."""
        return int(self.teams.capacity.shape[1]) + 1


def replay_work(work: pd.DataFrame, case: PlanningCase) -> Replay:
    """Work through a plan in seeded draws of rates, efforts and outcomes of survey.

    Parameters
    ----------
    work : DataFrame
        The plan, a table WORK.
    case : PlanningCase
        From which it was made, with ``uncertainty`` in its settings. Of ``unknown_people`` the likely ones count.

    Raises
    ------
    SettingsError
        ``uncertainty`` is not set, or ``unknown_people`` is out of order.
    TableError
        A table lacks a column, an id stands twice or is unknown, WORK does not fit the tasks' methods and ground, rates
        are out of order, or the people of a zone are unknown and nothing is assumed.

    Notes
    -----
    In each draw:

    - The rate of a team is from the triangular distribution (low, likely, high), one for all its tasks. Teams of one
      kind with the same three rates share it: the doubt is about the land, not about the team.
    - What a row of work books beside its work, and the least deployment, are as planned.
    - The effort of a task is multiplied by exp(s z - s^2 / 2), z standard normal, s ``task_spread``: 1 on average.
    - Shares of a task that are cancelled, reduced and cleared are from Dirichlet(concentration x shares), so that steps
      on a part of the ground have more or less to do. Less than a millionth of the task is none, and a step without
      ground is done as soon as the one before it.

    Every team works its rows of WORK in the order of their periods, then of the table, as far as its days reach. Where
    the step before is not far enough it goes on with its next row, and what is planned for later moves forward. It
    takes up no work of others: teams share a step in the planned proportions. Periods run on until ``counted_months``.
    Since idle days are used, work that comes late can let other work come early: a zone may gain where a team loses.
    With ``wait_periods`` 0, ground that is opened by work ahead of its turn is taken up in the next period. Budgets are
    not looked at; the cost of each draw is stated.

    Draws hang on the seed and on the id of task or team alone: other tasks, and more draws, change none of them.
    """
    settings, uncertainty = case.settings, case.settings.uncertainty
    if uncertainty is None:
        raise SettingsError("planning.uncertainty is not set; say there what to draw")
    longer = settings.model_copy(update={"periods": settings.counted_months // settings.period_months})
    plan = _plan(work, case, longer)
    people = _people(case)
    needs, handover = _needs(case, plan.tasks), _handovers(case)
    blocks = range(0, uncertainty.draws, _BLOCK)
    drawn = [_worked(plan, settings.wait_periods, *_draw(plan, uncertainty, k)) for k in blocks]
    finish = np.concatenate([one for one, _ in drawn], axis=1)
    cost = np.concatenate([one for _, one in drawn])
    opens = np.array([_opening(ids, finish, plan.never) for ids in needs], dtype=int).reshape(-1, uncertainty.draws)
    planned = np.array([_opening(ids, plan.finish[:, None], plan.never)[0] for ids in needs], dtype=int)
    gates = _gates(case, handover, longer)
    opens, planned = np.maximum(opens, gates[:, None]), np.maximum(planned, gates)
    lost = settings.counted_months - handover < opens.T * settings.period_months  # too late to count
    opens[lost.T] = plan.never
    planned[settings.counted_months - handover < planned * settings.period_months] = plan.never
    days = pd.DatetimeIndex([settings.start, *(end for _, end in period_days(longer)), pd.NaT])
    months = np.concatenate([[settings.counted_months], months_counted(longer), [0.0]])
    after = -(-handover // settings.period_months)  # periods from the last work to the one by whose end it is open
    home = np.array([people @ (opens + after[:, None] <= t) for t in range(plan.never)])
    figures: dict[str, tuple[Array, float]] = {
        "person_months": (
            people @ _counted(opens, months, handover),
            float(people @ _counted(planned, months, handover)),
        ),
        "cost": (cost, float(_numbers(work["cost"]).sum())),
        "people_home": (home[min(opening_periods(settings), plan.never - 1)], float(people @ (planned < plan.never))),
    }
    return Replay(
        zones=_zones(case, planned, opens, handover, plan.never),
        tasks=_tasks(plan, finish, _critical(needs, planned, opens, finish), days).iloc[: len(case.tasks)],
        home=pd.DataFrame(
            {"period": np.arange(plan.never), "on": days[: plan.never]}
            | {f"people_p{p}": _quantile(home, p) for p in (10, 50, 90)}
        ),
        totals=pd.DataFrame(
            [
                {"figure": name}
                | {f"p{p}": float(_quantile(draws[None], p)[0]) for p in (10, 50, 80, 90)}
                | {"mean": float(draws.mean()), "planned": float(as_planned)}
                for name, (draws, as_planned) in figures.items()
            ]
        ),
        draws=uncertainty.draws,
        seed=uncertainty.seed,
    )


# The plan.


def _plan(work: pd.DataFrame, case: PlanningCase, longer: PlanningSettings) -> _Plan:
    tasks, teams, settings = case.works, case.teams, case.settings
    _need(work, "WORK", ("task_id", "step", "team_id", "period", "m2", "cost"))
    _need(tasks, "TASKS", ("task_id", "land_class", "area_m2"))
    ids, team_ids = _ids(tasks, "task_id", "TASKS"), _ids(teams, "team_id", "TEAMS")
    rows = _rows(work, ids, team_ids, settings)
    first = first_periods(tasks, longer)
    touched = np.unique(rows["task"].to_numpy(int))
    steps, idle = _steps(case, touched)
    rows = _parts(rows, steps, ids)
    turns = rows.groupby(["at", "period"])["size"].sum().rename("width").reset_index()
    turns["begins"] = turns.groupby("at")["width"].cumsum() - turns["width"]
    never = longer.periods + 1
    # A step is finished in the first period at whose end all but a millionth is done.
    ready = turns[turns["begins"] + turns["width"] >= 1 - TINY - _ROUNDING].groupby("at")["period"].min()
    ends = ready.reindex(range(len(steps)), fill_value=never).to_numpy(int)
    free = first < never
    finish = np.where(idle & free, first, never)
    finish[touched] = 0
    np.maximum.at(finish, touched[steps["task_no"]], ends)
    finish[~free] = never
    last = np.full(len(touched), -1)
    last[steps["task_no"]] = np.arange(len(steps))
    rows = rows.merge(turns, on=["at", "period"], how="left", sort=False)
    rows = rows[free[rows["task"]]].sort_values(["period", "row"], kind="stable")
    return _Plan(
        tasks=ids,
        finish=finish,
        first=first,
        closed=closed_periods(tasks, longer),
        touched=touched,
        outcome=[case.shares.outcome[k] for k in touched],
        shares=[case.shares.drawn_about(int(k)) for k in touched],
        task_no=steps["task_no"].to_numpy(int),
        ground=steps["ground"].to_numpy(int),
        part=steps["part"].to_numpy(float),
        before=steps["before"].to_numpy(int),
        last=np.where(finish[touched] < never, last, -1),
        step=rows["at"].to_numpy(int),
        team=rows["team"].to_numpy(int),
        turn=rows["period"].to_numpy(int),
        m2=rows["m2"].to_numpy(float),
        size=rows["size"].to_numpy(float),
        begins=rows["begins"].to_numpy(float),
        width=rows["width"].to_numpy(float),
        beside=_beside(rows, steps, case.travel),
        least=settings.min_team_days,
        teams=_teams(teams, team_ids, longer),
    )


def _steps(case: PlanningCase, touched: Array) -> tuple[pd.DataFrame, Array]:
    """Steps with ground of the tasks that are worked on, and whether there is nothing to do on a task (tasks).

    One row for each step: task, step (from 1), task_no (number of the task among those worked on), ground (number in
    _GROUNDS), part of the task's ground [1], m2, before (row of the step before, -1: none), set_up and close_out
    [team-days].
    """
    place = {int(k): n for n, k in enumerate(touched)}
    tasks, area = case.works, _numbers(case.works["area_m2"])
    idle = np.zeros(len(tasks), dtype=bool)
    rows: list[tuple[Any, ...]] = []
    for k, method in enumerate(methods_of(tasks, case.settings)):
        first = len(rows)
        for n, step in enumerate(method.steps if method is not None else ()):
            part = float(case.shares.part(step.ground)[k])
            if (m2 := part * area[k]) > 0:
                before = len(rows) - 1 if len(rows) > first else -1
                booked = (step.set_up_days, step.close_out_days)
                rows.append((k, n + 1, place.get(k, -1), _GROUNDS.index(step.ground), part, m2, before, *booked))
        idle[k] = method is not None and len(rows) == first
        if k not in place:
            del rows[first:]
    columns = ["task", "step", "task_no", "ground", "part", "m2", "before", "set_up", "close_out"]
    return pd.DataFrame(rows, columns=columns).astype({"task_no": int, "step": int, "task": int}), idle


def _beside(rows: pd.DataFrame, steps: pd.DataFrame, travel: Array) -> Array:
    """What each row of work books beside its work, as its team comes to the step or leaves it (rows) [team-days]."""
    comes, leaves = comes_and_leaves(rows)
    set_up, close_out = (steps[name].to_numpy(float)[rows["at"].to_numpy(int)] for name in ("set_up", "close_out"))
    road = travel[rows["task"].to_numpy(int), rows["team"].to_numpy(int)]
    return np.asarray(comes * (set_up + road) + leaves * (close_out + road))


def _parts(rows: pd.DataFrame, steps: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    """Rows of work with the number of their step, ``at``, and their part of it, ``size`` [1]."""
    number = {key: k for k, key in enumerate(zip(steps["task"].tolist(), steps["step"].tolist(), strict=True))}
    at = np.array([number.get(key, -1) for key in zip(rows["task"], rows["step"], strict=True)], dtype=int)
    remedy = "replay a plan with the tasks and settings from which it was made"
    if (at < 0).any():
        row = rows.iloc[int(np.argmax(at < 0))]
        name, step = ids[int(row["task"])], row["step"]
        raise TableError(f"WORK, row {int(row['row']) + 1}: task {name} has no ground for a step {step:g}; {remedy}")
    ground = steps["m2"].to_numpy(float)
    size = rows["m2"].to_numpy(float) / ground[at]
    total = np.bincount(at, weights=size, minlength=len(steps))
    if (over := np.flatnonzero(total > 1 + _TOO_MUCH)).size:
        name, step = ids[int(steps["task"].iloc[over[0]])], steps["step"].iloc[over[0]]
        raise TableError(f"WORK has {100 * total[over[0]]:.1f} % of the ground of step {step} of task {name}; {remedy}")
    # A sum of parts that is 1 but for rounding is 1.
    size = size / np.where(total >= 1 - TINY - _ROUNDING, total, 1.0)[at]
    return rows.assign(at=at, size=size, m2=size * ground[at])


def _rows(work: pd.DataFrame, ids: list[str], team_ids: list[str], settings: PlanningSettings) -> pd.DataFrame:
    """WORK as numbers: task, team, step from 1, period, m2, and the row's place in the table; those without ground out.

    Raises
    ------
    TableError
        A row names what is not there, or its ground is no amount.
    """
    table = pd.DataFrame({name: _numbers(work[name]) for name in ("step", "period", "m2")})
    table["task"], table["team"] = _at(ids, work["task_id"]), _at(team_ids, work["team_id"])
    table["row"] = np.arange(len(work))
    faults = {
        "names a task that TASKS lacks; make both from the same tables": table["task"] < 0,
        "names a team that TEAMS lacks; make both from the same tables": table["team"] < 0,
        f"period must be one of 1 to {settings.periods}; replay a plan with its own settings": ~table["period"].isin(
            range(1, settings.periods + 1)
        ),
        "m2 is no amount; give the ground that is worked [m2]": ~(np.isfinite(table["m2"]) & (table["m2"] >= 0)),
    }
    for words, wrong in faults.items():
        if wrong.any():
            raise TableError(f"WORK, row {int(np.argmax(wrong)) + 1}: {words}")
    return table[table["m2"] > 0].astype({"period": int})


def _teams(teams: pd.DataFrame, team_ids: list[str], longer: PlanningSettings) -> _Teams:
    """What the plan holds of each team; deferred ones have no days."""
    names = ("rate_low", "rate_likely", "rate_high")
    _need(teams, "TEAMS", ("kind", "number", *names, "cost_per_day"))
    works = teams["deferred"].isna().to_numpy() if "deferred" in teams.columns else np.ones(len(teams), dtype=bool)
    rates = np.array([np.where(works, _numbers(teams[name]), 1.0) for name in names])
    low, likely, high = rates
    if (bad := np.flatnonzero(~((low > 0) & (low <= likely) & (likely <= high) & np.isfinite(high)))).size:
        raise TableError(
            f"TEAMS, {team_ids[bad[0]]}: give 0 < rate_low <= rate_likely <= rate_high [m2 a team and day]"
        )
    capacity = np.zeros((len(teams), longer.periods))
    capacity[works] = team_days(teams[works], longer)
    first: dict[Any, str] = {}
    keys = list(zip(teams["kind"].astype(str), *rates.tolist(), strict=True))
    for name, key in sorted(zip(team_ids, keys, strict=True)):
        first.setdefault(key, name)
    price = np.where(works, day_costs(teams, longer), 0.0)
    return _Teams([first[key] for key in keys], rates, capacity, price)


def _needs(case: PlanningCase, tasks: list[str]) -> list[Array | None]:
    """Numbers of the tasks that each zone waits for; None where nobody knows."""
    blockers, zones = case.blockers, case.zones
    _need(blockers, "BLOCKERS", ("zone_id", "task_id", "essential"))
    names = _ids(zones, "zone_id", "ZONES")
    for column, known, table in (("zone_id", names, "ZONES"), ("task_id", tasks, "TASKS")):
        if (lost := _at(known, blockers[column]) < 0).any():
            name = blockers[column].iloc[int(np.argmax(lost))]
            raise TableError(f"BLOCKERS names {column} {name!r}, which {table} lacks; make both from the same tables")
    never_open, waits = case.never_open, waits_for(blockers)
    return [None if name in never_open else _at(tasks, waits.get(name, [])) for name in names]


def _handovers(case: PlanningCase) -> Array:
    """From the last work of each zone to its opening (zones) [months]."""
    months = handovers(waits_for(case.blockers), case.works, case.settings)
    return np.array([months.get(str(zone), 0) for zone in case.zones["zone_id"]], dtype=int)


def _gates(case: PlanningCase, handover: Array, longer: PlanningSettings) -> Array:
    """Period after which each zone opens later than its gates end, 0 where it has none (zones)."""
    periods = np.zeros(len(handover), dtype=int)
    for k, zone in enumerate(case.zones["zone_id"].astype(str)):
        if zone in case.gates_of_zones:
            _, end = case.gates_of_zones[zone]
            periods[k] = open_from(end, int(handover[k]), longer)
    return periods


def _counted(finished: Array, months: Array, handover: Array) -> Array:
    """Months that count of zones whose work is finished after periods, in one plan or in draws [months]."""
    counted: Array = np.maximum((months[finished].T - handover).T, 0.0)
    return counted


def _people(case: PlanningCase) -> Array:
    """Likely people of each zone [people]."""
    zones, unknown = case.zones, case.unknown_people
    _need(zones, "ZONES", ("zone_id", "people"))
    if unknown is not None and not 0 <= unknown[0] <= unknown[1] <= unknown[2]:
        raise SettingsError(f"unknown_people {unknown} must be low, likely, high in that order; fix it")
    likely = []
    for name, people in zip(zones["zone_id"], zones["people"], strict=True):
        range_of_zone = people_range(people, unknown)
        if range_of_zone is None:
            raise TableError(f"zone {name}: people are unknown; give their number, or unknown_people")
        likely.append(range_of_zone[1])
    return np.array(likely, dtype=float)


# The draws.


def _random(seed: int, block: int, what: str, name: str) -> np.random.Generator:
    """Generator of a task or a group of teams: its draws hang on nothing but seed and id.

    >>> _random(1, 0, "task", "T1").random() == _random(1, 0, "task", "T1").random()
    True
    """
    words = np.frombuffer(hashlib.blake2b(f"{what} {name}".encode(), digest_size=16).digest(), dtype="<u4")
    return np.random.default_rng([seed, block, *words.tolist()])


def _shares(random: np.random.Generator, shares: Array, concentration: float, count: int) -> Array:
    """Shares of ground that are cancelled, reduced and cleared in each draw (draws, 3) [1]; shares of 0 stay 0.

    >>> _shares(np.random.default_rng(1), np.array([0.0, 1.0, 0.0]), 3.0, 2).tolist()
    [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    """
    there = shares > 0
    drawn = np.zeros((count, 3))
    drawn[:, there] = random.dirichlet(concentration * shares[there], count)
    return drawn


def _draw(plan: _Plan, uncertainty: Uncertainty, first: int) -> tuple[Array, Array]:
    """Team-days that each row of work takes in each draw of a block, and whether a step has no ground in it.

    All of a block is drawn, whatever is needed of it, so that more draws only add to those that were there.
    """
    count, block = min(_BLOCK, uncertainty.draws - first), first // _BLOCK
    seen = {name: _random(uncertainty.seed, block, "team", name).random(_BLOCK)[:count] for name in {*plan.teams.like}}
    u: Any = np.array([seen[name] for name in plan.teams.like]).reshape(-1, count)
    low, likely, high = plan.teams.rates[:, :, None]
    rate = triangular_quantile(u, low, likely, high)
    spread = uncertainty.task_spread
    factor = np.empty((len(plan.touched), count))
    parts = np.ones((len(_GROUNDS), len(plan.touched), count))
    for k, (task, outcome) in enumerate(zip(plan.touched, plan.outcome, strict=True)):
        random = _random(uncertainty.seed, block, "task", plan.tasks[task])
        factor[k] = random.standard_normal(_BLOCK)[:count]
        if outcome is not None:
            shares = _shares(random, plan.shares[k], outcome.concentration, _BLOCK)[:count]
            parts[1, k], parts[2, k] = 1 - shares[:, 0], shares[:, 2]
    factor = np.exp(spread * factor - spread**2 / 2)
    part = parts[plan.ground, plan.task_no]
    effort = (plan.m2 / plan.part[plan.step])[:, None] * part[plan.step]
    effort *= factor[plan.task_no[plan.step]]
    effort /= rate[plan.team]
    if plan.least or plan.beside.any():
        effort = np.maximum(effort + plan.beside[:, None], plan.least)
    return effort, part < TINY


@dataclass(frozen=True)
class _Progress:
    """How far a block of draws is; ``steps`` and ``rows`` are written to."""

    effort: Array  # (rows, draws) [team-days]
    none: Array  # (steps, draws) whether a step has no ground
    some_none: list[bool]  # (steps) whether that is so in any draw
    before: list[int]  # (steps)
    steps: Array  # (steps, draws) part that is done [1]
    rows: Array  # (rows, draws) the same of a row of work; the amount of ground in a draw is in its effort alone

    def reached(self, parts: Array, step: int) -> Any:
        """Part of a step that is done; one without ground is as far as the one before it [1]."""
        if step < 0:
            return 1.0
        if not self.some_none[step]:
            return parts[step]
        return np.where(self.none[step], self.reached(parts, self.before[step]), parts[step])


def _worked(plan: _Plan, wait: int, effort: Array, none: Array) -> tuple[Array, Array]:
    """Period in which each task is finished (tasks, draws), and the cost (draws) [currency]."""
    count = effort.shape[1]
    finish = np.repeat(plan.finish[:, None], count, axis=1).astype(np.int16)  # where there is no ground, as planned
    finish[plan.touched] = plan.never
    cost = np.zeros(count)
    now = _Progress(
        effort=effort,
        none=none,
        some_none=[bool(empty.any()) for empty in none],
        before=plan.before.tolist(),
        steps=np.zeros(none.shape),
        rows=none[plan.step].astype(float),
    )
    # Steps at the end of the last periods: the earliest of them is what a step after them may count on.
    earlier = deque([np.zeros_like(now.steps)] * wait, maxlen=max(wait, 1))
    # Within a period it is enough to go once through the work of a turn, unless a step may follow in the same one.
    rounds = 1 if wait else int(np.bincount(plan.task_no, minlength=1).max())
    parts = zip(plan.size.tolist(), plan.begins.tolist(), plan.width.tolist(), strict=True)
    rows = list(zip(range(len(plan.step)), plan.step.tolist(), plan.team.tolist(), parts, strict=True))
    of_row = plan.touched[plan.task_no[plan.step]]  # task of each row
    first, closed = plan.first[of_row], plan.closed[of_row]
    todo = [[rows[k] for k in np.flatnonzero(plan.turn == turn)] for turn in np.unique(plan.turn)]
    unfinished = [(int(task), int(last)) for task, last in zip(plan.touched, plan.last, strict=True) if last >= 0]
    for period in range(1, plan.never):
        if not todo and not unfinished:
            break
        days = plan.teams.capacity[:, period - 1] * (1 + TINY)  # sums of a solver are right to about this part
        left = np.repeat(days[:, None], count, axis=1)
        spent = (days <= 0).tolist()
        far = earlier[0] if wait else now.steps
        worked: set[int] = set()
        held = (first > period) | closed[:, period - 1]
        for turn in todo if not held.any() else [[one for one in turn if not held[one[0]]] for turn in todo]:
            for _ in range(rounds):
                if not (fresh := _turn(now, turn, far, left, spent)):
                    break
                worked.update(fresh)
        cost += plan.teams.price @ (days[:, None] - left)
        if wait:
            earlier.append(now.steps.copy())
        over = {row for row in worked if now.rows[row].min() >= 1 - _ROUNDING}
        todo = [rest for turn in todo if (rest := [one for one in turn if one[0] not in over])]
        unfinished = [one for one in unfinished if not _finished(now, *one, finish, period, plan.never)]
    return finish, cost


_Row = tuple[int, int, int, tuple[float, float, float]]


def _turn(now: _Progress, turn: list[_Row], far: Array, left: Array, spent: list[bool]) -> list[int]:
    """Work on rows of one turn as far as days are left and the steps before have come; the rows on which any was done.

    A row may be done as far as the step before has come beyond what earlier turns are planned to do on the same step,
    rows of one turn side by side: so teams that are ahead take no ground from those that come before them in the plan.
    """
    worked = []
    for row, step, team, (size, begins, width) in turn:
        if spent[team]:
            continue
        if now.before[step] < 0:
            part = 1.0 - now.rows[row]
        else:
            part = (now.reached(far, now.before[step]) - begins) / width
            np.minimum(part, 1.0, out=part)
            part -= now.rows[row]
            np.maximum(part, 0.0, out=part)
        if part.max() <= _ROUNDING:
            continue
        effort, days = now.effort[row], left[team]
        need = part * effort
        taken = np.minimum(need, days)
        np.divide(taken, effort, out=part, where=taken < need)
        now.rows[row] += part
        now.steps[step] += part * size
        days -= taken
        spent[team] = bool(days.max() <= _ROUNDING)
        worked.append(row)
    return worked


def _finished(now: _Progress, task: int, last: int, finish: Array, period: int, never: int) -> bool:
    """Note in which draws a task is finished at the end of a period; whether it is in all of them."""
    ready = np.asarray(now.reached(now.steps, last) >= 1 - TINY)
    finish_of_task = finish[task]
    finish_of_task[ready & (finish_of_task == never)] = period
    return bool(ready.all())


# What the draws tell.


def _opening(tasks: Array | None, finish: Array, never: int) -> Array:
    """Period at whose end the last of a zone's tasks is finished, 0 where it waits for none (draws)."""
    if tasks is None:
        return np.full(finish.shape[1], never)
    opens: Array = finish[tasks].max(axis=0, initial=0).astype(int)
    return opens


def _critical(needs: list[Array | None], planned: Array, opens: Array, finish: Array) -> Array:
    """Share of draws in which each task is among the last of a zone that opens later than planned [1]."""
    last = np.zeros(finish.shape, dtype=bool)
    for tasks, planned_in, opens_in in zip(needs, planned, opens, strict=True):
        late = opens_in > planned_in  # never where the zone is not in the plan
        if tasks is not None and late.any():
            last[tasks] |= (finish[tasks] == opens_in) & late
    share: Array = last.mean(axis=1)
    return share


def _quantile(values: Array, p: int) -> Array:
    """Least value that ``p`` % of the draws do not exceed (rows).

    >>> _quantile(np.array([[4, 1, 3, 2]]), 50).tolist(), _quantile(np.array([[4, 1, 3, 2]]), 80).tolist()
    ([2], [4])
    """
    place = -(-p * values.shape[1] // 100) - 1
    return np.asarray(np.partition(values, place, axis=1)[:, place])


def _zones(case: PlanningCase, planned: Array, opens: Array, handover: Array, never: int) -> pd.DataFrame:
    """Openings of the plan and of the draws, from the periods after which zones are finished."""
    after = -(-handover // case.settings.period_months)

    def open_in(finished: Array) -> Any:
        return pd.Series(finished + after, dtype="Int64").mask(finished == never).array

    def open_on(finished: Array) -> Any:
        pairs = zip(finished.tolist(), handover.tolist(), strict=True)
        days = [None if period == never else opening_day(period, months, case.settings) for period, months in pairs]
        return pd.to_datetime(pd.Series(days, dtype=object)).to_numpy()

    quantiles = {p: _quantile(opens, p) for p in (50, 80)}
    table = {
        "zone_id": case.zones["zone_id"].to_numpy(object),
        "opens_in": open_in(planned),
        "probability": np.where(planned < never, (opens <= planned[:, None]).mean(axis=1), np.nan),
    }
    table |= {f"p{p}_in": open_in(finished) for p, finished in quantiles.items()}
    return pd.DataFrame(table | {f"p{p}_on": open_on(finished) for p, finished in quantiles.items()})


def _tasks(plan: _Plan, finish: Array, critical: Array, days: pd.DatetimeIndex) -> pd.DataFrame:
    table: dict[str, Any] = {"task_id": np.array(plan.tasks, dtype=object)}
    table |= {f"finish_p{p}_on": days[_quantile(finish, p)].to_numpy() for p in (50, 80)}
    return pd.DataFrame(table | {"critical": np.where(plan.finish < plan.never, critical, np.nan)})


# Helpers.


def _need(table: pd.DataFrame, what: str, columns: tuple[str, ...]) -> None:
    if missing := [name for name in columns if name not in table.columns]:
        raise TableError(f"{what} lacks the column {missing[0]}; add it")


def _ids(table: pd.DataFrame, name: str, what: str) -> list[str]:
    ids = table[name].astype(str)
    if not ids.is_unique:
        raise TableError(f"{what}: {name} {ids[ids.duplicated()].iloc[0]} stands twice; give each row an id of its own")
    return ids.tolist()


def _at(ids: list[str], names: Iterable[object]) -> Array:
    """Number of each name among the ids, -1 where it is none of them."""
    place = {name: k for k, name in enumerate(ids)}
    return np.array([place.get(str(name), -1) for name in names], dtype=int)


def _numbers(values: pd.Series) -> Array:
    return np.asarray(pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan))
