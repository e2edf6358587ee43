"""Squares of a grid, or districts, that stand for shapes where these may not be shown: they always contain them."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import operation, parse_crs, require_metres
from clearplan.geo import shapes
from clearplan.geo.coordinates import mgrs_square

Array = np.ndarray[Any, Any]


def squares_under(geometries: Array, cell_m: float) -> Array:
    """Squares of a grid through the CRS's origin in which the shapes have ground, from the north-west (n).

    A point or a line has no ground: every square that it touches counts.

    >>> found = squares_under(np.array([shapely.box(10, 10, 1500, 90)]), 1000)
    >>> [square.bounds for square in found]
    [(0.0, 0.0, 1000.0, 1000.0), (1000.0, 0.0, 2000.0, 1000.0)]
    """
    found: set[tuple[int, int]] = set()
    for shape in geometries:
        if shape is None or shape.is_empty:
            continue
        west, south, east, north = np.floor(np.array(shape.bounds) / cell_m).astype(int)
        # A bound on a line of the grid belongs to the squares on both of its sides; what only touches goes below.
        column, row = (own.ravel() for own in np.meshgrid(range(west - 1, east + 1), range(south - 1, north + 1)))
        boxes = _boxes(column, row, cell_m)
        shapely.prepare(shape)
        held = shapely.intersects(shape, boxes)
        if shape.area > 0:
            held[held] = ~shapely.touches(shape, boxes[held])
        found |= set(zip(column[held].tolist(), row[held].tolist(), strict=True))
    order = sorted(found, key=lambda cell: (-cell[1], cell[0]))
    column, row = np.array(order, dtype=int).reshape(-1, 2).T
    return _boxes(column, row, cell_m)


def _boxes(column: Array, row: Array, cell_m: float) -> Array:
    return np.asarray(
        shapely.box(column * cell_m, row * cell_m, (column + 1) * cell_m, (row + 1) * cell_m), dtype=object
    )


def cells_for(
    geometries: Array,
    crs: CRS,
    cell_m: float,
    *,
    districts: gpd.GeoDataFrame | None = None,
    district_name: str = "district",
    whole_districts: bool = False,
) -> gpd.GeoDataFrame:
    """Cells that contain all shapes: cell_id, district, geometry, and ``ground``, the part that no other cell holds.

    Squares are named by the MGRS square of 10 km that holds their middle and a number that counts from the north-west
    in it; districts by their names. A square belongs to the district that holds most of the square, wherever in it the
    shapes lie: all of it is shown by the cell alone.

    Parameters
    ----------
    geometries : (n) shapes in ``crs``
    crs : CRS
        Metric.
    cell_m : float
        Side of a square [m].
    districts : GeoDataFrame, optional
        In the same CRS, names in ``district_name``; where two overlap the first counts.
    whole_districts : bool
        Whether districts stand for the shapes; squares then only for what lies outside of all.
    """
    ground = np.array([], dtype=object)
    names = np.array([], dtype=object)
    if districts is not None:
        require_metres(districts)
        ground, names = shapes.disjoint(districts.geometry.to_numpy()), districts[district_name].to_numpy(object)
    placed = np.asarray([own for own in geometries if own is not None and not own.is_empty], dtype=object)
    if not whole_districts or not len(ground):
        squares = squares_under(placed, cell_m)
        return _table(_named(squares, crs), _district_of(squares, ground, names), squares, squares, crs)
    held = np.unique(shapes.overlaps(placed, ground)[1]) if len(placed) else np.array([], dtype=int)
    every = shapely.union_all(ground)
    beyond = shapely.difference(placed, every)
    squares = squares_under(beyond, cell_m)
    rest = shapely.difference(squares, every)
    return _table(
        [*(str(name) for name in names[held]), *_named(squares, crs)],
        [*names[held], *_district_of(squares, ground, names)],
        np.concatenate([ground[held], squares]),
        np.concatenate([ground[held], rest]),
        crs,
    )


def _table(ids: list[str], district: list[Any], geometry: Array, ground: Array, crs: CRS) -> gpd.GeoDataFrame:
    ids = [text.replace(";", ",") for text in ids]
    return gpd.GeoDataFrame({"cell_id": ids, "district": district, "ground": ground}, geometry=geometry, crs=crs)


def _named(squares: Array, crs: CRS) -> list[str]:
    """MGRS squares of 10 km and a number within each."""
    if not len(squares):
        return []
    middle = shapely.centroid(squares)
    lon, lat = operation(crs, parse_crs("EPSG:4326"))[0].transform(shapely.get_x(middle), shapely.get_y(middle))
    wide = pd.Series([mgrs_square(*point, digits=1) for point in zip(lon, lat, strict=True)])
    number = wide.groupby(wide).cumcount() + 1
    return [f"{square}-{n}" for square, n in zip(wide, number, strict=True)]


def _district_of(squares: Array, ground: Array, names: Array) -> list[Any]:
    """District that holds most of each square; None where none holds any."""
    if not len(squares) or not len(ground):
        return [None] * len(squares)
    i, j, area = shapes.overlaps(squares, ground)
    most = pd.DataFrame({"i": i, "j": j, "area": area}).sort_values(["i", "area", "j"], ascending=[True, False, True])
    first = most.drop_duplicates("i").set_index("i")["j"]
    return [names[first[k]] if k in first.index else None for k in range(len(squares))]


def middle_of(points: Array, cells: Array, names: list[str], cell_m: float) -> Array:
    """A place for each point that tells its cell alone: the middle of the cell, or one beside it where several share
    it.

    Parameters
    ----------
    points : (n) shapes
        What is to be placed; None stays.
    cells : (m) polygons
        Districts that stand for places; where none holds a point, or none is given, its square does.
    names : (n) text
        Those that share a cell are laid out in the order of their names.
    cell_m : float
        Side of a square [m].

    >>> middle_of(np.array([shapely.Point(1, 2), shapely.Point(900, 20)]), np.array([]), ["b", "a"], 1000).tolist()
    [<POINT (600 500)>, <POINT (500 500)>]
    """
    home: list[tuple[str, Any]] = []
    for point in points:
        if point is None or point.is_empty:
            home.append(("nowhere", 0))
            continue
        inner = shapely.point_on_surface(point)
        held = np.flatnonzero(shapely.intersects(cells, inner)) if len(cells) else np.array([], dtype=int)
        square = (float(np.floor(inner.x / cell_m)), float(np.floor(inner.y / cell_m)))
        home.append(("district", int(held[0])) if len(held) else ("square", square))
    out = np.full(len(points), None, dtype=object)
    taken: dict[tuple[str, Any], int] = {}
    for k in sorted(range(len(points)), key=lambda k: (names[k], k)):
        kind, own = home[k]
        if kind == "nowhere":
            continue
        n = taken.get(home[k], 0)
        taken[home[k]] = n + 1
        middle = (
            shapely.point_on_surface(cells[own])
            if kind == "district"
            else shapely.Point((own[0] + 0.5) * cell_m, (own[1] + 0.5) * cell_m)
        )
        side = float(np.sqrt(cells[own].area)) if kind == "district" else cell_m
        x, y = _SPIRAL[n % len(_SPIRAL)]
        out[k] = shapely.Point(middle.x + x * side / 10, middle.y + y * side / 10)
    return out


#: Steps of a tenth of the cell round its middle, the nearest first.
_SPIRAL = sorted(
    ((x, y) for x in range(-4, 5) for y in range(-4, 5)),
    key=lambda s: (max(abs(s[0]), abs(s[1])), abs(s[0]) + abs(s[1]), -s[0], -s[1]),
)
