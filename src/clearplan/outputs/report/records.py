"""Quality sheet of each minefield record: sketch with error ellipses, closure, every number with its source; as HTML.

One file, no script, no network; text from data is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import parse_crs, to_working
from clearplan.core.imprint import BOUNDARIES, NOT_FOR_ENTRY, Imprint
from clearplan.outputs.report.html import Page, page, table
from clearplan.records.minefields import RecordReading, candidate_anchors
from clearplan.records.traverse import R95_PER_SIGMA
from clearplan.tables.check import each_row

#: Sheets in one file; more would be too heavy to open. What is left out is said at its head.
MAX_SHEETS = 1000
_WIDTH, _HEIGHT, _MARGIN = 620, 420, 46
_CANDIDATES = 8

_SIGMAS = (
    ("sigma_reference_m", "sigma of the reference point", 1, " m"),
    ("sigma_bearing_deg", "sigma of a bearing", 1, "°"),
    ("sigma_shared_bearing_deg", "sigma shared by all bearings", 1, "°"),
    ("sigma_distance_m", "sigma of a distance", 1, " m"),
    ("sigma_scale", "sigma shared by all distances", 100, " %"),
)


def draw_quality_sheets(
    readings: Sequence[RecordReading],
    imprint: Imprint | None = None,
    *,
    gazetteers: Sequence[pd.DataFrame | None] = (),
) -> Page:
    """One sheet a record: those that could not be drawn first, then blunders, then other faults and warnings.

    Parameters
    ----------
    readings : RecordReading of one or more sources
    imprint : Imprint, optional
        Title and warning at the head, notice at the foot; without it the disclaimers alone.
    gazetteers : DataFrame or None for each reading
        Named landmarks (name, longitude, latitude), listed where they lie within a reference point's error.
    """
    hazards = [hazard for reading in readings for hazard in reading.hazards.to_dict("records")]
    own = _by_record(readings, gazetteers)
    faulty = [h for h in hazards if "faults" in own.get(h["hazard_id"], {})]
    faulty.sort(key=lambda h: (not isinstance(h["deferred"], str), not h["blunder"]))
    ordered = faulty + [h for h in hazards if "faults" not in own.get(h["hazard_id"], {})]
    shown = ordered[:MAX_SHEETS]
    title = "Minefield records" if imprint is None else imprint.title
    notice = f"{NOT_FOR_ENTRY} {BOUNDARIES}" if imprint is None else imprint.foot
    head = _head(shown, hazards, len(faulty), own, title, "" if imprint is None else imprint.warning)
    sheets = [_sheet(hazard, own.get(hazard["hazard_id"], {})) for hazard in shown]
    return page(title, "\n".join([head, *sheets]), notice=notice)


def _by_record(
    readings: Sequence[RecordReading], gazetteers: Sequence[pd.DataFrame | None]
) -> dict[str, dict[str, pd.DataFrame]]:
    """What belongs to each record: points, versions, checks, faults, candidates."""
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for k, reading in enumerate(readings):
        lonlat, _ = to_working(reading.vertices, parse_crs("EPSG:4326"))
        lon, lat = (part(lonlat.geometry.to_numpy()) for part in (shapely.get_x, shapely.get_y))
        gazetteer = gazetteers[k] if k < len(gazetteers) else None
        home = reading.forms.home
        record = [
            home.get((file, row)) for file, row in zip(reading.faults["file"], reading.faults["row"], strict=True)
        ]
        tables = {
            "points": reading.vertices.assign(lon=lon, lat=lat),
            "versions": reading.versions,
            "checks": reading.checks,
            "faults": reading.faults.assign(record_id=pd.Series(record, index=reading.faults.index, dtype=object)),
        }
        if gazetteer is not None:
            tables["candidates"] = candidate_anchors(reading, gazetteer)
        for name, rows in tables.items():
            for identifier, part in rows.groupby("record_id"):
                found.setdefault(str(identifier), {})[name] = part
    return found


def _head(
    shown: list[dict[str, Any]],
    hazards: list[dict[str, Any]],
    faulty: int,
    own: dict[str, dict[str, pd.DataFrame]],
    title: str,
    illustrative: str,
) -> str:
    """Title, what is missing, and a list of all sheets."""
    deferred = sum(isinstance(hazard["deferred"], str) for hazard in hazards)
    words = [f'<h1 id="top">{escape(title)}</h1>']
    if illustrative:
        words.append(f'<p class="loud">{escape(illustrative)}</p>')
    words.append(
        f"<p>{len(hazards)} minefield records. <b>{deferred} could not be drawn</b> and are on no map; "
        f"{faulty} have faults or warnings and stand first.</p>"
    )
    left_out = len(hazards) - len(shown)
    if left_out:
        words.append(f'<p class="loud">{left_out} more records are not shown in this file; it would be too heavy.</p>')
    rows = []
    for hazard in shown:
        record = str(hazard["hazard_id"])
        faults = own.get(record, {}).get("faults")
        told = "; ".join(f"{f.column}: {f.rule}" for f in each_row(faults)) if faults is not None else ""
        link = f'<a href="#{_anchor(record)}">{escape(record)}</a>'
        drawn = _state(hazard) != "NOT DRAWN"
        error = _m(hazard["position_error_m"]) if drawn else "no place known"
        misclosure = "" if pd.isna(hazard["misclosure_m"]) else _m(hazard["misclosure_m"])
        rows.append((link, _state(hazard), error, misclosure, extent_words(hazard) if drawn else "", escape(told)))
    header = ("record", "state", "position error (95 %)", "misclosure", "as recorded", "faults and warnings")
    if rows:
        words.append(table(header, rows))
    return "\n".join(words)


def extent_words(hazard: Mapping[str, Any]) -> str:
    """Size of a record's shape as recorded: area of a border, length of rows, or a point.

    >>> extent_words({"geometry": shapely.box(0, 0, 100, 200)})
    '2.0 ha'
    >>> extent_words({"geometry": shapely.LineString([(0, 0), (300, 0)])})
    'rows of 300 m'
    """
    shape = hazard["geometry"]
    if shape.area:
        return f"{shape.area / 1e4:.1f} ha"
    return f"rows of {shape.length:,.0f} m" if shape.length else "a point"


def _state(hazard: dict[str, Any]) -> str:
    return "NOT DRAWN" if isinstance(hazard["deferred"], str) else str(hazard["land_class"])


def _sheet(hazard: dict[str, Any], own: dict[str, Any]) -> str:
    record = str(hazard["hazard_id"])
    drawn = not isinstance(hazard["deferred"], str)
    parts = [
        f'<section id="{_anchor(record)}">',
        f'<h2>Record {escape(record)} <a class="up" href="#top">all records</a></h2>',
        _facts(hazard),
    ]
    faults = own.get("faults")
    if faults is not None:
        parts.append("<h3>Faults and warnings</h3>" + _faults(faults))
    points = own.get("points")
    if points is not None and drawn:
        parts.append(
            '<div class="pair">'
            + _sketch(record, hazard, points)
            + _numbers(hazard, points, own.get("checks"), own["versions"])
            + "</div>"
        )
        parts.append("<h3>Points: as entered and as computed</h3>" + _points(points, hazard))
    elif not drawn:
        parts.append('<p class="loud">This record could not be drawn: it is a hazard whose place is not known.</p>')
        if points is not None:
            parts.append("<h3>Points as entered</h3>" + _points(points, hazard))
    if own.get("checks") is not None:
        parts.append("<h3>Closure</h3>" + _checks(own["checks"], own["points"]))
    versions = own.get("versions")
    if versions is not None and len(versions) > 1:
        parts.append("<h3>Versions of the anchor</h3>" + _versions(versions))
    if own.get("candidates") is not None and drawn:
        parts.append(
            "<h3>Named landmarks within the error of the reference point</h3>" + _candidates(own["candidates"])
        )
    return "\n".join(parts) + "\n</section>"


def _facts(hazard: dict[str, Any]) -> str:
    shown = (
        ("state", _state(hazard)),
        ("number", hazard.get("record_number")),
        ("unit", hazard.get("unit")),
        ("base sheet", hazard.get("base_sheet")),
        ("datum", hazard.get("datum")),
        ("bearings count from", _joined(_north(hazard), _text(hazard.get("angle_unit")))),
        ("distances in", _unit_of_distance(hazard)),
        ("laid on", _day(hazard.get("laid_on"))),
        ("handed over", _joined(_text(hazard.get("handed_over_by")), _day(hazard.get("handed_over_on")))),
        ("ordnance", _joined(_text(hazard.get("ordnance")), _text(hazard.get("ordnance_type")))),
        ("number stated", _count(hazard.get("ordnance_count"))),
        ("reliability", _trust(hazard["reliability"])),
        ("source", hazard.get("source")),
    )
    items = "".join(f"<div><dt>{name}</dt><dd>{escape(str(value))}</dd></div>" for name, value in shown if value)
    return f"<dl>{items}</dl>"


def _numbers(hazard: dict[str, Any], points: pd.DataFrame, checks: pd.DataFrame | None, versions: pd.DataFrame) -> str:
    """Each number behind the shape, and where it comes from."""
    first = points.iloc[0]
    blunder = checks is not None and bool(checks["blunder"].any())
    told = "largest R95 of the field's points, those of checks aside"
    told += ", widened by the misclosure of a blunder" if blunder else ""
    rows = [("position error, 95 %", _m(hazard["position_error_m"]), told)]
    if pd.notna(hazard["declination_used_deg"]):
        rows.append(("declination", f"{hazard['declination_used_deg']:+.2f}°", str(hazard["declination_source"])))
    rows.append(("convergence", f"{first['convergence_deg']:+.3f}°", f"at the reference point, {first['plane_crs']}"))
    rows.append(("scale", f"{(first['scale'] - 1) * 1e6:+.0f} ppm", f"at the reference point, {first['plane_crs']}"))
    rows += [
        (label, f"{hazard[name] * factor:g}{unit}", _source_of_sigma(hazard, name, len(versions) > 1))
        for name, label, factor, unit in _SIGMAS
        if pd.notna(hazard.get(name))
    ]
    rows.append(("datum operation", f"{first['operation_accuracy_m']:g} m", str(first["operation"])))
    return table(("figure", "value", "source"), [tuple(escape(cell) for cell in row) for row in rows])


def _kind(point: Any) -> str:
    return f"{point.point_kind}, check on {point.closes_on}" if _text(point.closes_on) else str(point.point_kind)


def _faults(faults: pd.DataFrame) -> str:
    rows = [
        tuple(
            escape(_text(cell) or "") for cell in (f.file, f.row, f.level, f.column, f.value, f"{f.rule}; {f.remedy}")
        )
        for f in each_row(faults)
    ]
    return table(("file", "row", "level", "column", "value", "rule; remedy"), rows)


def _source_of_sigma(hazard: dict[str, Any], name: str, moved: bool) -> str:
    told = "plan.toml, records.errors" if name in str(hazard["sigmas_by_plan"]).split() else "stated in the record"
    return f"{told}; v1 only, the surveyed landmark has its own" if moved and name == "sigma_reference_m" else told


def _north(hazard: dict[str, Any]) -> str | None:
    north = _text(hazard.get("north"))
    return f"{north} north" if north else None


def _unit_of_distance(hazard: dict[str, Any]) -> str | None:
    if _text(hazard.get("distance_unit")) != "paces":
        return _text(hazard.get("distance_unit"))
    return f"paces of {hazard['pace_m']:g} m"


def _read_as(point: Any, hazard: dict[str, Any]) -> str:
    """What a point's text was read as: coordinates in a CRS, or a grid bearing and metres, with the way there."""
    if _text(point.notation):
        return (
            "moved to the landmark surveyed, see the versions"
            if point.version > 1
            else (f"{point.notation}, {point.entered_crs}")
        )
    if _text(point.coordinates) or _text(point.easting):
        return "NOT READ, see the faults"
    words = []
    if pd.notna(point.bearing_deg):
        grid, way = float(point.bearing_deg), f"{point.bearing_deg:.2f}°"
        if pd.notna(point.convergence_deg):
            if pd.notna(point.declination_deg):
                grid, way = grid + point.declination_deg, f"{way} {point.declination_deg:+.2f}° decl."
            if hazard.get("north") != "grid":
                grid, way = grid - point.convergence_deg, f"{way} {-point.convergence_deg:+.2f}° conv."
            way += f" = {grid % 360:.2f}° grid"
        words.append(way)
    if pd.notna(point.distance_m):
        words.append(f"{point.distance_m:,.1f} m")
    missing = (_text(point.bearing) and pd.isna(point.bearing_deg)) or pd.isna(point.distance_m)
    return "; ".join([*words, *(["NOT READ, see the faults"] if missing else [])]).replace("-", "\u2212")


