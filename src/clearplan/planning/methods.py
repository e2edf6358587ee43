"""How a task is released: its method, the ground of each step, and which teams may do it at what rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.planning.calendar import work_from
from clearplan.settings.planning import Method, PlaceSurvey, PlanningSettings
from clearplan.tables.texts import ids_in

Array = NDArray[Any]
Numbers = float | Array
#: Low, likely and high people of a zone whose number nobody knows [people].
UnknownPeople = tuple[float, float, float]

#: A robust plan counts on efforts that are exceeded in one case of five.
ROBUST = 0.2


def methods_of(tasks: pd.DataFrame, settings: PlanningSettings) -> list[Method | PlaceSurvey | None]:
    """Method of each task: the first of its class whose ordnance, where given, holds all of the task's; None: none."""
    ordnance = tasks["ordnance"] if "ordnance" in tasks.columns else [None] * len(tasks)
    known: dict[tuple[Any, ...], Method | PlaceSurvey | None] = {}
    methods = []
    for land_class, cell in zip(tasks["land_class"], ordnance, strict=True):
        held = tuple(ids_in(cell))
        key = (land_class, held)
        if key not in known:
            fitting = (m for m in settings.every_method if m.land_class == land_class and _fits(m, held))
            known[key] = next(fitting, None)
        methods.append(known[key])
    return methods


def _fits(method: Method | PlaceSurvey, ordnance: tuple[str, ...]) -> bool:
    return method.ordnance is None or (bool(ordnance) and set(ordnance) <= set(method.ordnance))


def handovers(waits: Mapping[str, Sequence[str]], works: pd.DataFrame, settings: PlanningSettings) -> dict[str, int]:
    """Months of handover of each zone: the longest among the methods of the pieces of work for which it waits [months].

    Parameters
    ----------
    waits : mapping
        Zone to ids of pieces of work.
    works : DataFrame
        Tasks and place surveys, with the columns of TASKS.
    settings : PlanningSettings
    """
    methods = zip(works["task_id"].astype(str), methods_of(works, settings), strict=True)
    months = {task: method.handover_months for task, method in methods if method is not None}
    return {zone: max((months.get(task, 0) for task in tasks), default=0) for zone, tasks in waits.items()}


def people_weights(zones: pd.DataFrame, settings: PlanningSettings) -> Array:
    """How many times each person of a zone counts, by its vulnerability where that lever is in force (zones) [1]."""
    fairness = settings.fairness
    if settings.lever != "vulnerability" or fairness is None or "vulnerability" not in zones.columns:
        return np.ones(len(zones))
    more = pd.to_numeric(zones["vulnerability"]).fillna(1.0).to_numpy(float) - 1.0
    return np.asarray(1.0 + (fairness.vulnerability_weight or 0.0) * more)


def first_periods(works: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Number of the first period in which each piece of work may be worked on, as its gates ask (n).

    0: no gate holds it; one more than the periods: its gates end too late, or nobody stated when.
    """
    blank = [None] * len(works)
    gates, ends = (works[name] if name in works.columns else blank for name in ("gates", "gates_end_on"))
    rows = zip(gates, ends, strict=True)
    return np.array([0 if pd.isna(gate) else work_from(end, settings) for gate, end in rows], dtype=int)


def rates_of(teams: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Rate that the plan counts on for each team (teams) [m2 a team and day]: likely, or low if robust."""
    rates = [pd.to_numeric(teams[f"rate_{name}"]).to_numpy(float) for name in ("low", "likely", "high")]
    return triangular_quantile(ROBUST, *rates) if settings.robust else rates[1]


def day_costs(teams: pd.DataFrame, settings: PlanningSettings) -> Array:
    """What a day of each team costs (teams) [currency]: its own cost and its part of a medical standby."""
    costs = pd.to_numeric(teams["cost_per_day"]).to_numpy(float)
    standby = settings.medical_standby
    return costs if standby is None else costs + [standby.cost_of(str(kind)) for kind in teams["kind"]]


def triangular_quantile(p: Numbers, low: Numbers, likely: Numbers, high: Numbers) -> Array:
    """Quantile of the triangular distribution; low + sqrt(p (high - low)(likely - low)) below the likely value.

    >>> float(triangular_quantile(0.2, 0.0, 5.0, 10.0))**2 # sqrt(0.2 * 10 * 5)
    10.0...
    >>> float(triangular_quantile(0.2, 3.0, 3.0, 3.0))
    3.0
    """
    low, likely, high = (np.asarray(value, dtype=float) for value in (low, likely, high))
    width = np.maximum(high - low, 1e-300)
    rising = low + np.sqrt(p * width * (likely - low))
    falling = high - np.sqrt((1 - p) * width * (high - likely))
    return np.asarray(np.where(p * width < likely - low, rising, np.where(high > low, falling, likely)))


def allowed(kinds: tuple[str, ...], district: str | None, teams: pd.DataFrame) -> list[int]:
    """Positions of the teams that may do a step of these kinds in a district; blank is outside every district."""
    places = teams["districts"] if "districts" in teams.columns else [None] * len(teams)
    deferred = teams["deferred"] if "deferred" in teams.columns else [None] * len(teams)
    numbers = []
    for k, (kind, cell, lost) in enumerate(zip(teams["kind"], places, deferred, strict=True)):
        named = ids_in(cell)
        if kind in kinds and pd.isna(lost) and (not named or district in named):
            numbers.append(k)
    return numbers


def people_range(people: float | None, unknown: UnknownPeople | None) -> UnknownPeople | None:
    """Low, likely and high people of a zone; None where nobody knows and nothing is assumed.

    >>> people_range(12, None), people_range(None, (50, 200, 800)), people_range(math.nan, None)
    ((12.0, 12.0, 12.0), (50, 200, 800), None)
    """
    if people is None or pd.isna(people) or (isinstance(people, float) and math.isnan(people)):
        return unknown
    return (float(people),) * 3
