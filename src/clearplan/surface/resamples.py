"""How unsure a fit is: resamples of whole blocks, and how much blocks differ beyond what the evidence explains.

A resample draws blocks with replacement. Its fit is one Newton step from the fit to all blocks, with the strengths of
evidence held at 0 or more: with the curvature H there and the gradient G of the resample,
``min over d of G d + d H d / 2``. For a smooth likelihood this is the resample's own fit to first order (Kline and
Santos 2012, https://doi.org/10.1515/2156-6674.1005), and it costs a thousandth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.special import expit, log_expit, logit

from clearplan.settings.surface import FitSettings
from clearplan.surface.learning import Roles, fit_rows, problem_of, searched_of
from clearplan.surface.likelihood import (
    RELATIVE,
    Model,
    Problem,
    Searched,
    anchored,
    penalised_loss,
    survey_loss,
)
from clearplan.surface.samples import Sample

Array = NDArray[Any]

_STEP = 1e-4  # of the differences that make the curvature [1]
#: Largest spread between blocks that is believed [1]: a factor of 20 from the 5 % to the 95 % block.
_WIDEST = 0.92


@dataclass(frozen=True)
class _Parts:
    """Sums over the rows of each block (blocks, ...), from which the gradient of any resample follows."""

    labels: Array  # (blocks, columns) of the labels' own part
    count: Array  # (blocks, windows) labels
    rate: Array  # (blocks, windows) of background
    pull: Array  # (blocks, windows, columns) of background


def resampled_draws(
    sample: Sample, roles: Roles, settings: FitSettings, penalty: float, model: Model
) -> tuple[Array, Array]:
    """Draws of a fit that belong together: logit of the prevalence (of b0 for surveys), and strengths (columns, draws).

    For places b0 follows from the prevalence and the strengths; see ``fit._with_written``.
    """
    if settings.labels == "surveys":
        return _of_surveys(sample, roles, settings, penalty, model)
    problem = problem_of(sample, roles, settings)
    theta = np.concatenate([model.strengths[roles.free], model.exposure[roles.exposure]])
    random = np.random.default_rng([settings.seed, 2])
    spread = settings.prevalence_spread or 0.0
    moved = spread * random.standard_normal(settings.bootstrap)
    middle = float(logit(settings.prevalence or RELATIVE))
    if not len(theta):
        return middle + moved, np.repeat(roles.fixed[:, None], settings.bootstrap, axis=1)
    parts = _parts(sample, problem, model)
    curve = _curvature(theta, lambda t: penalised_loss(t, problem, penalty)[1])
    tilt = _tilt(theta, sample, roles, settings, penalty) if spread > 0 else np.zeros(len(theta))
    blocks = len(parts.count)
    held = parts.count.sum(axis=1) > 0
    out = np.empty((settings.bootstrap, len(roles.names)))
    for k in range(settings.bootstrap):
        times = _times(random, blocks, held)
        gradient = _gradient(parts, times) + theta / penalty + tilt * moved[k]
        drawn = _newton(theta, gradient, curve, problem.bounds)
        out[k] = problem.split(drawn)[0]
    return middle + moved, out.T


def _times(random: np.random.Generator, blocks: int, held: Array) -> Array:
    """How often each block is drawn; a resample without any label is drawn again."""
    while True:
        times = random.multinomial(blocks, np.full(blocks, 1 / blocks))
        if (times[held] > 0).any():
            return times


def _parts(sample: Sample, problem: Problem, model: Model) -> _Parts:
    table = sample.table
    labels = table["label"].notna().to_numpy()
    names, block = np.unique(table["block"].to_numpy(), return_inverse=True)
    of_label, of_background = problem.windows
    count = len(names)
    windows = int(of_background.max()) + 1
    base, drift = anchored(problem, model.strengths)
    own = base + problem.label_g @ model.strengths + problem.label_shift
    score = base + problem.background_g @ model.strengths + problem.background_shift
    log_rate = log_expit(score) + problem.background_g @ model.exposure
    rate = problem.background_weight * np.exp(log_rate - log_rate.max())
    ours = _ways(problem, problem.label_g, expit(-own), drift) * problem.label_weight[:, None]
    others = _ways(problem, problem.background_g, expit(-score), drift) * rate[:, None]
    cell = block[~labels] * windows + of_background
    pull = np.stack([np.bincount(cell, weights=w, minlength=count * windows) for w in others.T], axis=-1)
    return _Parts(
        labels=np.stack([np.bincount(block[labels], weights=w, minlength=count) for w in ours.T], axis=-1),
        count=np.bincount(
            block[labels] * windows + of_label, weights=problem.label_weight, minlength=count * windows
        ).reshape(count, windows),
        rate=np.bincount(cell, weights=rate, minlength=count * windows).reshape(count, windows),
        pull=pull.reshape(count, windows, -1),
    )


def _ways(problem: Problem, g: Array, slack: Array, drift: Array) -> Array:
    """How the logarithm of each row's rate moves with what is learned."""
    free, exposed = problem.free, problem.exposure
    ways: Array = np.concatenate([slack[:, None] * (g + drift)[:, free], g[:, exposed]], axis=1)
    return ways


