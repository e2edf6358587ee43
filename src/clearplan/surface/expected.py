"""Contaminated ground in tasks and districts: what is expected, and what will be found, with the draws of both.

Two intervals, each of 90 %. That of the *expectation* comes from the draws of strengths alone: how well the mean is
known. That of what *will be found* is wider: blocks differ by more than the evidence explains (``block_spread``), and
contaminated ground lies in patches (``patch_m2``), of which a piece of ground holds some or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.special import logit

from clearplan.core.crs import require_metres
from clearplan.core.errors import CrsError
from clearplan.core.threads import in_threads, multiply
from clearplan.geo.grids import Grid, Window, cell_of, cells_in, in_cells
from clearplan.settings.surface import SurfaceSettings
from clearplan.surface.evidence import Cells, Evidence
from clearplan.surface.likelihood import RELATIVE
from clearplan.surface.occupancy import hit_area
from clearplan.surface.probability import draw_strengths, least_share, probability, strengths_of, tiles_of

Array = NDArray[Any]

_CHUNK = 512  # cells whose draws are held at once: 0.4 MB at 200 draws, which stays in the cache of a core
#: Seeds of what is drawn beside the strengths: blocks, and patches.
_BLOCKS, _PATCHES = 5, 9


def expected_area(
    evidence: Evidence,
    polygons: gpd.GeoDataFrame,
    *,
    draws: tuple[Array, Array] | None = None,
    side: int | None = None,
) -> pd.DataFrame:
    """Ground that is expected to be contaminated in each polygon, with 90 % intervals [m2].

    Parameters
    ----------
    polygons : GeoDataFrame
        Tasks, districts, in the grid's CRS; they may overlap. Rows without a shape get NaN.
    draws : (logit of the base rate, strengths), optional
        What the interval is made of, in the shapes of :func:`draw_strengths`; ``Fit.draws`` keeps together what was
        learned together. Without it, :func:`draw_strengths`.

    Returns
    -------
    DataFrame
        With the index of ``polygons``: expected_m2 (the surface's own shares, so that map and figure agree), low_m2 and
        high_m2 (90 % interval of what will be found, widened to hold expected_m2), known_m2 and unknown_m2 (they sum to
        the polygon's area). With ``block_spread`` or ``patch_m2`` also mean_low_m2 and mean_high_m2, the interval of
        the expectation; else the two are one. With ``patch_m2`` also holds_any, the chance that the known ground holds
        anything at all [1]. Where nothing is known all but the last two are NaN, never 0. Of a ``relative`` surface no
        area follows: they are NaN, and ``relative`` is the mean of the polygon's known ground over that of all [1].

    Notes
    -----
    A polygon counts the cells whose centre it holds, each for an equal share of its area; one that holds no centre
    takes the cell of its inner point. What lies beyond the grid is unknown. Low and high of a sum are not the sums of
    low and high: ask for the larger polygon.
    """
    return area_and_draws(evidence, polygons, draws=draws, side=side)[0]


def area_and_draws(
    evidence: Evidence,
    polygons: gpd.GeoDataFrame,
    *,
    draws: tuple[Array, Array] | None = None,
    side: int | None = None,
) -> tuple[pd.DataFrame, Array]:
    """As :func:`expected_area`, and the draws of what will be found, which all polygons share.

    Returns
    -------
    DataFrame, array (polygons, draws) float32
        Share of each polygon's known ground that is contaminated in each draw [1]; NaN where nothing is known.
    """
    require_metres(polygons)
    if polygons.crs != evidence.grid.crs:
        raise CrsError(f"polygons are in {polygons.crs.name}, the surface in {evidence.grid.crs.name}; reproject them")
    grid, settings = evidence.grid, evidence.settings
    geometry = polygons.geometry.to_numpy()
    shaped = np.flatnonzero(~(shapely.is_missing(geometry) | shapely.is_empty(geometry)))
    shapes = in_cells(grid, shapely.force_2d(geometry[shaped]))
    inner = shapely.point_on_surface(shapes)
    tree = shapely.STRtree(shapes)
    by_inner = _holds_no_centre(shapes)
    base, strengths = _with_middle(settings, draws)
    sums = _Sums.of(len(shapes), len(base), settings)
    for window, found in tiles_of(evidence, side, shapes):
        near = np.sort(tree.query(window.box, predicate="intersects"))
        own = [_inner_cell(window, inner[k]) if by_inner[k] else cells_in(window, shapes[k]) for k in near]
        sizes = np.array([len(flat) for flat in own], dtype=int)
        sums.held[near] += sizes
        if found is None or not sizes.sum():
            continue
        place, flat = np.repeat(np.arange(len(near)), sizes), np.concatenate(own)
        speaks = found.known.ravel()[flat]
        place, flat = place[speaks], flat[speaks]
        sums.known[near] += np.bincount(place, minlength=len(near))
        sums.mean[near] += _summed(found, place, flat, len(near), base, strengths, settings)
        if sums.found is not None:
            block = _blocks(grid, window, flat, settings, len(base), _shares(found, flat, settings))
            sums.found[near] += _summed(found, place, flat, len(near), base, strengths, settings, block)
        if settings.patch_m2 is not None:
            patches = -np.log1p(-_shares(found, flat, settings))
            sums.patches[near] += np.bincount(place, weights=patches, minlength=len(near))
    return _area_table(polygons, shaped, _area_within(grid, geometry[shaped]), sums, settings)


@dataclass(frozen=True)
class _Sums:
    """Sums over the cells of each polygon: cells, known ones, shares in each draw (the settings as they stand first).

    ``found``: the same with blocks drawn; None where blocks do not differ. ``patches``: of -log(1 - share).
    """

    held: Array
    known: Array
    mean: Array
    found: Array | None
    patches: Array

    @classmethod
    def of(cls, count: int, columns: int, settings: SurfaceSettings) -> _Sums:
        """Nothing summed yet."""
        found = np.zeros((count, columns)) if settings.block_spread else None
        return cls(np.zeros(count), np.zeros(count), np.zeros((count, columns)), found, np.zeros(count))


def _holds_no_centre(shapes: Array) -> Array:
    """Which polygons (in cells) hold no cell's centre; only small or narrow ones can."""
    west, south, east, north = shapely.bounds(shapes).T.reshape(4, -1)
    narrow = (shapely.area(shapes) < 64) | (np.minimum(east - west, north - south) < 2)
    alone = np.zeros(len(shapes), dtype=bool)
    for k in np.flatnonzero(narrow):
        top, left = int(np.floor(-north[k])), int(np.floor(west[k]))
        whole = Window(top, left, int(np.ceil(-south[k])) - top + 1, int(np.ceil(east[k])) - left + 1)
        alone[k] = not len(cells_in(whole, shapes[k]))
    return alone


def _inner_cell(window: Window, inner: Any) -> Array:
    """Flat position of the cell that holds an inner point, where it is one of the window's."""
    row, column = (int(at[0]) for at in cell_of(np.array([inner])))
    row, column = row - window.row, column - window.column
    inside = 0 <= row < window.rows and 0 <= column < window.columns
    return np.array([row * window.columns + column] if inside else [], dtype=np.int64)


def _with_middle(settings: SurfaceSettings, draws: tuple[Array, Array] | None) -> tuple[Array, Array]:
    """The draws, and before them the settings as they stand."""
    base, strengths = draw_strengths(settings) if draws is None else draws
    middle = np.float32(logit(settings.base_rate))
    return np.append(middle, base), np.column_stack([strengths_of(settings), strengths])


def _shares(found: Cells, flat: Array, settings: SurfaceSettings) -> Array:
    terms = found.terms.reshape(len(found.terms), -1)[:, flat]
    shares: Array = np.minimum(probability(terms, settings, found.shift.ravel()[flat]).astype(float), 1 - 1e-9)
    return shares


@dataclass(frozen=True)
class _Blocks:
    """Block of each cell (n), what it adds to the logit in each draw (blocks, 1 + draws), and to hold the mean (n)."""

    of: Array
    effect: Array
    held: Array


def _blocks(grid: Grid, window: Window, flat: Array, settings: SurfaceSettings, columns: int, share: Array) -> _Blocks:
    """Blocks of cells; the effect of a block is the same wherever and however often it is asked for.

    The mean share of a cell stays, to second order: the mean of expit(x + u) over u of spread s is
    p + s^2 / 2 p (1 - p) (1 - 2 p), which a shift of the logit by -s^2 / 2 (1 - 2 p) takes back.
    """
    assert settings.block_m is not None
    assert settings.block_spread is not None
    row, column = np.divmod(flat, window.columns)
    x = grid.x0 + (window.column + column + 0.5) * grid.cell_m
    y = grid.y1 - (window.row + row + 0.5) * grid.cell_m
    at = np.column_stack([np.floor(y / settings.block_m), np.floor(x / settings.block_m)]).astype(np.int64)
    names, of = np.unique(at, axis=0, return_inverse=True)
    spread = settings.block_spread
    effect = np.zeros((len(names), columns), dtype="float32")
    for k, (down, along) in enumerate(names.tolist()):
        random = np.random.default_rng([settings.seed, _BLOCKS, down % 2**32, along % 2**32])
        effect[k, 1:] = spread * random.standard_normal(columns - 1)
    return _Blocks(of.ravel(), effect, (-(spread**2) / 2 * (1 - 2 * share)).astype("float32"))


def _summed(
    found: Cells,
    place: Array,
    flat: Array,
    count: int,
    base: Array,
    strengths: Array,
    settings: SurfaceSettings,
    blocks: _Blocks | None = None,
) -> Array:
    """Sum of shares over cells, for each place (they come in order) and each column of strengths."""
    terms = found.terms.reshape(len(found.terms), -1)
    shift = found.shift.ravel()
    least = np.float32(least_share(settings))

    def part(k: int) -> tuple[Array, Array]:
        own = flat[k : k + _CHUNK]
        score = np.empty((len(own), strengths.shape[1]), dtype="float32")
        multiply(terms[:, own].T, strengths, score)
        score += base
        score += shift[own, None]
        if blocks is not None:
            score += blocks.effect[blocks.of[k : k + _CHUNK]]
            score[:, 1:] += blocks.held[k : k + _CHUNK, None]
        np.negative(score, out=score)
        with np.errstate(over="ignore"):
            np.exp(score, out=score)
        score += 1
        np.maximum(np.reciprocal(score, out=score), least, out=score)
        places, first = np.unique(place[k : k + _CHUNK], return_index=True)
        return places, np.add.reduceat(score, first, axis=0, dtype="float64")

    sums = np.zeros((count, strengths.shape[1]))
    for places, added in in_threads(part, range(0, len(flat), _CHUNK)):
        sums[places] += added
    return sums


def _area_within(grid: Grid, shapes: Array) -> tuple[Array, Array]:
    """Area of shapes [m2], and the part of it that lies on the grid."""
    ground = shapely.box(*grid.bounds)
    area = shapely.area(shapes)
    within = area.copy()
    beyond = ~shapely.covers(ground, shapes)
    within[beyond] = shapely.area(shapely.intersection(shapes[beyond], ground))
    return area, within


def _area_table(
    polygons: gpd.GeoDataFrame, shaped: Array, areas: tuple[Array, Array], sums: _Sums, settings: SurfaceSettings
) -> tuple[pd.DataFrame, Array]:
    area, on_grid = areas
    known_m2 = on_grid * np.divide(sums.known, sums.held, out=np.zeros(len(sums.held)), where=sums.held > 0)
    mean = _means(sums.mean, sums.known)
    found = mean if sums.found is None else _means(sums.found, sums.known)
    found = _in_patches(found[:, 1:], known_m2, settings)
    columns = {"expected_m2": mean[:, 0] * known_m2}
    columns["low_m2"], columns["high_m2"] = _interval(found, mean[:, 0], known_m2)
    if settings.block_spread or settings.patch_m2 is not None:
        columns["mean_low_m2"], columns["mean_high_m2"] = _interval(mean[:, 1:], mean[:, 0], known_m2)
    if settings.relative:
        columns = {name: np.full(len(known_m2), np.nan) for name in columns}
        columns["relative"] = mean[:, 0] / RELATIVE
        found = found / RELATIVE
    columns |= {"known_m2": known_m2, "unknown_m2": np.maximum(area - known_m2, 0)}
    if settings.patch_m2 is not None and not settings.relative:
        columns["holds_any"] = _holds_any(sums, known_m2, settings.patch_m2)
    whole = {name: np.full(len(polygons), np.nan) for name in columns}
    for name, values in columns.items():
        whole[name][shaped] = values
    table = pd.DataFrame(whole, index=polygons.index)
    drawn = np.full((len(polygons), found.shape[1]), np.nan, dtype="float32")
    drawn[shaped] = found
    return table, drawn


def _means(sums: Array, known: Array) -> Array:
    mean: Array = np.full(sums.shape, np.nan)
    np.divide(sums, known[:, None], out=mean, where=known[:, None] > 0)
    return mean


def _interval(drawn: Array, middle: Array, known_m2: Array) -> tuple[Array, Array]:
    """5 and 95 % of draws [m2], widened to hold the middle."""
    if not len(drawn):
        return np.zeros(0), np.zeros(0)
    low, high = np.quantile(drawn, (0.05, 0.95), axis=1) * known_m2
    return np.fmin(low, middle * known_m2), np.fmax(high, middle * known_m2)


def _in_patches(share: Array, known_m2: Array, settings: SurfaceSettings) -> Array:
    """Share of each polygon that is found in each draw, where contaminated ground lies in patches of a mean size.

    N = share x ground / patch patches lie in a polygon, as a Poisson number does, so that the variance of the share
    found is share (1 - share) patch / ground; drawn from the Beta distribution of that mean and variance.
    """
    if settings.patch_m2 is None or not share.size:
        return share
    random = np.random.default_rng([settings.seed, _PATCHES])
    known = known_m2 > 0
    strength = np.maximum(known_m2[known] / settings.patch_m2 - 1, 1e-2)[:, None]
    middle = np.clip(share[known], 1e-9, 1 - 1e-9)
    found = share.copy()
    found[known] = random.beta(np.maximum(middle * strength, 1e-9), np.maximum((1 - middle) * strength, 1e-9))
    return found


def _holds_any(sums: _Sums, known_m2: Array, patch_m2: float) -> Array:
    """Chance that the known ground of each polygon, taken as a square, holds any contamination."""
    patches = np.divide(sums.patches, sums.known, out=np.full(len(known_m2), np.nan), where=sums.known > 0)
    chance: Array = -np.expm1(-patches * hit_area(known_m2, patch_m2) / patch_m2)
    return chance
