"""HXL hashtags of what is exported: the tag of every column, declared once; and which row of a file is a row of tags.

The Humanitarian Exchange Language 1.1 (2018-04-30, https://hxlstandard.org/standard/1-1final/) puts a row of hashtags
between the header and the data, so that tables of different offices can be laid side by side. Core hashtags and
attributes are those of its hashtag dictionary; attributes of our own (``+m2_cleared``, ``+hazard``) refine them, as the
tagging conventions allow. A column without a tag is as good as one with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

#: Core hashtags of the standard's dictionary, release 1.1.
CORE = frozenset((
    "access", "activity", "adm1", "adm2", "adm3", "adm4", "adm5", "affected", "beneficiary", "capacity", "cause",
    "channel", "contact", "country", "crisis", "currency", "date", "description", "event", "frequency", "geo", "group",
    "impact", "indicator", "inneed", "item", "loc", "meta", "modality", "need", "operations", "org", "output",
    "population", "reached", "region", "respondee", "sector", "service", "severity", "status", "subsector", "targeted",
    "value",
))  # fmt: skip

#: Column = its tag; "" says that it has none on purpose. A table's own meaning of a name stands in ``TAGS_IN``.
TAGS: dict[str, str] = {
    # what a row is
    "task_id": "#meta+id+task", "hazard_id": "#meta+id+hazard", "zone_id": "#loc+code+zone", "area_id": "#meta+id+area",
    "accident_id": "#meta+id+accident", "release_id": "#meta+id+release", "record_id": "#meta+id+record",
    "history_id": "#meta+id+history", "lifeline_id": "#meta+id+lifeline", "gate_id": "#meta+id+gate",
    "team_id": "#org+code+team", "commitment_id": "#meta+id+commitment", "blocker_id": "#meta+id+blocker",
    "work_id": "#meta+id+work", "zone_ids": "#loc+code+list+zones", "hazard_ids": "#meta+id+list+hazards",
    "lifeline_ids": "#meta+id+list+lifelines", "release_ids": "#meta+id+list+releases",
    "closed_ids": "#meta+id+list+closed", "teams": "#org+code+list+teams",
    # where
    "district": "#adm1+name", "districts": "#adm1+name+list", "name": "#loc+name",
    "other_names": "#loc+name+list+other", "mgrs_km": "#geo+mgrs",
    "lat": "#geo+lat", "lon": "#geo+lon", "geonameid": "#loc+code+v_geonames",
    "position_error_m": "#geo+error+m", "entered_crs": "#geo+crs+entered", "entered_geometry": "#geo+bounds+entered",
    # what is there
    "land_class": "#event+type+land_class", "ordnance": "#event+type+ordnance", "kind": "#event+type",
    "device": "#cause+type+device", "band": "#event+type+band", "status": "#status+hazard", "items": "#item+found+text",
    "queue": "#activity+type+queue", "method": "#modality+name", "action": "#status+release",
    "depth_m": "#output+depth+m", "operator": "#org+impl", "decided_by": "#org+decided", "changed_by": "#org+changed",
    # when
    "recorded_on": "#date+reported", "occurred_on": "#date+occurred", "decided_on": "#date+approved",
    "changed_on": "#date+changed", "planned_return": "#date+return+planned", "starts_on": "#date+start",
    "ends_on": "#date+end", "start_on": "#date+start", "finish_on": "#date+end", "opens_on": "#date+opens",
    "p50_on": "#date+opens+p50", "p80_on": "#date+opens+p80", "year": "#date+year", "period": "#activity+period",
    "opens_in": "#indicator+num+opens_in", "lifted_on": "#date+end+gate", "until": "#date+until",
    "available_from": "#date+start+team", "available_to": "#date+end+team",
    # people
    "people": "#affected+ind", "families": "#affected+hh", "people_home": "#reached+ind",
    "people_assumed": "#affected+ind+assumed", "person_months": "#indicator+num+person_months",
    "person_months_low": "#indicator+num+person_months+low", "person_months_high": "#indicator+num+person_months+high",
    # ground, in square metres
    **{f"{name}_m2": f"#indicator+num+m2_{name}" for name in (
        "area", "gross", "net", "overlap", "reported", "remaining", "cancelled", "reduced", "cleared", "closed",
        "opening", "newly_found", "reopened", "changed_in", "changed_out", "withdrawn", "resurvey", "closing",
        "expected", "low", "high", "known", "unknown", "planned", "released", "cha", "sha", "indication",
    )},
    "m2": "#output+num+m2", "m2_finished": "#output+num+m2+finished", "achieved": "#indicator+num+achieved",
    "finished_part": "#indicator+num+finished", "grown_m": "#indicator+num+m+grown",
    # order
    "rank": "#severity+rank", "score": "#severity+score", "priority_class": "#severity+name",
    "rank_low": "#severity+rank+low", "rank_high": "#severity+rank+high", "first_share": "#indicator+num+first_share",
    "class_share": "#indicator+num+class_share", "tied_with": "#meta+id+list+tied", "change": "#description+change",
    "gates": "#access+gates", "zones_unknown": "#indicator+num+zones_unknown",
    "probability_assumed": "#indicator+num+probability_assumed", "clear_all_cost": "#value+clear_all",
    "survey_first_cost": "#value+survey_first", "survey_saves": "#value+survey_saves", "survey_harm": "#impact+survey",
    "break_even_p": "#indicator+num+break_even", "break_even_p_costs": "#indicator+num+break_even+costs",
    # the plan of work
    "strategy": "#activity+strategy", "step": "#activity+step", "step_name": "#activity+name",
    "days": "#capacity+num+team_days", "available": "#capacity+num+team_days+available", "share": "#capacity+share",
    "number": "#capacity+num+teams", "cost": "#value+budget", "budget": "#value+budget+all",
    "per_million": "#indicator+num+person_months+per_million", "gap": "#indicator+num+gap",
    "zones_open": "#output+num+zones_open", "probability": "#indicator+num+probability",
    "waits_for": "#indicator+num+waits_for", "last_tasks": "#meta+id+list+last_tasks", "why": "#description+why",
    "sooner": "#description+sooner", "part": "#service+name", "essential": "#service+essential",
    "tasks": "#output+num+tasks", "team_months": "#capacity+num+team_months",
    "team_months_low": "#capacity+num+team_months+low", "team_months_high": "#capacity+num+team_months+high",
    "cost_low": "#value+budget+low", "cost_high": "#value+budget+high", "cost_per_day": "#value+budget+per_day",
    "rate_low": "#capacity+num+m2_per_day+low", "rate_likely": "#capacity+num+m2_per_day+likely",
    "rate_high": "#capacity+num+m2_per_day+high", "rate_source": "#meta+source+rate",
    # what a state files
    "convention": "#meta+convention", "article": "#meta+article", "what": "#description+obligation",
    "years": "#indicator+num+years", "extension": "#description+extension", "note": "#description+note",
    "hazards": "#indicator+num+hazards", "releases": "#indicator+num+releases",
    "decisions_silent": "#indicator+num+decisions_silent",
    # where it is from
    "source": "#meta+source", "reason": "#description+reason", "deferred": "#description+deferred",
    "notice": "#meta+notice",
    # of faults, sources and settings: told of files, not of the field
    **dict.fromkeys(("file", "row", "column", "value", "rule", "level", "remedy", "sha256", "used_for", "section",
                     "setting", "unit", "meaning", "figure", "id", "table"), ""),
}  # fmt: skip

#: Where a name means another thing in one table.
TAGS_IN: dict[tuple[str, str], str] = {
    ("lifelines", "kind"): "#service+type",
    ("lifelines", "name"): "#service+name",
    ("gates", "kind"): "#access+type",
    ("teams", "kind"): "#org+type+team",
    ("work", "kind"): "#org+type+team",
    ("use", "kind"): "#org+type+team",
    ("milestones", "kind"): "#org+type+team",
    ("milestones", "m2"): "#output+num+m2+planned",
}

#: Columns that ranking and filing make one of for every criterion or device.
_MANY = (
    (re.compile(r"c_(.+)_points"), "#severity+score+c_{0}"),
    (re.compile(r"c_(.+)_zones"), "#loc+code+list+c_{0}"),
    (re.compile(r"c_(.+)_(raw|value|weight|low|high)"), "#indicator+num+c_{0}+{1}"),
    (re.compile(r"items_(.+)"), "#item+found+count+{0}"),
)
_TAG = re.compile(r"#\s*([a-z][a-z0-9_]*)((?:\s*\+\s*[a-z][a-z0-9_]*)*)", re.IGNORECASE | re.ASCII)


def tag_of(column: str, table: str = "") -> str:
    """The tag of a column, or nothing where it has none, as a user's own columns have.

    >>> tag_of("district"), tag_of("kind", "work"), tag_of("c_people_points"), tag_of("soil")
    ('#adm1+name', '#org+type+team', '#severity+score+c_people', '')
    """
    told = TAGS_IN.get((table, column), TAGS.get(column))
    if told is not None:
        return told
    for pattern, tag in _MANY:
        if found := pattern.fullmatch(column):
            return tag.format(*(re.sub(r"[^a-z0-9_]", "_", part.lower(), flags=re.ASCII) for part in found.groups()))
    return ""


def tag_row(columns: Iterable[str], table: str = "", own: Mapping[str, str] | None = None) -> list[str]:
    """The tags of an export's columns, in their order; ``own`` goes before what is declared here."""
    return [(own or {}).get(name, tag_of(name, table)) for name in columns]


