"""Criteria, weights, score, rank and explanation: one sum that anyone can check with a pencil.

A task's score is the sum over criteria of weight x value. A value runs from 0 to 1 between two stated
anchors; weights are scaled so that those of a queue sum to 100 points. Every raw figure, value, weight and
contribution stays in the table as ``c_<criterion>_raw``, ``_value``, ``_weight``, ``_points``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .crs import require_metres
from .errors import TableError
from .schema import placed
from .settings_priority import Criterion, PrioritySettings


@dataclass(frozen=True)
class Meaning:
    """How a criterion's raw figure is named and measured."""

    label: str
    unit: str


CRITERIA: dict[str, Meaning] = {
    "people": Meaning("People in zones that the task affects", "people"),
    "zone_distance": Meaning("Distance to the nearest zone", "m"),
    "accidents": Meaning("Accidents near the task", "accidents"),
    "land_class": Meaning("Strength of the evidence (class)", "0-1"),
    "area": Meaning("Area of the task", "ha"),
    "probability": Meaning("Mean probability of explosive ordnance", "0-1"),
    "expected_area": Meaning("Ground expected to be contaminated", "ha"),
}


def rank(
    tasks: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    settings: PrioritySettings,
    *,
    accidents: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """TASKS with a contribution per criterion, score [points of 100] and rank within the queue.

    A task that affects two zones counts the people of both. A zone whose number of people is unknown counts
    the declared assumption, and ``people_assumed`` says how many of a task's people are assumed. Equal scores
    share a rank.

    Parameters
    ----------
    tasks, zones, accidents : GeoDataFrame
        TASKS, ZONES and ACCIDENTS in one metric CRS. Accidents count within ``accidents_radius_m`` of the task
        and from ``accidents_since`` on; undated ones count, because they can't be ruled out.
    settings : PrioritySettings

    Returns
    -------
    GeoDataFrame
        The same tasks in the same order, wider.

    Raises
    ------
    CrsError
        Tables are not in metres, or not in the same CRS.
    TableError
        A criterion needs accidents or a surface and none was given, a task names an unknown zone, or nobody knows the
        probability of its ground and none is assumed.
    """
    require_metres(tasks, zones, *([] if accidents is None else [accidents]))
    people, assumed, unknown = _people(tasks, zones, settings.unknown_people)
    ranked = tasks.assign(people_assumed=assumed, zones_unknown=unknown)
    if "expected_m2" in tasks.columns:
        ranked["probability_assumed"] = np.where(tasks["expected_m2"].isna(), _assumed(settings), np.nan)
    raw = {
        "people": lambda: people,
        "zone_distance": lambda: _zone_distance(tasks, zones),
        "accidents": lambda: _accidents_near(tasks, accidents, settings),
        "land_class": lambda: tasks["land_class"].map(settings.class_values).to_numpy(float),
        "area": lambda: tasks["area_m2"].to_numpy(float) / 1e4,
        "probability": lambda: _probability(tasks, settings),
        "expected_area": lambda: _probability(tasks, settings) * tasks["area_m2"].to_numpy(float) / 1e4,
    }
    score = np.zeros(len(tasks))
    for name in dict.fromkeys(criterion.name for criterion in settings.criteria):
        figure = np.asarray(raw[name](), dtype=float)
        value, weight = np.full(len(tasks), np.nan), np.full(len(tasks), np.nan)
        for criterion in (c for c in settings.criteria if c.name == name):
            mine = tasks["queue"].isin(criterion.queues).to_numpy()
            value[mine] = value_of(figure, criterion)[mine]
            for queue in criterion.queues:
                total = sum(c.weight for c in settings.criteria if queue in c.queues)
                weight[(tasks["queue"] == queue).to_numpy()] = 100 * criterion.weight / total
        ranked[f"c_{name}_raw"], ranked[f"c_{name}_value"] = figure, value
        ranked[f"c_{name}_weight"], ranked[f"c_{name}_points"] = weight, weight * value
        score += np.nan_to_num(weight * value)
    ranked["score"] = score
    ranked["rank"] = ranked.groupby("queue")["score"].rank(method="min", ascending=False).astype("Int64")
    return ranked


def value_of(figure: Any, criterion: Criterion) -> Any:
    """Value 0-1 of raw figures: linear between the anchors, level beyond them.

    >>> near = Criterion(name="zone_distance", weight=1, zero_at=10_000, one_at=0, source="example")
    >>> value_of(np.array([0.0, 2_500.0, 20_000.0]), near).tolist()
    [1.0, 0.75, 0.0]
    """
    figure = np.asarray(figure, dtype=float)
    if criterion.steps is not None:
        at, value = np.array(criterion.steps).T
        held = value[np.maximum(np.searchsorted(at, figure, side="right") - 1, 0)]
        return np.where(np.isnan(figure), np.nan, held)
    zero, one = criterion.zero_at, criterion.one_at
    assert zero is not None
    assert one is not None
    if criterion.scale == "log":
        # A figure of 0 lies below every anchor of a log scale.
        figure, zero, one = np.log(np.maximum(figure, np.finfo(float).tiny)), np.log(zero), np.log(one)
    return np.clip((figure - zero) / (one - zero), 0.0, 1.0)


def _people(tasks: pd.DataFrame, zones: pd.DataFrame, assumed_people: float) -> tuple[Any, Any, Any]:
    """People that each task affects, how many of them are assumed, and in how many zones."""
    known = dict(zip(zones["zone_id"], pd.to_numeric(zones["people"]).astype(float), strict=True))
    people, assumed, unknown = np.zeros(len(tasks)), np.zeros(len(tasks)), np.zeros(len(tasks), dtype=int)
    for k, ids in enumerate(tasks["zone_ids"].fillna("")):
        for zone in filter(None, ids.split("; ")):
            if zone not in known:
                raise TableError(f"task {tasks['task_id'].iloc[k]} names zone {zone!r}, which ZONES lacks")
            if np.isnan(known[zone]):
                unknown[k] += 1
                assumed[k] += assumed_people
            else:
                people[k] += known[zone]
    return people + assumed, assumed, unknown


def _zone_distance(tasks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> Any:
    """Distance of each task to the nearest zone [m]; without any placed zone infinite."""
    shapes = placed(zones).geometry.to_numpy()
    if not len(shapes):
        return np.full(len(tasks), np.inf)
    (i, _), distance = shapely.STRtree(shapes).query_nearest(
        tasks.geometry.to_numpy(), return_distance=True, all_matches=False
    )
    nearest = np.full(len(tasks), np.inf)
    nearest[i] = distance
    return nearest


def _assumed(settings: PrioritySettings) -> float:
    return np.nan if settings.unknown_probability is None else settings.unknown_probability


def _probability(tasks: pd.DataFrame, settings: PrioritySettings) -> Any:
    """Mean probability over the ground of each task of which something is known [1]; else the one assumed."""
    if "expected_m2" not in tasks.columns:
        raise TableError("criteria 'probability' and 'expected_area' need a surface; add [surface] to the plan")
    known = tasks["known_m2"].to_numpy(float)
    unknown = tasks["expected_m2"].isna().to_numpy() | ~(known > 0)
    if unknown.any() and settings.unknown_probability is None:
        first, count = tasks["task_id"].to_numpy(object)[unknown][0], int(unknown.sum())
        raise TableError(
            f"task {first} (of {count} such): nobody knows the probability of its ground; state "
            "priority.unknown_probability"
        )
    mean = np.divide(tasks["expected_m2"].to_numpy(float), known, out=np.full(len(tasks), np.nan), where=~unknown)
    return np.where(unknown, _assumed(settings), mean)


def _accidents_near(tasks: gpd.GeoDataFrame, accidents: gpd.GeoDataFrame | None, settings: PrioritySettings) -> Any:
    if accidents is None:
        raise TableError("criterion 'accidents' needs the ACCIDENTS table; hand it over or drop the criterion")
    when = pd.to_datetime(accidents["occurred_on"])
    counted = placed(accidents[when.isna() | (when >= pd.Timestamp(settings.accidents_since))])
    i, _ = shapely.STRtree(counted.geometry.to_numpy()).query(
        tasks.geometry.to_numpy(), predicate="dwithin", distance=settings.accidents_radius_m
    )
    return np.bincount(i, minlength=len(tasks)).astype(float)


def criteria_of(tasks: pd.DataFrame) -> list[str]:
    """Names of the criteria that a ranked table carries, in order."""
    return [c[2:-4] for c in tasks.columns if c.startswith("c_") and c.endswith("_raw")]


def explain(tasks: pd.DataFrame, task_id: str) -> pd.DataFrame:
    """Why a task stands where it stands: criterion, raw, unit, value, weight, contribution; the sum is its score.

    Parameters
    ----------
    tasks : DataFrame
        TASKS as ranked by :func:`rank`, or read back from ``plan.gpkg``.
    task_id : str

    Returns
    -------
    DataFrame
        One row a criterion: ``criterion``, ``raw`` [``unit``], ``value`` [0-1], ``weight`` and ``contribution``
        [points of 100], ``note``. ``attrs`` holds task_id, queue, rank, of, score.

    Raises
    ------
    TableError
        The task is unknown, or the table is not ranked.
    """
    if "score" not in tasks.columns:
        raise TableError("table is not ranked; call rank() first")
    found = tasks[tasks["task_id"] == task_id]
    if not len(found):
        alike = [t for t in tasks["task_id"] if str(t).startswith(task_id[:9])][:3]
        hint = f"; near it are {', '.join(alike)}" if alike else ""
        raise TableError(f"no task {task_id!r}{hint}; ids are in tasks.csv, column task_id")
    task = found.iloc[0]
    rows = []
    for name in criteria_of(tasks):
        if np.isnan(task[f"c_{name}_weight"]):
            continue
        note = ""
        if name == "people" and task["zones_unknown"] > 0:
            note = f"{task['people_assumed']:g} assumed for {task['zones_unknown']} zone(s) of unknown number"
        if name in ("probability", "expected_area") and pd.notna(task.get("probability_assumed")):
            note = f"nobody knows; probability {task['probability_assumed']:g} assumed"
        elif name == "expected_area":
            note = f"90 % interval {task['low_m2'] / 1e4:.1f} to {task['high_m2'] / 1e4:.1f} ha"
        rows.append(
            {
                "criterion": CRITERIA[name].label,
                "raw": task[f"c_{name}_raw"],
                "unit": CRITERIA[name].unit,
                "value": task[f"c_{name}_value"],
                "weight": task[f"c_{name}_weight"],
                "contribution": task[f"c_{name}_points"],
                "note": note,
            }
        )
    table = pd.DataFrame(rows)
    table.attrs = {
        "task_id": task_id,
        "queue": task["queue"],
        "rank": int(task["rank"]),
        "of": int((tasks["queue"] == task["queue"]).sum()),
        "score": float(task["score"]),
    }
    return table


def explain_words(table: pd.DataFrame) -> str:
    """The answer of :func:`explain` in one sentence."""
    place = table.attrs
    most = table.sort_values("contribution", ascending=False, kind="stable").iloc[0]
    return (
        f"Task {place['task_id']} is rank {place['rank']} of {place['of']} in the {place['queue']} queue with "
        f"{place['score']:.1f} of 100 points; most come from: {most.criterion.lower()} ({most.contribution:.1f})."
    )
