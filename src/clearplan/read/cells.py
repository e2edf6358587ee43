"""Columns of cells as files hold them, read as numbers, days and text; each column is judged as a whole.

Every function takes the cells of one column and gives their values and what is wrong with them (:class:`Slip`).
Equal cells are read once, so a column costs about as much as its different values.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from clearplan.core.checks import parse_date, parse_number
from clearplan.read.time_zones import UTC_NAMES

Value = TypeVar("Value")
#: The column of a source as a list of cells.
Cells = Sequence[object]

#: What spreadsheets write where a formula has no result.
ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
#: Characters without a width or a mark: nobody sees them, and no comparison finds the text that holds one.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
#: Numbers by which other software marks a number that nobody knows.
_UNKNOWN_NUMBERS = (2_147_483_647, -2_147_483_648, 32_767, -32_768, 65_535, -99, -999, -9999, 9_999, 99_999, 999_999)
#: A day from this year on marks one that nobody knows.
_UNKNOWN_YEAR = 2099
#: Milliseconds since 1970 from 1973 to 2099; fewer are no such count, or of a time before there were such files.
_MILLISECONDS = (100_000_000_000, 4_102_444_800_000)
#: Whole numbers from here on are not all kept to the last digit.
_LARGEST = 2**53
_TIME = re.compile(r"^(?P<day>\d{4}[-/]\d{1,2}[-/]\d{1,2})[T ]+(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*"
                   r"(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?$")  # fmt: skip
_ISO = re.compile(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}$")
_DOTTED = re.compile(r"^\d{1,2}\.\d{1,2}\.\d{4}$")
_SLASHED = re.compile(r"^(\d{1,2})[/-](\d{1,2})[/-]\d{4}$")
_TAIL = re.compile(r"^(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4})(?=\D)(?P<tail>.+)$")


class Slip(NamedTuple):
    """What is wrong with a cell, or with a column (``at`` is None): rule, level and remedy as in a fault."""

    at: int | None
    value: object
    rule: str
    level: str
    remedy: str


class FormattedNumber(float):
    """A number as a sheet shows it; ``shown`` is None where its format can't be rendered here."""

    shown: str | None
    form: str

    def __new__(cls, number: float, shown: str | None, form: str) -> FormattedNumber:
        """Number, its text in the sheet, and the sheet's format."""
        self = super().__new__(cls, number)
        self.shown, self.form = shown, form
        return self


