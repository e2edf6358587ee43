"""The calendar of a plan: periods of whole months, seasons, and how much each team can work in each."""

from __future__ import annotations

import calendar
import datetime as dt
import functools
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.checks import months_of
from clearplan.settings.planning import PlanningSettings

Array = NDArray[Any]
#: A date, a time stamp, or ISO text.
Day = str | dt.date


#: Days after this one are as good as this one: no plan counts so far, and the calendar ends soon after it.
_FAR = dt.date(9990, 12, 31)


def _add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the last of that month.

    >>> _add_months(dt.date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def period_days(settings: PlanningSettings) -> list[tuple[dt.date, dt.date]]:
    """First and last day of each period."""
    months = settings.period_months
    edges = [_add_months(settings.start, k * months) for k in range(settings.periods + 1)]
    return [(a, b - dt.timedelta(days=1)) for a, b in pairwise(edges)]


def months_counted(settings: PlanningSettings) -> Array:
    """Months for which people are counted who come home at the end of each period [months].

    Homes of the last period count from its end to ``counted_months``, so that work in it is worth something.
    """
    ends = np.arange(1, settings.periods + 1) * settings.period_months
    return (settings.counted_months - ends).astype(float)


def period_of(day: Day, settings: PlanningSettings, handover: int = 0) -> int:
    """Number of the last period that ends on or before a day, 0 where none does.

    What has to be done by the day must be done within these periods. With a handover of so many months after a period,
    it must end by the day too, and within the months that are counted.
    """
    when = pd.Timestamp(day).date()
    numbers = range(1, last_counted(settings, handover) + 1)
    return sum(opening_day(period, handover, settings) <= when for period in numbers)


def last_counted(settings: PlanningSettings, handover: int) -> int:
    """Number of the last period after which so many months of handover end within the months that are counted."""
    return max(min(settings.periods, (settings.counted_months - handover) // settings.period_months), 0)


def opening_day(period: int, handover: int, settings: PlanningSettings) -> dt.date:
    """Day by whose end a place is open whose last work ends with a period, after so many months of handover.

    >>> settings = PlanningSettings.model_construct(start=dt.date(2026, 1, 1), periods=4, period_months=3)
    >>> [str(opening_day(*when, settings)) for when in [(0, 0), (1, 0), (1, 2)]]
    ['2026-01-01', '2026-03-31', '2026-05-31']
    """
    months = period * settings.period_months + handover
    return _add_months(settings.start, months) - dt.timedelta(days=1) if months else settings.start


def open_from(day: Day | None, handover: int, settings: PlanningSettings) -> int:
    """Number of the first period after which a place opens later than a day, as its gate asks; 0: the start.

    One more than the periods: after none of them, or there is no such day.

    >>> settings = PlanningSettings.model_construct(start=dt.date(2026, 1, 1), periods=2, period_months=1)
    >>> [open_from(day, 0, settings) for day in ["2025-12-31", "2026-01-30", "2026-01-31", "2026-03-01", None]]
    [0, 1, 2, 3, 3]
    >>> open_from("2026-01-31", 1, settings)
    1
    """
    never = settings.periods + 1
    end = _day(day)
    return never if end is None else sum(opening_day(k, handover, settings) <= end for k in range(never))


def work_from(day: Day | None, settings: PlanningSettings) -> int:
    """Number of the first period that begins after a day, one more than the periods where none does or there is no day.

    >>> settings = PlanningSettings.model_construct(start=dt.date(2026, 1, 1), periods=2, period_months=1)
    >>> [work_from(day, settings) for day in ["2025-12-31", "2026-01-01", "2026-02-01", None]]
    [1, 2, 3, 3]
    """
    end = _day(day)
    return settings.periods + 1 if end is None else 1 + sum(first <= end for first, _ in period_days(settings))


def handed_over(day: dt.date, months: int) -> dt.date:
    """Last day of a handover that begins after a day.

    >>> str(handed_over(dt.date(2026, 6, 30), 2))
    '2026-08-31'
    """
    return _add_months(day + dt.timedelta(days=1), months) - dt.timedelta(days=1)


def opening_periods(settings: PlanningSettings) -> int:
    """Number of periods until the last handover after the last period ends, as far as months are counted.

    >>> from types import SimpleNamespace as Some
    >>> opening_periods(Some(periods=4, period_months=3, counted_months=24, every_method=[Some(handover_months=4)]))
    6
    """
    longest = max(method.handover_months for method in settings.every_method)
    last = min(settings.periods * settings.period_months + longest, settings.counted_months)
    return -(-last // settings.period_months)


def opening_days(settings: PlanningSettings) -> list[dt.date]:
    """The start, and the last day of each period in which a place may open."""
    longer = settings.model_copy(update={"periods": opening_periods(settings)})
    return [settings.start, *(last for _, last in period_days(longer))]


def team_days(teams: pd.DataFrame, settings: PlanningSettings) -> Array:
    """Work that each row of TEAMS can do in each period, shape (teams, periods) [team-days].

    number x working days a month x months of the period that are in season and available; a month that is
    cut by a period or by availability counts by its part of days.
    """
    bounds = period_days(settings)
    days = np.zeros((len(teams), len(bounds)))
    blank = [None] * len(teams)
    cells = [
        teams[name].tolist() if name in teams.columns else blank
        for name in ("number", "season", "available_from", "available_to")
    ]
    for i, (number, season, *available) in enumerate(zip(*cells, strict=True)):
        months = months_of(season)
        first, last = map(_day, available)
        for t, (begins, ends) in enumerate(bounds):
            a = begins if first is None else max(begins, first)
            b = ends if last is None else min(ends, last)
            days[i, t] = float(number) * settings.working_days_a_month * _months_between(a, b, months)
    return days


def _day(value: Day | None) -> dt.date | None:
    return None if value is None or pd.isna(value) else pd.Timestamp(value).date()


@functools.cache
def _months_between(first: dt.date, last: dt.date, months: frozenset[int]) -> float:
    """Months from a day to another, both included, of those that count; part months by their days."""
    total, day = 0.0, first
    while day <= last:
        length = calendar.monthrange(day.year, day.month)[1]
        end = min(last, day.replace(day=length))
        if day.month in months:
            total += ((end - day).days + 1) / length
        day = end + dt.timedelta(days=1)
    return total


def months_to(day: Day, settings: PlanningSettings) -> float:
    """Months from the start to the end of a day; part months by their days, below 0 before the start.

    >>> from clearplan.settings.planning import PlanningSettings as Settings
    >>> settings = Settings.model_construct(start=dt.date(2026, 1, 1), periods=1, period_months=1, counted_months=1)
    >>> months_to("2026-03-15", settings), months_to("2025-12-31", settings)
    (2.4838..., 0.0)
    """
    when = min(pd.Timestamp(day).date(), _FAR) + dt.timedelta(days=1)
    months = (when.year - settings.start.year) * 12 + when.month - settings.start.month
    edge = _add_months(settings.start, months)
    if edge > when:
        months -= 1
        edge = _add_months(settings.start, months)
    length = (_add_months(settings.start, months + 1) - edge).days
    return months + (when - edge).days / length
