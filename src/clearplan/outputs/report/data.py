"""Facts to the section on the data of a run: what became of the rows of every file, and what was repaired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from html import escape

from clearplan.outputs.facts import Repair
from clearplan.outputs.report.html import table
from clearplan.read.balance import COLUMNS, Balance

#: Repairs that the report lists; plan.xlsx lists all.
_MOST_REPAIRS = 40


def data_section(balances: Sequence[Balance], repairs: Sequence[Repair]) -> str:
    """The section on rows that were read, and on repairs, in the order in which they are given."""
    if not balances:
        return ""
    rows = [["not stated" if cell is None else escape(f"{cell}") for cell in astuple(one)] for one in balances]
    parts = [
        "<section><h2>Data: the rows of every file</h2><p>Claimed: what the file or its server says there is, where "
        "its format says it. Read = used + deferred; a deferred row can't be used and stands in no figure.</p>",
        table(COLUMNS, rows, dict.fromkeys(range(2), "k") | dict.fromkeys(range(2, len(COLUMNS)), "n")),
    ]
    if repairs:
        cells = [
            [escape(one.file), "" if one.row is None else str(one.row), escape(one.rule), escape(one.change)]
            for one in repairs[:_MOST_REPAIRS]
        ]
        parts.append("<h3>Repairs, of each file the largest change first</h3>")
        parts.append(table(["file", "row", "what was repaired", "change"], cells, {0: "k", 1: "n", 2: "w", 3: "w"}))
    if len(repairs) > _MOST_REPAIRS:
        parts.append(f"<p>And {len(repairs) - _MOST_REPAIRS:,} more, which plan.xlsx lists.</p>")
    return "\n".join([*parts, "</section>"])
