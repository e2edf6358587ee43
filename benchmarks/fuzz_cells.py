"""Columns of cells whose right reading is known, through the reader of cells: value, blank, fault, nothing else."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

BLANKS = (
    None,
    float("nan"),
    np.float64("nan"),
    pd.NaT,
    pd.NA,
    "",
    " ",
    "\t",
    "\u00a0",
    np.datetime64("NaT"),
    Decimal("NaN"),
)
ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#n/a", " #NUM! ")
NOISE = "0123456789.,-+eE /:TZ'\"\u00a0\u202f\u200babcЖƏМCHAﬁ١२#?*_()%"
ZONES = ("UTC", "Asia/Baku", "America/Caracas", "Pacific/Apia")
#: What a column is read as.
COLUMNS = ("numbers", "whole numbers", "days", "ids", "texts")
#: A number as people write it: digits, threes apart by a space, one point. What else is read must be named here.
_PLAIN = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\s\d{3})+)?(?:\.\d*)?(?:[eE][+-]?\d+)?")


def judge_cells(case: int, seed: int, size: int) -> dict[str, object]:
    """Counts of what became of some columns; the words are those of cells that were read wrongly."""
    draw = random.Random(f"cells {seed} {case}")
    counts: dict[str, Counter[str]] = {name: Counter() for name in COLUMNS}
    wrong: list[str] = []
    while sum(count["cells"] for count in counts.values()) < size:
        name = draw.choice(COLUMNS)
        for outcome, words in _judged_column(name, draw):
            counts[name].update((outcome, "cells"))
            if outcome == "wrong":
                wrong.append(f"{name}: {words}")
    outcome = "wrong" if wrong else "read"
    return {
        "case": case,
        "kind": "cells",
        "way": "",
        "outcome": outcome,
        "words": "\n".join(wrong[:5]),
        "seconds": 0.0,
        "counts": counts,
    }


def _judged_column(name: str, draw: random.Random) -> list[tuple[str, str]]:
    from clearplan.read.cells import days_in, numbers_in, texts_in

    # A column of days is mostly of one or two styles: where it mixes more, all of it is a fault.
    styles = draw.sample(range(len(_day_forms(draw))), draw.choice((1, 1, 2, 30)))
    cells = [_cell(draw, name, styles) for _ in range(draw.randrange(1, 40))]
    style, zone = draw.choice((None, None, "dmy", "mdy", "iso")), draw.choice((None, *ZONES))
    decimal = draw.choice((".", ".", ","))
    if name in ("numbers", "whole numbers"):
        values, slips = numbers_in(cells, decimal, integer=name == "whole numbers")
        shown: Callable[[object], object] = lambda cell: _number_shown(cell, decimal)  # noqa: E731
        values = [None if np.isnan(value) else value for value in values]
    elif name == "days":
        values, slips = days_in(cells, style, zone)
        shown = lambda cell: _days_shown(cell, style, zone)  # noqa: E731
    else:
        values, slips = texts_in(cells, exact=name == "ids")
        shown = lambda cell: _text_shown(cell, name == "ids")  # noqa: E731
    faults = {slip.at for slip in slips if slip.level in ("repairable", "error")}
    column_fault = any(slip.rule.startswith("two kinds in one column") for slip in slips)
    pairs = zip(cells, values, strict=True)
    return [_judged(cell, value, at in faults or column_fault, shown, name) for at, (cell, value) in enumerate(pairs)]


def _judged(cell: object, value: object, fault: bool, shown: Callable[[object], object], name: str) -> tuple[str, str]:
    if _is_blank(cell):
        return ("blank", "") if value is None and (not fault or name == "days") else ("wrong", f"{cell!r}: {value!r}")
    if value is None:
        return ("fault", "") if fault else ("wrong", f"{cell!r} is neither value nor fault")
    if fault and name not in ("ids",):
        return "wrong", f"{cell!r} is a fault and reads as {value!r}"
    right = shown(cell)
    matches = value in right if isinstance(right, set) else value == right
    return ("value", "") if matches else ("wrong", f"{cell!r} reads as {value!r}, shows {right!r}")


def _is_blank(cell: object) -> bool:
    return bool(pd.isna(cell)) or (isinstance(cell, str) and not cell.strip("\u200b\ufeff\u202e \t\n\u00a0\u202f"))


def _number_shown(cell: object, decimal: str) -> float | None:
    """The number that a cell shows, by another way than the reader's: whole and decimal digits, exactly."""
    if isinstance(cell, bool | np.bool_ | dt.date | np.datetime64):
        return None
    if isinstance(cell, str):
        text = cell.strip().replace(",", ".") if decimal == "," else cell.strip()
        if not _PLAIN.fullmatch(text) or (decimal == "," and "." in cell):
            return None
        exact = Decimal(re.sub(r"\s", "", text))
    else:
        exact = Decimal(repr(float(cell))) if isinstance(cell, float | np.floating) else Decimal(str(cell))
    number = float(exact)
    whole = exact == exact.to_integral_value()
    if not np.isfinite(number) or (
        whole and abs(exact) >= 2**53 and "e" not in str(cell).lower() and exact != int(number)
    ):
        return None  # beyond what a number keeps: must be a fault
    return None if number == 0 != exact else number


