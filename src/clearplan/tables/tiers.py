"""Publication tiers: which column of which table may leave the house, as its declaration says.

``public``: anyone may read it. ``partner``: those who work on the same ground. ``restricted``: the house alone. What
nobody declared is restricted, so that a column which somebody adds, or which a user's file brings along, stays.
"""

from __future__ import annotations

from clearplan.core.errors import SettingsError
from clearplan.tables.columns import Tier
from clearplan.tables.lookup import column_of

#: From the widest circle of readers to the narrowest.
TIERS: tuple[Tier, ...] = ("public", "partner", "restricted")

#: First words of every output of a tier.
BANNERS: dict[Tier, str] = {
    "public": "PUBLIC: hazards are shown for whole cells or districts, not where they lie.",
    "partner": "PARTNERS ONLY: shapes of hazards. Not for publication.",
    "restricted": "RESTRICTED: exact locations of hazards. Not for publication.",
}


def tier_of(table: str, column: str) -> Tier:
    """Tier from which on a column leaves, by its declaration; restricted where nobody declared it.

    >>> tier_of("zones", "name"), tier_of("hazards", "ordnance"), tier_of("hazards", "a column of a user")
    ('public', 'partner', 'restricted')
    """
    return column_of(table, column).leaves


def may_leave(table: str, column: str, tier: Tier) -> bool:
    """Whether a column may stand in the outputs of a tier.

    >>> may_leave("teams", "kind", "public"), may_leave("teams", "rate_low", "public")
    (True, False)
    """
    return TIERS.index(tier) >= TIERS.index(tier_of(table, column))


def check_tier(tier: str) -> Tier:
    """The tier of that name.

    Raises
    ------
    SettingsError
        There is no such tier.
    """
    for known in TIERS:
        if known == tier:
            return known
    raise SettingsError(f"tier {tier!r}: must be one of {', '.join(TIERS)}")
