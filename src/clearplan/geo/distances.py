"""Distances and sums over points in the cells of a window, exact with all that lies round it within a stated reach."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from clearplan.geo.grids import AHEAD, Grid, Layer, Window, away_from_pieces, burn, halo_cells, touched_in

Array = NDArray[Any]

_NEAR_CELLS = 6.0  # nearer than this [cells] the foot in a neighbouring cell may be the nearest


@dataclass(frozen=True)
class Nearest:
    """For each cell of a window the nearest cell that a shape touches.

    ``distance_m`` [m, float32] is that from the cell's centre to the shape, at most the reach; it is shorter than the
    reach where the middle of a touched cell is, so that more shapes bring no cell out of reach. ``cell`` is an index
    into ``row``, ``column`` (of the grid) and ``number`` (of the shape) of the touched cells; where nothing is within
    reach it is any of them.
    """

    distance_m: Array
    cell: Array
    row: Array
    column: Array
    number: Array


@dataclass(frozen=True)
class _Touched:
    """Cells of a window, with its halo, that shapes touch: where, whose, and the piece of the shape in each."""

    row: Array
    column: Array
    number: Array
    # From the centre of the cell itself, so that no tile rounds otherwise than its neighbour [cells]:
    pieces: Array  # x, y (to the south) of one end and of the other (4, n)
    ends: Array  # x, y of the end that lies farthest to each of AHEAD (9, 2, n)
    inside: Array  # cells of the whole window whose centre a polygon holds


def _touched(wide: Window, shapes: Layer) -> _Touched:
    """Touched cells of a window; of several shapes in a cell the one nearest to the cell's centre counts."""
    near = shapes.near(wide)
    held = burn(wide, shapes.shapes[near], shapes.numbers[near] + 1)
    inside = held != 0
    flat, at = touched_in(wide, shapes)
    full = inside.copy()
    full.ravel()[flat] = True
    cells = np.flatnonzero(full)
    row, column = np.divmod(cells, wide.columns)
    number = held.ravel()[cells] - 1
    place = np.searchsorted(cells, flat)
    number[place] = shapes.number[at]
    middle = np.column_stack([shapes.column[at] + 0.5, -shapes.row[at] - 0.5])
    pieces = np.zeros((4, len(cells)), dtype="float32")
    pieces[:, place] = ((shapes.piece[at] - middle[:, None]) * (1, -1)).reshape(-1, 4).T
    ends = np.zeros((len(AHEAD), 2, len(cells)), dtype="float32")
    ends[:, :, place] = ((shapes.ends[at] - middle[:, None]) * (1, -1)).transpose(1, 2, 0)
    return _Touched(row.astype("int32"), column.astype("int32"), number, pieces, ends, inside)


def _to_ends(touched: _Touched, cell: Array, along: Array, down: Array) -> Array:
    """Distance to the end, in a touched cell, that lies farthest towards a place [cells]; exact far from it.

    ``along``, ``down``: from the place to the centre of the touched cell, to the east and to the south.
    """
    steep = np.float32(math.tan(math.pi / 8))
    x, y = np.abs(along), np.abs(down)
    towards = 4 - np.where(x < steep * y, 0, np.sign(along)) + 3 * np.where(y < steep * x, 0, np.sign(down))
    towards = towards.astype("int8")
    away: Array = np.hypot(along + touched.ends[towards, 0, cell], down + touched.ends[towards, 1, cell])
    return away


def nearest(grid: Grid, window: Window, shapes: Layer, reach_m: float) -> Nearest | None:
    """Distance and nearest touched cell for each cell of a window; None where no shape is within reach.

    Parameters
    ----------
    reach_m : float
        Distances saturate here [m]; all that lies within it counts, in the window or not.

    Notes
    -----
    The nearest touched cell by exact Euclidean distance transform (Maurer, Qi and Raghavan 2003,
    https://doi.org/10.1109/TPAMI.2003.1177156) as in scipy; the distance is that of the cell's centre to the shape's
    part in that cell, 0 where a polygon holds the centre. It is never shorter than the true distance, and on average
    longer by less than a hundredth of a cell near shapes: so that sums over cells hardly depend on the cell's size.
    """
    halo = halo_cells(grid, reach_m)
    wide = window.grown(halo)
    touched = _touched(wide, shapes)
    row, column = touched.row, touched.column
    if not len(row):
        return None
    # Only the part of the window within reach of a touched cell, and the touched cells, need a transform.
    own, part = [], []
    for first, last, length in ((row[0], row[-1], window.rows), (column.min(), column.max(), window.columns)):
        begin, end = max(halo, first - halo), min(halo + length, last + halo + 1)
        if begin >= end:
            return None
        own.append((int(begin), int(end)))
        part.append((int(min(begin - 1, first)), int(max(end + 1, last + 1))))
    to, index = _nearest_touched(wide, touched, part)
    # With one cell more on each side, then without.
    beside = tuple(slice(o[0] - p[0] - 1, o[1] - p[0] + 1) for o, p in zip(own, part, strict=True))
    to, (down, along) = to[*beside], index[:, *beside][:, 1:-1, 1:-1]
    y, x = (np.arange(begin, end, dtype="int32") for begin, end in own)
    cell = to[1:-1, 1:-1].copy()
    along = (along - (x - np.int32(part[1][0]))[None, :]).astype("float32")
    down = (down - (y - np.int32(part[0][0]))[:, None]).astype("float32")
    within = along * along + down * down < (reach_m / grid.cell_m) ** 2
    away = _to_ends(touched, cell, along, down)
    away[touched.inside[slice(*own[0]), slice(*own[1])]] = 0
    _look_beside(away, cell, to, touched, (x, y), min(_NEAR_CELLS, halo - 3))
    away *= np.float32(grid.cell_m)
    inner = tuple(slice(begin - halo, end - halo) for begin, end in own)
    distance = np.full((window.rows, window.columns), reach_m, dtype="float32")
    last = np.nextafter(np.float32(reach_m), np.float32(0))
    distance[*inner] = np.where(within, np.minimum(away, last), np.float32(reach_m))
    every = np.zeros(distance.shape, dtype="int32")
    every[*inner] = cell
    return Nearest(distance, every, row + wide.row, column + wide.column, touched.number)


