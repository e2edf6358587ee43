"""What survey makes of the ground of each task: the shares of its class, moved by what the surface says.

One model for the plan of work and for the value of survey: survey keeps ground that holds ordnance with a stated
sensitivity, and ground that holds none as often as the shares of the class say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.settings.planning import Ground, Outcome, PlanningSettings
from clearplan.tables.texts import ids_in

Array = NDArray[Any]

#: Ground of one outcome is cut into so many parts of equal area by its contaminated share; each part has one mean.
#: Tasks of a part stay one piece of fluid work for the search, and the shares of the class come out exactly.
PARTS = 4


@dataclass(frozen=True)
class Shares:
    """What survey makes of each task (n) [1]; ``outcome``: the stated one that it comes from, None where there is none.

    ``specificity``: chance that survey releases ground that holds none, as the stated shares imply it [1], NaN where
    no surface says what the ground holds.
    """

    cancelled: Array
    cleared: Array
    specificity: Array
    outcome: tuple[Outcome | None, ...]

    def part(self, ground: Ground) -> Array:
        """Part of each task's ground that a step works on (n) [1]; NaN where nothing is stated of its class."""
        if ground == "all":
            return np.ones(len(self.cleared))
        return 1 - self.cancelled if ground == "not-cancelled" else self.cleared

    def drawn_about(self, task: int) -> Array:
        """Shares that are cancelled, reduced and cleared of one task, for draws about them (3) [1]."""
        cancelled, cleared = float(self.cancelled[task]), float(self.cleared[task])
        return np.array([cancelled, max(1 - cancelled - cleared, 0.0), cleared])


def outcome_shares(tasks: pd.DataFrame, settings: PlanningSettings) -> Shares:
    """Shares of each task that survey cancels and that it leaves to clear.

    Parameters
    ----------
    tasks : DataFrame
        With land_class and area_m2 [m2]; ordnance; expected_m2 and known_m2 [m2] where there is a surface.
    settings : PlanningSettings
        ``outcomes``, ``ordnance_outcomes``, ``survey_sensitivity``.

    Returns
    -------
    Shares
        Without ``survey_sensitivity``, or where no surface is known, the stated shares. Else, with p the share of
        ground that is contaminated, s the sensitivity and C the stated share to clear: s p + (1 - c) (1 - p), where the
        specificity c is such that all ground of the outcome together comes to C. Ground that survey releases is
        cancelled and reduced in the stated proportion.

    Notes
    -----
    Sensitivity and specificity of a test, and the share that it keeps: Bayes' rule (Fletcher, Clinical Epidemiology,
    chapter on diagnosis). Where the surface expects more than C, c is 1 and more than C is cleared; see
    :func:`beyond_stated`.

    >>> settings = PlanningSettings.model_construct(outcomes={"SHA": Outcome(cancelled=0.3, reduced=0.3, cleared=0.4,
    ...     concentration=3, source="illustrative")}, ordnance_outcomes=(), survey_sensitivity=1.0)
    >>> tasks = pd.DataFrame({"land_class": "SHA", "area_m2": [100.0, 100.0], "expected_m2": [0.0, 50.0],
    ...     "known_m2": [100.0, 100.0]})
    >>> shares = outcome_shares(tasks, settings)
    >>> shares.cleared.round(3).tolist(), shares.specificity.round(3).tolist() # (0.2 + 0.6) / 2 = 0.4
    ([0.2, 0.6], [0.8, 0.8])
    """
    stated = stated_outcomes(tasks, settings)
    table = pd.DataFrame(
        {
            "cancelled": [np.nan if outcome is None else outcome.cancelled for outcome in stated],
            "cleared": [np.nan if outcome is None else outcome.cleared for outcome in stated],
            "specificity": np.nan,
        },
        dtype=float,
    )
    share = contaminated_share(tasks)
    if settings.survey_sensitivity is not None and not np.isnan(share).all():
        area = tasks["area_m2"].to_numpy(float)
        for (_, outcome), rows in _by_outcome(tasks, stated).items():
            known = rows[~np.isnan(share[rows])]
            _move(table, known, share[known], area[known], outcome, settings.survey_sensitivity)
    columns = {name: table[name].to_numpy(float) for name in ("cancelled", "cleared", "specificity")}
    return Shares(**columns, outcome=stated)


