"""Settings and scores of two runs: what was set otherwise, with units, and which scores changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from clearplan.settings.base import unit_of
from clearplan.settings.project import Project
from clearplan.tables.check import each_row

#: A score counts as changed from here on [points of 100]: less is not seen in any table.
SCORE_CHANGE = 0.05
#: Settings that tell rows of a list apart, such as two criteria.
_NAMES = ("name", "evidence", "hazard_id", "path")
#: Settings of a criterion that are in the unit of its figure.
_OF_FIGURE = ("zero_at", "one_at", "steps", "unknown")
#: The day of a run stands above every comparison.
_DAY = "study.as_at"


class _Leaf(NamedTuple):
    """One value of the settings: the names that lead to it, and how it is shown."""

    names: tuple[str, ...]
    row: str
    value: object


def changed_settings(
    first: Mapping[str, object], second: Mapping[str, object], *, units: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Settings that differ, in the order of plan.toml.

    Parameters
    ----------
    first, second : mapping
        ``settings`` of run.json of both runs.
    units : mapping, optional
        Name of a criterion to the unit of its figure, in which its anchors are set.

    Returns
    -------
    DataFrame
        setting, before, after, unit; all text, 'unset' where a run has none. Rows of lists are told apart by their
        name, else by their number.

    >>> changed_settings({"tasks": {"influence_m": 200.0}}, {"tasks": {"influence_m": 300.0}}).to_numpy().tolist()
    [['tasks.influence_m', '200', '300', 'm']]
    """
    leaves = [_leaves(settings) for settings in (first, second)]
    rows = []
    for setting in dict.fromkeys((*leaves[0], *leaves[1])):
        before, after = (run.get(setting) for run in leaves)
        values = [_text(None if leaf is None else leaf.value) for leaf in (before, after)]
        leaf = after or before
        if leaf is None or setting == _DAY or values[0] == values[1]:
            continue
        of_figure = leaf.names[:2] == ("priority", "criteria") and leaf.names[-1] in _OF_FIGURE
        unit = (units or {}).get(leaf.row, "") if of_figure else unit_of(Project, leaf.names)
        rows.append((setting, *values, unit))
    return pd.DataFrame(rows, columns=["setting", "before", "after", "unit"], dtype=object)


def _leaves(settings: Mapping[str, object]) -> dict[str, _Leaf]:
    return dict(_walk(settings, "", (), ""))


def _walk(value: object, place: str, names: tuple[str, ...], row: str) -> Iterator[tuple[str, _Leaf]]:
    """Every value below a setting with its place, such as priority.criteria[area].weight."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _walk(below, f"{place}.{name}" if place else str(name), (*names, str(name)), row)
    elif isinstance(value, Sequence) and value and all(isinstance(one, Mapping) for one in value):
        for label, below in zip(_labels(value), value, strict=True):
            yield from _walk(below, f"{place}[{label}]", names, label)
    else:
        yield place, _Leaf(names, row, value)


def _labels(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """What tells the rows of a list apart."""
    for name in _NAMES:
        values = [str(row.get(name)) for row in rows]
        if all(row.get(name) for row in rows) and len(set(values)) == len(values):
            return values
    return [str(number) for number in range(1, len(rows) + 1)]


def _text(value: object) -> str:
    """A setting as it is shown; an empty list is none.

    >>> _text(6e6), _text(0.25), _text(None), _text([1.0, 2.0]), _text(True)
    ('6,000,000', '0.25', 'unset', '1, 2', 'true')
    """
    if value is None or value == [] or value == {}:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.12g}"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def changed_scores(tasks: gpd.GeoDataFrame) -> pd.DataFrame:
    """Tasks of both runs whose score changed, the largest change first.

    Parameters
    ----------
    tasks : GeoDataFrame
        ``tasks`` of :class:`clearplan.study.compare.Comparison`.

    Returns
    -------
    DataFrame
        The same columns but the geometry, and ``change_points`` [points of 100].
    """
    change = tasks["score_after"].astype(float) - tasks["score_before"].astype(float)
    table = pd.DataFrame(tasks.drop(columns="geometry")).assign(change_points=change)
    order = np.argsort(-np.nan_to_num(change.abs().to_numpy()), kind="stable")
    ordered = table.iloc[order]
    changed: pd.DataFrame = ordered[ordered["change_points"].abs() >= SCORE_CHANGE].reset_index(drop=True)
    return changed


def settings_words(settings: pd.DataFrame, most: int = 5) -> str:
    """Settings that differ in a sentence."""
    if not len(settings):
        return "Settings: the same in both runs"
    parts = [
        f"{setting} {before} -> {after} {unit}".rstrip()
        for setting, before, after, unit in settings.head(most).itertuples(index=False)
    ]
    more = f"; and {len(settings) - most:,} more" if len(settings) > most else ""
    return f"Settings: {len(settings):,} changed: {'; '.join(parts)}{more}"


def scores_words(scores: pd.DataFrame, tasks: gpd.GeoDataFrame) -> str:
    """How many tasks have another score, and the largest change, in a sentence."""
    both = int((tasks["score_before"].notna() & tasks["score_after"].notna()).sum())
    if not len(scores):
        return f"Scores: the same for all {both:,} tasks that are in both runs"
    first = scores.iloc[0]
    return (
        f"Scores: {len(scores):,} of the {both:,} tasks that are in both runs have another; the largest change is that "
        f"of {first['task_id']}, {first['score_before']:.1f} -> {first['score_after']:.1f} "
        f"({first['change_points']:+.1f} points)"
    )


def settings_tables(settings: pd.DataFrame, scores: pd.DataFrame) -> dict[str, tuple[tuple[str, ...], list[object]]]:
    """Headings, and the header and rows of text below each."""
    rows = [
        (
            task.queue,
            task.task_id,
            task.was if task.was != task.task_id else "",
            f"{task.score_before:.1f} -> {task.score_after:.1f}",
            f"{task.change_points:+.1f}",
            task.criterion or "",
        )
        for task in each_row(scores)
    ]
    return {
        "Settings that changed": (("setting", "before", "after", "unit"), list(settings.itertuples(index=False))),
        "Scores that changed": (("queue", "task", "was", "score", "points", "moved most by"), list(rows)),
    }