def _points(points: pd.DataFrame, hazard: dict[str, Any]) -> str:
    rows = []
    for p in each_row(points):
        entered = _joined(*(_text(getattr(p, name)) for name in ("coordinates", "easting", "northing")))
        entered = entered or _joined(_text(p.bearing), _text(p.distance))
        came_from = f"from {p.leg_from}: " if _text(p.leg_from) and not _text(p.notation) else ""
        place = "not computed" if pd.isna(p.r95_m) else f"{p.lat:.6f}\u00a0N {p.lon:.6f}\u00a0E"
        cells = (
            p.point_no,
            _kind(p),
            _text(p.landmark) or "",
            f"{came_from}{entered}",
            _read_as(p, hazard),
            place,
            _m(p.r95_m),
            _text(p.method) or "not stated",
            f"v{p.version:g}",
        )
        rows.append(tuple(escape(str(cell)) for cell in cells))
    header = ("no", "kind", "landmark", "as entered", "read as", "computed, WGS 84", "R95", "method", "version")
    return table(header, rows)


def _checks(checks: pd.DataFrame, points: pd.DataFrame) -> str:
    rows = []
    meets = dict(zip(points["point_no"], points["closes_on"].map(_text), strict=True))
    for c in each_row(checks[checks["version"] == 1]):
        parts = f" ({c.east_m:+.1f} E, {c.north_m:+.1f} N)" if pd.notna(c.east_m) else ""
        ratio = f"1 : {c.length_m / c.misclosure_m:,.0f}" if c.misclosure_m > 0 else "closes"
        verdict = (
            "BLUNDER: over 3 sigma, not spread"
            if c.blunder
            else ("spread by the compass rule" if c.spread else "within 3 sigma, not spread")
        )
        size, limit, length = f"{c.misclosure_m:.1f} m{parts}", f"{c.limit_m:.1f} m", f"{c.length_m:,.0f} m"
        cells = (
            f"point {c.point_no}, which should meet {meets.get(c.point_no) or 'its own coordinates'}",
            size,
            limit,
            length,
            ratio,
            verdict,
        )
        rows.append(tuple(escape(cell) for cell in cells))
    return table(("leg", "misclosure", "limit (3 sigma)", "length", "ratio", "verdict"), rows)


