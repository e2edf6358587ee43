"""Tables that are entered: what a file may hold and what a record's sheets say, column by column."""

from __future__ import annotations

from clearplan.tables.columns import (
    DEFERRED,
    ERROR,
    RECORDED,
    SOURCE,
    TAIL,
    Column,
    coded,
    id_of,
    number,
    text,
)

#: What a gate can hold back; it must name one of these.
GATED = ("zone_id", "hazard_id", "district")

HAZARDS: tuple[Column, ...] = (
    id_of("hazard_id", "hazard"),
    Column("kind", "text", "what was reported", codes="kind"),
    Column("land_class", "text", "class of the land", codes="land_class"),
    Column("status", "text", "state of the work", codes="status"),
    Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
    ERROR,
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
    *TAIL,
)  # fmt: skip

ZONES: tuple[Column, ...] = (
    id_of("zone_id", "zone"),
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
    ERROR,
    *TAIL,
)  # fmt: skip

ACCIDENTS: tuple[Column, ...] = (
    id_of("accident_id", "accident"),
    Column("occurred_on", "date", "day of the accident; blank is unknown", nullable=True),
    Column("device", "text", "class of the device", codes="device", required=False, nullable=True),
    ERROR,
    *TAIL,
)  # fmt: skip

#: Records as they are typed off the sheets; the fields are those of the annex to Amended Protocol II of the CCW
#: (reference points, perimeter, type, number, emplacing method, fuse life, date, anti-handling devices, rows).
RECORDS: tuple[Column, ...] = (
    id_of("record_id", "record"),
    text("record_number", "number of the record in its unit's book"),
    text("unit", "unit that made the record"),
    text("base_sheet", "map sheet of the coordinates, e.g. J-38-010-Б; a point off the sheet is a fault"),
    coded("datum", "datum of the coordinates", needed=True),
    text("grid", "EPSG code of the grid, where the digits alone don't tell it"),
    coded("north", "north from which bearings count; needed where there are bearings"),
    coded("angle_unit", "unit of the bearings; needed where there are bearings"),
    coded("distance_unit", "unit of the distances; needed where there are distances"),
    number("pace_m", "length of one pace; needed where distances are in paces", "m", 0.3, 2),
    number("declination_deg", "declination as stated, east positive; else IGRF of laid_on", "°", -60, 60),
    Column("laid_on", "date", "date of the record's bearings", required=False, nullable=True),
    Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
    text("ordnance_type", "types as the record names them"),
    Column("ordnance_count", "integer", "number that the record states; blank is unknown", required=False,
           nullable=True, low=0),
    coded("emplacing_method", "how it was emplaced"),
    number("fuse_life_days", "stated life of the fuses; blank is unknown", "days", 0, 100_000),
    coded("anti_handling", "anti-handling devices"),
    Column("rows", "integer", "number of rows that the record states", required=False, nullable=True, low=0),
    number("perimeter_m", "length of the border as stated; held against the computed one", "m", 0, 1e6),
    number("sigma_reference_m", "standard error per axis of reference points that state no position_error_m; "
            "blank: records.errors in plan.toml", "m", 0, 100_000),
    number("sigma_bearing_deg", "standard error of one bearing, independent from leg to leg; blank: plan.toml",
            "°", 0, 45),
    number("sigma_shared_bearing_deg", "standard error that all bearings of the record share (compass, "
            "declination); blank: plan.toml", "°", 0, 45),
    number("sigma_distance_m", "standard error of one distance, independent from leg to leg; blank: plan.toml",
            "m", 0, 1000),
    number("sigma_scale", "standard error that all distances share, as a part of them (pace length, tape); "
            "blank: plan.toml", "1", 0, 0.5),
    Column("reliability", "number", "the planner's trust in the record, 0 to 1; no default", "1", low=0, high=1),
    text("handed_over_by", "who handed the record over"),
    Column("handed_over_on", "date", "when it was handed over", required=False, nullable=True),
    text("scan", "scanned map, named under scans in plan.toml, off which coordinates were read"),
    Column("status", "text", "state of the work; blank is open", required=False, nullable=True, codes="status"),
    SOURCE,
)  # fmt: skip

