"""Borders of tasks for the field: few turning points that never cut ground off, grid references, the ways in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from clearplan.core.crs import operation, parse_crs, plane_factors
from clearplan.core.errors import TableError
from clearplan.geo.coordinates import mgrs_square
from clearplan.tables.texts import ids_in

#: A border is drawn so far outside of the task at least [m]: seven decimals of a degree move a corner by up to 8 mm,
#: and a line that is straight on the grid leaves one that is straight in degrees by 7 cm over 2 km at 40 degrees north.
OUTSIDE_M = 0.1
#: A reference of ten digits names a square metre; it is written where the position is known to so much [m].
TEN_DIGITS_M = 10.0
#: A border of more corners than this may lead outside by twice the tolerance [m] to be rid of some: corners that lie
#: nearer together than a handheld can tell (about 2 m with no correction, 5 m where it has no open sky) are of no use.
#: Where the position is known to so much only, a tenth of its error serves, up to the largest tolerance.
_EXACT, _TOLERANCE_M, _LARGEST_M, _PART_OF_ERROR = 8, 2.5, 10.0, 0.1
#: An outline is held against the task in steps of [m].
_STEP_M, _STEPS = (0.2, 5.0), 2_000


@dataclass(frozen=True)
class Border:
    """A task's border in few turning points.

    ``rings``: a ring (corners, 2) [m] a part, clockwise from its most northern corner and not closed, larger parts
    first; ``outline``: the ground within them, which holds all of the task; ``error_m``: how far it leads outside the
    task at most [m]; ``holes``: enclaves in the task that have no corners here.
    """

    rings: tuple[NDArray[np.float64], ...]
    outline: Any
    error_m: float
    holes: int

    @property
    def corners(self) -> NDArray[np.float64]:
        """All turning points in their order (n, 2) [m]."""
        return np.concatenate(self.rings)


def border_of(
    shape: shapely.Polygon | shapely.MultiPolygon, most: int, position_error_m: float | None = None
) -> Border:
    """The border of a task in at most so many turning points, outside of it everywhere.

    Parameters
    ----------
    shape : Polygon or MultiPolygon
        In metres.
    most : int
        Turning points of all parts together, 8 at least; few parts may grow into one, and where even that is not enough
        the border is a rectangle round the task.
    position_error_m : float, optional
        Of the task [m]; where it is large, fewer corners are enough.

    Raises
    ------
    TableError
        The shape is no polygon, or ``most`` is less than 8.

    Notes
    -----
    Grown with mitred corners, then simplified by Douglas and Peucker with less than that growth; the smallest growth
    that gives few enough corners is sought by halving. Enclaves are filled: who keeps outside the border needs none.

    >>> border = border_of(shapely.box(0, 0, 100, 50), 8)
    >>> border.rings[0].round().tolist(), round(border.error_m, 2)
    ([[-0.0, 50.0], [100.0, 50.0], [100.0, -0.0], [-0.0, -0.0]], 0.24)
    """
    if most < 8:
        raise TableError(f"a border of {most} turning points can't be drawn; allow 8 or more")
    if shape is None or shape.is_empty or shapely.get_dimensions(shape) != 2:
        raise TableError("a border needs a polygon; give tasks that have a shape")
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in parts])
    outline = _few_corners(filled, most, _spare_m(position_error_m))
    kept = sorted(shapely.get_parts(outline), key=lambda part: (-part.area, part.bounds))
    return Border(
        tuple(_ring(part) for part in kept),
        outline,
        _outside_m(outline, filled),
        sum(len(part.interiors) for part in parts),
    )


def _spare_m(position_error_m: Any) -> float:
    """Tolerance that costs nothing beside a position error; the least one where it is unknown [m]."""
    if position_error_m is None or pd.isna(position_error_m):
        return _TOLERANCE_M
    return min(max(_TOLERANCE_M, _PART_OF_ERROR * float(position_error_m)), _LARGEST_M)


def _few_corners(filled: Any, most: int, least_m: float) -> Any:
    """The least grown outline with few enough corners."""
    first = _outline(filled, 0.0)
    if _count(first) <= min(most, _EXACT):
        return first
    west, south, east, north = filled.bounds
    low, high, found = least_m, least_m, None
    while high < 4 * max(math.hypot(east - west, north - south), least_m):
        found = _outline(filled, high)
        if _count(found) <= most:
            break
        low, high, found = high, 2 * high, None
    if found is None:
        return shapely.buffer(shapely.oriented_envelope(filled), OUTSIDE_M, join_style="mitre")
    for _ in range(6 if high > low else 0):
        middle = (low + high) / 2
        tried = _outline(filled, middle)
        low, high, found = (low, middle, tried) if _count(tried) <= most else (middle, high, found)
    return found


def _outline(filled: Any, tolerance_m: float) -> Any:
    """Ground that holds all of a shape without holes, simplified by so much; never less than OUTSIDE_M around it."""
    inner = shapely.buffer(filled, OUTSIDE_M, join_style="mitre", mitre_limit=3.0)
    if not tolerance_m:
        return _without_holes(inner)
    grown = shapely.buffer(filled, OUTSIDE_M + 1.01 * tolerance_m, join_style="mitre", mitre_limit=3.0)
    simple = _without_holes(shapely.simplify(_without_holes(grown), tolerance_m))
    return simple if simple.covers(filled) and simple.is_valid else _without_holes(grown)


def _without_holes(shape: Any) -> Any:
    return shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(shape)])


def _count(outline: Any) -> int:
    return int(shapely.get_num_coordinates(outline)) - int(shapely.get_num_geometries(outline))


def _ring(part: Any) -> NDArray[np.float64]:
    """Corners clockwise from the most northern one, the western of two; the last is not the first again."""
    xy = shapely.get_coordinates(shapely.orient_polygons(part, exterior_cw=True).exterior)[:-1]
    start = int(np.lexsort((xy[:, 0].round(3), -xy[:, 1].round(3)))[0])
    return np.roll(xy, -start, axis=0)


def _outside_m(outline: Any, filled: Any) -> float:
    """How far an outline leads outside a shape at most [m]: the largest distance of its points, and half their gap."""
    step = min(max(outline.length / _STEPS, _STEP_M[0]), max(_STEP_M[1], outline.length / 20_000))
    xy = shapely.get_coordinates(shapely.segmentize(outline.boundary, step))
    shapely.prepare(filled)
    # No point is farther than half a step from one of these, and a distance changes no faster than the point moves.
    return float(shapely.distance(shapely.points(xy), filled).max() + step / 2)


# --- names and references ------------------------------------------------------------------------------------------


def lonlat_of(xy: NDArray[np.float64], crs: CRS) -> NDArray[np.float64]:
    """WGS 84 longitude and latitude of points of the working CRS (n, 2) [degrees]."""
    lon, lat = operation(crs, parse_crs("EPSG:4326"))[0].transform(xy[:, 0], xy[:, 1])
    return np.column_stack([lon, lat])


def grid_reference(lon: float, lat: float, error_m: float | None) -> str:
    """MGRS of a WGS 84 point in ten digits where its error allows, else in eight, which name a square of 10 m.

    Parameters
    ----------
    error_m : float or None
        Radius that holds the true position with about 95 % probability [m]; None is unknown.

    >>> grid_reference(46.93, 39.99, 5.0), grid_reference(46.93, 39.99, None)
    ('38S PK 64773 28431', '38S PK 6477 2843')
    """
    digits = 5 if error_m is not None and not math.isnan(error_m) and error_m <= TEN_DIGITS_M else 4
    square = mgrs_square(lon, lat, digits)
    zone, letters, figures = square[: -2 * digits - 2], square[-2 * digits - 2 : -2 * digits], square[-2 * digits :]
    return f"{zone} {letters} {figures[:digits]} {figures[digits:]}"


def short_codes(task_ids: Sequence[str], longest: int = 10) -> dict[str, str]:
    """A short name for each task, unique among them: handhelds cut names, and a cut name can mean two places.

    Ids as ``make_tasks`` gives them keep the letters and figures of their 1-km square, the first letter of the class
    and their number; others keep their first letters and figures. Where two come out alike a number follows.

    >>> short_codes(["38SPK6428-CHA-3", "38SPK6428-indication-12", "Field no. 7 by the old mill", "Field no. 7 by the"])
    {'38SPK6428-CHA-3': 'PK6428C3', '38SPK6428-indication-12': 'PK6428I12',
     'Field no. 7 by the old mill': 'FIELDNO7BY', 'Field no. 7 by the': 'FIELDNO7B2'}
    """
    taken: set[str] = set()
    codes = {}
    for task_id in task_ids:
        square, _, rest = task_id.partition("-")
        land_class, _, number = rest.partition("-")
        own = len(square) in (8, 9) and square[-4:].isdigit() and land_class and number.isdigit()
        told = f"{square[-6:]}{land_class[0]}{number}" if own else task_id
        plain = "".join(c for c in told.upper() if c.isascii() and c.isalnum())[:longest] or "TASK"
        code, k = plain, 1
        while code in taken:
            k += 1
            code = f"{plain[: longest - len(str(k))]}{k}"
        taken.add(code)
        codes[task_id] = code
    return codes


# --- ways in -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Approach:
    """Where a way from a zone or lifeline meets a task's border.

    ``start``: the point of the zone or lifeline that is nearest to the border, its gate [m]; ``end``: the point of the
    border nearest to it [m]; ``bearing_deg``: from the start to the end, from true north [degrees], None where they
    are one; ``inside``: the zone lies in the task, so that no way leads to it from outside that is known.
    """

    kind: str
    own_id: str
    name: str
    start: tuple[float, float]
    end: tuple[float, float]
    distance_m: float
    bearing_deg: float | None
    error_m: float | None
    inside: bool
    named: bool


def approaches(
    task: Any,
    border: Border,
    crs: CRS,
    *,
    zones: gpd.GeoDataFrame | None = None,
    lifelines: gpd.GeoDataFrame | None = None,
    nearest: int = 1,
) -> list[Approach]:
    """Zones and lifelines that a task names, and so many more of each that are nearest, from the nearest on.

    Parameters
    ----------
    task : row of TASKS
        ``zone_ids`` and maybe ``lifeline_ids`` say which it concerns.
    border : Border
    crs : CRS
        Of all tables, in metres.
    zones, lifelines : GeoDataFrame, optional
        Left out, or empty, there is none to name: nobody knows then, which is not the same as none.
    nearest : int
        How many are shown though the task names none.
    """
    found: list[Approach] = []
    for table, kind, column in ((zones, "zone", "zone_ids"), (lifelines, "lifeline", "lifeline_ids")):
        if table is None or not len(table):
            continue
        own = table[~(shapely.is_missing(table.geometry.to_numpy()) | shapely.is_empty(table.geometry.to_numpy()))]
        named = own[f"{kind}_id"].astype(str).isin(ids_in(task.get(column))).to_numpy(bool)
        far = shapely.distance(own.geometry.to_numpy(), border.outline)
        close = np.zeros(len(own), dtype=bool)
        close[np.argsort(far, kind="stable")[:nearest]] = True
        chosen = named | close if not named.any() else named
        for row, is_named in zip(own[chosen].to_dict("records"), named[chosen], strict=True):
            found.append(_approach(row, kind, border, crs, bool(is_named)))
    return sorted(found, key=lambda way: (not way.named, way.distance_m, way.own_id))


def _approach(row: dict[Any, Any], kind: str, border: Border, crs: CRS, named: bool) -> Approach:
    shape = row["geometry"]
    edge = border.outline.boundary
    inside = bool(border.outline.covers(shape))
    crosses = not inside and shape.intersects(border.outline)
    line = shapely.shortest_line(shape, edge)
    (x, y), (to_x, to_y) = shapely.get_coordinates(line)
    if crosses:
        x, y = to_x, to_y = _first_crossing(shape, edge)
    distance = math.hypot(to_x - x, to_y - y)
    bearing = None
    if distance > 0.01:
        turn = math.degrees(float(plane_factors(crs, [x], [y]).convergence[0]))
        bearing = (math.degrees(math.atan2(to_x - x, to_y - y)) + turn) % 360
    what = str(row.get("kind") or "") if kind == "lifeline" else ""
    name = row.get("name")
    words = str(name) if isinstance(name, str) and name.strip() else str(row[f"{kind}_id"])
    error = row.get("position_error_m")
    return Approach(
        what or kind,
        str(row[f"{kind}_id"]),
        words,
        (float(x), float(y)),
        (float(to_x), float(to_y)),
        distance,
        bearing,
        None if error is None or pd.isna(error) else float(error),
        inside,
        named,
    )


def _first_crossing(shape: Any, edge: Any) -> tuple[float, float]:
    """The first place along a line, or the most northern of an area's, where it meets a border."""
    points = shapely.points(shapely.get_coordinates(shapely.intersection(shape, edge)))
    if not len(points):
        points = shapely.points(shapely.get_coordinates(shapely.shortest_line(shape, edge))[1:])
    xy = shapely.get_coordinates(points)
    along = shapely.line_locate_point(shape, points) if shape.geom_type == "LineString" else -xy[:, 1]
    x, y = xy[int(np.lexsort((xy[:, 0], along))[0])]
    return float(x), float(y)
