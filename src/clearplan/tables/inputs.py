"""Tables that are entered: what a file may hold and what a record's sheets say, column by column."""

from __future__ import annotations

from dataclasses import replace

from clearplan.tables.columns import (
    DEFERRED,
    DISTRICT,
    ERROR,
    ESSENTIAL,
    HAZARD_KIND,
    HAZARD_STATUS,
    LAND_CLASS,
    ORDNANCE,
    REASON,
    RECORDED,
    SOURCE,
    TAIL,
    TEAM_KIND,
    Column,
    coded,
    day,
    id_of,
    number,
    optional,
    public,
    restricted,
    text,
)

# A declaration is read as a table: one column, one or two lines. ``leaves`` is the tier from which on a column leaves
# the house; at the public tier ids, shapes, areas and places leave only as publishing makes them: renamed, laid on
# cells, rounded. Why not more, in short: names, units, forms, devices and what was entered say where mines lie and who
# laid them; days, ages and places say who was hurt; reasons may name people.
# fmt: off

HAZARDS: tuple[Column, ...] = (  # public: an open contact line's alone; all else is published as areas
    id_of("hazard_id", "hazard", "public", "#meta+id+hazard"),
    HAZARD_KIND, LAND_CLASS, HAZARD_STATUS, ORDNANCE, ERROR,
    replace(text("depth_profile", "contact lines: 'distance inner outer; ...' along the line", "partner"), unit="m"),
    coded("measure", "how the depth counts", leaves="partner"),
    coded("sides", "sides of the line", leaves="partner"),
    coded("caps", "ends of the belt", leaves="partner"),
    *public(*TAIL, only=("source", "geometry")),
)

ZONES: tuple[Column, ...] = (
    id_of("zone_id", "zone", "public", "#loc+code+zone", head="id"),
    Column("name", "text", "name of the place", nullable=True, leaves="public", tag="#loc+name", head="place"),
    Column("people", "integer", "people to return or living there; blank is unknown, never 0", "people", nullable=True,
           low=0, leaves="public", tag="#affected+ind", head="people; blank: unknown"),
    *optional(
        Column("families", "integer", "families; blank is unknown", "families", low=0, leaves="public",
               tag="#affected+hh", head="families; blank: unknown"),
    ),
    day("planned_return", "date of the planned return", "public", "#date+return+planned"),
    text("after", "zones that must open first, '; ' between", "partner"),
    text("other_names", "other names of the place, '; ' between", "public", "#loc+name+list+other"),
    ERROR,
    *public(*TAIL, only=("geometry",)),
)

ACCIDENTS: tuple[Column, ...] = (  # public: counts by district and year alone
    id_of("accident_id", "accident", "partner", "#meta+id+accident"),
    Column("occurred_on", "date", "day of the accident; blank is unknown", nullable=True, leaves="partner",
           tag="#date+occurred"),
    coded("device", "class of the device", leaves="partner", tag="#cause+type+device"),
    ERROR,
    *restricted(*TAIL, only=("recorded_on",)),
)

#: Records as they are typed off the sheets; the fields are those of the annex to Amended Protocol II of the CCW
#: (reference points, perimeter, type, number, emplacing method, fuse life, date, anti-handling devices, rows). What
#: the sheets say, who laid what, and from which landmarks, never leaves.
RECORDS: tuple[Column, ...] = (
    id_of("record_id", "record", "restricted", "#meta+id+record"),
    text("record_number", "number of the record in its unit's book"),
    text("unit", "unit that made the record"),
    text("base_sheet", "map sheet of the coordinates, e.g. J-38-010-Б; a point off the sheet is a fault"),
    Column("datum", "text", "datum of the coordinates", codes="datum"),
    text("grid", "EPSG code of the grid, where the digits alone don't tell it"),
    coded("north", "north from which bearings count; needed where there are bearings"),
    coded("angle_unit", "unit of the bearings; needed where there are bearings"),
    coded("distance_unit", "unit of the distances; needed where there are distances"),
    number("pace_m", "length of one pace; needed where distances are in paces", "m", 0.3, 2),
    number("declination_deg", "declination as stated, east positive; else IGRF of laid_on", "°", -60, 60),
    day("laid_on", "date of the record's bearings"),
    *restricted(ORDNANCE),
    text("ordnance_type", "types as the record names them"),
    *optional(Column("ordnance_count", "integer", "number that the record states; blank is unknown", low=0)),
    coded("emplacing_method", "how it was emplaced"),
    number("fuse_life_days", "stated life of the fuses; blank is unknown", "days", 0, 100_000),
    coded("anti_handling", "anti-handling devices"),
    *optional(Column("rows", "integer", "number of rows that the record states", low=0)),
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
    day("handed_over_on", "when it was handed over"),
    text("scan", "scanned map, named under scans in plan.toml, off which coordinates were read"),
    coded("status", "state of the work; blank is open", tag="#status+hazard"),
    *restricted(SOURCE),
)

