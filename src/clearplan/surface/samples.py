"""Labels and background cells with their evidence, in blocks that are held out whole.

Why blocks: neighbouring accidents share a field, a road and its evidence. Where folds are made of random points, each
held-out accident has its neighbours among those that were learned from, and any model that has learned places by heart
looks as if it foretold them. Squares longer than accidents hang together are held out whole instead (Roberts et al.
2017, https://doi.org/10.1111/ecog.02881).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.crs import require_metres
from clearplan.core.errors import CrsError, SettingsError, TableError
from clearplan.geo.grids import Grid, cell_of, in_cells
from clearplan.settings.surface import FitSettings
from clearplan.surface.evidence import Evidence
from clearplan.surface.probability import evidence_at
from clearplan.tables.check import placed, remaining

Array = NDArray[Any]


@dataclass(frozen=True)
class Sample:
    """Labels and background with their evidence.

    ``table`` has a row each for labels (``label`` 1, or 0 for a survey without a find) and background cells (``label``
    missing): x, y [m], one g [0-1] per column of the model, ``weight`` (1 for a label, cells that it stands for for
    background), ``block`` and ``fold``.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    known_cells: float
    unknown: int  # labels on ground of which nobody knows; they teach nothing

    @property
    def labels(self) -> pd.DataFrame:
        """Rows that are labels."""
        return self.table[self.table["label"].notna()]

    @property
    def background(self) -> pd.DataFrame:
        """Rows that are background."""
        return self.table[self.table["label"].isna()]


def draw_background(evidence: Evidence, count: int, seed: int) -> tuple[pd.DataFrame, float]:
    """Known cells at random, each with the number of cells that it stands for, and how many cells are known.

    All known cells where the grid has no more than ``count``; then the number is exact, else an estimate.

    Raises
    ------
    TableError
        Nothing is known anywhere.
    """
    grid = evidence.grid
    random = np.random.default_rng(seed)
    asked = count
    while True:
        whole = asked >= grid.cells
        flat = np.arange(grid.cells) if whole else np.sort(random.choice(grid.cells, asked, replace=False))
        row, column = np.divmod(flat, grid.columns)
        x, y = grid.x0 + (column + 0.5) * grid.cell_m, grid.y1 - (row + 0.5) * grid.cell_m
        found = evidence_at(evidence, np.column_stack([x, y]))
        known = found["known"].to_numpy()
        # Where little is known, more is drawn, so that as many cells stand for it as were asked for.
        if whole or known.sum() >= count / 2:
            break
        asked = min(grid.cells, int(asked * max(2.0, min(count / max(known.sum(), 1), 50.0))))
    if not known.any():
        raise TableError("surface: nothing is known in any cell; give evidence before strengths are fitted")
    cells = grid.cells * known.mean()
    table = found.loc[known, list(evidence.names)].assign(x=x[known], y=y[known], weight=cells / known.sum())
    return table.reset_index(drop=True), float(cells)


def take_sample(
    evidence: Evidence,
    settings: FitSettings,
    *,
    accidents: gpd.GeoDataFrame | None = None,
    areas: gpd.GeoDataFrame | None = None,
    surveys: gpd.GeoDataFrame | None = None,
) -> Sample:
    """Labels and background with evidence, blocks and folds; arguments as in :func:`fit_surface`.

    Raises
    ------
    TableError
        No labels, all at one place, or in fewer blocks than there are folds.
    """
    what = settings.labels
    given = {"accidents": accidents, "hazards": areas, "surveys": surveys}[what]
    if given is None:
        raise SettingsError(f"fit: labels are {what}, and no table of them is given; hand it over by its name")
    if require_metres(given) != evidence.grid.crs:
        raise CrsError(f"{what} are not in the CRS of the surface, {evidence.grid.crs.name}; reproject them")
    points, found = _places(what, given, evidence.grid, settings)
    _refuse_too_few(what, points, settings)
    at = evidence_at(evidence, points)
    known = at["known"].to_numpy()
    own = at.loc[known, list(evidence.names)].assign(
        x=shapely.get_x(points)[known], y=shapely.get_y(points)[known], weight=1.0, label=found[known]
    )
    background, cells = draw_background(evidence, settings.background, settings.seed)
    table = pd.concat([own, background.assign(label=np.nan)], ignore_index=True)
    table["block"] = blocks_of(table["x"].to_numpy(), table["y"].to_numpy(), settings.block_m)
    table["fold"] = folds_of(table["block"].to_numpy(), (table["label"] == 1).to_numpy(), settings, what)
    return Sample(table, evidence.names, cells, int((~known).sum()))