LEGS: tuple[Column, ...] = (
    Column("record_id", "text", "record to which the point belongs"),
    Column("point_no", "text", "number of the point within its record"),
    coded("point_kind", "what the point is", needed=True),
    text("point_id", "name of the point, by which from_point and closes_on may call it"),
    text("from_point", "point from which bearing and distance lead here; blank is the row before"),
    text("bearing", "bearing from that point, as written"),
    text("distance", "distance from that point, as written"),
    text("coordinates", "coordinates as written, both in one cell: 39°59'24\"N 46°55'48\"E, x=4428123 y=8664321"),
    text("easting", "easting or longitude in the CRS named in grid"),
    text("northing", "northing or latitude in the CRS named in grid"),
    text("grid", "EPSG code for this point, where it differs from the record's"),
    text("closes_on", "known point on which this leg comes back; it adds no corner, it shows the misclosure"),
    text("landmark", "name of the landmark"),
    coded("method", "how the point was fixed"),
    Column("position_error_m", "number", "radius that holds the point's true position with about 95 % probability",
           "m", required=False, nullable=True, low=0, high=100_000),
    text("remark", "what else the record says of the point"),
)  # fmt: skip

ANCHORS: tuple[Column, ...] = (
    Column("record_id", "text", "record that is moved"),
    text("landmark", "landmark that was found on the ground"),
    Column("coordinates", "text", "its coordinates, both in one cell"),
    coded("datum", "datum of these coordinates", needed=True),
    text("grid", "EPSG code of the grid, where the digits alone don't tell it"),
    Column("position_error_m", "number", "radius that holds its true position with about 95 % probability", "m",
           low=0, high=100_000),
    Column("anchored_by", "text", "who decided it"),
    Column("anchored_on", "date", "when"),
    Column("reason", "text", "why"),
)  # fmt: skip

VERTICES: tuple[Column, ...] = (
    Column("record_id", "text", "record to which the point belongs"),
    Column("point_no", "text", "number of the point within its record"),
    coded("point_kind", "what the point is", needed=True),
    Column("version", "integer", "1 as recorded, 2 and up re-anchored", low=1),
    *(text(name, f"{name} as written") for name in ("coordinates", "easting", "northing", "bearing", "distance")),
    number("bearing_deg", "the bearing in degrees, from the north that the record names", "°", 0, 360),
    number("distance_m", "the distance in metres, paces at their length", "m", 0, 1e6),
    text("entered_crs", "CRS of the coordinates as entered"),
    number("plane_x", "easting in the plane of the traverse", "m", -1e8, 1e8),
    number("plane_y", "northing in that plane", "m", -1e8, 1e8),
    text("plane_crs", "plane of the traverse"),
    number("lon", "longitude, WGS 84", "°", -180, 180),
    number("lat", "latitude, WGS 84", "°", -90, 90),
    number("c_ee", "variance of the easting", "m2", 0, 1e12),
    number("c_en", "covariance of easting and northing", "m2", -1e12, 1e12),
    number("c_nn", "variance of the northing", "m2", 0, 1e12),
    number("r95_m", "radius that holds the true point with 95 % probability", "m", 0, 1e6),
    text("operation", "datum operation that moved the point, with its code"),
    number("operation_accuracy_m", "stated accuracy of that operation", "m", 0, 1e4),
    coded("method", "how the point was fixed"),
)  # fmt: skip

#: Land release: events on ground and changes of whole hazards. Both are append-only; nothing in them is ever mended
#: by changing a row, only by a later one.
RELEASES: tuple[Column, ...] = (
    id_of("release_id", "release"),
    Column("action", "text", "what was decided about the ground", codes="action"),
    Column("decided_on", "date", "day from which the decision holds"),
    Column("decided_by", "text", "who decided: releasing is the national authority's act"),
    text("reason", "why"),
    text("operator", "who surveyed or cleared"),
    text("method", "how, in the operator's words"),
    number("depth_m", "depth to which the ground was cleared; needed where action is cleared", "m", 0, 100),
    text("items", "items found, by device code: 'AP 3; AV 1'; blank is unknown, 'none' is none"),
    text("hazard_id", "hazard that the release is meant for; the ground decides"),
    text("district", "district as stated; the ground decides"),
    ERROR,
    *TAIL,
)  # fmt: skip

