"""Days that teams book on a task beside their work: once when they come and once when they leave, and at the least."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]


def comes_and_leaves(rows: pd.DataFrame) -> tuple[Array, Array]:
    """Whether the team of each row of work comes to the step in its period, and whether it leaves it (rows).

    It comes where it did not work on the same step of the same task in the period before, and leaves where it does not
    in the next. ``rows`` hold task, step, team and period as whole numbers.

    >>> rows = pd.DataFrame({"task": 0, "step": 0, "team": 0, "period": [1, 2, 4]})
    >>> [side.tolist() for side in comes_and_leaves(rows)]
    [[True, False, True], [False, True, True]]
    """
    keys = rows[["task", "step", "team", "period"]].to_numpy(int, copy=True)
    if not len(keys):
        return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    keys[:, 3] += 1  # room for the period before the first
    size = keys.max(axis=0) + 2  # and for the one after the last
    code = np.ravel_multi_index(tuple(keys.T), tuple(size))
    return ~np.isin(code - 1, code), ~np.isin(code + 1, code)
