"""Areas and zones to tasks: workable pieces that tile the remaining ground, each with one class and queue."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import operation, parse_crs, require_metres
from clearplan.geo import shapes
from clearplan.geo.coordinates import mgrs_square
from clearplan.settings.base import Queue
from clearplan.settings.tasks import TaskSettings
from clearplan.tables.check import placed, remaining
from clearplan.tables.codes import CLASSES

QUEUE: dict[str, Queue] = {"indication": "survey", "SHA": "survey", "CHA": "clearance"}

#: Borders closer than this belong together [m]; overlay noise is a million times smaller.
_TOUCH_M = 1e-3


def make_tasks(
    areas: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    settings: TaskSettings,
    *,
    districts: gpd.GeoDataFrame | None = None,
    district_name: str = "district",
) -> gpd.GeoDataFrame:
    """TASKS: pieces that tile the net area of every land class.

    Each task has one class and one queue, lies in one district, lies wholly inside or outside every zone's
    influence, and is at most ``max_task_ha`` of its queue. A piece below ``min_task_m2`` joins the neighbour of
    the same class, district and zones with the longest shared border, where the two stay within the largest
    size; without such a neighbour it stays as it is. Ids name the MGRS 1-km square, the class and a number, and
    depend on what lies in that square alone.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS in a metric CRS; closed and deferred rows make no task.
    zones : GeoDataFrame
        ZONES in the same CRS.
    settings : TaskSettings
        Influence [m], largest task [ha], smallest task [m2].
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
    crs = require_metres(areas, zones, *([] if districts is None else [districts]))
    left = remaining(areas)
    groups = [left.loc[left["land_class"] == name].geometry.to_numpy() for name in CLASSES]
    net = dict(zip(CLASSES, shapes.net_by_rank(groups), strict=True))

    settled = placed(zones)
    influence = shapes.conservative_buffer(settled.geometry.to_numpy(), settings.influence_m)
    ground = shapes.disjoint(districts.geometry.to_numpy()) if districts is not None else np.array([], dtype=object)
    names = districts[district_name].to_numpy(object) if districts is not None else np.array([], dtype=object)

    pieces = [
        _pieces(net[land_class], land_class, influence, ground, settings)
        for land_class in CLASSES
        if not net[land_class].is_empty
    ]
    empty: dict[str, list[Any]] = {"geometry": [], "land_class": [], "district_no": [], "zone_nos": []}
    tasks = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(empty, dtype=object)
    tasks = gpd.GeoDataFrame(tasks, geometry="geometry", crs=crs)
    tasks["queue"] = tasks["land_class"].map(QUEUE).astype(object)
    tasks["district"] = [names[no] if no >= 0 else None for no in tasks["district_no"]]
    tasks["area_m2"] = shapely.area(tasks.geometry.to_numpy())
    zone_ids = settled["zone_id"].to_numpy(object)
    tasks["zone_ids"] = ["; ".join(zone_ids[no] for no in nos) for nos in tasks["zone_nos"]]
    tasks = _with_ids(tasks)
    tasks = _with_hazards(tasks, left)
    tasks["deferred"] = None
    columns = [
        "task_id",
        "queue",
        "land_class",
        "district",
        "area_m2",
        "zone_ids",
        "hazard_ids",
        "ordnance",
        "mgrs_km",
        "position_error_m",
        "source",
        "recorded_on",
        "deferred",
        "geometry",
    ]
    return gpd.GeoDataFrame(tasks[columns], geometry="geometry", crs=crs)


