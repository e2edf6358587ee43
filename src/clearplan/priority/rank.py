"""Weights, score, rank and explanation: one sum that anyone can check with a pencil.

A task's score is the sum over criteria of weight x value. A value runs from 0 to 1 between two stated
anchors; weights are scaled so that those of a queue sum to 100 points. Every raw figure, value, weight and
contribution stays in the table as ``c_<criterion>_raw``, ``_value``, ``_weight``, ``_points``; where a figure is
uncertain, ``_low`` and ``_high`` stand beside it, and where it hangs on the task's position what a shift does to it:
``_rises`` or ``_elsewhere``.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clearplan.core.crs import require_metres
from clearplan.core.errors import TableError
from clearplan.core.reason import Reason
from clearplan.priority.criteria import (
    CRITERIA,
    Around,
    Figure,
    Meaning,
    lifelines_of,
    measure,
    people_of,
    zone_figures,
)
from clearplan.priority.weights import Pairwise, inconsistency, pairwise_weights
from clearplan.settings.base import QUEUES
from clearplan.settings.priority import Criterion, PrioritySettings, WeightSet
from clearplan.tables.gates import gate_reason, open_after, shut_gates
from clearplan.tables.texts import ids_in

#: Columns that say how sure a rank is, and what would change it.
SURE_COLUMNS = (
    "first_share",
    "rank_low",
    "rank_high",
    "priority_class",
    "class_share",
    "tied_with",
    "change",
)
#: TASKS with or without shapes.
Frame = TypeVar("Frame", bound=pd.DataFrame)


def rank(  # noqa: PLR0913 - one keyword for each table or layer that a criterion may read
    tasks: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    settings: PrioritySettings,
    *,
    accidents: gpd.GeoDataFrame | None = None,
    lifelines: gpd.GeoDataFrame | None = None,
    gates: pd.DataFrame | None = None,
    roads: gpd.GeoDataFrame | None = None,
    elevation: Path | None = None,
    as_at: dt.date | None = None,
) -> gpd.GeoDataFrame:
    """TASKS with a contribution per criterion, score [points of 100] and rank within the queue.

    A task that affects two zones counts the people of both. A zone whose number of people is unknown counts
    the declared assumption, and ``people_assumed`` says how many of a task's people are assumed. Equal scores
    share a rank. A task behind a gate keeps its score and has no rank until the gate opens; ``gates`` says why.

    Parameters
    ----------
    tasks, zones, accidents, lifelines : GeoDataFrame
        TASKS, ZONES, ACCIDENTS and LIFELINES in one metric CRS. Accidents count within ``accidents_radius_m`` of the
        task and from ``accidents_since`` on; undated ones count, because they can't be ruled out.
    settings : PrioritySettings
    gates : DataFrame, optional
        GATES: decisions that exclude the tasks of a zone, hazard or district until something happens.
    roads : GeoDataFrame, optional
        Lines in the same CRS.
    elevation : path, optional
        Raster of heights [m].
    as_at : date, optional
        Day from which days to the planned return count.

    Returns
    -------
    GeoDataFrame
        The same tasks in the same order, wider; ``attrs["criteria"]`` names each criterion, its label and unit.

    Raises
    ------
    CrsError
        Tables are not in metres, or not in the same CRS.
    TableError
        A criterion needs a table or layer and none was given, a task names an unknown zone, or a figure is unknown
        and nothing is assumed.
    """
    require_metres(tasks, zones, *(table for table in (accidents, lifelines, roads) if table is not None))
    around = Around(accidents, lifelines, roads, elevation, as_at)
    ranked = _assumptions(tasks, zones, settings)
    ranked["gates"] = gated(tasks, gates, as_at=as_at)
    if gates is not None and "ends_on" in gates.columns and gates["ends_on"].notna().any():
        ends = [open_after(held) if held else None for held in _gates_of(tasks, gates, as_at)]
        ranked["gates_end_on"] = pd.to_datetime(pd.Series(ends, index=ranked.index, dtype=object))
    if lifelines is not None and settings.lifelines_within_m is not None:
        ranked["lifeline_ids"] = _lifeline_ids(tasks, lifelines, settings.lifelines_within_m)
    weights: dict[str, dict[str, float]] = {queue: weights_of(settings, queue) for queue in QUEUES}
    score = np.zeros(len(tasks))
    for name in dict.fromkeys(criterion.name for criterion in settings.criteria):
        own = [criterion for criterion in settings.criteria if criterion.name == name]
        columns, points = _criterion(tasks, zones, settings, around, own, weights)
        for part, values in columns.items():
            ranked[f"c_{name}_{part}"] = values
        score += np.nan_to_num(points)
    ranked["score"] = score
    ranked.attrs["criteria"] = {c.name: (c.label, c.unit) for c in settings.criteria if c.label or c.unit}
    _place(ranked)
    return ranked


def _place(ranked: pd.DataFrame) -> None:
    """Write the rank within each queue; none for tasks behind a gate."""
    free = ranked["gates"].isna()
    # Scores that differ by less than a sum of rounded products can tell are equal.
    scores = ranked.loc[free, "score"].round(9)
    places = scores.groupby(ranked.loc[free, "queue"]).rank(method="min", ascending=False)
    ranked["rank"] = places.reindex(ranked.index).astype("Int64")


def reweigh(ranked: Frame, settings: PrioritySettings) -> Frame:
    """Ranked TASKS with the weights of other settings: the same figures and values, new points, scores and ranks.

    What was said of how sure the old ranks are is left out.
    """
    out = ranked.drop(columns=[name for name in SURE_COLUMNS if name in ranked.columns])
    out.attrs = {name: value for name, value in ranked.attrs.items() if name != "cuts"}
    score = np.zeros(len(out))
    for name in criteria_of(out):
        for queue in QUEUES:
            mine = (out["queue"] == queue).to_numpy() & out[f"c_{name}_weight"].notna().to_numpy()
            if mine.any():
                out.loc[mine, f"c_{name}_weight"] = weights_of(settings, queue)[name]
        out[f"c_{name}_points"] = out[f"c_{name}_weight"] * out[f"c_{name}_value"]
        score += np.nan_to_num(out[f"c_{name}_points"].to_numpy(float))
    out["score"] = score
    _place(out)
    return out


def _assumptions(tasks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, settings: PrioritySettings) -> gpd.GeoDataFrame:
    """TASKS with what is assumed of their people and their contaminated share."""
    people = zone_figures(tasks, people_of(zones))
    count = np.array([len(own) for own in people.unknown], dtype=int)
    wider = tasks.assign(
        people_assumed=count * float(settings.unknown_people),
        zones_unknown=count,
    )
    if "expected_m2" in tasks.columns:
        assumed = np.nan if settings.unknown_probability is None else settings.unknown_probability
        wider["probability_assumed"] = np.where(tasks["expected_m2"].isna(), assumed, np.nan)
    return wider


def gated(tasks: pd.DataFrame, gates: pd.DataFrame | None, *, as_at: dt.date | None = None) -> NDArray[np.object_]:
    """Per task why it is excluded and until when, a Reason; None where no gate stands before it (n).

    A gate that is lifted by the day holds nothing back; without a day, one that is lifted at all.
    """
    held = _gates_of(tasks, gates, as_at)
    reasons = [Reason("task.gated", gates=[gate_reason(gate) for gate in one]) if one else None for one in held]
    return np.fromiter(reasons, dtype=object, count=len(tasks))


def _gates_of(tasks: pd.DataFrame, gates: pd.DataFrame | None, as_at: dt.date | None) -> list[list[dict[Any, Any]]]:
    """Rows of GATES that hold each task back."""
    held: list[list[dict[Any, Any]]] = [[] for _ in range(len(tasks))]
    shut = shut_gates(gates, as_at=as_at)
    if not shut:
        return held
    zones, hazards = ([set(ids_in(ids)) for ids in tasks[name]] for name in ("zone_ids", "hazard_ids"))
    for gate in shut:
        met = np.ones(len(tasks), dtype=bool)
        # A gate that names several things closes the tasks to which all of them apply.
        for name, ids in (("zone_id", zones), ("hazard_id", hazards)):
            if isinstance(gate[name], str):
                met &= np.array([gate[name] in own for own in ids], dtype=bool)
        if isinstance(gate["district"], str):
            met &= (tasks["district"] == gate["district"]).to_numpy()
        for k in np.flatnonzero(met):
            held[k].append(gate)
    return held


def _lifeline_ids(tasks: gpd.GeoDataFrame, lifelines: gpd.GeoDataFrame, within_m: float) -> Any:
    i, j = lifelines_of(tasks, lifelines, within_m)
    named = pd.Series(lifelines["lifeline_id"].to_numpy(object)[j]).groupby(i).agg("; ".join)
    return named.reindex(range(len(tasks))).fillna("").to_numpy(object)


def _criterion(
    tasks: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    settings: PrioritySettings,
    around: Around,
    own: list[Criterion],
    weights: dict[str, dict[str, float]],
) -> tuple[dict[str, Any], Any]:
    """Columns of one criterion, which may have other anchors in each queue, and its points."""
    likely, low, high, value, weight, rises = (np.full(len(tasks), np.nan) for _ in range(6))
    doubted, elsewhere = (np.full(len(tasks), "", dtype=object) for _ in range(2))
    for criterion in own:
        mine = tasks["queue"].isin(criterion.queues).to_numpy()
        figure = measure(tasks[mine], zones, settings, around, criterion)
        likely[mine], low[mine], high[mine] = figure.likely, figure.low, figure.high
        value[mine] = value_of(figure.likely, criterion)
        doubted[mine] = figure.zones if figure.zones is not None else ""
        rises[mine] = figure.rises if figure.rises is not None else np.nan
        elsewhere[mine] = _figures_elsewhere(figure)
        for queue in criterion.queues:
            weight[(tasks["queue"] == queue).to_numpy()] = weights[queue][criterion.name]
    columns = {"raw": likely, "value": value, "weight": weight, "points": weight * value}
    known = ~np.isnan(likely)
    if (low != likely)[known].any() or (high != likely)[known].any():
        columns |= {"low": low, "high": high} | ({"zones": doubted} if (doubted != "").any() else {})
        columns |= {"rises": rises} if not np.isnan(rises).all() else {}
        columns |= {"elsewhere": elsewhere} if (elsewhere != "").any() else {}
    return columns, weight * value


def _figures_elsewhere(figure: Figure) -> list[str]:
    """Figures at the places where a task may lie, as text; blank where all are the same or no shift says it."""
    if figure.elsewhere is None:
        return [""] * len(figure.likely)
    changes = (figure.low < figure.high) & ~np.isnan(figure.elsewhere).any(axis=1)
    return [
        " ".join(f"{one:g}" for one in row) if own else "" for row, own in zip(figure.elsewhere, changes, strict=True)
    ]


def weights_of(settings: PrioritySettings, queue: str, name: str | None = None) -> dict[str, float]:
    """Weight of each criterion of a queue, summing to 100 points, in the set that ranks or another.

    Parameters
    ----------
    name : str, optional
        A weight set; unset: ``settings.use``, or else the criteria's own weights.

    Raises
    ------
    TableError
        There is no such set, or its weights for this queue sum to 0.
    """
    criteria = settings.of_queue(queue)
    name = name or settings.use
    if name is None:
        stated = {c.name: c.weight for c in criteria}
    else:
        found = [own for own in settings.weights if own.name == name]
        if not found:
            told = ", ".join(own.name for own in settings.weights) or "none"
            raise TableError(f"no weight set is called {name!r}; there are {told}")
        every = stated_weights(found[0])
        stated = {c.name: every[c.name] for c in criteria}
    total = sum(stated.values())
    if not total > 0:
        raise TableError(f"weights {name}: those of the {queue} queue sum to 0; give at least one more than 0")
    return {criterion: 100 * weight / total for criterion, weight in stated.items()}


def judged(own: WeightSet) -> Pairwise | None:
    """Judgements in pairs of a stakeholder, weighed; None where the set is of another method."""
    if own.method != "pairwise" or own.matrix is None:
        return None
    return pairwise_weights(own.matrix, own.order, where=f"weights {own.name}")


def stated_weights(own: WeightSet) -> dict[str, float]:
    """Weights of a stakeholder as stated or judged; any scale.

    >>> direct = WeightSet(name="a", set_by="b", set_on="2026-01-01", method="direct", weights={"area": 3, "people": 1})
    >>> stated_weights(direct)
    {'area': 3.0, 'people': 1.0}
    """
    if own.weights is not None:
        return dict(own.weights)
    found = judged(own)
    assert found is not None
    return dict(zip(own.criteria, found.weights.tolist(), strict=True))


def check_weights(settings: PrioritySettings) -> None:
    """Every weight set can be used for both queues.

    Raises
    ------
    SettingsError, TableError
        Judgements in pairs contradict their own inverse, or the weights of a queue sum to 0.
    """
    for own in settings.weights:
        for queue in QUEUES:
            weights_of(settings, queue, own.name)


def doubts_of_weights(settings: PrioritySettings) -> list[Reason]:
    """Judgements that contradict one another; empty where all fit."""
    pairs = [(weights, judged(weights)) for weights in settings.weights]
    doubts = [inconsistency(found, weights.criteria, weights.name) for weights, found in pairs if found is not None]
    return [doubt for doubt in doubts if doubt is not None]


def value_of(figure: ArrayLike, criterion: Criterion) -> NDArray[np.float64]:
    """Value 0-1 of raw figures: linear between the anchors, level beyond them.

    >>> near = Criterion(name="zone_distance", weight=1, zero_at=10_000, one_at=0, source="example")
    >>> value_of(np.array([0.0, 2_500.0, 20_000.0]), near).tolist()
    [1.0, 0.75, 0.0]
    """
    raw = np.asarray(figure, dtype=float)
    if criterion.steps is not None:
        at, value = np.array(criterion.steps).T
        held = value[np.maximum(np.searchsorted(at, raw, side="right") - 1, 0)]
        return np.where(np.isnan(raw), np.nan, held)
    zero, one = criterion.zero_at, criterion.one_at
    assert zero is not None
    assert one is not None
    if criterion.scale == "log":
        # A figure of 0 lies below every anchor of a log scale.
        raw, zero, one = np.log(np.maximum(raw, np.finfo(float).tiny)), np.log(zero), np.log(one)
    return np.clip((raw - zero) / (one - zero), 0.0, 1.0)


def in_queue(ranked: Frame, queue: str) -> Frame:
    """Tasks of a queue that have a rank: those behind a gate are left out."""
    own: Frame = ranked[(ranked["queue"] == queue) & ranked["rank"].notna()]
    return own


def by_score(ranked: pd.DataFrame) -> NDArray[np.intp]:
    """Places of tasks from the highest score to the lowest, equal ones by id (n)."""
    return np.lexsort((ranked["task_id"].to_numpy(str), -ranked["score"].to_numpy(float)))


def criteria_of(tasks: pd.DataFrame) -> list[str]:
    """Names of the criteria that a ranked table carries, in order."""
    return [c[2:-4] for c in tasks.columns if c.startswith("c_") and c.endswith("_raw")]


def meaning_of(tasks: pd.DataFrame, name: str) -> Meaning:
    """Label and unit of a criterion of a ranked table: as the plan has them, else clearplan's, else its name."""
    shipped = CRITERIA.get(name, Meaning(name.replace("_", " ").capitalize(), ""))
    label, unit = tasks.attrs.get("criteria", {}).get(name, (None, None))
    return Meaning(label or shipped.label, unit or shipped.unit, shipped.shared)


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
            note = f"{task['people_assumed']:g} assumed for {int(task['zones_unknown'])} zone(s) of unknown number"
        if name in ("probability", "expected_area") and pd.notna(task.get("probability_assumed")):
            note = f"nobody knows; {100 * task['probability_assumed']:g} % of the ground assumed"
        elif name == "expected_area":
            note = f"90 % interval {task['low_m2'] / 1e4:.1f} to {task['high_m2'] / 1e4:.1f} ha"
        rows.append(
            {
                "criterion": meaning_of(tasks, name).label,
                "raw": task[f"c_{name}_raw"],
                "unit": meaning_of(tasks, name).unit,
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
        "rank": None if pd.isna(task["rank"]) else int(task["rank"]),
        "gates": task["gates"] if pd.notna(task.get("gates")) else None,
        "of": len(in_queue(tasks, task["queue"])),
        "score": float(task["score"]),
    }
    return table


def explain_words(table: pd.DataFrame) -> str:
    """The answer of :func:`explain` in one sentence."""
    place = table.attrs
    order = table.sort_values("contribution", ascending=False, kind="stable")
    most = [f"{row['criterion'].lower()} ({row['contribution']:.1f})" for row in order.head(2).to_dict("records")]
    where = f"is rank {place['rank']} of {place['of']}" if place["rank"] is not None else "is excluded from the ranking"
    return (
        f"Task {place['task_id']} {where} in the {place['queue']} queue with {place['score']:.1f} of 100 points; most "
        f"come from: {' and '.join(most)}."
    )
