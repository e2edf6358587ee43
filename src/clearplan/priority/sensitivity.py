"""What would change a rank: the smallest change of one weight, or of one figure, that swaps two tasks or lifts one.

A score is linear in every weight and in every value, so that the answers are exact, not searched for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.core.reason import Reason, four_digits
from clearplan.priority.rank import by_score, in_queue, meaning_of
from clearplan.settings.priority import Criterion, PrioritySettings
from clearplan.tables.texts import ids_in

Array = NDArray[Any]
_SAME = 1e-9  # points; below it two scores are equal
#: Units of which there are no parts.
_COUNTED = ("people", "families", "already_home", "lifelines", "accidents")


@dataclass(frozen=True)
class Change:
    """A change of one thing alone: a weight as part of all weights [%], or a task's raw figure [its unit]."""

    what: str  # 'weight' or 'figure'
    criterion: str
    before: float
    after: float

    @property
    def relative(self) -> float:
        """Size of the change as a part of what was there [1]."""
        return abs(self.after - self.before) / abs(self.before) if self.before else np.inf


def swaps(ranked: pd.DataFrame, settings: PrioritySettings, one: str, other: str) -> pd.DataFrame:
    """Every single change that makes two tasks of one queue equal, so that the slightest more swaps them.

    Parameters
    ----------
    ranked : DataFrame
        TASKS from :func:`clearplan.rank`.
    settings : PrioritySettings
        The settings that ranked them.
    one, other : str
        Ids of two tasks of one queue.

    Returns
    -------
    DataFrame
        what ('weight', or 'figure' of the lower task), criterion, before, after, unit; smallest relative change first.
        Figures that both share, since they lie in the same zones, are left out: no change of them parts the two.
        A weight is shown as its part of all weights [%], the others as they stand. Empty: no single change does.

    Raises
    ------
    TableError
        A task is unknown, or they wait in different queues.
    """
    own, its = _queue_of(ranked, one), _queue_of(ranked, other)
    if one == other:
        raise TableError(f"{one} is compared with itself; name two tasks")
    if own["queue"].iloc[0] != its["queue"].iloc[0]:
        raise TableError(f"{one} and {other} do not wait in one queue; compare tasks of one queue")
    a, b = sorted((_row(own, one), _row(own, other)), key=lambda task: -float(task["score"]))
    found = []
    gap = float(a["score"] - b["score"])
    for criterion in _criteria(settings, own):
        weight = float(a[f"c_{criterion.name}_weight"])
        apart = float(a[f"c_{criterion.name}_value"] - b[f"c_{criterion.name}_value"])
        if apart != 0 and -gap / apart >= -_least(weight):
            found.append(_weight(criterion.name, weight, -gap / apart))
        if meaning_of(own, criterion.name).shared != "zones" or not _common_zones(a, b):
            found += _raised(b, criterion, gap)
    return _told(ranked, found)


def _common_zones(a: pd.Series, b: pd.Series) -> bool:
    return not set(ids_in(a["zone_ids"])).isdisjoint(ids_in(b["zone_ids"]))


def lifts(ranked: pd.DataFrame, settings: PrioritySettings, task_id: str, to_rank: int) -> pd.DataFrame:
    """Every single change that brings a task to a rank or better, all other tasks moving as they must.

    Parameters
    ----------
    to_rank : int
        Rank to be reached, equal scores sharing it.

    Returns
    -------
    DataFrame
        As from :func:`swaps`; figures of zones are left out, for other tasks of the zone would move with them. Empty:
        no single change does, or the task is there already.
    """
    own = _queue_of(ranked, task_id)
    return _told(ranked, _to_rank(own, settings, task_id, to_rank))


