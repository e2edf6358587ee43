"""Minefield records to HAZARDS: reference point, traverse, closure and an honest position error.

A record is a landmark, bearings and distances on an old sheet. Its points are computed in the plane of its own grid,
with the declination of its own year, and moved to the working CRS last. Shape and anchor are separate things:
``reanchor`` moves the shape to a surveyed landmark and keeps both versions.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import AnyCrs, is_metric, operation, parse_crs, working_crs
from clearplan.core.errors import CrsError, FaultsError, TableError
from clearplan.geo.coordinates import read_position
from clearplan.geo.soviet_sheets import neighbours
from clearplan.read.balance import Balance, balance_of
from clearplan.read.rules import Region
from clearplan.records.forms import FIELD_KINDS, Forms, read_forms
from clearplan.records.points import plot
from clearplan.settings.base import check_settings
from clearplan.settings.limits import LimitSettings
from clearplan.settings.sources import RecordSettings
from clearplan.tables.check import Fault, each_row, fault, fault_table
from clearplan.tables.entry import CodeLists
from clearplan.tables.frames import Hazards
from clearplan.tables.record_sheets import RECORDS

Array = np.ndarray[Any, Any]

WGS84 = CRS.from_epsg(4326)
_LIMITS = LimitSettings()

#: A field narrower than this, whose points lie on one line, has no area [m].
MIN_WIDTH_M = 1.0
#: A landmark further than this from the reference point as recorded is shown: a digit may be wrong [m].
FAR_MOVE_M = 5000.0


@dataclass(frozen=True)
class RecordReading:
    """What came out of a record source.

    hazards : HAZARDS, one row a record; the newest version counts
    vertices : VERTICES, one row a point and version, with covariance and R95
    versions : every version of every shape, with who moved it, when and why
    checks : one row a closed or linked traverse: misclosure, its limit, whether it was spread
    forms : the checked rows as they were typed
    """

    hazards: gpd.GeoDataFrame
    vertices: gpd.GeoDataFrame
    versions: gpd.GeoDataFrame
    checks: pd.DataFrame
    faults: pd.DataFrame
    forms: Forms
    source: RecordSettings

    @property
    def operations(self) -> list[str]:
        """The datum operations applied, in words."""
        return sorted(set(self.vertices["operation"].dropna().astype(str)))

    @property
    def balances(self) -> list[Balance]:
        """What became of the rows of each sheet: a row is deferred with its record."""
        reasons = dict(zip(self.hazards["hazard_id"], self.hazards["deferred"], strict=True))
        balances = []
        for table, claimed in self.forms.claimed.items():
            file = self.forms.files[table]
            rows = [reasons.get(record) for (home, _), record in self.forms.home.items() if home == file]
            faults = self.faults[self.faults["file"] == file]
            balances.append(balance_of(table, file, claimed, pd.Series(rows, dtype=object), faults))
        return balances


def read_records(
    path: str | Path, *, region: Region | None = None, working: AnyCrs | None = None, **source: object
) -> Hazards:
    """HAZARDS from minefield records.

    Parameters
    ----------
    path : path
        A workbook with the sheets ``records`` and ``legs`` (``clearplan records template`` makes one), a CSV of records
        with ``legs={"path": ...}``, or an IMSMA point list.
    region : (west, south, east, north) [degrees], optional
        A point outside is a fault; ambiguous coordinates are kept apart by it; chooses the working CRS.
    working : CRS, optional
        Metric CRS of the answer; else chosen from the region, else from the records.
    **source
        Fields of :class:`clearplan.settings.sources.RecordSettings`; ``errors`` is needed.

    Raises
    ------
    FaultsError
        The records break rules (strict reading).
    ReadError, CrsError, SettingsError
        The file can't be read, or an argument is wrong.
    """
    reading = open_records(path, region=region, working=working, **source)
    deferred = int(reading.hazards["deferred"].notna().sum())
    if reading.source.lenient and len(reading.faults):
        warnings.warn(
            f"{path}: read leniently with {len(reading.faults)} faults, {deferred} records deferred; "
            "see column 'deferred' and check_file()",
            stacklevel=2,
        )
    return reading.hazards


def open_records(
    path: str | Path, *, region: Region | None = None, working: AnyCrs | None = None, **source: object
) -> RecordReading:
    """As :func:`read_records`, with every vertex, version and misclosure beside the HAZARDS."""
    settings = check_settings(RecordSettings, {"path": path, **source}, where="read_records()")
    return read_record_source(settings, region=region, working=parse_crs(working) if working else None)


def read_record_source(
    source: RecordSettings,
    *,
    region: Region | None = None,
    working: CRS | None = None,
    as_at: dt.date | None = None,
    code_lists: CodeLists | None = None,
    limits: LimitSettings = _LIMITS,
) -> RecordReading:
    """Read, check and plot one record source.

    Raises
    ------
    FaultsError
        Strict reading found faults of level error or repairable; lenient reading found one that concerns the whole
        file.
    """
    forms = read_forms(source, region=region, as_at=as_at, code_lists=code_lists, limits=limits)
    whole_file = [f for f in forms.faults if f["row"] is None and f["level"] == "error"]
    if whole_file:
        raise FaultsError(fault_table(forms.faults))
    reading = plot_records(forms, source, working=working or _working(forms, region))
    if not source.lenient and reading.faults["level"].isin(["error", "repairable"]).any():
        raise FaultsError(reading.faults)
    return reading


def reanchor(  # noqa: PLR0913 - what a row of ANCHORS states, each by its name
    reading: RecordReading,
    record_id: str,
    coordinates: str,
    *,
    datum: str = "WGS 84",
    grid: str | None = None,
    position_error_m: float,
    anchored_by: str,
    anchored_on: dt.date,
    reason: str,
    landmark: str | None = None,
) -> RecordReading:
    """Move a record's shape to a surveyed landmark; the version before stays, with who, when and why.

    Parameters
    ----------
    reading : RecordReading
    record_id : str
    coordinates : text
        Of the landmark that was the record's first reference point, as measured on the ground; any notation.
    position_error_m : float
        Radius that holds its true position with about 95 % probability [m]; takes the place of the map's error.

    Raises
    ------
    TableError
        The record is unknown, or could not be drawn.
    ValueError
        The coordinates can't be read or lie outside the study's region, the error is no radius, who or why is blank,
        or the day lies in the future.
    """
    if record_id not in set(reading.versions["record_id"]):
        raise TableError(f"record {record_id!r} is unknown or was never drawn; correct its faults first")
    if not (math.isfinite(position_error_m) and position_error_m >= 0):
        raise ValueError(f"position_error_m {position_error_m!r} is no radius|state that of the survey in metres")
    if not anchored_by.strip() or not reason.strip():
        raise ValueError("anchored_by or reason is blank|say who moved the record and why")
    if anchored_on > dt.date.today():
        raise ValueError(f"anchored_on {anchored_on} lies in the future|state the day of the decision")
    position = read_position(coordinates, datum=datum, grid=grid, region=reading.forms.region)
    row = {
        "record_id": record_id,
        "landmark": landmark,
        "coordinates": coordinates,
        "datum": datum,
        "grid": grid,
        "position_error_m": float(position_error_m),
        "anchored_by": anchored_by,
        "anchored_on": pd.Timestamp(anchored_on),
        "reason": reason,
        "row": -1,
        "x": position.x,
        "y": position.y,
        "resolution_m": position.sigma_m,
        "crs": position.crs,
    }
    before = reading.forms.anchors
    added = pd.DataFrame([row], dtype=object)
    anchors = pd.concat([before, added], ignore_index=True) if len(before) else added
    crs = reading.hazards.crs
    assert crs is not None
    return plot_records(replace(reading.forms, anchors=anchors), reading.source, working=crs)


def candidate_anchors(reading: RecordReading, gazetteer: pd.DataFrame) -> pd.DataFrame:
    """Named landmarks that lie within the error of a record's reference point; listed, never chosen.

    Parameters
    ----------
    reading : RecordReading
    gazetteer : DataFrame
        Columns name, longitude, latitude (WGS 84) [degrees]; others are kept.

    Returns
    -------
    DataFrame
        record_id, point_no, landmark (as the record names it), name, distance_m, bearing_deg (true, from the point as
        recorded), r95_m and the gazetteer's further columns; nearest first within each record.
    """
    points = reading.vertices[reading.vertices["r95_m"].notna() & (reading.vertices["version"] == 1)]
    points = points[points["point_kind"] == "reference"]
    crs = reading.hazards.crs
    assert crs is not None
    move, _ = operation(WGS84, crs)
    x, y = move.transform(gazetteer["longitude"].to_numpy(float), gazetteer["latitude"].to_numpy(float))
    named = shapely.points(np.column_stack([x, y]))
    circles = shapely.buffer(points.geometry.to_numpy(), points["r95_m"].to_numpy(float))
    landmark, point = shapely.STRtree(circles).query(named, predicate="intersects")
    own = points.iloc[point].reset_index(drop=True)
    found = gazetteer.iloc[landmark].reset_index(drop=True).add_prefix("gazetteer_")
    found = found.rename(columns={"gazetteer_name": "name"})
    east = x[landmark] - own.geometry.x.to_numpy()
    north = y[landmark] - own.geometry.y.to_numpy()
    table = own[["record_id", "point_no", "landmark", "r95_m"]].join(found)
    table["distance_m"] = np.hypot(east, north)
    table["bearing_deg"] = np.degrees(np.arctan2(east, north)) % 360
    first = ["record_id", "point_no", "landmark", "name", "distance_m", "bearing_deg", "r95_m"]
    rest = [name for name in table.columns if name not in first]
    ordered: pd.DataFrame = table[first + rest].sort_values(["record_id", "point_no", "distance_m"], ignore_index=True)
    return ordered


# --- shapes and hazards ------------------------------------------------------------------------------------------


def plot_records(forms: Forms, source: RecordSettings, *, working: CRS) -> RecordReading:
    """Every version of every record that can be drawn; one with faults of level error stays as a deferred hazard.

    Parameters
    ----------
    forms : Forms
        Checked rows.
    source : RecordSettings
        Standard errors, land class, adjustment, scans.
    working : CRS
        Metric CRS of the answer.

    The shape is the border (or the rows) as recorded; ``position_error_m`` is the largest R95 of its vertices, widened
    by the misclosure where that is a blunder.
    """
    shapes = _shapes_to_draw(forms)
    faults = list(forms.faults)
    scans = _scan_errors(source)
    faults += _unknown_scans(forms, scans)
    vertices, checks = plot(forms, shapes, source, working, scans)
    drawn, crossing = draw_shapes(vertices, len(shapes))
    faults += _shape_faults(forms, shapes, vertices, checks, crossing)
    error = _errors(vertices, checks, shapes)
    versions = _versions(forms, shapes, drawn, error, working).assign(moved_m=_moved_m(vertices, len(shapes)))
    faults += _far_moves(forms, shapes, versions)
    faults += _strayed(forms, vertices)
    faults = _settled(faults, source.lenient)
    return RecordReading(
        hazards=_hazards(forms, source, versions, vertices, checks, faults, working),
        vertices=_with_undrawn(_with_legs(vertices), forms),
        versions=versions,
        checks=checks,
        faults=fault_table(faults),
        forms=forms,
        source=source,
    )


def _shapes_to_draw(forms: Forms) -> pd.DataFrame:
    """One row a shape: record, version (1 is as recorded), and the row in ANCHORS that moved it, or -1."""
    broken = forms.broken
    known = [r for r in forms.records["record_id"].dropna().drop_duplicates() if r not in broken]
    rows = [(record, 1, -1) for record in known]
    count = dict.fromkeys(known, 1)
    if len(forms.anchors):
        days = pd.to_datetime(forms.anchors["anchored_on"])
        for k in np.argsort(days.to_numpy(), kind="stable"):
            record = forms.anchors["record_id"].iloc[k]
            if record in count and pd.notna(forms.anchors["x"].iloc[k]):
                count[record] += 1
                rows.append((record, count[record], int(k)))
    return pd.DataFrame(rows, columns=["record_id", "version", "anchor"])


def draw_shapes(vertices: gpd.GeoDataFrame, count: int) -> tuple[Array, Array]:
    """Borders, rows or points as recorded, one a shape, and where a border crosses itself, its outline before."""
    field = vertices["point_kind"].isin(FIELD_KINDS).to_numpy() & (vertices["closes"].to_numpy(int) < 0)
    own = vertices.loc[field, "shape"].to_numpy(int)
    order = np.argsort(own, kind="stable")
    own = own[order]
    xy = shapely.get_coordinates(vertices.geometry.to_numpy()[field][order])
    kind = vertices.loc[field, "point_kind"].to_numpy(object)[order]
    corners = np.bincount(own, minlength=count)
    in_rows = np.zeros(count, dtype=bool)
    in_rows[own[kind == "row-end"]] = True
    drawn = np.full(count, None, dtype=object)
    border = ~in_rows & (corners > 2)
    at = border[own]
    if at.any():
        # Numbered without gaps: shapely leaves out a ring that has no points.
        _, number = np.unique(own[at], return_inverse=True)
        drawn[border] = shapely.polygons(shapely.linearrings(xy[at], indices=number))
    for shape in np.flatnonzero(~border & (corners > 0)):
        here = own == shape
        drawn[shape] = _rows(xy[here], kind[here]) if in_rows[shape] else _open(xy[here])
    crossing = np.full(count, None, dtype=object)
    broken = ~shapely.is_valid(drawn) & ~shapely.is_missing(drawn)
    crossing[broken] = drawn[broken]
    drawn[broken] = shapely.make_valid(drawn[broken], method="structure", keep_collapsed=False)
    flat = border & (_width_m(np.where(broken, crossing, drawn)) < MIN_WIDTH_M)
    crossing[flat] = np.where(shapely.is_missing(crossing[flat]), drawn[flat], crossing[flat])
    drawn[flat] = shapely.boundary(shapely.convex_hull(shapely.extract_unique_points(crossing[flat])))
    return drawn, crossing


def _open(xy: Array) -> Any:
    return shapely.LineString(xy) if len(xy) > 1 else shapely.Point(xy[0])


def _rows(xy: Array, kind: Array) -> Any:
    """Row lines: each start begins one."""
    begins = np.cumsum(kind == "start")
    lines = [_open(xy[begins == number]) for number in np.unique(begins)]
    return (
        lines[0] if len(lines) == 1 else shapely.MultiLineString([line for line in lines if line.geom_type != "Point"])
    )


def _width_m(shapes: Array) -> Array:
    """Mean width of the hull of a shape [m]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        width = shapely.area(shapes) / (shapely.length(shapes) / 2)
        # A hull is at least as wide as its shape: only the narrow ones are worth the work.
        narrow = ~(width > MIN_WIDTH_M)
        hull = shapely.convex_hull(shapes[narrow])
        width[narrow] = shapely.area(hull) / (shapely.length(hull) / 2)
    return np.asarray(width)


