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
from scipy.special import expit

from clearplan.core.checks import Day, parse_date
from clearplan.settings.surface import FitSettings, SurfaceCovariate, SurfaceSettings, SurfaceTerm
from clearplan.surface.choice import alternatives, choose
from clearplan.surface.evidence import Evidence
from clearplan.surface.learning import Roles, best_of, fit_rows, roles_of
from clearplan.surface.likelihood import RELATIVE, Model, base_for, one_thread
from clearplan.surface.resamples import block_spread, resampled_draws
from clearplan.surface.samples import KnownBy, Sample, take_sample

Array = NDArray[Any]

#: Strengths below this are nothing [1]; it moves a share by less than a hundredth of itself.
_NOTHING = 0.01


@dataclass(frozen=True)
class Fit:
    """Fitted settings, ready for :func:`clearplan.make_surface`, and what a reader must know of them.

    ``table`` has a row per column of the model: evidence, role (fitted, exposure, left out), strength, spread,
    exposure, note. ``penalties`` has the held-out log likelihood per label of each C, ``choices`` that of each shape
    and half-life that was tried. ``draws`` are base rates and strengths that belong together, for
    :func:`clearplan.expected_area`: one pair a resample of blocks, each anchored to a prevalence drawn with its own
    spread.
    """

    settings: SurfaceSettings
    table: pd.DataFrame
    penalties: pd.DataFrame
    choices: pd.DataFrame
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
    known_by: KnownBy | None = None,
    as_at: Day | None = None,
    choose_from: SurfaceSettings | None = None,
) -> Fit:
    """Learn the strengths of the terms from labels, with spreads from resampled blocks.

    Parameters
    ----------
    evidence : Evidence
        From :func:`collect_evidence`; strengths may be unset. Searches are not looked at, but where accidents are
        foretold from the day before them: an accident says what lay there before anyone searched.
    settings : FitSettings
        What the labels are, the prevalence, windows, blocks and seed.
    accidents, areas, surveys : GeoDataFrame, optional
        ACCIDENTS, AREAS (their CHA and SHA, records and strikes apart, are the known hazards), or searched ground with
        ``found`` (true, false or a share); the one that ``settings.labels`` names.
    known_by : function, optional
        Evidence by settings and day, as it was known then; needed for ``settings.window_years`` and for choices.
    as_at : date or ISO text, optional
        The study's day, where the last window ends.
    choose_from : SurfaceSettings, optional
        Settings that leave shapes or half-lives open; each is chosen as C is, by what foretells held-out blocks best.

    Returns
    -------
    Fit
        Its settings have a strength and a spread for every term. b0 is such that the mean share over the known ground
        is the stated prevalence: accidents never say how much ground is contaminated. For surveys b0 is fitted. Without
        a prevalence the settings are ``relative``: they rank ground, and no area follows from them.

    Notes
    -----
    Evidence that the labels are made of (accidents for accidents of the same years; confirmed, suspected and recorded
    ground for hazards; released ground for surveys) is left out of the fit; so is evidence that would lower a share. A
    strength that the planner wrote for left-out or exposure evidence stands in the result, and one that nobody wrote is
    0. ``table`` says both.

    Raises
    ------
    TableError
        No labels, all at one place, or in fewer blocks than there are folds.
    SettingsError
        The labels' table is not given, exposure names no term, or scikit-learn is missing.
    """
    day = None if as_at is None else pd.Timestamp(parse_date(as_at, None))
    tables = {"accidents": accidents, "areas": areas, "surveys": surveys}
    sample = take_sample(evidence, settings, **tables, known_by=known_by, as_at=day)
    plan = choose_from or evidence.settings
    with one_thread():
        every = np.ones(len(sample.table), dtype=bool)
        chosen = choose(settings, sample, every, plan, alternatives(sample, plan, known_by, day))
    return fit_taken(chosen.settings, settings, chosen.sample, chosen.penalties, chosen.table)


def fit_taken(
    plan: SurfaceSettings, settings: FitSettings, sample: Sample, penalties: pd.DataFrame, choices: pd.DataFrame
) -> Fit:
    """As :func:`fit_surface`, for a sample that was taken, and shapes and half-lives that were chosen already."""
    roles = roles_of(plan, settings)
    with one_thread():
        penalty = best_of(penalties)
        model = fit_rows(sample, roles, settings, penalty)
        draws = resampled_draws(sample, roles, settings, penalty, model)
        between = block_spread(sample, roles, settings, penalty)
    spread = draws[1].std(axis=1, ddof=1)
    table = _rows_of_fit(plan, settings, roles, model, spread, sample)
    draws = _with_written(settings, sample, table, roles, draws)
    return Fit(
        settings=_fitted_settings(plan, settings, sample, table, model, float(draws[0].std(ddof=1)), between),
        table=table,
        penalties=penalties,
        choices=choices,
        penalty=penalty,
        labels=len(sample.labels),
        unknown=sample.unknown,
        blocks=int(sample.labels["block"].nunique()),
        model=model,
        draws=draws,
    )


