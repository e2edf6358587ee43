"""Evidence laid on a grid: distances, mixtures and densities that the contamination surface weighs together.

Each kind of evidence becomes g: 1 where it lies, falling with distance, 0 at ``max_distance_m``. One code computes it
for the raster, for areas, for fitting and for a click on the map, so that they can't differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from clearplan.core.crs import require_metres
from clearplan.core.errors import CrsError, SettingsError, TableError
from clearplan.geo.distances import distance_m, kernel_patch, kernel_sum, nearest
from clearplan.geo.grids import Grid, Layer, Window, burn, burn_sum, cell_of, in_cells, layer, make_grid, region_bounds
from clearplan.settings.surface import SurfaceSettings, SurfaceTerm
from clearplan.surface.belts import ContactLine, contact_lines, deepest_to_local, left_of, touched_places
from clearplan.tables.check import placed, remaining

Array = NDArray[Any]

#: Largest raster that is made [cells]: 0.75 GB before compression, some minutes on 2 cores (benchmarks/README.md).
MAX_CELLS = 250_000_000
#: Terms that move a probability where something is known, and make nothing known by themselves: that people live in a
#: place, or drive through it, tells nobody whether it is contaminated.
CONTEXT = ("settlements", "roads")
#: What evidence within reach weighs at least, so that "little" and "nobody knows" stay apart in float32.
_FAINT = np.float32(1e-30)


@dataclass(frozen=True)
class Evidence:
    """All evidence laid on a grid, ready for any window of it. Made by :func:`collect_evidence`."""

    settings: SurfaceSettings
    grid: Grid
    makers: tuple[Callable[[Window], list[Array] | None], ...]
    mask: Layer | None
    searched: Layer | None
    shifts: Array
    left_out: tuple[str, ...]  # kinds of evidence that the tables hold and no term weighs

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the model: one for each term, two for a line whose sides differ."""
        return tuple(name for term in self.settings.terms for name in term.columns)

    @property
    def codes(self) -> dict[int, str]:
        """Codes of the evidence that moved a cell most; 0 is none."""
        return {0: "none"} | dict(enumerate((*self.names, "searched"), start=1))


@dataclass(frozen=True)
class Cells:
    """Evidence in a window: ``terms`` (columns of the model, rows, columns), what is known, what searches add."""

    terms: Array
    known: Array
    shift: Array


def collect_evidence(  # noqa: PLR0913 - one keyword for each layer of evidence
    hazards: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    accidents: gpd.GeoDataFrame,
    settings: SurfaceSettings,
    *,
    region: tuple[float, float, float, float] | None = None,
    grid: Grid | None = None,
    settlements: gpd.GeoDataFrame | None = None,
    roads: gpd.GeoDataFrame | None = None,
    mask: gpd.GeoDataFrame | None = None,
    searched: gpd.GeoDataFrame | None = None,
) -> Evidence:
    """Lay all evidence on one grid.

    Parameters
    ----------
    hazards : GeoDataFrame
        HAZARDS: contact lines, and the ``reliability`` [0-1] of records where that column is there.
    areas : GeoDataFrame
        AREAS: footprints of records, confirmed, suspected and struck ground. Closed and deferred rows say nothing.
    accidents : GeoDataFrame
        ACCIDENTS; may be empty.
    settings : SurfaceSettings
        Cell, reach, terms.
    region : (west, south, east, north), optional
        Region [degrees, WGS 84] that the grid covers. Or ``grid``, a grid of the house's CRS.
    settlements, roads : GeoDataFrame, optional
        Layers in the same CRS; needed where a term names them.
    mask : GeoDataFrame, optional
        Polygons of which the data speak; cells whose centre lies outside are unknown.
    searched : GeoDataFrame, optional
        Polygons with ``detection``: the probability that the search would have found what was there [0-1]; each
        row is one pass.

    Returns
    -------
    Evidence

    Raises
    ------
    CrsError
        A table is not in metres, or not in the CRS of the others.
    SettingsError
        A term needs a layer that is not given; the raster would be too large; neither or both of region and grid.
    TableError
        A contact line is not one line, or ``detection`` or ``reliability`` is not within 0-1.
    """
    layers = [table for table in (settlements, roads, mask, searched) if table is not None]
    crs = require_metres(hazards, areas, accidents, *layers)
    if (region is None) == (grid is None):
        raise SettingsError("surface: give region or grid, and not both")
    if grid is None:
        assert region is not None
        grid = make_grid(region_bounds(region, crs), settings.cell_m, crs)
    if grid.crs != crs:
        raise CrsError(f"the grid is in {grid.crs.name}, the tables in {crs.name}; make it in the CRS of the tables")
    if grid.cell_m != settings.cell_m:
        raise SettingsError(
            f"surface.cell_m is {settings.cell_m:g}, the grid's cells are {grid.cell_m:g} m; make one fit"
        )
    refuse_too_large(grid)
    asked = {term.evidence for term in settings.terms}
    tables = {"settlements": settlements, "roads": roads}
    makers = []
    for term in settings.terms:
        if term.evidence == "line":
            makers.append(_line_maker(grid, hazards, term, settings.max_distance_m))
        elif term.evidence == "records":
            makers.append(_records_maker(grid, hazards, areas, term, settings.max_distance_m))
        elif term.evidence == "accidents":
            makers.append(_accidents_maker(grid, accidents, term, settings.max_distance_m))
        else:
            shapes = _reported(term.evidence, hazards, areas, tables)
            makers.append(_distance_maker(grid, shapes, term, settings.max_distance_m))
    passes, shifts = _search_shifts(searched)
    return Evidence(
        settings=settings,
        grid=grid,
        makers=tuple(makers),
        mask=None if mask is None else layer(grid, mask.geometry.to_numpy()),
        searched=None if passes is None else layer(grid, passes),
        shifts=shifts,
        left_out=tuple(name for name in _held(hazards, areas, accidents) if name not in asked),
    )


