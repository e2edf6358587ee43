"""Record forms to checked rows: RECORDS, LEGS and ANCHORS from a workbook, from CSV, or from an IMSMA point list.

Every fault comes at once, with sheet, row and column. What the form says is kept as it stands; what is read from it
(position, bearing, distance) stands beside it in columns of its own.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearplan.core.checks import parse_number
from clearplan.core.crs import is_metric, parse_crs
from clearplan.core.errors import CrsError, ReadError
from clearplan.geo.coordinates import GEOGRAPHIC, Reading, last_digit_m, placed_within, read_position
from clearplan.geo.soviet_sheets import Sheet, parse_sheet
from clearplan.read.files import Raw, read_raw
from clearplan.read.rules import Region, count_faults, mapped, near_names, schema_faults, typed, unique_ids
from clearplan.read.spreadsheets import overlong, sheet_names
from clearplan.records.bearings import parse_bearing, parse_distance
from clearplan.settings.limits import LimitSettings
from clearplan.settings.sources import RecordErrors, RecordSettings, SheetSettings, SourceSettings
from clearplan.tables.check import Fault, each_row, fault
from clearplan.tables.entry import CodeLists
from clearplan.tables.record_sheets import ANCHORS, RECORD_TABLES, RECORDS

#: Before this year no minefield of the conflict was recorded; an earlier date is a slip of the pen.
FIRST_YEAR = 1987

#: Kinds of points that are corners of the field or ends of its rows.
FIELD_KINDS = ("start", "turning", "end", "row-end")

#: Columns of the IMSMA import of points from a spreadsheet (IMSMA wiki, "Import Geospatial Data from Excel").
IMSMA_COLUMNS = {
    "record_id": "PolyID",
    "point_no": "PointNo",
    "point_id": "PointID",
    "point_kind": "PointType",
    "easting": "Xcoord",
    "northing": "Ycoord",
    "distance": "Distance",
    "bearing": "Bearing",
    "from_point": "FrPointID",
    "grid": "ProjName",
    "remark": "PointDesc",
}
IMSMA_KINDS = {
    "benchmark": "reference",
    "reference point": "reference",
    "landmark": "reference",
    "start point": "start",
    "turning point": "turning",
    "intermediate point": "turning",
    "end point": "end",
}
#: End of the name of records that stand in no file: an IMSMA list has points alone.
_LIMITS = LimitSettings()
_NO_FILE = " (records)"
#: What is read from LEGS beside the text: position in its CRS [its unit], its resolution and error [m], the leg.
_READ = ("x", "y", "resolution_m", "bearing_deg", "distance_m")


@dataclass
class Forms:
    """Checked rows of one source.

    ``files`` names each table's file, ``home`` the record of each (file, row), ``sheets`` the map sheet of each record
    that names one; ``region`` is that of the study; ``claimed`` has the rows that each sheet holds by its own count.
    """

    records: pd.DataFrame
    legs: pd.DataFrame
    anchors: pd.DataFrame
    files: dict[str, str]
    faults: list[Fault] = field(default_factory=list)
    home: dict[tuple[str, Hashable], str] = field(default_factory=dict)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    region: Region | None = None
    claimed: dict[str, int | None] = field(default_factory=dict)

    @property
    def broken(self) -> dict[str, list[str]]:
        """Records that can't be drawn, with every reason."""
        reasons: dict[str, list[str]] = {}
        for found in self.faults:
            record = self.home.get((found["file"], found["row"]))
            if found["level"] == "error" and record is not None:
                place = f"{found['column']} (row {found['row']} of {found['file']})"
                reasons.setdefault(record, []).append(f"{place}: {found['rule']}")
        return reasons


