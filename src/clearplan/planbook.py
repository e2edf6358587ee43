"""The plan of work as XLSX: who does what in which period, when places open, teams, budgets; to file and filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from .errors import OutputError, TableError
from .workbook import new_book

Kind = Literal["text", "sentence", "whole", "number", "share", "day"]
#: How cells of a kind look, and how wide their columns are [characters].
_FORMATS: dict[Kind, tuple[dict[str, Any], int]] = {
    # quote_prefix: a program that edits the cell goes on taking '=1+1' for text.
    "text": ({"quote_prefix": True}, 20),
    "sentence": ({"quote_prefix": True, "text_wrap": True}, 56),
    "whole": ({"num_format": "#,##0"}, 14),
    "number": ({"num_format": "#,##0.0"}, 14),
    "share": ({"num_format": "0.0 %"}, 12),
    "day": ({"num_format": "yyyy-mm-dd", "align": "left"}, 12),
}
#: A sheet's rows and a cell's letters that XLSX can hold.
_ROWS, _LETTERS = 1_048_575, 32_767


@dataclass(frozen=True)
class _Column:
    """Column of a sheet: where it comes from, what is said at its head, and what its cells are."""

    source: str
    head: str
    kind: Kind


@dataclass(frozen=True)
class _Sheet:
    """Name, what it is about, columns, and how many of them stay in sight."""

    name: str
    about: str
    columns: tuple[_Column, ...]
    fixed: int = 1


def _sheets(currency: str) -> dict[str, _Sheet]:
    """All sheets with a table, by the name of the argument that fills them."""
    money = f"[{currency}]" if currency else "[currency]"
    return {
        "comparison": _Sheet("Strategies", "the best plan found beside simpler ways with the same teams and money", (
            _Column("strategy", "strategy", "text"),
            _Column("people_home", "people home at the end [people]", "whole"),
            _Column("zones_open", "places open [places]", "whole"),
            _Column("person_months", "person-months at home [person-months]", "whole"),
            _Column("person_months_low", "least, from unknown population [person-months]", "whole"),
            _Column("person_months_high", "most, from unknown population [person-months]", "whole"),
            _Column("m2_finished", "ground finished [m2]", "whole"),
            _Column("days", "work [team-days]", "number"),
            _Column("cost", f"cost {money}", "whole"),
            _Column("gap", "proven within [%]", "share"),
        )),
        "zones": _Sheet("Places", "when each place opens, how sure that is, and what hangs on it", (
            _Column("zone_id", "id", "text"),
            _Column("name", "place", "text"),
            _Column("people", "people; blank: unknown [people]", "whole"),
            _Column("opens_in", "opens at the end of period; 0: the first day; blank: not in the plan", "whole"),
            _Column("opens_on", "opens on [date]", "day"),
            _Column("probability", "chance to open by then [%]", "share"),
            _Column("p50_on", "half of the draws by; blank: beyond the plan [date]", "day"),
            _Column("p80_on", "four fifths of the draws by; blank: beyond the plan [date]", "day"),
            _Column("waits_for", "waits for [tasks]", "whole"),
            _Column("last_tasks", "last of them", "sentence"),
            _Column("why", "why then, or why not", "sentence"),
            _Column("sooner", "what would bring it forward", "sentence"),
        ), 2),
        "work": _Sheet("Work", "which team works on which task in which period", (
            _Column("team_id", "team", "text"),
            _Column("task_id", "task", "text"),
            _Column("district", "district", "text"),
            _Column("step", "step of the method", "whole"),
            _Column("step_name", "what is done", "text"),
            _Column("kind", "kind of team", "text"),
            _Column("period", "period", "whole"),
            _Column("starts_on", "from, first day of the period [date]", "day"),
            _Column("ends_on", "to, last day of the period [date]", "day"),
            _Column("days", "work [team-days]", "number"),
            _Column("m2", "ground of the step [m2]", "whole"),
            _Column("cost", f"cost {money}", "whole"),
        ), 2),
        "use": _Sheet("Teams", "how far each team is used in each period", (
            _Column("team_id", "team", "text"),
            _Column("kind", "kind of team", "text"),
            _Column("period", "period", "whole"),
            _Column("days", "planned [team-days]", "number"),
            _Column("available", "there are [team-days]", "number"),
            _Column("share", "share used [%]", "share"),
            _Column("cost", f"cost {money}", "whole"),
        )),
        "budgets": _Sheet("Budgets", "what the best plan buys for more or less money", (
            _Column("budget", f"budget {money}", "whole"),
            _Column("people_home", "people home at the end [people]", "whole"),
            _Column("zones_open", "places open [places]", "whole"),
            _Column("person_months", "person-months at home [person-months]", "whole"),
            _Column("per_million", f"each million more bought [person-months per million {money[1:-1]}]", "whole"),
            _Column("cost", f"cost {money}", "whole"),
            _Column("gap", "proven within [%]", "share"),
        )),
    }  # fmt: skip


def write_workplan(
    path: str | Path,
    *,
    work: pd.DataFrame,
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    use: pd.DataFrame,
    comparison: pd.DataFrame,
    budgets: pd.DataFrame | None = None,
    notice: str,
    notes: Sequence[str] = (),
    currency: str = "",
    title: str = "Plan of work",
) -> None:
    """The plan as a workbook of six sheets; the same tables make the same bytes.

    Figures stand as they are in the tables, rounded only to the eye. Text from the tables never becomes a formula.

    Parameters
    ----------
    path : path
        A new .xlsx file.
    work : DataFrame
        Table ``work``.
    tasks : DataFrame
        TASKS: task_id, district.
    zones : DataFrame
        ZONES of the plan: zone_id, name, people, opens_in, opens_on, waits_for, last_tasks, why, sooner; probability,
        p50_on and p80_on where chances were drawn.
    use, comparison, budgets : DataFrame
        As in :func:`clearplan.workplan.workplan_section`; no sheet of budgets without such.
    notice, notes : str, list of str
        On the first sheet: disclaimer and fingerprint, and what to know.
    currency : str
        Its name, for the heads of columns.
    title : str
        Of the workbook.

    Raises
    ------
    OutputError
        The file exists or can't be written, or a table has more rows than a sheet.
    TableError
        A table lacks a column.
    """
    district = tasks.drop_duplicates("task_id").set_index("task_id")["district"]
    tables = {
        "comparison": comparison,
        "zones": zones,
        "work": work.assign(district=work["task_id"].map(district)),
        "use": use.assign(share=use["days"] / use["available"].where(use["available"] > 0)),
    }
    if budgets is not None:
        tables["budgets"] = budgets
    sheets = _sheets(currency)
    for name, table in tables.items():
        _refuse(name, table, sheets[name], Path(path))
    with new_book(path, title) as book:
        _read_first(book, title, [notice, *notes], [sheets[name] for name in tables])
        formats = {kind: book.add_format({"valign": "top", **look}) for kind, (look, _) in _FORMATS.items()}
        for name, table in tables.items():
            _fill(book, sheets[name], table, formats)


#: Columns of chances, which are only there where such were drawn.
_DRAWN = ("probability", "p50_on", "p80_on")


def _refuse(name: str, table: pd.DataFrame, sheet: _Sheet, path: Path) -> None:
    """A book is only begun when all of it can be written."""
    missing = [c.source for c in sheet.columns if c.source not in table.columns and c.source not in _DRAWN]
    if missing:
        raise TableError(f"plan of work: {name} has no column {missing[0]}; give the table as the docstring says")
    if len(table) > _ROWS:
        raise OutputError(f"{path}: {len(table):,} rows of {name} are more than a sheet holds; write them as CSV")


def _read_first(book: Any, title: str, words: Sequence[str], sheets: Sequence[_Sheet]) -> None:
    page = book.add_worksheet("Read first")
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
    page.set_column(0, 0, 110, wrapped)
    lines = [*words, *(f"Sheet {sheet.name}: {sheet.about}." for sheet in sheets)]
    lines.append("Work is dated to the period, not to the day. Blank cells are not known, or not in the plan; never 0.")
    page.write_string(0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    for row, line in enumerate(lines, start=2):
        page.write_string(row, 0, _letters(line), wrapped)


def _fill(book: Any, sheet: _Sheet, table: pd.DataFrame, formats: dict[Kind, Any]) -> None:
    page = book.add_worksheet(sheet.name)
    head = book.add_format({"bold": True, "bg_color": "#EEEEEE", "bottom": 1, "text_wrap": True, "valign": "top"})
    columns = [column for column in sheet.columns if column.source in table.columns]
    page.freeze_panes(1, sheet.fixed)
    page.set_row(0, 62)
    page.autofilter(0, 0, max(len(table), 1), len(columns) - 1)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    for at, column in enumerate(columns):
        page.write_string(0, at, column.head, head)
        page.set_column(at, at, _wide(column, table[column.source]))
        for row, value in enumerate(table[column.source], start=1):
            if not pd.isna(value):
                _write(page, row, at, column.kind, value, formats)


def _wide(column: _Column, values: pd.Series) -> int:
    """Characters that a column of text needs, between a head's and a sentence's; others are as wide as their kind."""
    least = _FORMATS[column.kind][1]
    if column.kind != "text":
        return least
    return min(max((len(str(v)) + 4 for v in values if not pd.isna(v)), default=least), 40) if len(values) else least


def _write(page: Any, row: int, at: int, kind: Kind, value: Any, formats: dict[Kind, Any]) -> None:
    if kind == "day":
        page.write_datetime(row, at, pd.Timestamp(value).to_pydatetime(), formats[kind])
    elif kind in ("whole", "number", "share") and math.isfinite(float(value)):
        page.write_number(row, at, float(value), formats[kind])
    else:
        page.write_string(row, at, _letters(str(value)), formats["sentence" if kind == "sentence" else "text"])


def _letters(text: str) -> str:
    """Text that a cell holds; what is too long ends with an ellipsis.

    >>> len(_letters("x" * 40_000)), _letters("short")
    (32767, 'short')
    """
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