LEGS: tuple[Column, ...] = (
    Column("record_id", "text", "record to which the point belongs", tag="#meta+id+record"),
    Column("point_no", "text", "number of the point within its record"),
    Column("point_kind", "text", "what the point is", codes="point_kind"),
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
    coded("method", "how the point was fixed", "vertex_method", tag="#modality+name"),
    *optional(*restricted(replace(
        ERROR, meaning="radius that holds the point's true position with about 95 % probability"))),
    text("remark", "what else the record says of the point"),
)

ANCHORS: tuple[Column, ...] = (
    Column("record_id", "text", "record that is moved", tag="#meta+id+record"),
    text("landmark", "landmark that was found on the ground"),
    Column("coordinates", "text", "its coordinates, both in one cell"),
    Column("datum", "text", "datum of these coordinates", codes="datum"),
    text("grid", "EPSG code of the grid, where the digits alone don't tell it"),
    *restricted(replace(ERROR, meaning="radius that holds its true position with about 95 % probability",
                        nullable=False)),
    Column("anchored_by", "text", "who decided it"),
    Column("anchored_on", "date", "when"),
    REASON,
)

VERTICES: tuple[Column, ...] = (
    Column("record_id", "text", "record to which the point belongs", tag="#meta+id+record"),
    Column("point_no", "text", "number of the point within its record"),
    Column("point_kind", "text", "what the point is", codes="point_kind"),
    Column("version", "integer", "1 as recorded, 2 and up re-anchored", low=1),
    *(text(name, f"{name} as written") for name in ("coordinates", "easting", "northing", "bearing", "distance")),
    number("bearing_deg", "the bearing in degrees, from the north that the record names", "°", 0, 360),
    number("distance_m", "the distance in metres, paces at their length", "m", 0, 1e6),
    text("entered_crs", "CRS of the coordinates as entered", tag="#geo+crs+entered"),
    number("plane_x", "easting in the plane of the traverse", "m", -1e8, 1e8),
    number("plane_y", "northing in that plane", "m", -1e8, 1e8),
    text("plane_crs", "plane of the traverse"),
    replace(number("lon", "longitude, WGS 84", "°", -180, 180), tag="#geo+lon"),
    replace(number("lat", "latitude, WGS 84", "°", -90, 90), tag="#geo+lat"),
    number("c_ee", "variance of the easting", "m2", 0, 1e12),
    number("c_en", "covariance of easting and northing", "m2", -1e12, 1e12),
    number("c_nn", "variance of the northing", "m2", 0, 1e12),
    number("r95_m", "radius that holds the true point with 95 % probability", "m", 0, 1e6),
    text("operation", "datum operation that moved the point, with its code"),
    number("operation_accuracy_m", "stated accuracy of that operation", "m", 0, 1e4),
    coded("method", "how the point was fixed", "vertex_method", tag="#modality+name"),
)

#: Land release: events on ground and changes of whole hazards. Both are append-only; nothing in them is ever corrected
#: by changing a row, only by a later one. Public: the ledger by district tells of them.
RELEASES: tuple[Column, ...] = (
    id_of("release_id", "release", "partner", "#meta+id+release"),
    Column("action", "text", "what was decided about the ground", codes="action", leaves="partner",
           tag="#status+release"),
    Column("decided_on", "date", "day from which the decision holds", leaves="partner", tag="#date+approved"),
    Column("decided_by", "text", "who decided: releasing is the national authority's act", leaves="partner",
           tag="#org+decided"),
    *optional(REASON),
    text("operator", "who surveyed or cleared", "partner", "#org+impl"),
    text("method", "how, in the operator's words", "partner", "#modality+name"),
    replace(number("depth_m", "depth to which the ground was cleared; needed where action is cleared", "m", 0, 100),
            leaves="partner", tag="#output+depth+m"),
    text("items", "items found, by device code: 'AP 3; AV 1'; blank is unknown, 'none' is none",
         tag="#item+found+text"),
    text("hazard_id", "hazard that the release is meant for; the ground decides", "partner", "#meta+id+hazard"),
    text("district", "district as stated; the ground decides", "partner", "#adm1+name"),
    ERROR,
    *TAIL,
)

