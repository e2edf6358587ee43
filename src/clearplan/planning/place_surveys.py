"""Surveys of places: the ground that must be surveyed before people may come back to it, whether or not a hazard is
recorded there.

They are no tasks: tasks tile the ground of hazards, and no area total counts the ground of a place survey.
"""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.crs import require_metres
from clearplan.core.reason import Reason
from clearplan.geo.shapes import conservative_buffer
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.codes import SURVEY, SURVEYED
from clearplan.tables.frames import Districts, Gates, Lifelines, Zones
from clearplan.tables.gates import gate_reason, open_after, shut_gates


def surveyed(zones: pd.DataFrame, as_at: dt.date | None = None) -> NDArray[np.bool_]:
    """Whether each zone counts as surveyed or released on a day (n); a blank status, or a later day, is not surveyed.

    >>> zones = pd.DataFrame({"survey_status": ["released", "surveyed", None], "surveyed_on": ["2025-05-01"] * 3})
    >>> surveyed(zones).tolist(), surveyed(zones, dt.date(2025, 4, 30)).tolist()
    ([True, True, False], [False, False, False])
    """
    if "survey_status" not in zones.columns:
        return np.zeros(len(zones), dtype=bool)
    status = zones["survey_status"].isin(SURVEYED).to_numpy(bool)
    if as_at is None or "surveyed_on" not in zones.columns:
        return np.asarray(status)
    days = pd.to_datetime(zones["surveyed_on"])
    return np.asarray(status & (days <= pd.Timestamp(as_at)).to_numpy(bool))


def place_surveys(
    zones: Zones,
    settings: PlanningSettings,
    *,
    lifelines: Lifelines | None = None,
    lifelines_within_m: float | None = None,
    gates: Gates | None = None,
    districts: Districts | None = None,
    district_name: str = "name",
    as_at: dt.date | None = None,
) -> gpd.GeoDataFrame:
    """SURVEYS: one row for each zone that is not surveyed, with the ground of its survey.

    Parameters
    ----------
    zones : GeoDataFrame
        ZONES, points or outlines of places.
    settings : PlanningSettings
        ``home_m`` [m]; ``place_survey``.
    lifelines : GeoDataFrame, optional
        LIFELINES; the essential ones of a zone are surveyed with it.
    lifelines_within_m : float, optional
        How far from a lifeline it is surveyed [m]; unset: no lifeline is.
    gates : DataFrame, optional
        GATES; one of a zone, or of the district in which it lies, holds its survey back.
    districts : GeoDataFrame, optional
        With names in ``district_name``; without it no district is known.
    as_at : date, optional
        Day of the study: what is surveyed later is not surveyed yet, and gates count as on that day.

    Returns
    -------
    GeoDataFrame
        The ground is the shape of the zone, grown by ``home_m`` and its position error, and its lifelines grown by
        ``lifelines_within_m`` and theirs, as one shape. A zone without a place stays as a deferred row.

    Raises
    ------
    CrsError
        Tables are not in metres, or not in the same CRS.
    """
    require_metres(*(table for table in (zones, lifelines, districts) if table is not None))
    todo = zones[~surveyed(zones, as_at)]
    there = todo.geometry.notna().to_numpy() & ~todo.geometry.is_empty.to_numpy()
    if "deferred" in todo.columns:
        there &= todo["deferred"].isna().to_numpy()
    ground = np.full(len(todo), None, dtype=object)
    ground[there] = home_ground(todo[there], settings.home_m)
    ids = todo["zone_id"].astype(str).to_numpy(object)
    for k in np.flatnonzero(there):
        ways = corridors(ids[k], lifelines, lifelines_within_m)
        ground[k] = shapely.union_all([ground[k], *ways])
    kinds = (
        [] if settings.place_survey is None else [kind for step in settings.place_survey.steps for kind in step.kinds]
    )
    held = gates_of_zones(zones, gates, districts=districts, district_name=district_name, as_at=as_at)
    area = shapely.area(ground)
    return gpd.GeoDataFrame(
        {
            "survey_id": [f"{SURVEY}{zone}" for zone in ids],
            "zone_id": ids,
            "district": districts_of(todo, districts, district_name),
            "area_m2": np.where(there, area, np.nan),
            "kind": "; ".join(dict.fromkeys(kinds)) or None,
            "gates": [held[zone][0] if zone in held else None for zone in ids],
            "gates_end_on": pd.to_datetime(pd.Series([held[zone][1] if zone in held else None for zone in ids])),
            "source": "made by the plan of work: the place is not surveyed",
            "deferred": todo["deferred"].to_numpy(object) if "deferred" in todo.columns else None,
        },
        geometry=ground,
        crs=zones.crs,
    )


def home_ground(zones: Zones, home_m: float) -> NDArray[np.object_]:
    """Shape of each zone, point or outline, grown by ``home_m`` and the zone's position error; blank is none (n)."""
    error = pd.to_numeric(zones["position_error_m"]).fillna(0.0).to_numpy(float)
    return np.asarray(conservative_buffer(zones.geometry.to_numpy(), home_m + error))


def corridors(zone: str, lifelines: Lifelines | None, within_m: float | None) -> list[shapely.Geometry]:
    """Ground along the essential lifelines of a zone, grown by ``within_m`` and their position errors [m]."""
    if lifelines is None or within_m is None:
        return []
    ways = lifelines[(lifelines["zone_id"] == zone) & (lifelines["essential"] == "yes")]
    ways = ways[ways.geometry.notna()]
    if not len(ways):
        return []
    error = pd.to_numeric(ways["position_error_m"]).fillna(0.0).to_numpy(float)
    return list(conservative_buffer(ways.geometry.to_numpy(), within_m + error))


def districts_of(zones: Zones, districts: Districts | None, district_name: str) -> NDArray[np.object_]:
    """District in which a point of each zone lies, the first where several do; None where none does (n)."""
    names = np.full(len(zones), None, dtype=object)
    if districts is None or not len(zones):
        return names
    there = np.flatnonzero(zones.geometry.notna().to_numpy())
    points = shapely.point_on_surface(zones.geometry.to_numpy()[there])
    i, j = shapely.STRtree(districts.geometry.to_numpy()).query(points, predicate="intersects")
    called = districts[district_name].to_numpy(object)
    for point, district in sorted(zip(i.tolist(), j.tolist(), strict=True), reverse=True):
        names[there[point]] = called[district]
    return names


def gates_of_zones(
    zones: Zones,
    gates: Gates | None,
    *,
    districts: Districts | None = None,
    district_name: str = "name",
    as_at: dt.date | None = None,
) -> dict[str, tuple[Reason, dt.date | None]]:
    """Zone to why it is behind a gate, and the last day of it; None where one of its gates has no such day.

    A gate that names a zone, the district of a zone, or both holds it; one that names a hazard holds tasks alone.
    """
    held: dict[str, list[dict[object, object]]] = {}
    lies = districts_of(zones, districts, district_name)
    for gate in shut_gates(gates, as_at=as_at):
        if isinstance(gate["hazard_id"], str):
            continue
        met = np.ones(len(zones), dtype=bool)
        if isinstance(gate["zone_id"], str):
            met &= (zones["zone_id"] == gate["zone_id"]).to_numpy(bool)
        if isinstance(gate.get("district"), str):
            met &= lies == gate["district"]
        for zone in zones["zone_id"].to_numpy(object)[met]:
            held.setdefault(str(zone), []).append(gate)
    reasons = {zone: Reason("task.gated", gates=[gate_reason(gate) for gate in rows]) for zone, rows in held.items()}
    return {zone: (reason, open_after(held[zone])) for zone, reason in reasons.items()}
