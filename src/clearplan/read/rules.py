"""A file's rows under our names and in our types, judged by the rules; what breaks one becomes a fault."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import is_metric, parse_crs, reprojected, working_crs
from clearplan.core.errors import CrsError, ReadError, SettingsError
from clearplan.geo.shape_faults import MIXED, TWICE, are_finite, check_crs, check_gaps, check_region, check_shapes
from clearplan.geo.shapes import Geometries
from clearplan.read.cells import Slip, days_in, numbers_in, texts_in
from clearplan.read.files import Raw
from clearplan.read.reshaping import closed_lines
from clearplan.settings.sources import SourceSettings
from clearplan.tables.arrow import TAKEN
from clearplan.tables.check import DUPLICATE_ID, FAULT_COLUMNS, Fault, check, fault
from clearplan.tables.columns import Column
from clearplan.tables.entry import CodeLists, RowFault
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import base_columns, declared, id_column

Region = tuple[float, float, float, float]

#: Columns that reading and writing fill in themselves; a file's own of that name is kept as ``own_<name>``.
_OURS = ("deferred", "entered_crs", "entered_geometry", "geometry", "notice")
#: What stands for an id column that a file lacks: its format's own ids, its row numbers, digests of shape and source.
MADE_IDS = ("@fid", "@row", "@hash")
_XY = (("lon", "lat"), ("longitude", "latitude"), ("easting", "northing"))
#: Columns in which a WKT goes on that no cell of a spreadsheet holds.
_WKT_PART = re.compile(r"wkt_\d+")
#: Columns that any table may have in a file.
_PLACES = {"lon", "lat", "geonameid", "crs", "wkt"}


def _refuse_unknown_names(raw: Raw, name: str, source: SourceSettings) -> None:
    """A slip in a name of ours would leave a column unread in silence."""
    known = {c.name for c in base_columns(name)} - set(_OURS) | {c for pair in _XY for c in pair} | {"wkt", "geoshape"}
    for section in ("columns", "codes", "set"):
        for ours in set(getattr(source, section)) - known:
            listed = ", ".join(sorted(known))
            raise SettingsError(f"{raw.file}: {section}.{ours}: {name} has no such column; it has {listed}")


def count_faults(raw: Raw, source: SourceSettings) -> list[Fault]:
    """What says that rows are missing: refused in strict reading, a warning in lenient reading."""
    return [{**found, "level": "warning"} if source.lenient else found for found in raw.lost]


def near_names(raw: Raw, name: str, source: SourceSettings) -> list[Fault]:
    """Warnings of columns whose names are nearly ours: a slip of the pen would leave them unread in silence."""
    known = [c.name for c in base_columns(name)]
    absent = [c for c in known if c not in raw.frame.columns and c not in source.columns]
    own = [str(c) for c in raw.frame.columns if str(c) not in known and c not in source.columns.values()]
    found = {c: get_close_matches(c.strip().casefold(), absent, n=1, cutoff=0.8) for c in own}
    return [
        fault(
            raw.file,
            None,
            theirs,
            "",
            f"column is not read; did you mean {ours[0]}?",
            "warning",
            "correct its name, or map it under columns",
        )
        for theirs, ours in found.items()
        if ours
    ]


def own_columns(raw: Raw, name: str, source: SourceSettings) -> dict[str, str]:
    """The file's columns that are no columns of the table and have a name of ours: each as ``own_<name>``."""
    read = {c.name for c in base_columns(name)} - {*_OURS, *source.columns} | {*source.columns.values(), *_PLACES}
    columns = [str(column) for column in raw.frame.columns]
    names: dict[str, str] = {}
    for column in columns:
        if column in read or _WKT_PART.fullmatch(column):
            continue
        if column in {*_OURS, *TAKEN} or declared(name, column) is not None:
            own = f"own_{column}"
            while own in columns:
                own = f"own_{own}"
            names[column] = own
    return names


def own_name_warnings(raw: Raw, name: str, source: SourceSettings) -> list[Fault]:
    """Warnings of the file's columns that are kept under another name, because clearplan has a column of theirs."""
    rule = "column has the name of one that clearplan fills in; it is kept as {}"
    remedy = "none needed; give it another name if you want it under that"
    return [
        fault(raw.file, None, theirs, "", rule.format(own), "warning", remedy)
        for theirs, own in own_columns(raw, name, source).items()
    ]


