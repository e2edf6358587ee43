"""Tables that a mine action programme files of its plan: milestones, what is to be released, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clearplan.core.checks import Day
from clearplan.core.errors import TableError
from clearplan.planning.calendar import handed_over, period_days, team_days
from clearplan.planning.methods import day_costs, methods_of, rates_of
from clearplan.planning.outcomes import Shares, outcome_shares
from clearplan.settings.planning import PlanningSettings, Step
from clearplan.tables.codes import CLASSES, RELEASED, SURVEY
from clearplan.tables.frames import Tasks, Teams, Work
from clearplan.treaty.filed import UNKNOWN_TASK, bridges_in, day_in, in_order, need

#: Which release a kind of team brings about on the ground that needs no further step.
METHOD_OF = {"NTS": "cancelled", "TS": "reduced"}


def _as_work(work: Work, what: str, columns: Sequence[str]) -> Work:
    """WORK on tasks with numbers and days as such, for an earlier plan's is read back from its file.

    Surveys of places release no land, and no treaty table counts them.
    """
    need(work, what, columns)
    work = work[~work["task_id"].astype(str).str.startswith(SURVEY)]
    out = work.copy()
    for name in columns:
        if name in ("step", "period", "days", "m2"):
            out[name], kind = pd.to_numeric(work[name], errors="coerce"), "number"
        elif name in ("starts_on", "ends_on"):
            out[name], kind = pd.to_datetime(work[name], format="ISO8601", errors="coerce"), "day"
        else:
            continue
        if out[name].isna().any():
            row = out.index[out[name].isna()][0]
            raise TableError(f"{what}, row {row}: {name} {work.loc[row, name]!r} is no {kind}; hand it over as made")
    return out


def milestones(work: Work, teams: Teams, settings: PlanningSettings) -> pd.DataFrame:
    """What a plan asks of its teams, by calendar year and kind: ground, team-months and cost, low, likely and high.

    Parameters
    ----------
    work : DataFrame
        WORK.
    teams : DataFrame
        TEAMS of that plan.
    settings : PlanningSettings

    Returns
    -------
    DataFrame
        year, kind, tasks (worked on), m2 (ground worked; steps on the same ground count each), days (as planned)
        [team-days], team_months_low, team_months, team_months_high (working days of a month to each), cost_low, cost,
        cost_high [currency]. Low is the effort at the high rate, high that at the low rate, the one between that at the
        likely rate. Work of a period that lies in two years is shared between them by what its team can do in the
        months of each.

    Raises
    ------
    TableError
        A column is missing or holds no number; work names a team that is not there, or a period that the plan does
        not have.
    """
    work = _as_work(work, "the work", ("task_id", "kind", "team_id", "period", "days", "m2"))
    need(teams, "the teams", ("team_id", "number", "rate_low", "rate_likely", "rate_high", "cost_per_day"))
    teams = teams[teams["team_id"].isin(work["team_id"])]
    rows = {team: k for k, team in enumerate(teams["team_id"])}
    unknown = sorted(set(work["team_id"]) - set(rows))
    if unknown:
        raise TableError(f"work names the team {unknown[0]}, which is not among the teams; hand over those of the plan")
    period = work["period"].to_numpy(int) - 1
    if len(work) and not (period.min() >= 0 and period.max() < settings.periods):
        raise TableError(f"work has period {int(work['period'].max())} of {settings.periods}; settings of another plan")
    team = work["team_id"].map(rows).to_numpy(int)
    m2 = work["m2"].to_numpy(float)
    effort = {name: m2 / teams[f"rate_{name}"].to_numpy(float)[team] for name in ("high", "likely", "low")}
    if "days" in work.columns:  # what is booked beside work is the same at any rate
        beside = np.maximum(work["days"].to_numpy(float) - m2 / rates_of(teams, settings)[team], 0.0)
        effort = {name: days + beside for name, days in effort.items()}
    days = {"_low": effort["high"], "": effort["likely"], "_high": effort["low"]}
    price = day_costs(teams, settings)[team]
    parts = []
    for year, share in _shares(teams, settings).items():
        part = share[team, period]
        own = {
            "year": year,
            "kind": work["kind"],
            "task_id": work["task_id"].where(part > 0),
            "m2": m2 * part,
            "days": work["days"].to_numpy(float) * part,
        }
        own |= {f"team_months{end}": d * part / settings.working_days_a_month for end, d in days.items()}
        parts.append(pd.DataFrame(own | {f"cost{end}": d * part * price for end, d in days.items()})[part > 0])
    every = pd.concat(parts, ignore_index=True)
    grouped = every.groupby(["year", "kind"])
    sums = grouped[[name for name in every.columns if name not in ("year", "kind", "task_id")]].sum()
    sums.insert(0, "tasks", grouped["task_id"].nunique())
    return in_order(sums.reset_index(), None, "district")


def _shares(teams: pd.DataFrame, settings: PlanningSettings) -> dict[int, Any]:
    """Calendar year to the part of each team's work in each period that lies in it, shape (teams, periods)."""
    months = settings.model_copy(update={"periods": settings.periods * settings.period_months, "period_months": 1})
    year = np.array([first.year for first, _ in period_days(months)])
    able = team_days(teams, months).reshape(len(teams), settings.periods, settings.period_months)
    # Work where a team can do none contradicts the calendar; it is shown by the months alone.
    able = np.where(able.sum(axis=2, keepdims=True) > 0, able, 1.0)
    able /= able.sum(axis=2, keepdims=True)
    year = year.reshape(settings.periods, settings.period_months)
    return {int(one): (able * (year == one)).sum(axis=2) for one in np.unique(year)}


