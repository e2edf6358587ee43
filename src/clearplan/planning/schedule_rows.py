"""Rows of a schedule that can be counted, and what is wrong with the others: held against its own names and sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from clearplan.core.reason import Reason, one_decimal
from clearplan.planning.deployments import comes_and_leaves
from clearplan.planning.limits import Breach
from clearplan.planning.world import World, amounts, blank, index_in, need, numbers, unequal
from clearplan.tables.lookup import base_columns

#: Row of the schedule, reason, by how much, unit.
_Fault = tuple[int, Reason, float, str]


def counted_rows(work: pd.DataFrame, world: World) -> tuple[pd.DataFrame, list[Breach]]:
    """Rows that can be counted, with numbers for ids (team, task, step from 0) and cost [currency]; and faults."""
    need(work, "WORK", [column.name for column in base_columns("work")])
    names = work["work_id"].to_numpy(object)
    where = [f"row {k + 1}" if blank(name) else f"{name}" for k, name in enumerate(names)]
    rows = pd.DataFrame({name: numbers(work[name]) for name in ("step", "period", "days", "m2", "cost")})
    rows["row"] = np.arange(len(work))
    rows["task"], rows["team"] = index_in(world.task_ids, work["task_id"]), index_in(world.team_ids, work["team_id"])
    twice = pd.Series(where, dtype=object).duplicated() | work["work_id"].isna().to_numpy()
    faults = _faults(twice, lambda k: Reason("fault.work_id"))
    unknown = _unknown(work, rows, world)
    rows = rows.drop(index=sorted({fault[0] for fault in unknown})).astype({"step": int, "period": int})
    rows["step"] -= 1
    price, stated = world.cost[rows["team"]], rows["cost"].to_numpy(float)
    # A deferred team may lack its cost; then the schedule's is the only one.
    rows["cost"] = np.where(np.isnan(price), np.nan_to_num(stated), rows["days"] * price)
    faults += unknown + _untrue(work, rows.assign(stated=stated, beside=_beside(rows, world)), world)
    counted = rows[(rows["days"] > 0) | (rows["m2"] > 0)].reset_index(drop=True)
    faults.sort(key=lambda fault: fault[0])
    return counted, [
        ("table", where[k], by, unit, Reason("breach.table", where=where[k], fault=fault))
        for k, fault, by, unit in faults
    ]


def _faults(mask: Any, reason: Callable[[int], Reason], by: Any = None, unit: str = "") -> list[_Fault]:
    """A fault of each row of a mask; ``by`` is an amount of each row."""
    return [(int(k), reason(int(k)), np.nan if by is None else float(by[k]), unit) for k in np.flatnonzero(mask)]


def _unknown(work: pd.DataFrame, rows: pd.DataFrame, world: World) -> list[_Fault]:
    """Rows that name what is not there, or whose days or ground are no amount."""
    settings = world.case.settings
    task, step, period = rows["task"].to_numpy(int), rows["step"].to_numpy(float), rows["period"].to_numpy(float)
    length = np.array([len(one.steps) for one in settings.every_method] + [0])[np.append(world.method, -1)[task]]
    columns = ("task_id", "team_id", "step", "period", "days", "m2")
    cells = {name: [str(value) for value in work[name].to_numpy(object)] for name in columns}

    def no_step(k: int) -> Reason:
        name, written = cells["task_id"][k], cells["step"][k]
        if not length[k]:
            return Reason("fault.no_method", task=name, written=written)
        return Reason("fault.no_step", task=name, count=length[k], written=written)

    faults = _faults(task < 0, lambda k: Reason("fault.no_task", task=cells["task_id"][k]))
    faults += _faults(rows["team"] < 0, lambda k: Reason("fault.no_team", team=cells["team_id"][k]))
    faults += _faults((task >= 0) & ~((step >= 1) & (step <= length) & (step % 1 == 0)), no_step)
    in_plan = (period >= 1) & (period <= settings.periods) & (period % 1 == 0)
    faults += _faults(
        ~in_plan, lambda k: Reason("fault.no_period", periods=settings.periods, written=cells["period"][k])
    )
    faults += _faults(~amounts(rows["days"]), lambda k: Reason("fault.days", written=cells["days"][k]))
    faults += _faults(~amounts(rows["m2"]), lambda k: Reason("fault.m2", written=cells["m2"][k]))
    return faults


def _untrue(work: pd.DataFrame, rows: pd.DataFrame, world: World) -> list[_Fault]:
    """What rows say that is not so; all that they name is there."""
    at, task, team, step = (rows[name].to_numpy(int) for name in ("row", "task", "team", "step"))
    kinds = world.case.teams["kind"].to_numpy(object)[team]
    names = [world.steps_of(i)[k].name for i, k in zip(task, step, strict=True)]
    written = {name: work[name].to_numpy(object)[at] for name in ("kind", "step_name")}
    faults = [*_untrue_amounts(rows, world), *_untrue_days(work, rows, world)]
    faults += _faults(
        kinds != written["kind"],
        lambda k: Reason("fault.kind", team=world.team_ids[team[k]], kind=kinds[k], written=str(written["kind"][k])),
    )
    faults += _faults(
        np.array(names, dtype=object) != written["step_name"],
        lambda k: Reason(
            "fault.step_name",
            task=world.task_ids[task[k]],
            step_no=step[k] + 1,
            step=names[k],
            written=str(written["step_name"][k]),
        ),
    )
    return [(int(at[k]), reason, by, unit) for k, reason, by, unit in faults]


def _beside(rows: pd.DataFrame, world: World) -> Any:
    """Team-days that each row books beside its work (rows)."""
    beside = pd.Series(0.0, rows.index)
    there = rows[(rows["days"] > 0) | (rows["m2"] > 0)]
    comes, leaves = comes_and_leaves(there)
    task, step, team = (there[name].to_numpy(int) for name in ("task", "step", "team"))
    road = world.travel[task, team]
    beside[there.index] = comes * (world.set_up[task, step] + road) + leaves * (world.close_out[task, step] + road)
    return beside


def _untrue_amounts(rows: pd.DataFrame, world: World) -> list[_Fault]:
    """Days that are not what the ground takes, and costs that are not days x cost a day."""
    team = rows["team"].to_numpy(int)
    days, m2, cost, stated, beside = (rows[name].to_numpy(float) for name in ("days", "m2", "cost", "stated", "beside"))
    rate, money, least = world.rate[team], world.case.settings.currency, world.case.settings.min_team_days
    # Days under the least are a broken limit of their own.
    booked = np.where(m2 > 0, np.maximum(m2 / rate + beside, np.minimum(days, least)), days)
    plain = (beside == 0) & (least == 0)
    faults = _faults(
        unequal(days, booked) & ~plain,
        lambda k: Reason(
            "fault.booked",
            worked=one_decimal(m2[k]),
            team=world.team_ids[team[k]],
            rate=one_decimal(rate[k]),
            beside=one_decimal(beside[k]),
            least=one_decimal(least),
            booked=one_decimal(max(booked[k], least)),
            days=one_decimal(days[k]),
        ),
        np.abs(days - booked),
        "team-days",
    )
    faults += _faults(
        unequal(m2, days * rate) & plain,
        lambda k: Reason(
            "fault.ground",
            days=one_decimal(days[k]),
            team=world.team_ids[team[k]],
            rate=one_decimal(rate[k]),
            ground=one_decimal(days[k] * rate[k]),
            worked=one_decimal(m2[k]),
        ),
        np.abs(m2 - days * rate),
        "m2",
    )
    return faults + _faults(
        unequal(stated, cost) | ~amounts(rows["stated"]),
        lambda k: Reason(
            "fault.cost",
            days=one_decimal(days[k]),
            team=world.team_ids[team[k]],
            cost=cost[k],
            currency=money,
            written=f"{stated[k]:,.2f}",
        ),
        np.abs(stated - cost),
        money,
    )


def _untrue_days(work: pd.DataFrame, rows: pd.DataFrame, world: World) -> list[_Fault]:
    """First and last days that are not those of the period."""
    at, period = rows["row"].to_numpy(int), rows["period"].to_numpy(int)
    faults: list[_Fault] = []
    for side, name in enumerate(("starts_on", "ends_on")):
        true = np.array([bounds[side] for bounds in world.bounds], dtype="datetime64[D]")[period - 1]
        day = pd.to_datetime(work[name], errors="coerce").to_numpy("datetime64[D]")[at]
        for k in np.flatnonzero(true != day):
            reason = Reason("fault.day", column=name, number=period[k], day=true[k], written=str(day[k]))
            faults.append((int(k), reason, np.nan, ""))
    return faults
