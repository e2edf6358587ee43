"""Distances and sums over points in the cells of a window, exact with all that lies round it within a stated reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from clearplan.geo.grids import Grid, Layer, Window, burn_touched, halo_cells

Array = NDArray[Any]


@dataclass(frozen=True)
class Nearest:
    """For each cell of a window the nearest cell that a shape touches.

    ``distance_m`` [m, float32] is that between the two centres, at most the reach. ``cell`` is an index into ``row``,
    ``column`` (of the grid) and ``number`` (of the shape) of the touched cells; where nothing is within reach it is
    any of them.
    """

    distance_m: Array
    cell: Array
    row: Array
    column: Array
    number: Array


@dataclass(frozen=True)
class _Reached:
    """Shapes burned round a window, and where in it they are within reach."""

    burned: Array  # 1 + number of a shape that touches the cell, in the window with its halo
    touched: Array  # flat positions of these cells
    own: tuple[slice, slice]  # the part of the window within reach
    part: tuple[slice, slice]  # of the burned array: that part and the touched cells
    to_row: Array  # for each cell of the part of the window: its nearest touched cell, within ``part``
    to_column: Array
    distance_m: Array


def _reached(grid: Grid, window: Window, shapes: Layer, reach_m: float) -> _Reached | None:
    halo = halo_cells(grid, reach_m)
    wide = window.grown(halo)
    burned = burn_touched(wide, shapes)
    full = burned != 0
    touched = np.flatnonzero(full)
    if not len(touched):
        return None
    # Only the part of the window within reach of a touched cell, and the touched cells, need a transform.
    over = [np.flatnonzero(full.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    edges, own, part = (window.rows, window.columns), [], []
    for (first, last), length in zip(over, edges, strict=True):
        begin, end = max(halo, first - halo), min(halo + length, last + halo + 1)
        if begin >= end:
            return None
        own.append(slice(int(begin) - halo, int(end) - halo))
        part.append(slice(int(min(begin, first)), int(max(end, last + 1))))
    index = distance_transform_edt(~full[*part], return_distances=False, return_indices=True)
    begin, end = (
        [getattr(o, side) + halo - p.start for o, p in zip(own, part, strict=True)] for side in ("start", "stop")
    )
    to_row, to_column = index[:, begin[0] : end[0], begin[1] : end[1]]
    down = to_row - np.arange(begin[0], end[0], dtype="int32")[:, None]
    along = to_column - np.arange(begin[1], end[1], dtype="int32")[None, :]
    down *= down
    along *= along
    down += along
    away = np.sqrt(down, dtype="float32")
    away *= np.float32(grid.cell_m)
    distance = np.full(edges, reach_m, dtype="float32")
    np.minimum(away, np.float32(reach_m), out=distance[*own])
    return _Reached(burned, touched, (own[0], own[1]), (part[0], part[1]), to_row, to_column, distance)


def nearest(grid: Grid, window: Window, shapes: Layer, reach_m: float) -> Nearest | None:
    """Distance and nearest touched cell for each cell of a window; None where no shape is within reach.

    Parameters
    ----------
    reach_m : float
        Distances saturate here [m]; all that lies within it counts, in the window or not.

    Notes
    -----
    Exact Euclidean distance transform (Maurer, Qi and Raghavan 2003, https://doi.org/10.1109/TPAMI.2003.1177156) as in
    scipy. A touched cell holds a point of its shape within half a diagonal of its centre, so the distance is that of
    the cell's centre to the shape within half a diagonal of a cell.
    """
    found = _reached(grid, window, shapes, reach_m)
    if found is None:
        return None
    order = np.zeros(found.burned.shape, dtype="int32")
    order.ravel()[found.touched] = np.arange(len(found.touched))
    cell = np.zeros((window.rows, window.columns), dtype="int32")
    cell[*found.own] = order[*found.part][found.to_row, found.to_column]
    wide = window.grown(halo_cells(grid, reach_m))
    row, column = np.divmod(found.touched, wide.columns)
    number = found.burned.ravel()[found.touched] - 1
    return Nearest(found.distance_m, cell, row + wide.row, column + wide.column, number)


def distance_m(grid: Grid, window: Window, shapes: Layer, reach_m: float) -> Array | None:
    """Distance of each cell of a window to the nearest shape [m, float32], at most the reach; None: none within it.

    >>> import shapely
    >>> from clearplan.core.crs import parse_crs
    >>> from clearplan.geo.grids import layer, make_grid, tiles
    >>> grid = make_grid((0, 0, 500, 100), 100.0, parse_crs("EPSG:32638"))
    >>> distance_m(grid, tiles(grid, 300)[0], layer(grid, np.array([shapely.Point(50, 50)]), 300.0), 300.0).tolist()
    [[0.0, 100.0, 200.0, 300.0, 300.0]]
    """
    found = _reached(grid, window, shapes, reach_m)
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
