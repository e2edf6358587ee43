"""What an error of position does to a figure that is measured around a shape: in which direction it rises, how far."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from clearplan.core.threads import in_threads
from clearplan.geo.shapes import Geometries

Array = NDArray[Any]

_TURNS = np.radians(np.arange(0, 360, 22.5))
#: Places at which a shape may lie, in parts of its position error east and north (33, 2): where it is drawn, and half
#: of the error and all of it away in 16 directions from north.
PLACES = np.concatenate([
    [[0.0, 0.0]], *(part * np.column_stack([np.sin(_TURNS), np.cos(_TURNS)]) for part in (0.5, 1.0))
])  # fmt: skip


def nearest_place(east: Array, north: Array) -> Array:
    """Number of the place to which shifts lead, by their nearest part and direction (any shape) [uint8].

    >>> PLACES[nearest_place(np.array([0.1, 0.5, 0.0]), np.array([0.1, 0.02, 0.9]))].round(6).tolist()
    [[0.0, 0.0], [0.5, 0.0], [0.0, 1.0]]
    """
    part = np.hypot(east, north)
    sector = np.rint(np.arctan2(east, north) * (8 / np.pi)).astype(np.int8) % 16
    return np.where(part < 0.25, 0, 1 + sector + 16 * (part >= 0.75)).astype(np.uint8)


def bearing(way: Array) -> Array:
    """Direction of vectors (n, 2), clockwise from grid north [°]; 0 of one without length.

    >>> bearing(np.array([[0, 2], [3, 0], [0, -1], [-1, 0], [0, 0]])).tolist()
    [0.0, 90.0, 180.0, 270.0, 0.0]
    """
    turn: Array = np.degrees(np.arctan2(way[:, 0], way[:, 1])) % 360
    return turn


def directions(start: Geometries, end: Geometries) -> Array:
    """Direction from each shape to another by their shortest line, or between their middles where they touch (n) [°].

    >>> directions(np.array([shapely.Point(0, 0)]), np.array([shapely.box(1, -1, 2, 1)])).tolist()
    [90.0]
    """
    ends = shapely.get_coordinates(shapely.shortest_line(start, end)).reshape(-1, 2, 2)
    way = ends[:, 1] - ends[:, 0]
    touching = ~way.any(axis=1)
    first, last = (shapely.get_coordinates(shapely.centroid(own[touching])) for own in (start, end))
    way[touching] = last - first
    return bearing(way)


def counts_within(ground: Geometries, points: Geometries, within_m: float, error_m: Array) -> Array:
    """How many points lie within a distance of each shape at each of the places where it may lie (n, places).

    Parameters
    ----------
    ground, points : arrays of geometry (n), (m)
    within_m : float
        [m]
    error_m : array (n)
        How far each shape may be off, all of it in one direction [m].

    Examples
    --------
    >>> ground, points = np.array([shapely.Point(0, 0)]), np.array([shapely.Point(x, 0) for x in (-9, 1, 9)])
    >>> found = counts_within(ground, points, 5.0, np.array([6.0]))[0]
    >>> [int(count) for count in (found[0], found.min(), found.max())]  # all of the way north: none; east: two
    [1, 0, 2]
    """
    tree = shapely.STRtree(points)

    def count(own: Geometries) -> Array:
        near = tree.query(own, predicate="dwithin", distance=within_m)[0]
        return np.bincount(near, minlength=len(own))

    found = np.repeat(count(ground)[:, None], len(PLACES), axis=1)
    off = np.flatnonzero(error_m > 0)
    if not len(off) or not len(points):
        return found
    corners, shape = shapely.get_coordinates(ground[off], return_index=True)

    def shifted(step: Array) -> Array:
        return count(shapely.set_coordinates(ground[off], corners + step * error_m[off][shape, None]))

    found[off, 1:] = np.column_stack(in_threads(shifted, list(PLACES[1:])))
    return found
