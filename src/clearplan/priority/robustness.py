"""How sure is a rank: draws over weights and uncertain figures, ties shown as ties, classes cut at robust gaps.

SMAA-2 (Lahdelma and Salminen 2001, https://doi.org/10.1287/opre.49.3.444.11220): in every draw the weights and the
uncertain figures are others, and the tasks are ranked again. Nothing here changes the score, which stays the sum that
anyone can check.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.core.reason import Reason
from clearplan.priority.figure_draws import alike, figure_draws, shares_of
from clearplan.priority.rank import Frame, by_score, in_queue, weights_of
from clearplan.priority.rank_draws import Ranks, rank_draws
from clearplan.priority.weights import agreement
from clearplan.settings.base import QUEUES
from clearplan.settings.priority import OWN_WEIGHTS, Criterion, PrioritySettings, RobustnessSettings

Array = NDArray[Any]
#: Classes from a task's chances of being above either cut; two names mean that it may be of either.
CLASSES = ("high", "high/medium", "medium", "medium/low", "low", "high/low")
#: Neighbours in rank among which ties are looked for.
BESIDE = 10
_NAMED = 5  # ties named in the table; the others are counted


def robust(ranked: Frame, settings: PrioritySettings, shares: pd.DataFrame | None = None) -> Frame:
    """Ranked TASKS with how sure each rank is.

    Parameters
    ----------
    ranked : GeoDataFrame, or DataFrame without shapes
        TASKS from :func:`clearplan.rank`.
    settings : PrioritySettings
        With ``robustness``.
    shares : DataFrame, optional
        Draws of the surface: index task_id, a column for each draw, in it the share of the task's known ground that is
        contaminated [1]; blank: nobody knows. In each draw of the ranks all tasks have their figures ('probability',
        'expected_area') from the same draw of the surface. Without it these lie between low and high, all as far.

    Returns
    -------
    as ``ranked``
        The same tasks in the same order. New: ``first_share`` (share of draws among the first
        ``robustness.first`` of its queue) [1], ``rank_low`` and ``rank_high`` (90 % of the draws lie between),
        ``priority_class`` ('high', 'medium', 'low', or two of them where nobody can tell), ``class_share`` (share of
        draws in its likeliest class) [1], ``tied_with`` (tasks within ten ranks whose order flips in more than
        ``tie_share`` of the draws). Blank for tasks behind a gate. ``attrs["cuts"]`` says how the classes were cut.

    Raises
    ------
    TableError
        The table is not ranked, ``settings.robustness`` is not set, or ``shares`` lacks a task.

    Notes
    -----
    Tasks share what is uncertain: people of a zone nobody counted, rates of work, the surface, and the shift of the
    hazard whose position error they have (:mod:`clearplan.priority.figure_draws`).

    With s = tie_share / 2, a task is in a class where it falls there in at least 1 - s of the draws. Two tasks of
    different classes therefore change places in at most 2 s = tie_share of them: tasks whose order flips more often
    share a class. Each cut lies where the fewest tasks are uncertain, within ``class_window`` of the share asked for;
    of several such places at the widest gap of scores.
    """
    asked = _asked(ranked, settings)
    out = ranked.copy()
    columns: dict[str, Any] = {name: np.full(len(out), np.nan) for name in ("first_share", "class_share")}
    columns |= {name: pd.array([pd.NA] * len(out), dtype="Int64") for name in ("rank_low", "rank_high")}
    columns |= {name: np.full(len(out), None, dtype=object) for name in ("priority_class", "tied_with")}
    cuts = {}
    for queue in QUEUES:
        at = np.flatnonzero((ranked["queue"] == queue).to_numpy() & ranked["rank"].notna().to_numpy())
        if not len(at):
            continue
        own = ranked.iloc[at]
        found = acceptability(own, settings, queue, shares)
        columns["first_share"][at] = found.share_in_first(asked.first)
        low, high = found.interval()
        columns["rank_low"][at], columns["rank_high"][at] = low, high
        named, share, cuts[queue] = _classes(found, np.sort(own["score"].to_numpy(float))[::-1], asked)
        columns["priority_class"][at], columns["class_share"][at] = named, share
        columns["tied_with"][at] = _ties(own, found, asked)
    for name, values in columns.items():
        out[name] = values
    out.attrs["cuts"] = cuts
    return out


def _asked(ranked: pd.DataFrame, settings: PrioritySettings) -> RobustnessSettings:
    if "score" not in ranked.columns:
        raise TableError("table is not ranked; call rank() before robust()")
    if settings.robustness is None:
        raise TableError("priority.robustness is not set; say there what to draw")
    return settings.robustness


def acceptability(
    own: pd.DataFrame, settings: PrioritySettings, queue: str, shares: pd.DataFrame | None = None
) -> Ranks:
    """Counts of draws in each rank for the tasks of one queue, gated ones left out, in the table's order.

    ``central`` holds the weights [points] that put a task first: what one would have to think for it to lead.
    ``shares`` as in :func:`robust`.
    """
    asked = _asked(own, settings)
    criteria = settings.of_queue(queue)
    weights = draw_weights(settings, queue)
    drawn = None if shares is None else shares_of(own, shares)
    values = own[[f"c_{c.name}_value" for c in criteria]].to_numpy(float)
    return rank_draws(
        values,
        weights,
        wanted=sorted({min(k, len(own)) for k in (asked.first, *_candidates(len(own), asked))} - {0}),
        extra=figure_draws(own, settings, criteria, weights, drawn),
        same=alike(own, criteria, drawn),
        order=by_score(own),
        beside=BESIDE,
    )


def draw_weights(settings: PrioritySettings, queue: str) -> Array:
    """Seeded weights (draws, criteria of the queue in the settings' order), summing to 100 points in each draw.

    ``ranges``: each evenly within its range. ``stakeholders``: mixtures of all weight sets, all mixtures alike.
    ``any``: all weights alike (uniform on the simplex).
    """
    asked = settings.robustness
    assert asked is not None
    criteria = settings.of_queue(queue)
    random = np.random.default_rng([asked.seed, QUEUES.index(queue)])
    if asked.weights == "any":
        drawn = random.dirichlet(np.ones(len(criteria)), asked.draws)
    elif asked.weights == "stakeholders":
        sets = [weights_of(settings, queue, own.name) for own in settings.weights]
        every = np.array([[own[c.name] for c in criteria] for own in sets])
        drawn = random.dirichlet(np.ones(len(every)), asked.draws) @ every
    else:
        low, high = np.array([weight_range(settings, queue, c) for c in criteria]).T
        drawn = low + (high - low) * random.random((asked.draws, len(criteria)))
    scaled: Array = 100 * drawn / drawn.sum(axis=1, keepdims=True)
    return scaled


def weight_range(settings: PrioritySettings, queue: str, criterion: Criterion) -> tuple[float, float]:
    """Least and most weight of a criterion, in the points of the set that ranks."""
    weight = weights_of(settings, queue)[criterion.name]
    if criterion.weight_range is not None and settings.use is None:
        points = 100 / sum(c.weight for c in settings.of_queue(queue))
        return criterion.weight_range[0] * points, criterion.weight_range[1] * points
    spread = settings.robustness.weight_spread if settings.robustness is not None else None
    return weight * (1 - (spread or 0.0)), weight * (1 + (spread or 0.0))


# --- classes and ties


def _candidates(count: int, asked: RobustnessSettings) -> list[int]:
    """Ranks after which the two cuts may lie; at most 25 for each."""
    found: list[int] = []
    for share in asked.class_shares:
        middle = share * count
        low, high = (round(middle * (1 + sign * asked.class_window)) for sign in (-1, 1))
        ends = np.clip(np.linspace(low, high, 25), 1, max(count - 1, 1))
        found += [int(k) for k in np.unique(np.rint(ends))]
    return found


def _classes(found: Ranks, scores: Array, asked: RobustnessSettings) -> tuple[Array, Array, dict[str, Any]]:
    """Class of each task, share of draws in its likeliest class, and where and why the cuts lie."""
    doubt = asked.tie_share / 2
    cuts = [_cut(found, scores, asked, share, doubt) for share in asked.class_shares]
    above, within = (found.share_in_first(cut["after"]) for cut in cuts)
    chances = np.column_stack([above, within - above, 1 - within])
    may = np.column_stack([above > doubt, (above < 1 - doubt) & (within > doubt), within < 1 - doubt])
    names = np.select(
        [may.sum(axis=1) == 1, may[:, 0] & may[:, 1] & ~may[:, 2], ~may[:, 0] & may[:, 1] & may[:, 2]],
        [np.array(["high", "medium", "low"], dtype=object)[may.argmax(axis=1)], "high/medium", "medium/low"],
        default="high/low",
    ).astype(object)
    told = {name: int((names == name).sum()) for name in CLASSES if (names == name).any()}
    return names, chances.max(axis=1), {"high": cuts[0], "medium": cuts[1], "of": len(names), "tasks": told}


def _cut(found: Ranks, scores: Array, asked: RobustnessSettings, share: float, doubt: float) -> dict[str, Any]:
    """The cut near a share of the queue that leaves the fewest tasks uncertain; ``scores`` from the highest."""
    count = len(scores)
    wanted = min(max(round(share * count), 1), count)
    low, high = wanted * (1 - asked.class_window) - 0.5, wanted * (1 + asked.class_window) + 0.5
    places = [k for k in {wanted, *_candidates(count, asked)} if low <= k <= high and k in set(found.edges.tolist())]
    places = places or [count]
    unsure = {k: int(_unsure(found.share_in_first(k), doubt)) for k in places}
    gap = {k: round(float(scores[k - 1] - scores[k]), 6) if k < count else 0.0 for k in places}
    best = min(places, key=lambda k: (unsure[k], -gap[k], abs(k - wanted), k))
    return {"after": best, "wanted": wanted, "uncertain": unsure[best], "most_uncertain": max(unsure.values())}


def _unsure(inside: Array, doubt: float) -> int:
    return int(((inside > doubt) & (inside < 1 - doubt)).sum())


def cut_reason(queue: str, cuts: dict[str, Any]) -> Reason:
    """How the classes of a queue were cut; its text is a sentence.

    >>> high = {"after": 9, "wanted": 10, "uncertain": 2, "most_uncertain": 6}
    >>> medium = {"after": 25, "wanted": 25, "uncertain": 5, "most_uncertain": 5}
    >>> cuts = {"high": high, "medium": medium, "of": 50, "tasks": {"high": 8, "medium/low": 42}}
    >>> print(cut_reason("survey", cuts))
    survey queue of 50 tasks: high ends after rank 9 (asked: 10), where 2 tasks may be on either side, and up to 6
    elsewhere in the window; medium after rank 25 (asked: 25), where 5 may be. Only 16 % of the tasks are of one class
    for sure: beyond the first ranks the order says little
    """
    high, medium = cuts["high"], cuts["medium"]
    return Reason(
        "classes.cut",
        queue=queue,
        count=cuts["of"],
        high_after=high["after"],
        high_asked=high["wanted"],
        high_unsure=high["uncertain"],
        high_most=high["most_uncertain"],
        medium_after=medium["after"],
        medium_asked=medium["wanted"],
        medium_unsure=medium["uncertain"],
        verdict=_verdict(cuts),
    )


def _verdict(cuts: dict[str, Any]) -> Reason:
    """What the classes are worth, from the share of tasks that are in one class for sure."""
    sure = sum(count for name, count in cuts["tasks"].items() if "/" not in name)
    percent = 100 * sure / max(cuts["of"], 1)
    if percent < 50:
        return Reason("classes.few_sure", sure_percent=percent)
    return Reason("classes.sure", sure_percent=percent)


def _ties(own: pd.DataFrame, found: Ranks, asked: RobustnessSettings) -> Array:
    """Tasks within ``BESIDE`` ranks whose order flips in more than the stated share, nearest first; None: no tie."""
    ids, scores = own["task_id"].to_numpy(object), own["score"].to_numpy(float)
    order = by_score(own)
    tied: list[list[tuple[int, int]]] = [[] for _ in order]
    for d, flips in enumerate(found.flips, start=1):
        equal = np.zeros(len(order), dtype=bool)
        equal[: -d or None] = scores[order[d:]] == scores[order[: len(order) - d]] if d < len(order) else False
        for k in np.flatnonzero((flips > asked.tie_share * found.draws) | equal).tolist():
            if k + d < len(order):
                tied[k].append((d, k + d))
                tied[k + d].append((d, k))
    out = np.full(len(order), None, dtype=object)
    for k, near in enumerate(tied):
        if near:
            named = [str(ids[order[other]]) for _, other in sorted(near)]
            more = f" and {len(named) - _NAMED} more within {BESIDE} ranks" if len(named) > _NAMED else ""
            out[order[k]] = "; ".join(named[:_NAMED]) + more
    return out


# --- several people's weights side by side


def scores_by_set(ranked: pd.DataFrame, settings: PrioritySettings, queue: str) -> pd.DataFrame:
    """Scores of a queue's tasks [points] under every weight set, a column each; index task_id, gated tasks left out."""
    own = in_queue(ranked, queue)
    criteria = [c.name for c in settings.of_queue(queue)]
    values = own[[f"c_{name}_value" for name in criteria]].to_numpy(float)
    columns = {}
    for name in (None, *(w.name for w in settings.weights)):
        weights = weights_of(settings.model_copy(update={"use": None}) if name is None else settings, queue, name)
        columns[name or OWN_WEIGHTS] = values @ np.array([weights[c] for c in criteria])
    return pd.DataFrame(columns, index=pd.Index(own["task_id"], name="task_id"))


def agreement_of_sets(ranked: pd.DataFrame, settings: PrioritySettings, first: int = 10) -> pd.DataFrame:
    """How far the weight sets agree on each queue: Kendall's tau and shared first tasks, in pairs."""
    tables = []
    for queue in QUEUES:
        found = agreement(scores_by_set(ranked, settings, queue), first)
        tables.append(found.assign(queue=queue)[["queue", *found.columns]])
    return pd.concat(tables, ignore_index=True)