def drops(ranked: pd.DataFrame, settings: PrioritySettings, task_id: str, from_rank: int) -> pd.DataFrame:
    """Every single change of a weight at which a task stops being among the first ``from_rank``.

    As :func:`lifts`, the other way round: beyond the change told, at least ``from_rank`` tasks score more.
    """
    own = _queue_of(ranked, task_id)
    scores, k = own["score"].to_numpy(float), _place(own, task_id)
    found = []
    if (scores > scores[k] + _SAME).sum() < from_rank:
        for criterion in _criteria(settings, own):
            values, weight = _values(own, criterion), float(own[f"c_{criterion.name}_weight"].iloc[k])
            shift = _nearest(
                _leaves(scores - scores[k], values - values[k], from_rank),
                _leaves(scores - scores[k], values[k] - values, from_rank, _least(weight)),
            )
            found += [_weight(criterion.name, weight, shift)] if shift is not None else []
    return _told(ranked, found)


def hangs_on(ranked: pd.DataFrame, settings: PrioritySettings, queue: str, first: int) -> pd.DataFrame:
    """For each weight the smallest change that brings another task into the first few of a queue.

    Returns
    -------
    DataFrame
        criterion, before, after [% of all weights], out, into (tasks); the weight on which the list hangs most, by the
        relative change, stands first. A weight that can't change the list is left out.
    """
    own = in_queue(ranked, queue)
    order = by_score(own)
    ids, scores = own["task_id"].to_numpy(object)[order], own["score"].to_numpy(float)[order]
    rows = []
    # All that are level with the last of the first few belong to them.
    first = int((scores >= scores[first - 1] - _SAME).sum()) if first <= len(own) else len(own)
    if first < len(own):
        gap = scores[:first, None] - scores[None, first:]
        for criterion in _criteria(settings, own):
            weight = float(own[f"c_{criterion.name}_weight"].iloc[0])
            values = _values(own, criterion)[order]
            apart = values[:first, None] - values[None, first:]
            with np.errstate(divide="ignore", invalid="ignore"):
                shift = np.where(apart != 0, -gap / apart, np.inf)
            shift = np.where(shift >= -_least(weight), shift, np.inf)
            i, j = np.unravel_index(int(np.abs(shift).argmin()), shift.shape)
            if np.isfinite(shift[i, j]):
                change = _weight(criterion.name, weight, float(shift[i, j]))
                rows.append((change.criterion, change.before, change.after, ids[i], ids[first + j], change.relative))
    table = pd.DataFrame(rows, columns=["criterion", "before", "after", "out", "into", "relative"])
    return table.sort_values("relative", kind="stable").drop(columns="relative").reset_index(drop=True)


def change_reason(ranked: pd.DataFrame, settings: PrioritySettings, task_id: str, first: int) -> Reason:
    """What would bring a task into the first few of its queue, or out of them; its text is a sentence.

    Raises
    ------
    TableError
        The task is unknown or has no rank, or the table is not ranked.
    """
    queue = _queue_of(ranked, task_id)
    rank = int(_row(queue, task_id)["rank"])
    if len(queue) <= first:
        return Reason("change.all_first", count=len(queue), first=first)
    if rank <= first:
        return _out_of(ranked, drops(ranked, settings, task_id, first), first)
    changes = lifts(ranked, settings, task_id, first)
    best = [changes[changes["what"] == what].head(1) for what in ("weight", "figure")]
    ways = [_way(ranked, one.iloc[0]) for one in best if len(one)]
    if not ways:
        return Reason("change.none_in", first=first)
    return Reason("change.enters", first=first, ways=ways)


def _out_of(ranked: pd.DataFrame, changes: pd.DataFrame, first: int) -> Reason:
    """What takes a task out of the first few."""
    if not len(changes):
        return Reason("change.none_out", first=first)
    nearest = changes.iloc[0]
    if abs(nearest["after"] - nearest["before"]) < 1e-6:
        return Reason("change.level", first=first)
    return Reason("change.leaves", first=first, way=_way(ranked, nearest))


