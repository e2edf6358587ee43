"""What a shapefile can't hold, in CSVs beside it: full names, units and meanings of columns, and cells that don't fit.

``<layer>_columns.csv`` gives each short name its full one; ``<layer>_rest.csv`` holds every cell that reads back other
than it was: long texts, empty texts (a shapefile knows only blanks), numbers beyond its digits.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

#: Letters of a shapefile's column name, by the dBASE format.
NAME_LENGTH = 10
#: Bytes of a text in it.
TEXT_BYTES = 254
COLUMNS = ("short", "name", "type", "unit", "meaning")
REST = ("row", "name", "value")
#: A spreadsheet would run a cell that starts with one of these; the apostrophe in front is taken off on reading.
_GUARDED = ("=", "+", "-", "@", "\t", "\r", "'")


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Names of ten letters at most, each unlike all others, upper and lower case aside; short ones stay as they are.

    >>> short_names(["rank", "c_people_raw", "c_people_weight", "c_people_value", "Rank"])
    {'rank': 'rank', 'c_people_raw': 'c_peop_raw', 'c_people_weight': 'c_peop_ght', 'c_people_value': 'c_peop_lue',
    'Rank': 'Rank_1'}
    """
    names = list(names)
    plain = {name: "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name) for name in names}
    taken: set[str] = set()
    short: dict[str, str] = {}
    # Names that fit are given away first, so that no longer one takes them.
    for name in sorted(names, key=lambda one: (one != plain[one] or len(one) > NAME_LENGTH, names.index(one))):
        whole = plain[name] or "_"
        head = whole if len(whole) <= NAME_LENGTH else f"{whole[:6]}_{whole[-3:]}"
        free, number = head, 0
        while free.casefold() in taken:
            number += 1
            free = f"{head[: NAME_LENGTH - 1 - len(str(number))]}_{number}"
        taken.add(free.casefold())
        short[name] = free
    return {name: short[name] for name in names}


def cut_text(text: str) -> str:
    """Text that a shapefile's cell holds; what is too long ends with an ellipsis.

    >>> len(cut_text("é" * 300).encode()), cut_text("short")
    (253, 'short')
    """
    if len(text.encode()) <= TEXT_BYTES:
        return text
    return text.encode()[: TEXT_BYTES - 3].decode(errors="ignore") + "…"


def table_text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A side table as CSV; no cell of it can be run by a spreadsheet, and each reads back as it was."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(head)
    writer.writerows([f"'{v}" if isinstance(v, str) and v.startswith(_GUARDED) else v for v in row] for row in rows)
    return out.getvalue()


def read_table(text: str) -> list[dict[str, str]]:
    """Rows of a side table.

    >>> read_table(table_text(("a",), [("=1+1",), ("'quoted'",), ("",)]))
    [{'a': '=1+1'}, {'a': "'quoted'"}, {'a': ''}]
    """
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: value.removeprefix("'") for name, value in row.items()} for row in rows]


def restored(path: Path, layer: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a zipped shapefile with the columns and cells that its side tables keep; as they are without such."""
    columns, rest = _beside(path, layer)
    known = {row["short"]: row for row in columns}
    if not known or not set(known) <= set(frame.columns):
        return frame
    full = frame.rename(columns={short: row["name"] for short, row in known.items()})
    types = {row["name"]: row["type"] for row in columns}
    for row in rest:
        name, at = row["name"], int(row["row"]) - 1
        if name in types and 0 <= at < len(full):
            values = full[name].to_numpy(object, copy=True)
            values[at] = _typed(row["value"], types[name])
            full[name] = pd.Series(values, index=full.index, dtype=object)
    return full


def _typed(text: str, kind: str) -> Any:
    made: Mapping[str, Any] = {"number": float, "integer": int}
    return made.get(kind, str)(text)


def _beside(path: Path, layer: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    with zipfile.ZipFile(path) as bundle:
        there = set(bundle.namelist())
        found = [f"{layer}_{name}.csv" for name in ("columns", "rest")]
        texts = [bundle.read(name).decode("utf-8") if name in there else "" for name in found]
    if not texts[0].startswith('"short","name"'):
        return [], []
    columns, rest = (read_table(text) for text in texts)
    return columns, rest
