"""Areas and zones to tasks: workable pieces that tile the remaining ground, each with one class and queue."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.crs import operation, parse_crs, require_metres
from clearplan.geo import shapes
from clearplan.geo.blocking import blocking_ground, reaching, sets_of
from clearplan.geo.coordinates import mgrs_square
from clearplan.priority.slivers import join_slivers
from clearplan.settings.base import Queue
from clearplan.settings.tasks import TaskSettings
from clearplan.tables.check import placed, remaining
from clearplan.tables.codes import CLASSES

QUEUE: dict[str, Queue] = {"indication": "survey", "SHA": "survey", "CHA": "clearance"}

_NOTHING = np.array([], dtype=object)


def make_tasks(
    areas: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    settings: TaskSettings,
    *,
    home_m: float | None = None,
    lifelines: gpd.GeoDataFrame | None = None,
    lifelines_within_m: float | None = None,
    districts: gpd.GeoDataFrame | None = None,
    district_name: str = "district",
) -> gpd.GeoDataFrame:
    """TASKS: pieces that tile the net area of every land class.

    Each task has one class and one queue, lies in one district, and is at most ``max_task_ha`` of its queue. Borders
    follow the home ground of each place, the corridors of lifelines, and the influence of zones: a task lies wholly
    inside or outside each of them, so it blocks a place wholly or not at all. A piece below ``min_task_m2`` joins
    another of its class and district within ``join_within_m`` (:func:`clearplan.priority.slivers.join_slivers`), and
    what such a piece blocks, the whole task blocks. A piece without such a neighbour is a task of its own, ``small``.
    Ids name the MGRS 1-km square, the class and a number, and depend on what lies in that square alone.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS in a metric CRS; closed and deferred rows make no task.
    zones : GeoDataFrame
        ZONES in the same CRS.
    settings : TaskSettings
        Influence [m], largest task [ha], smallest task [m2], reach within which small pieces join [m].
    home_m : float, optional
        Ground within this distance of a zone, and its position error, is the place itself [m], as in ``[planning]``.
    lifelines : GeoDataFrame, optional
        LIFELINES in the same CRS.
    lifelines_within_m : float, optional
        Ground within this distance of a lifeline, and its position error, blocks it [m], as in ``[priority]``.
    districts : GeoDataFrame, optional
        Districts in the same CRS, names in ``district_name``; where two overlap the first counts.

    Returns
    -------
    GeoDataFrame
        TASKS, in the order of their ids.

    Raises
    ------
    CrsError
        Tables are not in metres, or not in the same CRS.
    """
    crs = require_metres(areas, zones, *(table for table in (lifelines, districts) if table is not None))
    left = remaining(areas)
    groups = [left.loc[left["land_class"] == name].geometry.to_numpy() for name in CLASSES]
    net = dict(zip(CLASSES, shapes.net_by_rank(groups), strict=True))

    settled = placed(zones)
    influence = shapes.conservative_buffer(settled.geometry.to_numpy(), settings.influence_m)
    levels = [_grown(settled, home_m), _grown(lifelines, lifelines_within_m), influence]
    ground = shapes.disjoint(districts.geometry.to_numpy()) if districts is not None else _NOTHING
    names = districts[district_name].to_numpy(object) if districts is not None else _NOTHING

    pieces = [
        _pieces(net[name], name, hazards, levels, ground, settings)
        for name, hazards in zip(CLASSES, groups, strict=True)
        if not net[name].is_empty
    ]
    empty: dict[str, list[Any]] = {"geometry": [], "land_class": [], "district_no": [], "small": []}
    tasks = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(empty, dtype=object)
    tasks = gpd.GeoDataFrame(tasks, geometry="geometry", crs=crs)
    tasks["queue"] = tasks["land_class"].map(QUEUE).astype(object)
    tasks["district"] = [names[no] if no >= 0 else None for no in tasks["district_no"]]
    tasks["area_m2"] = shapely.area(tasks.geometry.to_numpy())
    tasks["zone_ids"] = _zone_ids(tasks, settled, influence)
    tasks = _with_ids(tasks)
    tasks = _with_hazards(tasks, left)
    tasks["deferred"] = None
    columns = [
        "task_id",
        "queue",
        "land_class",
        "district",
        "area_m2",
        "small",
        "zone_ids",
        "hazard_ids",
        "ordnance",
        "mgrs_km",
        "position_error_m",
        "position_from",
        "source",
        "recorded_on",
        "deferred",
        "geometry",
    ]
    return gpd.GeoDataFrame(tasks[columns], geometry="geometry", crs=crs)


def _grown(table: gpd.GeoDataFrame | None, within_m: float | None) -> shapes.Geometries:
    """Ground that blocks each row that has a place; none where nobody states how far."""
    if table is None or within_m is None:
        return _NOTHING
    there = placed(table)
    error = pd.to_numeric(there["position_error_m"]).to_numpy(float)
    return blocking_ground(there.geometry.to_numpy(), within_m, error)


def _zone_ids(tasks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, influence: shapes.Geometries) -> list[str]:
    """Zones within whose influence each task lies, '; ' between, in the order of ZONES."""
    task, zone = reaching(tasks.geometry.to_numpy(), influence)
    ids = zones["zone_id"].to_numpy(object)
    return ["; ".join(ids[sorted(own)]) for own in sets_of(task, zone, len(tasks))]


def _pieces(
    net: Any,
    land_class: str,
    hazards: shapes.Geometries,
    levels: list[shapes.Geometries],
    ground: shapes.Geometries,
    settings: TaskSettings,
) -> pd.DataFrame:
    """Tasks of one class: cut by districts and by the grounds of all levels, large ones by the grid, slivers joined."""
    parts = shapes.parts_of(net)
    edges = [shapely.boundary(parts), *(_borders_near(one, net) for one in (*levels, ground))]
    cut = shapes.faces(np.concatenate(edges))
    cut = cut[np.unique(shapely.STRtree(parts).query(shapely.point_on_surface(cut), predicate="intersects")[0])]

    inner = shapely.point_on_surface(cut)
    district_no = np.full(len(cut), -1)
    i, j = shapely.STRtree(ground).query(inner, predicate="intersects")
    district_no[i] = j
    inside = [shapely.STRtree(one).query(inner, predicate="intersects") for one in levels]
    sets = [sets_of(face, number, len(cut)) for face, number in inside]

    largest_m2 = settings.max_task_ha[QUEUE[land_class]] * 1e4
    room_m2 = largest_m2 - 4 * settings.min_task_m2  # so that slivers find room in the pieces beside them
    side_m = _cell_side(room_m2)
    rows = []
    for face, no, grounds in zip(cut, district_no, zip(*sets, strict=True), strict=True):
        small = [face] if face.area <= room_m2 else shapes.cut_to_cells(face, side_m)
        rows += [(piece, land_class, no, grounds) for piece in small]
    pieces = pd.DataFrame(rows, columns=["geometry", "land_class", "district_no", "grounds"])
    return _united(pieces, *join_slivers(pieces, hazards, settings, largest_m2))


def _united(pieces: pd.DataFrame, group: NDArray[np.int_], small: NDArray[np.bool_]) -> pd.DataFrame:
    """One row for each group of pieces, its shape the union of theirs."""
    shape = pieces["geometry"].to_numpy(object).copy()
    order = np.argsort(group, kind="stable")
    heads, first, count = np.unique(group[order], return_index=True, return_counts=True)
    for head, start, number in zip(heads[count > 1], first[count > 1], count[count > 1], strict=True):
        shape[head] = shapely.union_all(shape[order[start : start + number]])
    rows = pieces.assign(geometry=shape, small=np.where(small, "yes", "no")).iloc[heads]
    return rows.drop(columns="grounds").reset_index(drop=True)


def _borders_near(polygons: Any, net: Any) -> Any:
    """Borders of the polygons, as far as they run near the net area."""
    if not len(polygons):
        return polygons
    lines = shapely.boundary(polygons)
    lines = shapely.clip_by_rect(lines, *(np.array(net.bounds) + np.array([-10, -10, 10, 10])))
    return lines[~shapely.is_empty(lines)]


def _cell_side(largest_m2: float) -> float:
    """Side of the cutting grid [m]: the largest that divides, or is a multiple of, the 1-km squares of MGRS.

    >>> _cell_side(4_100_000.0), _cell_side(250_000.0)
    (2000.0, 500.0)
    """
    side = math.sqrt(largest_m2)
    return math.floor(side / 1000) * 1000.0 if side >= 1000 else 1000.0 / math.ceil(1000 / side)


def _with_ids(tasks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Ids of MGRS square, class and a number that counts from the north-west within square and class."""
    inner = shapely.point_on_surface(tasks.geometry.to_numpy())
    x, y = shapely.get_x(inner), shapely.get_y(inner)
    transformer, _ = operation(tasks.crs, parse_crs("EPSG:4326"))
    lon, lat = transformer.transform(x, y)
    tasks["mgrs_km"] = [mgrs_square(*point) for point in zip(lon, lat, strict=True)]
    tasks["_x"], tasks["_y"] = np.round(x, 3), np.round(-y, 3)
    tasks = tasks.sort_values(["mgrs_km", "land_class", "_y", "_x"], kind="stable").reset_index(drop=True)
    number = tasks.groupby(["mgrs_km", "land_class"]).cumcount() + 1
    short = tasks["land_class"].map({"indication": "IND"}).fillna(tasks["land_class"])
    tasks["task_id"] = [
        f"{square}-{name}-{no}" for square, name, no in zip(tasks["mgrs_km"], short, number, strict=True)
    ]
    return tasks