def _pieces(net: Any, land_class: str, influence: Any, ground: Any, settings: TaskSettings) -> pd.DataFrame:
    """Pieces of one class: cut by districts and influences, large ones by the grid, slivers joined."""
    parts = shapes.parts_of(net)
    edges = [shapely.boundary(parts), _borders_near(influence, net), _borders_near(ground, net)]
    cut = shapes.faces(np.concatenate(edges))
    cut = cut[np.unique(shapely.STRtree(parts).query(shapely.point_on_surface(cut), predicate="intersects")[0])]

    inner = shapely.point_on_surface(cut)
    district_no = np.full(len(cut), -1)
    if len(ground):
        i, j = shapely.STRtree(ground).query(inner, predicate="intersects")
        district_no[i] = j
    zone_nos: list[tuple[int, ...]] = [()] * len(cut)
    if len(influence):
        i, j = shapely.STRtree(influence).query(inner, predicate="intersects")
        for k in np.unique(i):
            zone_nos[k] = tuple(sorted(j[i == k].tolist()))

    largest_m2 = settings.max_task_ha[QUEUE[land_class]] * 1e4
    side_m = _cell_side(largest_m2 - 4 * settings.min_task_m2)
    rows = []
    for face, no, nos in zip(cut, district_no, zone_nos, strict=True):
        small = [face] if face.area <= largest_m2 else shapes.cut_to_cells(face, side_m)
        rows += [(piece, land_class, no, nos) for piece in small]
    pieces = pd.DataFrame(rows, columns=["geometry", "land_class", "district_no", "zone_nos"])
    joined = [
        _join_slivers(group, settings.min_task_m2, largest_m2)
        for _, group in pieces.groupby(["district_no", "zone_nos"], sort=True)
    ]
    return pd.concat(joined, ignore_index=True)


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


def _join_slivers(pieces: pd.DataFrame, min_m2: float, largest_m2: float) -> pd.DataFrame:
    """Small pieces joined to the neighbour with the longest shared border; pieces are of one kind."""
    shape = pieces["geometry"].to_numpy(object).copy()
    area = shapely.area(shape)
    slivers = np.flatnonzero(area < min_m2)
    if not len(slivers) or len(shape) == 1:
        return pieces
    tree = shapely.STRtree(shape)
    home = np.arange(len(shape))  # piece -> the piece that it has become part of

    def root(k: int) -> int:
        while home[k] != k:
            k = int(home[k])
        return k

    for k in slivers[np.argsort(area[slivers], kind="stable")]:
        own = root(int(k))
        if area[own] >= min_m2:
            continue
        near = sorted({root(int(j)) for j in tree.query(shape[own], predicate="dwithin", distance=_TOUCH_M)} - {own})
        near = [j for j in near if area[j] + area[own] <= largest_m2]
        if not near:
            continue
        halo = shapely.buffer(shape[own], _TOUCH_M)
        border = shapely.length(shapely.intersection(shapely.boundary(shape[near]), halo))
        # Pieces that meet in a point share no border; their halos still overlap by a few widths.
        if border.max() <= 10 * _TOUCH_M:
            continue
        best = near[int(np.argmax(border))]
        shape[best] = shapely.union(shape[best], shape[own])
        area[best] = shape[best].area
        home[own] = best
    kept = home == np.arange(len(shape))
    joined: pd.DataFrame = pieces.assign(geometry=shape).loc[kept]
    return joined


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
    """What each task comes from: ids, sources, largest position error and latest date of its hazards."""
    shape = tasks.geometry.to_numpy()
    i, j = shapely.STRtree(areas.geometry.to_numpy()).query(shape, predicate="intersects")
    same = tasks["land_class"].to_numpy(object)[i] == areas["land_class"].to_numpy(object)[j]
    i, j = i[same], j[same]
    real = ~shapely.touches(shape[i], areas.geometry.to_numpy()[j])
    pairs = areas.iloc[j[real]][["hazard_id", "ordnance", "source", "position_error_m", "recorded_on"]].assign(
        task=i[real]
    )
    grouped = pairs.groupby("task")
    every = pd.RangeIndex(len(tasks))
    for ours, theirs in (("hazard_ids", "hazard_id"), ("source", "source")):
        tasks[ours] = grouped[theirs].agg(lambda texts: "; ".join(dict.fromkeys(texts))).reindex(every)
    tasks["ordnance"] = grouped["ordnance"].agg(lambda texts: "; ".join(sorted(set(texts)))).reindex(every)
    tasks["position_error_m"] = grouped["position_error_m"].max().reindex(every).astype(float)
    dated = pairs.assign(recorded_on=pd.to_datetime(pairs["recorded_on"]))
    tasks["recorded_on"] = dated.groupby("task")["recorded_on"].max().reindex(every)
    return tasks
