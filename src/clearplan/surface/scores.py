"""How well a surface foretells: areas under curves, recall in the top of the ground, calibration; all with weights.

Plain arithmetic on arrays, each figure small enough to be followed by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Array = NDArray[Any]


def _steps(label: Array, score: Array, weight: Array) -> tuple[Array, Array]:
    """Weight of positives and negatives with at least each score, from the highest; equal scores are one step."""
    order = np.argsort(-score, kind="stable")
    label, score, weight = label[order], score[order], weight[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    return np.cumsum(weight * label)[last], np.cumsum(weight * (1 - label))[last]


def roc_auc(label: Any, score: Any, weight: Any = None) -> float:
    """Chance that a positive scores above a negative, equal scores half; NaN where one of them is missing.

    >>> roc_auc([1, 0, 1, 0], [4, 3, 2, 1])  # of four pairs three are in order
    0.75
    """
    label, score, weight = _as_arrays(label, score, weight)
    true, false = _steps(label, score, weight)
    if true[-1] == 0 or false[-1] == 0:
        return np.nan
    return float(np.trapezoid(np.append(0, true) / true[-1], np.append(0, false) / false[-1]))


def pr_auc(label: Any, score: Any, weight: Any = None) -> float:
    """Area under precision over recall by trapezoids, as RELand's ``auc(recall, precision)``; precision 1 at recall 0.

    RELand: https://arxiv.org/abs/2311.03115. Trapezoids are kinder than average precision.

    >>> round(pr_auc([1, 0, 1], [3, 2, 1]), 4)  # (recall, precision): (0, 1), (1/2, 1), (1/2, 1/2), (1, 2/3)
    0.7917
    """
    label, score, weight = _as_arrays(label, score, weight)
    true, false = _steps(label, score, weight)
    if true[-1] == 0:
        return np.nan
    precision = true / np.maximum(true + false, 1e-300)
    return float(np.trapezoid(np.append(1, precision), np.append(0, true / true[-1])))


def average_precision(label: Any, score: Any, weight: Any = None) -> float:
    """Mean precision at which positives are found; equal scores are found together.

    Where many cells share one score, as inside a belt, the trapezoid of :func:`pr_auc` runs from precision 1 at recall
    0 straight to the one step there is, through orders that the score does not give; this one does not.

    >>> round(average_precision([1, 0, 1], [3, 2, 1]), 4)  # 1/2 x 1 + 1/2 x 2/3
    0.8333
    """
    label, score, weight = _as_arrays(label, score, weight)
    true, false = _steps(label, score, weight)
    if true[-1] == 0:
        return np.nan
    precision = true / np.maximum(true + false, 1e-300)
    return float(np.diff(true, prepend=0) @ precision / true[-1])


def recall_in_top(
    positive: Any, area_score: Any, area: Any, shares: Sequence[float], weight: Any = None
) -> dict[float, float]:
    """Share of positives inside the highest-scoring parts of the ground.

    Ground of equal score is taken by equal parts: where a tenth of the ground would be cut out of two tenths with one
    score, half of the positives there count.

    >>> recall_in_top([2.0, 1.0], [2.0, 1.0, 1.0, 0.0], [1, 1, 1, 1], [0.25, 0.5])
    {0.25: 0.5, 0.5: 0.75}
    """
    positive, ground, area = np.asarray(positive, float), np.asarray(area_score, float), np.asarray(area, float)
    weight = np.ones(len(positive)) if weight is None else np.asarray(weight, float)
    if not len(positive) or not len(ground):
        return dict.fromkeys(shares, np.nan)
    order = np.argsort(-ground, kind="stable")
    ground, area = ground[order], area[order]
    through = np.cumsum(area) / area.sum()
    out = {}
    for share in shares:
        edge = ground[min(int(np.searchsorted(through, share - 1e-12)), len(ground) - 1)]
        above, level = area[ground > edge].sum(), area[ground == edge].sum()
        part = np.clip((share * area.sum() - above) / level, 0, 1)
        found = weight[positive > edge].sum() + part * weight[positive == edge].sum()
        out[share] = float(found / weight.sum())
    return out


def log_loss(label: Any, p: Any, weight: Any = None) -> float:
    """Mean of -log of the probability of what happened [nats].

    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)  # log 2
    0.6931
    """
    label, p, weight = _as_arrays(label, p, weight)
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return float(-(weight @ (label * np.log(p) + (1 - label) * np.log1p(-p))) / weight.sum())


def recalibrate(label: Any, p: Any, weight: Any = None) -> tuple[float, float]:
    """Slope and intercept of a logistic regression of what happened on logit p; 1 and 0 where p is right.

    Slope below 1: too sure of itself. Cox 1958, https://doi.org/10.1093/biomet/45.3-4.562. Newton's method; NaN where
    all p are equal or only one kind of label is there.

    >>> slope, intercept = recalibrate([0, 1, 0, 1], [0.2, 0.2, 0.8, 0.8], [4, 1, 1, 4])
    >>> print(f"{slope:.4f} {abs(intercept):.4f}")
    1.0000 0.0000
    """
    label, p, weight = _as_arrays(label, p, weight)
    x = logit(np.clip(p, 1e-12, 1 - 1e-12))
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


def calibration_bins(label: Any, p: Any, weight: Any = None, bins: int = 10) -> tuple[Array, Array, Array]:
    """Mean p, what happened, and weight of ``bins`` groups of equal weight, from the lowest p; equal p stay together.

    >>> said, seen, _ = calibration_bins([0, 1, 1, 1], [0.1, 0.1, 0.9, 0.9], bins=2)
    >>> said.tolist(), seen.tolist()
    ([0.1, 0.9], [0.5, 1.0])
    """
    label, p, weight = _as_arrays(label, p, weight)
    order = np.argsort(p, kind="stable")
    label, p, weight = label[order], p[order], weight[order]
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    _, first, of = np.unique(p, return_index=True, return_inverse=True)
    group = np.minimum((middle[first] * bins).astype(int), bins - 1)[of]
    sums = np.bincount(group, weights=weight, minlength=bins)
    kept = sums > 0
    said, seen = (np.bincount(group, weights=weight * v, minlength=bins)[kept] / sums[kept] for v in (p, label))
    return said, seen, sums[kept]


def _as_arrays(label: Any, score: Any, weight: Any) -> tuple[Array, Array, Array]:
    label, score = np.asarray(label, float), np.asarray(score, float)
    return label, score, np.ones(len(label)) if weight is None else np.asarray(weight, float)
