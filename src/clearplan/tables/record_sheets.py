"""Sheets of minefield records: what is typed off the paper, and the points that are computed from it."""

from __future__ import annotations

from dataclasses import replace

from clearplan.tables.columns import (
    ERROR,
    ORDNANCE,
    REASON,
    SOURCE,
    Column,
    coded,
    day,
    id_of,
    number,
    optional,
    restricted,
    text,
)

# A declaration is read as a table: one column, one or two lines.
# fmt: off

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

#: Tables of records by name.
RECORD_TABLES: dict[str, tuple[Column, ...]] = {
    "records": RECORDS, "legs": LEGS, "anchors": ANCHORS, "vertices": VERTICES,
}
