"""Tables to XLSX: books of declared sheets to file and filter."""

from __future__ import annotations

import datetime as dt
import io
import math
import numbers
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from clearplan.core.errors import OutputError, TableError
from clearplan.core.writing import unwritable, whole
from clearplan.tables.columns import Kind, heading, kind_of
from clearplan.tables.lookup import column_of
from clearplan.tables.reasons import in_words

#: How cells of a kind look. ``figure`` and ``any``: each cell is number, day or text, as its own value is.
_FORMATS: dict[Kind, dict[str, Any]] = {
    # quote_prefix: a program that edits the cell goes on taking '=1+1' for text.
    "text": {"quote_prefix": True, "text_wrap": True, "align": "left", "indent": 1},
    "sentence": {"quote_prefix": True, "text_wrap": True, "align": "left", "indent": 1},
    "whole": {"num_format": "#,##0"},
    "number": {"num_format": "#,##0.0"},
    "exact": {"num_format": "General"},
    "share": {"num_format": "0.0 %"},
    "degrees": {"num_format": "0.000000"},
    "year": {"num_format": "0", "align": "left"},
    "day": {"num_format": "yyyy-mm-dd", "align": "left"},
    "figure": {"num_format": "#,##0.0##"},
    "any": {"num_format": "General", "align": "left"},
}
#: How a number of a kind is shown, to see how wide it is.
_AS_TOLD: dict[Kind, str] = {
    "whole": ",.0f",
    "number": ",.1f",
    "exact": ".15g",
    "share": ".1%",
    "degrees": ".6f",
    "year": ".0f",
    "figure": ",.8g",
    "any": ".15g",
}
#: The widest column of each kind of text [characters], and the narrowest of all.
_WIDEST: dict[Kind, int] = {"text": 40, "sentence": 60, "figure": 30, "any": 50}
_NARROWEST = 8
#: Height of a line [points], of the highest row that a program takes, and characters across a page that can be read.
_LINE, _HIGHEST, _ACROSS = 15, 405, 240
#: A sheet's rows below two of heads and a cell's letters that XLSX can hold, and the letters of a page's foot.
_MOST_ROWS, LETTERS, _FOOT = 1_048_574, 32_767, 255
#: Letters of a sheet's name.
_LONGEST_NAME = 31


@dataclass(frozen=True)
class Sheet:
    """A sheet of a declared table: which of its columns, in which order; heads, cells and hashtags are as declared.

    Parameters
    ----------
    name, about
        Of the sheet, and what it is about.
    table, columns
        Name of the declared table, and of its columns.
    may_lack
        Those of them that a frame need not have.
    fixed
        How many stay in sight.
    printed
        The last column that is printed; those after it are for the screen. Blank: all are.
    currency
        Name of the money.
    heads, kinds
        Of columns that the declaration can't know: heads, how cells look.
    tagged
        Whether hashtags stand below the heads.
    """

    name: str
    about: str
    table: str
    columns: Sequence[str]
    may_lack: Sequence[str] = ()
    fixed: int = 1
    printed: str = ""
    currency: str = ""
    heads: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    tagged: bool = True


def names(text: str) -> list[str]:
    """Names of columns that are written with spaces between.

    >>> names("zone_id name people")
    ['zone_id', 'name', 'people']
    """
    return text.split()


class _Shown(NamedTuple):
    """A column as a sheet shows it."""

    name: str
    head: str
    kind: Kind
    tag: str


def _shown(sheet: Sheet, table: pd.DataFrame) -> list[_Shown]:
    """The columns of a sheet that a frame has."""
    columns = [column_of(sheet.table, name) for name in sheet.columns if name in table.columns]
    return [
        _Shown(
            column.name,
            sheet.heads.get(column.name) or heading(column, sheet.currency),
            sheet.kinds.get(column.name) or kind_of(column),
            column.tag if sheet.tagged else "",
        )
        for column in columns
    ]


@contextmanager
def new_book(path: str | Path, title: str) -> Iterator[Any]:
    """A workbook to fill, written whole or not at all; text stays text, and the same cells make the same bytes.

    Raises
    ------
    OutputError
        The file exists, or can't be written.
    """
    import xlsxwriter

    path = Path(path)
    if path.exists():
        raise OutputError(f"{path}: exists already; name another file")
    if path.suffix.lower() != ".xlsx":
        raise OutputError(f"{path}: is no .xlsx name; end it with .xlsx")
    with whole(path) as fresh:
        # Into memory first: on a full disk, XlsxWriter leaves an archive open that complains when it is forgotten.
        out = io.BytesIO()
        # Text stays text: a cell that begins with '=' must not become a formula.
        book = xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False})
        book.set_properties({"title": title, "created": dt.datetime(2000, 1, 1)})
        yield book
        try:
            book.close()
        except xlsxwriter.exceptions.XlsxFileError as error:
            raise unwritable(path, error) from None
        fresh.write_bytes(out.getbuffer())


