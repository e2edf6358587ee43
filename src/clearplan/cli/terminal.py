"""Sentences and tables on the terminal: text breaks at spaces, an id never."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd

    from clearplan.read.balance import Balance

#: Heads of columns that hold ids, or several ids with '; ' between them: an id may have spaces and stays in one line.
ID_HEADS = frozenset({"task", "tied with", "record", "hazard", "place", "decision", "was", "value"})
#: More faults than a screen holds are counted by rule.
MOST_LISTED = 40
#: Longest text that is never broken [characters]; no id is longer.
LONGEST_ID = 80
#: Widest column where the output has no width, such as in a file [characters].
WIDEST_COLUMN = 120
#: A row that would fold into more lines than this is easier to read as a block.
MOST_LINES = 6
#: Between two columns [characters].
GAP = 2


def line_width() -> int | None:
    """Width of a line [characters]: COLUMNS or the terminal's; None in a file or pipe, whose lines may be long."""
    if not os.environ.get("COLUMNS") and not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def say(sentence: str) -> None:
    """Print a sentence; on a terminal it breaks between words."""
    text, width = printable(sentence), line_width()
    typer.echo(text if width is None else _wrapped(text, width))


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: columns where they fit the line, else one block per row."""
    texts = [[printable(cell) for cell in row] for row in rows]
    widths = _widths(header, texts, line_width())
    if widths is None:
        _print_blocks(header, texts)
    else:
        _print_columns(header, texts, widths)


def print_faults(faults: pd.DataFrame, records: Mapping[tuple[str, Hashable], str] | None = None) -> None:
    """Print faults as a table.

    Parameters
    ----------
    faults : DataFrame
        Fault table. Its file, with the sheet, is a column where there are several; else it stands above the table.
    records : mapping, optional
        (file, row) to the minefield record that stands in that row; the table then has a column for it.
    """
    files = list(dict.fromkeys(map(str, faults["file"])))
    columns: dict[str, list[object]] = {}
    if len(files) > 1:
        columns["file"] = list(faults["file"])
    else:
        typer.echo(f"In {printable(files[0])}:")
    rows = ["" if str(row) in ("<NA>", "nan", "None") else str(row) for row in faults["row"]]
    if records is not None:
        places = zip(faults["file"], rows, strict=True)
        columns["record"] = [records.get((str(file), int(row)), "") if row.isdigit() else "" for file, row in places]
    columns["row"] = list(rows)
    columns |= {name: list(faults[name]) for name in ("level", "column", "value")}
    rules = zip(faults["rule"], faults["remedy"], strict=True)
    columns["rule; remedy"] = [f"{rule}; {remedy}" for rule, remedy in rules]
    print_table(tuple(columns), list(zip(*columns.values(), strict=True)))


def print_balance(balances: Sequence[Balance]) -> None:
    """Print what becomes of the rows of each source."""
    from clearplan.read.balance import COLUMNS

    rows = [["not stated" if value is None else value for value in astuple(balance)] for balance in balances]
    if rows:
        print_table(COLUMNS, rows)


def print_many_faults(faults: pd.DataFrame, hint: str) -> None:
    """Print faults one by one, or by rule where they are more than a screen holds.

    ``hint`` says where all of them are listed.
    """
    if len(faults) <= MOST_LISTED:
        print_faults(faults)
    else:
        print_rules(faults)
        say(hint)


def print_rules(faults: pd.DataFrame) -> None:
    """Print how often each rule is broken, most often first, and the first three rows of each."""
    several = faults["file"].nunique() > 1
    rules = list(faults.groupby(["file", "level", "column", "rule", "remedy"], sort=False, dropna=False))
    rules.sort(key=lambda rule: -len(rule[1]))
    rows = [
        (
            f"{len(broken):,}",
            *([file] if several else []),
            level,
            column,
            f"{rule}; {remedy}",
            ", ".join(map(str, broken["row"].dropna().head(3))),
        )
        for (file, level, column, rule, remedy), broken in rules
    ]
    print_table(("faults", *(["file"] if several else []), "level", "column", "rule; remedy", "first rows"), rows)


def print_rewritten(rows: Sequence[tuple[str, str, str, str]], most: int = 40) -> None:
    """Print decisions that were rewritten as a table; what is left out is counted."""
    if not rows:
        return
    left = len(rows) - most
    more = [(f"... and {left:,} more", "", "", "")] if left > 0 else []
    typer.echo("Decisions that were rewritten:")
    print_table(("decision", "what", "before", "after"), [*rows[:most], *more])


def printable(cell: object) -> str:
    """Text without the control codes that a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in str(cell))