def _gradient(parts: _Parts, times: Array) -> Array:
    """Gradient of a resample without the ridge."""
    count, rate = times @ parts.count, times @ parts.rate
    pull = np.tensordot(times, parts.pull, axes=1)
    share = np.divide(count, rate, out=np.zeros(len(count)), where=rate > 0)
    gradient: Array = share @ pull - times @ parts.labels
    return gradient


def _curvature(theta: Array, gradient: Any) -> Array:
    """Matrix of second derivatives, by differences of the gradient."""
    rows = []
    for k in range(len(theta)):
        step = np.zeros(len(theta))
        step[k] = _STEP
        rows.append((gradient(theta + step) - gradient(theta - step)) / (2 * _STEP))
    curve = np.array(rows)
    symmetric: Array = (curve + curve.T) / 2
    return symmetric


def _tilt(theta: Array, sample: Sample, roles: Roles, settings: FitSettings, penalty: float) -> Array:
    """How the gradient moves with the logit of the prevalence."""
    at = float(logit(settings.prevalence or RELATIVE))
    sides = []
    for sign in (-1, 1):
        problem = problem_of(sample, roles, settings, prevalence=float(expit(at + sign * 0.1)))
        sides.append(penalised_loss(theta, problem, penalty)[1])
    tilt: Array = (sides[1] - sides[0]) / 0.2
    return tilt


def _newton(theta: Array, gradient: Array, curve: Array, bounds: list[tuple[float, float]]) -> Array:
    """The lowest point of the parabola within bounds."""
    value, way = np.linalg.eigh(curve)
    value = np.maximum(value, value.max() * 1e-9)
    root = np.sqrt(value)[:, None] * way.T
    target = root @ theta - (way.T @ gradient) / np.sqrt(value)
    low, high = np.array(bounds).T
    found: Array = lsq_linear(root, target, bounds=(low, high), method="bvls").x
    return found


def _of_surveys(
    sample: Sample, roles: Roles, settings: FitSettings, penalty: float, model: Model
) -> tuple[Array, Array]:
    searched = searched_of(sample, roles)
    theta = np.concatenate([[model.base], model.strengths[roles.free]])
    labels = sample.labels
    first = np.unique(labels["piece"].to_numpy(), return_index=True)[1]
    _, block = np.unique(labels["block"].to_numpy()[first], return_inverse=True)
    each = _each_piece(theta, searched, roles)
    count = int(block.max()) + 1
    by_block = np.stack([np.bincount(block, weights=w, minlength=count) for w in each.T], axis=-1)
    curve = _curvature(theta, lambda t: survey_loss(t, searched, roles.free, roles.fixed, penalty)[1])
    bounds = [(-50.0, 50.0)] + [(-100.0 if land else 0.0, 100.0) for land in roles.land[roles.free]]
    random = np.random.default_rng([settings.seed, 2])
    ridge = np.concatenate([[0.0], theta[1:] / penalty])
    base, out = np.empty(settings.bootstrap), np.repeat(roles.fixed[:, None], settings.bootstrap, axis=1)
    for k in range(settings.bootstrap):
        times = random.multinomial(count, np.full(count, 1 / count))
        drawn = _newton(theta, times @ by_block + ridge, curve, bounds)
        base[k], out[roles.free, k] = drawn[0], drawn[1:]
    return base, out


