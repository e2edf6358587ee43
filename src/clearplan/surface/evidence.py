"""Evidence laid on a grid: distances, mixtures and densities that the contamination surface weighs together.

Each kind of evidence becomes g: 1 where it lies, falling with distance, 0 at ``max_distance_m``. One code computes it
for the raster, for areas, for fitting and for a click on the map, so that they can't differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.checks import Day, parse_date
from clearplan.core.crs import require_metres
from clearplan.core.errors import CrsError, SettingsError, TableError
from clearplan.geo.grids import Grid, Layer, Window, burn, burn_sum, layer, make_grid, region_bounds
from clearplan.settings.surface import DATED, SurfaceSettings, SurfaceTerm
from clearplan.surface.covariates import LandMaker, covariate_maker
from clearplan.surface.makers import Maker, by_accidents, by_age, by_distance, by_line, by_records, by_reliability
from clearplan.surface.reliability import with_finds
from clearplan.tables.check import placed, remaining

Array = NDArray[Any]

#: Largest raster that is made [cells]: 0.75 GB before compression, some minutes on 2 cores (benchmarks/README.md).
MAX_CELLS = 250_000_000
#: Terms that move a share where something is known, and make nothing known by themselves: that people live in a
#: place, or drive through it, tells nobody whether it is contaminated.
CONTEXT = ("settlements", "roads")


@dataclass(frozen=True)
class Evidence:
    """All evidence laid on a grid, ready for any window of it. Made by :func:`collect_evidence`."""

    settings: SurfaceSettings
    grid: Grid
    makers: tuple[Maker, ...]
    land: tuple[LandMaker, ...]
    mask: Layer | None
    searched: Layer | None
    shifts: Array
    left_out: tuple[str, ...]  # kinds of evidence that the tables hold and no term weighs

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the model: one for each scale of a term, two for a line whose sides differ, then covariates."""
        return tuple(self.settings.strengths)

    @property
    def codes(self) -> dict[int, str]:
        """Codes of the evidence that moved a cell most; 0 is none. Scales of one term share a code."""
        kinds = dict.fromkeys(self.settings.kinds[n] if n not in ("line-left", "line-right") else n for n in self.names)
        return {0: "none"} | dict(enumerate((*kinds, "searched"), start=1))


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
    cleared: gpd.GeoDataFrame | None = None,
    reliability: pd.Series | None = None,
    covariates: Mapping[str, gpd.GeoDataFrame] | None = None,
    elevation: str | Path | None = None,
    as_at: Day | None = None,
) -> Evidence:
    """Lay all evidence on one grid.

    Parameters
    ----------
    hazards : GeoDataFrame
        HAZARDS: contact lines, and the ``reliability`` [0-1] of records where that column is there.
    areas : GeoDataFrame
        AREAS: footprints of records, confirmed, suspected and struck ground. Closed rows are evidence for the term of
        that name alone, dated by a column ``closed_on`` where there is one; deferred rows say nothing.
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
    cleared : GeoDataFrame, optional
        RELEASES, for the term of that name: of those by clearance with finds.
    reliability : Series, optional
        Share of the areas of each source that hold something [0-1], index the source, for ``learn_reliability``.
    covariates : mapping, optional
        Layers of shapes for covariates that are no rasters, by name, in the same CRS.
    elevation : path, optional
        Raster of heights [m], for slope and relief.
    as_at : date or ISO text, optional
        Day from which ages count; needed where a term has a half-life. Rows that are dated after it are the caller's
        to leave out (:func:`clearplan.as_at`).

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
    covariates = covariates or {}
    given = [t for t in (settlements, roads, mask, searched, cleared, *covariates.values()) if t is not None]
    crs = require_metres(hazards, areas, accidents, *given)
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
    day = None if as_at is None else pd.Timestamp(parse_date(as_at, None))
    layers = {"settlements": settlements, "roads": roads, "cleared": cleared, "reliability": reliability}
    reach_m = settings.max_distance_m
    makers = [_maker(term, grid, hazards, areas, accidents, layers, day, reach_m) for term in settings.terms]
    land = [covariate_maker(one, grid, covariates, elevation, reach_m) for one in settings.covariates]
    passes, shifts = _search_shifts(searched)
    return Evidence(
        settings=settings,
        grid=grid,
        makers=tuple(makers),
        land=tuple(land),
        mask=None if mask is None else layer(grid, mask.geometry.to_numpy()),
        searched=None if passes is None else layer(grid, passes),
        shifts=shifts,
        left_out=tuple(name for name in _held(hazards, areas, accidents, layers) if name not in asked),
    )


def _held(
    hazards: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, accidents: gpd.GeoDataFrame, layers: Mapping[str, Any]
) -> list[str]:
    """Kinds of evidence of which the tables hold at least one row that counts."""
    records = remaining(areas)["hazard_id"].isin(_reliability(hazards).index)
    held = {"line": (remaining(hazards)["kind"] == "contact-line").any(), "records": records.any()}
    held |= {name: len(evidence_rows(name, hazards, areas, layers)) > 0 for name in ("cha", "sha", "strikes")}
    held["accidents"] = len(placed(accidents)) > 0
    held |= {name: len(evidence_rows(name, hazards, areas, layers)) > 0 for name in ("cleared", "closed")}
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


def _maker(
    term: SurfaceTerm,
    grid: Grid,
    hazards: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    accidents: gpd.GeoDataFrame,
    layers: Mapping[str, Any],
    as_at: pd.Timestamp | None,
    reach_m: float,
) -> Maker:
    """The maker of one term."""
    if term.half_life is not None and as_at is None:
        raise SettingsError(
            f"surface.terms: half_life_years of {term.evidence} needs as_at, the day from which age counts"
        )
    if term.evidence == "line":
        return by_line(grid, hazards, term, reach_m)
    if term.evidence == "records":
        records = remaining(areas)
        trust = records["hazard_id"].map(_reliability(hazards)).astype(float)
        return by_records(grid, records[trust.notna()], trust[trust.notna()], term, reach_m)
    if term.evidence == "accidents":
        return by_accidents(grid, accidents, as_at, term, reach_m)
    table = evidence_rows(term.evidence, hazards, areas, layers)
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    if term.evidence in DATED:
        return by_age(grid, shapes, table["since"], as_at, term, reach_m)
    if term.learn_reliability:
        known = layers["reliability"]
        if known is None:
            raise SettingsError(f"surface.terms: learn_reliability of {term.evidence} needs reliability, by source")
        return by_reliability(grid, shapes, table["source"].map(known).fillna(1.0).to_numpy(float), term, reach_m)
    return by_distance(grid, shapes, term, reach_m)


def evidence_rows(
    name: str, hazards: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, layers: Mapping[str, Any]
) -> gpd.GeoDataFrame:
    """Rows with the shapes of one kind of evidence; ``since`` is their day, where the kind has one.

    A minefield that is only an indication counts with the suspected ones. Cleared ground on which nothing was found, as
    the release itself says, is no evidence.
    """
    if name in ("settlements", "roads", "cleared"):
        table = layers[name]
        if table is None and name == "cleared":
            return areas.iloc[:0].assign(since=pd.NaT)
        if table is None:
            raise SettingsError(f"surface.terms: {name} needs a layer; name its file as surface.{name}")
        table = placed(table) if "deferred" in table.columns else table
        return _cleared(table) if name == "cleared" else table
    if name == "closed":
        gone = placed(areas)
        gone = gone[(gone["status"] == "closed") & (gone["kind"] != "contact-line")]
        return gone.assign(since=gone["closed_on"] if "closed_on" in gone.columns else pd.NaT)
    left = remaining(areas)
    kind, cha = left["kind"], left["land_class"] == "CHA"
    fields = ~kind.isin(["contact-line", "cluster-strike"]) & ~left["hazard_id"].isin(_reliability(hazards).index)
    wanted = {"strikes": kind == "cluster-strike", "cha": fields & cha, "sha": fields & ~cha}[name]
    found: gpd.GeoDataFrame = left[wanted]
    return found.assign(since=found["recorded_on"]) if "recorded_on" in found.columns else found.assign(since=pd.NaT)


def _cleared(releases: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Releases by clearance in which something was found, or of which nobody says what was."""
    own = releases[with_finds(releases)]
    return own.assign(since=own["decided_on"])


def _reliability(hazards: gpd.GeoDataFrame) -> pd.Series:
    """Reliability of the hazards that are records, by hazard_id [0-1]."""
    if "reliability" not in hazards.columns:
        return pd.Series(dtype=float)
    rho: pd.Series = pd.to_numeric(hazards.set_index("hazard_id")["reliability"]).astype(float).dropna()
    wrong = rho[~rho.between(0, 1)]
    if len(wrong):
        raise TableError(f"hazards: reliability {wrong.iloc[0]:g} of {wrong.index[0]} is not within 0-1; correct it")
    return rho


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
    for make_land in evidence.land:
        terms[first] = make_land(window)
        first += 1
    if evidence.mask is not None:
        near = evidence.mask.near(window)
        known &= burn(window, evidence.mask.shapes[near], np.ones(len(near), int), "uint8") > 0
    shift = np.zeros((window.rows, window.columns), dtype="float32")
    if evidence.searched is not None:
        near = evidence.searched.near(window)
        shift = burn_sum(window, evidence.searched.shapes[near], evidence.shifts[evidence.searched.numbers[near]])
    return Cells(terms, known, shift)
