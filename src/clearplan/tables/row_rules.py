"""What rows of a table must keep beyond their columns: rates in order, a depth beside clearance, doubtful zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clearplan.core.checks import months_of
from clearplan.core.errors import TableError
from clearplan.tables.codes import SURVEYED, allowed_codes
from clearplan.tables.entry import CodeLists, RowFault
from clearplan.tables.texts import read_items

if TYPE_CHECKING:
    from collections.abc import Hashable


def belts_are_indications(hazards: pd.DataFrame, code_lists: CodeLists | None = None) -> list[RowFault]:
    """A belt round a line is an indication, whatever the file calls it (Law 3)."""
    if not {"kind", "land_class"} <= set(hazards.columns):
        return []
    declared = ((hazards["kind"] == "contact-line") & (hazards["land_class"] != "indication")).to_numpy()
    rule = "a contact line's belt counts as indication until someone has surveyed it"
    remedy = "enter surveyed ground as polygons of its own class"
    return [
        RowFault(int(k), "land_class", hazards["land_class"].iloc[k], rule, "warning", remedy)
        for k in np.flatnonzero(declared)
    ]


def doubtful_zeros(zones: pd.DataFrame, code_lists: CodeLists | None = None) -> list[RowFault]:
    """A place with 0 people may be one whose number is not known (Law 8)."""
    remedy = "leave the cell blank if the number is not known"
    faults = []
    for name, rule in (("people", "people is 0: nobody waits"), ("already_home", "already_home is 0: nobody is home")):
        if name in zones.columns:
            zero = pd.to_numeric(zones[name], errors="coerce").to_numpy(float) == 0
            faults += [RowFault(int(k), name, 0, rule, "warning", remedy) for k in np.flatnonzero(zero)]
    return faults


def stated_surveys(zones: pd.DataFrame, code_lists: CodeLists | None = None) -> list[RowFault]:
    """A place counts as surveyed or released only with the day and the authority that stands by it."""
    faults = []
    for k, row in enumerate(zones.to_dict("records")):
        if row.get("survey_status") not in SURVEYED:
            continue
        for name, what in (("surveyed_on", "the day"), ("surveyed_by", "the authority")):
            if pd.isna(row.get(name)) or not str(row[name]).strip():
                rule = f"survey_status {row['survey_status']} without {what}"
                remedy = f"state {name}, or leave survey_status blank: the place counts as not surveyed"
                faults.append(RowFault(k, name, None, rule, "error", remedy))
    return faults


def sourced_vulnerability(zones: pd.DataFrame, code_lists: CodeLists | None = None) -> list[RowFault]:
    """A figure of vulnerability says who stands by it."""
    faults = []
    for k, row in enumerate(zones.to_dict("records")):
        if pd.isna(row.get("vulnerability")):
            continue
        if pd.isna(row.get("vulnerability_source")) or not str(row["vulnerability_source"]).strip():
            remedy = "state vulnerability_source, or leave vulnerability blank: a person there counts once"
            faults.append(RowFault(k, "vulnerability_source", None, "vulnerability without a source", "error", remedy))
    return faults


def countable_releases(releases: pd.DataFrame, code_lists: CodeLists | None = None) -> list[RowFault]:
    """Clearance needs its depth, and items found must be countable."""
    faults = []
    devices = allowed_codes("device", code_lists)
    for k, row in enumerate(releases.to_dict("records")):
        if row.get("action") == "cleared" and pd.isna(row.get("depth_m")):
            rule, remedy = "cleared without a depth", "state the depth to which the ground was cleared [m]"
            faults.append(RowFault(k, "depth_m", None, rule, "error", remedy))
        try:
            read_items(row.get("items"), devices)
        except TableError as error:
            remedy = str(error).rpartition(": ")[2]
            faults.append(RowFault(k, "items", row["items"], "items found can't be read", "error", remedy))
    return faults


def able_teams(teams: pd.DataFrame, code_lists: CodeLists | None = None) -> list[RowFault]:
    """Rates and days in order, both sides of a base or none, and a season that has months."""
    faults = []
    for k, row in enumerate(teams.to_dict("records")):
        rates = pd.to_numeric(pd.Series([row.get(f"rate_{name}") for name in ("low", "likely", "high")]))
        if rates.notna().all() and not rates.is_monotonic_increasing:
            stated = ", ".join(f"{rate:g}" for rate in rates)
            remedy = "give rate_low <= rate_likely <= rate_high [m2 a team and day]"
            faults.append(RowFault(k, "rate_likely", stated, "rates are not in order", "error", remedy))
        first, last = row.get("available_from"), row.get("available_to")
        if pd.notna(first) and pd.notna(last) and first > last:
            rule, remedy = "ends before available_from", "correct one of the days"
            faults.append(RowFault(k, "available_to", last.date(), rule, "error", remedy))
        lacking = [name for name in ("base_lon", "base_lat") if pd.isna(row.get(name))]
        if len(lacking) == 1:
            remedy = "give both base_lon and base_lat [degrees], or leave both blank"
            faults.append(RowFault(k, lacking[0], None, "half of a base", "error", remedy))
        faults += _season(k, row)
    return faults


def _season(k: int, team: dict[Hashable, object]) -> list[RowFault]:
    """A season that has no months."""
    try:
        months_of(team.get("season"))
    except TableError as error:
        rule, _, remedy = str(error).partition("; ")
        return [RowFault(k, "season", team["season"], rule, "error", remedy)]
    return []