def _holds_ids(head: str, text: str) -> bool:
    return head in ID_HEADS and all(len(identifier) <= LONGEST_ID for identifier in text.split("; "))


def _pieces(head: str, text: str) -> list[str]:
    """What must stay in one line: the ids of a cell, or the words of other text."""
    return re.split(r"(?<=;) ", text) if _holds_ids(head, text) else text.split()


def _widths(header: Sequence[str], rows: Sequence[Sequence[str]], line: int | None) -> list[int] | None:
    """Width of each column [characters]; None where the table does not fit the line, or folds too often."""
    from rich.cells import cell_len

    widest, narrowest = [], []
    for head, cells in zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True):
        pieces = [*head.split(), *(piece for cell in cells for piece in _pieces(head, cell))]
        narrowest.append(max(min(cell_len(piece), LONGEST_ID) for piece in pieces))
        widest.append(max(cell_len(text) for text in (head if line is None else _in_two_lines(head), *cells)))
    if line is None:
        return [max(narrow, min(wide, WIDEST_COLUMN)) for narrow, wide in zip(narrowest, widest, strict=True)]
    room = line - GAP * (len(header) - 1)
    widths = _shared(narrowest, widest, room)
    folded = any(wide > MOST_LINES * width for wide, width in zip(widest, widths, strict=True))
    return None if folded or sum(widths) > room else widths


def _in_two_lines(head: str) -> str:
    """The longer line of a head that is folded in the middle.

    >>> _in_two_lines("people home"), _in_two_lines("position error (95 %)"), _in_two_lines("task")
    ('people', 'error (95 %)', 'task')
    """
    words = head.split()
    folds = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(len(words))]
    return min((max(fold, key=len) for fold in folds), key=len)


def _shared(narrowest: Sequence[int], widest: Sequence[int], room: int) -> list[int]:
    """Widths that start at the narrowest; what room is left goes to the narrowest column that wants more.

    >>> _shared([5, 4, 6], [5, 30, 20], 40)
    [5, 18, 17]
    """
    widths = list(narrowest)
    for _ in range(room - sum(widths)):
        wanting = [k for k, width in enumerate(widths) if width < widest[k]]
        if not wanting:
            break
        widths[min(wanting, key=widths.__getitem__)] += 1
    return widths


def _print_columns(header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for head, width in zip(header, widths, strict=True):
        table.add_column(head, width=width, overflow="fold")
    for row in rows:
        cells = []
        for head, cell, width in zip(header, row, widths, strict=True):
            folds = cell_len(cell) > width and _holds_ids(head, cell)
            # Text, because what stands in data is printed as it is, never as markup.
            cells.append(Text("\n".join(_pieces(head, cell)) if folds else cell))
        table.add_row(*cells)
    console = Console(width=sum(widths) + GAP * len(widths))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def _print_blocks(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One block per row, one line per column, an empty line behind each block."""
    width = line_width() or WIDEST_COLUMN
    for row in rows:
        for head, cell in zip(header, row, strict=True):
            # A no-break space keeps an id with spaces whole while the line is wrapped.
            whole = " ".join(piece.replace(" ", "\N{NO-BREAK SPACE}") for piece in _pieces(head, cell))
            typer.echo(_wrapped(f"{head}: {whole}".rstrip(), width, indent="  ").replace("\N{NO-BREAK SPACE}", " "))
        typer.echo()


def _wrapped(text: str, width: int, indent: str = "") -> str:
    """Lines that break at spaces alone; no indent where a word needs the whole line."""
    longest = max(map(len, text.split(" ")))
    return textwrap.fill(
        text,
        width,
        subsequent_indent=indent if longest + len(indent) <= width else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
