"""Every table of the house, declared once: its columns with type, unit, codes and meaning, and the code lists."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from clearplan.core.errors import SettingsError, TableError
from clearplan.tables.tiers import Tier, tier_of

if TYPE_CHECKING:
    import pandas as pd

CODE_LISTS_VERSION = "mdr-draft-2018"

#: Code lists after the GICHD's draft Minimum Data Requirements (2018) and the IMSMA wiki: code = meaning.
#: ``ordnance`` and ``device`` may be replaced per country; the laws hang on the others.
CODE_LISTS: dict[str, dict[str, str]] = {
    "kind": {
        "contact-line": "former front line; its belt is an indication until someone has surveyed it",
        "minefield": "reported or surveyed mined area",
        "cluster-strike": "place struck with cluster munitions",
        "generalised": "cell or district that holds hazards; published in their place",
    },
    "land_class": {
        "indication": "reason to survey; not a declared hazardous area",
        "SHA": "suspected hazardous area: indirect evidence",
        "CHA": "confirmed hazardous area: direct evidence",
    },
    "status": {
        "open": "hazard reported, no work under way",
        "worked-on": "survey or clearance under way",
        "closed": "work completed; no longer counted as remaining",
    },
    "ordnance": {
        "AP": "anti-personnel mines",
        "AV": "anti-vehicle mines",
        "mixed": "anti-personnel and anti-vehicle mines",
        "CMR": "cluster munition remnants",
        "unknown": "not reported",
    },
    "device": {
        "AP": "anti-personnel mine",
        "AV": "anti-vehicle mine",
        "CMR": "cluster munition remnant",
        "UXO": "other unexploded ordnance",
        "unknown": "not reported",
    },
    "measure": {"each-side": "depth counts on each side", "total": "depth counts across the line"},
    "sides": {"both": "both sides", "left": "left of the line's direction", "right": "right of it"},
    "caps": {"round": "belt goes round the line's ends", "flat": "belt is cut square at its ends"},
    "band": {
        "inner": "within the smaller depth of the belt",
        "outer": "between the smaller and the larger depth",
        "whole": "not a belt: one footprint",
    },
    "datum": {"SK-42": "Pulkovo 1942, Krassovsky ellipsoid", "WGS 84": "World Geodetic System 1984"},
    "north": {
        "true": "bearings count from geographic north",
        "grid": "bearings count from the sheet's grid north",
        "magnetic": "bearings count from the compass needle",
    },
    "angle_unit": {
        "degrees": "360 to the circle; 45.5 or 45°30'",
        "mils-6000": "Soviet mils, 6000 to the circle; 12-50",
        "mils-6400": "NATO mils, 6400 to the circle",
    },
    "distance_unit": {"m": "metres", "paces": "paces of the length stated in pace_m"},
    "point_kind": {
        "reference": "landmark with coordinates from which the record is measured",
        "start": "first point of the field or of a row",
        "turning": "point where the border or the row turns",
        "end": "last point of the border",
        "row-end": "last point of a row: the record gives rows, not a border",
    },
    "vertex_method": {
        "map": "read off a map",
        "scan": "read off a georeferenced scan",
        "compass-paces": "compass bearing and paces",
        "compass-tape": "compass bearing and tape",
        "theodolite": "theodolite or total station",
        "gnss": "satellite receiver",
        "unknown": "not reported",
    },
    "emplacing_method": {
        "manual": "by hand",
        "mechanical": "by machine",
        "remote": "delivered from afar",
        "unknown": "not reported",
    },
    "anti_handling": {"yes": "reported", "no": "reported as absent", "unknown": "not reported"},
    "queue": {"survey": "NTS or TS comes next (indication, SHA)", "clearance": "clearance comes next (CHA)"},
    "action": {
        "cancelled": "released by non-technical survey: no evidence was found",
        "reduced": "released by technical survey",
        "cleared": "released by clearance to a stated depth",
        "re-opened": "an earlier release is withdrawn: the ground is hazardous again",
    },
    "lifeline_kind": {
        "road": "way by which people and goods reach the zone",
        "water": "spring, well, pipe or canal that it drinks from or irrigates with",
        "power": "line or station that feeds it",
        "school": "place where its children are taught",
        "clinic": "place where its sick are treated",
        "farmland": "fields, orchards or pasture that it lives on",
        "other": "anything else that it depends on; say what in name",
    },
    "team_kind": {
        "NTS": "non-technical survey: interviews and desk work",
        "TS": "technical survey",
        "manual": "deminers with detectors",
        "dogs": "animals that detect, with their handlers",
        "mechanical": "machines that prepare or process ground",
        "BAC": "battle area clearance",
        "EOD": "disposal of single items",
    },
    "yes_no": {
        "yes": "the zone can't be lived in without it",
        "no": "it adds value, the zone can open without it",
    },
    "gate_kind": {
        "do-no-harm": "the work would harm or favour some people over others as things stand",
        "dispute": "the land is claimed by several, or its use is contested",
        "security": "those who would work there could be attacked or detained",
        "permission": "whoever decides over the ground has not let teams in yet",
        "other": "anything else that holds work back; say what in reason",
    },
}
REPLACEABLE = ("ordnance", "device")

#: Strongest first: where areas overlap, net area counts the first of these (Law 3).
CLASSES = ("CHA", "SHA", "indication")
#: Ways in which land is released (IMAS 07.11); the fourth action, re-opened, withdraws them.
RELEASED = ("cancelled", "reduced", "cleared")
#: Words for ground that belongs to no district, and for released ground that no hazard covers.
OUTSIDE = "outside every district"
OUTSIDE_HAZARDS = "outside every known hazard"
#: In place of a kind of ordnance: all of them together.
EVERY_KIND = "all"
Dtype = Literal["text", "number", "integer", "date", "geometry"]


@dataclass(frozen=True)
class Column:
    """One declared column."""

    name: str
    dtype: Dtype
    meaning: str
    unit: str = ""
    required: bool = True
    nullable: bool = False
    codes: str | None = None
    unique: bool = False
    low: float | None = None
    high: float | None = None
    leaves: Tier = "restricted"  # the tier from which on it may leave; ``tiers.LEAVES`` declares it


def _id(name: str, what: str) -> Column:
    return Column(name, "text", f"identifier of the {what}; readable, never used twice", unique=True)


def _m2(name: str, meaning: str) -> Column:
    return Column(name, "number", f"{meaning}; blank where the hazard has no place", "m2", required=False,
                  nullable=True, low=0)  # fmt: skip


_SOURCE = Column("source", "text", "where the row comes from")
_RECORDED = Column("recorded_on", "date", "date of the record", required=False, nullable=True)
_ERROR = Column(
    "position_error_m",
    "number",
    "radius that holds the true position with about 95 % probability; blank is unknown",
    "m",
    nullable=True,
    low=0,
    high=100_000,
)
_ENTERED = (
    Column("entered_crs", "text", "CRS of the coordinates as entered", required=False, nullable=True),
    Column("entered_geometry", "text", "shape as entered, WKT", required=False, nullable=True),
)
#: What a gate can hold back; it must name one of these.
GATED = ("zone_id", "hazard_id", "district")
_DEFERRED = Column(
    "deferred",
    "text",
    "why the row can't be placed or used; blank when it can",
    required=False,
    nullable=True,
)
_GEOMETRY = Column("geometry", "geometry", "shape in the working CRS", "m", nullable=True)
_TAIL = (_SOURCE, _RECORDED, *_ENTERED, _DEFERRED, _GEOMETRY)

TABLES: dict[str, tuple[Column, ...]] = {
    "hazards": (
        _id("hazard_id", "hazard"),
        Column("kind", "text", "what was reported", codes="kind"),
        Column("land_class", "text", "class of the land", codes="land_class"),
        Column("status", "text", "state of the work", codes="status"),
        Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
        _ERROR,
        Column(
            "depth_profile",
            "text",
            "contact lines: 'distance inner outer; ...' along the line",
            "m",
            required=False,
            nullable=True,
        ),
        Column("measure", "text", "how the depth counts", required=False, nullable=True, codes="measure"),
        Column("sides", "text", "sides of the line", required=False, nullable=True, codes="sides"),
        Column("caps", "text", "ends of the belt", required=False, nullable=True, codes="caps"),
        *_TAIL,
    ),
    "zones": (
        _id("zone_id", "zone"),
        Column("name", "text", "name of the place", nullable=True),
        Column(
            "people",
            "integer",
            "people to return or living there; blank is unknown, never 0",
            nullable=True,
            low=0,
        ),
        Column("families", "integer", "families; blank is unknown", required=False, nullable=True, low=0),
        Column("planned_return", "date", "date of the planned return", required=False, nullable=True),
        Column("after", "text", "zones that must open first, '; ' between", required=False, nullable=True),
        _ERROR,
        *_TAIL,
    ),
    "accidents": (
        _id("accident_id", "accident"),
        Column("occurred_on", "date", "day of the accident; blank is unknown", nullable=True),
        Column("device", "text", "class of the device", codes="device", required=False, nullable=True),
        _ERROR,
        *_TAIL,
    ),
    "areas": (
        _id("area_id", "area"),
        Column("hazard_id", "text", "hazard that the area comes from"),
        Column("kind", "text", "what was reported", codes="kind"),
        Column("land_class", "text", "class of the land", codes="land_class"),
        Column("status", "text", "state of the work", codes="status"),
        Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
        Column("band", "text", "band of a belt", codes="band"),
        Column("grown_m", "number", "distance that the reported shape was grown", "m", nullable=True, low=0),
        Column("gross_m2", "number", "area of this footprint alone; overlaps counted again", "m2", low=0),
        _m2("reported_m2", "area of the footprint before any release"),
        _m2("remaining_m2", "of it, neither released nor closed"),
        _m2("cancelled_m2", "of it, released by non-technical survey"),
        _m2("reduced_m2", "of it, released by technical survey"),
        _m2("cleared_m2", "of it, released by clearance"),
        _m2("closed_m2", "of it, closed by status without a release polygon"),
        Column(
            "release_ids",
            "text",
            "releases that decide the state of some of it, '; ' between",
            required=False,
            nullable=True,
        ),
        _ERROR,
        *_TAIL,
    ),
    "tasks": (
        _id("task_id", "task"),
        Column("queue", "text", "queue in which the task waits", codes="queue"),
        Column("land_class", "text", "the one class of its land", codes="land_class"),
        Column("district", "text", "district; blank is outside every district given", nullable=True),
        Column("area_m2", "number", "area of the task; tasks never overlap", "m2", low=0),
        Column("zone_ids", "text", "zones within whose influence it lies, '; ' between", nullable=True),
        Column("hazard_ids", "text", "hazards of its class that reach into it, '; ' between", nullable=True),
        Column("ordnance", "text", "classes of ordnance of these hazards, '; ' between", required=False, nullable=True),
        Column("mgrs_km", "text", "MGRS 1-km square of its inner point"),
        *(
            Column(name, "number", meaning, "m2", required=False, nullable=True, low=0)
            for name, meaning in (
                ("expected_m2", "ground expected to be contaminated, by the surface; blank: nobody knows"),
                ("low_m2", "5 % of the draws lie below"),
                ("high_m2", "5 % of the draws lie above"),
                ("known_m2", "ground of the task of which the surface knows something"),
                ("unknown_m2", "ground of which nobody knows"),
            )
        ),
        _ERROR,
        *_TAIL,
    ),
}


def _codes(name: str, meaning: str, *, needed: bool = False) -> Column:
    code_list = "vertex_method" if name == "method" else name
    return Column(name, "text", meaning, required=needed, nullable=not needed, codes=code_list)


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning, required=False, nullable=True)


def _number(name: str, meaning: str, unit: str, low: float, high: float) -> Column:
    return Column(name, "number", meaning, unit, required=False, nullable=True, low=low, high=high)


#: Records as they are typed off the sheets; the fields are those of the annex to Amended Protocol II of the CCW
#: (reference points, perimeter, type, number, emplacing method, fuse life, date, anti-handling devices, rows).
TABLES |= {
    "records": (
        _id("record_id", "record"),
        _text("record_number", "number of the record in its unit's book"),
        _text("unit", "unit that made the record"),
        _text("base_sheet", "map sheet of the coordinates, e.g. J-38-010-Б; a point off the sheet is a fault"),
        _codes("datum", "datum of the coordinates", needed=True),
        _text("grid", "EPSG code of the grid, where the digits alone don't tell it"),
        _codes("north", "north from which bearings count; needed where there are bearings"),
        _codes("angle_unit", "unit of the bearings; needed where there are bearings"),
        _codes("distance_unit", "unit of the distances; needed where there are distances"),
        _number("pace_m", "length of one pace; needed where distances are in paces", "m", 0.3, 2),
        _number("declination_deg", "declination as stated, east positive; else IGRF of laid_on", "°", -60, 60),
        Column("laid_on", "date", "date of the record's bearings", required=False, nullable=True),
        Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
        _text("ordnance_type", "types as the record names them"),
        Column("ordnance_count", "integer", "number that the record states; blank is unknown", required=False,
               nullable=True, low=0),
        _codes("emplacing_method", "how it was emplaced"),
        _number("fuse_life_days", "stated life of the fuses; blank is unknown", "days", 0, 100_000),
        _codes("anti_handling", "anti-handling devices"),
        Column("rows", "integer", "number of rows that the record states", required=False, nullable=True, low=0),
        _number("perimeter_m", "length of the border as stated; held against the computed one", "m", 0, 1e6),
        _number("sigma_reference_m", "standard error per axis of reference points that state no position_error_m; "
                "blank: records.errors in plan.toml", "m", 0, 100_000),
        _number("sigma_bearing_deg", "standard error of one bearing, independent from leg to leg; blank: plan.toml",
                "°", 0, 45),
        _number("sigma_shared_bearing_deg", "standard error that all bearings of the record share (compass, "
                "declination); blank: plan.toml", "°", 0, 45),
        _number("sigma_distance_m", "standard error of one distance, independent from leg to leg; blank: plan.toml",
                "m", 0, 1000),
        _number("sigma_scale", "standard error that all distances share, as a part of them (pace length, tape); "
                "blank: plan.toml", "1", 0, 0.5),
        Column("reliability", "number", "the planner's trust in the record, 0 to 1; no default", "1", low=0, high=1),
        _text("handed_over_by", "who handed the record over"),
        Column("handed_over_on", "date", "when it was handed over", required=False, nullable=True),
        _text("scan", "scanned map, named under scans in plan.toml, off which coordinates were read"),
        Column("status", "text", "state of the work; blank is open", required=False, nullable=True, codes="status"),
        _SOURCE,
    ),
    "legs": (
        Column("record_id", "text", "record to which the point belongs"),
        Column("point_no", "text", "number of the point within its record"),
        _codes("point_kind", "what the point is", needed=True),
        _text("point_id", "name of the point, by which from_point and closes_on may call it"),
        _text("from_point", "point from which bearing and distance lead here; blank is the row before"),
        _text("bearing", "bearing from that point, as written"),
        _text("distance", "distance from that point, as written"),
        _text("coordinates", "coordinates as written, both in one cell: 39°59'24\"N 46°55'48\"E, x=4428123 y=8664321"),
        _text("easting", "easting or longitude in the CRS named in grid"),
        _text("northing", "northing or latitude in the CRS named in grid"),
        _text("grid", "EPSG code for this point, where it differs from the record's"),
        _text("closes_on", "known point on which this leg comes back; it adds no corner, it shows the misclosure"),
        _text("landmark", "name of the landmark"),
        _codes("method", "how the point was fixed"),
        Column("position_error_m", "number", "radius that holds the point's true position with about 95 % probability",
               "m", required=False, nullable=True, low=0, high=100_000),
        _text("remark", "what else the record says of the point"),
    ),
    "anchors": (
        Column("record_id", "text", "record that is moved"),
        _text("landmark", "landmark that was found on the ground"),
        Column("coordinates", "text", "its coordinates, both in one cell"),
        _codes("datum", "datum of these coordinates", needed=True),
        _text("grid", "EPSG code of the grid, where the digits alone don't tell it"),
        Column("position_error_m", "number", "radius that holds its true position with about 95 % probability", "m",
               low=0, high=100_000),
        Column("anchored_by", "text", "who decided it"),
        Column("anchored_on", "date", "when"),
        Column("reason", "text", "why"),
    ),
    "vertices": (
        Column("record_id", "text", "record to which the point belongs"),
        Column("point_no", "text", "number of the point within its record"),
        _codes("point_kind", "what the point is", needed=True),
        Column("version", "integer", "1 as recorded, 2 and up re-anchored", low=1),
        *(_text(name, f"{name} as written") for name in ("coordinates", "easting", "northing", "bearing", "distance")),
        _number("bearing_deg", "the bearing in degrees, from the north that the record names", "°", 0, 360),
        _number("distance_m", "the distance in metres, paces at their length", "m", 0, 1e6),
        _text("entered_crs", "CRS of the coordinates as entered"),
        _number("plane_x", "easting in the plane of the traverse", "m", -1e8, 1e8),
        _number("plane_y", "northing in that plane", "m", -1e8, 1e8),
        _text("plane_crs", "plane of the traverse"),
        _number("lon", "longitude, WGS 84", "°", -180, 180),
        _number("lat", "latitude, WGS 84", "°", -90, 90),
        _number("c_ee", "variance of the easting", "m2", 0, 1e12),
        _number("c_en", "covariance of easting and northing", "m2", -1e12, 1e12),
        _number("c_nn", "variance of the northing", "m2", 0, 1e12),
        _number("r95_m", "radius that holds the true point with 95 % probability", "m", 0, 1e6),
        _text("operation", "datum operation that moved the point, with its code"),
        _number("operation_accuracy_m", "stated accuracy of that operation", "m", 0, 1e4),
        _codes("method", "how the point was fixed"),
    ),
}  # fmt: skip

#: Land release: events on ground and changes of whole hazards. Both are append-only; nothing in them is ever mended
#: by changing a row, only by a later one.
TABLES |= {
    "releases": (
        _id("release_id", "release"),
        Column("action", "text", "what was decided about the ground", codes="action"),
        Column("decided_on", "date", "day from which the decision holds"),
        Column("decided_by", "text", "who decided: releasing is the national authority's act"),
        _text("reason", "why"),
        _text("operator", "who surveyed or cleared"),
        _text("method", "how, in the operator's words"),
        _number("depth_m", "depth to which the ground was cleared; needed where action is cleared", "m", 0, 100),
        _text("items", "items found, by device code: 'AP 3; AV 1'; blank is unknown, 'none' is none"),
        _text("hazard_id", "hazard that the release is meant for; the ground decides"),
        _text("district", "district as stated; the ground decides"),
        _ERROR,
        *_TAIL,
    ),
    "history": (
        _id("history_id", "change; made from the file's row where the file has none"),
        Column("hazard_id", "text", "hazard that changed, all of it"),
        Column("changed_on", "date", "day from which the change holds"),
        Column("changed_by", "text", "who decided it"),
        Column("reason", "text", "why"),
        _codes("status", "state of the work from that day on; blank: as before"),
        _codes("land_class", "class of the land from that day on; blank: as before"),
        _SOURCE,
        _RECORDED,
        _DEFERRED,
    ),
}  # fmt: skip

#: What a return hangs on beside the mines: lifelines of its zones, and gates that hold work back whatever its rank.
TABLES |= {
    "lifelines": (
        _id("lifeline_id", "lifeline"),
        Column("zone_id", "text", "zone that it serves"),
        Column("kind", "text", "what it is", codes="lifeline_kind"),
        _text("name", "name of it"),
        Column("essential", "text", "whether people can live in the zone without it", codes="yes_no"),
        _ERROR,
        *_TAIL,
    ),
    "gates": (
        _id("gate_id", "gate; made from the file's row where the file has none"),
        Column("kind", "text", "why nobody may start", codes="gate_kind"),
        _text("zone_id", "zone whose tasks it holds back; zone, hazard or district must be given"),
        _text("hazard_id", "hazard whose tasks it holds back"),
        _text("district", "district whose tasks it holds back, named as in the district layer"),
        Column("reason", "text", "why, in words that may be printed"),
        Column("until", "text", "what has to happen before work may start, or a date, in words"),
        Column("lifted_on", "date", "day from which it holds nothing back; blank: it still does", required=False,
               nullable=True),
        _SOURCE,
        _RECORDED,
        _DEFERRED,
    ),
}  # fmt: skip

#: Who works when: teams and what they have been promised to, read from files; and what planning makes of them.
TABLES |= {
    "teams": (
        _id("team_id", "team, or the group of like teams"),
        Column("kind", "text", "what it does", codes="team_kind"),
        Column("number", "integer", "how many such teams", "teams", low=1),
        *(
            Column(f"rate_{name}", "number", f"ground that one of them works in a day, {name}", "m2/day", low=1e-3)
            for name in ("low", "likely", "high")
        ),
        Column("rate_source", "text", "where the rates come from; rates differ a hundredfold from land to land"),
        Column("cost_per_day", "number", "cost of one of them a day, in the plan's currency", "currency/day", low=0),
        _text("season", "months in which it works, first and last: 4-10, or 11-3 across the year's end; blank: all"),
        _text("districts", "districts in which it may work, '; ' between; blank: everywhere"),
        Column("available_from", "date", "first day; blank: from the start", required=False, nullable=True),
        Column("available_to", "date", "last day; blank: to the end", required=False, nullable=True),
        _SOURCE,
        _RECORDED,
        _DEFERRED,
    ),
    "commitments": (
        _id("commitment_id", "commitment; made from the file's row where the file has none"),
        _text("task_id", "task that was promised; task or hazard must be given"),
        _text("hazard_id", "hazard of which all tasks were promised"),
        _text("team_id", "team that does it; blank: any that may"),
        Column("until", "date", "day by which the work must be done"),
        Column("reason", "text", "why, in words that may be printed"),
        _SOURCE,
        _RECORDED,
        _DEFERRED,
    ),
    "blockers": (
        _id("blocker_id", "hindrance: zone, part and task"),
        Column("zone_id", "text", "zone that can't open before the task is done"),
        Column("task_id", "text", "task that stands in the way"),
        Column("part", "text", "'home', the place itself, or the lifeline that the task blocks"),
        Column("essential", "text", "whether the zone waits for it; other parts only add value", codes="yes_no"),
        Column("why", "text", "the same in words"),
    ),
    "work": (
        _id("work_id", "piece of work: task, step, team and period"),
        Column("task_id", "text", "task that is worked on"),
        Column("step", "integer", "number of the step of the task's method, from 1", low=1),
        Column("step_name", "text", "its name"),
        Column("kind", "text", "kind of the team", codes="team_kind"),
        Column("team_id", "text", "team that does it"),
        Column("period", "integer", "number of the period, from 1", low=1),
        Column("starts_on", "date", "first day of the period"),
        Column("ends_on", "date", "last day of the period: work is dated to the period, not to the day"),
        Column("days", "number", "work of one such team", "team-days", low=0),
        Column("m2", "number", "ground of the step that is worked", "m2", low=0),
        Column("cost", "number", "days by the team's cost a day", "currency", low=0),
    ),
}  # fmt: skip

TABLES = {
    table: tuple(replace(column, leaves=tier_of(table, column.name)) for column in columns)
    for table, columns in TABLES.items()
}


def has_shapes(table: str) -> bool:
    """Whether a table's rows lie on the ground; HISTORY and GATES only name what does.

    >>> has_shapes("zones"), has_shapes("gates")
    (True, False)
    """
    return any(column.dtype == "geometry" for column in TABLES[table])


def ids_in(text: Any) -> list[str]:
    """Ids of a cell that holds several with '; ' between; none where it is blank.

    >>> ids_in("Z1; Z2"), ids_in(""), ids_in(None), ids_in(float("nan"))
    (['Z1', 'Z2'], [], [], [])
    """
    return [one for one in text.split("; ") if one] if isinstance(text, str) else []


def id_column(table: str) -> str:
    """Name of a table's id column.

    >>> id_column("zones")
    'zone_id'
    """
    return TABLES[table][0].name


def allowed_codes(code_list: str, replaced: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, str]:
    """Codes of a list, code = meaning; a country's own list stands in for ours where that is allowed.

    >>> list(allowed_codes("queue"))
    ['survey', 'clearance']
    """
    if replaced and code_list in replaced and code_list in REPLACEABLE:
        return dict(replaced[code_list])
    return CODE_LISTS[code_list]


#: Tables in the order in which their id columns are looked for: those that also name rows of others come first.
_TOLD_BY_ID = (
    "commitments", "work", "blockers", "tasks", "areas", "releases", "history", "gates", "lifelines", "teams",
    "hazards", "zones", "accidents",
)  # fmt: skip


def table_name(table: pd.DataFrame) -> str:
    """Which declared table a frame is, told by its id column.

    Raises
    ------
    TableError
        No id column is there.
    """
    for name in _TOLD_BY_ID:
        if id_column(name) in table.columns:
            return name
    wanted = ", ".join(id_column(name) for name in TABLES)
    raise TableError(f"table has none of the id columns {wanted}; name the one you mean")


def write_profile(depth_m: Sequence[Any]) -> str:
    """Depths as the text kept in HAZARDS: 'distance inner outer; ...' [m].

    Parameters
    ----------
    depth_m : (inner, outer), or rows of (distance along the line, inner, outer)

    Raises
    ------
    SettingsError
        An inner depth exceeds its outer one, a depth is negative, or distances do not grow.

    >>> write_profile((3_000, 7_000))
    '0 3000 7000'
    """
    flat = len(depth_m) == 2 and not isinstance(depth_m[0], (list, tuple))
    rows = [(0.0, *depth_m)] if flat else [tuple(row) for row in depth_m]
    if not rows or any(len(row) != 3 for row in rows):
        raise SettingsError(f"depth {depth_m!r}: give (inner, outer) or rows of (distance, inner, outer) in metres")
    for at, inner, outer in rows:
        if not (at >= 0 and 0 <= inner <= outer and all(map(math.isfinite, (at, inner, outer)))):
            raise SettingsError(f"depth row {(at, inner, outer)}: needs 0 <= distance and 0 <= inner <= outer")
    if any(b[0] <= a[0] for a, b in pairwise(rows)):
        raise SettingsError(f"depth rows {rows}: distances along the line must grow from row to row")
    return "; ".join(" ".join(f"{value:.12g}" for value in row) for row in rows)


def read_profile(text: str) -> list[tuple[float, float, float]]:
    """Rows of (distance, inner, outer) [m] from the text kept in HAZARDS.

    >>> read_profile("0 3000 7000")
    [(0.0, 3000.0, 7000.0)]
    """
    try:
        rows = [tuple(float(part) for part in row.split()) for row in text.split(";")]
    except (ValueError, AttributeError):
        rows = []
    if not rows or any(len(row) != 3 for row in rows):
        raise TableError(f"depth_profile {text!r}: write 'distance inner outer; ...' in metres")
    return [(a, b, c) for a, b, c in rows]


def read_items(text: str | None, devices: Mapping[str, str] | None = None) -> dict[str, int] | None:
    """Items found, by device code, from the text kept in RELEASES; None where it is unknown.

    Parameters
    ----------
    text : str
        'AP 3; AV 1', or 'none' where nothing was found.
    devices : mapping, optional
        A country's own device codes.

    Raises
    ------
    TableError
        The text is not of this form, a code is not in the list, or stands twice.

    >>> read_items("AP 3; AV 1; UXO 12")
    {'AP': 3, 'AV': 1, 'UXO': 12}
    >>> read_items("none"), read_items(None)
    ({}, None)
    """
    if text is None or (isinstance(text, float) and math.isnan(text)) or not text.strip():
        return None
    known = devices or CODE_LISTS["device"]
    items: dict[str, int] = {}
    for part in [] if text.strip().casefold() == "none" else text.split(";"):
        code, _, number = part.strip().rpartition(" ")
        code = code.strip()
        if code not in known or not (number.isascii() and number.isdigit()) or code in items:
            raise TableError(f"items {text!r}: write 'code number; ...', each code once, of {', '.join(known)}")
        items[code] = int(number)
    return items