def _way(ranked: pd.DataFrame, change: pd.Series) -> Reason:
    """One change, as a condition."""
    label = meaning_of(ranked, change["criterion"]).label.lower()
    before, after = float(change["before"]), float(change["after"])
    if change["what"] == "weight":
        digits = _digits(before, after)
        if after > before:
            return Reason("change.weight_rises", criterion=label, before=before, after=after, digits=digits)
        return Reason("change.weight_falls", criterion=label, before=before, after=after, digits=digits)
    if change["unit"] in _COUNTED:
        after = math.ceil(after - _SAME) if after > before else math.floor(after + _SAME)
    was, were = four_digits(before), four_digits(after)
    if change["unit"] in ("", "0-1"):
        return Reason("change.figure", criterion=label, before=was, after=were)
    return Reason("change.figure_of_unit", criterion=label, before=was, after=were, unit=change["unit"])


def per_cents(before: float, after: float) -> str:
    """'18 % to 21 %', with as many digits as tell the two apart.

    >>> per_cents(18.18, 21.4), per_cents(18.18, 18.23)
    ('18 % to 21 %', '18.18 % to 18.23 %')
    """
    digits = _digits(before, after)
    return f"{before:.{digits}f} % to {after:.{digits}f} %"


def _digits(before: float, after: float) -> int:
    """Digits behind the point that tell two figures apart, 3 at most."""
    return next((d for d in range(3) if f"{before:.{d}f}" != f"{after:.{d}f}"), 3)


def share_words(share: float) -> str:
    """A share of draws [1] in per cent; few is not none, and nearly all is not all.

    >>> share_words(0.0), share_words(0.004), share_words(0.83), share_words(0.999), share_words(1.0)
    ('0 %', 'below 1 %', '83 %', 'over 99 %', '100 %')
    """
    if 0 < share < 0.01:
        return "below 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


# --- the arithmetic


def _queue_of(ranked: pd.DataFrame, task_id: str) -> pd.DataFrame:
    """The tasks that have a rank in the queue of a task."""
    if "score" not in ranked.columns:
        raise TableError("table is not ranked; call rank() first")
    task = ranked[ranked["task_id"] == task_id]
    if not len(task):
        raise TableError(f"no task {task_id!r}; ids are in tasks.csv, column task_id")
    if pd.isna(task["rank"].iloc[0]):
        raise TableError(f"task {task_id} has no rank until its gate opens ({task['gates'].iloc[0]})")
    return in_queue(ranked, task["queue"].iloc[0])


def _place(own: pd.DataFrame, task_id: str) -> int:
    return int(np.flatnonzero((own["task_id"] == task_id).to_numpy())[0])


def _row(own: pd.DataFrame, task_id: str) -> pd.Series:
    return own.iloc[_place(own, task_id)]


def _criteria(settings: PrioritySettings, own: pd.DataFrame) -> list[Criterion]:
    queue = own["queue"].iloc[0] if len(own) else ""
    return settings.of_queue(queue)


def _least(weight: float) -> float:
    """How far a weight may fall [points]: to 0, or not at all where it is the only one and decides nothing."""
    return weight if weight < 100 - _SAME else 0.0


def _values(own: pd.DataFrame, criterion: Criterion) -> Array:
    return own[f"c_{criterion.name}_value"].to_numpy(float)


def _weight(name: str, weight: float, shift: float) -> Change:
    """A weight before and after, as its part of all weights [%]; the others sum to 100 less what it was."""
    after = weight + shift
    return Change("weight", name, weight, 100 * after / (100 + shift))


