"""The fit of strengths as it was in the first version, kept as the baseline of the benchmarks; not maintained.

Accidents say where people were hurt, and nothing about the ground where nobody was. With contamination ``p(x)`` and
people ``e(x)``, accidents fall at the rate ``c p(x) e(x)``; so it is the **logarithm** of p, not its logit, that adds
up with what brings people, and the share of contaminated ground can't be learned from them at all. What is fitted is

    logit p = b0 + strengths x g,    log e = exposure x g,    mean of p over known ground = prevalence

by the likelihood of the accidents' places among background cells, with a ridge on the strengths. An ordinary logistic
regression of accidents against background takes log p for logit p: strengths come out too small wherever p is not.
Surveys with and without finds have no such trouble and are fitted by scikit-learn's logistic regression as it stands.

References: presence-only data and known prevalence: Lancaster and Imbens 1996,
https://doi.org/10.1016/0304-4076(94)01698-4; Ward et al. 2009, https://doi.org/10.1111/j.1541-0420.2008.01116.x;
Phillips and Elith 2013, https://doi.org/10.1890/12-1520.1. Likelihood of places: Renner et al. 2015,
https://doi.org/10.1111/2041-210X.12352.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from clearplan.core.errors import SettingsError, TableError

Array = NDArray[Any]

_MISSING = "surface.mode 'fitted' and clearplan evaluate need scikit-learn: pip install 'clearplan[fit]'"


@dataclass(frozen=True)
class Model:
    """logit p = base + strengths x g; log of what brings labels = exposure x g."""

    base: float
    strengths: Array
    exposure: Array

    def score(self, g: Array) -> Array:
        """Logit of p for rows of g."""
        scores: Array = self.base + g @ self.strengths
        return scores

    def log_rate(self, g: Array) -> Array:
        """Logarithm of the rate of labels, up to a constant."""
        rates: Array = log_expit(self.score(g)) + g @ self.exposure
        return rates


@dataclass(frozen=True)
class Problem:
    """What a fit needs: g of labels and of background with weights, and which columns may move what."""

    label_g: Array
    label_weight: Array
    background_g: Array
    background_weight: Array
    anchor_g: Array  # all known ground, held-out blocks too: evidence is no label, and the prevalence is that of all
    anchor_weight: Array
    free: Array
    exposure: Array
    fixed: Array  # strengths of columns that are not free
    prevalence: float


def base_for(scores: Array, weights: Array, prevalence: float) -> float:
    """b0 with which the mean of expit(b0 + scores) is the prevalence; weights sum to 1.

    >>> round(base_for(np.array([0.0, 0.0]), np.array([0.5, 0.5]), 0.2), 4)  # logit 0.2
    -1.3863
    """
    low, high = logit(prevalence) - scores.max(), logit(prevalence) - scores.min()
    base = float(np.clip(logit(prevalence) - weights @ scores, low, high))
    for _ in range(200):
        p = expit(base + scores)
        miss = float(weights @ p) - prevalence
        if abs(miss) < 1e-13 or high - low < 1e-13:
            break
        low, high = (low, base) if miss > 0 else (base, high)
        step = base - miss / max(float(weights @ (p * (1 - p))), 1e-300)
        base = step if low < step < high else (low + high) / 2
    return base


def penalised_loss(theta: Array, problem: Problem, penalty: float) -> tuple[float, Array]:
    """Minus the log likelihood of the labels' places, with the ridge, and its gradient.

    Place i among background cells j: ``p_i e_i / sum_j w_j p_j e_j``; b0 follows the strengths so that the mean of p
    stays the prevalence, and takes its part in the gradient.
    """
    free, exposed = problem.free, problem.exposure
    strengths, gamma = problem.fixed.copy(), np.zeros(len(free))
    strengths[free], gamma[exposed] = theta[: free.sum()], theta[free.sum() :]
    ours, others, w = problem.label_g, problem.background_g, problem.background_weight
    anchor = problem.anchor_g @ strengths
    base = base_for(anchor, problem.anchor_weight, problem.prevalence)
    score, own = base + others @ strengths, base + ours @ strengths
    log_rate = log_expit(score) + others @ gamma
    top = log_rate.max()
    rate = w * np.exp(log_rate - top)
    total = rate.sum()
    rate /= total
    a, n = problem.label_weight, problem.label_weight.sum()
    loss = -(a @ (log_expit(own) + ours @ gamma)) + n * (np.log(total) + top)
    mean = expit(base + anchor)
    moved = problem.anchor_weight * mean * (1 - mean)
    drift = -(moved @ problem.anchor_g) / moved.sum()
    a_slack, slack = a * expit(-own), rate * expit(-score)
    to_strengths = n * (slack @ others + slack.sum() * drift) - (a_slack @ ours + a_slack.sum() * drift)
    to_exposure = n * (rate @ others) - a @ ours
    loss += (theta @ theta) / (2 * penalty)
    return float(loss), np.concatenate([to_strengths[free], to_exposure[exposed]]) + theta / penalty


def fit_places(problem: Problem, penalty: float, start: Model | None = None) -> Model:
    """Strengths (>= 0), exposure and b0 by penalised likelihood; a strength that would be negative ends at 0."""
    free, exposed = problem.free, problem.exposure
    if start is None:
        theta = np.concatenate([_first_guess(problem, penalty), np.zeros(exposed.sum())])
    else:
        theta = np.concatenate([start.strengths[free], start.exposure[exposed]])
    bounds = [(0.0, 100.0)] * int(free.sum()) + [(-100.0, 100.0)] * int(exposed.sum())
    if len(theta):
        theta = minimize(
            penalised_loss,
            theta,
            (problem, penalty),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-10, "gtol": 1e-6 * max(1.0, float(problem.label_weight.sum()))},
        ).x
    strengths, exposure = problem.fixed.copy(), np.zeros(len(free))
    strengths[free], exposure[exposed] = theta[: free.sum()], theta[free.sum() :]
    base = base_for(problem.anchor_g @ strengths, problem.anchor_weight, problem.prevalence)
    return Model(base, strengths, exposure)


def _first_guess(problem: Problem, penalty: float) -> Array:
    """Strengths of an ordinary logistic regression of labels against background, those below 0 raised to 0."""
    if not problem.free.any():
        return np.zeros(0)
    g = np.concatenate([problem.label_g, problem.background_g])[:, problem.free]
    y = np.repeat([1, 0], [len(problem.label_g), len(problem.background_g)])
    weight = np.concatenate([problem.label_weight, problem.background_weight * problem.label_weight.sum() * 10])
    found = logistic(g, y, weight, penalty)[1:]
    return np.clip(found, 0.0, 50.0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: thousands of small products, faster so, and the same to the last bit everywhere.

    Raises
    ------
    SettingsError
        scikit-learn, with which threadpoolctl comes, is not installed.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise SettingsError(_MISSING) from None
    with threadpool_limits(1):
        yield


def logistic(g: Array, y: Array, weight: Array, penalty: float) -> Array:
    """Intercept and coefficients of scikit-learn's ridge logistic regression, newton-cholesky.

    Raises
    ------
    SettingsError
        scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise SettingsError(_MISSING) from None
    made = LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=200, tol=1e-8)
    made.fit(g, y, sample_weight=weight)
    coefficients: Array = np.concatenate([made.intercept_, made.coef_[0]])
    return coefficients


