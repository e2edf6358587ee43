"""Covariates of the land in the cells of a window: figures of polygons, distances, rasters, slope and relief.

Each is standardised over the whole grid, so that its strength is for one standard deviation more; where the layer says
nothing a cell has the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError, TableError
from clearplan.geo.distances import distance_m
from clearplan.geo.grids import Grid, Layer, Window, burn, layer, tiles
from clearplan.geo.relief import cells_of_raster, relief_in_cells, slope_in_cells
from clearplan.settings.surface import SurfaceCovariate

Array = NDArray[Any]
#: Window -> figure in each cell, NaN where the layer says nothing; or standardised, 0 there.
LandMaker = Callable[[Window], Array]

RASTERS = (".tif", ".tiff", ".vrt", ".img", ".asc", ".nc", ".jp2")
#: Cells from which mean and spread are taken: a lattice over the grid that no tile moves.
_SAMPLED = 250_000
_FARTHEST = 5.0  # standard deviations; one wild cell must not decide about its ground


def is_raster(path: Path) -> bool:
    """Whether a covariate's layer is read as a raster."""
    return path.suffix.casefold() in RASTERS


def covariate_maker(
    covariate: SurfaceCovariate,
    grid: Grid,
    tables: Mapping[str, gpd.GeoDataFrame],
    elevation: str | Path | None,
    reach_m: float,
) -> LandMaker:
    """The standardised figure of a covariate in any window.

    Raises
    ------
    SettingsError
        Its layer or the elevation is not given.
    TableError
        The layer lacks a column, or is the same everywhere, so that nothing can be learned from it.
    """
    figure = _figure(covariate, grid, tables, elevation, reach_m)
    middle, spread = _moments(figure, grid, reach_m)
    if not spread > 0:
        raise TableError(
            f"surface.covariates {covariate.name}: the layer is the same in every cell of the region, or says nothing "
            "there; drop it"
        )
    return partial(_standardised, figure, middle, spread)


def _figure(
    covariate: SurfaceCovariate,
    grid: Grid,
    tables: Mapping[str, gpd.GeoDataFrame],
    elevation: str | Path | None,
    reach_m: float,
) -> LandMaker:
    if covariate.made is not None:
        if elevation is None:
            raise SettingsError(f"surface.covariates {covariate.name}: {covariate.made} needs context.elevation")
        if covariate.made == "slope":
            return partial(slope_in_cells, elevation, grid)
        assert covariate.radius_m is not None
        return partial(relief_in_cells, elevation, grid, covariate.radius_m)
    assert covariate.layer is not None
    if covariate.name not in tables:
        if not is_raster(covariate.layer):
            raise SettingsError(
                f"surface.covariates {covariate.name}: its layer is not given; hand it over by its name"
            )
        return partial(cells_of_raster, covariate.layer, grid)
    table = _wanted(covariate, tables[covariate.name])
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    if covariate.distance:
        return partial(_nearness, grid, layer(grid, shapes, reach_m), reach_m)
    if covariate.field is None:
        return partial(_burned, layer(grid, shapes), np.ones(len(shapes)), 0.0)
    figures = pd.to_numeric(table[covariate.field], errors="coerce").to_numpy(float)
    return partial(_burned, layer(grid, shapes), figures, np.nan)


def _wanted(covariate: SurfaceCovariate, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    for column in (covariate.field, covariate.kind_field):
        if column is not None and column not in table.columns:
            held = ", ".join(str(name) for name in table.columns if name != "geometry")
            raise TableError(f"surface.covariates {covariate.name}: the layer has no column {column!r}; it has {held}")
    if covariate.of is None:
        return table
    found: gpd.GeoDataFrame = table[table[covariate.kind_field].astype(str) == covariate.of]
    if not len(found):
        raise TableError(
            f"surface.covariates {covariate.name}: no shape has {covariate.kind_field} {covariate.of!r}; correct of"
        )
    return found


def _burned(shapes: Layer, figures: Array, elsewhere: float, window: Window) -> Array:
    near = shapes.near(window)
    number = burn(window, shapes.shapes[near], np.arange(1, len(near) + 1))
    return np.append(elsewhere, figures[shapes.numbers[near]])[number].astype("float32")


def _nearness(grid: Grid, shapes: Layer, reach_m: float, window: Window) -> Array:
    """Distance as a share of the reach; 1 at it and beyond."""
    away = distance_m(grid, window, shapes, reach_m)
    if away is None:
        return np.ones((window.rows, window.columns), dtype="float32")
    return np.asarray(away / np.float32(reach_m))


def _moments(figure: LandMaker, grid: Grid, reach_m: float) -> tuple[float, float]:
    """Mean and standard deviation over a lattice of the grid's cells of which the layer says something."""
    step = max(1, int(np.ceil(np.sqrt(grid.cells / _SAMPLED))))
    parts = []
    for window in tiles(grid, reach_m):
        first_row, first_column = -window.row % step, -window.column % step
        values = figure(window)[first_row::step, first_column::step]
        parts.append(values[np.isfinite(values)].astype(float))
    values = np.concatenate(parts)
    return (float(values.mean()), float(values.std())) if len(values) else (0.0, 0.0)


def _standardised(figure: LandMaker, middle: float, spread: float, window: Window) -> Array:
    scaled = (figure(window) - np.float32(middle)) / np.float32(spread)
    limited: Array = np.clip(np.nan_to_num(scaled, nan=0.0), -_FARTHEST, _FARTHEST).astype("float32")
    return limited
