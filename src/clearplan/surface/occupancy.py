"""The chance that a piece of ground holds any contamination, which grows with its size, from the share of ground.

Contaminated ground lies in patches, thrown independently of one another: a Boolean model (Chiu, Stoyan, Kendall and
Mecke 2013, Stochastic Geometry and its Applications, ch. 3). With share s and patches of mean size m, a convex piece of
ground K is missed by all of them with the chance ``(1 - s) ** (mean area of (patch + K) / m)``; for discs and a square,
by Steiner's formula, that area is ``m + a + (perimeter of the patch) x (perimeter of K) / 2 pi``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def holds_any(share: ArrayLike, size_m2: ArrayLike, patch_m2: float) -> Array:
    """Chance that pieces of ground hold contaminated ground at all, that is at least one item (n) [1].

    Parameters
    ----------
    share : array, n
        Share of the ground that is contaminated [0-1].
    size_m2 : array, n
        Size of each piece, taken as a square [m2]; longer pieces of that size are hit more often.
    patch_m2 : float
        Mean size of a patch, taken as a disc [m2].

    >>> holds_any(0.1, [0, 1e4, 1e6], 1e4).round(3).tolist()  # 0 m2: the share itself
    [0.1, 0.361, 1.0]
    """
    size = np.asarray(size_m2, dtype=float)
    patches = -np.log1p(-np.minimum(np.asarray(share, dtype=float), 1 - 1e-12))
    chance: Array = -np.expm1(-patches * hit_area(size, patch_m2) / patch_m2)
    return chance


def hit_area(size_m2: ArrayLike, patch_m2: float) -> Array:
    """Where the middle of a patch may lie so that it touches a square piece of ground [m2]; patches are discs.

    >>> round(float(hit_area(100.0, math.pi * 10**2)), 1)  # pi 10^2 + 10 x 10 + 4 sides of 10 x 10
    814.2
    """
    size = np.asarray(size_m2, dtype=float)
    borders = 2 * math.sqrt(math.pi * patch_m2) * 4 * np.sqrt(size) / (2 * math.pi)
    area: Array = patch_m2 + size + borders
    return area