def is_blank(cells: Cells) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which cells are blank, in every way that formats have for it.

    >>> is_blank([None, float("nan"), pd.NaT, pd.NA, "", "  ", 0, "0"]).tolist()
    [True, True, True, True, True, True, False, False]
    """
    missing = pd.isna(pd.Series(list(cells), dtype=object)).to_numpy()
    empty = [isinstance(cell, str) and _is_unseen(cell) for cell in cells]
    return np.asarray(missing | np.array(empty, dtype=bool))


def _is_unseen(text: str) -> bool:
    """Whether nobody sees anything of a text: it has spaces alone, or characters without a width."""
    return not text.strip() or (not text.isascii() and not _INVISIBLE.sub("", text).strip())


def numbers_in(
    cells: Cells, decimal: str = ".", *, integer: bool = False
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[Slip]]:
    """Numbers, and cells that are none; a blank is NaN.

    Parameters
    ----------
    cells : list
    decimal : '.' or ','
        Decimal mark of numbers kept as text.
    integer : bool
        Whether the column holds whole numbers; a power of ten is a slip there.

    >>> numbers_in(["12", 7, None, "12 500", "12 5"])[0].tolist()
    [12.0, 7.0, nan, 12500.0, nan]
    """
    numbers, slips = _each(cells, lambda cell: _number(cell, decimal, integer), np.nan, "correct the value")
    values = np.array(numbers, dtype=float)
    marks = np.flatnonzero(np.isin(values, _UNKNOWN_NUMBERS)) if integer else np.array([], dtype=int)
    if len(marks):
        first = int(marks[0])
        rule = f"{cells[first]} looks like a mark for 'not known'; {len(marks)} such cells"
        slips.append(Slip(first, cells[first], rule, "warning", "leave the cell blank where nobody knows"))
    return values, slips


def _number(cell: object, decimal: str, integer: bool) -> float:
    if isinstance(cell, str) and integer and re.search(r"\d\s*e\s*[+-]?\d", cell, re.IGNORECASE):
        raise ValueError("whole number is written as a power of ten|write all its digits")
    number = parse_number(cell, decimal)
    if abs(number) >= _LARGEST and _exact(cell, decimal) not in (None, Decimal(number)):
        raise ValueError("number has more digits than can be kept|map it to a text column, or write fewer digits")
    return number


def _exact(cell: object, decimal: str) -> Decimal | None:
    """A number to its last digit; None where the cell holds a float, which has no more than it shows."""
    if isinstance(cell, str):
        return Decimal(re.sub(r"\s", "", cell).replace(decimal, "."))
    if isinstance(cell, Decimal):
        return cell
    return Decimal(int(cell)) if isinstance(cell, int | np.integer) else None


def days_in(
    cells: Cells, style: str | None = None, time_zone: str | None = None
) -> tuple[list[dt.date | None], list[Slip]]:
    """Days, and cells that are none; the column has one style.

    Parameters
    ----------
    cells : list
    style : 'iso', 'dmy' or 'mdy', optional
        How 03/10/2020 is read.
    time_zone : text, optional
        Name of IANA, such as 'Asia/Baku', in which moments become days.

    >>> days_in(["2020-10-03", "03.10.2020", None])[0]
    [datetime.date(2020, 10, 3), datetime.date(2020, 10, 3), None]
    >>> [slip.rule for slip in days_in(["2020-10-03 or 04"])[1]]
    ["' or 04' follows the date"]
    >>> days_in(["2020-10-02T20:00:00Z"], time_zone="Asia/Baku")[0]
    [datetime.date(2020, 10, 3)]
    """
    zone = ZoneInfo(time_zone) if time_zone else None
    days, slips = _each(cells, lambda cell: _day(cell, style, zone), None, "write 2020-11-10")
    places = _places_of_equal(cells)
    readable = [equal for equal in places if days[equal[0]] is not None]
    mixed = _mixed_styles(cells, [equal[0] for equal in places], style)
    if mixed is not None:
        slips.append(mixed)
        if mixed.level == "repairable":
            days = [None] * len(days)
    timed = [equal for equal in readable if _has_time(cells[equal[0]], zone)]
    if timed:
        first = timed[0][0]
        count = sum(len(equal) for equal in timed)
        rule = f"holds a time of day, {_zone_words(cells[first], time_zone)}; {count} such cells"
        slips.append(Slip(first, cells[first], rule, "warning", "check that the day is the one on the ground"))
    late = [k for k, day in enumerate(days) if day is not None and day.year >= _UNKNOWN_YEAR]
    if late:
        rule = f"{days[late[0]]} looks like a mark for 'not known'; {len(late)} such cells"
        slips.append(Slip(late[0], cells[late[0]], rule, "warning", "leave the cell blank where nobody knows"))
    return days, slips


def _day(cell: object, style: str | None, zone: ZoneInfo | None) -> dt.date:
    if isinstance(cell, dt.datetime):
        return _day_of_cell(cell, zone)
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, np.datetime64):
        return _day_of_moment(pd.Timestamp(cell).to_pydatetime(), zone)
    if isinstance(cell, int | float | np.number) and _MILLISECONDS[0] <= float(cell) <= _MILLISECONDS[1]:
        if zone is None:
            raise ValueError(
                "is a count of milliseconds since 1970 in UTC|set time_zone, such as 'Asia/Baku', to read it"
            )
        return dt.datetime.fromtimestamp(float(cell) / 1000, tz=zone).date()
    text = _INVISIBLE.sub("", str(cell)).strip()
    if moment := _TIME.match(text):
        return _day_of_text(moment, zone)
    if tail := _TAIL.match(text):
        remedy = "write the one day that counts; doubts and a second day go into a column of their own"
        raise ValueError(f"{tail['tail']!r} follows the date|{remedy}")
    return parse_date(text, style)


def _day_of_cell(moment: dt.datetime, zone: ZoneInfo | None) -> dt.date:
    """Day of a cell that is a moment; its column may state a zone, and the settings may not say another day."""
    stated = _stated_zone(moment)
    if stated is None:
        return _day_of_moment(moment, zone)
    if zone is not None and moment.astimezone(zone).date() != moment.date():
        rule = (
            f"is {moment.date()} in {stated}, the zone that the source states, and {moment.astimezone(zone).date()} in "
            f"{zone}, the time_zone that is set"
        )
        raise ValueError(f"{rule}|set time_zone to the zone in which the dates are meant, or leave it out")
    return moment.date()


def _stated_zone(moment: dt.datetime) -> dt.tzinfo | None:
    """The zone that a column of moments states; UTC is how moments are counted, and says nothing of the place."""
    return None if moment.tzinfo is None or str(moment.tzinfo) in UTC_NAMES else moment.tzinfo


def _day_of_moment(moment: dt.datetime, zone: ZoneInfo | None) -> dt.date:
    """Day of a moment in the source's zone; one that has no zone is taken as written."""
    if moment.tzinfo is None:
        return moment.date()
    if zone is not None:
        return moment.astimezone(zone).date()
    if moment.timetz().replace(tzinfo=None) == dt.time():
        return moment.date()
    rule = f"is a moment in the zone {moment.tzname()}, and its day hangs on the place"
    raise ValueError(f"{rule}|set time_zone, such as 'Asia/Baku'")