def fit_surveys(g: Array, y: Array, weight: Array, free: Array, fixed: Array, penalty: float) -> Model:
    """Ordinary logistic regression of finds; columns with a negative coefficient are left out and it is fitted anew."""
    kept = free.copy()
    if len(np.unique(y)) < 2:
        raise TableError("surveys: all searches have a find, or none has; strengths can't be learned from one kind")
    while kept.any():
        found = logistic(g[:, kept], y.astype(int), weight, penalty)
        if (found[1:] >= 0).all():
            break
        kept[np.flatnonzero(kept)[np.argmin(found[1:])]] = False  # the worst first: others may recover
    strengths = fixed.copy()
    strengths[free] = 0.0
    if not kept.any():
        return Model(float(logit(np.average(y, weights=weight))), strengths, np.zeros(len(free)))
    strengths[kept] = found[1:]
    return Model(float(found[0]), strengths, np.zeros(len(free)))


def exposure_given(log_p: Array, exposed: Array, weight: Array, own: Array, other: Array) -> Array:
    """Exposure that makes the places of labels likeliest where log p is given; 0 where there is none to learn.

    Rows ``own`` are labels, rows ``other`` background with ``weight``. A ridge of 1/1000 keeps it finite.
    """
    if not exposed.shape[1] or not own.any():
        return np.zeros(exposed.shape[1])
    a, n = weight[own], weight[own].sum()

    def loss(gamma: Array) -> tuple[float, Array]:
        rate = log_p[other] + exposed[other] @ gamma + np.log(weight[other])
        top = rate.max()
        part = np.exp(rate - top)
        value = -(a @ (exposed[own] @ gamma)) + n * (np.log(part.sum()) + top) + gamma @ gamma / 2000
        return float(value), -(a @ exposed[own]) + n * (part / part.sum()) @ exposed[other] + gamma / 1000

    found: Array = minimize(loss, np.zeros(exposed.shape[1]), jac=True, method="L-BFGS-B").x
    return found