def _errors(vertices: pd.DataFrame, checks: pd.DataFrame, shapes: pd.DataFrame) -> Array:
    """Position error of each shape [m]: largest R95 of its vertices, and the misclosure of a blunder on top."""
    field = vertices["point_kind"].isin(FIELD_KINDS) & (vertices["closes"] < 0)
    largest = vertices.loc[field].groupby("shape")["r95_m"].max().reindex(range(len(shapes)))
    blunders = checks[checks["blunder"]].groupby(["record_id", "version"])["misclosure_m"].max()
    wide = pd.MultiIndex.from_frame(shapes[["record_id", "version"]])
    widest: Array = largest.to_numpy(float) + blunders.reindex(wide).fillna(0.0).to_numpy(float)
    return widest


def _versions(forms: Forms, shapes: pd.DataFrame, drawn: Array, error: Array, working: CRS) -> gpd.GeoDataFrame:
    """Every version of every shape; the last one of each record is current."""
    told = ["landmark", "coordinates", "anchored_by", "anchored_on", "reason"]
    anchor = shapes["anchor"].to_numpy(int)
    moved = anchor >= 0
    columns = {name: np.full(len(shapes), None, dtype=object) for name in told}
    if moved.any():
        for name in told:
            columns[name][moved] = forms.anchors[name].to_numpy(object)[anchor[moved]]
    columns["anchored_on"] = pd.to_datetime(pd.Series(columns["anchored_on"])).astype("datetime64[ms]").to_numpy()
    columns["reason"][~moved] = "as recorded"
    table = shapes[["record_id", "version"]].assign(**columns, position_error_m=error)
    table["current"] = ~table.duplicated("record_id", keep="last")
    return gpd.GeoDataFrame(table, geometry=drawn, crs=working)