def _day_of_text(moment: re.Match[str], zone: ZoneInfo | None) -> dt.date:
    day = parse_date(moment["day"], "iso")
    parts = [float(part.replace(",", ".")) for part in moment["time"].split(":")]
    hour, minute, second = int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) > 2 else 0
    if hour == 24 and minute == second == 0:
        return day + dt.timedelta(days=1)
    clock = dt.time(hour, minute, second)
    if moment["zone"] is None:
        return day
    offset = moment["zone"]
    minutes = 0
    if offset not in ("Z", "UTC"):
        digits = offset[1:].replace(":", "").ljust(4, "0")
        minutes = (1 if offset[0] == "+" else -1) * (int(digits[:2]) * 60 + int(digits[2:]))
    return _day_of_moment(dt.datetime.combine(day, clock, dt.timezone(dt.timedelta(minutes=minutes))), zone)


def _has_time(cell: object, zone: ZoneInfo | None) -> bool:
    """Whether a cell holds a time of day that was left out for its day, or that no zone explains."""
    if isinstance(cell, dt.datetime) and not pd.isna(cell):
        if cell.tzinfo is None or _stated_zone(cell) is not None:
            return cell.time() != dt.time()
        return zone is not None and cell.astimezone(zone).time() != dt.time()
    if isinstance(cell, str) and (moment := _TIME.match(cell.strip())):
        return bool(re.search(r"[1-9]", moment["time"])) and (moment["zone"] is None or zone is not None)
    return False


def _zone_words(cell: object, time_zone: str | None) -> str:
    if isinstance(cell, dt.datetime) and cell.tzinfo is not None:
        return f"read as a day in {_stated_zone(cell) or time_zone}"
    moment = _TIME.match(str(cell).strip())
    if moment is not None and moment["zone"]:
        return f"read as a day in {time_zone}"
    return "and nobody states its zone"