def _with_written(
    settings: FitSettings, sample: Sample, table: pd.DataFrame, roles: Roles, draws: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Draws in which a strength that was written stands with its own spread, and what was left out stays 0."""
    base, drawn = draws
    random = np.random.default_rng([settings.seed, 3])
    z = random.standard_normal((drawn.shape[1], 1))
    written = table["strength"].to_numpy() + table["spread"].to_numpy() * z
    fitted = (table["role"] == "fitted").to_numpy()
    strengths = np.where(fitted, drawn.T, written)
    strengths = np.where(roles.land, strengths, np.maximum(strengths, 0))
    if settings.labels != "surveys":
        rates = expit(base)  # the prevalence of each draw, not b0 yet
        scores = sample.anchor[list(roles.names)].to_numpy() @ strengths.T + sample.anchor["shift"].to_numpy()[:, None]
        weight = (sample.anchor["weight"] / sample.anchor["weight"].sum()).to_numpy()
        base = np.array([base_for(s, weight, float(rate)) for s, rate in zip(scores.T, rates, strict=True)])
    return base.astype("float32"), strengths.T.astype("float32")


def _rows_of_fit(
    plan: SurfaceSettings, settings: FitSettings, roles: Roles, model: Model, spread: Array, sample: Sample
) -> pd.DataFrame:
    """A row per column of the model: what became of it, and why."""
    written, spreads = list(plan.strengths.values()), list(plan.spreads.values())
    seen = (sample.table[list(roles.names)] != 0).any().to_numpy()
    rows = []
    for k, name in enumerate(roles.names):
        strength_written = written[k] or 0.0
        stands = strength_written, spreads[k] if written[k] else 0.0
        kept = "the strength that was written stands" if written[k] else "no strength was written: 0"
        if roles.circular[k]:
            role, strength, note = "left out", stands, f"the labels are made of it; {kept}"
        elif roles.exposure[k]:
            role, strength, note = "exposure", stands, f"brings people, and with them accidents; {kept}"
        elif not seen[k]:
            role, strength, note = "left out", (0.0, 0.0), "none within reach of any label or background cell"
        elif model.strengths[k] < _NOTHING and not roles.land[k]:
            role, strength, note = "left out", (0.0, 0.0), "would lower the share, which evidence never does"
        else:
            role, strength, note = "fitted", (float(model.strengths[k]), float(spread[k])), ""
        rows.append((name, role, *strength, float(model.exposure[k]) if roles.exposure[k] else np.nan, note))
    return pd.DataFrame(rows, columns=["evidence", "role", "strength", "spread", "exposure", "note"])


def _fitted_settings(
    plan: SurfaceSettings,
    settings: FitSettings,
    sample: Sample,
    table: pd.DataFrame,
    model: Model,
    base_spread: float,
    between: float,
) -> SurfaceSettings:
    """The planner's settings with strengths, spreads and their sources filled in, and b0 anchored to them."""
    by_column = table.set_index("evidence")
    strengths = dict(zip(table["evidence"], table["strength"], strict=True))
    base = model.base
    if settings.labels != "surveys":
        anchor = sample.anchor
        weight = (anchor["weight"] / anchor["weight"].sum()).to_numpy()
        scores = (
            anchor[list(by_column.index)].to_numpy() @ by_column["strength"].to_numpy() + anchor["shift"].to_numpy()
        )
        base = base_for(scores, weight, settings.prevalence or RELATIVE)
    source = f"fitted to {_counted(settings, sample)} in {sample.labels['block'].nunique():,} blocks"
    rate = f"{source}, seed {settings.seed}"
    if settings.prevalence is not None:
        rate += f"; mean over known ground {settings.prevalence:g}: {settings.prevalence_source}"
    terms = tuple(_fitted_term(term, by_column, source) for term in plan.terms)
    covariates = tuple(_fitted_covariate(one, by_column, source) for one in plan.covariates)
    changed = {
        "mode": "fitted",
        "terms": terms,
        "covariates": covariates,
        "base_rate_spread": base_spread,
        "base_rate_source": rate,
        "relative": settings.labels != "surveys" and settings.prevalence is None,
        "block_spread": between,
        "block_m": settings.block_m,
    }
    return plan.model_copy(update=changed).with_strengths(strengths, base_rate=float(expit(base)))


def _counted(settings: FitSettings, sample: Sample) -> str:
    if settings.labels == "surveys":
        return f"{sample.labels['piece'].nunique():,} pieces of searched ground"
    words = f"{len(sample.labels):,} {settings.labels}"
    days = [day for day in sample.days if day is not None]
    return words if not days else f"{words} after {min(days):%Y-%m-%d}"


def _fitted_term(term: SurfaceTerm, table: pd.DataFrame, source: str) -> SurfaceTerm:
    """A term with the spread of its strength (of several columns the largest) and where it is from."""
    own = table.loc[list(term.columns)]
    stands = own["role"].isin(["exposure", "left out"]).all() and (own["strength"] > 0).any()
    said = term.source if stands else source
    return term.model_copy(update={"spread": float(own["spread"].max()), "source": said})


def _fitted_covariate(covariate: SurfaceCovariate, table: pd.DataFrame, source: str) -> SurfaceCovariate:
    own = table.loc[[covariate.name]]
    said = source if (own["role"] == "fitted").all() else covariate.source
    return covariate.model_copy(update={"spread": float(own["spread"].iloc[0]), "source": said})