def read_forms(
    source: RecordSettings,
    *,
    region: Region | None = None,
    as_at: dt.date | None = None,
    code_lists: CodeLists | None = None,
    limits: LimitSettings = _LIMITS,
) -> Forms:
    """Read and check a record source.

    Parameters
    ----------
    source : RecordSettings
    region : (west, south, east, north) [degrees], optional
        A point outside is a fault; also tells ambiguous coordinates apart.
    as_at : date, optional
        Later dates are faults; today when left out.
    limits : LimitSettings
        How large its files may be.

    Raises
    ------
    ReadError, SettingsError
        The file can't be read as records, or a setting names what it lacks.
    """
    raws = _raw_tables(source, limits)
    rows = {name: _rows(name, raw, own, code_lists) for name, (raw, own) in raws.items()}
    faults = [found for _, _, every in rows.values() for found in every]
    files = {name: raw.file for name, (raw, _) in raws.items()}
    records, legs = rows["records"][0], rows["legs"][0]
    records["record_id"] = unique_ids(records["record_id"], files["records"], records["row"].tolist())
    anchors = rows["anchors"][0] if "anchors" in rows else pd.DataFrame(columns=[c.name for c in ANCHORS])
    if not len(records):
        rule, remedy = "file holds no rows", "fill in the sheets records and legs"
        faults.append(fault(files["records"], None, "", "", rule, "error", remedy))
    records["sigmas_by_plan"] = ""
    for name, value in source.errors.model_dump().items():
        stated = records[name].astype(float)
        records.loc[stated.isna(), "sigmas_by_plan"] += f"{name} "
        records[name] = stated.fillna(np.nan if value is None else value)
    today = as_at or dt.date.today()
    faults += _record_faults(records, legs, files["records"], today)
    owners = _owners(records, legs)
    records = _with_unlisted(records, legs, owners, files["legs"])
    faults += _kin_faults(records, legs, anchors, owners, files)
    faults += _row_faults(legs, files["legs"])
    sheets = _sheets(records, files["records"], faults)
    legs = _linked(legs, files["legs"], faults)
    legs = _read_legs(legs, records, sheets, region, source.decimal, files["legs"], faults)
    if len(anchors):
        anchors = _read_anchors(anchors, region, files["anchors"], today, faults)
    home: dict[tuple[str, Hashable], str] = {
        (files[name], int(row)): str(record)
        for name, table in (("records", records), ("legs", legs), ("anchors", anchors))
        if len(table)
        for row, record in zip(table["row"], owners if name == "legs" else table["record_id"], strict=True)
        if row >= 0
    }
    claimed = {name: raw.claimed for name, (raw, _) in raws.items() if not raw.file.endswith(_NO_FILE)}
    return Forms(records, legs, anchors, files, faults, home, sheets, region, claimed)


# --- files to tables ---------------------------------------------------------------------------------------------


def _raw_tables(source: RecordSettings, limits: LimitSettings) -> dict[str, tuple[Raw, SourceSettings]]:
    """Raw rows and the mapping of each table that the source holds."""
    first = _raw(source.path, source.layer, "records", source.encoding, limits)
    if {"polyid", "pointno"} <= {str(name).casefold() for name in first.frame.columns}:
        return _imsma(first, source)
    found: dict[str, tuple[Raw, SourceSettings]] = {"records": (first, source)}
    for name, sheet in (("legs", source.legs), ("anchors", source.anchors)):
        path = sheet.path or source.path
        several = path.suffix.lower() == ".xlsx"
        named = sheet.path is not None or sheet.layer is not None
        if name == "anchors" and not named and not (several and name in sheet_names(path, limits)):
            continue
        if name == "legs" and not named and several and "legs" not in sheet_names(path, limits):
            raise ReadError(
                f"{path}: has no sheet 'legs'; add one with the points of the records, or name it under legs"
            )
        if not several and sheet.path is None:
            raise ReadError(f"{path}: holds records only; name the file of their legs under legs.path")
        found[name] = (_raw(path, sheet.layer, name, sheet.encoding, limits), _as_source(path, sheet, source))
    return found


def _raw(path: Path, layer: str | None, name: str, encoding: str | None, limits: LimitSettings) -> Raw:
    sheets = sheet_names(path, limits) if path.suffix.lower() == ".xlsx" and path.exists() else []
    layer = layer or (name if name in sheets else None)
    raw = read_raw(path, layer=layer, encoding=encoding, limits=limits)
    file = f"{raw.file} [{layer}]" if layer else raw.file
    faults, lost = ([found | {"file": file} for found in listed] for listed in (raw.faults, raw.lost))
    faults += overlong(file, raw.frame, raw.rows)
    return Raw(file, raw.frame, raw.rows, None, None, faults, claimed=raw.claimed, lost=lost)


def _as_source(path: Path, sheet: SheetSettings, source: RecordSettings) -> SourceSettings:
    mapping = {name: getattr(sheet, name) for name in ("columns", "codes", "set", "encoding")}
    return _as_read(source, path).model_copy(update=mapping)