def _days_shown(cell: object, style: str | None, zone: str | None) -> set[object]:
    """Days that a cell may be read as; none where only a fault is right."""
    if isinstance(cell, dt.datetime):
        if cell.tzinfo is None or str(cell.tzinfo) != "UTC":
            return {cell.date()}  # as it is written; another day in the zone that is set is a fault
        return {cell.astimezone(ZoneInfo(zone)).date()} if zone else ({cell.date()} if not _time_of(cell) else set())
    if isinstance(cell, dt.date):
        return {cell}
    if isinstance(cell, np.datetime64):
        return {pd.Timestamp(cell).date()}
    if isinstance(cell, int | float | np.number):
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=float(cell))
        return {moment.astimezone(ZoneInfo(zone)).date()} if zone else set()
    return _days_of_text(str(cell), style, zone)


def _time_of(moment: dt.datetime) -> bool:
    return moment.time() != dt.time()


def _days_of_text(text: str, style: str | None, zone: str | None) -> set[object]:
    digits = [int(part) for part in re.findall(r"\d+", text)]
    if re.search(r"[TZ:]", text):
        moment = pd.Timestamp(re.sub(r"\s+", " ", text.strip().replace("/", "-").replace(" 24:00", " 00:00")))
        next_day = dt.timedelta(days=1 if " 24:00" in text else 0)
        if moment.tzinfo is None:
            return {moment.date() + next_day}
        if zone is None:
            return {moment.date() + next_day} if not _time_of(moment) else set()
        return {(moment + next_day).tz_convert(zone).date()}
    orders = {"iso": ((2, 1, 0),), "mdy": ((1, 0, 2),), "dmy": ((0, 1, 2),)}
    if len(digits) != 3:
        return set()
    if digits[0] > 31:
        tried = ((2, 1, 0),)
    elif "." in text:
        tried = orders["mdy"] if style == "mdy" else orders["dmy"]
    else:
        tried = orders["mdy"] + orders["dmy"] if style in (None, "iso") else orders[style]
    days = {_day(*(digits[k] for k in order)) for order in tried} - {None}
    return days if len(days) == 1 else set()