def _with_hazards(tasks: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What each task comes from: ids, sources, largest position error (and whose), latest date of its hazards."""
    shape = tasks.geometry.to_numpy()
    i, j = shapely.STRtree(areas.geometry.to_numpy()).query(shape, predicate="intersects")
    same = tasks["land_class"].to_numpy(object)[i] == areas["land_class"].to_numpy(object)[j]
    i, j = i[same], j[same]
    real = ~shapely.touches(shape[i], areas.geometry.to_numpy()[j])
    pairs = areas.iloc[j[real]][["hazard_id", "ordnance", "source", "position_error_m", "recorded_on"]].assign(
        task=i[real],
        position_from=areas.get("position_from", areas["hazard_id"]).to_numpy(object)[j[real]],
    )
    grouped = pairs.groupby("task")
    every = pd.RangeIndex(len(tasks))
    for ours, theirs in (("hazard_ids", "hazard_id"), ("source", "source")):
        tasks[ours] = grouped[theirs].agg(lambda texts: "; ".join(sorted(set(texts)))).reindex(every)
    tasks["ordnance"] = grouped["ordnance"].agg(lambda texts: "; ".join(sorted(set(texts)))).reindex(every)
    tasks["position_error_m"] = grouped["position_error_m"].max().reindex(every).astype(float)
    largest = pairs.sort_values(["position_error_m", "position_from"], ascending=[False, True]).drop_duplicates("task")
    tasks["position_from"] = largest.set_index("task")["position_from"].reindex(every)
    dated = pairs.assign(recorded_on=pd.to_datetime(pairs["recorded_on"]))
    tasks["recorded_on"] = dated.groupby("task")["recorded_on"].max().reindex(every)
    return tasks
