"""The two conventions: what they ask of their states parties, when they enter into force, and years counted from it."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from dataclasses import dataclass

import pandas as pd

from clearplan.core.errors import SettingsError

#: Days farther away than this are shown as such, not as a day [years].
FARTHEST = 1000


@dataclass(frozen=True)
class Convention:
    """Name of a convention and what it says of clearance: articles, years, and the ordnance that it is about."""

    name: str
    in_force: dt.date
    clearance: str
    request: str
    renewal: str
    years: int
    longest: int
    ordnance: frozenset[str]


CONVENTIONS = {
    "APMBC": Convention(
        name="Anti-Personnel Mine Ban Convention",
        in_force=dt.date(1999, 3, 1),
        clearance="Article 5(1)",
        request="Article 5(3)",
        renewal="Article 5(6)",
        years=10,
        longest=10,
        ordnance=frozenset({"AP", "mixed"}),
    ),
    "CCM": Convention(
        name="Convention on Cluster Munitions",
        in_force=dt.date(2010, 8, 1),
        clearance="Article 4(1)(a)",
        request="Article 4(5)",
        renewal="Article 4(8)",
        years=10,
        longest=5,
        ordnance=frozenset({"CMR"}),
    ),
}

ACCESSION = "Article 17(2)"  # of both
_LATER = "for a later state: the first day of the sixth month after the month in which its instrument was deposited"
_OBLIGATIONS = (
    (
        "APMBC",
        "5(1)",
        "destroy all anti-personnel mines in mined areas under its jurisdiction or control",
        10,
        "up to 10 years at a time, on request: 5(3)",
        "renewed on a new request: 5(6)",
    ),
    ("APMBC", "5(2)", "identify mined areas, mark, watch over and fence them until they are cleared", None, "", ""),
    (
        "APMBC",
        "4",
        "destroy stockpiled anti-personnel mines",
        4,
        "none in the convention",
        "what may be kept for training: 3(1)",
    ),
    ("APMBC", "7(1)", "report for the first time, within 180 days after entry into force", None, "", ""),
    ("APMBC", "7(2)", "report on the calendar year before, by 30 April of each year", None, "", ""),
    ("APMBC", "17(2)", "entry into force", None, "", _LATER),
    (
        "CCM",
        "4(1)(a)",
        "clear cluster munition remnants of areas contaminated at entry into force",
        10,
        "up to 5 years at a time, on request: 4(5)",
        "renewed on a new request: 4(8)",
    ),
    (
        "CCM",
        "4(1)(b)",
        "clear remnants of cluster munitions used after entry into force",
        10,
        "up to 5 years at a time, on request: 4(5)",
        "counted from the end of the active hostilities",
    ),
    ("CCM", "4(2)", "survey, mark and fence contaminated areas, and plan their clearance", None, "", ""),
    (
        "CCM",
        "3(2)",
        "destroy stockpiled cluster munitions",
        8,
        "up to 4 years, on request: 3(3)",
        "more in exceptional circumstances: 3(3); what may be kept for training: 3(6)",
    ),
    ("CCM", "7(1)", "report for the first time, within 180 days after entry into force", None, "", ""),
    ("CCM", "7(2)", "report on the calendar year before, by 30 April of each year", None, "", ""),
    ("CCM", "17(2)", "entry into force", None, "", _LATER),
)


def obligations(convention: str | None = None) -> pd.DataFrame:
    """What the conventions ask of their states parties, with the articles: facts, in our words.

    Parameters
    ----------
    convention : 'APMBC' or 'CCM', optional
        Only this one.

    Returns
    -------
    DataFrame
        convention, article, what, years (after entry into force for the state, blank where none are counted),
        extension, note.

    >>> told = obligations()
    >>> told.loc[told["what"].str.contains("stockpiled"), ["convention", "article", "years"]].values.tolist()
    [['APMBC', '4', 4], ['CCM', '3(2)', 8]]
    """
    names = ["convention", "article", "what", "years", "extension", "note"]
    table = pd.DataFrame(list(_OBLIGATIONS), columns=names).astype({"years": "Int64"})
    if convention is None:
        return table
    convention_of(convention)
    return table[table["convention"] == convention].reset_index(drop=True)


def convention_of(name: str) -> Convention:
    """The convention of a code; SettingsError where there is none."""
    if name not in CONVENTIONS:
        raise SettingsError(f"treaty.convention {name!r} is unknown; write one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


# --- days and years


def entry_into_force(deposited: dt.date) -> dt.date:
    """Day on which either convention enters into force for a state that accedes later (Article 17(2) of both).

    >>> entry_into_force(dt.date(2017, 12, 13))  # Sri Lanka, APMBC
    datetime.date(2018, 6, 1)
    """
    year, month = divmod(deposited.year * 12 + deposited.month - 1 + 6, 12)
    return dt.date(year, month + 1, 1)


def add_years(day: dt.date, years: int) -> dt.date:
    """The same day so many years later; of 29 February the last of that month.

    >>> add_years(dt.date(2028, 2, 29), 10)
    datetime.date(2038, 2, 28)
    """
    year = day.year + years
    return dt.date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def years_after(day: dt.date, years: float) -> dt.date | None:
    """The day so many years later, the part of a year by its days, begun days counted whole; None in the far future.

    >>> years_after(dt.date(2026, 1, 1), 2.5)  # half of 2028, a leap year: 183 days
    datetime.date(2028, 7, 2)
    """
    if not years <= FARTHEST:
        return None
    whole = math.floor(years)
    begun, ends = add_years(day, whole), add_years(day, whole + 1)
    return begun + dt.timedelta(days=math.ceil((years - whole) * (ends - begun).days - 1e-6))


def years_between(first: dt.date, last: dt.date) -> float:
    """Years from a day to a later one [years]; the part of a year by its days.

    >>> years_between(dt.date(2026, 1, 1), dt.date(2028, 7, 2))
    2.5
    """
    whole = last.year - first.year
    if add_years(first, whole) > last:
        whole -= 1
    begun = add_years(first, whole)
    return whole + (last - begun).days / (add_years(first, whole + 1) - begun).days
