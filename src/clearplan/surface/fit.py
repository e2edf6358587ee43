"""Strengths of the surface's terms learned from labels: accidents, known hazards, or surveys.

How, and why not by an ordinary logistic regression: :mod:`clearplan.surface.likelihood`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit, logsumexp

from clearplan.core.errors import SettingsError
from clearplan.settings.surface import FitSettings, SurfaceSettings, SurfaceTerm
from clearplan.surface.evidence import Evidence
from clearplan.surface.likelihood import Model, Problem, base_for, fit_places, fit_surveys, one_thread
from clearplan.surface.samples import Sample, take_sample

Array = NDArray[Any]

#: Evidence that is never a reason for a label that is made of it.
CIRCULAR = {"accidents": ("accidents",), "hazards": ("cha", "sha", "records"), "surveys": ()}
#: Strengths below this are nothing [1]; it moves a probability by less than a hundredth of itself.
_NOTHING = 0.01


@dataclass(frozen=True)
class Fit:
    """Fitted settings, ready for :func:`clearplan.make_surface`, and what a reader must know of them.

    ``table`` has a row per column of the model: evidence, role (fitted, exposure, left out), strength, spread,
    exposure, note. ``penalties`` has the held-out log likelihood per label of each C. ``draws`` are base rates and
    strengths that belong together, for :func:`clearplan.expected_area`: one pair a resample of blocks, each anchored to
    a prevalence drawn with its own spread.
    """

    settings: SurfaceSettings
    table: pd.DataFrame
    penalties: pd.DataFrame
    penalty: float
    labels: int
    unknown: int
    blocks: int
    model: Model
    draws: tuple[Array, Array]


def fit_surface(
    evidence: Evidence,
    settings: FitSettings,
    *,
    accidents: gpd.GeoDataFrame | None = None,
    areas: gpd.GeoDataFrame | None = None,
    surveys: gpd.GeoDataFrame | None = None,
) -> Fit:
    """Learn the strengths of the terms from labels, with spreads from resampled blocks.

    Parameters
    ----------
    evidence : Evidence
        From :func:`collect_evidence`; strengths may be unset. Searches are not looked at: an accident says what lay
        there before anyone searched.
    settings : FitSettings
        What the labels are, the prevalence, blocks and seed.
    accidents, areas, surveys : GeoDataFrame, optional
        ACCIDENTS, AREAS (their CHA and SHA, records and strikes apart, are the known hazards), or searched places with
        ``found`` (true or false); the one that ``settings.labels`` names.

    Returns
    -------
    Fit
        Its settings have a strength and a spread for every term. b0 is such that the mean of p over the known ground is
        the stated prevalence: accidents never say how much ground is contaminated. For surveys b0 is fitted.

    Notes
    -----
    Evidence that the labels are made of (accidents for accidents; confirmed, suspected and recorded ground for
    hazards) is left out of the fit; so is evidence that would lower a probability. A strength that the planner wrote
    for left-out or exposure evidence stands in the result, and one that nobody wrote is 0. ``table`` says both.

    Raises
    ------
    TableError
        No labels, all at one place, or in fewer blocks than there are folds.
    SettingsError
        The labels' table is not given, exposure names no term, or scikit-learn is missing.
    """
    sample = take_sample(evidence, settings, accidents=accidents, areas=areas, surveys=surveys)
    return fit_taken(evidence, settings, sample)


def fit_taken(evidence: Evidence, settings: FitSettings, sample: Sample) -> Fit:
    """As :func:`fit_surface`, for a sample that was taken already."""
    roles = roles_of(evidence, settings)
    with one_thread():
        penalties = held_out(sample.table, roles, settings)
        penalty = float(penalties["penalty"].iloc[int(penalties["log_likelihood"].argmax())])
        model = fit_rows(sample.table, roles, settings, penalty)
        resampled, prevalences = _resampled(sample.table, roles, settings, penalty, model)
    table = _told(evidence, settings, roles, model, resampled[:, 1:].std(axis=0, ddof=1), sample)
    draws = _draws(settings, sample, table, resampled, prevalences)
    base_spread = float(draws[0].std(ddof=1))
    return Fit(
        settings=_fitted_settings(evidence.settings, settings, sample, table, model, base_spread),
        table=table,
        penalties=penalties,
        penalty=penalty,
        labels=len(sample.labels),
        unknown=sample.unknown,
        blocks=int(sample.labels["block"].nunique()),
        model=model,
        draws=draws,
    )


@dataclass(frozen=True)
class Roles:
    """What each column of the model may do in a fit."""

    names: tuple[str, ...]
    free: Array  # strengths that are learned
    exposure: Array  # columns that bring labels
    fixed: Array  # strengths that stand while others are learned
    circular: Array  # columns that the labels are made of


def roles_of(evidence: Evidence, settings: FitSettings) -> Roles:
    """Which columns are learned, which bring people, and which are what the labels are made of."""
    terms = evidence.settings.terms
    kinds = [term.evidence for term in terms for _ in term.columns]
    written = np.array([s or 0.0 for term in terms for s in term.columns.values()])
    missing = [name for name in settings.exposure if name not in kinds]
    if missing:
        raise SettingsError(f"fit.exposure names {', '.join(missing)}, which no term weighs; add the term or drop it")
    circular = np.isin(kinds, CIRCULAR[settings.labels])
    exposure = np.isin(kinds, settings.exposure) & ~circular
    return Roles(evidence.names, ~circular & ~exposure, exposure, np.where(exposure, written, 0.0), circular)


def fit_rows(
    table: pd.DataFrame,
    roles: Roles,
    settings: FitSettings,
    penalty: float,
    *,
    used: Array | None = None,
    times: Array | None = None,
    prevalence: float | None = None,
    start: Model | None = None,
) -> Model:
    """Fit the rows of a sample: all, or those ``used``, each ``times`` over."""
    g, weight = table[list(roles.names)].to_numpy(float), table["weight"].to_numpy(float)
    label = table["label"].to_numpy(float)
    counted = weight * (1.0 if times is None else times) * (1.0 if used is None else used)
    own, other, every = ~np.isnan(label) & (counted > 0), np.isnan(label) & (counted > 0), np.isnan(label)
    if settings.labels == "surveys":
        return fit_surveys(g[own], label[own], counted[own], roles.free, roles.fixed, penalty)
    known = prevalence or settings.prevalence
    assert known is not None
    problem = Problem(
        label_g=g[own],
        label_weight=counted[own],
        background_g=g[other],
        background_weight=counted[other] / counted[other].sum(),
        anchor_g=g[every],
        anchor_weight=weight[every] / weight[every].sum(),
        free=roles.free,
        exposure=roles.exposure,
        fixed=roles.fixed,
        prevalence=known,
    )
    return fit_places(problem, penalty, start)


def held_out(table: pd.DataFrame, roles: Roles, settings: FitSettings) -> pd.DataFrame:
    """Log likelihood per held-out label of each C, over the folds; of places within the fold, or of finds."""
    fold = table["fold"].to_numpy()
    rows = []
    for penalty in settings.penalties:
        told = np.nan
        if len(settings.penalties) > 1:
            models = {k: fit_rows(table, roles, settings, penalty, used=fold != k) for k in np.unique(fold)}
            told = sum(_log_likelihood(table[fold == k], roles, settings, model) for k, model in models.items())
            told /= max(int(table["label"].notna().sum()), 1)
        rows.append((penalty, told))
    found = pd.DataFrame(rows, columns=["penalty", "log_likelihood"])
    return found if len(found) > 1 else found.fillna(0.0)


def best_penalty(table: pd.DataFrame, roles: Roles, settings: FitSettings) -> float:
    """The C that foretells held-out folds of a sample best."""
    found = held_out(table, roles, settings)
    return float(found["penalty"].iloc[int(found["log_likelihood"].argmax())])


def _log_likelihood(rows: pd.DataFrame, roles: Roles, settings: FitSettings, model: Model) -> float:
    label, g = rows["label"].to_numpy(float), rows[list(roles.names)].to_numpy(float)
    own = ~np.isnan(label)
    if settings.labels == "surveys":
        score = model.score(g[own])
        return float(np.where(label[own] == 1, log_expit(score), log_expit(-score)).sum())
    if not own.any() or own.all():
        return 0.0
    rate, weight = model.log_rate(g), rows["weight"].to_numpy(float)[~own]
    return float(rate[own].sum() - own.sum() * logsumexp(rate[~own], b=weight / weight.sum()))


def _resampled(
    table: pd.DataFrame, roles: Roles, settings: FitSettings, penalty: float, model: Model
) -> tuple[Array, list[float | None]]:
    """b0 and strengths of fits to whole blocks drawn with replacement, and the prevalence drawn for each."""
    random = np.random.default_rng([settings.seed, 2])
    names, of = np.unique(table["block"].to_numpy(), return_inverse=True)
    positive = np.bincount(of, weights=(table["label"] == 1).to_numpy(), minlength=len(names)) > 0
    out: list[Array] = []
    prevalences: list[float | None] = []
    while len(out) < settings.bootstrap:
        times = random.multinomial(len(names), np.full(len(names), 1 / len(names)))
        moved = random.standard_normal()
        if not (times[positive] > 0).any():
            continue
        prevalence = None
        if settings.prevalence is not None:
            prevalence = float(expit(logit(settings.prevalence) + moved * (settings.prevalence_spread or 0.0)))
        drawn = fit_rows(table, roles, settings, penalty, times=times[of], prevalence=prevalence, start=model)
        out.append(np.concatenate([[drawn.base], drawn.strengths]))
        prevalences.append(prevalence)
    return np.array(out), prevalences


def _draws(
    settings: FitSettings, sample: Sample, table: pd.DataFrame, resampled: Array, prevalences: list[float | None]
) -> tuple[Array, Array]:
    """Logit of the base rate (draws) and strengths (columns, draws) that belong together.

    What was written stands with its own spread; what was left out stays 0.
    """
    random = np.random.default_rng([settings.seed, 3])
    written = table["strength"].to_numpy() + table["spread"].to_numpy() * random.standard_normal((len(resampled), 1))
    fitted = (table["role"] == "fitted").to_numpy()
    strengths = np.maximum(np.where(fitted, resampled[:, 1:], written), 0)
    base = resampled[:, 0].copy()
    g, weight = sample.background[list(sample.names)].to_numpy(), sample.background["weight"].to_numpy()
    for k, prevalence in enumerate(prevalences):
        if prevalence is not None:
            base[k] = base_for(g @ strengths[k], weight / weight.sum(), prevalence)
    return base.astype("float32"), strengths.T.astype("float32")


def _told(
    evidence: Evidence, settings: FitSettings, roles: Roles, model: Model, spread: Array, sample: Sample
) -> pd.DataFrame:
    """A row per column of the model: what became of it, and why."""
    written = [strength for term in evidence.settings.terms for strength in term.columns.values()]
    spreads = [term.spread for term in evidence.settings.terms for _ in term.columns]
    seen = (sample.table[list(roles.names)] > 0).any().to_numpy()
    rows = []
    for k, name in enumerate(roles.names):
        stands = written[k] or 0.0, spreads[k] if written[k] else 0.0
        kept = "the strength that was written stands" if written[k] else "no strength was written: 0"
        if roles.circular[k]:
            role, strength, note = "left out", stands, f"the labels are made of it; {kept}"
        elif roles.exposure[k]:
            role, strength, note = "exposure", stands, f"brings people, and with them accidents; {kept}"
        elif not seen[k]:
            role, strength, note = "left out", (0.0, 0.0), "none within reach of any label or background cell"
        elif model.strengths[k] < _NOTHING:
            role, strength, note = "left out", (0.0, 0.0), "would lower the probability, which evidence never does"
        else:
            role, strength, note = "fitted", (float(model.strengths[k]), float(spread[k])), ""
        rows.append((name, role, *strength, float(model.exposure[k]) if roles.exposure[k] else np.nan, note))
    return pd.DataFrame(rows, columns=["evidence", "role", "strength", "spread", "exposure", "note"])


def _fitted_settings(
    plan: SurfaceSettings, settings: FitSettings, sample: Sample, table: pd.DataFrame, model: Model, base_spread: float
) -> SurfaceSettings:
    """The planner's settings with strengths, spreads and their sources filled in, and b0 anchored anew."""
    told = table.set_index("evidence")
    strengths = dict(zip(table["evidence"], table["strength"], strict=True))
    base = model.base
    if settings.prevalence is not None:
        background = sample.background
        weight = background["weight"].to_numpy() / background["weight"].sum()
        base = base_for(
            background[list(sample.names)].to_numpy() @ told["strength"].to_numpy(), weight, settings.prevalence
        )
    source = f"fitted to {len(sample.labels):,} {settings.labels} in {sample.labels['block'].nunique():,} blocks"
    rate = f"{source}, seed {settings.seed}"
    if settings.prevalence is not None:
        rate += f"; mean over known ground {settings.prevalence:g}: {settings.prevalence_source}"
    terms = tuple(_fitted_term(term, told, source) for term in plan.terms)
    changed = {"mode": "fitted", "terms": terms, "base_rate_spread": base_spread, "base_rate_source": rate}
    return plan.model_copy(update=changed).with_strengths(strengths, base_rate=float(expit(base)))


def _fitted_term(term: SurfaceTerm, told: pd.DataFrame, source: str) -> SurfaceTerm:
    """A term with the spread of its strength (of two sides the larger) and where it is from."""
    own = told.loc[list(term.columns)]
    stands = own["role"].isin(["exposure", "left out"]).all() and (own["strength"] > 0).any()
    said = term.source if stands else source
    return term.model_copy(update={"spread": float(own["spread"].max()), "source": said})
