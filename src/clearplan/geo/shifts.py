"""What an error of position does to a figure that is measured around a shape: how far it may go, and where it rises."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from clearplan.core.threads import in_threads
from clearplan.geo.shapes import Geometries

Array = NDArray[Any]

_TURNS = np.radians(np.arange(0, 360, 22.5))
#: Shifts that are tried, in parts of the position error (32, 2): half of it and all of it, in 16 directions.
_STEPS = np.concatenate([part * np.column_stack([np.sin(_TURNS), np.cos(_TURNS)]) for part in (0.5, 1.0)])


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


def counts_within(
    ground: Geometries, points: Geometries, within_m: float, error_m: Array
) -> tuple[Array, Array, Array, Array]:
    """How many points lie within a distance of each shape, and how few and many if the shape lies elsewhere.

    Parameters
    ----------
    ground, points : arrays of geometry (n), (m)
    within_m : float
        [m]
    error_m : array (n)
        How far each shape may be off, all of it in one direction [m].

    Returns
    -------
    tuple of arrays (n)
        The count as it is, the least, the most, and the direction in which it rises most, clockwise from grid north [°]
        (NaN where it does not change). Least and most are those of 16 directions, half as far and as far as it may be
        off: a shape that comes nearer to some points leaves others.

    Examples
    --------
    >>> ground, points = np.array([shapely.Point(0, 0)]), np.array([shapely.Point(x, 0) for x in (-9, 1, 9)])
    >>> [found.tolist() for found in counts_within(ground, points, 5.0, np.array([6.0]))]  # 6 to the north, to the east
    [[1.0], [0.0], [2.0], [90.0]]
    """
    tree = shapely.STRtree(points)

    def count(own: Geometries) -> Array:
        near = tree.query(own, predicate="dwithin", distance=within_m)[0]
        return np.bincount(near, minlength=len(own)).astype(float)

    likely, rises = count(ground), np.full(len(ground), np.nan)
    least, most = likely.copy(), likely.copy()
    off = np.flatnonzero(error_m > 0)
    if not len(off) or not len(points):
        return likely, least, most, rises
    places, shape = shapely.get_coordinates(ground[off], return_index=True)

    def shifted(step: Array) -> Array:
        return count(shapely.set_coordinates(ground[off], places + step * error_m[off][shape, None]))

    found = np.array(in_threads(shifted, list(_STEPS)))
    least[off], most[off] = np.minimum(likely[off], found.min(axis=0)), np.maximum(likely[off], found.max(axis=0))
    # Rounded, so that points which lie alike on both sides pull nowhere.
    pull = ((found - likely[off])[:, :, None] * _STEPS[:, None, :]).sum(axis=0).round(6)
    rises[off] = np.where(least[off] < most[off], bearing(pull), np.nan)
    return likely, least, most, rises