def _versions(versions: pd.DataFrame) -> str:
    rows = []
    for v in each_row(versions):
        number = f"v{v.version}" + (" (counts)" if v.current else "")
        anchor = (number, _text(v.landmark) or "as in the record", _text(v.coordinates) or "")
        decided = (_text(v.anchored_by) or "", _day(v.anchored_on) or "", _text(v.reason) or "")
        cells = (*anchor, _m(v.moved_m), _m(v.position_error_m), *decided)
        rows.append(tuple(escape(cell) for cell in cells))
    return table(("version", "anchor", "coordinates", "moved by", "position error", "who", "when", "why"), rows)


def _candidates(candidates: pd.DataFrame) -> str:
    near = candidates.head(_CANDIDATES)
    rows = [
        tuple(escape(cell) for cell in (str(c.name_), f"{c.distance_m:.0f} m", f"{c.bearing_deg:.0f}°"))
        for c in each_row(near.rename(columns={"name": "name_"}))
    ]
    more = f"<p>{len(candidates) - len(near)} more lie within it.</p>" if len(candidates) > len(near) else ""
    told = "<p>Listed only: which of them the record means is for a survey on the ground to say.</p>"
    return told + table(("name", "distance from the point as recorded", "bearing (true)"), rows) + more


# --- the sketch --------------------------------------------------------------------------------------------------