def _as_read(source: RecordSettings, path: Path) -> SourceSettings:
    """A file that is read as the records are."""
    shared = {name: getattr(source, name) for name in ("dates", "decimal", "time_zone", "lenient")}
    return SourceSettings(path=path, **shared)


def _imsma(points: Raw, source: RecordSettings) -> dict[str, tuple[Raw, SourceSettings]]:
    """An IMSMA point list: its rows are LEGS; what is one per record comes from ``set``."""
    ours = {theirs.casefold(): ours for ours, theirs in IMSMA_COLUMNS.items()}
    named = points.frame.rename(columns=lambda name: ours.get(str(name).casefold(), name))
    frame, points = _by_number(named, points)
    kinds = frame["point_kind"] if "point_kind" in frame else pd.Series(None, index=frame.index, dtype=object)
    first = frame["point_no"].map(lambda number: str(number).removesuffix(".0").strip() == "1")
    frame["point_kind"] = [
        ("start" if one else "turning") if pd.isna(kind) else IMSMA_KINDS.get(str(kind).strip().casefold(), kind)
        for kind, one in zip(kinds, first, strict=True)
    ]
    if "grid" in frame:
        frame["grid"] = frame["grid"].map(_imsma_grid)
    once = ~frame["record_id"].duplicated()
    rows = [row for row, keep in zip(points.rows, once, strict=True) if keep]
    records = Raw(f"{points.file}{_NO_FILE}", frame.loc[once, ["record_id"]].reset_index(drop=True), rows, None, None)
    legs = _as_read(source, source.path)
    mapping = source.model_copy(update={"columns": {}, "codes": {}})
    return {
        "records": (records, mapping),
        "legs": (replace(points, frame=frame), legs),
    }


def _by_number(frame: pd.DataFrame, points: Raw) -> tuple[pd.DataFrame, Raw]:
    """The points of each polygon in the order of their numbers, whatever the order of the rows; a gap is a fault."""
    numbers = pd.to_numeric(frame["point_no"], errors="coerce").to_numpy(float)
    polygons = pd.factorize(frame["record_id"])[0]
    order = np.lexsort((np.where(np.isnan(numbers), np.inf, numbers), polygons))
    faults = list(points.faults)
    if not np.array_equal(order, np.arange(len(order))):
        first = int(np.flatnonzero(order != np.arange(len(order)))[0])
        rule = "rows are not in the order of PointNo; the points are drawn by their numbers"
        row, value = points.rows[first], frame["point_no"].iloc[first]
        faults.append(
            fault(points.file, row, "point_no", value, rule, "warning", "none needed if the numbers are right")
        )
    before: dict[int, float] = {}
    for k in order.tolist():
        expected = before.get(polygons[k], 0.0) + 1
        if not np.isnan(numbers[k]) and numbers[k] > expected:
            last = f" to {numbers[k] - 1:g}" if numbers[k] - 1 > expected else ""
            rule = f"point {expected:g}{last} of {frame['record_id'].iloc[k]} is missing"
            remedy = "enter it, or number the points without a gap"
            faults.append(fault(points.file, points.rows[k], "point_no", numbers[k], rule, "error", remedy))
        if not np.isnan(numbers[k]):
            before[polygons[k]] = numbers[k]
    rows = [points.rows[k] for k in order]
    return frame.iloc[order].reset_index(drop=True), replace(points, rows=rows, faults=faults)


def _imsma_grid(name: object) -> object:
    """EPSG code of a projection as IMSMA names it: WGS84, UTM38N, UTM zone 38 N."""
    plain = re.sub(r"[\s_/]|zone", "", str(name).casefold())
    if plain in ("wgs84", "wgs1984"):
        return "EPSG:4326"
    utm = re.fullmatch(r"(?:wgs84|wgs1984)?utm(\d{1,2})(n|s)", plain)
    return f"EPSG:{(32600 if utm[2] == 'n' else 32700) + int(utm[1])}" if utm else name


