"""What can go wrong, as a tree. Every error says in one line what, where, the rule and the remedy.

ClearplanError
├── SettingsError     a setting in plan.toml (or an argument) is missing, unknown or out of range
├── ReadError         a file can't be opened or is not what its name says
│   └── MissingFileError    there is no such file
├── FaultsError       the data breaks rules; ``.faults`` is the table of all of them
├── RewrittenError    earlier decisions are changed or gone; ``.rows`` says which
├── CrsError          a coordinate reference system is missing, in degrees, or unequal
├── TableError        a table handed to a stage lacks a column or names an unknown id
└── OutputError       an output can't be written where it was asked for
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class ClearplanError(Exception):
    """Root of every error that clearplan raises on purpose; ``exit_code`` is what the shell sees.

    1: the data is at fault; 2: the call or a setting is.
    """

    exit_code = 2


class SettingsError(ClearplanError):
    """A setting is missing, unknown or out of range."""


class ReadError(ClearplanError):
    """A file can't be opened or is not what its name says."""

    exit_code = 1


class MissingFileError(ReadError):
    """There is no such file."""

    exit_code = 2


class FaultsError(ClearplanError):
    """The data breaks rules; ``faults`` lists file, row, column, value, rule, level and remedy of each."""

    exit_code = 1

    def __init__(self, faults: pd.DataFrame) -> None:
        self.faults = faults
        serious = faults[faults["level"].isin(["error", "repairable"])]
        first = (serious if len(serious) else faults).iloc[0]
        row = f", row {first['row']}" if str(first["row"]) not in ("None", "nan", "<NA>") else ""
        column = f", column {first['column']}" if first["column"] else ""
        where = f"{first['file']}{row}{column}"
        others = len(faults) - 1
        more = f" (and {others} more fault{'s' if others > 1 else ''})" if others else ""
        super().__init__(f"{where}: {first['rule']}; {first['remedy']}{more}")


class RewrittenError(ClearplanError):
    """Earlier decisions are changed or gone; ``rows`` lists decision, what changed, before and after."""

    exit_code = 1

    def __init__(self, message: str, rows: list[tuple[str, str, str, str]]) -> None:
        self.rows = rows
        super().__init__(message)


class CrsError(ClearplanError):
    """A coordinate reference system is missing, geographic, or not the one the other tables have."""

    exit_code = 1


class TableError(ClearplanError):
    """A table handed to a stage lacks a column or names an unknown id."""


class OutputError(ClearplanError):
    """An output can't be written where it was asked for."""