def _sketch(record: str, hazard: dict[str, Any], points: pd.DataFrame) -> str:
    """The newest version: field, legs, and the 95 % ellipse of each point, with scale bar and north arrow."""
    own = points[points["version"] == points["version"].max()].reset_index(drop=True)
    xy = own[["plane_x", "plane_y"]].to_numpy(float)
    reach = own["r95_m"].to_numpy(float)[:, None]
    low, high = (xy - reach).min(axis=0), (xy + reach).max(axis=0)
    inside = np.array([_WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN])
    per_m = float((inside / np.maximum(high - low, 1.0)).min())
    middle = (low + high) / 2

    def at(point: Any) -> tuple[float, float]:
        x, y = (np.asarray(point) - middle) * per_m
        return _WIDTH / 2 + float(x), _HEIGHT / 2 - float(y)

    place = {str(row.point_no): at(xy[k]) for k, row in enumerate(each_row(own))}
    drawn = [_ellipse(at(xy[k]), row, per_m) for k, row in enumerate(each_row(own))]
    drawn.append(_field(own, xy, at))
    drawn += _legs(own, xy, at)
    for k, row in enumerate(each_row(own)):
        x, y = at(xy[k])
        mark = (
            f'<path class="ref" d="M{x - 6:.1f} {y + 5:.1f}h12l-6 -11z"/>'
            if row.point_kind == "reference"
            else f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        )
        drawn.append(mark)
    drawn += _labels(own, np.array([at(point) for point in xy]))
    largest = _m(hazard["position_error_m"])
    told = f"Sketch of record {record}: {len(place)} points with their 95 % error ellipses, largest {largest}"
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(told, quote=True)}">'
        + "".join(drawn)
        + _scale_bar(per_m)
        + '<g class="north"><path d="M590 58v-34l-6 12h12l-6 -12"/><text x="585" y="18">N</text></g></svg>'
        f"<figcaption>{_caption(hazard, own)}</figcaption></figure>"
    )