def _rows(
    name: str, raw: Raw, source: SourceSettings, code_lists: CodeLists | None
) -> tuple[pd.DataFrame, Raw, list[Fault]]:
    """Typed rows under our names with their row numbers, and the faults of their columns."""
    faults = [*raw.faults, *count_faults(raw, source), *near_names(raw, name, source)]
    frame = typed(mapped(raw, name, source), name, raw, source, faults)
    missing: list[str] = []
    for column in RECORD_TABLES[name]:
        if column.name not in frame.columns:
            if column.required:
                missing.append(column.name)
            blank: Any = {"date": "datetime64[ms]", "number": float, "integer": float}.get(column.dtype, object)
            frame[column.name] = pd.Series([None] * len(frame), index=frame.index, dtype=blank)
        elif column.dtype == "text":
            frame[column.name] = frame[column.name].astype(object).where(frame[column.name].notna(), None)
    found = schema_faults(frame.drop(columns=missing), name, raw, code_lists)
    told = {(f["row"], f["column"]) for f in faults}
    faults += [f for f in found if (f["row"], f["column"]) not in told]
    return frame.assign(row=raw.rows), raw, faults


# --- what must hold within and between the tables ----------------------------------------------------------------


def _record_faults(records: pd.DataFrame, legs: pd.DataFrame, file: str, today: dt.date) -> list[Fault]:
    faults = []
    for name in RecordErrors.model_fields:
        for row in records.loc[records[name].isna(), "row"]:
            rule, remedy = "no standard error is stated", "fill it in, or set it under records.errors in plan.toml"
            faults.append(fault(file, int(row), name, "", rule, "error", remedy))
    undated = (records["north"] == "magnetic") & records["laid_on"].isna() & records["declination_deg"].isna()
    for row in records.loc[undated, "row"]:
        rule = "bearings are magnetic, but the record has no date to find the declination of its year"
        faults.append(fault(file, int(row), "laid_on", "", rule, "error", "fill in laid_on, or declination_deg"))
    for column in ("laid_on", "handed_over_on"):
        days = pd.to_datetime(records[column])
        early, late = days < pd.Timestamp(FIRST_YEAR, 1, 1), days > pd.Timestamp(today)
        for k in np.flatnonzero(early | late):
            rule = f"date lies before {FIRST_YEAR}" if early.iloc[k] else f"date lies after {today}"
            value, row = days.iloc[k].date().isoformat(), records["row"].iloc[k]
            faults.append(fault(file, int(row), column, value, rule, "error", "correct the date"))
    return faults + _entered_twice(records, legs, file)


def _entered_twice(records: pd.DataFrame, legs: pd.DataFrame, file: str) -> list[Fault]:
    """Two rows with the same number of the same unit are one record, or one of them is wrong.

    A unit that is left blank may be any; leading zeros of a number say nothing.
    """
    numbered = records[records["record_number"].notna()]
    number = numbered["record_number"].astype(str).str.strip().str.lstrip("0").str.casefold()
    said = [c.name for c in RECORDS if c.name not in ("record_id", "record_number", "source")]
    points = dict(list(legs.groupby("record_id")))
    faults = []
    for _, same in numbered.groupby(number, sort=False):
        rows = list(each_row(same))
        for k, other in enumerate(rows):
            first = next((row for row in rows[:k] if _same_unit(row.unit, other.unit)), None)
            if first is None:
                continue
            differs = [name for name in said if not _equal(getattr(first, name), getattr(other, name))]
            if not _same_points(points.get(first.record_id), points.get(other.record_id)):
                differs.insert(0, "their points")
            words = f"differ in {', '.join(differs[:3])}" if differs else "say the same, point by point"
            rule = f"record number is used twice; rows {first.row} and {other.row} {words}"
            remedy = "keep the right one" if differs else "remove one of them"
            level = "error" if differs else "warning"
            faults.append(fault(file, int(other.row), "record_number", other.record_number, rule, level, remedy))
    return faults


