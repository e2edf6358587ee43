"""Publication tiers: which column of which table may leave the house, declared in one place.

``public``: anyone may read it. ``partner``: those who work on the same ground. ``restricted``: the house alone. What
stands in no line here is restricted, so that a column which somebody adds, or which a user's file brings along, stays.
"""

from __future__ import annotations

from typing import Literal

from clearplan.core.errors import SettingsError

Tier = Literal["public", "partner", "restricted"]
#: From the widest circle of readers to the narrowest.
TIERS: tuple[Tier, ...] = ("public", "partner", "restricted")

#: First words of every output of a tier.
BANNERS: dict[Tier, str] = {
    "public": "PUBLIC: hazards are told for whole cells or districts, not where they lie.",
    "partner": "PARTNERS ONLY: shapes of hazards. Not for publication.",
    "restricted": "RESTRICTED: exact locations of hazards. Not for publication.",
}

#: Table to tier to the columns that leave from that tier on. At the public tier ids, shapes, areas and places leave
#: only as ``publish`` makes them anew: renamed, laid on cells, rounded; nothing is copied there from a row of one
#: hazard. Columns that stages add to a table are named here too. Why not more, in short: names, units, forms, devices
#: and what was entered say where mines lie and who laid them; days, ages and places say who was hurt; reasons may name
#: people.
LEAVES: dict[str, dict[Tier, str]] = {
    "hazards": {
        "public": "hazard_id kind land_class status source geometry",  # an open contact line's; all else: areas
        "partner": "ordnance position_error_m depth_profile measure sides caps recorded_on deferred",
    },
    "areas": {
        "public": "area_id hazard_id kind land_class status band cha_m2 sha_m2 indication_m2 geometry",
        "partner": "ordnance grown_m gross_m2 reported_m2 remaining_m2 cancelled_m2 reduced_m2 cleared_m2 closed_m2 "
        "release_ids position_error_m source recorded_on deferred",
    },
    "tasks": {
        "public": "task_id queue land_class district area_m2 score rank gates priority_class teams start_on "
        "finish_on finished_part told geometry c_land_class_raw c_land_class_value c_land_class_weight "
        "c_land_class_points c_other_raw c_other_value c_other_weight c_other_points",
        "partner": "mgrs_km zone_ids hazard_ids ordnance position_error_m source recorded_on deferred expected_m2 "
        "low_m2 high_m2 known_m2 unknown_m2 lifeline_ids people_assumed zones_unknown probability_assumed first_share "
        "rank_low rank_high class_share tied_with change clear_all_cost survey_first_cost survey_saves survey_harm "
        "break_even_p break_even_p_costs",
    },
    "zones": {
        "public": "zone_id name other_names people families planned_return opens_in opens_on probability p50_on p80_on "
        "waits_for why sooner geometry",
        "partner": "after position_error_m source recorded_on deferred last_tasks",
    },
    "accidents": {
        "public": "",  # counts by district and year alone
        "partner": "accident_id occurred_on device position_error_m source deferred geometry",
    },
    "releases": {
        "public": "",  # the ledger by district tells them
        "partner": "release_id action decided_on decided_by operator method depth_m hazard_id district "
        "position_error_m source recorded_on deferred geometry",
    },
    "history": {
        "public": "",
        "partner": "history_id hazard_id changed_on status land_class source recorded_on deferred",
    },
    "lifelines": {
        "public": "",
        "partner": "lifeline_id zone_id kind name essential position_error_m source recorded_on deferred geometry",
    },
    "gates": {
        "public": "gate_id kind district reason until",  # reason and until in the words of the code list
        "partner": "zone_id hazard_id lifted_on source recorded_on deferred",
    },
    "teams": {
        "public": "team_id kind number",
        "partner": "rate_low rate_likely rate_high rate_source cost_per_day season districts available_from "
        "available_to source recorded_on deferred",
    },
    "commitments": {
        "public": "",
        "partner": "commitment_id task_id hazard_id team_id until source recorded_on deferred",
    },
    "blockers": {
        "public": "",
        "partner": "blocker_id zone_id task_id part essential why",
    },
    "work": {
        "public": "work_id task_id step step_name kind team_id period starts_on ends_on days m2 cost",
        "partner": "",
    },
    "records": {},  # what the sheets say, who laid what, and from which landmarks: never
    "legs": {},
    "anchors": {},
    "vertices": {},
}  # fmt: skip

#: Groups of columns that stages make by name: figures of a criterion, whatever it is.
_PREFIXES: dict[str, dict[str, Tier]] = {"tasks": {"c_": "partner"}}

_TIER_OF: dict[tuple[str, str], Tier] = {
    (table, name): tier for table, lines in LEAVES.items() for tier, names in lines.items() for name in names.split()
}


def tier_of(table: str, column: str) -> Tier:
    """Tier from which on a column leaves; restricted where nobody declared it.

    >>> tier_of("zones", "name"), tier_of("hazards", "ordnance"), tier_of("hazards", "a column of a user")
    ('public', 'partner', 'restricted')
    """
    told = _TIER_OF.get((table, column))
    if told is not None:
        return told
    groups = _PREFIXES.get(table, {})
    return next((tier for start, tier in groups.items() if column.startswith(start)), "restricted")


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
    for own in TIERS:
        if own == tier:
            return own
    raise SettingsError(f"tier {tier!r}: must be one of {', '.join(TIERS)}")