def _caption(hazard: dict[str, Any], own: pd.DataFrame) -> str:
    words = ["Triangle: reference point. Dashed: legs to the field."]
    if own["is_check"].any():
        words.append("Red: misclosure.")
    if hazard["blunder"]:
        words.append(
            "<b>The ellipses do not hold: they cover errors of measurement, and this record has a blunder of "
            f"{_m(hazard['misclosure_m'])}. Its position error counts both.</b>"
        )
    else:
        words.append("Ellipse: holds the true point with 95 % probability.")
    if own["version"].iloc[0] > 1:
        words.append("Drawn where the record was moved to.")
    return " ".join([*words, "North is grid north."])


#: Where a label may stand beside its point, the first choice first [pixels].
_BESIDE = ((7, -6), (7, 15), (-7, -6), (-7, 15), (10, 4), (-10, 4), (0, -11), (0, 21))


def _labels(own: pd.DataFrame, places: Any) -> list[str]:
    """Numbers of points where no other label or point stands; one that ends on a known point is named with it."""
    named = {k: str(row.point_no) for k, row in enumerate(each_row(own))}
    for k, row in enumerate(each_row(own)):
        meets = next((m for m, number in named.items() if number == row.closes_on and m != k), None)
        if meets is not None and math.dist(places[k], places[meets]) < 14:
            named[meets] += f" = {named.pop(k)}"
    texts, taken = [], [(x - 4, y - 4, x + 4, y + 4) for x, y in places]
    for k, text in named.items():
        x, y = places[k]
        boxes = [_label_box(x + right, y + down, text, right) for right, down in _BESIDE]
        crossed = [sum(_crosses(box, other) for other in taken) for box in boxes]
        best = crossed.index(min(crossed))
        right, down = _BESIDE[best]
        taken.append(boxes[best])
        side = "start" if right > 0 else "end" if right < 0 else "middle"
        texts.append(f'<text x="{x + right:.1f}" y="{y + down:.1f}" text-anchor="{side}">{escape(text)}</text>')
    return texts


