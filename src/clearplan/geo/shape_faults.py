"""What can be wrong with entered shapes: every fault at once, with rule and remedy.

A fault's level says what becomes of the row: ``error`` refuses it (lenient reading defers it), ``repairable``
refuses it too, but lenient reading applies the stated repair and the level turns to ``repaired``; ``warning``
is listed only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from clearplan.core.crs import operation
from clearplan.core.errors import CrsError
from clearplan.geo.shapes import Geometries

#: Longest distance between neighbouring vertices of a hazard polygon [m]; GICHD's geocheck uses the same.
MAX_GAP_M = 5000.0
TWICE = "polygon is entered twice"
CROSSING = "polygon crosses itself"
MIXED = "file mixes geometry types"
#: A repair that loses more of a polygon's border than this is none [1].
MOST_LOST = 0.01
#: A smaller loss is rounding of coordinates [1].
_LEAST_SHOWN = 0.00005

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class ShapeFault:
    """A fault of one row, before file and row number are known; ``lost``: what a repair loses of the shape [1]."""

    row: int
    column: str
    value: object
    rule: str
    level: str
    remedy: str
    lost: float = 0.0


#: No place on Earth has a coordinate above it, in degrees or in metres of any CRS; lengths of larger ones overflow.
_FARTHEST = 1e9


def check_shapes(geometry: Geometries, allowed: tuple[str, ...]) -> list[ShapeFault]:
    """Faults that need no CRS: missing, empty, too few vertices, self-crossing, types, Z and M, duplicates."""
    faults: list[ShapeFault] = []

    def add(mask: Any, rule: str, level: str, remedy: str, value: Callable[[Any], object] = lambda g: "") -> None:
        for k in np.flatnonzero(mask):
            faults.append(ShapeFault(int(k), "geometry", value(geometry[k]), rule, level, remedy))

    missing = shapely.is_missing(geometry)
    empty = shapely.is_empty(geometry) & ~missing
    collection = shapely.get_type_id(geometry) == 7
    polygon = np.isin(shapely.get_type_id(geometry), (3, 6)) & ~empty
    thin = np.array([_distinct_vertices(g) < 3 for g in geometry]) & polygon
    valid = shapely.is_valid(geometry)
    wrong = ~missing & ~empty & ~collection & ~np.array([_kind(g) in allowed for g in geometry])
    finite = are_finite(geometry)
    placed = ~(np.abs(shapely.bounds(geometry)) > _FARTHEST).any(axis=1)

    add(missing, "shape is missing", "error", "give the row a shape or coordinates")
    add(empty, "shape is empty", "error", "draw the shape again")
    add(~finite, "a coordinate is not a number", "error", "correct the coordinate")
    add(finite & ~placed, "a coordinate is too large for any place", "error", "correct the coordinate")
    add(
        thin,
        "polygon has fewer than 3 distinct vertices",
        "error",
        "add the missing vertices, or enter a point",
    )
    line = np.isin(shapely.get_type_id(geometry), (1, 5)) & ~empty
    with np.errstate(over="ignore"):  # of a line with a coordinate that is too large
        short = line & (shapely.length(geometry) == 0)
    add(short, "line has fewer than 2 distinct vertices", "error", "draw the line again")
    crossing = polygon & ~thin & ~valid & finite & placed
    faults += _crossings(geometry, np.flatnonzero(crossing).tolist())
    add(
        collection,
        "shape mixes geometry types",
        "error",
        "split it into rows of one type",
        lambda g: g.geom_type,
    )
    add(
        wrong,
        f"shape must be {' or '.join(allowed)}",
        "error",
        "draw it as one of these",
        lambda g: g.geom_type,
    )
    point = np.isin(shapely.get_type_id(geometry), (0, 4)) & ~empty
    island = point & (np.abs(shapely.bounds(geometry)) == 0).all(axis=1)
    add(island, "point lies at 0, 0", "warning", "leave the coordinates blank where nobody knows them")
    add(shapely.has_z(geometry), "Z values", "warning", "none needed: heights are not used")
    add(shapely.has_m(geometry), "M values", "warning", "none needed: measures are not used")
    return faults + _duplicates(geometry, polygon) + _mixed(geometry)


def _crossings(geometry: Geometries, rows: list[int]) -> list[ShapeFault]:
    """Polygons that cross themselves: those whose repair would lose too much, and repairs with what they lose."""
    faults = []
    for k in rows:
        value, lost = shapely.is_valid_reason(geometry[k]), repair_loss(geometry[k])
        if lost > MOST_LOST:
            value += f"; {min(lost, 1):.0%} of its border or area would be lost"
            rule, level = f"{CROSSING}, and a repair would lose part of it", "error"
            remedy = "redraw its border in order, from its source"
        else:
            value = f"{lost:.2%} of its border is lost; {value}" if lost >= _LEAST_SHOWN else value
            rule, level = CROSSING, "repairable"
            remedy = "redraw its border in order, or read with lenient = true (the repair is listed with both areas)"
        faults.append(ShapeFault(k, "geometry", value, rule, level, remedy, lost))
    return faults


def are_finite(shapes: Geometries) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether all coordinates of each shape are finite; a missing shape has none that is not.

    >>> are_finite(np.array([shapely.Point(0, 1), shapely.Point(0, np.inf), None])).tolist()
    [True, False, True]
    """
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    finite = np.ones(len(shapes), dtype=bool)
    finite[row[~np.isfinite(xy).all(axis=1)]] = False
    return finite


