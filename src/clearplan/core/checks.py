"""Entered numbers, dates and seasons as what they mean; what can't be read raises with rule and remedy."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from decimal import Decimal
from typing import TypeAlias

import numpy as np

from clearplan.core.errors import TableError

#: A day, or its ISO text: "2024-06-30".
Day: TypeAlias = dt.date | str

_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$|^(\d{4})/(\d{1,2})/(\d{1,2})$")
_DOTTED = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
#: Days since 1899-12-30, as spreadsheets store dates: 1927 to 2064.
_SERIAL = re.compile(r"^[1-5]\d{4}(?:\.\d+)?$")
#: 1992, 1992-06, 06.1992, ??.06.1992, June 1992; a day or month of 0 is one that isn't known.
_NO_MONTH = re.compile(r"^(?:19|20)\d{2}(?:\.0)?(?:[-/]00?[-/]00?)?(?:\s?г\.?)?$|^00?[./]00?[./](?:19|20)\d{2}$")
_NO_DAY = re.compile(
    r"^(?:19|20)\d{2}[-/.]\d{1,2}(?:[-/]00?)?$|^(?:(?:00?|[-?_xх]{1,2})[./])?\d{1,2}[./-](?:19|20)\d{2}$"
    r"|^[^\W\d_]+\.?,?\s(?:19|20)\d{2}(?:\s?г\.?)?$",
    re.IGNORECASE,
)
_NOT_FINITE = "must be a finite number|leave the cell blank where it is unknown"
#: Digits in threes with a space of any width between: 12 500.
_THOUSANDS = re.compile(r"^[+-]?\d{1,3}(?:\s\d{3})+(?:[.,]\d+)?$")
_SLASHED = re.compile(r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$")


def parse_date(value: object, style: str | None) -> dt.date:
    """A date from 2020-10-03, 03.10.2020 (day first) or 03/10/2020.

    Raises
    ------
    ValueError
        It is none of these, has no day, or it can be read in two ways and no style says which.

    >>> parse_date("3.10.2020", None)
    datetime.date(2020, 10, 3)
    >>> parse_date("1992-06", None)
    Traceback (most recent call last):
    ValueError: date has no day|leave the cell blank where the day is not known; where a record's magnetic bearings need
    it, state declination_deg instead
    >>> parse_date("03/10/2020", None)
    Traceback (most recent call last):
    ValueError: date can be 3 October or 10 March 2020|set dates = 'dmy' or dates = 'mdy'
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if hasattr(value, "item"):  # numpy datetime64
        return parse_date(value.item(), style)
    text = str(value).strip()
    if (no_month := _NO_MONTH.match(text)) or _NO_DAY.match(text):
        raise ValueError(
            f"date has no {'month and day' if no_month else 'day'}|leave the cell blank where the day is not known; "
            "where a record's magnetic bearings need it, state declination_deg instead"
        )
    try:
        if match := _ISO.match(text):
            year, month, day = (int(part) for part in match.groups() if part)
        elif style != "mdy" and (match := _DOTTED.match(text)):
            day, month, year = map(int, match.groups())
        elif match := (_SLASHED.match(text) or _DOTTED.match(text)):
            first, second, year = map(int, match.groups())
            day, month, year = _slashed(first, second, year, style)
        elif _SERIAL.match(text):
            raise ValueError("is a spreadsheet's day number, not a date|format the column as a date, save it again")
        else:
            raise ValueError("must be a date|write 2020-11-10")
        if year < 1900:
            raise ValueError("date lies before 1900|correct the year")
        return dt.date(year, month, day)
    except ValueError as error:
        if "|" in str(error):
            raise
        raise ValueError("is no day of the calendar|correct the date, or set dates = 'dmy' or 'mdy'") from None


def _slashed(first: int, second: int, year: int, style: str | None) -> tuple[int, int, int]:
    if style == "mdy":
        return second, first, year
    if style == "dmy" or first > 12:
        return first, second, year
    if second > 12:
        return second, first, year
    if first == second:
        return first, second, year
    months = calendar.month_name
    raise ValueError(
        f"date can be {first} {months[second]} or {second} {months[first]} {year}|set dates = 'dmy' or dates = 'mdy'"
    )


def parse_number(value: object, decimal: str) -> float:
    """A number; a comma is accepted only where the file's decimal mark is declared to be one.

    Raises
    ------
    ValueError
        It is no number, or holds a comma that nobody declared.

    >>> parse_number("12,5", ","), parse_number("12 500", ".")
    (12.5, 12500.0)
    >>> parse_number("12,5", ".")
    Traceback (most recent call last):
    ValueError: number holds a comma|set decimal = ',' if it is the decimal mark, else remove it
    """
    if isinstance(value, (int, float, Decimal, np.number)) and not isinstance(value, bool):
        return _kept_number(value)
    text = str(value).strip()
    if re.search(r"\s", text):
        if not _THOUSANDS.match(text):
            raise ValueError("number holds a space|write digits only; a space may stand between thousands alone")
        text = re.sub(r"\s", "", text)
    if decimal == ",":
        if "." in text:
            raise ValueError("number holds a point where the decimal mark is a comma|write one mark only")
        text = text.replace(",", ".")
    elif "," in text:
        raise ValueError("number holds a comma|set decimal = ',' if it is the decimal mark, else remove it")
    try:
        if "_" in text:  # Python reads 1_200 as a number; people don't write it
            raise ValueError
        number = _kept_number(text)
    except ValueError as error:
        if "|" in str(error):
            raise
        raise ValueError("must be a number|write digits only; leave the cell blank where it is unknown") from None
    if number == 0 and re.search(r"[1-9]", text.lower().partition("e")[0]):
        raise ValueError("number is too small to be kept|write 0, or leave the cell blank where it is unknown")
    return number


def _kept_number(value: float | Decimal | np.number | str) -> float:
    """A number as a float; ValueError where it is infinite or beyond every float, or a text says "nan"."""
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(_NOT_FINITE) from None
    if np.isinf(number) or (np.isnan(number) and isinstance(value, str)):
        raise ValueError(_NOT_FINITE)
    return number


def months_of(season: object) -> frozenset[int]:
    """Months of a season as written; all twelve where it is blank.

    Raises
    ------
    TableError
        It is not of the form first-last, or a month is none.

    >>> sorted(months_of("11-2")), len(months_of(None))
    ([1, 2, 11, 12], 12)
    """
    if not isinstance(season, str) or not season.strip():
        return frozenset(range(1, 13))
    found = re.fullmatch(r"\s*([0-9]{1,2})\s*-\s*([0-9]{1,2})\s*", season)
    first, last = (int(part) for part in found.groups()) if found else (0, 0)
    if not (1 <= first <= 12 and 1 <= last <= 12):
        raise TableError(f"season {season!r} can't be read; write its first and last month, such as 4-10")
    return frozenset((first - 1 + k) % 12 + 1 for k in range((last - first) % 12 + 1))