def _to_rank(own: pd.DataFrame, settings: PrioritySettings, task_id: str, to_rank: int) -> list[Change]:
    scores, k = own["score"].to_numpy(float), _place(own, task_id)
    above = scores - scores[k]
    if (above > _SAME).sum() < to_rank:
        return []
    found = []
    goal = float(np.sort(np.delete(scores, k))[::-1][to_rank - 1])
    for criterion in _criteria(settings, own):
        values, weight = _values(own, criterion), float(own[f"c_{criterion.name}_weight"].iloc[k])
        shift = _nearest(
            _enters(above, values - values[k], to_rank), _enters(above, values[k] - values, to_rank, _least(weight))
        )
        found += [_weight(criterion.name, weight, shift)] if shift is not None else []
        if meaning_of(own, criterion.name).shared != "zones":
            found += _raised(own.iloc[k], criterion, goal - scores[k])
    return found


def _nearest(up: float | None, down: float | None) -> float | None:
    """The smaller of a rise and a fall of a weight, with its sign."""
    if up is None or (down is not None and down < up):
        return None if down is None else -down
    return up


def _enters(above: Array, faster: Array, to_rank: int, most: float = np.inf) -> float | None:
    """Smallest shift s at which fewer than ``to_rank`` tasks have above + s x faster > 0; None: never."""
    leave, join = _events(above, faster)
    count = int((above > _SAME).sum())
    for s in leave[leave <= most]:  # only where some task is passed can the rank get better
        passed, joined = int((leave <= s).sum()), int((join < s).sum())
        if count - passed + joined < to_rank:
            return float(s)
    return None


def _leaves(above: Array, faster: Array, from_rank: int, most: float = np.inf) -> float | None:
    """Smallest shift beyond which at least ``from_rank`` tasks have above + s x faster > 0."""
    leave, join = _events(above, faster)
    count = int((above > _SAME).sum())
    for s in join[join < most]:
        if count - int((leave <= s).sum()) + int((join <= s).sum()) >= from_rank:
            return float(s)
    return None


def _events(above: Array, faster: Array) -> tuple[Array, Array]:
    """Shifts at which tasks above fall level, and those beyond which others rise above, both in order."""
    over = above > _SAME
    falling, rising = over & (faster < 0), ~over & (faster > 0)
    # Rounded, so that events of one shift fall on one another whatever their arithmetic.
    leave, join = (np.sort(np.maximum(-above[own] / faster[own], 0.0).round(9)) for own in (falling, rising))
    return leave, join


def _raised(task: pd.Series, criterion: Criterion, points: float) -> list[Change]:
    """The figure with which a task has so many points more; none where no value reaches that far.

    The class of land is no figure that grows: another class is another queue.
    """
    if criterion.name == "land_class":
        return []
    weight, value = float(task[f"c_{criterion.name}_weight"]), float(task[f"c_{criterion.name}_value"])
    if weight <= 0 or value + points / weight > 1 + 1e-12:
        return []
    after = figure_of(min(value + points / weight, 1.0), criterion)
    return [Change("figure", criterion.name, float(task[f"c_{criterion.name}_raw"]), after)]


def figure_of(value: float, criterion: Criterion) -> float:
    """Raw figure that is worth a value, the nearest to the anchor of 0; of steps the first that is worth at least it.

    >>> figure_of(0.75, Criterion(name="zone_distance", weight=1, zero_at=10_000, one_at=0, source="example"))
    2500.0
    """
    if criterion.steps is not None:
        steps = criterion.steps if criterion.rises else criterion.steps[::-1]
        return next(at for at, worth in steps if worth >= value - 1e-12)
    zero, one = criterion.zero_at, criterion.one_at
    assert zero is not None
    assert one is not None
    if criterion.scale == "log":
        return float(zero * (one / zero) ** value)
    return float(zero + value * (one - zero))


def _told(ranked: pd.DataFrame, changes: list[Change]) -> pd.DataFrame:
    rows = [
        (c.what, c.criterion, c.before, c.after, "%" if c.what == "weight" else meaning_of(ranked, c.criterion).unit)
        for c in sorted(changes, key=lambda change: change.relative)
    ]
    return pd.DataFrame(rows, columns=["what", "criterion", "before", "after", "unit"])