def mapped(raw: Raw, name: str, source: SourceSettings) -> pd.DataFrame:
    """The file's columns under our names, its codes as ours, constants filled in; other columns stay."""
    _refuse_unknown_names(raw, name, source)
    frame = _renamed(raw, name, source)
    for ours, value in source.set.items():
        if ours in frame.columns:
            frame[f"{ours}_entered"] = frame[ours]
        numbered = ours == id_column(name) and len(frame) > 1
        frame[ours] = [f"{value}-{k + 1}" for k in range(len(frame))] if numbered else value
    for ours, mapping in source.codes.items():
        if ours not in frame.columns:
            raise SettingsError(f"{raw.file}: codes.{ours} maps a column that is not there; correct its name")
        texts, _ = texts_in(list(frame[ours]))
        cells = zip(frame[ours], texts, strict=True)
        frame[ours] = pd.Series([mapping.get(str(text), cell) for cell, text in cells], index=frame.index, dtype=object)
    return frame


def _renamed(raw: Raw, name: str, source: SourceSettings) -> pd.DataFrame:
    """The file's columns under our names; one of its own that has a name of ours is kept as ``own_<name>``."""
    made = {ours: theirs for ours, theirs in source.columns.items() if theirs in MADE_IDS}
    wanted = {ours: theirs for ours, theirs in source.columns.items() if ours not in made}
    for ours, theirs in wanted.items():
        if theirs not in raw.frame.columns:
            known = ", ".join(map(str, raw.frame.columns)) or "none"
            raise SettingsError(f"{raw.file}: columns.{ours} names {theirs!r}, which the file lacks; it has {known}")
    if len(set(wanted.values())) < len(wanted):
        raise SettingsError(f"{raw.file}: two of our columns map to one of the file's; give each its own")
    ours_of = {theirs: ours for ours, theirs in wanted.items()}
    frame = raw.frame.rename(columns=ours_of | own_columns(raw, name, source))
    for ours, way in made.items():
        if ours != id_column(name):
            raise SettingsError(f"{raw.file}: columns.{ours} = {way!r}: only {id_column(name)} can be made so")
        frame[ours] = _made_ids(raw, way)
    return frame


def _made_ids(raw: Raw, way: str) -> list[str]:
    """Ids of a file that has none: those of its format, numbers of its rows, or digests of shape and source."""
    if way == "@row":
        return [str(row) for row in raw.rows]
    if way == "@fid":
        if not raw.fids:
            raise SettingsError(f"{raw.file}: its format gives no ids to rows; use '@row' or '@hash'")
        return raw.fids
    shapes = [""] * len(raw.rows) if raw.geometry is None else shapely.to_wkb(shapely.normalize(raw.geometry), hex=True)
    tables = raw.frame if raw.geometry is None else raw.frame[[c for c in raw.frame.columns if c == "source"]]
    cells = tables.astype(str).agg("|".join, axis=1) if len(tables.columns) else [""] * len(raw.rows)
    return [sha256(f"{shape}|{cell}".encode()).hexdigest()[:12] for shape, cell in zip(shapes, cells, strict=True)]


def numbered_ids(frame: pd.DataFrame, name: str, raw: Raw, source: SourceSettings) -> list[Fault]:
    """Where ``ids = "number"``: ids that repeat, and blank ones, made unique in the frame; how many there were."""
    identifier = id_column(name)
    if source.ids is None or identifier not in frame.columns:
        return []
    before = frame[identifier]
    frame[identifier] = unique_ids(before, raw.file, raw.rows)
    changed = np.flatnonzero((frame[identifier] != before).to_numpy())
    if not len(changed):
        return []
    first = int(changed[0])
    rule = f"{len(changed)} ids were blank or repeated and got a number, such as {frame[identifier].iloc[first]!r}"
    remedy = "none needed if the rows are different things"
    return [fault(raw.file, raw.rows[first], identifier, before.iloc[first], rule, "warning", remedy)]


def closed_line_faults(
    frame: pd.DataFrame, name: str, geometry: Geometries, raw: Raw, source: SourceSettings
) -> list[Fault]:
    """Lines that end where they begin, and no setting says whether they are areas."""
    if source.closed_lines is not None:
        return []
    rule, remedy = "line ends where it begins: an area's border, or a line?", "set closed_lines = 'area' or 'line'"
    rows = closed_lines(frame, name, geometry)
    return [fault(raw.file, raw.rows[k], "geometry", "", rule, "error", remedy) for k in rows]