def repaired(shapes: Any) -> Any:
    """Valid shapes for the same ground: 'structure' keeps both lobes of a crossing and every overlap."""
    return shapely.make_valid(shapely.force_2d(shapes), method="structure", keep_collapsed=False)


def repair_loss(shape: shapely.Geometry) -> float:
    """Part of a polygon that its repair would lose, of its border's length or of its area [1].

    The border of the repaired shape may be shorter where parts overlap; what is lost is border that lies outside of it.

    >>> repair_loss(shapely.Polygon([(0, 0), (1, 1), (2, 2), (0, 0)]))
    1.0
    """
    after = repaired(shape)
    if after.is_empty:
        return 1.0
    border = shapely.force_2d(shape).boundary
    beyond = shapely.difference(shapely.node(border), after.buffer(1e-9 * max(border.length, 1e-9)))
    return float(beyond.length / border.length) if border.length else 1.0


def _kind(geometry: Any) -> str:
    return "" if geometry is None else str(geometry.geom_type).removeprefix("Multi").removesuffix("String").lower()


def _distinct_vertices(geometry: Any) -> int:
    """Distinct vertices of the thinnest part."""
    if geometry is None or geometry.is_empty:
        return 0
    rings = shapely.get_exterior_ring(shapely.get_parts(geometry))
    counts = [len(np.unique(shapely.get_coordinates(r), axis=0)) for r in rings if r is not None]
    return min(counts, default=0)


def _duplicates(geometry: Geometries, polygon: Any) -> list[ShapeFault]:
    """Polygons entered twice, from whichever vertex and in whichever direction."""
    seen: dict[bytes, int] = {}
    faults = []
    for k in np.flatnonzero(polygon):
        key = shapely.to_wkb(shapely.normalize(shapely.force_2d(geometry[k])))
        if key in seen:
            faults.append(
                ShapeFault(
                    int(k),
                    "geometry",
                    "",
                    TWICE,
                    "repairable",
                    "remove one row, or read with lenient = true (both rows stay; area counts once)",
                )
            )
        seen.setdefault(key, int(k))
    return faults


def _mixed(geometry: Geometries) -> list[ShapeFault]:
    kinds = {_kind(g): k for k, g in reversed(list(enumerate(geometry))) if g is not None and not g.is_empty}
    if len(kinds) < 2:
        return []
    row = sorted(kinds.values())[1]
    names = ", ".join(sorted(kinds))
    return [ShapeFault(row, "geometry", names, MIXED, "warning", "none needed if that is meant")]