def _label_box(x: float, y: float, text: str, right: float) -> tuple[float, float, float, float]:
    width = 7.5 * len(text)
    left = x if right > 0 else x - width if right < 0 else x - width / 2
    return left, y - 11, left + width, y + 2


def _crosses(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _ellipse(centre: tuple[float, float], row: Any, per_m: float) -> str:
    middle, half = (row.c_ee + row.c_nn) / 2, math.hypot((row.c_ee - row.c_nn) / 2, row.c_en)
    long_, short = (R95_PER_SIGMA * math.sqrt(max(v, 0.0)) * per_m for v in (middle + half, middle - half))
    turn = math.degrees(math.atan2(2 * row.c_en, row.c_ee - row.c_nn) / 2)
    x, y = centre
    return (
        f'<ellipse class="error" cx="{x:.1f}" cy="{y:.1f}" rx="{long_:.1f}" ry="{short:.1f}" '
        f'transform="rotate({-turn:.2f} {x:.1f} {y:.1f})"/>'
    )


def _field(own: pd.DataFrame, xy: Any, at: Any) -> str:
    field = (own["point_kind"] != "reference").to_numpy() & ~own["is_check"].to_numpy(bool)
    path, rows = "", (own["point_kind"] == "row-end").any()
    for k in np.flatnonzero(field):
        begins = not path or (rows and own["point_kind"].iloc[k] == "start")
        x, y = at(xy[k])
        path += f"{'M' if begins else 'L'}{x:.1f} {y:.1f}"
    return f'<path class="{"rows" if rows else "field"}" d="{path}{"" if rows else "Z"}"/>'


def _legs(own: pd.DataFrame, xy: Any, at: Any) -> list[str]:
    number = {str(no): k for k, no in enumerate(own["point_no"])}
    lines = []
    for k, came_from in enumerate(own["leg_from"]):
        along = own["point_kind"].iloc[max(k - 1, 0)] != "reference" and not own["is_check"].iloc[k]
        if isinstance(came_from, str) and came_from in number and not (number[came_from] == k - 1 and along):
            # Legs from corner to corner lie under the border already.
            (x1, y1), (x2, y2) = at(xy[number[came_from]]), at(xy[k])
            lines.append(f'<line class="leg" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    for k, known in enumerate(own["closes_on"]):
        if isinstance(known, str) and known in number:
            (x1, y1), (x2, y2) = at(xy[k]), at(xy[number[known]])
            lines.append(f'<line class="miss" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    return lines


def _scale_bar(per_m: float) -> str:
    most = 160 / per_m
    power = 10 ** math.floor(math.log10(most))
    length = max(step * power for step in (1, 2, 5) if step * power <= most)
    pixels = length * per_m
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    y = _HEIGHT - 14
    return (
        f'<g class="bar"><path d="M16 {y - 5}v5h{pixels:.1f}v-5"/>'
        f'<text x="{22 + pixels:.1f}" y="{y}">{label}</text></g>'
    )


# --- small words -------------------------------------------------------------------------------------------------


def _anchor(record: object) -> str:
    return "r-" + "".join(c if c.isalnum() else f"_{ord(c):x}" for c in str(record))


def _text(value: Any) -> str | None:
    return None if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value)


def _trust(reliability: Any) -> str | None:
    return None if pd.isna(reliability) else f"{reliability:g} of 1, the planner's own figure"


def _joined(*words: str | None) -> str:
    return ", ".join(word for word in words if word)


def _m(value: Any) -> str:
    return "unknown" if value is None or pd.isna(value) else f"{float(value):,.0f}\u00a0m"


def _count(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else f"{float(value):,.0f}"


def _day(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else pd.Timestamp(value).date().isoformat()