def _each_piece(theta: Array, searched: Searched, roles: Roles) -> Array:
    """Gradient of the loss of each piece of searched ground (pieces, 1 + strengths)."""
    strengths = roles.fixed.copy()
    strengths[roles.free] = theta[1:]
    p = expit(theta[0] + searched.g @ strengths)
    mean = np.clip(np.bincount(searched.piece, weights=searched.part * p), 1e-12, 1 - 1e-12)
    slope = (searched.weight * (mean - searched.found) / (mean * (1 - mean)))[searched.piece]
    slope = slope * searched.part * p * (1 - p)
    ways = np.concatenate([np.ones((len(p), 1)), searched.g[:, roles.free]], axis=1) * slope[:, None]
    return np.stack([np.bincount(searched.piece, weights=w) for w in ways.T], axis=-1)


def block_spread(sample: Sample, roles: Roles, settings: FitSettings, penalty: float) -> float:
    """How much held-out blocks differ from what was expected of them, in the logit: standard deviation [1].

    Of accidents n with e expected in each block, ``sum((n - e)^2 - e) / sum(e^2)`` is the variance of the factor by
    which blocks differ (method of moments); of a lognormal factor the logarithm has the variance ``log(1 + that)``.
    What brings people and no layer tells of is part of it: it errs to the wide side.
    """
    table = sample.table
    fold, block = table["fold"].to_numpy(), table["block"].to_numpy()
    seen, expected = [], []
    folds = np.unique(fold)
    for k in folds:
        if settings.labels == "surveys" and table.loc[fold != k, "label"].dropna().nunique() < 2:
            continue
        others = fold != k if len(folds) > 1 else np.ones(len(fold), dtype=bool)
        model = fit_rows(sample, roles, settings, penalty, used=others)
        held = table[fold == k]
        n, e = _in_blocks(held, roles, settings, model)
        seen.append(n)
        expected.append(e)
    if not seen:
        return 0.0
    n, e = np.concatenate(seen), np.concatenate(expected)
    noise = e if settings.labels != "surveys" else 0.0
    factor = float(((n - e) ** 2 - noise).sum() / max(float((e**2).sum()), 1e-300))
    return min(float(np.sqrt(np.log1p(max(factor, 0.0)))), _WIDEST) if len(np.unique(block)) > 1 else 0.0


def _in_blocks(held: Any, roles: Roles, settings: FitSettings, model: Model) -> tuple[Array, Array]:
    """Labels seen and expected in each block of a fold; of surveys m2 with finds, as parts of the mean piece."""
    label, weight = held["label"].to_numpy(float), held["weight"].to_numpy(float)
    own = ~np.isnan(label)
    _, block = np.unique(held["block"].to_numpy(), return_inverse=True)
    g, count = held[list(roles.names)].to_numpy(float), int(block.max()) + 1
    if settings.labels == "surveys":
        p = expit(model.score(g[own]))
        cells = held.loc[own].groupby("piece")["piece"].transform("size").to_numpy()
        seen = np.bincount(block[own], weights=weight[own] * label[own] / cells, minlength=count)
        return seen, np.bincount(block[own], weights=weight[own] * p / cells, minlength=count)
    rate = np.exp(model.log_rate(g, held["shift"].to_numpy(float)))
    seen = np.bincount(block[own], minlength=count).astype(float)
    expected = np.bincount(block[~own], weights=(rate * weight)[~own], minlength=count)
    return seen, expected * own.sum() / max(float(expected.sum()), 1e-300)
