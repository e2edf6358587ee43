"""How well a surface foretells: areas under curves, recall in the top of the ground, calibration; all with weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

Array = NDArray[Any]
_CERTAIN = 1e-12  # probabilities count as at least this far from 0 and 1


def figures_of_cells(label: Array, score: Array, chance: Array, weight: Array) -> dict[str, float]:
    """Figures of ``FIGURES`` that ask which cells held an accident, by scikit-learn; NaN where one can't be.

    Parameters
    ----------
    label : array, n
        1 where an accident fell, else 0.
    score : array, n
        What ranks the cells; equal scores count together.
    chance : array, n
        Chance of an accident in a cell [0-1].
    weight : array, n
        Number of cells that each stands for.

    Notes
    -----
    ``pr_auc`` is RELand's ``auc(recall, precision)``, https://arxiv.org/abs/2311.03115. Where many cells share one
    score, as inside a belt, its trapezoid runs from precision 1 at recall 0 straight to the one step there is, through
    orders that the score does not give; average precision does not.
    """
    from sklearn import metrics

    roc_auc = pr_auc = average_precision = np.nan
    if label.any():
        precision, recall, _ = metrics.precision_recall_curve(label, score, sample_weight=weight)
        pr_auc = metrics.auc(recall, precision)
        average_precision = metrics.average_precision_score(label, score, sample_weight=weight)
    if label.any() and not label.all():
        roc_auc = metrics.roc_auc_score(label, score, sample_weight=weight)
    slope, intercept = recalibrate(label, chance, weight)
    return {
        "roc_auc": float(roc_auc),
        "pr_auc": float(pr_auc),
        "average_precision": float(average_precision),
        "log_loss": float(metrics.log_loss(label, _not_certain(chance), sample_weight=weight, labels=[0, 1])),
        "slope": slope,
        "intercept": intercept,
    }


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
    positive, ground, area = np.asarray(positive, float), np.asarray(area_score, float), np.asarray(area, float)
    if not len(positive) or not len(ground):
        return dict.fromkeys(shares, np.nan)
    order = np.argsort(-ground, kind="stable")
    ground, area = ground[order], area[order]
    through = np.cumsum(area) / area.sum()
    recalls = {}
    for share in shares:
        edge = ground[min(int(np.searchsorted(through, share - 1e-12)), len(ground) - 1)]
        above, level = area[ground > edge].sum(), area[ground == edge].sum()
        part = np.clip((share * area.sum() - above) / level, 0, 1)
        recalls[share] = float(((positive > edge).sum() + part * (positive == edge).sum()) / len(positive))
    return recalls


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