def _places(what: str, table: gpd.GeoDataFrame, grid: Grid, settings: FitSettings) -> tuple[Array, Array]:
    """Points of labels, and 1 for a find or an accident, 0 for a search without one."""
    if what == "hazards":
        left = remaining(table)
        kinds = left["kind"].isin(["contact-line", "cluster-strike"])
        points = cells_inside(left[left["land_class"].isin(["CHA", "SHA"]) & ~kinds], grid)
        if len(points) > settings.background:
            picked = np.random.default_rng(settings.seed).choice(len(points), settings.background, replace=False)
            points = points[np.sort(picked)]
        return points, np.ones(len(points))
    table = placed(table)
    points = np.asarray(shapely.force_2d(shapely.centroid(table.geometry.to_numpy())), dtype=object)
    if what == "accidents":
        return points, np.ones(len(points))
    if "found" not in table.columns or not table["found"].isin([True, False]).all():
        raise TableError("surveys: no column found with true or false in every row; say which searches had a find")
    return points, table["found"].to_numpy(bool).astype(float)


def cells_inside(areas: gpd.GeoDataFrame, grid: Grid) -> Array:
    """Centres of the cells whose centre lies in one of some polygons, each once, and inner points of small ones."""
    shapes = in_cells(grid, shapely.force_2d(areas.geometry.to_numpy()))
    places: set[tuple[int, int]] = set()
    for shape in shapes:
        west, south, east, north = np.floor(shape.bounds).astype(int)
        x, y = np.meshgrid(np.arange(west, east + 1) + 0.5, np.arange(south, north + 1) + 0.5)
        held = shapely.contains_xy(shape, x.ravel(), y.ravel())
        inner = np.array([shapely.point_on_surface(shape)])
        at = (
            cell_of(inner)
            if not held.any()
            else (np.floor(-y.ravel()[held]).astype(int), np.floor(x.ravel()[held]).astype(int))
        )
        places |= set(zip(at[0].tolist(), at[1].tolist(), strict=True))
    if not places:
        return np.array([], dtype=object)
    row, column = np.array(sorted(places)).T
    points: Array = shapely.points(grid.x0 + (column + 0.5) * grid.cell_m, grid.y1 - (row + 0.5) * grid.cell_m)
    return points


def _refuse_too_few(what: str, points: Array, settings: FitSettings) -> None:
    if not len(points):
        raise TableError(
            f"{what}: the table holds no row with a place, and nothing can be learned from it or held against it; "
            "give such rows (only a run in expert mode, with a strength for each term, needs none)"
        )
    if len(np.unique(shapely.get_coordinates(points), axis=0)) == 1:
        raise TableError(
            f"{what}: all {len(points)} lie at one coordinate, which is often a district's centre written for want "
            "of a better one; give their own places (only a run in expert mode needs none)"
        )


def blocks_of(x: Array, y: Array, block_m: float) -> Array:
    """Squares of the plane that hold points, as one number each; data never moves them.

    >>> len(set(blocks_of(np.array([10, 90, 110]), np.array([10, 90, 10]), 100.0).tolist()))
    2
    """
    column, row = np.floor(x / block_m).astype(np.int64), np.floor(y / block_m).astype(np.int64)
    numbers: Array = row * np.int64(1_000_003) + column
    return numbers


def folds_of(block: Array, positive: Array, settings: FitSettings, what: str) -> Array:
    """Fold of each row: whole blocks, dealt by seed so that the folds hold similar numbers of positives.

    Raises
    ------
    TableError
        Fewer blocks hold positives than there are folds.
    """
    names, of = np.unique(block, return_inverse=True)
    count = np.bincount(of, weights=positive, minlength=len(names))
    full = int((count > 0).sum())
    if full < settings.folds:
        raise TableError(
            f"{what}: they lie in {full} blocks of {settings.block_m:g} m, fewer than the {settings.folds} folds; take "
            "fewer folds, or smaller blocks if accidents do not hang together so far (an expert run needs none)"
        )
    chance = np.random.default_rng([settings.seed, 1]).random(len(names))
    held, size = np.zeros(settings.folds), np.zeros(settings.folds)
    fold = np.zeros(len(names), dtype=int)
    rows = np.bincount(of, minlength=len(names))
    for k in np.lexsort((chance, -count)):  # the fullest first, each to the emptiest fold
        best = np.lexsort((size, held))[0] if count[k] else int(np.argmin(size))
        fold[k] = best
        held[best] += count[k]
        size[best] += rows[k]
    out: Array = fold[of]
    return out