def _moved_m(vertices: gpd.GeoDataFrame, count: int) -> Array:
    """How far each version's first reference point lies from that of the record as recorded [m]."""
    known = vertices[vertices["entered_crs"].notna()].drop_duplicates("shape")
    first = known.drop_duplicates("record_id").set_index("record_id").geometry
    apart = shapely.distance(known.geometry.to_numpy(), first.reindex(known["record_id"]).to_numpy())
    moved = np.zeros(count)
    moved[known["shape"].to_numpy(int)] = apart
    return moved


def _strayed(forms: Forms, vertices: gpd.GeoDataFrame) -> list[Fault]:
    """Points of the field that their legs carry out of the region, or beyond the map sheets round the declared one.

    A field may cross the edge of its sheet: a point on the sheet beside it is a warning.
    """
    own = vertices[(vertices["version"] == 1) & vertices["entered_crs"].isna()]
    if not len(own) or (forms.region is None and not forms.sheets):
        return []
    assert own.crs is not None
    xy = own.geometry.x.to_numpy(), own.geometry.y.to_numpy()
    lon, lat = operation(own.crs, WGS84)[0].transform(*xy)
    off_region = np.zeros(len(own), dtype=bool)
    if forms.region is not None:
        west, south, east, north = forms.region
        off_region = (lon < west) | (lon > east) | (lat < south) | (lat > north)
    sheeted = own["record_id"].isin(list(forms.sheets)).to_numpy()
    at = np.flatnonzero(off_region | sheeted)
    sk_lon, sk_lat = operation(own.crs, CRS.from_epsg(4284))[0].transform(xy[0][at], xy[1][at])
    faults, told = [], set()
    rows = zip(own.iloc[at][["record_id", "row", "r95_m"]].itertuples(index=False), at, sk_lon, sk_lat, strict=True)
    for (record, row, r95_m), k, x, y in rows:
        sheet, rule, level = forms.sheets.get(record), "", ""
        if off_region[k]:
            rule, level = "the legs lead out of the declared region", "error"
        elif sheet is not None and not sheet.holds(x, y, r95_m):
            beside = [one.name for one in neighbours(sheet) if one.holds(x, y, r95_m)]
            level = "warning" if beside else "error"
            rule = f"the legs lead off the declared sheet {sheet.name}" + (f" onto {beside[0]}" if beside else "")
        if rule and (record, rule) not in told:
            told.add((record, rule))
            place, remedy = f"{lat[k]:.5f} N {lon[k]:.5f} E", "check bearings and distances, or the sheet or region"
            faults.append(fault(forms.files["legs"], int(row), "distance", place, rule, level, remedy))
    return faults