HISTORY: tuple[Column, ...] = (
    id_of("history_id", "change; made from the file's row where the file has none"),
    Column("hazard_id", "text", "hazard that changed, all of it"),
    Column("changed_on", "date", "day from which the change holds"),
    Column("changed_by", "text", "who decided it"),
    Column("reason", "text", "why"),
    coded("status", "state of the work from that day on; blank: as before"),
    coded("land_class", "class of the land from that day on; blank: as before"),
    SOURCE,
    RECORDED,
    DEFERRED,
)  # fmt: skip

#: What a return hangs on beside the mines: lifelines of its zones, and gates that hold work back whatever its rank.
LIFELINES: tuple[Column, ...] = (
    id_of("lifeline_id", "lifeline"),
    Column("zone_id", "text", "zone that it serves"),
    Column("kind", "text", "what it is", codes="lifeline_kind"),
    text("name", "name of it"),
    Column("essential", "text", "whether people can live in the zone without it", codes="yes_no"),
    ERROR,
    *TAIL,
)  # fmt: skip

GATES: tuple[Column, ...] = (
    id_of("gate_id", "gate; made from the file's row where the file has none"),
    Column("kind", "text", "why nobody may start", codes="gate_kind"),
    text("zone_id", "zone whose tasks it holds back; zone, hazard or district must be given"),
    text("hazard_id", "hazard whose tasks it holds back"),
    text("district", "district whose tasks it holds back, named as in the district layer"),
    Column("reason", "text", "why, in words that may be printed"),
    Column("until", "text", "what has to happen before work may start, or a date, in words"),
    Column("lifted_on", "date", "day from which it holds nothing back; blank: it still does", required=False,
           nullable=True),
    SOURCE,
    RECORDED,
    DEFERRED,
)  # fmt: skip

#: Who works when: teams and what they have been promised to, read from files; and what planning makes of them.
TEAMS: tuple[Column, ...] = (
    id_of("team_id", "team, or the group of like teams"),
    Column("kind", "text", "what it does", codes="team_kind"),
    Column("number", "integer", "how many such teams", "teams", low=1),
    *(
        Column(f"rate_{name}", "number", f"ground that one of them works in a day, {name}", "m2/day", low=1e-3)
        for name in ("low", "likely", "high")
    ),
    Column("rate_source", "text", "where the rates come from; rates differ a hundredfold from land to land"),
    Column("cost_per_day", "number", "cost of one of them a day, in the plan's currency", "currency/day", low=0),
    text("season", "months in which it works, first and last: 4-10, or 11-3 across the year's end; blank: all"),
    text("districts", "districts in which it may work, '; ' between; blank: everywhere"),
    Column("available_from", "date", "first day; blank: from the start", required=False, nullable=True),
    Column("available_to", "date", "last day; blank: to the end", required=False, nullable=True),
    SOURCE,
    RECORDED,
    DEFERRED,
)  # fmt: skip

COMMITMENTS: tuple[Column, ...] = (
    id_of("commitment_id", "commitment; made from the file's row where the file has none"),
    text("task_id", "task that was promised; task or hazard must be given"),
    text("hazard_id", "hazard of which all tasks were promised"),
    text("team_id", "team that does it; blank: any that may"),
    Column("until", "date", "day by which the work must be done"),
    Column("reason", "text", "why, in words that may be printed"),
    SOURCE,
    RECORDED,
    DEFERRED,
)  # fmt: skip

#: Entered tables by name.
INPUTS: dict[str, tuple[Column, ...]] = {
    "hazards": HAZARDS,
    "zones": ZONES,
    "accidents": ACCIDENTS,
    "records": RECORDS,
    "legs": LEGS,
    "anchors": ANCHORS,
    "vertices": VERTICES,
    "releases": RELEASES,
    "history": HISTORY,
    "lifelines": LIFELINES,
    "gates": GATES,
    "teams": TEAMS,
    "commitments": COMMITMENTS,
}