def read_tag(cell: str) -> tuple[str, frozenset[str]] | None:
    """Hashtag and attributes of a cell in lower case; None where the cell is no tag.

    >>> read_tag("#Affected +F+children") == ("affected", frozenset({"f", "children"}))
    True
    >>> read_tag("#1"), read_tag("north")
    (None, None)
    """
    found = _TAG.fullmatch(cell.strip())
    if found is None:
        return None
    return found[1].lower(), frozenset(part.strip().lower() for part in found[2].split("+") if part.strip())


def tags_in(cells: Sequence[Any]) -> Literal["no", "yes", "perhaps"]:
    """Whether a row of a file is a row of hashtags: every cell begins with ``#`` or is blank.

    ``yes`` where one of them is a core hashtag or an extension (``#x_``); ``perhaps`` where none is, for it may as well
    be data.

    >>> tags_in(["#adm1+name", None, "#meta"]), tags_in(["#1", None]), tags_in(["#adm1", "Aghdam"]), tags_in([None])
    ('yes', 'perhaps', 'no', 'no')
    """
    tags = []
    for cell in cells:
        if cell is None or cell != cell or not str(cell).strip():
            continue
        if not isinstance(cell, str) or not cell.lstrip().startswith("#"):
            return "no"
        tags.append(read_tag(cell))
    if not tags:
        return "no"
    return "yes" if any(tag and (tag[0] in CORE or tag[0].startswith("x_")) for tag in tags) else "perhaps"