def _day(day: int, month: int, year: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _text_shown(cell: object, exact: bool) -> object:
    """The text that a cell shows; an id without characters that nobody sees."""
    shown = getattr(cell, "shown", None)
    if shown is not None:
        return shown.strip() if exact else shown
    if isinstance(cell, str):
        hidden = (
            "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
        )
        return cell.translate(dict.fromkeys(map(ord, hidden))).strip() if exact else cell.strip()
    if isinstance(cell, dt.date | np.datetime64):
        return {str(cell), str(cell)[:10]} if not exact else set()
    if isinstance(cell, bool | np.bool_):
        return str(cell)
    number = Decimal(str(cell))
    if not number.is_finite() or number != number.to_integral_value():
        return str(cell)
    return {str(cell), format(number.to_integral_value() + 0, "f")}  # + 0: minus nought is shown as 0


# --- what stands in cells


def _cell(draw: random.Random, name: str, styles: list[int]) -> object:
    if draw.random() < 0.1:
        return draw.choice(BLANKS)
    if draw.random() < 0.05:
        return draw.choice(ERRORS)
    if draw.random() < 0.15:
        return "".join(draw.choice(NOISE) for _ in range(draw.randrange(1, 14)))
    makers = {
        "numbers": (_number, _number, _text_number),
        "whole numbers": (_number, _text_number),
        "days": (_date,),
        "ids": (_id, _number, _date),
        "texts": (_id, _number, _date, _text_number),
    }
    maker = draw.choice(makers[name])
    return _date(draw, styles) if maker is _date else maker(draw)


def _number(draw: random.Random) -> object:
    whole = draw.choice(
        (0, 1, -1, 7, 65_535, 2**31 - 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, draw.randrange(-(10**18), 10**18))
    )
    broken = draw.choice((0.1, -0.0, 1e308, 1e22, 5e-324, draw.uniform(-1e6, 1e6), 1 / 3))
    numbers = (
        whole,
        broken,
        np.int64(whole),
        np.float64(broken),
        np.float32(broken if abs(broken) < 1e30 else 1),
        Decimal(whole),
        Decimal(str(broken)),
        10 ** draw.choice((17, 30, 400)),
        draw.choice((True, np.True_)),
        float("inf"),
        Decimal("Infinity"),
        Decimal("9007199254740993"),
        np.uint8(whole % 256),
    )
    return draw.choice(numbers)


def _text_number(draw: random.Random) -> str:
    number = draw.choice((draw.randrange(10**9), draw.randrange(10**20), 12, 5, 0))
    forms = (
        f"{number}",
        f"{number:,}",
        f"{number:,}".replace(",", " "),
        f"{number:,}".replace(",", "\u202f"),
        f"{number}.5",
        f"{number},5",
        f"+{number}",
        f"-{number}",
        f" {number} ",
        f"{number}.",
        f".{number}",
        f"{number} m",
        f"0{number}",
        f"{number}e3",
        f"1_{number}",
        f"{number} 5",
        f"{number}%",
        f"({number})",
        "1e400",
        "1e-400",
        "nan",
        "inf",
        "0x1f",
        "½",
        f"1.{number}.0",
        str(number).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    )
    return draw.choice(forms)


def _date(draw: random.Random, styles: list[int]) -> object:
    if draw.random() < 0.05:
        zone = ZoneInfo(draw.choice(ZONES))
        odd = (
            dt.date(1, 1, 1),
            dt.date(9999, 12, 31),
            dt.datetime(1, 1, 1, tzinfo=zone),
            dt.datetime(9999, 12, 31, 23, tzinfo=zone),
            np.datetime64("0001-01-01"),
            np.datetime64("12000-01-01"),
            pd.Timestamp.max,
            pd.Timestamp.min,
        )
        return draw.choice(odd)
    return _day_forms(draw)[draw.choice(styles)]


def _day_forms(draw: random.Random) -> tuple[object, ...]:
    """A day and a time of day in every way that files have for it."""
    moment = dt.datetime(1900, 1, 1) + dt.timedelta(seconds=draw.randrange(200 * 365 * 86_400))
    day, zone = moment.date(), ZoneInfo(draw.choice(ZONES))
    offset = draw.choice(("Z", "+04:00", "-0430", "+14", ""))
    return (
        day,
        moment,
        moment.replace(tzinfo=zone),
        pd.Timestamp(moment),
        pd.Timestamp(moment, tz=str(zone)),
        np.datetime64(moment),
        np.datetime64(day),
        dt.datetime.combine(day, dt.time(), zone),
        day.isoformat(),
        day.isoformat().replace("-", "/"),
        f"{day:%d.%m.%Y}",
        f"{day:%d/%m/%Y}",
        f"{day:%m/%d/%Y}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%d-%m-%Y}",
        f"{day:%Y%m%d}",
        f"{day:%d %B %Y}",
        f"{day:%Y-%m}",
        f"{day:%Y}",
        f"{day} or 04",
        f"{day} ?",
        f"{day} to {day}",
        f"{moment:%Y-%m-%dT%H:%M:%S}{offset}",
        f"{moment:%Y-%m-%d %H:%M}{offset}",
        f"{day} 24:00",
        f"{day}T25:00",
        f"{day:%Y-%m-}45",
        f"{day.year}-02-30",
        f"{day:%d.%m.%y}",
        int(moment.timestamp() * 1000),
        float(int(moment.timestamp() * 1000)),
        44_000,
        44_000.5,
        "0000-00-00",
        f"00.{day:%m.%Y}",
        f"{day}\u200b",
        f"{day.year + 8000}-01-01",
    )


def _id(draw: random.Random) -> object:
    from clearplan.read.cells import FormattedNumber

    number = draw.randrange(10_000)
    forms = (
        f"MF-{number:04d}",
        f"МF-{number}",
        f"MF-{number}\u200b",
        f"Ağdam {number}",
        "AÄŸdam",
        "?????",
        f"\ufeff{number}",
        f"{number:07d}",
        FormattedNumber(number, f"{number:06d}", "000000"),
        FormattedNumber(number, None, '[>9]"x"0'),
        FormattedNumber(number, str(number), "0"),
        "\u200b",
        "a\nb",
        "🚩 7",
        "e\u0301",
        "ﬁ",
        "NULL",
        "NaN",
        "None",
        f"{number}/{number}",
        "\u202eabc",
    )
    return draw.choice(forms)
