"""Ground that blocks a place or a lifeline, and what reaches into it: one meaning for tasks, ranks and blockers.

Shapes that block are grown and cut here alone, so that a task which was cut along the border of such ground blocks by
the same rule as the border was drawn.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from clearplan.geo.shapes import Geometries, conservative_buffer

#: A point or a line has no ground of its own; what it lies on blocks it all the same [m].
_LEAST_M = 0.01
#: Shared ground of which area / length is less is rounding along a common border, not ground [m].
_NOISE_M = 1e-4


def blocking_ground(shapes: Geometries, within_m: float, position_error_m: ArrayLike = 0.0) -> Geometries:
    """Ground that blocks each place or lifeline: all within a distance of its shape, and of its position error.

    The ground holds the true one (Law 5), so that what lies wholly outside it blocks nothing.

    Parameters
    ----------
    shapes : array of geometry, n
        Points, lines or polygons in metres.
    within_m : float
        [m], at least 0.
    position_error_m : float or array, n
        Added to the distance [m]; NaN counts as 0.

    >>> home = blocking_ground(np.array([shapely.Point(0, 0)]), 500.0, np.array([100.0]))[0]
    >>> bool(home.boundary.distance(shapely.Point(0, 0)) >= 600)
    True
    """
    shapes = np.asarray(shapes, dtype=object)
    error = np.nan_to_num(np.broadcast_to(np.asarray(position_error_m, dtype=float), shapes.shape))
    distance = within_m + error
    bare = shapely.get_dimensions(shapes) < 2
    return conservative_buffer(shapes, np.where(bare, np.maximum(distance, _LEAST_M), distance))


def reaching(pieces: Geometries, grounds: Geometries) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Pairs (piece, ground) where the piece has area within the ground; a common border alone is none.

    Returns
    -------
    piece index, ground index : arrays of equal length, in the order of the pieces, then of the grounds

    >>> fields = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    >>> [index.tolist() for index in reaching(fields, np.array([shapely.box(-5, 0, 10, 10)]))]
    [[0], [0]]
    """
    pieces, grounds = np.asarray(pieces, dtype=object), np.asarray(grounds, dtype=object)
    j, i = shapely.STRtree(pieces).query(grounds, predicate="intersects")
    shapely.prepare(grounds)
    deep = shapely.covers(grounds[j], pieces[i])
    rest = np.flatnonzero(~deep)
    deep[rest] = _shares_ground(shapely.intersection(pieces[i[rest]], grounds[j[rest]]))
    i, j = i[deep], j[deep]
    order = np.lexsort((j, i))
    return i[order], j[order]


def _shares_ground(shapes: Geometries) -> NDArray[np.bool_]:
    """Whether a shape has a part that is more than a thread."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    real = shapely.area(parts) > _NOISE_M * shapely.length(parts)
    return np.bincount(owner[real], minlength=len(shapes)) > 0


def sets_of(index: NDArray[np.int_], value: NDArray[np.int_], count: int) -> list[frozenset[Any]]:
    """The values of each index as a set; an index without any has the empty one.

    >>> sets_of(np.array([2, 0, 2]), np.array([5, 6, 7]), 3) == [{6}, set(), {5, 7}]
    True
    """
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(count + 1))
    values = value[order].tolist()
    return [frozenset(values[a:b]) for a, b in pairwise(starts.tolist())]
