"""What there is to do, who may do it and when, as arrays: what the judge counts a schedule against.

Nothing here comes from the planner: methods, rates and team-days are worked out again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

from clearplan.core.errors import TableError
from clearplan.core.reason import Reason
from clearplan.planning.calendar import months_counted, period_days, team_days
from clearplan.planning.case import PlanningCase
from clearplan.settings.planning import Method, PlaceSurvey, PlanningSettings, Step
from clearplan.tables.texts import ids_in

Array = NDArray[Any]
Ids: TypeAlias = "pd.Index[str]"
#: Sums of a solver are right to about this part of them, and to this much near 0.
RELATIVE, ABSOLUTE = 1e-6, 1e-6
#: Part of the draws in which a team's rate is lower than the one on which a robust plan counts.
ROBUST = 0.2
_GLOBE = Geod(ellps="WGS84")


@dataclass(frozen=True)
class World:
    """What there is to do, who may do it and when, as arrays; period 0 is the start."""

    case: PlanningCase
    task_ids: Ids  # of tasks, then of place surveys: below, a task may be a place survey
    team_ids: Ids
    method: Array  # number of each task's method, -1: none fits
    ground: Array  # (tasks, steps) [m2], NaN: the task's method has no such step
    first: Array  # period from which on gates let each task be worked on, 0: none holds it, ``never``: no such period
    handover: Array  # of each task's method [months]
    set_up: Array  # (tasks, steps) booked where a team comes to a step [team-days]
    close_out: Array  # (tasks, steps) booked where it leaves it [team-days]
    travel: Array  # (tasks, teams) on the road, booked both times [team-days]
    rate: Array  # of each team [m2/day]
    cost: Array  # of each team [currency/day], NaN: not known
    available: Array  # (teams, periods) [team-days]
    of_one: Array  # (teams, periods) the same of one team of each row [days]
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

    def named(self, period: int) -> Reason:
        """A period with its first and last day."""
        first, last = self.bounds[period - 1]
        return Reason("period", number=period, first_day=first, last_day=last)

    def steps_of(self, task: int) -> tuple[Step, ...]:
        """Steps of the method of a task, none where no method fits."""
        number = int(self.method[task])
        return self.case.settings.every_method[number].steps if number >= 0 else ()


@dataclass(frozen=True)
class Openings:
    """When zones open, or parts of them: after their last work and one handover."""

    finished: Array  # period after which the last work is finished, ``World.never`` where it never is
    handover: Array  # [months]
    after: Array  # from the start to the opening, infinite where there is none that counts [months]

    @property
    def open(self) -> Array:
        """Whether each opens."""
        return np.isfinite(self.after)


def openings_of(finished: Array, handover: Array, world: World) -> Openings:
    """Openings after work is finished and handed over; what opens beyond the months that are counted does not open."""
    settings = world.case.settings
    after = finished * float(settings.period_months) + handover
    lost = (finished >= world.never) | (after > settings.counted_months)
    return Openings(finished, handover, np.where(lost, np.inf, after))


def world_of(case: PlanningCase) -> World:
    """World of a case; an error where a column is missing, an id stands twice or an area is no amount."""
    tasks, teams, settings = case.works, case.teams, case.settings
    need(tasks, "TASKS", ("task_id", "land_class", "district", "area_m2"))
    need(teams, "TEAMS", ("team_id", "kind", "number", "rate_low", "rate_likely", "rate_high", "cost_per_day"))
    area = numbers(tasks["area_m2"])
    if (bad := np.flatnonzero(~amounts(area))).size:
        name = tasks["task_id"].iloc[bad[0]]
        raise TableError(f"task {name}: area_m2 {area[bad[0]]:g} is no area; give its area [m2]")
    method = _methods(tasks, settings)
    most = max(len(one.steps) for one in settings.every_method)
    # Their last row is that of no method, -1.
    set_up, close_out = np.zeros((2, len(settings.every_method) + 1, most))
    for number, one in enumerate(settings.every_method):
        set_up[number, : len(one.steps)] = [step.set_up_days for step in one.steps]
        close_out[number, : len(one.steps)] = [step.close_out_days for step in one.steps]
    idle = teams["deferred"].notna().to_numpy() if "deferred" in teams.columns else np.zeros(len(teams), dtype=bool)
    available, of_one = np.zeros((len(teams), settings.periods)), np.zeros((len(teams), settings.periods))
    available[~idle] = team_days(teams[~idle], settings)
    handover = np.array([one.handover_months for one in settings.every_method] + [0])
    of_one[~idle] = team_days(teams[~idle].assign(number=1), settings)
    return World(
        case=case,
        task_ids=ids_of(tasks, "task_id", "TASKS"),
        team_ids=ids_of(teams, "team_id", "TEAMS"),
        method=method,
        ground=area[:, None] * _part_of_steps(method, case),
        first=_first_periods(tasks, settings),
        handover=handover[method],
        set_up=set_up[method],
        close_out=close_out[method],
        travel=_on_the_road(case),
        rate=_rates(teams, settings.robust),
        cost=_costs(teams, settings),
        available=available,
        of_one=of_one,
        bounds=period_days(settings),
    )


def _on_the_road(case: PlanningCase) -> Array:
    """Days from the base of each team to each task, one way (tasks, teams) [team-days]; 0 where no base is stated."""
    travel, teams = case.settings.travel, case.teams
    days = np.zeros((len(case.works), len(teams)))
    if travel is None or not {"base_lon", "base_lat"} <= set(teams.columns):
        return days
    sites = case.tasks.geometry
    if case.surveys is not None:
        sites = pd.concat([sites, case.surveys.geometry[case.surveys["deferred"].isna()]])
    inside = sites.representative_point().to_crs("EPSG:4326")
    for team, base in enumerate(zip(numbers(teams["base_lon"]), numbers(teams["base_lat"]), strict=True)):
        if np.isfinite(base).all():
            lon, lat = (np.full(len(inside), side) for side in base)
            metres = _GLOBE.inv(inside.x.to_numpy(), inside.y.to_numpy(), lon, lat)[2]
            days[:, team] = np.asarray(metres) * travel.factor / (1_000 * travel.km_a_day)
    return days


def _part_of_steps(method: Array, case: PlanningCase) -> Array:
    """Part of each task's ground that each step of its method works on (tasks, steps) [1]; NaN where it has none."""
    every = case.settings.every_method
    part = np.full((len(method), max(len(one.steps) for one in every)), np.nan)
    for number, one in enumerate(every):
        tasks = np.flatnonzero(method == number)
        for at, step in enumerate(one.steps):
            part[tasks, at] = case.shares.part(step.ground)[tasks]
    return part


