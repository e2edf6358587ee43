"""How well a surface predicts: areas under curves, recall in the top of the ground, calibration; all with weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

Array = NDArray[Any]
_CERTAIN = 1e-12  # probabilities count as at least this far from 0 and 1


def figures_of_cells(label: Array, score: Array, weight: Array) -> dict[str, float]:
    """Figures that ask which cells held an accident, by scikit-learn; NaN where one can't be.

    Parameters
    ----------
    label : array, n
        1 where an accident fell, else 0.
    score : array, n
        What ranks the cells; equal scores count together.
    weight : array, n
        Number of cells that each stands for.
    """
    from sklearn import metrics

    roc_auc = average_precision = np.nan
    if label.any():
        average_precision = metrics.average_precision_score(label, score, sample_weight=weight)
    if label.any() and not label.all():
        roc_auc = metrics.roc_auc_score(label, score, sample_weight=weight)
    return {"roc_auc": float(roc_auc), "average_precision": float(average_precision)}


def recall_in_top(
    positive: ArrayLike, area_score: ArrayLike, area: ArrayLike, shares: Sequence[float]
) -> dict[float, float]:
    """Share of positives inside the highest-scoring parts of the ground; NaN where there is none.

    Ground of equal score is taken by equal parts: where a tenth of the ground would be cut out of two tenths with one
    score, half of the positives there count.

    Parameters
    ----------
    positive : array, n
        Score of each positive.
    area_score, area : arrays, m
        Score of each piece of ground, and its size [any unit].
    shares : sequence of float
        Parts of the ground [0-1].

    >>> recall_in_top([2.0, 1.0], [2.0, 1.0, 1.0, 0.0], [1, 1, 1, 1], [0.25, 0.5])
    {0.25: 0.5, 0.5: 0.75}
    """
    positive = np.asarray(positive, float)
    if not len(positive) or not len(np.asarray(area_score)):
        return dict.fromkeys(shares, np.nan)
    return {share: float(in_top(positive, area_score, area, share).mean()) for share in shares}


def in_top(positive: ArrayLike, area_score: ArrayLike, area: ArrayLike, share: float) -> Array:
    """Whether each positive lies in the highest-scoring part of the ground (n) [0-1]; in between where scores tie."""
    positive, ground, area = np.asarray(positive, float), np.asarray(area_score, float), np.asarray(area, float)
    order = np.argsort(-ground, kind="stable")
    ground, area = ground[order], area[order]
    through = np.cumsum(area) / area.sum()
    edge = ground[min(int(np.searchsorted(through, share - 1e-12)), len(ground) - 1)]
    above, level = area[ground > edge].sum(), area[ground == edge].sum()
    part = np.clip((share * area.sum() - above) / level, 0, 1)
    inside: Array = (positive > edge) + part * (positive == edge)
    return inside


def mean_with_error(values: ArrayLike, blocks: ArrayLike) -> tuple[float, float]:
    """Mean of values and its standard error, where values of one block hang together (ratio of block sums).

    >>> mean, error = mean_with_error([1, 1, 0, 0], [1, 1, 2, 2])
    >>> mean, round(error, 3)  # two blocks, one all hits and one none: as for two values 1 and 0
    (0.5, 0.5)
    """
    values = np.asarray(values, float)
    _, of = np.unique(np.asarray(blocks), return_inverse=True)
    if not len(values):
        return np.nan, np.nan
    total, count = np.bincount(of, weights=values), np.bincount(of)
    mean = float(values.mean())
    if len(count) < 2:
        return mean, np.nan
    off = total - mean * count
    return mean, float(np.sqrt((off**2).sum() * len(count) / (len(count) - 1)) / len(values))


def recalibrated_rate(
    events: Array, ground: Array, weight: Array, event_blocks: Array, ground_blocks: Array
) -> tuple[float, float]:
    """Slope of a Poisson regression of events on the logarithm of their expected rate, and its error by blocks.

    1 where the rate is right, below 1 where it is too sure of itself; NaN where all rates are equal. The number of
    events is fitted, so that only the shape is judged. Sandwich estimate over blocks (Liang and Zeger 1986,
    https://doi.org/10.1093/biomet/73.1.13).

    Parameters
    ----------
    events : array, n
        Logarithm of the rate where events fell.
    ground, weight : arrays, m
        The same of the ground, and how much of it each stands for.
    event_blocks, ground_blocks : arrays, n and m
        Block of each.
    """
    if not len(events) or np.ptp(ground) < 1e-9:
        return np.nan, np.nan
    middle, spread = float(np.average(ground, weights=weight)), float(ground.std())
    own = np.column_stack([np.ones(len(events)), (events - middle) / spread])
    every = np.column_stack([np.ones(len(ground)), (ground - middle) / spread])
    theta = np.array([np.log(len(events) / weight.sum()), spread])
    for _ in range(200):
        rate = weight * np.exp(np.minimum(every @ theta, 50))
        gradient = own.sum(axis=0) - rate @ every
        curve = (every * rate[:, None]).T @ every
        step = np.clip(np.linalg.lstsq(curve, gradient, rcond=None)[0], -2, 2)
        theta = theta + step
        if np.abs(step).max() < 1e-10:
            break
    rate = weight * np.exp(np.minimum(every @ theta, 50))
    names, of = np.unique(np.concatenate([event_blocks, ground_blocks]), return_inverse=True)
    parts = np.concatenate([own, -every * rate[:, None]])
    by_block = np.stack([np.bincount(of, weights=w, minlength=len(names)) for w in parts.T], axis=-1)
    inverse = np.linalg.pinv((every * rate[:, None]).T @ every)
    variance = inverse @ (by_block.T @ by_block) @ inverse * len(names) / max(len(names) - 1, 1)
    return float(theta[1] / spread), float(np.sqrt(variance[1, 1]) / spread)


def _not_certain(p: Array) -> Array:
    clipped: Array = np.clip(p, _CERTAIN, 1 - _CERTAIN)
    return clipped


def recalibrate(label: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> tuple[float, float]:
    """Slope and intercept of a logistic regression of what happened on logit p; 1 and 0 where p is right.

    Slope below 1: too sure of itself. Cox 1958, https://doi.org/10.1093/biomet/45.3-4.562. Newton's method; NaN where
    all p are equal or only one kind of label is there.

    >>> slope, intercept = recalibrate([0, 1, 0, 1], [0.2, 0.2, 0.8, 0.8], [4, 1, 1, 4])
    >>> print(f"{slope:.4f} {abs(intercept):.4f}")
    1.0000 0.0000
    """
    label, x = np.asarray(label, float), logit(_not_certain(np.asarray(p, float)))
    weight = np.ones(len(label)) if weight is None else np.asarray(weight, float)
    held = weight > 0
    if np.ptp(x[held]) < 1e-9 or np.ptp(label[held]) == 0:
        return np.nan, np.nan
    middle = float(weight @ x / weight.sum())
    design = np.column_stack([x - middle, np.ones(len(x))])
    theta = np.array([0.0, float(logit(weight @ label / weight.sum()))])
    for _ in range(100):
        q = expit(design @ theta)
        curve = (design * (weight * q * (1 - q))[:, None]).T @ design
        step = np.linalg.lstsq(curve, design.T @ (weight * (label - q)), rcond=None)[0]
        theta = theta + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-10:
            break
    return float(theta[0]), float(theta[1] - theta[0] * middle)