def _held(hazards: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, accidents: gpd.GeoDataFrame) -> list[str]:
    """Kinds of evidence of which the tables hold at least one row that counts."""
    records = remaining(areas)["hazard_id"].isin(_reliability(hazards).index)
    held = {"line": (remaining(hazards)["kind"] == "contact-line").any(), "records": records.any()}
    held |= {name: len(_reported(name, hazards, areas, {})) > 0 for name in ("cha", "sha", "strikes")}
    held["accidents"] = len(placed(accidents)) > 0
    return [name for name, some in held.items() if some]


def refuse_too_large(grid: Grid) -> None:
    """A raster that nobody could use is refused before any work, with the size that it would have.

    Raises
    ------
    SettingsError
        More than ``MAX_CELLS`` cells.
    """
    if grid.cells > MAX_CELLS:
        side_m = math.ceil(grid.cell_m * math.sqrt(grid.cells / MAX_CELLS))
        raise SettingsError(
            f"surface.cell_m {grid.cell_m:g}: the raster would have {grid.columns:,} x {grid.rows:,} = {grid.cells:,} "
            f"cells and {3 * grid.cells / 1e9:,.1f} GB before compression, more than {MAX_CELLS:,} cells; take cells "
            f"of {side_m} m or more, or a smaller region"
        )


def fall_off(shape: str, distance: ArrayLike, scale_m: float, reach_m: float) -> Array:
    """g: 1 at distance 0, falling, exactly 0 at the reach and beyond; (h(d) - h(reach)) / (1 - h(reach)).

    h is 1/(1 + d/scale) for 'long-tail', exp(-d/scale) for 'exponential', exp(-d2/(2 scale2)) for 'gaussian'.

    >>> [round(float(fall_off("long-tail", d, 1_000, 9_000)), 3) for d in (0, 1_000, 9_000, 20_000)]
    [1.0, 0.444, 0.0, 0.0]
    """

    def h(d: Array) -> Array:
        if shape == "long-tail":
            return 1 / (1 + d / scale_m)
        return np.exp(-d / scale_m) if shape == "exponential" else np.exp(-((d / scale_m) ** 2) / 2)

    away, least = np.asarray(distance), float(h(np.asarray(float(reach_m))))
    return np.where(away < reach_m, np.clip((h(np.minimum(away, reach_m)) - least) / (1 - least), _FAINT, 1), 0)


def _fall(term: SurfaceTerm, distance: Array, reach_m: float, scale_m: float | None = None) -> Array:
    weight: Array = fall_off(term.shape, distance, scale_m or term.scale_m, reach_m)
    return weight.astype("float32", copy=False)


