"""Reasons as a tier may see them: values that don't leave are taken out, ids get their public names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import pandas as pd

from clearplan.core.reason import Reason, Value
from clearplan.tables.columns import Tier
from clearplan.tables.lookup import columns_of
from clearplan.tables.reasons import VALUES
from clearplan.tables.tiers import TIERS

Frame = TypeVar("Frame", bound=pd.DataFrame)
#: Values that leave at the public tier under another name alone.
RENAMED = ("team",)
#: Reasons that are not public, though each of their values may be: how many tasks there are, what no number of
#: teams can do, and how sure a rate is.
NOT_PUBLIC = ("classes.cut", "lack.time", "sooner.first_period", "sooner.nothing_lacks", "treaty.rather_low")


def reason_at(reason: Reason, tier: Tier, *, teams: Mapping[str, str] | None = None) -> Reason | None:
    """A reason as a tier may see it; None where the catalogue has no sentence for what is left of it.

    Parameters
    ----------
    reason : Reason
    tier : 'public', 'partner' or 'restricted'
    teams : mapping, optional
        Id of a team to its public name; a team without one is left out.
    """

    if tier == "public" and reason.code in NOT_PUBLIC:
        return None

    def change(name: str, value: Value) -> Value | None:
        declared = VALUES.get(name)
        if tier == "public" and isinstance(value, Reason) and value.code in NOT_PUBLIC:
            return None
        if TIERS.index(tier) < TIERS.index("restricted" if declared is None else declared.leaves):
            return None
        if tier == "public" and name in RENAMED and not isinstance(value, Reason | tuple):
            return (teams or {}).get(str(value))
        return value

    narrower = reason.changed(change)
    return narrower if narrower.has_sentence else None


def reasons_at(reasons: Iterable[Reason], tier: Tier, *, teams: Mapping[str, str] | None = None) -> tuple[Reason, ...]:
    """Reasons as a tier may see them, without those of which nothing is left that has a sentence."""
    narrower = (reason_at(reason, tier, teams=teams) for reason in reasons)
    return tuple(reason for reason in narrower if reason is not None)


def narrowed(table: Frame, name: str, tier: Tier, *, teams: Mapping[str, str] | None = None) -> Frame:
    """A table whose reasons are those that a tier may see; text in their place, as in a finished run, is not public.

    Parameters
    ----------
    table : DataFrame
    name : str
        Of the declared table.
    tier : 'public', 'partner' or 'restricted'
    teams : mapping, optional
        As in :func:`reason_at`.
    """
    if tier == "restricted":
        return table
    columns = [column.name for column in columns_of(name, table.columns).values() if column.dtype == "reason"]

    def narrow(value: object) -> object:
        if isinstance(value, Reason):
            return reason_at(value, tier, teams=teams)
        return None if tier == "public" else value

    changed = {column: pd.Series([narrow(v) for v in table[column]], table.index, dtype=object) for column in columns}
    return table.assign(**changed)