def direction_faults(frame: pd.DataFrame, geometry: Geometries, raw: Raw) -> list[Fault]:
    """Parts of a contact line that run against each other where its belt lies on one side: there it changes sides."""
    if not {"kind", "sides"} <= set(frame.columns):
        return []
    one_sided = (frame["kind"] == "contact-line") & frame["sides"].isin(["left", "right"])
    meetings: dict[tuple[float, ...], list[tuple[int, str]]] = {}
    for k in np.flatnonzero(one_sided.to_numpy()).tolist():
        for part in shapely.get_parts(geometry[k]):
            xy = np.round(shapely.get_coordinates(part), 7)
            if len(xy) > 1:
                meetings.setdefault(tuple(xy[0]), []).append((k, "begins"))
                meetings.setdefault(tuple(xy[-1]), []).append((k, "ends"))
    faults = []
    for place, parts in meetings.items():
        if len(parts) == 2 and parts[0][1] == parts[1][1]:
            one, other = (raw.rows[part[0]] for part in parts)
            where = f"rows {one} and {other}" if one != other else f"two parts of row {one}"
            rule = f"{where} run against each other at {place[0]:g}, {place[1]:g}, where the belt would change sides"
            remedy = "turn one of them round, or set sides = 'both'"
            faults.append(fault(raw.file, other, "geometry", frame["sides"].iloc[parts[1][0]], rule, "error", remedy))
    return faults


def entered_geometry(
    raw: Raw, frame: pd.DataFrame, source: SourceSettings, faults: list[Fault]
) -> tuple[Geometries, set[str]]:
    """Shapes as entered, from the file or from coordinate columns, and the columns that were used."""
    if raw.geometry is not None:
        return raw.geometry, set()
    names = {str(c).strip().lower(): c for c in frame.columns}
    if "wkt" in names:
        further = [names[f"wkt_{k}"] for k in range(2, len(names)) if f"wkt_{k}" in names]
        return _from_wkt(_joined(frame, names["wkt"], further), raw, faults), {names["wkt"], *further}
    if "geoshape" in names:
        return _from_geoshapes(frame[names["geoshape"]], raw, faults), {names["geoshape"]}
    for x, y in _XY:
        if x in names and y in names:
            columns = [names[x], names[y]]
            xy = np.column_stack([_coordinates(frame[c], c, raw, source, faults) for c in columns])
            points = np.full(len(frame), None, dtype=object)
            known = ~np.isnan(xy).any(axis=1)
            points[known] = shapely.points(xy[known])
            return points, set(columns)
    raise ReadError(
        f"{raw.file}: no coordinates; name the columns lon and lat, easting and northing, wkt or "
        "geoshape (or map yours to these under 'columns')"
    )


def _coordinates(
    values: pd.Series, column: str, raw: Raw, source: SourceSettings, faults: list[Fault]
) -> np.ndarray[Any, Any]:
    numbers, slips = numbers_in(list(values), source.decimal)
    faults += _listed(slips, column, raw, "error")
    return numbers


def _joined(frame: pd.DataFrame, first: Any, further: Sequence[Any]) -> pd.Series:
    """Texts that were cut, because a cell of a spreadsheet holds 32,767 letters: wkt, wkt_2, wkt_3 ..."""
    whole: pd.Series = frame[first]
    for name in further:
        whole = whole.where(frame[name].isna(), whole.astype(str) + frame[name].astype(str))
    return whole


def _from_wkt(texts: pd.Series, raw: Raw, faults: list[Fault]) -> np.ndarray[Any, Any]:
    shapes = np.full(len(texts), None, dtype=object)
    for k, text in enumerate(texts):
        if isinstance(text, str) and text.strip():
            try:
                shapes[k] = shapely.from_wkt(text)
            except NotImplementedError:
                rule, remedy = "curves can't be read", "save with straight segments"
                faults.append(fault(raw.file, raw.rows[k], "wkt", text, rule, "error", remedy))
            except shapely.errors.GEOSException as error:
                rule, remedy = f"not valid WKT ({str(error).splitlines()[0]})", "correct the text"
                faults.append(fault(raw.file, raw.rows[k], "wkt", text, rule, "error", remedy))
    return shapes