def planned_release(work: Work, tasks: Tasks, settings: PlanningSettings) -> pd.DataFrame:
    """What a plan means to release, by calendar year, land class and method.

    Survey works on more ground than it releases: of a step's ground counts what the next step does not work on, as
    cancelled for non-technical survey, reduced for technical survey, cleared for all else; of the last step, all.

    Parameters
    ----------
    work : DataFrame
        WORK; a period counts in the year of its last day, or in that in which the method's handover ends after it.
    tasks : DataFrame
        TASKS that the plan was made of.
    settings : PlanningSettings
        Methods and outcomes of survey.

    Returns
    -------
    DataFrame
        year, land_class, method, tasks (worked on), planned_m2. Work on a task that is not among ``tasks``, or on a
        step that its method does not have, is in rows of a class of its own, its planned_m2 blank.

    Raises
    ------
    TableError
        A column is missing, or holds no number or no day.
    """
    work = _as_work(work, "the work", ("task_id", "step", "kind", "ends_on", "m2"))
    need(tasks, "the tasks", ("task_id", "land_class"))
    methods = enumerate(zip(tasks["task_id"], tasks["land_class"], methods_of(tasks, settings), strict=True))
    shares = outcome_shares(tasks, settings)
    known = {task: (k, land_class, () if method is None else method.steps) for k, (task, land_class, method) in methods}
    rows = []
    for piece in work.assign(released_on=_released_on(work, tasks, settings)).to_dict("records"):
        number, land_class, steps = known.get(piece["task_id"], (-1, UNKNOWN_TASK, ()))
        part = _released_part(number, steps, piece, shares)
        rows.append(
            {
                "year": piece["released_on"].year,
                "land_class": UNKNOWN_TASK if part is None else land_class,
                "method": METHOD_OF.get(piece["kind"], "cleared"),
                "task_id": piece["task_id"],
                "planned_m2": np.nan if part is None else part * float(piece["m2"]),
            }
        )
    every = pd.DataFrame(rows, columns=["year", "land_class", "method", "task_id", "planned_m2"])
    grouped = every.astype({"planned_m2": float}).groupby(["year", "land_class", "method"])
    table = pd.DataFrame({"tasks": grouped["task_id"].nunique(), "planned_m2": grouped["planned_m2"].sum(min_count=1)})
    return in_order(table.reset_index(), None, "district")


