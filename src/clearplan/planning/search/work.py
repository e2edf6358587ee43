"""Schedules of blocks back as WORK: which team works on which task in which period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.planning.calendar import period_days
from clearplan.planning.case import PlanningCase
from clearplan.planning.methods import methods_of, rates_of
from clearplan.planning.planned import Parts
from clearplan.planning.search.blocks import Blocks
from clearplan.planning.search.lines import Line
from clearplan.planning.search.problem import TINY

Array = NDArray[Any]
#: Team, period, and the part of a step that it does then.
Piece = tuple[int, int, float]

#: Work of a step that is finished but for this part is finished: rounding of the solver [1].
_FINISHED = 1e-7


def work_table(blocks: Blocks, parts: Parts, case: PlanningCase) -> pd.DataFrame:
    """WORK of a schedule of blocks: within a block the tasks are worked on one after the other.

    Returns
    -------
    DataFrame
        One row for each task, step, team and period, in the order of periods, teams and tasks.
    """
    rates = rates_of(case.teams, case.settings)
    pieces = (
        (s, k, team, t, part, part * float(blocks.problem.ground[s]) / float(rates[team]))
        for s, k, team, t, part in parts_of_tasks(blocks, parts, case)
    )
    return _table(blocks, pieces, case)


def lines_table(single: Blocks, lines: Mapping[tuple[int, int, int], Line], case: PlanningCase) -> pd.DataFrame:
    """WORK of lines on blocks of one task each."""
    pieces = (
        (s, int(single.members[single.problem.block[s]][0]), team, t, line.part, line.days)
        for (s, team, t), line in lines.items()
    )
    return _table(single, pieces, case)


def parts_of_tasks(blocks: Blocks, parts: Parts, case: PlanningCase) -> Iterator[tuple[int, int, int, int, float]]:
    """(step, position of the task, team, period, part of the step) of a schedule of blocks."""
    area = case.works["area_m2"].to_numpy(float)
    edges = [np.append(0.0, np.cumsum(area[members]) / area[members].sum()) for members in blocks.members]
    for s, pieces in _by_step(parts).items():
        b = int(blocks.problem.block[s])
        for k, team, t, part in _by_task(pieces, edges[b]):
            yield s, int(blocks.members[b][k]), team, t, part


def _table(
    blocks: Blocks, pieces: Iterable[tuple[int, int, int, int, float, float]], case: PlanningCase
) -> pd.DataFrame:
    """WORK of (step, position of the task, team, period, part of the step, team-days)."""
    tasks, teams, problem = case.works, case.teams, blocks.problem
    methods, ids = methods_of(tasks, case.settings), tasks["task_id"].to_numpy(object)
    names, kinds = teams["team_id"].to_numpy(object), teams["kind"].to_numpy(object)
    rows = []
    for s, k, team, t, part, days in pieces:
        no, method = int(blocks.step_no[s]), methods[k]
        assert method is not None
        row = (ids[k], no, method.steps[no - 1].name, kinds[team], names[team], t + 1, days)
        rows.append((*row, part * float(problem.ground[s]), days * float(problem.cost[team])))
    rows.sort(key=lambda row: (row[5], row[4], row[0], row[1]))
    columns = ["task_id", "step", "step_name", "kind", "team_id", "period", "days", "m2", "cost"]
    work = pd.DataFrame(rows, columns=columns)
    ids_of_rows = [f"{row[0]}/{row[1]}/{row[4]}/{row[5]}" for row in rows]
    work.insert(0, "work_id", pd.Series(ids_of_rows, dtype=str))
    bounds, period = np.array(period_days(case.settings), dtype="datetime64[ms]"), [row[5] - 1 for row in rows]
    for at_column, name in enumerate(("starts_on", "ends_on")):
        work.insert(7 + at_column, name, bounds[period, at_column])
    return work


def _by_task(pieces: Sequence[Piece], edges: Array) -> Iterator[tuple[int, int, int, float]]:
    """(task of the block, team, period, part of the step) of a step's pieces, one task after the other.

    ``edges`` (tasks + 1): part of the block's ground at which each task begins, and the end [1].
    """
    at = 0.0
    for team, t, part in _finished(pieces):
        end = min(at + part, 1.0) if at + part < 1 - TINY else 1.0
        first = int(np.searchsorted(edges, at, side="right")) - 1
        for k in range(max(first, 0), len(edges) - 1):
            if edges[k] >= end:
                break
            overlap = min(end, edges[k + 1]) - max(at, edges[k])
            if overlap > 1e-13:
                yield k, team, t, overlap
        at = end


def _by_step(parts: Parts) -> dict[int, list[Piece]]:
    """Pieces of each step in the order of periods and teams."""
    steps: dict[int, list[Piece]] = {}
    for s, team, t, part in sorted(parts):
        steps.setdefault(s, []).append((team, t, part))
    return {s: sorted(pieces, key=lambda piece: (piece[1], piece[0])) for s, pieces in steps.items()}


def _finished(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces without the rounding of the solver: what is finished but for a crumb is finished."""
    out, at = [], 0.0
    for team, t, part in pieces:
        if at >= 1 - _FINISHED:
            break
        if at + part >= 1 - _FINISHED:
            part = 1.0 - at
        out.append((team, t, part))
        at += part
    return out
