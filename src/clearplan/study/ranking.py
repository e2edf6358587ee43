"""The ranking of a study from end to end, and the answers to "why this order?"."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from clearplan.core.crs import WorkingCrs
from clearplan.core.errors import ReadError, SettingsError, TableError
from clearplan.planning.outcomes import outcome_shares
from clearplan.priority.criteria import layer_means
from clearplan.priority.rank import (
    SURE_COLUMNS,
    Frame,
    criteria_of,
    explain,
    explain_words,
    in_queue,
    rank,
    reweigh,
)
from clearplan.priority.robustness import robust
from clearplan.priority.sensitivity import change_reason, share_words
from clearplan.priority.survey_value import SURVEY_COLUMNS, survey_words, value_of_survey
from clearplan.read.background import Context, read_background, read_places
from clearplan.read.readers import read_ranked
from clearplan.settings.base import QUEUES, check_settings
from clearplan.settings.priority import PrioritySettings
from clearplan.settings.project import Project
from clearplan.study.inputs import Inputs
from clearplan.tables.frames import Tasks

#: Columns that the ranking writes; no layer may take their place.
_OURS = (
    "score", "rank", "gates", "lifeline_ids", "people_assumed", "zones_unknown", "probability_assumed", *SURE_COLUMNS,
    *SURVEY_COLUMNS,
)  # fmt: skip


def rank_tasks(
    project: Project,
    frame: WorkingCrs,
    known: Inputs,
    context: Context,
    tasks: Tasks,
    shares: pd.DataFrame | None = None,
) -> Tasks:
    """TASKS of a study with ranks, how sure they are, what would change them, and the value of survey.

    ``shares``: draws of the surface, as in :func:`clearplan.robust`.
    """
    settings = project.priority
    for layer in settings.layers:
        if layer.column in tasks.columns or layer.column in _OURS or layer.column.startswith("c_"):
            raise SettingsError(f"priority.layers: TASKS has a column {layer.column!r} of its own; take another name")
        table = read_background(layer.path, frame.crs).table
        try:
            tasks = tasks.assign(**{layer.column: layer_means(tasks, table, layer.field)})
        except TableError as error:
            raise TableError(f"{layer.path}: {error}") from None
    ranked = rank(
        tasks,
        known.table("zones"),
        settings,
        accidents=known.table("accidents"),
        lifelines=known.table("lifelines") if project.files_of("lifelines") else None,
        gates=known.table("gates"),
        roads=read_places(settings.roads, frame.crs),
        elevation=context.elevation,
        as_at=project.study.as_at,
    )
    if settings.survey_first is not None:
        known_m2 = ranked.get("known_m2", pd.Series(np.nan, index=ranked.index)).replace(0, np.nan)
        p = ranked.get("expected_m2", pd.Series(np.nan, index=ranked.index)) / known_m2
        surveyed = ranked[["queue", "area_m2"]].assign(probability=p)
        if project.planning is not None and project.planning.survey_sensitivity is not None:
            implied = outcome_shares(ranked, project.planning).specificity
            surveyed = surveyed.assign(sensitivity=project.planning.survey_sensitivity, specificity=implied)
        worth = value_of_survey(surveyed, settings.survey_first)
        ranked = ranked.assign(**{name: worth[name] for name in worth.columns})
    return ranked if settings.robustness is None else with_changes(robust(ranked, settings, shares), settings)


def with_changes(ranked: Frame, settings: PrioritySettings) -> Frame:
    """TASKS with what would change the rank of the first ``robustness.changes`` of each queue, as reasons."""
    robustness = settings.robustness
    assert robustness is not None
    changes = np.full(len(ranked), None, dtype=object)
    first = (ranked["rank"] <= robustness.changes).fillna(False).to_numpy(bool)
    for queue in QUEUES:
        tasks = in_queue(ranked, queue)
        # pandas copies what a table says of itself at every step: only the names of criteria are asked for here.
        tasks.attrs = {"criteria": ranked.attrs.get("criteria", {})}
        for k in np.flatnonzero(first & (ranked["queue"] == queue).to_numpy(bool)):
            changes[k] = change_reason(tasks, settings, str(ranked["task_id"].iloc[k]), robustness.first)
    out = ranked.copy()
    out["change"] = changes
    return out


# --- reading a result back


def read_ranking(path: str | Path) -> tuple[pd.DataFrame, PrioritySettings]:
    """Ranked TASKS of a run's plan.gpkg, and the settings that ranked them, from run.json beside it.

    Raises
    ------
    ReadError
        There is no run.json beside it, or it holds no such settings.
    TableError
        The run is public.
    """
    path = Path(path)
    ranked, record = read_ranked(path), path.with_name("run.json")
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        raw, cuts = dict(told["settings"]["priority"]), dict(told.get("cuts", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(
            f"{record}: holds no settings of the ranking ({type(error).__name__}); keep run.json beside plan.gpkg"
        ) from None
    if told.get("tier") == "public":
        raise TableError(
            f"{path}: is public and sums up the criteria of whole cells; name the plan.gpkg of a run for partners, or "
            "of a restricted one"
        )
    settings = check_settings(PrioritySettings, raw, where=str(record))
    ranked.attrs["criteria"] = {c.name: (c.label, c.unit) for c in settings.criteria if c.label or c.unit}
    if {c.name for c in settings.criteria} != set(criteria_of(ranked)):
        raise ReadError(
            f"{record}: is not the record of {path.name}, whose criteria are others; keep a run's files together"
        )
    ranked.attrs["cuts"] = cuts
    return ranked, settings


def with_weights(ranked: pd.DataFrame, settings: PrioritySettings, name: str) -> tuple[pd.DataFrame, PrioritySettings]:
    """The same figures ranked by another weight set, with how sure those ranks are."""
    other = settings.model_copy(update={"use": name})
    again = reweigh(ranked, other)
    return (again if other.robustness is None else with_changes(robust(again, other), other)), other


def explanation(ranked: pd.DataFrame, task_id: str, settings: PrioritySettings | None = None) -> list[str]:
    """Everything about a task's rank in some sentences: the plain one first, then how sure, ties, gates, changes.

    Parameters
    ----------
    settings : PrioritySettings, optional
        The settings that ranked; with them what would change the rank is shown for every task.
    """
    table = explain(ranked, task_id)
    task = ranked[ranked["task_id"] == task_id].iloc[0]
    words = [explain_words(table)]
    if pd.notna(task.get("gates")):
        words.append(f"It has no rank until its gate opens: {task['gates']}.")
    words += sure_words(task, settings)
    change = task.get("change")  # a reason, or its sentence where the table is of a finished run
    if pd.isna(change) and settings is not None and pd.notna(task["rank"]):
        first = settings.robustness.first if settings.robustness else 10
        change = change_reason(ranked, settings, task_id, first)
    words += [str(change)] if pd.notna(change) else []
    if settings is not None and settings.survey_first is not None:
        worth = survey_words(task, settings.survey_first)
        words += [worth] if worth else []
    return words


#: Priority classes in words.
CLASS_WORDS = {
    "high": "high",
    "medium": "medium",
    "low": "low",
    "high/medium": "high or medium, nobody can tell",
    "medium/low": "medium or low, nobody can tell",
    "high/low": "anything from high to low, nobody can tell",
}


def sure_words(task: pd.Series, settings: PrioritySettings | None) -> list[str]:
    """How sure a task's rank is; empty where nothing was drawn."""
    if not isinstance(task.get("priority_class"), str):
        return []
    first = f"first {settings.robustness.first}" if settings is not None and settings.robustness else "first few"
    share, low, high = float(task["first_share"]), int(task["rank_low"]), int(task["rank_high"])
    words = [
        f"Priority {CLASS_WORDS[task['priority_class']]}: among the {first} in {share_words(share)} of the draws over "
        f"weights and uncertain figures; in 90 % of them its rank is {low} to {high}."
    ]
    if isinstance(task.get("tied_with"), str):
        words.append(f"Tied with {task['tied_with']}: their order flips too often to tell them apart.")
    return words


def rank_cells(
    ranked: pd.DataFrame, queue: str, most: int, first: int
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of the first tasks of a queue, as text."""
    own = in_queue(ranked, queue).sort_values(["rank", "task_id"]).head(most)
    sure = "priority_class" in own.columns
    header: tuple[str, ...] = (
        "rank",
        "task",
        "score",
        *(("class", "among the first", "90 % of ranks", "tied with") if sure else ()),
    )
    rows = []
    for task in own.to_dict("records"):
        cells = [str(task["rank"]), str(task["task_id"]), f"{task['score']:.1f}"]
        if sure:
            cells += [
                str(task["priority_class"]),
                share_words(task["first_share"]),
                f"{task['rank_low']} to {task['rank_high']}",
                str(task["tied_with"] or ""),
            ]
        rows.append(tuple(cells))
    return header, rows
