"""Tables to XLSX: books of declared sheets to file and filter, and record forms with lists and comments."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from .errors import OutputError, TableError
from .folders import unwritable, whole
from .tables import TABLES, Column, allowed_codes

Kind = Literal["text", "sentence", "whole", "number", "exact", "share", "year", "day"]
#: How cells of a kind look, and how wide their columns are [characters].
_FORMATS: dict[Kind, tuple[dict[str, Any], int]] = {
    # quote_prefix: a program that edits the cell goes on taking '=1+1' for text.
    "text": ({"quote_prefix": True}, 20),
    "sentence": ({"quote_prefix": True, "text_wrap": True}, 56),
    "whole": ({"num_format": "#,##0"}, 14),
    "number": ({"num_format": "#,##0.0"}, 14),
    "exact": ({"num_format": "General"}, 14),
    "share": ({"num_format": "0.0 %"}, 12),
    "year": ({"num_format": "0", "align": "left"}, 12),
    "day": ({"num_format": "yyyy-mm-dd", "align": "left"}, 12),
}
#: A sheet's rows and a cell's letters that XLSX can hold.
_MOST_ROWS, LETTERS = 1_048_575, 32_767


@dataclass(frozen=True)
class Field:
    """Column of a sheet: where it comes from, its head, what its cells are, and whether the table must have it."""

    source: str
    head: str
    kind: Kind
    must: bool = True


@dataclass(frozen=True)
class Sheet:
    """Name, what it is about, fields, and how many of them stay in sight."""

    name: str
    about: str
    fields: tuple[Field, ...]
    fixed: int = 1


#: Sheets of a record workbook, in the order of work.
RECORD_SHEETS = ("records", "legs", "anchors")

_READ_ME = (
    "Minefield records: one row a record on the sheet 'records', one row a point on the sheet 'legs'.",
    "Point at a column's name to read what belongs there. Columns in bold must be filled in.",
    "A point has coordinates, or bearing and distance from the row above (or from the point named in from_point).",
    "Begin each record with its reference points (landmarks with coordinates), then start, turning points, end.",
    "A leg that comes back to a known point names it in closes_on: it adds no corner, it shows the misclosure.",
    "Rows instead of a border: each start begins a row, row-end ends it.",
    "Soviet grids: x is northing, y is easting with the zone in front: x=4430282 y=8664842.",
    "Bearings in Soviet mils are written with a hyphen: 12-50. The hyphen always means 6000 to the circle.",
    "reliability is your own judgement, 0 to 1; there is no default. Leave a cell blank where the record says nothing.",
    "The sheet 'anchors' is for landmarks found and surveyed later; each row moves a record and keeps both versions.",
    "Check before you use it: clearplan records FILE --plan plan.toml",
)
_ROWS = 20_000  # rows for which the lists drop down
_WIDTHS = {"text": 16, "number": 12, "integer": 12, "date": 12}


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
        # Text stays text: a cell that begins with '=' must not become a formula.
        book = xlsxwriter.Workbook(str(fresh), {"strings_to_formulas": False, "strings_to_urls": False})
        book.set_properties({"title": title, "created": dt.datetime(2000, 1, 1)})
        yield book
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise unwritable(path, error) from None


# --- books to file


def write_book(
    path: str | Path,
    *,
    title: str,
    words: Sequence[str],
    tables: Mapping[str, pd.DataFrame],
    sheets: Mapping[str, Sheet],
    last: str = "",
) -> None:
    """A book of declared sheets behind one of words; the same tables make the same bytes.

    Figures stand as they are in the tables, rounded only to the eye. Text from the tables never becomes a formula.

    Parameters
    ----------
    path : path
        A new .xlsx file.
    title, words, last
        On the first sheet: of the whole, what to know, and below the list of sheets one thing more.
    tables : mapping of name to DataFrame
        One sheet each, in this order.
    sheets : mapping of name to Sheet

    Raises
    ------
    OutputError
        The file exists or can't be written, or a table has more rows than a sheet.
    TableError
        A table lacks a column.
    """
    for name, table in tables.items():
        _refuse(name, table, sheets[name], Path(path))
    with new_book(path, title) as book:
        _read_first(
            book, title, [*words, *(f"Sheet {sheets[name].name}: {sheets[name].about}." for name in tables), last]
        )
        formats = {kind: book.add_format({"valign": "top", **look}) for kind, (look, _) in _FORMATS.items()}
        for name, table in tables.items():
            _fill_sheet(book, sheets[name], table, formats)


def _refuse(name: str, table: pd.DataFrame, sheet: Sheet, path: Path) -> None:
    """A book is only begun when all of it can be written."""
    missing = [field.source for field in sheet.fields if field.must and field.source not in table.columns]
    if missing:
        raise TableError(f"{path.name}: {name} has no column {missing[0]}; give the table as the docstring says")
    if len(table) > _MOST_ROWS:
        raise OutputError(f"{path}: {len(table):,} rows of {name} are more than a sheet holds; write them as CSV")


def _read_first(book: Any, title: str, lines: Sequence[str]) -> None:
    page = book.add_worksheet("Read first")
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
    page.set_column(0, 0, 110, wrapped)
    page.write_string(0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    for row, line in enumerate(filter(None, lines), start=2):
        page.write_string(row, 0, _letters(line), wrapped)


def _fill_sheet(book: Any, sheet: Sheet, table: pd.DataFrame, formats: dict[Kind, Any]) -> None:
    page = book.add_worksheet(sheet.name)
    head = book.add_format({"bold": True, "bg_color": "#EEEEEE", "bottom": 1, "text_wrap": True, "valign": "top"})
    fields = [field for field in sheet.fields if field.source in table.columns]
    page.freeze_panes(1, sheet.fixed)
    page.set_row(0, 62)
    page.autofilter(0, 0, max(len(table), 1), len(fields) - 1)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    for at, field in enumerate(fields):
        page.write_string(0, at, field.head, head)
        page.set_column(at, at, _wide(field, table[field.source]))
        for row, value in enumerate(table[field.source], start=1):
            if not pd.isna(value):
                _write(page, row, at, field.kind, value, formats)


def _wide(field: Field, values: pd.Series) -> int:
    """Characters that a column of text needs, between a head's and a sentence's; others are as wide as their kind."""
    least = _FORMATS[field.kind][1]
    if field.kind != "text":
        return least
    return min(max((len(str(v)) + 4 for v in values if not pd.isna(v)), default=least), 40) if len(values) else least


def _write(page: Any, row: int, at: int, kind: Kind, value: Any, formats: dict[Kind, Any]) -> None:
    if kind == "day":
        page.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), formats[kind])
    elif kind in ("whole", "number", "exact", "share", "year") and math.isfinite(float(value)):
        page.write_number(row, at, float(value), formats[kind])
    else:
        page.write_string(row, at, _letters(str(value)), formats["sentence" if kind == "sentence" else "text"])


def _letters(text: str) -> str:
    """Text that a cell holds; what is too long ends with an ellipsis.

    >>> len(_letters("x" * 40_000)), _letters("short")
    (32767, 'short')
    """
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


# --- forms for records


def write_record_template(path: str | Path) -> None:
    """An empty workbook for records: a read-me and the sheets records, legs and anchors.

    Raises
    ------
    OutputError
        The file exists, or can't be written.
    """
    write_record_workbook({name: pd.DataFrame() for name in RECORD_SHEETS}, path)


def write_record_workbook(tables: Mapping[str, pd.DataFrame], path: str | Path) -> None:
    """A workbook of records; the same tables make the same bytes.

    Parameters
    ----------
    tables : mapping of sheet (records, legs, anchors) to DataFrame
        Columns as declared; what is missing stays blank.

    Raises
    ------
    OutputError
        The file exists, or can't be written.
    """
    with new_book(path, "Minefield records") as book:
        _read_me(book)
        for name, table in tables.items():
            _sheet(book, name, table)


def _read_me(book: Any) -> None:
    page = book.add_worksheet("read me")
    page.set_column(0, 0, 120, book.add_format({"text_wrap": True, "valign": "top"}))
    page.write_string(0, 0, "clearplan: forms for minefield records", book.add_format({"bold": True, "font_size": 14}))
    for row, line in enumerate(_READ_ME, start=2):
        page.write_string(row, 0, line)


def _sheet(book: Any, name: str, table: pd.DataFrame) -> None:
    page = book.add_worksheet(name)
    needed = book.add_format({"bold": True, "bg_color": "#FDE9C8", "bottom": 1})
    optional = book.add_format({"bg_color": "#EEEEEE", "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    text = book.add_format({"num_format": "@"})  # keeps 0-75 from becoming a date
    page.freeze_panes(1, 2)
    for at, column in enumerate(TABLES[name]):
        must = column.required and not column.nullable
        page.write_string(0, at, column.name, needed if must else optional)
        page.write_comment(0, at, comment(column), {"x_scale": 2, "y_scale": 1.4})
        shown = {"date": day, "text": text}.get(column.dtype)
        page.set_column(at, at, _WIDTHS[column.dtype], shown)
        if column.codes:
            page.data_validation(1, at, _ROWS, at, {
                "validate": "list", "source": list(allowed_codes(column.codes)), "ignore_blank": True,
                "error_title": column.name, "error_message": "Choose one of the list, or leave it blank.",
            })  # fmt: skip
        if column.name in table.columns:
            _fill(page, at, column, table[column.name], day, text)


def _fill(page: Any, at: int, column: Column, values: pd.Series, day: Any, text: Any) -> None:
    for row, value in enumerate(values, start=1):
        if value is None or pd.isna(value):
            continue
        if column.dtype == "date":
            page.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), day)
        elif column.dtype in ("number", "integer"):
            page.write_number(row, at, value)
        else:
            page.write_string(row, at, str(value), text)


def comment(column: Column) -> str:
    """What belongs in a column, as its comment says.

    >>> comment(Column("pace_m", "number", "length of one pace", "m", low=0.3, high=2))
    'length of one pace [m] 0.3 to 2 Needed.'
    """
    words = [column.meaning]
    if column.unit:
        words.append(f"[{column.unit}]")
    if column.low is not None and column.high is not None:
        words.append(f"{column.low:g} to {column.high:g}")
    if column.codes:
        words.append(
            "Codes: " + "; ".join(f"{code} = {meaning}" for code, meaning in allowed_codes(column.codes).items())
        )
    words.append("Needed." if column.required and not column.nullable else "May be blank.")
    return " ".join(words)
