"""Made-up worlds whose contamination is known: what the fitted mode is held against.

A world has a contact line across it, records that are right or wrong, strikes, and settlements that bring people and no
contamination. Each cell is contaminated with the probability of the surface's own form, drawn cell by cell. People walk
where settlements are near; accidents fall in contaminated cells, as often as people come there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from scipy.special import expit, logit

from clearplan.geo.grids import Grid, make_grid
from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.surface.evidence import Evidence, collect_evidence
from clearplan.surface.probability import evidence_at

E0, N0, UTM = 600_000.0, 4_400_000.0, "EPSG:32638"
CELL_M, REACH_M, BELT_M = 200.0, 9_000.0, 2_000.0
TERMS: dict[str, dict[str, Any]] = {
    "line": {"scale_m": 2_000, "shape": "long-tail"},
    "records": {"scale_m": 500, "shape": "exponential", "wrong_anchor_m": 3_000},
    "sha": {"scale_m": 600, "shape": "exponential"},
    "strikes": {"scale_m": 1_000, "shape": "gaussian"},
    "settlements": {"scale_m": 2_000, "shape": "exponential"},
}
#: Strengths that made the worlds' contamination [1]; each world draws its own round them, by a factor of 0.75-1.25.
TRUTH = {"line": 3.0, "records": 4.0, "sha": 3.0, "strikes": 2.5, "settlements": 0.0}
EXPOSURE = 2.5  # log of how much more people walk at a settlement than far from any
PREVALENCE = 0.08  # share of contaminated ground


@dataclass(frozen=True)
class World:
    """A made-up world and its truth: ``p`` and ``contaminated`` of every known cell."""

    evidence: Evidence
    hazards: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    accidents: gpd.GeoDataFrame
    cells: pd.DataFrame
    strengths: dict[str, float]
    prevalence: float


def plan_settings(seed: int = 1) -> SurfaceSettings:
    terms = [{"evidence": name, "spread": 0.5, "source": "simulated"} | told for name, told in TERMS.items()]
    return SurfaceSettings(
        mode="fitted", cell_m=CELL_M, max_distance_m=REACH_M, base_rate=0.01, base_rate_spread=0.5,
        base_rate_source="simulated", terms=terms, draws=20, seed=seed,
    )  # fmt: skip


def fit_settings(world: World, **changed: Any) -> FitSettings:
    told: dict[str, Any] = {
        "labels": "accidents", "prevalence": world.prevalence, "prevalence_spread": 0.0,
        "prevalence_source": "simulated", "exposure": ["settlements"], "background": 10_000, "block_m": 4_000,
        "folds": 5, "penalties": [10.0], "bootstrap": 20, "seed": 1,
    }  # fmt: skip
    return FitSettings(**(told | changed))


def simulate_world(seed: int, *, side: int = 200, accidents: int = 1_500, clustered: float = 0.0) -> World:
    """A world of side x side cells of 200 m with so many accidents.

    ``clustered`` is the standard deviation of a smooth field in the logit that no evidence tells of [1]: contamination
    then comes in patches, as fields do.
    """
    random = np.random.default_rng(seed)
    extent = side * CELL_M
    grid = make_grid((E0, N0, E0 + extent, N0 + extent), CELL_M, CRS.from_user_input(UTM))
    hazards, areas = _hazards(random, extent)
    places = gpd.GeoDataFrame(geometry=shapely.points(_spots(random, 12, extent)), crs=UTM)
    none = _accident_table(np.zeros((0, 2)))
    evidence = collect_evidence(hazards, areas, none, plan_settings(), grid=grid, settlements=places)
    cells = _all_cells(grid, evidence)
    strengths = {name: value * random.uniform(0.75, 1.25) for name, value in TRUTH.items()}
    score = sum(strengths[name] * cells[name].to_numpy() for name in TRUTH)
    if clustered:
        score = score + clustered * _smooth(random, grid)[cells["row"], cells["column"]]
    cells["p"] = expit(score + _base(score, PREVALENCE))
    cells["contaminated"] = random.random(len(cells)) < cells["p"]
    # People bring accidents; several may happen in one cell.
    rate = cells["contaminated"] * np.exp(EXPOSURE * cells["settlements"])
    where = random.choice(len(cells), accidents, p=(rate / rate.sum()).to_numpy())
    xy = cells[["x", "y"]].to_numpy()[where] + random.uniform(-0.5, 0.5, (accidents, 2)) * CELL_M
    return World(evidence, hazards, areas, _accident_table(xy), cells, strengths, float(cells["p"].mean()))


def _base(score: np.ndarray, prevalence: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda b: expit(b + score).mean() - prevalence, logit(prevalence) - score.max() - 1, 20))


def _spots(random: np.random.Generator, count: int, extent: float) -> np.ndarray:
    return np.array([E0, N0]) + random.uniform(0, extent, (count, 2))


def _hazards(random: np.random.Generator, extent: float) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """A line across the world with its belt, records, fields and strikes, most of them within reach of the line."""
    at = np.linspace(-0.1, 1.1, 13) * extent
    course = np.cumsum(random.normal(0, extent / 25, 13)) + extent * random.uniform(0.35, 0.65)
    line = shapely.LineString(np.column_stack([E0 + at, N0 + np.clip(course, 0, extent)]))
    base = {"status": "open", "ordnance": "AP", "position_error_m": 0.0, "source": "simulated", "deferred": None,
            "recorded_on": pd.Timestamp("2021-01-01"), "depth_profile": None, "measure": None, "sides": None,
            "caps": None, "reliability": np.nan, "kind": "minefield", "land_class": "SHA"}  # fmt: skip
    belt = {"kind": "contact-line", "land_class": "indication", "measure": "each-side", "sides": "both",
            "caps": "round", "depth_profile": f"0 {BELT_M / 2:g} {BELT_M:g}", "geometry": line}  # fmt: skip
    rows = [base | belt]
    scale = (extent / 40_000) ** 2
    for kind, count in (("records", 60), ("sha", 40), ("strikes", 12)):
        for spot in _spots(random, max(3, round(count * scale)), extent):
            shape = shapely.Point(spot).buffer(random.uniform(150, 600), quad_segs=4)
            row = {"geometry": shape}
            if kind == "records":
                row["reliability"] = float(random.choice([0.25, 0.5, 0.9]))
            if kind == "strikes":
                row |= {"kind": "cluster-strike", "land_class": "indication"}
            rows.append(base | row)
    hazards = gpd.GeoDataFrame(
        [row | {"hazard_id": f"H{k}"} for k, row in enumerate(rows)], geometry="geometry", crs=UTM
    )
    areas = hazards.assign(area_id=hazards["hazard_id"])
    areas.loc[0, "geometry"] = line.buffer(BELT_M)
    return hazards, areas


def _all_cells(grid: Grid, evidence: Evidence) -> pd.DataFrame:
    row, column = np.divmod(np.arange(grid.cells), grid.columns)
    x, y = grid.x0 + (column + 0.5) * grid.cell_m, grid.y1 - (row + 0.5) * grid.cell_m
    found = evidence_at(evidence, np.column_stack([x, y])).assign(x=x, y=y, row=row, column=column)
    return found[found["known"]].reset_index(drop=True)


def _smooth(random: np.random.Generator, grid: Grid) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(random.standard_normal((grid.rows, grid.columns)), 3.0, mode="wrap")
    return field / field.std()


def _accident_table(xy: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"accident_id": [f"A{k}" for k in range(len(xy))], "occurred_on": pd.NaT, "device": "AP",
         "position_error_m": 100.0, "source": "simulated", "deferred": None},
        geometry=shapely.points(xy), crs=UTM,
    )  # fmt: skip