# --- books to file


def write_book(
    path: str | Path,
    *,
    title: str,
    words: Sequence[str],
    tables: Mapping[str, pd.DataFrame],
    sheets: Mapping[str, Sheet],
    last: str = "",
    foot: str = "",
) -> None:
    """A book of declared sheets behind one of words; the same tables make the same bytes.

    Each sheet has its heads, with units, in the first row and HXL hashtags, where there are such, in the second; both
    stay in sight and are printed on every page, on A4 across. Figures stand as they are in the tables, rounded only to
    the eye. Text from the tables never becomes a formula or a link, and text that looks like a number stays text.

    Parameters
    ----------
    path : path
        A new .xlsx file.
    title, words, last
        On the first sheet: of the whole, what to know, and below the list of sheets one thing more.
    foot
        At the foot of every printed page, before its number.
    tables : mapping of name to DataFrame
        One sheet each, in this order; a table with more rows than a sheet holds goes on on further ones ("Work 2").
    sheets : mapping of name to Sheet

    Raises
    ------
    OutputError
        The file exists or can't be written.
    TableError
        A table lacks a column.
    """
    tables = {name: in_words(table) for name, table in tables.items()}
    for name, table in tables.items():
        _refuse(name, table, sheets[name], Path(path))
    parts = {name: _parts(sheets[name], table) for name, table in tables.items()}
    with new_book(path, title) as book:
        _set_up(_read_first(book, title, [*words, *map(_sheet_words, parts.values()), last]), foot)
        formats = {kind: book.add_format({"valign": "top", **look}) for kind, look in _FORMATS.items()}
        for sheet, table in chain.from_iterable(parts.values()):
            page, across = _fill_sheet(book, sheet, table, formats)
            _set_up(page, foot, across)


def _parts(sheet: Sheet, table: pd.DataFrame) -> list[tuple[Sheet, pd.DataFrame]]:
    """The sheets that hold a table: one, or as many as its rows need, numbered from 2 on."""
    parts = []
    for number, start in enumerate(range(0, max(len(table), 1), _MOST_ROWS), start=1):
        end = f" {number}" if number > 1 else ""
        name = sheet.name[: _LONGEST_NAME - len(end)] + end
        parts.append((replace(sheet, name=name), table.iloc[start : start + _MOST_ROWS]))
    return parts


def _sheet_words(parts: Sequence[tuple[Sheet, pd.DataFrame]]) -> str:
    """What a table's sheets are about, and how many they are."""
    (first, table), (last, _) = parts[0], parts[-1]
    if len(parts) == 1:
        return f"Sheet {first.name}: {first.about}{'' if len(table) else ' (there are none)'}."
    rows = sum(len(part) for _, part in parts)
    return f"Sheets {first.name} to {last.name}: {first.about}; one sheet can't hold {rows:,} rows."


def _set_up(page: Any, foot: str, across: int = 1) -> None:
    """A page to print: A4 across, all columns on so many pages side by side, the foot with the page's number."""
    page.set_paper(9)
    page.set_landscape()
    page.fit_to_pages(across, 0)
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.7)
    page.set_footer(f"&L&8 {_foot(foot, _FOOT - len('&L&8 &R&8&P / &N'))}&R&8&P / &N")


def _refuse(name: str, table: pd.DataFrame, sheet: Sheet, path: Path) -> None:
    """A book is only begun when all of it can be written."""
    missing = [name for name in sheet.columns if name not in table.columns and name not in sheet.may_lack]
    if missing:
        raise TableError(f"{path.name}: {name} has no column {missing[0]}; give the table as the docstring says")


def _foot(words: str, room: int) -> str:
    """Words of a foot, in which ``&`` is a command; of what is too long the end stays, for the fingerprint is there.

    >>> _foot("A & B", 9), _foot("As at 2026-01-01. Fingerprint abc.", 20)
    ('A && B', '… . Fingerprint abc.')
    """
    plain = words.replace("&", "&&")
    return plain if len(plain) <= room else f"… {plain[2 - room :].lstrip('&')}"


