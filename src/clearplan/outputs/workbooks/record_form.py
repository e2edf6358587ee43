"""Forms for minefield records as XLSX: a sheet for each table, with lists to choose from and comments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clearplan.outputs.workbooks.writer import new_book
from clearplan.tables.codes import allowed_codes
from clearplan.tables.columns import Column
from clearplan.tables.record_sheets import RECORD_TABLES

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
    for at, column in enumerate(RECORD_TABLES[name]):
        must = column.required and not column.nullable
        page.write_string(0, at, column.name, needed if must else optional)
        page.write_comment(0, at, comment(column), {"x_scale": 2, "y_scale": 1.4})
        shown = {"date": day, "text": text}.get(column.dtype)
        page.set_column(at, at, _WIDTHS[column.dtype], shown)
        if column.codes:
            page.data_validation(
                1,
                at,
                _ROWS,
                at,
                {
                    "validate": "list",
                    "source": list(allowed_codes(column.codes)),
                    "ignore_blank": True,
                    "error_title": column.name,
                    "error_message": "Choose one of the list, or leave it blank.",
                },
            )
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
