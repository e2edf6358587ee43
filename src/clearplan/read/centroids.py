"""Accidents whose coordinates were written for want of better ones: those of a village, a district, a round number.

Who enters an accident of which only the village is known writes the village's point. Such a row looks as exact as one
that was measured; its position error is raised here to that of the place, and the warning says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.tables.check import Fault, fault, fault_table

Array = np.ndarray[Any, Any]

#: Coordinates nearer than this to each other are the same [m]: five decimals of a degree, as most files keep.
SAME_M = 1.0
#: So many accidents at one place are listed: two rows may be one accident entered twice, or a rescuer hurt beside it.
SHARED_FROM = 3
#: On so many days: several are hurt in one field on one day; two satellite fixes of two days do not agree to a metre.
SHARED_DAYS = 2
#: Reach of a gazetteer's point [m]: its coordinates copied to four decimals of a degree move by at most 7.9 m.
REACH_M = 10.0
#: The largest position error that a table holds [m]: as its column is declared.
MOST_M = 100_000.0
#: Grids on which coordinates stand that were rounded, and how far off counts as on them, in parts of a step. Degrees:
#: hundredths, minutes (which four decimals of a degree miss by 2.0e-3 of a minute), tenths, whole ones.
_DEGREES = ((0.01, 1e-4), (1 / 60, 2.1e-3), (0.1, 1e-4), (1.0, 1e-4))
#: Metres: whole kilometres and tens of them.
_METRES = ((1000.0, 1e-4), (10_000.0, 1e-4))
#: Metres of a degree of latitude, at most [m]: at the pole of WGS 84, so that the error is never too small.
_DEGREE_M = 111_694.0


@dataclass(frozen=True)
class Places:
    """Points of a layer that an accident may have been written at.

    name : what the layer is, such as 'zones'
    points : array of points in the working CRS (n)
    error_m : how far from the point the accident may have been; NaN: nobody knows (n) [m]
    """

    name: str
    points: Array
    error_m: Array


def places_of(name: str, layer: gpd.GeoDataFrame, error_m: Array | None = None) -> Places:
    """Middles of a layer's shapes, with how far an accident that was written there may have been from it.

    Parameters
    ----------
    name : str
        What the layer is.
    layer : GeoDataFrame
        In the working CRS; rows without a shape are left out.
    error_m : array (n), optional
        Position error of each, where the layer states it [m]; an outline has its extent where that is larger. Without
        it an outline has its extent, the distance from its middle to its farthest corner, and a point half of the way
        to the nearest other one: what lies nearer to this place than to any other. A single point has none.

    Examples
    --------
    >>> villages = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 3000, 3000], [0, 0, 1000]), crs=32638)
    >>> places_of("settlements", villages).error_m.tolist()
    [1500.0, 500.0, 500.0]
    """
    shapes = shapely.force_2d(layer.geometry.to_numpy())
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    shapes = shapes[there]
    points = shapely.centroid(shapes)
    outlines, extents = shapely.area(shapes) > 0, _extents(shapes, points)
    if error_m is not None:
        stated = np.asarray(error_m, dtype=float)[there]
        return Places(name, points, np.where(outlines, np.fmax(stated, extents), stated))
    return Places(name, points, np.where(outlines, extents, _half_way(points)))


def _extents(shapes: Array, points: Array) -> Array:
    """From the middle of each shape to its farthest corner [m]."""
    corners, shape = shapely.get_coordinates(shapes, return_index=True)
    away = np.hypot(*(corners - shapely.get_coordinates(points)[shape]).T)
    farthest = np.zeros(len(shapes))
    np.maximum.at(farthest, shape, away)
    return farthest


def _half_way(points: Array) -> Array:
    """Half of the distance from each point to the nearest that is another place [m]; NaN without one."""
    if not len(points):
        return np.empty(0)
    # Two names at one coordinate are one place, with one nearest neighbour.
    own = np.round(shapely.get_coordinates(points) / SAME_M)
    _, first, place = np.unique(own, axis=0, return_index=True, return_inverse=True)
    different, half = points[first], np.full(len(first), np.nan)
    (k, _), away = shapely.STRtree(different).query_nearest(
        different, exclusive=True, return_distance=True, all_matches=False
    )
    half[k] = away / 2
    return half[place.ravel()]


def at_centroids(accidents: gpd.GeoDataFrame, places: Sequence[Places] = (), error_m: float | None = None) -> Any:
    """Accidents that stand where nobody measured, each with why and with the position error of the place.

    Parameters
    ----------
    accidents : GeoDataFrame
        ACCIDENTS in the working CRS.
    places : sequence of Places
        Layers that the project names.
    error_m : float, optional
        Position error of every place, where the project states one; it stands for what the layers imply [m].

    Returns
    -------
    DataFrame
        Indexed by position: why ('rounded', 'shared', or the name of the layer), error_m (NaN: nobody knows) [m].

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-01", "2024-05-02", "2024-05-03"])
    >>> table = gpd.GeoDataFrame({"occurred_on": days}, geometry=gpd.points_from_xy([1] * 3, [2] * 3), crs=32638)
    >>> at_centroids(table, error_m=2000.0)["error_m"].tolist()
    [2000.0, 2000.0, 2000.0]
    """
    shapes = accidents.geometry.to_numpy()
    rows = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    points = shapely.centroid(shapely.force_2d(shapes[rows]))
    why, error = np.full(len(rows), None, dtype=object), np.full(len(rows), np.nan)
    rounding = _rounding(accidents.iloc[rows])
    why[rounding > 0] = "rounded"
    why[_shared(points, accidents.iloc[rows])] = "shared"
    for layer in places:
        tree = shapely.STRtree(layer.points)
        k, j = tree.query(points, predicate="dwithin", distance=REACH_M)
        np.fmax.at(error, k, layer.error_m[j])
        why[k] = layer.name
    if error_m is not None:
        error = np.where((why != None) & (why != "rounded"), error_m, error)  # noqa: E711 (by element)
    error = np.fmax(error, np.where(rounding > 0, rounding, np.nan))
    found = pd.DataFrame({"why": why, "error_m": np.minimum(error, MOST_M)}, index=rows)
    return found[found["why"].notna()]


def _shared(points: Array, accidents: pd.DataFrame) -> Array:
    """Whether several accidents of several days have the coordinates of each (n); an undated one has its own day."""
    days = pd.to_datetime(accidents["occurred_on"]).to_numpy().astype("datetime64[D]").astype("int64")
    undated = pd.isna(accidents["occurred_on"]).to_numpy()
    days = np.where(undated, -(10**9) - np.arange(len(days)), days)
    # Spots first: thousands of rows at one district's centre would be millions of pairs.
    _, first, spot = np.unique(shapely.get_coordinates(points), axis=0, return_index=True, return_inverse=True)
    spots, spot = points[first], spot.ravel()
    counts = pd.DataFrame({"spot": spot, "day": days}).groupby(["spot", "day"]).size().rename("rows").reset_index()
    own, near = shapely.STRtree(spots).query(spots, predicate="dwithin", distance=SAME_M)
    pairs = pd.DataFrame({"own": own, "spot": near}).merge(counts, on="spot").groupby("own")
    found = pd.DataFrame({"rows": pairs["rows"].sum(), "days": pairs["day"].nunique()})
    found = found.reindex(range(len(spots)), fill_value=0)
    several: Array = ((found["rows"] >= SHARED_FROM) & (found["days"] >= SHARED_DAYS)).to_numpy()
    return several[spot]


def _rounding(accidents: pd.DataFrame) -> Array:
    """How far the rounding of the coordinates as entered may have moved each accident (n) [m]; 0: not rounded."""
    out = np.zeros(len(accidents))
    if "entered_geometry" not in accidents.columns:
        return out
    for name in pd.unique(accidents["entered_crs"].dropna()):
        own = np.flatnonzero((accidents["entered_crs"] == name).to_numpy())
        shapes = shapely.force_2d(shapely.from_wkt(accidents["entered_geometry"].to_numpy(object)[own]))
        crs = CRS.from_user_input(name)
        x, y = shapely.get_coordinates(shapely.centroid(shapes)).T
        wide, high = 1.0, 1.0
        if crs.is_geographic:
            wide, high = _DEGREE_M * np.cos(np.radians(y)), _DEGREE_M
        # From fine to coarse, of which the last stays: what stands at a whole tenth may have been rounded to it.
        for step, off in _DEGREES if crs.is_geographic else _METRES:
            on = _on_grid(x, step, off) & _on_grid(y, step, off)
            out[own] = np.where(on, np.hypot(wide * step, high * step) / 2, out[own])
    return out


def _on_grid(values: Array, step: float, off: float) -> Array:
    parts = values / step
    on: Array = np.abs(parts - np.round(parts)) < off
    return on


def with_place_errors(accidents: gpd.GeoDataFrame, found: pd.DataFrame) -> gpd.GeoDataFrame:
    """ACCIDENTS whose position error is that of the place where it was written as less, or is not known.

    Parameters
    ----------
    accidents : GeoDataFrame
        ACCIDENTS, untouched.
    found : DataFrame
        As :func:`at_centroids` gives it.

    Returns
    -------
    GeoDataFrame
        With ``entered_error_m`` (as it was written) and ``error_from`` where one was raised; else as it came.
    """
    raised = _raised(accidents, found)
    if not len(raised):
        return accidents
    at = accidents.columns.get_loc("position_error_m")
    entered = pd.to_numeric(accidents["position_error_m"]).to_numpy(float)
    error, kept = entered.copy(), np.full(len(accidents), np.nan)
    why = np.full(len(accidents), None, dtype=object)
    rows = raised.index.to_numpy()
    error[rows], kept[rows], why[rows] = raised["error_m"], entered[rows], raised["why"]
    wider = accidents.assign(position_error_m=error)
    for step, (name, values) in enumerate((("entered_error_m", kept), ("error_from", why))):
        wider = wider.drop(columns=name, errors="ignore")
        wider.insert(at + 1 + step, name, pd.Series(values, index=wider.index, dtype=values.dtype))
    return wider


def _raised(accidents: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Those found whose written position error is smaller than that of the place, or blank."""
    written = pd.to_numeric(accidents["position_error_m"]).to_numpy(float)[found.index]
    return found[found["error_m"].notna().to_numpy() & ~(written >= found["error_m"].to_numpy())]