def _listed(slips: list[Slip], column: str, raw: Raw, level: str | None = None) -> list[Fault]:
    """Slips of a column as faults with the file's row numbers; ``level`` in place of that of what can be left blank."""
    return [
        fault(
            raw.file,
            None if slip.at is None else raw.rows[slip.at],
            column,
            slip.value,
            slip.rule,
            level if level and slip.level == "repairable" else slip.level,
            slip.remedy,
        )
        for slip in slips
    ]


def _from_geoshapes(texts: pd.Series, raw: Raw, faults: list[Fault]) -> np.ndarray[Any, Any]:
    """Shapes as ODK and KoBo write them: 'lat lon altitude accuracy; ...', closed for an area."""
    shapes = np.full(len(texts), None, dtype=object)
    for k, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            continue
        try:
            points = [[float(value) for value in part.split()[:2]] for part in text.split(";") if part.strip()]
            xy = [(lon, lat) for lat, lon in points]
        except ValueError:
            rule, remedy = "must be 'latitude longitude altitude accuracy; ...'", "export the answers of the form again"
            faults.append(fault(raw.file, raw.rows[k], "geoshape", text[:80], rule, "error", remedy))
            continue
        if len(xy) == 1:
            shapes[k] = shapely.Point(xy[0])
        elif xy[0] == xy[-1] and len(xy) > 3:
            shapes[k] = shapely.Polygon(xy)
        else:
            shapes[k] = shapely.LineString(xy)
    return shapes


def stated_crs(raw: Raw, source: SourceSettings) -> CRS:
    """The file's CRS, or the one declared for it; never a guess."""
    declared = parse_crs(source.crs) if source.crs else None
    if raw.crs is None and declared is None:
        raise CrsError(f"{raw.file}: states no CRS and none is declared; set crs = 'EPSG:...', it is never guessed")
    if raw.crs is not None and declared is not None and not raw.crs.equals(declared, ignore_axis_order=True):
        raise CrsError(
            f"{raw.file}: is in {raw.crs.name}, but crs declares {declared.name}; drop the declaration or "
            "correct the file"
        )
    crs = raw.crs if raw.crs is not None else declared
    assert crs is not None
    if not (crs.is_geographic or crs.is_projected):
        raise CrsError(f"{raw.file}: {crs.name} gives no place on a map; use longitude and latitude or a projected CRS")
    return crs


def typed(frame: pd.DataFrame, name: str, raw: Raw, source: SourceSettings, faults: list[Fault]) -> pd.DataFrame:
    """Columns in their declared types; what can't be read as such is kept as text beside a blank."""
    for column in base_columns(name):
        if column.name not in frame.columns or column.dtype == "geometry":
            continue
        entered = list(frame[column.name])
        values, slips = _read_column(entered, column, source)
        frame[column.name] = values.set_axis(frame.index)
        faults += _listed(slips, column.name, raw)
        if any(slip.level == "repairable" for slip in slips):
            frame[f"{column.name}_entered"] = pd.Series(texts_in(entered)[0], index=frame.index, dtype=object)
    return frame


def _read_column(cells: list[object], column: Column, source: SourceSettings) -> tuple[pd.Series, list[Slip]]:
    if column.dtype in ("number", "integer"):
        numbers, slips = numbers_in(cells, source.decimal, integer=column.dtype == "integer")
        return pd.Series(numbers), slips
    if column.dtype == "date":
        days, slips = days_in(cells, source.dates, source.time_zone)
        return pd.to_datetime(pd.Series(days, dtype=object)).astype("datetime64[ms]"), slips
    compared = column.codes is not None or column.unique or column.name.endswith("_id")
    texts, slips = texts_in(cells, exact=compared)
    return pd.Series(texts, dtype=object), slips