def _far_moves(forms: Forms, shapes: pd.DataFrame, versions: pd.DataFrame) -> list[Fault]:
    """Anchors so far away that a digit may be wrong."""
    faults = []
    for k in np.flatnonzero(versions["moved_m"].to_numpy() > FAR_MOVE_M):
        row = forms.anchors["row"].iloc[shapes["anchor"].iloc[k]]
        rule = f"landmark lies {versions['moved_m'].iloc[k] / 1000:,.0f} km from the reference point as recorded"
        remedy = "check its coordinates; the record was moved there"
        file = forms.files.get("anchors", "reanchor()")
        faults.append(fault(file, int(row), "coordinates", versions["coordinates"].iloc[k], rule, "warning", remedy))
    return faults


def _shape_faults(
    forms: Forms, shapes: pd.DataFrame, vertices: gpd.GeoDataFrame, checks: pd.DataFrame, crossing: Array
) -> list[Fault]:
    """What only the drawing shows: borders that cross, points on one line, misclosures, references that contradict."""
    file = forms.files["legs"]
    faults = []
    for shape in np.flatnonzero(~shapely.is_missing(crossing) & (shapes["version"] == 1).to_numpy()):
        outline = crossing[shape]
        row = _row_near_crossing(vertices[vertices["shape"] == shape], outline)
        if _width_m(np.array([outline]))[0] < MIN_WIDTH_M:
            rule, remedy = "points of the border lie on one line", "correct a bearing, or make the last point a row-end"
            faults.append(fault(file, row, "bearing", shapes["record_id"][shape], rule, "repairable", remedy))
        else:
            rule, remedy = "border crosses itself", "enter its points in order; lenient reading keeps both lobes"
            after = shapely.make_valid(outline, method="structure", keep_collapsed=False)
            areas = f"{outline.area:.0f} m2 entered, {after.area:.0f} m2 repaired"
            faults.append(fault(file, row, "bearing", areas, rule, "repairable", remedy))
    for check in each_row(checks[checks["blunder"] & (checks["version"] == 1)]):
        length = f"{check.misclosure_m:.0f} m, limit {check.limit_m:.0f} m"
        if check.point_kind == "reference":
            rule = "distance between reference points contradicts their coordinates"
            remedy = "correct the coordinates or the leg; lenient reading widens the record's error by the difference"
            faults.append(fault(file, int(check.row), "distance", length, rule, "repairable", remedy))
        else:
            rule = "misclosure is over 3 sigma: a blunder, not spread over the legs"
            remedy = "check bearings and distances against the sheet; the record's error is widened by it"
            faults.append(fault(file, int(check.row), "closes_on", length, rule, "warning", remedy))
    return faults + _perimeter_faults(forms, shapes, vertices)


