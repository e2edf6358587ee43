"""What each column of the model may do in a fit, and fits of any rows of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_expit, logsumexp

from clearplan.core.errors import SettingsError
from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.surface.likelihood import RELATIVE, Model, Problem, Searched, fit_places, fit_surveys
from clearplan.surface.samples import Sample

Array = NDArray[Any]

#: Evidence that is never a reason for a label that is made of it.
CIRCULAR = {
    "accidents": ("accidents",),
    "hazards": ("cha", "sha", "records", "closed"),
    "surveys": ("cleared", "closed"),
}


@dataclass(frozen=True)
class Roles:
    """What each column of the model may do in a fit."""

    names: tuple[str, ...]
    free: Array  # strengths that are learned
    exposure: Array  # columns that bring labels
    fixed: Array  # strengths that stand while others are learned
    circular: Array  # columns that the labels are made of
    land: Array  # covariates, whose strengths may be of either sign


def roles_of(plan: SurfaceSettings, settings: FitSettings) -> Roles:
    """Which columns are learned, which bring people, and which are what the labels are made of."""
    kinds = list(plan.kinds.values())
    written = np.array([strength or 0.0 for strength in plan.strengths.values()])
    missing = [name for name in settings.exposure if name not in kinds]
    if missing:
        raise SettingsError(f"fit.exposure names {', '.join(missing)}, which no term weighs; add the term or drop it")
    # Accidents before a window say where those in it may be; those of the same years are the labels themselves.
    own = () if settings.window_years is not None else CIRCULAR[settings.labels]
    circular = np.isin(kinds, own)
    exposure = np.isin(kinds, settings.exposure) & ~circular
    land = np.isin(list(plan.kinds), [covariate.name for covariate in plan.covariates])
    fixed = np.where(exposure, written, 0.0)
    return Roles(tuple(plan.kinds), ~circular & ~exposure, exposure, fixed, circular, land & ~exposure)


def problem_of(
    sample: Sample,
    roles: Roles,
    settings: FitSettings,
    *,
    used: Array | None = None,
    prevalence: float | None = None,
) -> Problem:
    """What a fit of places needs, from all rows of a sample or those ``used``."""
    table, names = sample.table, list(roles.names)
    kept = table["weight"].to_numpy(float) > 0 if used is None else np.asarray(used, bool)
    labels = table["label"].notna().to_numpy()
    own, other = table[labels & kept], table[~labels & kept]
    weight = other["weight"].to_numpy(float)
    anchor = sample.anchor
    return Problem(
        label_g=own[names].to_numpy(float),
        label_weight=own["weight"].to_numpy(float),
        background_g=other[names].to_numpy(float),
        background_weight=weight / weight.sum(),
        anchor_g=anchor[names].to_numpy(float),
        anchor_weight=(anchor["weight"] / anchor["weight"].sum()).to_numpy(float),
        free=roles.free,
        exposure=roles.exposure,
        fixed=roles.fixed,
        prevalence=prevalence or settings.prevalence or RELATIVE,
        land=roles.land,
        label_window=own["window"].to_numpy(int),
        background_window=other["window"].to_numpy(int),
        label_shift=own["shift"].to_numpy(float),
        background_shift=other["shift"].to_numpy(float),
        anchor_shift=anchor["shift"].to_numpy(float),
    )


def searched_of(sample: Sample, roles: Roles, *, used: Array | None = None, times: Array | None = None) -> Searched:
    """What a fit of surveys needs: the cells of each piece, in the rows ``used``, each piece ``times`` over."""
    labels = sample.labels if used is None else sample.table[sample.table["label"].notna().to_numpy() & used]
    counted = np.ones(len(sample.table)) if times is None else times
    weight = labels["weight"].to_numpy(float) * counted[labels.index.to_numpy()]
    _, first, piece = np.unique(labels["piece"].to_numpy(), return_index=True, return_inverse=True)
    return Searched(
        g=labels[list(roles.names)].to_numpy(float),
        piece=piece,
        part=(1 / np.bincount(piece))[piece],
        found=labels["label"].to_numpy(float)[first],
        weight=weight[first],
    )


def fit_rows(
    sample: Sample,
    roles: Roles,
    settings: FitSettings,
    penalty: float,
    *,
    used: Array | None = None,
    start: Model | None = None,
) -> Model:
    """Fit the rows of a sample: all, or those ``used``."""
    if settings.labels == "surveys":
        return fit_surveys(searched_of(sample, roles, used=used), roles.free, roles.fixed, penalty, roles.land, start)
    return fit_places(problem_of(sample, roles, settings, used=used), penalty, start)


def held_out(sample: Sample, roles: Roles, settings: FitSettings, penalties: Sequence[float]) -> pd.DataFrame:
    """Log likelihood per held-out label of each C, over the folds; of places within the fold, or of finds.

    With several windows of time the last is foretold from those before it, in blocks that were not learned from.
    """
    fold, window = sample.table["fold"].to_numpy(), sample.table["window"].to_numpy()
    earlier = window > 0 if window.max() > 0 else np.ones(len(window), dtype=bool)
    rows = []
    for penalty in penalties:
        total, count = 0.0, 0
        for k in np.unique(fold):
            asked = (fold == k) & (window == 0)
            others = fold != k if len(np.unique(fold)) > 1 else np.ones(len(fold), dtype=bool)
            model = fit_rows(sample, roles, settings, penalty, used=others & earlier)
            total += _log_likelihood(sample.table[asked], roles, settings, model)
            count += int(sample.table.loc[asked, "label"].notna().sum())
        rows.append((penalty, total / max(count, 1)))
    return pd.DataFrame(rows, columns=["penalty", "log_likelihood"])


def best_of(penalties: pd.DataFrame) -> float:
    """The C that foretells held-out blocks best."""
    return float(penalties["penalty"].iloc[int(penalties["log_likelihood"].argmax())])


def _log_likelihood(rows: pd.DataFrame, roles: Roles, settings: FitSettings, model: Model) -> float:
    label, g = rows["label"].to_numpy(float), rows[list(roles.names)].to_numpy(float)
    own, shift = ~np.isnan(label), rows["shift"].to_numpy(float)
    if settings.labels == "surveys":
        score = model.score(g[own])
        found = label[own] * log_expit(score) + (1 - label[own]) * log_expit(-score)
        return float(found @ rows["weight"].to_numpy(float)[own])
    if not own.any() or own.all():
        return 0.0
    rate, weight = model.log_rate(g, shift), rows["weight"].to_numpy(float)[~own]
    return float(rate[own].sum() - own.sum() * logsumexp(rate[~own], b=weight / weight.sum()))
