"""Contamination surface: the probability that a cell holds explosive ordnance, from all evidence together.

``logit p = logit base_rate + sum over terms of strength x g``, every g from :mod:`clearplan.surface.evidence`. Where no
line, record, field, strike or accident lies within ``max_distance_m`` nobody knows: the cell has no probability, not a
low one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from clearplan.core.crs import require_metres
from clearplan.core.errors import CrsError, OutputError, SettingsError
from clearplan.core.threads import in_threads, multiply
from clearplan.geo.grids import Grid, Window, cell_of, cells_in, halo_cells, in_cells, tiles
from clearplan.geo.rasters import code_style, ramp_style, read_cells, write_cells
from clearplan.settings.surface import SurfaceSettings
from clearplan.surface.evidence import Cells, Evidence, cells

Array = NDArray[Any]

#: A probability is written as this many parts; 0 is never written, so the least is one part.
PARTS = 10_000
UNKNOWN, UNKNOWN_CODE = 65_535, 255
LEAST = 1 / PARTS
AREA_COLUMNS = ["expected_m2", "low_m2", "high_m2", "known_m2", "unknown_m2"]
#: Cells, with halos, of the tiles in work at once, since more threads cost memory too; 1.4 GB where it is reached.
_CELLS_AT_ONCE = 2**25
_CHUNK = 512  # cells whose draws are held at once: 0.4 MB at 200 draws, which stays in the cache of a core

#: Stops of the colour scale: probability and red, green, blue. Pale to dark, and no green: low is not clear of hazard.
COLOURS = (
    (0.0, (255, 247, 224)),
    (0.01, (254, 232, 182)),
    (0.05, (253, 204, 138)),
    (0.1, (252, 168, 94)),
    (0.2, (243, 119, 67)),
    (0.4, (215, 60, 48)),
    (0.7, (158, 18, 57)),
    (1.0, (84, 10, 60)),
)
#: Colours of the evidence that moved a cell most (Paul Tol's muted set, which colour-blind readers can tell apart).
EVIDENCE_COLOURS = {
    "line": (51, 34, 136),
    "line-left": (51, 34, 136),
    "line-right": (94, 79, 162),
    "records": (136, 204, 238),
    "cha": (204, 102, 119),
    "sha": (221, 204, 119),
    "strikes": (170, 68, 153),
    "accidents": (136, 34, 85),
    "settlements": (153, 153, 51),
    "roads": (120, 120, 120),
    "searched": (68, 170, 153),
}


@dataclass(frozen=True)
class Surface:
    """A surface on disk: where it is, its grid, codes of evidence, and how much ground it speaks of."""

    path: Path
    evidence_path: Path
    grid: Grid
    codes: dict[int, str]
    known_m2: float
    unknown_m2: float
    expected_m2: float

    def read(self, window: Window | None = None) -> tuple[Array, Array]:
        """Probability (float32, NaN where nobody knows) and code of the strongest evidence, whole or in a window."""
        stored, code = read_cells(self.path, window), read_cells(self.evidence_path, window)
        return np.where(stored == UNKNOWN, np.nan, stored / np.float32(PARTS)).astype("float32"), code


def _strengths(settings: SurfaceSettings) -> Array:
    strengths = [strength for term in settings.terms for strength in term.columns.values()]
    if None in strengths:
        raise SettingsError("surface.terms: a strength is not set; fit the terms first, or write one for each")
    return np.array(strengths, dtype="float32")


def probability(terms: Array, settings: SurfaceSettings, shift: float | Array = 0.0) -> Array:
    """p from the terms' g (first axis: columns of the model), never below 1/10,000 [1, float32].

    >>> term = dict(evidence="sha", strength=2.0, spread=0, scale_m=500, shape="exponential", source="test")
    >>> s = SurfaceSettings(mode="expert", cell_m=100, max_distance_m=5000, base_rate=0.2, base_rate_spread=0,
    ...     base_rate_source="test", terms=[term], draws=20, seed=1)
    >>> [f"{p:.4f}" for p in probability(np.array([[0.0, 1.0]]), s)]  # 0.25 exp(2) = 1.847 of 2.847
    ['0.2000', '0.6488']
    >>> round(float(probability(np.array([[0.0]]), s, shift=np.log(1 - 0.9))[0]), 4)  # searched, d = 0.9
    0.0244
    """
    # Term by term, and not as a matrix product, whose rounding depends on the number of cells at hand.
    score = np.zeros(terms.shape[1:], dtype="float32") + np.float32(logit(settings.base_rate)) + shift
    for strength, term in zip(_strengths(settings), terms, strict=True):
        score += strength * term
    p: Array = np.maximum(expit(score), LEAST).astype("float32")
    return p


def make_surface(
    evidence: Evidence, path: str | Path, *, tags: Mapping[str, str] | None = None, side: int | None = None
) -> Surface:
    """Write the probability of every cell as ``path``, and beside it which evidence moved it most, and QGIS styles.

    Parameters
    ----------
    evidence : Evidence
        From :func:`collect_evidence`.
    path : path
        GeoTIFF of the probability (UInt16, x 10,000, at least 1; 65535: nobody knows). ``<name>_evidence.tif`` holds
        the code of the evidence with the largest part in the logit (0 none, 255 nobody knows): GDAL's COG driver makes
        the second band of a file with a colour table its transparency, so the two are files of their own.
    tags : mapping, optional
        Notice and fingerprint of the run; written into both files beside settings and codes.
    side : int, optional
        Side of a tile [cells]; moves no number.

    Raises
    ------
    OutputError
        The files can't be written.
    SettingsError
        A strength is not set.
    """
    path = Path(path)
    beside = path.with_name(f"{path.stem}_evidence.tif")
    grid, settings = evidence.grid, evidence.settings
    _strengths(settings)
    told = settings.model_dump_json(exclude={"settlements", "roads"})
    words = {"CLEARPLAN_SETTINGS": told, "CLEARPLAN_EVIDENCE": json.dumps(evidence.codes)}
    words |= {"CLEARPLAN_LEFT_OUT": ", ".join(evidence.left_out)} | dict(tags or {})
    count, total = 0, 0.0
    with (
        write_cells(
            path,
            grid,
            dtype="uint16",
            nodata=UNKNOWN,
            colours=_colour_table(),
            scale=LEAST,
            tags=words,
            description="probability that the cell holds explosive ordnance; no value: nobody knows",
        ) as write,
        write_cells(
            beside,
            grid,
            dtype="uint8",
            nodata=UNKNOWN_CODE,
            colours=_code_colours(evidence),
            tags=words,
            description="evidence that moved the probability most; codes in CLEARPLAN_EVIDENCE",
        ) as write_code,
    ):
        for window, found in _tiles(evidence, side):
            stored = np.full((window.rows, window.columns), UNKNOWN, dtype="uint16")
            code = np.full(stored.shape, UNKNOWN_CODE, dtype="uint8")
            if found is not None:
                p = probability(found.terms, settings, found.shift)
                stored[found.known] = np.rint(p[found.known] * PARTS).astype("uint16")
                code[found.known] = _strongest(found, settings)[found.known]
                count += int(found.known.sum())
                total += float(stored[found.known].sum(dtype="int64"))
            write(window, stored)
            write_code(window, code)
    _write_styles(path, beside, evidence)
    cell_m2 = grid.cell_m**2
    return Surface(
        path=path,
        evidence_path=beside,
        grid=grid,
        codes=evidence.codes,
        known_m2=count * cell_m2,
        unknown_m2=(grid.cells - count) * cell_m2,
        expected_m2=total / PARTS * cell_m2,
    )


def _tiles(
    evidence: Evidence, side: int | None = None, wanted: Array | None = None
) -> Iterator[tuple[Window, Cells | None]]:
    """Tiles with their cells, in order; a few at once in threads, so that memory stays that of a few tiles."""
    windows = tiles(evidence.grid, evidence.settings.max_distance_m, side)
    if wanted is not None:
        touched = shapely.STRtree(np.array([window.box for window in windows])).query(wanted, predicate="intersects")[1]
        windows = [windows[k] for k in np.unique(touched)]
    for some in _batches(evidence, windows):
        yield from zip(some, in_threads(lambda window: cells(evidence, window), some), strict=True)


def _batches(evidence: Evidence, parts: list[Any]) -> Iterator[list[Any]]:
    """Work in portions of a few tiles each: one to a core, as far as memory goes."""
    reach_m = evidence.settings.max_distance_m
    padded = tiles(evidence.grid, reach_m)[0].rows + 2 * halo_cells(evidence.grid, reach_m)
    count = max(1, min(os.cpu_count() or 1, 4, _CELLS_AT_ONCE // padded**2))
    for k in range(0, len(parts), count):
        yield parts[k : k + count]


def _strongest(found: Cells, settings: SurfaceSettings) -> Array:
    """Code of what moved the logit most; a search moves it downwards, and counts by how far."""
    most = np.zeros(found.known.shape, dtype="float32")
    code = np.zeros(found.known.shape, dtype="uint8")
    parts = [strength * term for strength, term in zip(_strengths(settings), found.terms, strict=True)]
    for k, part in enumerate([*parts, -found.shift], start=1):
        more = part > most
        np.copyto(most, part, where=more)
        code[more] = k
    return code


def evidence_at(evidence: Evidence, points: ArrayLike) -> pd.DataFrame:
    """What speaks for the cells that hold some points: the same numbers as in the raster.

    Parameters
    ----------
    points : array of geometry, n, or (n, 2) coordinates
        In the grid's CRS [m]; any number of them, in any order.

    Returns
    -------
    DataFrame
        A row a point: one column of g [0-1] for each column of the model, ``searched`` (what searches add to the
        logit), ``known`` and ``p`` (NaN where nobody knows, or where strengths are not set yet).
    """
    places = np.asarray(points)
    spots = shapely.centroid(places) if places.dtype == object else shapely.points(places.astype(float))
    grid, names = evidence.grid, evidence.names
    row, column = cell_of(in_cells(grid, spots))
    terms = np.zeros((len(names), len(spots)), dtype="float32")
    known, shift = np.zeros(len(spots), dtype=bool), np.zeros(len(spots), dtype="float32")
    side = tiles(grid, evidence.settings.max_distance_m)[0].rows
    blocks = pd.DataFrame({"r": row // side, "c": column // side}).groupby(["r", "c"]).indices

    def look(own: Array) -> tuple[Array, Window, Cells | None]:
        top, left = row[own].min(), column[own].min()
        window = Window(top, left, row[own].max() - top + 1, column[own].max() - left + 1)
        return own, window, cells(evidence, window)

    for some in _batches(evidence, list(blocks.values())):
        for own, window, found in in_threads(look, some):
            if found is not None:
                at = row[own] - window.row, column[own] - window.column
                terms[:, own] = found.terms[:, *at]
                known[own], shift[own] = found.known[at], found.shift[at]
    table = pd.DataFrame(dict(zip(names, terms, strict=True)))
    table["searched"], table["known"] = shift, known
    unset = any(s is None for term in evidence.settings.terms for s in term.columns.values())
    table["p"] = np.nan if unset else np.where(known, probability(terms, evidence.settings, shift), np.nan)
    return table


def draw_strengths(settings: SurfaceSettings) -> tuple[Array, Array]:
    """Seeded draws: logit of the base rate (draws), and strengths (columns of the model, draws).

    Normal with the stated spreads; strengths below 0 count as 0, so that more evidence never lowers a probability.
    """
    random = np.random.default_rng(settings.seed)
    base = logit(settings.base_rate) + settings.base_rate_spread * random.standard_normal(settings.draws)
    spread = np.array([term.spread for term in settings.terms for _ in term.columns])
    z = random.standard_normal((len(spread), settings.draws))
    return base.astype("float32"), np.maximum(_strengths(settings)[:, None] + spread[:, None] * z, 0).astype("float32")


def expected_area(
    evidence: Evidence,
    polygons: gpd.GeoDataFrame,
    *,
    draws: tuple[Array, Array] | None = None,
    side: int | None = None,
) -> pd.DataFrame:
    """Ground that is expected to be contaminated in each polygon, with a 90 % interval [m2].

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
        With the index of ``polygons``: expected_m2 (the surface's own probabilities, so that map and figure agree),
        low_m2 and high_m2 (5 % and 95 % of the draws, widened to hold expected_m2), known_m2 and unknown_m2 (they sum
        to the polygon's area). Where nothing is known the first three are NaN, never 0.

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
    """As :func:`expected_area`, and the draws that its interval is made of, which all polygons share.

    Returns
    -------
    DataFrame, array (polygons, draws) float32
        Share of each polygon's known ground that is contaminated in each draw [1]; NaN where nothing is known.
    """
    require_metres(polygons)
    if polygons.crs != evidence.grid.crs:
        raise CrsError(f"polygons are in {polygons.crs.name}, the surface in {evidence.grid.crs.name}; reproject them")
    grid = evidence.grid
    geometry = polygons.geometry.to_numpy()
    shaped = np.flatnonzero(~(shapely.is_missing(geometry) | shapely.is_empty(geometry)))
    shapes = in_cells(grid, shapely.force_2d(geometry[shaped]))
    inner = shapely.point_on_surface(shapes)
    tree = shapely.STRtree(shapes)
    by_inner = _holds_no_centre(shapes)
    base, strengths = _with_middle(evidence.settings, draws)
    held, known = np.zeros(len(shapes)), np.zeros(len(shapes))
    sums = np.zeros((len(shapes), len(base)))
    for window, found in _tiles(evidence, side, shapes):
        near = np.sort(tree.query(window.box, predicate="intersects"))
        own = [_inner_cell(window, inner[k]) if by_inner[k] else cells_in(window, shapes[k]) for k in near]
        sizes = np.array([len(flat) for flat in own], dtype=int)
        held[near] += sizes
        if found is None or not sizes.sum():
            continue
        place, flat = np.repeat(np.arange(len(near)), sizes), np.concatenate(own)
        speaks = found.known.ravel()[flat]
        place, flat = place[speaks], flat[speaks]
        known[near] += np.bincount(place, minlength=len(near))
        sums[near] += _summed(found, place, flat, len(near), base, strengths)
    return _area_table(polygons, shaped, _area_within(grid, geometry[shaped]), held, known, sums)


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
    return np.append(middle, base), np.column_stack([_strengths(settings), strengths])


def _summed(found: Cells, place: Array, flat: Array, count: int, base: Array, strengths: Array) -> Array:
    """Sum of p over cells, for each place (they come in order) and each column of strengths."""
    terms = found.terms.reshape(len(found.terms), -1)
    shift = found.shift.ravel()

    def part(k: int) -> tuple[Array, Array]:
        own = flat[k : k + _CHUNK]
        score = np.empty((len(own), strengths.shape[1]), dtype="float32")
        multiply(terms[:, own].T, strengths, score)
        score += base
        score += shift[own, None]
        np.negative(score, out=score)
        with np.errstate(over="ignore"):
            np.exp(score, out=score)
        score += 1
        np.maximum(np.reciprocal(score, out=score), np.float32(LEAST), out=score)
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
    polygons: gpd.GeoDataFrame, shaped: Array, areas: tuple[Array, Array], held: Array, known: Array, sums: Array
) -> tuple[pd.DataFrame, Array]:
    area, within = areas
    known_m2 = within * np.divide(known, held, out=np.zeros(len(held)), where=held > 0)
    mean = np.full(sums.shape, np.nan)
    np.divide(sums, known[:, None], out=mean, where=known[:, None] > 0)
    expected = mean[:, 0] * known_m2
    low, high = np.quantile(mean[:, 1:], (0.05, 0.95), axis=1) * known_m2 if len(mean) else np.zeros((2, 0))
    values = np.full((len(polygons), len(AREA_COLUMNS)), np.nan)
    values[shaped] = np.column_stack(
        [expected, np.fmin(low, expected), np.fmax(high, expected), known_m2, np.maximum(area - known_m2, 0)]
    )
    drawn = np.full((len(polygons), sums.shape[1] - 1), np.nan, dtype="float32")
    drawn[shaped] = mean[:, 1:]
    return pd.DataFrame(values, index=polygons.index, columns=AREA_COLUMNS), drawn


def _colour_table() -> dict[int, tuple[int, int, int, int]]:
    """Colour of every stored number; what nobody knows is transparent."""
    at = np.arange(PARTS + 1)
    stops = [stop * PARTS for stop, _ in COLOURS]
    bands = [np.rint(np.interp(at, stops, [c[k] for _, c in COLOURS])).astype(int) for k in range(3)]
    table = {k: (r, g, b, 255) for k, (r, g, b) in enumerate(zip(*(band.tolist() for band in bands), strict=True))}
    return table | {UNKNOWN: (255, 255, 255, 0)}


def _code_colours(evidence: Evidence) -> dict[int, tuple[int, int, int, int]]:
    table = {k: (*EVIDENCE_COLOURS.get(name, (225, 225, 225)), 255) for k, name in evidence.codes.items()}
    return table | {UNKNOWN_CODE: (255, 255, 255, 0)}


def _write_styles(path: Path, beside: Path, evidence: Evidence) -> None:
    """QGIS styles beside the rasters; QGIS takes them up by their names."""
    # QGIS applies the scale of the band before the style: it sees probabilities, not what is stored.
    stops = [(stop, colour, f"{stop:.0%}") for stop, colour in COLOURS]
    codes = [
        (float(k), colour[:3], evidence.codes[k])
        for k, colour in _code_colours(evidence).items()
        if k in evidence.codes
    ]
    try:
        path.with_suffix(".qml").write_text(ramp_style(stops), encoding="utf-8", newline="\n")
        beside.with_suffix(".qml").write_text(code_style(codes), encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(f"{path.with_suffix('.qml')}: can't be written ({error}); name another folder") from None
