"""Contamination surface: the share of the ground that is contaminated [m2 per m2], from all evidence together.

``logit p = logit base_rate + sum over terms of strength x g``, every g from :mod:`clearplan.surface.evidence`. Where no
line, record, field, strike, accident or cleared ground lies within ``max_distance_m`` nobody knows: the cell has no
share, not a low one. Shares sum over ground of any size; the chance that a piece of ground holds anything at all does
not, and stands in :mod:`clearplan.surface.occupancy`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from clearplan.core.errors import OutputError, SettingsError
from clearplan.core.threads import in_threads
from clearplan.geo.grids import Grid, Window, cell_of, halo_cells, in_cells, tiles
from clearplan.geo.rasters import code_style, ramp_style, read_cells, write_cells
from clearplan.settings.surface import SurfaceSettings
from clearplan.surface.evidence import Cells, Evidence, cells
from clearplan.surface.likelihood import RELATIVE

Array = NDArray[Any]

#: A share is written as this many parts; 0 is never written, so the least is one part.
PARTS = 10_000
UNKNOWN, UNKNOWN_CODE = 65_535, 255
#: A relative surface is written as this many parts of its mean.
RELATIVE_PARTS = 100
LEAST = 1 / PARTS
#: Cells, with halos, of the tiles in work at once, since more threads cost memory too; 1.4 GB where it is reached.
_CELLS_AT_ONCE = 2**25

#: Stops of the colour scale: share and red, green, blue. Pale to dark, and no green: low is not clear of hazard.
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
    "cleared": (17, 119, 51),
    "closed": (117, 157, 90),
    "settlements": (153, 153, 51),
    "roads": (120, 120, 120),
    "searched": (68, 170, 153),
}


_SHARE_WORDS = "share of the ground that is contaminated; no value: nobody knows"
_RELATIVE_WORDS = "contaminated share over its mean, whose size nobody states; no value: nobody knows"


@dataclass(frozen=True)
class Surface:
    """A surface on disk: where it is, its grid, codes of evidence, and how much ground it speaks of.

    ``relative``: its shares are parts of their mean, and nobody says how much ground is contaminated; ``expected_m2``
    is NaN then.
    """

    path: Path
    evidence_path: Path
    grid: Grid
    codes: dict[int, str]
    known_m2: float
    unknown_m2: float
    expected_m2: float
    relative: bool = False

    def read(self, window: Window | None = None) -> tuple[Array, Array]:
        """Share (float32, NaN where nobody knows) and code of the strongest evidence, whole or in a window."""
        stored, code = read_cells(self.path, window), read_cells(self.evidence_path, window)
        parts = np.float32(RELATIVE_PARTS if self.relative else PARTS)
        return np.where(stored == UNKNOWN, np.nan, stored / parts).astype("float32"), code


def strengths_of(settings: SurfaceSettings) -> Array:
    """Strength of every column of the model, float32.

    Raises
    ------
    SettingsError
        One is not set.
    """
    strengths = list(settings.strengths.values())
    if None in strengths:
        raise SettingsError("surface.terms: a strength is not set; fit the terms first, or write one for each")
    return np.array(strengths, dtype="float32")


def probability(terms: Array, settings: SurfaceSettings, shift: float | Array = 0.0) -> Array:
    """Share of contaminated ground from the g of columns (first axis), never below 1/10,000 [1, float32].

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
    for strength, term in zip(strengths_of(settings), terms, strict=True):
        score += strength * term
    p: Array = np.maximum(expit(score), least_share(settings)).astype("float32")
    return p


def least_share(settings: SurfaceSettings) -> float:
    """The least share that is ever given: little is not none [1]."""
    return LEAST * RELATIVE if settings.relative else LEAST