def geometry_faults(
    name: str,
    frame: pd.DataFrame,
    geometry: Geometries,
    crs: CRS,
    region: Region | None,
    raw: Raw,
    faults: list[Fault],
    own: set[str],
) -> list[Fault]:
    """Faults of shapes; ``faults`` are those of the coordinate columns ``own``, which are not told twice."""
    entry = INPUTS[name]
    line = "kind" in frame.columns and (frame["kind"] == "contact-line").all() and len(frame) > 0
    allowed = ("line",) if line else entry.shapes
    unread = {f["row"] for f in faults if f["level"] == "error" and f["column"] in own | {"wkt"}}
    found = check_shapes(geometry, allowed)
    found = [f for f in found if not (f.rule == "shape is missing" and raw.rows[f.row] in unread)]
    if entry.again:
        found = [f for f in found if f.rule != TWICE or _again(frame, geometry, f.row, entry.again)]
    if entry.mixed:
        found = [f for f in found if f.rule != MIXED]
    contradictions = check_crs(geometry, crs)
    found += contradictions
    if region is not None:
        wrong = {f.row for f in contradictions} if not crs.is_geographic else set()
        found += [f for f in check_region(geometry, crs, region) if f.row not in wrong]
    if entry.gaps and not line and not contradictions:
        metric = crs if is_metric(crs) else _local_metric(geometry, region)
        if metric is not None:
            moved = geometry.copy()
            moved[~are_finite(moved)] = None
            moved = reprojected(moved, crs, metric)
            moved[~are_finite(moved)] = None  # beyond the projection, which is a fault of its own
            found += check_gaps(moved)
    return [fault(raw.file, raw.rows[f.row], f.column, f.value, f.rule, f.level, f.remedy, f.lost) for f in found]


def _again(frame: pd.DataFrame, geometry: np.ndarray[Any, Any], row: int, columns: Sequence[str]) -> bool:
    """Whether an earlier row says the same, by these columns, of the same ground."""
    if not set(columns) <= set(frame.columns):
        return True
    same = (frame[list(columns)] == frame[list(columns)].iloc[row]).all(axis=1)
    before = geometry[np.flatnonzero(same.to_numpy()[:row])]
    return bool(shapely.equals(before, geometry[row]).any())


def _local_metric(geometry: np.ndarray[Any, Any], region: Region | None) -> CRS | None:
    if region is None:
        box = shapely.total_bounds(geometry)
        if not np.isfinite(box).all() or (np.abs(box) > [180, 90, 180, 90]).any() or (box[:2] == box[2:]).any():
            return None
        region = tuple(box)
    return working_crs(region).crs


def schema_faults(frame: pd.DataFrame, name: str, raw: Raw, code_lists: CodeLists | None) -> list[Fault]:
    """Faults of the declared columns, with the file's row numbers."""
    table = frame.assign(geometry=None)
    found = check(table, name, code_lists=code_lists, file=raw.file)
    rows = [raw.rows[int(row)] if pd.notna(row) else None for row in found["row"]]
    found["row"] = pd.Series(rows, index=found.index, dtype=object)
    # Hazards entered twice cover the same ground once; people and accidents would count twice.
    repairable = (found["rule"] == DUPLICATE_ID) & (name in INPUTS and INPUTS[name].covers_once)
    found.loc[repairable, "level"] = "repairable"
    return [fault(*row) for row in found[FAULT_COLUMNS].itertuples(index=False, name=None)]


def row_faults(frame: pd.DataFrame, name: str, raw: Raw, code_lists: CodeLists | None) -> list[Fault]:
    """Faults of the rules that the table's entry names, with the file's row numbers."""
    entry = INPUTS[name]
    broken = [one for rule in entry.rules for one in rule(frame, code_lists)]
    if entry.one_of is not None:
        columns, rule_words, remedy = entry.one_of.columns, entry.one_of.rule, entry.one_of.remedy
        blank = frame.reindex(columns=list(columns)).isna().all(axis=1)
        broken += [RowFault(int(k), columns[0], None, rule_words, "error", remedy) for k in np.flatnonzero(blank)]
    return [fault(raw.file, raw.rows[one.at], *one[1:]) for one in broken]


def unique_ids(ids: pd.Series, file: str, rows: Sequence[int]) -> pd.Series:
    """Ids as they are, but a blank one named by its row and a repeated one numbered."""
    seen: dict[str, int] = {}
    unique = []
    for k, entered in enumerate(ids):
        text = first = entered if isinstance(entered, str) else f"{file} row {rows[k]}"
        while text.casefold() in seen:
            seen[first.casefold()] += 1
            text = f"{first}#{seen[first.casefold()]}"
        seen[text.casefold()] = 1
        unique.append(text)
    return pd.Series(unique, index=ids.index, dtype=object)