def _row_near_crossing(own: gpd.GeoDataFrame, outline: Any) -> int:
    """Row of the corner nearest to where a border first crosses itself; the last corner of one without width."""
    corners = own[own["point_kind"].isin(FIELD_KINDS) & (own["closes"] < 0)]
    found = re.search(r"\[(\S+) (\S+)\]", shapely.is_valid_reason(outline))
    if found is None:
        return int(corners["row"].iloc[-1])
    place = shapely.Point(float(found[1]), float(found[2]))
    return int(corners["row"].iloc[int(np.argmin(shapely.distance(corners.geometry.to_numpy(), place)))])


def _perimeter_faults(forms: Forms, shapes: pd.DataFrame, vertices: gpd.GeoDataFrame) -> list[Fault]:
    """Border whose length is not the one that the record states, by more than a tenth."""
    stated = forms.records.set_index("record_id")["perimeter_m"].dropna()
    faults = []
    for shape, record in shapes.loc[shapes["version"] == 1, "record_id"].items():
        if record not in stated.index:
            continue
        own = vertices[
            (vertices["shape"] == shape) & vertices["point_kind"].isin(FIELD_KINDS) & (vertices["closes"] < 0)
        ]
        xy = shapely.get_coordinates(own.geometry.to_numpy())
        length = float(shapely.LinearRing(xy).length) if len(xy) > 2 else 0.0
        if abs(length - stated[record]) > 0.1 * stated[record]:
            row = int(forms.records.loc[forms.records["record_id"] == record, "row"].iloc[0])
            rule = f"border is {length:.0f} m by its legs"
            remedy = "check the legs against the sheet"
            faults.append(
                fault(forms.files["records"], row, "perimeter_m", f"{stated[record]:.0f}", rule, "warning", remedy)
            )
    return faults