def make_surface(
    evidence: Evidence, path: str | Path, *, tags: Mapping[str, str] | None = None, side: int | None = None
) -> Surface:
    """Write the share of every cell as ``path``, and beside it which evidence moved it most, and QGIS styles.

    Parameters
    ----------
    evidence : Evidence
        From :func:`collect_evidence`.
    path : path
        GeoTIFF of the share (UInt16, x 10,000, at least 1; 65535: nobody knows). ``<name>_evidence.tif`` holds
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
    strengths_of(settings)
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
            colours=_colour_table(settings),
            scale=1 / RELATIVE_PARTS if settings.relative else LEAST,
            tags=words,
            description=_RELATIVE_WORDS if settings.relative else _SHARE_WORDS,
        ) as write,
        write_cells(
            beside,
            grid,
            dtype="uint8",
            nodata=UNKNOWN_CODE,
            colours=_code_colours(evidence),
            tags=words,
            description="evidence that moved the share most; codes in CLEARPLAN_EVIDENCE",
        ) as write_code,
    ):
        for window, found in tiles_of(evidence, side):
            stored = np.full((window.rows, window.columns), UNKNOWN, dtype="uint16")
            code = np.full(stored.shape, UNKNOWN_CODE, dtype="uint8")
            if found is not None:
                p = probability(found.terms, settings, found.shift)[found.known]
                stored[found.known] = _stored(p, settings)
                code[found.known] = _strongest(found, evidence)[found.known]
                count += len(p)
                total += float(p.sum(dtype="float64"))
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
        expected_m2=np.nan if settings.relative else total * cell_m2,
        relative=settings.relative,
    )


def _stored(p: Array, settings: SurfaceSettings) -> Array:
    """Shares as the file holds them; of a relative surface as parts of 100 of their mean over the known ground."""
    if not settings.relative:
        parts: Array = np.rint(p * PARTS).astype("uint16")
        return parts
    parts = np.clip(np.rint(p / RELATIVE * RELATIVE_PARTS), 1, UNKNOWN - 1).astype("uint16")
    return parts


def tiles_of(
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


def _strongest(found: Cells, evidence: Evidence) -> Array:
    """Code of what moved the logit upwards most, or a search downwards; the scales of a term are one thing."""
    most = np.zeros(found.known.shape, dtype="float32")
    code = np.zeros(found.known.shape, dtype="uint8")
    parts = contributions(found.terms, evidence.settings) | {"searched": -found.shift}
    number = {name: k for k, name in evidence.codes.items()}
    for name, part in parts.items():
        more = part > most
        np.copyto(most, part, where=more)
        code[more] = number[name]
    return code


def contributions(terms: Array, settings: SurfaceSettings) -> dict[str, Array]:
    """What each kind of evidence adds to the logit, from the terms' g (first axis: columns of the model).

    The scales of a term are summed; two sides of a line stay apart.
    """
    parts: dict[str, Array] = {}
    for (name, kind), strength, term in zip(settings.kinds.items(), strengths_of(settings), terms, strict=True):
        key = name if name in ("line-left", "line-right") else kind
        own = strength * term
        parts[key] = parts[key] + own if key in parts else own
    return parts


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
    unset = None in evidence.settings.strengths.values()
    table["p"] = np.nan if unset else np.where(known, probability(terms, evidence.settings, shift), np.nan)
    return table


def draw_strengths(settings: SurfaceSettings) -> tuple[Array, Array]:
    """Seeded draws: logit of the base rate (draws), and strengths (columns of the model, draws).

    Normal with the stated spreads; strengths of evidence below 0 count as 0, so that more evidence never lowers a
    share. Those of covariates may be of either sign.
    """
    random = np.random.default_rng(settings.seed)
    base = logit(settings.base_rate) + settings.base_rate_spread * random.standard_normal(settings.draws)
    spread = np.array(list(settings.spreads.values()))
    z = random.standard_normal((len(spread), settings.draws))
    strengths = strengths_of(settings)[:, None] + spread[:, None] * z
    least = np.where(of_land(settings), -np.inf, 0.0)
    return base.astype("float32"), np.maximum(strengths, least[:, None]).astype("float32")


def of_land(settings: SurfaceSettings) -> Array:
    """Which columns of the model are covariates, whose strength may be negative."""
    land = {covariate.name for covariate in settings.covariates}
    return np.array([name in land for name in settings.strengths])


#: What the darkest colour of a relative surface stands for: so many times the mean.
_DARKEST = 50.0


def _colour_table(settings: SurfaceSettings) -> dict[int, tuple[int, int, int, int]]:
    """Colour of every stored number; what nobody knows is transparent."""
    at = np.arange(UNKNOWN if settings.relative else PARTS + 1)
    stops = [stop * (_DARKEST * RELATIVE_PARTS if settings.relative else PARTS) for stop, _ in COLOURS]
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
    if evidence.settings.relative:
        stops = [(stop * _DARKEST, colour, f"{stop * _DARKEST:g} x the mean") for stop, colour in COLOURS]
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
