"""Why the order is what it is: what a village, a ministry and a donor ask of the whole list."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.priority.rank import doubts_of_weights, in_queue, meaning_of, weights_of
from clearplan.priority.robustness import agreement_of_sets, cut_reason
from clearplan.priority.sensitivity import hangs_on
from clearplan.settings.base import QUEUES
from clearplan.settings.priority import OWN_WEIGHTS, PrioritySettings


@dataclass(frozen=True)
class Why:
    """Why the order is what it is.

    cuts : how the classes were cut, one for each queue
    hangs : queue to the weights on which its first tasks hang
    weights : points of each criterion in every weight set, a row a queue and criterion
    agreement : how far the weight sets agree, in pairs
    doubts : what speaks against the weights or criteria themselves
    first : number of tasks that ``hangs`` and ``agreement`` speak of
    """

    cuts: tuple[Reason, ...] = ()
    hangs: dict[str, pd.DataFrame] = field(default_factory=dict)
    weights: pd.DataFrame | None = None
    agreement: pd.DataFrame | None = None
    doubts: tuple[Reason, ...] = ()
    first: int = 10


def why_this_order(ranked: pd.DataFrame, settings: PrioritySettings) -> Why:
    """What a village, a ministry and a donor ask of the whole list."""
    first = settings.robustness.first if settings.robustness is not None else 10
    doubts = [*doubts_of_weights(settings), *_idle(ranked, settings)]
    rows = []
    sets = (None, *(own.name for own in settings.weights))
    for queue in QUEUES:
        for name in (c.name for c in settings.of_queue(queue)):
            points = {own or OWN_WEIGHTS: _points(settings, queue, own)[name] for own in sets}
            rows.append({"queue": queue, "criterion": meaning_of(ranked, name).label} | points)
    return Why(
        cuts=tuple(cut_reason(queue, cuts) for queue, cuts in ranked.attrs.get("cuts", {}).items()),
        hangs={queue: hangs_on(ranked, settings, queue, first) for queue in QUEUES},
        weights=pd.DataFrame(rows) if settings.weights else None,
        agreement=agreement_of_sets(ranked, settings, first) if settings.weights else None,
        doubts=tuple(doubts),
        first=first,
    )


def _points(settings: PrioritySettings, queue: str, name: str | None) -> dict[str, float]:
    own = settings if name is not None else settings.model_copy(update={"use": None})
    return weights_of(own, queue, name)


def _idle(ranked: pd.DataFrame, settings: PrioritySettings) -> list[Reason]:
    """Criteria that tell no two tasks of a queue apart."""
    doubts = []
    for queue in QUEUES:
        tasks = in_queue(ranked, queue)
        for criterion in settings.of_queue(queue) if len(tasks) > 1 else ():
            if tasks[f"c_{criterion.name}_value"].nunique() == 1:
                label = meaning_of(ranked, criterion.name).label.lower()
                doubts.append(Reason("criterion.idle", criterion=label, queue=queue))
    return doubts