def _scan_errors(source: RecordSettings) -> dict[str, float]:
    """Standard error per axis of each scanned map [m]."""
    if not source.scans:
        return {}
    from clearplan.records.scans import scan_sigma_m

    return {name: scan_sigma_m(path, source.scan_model, crs=source.scan_crs) for name, path in source.scans.items()}


def _unknown_scans(forms: Forms, scans: Mapping[str, float]) -> list[Fault]:
    faults = []
    for name, row in zip(forms.records["scan"], forms.records["row"], strict=True):
        if name is not None and name not in scans:
            rule, remedy = "no such scan", "name its control points under records.scans in plan.toml"
            faults.append(fault(forms.files["records"], int(row), "scan", name, rule, "error", remedy))
    return faults


def _settled(faults: list[Fault], lenient: bool) -> list[Fault]:
    if not lenient:
        return faults
    return [found | {"level": "repaired"} if found["level"] == "repairable" else found for found in faults]


def _hazards(
    forms: Forms,
    source: RecordSettings,
    versions: gpd.GeoDataFrame,
    vertices: gpd.GeoDataFrame,
    checks: pd.DataFrame,
    faults: list[Fault],
    working: CRS,
) -> gpd.GeoDataFrame:
    """HAZARDS, one row a record in the order of the file; what can't be drawn is deferred with its reasons."""
    records = forms.records.reset_index(drop=True)
    current = versions[versions["current"]].set_index("record_id")
    ids = records["record_id"]
    anchors = vertices[(vertices["version"] == 1) & vertices["entered_crs"].notna()].drop_duplicates("record_id")
    anchors = anchors.set_index("record_id")
    # The check that exceeds its limit most; a blunder stands before every other.
    worst = checks[checks["version"] == 1].assign(over=checks["misclosure_m"] / checks["limit_m"])
    worst = (
        worst.sort_values("over", na_position="first").drop_duplicates("record_id", keep="last").set_index("record_id")
    )
    direct = source.direct_evidence_from
    confirmed = records["reliability"] >= direct if direct is not None else pd.Series(False, index=records.index)
    broken = replace(forms, faults=faults).broken
    told = [c.name for c in RECORDS if c.name not in ("record_id", "ordnance", "source", "status")]
    table = pd.DataFrame(
        {
            "hazard_id": ids,
            "kind": "minefield",
            "land_class": np.where(confirmed, "CHA", "SHA"),
            "status": records["status"].fillna("open"),
            "ordnance": records["ordnance"],
            "position_error_m": ids.map(current["position_error_m"]).astype(float),
            "source": records["source"],
            # Known since it was handed over: before that day it was in nobody's table.
            "recorded_on": records["handed_over_on"].fillna(records["laid_on"]),
            "entered_crs": ids.map(anchors["entered_crs"]),
            "entered_geometry": ids.map(_points_as_entered(anchors)),
            "deferred": [("; ".join(dict.fromkeys(broken[r])) if r in broken else None) for r in ids],
            "version": ids.map(current["version"]),
            "misclosure_m": ids.map(worst["misclosure_m"]).astype(float),
            "misclosure_limit_m": ids.map(worst["limit_m"]).astype(float),
            "blunder": ids.map(worst["blunder"]).eq(True),
            "declination_used_deg": ids.map(anchors["declination_deg"]).astype(float),
            **{name: ids.map(anchors[name]) for name in ("declination_source", "convergence_deg", "scale")},
            **{name: records[name] for name in told},
            "sigmas_by_plan": records["sigmas_by_plan"],
        }
    )
    geometry = ids.map(current.geometry).to_numpy(object)
    geometry[pd.isna(geometry)] = None
    geometry[table["deferred"].notna().to_numpy()] = None
    return gpd.GeoDataFrame(table, geometry=geometry, crs=working)


