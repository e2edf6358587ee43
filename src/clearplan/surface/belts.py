"""Contact lines in cells: how deep the belt is at the nearest place of the line, and on which side a cell lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.geo.distances import Nearest
from clearplan.geo.grids import Grid, Layer, Window, cell_centres, layer
from clearplan.tables.check import remaining
from clearplan.tables.texts import read_profile

Array = NDArray[Any]


@dataclass(frozen=True)
class ContactLine:
    """A contact line on a grid: its shape, the cells that it touches, depths along it, sides of its belt."""

    shape: Any
    cells: Layer
    at: Array
    depth: Array
    sides: str


def contact_lines(grid: Grid, hazards: gpd.GeoDataFrame, reach_m: float) -> list[ContactLine]:
    """The contact lines of HAZARDS that count.

    Raises
    ------
    TableError
        The parts of one make no single line in one direction.
    """
    lines = remaining(hazards)
    lines = lines[lines["kind"] == "contact-line"]
    found = []
    for row in lines.itertuples():
        shape = row.geometry
        if shape.geom_type == "MultiLineString":
            shape = shapely.line_merge(shape, directed=True)
        if shape.geom_type != "LineString":
            raise TableError(
                f"contact line {row.hazard_id}: its parts make no single line in one direction; give one unbroken line"
            )
        profile = np.array(read_profile(row.depth_profile))
        found.append(
            ContactLine(shape, layer(grid, np.array([shape]), reach_m), profile[:, 0], profile[:, 2], str(row.sides))
        )
    return found


def touched_places(grid: Grid, line: ContactLine, found: Nearest) -> Array:
    """How far along a line the cells lie that it touches [m]."""
    x = grid.x0 + (found.column + 0.5) * grid.cell_m
    y = grid.y1 - (found.row + 0.5) * grid.cell_m
    place: Array = shapely.line_locate_point(line.shape, shapely.points(x, y))
    return place


def deepest_to_local(line: ContactLine, places: Array) -> Array:
    """Largest depth of the belt over the depth at places along the line; where it has none, without bound."""
    deepest = float(line.depth.max())
    if deepest == 0:
        return np.ones(len(places), dtype="float32")
    local = np.interp(places, line.at, line.depth)
    return np.minimum(deepest / np.maximum(local, 1e-9), 1e9).astype("float32")


def left_of(grid: Grid, window: Window, line: ContactLine, found: Nearest, places: Array, reach_m: float) -> Array:
    """Whether cells lie left of a line, as seen along its direction at its nearest place.

    The direction is that at the nearest touched cell; where other pieces of the line pass within a cell and a half of
    it, so that it may be the wrong piece, the cell's own nearest place is asked for.
    """
    ahead, foot = _heading(line, places, grid.cell_m)
    east, north = cell_centres(grid, window)
    # Cross product ahead x (cell - foot), with all that is constant along the line taken out of the cells' sum.
    offset = ahead[:, 0] * foot[:, 1] - ahead[:, 1] * foot[:, 0]
    cross = ahead[found.cell, 0] * north - ahead[found.cell, 1] * east - offset[found.cell]
    corners = shapely.get_coordinates(line.shape)
    pieces = shapely.STRtree(shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1)))
    touched = shapely.points(grid.x0 + (found.column + 0.5) * grid.cell_m, grid.y1 - (found.row + 0.5) * grid.cell_m)
    close = pieces.query(touched, predicate="dwithin", distance=1.5 * grid.cell_m)[0]
    doubtful = np.bincount(close, minlength=len(touched)) > 1
    row, column = np.nonzero(doubtful[found.cell] & (found.distance_m < reach_m))
    middles = shapely.points(east[0, column], north[row, 0])
    ahead, foot = _heading(line, shapely.line_locate_point(line.shape, middles), min(1.0, line.shape.length / 1000))
    away = shapely.get_coordinates(middles) - foot
    cross[row, column] = ahead[:, 0] * away[:, 1] - ahead[:, 1] * away[:, 0]
    left: Array = cross > 0
    return left


def _heading(line: ContactLine, places: Array, step_m: float) -> tuple[Array, Array]:
    """Direction of a line round places along it, from a step before to a step after, and the points there."""
    foot, before, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(line.shape, np.clip(places + by, 0, line.shape.length)))
        for by in (0.0, -step_m, step_m)
    )
    ahead = after - before
    return ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None], foot
