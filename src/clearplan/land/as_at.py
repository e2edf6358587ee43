"""Any table as at a day: rows that were not there yet left out, hazards in the status and class of that day."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.checks import Day, parse_date
from clearplan.core.errors import SettingsError, TableError
from clearplan.tables.check import Frame
from clearplan.tables.frames import History
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import table_name

#: Day from which a row of each table counts; AREAS have that of their hazard.
DAY = {name: table.day for name, table in INPUTS.items()} | {"areas": "recorded_on"}


def day_of(value: Day) -> pd.Timestamp:
    """A day from a date or ISO text.

    Raises
    ------
    SettingsError
        It is none.

    >>> day_of("2024-06-30")
    Timestamp('2024-06-30 00:00:00')
    """
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        raise SettingsError(f"as_at {value!r}: must be a day of the form year-month-day; write 2024-06-30")
    try:
        day = pd.Timestamp(parse_date(value, None))
    except (ValueError, AttributeError):
        raise SettingsError(f"as_at {value!r}: must be a day; write 2024-06-30") from None
    if not 1900 <= day.year <= 2100:
        raise SettingsError(f"as_at {value!r}: the year must lie within 1900 and 2100; correct it")
    return day


def dates(table: pd.DataFrame, column: str) -> NDArray[np.datetime64]:
    """A date column as an array of datetime64, NaT where it is blank or not there."""
    if column not in table.columns:
        return np.full(len(table), np.datetime64("NaT"), dtype="datetime64[ms]")
    return pd.to_datetime(table[column]).to_numpy().astype("datetime64[ms]")


def as_at(table: Frame, day: Day, *, history: History | None = None, name: str | None = None) -> Frame:
    """A table as it stood at the end of a day; rows without a date count, for they can't be ruled out.

    Parameters
    ----------
    table : frame
        HAZARDS, AREAS, ZONES, LIFELINES, GATES (recorded_on), ACCIDENTS (occurred_on), RELEASES (decided_on) or
        HISTORY (changed_on).
    day : date or ISO text
    history : DataFrame, optional
        HISTORY. Its rows up to the day give HAZARDS and AREAS their status and land class; the latest counts, on one
        day the later row. Before a hazard's first change stands what its own row says. The belt of a contact line
        stays an indication (Law 3).
    name : str, optional
        Name of the table, such as 'accidents'; else as in :func:`clearplan.tables.lookup.table_name`.

    Returns
    -------
    frame
        The rows that were there, in the same order. :func:`undated` lists those that count for want of a date.

    Raises
    ------
    SettingsError, TableError
        ``day`` is no day; the table is none of these.

    >>> zones = pd.DataFrame({"zone_id": ["a", "b"], "recorded_on": ["2024-01-01", None]})
    >>> as_at(zones, "2023-12-31")["zone_id"].tolist()
    ['b']
    """
    name = table_name(table, name)
    kept = until(table, day, name)
    if history is None or name not in ("hazards", "areas"):
        return kept
    return _changed(kept, until(history, day, "history"))


def until(table: Frame, day: Day, name: str | None = None) -> Frame:
    """Rows of a table that are not dated after a day; as :func:`as_at` without a history."""
    name, last = table_name(table, name), day_of(day)
    if name not in DAY:
        raise TableError(f"{name} holds no day from which a row counts; make it from tables as at the day")
    there: Frame = table.loc[~(dates(table, DAY[name]) > np.datetime64(last))].copy()
    return there


def undated(table: pd.DataFrame, name: str | None = None) -> pd.DataFrame:
    """Rows that count at every day because they state none: their ids.

    >>> undated(pd.DataFrame({"zone_id": ["a", "b"], "recorded_on": ["2024-01-01", None]}))["zone_id"].tolist()
    ['b']
    """
    name = table_name(table, name)
    blank = np.isnat(dates(table, DAY[name]))
    return pd.DataFrame(table.loc[blank, [column for column in table.columns if column != "geometry"]])


def _changed(table: Frame, history: History) -> Frame:
    """Status and class after the last change of each hazard."""
    usable = history[history["deferred"].isna()] if "deferred" in history.columns else history
    usable = usable.iloc[np.argsort(dates(usable, "changed_on").astype("int64"), kind="stable")]  # no date: first
    for column in {"status", "land_class"} & set(usable.columns):
        stated = usable[usable[column].notna()]
        last = stated.drop_duplicates("hazard_id", keep="last").set_index("hazard_id")[column]
        new = table["hazard_id"].map(last)
        if column == "land_class" and "kind" in table.columns:
            new = new.where(table["kind"] != "contact-line")
        table[column] = new.where(new.notna(), table[column]).astype(object)
    return table
