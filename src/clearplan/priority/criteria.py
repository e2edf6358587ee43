"""Raw figures of tasks, one function a criterion: low, likely and high, so that nobody takes a guess for a count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from clearplan.core.errors import TableError
from clearplan.geo import shapes
from clearplan.geo.blocking import blocking_ground, reaching
from clearplan.geo.shifts import counts_within, directions
from clearplan.settings.priority import Criterion, PrioritySettings
from clearplan.tables.check import placed
from clearplan.tables.people import already_home
from clearplan.tables.texts import ids_in

Array = NDArray[Any]


@dataclass(frozen=True)
class Meaning:
    """How a criterion's raw figure is named and measured, and what of its uncertainty tasks share.

    ``shared``: 'task' (each task has its own), 'all' (one for all), 'surface' (one for all that comes from the
    surface), 'zones' (tasks of one zone share it), 'hazard' (tasks shift with the hazard whose position error they
    have).
    """

    label: str
    unit: str
    shared: Literal["task", "all", "surface", "zones", "hazard"] = "task"


CRITERIA: dict[str, Meaning] = {
    "people": Meaning("People who wait, in zones that the task affects", "people", "zones"),
    "families": Meaning("Families who wait, in zones that the task affects", "families", "zones"),
    "already_home": Meaning("People already home, in zones that the task affects", "people", "zones"),
    "days_to_return": Meaning("Days until the planned return", "days", "zones"),
    "lifelines": Meaning("Essential lifelines that the task blocks", "lifelines"),
    "zone_distance": Meaning("Distance to the nearest zone", "m", "hazard"),
    "accidents": Meaning("Accidents near the task", "accidents", "hazard"),
    "land_class": Meaning("Strength of the evidence (class)", "0-1"),
    "area": Meaning("Area of the task", "ha"),
    "probability": Meaning("Expected contaminated share of its ground", "0-1", "surface"),
    "expected_area": Meaning("Ground expected to be contaminated", "ha", "surface"),
    "effort": Meaning("Effort", "team-days", "all"),
    "road_distance": Meaning("Distance to the nearest road", "m", "hazard"),
    "slope": Meaning("Mean slope", "°"),
}


@dataclass(frozen=True)
class Around:
    """What else the figures are measured from; each is needed by the criterion that asks for it.

    accidents, lifelines : ACCIDENTS, LIFELINES
    roads : layer of lines in the tasks' CRS
    elevation : raster of heights [m]
    as_at : day from which days are counted
    """

    accidents: gpd.GeoDataFrame | None = None
    lifelines: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    elevation: Path | None = None
    as_at: dt.date | None = None


@dataclass(frozen=True)
class Figure:
    """A raw figure of each task (n): likely, low and high; NaN where nobody knows.

    ``zones``: the zones from which the doubt of each task comes, '; ' between, where it comes from zones. ``rises``:
    direction in which a shift of the task raises the figure, clockwise from grid north [°]. ``elsewhere``: the figure
    at each of ``geo.shifts.PLACES`` (n, places), where no direction says it; NaN: no shift of the task alone does.
    """

    likely: Array
    low: Array
    high: Array
    zones: list[str] | None = None
    rises: Array | None = None
    elsewhere: Array | None = None


def exactly(values: ArrayLike) -> Figure:
    """A figure without doubt."""
    same = np.asarray(values, dtype=float)
    return Figure(same, same, same)


def measure(
    tasks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, settings: PrioritySettings, around: Around, criterion: Criterion
) -> Figure:
    """Raw figure of a criterion for every task; figures that nobody knows are assumed as it says.

    Raises
    ------
    TableError
        A table or setting that it needs is not given, or a task has no figure and none is assumed.
    """
    if criterion.column is not None:
        found = exactly(_column(tasks, criterion))
    else:
        found = _MEASURED[criterion.name](tasks, zones, settings, around)
    unknown = np.isnan(found.likely)
    if not unknown.any():
        return found
    if criterion.unknown is None:
        first, count = tasks["task_id"].to_numpy(object)[unknown][0], int(unknown.sum())
        raise TableError(
            f"task {first} (of {count} such): no figure for criterion {criterion.name}; state what to assume as its "
            "unknown = [low, likely, high]"
        )
    low, likely, high = criterion.unknown if isinstance(criterion.unknown, tuple) else (criterion.unknown,) * 3
    return Figure(
        np.where(unknown, likely, found.likely),
        np.where(unknown, low, found.low),
        np.where(unknown, high, found.high),
        found.zones,
        found.rises,
        found.elsewhere,
    )


def _column(tasks: pd.DataFrame, criterion: Criterion) -> Array:
    from difflib import get_close_matches

    column = criterion.column
    assert column is not None
    if column not in tasks.columns:
        near = get_close_matches(column, [str(name) for name in tasks.columns], n=3, cutoff=0.4)
        hint = f"; near it are {', '.join(near)}" if near else ""
        raise TableError(f"criterion {criterion.name}: TASKS has no column {column!r}{hint}")
    held = tasks[column]
    if not (pd.api.types.is_numeric_dtype(held) or held.dtype == object or pd.api.types.is_string_dtype(held)) or (
        pd.api.types.is_bool_dtype(held)
    ):
        raise TableError(f"criterion {criterion.name}: column {column!r} of TASKS holds {held.dtype}, no numbers")
    figures = pd.to_numeric(held, errors="coerce")
    wrong = figures.isna() & tasks[column].notna()
    if wrong.any():
        raise TableError(
            f"criterion {criterion.name}: {tasks[column][wrong].iloc[0]!r} in column {column!r} of TASKS is no number"
        )
    return figures.to_numpy(float)


# --- zones and their people


@dataclass(frozen=True)
class ZoneFigures:
    """People or families of each task's zones: what is stated, and in which zones nobody states any."""

    stated: Array
    unknown: list[list[str]]


