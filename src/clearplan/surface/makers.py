"""One maker for each kind of evidence: window -> g of its columns, or None where none of it is within reach.

g is 1 where the evidence lies, falls with distance, and is 0 at ``max_distance_m``; a term with several scales has a
column of each. Functions of the module with their arguments, not closures: a study can be pickled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from clearplan.geo.distances import distance_m, kernel_patch, kernel_sum, nearest
from clearplan.geo.grids import Grid, Layer, Window, cell_of, in_cells, layer
from clearplan.settings.surface import SurfaceTerm
from clearplan.surface.belts import ContactLine, contact_lines, deepest_to_local, left_of, touched_places
from clearplan.tables.check import placed

Array = NDArray[Any]
Maker = Callable[[Window], list[Array] | None]

#: What evidence within reach weighs at least, so that "little" and "nobody knows" stay apart in float32.
_FAINT = np.float32(1e-30)
#: Rows of one age class share a layer: ages are cut to this part of the half-life, and never made older.
_AGE_STEP = 0.5
_OLDEST = 5.0  # half-lives; what is older counts as this old, for ground stays known


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


@dataclass(frozen=True)
class _Group:
    """Shapes that weigh alike, on a grid: their layer, their weight, and for records the share of each [1]."""

    shapes: Layer
    weight: float
    share: Array | None = None


def _falls(term: SurfaceTerm, distance: Array, reach_m: float) -> list[Array]:
    """g for each scale of a term, float32."""
    (shape,) = term.shapes
    return [fall_off(shape, distance, scale, reach_m).astype("float32", copy=False) for scale in term.scales_m]


def ages(days: pd.Series, as_at: pd.Timestamp) -> Array:
    """Age at a day [years]; 0 where a row has none, or a later one."""
    age = (as_at - pd.to_datetime(days)).dt.total_seconds().to_numpy(float) / (365.25 * 86_400)
    counted: Array = np.maximum(np.nan_to_num(age, nan=0.0), 0.0)
    return counted


def faded(age: Array, half_life: float) -> Array:
    """Weight of rows of some age: half after each half-life.

    >>> faded(np.array([0.0, 5.0, 10.0]), 5.0).tolist()
    [1.0, 0.5, 0.25]
    """
    weight: Array = 0.5 ** (age / half_life)
    return weight


def by_distance(grid: Grid, shapes: Array, term: SurfaceTerm, reach_m: float) -> Maker:
    """g of the distance to the nearest shape."""
    return partial(_weighed, grid, _groups(grid, shapes, np.ones(len(shapes)), reach_m), term, reach_m, _larger)


def by_age(
    grid: Grid, shapes: Array, days: pd.Series, as_at: pd.Timestamp | None, term: SurfaceTerm, reach_m: float
) -> Maker:
    """The largest weight x g, each shape with the weight of its age class; all weigh 1 without a half-life."""
    half_life = term.half_life
    if half_life is None:
        return by_distance(grid, shapes, term, reach_m)
    assert as_at is not None
    step = _AGE_STEP * half_life
    classes = np.minimum(np.floor(ages(days, as_at) / step) * step, _OLDEST * half_life)
    return partial(_weighed, grid, _groups(grid, shapes, faded(classes, half_life), reach_m), term, reach_m, _larger)


def by_reliability(grid: Grid, shapes: Array, trust: Array, term: SurfaceTerm, reach_m: float) -> Maker:
    """1 - prod(1 - trust x g) over the levels of trust; of shapes of equal trust the nearest counts."""
    return partial(_weighed, grid, _groups(grid, shapes, np.round(trust, 2), reach_m), term, reach_m, _either)


def _groups(grid: Grid, shapes: Array, weights: Array, reach_m: float) -> list[_Group]:
    return [_Group(layer(grid, shapes[weights == weight], reach_m), float(weight)) for weight in np.unique(weights)]


def _larger(one: Array, other: Array) -> Array:
    larger: Array = np.maximum(one, other)
    return larger


def _either(one: Array, other: Array) -> Array:
    """That at least one of two independent parts holds."""
    either: Array = one + other - one * other
    return either


def _weighed(
    grid: Grid,
    groups: list[_Group],
    term: SurfaceTerm,
    reach_m: float,
    joined: Callable[[Array, Array], Array],
    window: Window,
) -> list[Array] | None:
    """Weight x g of the nearest shape of each group, joined over the groups."""
    out: list[Array] | None = None
    for group in groups:
        away = distance_m(grid, window, group.shapes, reach_m)
        if away is None:
            continue
        found = _falls(term, away, reach_m)
        if group.weight < 1:
            # What is faint stays within reach: neither age nor doubt makes ground unknown.
            found = [np.where(g > 0, np.maximum(g * np.float32(group.weight), _FAINT), 0) for g in found]
        out = found if out is None else [joined(a, b) for a, b in zip(out, found, strict=True)]
    return out


def by_records(grid: Grid, records: gpd.GeoDataFrame, trust: pd.Series, term: SurfaceTerm, reach_m: float) -> Maker:
    """Mixture of a right and a wrong anchor; of records of equal reliability the nearest counts.

    q = rho g(d; scale_m) + (1 - rho) share g(d; wrong_anchor_m), share = footprint / disc of wrong_anchor_m, at most
    1; over the reliabilities 1 - prod(1 - q).
    """
    assert term.wrong_anchor_m is not None
    rho, shapes = trust.round(2).to_numpy(), records.geometry.to_numpy()
    share = np.minimum(shapely.area(shapes) / (math.pi * term.wrong_anchor_m**2), 1.0).astype("float32")
    groups = [_Group(layer(grid, shapes[rho == r], reach_m), float(r), share[rho == r]) for r in np.unique(rho)]
    return partial(_by_records, grid, groups, term, reach_m)


def _by_records(
    grid: Grid, groups: list[_Group], term: SurfaceTerm, reach_m: float, window: Window
) -> list[Array] | None:
    wrong = term.model_copy(update={"scale_m": term.wrong_anchor_m})
    out: list[Array] | None = None
    for group in groups:
        found = nearest(grid, window, group.shapes, reach_m)
        if found is None:
            continue
        assert group.share is not None
        astray = np.float32(1 - group.weight) * group.share[found.number][found.cell]
        astray *= _falls(wrong, found.distance_m, reach_m)[0]
        faint = np.where(found.distance_m < reach_m, _FAINT, np.float32(0))
        own = [
            np.maximum(np.float32(group.weight) * g + astray, faint) for g in _falls(term, found.distance_m, reach_m)
        ]
        out = own if out is None else [_either(a, b) for a, b in zip(out, own, strict=True)]
    return out


def by_accidents(
    grid: Grid, accidents: gpd.GeoDataFrame, as_at: pd.Timestamp | None, term: SurfaceTerm, reach_m: float
) -> Maker:
    """1 - 2 ** (-density / half_at); density = accidents, each counted by its weight x g of its distance, by cells."""
    assert term.half_at is not None
    (shape,) = term.shapes
    there = placed(accidents)
    weights = np.ones(len(there))
    if term.half_life is not None:
        assert as_at is not None
        weights = faded(ages(there["occurred_on"], as_at), term.half_life)
    points = shapely.force_2d(shapely.centroid(in_cells(grid, there.geometry.to_numpy())))
    shaped = ~(shapely.is_missing(points) | shapely.is_empty(points))
    at = np.column_stack(cell_of(points[shaped])).reshape(-1, 2)
    held, own = np.unique(at, axis=0, return_inverse=True)
    count = np.bincount(own.ravel(), weights=weights[shaped], minlength=len(held))
    patches = [
        kernel_patch(grid, reach_m, partial(fall_off, shape, scale_m=scale, reach_m=reach_m)) for scale in term.scales_m
    ]
    return partial(_by_accidents, held, count, patches, term.half_at)


def _by_accidents(
    held: Array, count: Array, patches: list[Array], half_at: float, window: Window
) -> list[Array] | None:
    if not len(held):
        return None
    density = [kernel_sum(window, held[:, 0], held[:, 1], count, patch) for patch in patches]
    rate = np.float32(-math.log(2) / half_at)
    return None if density[0] is None else [-np.expm1(each * rate) for each in density if each is not None]


def by_line(grid: Grid, hazards: gpd.GeoDataFrame, term: SurfaceTerm, reach_m: float) -> Maker:
    """Effective distance |d| x largest depth / local depth; of several lines the one with the larger g counts."""
    return partial(_by_line, grid, contact_lines(grid, hazards, reach_m), term, reach_m)


def _by_line(
    grid: Grid, lines: list[ContactLine], term: SurfaceTerm, reach_m: float, window: Window
) -> list[Array] | None:
    split = "line-left" in term.columns
    out: list[Array] | None = None
    for line in lines:
        found = nearest(grid, window, line.cells, reach_m)
        if found is None:
            continue
        places = touched_places(grid, line, found)
        ratio = deepest_to_local(line, places)[found.cell]
        own = _falls(term, np.minimum(found.distance_m * ratio, np.float32(reach_m)), reach_m)
        if split or line.sides != "both":
            left = left_of(grid, window, line, found, places, reach_m)
            own = own if line.sides == "both" else [g * (left == (line.sides == "left")) for g in own]
        if split:
            own = [own[0] * left, own[0] * ~left]
        out = own if out is None else [_larger(a, b) for a, b in zip(out, own, strict=True)]
    return out
