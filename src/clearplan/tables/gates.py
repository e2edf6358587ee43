"""Gates as stages read them: which hold something back on a day, why, and until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.tables.codes import CODE_LISTS


def open_after(gates: Sequence[Mapping[Any, Any]]) -> dt.date | None:
    """The day on which the last of several gates ends; none where one of them has no such day.

    >>> open_after([{"ends_on": "2026-03-31"}, {"ends_on": "2026-05-31"}])
    datetime.date(2026, 5, 31)
    >>> open_after([{"ends_on": "2026-03-31"}, {"ends_on": None}]) is None
    True
    """
    days = pd.to_datetime(pd.Series([gate.get("ends_on") for gate in gates], dtype=object))
    return None if days.isna().any() else days.max().date()


def shut_gates(gates: pd.DataFrame | None, *, as_at: dt.date | None = None) -> list[dict[Any, Any]]:
    """Rows of GATES that hold something back on a day; without a day, those that were never lifted.

    A gate is open from the day on which it is lifted, and after the last day that was stated for it.
    """
    if gates is None:
        return []
    rows = gates[gates["deferred"].isna()] if "deferred" in gates.columns else gates
    return [gate for gate in rows.to_dict("records") if _holds(gate, as_at)]


def _holds(gate: Mapping[Any, Any], as_at: dt.date | None) -> bool:
    lifted, ends = gate.get("lifted_on"), gate.get("ends_on")
    if not pd.isna(lifted) and (as_at is None or pd.Timestamp(lifted) <= pd.Timestamp(as_at)):
        return False
    return pd.isna(ends) or as_at is None or pd.Timestamp(ends) >= pd.Timestamp(as_at)


def gate_reason(gate: Mapping[Any, Any]) -> Reason:
    """Why a gate is shut and until when; in the words of the code list where its own don't leave."""
    kind = str(gate["kind"])
    meaning = CODE_LISTS["gate_kind"].get(kind, kind)
    reason, until = str(gate["reason"]), str(gate["until"])
    if pd.isna(gate.get("ends_on")):
        return Reason("gate", gate_kind=kind, meaning=meaning, gate_reason=reason, until=until)
    day = pd.Timestamp(gate["ends_on"]).date()
    return Reason("gate.ends", gate_kind=kind, meaning=meaning, gate_reason=reason, until=until, day=day)