def zone_figures(tasks: pd.DataFrame, known: Mapping[str, float]) -> ZoneFigures:
    """Sum over each task's zones of a figure by zone, and the zones whose figure is unknown (NaN).

    Raises
    ------
    TableError
        A task names a zone that is not there.
    """
    stated, unknown = np.zeros(len(tasks)), []
    for k, ids in enumerate(tasks["zone_ids"]):
        own = ids_in(ids)
        for zone in own:
            if zone not in known:
                raise TableError(f"task {tasks['task_id'].iloc[k]} names zone {zone!r}, which ZONES lacks")
        stated[k] = sum(known[zone] for zone in own if not np.isnan(known[zone]))
        unknown.append([zone for zone in own if np.isnan(known[zone])])
    return ZoneFigures(stated, unknown)


def people_of(zones: pd.DataFrame) -> dict[str, float]:
    """People by zone; NaN is unknown."""
    return dict(zip(zones["zone_id"], pd.to_numeric(zones["people"]).astype(float), strict=True))


def _people(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    return _assumed(zone_figures(tasks, people_of(zones)), _waiting(settings))


def _already_home(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    found = zone_figures(tasks, dict(zip(zones["zone_id"], already_home(zones), strict=True)))
    if settings.unknown_already_home is None and any(found.unknown):
        first = next(own for own in found.unknown if own)[0]
        raise TableError(
            f"criterion already_home: nobody knows how many are home in zone {first}; state "
            "priority.unknown_already_home, or drop the criterion"
        )
    return _assumed(found, settings.unknown_already_home or (0.0, 0.0, 0.0))


def _waiting(settings: PrioritySettings) -> tuple[float, float, float]:
    """Least, likely and most people who are assumed to wait for a zone whose number nobody knows [people]."""
    likely = settings.unknown_people
    low, high = settings.unknown_people_range or (likely, likely)
    return low, likely, high


def _assumed(found: ZoneFigures, unknown: tuple[float, float, float], per: float = 1.0) -> Figure:
    """With what is assumed for each zone of which nobody knows: least, likely and most, divided by ``per``."""
    count = np.array([len(own) for own in found.unknown], dtype=float)
    least, likely, most = (found.stated + count * people / per for people in unknown)
    return Figure(likely, least, most, ["; ".join(own) for own in found.unknown])


def _families(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    families = pd.to_numeric(zones["families"]).astype(float) if "families" in zones.columns else np.nan
    known = pd.Series(families, index=zones.index, dtype=float)
    size = settings.people_per_family
    if size is not None:
        known = known.fillna(pd.to_numeric(zones["people"]).astype(float) / size)
    found = zone_figures(tasks, dict(zip(zones["zone_id"], known, strict=True)))
    if size is None and any(found.unknown):
        first = next(own for own in found.unknown if own)[0]
        raise TableError(
            f"criterion families: zone {first} states none; state priority.people_per_family, or weigh people instead"
        )
    return _assumed(found, _waiting(settings), size or 1.0)


def _days_to_return(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    """Days from the day of the study to the earliest planned return among a task's zones; below 0 it has passed."""
    if around.as_at is None:
        raise TableError("criterion days_to_return: hand over the day from which days count, as_at")
    if "planned_return" not in zones.columns:
        raise TableError("criterion days_to_return: ZONES has no column planned_return; add it or drop the criterion")
    days = (pd.to_datetime(zones["planned_return"]) - pd.Timestamp(around.as_at)).dt.days.astype(float)
    known = dict(zip(zones["zone_id"], days, strict=True))
    undated = zone_figures(tasks, known).unknown
    earliest = np.array(
        [
            min((known[zone] for zone in ids_in(ids) if not np.isnan(known[zone])), default=np.nan)
            for ids in tasks["zone_ids"]
        ],
        dtype=float,
    )
    return Figure(earliest, earliest, earliest, ["; ".join(own) for own in undated])


# --- what lies near


def _errors(tasks: pd.DataFrame) -> Array:
    """Position error of each task [m]; blank is none that could be drawn from."""
    return pd.to_numeric(tasks["position_error_m"]).fillna(0.0).to_numpy(float)


def _nearest(tasks: gpd.GeoDataFrame, shapes_: Array) -> Figure:
    """Distance to the nearest shape [m], infinite without any; low and high by the task's position error."""
    away, rises = np.full(len(tasks), np.inf), np.full(len(tasks), np.nan)
    ground = tasks.geometry.to_numpy()
    if len(shapes_) and len(tasks):
        (i, j), distance = shapely.STRtree(shapes_).query_nearest(ground, return_distance=True, all_matches=False)
        away[i] = distance
        rises[i] = directions(shapes_[j], ground[i])
    error = _errors(tasks)
    return Figure(away, np.maximum(away - error, 0.0), away + error, rises=rises)


def _zone_distance(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    return _nearest(tasks, placed(zones).geometry.to_numpy())


def _road_distance(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    if around.roads is None:
        raise TableError("criterion road_distance: no roads are given; name their file as priority.roads")
    if not len(around.roads):
        raise TableError("criterion road_distance: the layer of roads is empty; give one with roads, or drop it")
    return _nearest(tasks, around.roads.geometry.to_numpy())


def _accidents(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    accidents = around.accidents
    if accidents is None:
        raise TableError("criterion 'accidents' needs the ACCIDENTS table; hand it over or drop the criterion")
    when = pd.to_datetime(accidents["occurred_on"])
    counted = placed(accidents[when.isna() | (when >= pd.Timestamp(settings.accidents_since))])
    ground, points = tasks.geometry.to_numpy(), counted.geometry.to_numpy()
    error, within_m = _errors(tasks), settings.accidents_radius_m
    found = counts_within(ground, points, within_m, error).astype(float)
    doubted = _at_places(counted)
    if not doubted.any():
        return Figure(found[:, 0], found.min(axis=1), found.max(axis=1), elsewhere=found)
    sure = counts_within(ground, points[~doubted], within_m, error).astype(float)
    place_m = pd.to_numeric(counted["position_error_m"]).to_numpy(float)[doubted]
    least, most = _counts_between(ground, points[doubted], within_m, error, place_m)
    found[least < most, 1:] = np.nan  # a shift of the task alone does not say what is near
    return Figure(found[:, 0], sure.min(axis=1) + least, sure.max(axis=1) + most, elsewhere=found)


def _at_places(accidents: pd.DataFrame) -> Array:
    """Whether each accident stands at the point of a place, with the place's position error."""
    if "error_from" not in accidents.columns:
        return np.zeros(len(accidents), dtype=bool)
    known = pd.to_numeric(accidents["position_error_m"]).notna()
    at_places: Array = (accidents["error_from"].notna() & known).to_numpy(bool)
    return at_places


def _counts_between(
    ground: Array, points: Array, within_m: float, error_m: Array, place_m: Array
) -> tuple[Array, Array]:
    """How many points lie within a distance of each shape wherever both are, and how many may.

    ``error_m``: how far each shape may be off; ``place_m``: how far each point may [m].
    """
    reach = within_m + place_m + error_m.max(initial=0.0)
    j, i = shapely.STRtree(ground).query(points, predicate="dwithin", distance=reach)
    away, doubt = shapely.distance(ground[i], points[j]), error_m[i] + place_m[j]
    certain, possible = away + doubt <= within_m, away - doubt <= within_m
    return np.bincount(i[certain], minlength=len(ground)), np.bincount(i[possible], minlength=len(ground))


def lifelines_of(tasks: gpd.GeoDataFrame, lifelines: gpd.GeoDataFrame, within_m: float) -> tuple[Array, Array]:
    """Pairs of positions (task, lifeline) where the task has ground within a distance and the position error of it."""
    there = placed(lifelines)
    error = pd.to_numeric(there["position_error_m"]).to_numpy(float)
    corridors = blocking_ground(there.geometry.to_numpy(), within_m, error)
    i, j = reaching(tasks.geometry.to_numpy(), corridors)
    rows = np.flatnonzero(lifelines["lifeline_id"].isin(there["lifeline_id"]).to_numpy())
    return i, rows[j]


def _lifelines(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    if around.lifelines is None:
        raise TableError("criterion lifelines needs the LIFELINES table; hand it over or drop the criterion")
    if settings.lifelines_within_m is None:
        raise TableError("criterion lifelines: state priority.lifelines_within_m, how near a task blocks one")
    essential = (around.lifelines["essential"] == "yes").to_numpy()
    i, j = lifelines_of(tasks, around.lifelines, settings.lifelines_within_m)
    return exactly(np.bincount(i[essential[j]], minlength=len(tasks)))


# --- the ground itself


def _land_class(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    return exactly(tasks["land_class"].map(settings.class_values).to_numpy(float))


def _area(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    return exactly(tasks["area_m2"].to_numpy(float) / 1e4)


def _probability(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    """Contaminated share of the ground of each task of which something is known [1]; else the one assumed."""
    if "expected_m2" not in tasks.columns:
        raise TableError("criteria 'probability' and 'expected_area' need a surface; add [surface] to the plan")
    known = tasks["known_m2"].to_numpy(float)
    unknown = tasks["expected_m2"].isna().to_numpy() | ~(known > 0)
    if unknown.any() and settings.unknown_probability is None:
        first, count = tasks["task_id"].to_numpy(object)[unknown][0], int(unknown.sum())
        raise TableError(
            f"task {first} (of {count} such): nobody knows the contaminated share of its ground; "
            "state priority.unknown_probability"
        )
    assumed = np.nan if settings.unknown_probability is None else settings.unknown_probability
    means = []
    for name in ("expected_m2", "low_m2", "high_m2"):
        mean = np.divide(tasks[name].to_numpy(float), known, out=np.full(len(tasks), np.nan), where=~unknown)
        means.append(np.where(unknown, assumed, mean))
    return Figure(means[0], means[1], means[2])


def _expected_area(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    p, area = _probability(tasks, zones, settings, around), tasks["area_m2"].to_numpy(float) / 1e4
    return Figure(p.likely * area, p.low * area, p.high * area)


def _effort(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    """Area by the rate of the task's queue [team-days]; a low rate is a high effort."""
    lacking = [queue for queue in pd.unique(tasks["queue"]) if queue not in settings.rates]
    if lacking:
        raise TableError(f"criterion effort: no rate for the {lacking[0]} queue; state priority.rates.{lacking[0]}")
    area = tasks["area_m2"].to_numpy(float)
    rates = [
        tasks["queue"].map({q: getattr(r, name) for q, r in settings.rates.items()}).to_numpy(float)
        for name in ("likely", "high", "low")
    ]
    return Figure(*(area / rate for rate in rates))


def _slope(tasks: Any, zones: Any, settings: PrioritySettings, around: Around) -> Figure:
    if around.elevation is None:
        raise TableError("criterion slope: no elevation is given; name its raster as context.elevation")
    from clearplan.geo.rasters import mean_slope

    return exactly(mean_slope(around.elevation, tasks))


def layer_means(tasks: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, field: str) -> Array:
    """Mean of a layer's figure over the ground of each task that it covers, by area (n); NaN where it covers none.

    Raises
    ------
    TableError
        The layer has no such column, or it holds other things than numbers.
    """
    if field not in layer.columns:
        told = ", ".join(str(name) for name in layer.columns if name != "geometry")
        raise TableError(f"layer has no column {field!r}; it has {told}")
    value = pd.to_numeric(layer[field], errors="coerce").to_numpy(float)
    i, j, m2 = shapes.overlaps(tasks.geometry.to_numpy(), layer.geometry.to_numpy())
    known = ~np.isnan(value[j])
    i, j, m2 = i[known], j[known], m2[known]
    total = np.bincount(i, weights=m2 * value[j], minlength=len(tasks))
    covered = np.bincount(i, weights=m2, minlength=len(tasks))
    mean: Array = np.divide(total, covered, out=np.full(len(tasks), np.nan), where=covered > 0)
    return mean


_MEASURED: dict[str, Callable[[Any, Any, PrioritySettings, Around], Figure]] = {
    "people": _people,
    "families": _families,
    "already_home": _already_home,
    "days_to_return": _days_to_return,
    "lifelines": _lifelines,
    "zone_distance": _zone_distance,
    "accidents": _accidents,
    "land_class": _land_class,
    "area": _area,
    "probability": _probability,
    "expected_area": _expected_area,
    "effort": _effort,
    "road_distance": _road_distance,
    "slope": _slope,
}