def _mixed_styles(cells: Cells, different: list[int], style: str | None) -> Slip | None:
    """Two kinds of dates in one column, with a row of each: half of it may have been turned round by a spreadsheet.

    ``different`` are the places of the different cells.
    """
    first: dict[str, int] = {}
    for k in different:
        kind = _kind_of_date(cells[k])
        if kind is not None and kind not in first:
            first[kind] = k
    turned = {"text, day first", "text, month first", "text, day or month first"} & set(first)
    if "date" in first and turned:
        one, other = first["date"], first[sorted(turned)[0]]
        rule = (
            f"two kinds in one column: {_shown(cells[one])} is a date and {_shown(cells[other])} is text; perhaps a "
            "spreadsheet has turned day and month of the dates round"
        )
        return Slip(other, cells[other], rule, "repairable", "read the column from its source again, as text")
    if {"text, day first", "text, month first"} <= set(first) and style is None:
        one, other = first["text, day first"], first["text, month first"]
        rule = (
            f"two kinds in one column: in {_shown(cells[one])} the day comes first, in {_shown(cells[other])} the month"
        )
        return Slip(other, cells[other], rule, "repairable", "write all dates in one style, best 2020-11-10")
    if len(first) > 1:
        one, other = sorted(first.values())[:2]
        rule = f"two styles in one column: {_shown(cells[one])} and {_shown(cells[other])}"
        return Slip(other, cells[other], rule, "warning", "write all dates in one style, best 2020-11-10")
    return None


def _kind_of_date(cell: object) -> str | None:
    if isinstance(cell, dt.date | np.datetime64) and not pd.isna(cell):
        return "date"
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if _ISO.match(text) or _TIME.match(text):
        return "text, year first"
    if _DOTTED.match(text):
        return "text, dotted"
    if slashed := _SLASHED.match(text):
        one, other = int(slashed[1]), int(slashed[2])
        if one > 12:
            return "text, day first"
        return "text, month first" if other > 12 else "text, day or month first"
    return None


def _shown(cell: object) -> str:
    return repr(cell) if isinstance(cell, str) else str(cell)


def texts_in(cells: Cells, *, exact: bool = False) -> tuple[list[str | None], list[Slip]]:
    """Text as the file shows it, and what in it can't be trusted.

    Parameters
    ----------
    cells : list
    exact : bool
        Whether the text is an id or a code, which is compared: a number whose format can't be rendered is a slip there,
        and so are a date, invisible characters and letters of two alphabets in one word.

    >>> texts_in([7.0, "x", None])[0]
    ['7', 'x', None]
    >>> [slip.rule for slip in texts_in(["\u0421HA"], exact=True)[1]]
    ['holds letters of two alphabets that look alike: С (Cyrillic) beside H, A']
    """
    texts, slips = _each(cells, lambda cell: _text(cell, exact), None, "correct the cell")
    for k, text in _first_of_each(texts):
        garbled = _garbled(text)
        if garbled:
            slips.append(Slip(k, text, garbled, "warning", "export the file again as UTF-8"))
        if exact:
            slips += [Slip(k, text, *words) for words in _letters_of_two_alphabets(text)]
    if exact:
        # A cell that is read otherwise than written is a repair of its row, so that each counts.
        hidden = [k for k, text in enumerate(texts) if text is not None and _INVISIBLE.search(text)]
        slips += [_hidden_letters(k, str(texts[k])) for k in hidden]
        texts = [None if text is None else _INVISIBLE.sub("", text).strip() or None for text in texts]
    return texts, slips


def _text(cell: object, exact: bool) -> str:
    if isinstance(cell, FormattedNumber):
        if cell.shown is not None:
            return cell.shown
        if exact:
            rule = f"number is shown by the format {cell.form!r}, which can't be rendered here"
            raise ValueError(f"{rule}|format the column as text and write what it shows")
    if exact and isinstance(cell, dt.date | np.datetime64):
        raise ValueError("is a date: a spreadsheet has perhaps turned an id into one|format the column as text")
    if isinstance(cell, Decimal) and cell == cell.to_integral_value():
        return str(int(cell))
    if isinstance(cell, float | np.floating) and abs(float(cell)) < _LARGEST and float(cell).is_integer():
        return str(int(cell))
    if exact and isinstance(cell, float | np.floating) and abs(float(cell)) >= _LARGEST:
        raise ValueError("number has more digits than can be kept|format the column as text and enter its ids again")
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():  # a day, as spreadsheets keep it
        return str(cell.date())
    return str(cell).strip()