def _same_unit(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one.casefold() == other.casefold()


_SAID_OF_POINTS = ["point_kind", "bearing", "distance", "coordinates", "easting", "northing", "closes_on"]


def _same_points(one: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    """Whether two records were typed with the same legs."""
    if one is None or other is None:
        return one is other
    texts = [own[_SAID_OF_POINTS].fillna("").astype(str).values.tolist() for own in (one, other)]
    return bool(texts[0] == texts[1])


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) or bool(pd.isna(one) and pd.isna(other))


def _owners(records: pd.DataFrame, legs: pd.DataFrame) -> list[str | None]:
    """The record to which each row of LEGS belongs, or most likely belongs where its id is blank or misspelt.

    A row without a record of its own stands in the middle of the record above it: leaving it out would draw that
    field without a corner.
    """
    spelt = {str(record).casefold(): str(record) for record in records["record_id"]}
    owners: list[str | None] = []
    for record in legs["record_id"]:
        above = owners[-1] if owners else None
        owners.append(above if record is None else spelt.get(record.casefold(), record))
    following = None
    for k in range(len(owners) - 1, -1, -1):
        following = owners[k] = owners[k] or following
    return owners


def _with_unlisted(records: pd.DataFrame, legs: pd.DataFrame, owners: list[str | None], file: str) -> pd.DataFrame:
    """RECORDS and a bare row for each record that only LEGS name: a record without its sheet is still a hazard."""
    unlisted = [name for name in dict.fromkeys(owners) if name is not None and name not in set(records["record_id"])]
    if not unlisted:
        return records
    bare = {"ordnance": "unknown", "source": f"{file}, named by its points alone", "row": -1, "sigmas_by_plan": ""}
    rows = pd.DataFrame({"record_id": unlisted} | bare).reindex(columns=records.columns)
    texts = records.dtypes.index[[dtype.kind == "O" for dtype in records.dtypes]]
    rows[texts] = rows[texts].astype(object).where(rows[texts].notna(), None)
    rows = rows.astype(records.dtypes.to_dict())
    return pd.concat([records, rows], ignore_index=True)


def _kin_faults(
    records: pd.DataFrame,
    legs: pd.DataFrame,
    anchors: pd.DataFrame,
    owners: list[str | None],
    files: dict[str, str],
) -> list[Fault]:
    """Records without points, points and anchors without a record, a record or point entered twice."""
    faults = []
    listed = records[records["row"] >= 0]
    known, used = set(listed["record_id"].dropna()), set(owners)
    for name, table in (("legs", legs), ("anchors", anchors)):
        for record, row in zip(table["record_id"], table.get("row", []), strict=True):
            if record is not None and record not in known:
                rule, remedy = "no such record", "add the record, or correct the id"
                faults.append(fault(files[name], int(row), "record_id", record, rule, "error", remedy))
    records = listed
    for record, row in zip(records["record_id"], records["row"], strict=True):
        if record is not None and record not in used:
            rule, remedy = "record has no points", "add its points to the legs"
            faults.append(fault(files["records"], int(row), "record_id", record, rule, "error", remedy))
    field = legs["point_kind"].isin(FIELD_KINDS) & legs["closes_on"].isna()
    for record, own in legs[~legs["record_id"].isin(legs.loc[field, "record_id"])].groupby("record_id"):
        rule, remedy = f"record {record!s} has no point of the field itself", "add its start and turning points"
        faults.append(fault(files["legs"], int(own["row"].iloc[0]), "point_kind", "", rule, "error", remedy))
    twice = legs.duplicated(["record_id", "point_no"]) & legs["point_no"].notna() & legs["record_id"].notna()
    for record, number, row in each_row(legs.loc[twice, ["record_id", "point_no", "row"]]):
        rule, remedy = f"point number stands twice in record {record}", "give each point a number of its own"
        faults.append(fault(files["legs"], int(row), "point_no", number, rule, "error", remedy))
    return faults


def _row_faults(legs: pd.DataFrame, file: str) -> list[Fault]:
    """Starts that would be lost or run together: a row without an end, a second field in one record."""
    faults = []
    field = legs[legs["closes_on"].isna() & legs["point_kind"].isin(FIELD_KINDS)]
    starts = (field["point_kind"] == "start").groupby(field["record_id"]).sum()
    for record, corners in field[field["record_id"].isin(starts.index[starts > 1])].groupby("record_id"):
        kinds = corners["point_kind"].to_numpy(object)
        begins = np.flatnonzero(kinds == "start")
        if "row-end" in kinds:
            ends = [*begins[1:], len(kinds)]
            wrong = [k for k, end in zip(begins, ends, strict=True) if "row-end" not in kinds[k:end]]
            rule, remedy = "row begins here and has no row-end", "add its row-end, or correct point_kind"
        else:
            wrong = list(begins[1:])
            rule = f"record {record} has a second start: two fields in one record would run together"
            remedy = "give each field a record of its own, or end rows with row-end"
        rows = corners["row"].to_numpy(int)
        faults += [fault(file, int(rows[k]), "point_kind", "start", rule, "error", remedy) for k in wrong]
    return faults


def _sheets(records: pd.DataFrame, file: str, faults: list[Fault]) -> dict[str, Sheet]:
    """The map sheet of each record that names one."""
    found = {}
    for record, name, row in zip(records["record_id"], records["base_sheet"], records["row"], strict=True):
        if name is not None:
            try:
                found[record] = parse_sheet(name)
            except ValueError as error:
                faults.append(_told(file, row, "base_sheet", name, error))
    return found


def _told(file: str, row: Any, column: str, value: object, error: Exception) -> Fault:
    rule, _, remedy = str(error).partition("|")
    return fault(file, int(row), column, value, rule, "error", remedy or "correct the cell")


# --- legs --------------------------------------------------------------------------------------------------------


def _linked(legs: pd.DataFrame, file: str, faults: list[Fault]) -> pd.DataFrame:
    """LEGS with ``back``, the position of the point from which each leg leads, and ``closes``; -1 is none."""
    back, closes = np.full(len(legs), -1), np.full(len(legs), -1)
    names: dict[tuple[Any, str], int] = {}
    previous: dict[Any, int] = {}
    columns = ("record_id", "point_no", "point_id", "from_point", "closes_on", "row")
    for k, (record, number, own, came_from, closing, row) in enumerate(zip(*(legs[c] for c in columns), strict=True)):
        back[k] = previous.get(record, -1)
        for column, name, target in (("from_point", came_from, back), ("closes_on", closing, closes)):
            if name is not None:
                target[k] = names.get((record, name), -1)
                if target[k] < 0:
                    rule, remedy = "no such point above this row", "name a point of an earlier row of the record"
                    faults.append(fault(file, int(row), column, name, rule, "error", remedy))
        if closing is None:  # a closing leg makes no point from which the next one could go on
            previous[record] = k
            for column, name in (("point_no", number), ("point_id", own)):
                first = names.setdefault((record, name), k) if name is not None else k
                # A number that stands twice is shown elsewhere.
                if first != k and name != legs["point_no"].iloc[first]:
                    rule, remedy = "two points of the record go by this name", "name each point once"
                    faults.append(fault(file, int(row), column, name, rule, "error", remedy))
    return legs.assign(back=back, closes=closes)


def _read_legs(
    legs: pd.DataFrame,
    records: pd.DataFrame,
    sheets: dict[str, Sheet],
    region: Region | None,
    decimal: str,
    file: str,
    faults: list[Fault],
) -> pd.DataFrame:
    """LEGS with what the text says: x, y in ``crs``, its resolution, bearing and distance."""
    wanted = ["record_id", "datum", "grid", "north", "angle_unit", "distance_unit", "pace_m"]
    of = {row.record_id: row for row in each_row(records.loc[records["row"] >= 0, wanted])}
    read = {name: np.full(len(legs), np.nan) for name in _READ}
    crs, notation = np.full(len(legs), None, dtype=object), np.full(len(legs), None, dtype=object)
    for k, leg in enumerate(each_row(legs)):
        record = of.get(leg.record_id)
        if record is None:
            continue

        def tell(column: str, value: object, error: Exception, row: Any = leg.row) -> None:
            faults.append(_told(file, row, column, value, error))

        position = _position(leg, record, decimal, sheets.get(leg.record_id), region, tell)
        if position is not None:
            read["x"][k], read["y"][k], read["resolution_m"][k] = position.x, position.y, position.sigma_m
            crs[k], notation[k] = position.crs, position.notation
        given = leg.coordinates is not None or leg.easting is not None or leg.northing is not None
        if given and leg.bearing is None and leg.distance is None:
            continue
        if not given and leg.point_kind == "reference" and leg.bearing is None and leg.distance is None:
            tell("coordinates", None, ValueError("reference point has no coordinates|fill them in"))
            continue
        _read_leg(k, leg, record, decimal, read, tell, spare=given and leg.point_kind == "reference")
        if leg.back < 0 and leg.from_point is None:
            rule = "leg leads from nowhere: no point stands above it|begin with a point that has coordinates"
            tell("from_point", None, ValueError(rule))
    return legs.assign(**read, crs=crs, notation=notation)


def _read_leg(k: int, leg: Any, record: Any, decimal: str, read: dict[str, Any], tell: Any, *, spare: bool) -> None:
    """Bearing and distance of one leg; between reference points (``spare``) the distance alone is a check too."""
    try:
        if record.angle_unit is None:
            raise ValueError("the record names no angle_unit|fill it in: degrees, mils-6000 or mils-6400")
        if record.north is None:
            raise ValueError("the record does not say from which north|fill in north: true, grid or magnetic")
        if not (spare and leg.bearing is None):
            read["bearing_deg"][k] = parse_bearing(leg.bearing, record.angle_unit)
    except ValueError as error:
        tell("bearing", leg.bearing, error)
    try:
        if record.distance_unit is None:
            raise ValueError("the record names no distance_unit|fill it in: m or paces")
        pace = None if pd.isna(record.pace_m) else float(record.pace_m)
        read["distance_m"][k] = parse_distance(leg.distance, record.distance_unit, pace_m=pace, decimal=decimal)
    except (ValueError, KeyError) as error:
        tell("distance", leg.distance, error)


def _position(
    leg: Any, record: Any, decimal: str, sheet: Sheet | None, region: Region | None, tell: Any
) -> Reading | None:
    """The point's position as entered; None where it has none or it can't be read."""
    grid = leg.grid or record.grid
    column = "coordinates" if leg.coordinates is not None else "easting"
    value = leg.coordinates if leg.coordinates is not None else leg.easting
    numbers = leg.easting is not None or leg.northing is not None
    if record.datum is None or not (numbers or leg.coordinates is not None):
        return None  # a missing datum is a fault of the record's row
    try:
        if leg.coordinates is not None:
            if numbers:
                raise ValueError("both coordinates and easting or northing are filled in|keep one of them")
            return read_position(leg.coordinates, datum=record.datum, region=region, sheet=sheet, grid=grid)
        return _from_numbers(leg, record.datum, grid, decimal, sheet, region)
    except ValueError as error:
        tell(column, value, error)
        return None
    except CrsError as error:
        tell("grid", grid, ValueError(f"{error}|name the grid as EPSG:..."))
        return None


def _from_numbers(
    leg: Any, datum: str, grid: str | None, decimal: str, sheet: Sheet | None, region: Region | None
) -> Reading:
    if grid is None:
        raise ValueError("easting and northing without a grid|fill in grid as EPSG:..., or write both in coordinates")
    if leg.easting is None or leg.northing is None:
        raise ValueError("one of easting and northing is blank|fill in both")
    crs = parse_crs(grid)
    own = crs.geodetic_crs
    if own is None or own.to_epsg() != int(GEOGRAPHIC[datum].removeprefix("EPSG:")):
        raise ValueError(f"grid {crs.name} is not of the datum {datum}|correct one of them")
    x, y = (parse_number(text.replace(" ", ""), decimal) for text in (leg.easting, leg.northing))
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError("easting or northing is not a number|write digits only")
    # A spreadsheet drops the zeros at a number's end, so the finer of the two tells how both were read off.
    digits = max(
        len(re.split(r"[.,]", text.strip())[-1]) if re.search(r"[.,]", text) else 0
        for text in (leg.easting, leg.northing)
    )
    words = f"easting and northing in {crs.name}" if is_metric(crs) else f"longitude and latitude in {crs.name}"
    resolution_m = last_digit_m(digits, degrees=not is_metric(crs))
    return placed_within(Reading(words, grid, x, y, resolution_m), region=region, sheet=sheet)


def _read_anchors(
    anchors: pd.DataFrame, region: Region | None, file: str, today: dt.date, faults: list[Fault]
) -> pd.DataFrame:
    """ANCHORS with x, y in ``crs`` and the resolution of what was written."""
    for row, day in zip(anchors["row"], pd.to_datetime(anchors["anchored_on"]), strict=True):
        if day > pd.Timestamp(today):
            value, rule = day.date().isoformat(), f"date lies after {today}"
            faults.append(fault(file, int(row), "anchored_on", value, rule, "error", "correct the date"))
    read = {name: np.full(len(anchors), np.nan) for name in ("x", "y", "resolution_m")}
    crs = np.full(len(anchors), None, dtype=object)
    for k, anchor in enumerate(each_row(anchors)):
        if anchor.coordinates is None or anchor.datum is None:
            continue
        try:
            position = read_position(anchor.coordinates, datum=anchor.datum, region=region, grid=anchor.grid)
        except ValueError as error:
            faults.append(_told(file, anchor.row, "coordinates", anchor.coordinates, error))
            continue
        read["x"][k], read["y"][k], read["resolution_m"][k] = position.x, position.y, position.sigma_m
        crs[k] = position.crs
    return anchors.assign(**read, crs=crs)