def _with_legs(vertices: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """VERTICES with the point from which each leg leads, in place of the numbers of rows."""
    back = vertices["back"].to_numpy(int)
    numbers = np.array([*vertices["point_no"], None], dtype=object)  # the spare last place answers for -1
    closes = vertices["closes"].to_numpy(int)
    told = {"leg_from": numbers[back], "closes_on": numbers[closes], "is_check": closes >= 0}
    return vertices.drop(columns=["shape", "row", "back", "closes"]).assign(**told)


def _with_undrawn(vertices: gpd.GeoDataFrame, forms: Forms) -> gpd.GeoDataFrame:
    """VERTICES and the rows of records that could not be drawn: what was typed is never lost.

    Points whose coordinates can be read have a place, so that a map can show about where an undrawn field lies.
    """
    lost = forms.legs[~forms.legs["record_id"].isin(vertices["record_id"])]
    if not len(lost):
        return vertices
    assert vertices.crs is not None
    place = np.full(len(lost), None, dtype=object)
    for code in lost["crs"].dropna().unique():
        own = (lost["crs"] == code).to_numpy()
        move, _ = operation(parse_crs(code), vertices.crs)
        place[own] = shapely.points(np.column_stack(move.transform(*lost.loc[own, ["x", "y"]].to_numpy(float).T)))
    typed = lost[[name for name in lost.columns if name in vertices.columns]].assign(
        version=1,
        is_check=lost["closes_on"].notna(),
        leg_from=lost["from_point"],
        entered_crs=lost["crs"],
        entered_x=lost["x"],
        entered_y=lost["y"],
        geometry=place,
    )
    parts = [pd.DataFrame(vertices).astype({"plane_crs": object, "operation": object}), typed]
    together = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return gpd.GeoDataFrame(together.reindex(columns=vertices.columns), geometry="geometry", crs=vertices.crs)


def _points_as_entered(anchors: pd.DataFrame) -> pd.Series:
    xy = anchors[["entered_x", "entered_y"]].to_numpy(float)
    texts = shapely.to_wkt(shapely.points(xy), rounding_precision=-1) if len(xy) else np.array([], dtype=object)
    return pd.Series(texts, index=anchors.index, dtype=object)


def _working(forms: Forms, region: Region | None) -> CRS:
    """Working CRS of the region, or of the records' own points where none is named; in WGS 84 either way."""
    if region is None:
        known = forms.legs[forms.legs["x"].notna()]
        if not len(known) and forms.faults:
            raise FaultsError(fault_table(forms.faults))
        if not len(known):
            raise CrsError("no record has usable coordinates; correct them, or name a region or a working CRS")
        boxes = []
        for code, own in known.groupby("crs"):
            crs = parse_crs(str(code))
            geodetic = crs.geodetic_crs
            if len(known["crs"].unique()) == 1 and is_metric(crs) and geodetic is not None and geodetic == WGS84:
                return crs
            lon, lat = operation(crs, WGS84)[0].transform(own["x"].to_numpy(float), own["y"].to_numpy(float))
            boxes.append((min(lon), min(lat), max(lon), max(lat)))
        corners = np.array(boxes)
        west, south = corners[:, :2].min(axis=0) - 0.01
        east, north = corners[:, 2:].max(axis=0) + 0.01
        region = (float(west), float(south), float(east), float(north))
    return working_crs(region).crs
