"""Two other methods beside the weighted sum: whether the first places hang on how criteria are put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError, TableError
from clearplan.priority.rank import in_queue, meaning_of, weights_of
from clearplan.priority.weights import agreement
from clearplan.settings.priority import PrioritySettings

Array = NDArray[Any]
METHODS = ("rank_sum", "rank_topsis", "rank_promethee")
#: Most tasks that are compared: PROMETHEE II holds a square of them for every criterion (2,000: 32 MB each).
MOST = 2_000
_NAMED = 5  # tasks told of those whose ranks differ most
_DIGITS = 10  # scores of the other two that are equal to so many share a rank
_MISSING = 'comparing methods needs pymcdm: pip install "clearplan[methods]"'


def compare_methods(ranked: pd.DataFrame, settings: PrioritySettings, queue: str, *, first: int = 10) -> pd.DataFrame:
    """Ranks of a queue's tasks by our weighted sum, by TOPSIS and by PROMETHEE II: a check, not clearplan's answer.

    Parameters
    ----------
    ranked : DataFrame
        TASKS from :func:`clearplan.rank`; tasks behind a gate are left out.
    settings : PrioritySettings
        The settings that ranked them; the weights of the set that ranks are used in all three.
    queue : str
        'survey' or 'clearance'.
    first : int
        How many tasks are looked at as the first ones.

    Returns
    -------
    DataFrame
        ``task_id``, ``rank_sum``, ``rank_topsis``, ``rank_promethee``, a row a task, by ``rank_sum`` and id; equal
        scores share a rank. ``attrs["agreement"]``: records of a pair each, with kendall_tau [-1 to 1] and how many of
        the ``first`` they share. ``attrs["differ"]``: up to five tasks whose ranks differ most, with the two methods
        that are most at odds, the ``criterion`` in which these part most (None: none does) and ``words``.

    Raises
    ------
    SettingsError
        pymcdm is not installed.
    TableError
        The table is not ranked, or with other weights; more than 2,000 tasks would be compared.

    Notes
    -----
    All three see the values 0-1, of which more is better. TOPSIS gets them as they stand: they are on the plan's
    anchors already, and min-max or vector normalisation would stretch each criterion by the tasks that happen to be
    in the table, and with it the weights. PROMETHEE II uses the usual preference function (any difference counts in
    full), because the plan states no thresholds of indifference.

    Both rank tasks by other tasks, so that ranks of two of them can reverse when a third is added or taken away: TOPSIS
    measures distances to the best and the worst value in the table, and PROMETHEE II counts how many others a task
    beats. The weighted sum can't; that is why it is what ranks.

    Hwang and Yoon 1981 (TOPSIS); Brans and Vincke 1985, https://doi.org/10.1287/mnsc.31.6.647 (PROMETHEE II);
    Mareschal, De Smet and Nemery 2008 (its reversals).
    """
    if "score" not in ranked.columns:
        raise TableError("table is not ranked; call rank() before compare_methods()")
    own = in_queue(ranked, queue)
    if len(own) > MOST:
        raise TableError(
            f"{len(own):,} tasks of the {queue} queue are more than can be compared pair by pair; pass the first ones, "
            f"say ranked[ranked['rank'] <= {MOST}] (the ranks are then those among them)"
        )
    criteria = [c.name for c in settings.of_queue(queue)]
    weights = weights_of(settings, queue)
    weight = np.array([weights[c] for c in criteria])
    values = own[[f"c_{c}_value" for c in criteria]].to_numpy(float)
    total, topsis, promethee = _scores(values, weight)
    if not np.allclose(total, own["score"].to_numpy(float)):
        raise TableError("table was ranked with other weights than these settings have; call rank() with them first")
    scores = {"rank_sum": own["score"].to_numpy(float).round(9), "rank_topsis": topsis.round(_DIGITS),
              "rank_promethee": promethee.round(_DIGITS)}  # fmt: skip
    table = pd.DataFrame({"task_id": own["task_id"].to_numpy(object)})
    for name, score in scores.items():
        # min: tasks that nobody can tell apart share the better rank, as in rank().
        table[name] = pd.Series(score).rank(method="min", ascending=False).astype("Int64")
    table.attrs["differ"] = _differ(table, own, values, weight, criteria)
    table.attrs["agreement"] = agreement(-table[list(METHODS)], first).to_dict("records")
    attrs, table.attrs = table.attrs, {}
    table = table.sort_values(["rank_sum", "task_id"], ignore_index=True)
    table.attrs = attrs
    return table


def _scores(values: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Weighted sum, closeness of TOPSIS and net flow of PROMETHEE II (tasks)."""
    try:
        from pymcdm.methods import PROMETHEE_II, TOPSIS
    except ImportError:
        raise SettingsError(_MISSING) from None
    total = values @ weight
    # A criterion without weight, or with one value everywhere, moves no rank, and some would divide by 0 for it.
    telling = (weight > 0) & (np.ptp(values, axis=0) > 0) if len(values) else np.zeros(len(weight), dtype=bool)
    if not telling.any():
        return total, np.zeros(len(values)), np.zeros(len(values))
    matrix, share = values[:, telling], weight[telling] / weight[telling].sum()
    more = np.ones(len(share), dtype=int)
    # Its validation compares all pairs in Python and warns of tasks that dominate others, which is no fault here.
    topsis = TOPSIS(_as_it_stands)(matrix, share, more, validation=False)
    promethee = PROMETHEE_II("usual")(matrix, share, more, validation=False)
    return total, topsis, promethee


def _as_it_stands(column: Array, cost: bool = False) -> Array:
    return column


def _differ(table: pd.DataFrame, own: pd.DataFrame, values: Array, weight: Array, criteria: list[str]) -> list[Any]:
    """The tasks whose ranks differ most, and where the methods part."""
    ranks = table[list(METHODS)].to_numpy(dtype=int, na_value=0)
    told = []
    spread = ranks.max(axis=1) - ranks.min(axis=1) if len(ranks) else np.zeros(0, dtype=int)
    for k in np.lexsort((table["task_id"].to_numpy(str), -spread))[:_NAMED].tolist():
        if not spread[k]:
            break
        better, worse = METHODS[int(ranks[k].argmin())], METHODS[int(ranks[k].argmax())]
        at = _parts(values, weight, k, {better, worse})
        name = None if at is None else meaning_of(own, criteria[at]).label
        task = table["task_id"].iloc[k]
        places = ", ".join(f"{r} by {m}" for r, m in zip(ranks[k], ("sum", "TOPSIS", "PROMETHEE II"), strict=True))
        words = f"Task {task} is rank {places}" + (f"; they part most in: {name.lower()}." if name else ".")
        told.append({"task_id": task, **dict(zip(METHODS, ranks[k].tolist(), strict=True)), "better_by": better,
                     "worse_by": worse, "criterion": name, "words": words})  # fmt: skip
    return told


def _parts(values: Array, weight: Array, k: int, methods: set[str]) -> int | None:
    """Criterion in which a task's two methods part most.

    PROMETHEE II counts how many others are beaten and the sum by how much: their difference is a sum over criteria.
    TOPSIS squares the gap to the best value and the sum takes it as it is: shares of both are compared.
    """
    if "rank_promethee" in methods:
        gap = values[k] - values
        apart = weight * (np.sign(gap).mean(axis=0) - gap.mean(axis=0))
    else:
        loss = weight * (values.max(axis=0) - values[k])
        if not loss.sum() > 0:
            return None
        apart = loss**2 / (loss**2).sum() - loss / loss.sum()
    at = int(np.abs(apart).argmax())
    return at if abs(apart[at]) > 1e-9 else None
