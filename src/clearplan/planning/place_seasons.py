"""Periods in which nobody works at a place: snow, floods, harvest."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.checks import months_of
from clearplan.planning.calendar import period_days
from clearplan.settings.planning import PlanningSettings

Array = NDArray[Any]


def closed_periods(works: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Whether each piece of work lies where nobody works in each period (n, periods).

    A period is closed as soon as one of its months is: a team is not sent where it must leave before the period ends.
    Where several seasons name a district, all of them must be open.

    Parameters
    ----------
    works : DataFrame
        Tasks and place surveys, with ``district``.
    settings : PlanningSettings
    """
    closed = np.zeros((len(works), settings.periods), dtype=bool)
    months = [_months(first, last) for first, last in period_days(settings)]
    for season in settings.place_seasons:
        there = works["district"].isin(season.districts).to_numpy(bool)
        shut = [not of_period <= months_of(season.months) for of_period in months]
        closed |= there[:, None] & np.array(shut, dtype=bool)
    return closed


def _months(first: dt.date, last: dt.date) -> frozenset[int]:
    """Months of which any day lies in a period.

    >>> sorted(_months(dt.date(2026, 11, 15), dt.date(2027, 1, 14)))
    [1, 11, 12]
    """
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return frozenset((first.month - 1 + k) % 12 + 1 for k in range(count))