def centroid_faults(accidents: gpd.GeoDataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """A warning for each file and each reason: which rows, what their position error was, and what it is now.

    Parameters
    ----------
    accidents : GeoDataFrame
        ACCIDENTS as read, labelled with file and row.
    found : DataFrame
        As :func:`at_centroids` gives it.
    """
    if not len(found):
        return fault_table([])
    table = found.assign(
        file=[accidents.index[k][0] for k in found.index],
        row=[accidents.index[k][1] for k in found.index],
        written=pd.to_numeric(accidents["position_error_m"]).to_numpy(float)[found.index],
        raised=found.index.isin(_raised(accidents, found).index),
    )
    return fault_table([_warning(str(file), str(why), own) for (file, why), own in table.groupby(["file", "why"])])


def _warning(file: str, why: str, own: pd.DataFrame) -> Fault:
    where = {
        "shared": f"coordinates that {SHARED_FROM} or more accidents of different days share",
        "rounded": "coordinates rounded to hundredths of a degree, whole minutes or kilometres, or coarser",
    }.get(why, f"a point of {why} (within {REACH_M:.0f} m)")
    raised, unknown = own[own["raised"]], int(own["error_m"].isna().sum())
    parts = [f"accidents stand at {where}: {len(own):,} ({_rows(own['row'].tolist())})"]
    if len(raised):
        parts.append(
            f"position error of {len(raised):,} of them raised from {_span(raised['written'])} to "
            f"{_span(raised['error_m'])}"
        )
    if unknown:
        parts.append(f"{unknown:,} kept as written, for nothing states how large the place is")
    remedy = "correct coordinates or position_error_m; or state accident_centroids.error_m, which counts here"
    return fault(file, None, "position_error_m", _span(own["written"]), "; ".join(parts), "warning", remedy)


def _span(values: pd.Series) -> str:
    """Least to largest [m]; what is not known is said."""
    known = values.dropna()
    blank = ["unknown"] if len(known) < len(values) else []
    least, most = (f"{known.min():,.0f}", f"{known.max():,.0f}") if len(known) else ("", "")
    told = [f"{most} m" if least == most else f"{least} to {most} m"] if len(known) else []
    return " or ".join([*told, *blank])


def _rows(rows: list[int]) -> str:
    """Numbers of rows, those that follow each other as one: 'rows 2-4, 9'."""
    numbers = sorted(rows)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(texts)}"
