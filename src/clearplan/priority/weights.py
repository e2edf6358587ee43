"""Weights of criteria as people state them: direct, swing, pairwise; and how far several people agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clearplan.core.errors import SettingsError
from clearplan.core.reason import Reason

Array = NDArray[Any]
#: Mean consistency index of random judgements for 1, 2, ... 15 criteria (Saaty 1980, The Analytic Hierarchy Process).
RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
#: Judgements of a larger consistency ratio should be revised (Saaty 1980).
CONSISTENT = 0.1
_RECIPROCAL = 0.05  # tolerance, so that 0.33 may stand for a third, and 0.13 for an eighth


@dataclass(frozen=True)
class Pairwise:
    """Weights from judgements in pairs.

    ``weights`` sum to 1; ``eigenvalue`` is the largest; ``ratio`` the consistency ratio; ``worst`` the judgement that
    fits the others least: (row, column, as judged, as the weights have it).
    """

    weights: Array
    eigenvalue: float
    ratio: float
    worst: tuple[int, int, float, float] | None

    @property
    def consistent(self) -> bool:
        """Whether the judgements fit one another well enough to be used."""
        return self.ratio <= CONSISTENT


def pairwise_weights(matrix: ArrayLike, names: Sequence[str] | None = None, *, where: str = "matrix") -> Pairwise:
    """Weights by the principal eigenvector, with the consistency ratio (Saaty 1980).

    Parameters
    ----------
    matrix : array (n, n)
        How many times the row's criterion is as important as the column's, 1/9 to 9; ones on the diagonal.
    names : list of text, optional
        Criteria, for messages.
    where : text
        Where the matrix stands, for messages.

    Returns
    -------
    Pairwise
        CI = (eigenvalue - n) / (n - 1), CR = CI / random index; 0 for two criteria.

    Raises
    ------
    SettingsError
        Not square, not positive, not reciprocal, or more criteria than Saaty's table has.

    >>> found = pairwise_weights([[1, 3], [1 / 3, 1]])
    >>> found.weights.tolist(), found.ratio
    ([0.75, 0.25], 0.0)
    """
    a = np.asarray(matrix, dtype=float)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or not len(a):
        raise SettingsError(f"{where}: pairwise judgements need a square of numbers, a row and a column a criterion")
    count = len(a)
    told = list(names) if names is not None else [f"criterion {k + 1}" for k in range(count)]
    if len(told) != count:
        raise SettingsError(f"{where}: {len(told)} criteria are named and the square has {count} rows; make them fit")
    if count > len(RANDOM_INDEX):
        raise SettingsError(f"{where}: {count} criteria are more than can be judged in pairs; take {len(RANDOM_INDEX)}")
    if not (np.isfinite(a) & (a > 0)).all():
        i, j = np.argwhere(~(np.isfinite(a) & (a > 0)))[0]
        raise SettingsError(f"{where}: {told[i]} against {told[j]} is {a[i, j]:g}; judgements are more than 0")
    off = np.abs(a * a.T - 1)
    if (off > _RECIPROCAL).any():
        i, j = np.argwhere(off > _RECIPROCAL)[0]
        raise SettingsError(
            f"{where}: {told[i]} against {told[j]} is {a[i, j]:g} and the other way round {a[j, i]:g}; the second must "
            "be 1 divided by the first"
        )
    values, vectors = np.linalg.eig(a)
    k = int(np.argmax(values.real))
    weights = np.abs(vectors[:, k].real)
    weights /= weights.sum()
    largest = float(values[k].real)
    index = RANDOM_INDEX[count - 1]
    ratio = max(0.0, (largest - count) / (count - 1) / index) if index else 0.0
    implied = weights[:, None] / weights[None, :]
    misfit = np.triu(np.abs(np.log(a / implied)), 1)
    i, j = np.unravel_index(int(misfit.argmax()), a.shape)
    worst = (int(i), int(j), float(a[i, j]), float(implied[i, j])) if count > 2 and misfit[i, j] > 1e-9 else None
    return Pairwise(weights, largest, ratio, worst)


def inconsistency(found: Pairwise, names: Sequence[str], whose: str) -> Reason | None:
    """What to say of judgements that contradict one another; None where they fit.

    >>> pairs = pairwise_weights([[1, 9, 1 / 9], [1 / 9, 1, 9], [9, 1 / 9, 1]])
    >>> str(inconsistency(pairs, ["a", "b", "c"], "Ministry"))[:72]
    'Weights of Ministry: the judgements contradict one another (consistency '
    """
    if found.consistent or found.worst is None:
        return None
    i, j, judged, implied = found.worst
    return Reason(
        "weights.inconsistent",
        weight_set=whose,
        ratio=found.ratio,
        good=CONSISTENT,
        criterion=names[i],
        other=names[j],
        judged=judged,
        implied=implied,
    )


def agreement(scores: pd.DataFrame, first: int) -> pd.DataFrame:
    """How far several rankings of the same tasks agree, in pairs.

    Parameters
    ----------
    scores : DataFrame
        A column a ranking; larger is better.
    first : int
        The first so many of each are compared too.

    Returns
    -------
    DataFrame
        one, other, kendall_tau [-1 to 1; tau-b, which counts ties], shared_first [tasks]: how many are among the first
        of both, ``first`` [tasks] of how many.

    >>> found = agreement(pd.DataFrame({"a": [3, 2, 1], "b": [3, 1, 2]}), 1)
    >>> found[["kendall_tau", "shared_first"]].round(2).values.tolist()
    [[0.33, 1.0]]
    """
    from scipy.stats import kendalltau  # it takes longer to import than all else that ranks

    rows = []
    first = min(first, len(scores))
    for one, other in combinations(scores.columns, 2):
        a, b = scores[one].to_numpy(float), scores[other].to_numpy(float)
        tau = kendalltau(a, b).statistic if len(a) > 1 and np.ptp(a) > 0 and np.ptp(b) > 0 else np.nan
        best = [set(np.argsort(-x, kind="stable")[:first].tolist()) for x in (a, b)]
        rows.append((one, other, float(tau), len(best[0] & best[1]), first))
    return pd.DataFrame(rows, columns=["one", "other", "kendall_tau", "shared_first", "first"])