# --- one maker for each kind of evidence: window -> g of its columns, or None where none of it is within reach
# (functions of the module with their arguments, not closures: a study can be pickled)


def _distance_maker(
    grid: Grid, geometries: Array, term: SurfaceTerm, reach_m: float
) -> Callable[[Window], list[Array] | None]:
    return partial(_by_distance, grid, layer(grid, geometries, reach_m), term, reach_m)


def _by_distance(grid: Grid, shapes: Layer, term: SurfaceTerm, reach_m: float, window: Window) -> list[Array] | None:
    away = distance_m(grid, window, shapes, reach_m)
    return None if away is None else [_fall(term, away, reach_m)]


def _reported(name: str, hazards: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, tables: Mapping[str, Any]) -> Array:
    """Shapes of one kind of evidence; a minefield that is only an indication counts with the suspected ones."""
    if name in tables:
        table = tables[name]
        if table is None:
            raise SettingsError(f"surface.terms: {name} needs a layer; name its file as surface.{name}")
        table = placed(table) if "deferred" in table.columns else table
        return np.asarray(table.geometry.to_numpy(), dtype=object)
    left = remaining(areas)
    kind, cha = left["kind"], left["land_class"] == "CHA"
    fields = ~kind.isin(["contact-line", "cluster-strike"]) & ~left["hazard_id"].isin(_reliability(hazards).index)
    wanted = {"strikes": kind == "cluster-strike", "cha": fields & cha, "sha": fields & ~cha}[name]
    return np.asarray(left[wanted].geometry.to_numpy(), dtype=object)


def _reliability(hazards: gpd.GeoDataFrame) -> pd.Series:
    """Reliability of the hazards that are records, by hazard_id [0-1]."""
    if "reliability" not in hazards.columns:
        return pd.Series(dtype=float)
    rho: pd.Series = pd.to_numeric(hazards.set_index("hazard_id")["reliability"]).astype(float).dropna()
    wrong = rho[~rho.between(0, 1)]
    if len(wrong):
        raise TableError(f"hazards: reliability {wrong.iloc[0]:g} of {wrong.index[0]} is not within 0-1; correct it")
    return rho


def _records_maker(
    grid: Grid, hazards: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, term: SurfaceTerm, reach_m: float
) -> Callable[[Window], list[Array] | None]:
    """Mixture of a right and a wrong anchor; of records of equal reliability the nearest counts.

    q = rho g(d; scale_m) + (1 - rho) share g(d; wrong_anchor_m), share = footprint / disc of wrong_anchor_m, at most
    1; over the reliabilities 1 - prod(1 - q).
    """
    assert term.wrong_anchor_m is not None
    wrong_m = term.wrong_anchor_m
    left = remaining(areas)
    rho = left["hazard_id"].map(_reliability(hazards)).astype(float).round(2)
    left = left[rho.notna()]
    rho = rho[rho.notna()]
    share = np.minimum(shapely.area(left.geometry.to_numpy()) / (math.pi * wrong_m**2), 1.0)
    groups = []
    for trust in np.unique(rho):
        own = (rho == trust).to_numpy()
        groups.append((float(trust), layer(grid, left.geometry.to_numpy()[own], reach_m), share[own].astype("float32")))

    return partial(_by_records, grid, groups, term, reach_m, wrong_m)


def _by_records(
    grid: Grid,
    groups: list[tuple[float, Layer, Array]],
    term: SurfaceTerm,
    reach_m: float,
    wrong_m: float,
    window: Window,
) -> list[Array] | None:
    total: Array | None = None
    for trust, shapes, parts in groups:
        found = nearest(grid, window, shapes, reach_m)
        if found is None:
            continue
        part = parts[found.number][found.cell]
        q = trust * _fall(term, found.distance_m, reach_m)
        q += (1 - trust) * part * _fall(term, found.distance_m, reach_m, wrong_m)
        np.maximum(q, np.where(found.distance_m < reach_m, _FAINT, 0), out=q)
        total = q if total is None else total + q - total * q
    return None if total is None else [total.astype("float32", copy=False)]