def _hidden_letters(k: int, text: str) -> Slip:
    """What can't be seen in an id or a code."""
    letters = sorted({f"U+{ord(letter):04X}" for letter in _INVISIBLE.findall(text)})
    rule = f"holds an invisible character, {', '.join(letters)}"
    return Slip(k, text, rule, "repairable", "delete it; it is read without")


def _letters_of_two_alphabets(text: str) -> list[tuple[str, str, str]]:
    """(rule, level, remedy) of letters that look alike in an id or a code."""
    slips = []
    for word in re.findall(r"[^\W\d_]+", text):
        alphabets = {letter: unicodedata.name(letter, "?").split(" ")[0].title() for letter in word}
        if len(set(alphabets.values()) & {"Latin", "Cyrillic", "Greek"}) > 1:
            foreign = [letter for letter, name in alphabets.items() if name != "Latin"]
            latin = [letter for letter, name in alphabets.items() if name == "Latin"]
            names = f"{', '.join(foreign)} ({alphabets[foreign[0]]}) beside {', '.join(latin)}"
            rule = f"holds letters of two alphabets that look alike: {names}"
            slips.append((rule, "warning", "type the word again in one alphabet"))
    return slips


def _garbled(text: str) -> str | None:
    """How a text looks that was decoded wrongly, or twice; None where it looks right.

    >>> _garbled("AÄŸdam"), _garbled("Aghdam"), _garbled("?????")
    ("text was perhaps decoded twice: 'AÄŸdam' for 'Ağdam'", None, "letters were lost when the text was saved: '?????'")
    """
    if "\ufffd" in text or (text.count("?") >= 3 and not re.search(r"[^\W_]", text)):
        return f"letters were lost when the text was saved: {text[:40]!r}"
    if text.isascii():
        return None
    for encoding in ("cp1252", "latin-1", "cp1251"):
        try:
            before = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if before != text and not before.isascii():
            return f"text was perhaps decoded twice: {text[:40]!r} for {before[:40]!r}"
    return None


def _first_of_each(texts: Sequence[str | None]) -> list[tuple[int, str]]:
    """Each different text with the place where it stands first."""
    first: dict[str, int] = {}
    for k, text in enumerate(texts):
        if text is not None:
            first.setdefault(text, k)
    return [(k, text) for text, k in first.items()]


def _each(cells: Cells, read: Callable[[object], Value], nothing: Any, remedy: str) -> tuple[list[Any], list[Slip]]:
    """Each cell read, equal ones once; a blank is ``nothing``, and so is one that raises rule and remedy."""
    values: list[Any] = [nothing] * len(cells)
    slips: list[Slip] = []
    for places in _places_of_equal(cells):
        try:
            value = _read_unless_error(cells[places[0]], read)
        except (ValueError, TypeError, OverflowError) as error:
            rule, _, own_remedy = str(error).partition("|")
            slips += [Slip(k, cells[k], rule, "repairable", own_remedy or remedy) for k in places]
            continue
        for k in places:
            values[k] = value
    return values, sorted(slips, key=lambda slip: slip.at or 0)


def _places_of_equal(cells: Cells) -> list[list[int]]:
    """Places of the cells that are not blank, those of equal cells together; in the order of the first of each."""
    places: dict[object, list[int]] = {}
    for k in np.flatnonzero(~is_blank(cells)).tolist():
        places.setdefault(_key(cells[k]), []).append(k)
    return list(places.values())


def _key(cell: object) -> object:
    """What equal cells share; equal moments of two zones are two days, and one number may be shown in two ways."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):  # its text may be too long to be written
        return type(cell), cell
    return type(cell), str(cell), cell.shown if isinstance(cell, FormattedNumber) else None


def _read_unless_error(cell: object, read: Callable[[object], Value]) -> Value:
    if isinstance(cell, str) and cell.strip().upper() in ERRORS:
        raise ValueError(f"cell holds the spreadsheet's error {cell.strip()}|correct the formula, or clear the cell")
    return read(cell)
