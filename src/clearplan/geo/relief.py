"""Rasters of the land in the cells of a window: their own figures, and slope and relief made from heights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from scipy.ndimage import uniform_filter

from clearplan.geo.grids import Grid, Window
from clearplan.geo.raster_files import damage_named
from clearplan.geo.rasters import opened

Array = NDArray[Any]


def cells_of_raster(path: str | Path, grid: Grid, window: Window) -> Array:
    """Mean of a raster's first band in the cells of a window, float32; NaN where it says nothing."""
    return _warped(path, grid, window, grid.cell_m, _own_cell_m(path, grid))


def slope_in_cells(path: str | Path, grid: Grid, window: Window) -> Array:
    """Slope of the ground in the cells of a window, from heights [degrees, float32].

    Central differences on cells of the raster's own size, or of the grid's where that is larger; then the mean of each
    cell. A coarse raster flattens what it shows.
    """

    def slope(height_m: Array, cell_m: float) -> Array:
        south, east = np.gradient(height_m, cell_m, cell_m)
        return np.asarray(np.degrees(np.arctan(np.hypot(south, east))))

    return _made(path, grid, window, slope, lambda cell_m: cell_m)


def relief_in_cells(path: str | Path, grid: Grid, radius_m: float, window: Window) -> Array:
    """Height above the mean of a square of twice ``radius_m`` round each cell [m, float32]; below it in a valley.

    The topographic position index of Weiss 2001 (poster, ESRI user conference), with a square for the disc.
    """

    def above(height_m: Array, cell_m: float) -> Array:
        known = np.isfinite(height_m)
        side = 2 * max(1, round(radius_m / cell_m)) + 1
        total = uniform_filter(np.where(known, height_m, 0.0), side, mode="nearest")
        share = uniform_filter(known.astype(float), side, mode="nearest")
        return np.asarray(height_m - total / np.where(share > 0, share, np.nan))

    return _made(path, grid, window, above, lambda cell_m: radius_m + 2 * cell_m)


def _made(
    path: str | Path,
    grid: Grid,
    window: Window,
    make: Callable[[Array, float], Array],
    beyond_m: Callable[[float], float],
) -> Array:
    """A figure made on cells that divide the grid's, near the raster's own size, and its mean in each of the grid's."""
    own_m = _own_cell_m(path, grid)
    parts = max(1, round(grid.cell_m / own_m))
    fine_m = grid.cell_m / parts
    margin = int(np.ceil(beyond_m(fine_m) / grid.cell_m)) + 1
    made = make(_warped(path, grid, window.grown(margin), fine_m, own_m).astype(float), fine_m)
    inner = made[margin * parts : -margin * parts, margin * parts : -margin * parts]
    blocks = inner.reshape(window.rows, parts, window.columns, parts)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
    mean: Array = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0).astype("float32")
    return mean


def _own_cell_m(path: str | Path, grid: Grid) -> float:
    """Side of the raster's own cells in the CRS of the grid [m]."""
    with damage_named(path), opened(path) as source, WarpedVRT(source, crs=grid.crs.to_wkt()) as own:
        side: float = own.transform.a
    return side


def _warped(path: str | Path, grid: Grid, window: Window, cell_m: float, own_m: float) -> Array:
    parts = round(grid.cell_m / cell_m)
    west, north = grid.x0 + window.column * grid.cell_m, grid.y1 - window.row * grid.cell_m
    frame = {
        "crs": grid.crs.to_wkt(),
        "transform": Affine(cell_m, 0, west, 0, -cell_m, north),
        "width": window.columns * parts,
        "height": window.rows * parts,
    }
    how = Resampling.average if cell_m > 1.5 * own_m else Resampling.bilinear
    with damage_named(path), opened(path) as source, WarpedVRT(source, resampling=how, **frame) as warped:
        found: Array = warped.read(1, masked=True).astype("float32").filled(np.nan)
    return found