def _accidents_maker(
    grid: Grid, accidents: gpd.GeoDataFrame, term: SurfaceTerm, reach_m: float
) -> Callable[[Window], list[Array] | None]:
    """1 - 2 ** (-density / half_at); density = accidents, each counted by g of its distance, by cells."""
    assert term.half_at is not None
    half_at = term.half_at
    points = shapely.force_2d(shapely.centroid(in_cells(grid, placed(accidents).geometry.to_numpy())))
    points = points[~(shapely.is_missing(points) | shapely.is_empty(points))]
    held, count = np.unique(np.column_stack(cell_of(points)).reshape(-1, 2), axis=0, return_counts=True)
    patch = kernel_patch(grid, reach_m, lambda d: fall_off(term.shape, d, term.scale_m, reach_m))

    return partial(_by_accidents, held, count, patch, half_at)


def _by_accidents(held: Array, count: Array, patch: Array, half_at: float, window: Window) -> list[Array] | None:
    density = kernel_sum(window, held[:, 0], held[:, 1], count, patch) if len(held) else None
    if density is None:
        return None
    return [-np.expm1(density * np.float32(-math.log(2) / half_at))]


def _line_maker(
    grid: Grid, hazards: gpd.GeoDataFrame, term: SurfaceTerm, reach_m: float
) -> Callable[[Window], list[Array] | None]:
    """Effective distance |d| x largest depth / local depth; of several lines the one with the larger g counts."""
    return partial(_by_line, grid, contact_lines(grid, hazards, reach_m), term, reach_m)


def _by_line(
    grid: Grid, lines: list[ContactLine], term: SurfaceTerm, reach_m: float, window: Window
) -> list[Array] | None:
    split = len(term.columns) == 2
    out: list[Array] | None = None
    for line in lines:
        found = nearest(grid, window, line.cells, reach_m)
        if found is None:
            continue
        places = touched_places(grid, line, found)
        ratio = deepest_to_local(line, places)[found.cell]
        weight = _fall(term, np.minimum(found.distance_m * ratio, np.float32(reach_m)), reach_m)
        if split or line.sides != "both":
            left = left_of(grid, window, line, found, places, reach_m)
            weight = weight if line.sides == "both" else weight * (left == (line.sides == "left"))
        sides = [weight * left, weight * ~left] if split else [weight]
        out = sides if out is None else [np.maximum(a, b) for a, b in zip(out, sides, strict=True)]
    return out


def _search_shifts(searched: gpd.GeoDataFrame | None) -> tuple[Array | None, Array]:
    """Each pass as what it adds to the logit: p' = p (1 - d) / (1 - p d) is logit p' = logit p + log(1 - d)."""
    if searched is None:
        return None, np.array([])
    if "detection" not in searched.columns:
        raise TableError("searched: no column detection; give each pass its probability of detection, 0-1")
    table = placed(searched) if "deferred" in searched.columns else searched
    detection = pd.to_numeric(table["detection"]).to_numpy(float)
    wrong = ~((detection >= 0) & (detection <= 1))
    if wrong.any():
        raise TableError(f"searched: detection {detection[wrong][0]:g} is not within 0-1; correct it")
    # A search that misses nothing would give -inf; the least probability stands for it, and is never 0.
    with np.errstate(divide="ignore"):
        shift = np.maximum(np.log1p(-detection), -60.0)
    return np.asarray(table.geometry.to_numpy(), dtype=object), shift


def cells(evidence: Evidence, window: Window) -> Cells | None:
    """All terms in a window; None where nothing at all is within reach of it."""
    terms = np.zeros((len(evidence.names), window.rows, window.columns), dtype="float32")
    known = np.zeros((window.rows, window.columns), dtype=bool)
    first, reached = 0, False
    for term, make in zip(evidence.settings.terms, evidence.makers, strict=True):
        made = make(window)
        reached |= made is not None
        for k, weight in enumerate(made or [], start=first):
            terms[k] = weight
            if term.evidence not in CONTEXT:
                known |= weight > 0
        first += len(term.columns)
    if not reached:
        return None
    if evidence.mask is not None:
        near = evidence.mask.near(window)
        known &= burn(window, evidence.mask.shapes[near], np.ones(len(near), int), "uint8") > 0
    shift = np.zeros((window.rows, window.columns), dtype="float32")
    if evidence.searched is not None:
        near = evidence.searched.near(window)
        shift = burn_sum(window, evidence.searched.shapes[near], evidence.shifts[evidence.searched.numbers[near]])
    return Cells(terms, known, shift)
