"""What became of the rows of a source: claimed by the file, read, used, deferred, repaired."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

#: Columns of a balance wherever it is printed.
COLUMNS = ("table", "file", "claimed", "read", "used", "deferred", "repaired")


@dataclass(frozen=True)
class Balance:
    """Rows of a source; read = used + deferred, and claimed = read but where a fault says what is missing.

    claimed : rows that the file or server says there are; None where its format says nothing
    read : rows that came out of it
    used : rows that take part
    deferred : rows that stay in the table and can't be used
    repaired : rows, among those read, that were repaired
    """

    table: str
    file: str
    claimed: int | None
    read: int
    used: int
    deferred: int
    repaired: int


def balance_of(table: str, file: str, claimed: int | None, deferred: pd.Series, faults: pd.DataFrame) -> Balance:
    """The balance of a source.

    Parameters
    ----------
    table, file : text
    claimed : int, optional
    deferred : Series
        Of each row that was read, why it can't be used; blank where it can.
    faults : DataFrame
        Fault table of the source.
    """
    lost = int(deferred.notna().sum())
    return Balance(table, file, claimed, len(deferred), len(deferred) - lost, lost, _repaired(faults))


def balance_of_refused(
    table: str, file: str, claimed: int | None, read: int, faults: pd.DataFrame, counts: Collection[str] = ()
) -> Balance:
    """The balance that lenient reading would give of a source that strict reading refuses.

    ``counts`` are the rules of those faults that lenient reading turns into warnings. Another fault of the whole file
    leaves no row to use.
    """
    errors = faults[(faults["level"] == "error") & ~faults["rule"].isin(list(counts))]
    lost = read if errors["row"].isna().any() else errors["row"].nunique()
    return Balance(table, file, claimed, read, read - lost, lost, _repaired(faults))


def _repaired(faults: pd.DataFrame) -> int:
    of_rows = faults[faults["level"].isin(["repaired", "repairable"])]
    return int(of_rows["row"].nunique())
