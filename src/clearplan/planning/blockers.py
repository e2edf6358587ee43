"""What has to be released before a zone can open: the place itself and its lifelines, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.crs import require_metres
from clearplan.core.errors import TableError
from clearplan.core.reason import Reason
from clearplan.geo.blocking import blocking_ground, reaching
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.check import placed
from clearplan.tables.texts import ids_in

HOME, PLACE_SURVEY = "home", "survey"
_COLUMNS = ["blocker_id", "zone_id", "task_id", "part", "essential", "why"]


def find_blockers(
    tasks: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    settings: PlanningSettings,
    *,
    lifelines: gpd.GeoDataFrame | None = None,
    surveys: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """BLOCKERS: one row for each zone, part of it and task that stands in the way.

    A zone that is not surveyed waits for its place survey beside its tasks.

    A zone waits for every task that has ground within ``home_m`` (and the zone's position error) of it, and for every
    task that blocks one of its essential lifelines; other lifelines only add value. A task that touches such ground
    from outside does not block it. A zone that opens ``after`` others waits
    for all that they wait for. Zones that could not be placed have no rows: what blocks them is not known.

    Parameters
    ----------
    tasks : GeoDataFrame
        TASKS; with ``lifelines`` they need the column ``lifeline_ids`` that ``rank`` writes.
    zones : GeoDataFrame
        ZONES in the same CRS.
    settings : PlanningSettings
        ``home_m`` [m].
    lifelines : GeoDataFrame, optional
        LIFELINES in the same CRS.
    surveys : DataFrame, optional
        SURVEYS: the place surveys of zones that are not surveyed.

    Raises
    ------
    CrsError
        Tables are not in metres, or not in the same CRS.
    TableError
        TASKS don't say which lifelines they block, a lifeline serves a zone that is not there, or a zone opens after
        one that is not there, or in a circle after itself.
    """
    require_metres(tasks, zones)
    there = placed(zones)
    error = pd.to_numeric(there["position_error_m"]).to_numpy(float)
    homes = blocking_ground(there.geometry.to_numpy(), settings.home_m, error)
    i, j = reaching(tasks.geometry.to_numpy(), homes)
    ids = tasks["task_id"].to_numpy(object)
    rows = [
        (there["zone_id"].iloc[zone], ids[task], HOME, "yes", Reason("blocker.home"))
        for zone, task in sorted(zip(j.tolist(), i.tolist(), strict=True))
    ]
    if surveys is not None:
        todo = surveys[surveys["deferred"].isna()][["zone_id", "survey_id"]].itertuples(index=False)
        rows += [(zone, survey, PLACE_SURVEY, "yes", Reason("blocker.survey")) for zone, survey in todo]
    rows += _on_lifelines(tasks, set(zones["zone_id"]), set(there["zone_id"]), lifelines)
    rows += _after(zones, rows)
    table = pd.DataFrame(rows, columns=_COLUMNS[1:], dtype=object)
    table.insert(0, "blocker_id", [f"{z}/{p}/{t}" for z, t, p in table[["zone_id", "task_id", "part"]].to_numpy()])
    return table


def _on_lifelines(tasks: pd.DataFrame, known: set[Any], there: set[Any], lifelines: Any) -> list[tuple[Any, ...]]:
    if lifelines is None or not len(lifelines):
        return []
    if "lifeline_ids" not in tasks.columns:
        raise TableError("TASKS don't say which lifelines they block; state priority.lifelines_within_m and rank them")
    lost = ~lifelines["zone_id"].isin(known)
    if lost.any():
        row = lifelines[lost].iloc[0]
        raise TableError(
            f"lifeline {row['lifeline_id']} serves zone {row['zone_id']!r}, which ZONES lacks; fix its zone_id"
        )
    serving = {row["lifeline_id"]: row for row in lifelines.to_dict("records") if row["zone_id"] in there}
    rows = []
    for task, cell in zip(tasks["task_id"], tasks["lifeline_ids"], strict=True):
        for part in ids_in(cell):
            line: Any = serving.get(part)
            if line is None:  # it serves a place that is not on the map, or not known
                continue
            rows.append((line["zone_id"], task, part, line["essential"], _lifeline(line, part)))
    return sorted(rows)


def _lifeline(line: Mapping[str, Any], part: str) -> Reason:
    """A lifeline by its name, its kind before it where the name does not say so."""
    name, kind = line["name"] if isinstance(line.get("name"), str) else part, str(line["kind"])
    if kind in name.lower():
        return Reason("blocker.lifeline", lifeline=name)
    return Reason("blocker.lifeline_of_kind", lifeline=name, lifeline_kind=kind)


def _after(zones: pd.DataFrame, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What zones wait for because others must open first."""
    before = first_zones(zones)
    waiting: dict[str, dict[Any, None]] = {}
    for zone, task, _, essential, _ in rows:
        if essential == "yes":
            waiting.setdefault(str(zone), {})[task] = None
    names = zones["name"] if "name" in zones.columns else zones["zone_id"]
    called = {str(z): n if isinstance(n, str) else z for z, n in zip(zones["zone_id"], names, strict=True)}
    more = []
    for zone in TopologicalSorter(before).static_order():
        for other in before[zone]:
            waits = waiting.setdefault(zone, {})
            for task in waiting.get(other, {}):
                if task not in waits:
                    more.append((zone, task, f"after {other}", "yes", Reason("blocker.after", zone_name=called[other])))
                    waits[task] = None
    return more


def first_zones(zones: pd.DataFrame) -> dict[str, list[str]]:
    """Zone to the zones that must open before it.

    Raises
    ------
    TableError
        One of them is not there, or zones wait for one another in a circle.

    >>> first_zones(pd.DataFrame({"zone_id": ["a", "b"], "after": [None, "a"]}))
    {'a': [], 'b': ['a']}
    """
    cells = zones["after"] if "after" in zones.columns else [None] * len(zones)
    before = {str(zone): ids_in(cell) for zone, cell in zip(zones["zone_id"], cells, strict=True)}
    for zone, others in before.items():
        if lost := [other for other in others if other not in before]:
            raise TableError(f"zone {zone} opens after {lost[0]!r}, which ZONES lacks; fix its column after")
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        circle = " after ".join(reversed(error.args[1]))
        raise TableError(f"zones wait for one another in a circle: {circle}; fix their column after") from None
    return before


def waits_for(blockers: pd.DataFrame) -> dict[str, list[str]]:
    """Zone to the tasks for which it waits, each once.

    >>> table = pd.DataFrame({"zone_id": ["Z", "Z", "Z"], "task_id": ["a", "a", "b"],
    ...                       "essential": ["yes", "yes", "no"]})
    >>> waits_for(table)
    {'Z': ['a']}
    """
    essential = blockers[blockers["essential"] == "yes"]
    waits: dict[str, dict[str, None]] = {}
    for zone, task in zip(essential["zone_id"], essential["task_id"], strict=True):
        waits.setdefault(str(zone), {})[task] = None
    return {zone: list(tasks) for zone, tasks in waits.items()}


def without_place(zones: pd.DataFrame, lifelines: pd.DataFrame | None) -> dict[str, Reason]:
    """Zones of which is not known what blocks them, with the reason.

    >>> zones = pd.DataFrame({"zone_id": ["a", "b"], "deferred": [None, "no coordinates"]})
    >>> print(without_place(zones, None)["b"])
    has no place on the map: no coordinates
    >>> print(without_place(zones.assign(after=["b", None]), None)["a"])
    opens after b, which has no place on the map: no coordinates
    """
    lost = zones[zones["deferred"].notna()]
    rows = zip(lost["zone_id"].astype(str), lost["deferred"], strict=True)
    reasons = {zone: Reason("zone.unplaced", deferred=str(deferred)) for zone, deferred in rows}
    if lifelines is not None:
        nowhere = lifelines["deferred"].notna() & (lifelines["essential"] == "yes")
        for row in lifelines[nowhere].to_dict("records"):
            reasons.setdefault(str(row["zone_id"]), Reason("zone.lifeline_unplaced", lifeline=row["lifeline_id"]))
    before = first_zones(zones)
    for zone in TopologicalSorter(before).static_order():
        for other in before[zone]:
            if other in reasons:
                reasons.setdefault(zone, Reason("zone.after_unplaced", zone=other, reason=reasons[other]))
    return reasons
