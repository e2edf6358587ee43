"""Reasons as a tier may see them: values that don't leave are taken out, ids get their public names."""

from __future__ import annotations

from collections.abc import Mapping

from clearplan.core.reason import Reason, Value
from clearplan.tables.columns import Tier
from clearplan.tables.reasons import VALUES
from clearplan.tables.tiers import TIERS

#: Values that leave at the public tier under another name alone.
RENAMED = ("team",)


def reason_at(reason: Reason, tier: Tier, *, teams: Mapping[str, str]) -> Reason | None:
    """A reason as a tier may see it; None where the catalogue has no sentence for what is left of it.

    Parameters
    ----------
    reason : Reason
    tier : 'public', 'partner' or 'restricted'
    teams : mapping
        Id of a team to its public name; a team without one is left out.
    """

    def change(name: str, value: Value) -> Value | None:
        declared = VALUES.get(name)
        if TIERS.index(tier) < TIERS.index("restricted" if declared is None else declared.leaves):
            return None
        if tier == "public" and name in RENAMED and isinstance(value, str):
            return teams.get(value)
        return value

    narrower = reason.changed(change)
    return narrower if narrower.has_sentence else None