HISTORY: tuple[Column, ...] = (
    id_of("history_id", "change; made from the file's row where the file has none", "partner", "#meta+id+history"),
    Column("hazard_id", "text", "hazard that changed, all of it", leaves="partner", tag="#meta+id+hazard"),
    Column("changed_on", "date", "day from which the change holds", leaves="partner", tag="#date+changed"),
    Column("changed_by", "text", "who decided it", tag="#org+changed"),
    REASON,
    coded("status", "state of the work from that day on; blank: as before", leaves="partner", tag="#status+hazard"),
    coded("land_class", "class of the land from that day on; blank: as before", leaves="partner",
          tag="#event+type+land_class"),
    SOURCE, RECORDED, DEFERRED,
)

#: What a return hangs on beside the mines: lifelines of its zones, and gates that hold work back whatever its rank.
LIFELINES: tuple[Column, ...] = (
    id_of("lifeline_id", "lifeline", "partner", "#meta+id+lifeline"),
    Column("zone_id", "text", "zone that it serves", leaves="partner", tag="#loc+code+zone"),
    Column("kind", "text", "what it is", codes="lifeline_kind", leaves="partner", tag="#service+type"),
    text("name", "name of it", "partner", "#service+name"),
    ESSENTIAL,
    ERROR,
    *TAIL,
)

#: What a gate can hold back; it must name one of these.
GATED = ("zone_id", "hazard_id", "district")

GATES: tuple[Column, ...] = (  # public: reason and until in the words of the code list
    id_of("gate_id", "gate; made from the file's row where the file has none", "public", "#meta+id+gate"),
    Column("kind", "text", "why nobody may start", codes="gate_kind", leaves="public", tag="#access+type"),
    text("zone_id", "zone whose tasks it holds back; zone, hazard or district must be given", "partner",
         "#loc+code+zone"),
    text("hazard_id", "hazard whose tasks it holds back", "partner", "#meta+id+hazard"),
    *optional(replace(DISTRICT, meaning="district whose tasks it holds back, named as in the district layer")),
    *public(replace(REASON, meaning="why, in words that may be printed")),
    Column("until", "text", "what has to happen before work may start, or a date, in words", leaves="public",
           tag="#date+until"),
    day("lifted_on", "day from which it holds nothing back; blank: it still does", "partner", "#date+end+gate"),
    SOURCE, RECORDED, DEFERRED,
)

#: Who works when: teams and what they have been promised to.
TEAMS: tuple[Column, ...] = (
    id_of("team_id", "team, or the group of like teams", "public", "#org+code+team"),
    replace(TEAM_KIND, meaning="what it does"),
    Column("number", "integer", "how many such teams", "teams", low=1, leaves="public", tag="#capacity+num+teams"),
    *(Column(f"rate_{name}", "number", f"ground that one of them works in a day, {name}", "m2/day", low=1e-3,
             leaves="partner", tag=f"#capacity+num+m2_per_day+{name}") for name in ("low", "likely", "high")),
    Column("rate_source", "text", "where the rates come from; rates differ a hundredfold from land to land",
           leaves="partner", tag="#meta+source+rate"),
    Column("cost_per_day", "number", "cost of one of them a day, in the plan's currency", "currency/day", low=0,
           leaves="partner", tag="#value+budget+per_day"),
    text("season", "months in which it works, first and last: 4-10, or 11-3 across the year's end; blank: all",
         "partner"),
    text("districts", "districts in which it may work, '; ' between; blank: everywhere", "partner",
         "#adm1+name+list"),
    day("available_from", "first day; blank: from the start", "partner", "#date+start+team"),
    day("available_to", "last day; blank: to the end", "partner", "#date+end+team"),
    SOURCE, RECORDED, DEFERRED,
)

COMMITMENTS: tuple[Column, ...] = (
    id_of("commitment_id", "commitment; made from the file's row where the file has none", "partner",
          "#meta+id+commitment"),
    text("task_id", "task that was promised; task or hazard must be given", "partner", "#meta+id+task"),
    text("hazard_id", "hazard of which all tasks were promised", "partner", "#meta+id+hazard"),
    text("team_id", "team that does it; blank: any that may", "partner", "#org+code+team"),
    Column("until", "date", "day by which the work must be done", leaves="partner", tag="#date+until"),
    replace(REASON, meaning="why, in words that may be printed"),
    SOURCE, RECORDED, DEFERRED,
)

#: Entered tables by name.
INPUTS: dict[str, tuple[Column, ...]] = {
    "hazards": HAZARDS, "zones": ZONES, "accidents": ACCIDENTS, "records": RECORDS, "legs": LEGS, "anchors": ANCHORS,
    "vertices": VERTICES, "releases": RELEASES, "history": HISTORY, "lifelines": LIFELINES, "gates": GATES,
    "teams": TEAMS, "commitments": COMMITMENTS,
}