def _released_on(work: Work, tasks: Tasks, settings: PlanningSettings) -> list[dt.date]:
    """Day on which the ground of each row of WORK is released: after its period and the handover of its method."""
    methods = zip(tasks["task_id"], methods_of(tasks, settings), strict=True)
    months = {task: method.handover_months for task, method in methods if method is not None}
    rows = zip(work["task_id"], work["ends_on"], strict=True)
    return [handed_over(pd.Timestamp(day).date(), months.get(task, 0)) for task, day in rows]


def _released_part(number: int, steps: tuple[Step, ...], piece: Mapping[Any, Any], shares: Shares) -> float | None:
    """Part of a step's ground that needs no further step [1]; None where the method has no such step."""
    at = int(piece["step"]) - 1
    if not 0 <= at < len(steps) or piece["kind"] not in steps[at].kinds:
        return None
    if at + 1 == len(steps):
        return 1.0
    here, after = (float(shares.part(step.ground)[number]) for step in steps[at : at + 2])
    return max(0.0, 1 - after / here) if here > 0 else 0.0


def plan_vs_achieved(
    previous_work: Work,
    previous_tasks: Tasks,
    bridges: Mapping[int, pd.DataFrame],
    settings: PlanningSettings,
    *,
    as_at: Day,
) -> pd.DataFrame:
    """What an earlier plan meant to release by now, beside what was released, for the years that both tell of.

    Parameters
    ----------
    previous_work : DataFrame
        WORK of the plan in force; periods and handovers that end after ``as_at`` don't count.
    previous_tasks : DataFrame
        TASKS of that plan; today's lack those that are released since.
    bridges : mapping
        Calendar year to its bridge, as for :func:`released_table`.
    settings : PlanningSettings
        Methods and outcomes, as for :func:`planned_release`.

    Returns
    -------
    DataFrame
        year, land_class, method, tasks, planned_m2, released_m2, achieved (released / planned, blank where nothing was
        planned), note (what part of the year the plan or the books tell of, where it is not the whole).

    Raises
    ------
    SettingsError, TableError
        ``as_at`` is no day; a column is missing, or holds no number or no day.
    """
    columns = ("task_id", "step", "kind", "starts_on", "ends_on", "m2")
    dated = _as_work(previous_work, "the plan in force", columns)
    day, books = day_in(as_at, "as_at"), bridges_in(bridges)
    begun, last = dated["starts_on"].min(), dated["ends_on"].max()
    released = pd.Series(_released_on(dated, previous_tasks, settings), index=dated.index, dtype=object)
    due = dated[pd.to_datetime(released) <= pd.Timestamp(day)]
    keys = ["year", "land_class", "method"]
    planned = planned_release(due, previous_tasks, settings)
    rows = [
        (year, land_class, method, float(table.loc[table["land_class"] == land_class, f"{method}_m2"].sum()))
        for year, table in books.items()
        for land_class in CLASSES
        for method in RELEASED
    ]
    told = pd.DataFrame(rows, columns=[*keys, "released_m2"])
    both = set() if not len(dated) else {y for y in books if begun.year <= y <= min(last.year, day.year)}
    table = planned.merge(told, on=keys, how="outer")
    table = table[table["year"].isin(both)].reset_index(drop=True)
    unknown = table["land_class"] == UNKNOWN_TASK
    table["planned_m2"] = table["planned_m2"].fillna(0.0).mask(unknown)
    table["tasks"] = table["tasks"].fillna(0).astype(int)
    table = table[unknown | (table["planned_m2"] >= 1) | (table["released_m2"] >= 1)]
    table = table.assign(
        achieved=table["released_m2"] / table["planned_m2"].where(table["planned_m2"] >= 1),
        note=[_part_of_year(int(year), begun.date(), last.date(), day) for year in table["year"]],
    )
    return in_order(table, None, "district")


def _part_of_year(year: int, begun: dt.date, last: dt.date, day: dt.date) -> str:
    notes = []
    if begun > dt.date(year, 1, 1):
        notes.append(f"the plan begins on {begun}")
    if last < min(dt.date(year, 12, 31), day):
        notes.append(f"the plan ends on {last}")
    if day < dt.date(year, 12, 31):
        notes.append(f"both up to {day}")
    return "; ".join(notes)