def _read_first(book: Any, title: str, lines: Sequence[str]) -> Any:
    page = book.add_worksheet("Read first")
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
    page.set_column(0, 0, 110, wrapped)
    page.write_string(0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    for row, line in enumerate(filter(None, lines), start=2):
        page.set_row(row, _LINE * _lines(line, 116))
        page.write_string(row, 0, _letters(line), wrapped)
    return page


def _fill_sheet(book: Any, sheet: Sheet, table: pd.DataFrame, formats: dict[Kind, Any]) -> tuple[Any, int]:
    """A filled sheet, and on how many pages side by side it can be read."""
    page = book.add_worksheet(sheet.name)
    columns = _shown(sheet, table)
    widths = [_wide(column, table[column.name]) for column in columns]
    heads = 2 if any(column.tag for column in columns) else 1
    _fill_heads(book, page, columns, widths)
    last = max(len(table) + heads - 1, heads)
    page.freeze_panes(heads, sheet.fixed)
    page.repeat_rows(0, heads - 1)
    page.autofilter(heads - 1, 0, last, len(columns) - 1)  # its arrows on the hashtags: heads stay above what is sorted
    page.ignore_errors({"number_stored_as_text": f"A1:{_letter(len(columns) - 1)}{last + 1}"})
    known = [column.name for column in columns]
    shown = known.index(sheet.printed) + 1 if sheet.printed in known else len(columns)
    lines = [1] * len(table)
    for at, (column, width) in enumerate(zip(columns, widths, strict=True)):
        page.set_column(at, at, width)
        for row, value in enumerate(table[column.name]):
            if not _blank(value):
                _write(page, row + heads, at, column.kind, value, formats)
                if at < shown and isinstance(value, str) and len(value) > width - 3:
                    lines[row] = max(lines[row], _lines(value, width - 2))
    for row, number in enumerate(lines):
        if number > 1:  # programs make room for several lines of a cell only where a file asks for it
            page.set_row(row + heads, min(_LINE * number, _HIGHEST))
    if shown < len(columns):
        page.print_area(0, 0, last, shown - 1)
    across = -(-sum(widths[:shown]) // _ACROSS)
    if across > 1:
        page.repeat_columns(0, sheet.fixed - 1)
    return page, across


def _fill_heads(book: Any, page: Any, columns: Sequence[_Shown], widths: Sequence[int]) -> None:
    """Heads with their units, and HXL hashtags below them where there are such."""
    head = book.add_format({"bold": True, "bg_color": "#EEEEEE", "bottom": 1, "text_wrap": True, "valign": "top"})
    tag = book.add_format({"italic": True, "font_color": "#555555", "font_size": 8, "text_wrap": True, "valign": "top"})
    sizes = list(zip(columns, widths, strict=True))
    page.set_row(0, _LINE * max(_lines(column.head, width) for column, width in sizes))
    for at, column in enumerate(columns):
        page.write_string(0, at, column.head, head)
    if any(column.tag for column in columns):
        page.set_row(1, 12 * max(-(-len(column.tag) // width) for column, width in sizes))
        for at, column in enumerate(columns):
            page.write_string(1, at, column.tag, tag)


def _letter(column: int) -> str:
    """Letters of a column, counted from 0.

    >>> _letter(0), _letter(25), _letter(26), _letter(701), _letter(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    return (_letter(column // 26 - 1) if column > 25 else "") + chr(65 + column % 26)


def _blank(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and bool(pd.isna(value)))


def _lines(text: str, width: int) -> int:
    """Lines that a text takes, broken between words; a word that is longer than a line is broken too.

    >>> _lines("one two three", 9), _lines("x" * 30, 11), _lines("a\\nb", 9)
    (2, 3, 2)
    """
    return sum(len(textwrap.wrap(part, max(width - 1, 1))) or 1 for part in text[:LETTERS].splitlines()) or 1


def _wide(column: _Shown, values: pd.Series) -> int:
    """Characters that a column needs: for its cells, for the longest word of its head, and for short heads whole."""
    told = [_told(column.kind, value) for value in values if not _blank(value)]
    most = _WIDEST.get(column.kind, 30)
    cells = min(max(map(len, told), default=0) + 3, most)
    words = max(map(len, column.head.split())) + 2
    return max(cells, words, min(len(column.head) + 2, 14), _NARROWEST)


def _told(kind: Kind, value: Any) -> str:
    """A cell as it is shown."""
    if kind == "day":
        return "2026-01-01"
    number = kind in _AS_TOLD and not isinstance(value, str | bool) and _is_number(value)
    return f"{float(value):{_AS_TOLD[kind]}}" if number else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(float(value))


def _write(page: Any, row: int, at: int, kind: Kind, value: Any, formats: dict[Kind, Any]) -> None:
    """A cell of the type that its kind has; what is no number or day there is text, whatever it looks like."""
    if kind in ("any", "figure") and isinstance(value, dt.date):
        kind = "day"
    if kind == "figure" and isinstance(value, numbers.Integral):
        kind = "whole"
    if kind == "day" and not isinstance(value, str):
        page.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), formats[kind])
    elif kind in _AS_TOLD and not isinstance(value, bool) and _is_number(value):
        page.write_number(row, at, float(value), formats[kind])
    else:
        page.write_string(row, at, _letters(str(value)), formats["sentence" if kind == "sentence" else "text"])


def _letters(text: str) -> str:
    """Text that a cell holds; what is too long ends with an ellipsis.

    >>> len(_letters("x" * 40_000)), _letters("short")
    (32767, 'short')
    """
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