def check_gaps(metric: Geometries) -> list[ShapeFault]:
    """Neighbouring vertices of a polygon further apart than 5,000 m, which is how a lost digit looks."""
    faults = []
    for k, shape in enumerate(metric):
        if _kind(shape) != "polygon" or shape.is_empty:
            continue
        xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shape)), return_index=True)
        steps = np.hypot(*np.diff(xy, axis=0).T)
        steps[np.diff(ring) != 0] = 0
        if len(steps) and steps.max() > MAX_GAP_M:
            faults.append(
                ShapeFault(
                    k,
                    "geometry",
                    f"{steps.max():.0f} m",
                    f"vertices are more than {MAX_GAP_M:,.0f} m apart",
                    "repairable",
                    "correct the vertex, or read with lenient = true to keep it as it is",
                )
            )
    return faults


def check_crs(geometry: Geometries, crs: CRS) -> list[ShapeFault]:
    """Coordinates that can't be what their CRS says."""
    box = shapely.bounds(geometry)
    known = np.isfinite(box).all(axis=1)
    extreme = np.abs(box).max(axis=1, initial=0, where=known[:, None])
    if crs.is_geographic:
        wrong = known & ((np.abs(box[:, [0, 2]]).max(axis=1) > 180) | (np.abs(box[:, [1, 3]]).max(axis=1) > 90))
        rule = f"coordinates are not degrees, but the CRS is {crs.name}"
    else:
        wrong = known & (extreme <= 180)
        rule = f"coordinates look like degrees, but the CRS is {crs.name}"
    return [
        ShapeFault(int(k), "geometry", _corner(geometry[k]), rule, "error", "declare the CRS that was used")
        for k in np.flatnonzero(wrong)
    ]


def check_region(geometry: Geometries, crs: CRS, region: Region) -> list[ShapeFault]:
    """Coordinates outside the declared region, by kind: swapped, one sign flipped, or elsewhere."""
    first, second = ("longitude", "latitude") if crs.is_geographic else ("easting", "northing")
    slips: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        (f"{first} and {second} are swapped", lambda xy: xy[:, ::-1]),
        (f"sign of {first} is flipped", lambda xy: xy * [-1, 1]),
        (f"sign of {second} is flipped", lambda xy: xy * [1, -1]),
    )
    faults = []
    for k in np.flatnonzero(~_inside(geometry, crs, region)):
        shape = geometry[k]
        if shape is None or shape.is_empty:
            continue
        xy = shapely.get_coordinates(shape)
        rule, remedy = (
            "coordinates are outside the declared region",
            "correct them, or widen region in plan.toml",
        )
        for words, slip in slips:
            if _inside(np.array([shapely.MultiPoint(slip(xy))]), crs, region)[0]:
                rule, remedy = words, "correct the row; it is not turned round without you"
                break
        faults.append(ShapeFault(int(k), "geometry", _corner(shape), rule, "error", remedy))
    return faults


def _inside(geometry: Geometries, crs: CRS, region: Region) -> Any:
    west, south, east, north = region
    box = shapely.bounds(geometry)
    corners = np.vstack([box[:, [0, 1]], box[:, [0, 3]], box[:, [2, 1]], box[:, [2, 3]]])
    if crs.is_geographic:
        lon, lat = corners.T
    else:
        try:
            lon, lat = operation(crs, CRS.from_epsg(4326))[0].transform(*corners.T)
        except CrsError:
            return np.ones(len(geometry), dtype=bool)
    ok = (np.asarray(lon) >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return np.asarray(ok).reshape(4, -1).all(axis=0)


def _corner(shape: Any) -> str:
    x, y = shapely.get_coordinates(shape)[0]
    return f"{x:.10g} {y:.10g}"
