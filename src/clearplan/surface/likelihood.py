"""The arithmetic of fitting: places of accidents among background with a known prevalence, and finds of surveys.

Accidents say where people were hurt, and nothing about the ground where nobody was. With contamination ``p(x)`` and
people ``e(x)``, accidents fall at the rate ``c p(x) e(x)``; so it is the **logarithm** of p, not its logit, that adds
up with what brings people, and the share of contaminated ground can't be learned from them at all. What is fitted is

    logit p = b0 + strengths x g,    log e = exposure x g,    mean of p over known ground = prevalence

by the likelihood of the accidents' places among background cells, with a ridge on the strengths. An ordinary logistic
regression of accidents against background takes log p for logit p: strengths come out too small wherever p is not.
Where nobody states a prevalence, p is taken to be small everywhere, so that only its shape is learned. Searched ground
with and without finds says p itself: a fractional logistic regression of the share of each piece in which something was
found (Papke and Wooldridge 1996, https://doi.org/10.1002/(SICI)1099-1255(199611)11:6<619::AID-JAE418>3.0.CO;2-1).

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


#: Stands for the prevalence where nobody states one: so small that log p and logit p are the same.
RELATIVE = 1e-6


@dataclass(frozen=True)
class Model:
    """logit p = base + strengths x g; log of what brings labels = exposure x g."""

    base: float
    strengths: Array
    exposure: Array

    def score(self, g: Array, shift: Array | float = 0.0) -> Array:
        """Logit of p for rows of g; ``shift`` is what searches add."""
        scores: Array = self.base + g @ self.strengths + shift
        return scores

    def log_rate(self, g: Array, shift: Array | float = 0.0) -> Array:
        """Logarithm of the rate of labels, up to a constant."""
        rates: Array = log_expit(self.score(g, shift)) + g @ self.exposure
        return rates


@dataclass(frozen=True)
class Problem:
    """What a fit needs: g of labels and of background with weights, and which columns may move what.

    Labels and background belong to windows of time (``label_window``, ``background_window``, from 0): the places of a
    window's labels are drawn from the background of that window. ``..._shift`` is what searches add to the logit.
    """

    label_g: Array
    label_weight: Array
    background_g: Array
    background_weight: Array
    anchor_g: Array  # all known ground, held-out blocks too: evidence is no label, and the prevalence is that of all
    anchor_weight: Array
    free: Array  # strengths that are learned
    exposure: Array
    fixed: Array  # strengths of columns that are not free
    prevalence: float
    land: Array | None = None  # free columns whose strength may be negative
    label_window: Array | None = None
    background_window: Array | None = None
    label_shift: Array | float = 0.0
    background_shift: Array | float = 0.0
    anchor_shift: Array | float = 0.0

    @property
    def windows(self) -> tuple[Array, Array]:
        """Windows of labels and of background."""
        if self.label_window is None or self.background_window is None:
            return np.zeros(len(self.label_g), dtype=int), np.zeros(len(self.background_g), dtype=int)
        return self.label_window, self.background_window

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Least and most of each strength that is learned, then of each exposure."""
        land = np.zeros(len(self.free), dtype=bool) if self.land is None else self.land
        of_strengths = [(-100.0 if signed else 0.0, 100.0) for signed in land[self.free]]
        return of_strengths + [(-100.0, 100.0)] * int(self.exposure.sum())

    def split(self, theta: Array) -> tuple[Array, Array]:
        """Strengths and exposure of all columns, from what is learned."""
        strengths, gamma = self.fixed.copy(), np.zeros(len(self.free))
        count = int(self.free.sum())
        strengths[self.free], gamma[self.exposure] = theta[:count], theta[count:]
        return strengths, gamma


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

    Place i among background cells j of its window: ``p_i e_i / sum_j w_j p_j e_j``; b0 follows the strengths so that
    the mean of p stays the prevalence, and takes its part in the gradient.
    """
    strengths, gamma = problem.split(theta)
    ours, others = problem.label_g, problem.background_g
    base, drift = anchored(problem, strengths)
    score = base + others @ strengths + problem.background_shift
    own = base + ours @ strengths + problem.label_shift
    log_rate = log_expit(score) + others @ gamma
    top = log_rate.max()
    rate = problem.background_weight * np.exp(log_rate - top)
    of_label, of_background = problem.windows
    a = problem.label_weight
    n = np.bincount(of_label, weights=a, minlength=int(of_background.max()) + 1)
    total = np.bincount(of_background, weights=rate, minlength=len(n))
    held = n > 0
    loss = -(a @ (log_expit(own) + ours @ gamma)) + n[held] @ (np.log(total[held]) + top)
    rate *= np.where(held, n / np.where(total > 0, total, 1), 0.0)[of_background]
    a_slack, slack = a * expit(-own), rate * expit(-score)
    to_strengths = slack @ others + slack.sum() * drift - (a_slack @ ours + a_slack.sum() * drift)
    to_exposure = rate @ others - a @ ours
    loss += (theta @ theta) / (2 * penalty)
    gradient = np.concatenate([to_strengths[problem.free], to_exposure[problem.exposure]])
    return float(loss), gradient + theta / penalty


def anchored(problem: Problem, strengths: Array) -> tuple[float, Array]:
    """b0 with which the mean of p over the anchor is the prevalence, and how it moves with each strength."""
    scores = problem.anchor_g @ strengths + problem.anchor_shift
    base = base_for(scores, problem.anchor_weight, problem.prevalence)
    mean = expit(base + scores)
    moved = problem.anchor_weight * mean * (1 - mean)
    return base, -(moved @ problem.anchor_g) / max(float(moved.sum()), 1e-300)


def fit_places(problem: Problem, penalty: float, start: Model | None = None) -> Model:
    """Strengths (>= 0, but for land), exposure and b0 by penalised likelihood; one that would be negative ends at 0."""
    free, exposed = problem.free, problem.exposure
    if start is None:
        theta = np.concatenate([_first_guess(problem, penalty), np.zeros(exposed.sum())])
    else:
        theta = np.concatenate([start.strengths[free], start.exposure[exposed]])
    if len(theta):
        theta = minimize(
            penalised_loss,
            theta,
            (problem, penalty),
            jac=True,
            method="L-BFGS-B",
            bounds=problem.bounds,
            options={"maxiter": 500, "ftol": 1e-10, "gtol": 1e-6 * max(1.0, float(problem.label_weight.sum()))},
        ).x
    strengths, exposure = problem.split(theta)
    return Model(anchored(problem, strengths)[0], strengths, exposure)


def _first_guess(problem: Problem, penalty: float) -> Array:
    """Strengths of an ordinary logistic regression of labels against background, those below 0 raised to 0."""
    if not problem.free.any():
        return np.zeros(0)
    g = np.concatenate([problem.label_g, problem.background_g])[:, problem.free]
    y = np.repeat([1, 0], [len(problem.label_g), len(problem.background_g)])
    weight = np.concatenate([problem.label_weight, problem.background_weight * problem.label_weight.sum() * 10])
    found = logistic(g, y, weight, penalty)[1:]
    low, high = np.clip(np.array(problem.bounds[: len(found)]).T, -50.0, 50.0)
    return np.asarray(np.clip(found, low, high))


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


@dataclass(frozen=True)
class Searched:
    """Pieces of searched ground: cells of each (``piece``, from 0), and the share of each with finds [0-1]."""

    g: Array
    piece: Array
    part: Array  # share of its piece that each cell stands for [1]
    found: Array  # of each piece
    weight: Array  # of each piece


def survey_loss(theta: Array, searched: Searched, kept: Array, fixed: Array, penalty: float) -> tuple[float, Array]:
    """Minus the quasi likelihood of the shares found, with the ridge on all but the first (b0), and its gradient."""
    strengths = fixed.copy()
    strengths[kept] = theta[1:]
    p = expit(theta[0] + searched.g @ strengths)
    mean = np.bincount(searched.piece, weights=searched.part * p, minlength=len(searched.found))
    mean = np.clip(mean, 1e-12, 1 - 1e-12)
    y, w = searched.found, searched.weight
    loss = -(w @ (y * np.log(mean) + (1 - y) * np.log1p(-mean))) + theta[1:] @ theta[1:] / (2 * penalty)
    slope = (w * (mean - y) / (mean * (1 - mean)))[searched.piece] * searched.part * p * (1 - p)
    gradient = np.concatenate([[slope.sum()], (slope @ searched.g)[kept] + theta[1:] / penalty])
    return float(loss), gradient


def fit_surveys(
    searched: Searched, free: Array, fixed: Array, penalty: float, land: Array | None = None, start: Model | None = None
) -> Model:
    """Fractional logistic regression of the shares found; a strength that would be negative ends at 0, but for land.

    Raises
    ------
    TableError
        Every search found something everywhere, or none did.
    """
    share = float(np.average(searched.found, weights=searched.weight))
    if share in (0.0, 1.0):
        raise TableError("surveys: all searches have a find, or none has; strengths can't be learned from one kind")
    signed = np.zeros(len(free), dtype=bool) if land is None else land
    bounds = [(-50.0, 50.0)] + [(-100.0 if one else 0.0, 100.0) for one in signed[free]]
    theta = np.zeros(len(bounds))
    theta[0] = logit(share)
    if start is not None:
        theta = np.concatenate([[start.base], start.strengths[free]])
    found = minimize(
        survey_loss, theta, (searched, free, fixed, penalty), jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-9 * max(1.0, float(searched.weight.sum()))},
    ).x  # fmt: skip
    strengths = fixed.copy()
    strengths[free] = found[1:]
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