def _methods(tasks: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Number of the first method that fits each task, -1 where none does."""
    classes = tasks["land_class"].to_numpy(object)
    cells = tasks["ordnance"].to_numpy(object) if "ordnance" in tasks.columns else np.full(len(tasks), None)
    known: dict[Any, int] = {}

    def fits(one: Method | PlaceSurvey, land_class: str, cell: str | None) -> bool:
        held = ids_in(cell)
        # Ordnance that nobody reported may be any: only a method for any fits.
        return one.land_class == land_class and (one.ordnance is None or (bool(held) and set(held) <= {*one.ordnance}))

    for key in zip(classes, cells, strict=True):
        if key not in known:
            known[key] = next((k for k, one in enumerate(settings.every_method) if fits(one, *key)), -1)
    return np.array([known[key] for key in zip(classes, cells, strict=True)], dtype=int)


def _first_periods(tasks: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Number of the period from which on the gates of each task let it be worked on, 0 where it has none."""
    first = np.zeros(len(tasks), dtype=int)
    if "gates" not in tasks.columns:
        return first
    held = tasks["gates"].notna().to_numpy(bool)
    first[held] = settings.periods + 1
    if "gates_end_on" in tasks.columns:
        ends = pd.to_datetime(tasks["gates_end_on"])
        begins = pd.to_datetime([begin for begin, _ in period_days(settings)])
        for k in np.flatnonzero(held & ends.notna().to_numpy(bool)):
            first[k] = 1 + int((begins <= ends.iloc[k]).sum())
    return first


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


def _costs(teams: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Cost of a day of each team with its part of a medical standby [currency/day]."""
    costs, standby = numbers(teams["cost_per_day"]), settings.medical_standby
    if standby is None:
        return costs
    enters = teams["kind"].isin(standby.kinds).to_numpy()
    with_standby: Array = costs + enters * (standby.cost_a_day / standby.teams_covered)
    return with_standby


# --- columns and amounts


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


def blank(value: str | float | None) -> bool:
    """Whether a cell holds nothing."""
    return bool(pd.isna(value)) or not str(value).strip()


def over(amount: Any, limit: Any) -> Any:
    """Whether an amount is above a limit by more than rounding."""
    return amount > limit + RELATIVE * np.abs(limit) + ABSOLUTE


def unequal(one: Array, other: Array) -> Array:
    """Where two amounts differ by more than rounding."""
    apart: Array = np.abs(one - other) > RELATIVE * np.maximum(np.abs(one), np.abs(other)) + ABSOLUTE
    return apart
