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

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from clearplan.surface.likelihood import base_for, logistic

Array = NDArray[Any]


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