def stated_outcomes(tasks: pd.DataFrame, settings: PlanningSettings) -> tuple[Outcome | None, ...]:
    """Outcome stated for each task: the first whose ordnance holds all of the task's, else that of its class."""
    ordnance = tasks["ordnance"] if "ordnance" in tasks.columns else [None] * len(tasks)
    known: dict[tuple[str, str], Outcome | None] = {}
    for land_class, cell in zip(tasks["land_class"], ordnance, strict=True):
        key = (str(land_class), str(cell))
        if key not in known:
            held = set(ids_in(cell))
            fitting = (
                one
                for one in settings.ordnance_outcomes
                if one.land_class == land_class and held and held <= {*one.ordnance}
            )
            known[key] = next(fitting, settings.outcomes.get(land_class))
    return tuple(known[str(c), str(cell)] for c, cell in zip(tasks["land_class"], ordnance, strict=True))


def contaminated_share(tasks: pd.DataFrame) -> Array:
    """Share of each task's known ground that is expected to be contaminated (n) [1]; NaN where no surface says so."""
    if not {"expected_m2", "known_m2"} <= set(tasks.columns):
        return np.full(len(tasks), np.nan)
    known = pd.to_numeric(tasks["known_m2"]).to_numpy(float)
    expected = pd.to_numeric(tasks["expected_m2"]).to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(known > 0, np.clip(expected / known, 0, 1), np.nan))


def beyond_stated(tasks: pd.DataFrame, settings: PlanningSettings) -> list[tuple[str, float, float]]:
    """Classes of which the surface expects more contaminated ground than their outcomes leave to clear.

    Class, share that survey keeps of what the surface expects, and stated share to clear [1].
    """
    if settings.survey_sensitivity is None:
        return []
    share, area = contaminated_share(tasks), tasks["area_m2"].to_numpy(float)
    beyond = []
    for (land_class, outcome), rows in _by_outcome(tasks, stated_outcomes(tasks, settings)).items():
        known = rows[~np.isnan(share[rows])]
        if area[known].sum() <= 0:
            continue
        kept = settings.survey_sensitivity * float(np.average(share[known], weights=area[known]))
        if kept > outcome.cleared and outcome.cleared < 1:
            beyond.append((land_class, kept, outcome.cleared))
    return beyond


def _by_outcome(tasks: pd.DataFrame, stated: Sequence[Outcome | None]) -> dict[tuple[str, Outcome], Array]:
    """Rows of each class and stated outcome."""
    rows: dict[tuple[str, Outcome], list[int]] = {}
    for k, (land_class, outcome) in enumerate(zip(tasks["land_class"], stated, strict=True)):
        if outcome is not None:
            rows.setdefault((str(land_class), outcome), []).append(k)
    return {key: np.array(ks, dtype=int) for key, ks in rows.items()}


def _move(table: pd.DataFrame, rows: Array, p: Array, area: Array, outcome: Outcome, sensitivity: float) -> None:
    """Move the shares of tasks of one outcome by what they hold; nothing where survey releases or keeps nothing."""
    if not len(rows) or area.sum() <= 0 or outcome.cleared >= 1:
        return
    mean = float(np.average(p, weights=area))
    if mean >= 1:
        return
    keeps_free = (outcome.cleared - sensitivity * mean) / (1 - mean)
    if keeps_free > 1:
        return
    keeps_free = max(keeps_free, 0.0)
    like = _mean_of_parts(p, area)
    cleared = sensitivity * like + keeps_free * (1 - like)
    table.loc[rows, "cleared"] = cleared
    table.loc[rows, "cancelled"] = (1 - cleared) * outcome.cancelled / (outcome.cancelled + outcome.reduced)
    table.loc[rows, "specificity"] = 1 - keeps_free


def _mean_of_parts(p: Array, area: Array) -> Array:
    """Mean contaminated share of the part of the ground, by that share, in which each task lies (n) [1]."""
    order = np.lexsort((np.arange(len(p)), p))
    middle = np.cumsum(area[order]) - area[order] / 2
    part = np.empty(len(p), dtype=int)
    part[order] = np.minimum((middle * PARTS / max(area.sum(), 1e-300)).astype(int), PARTS - 1)
    sums = np.bincount(part, weights=area, minlength=PARTS)
    means = np.bincount(part, weights=p * area, minlength=PARTS) / np.where(sums > 0, sums, 1)
    return np.asarray(means[part])