def _nearest_touched(wide: Window, touched: _Touched, part: list[tuple[int, int]]) -> tuple[Array, Array]:
    """For each cell of a part of a window the nearest touched cell: its position among them, its row and column."""
    rows, columns = (slice(*edges) for edges in part)
    order = np.full((wide.rows, wide.columns), -1, dtype="int32")
    order[touched.row, touched.column] = np.arange(len(touched.row))
    order = order[rows, columns]
    index = distance_transform_edt(order < 0, return_distances=False, return_indices=True)
    return order[index[0], index[1]], index


def _look_beside(away: Array, cell: Array, to: Array, touched: _Touched, at: tuple[Array, Array], near: float) -> None:
    """The distance to all pieces that a cell and its neighbours found; far from shapes it would make no difference.

    The nearest touched cell need not hold the nearest place of a shape. ``away`` [cells] and ``cell`` are changed;
    ``to`` has one cell more on each side.
    """
    row, column = (at.astype("int32") for at in np.nonzero((away > 0) & (away < near)))
    x, y = at[0][column], at[1][row]
    least, best = away[row, column], cell[row, column]
    for down, along in product((0, 1, 2), repeat=2):
        other = to[row + down, column + along]
        east, south = (x - touched.column[other]).astype("float32"), (y - touched.row[other]).astype("float32")
        found = away_from_pieces(touched.pieces[:, other], east, south)
        np.minimum(found, _to_ends(touched, other, -east, -south), out=found)
        nearer = found < least
        least[nearer], best[nearer] = found[nearer], other[nearer]
    away[row, column], cell[row, column] = least, best


def distance_m(grid: Grid, window: Window, shapes: Layer, reach_m: float) -> Array | None:
    """Distance of each cell of a window to the nearest shape [m, float32], at most the reach; None: none within it.

    >>> import shapely
    >>> from clearplan.core.crs import parse_crs
    >>> from clearplan.geo.grids import layer, make_grid, tiles
    >>> grid = make_grid((0, 0, 500, 100), 100.0, parse_crs("EPSG:32638"))
    >>> distance_m(grid, tiles(grid, 300)[0], layer(grid, np.array([shapely.Point(50, 50)]), 300.0), 300.0).tolist()
    [[0.0, 100.0, 200.0, 300.0, 300.0]]
    """
    found = nearest(grid, window, shapes, reach_m)
    return None if found is None else found.distance_m


def kernel_patch(grid: Grid, reach_m: float, weight: Callable[[Array], Array]) -> Array:
    """Weights of the cells round one cell, float32: ``weight(distance [m])`` within reach, 0 beyond."""
    halo = halo_cells(grid, reach_m)
    step = np.arange(-halo, halo + 1) * grid.cell_m
    away = np.hypot(step[:, None], step[None, :])
    patch: Array = np.where(away < reach_m, weight(away), 0.0).astype("float32")
    return patch


def kernel_sum(window: Window, row: Array, column: Array, count: Array, patch: Array) -> Array | None:
    """Sum over points of a patch laid on the cell of each; None where no point is within the patch's reach.

    Parameters
    ----------
    row, column, count : arrays, n
        Cells (of the grid) that hold points, and how many points each holds.
    """
    halo = patch.shape[0] // 2
    down, along = row - window.row, column - window.column
    near = (down > -halo) & (down < window.rows + halo) & (along > -halo) & (along < window.columns + halo)
    if not near.any():
        return None
    out = np.zeros((window.rows, window.columns), dtype="float32")
    for r, c, n in zip(down[near], along[near], count[near], strict=True):
        top, left = max(r - halo, 0), max(c - halo, 0)
        bottom, right = min(r + halo + 1, window.rows), min(c + halo + 1, window.columns)
        laid = patch[top - r + halo : bottom - r + halo, left - c + halo : right - c + halo]
        out[top:bottom, left:right] += laid if n == 1 else laid * np.float32(n)
    return out
