"""Files to checked tables in metres: HAZARDS, ZONES, LIFELINES, RELEASES ...; HISTORY and GATES have no shapes.

Strict by default: any fault raises :class:`FaultsError` with the table of all of them. With ``lenient=True`` every
row is kept: one that can't be used is marked ``deferred`` with its reason and has no shape, a stated repair
is applied, and both are listed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import (
    MAX_AREA_ERROR,
    AnyCrs,
    area_error,
    is_metric,
    parse_crs,
    require_metres,
    to_working,
    working_crs,
)
from clearplan.core.errors import CrsError, FaultsError, SettingsError, TableError
from clearplan.core.replacing import refuse_half_exchanged
from clearplan.geo.shape_faults import are_finite, repaired
from clearplan.read.balance import Balance, balance_of, balance_of_refused
from clearplan.read.centroids import at_centroids, centroid_faults
from clearplan.read.files import Raw, read_raw
from clearplan.read.reshaping import made_valid, reshaped, with_areas
from clearplan.read.rules import (
    Region,
    closed_line_faults,
    count_faults,
    direction_faults,
    entered_geometry,
    geometry_faults,
    mapped,
    near_names,
    numbered_ids,
    own_name_warnings,
    row_faults,
    schema_faults,
    stated_crs,
    typed,
    unique_ids,
)
from clearplan.settings.base import check_settings
from clearplan.settings.limits import LimitSettings
from clearplan.settings.project import Project
from clearplan.settings.sources import ContactLineSettings, SourceSettings
from clearplan.tables.check import Fault, fault, fault_table
from clearplan.tables.entry import CodeLists
from clearplan.tables.frames import (
    Accidents,
    Commitments,
    Gates,
    Hazards,
    History,
    Lifelines,
    Releases,
    Teams,
    Zones,
)
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import base_columns, has_shapes, id_column, table_name
from clearplan.tables.texts import write_profile

#: Levels of the index of a table as it was read: where each row stands.
PLACE = ("file", "row")
_LIMITS = LimitSettings()


@dataclass(frozen=True)
class Reading:
    """What came out of a file: the table, its faults, the datum operation applied, and the rows that it claims.

    Rows of the table are labelled with the file and the row where they were read: index levels ``file`` and ``row``.
    """

    table: gpd.GeoDataFrame
    faults: pd.DataFrame
    operation: str
    file: str = ""
    claimed: int | None = None

    def balance(self, name: str) -> Balance:
        """What became of the rows, which are those of a table of this name."""
        return balance_of(name, self.file, self.claimed, self.table["deferred"], self.faults)


class Options(TypedDict, total=False):
    """How a file is read; all but the first two as in :class:`clearplan.settings.sources.SourceSettings`.

    region : (west, south, east, north) [degrees]; coordinates outside are faults; also chooses the working CRS
    working : metric CRS of the answer; else chosen from the region, else from the data
    """

    region: Region | None
    working: AnyCrs | None
    url: str | None
    layer: str | None
    crs: str | None
    encoding: str | None
    dates: str | None
    decimal: str
    columns: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]
    set: Mapping[str, object]
    lenient: bool


def read_hazards(path: str | Path, **options: Unpack[Options]) -> Hazards:
    """HAZARDS from any supported file.

    Parameters
    ----------
    path : path
        Vector file (GDAL, GeoParquet) or table (CSV, XLSX) with lon/lat, easting/northing or wkt columns.
    region : (west, south, east, north) [degrees], optional
        Coordinates outside are faults; also chooses the working CRS.
    working : CRS, optional
        Metric CRS of the answer; else chosen from the region, else from the data.
    **options
        Fields of :class:`clearplan.settings.sources.SourceSettings`: crs, layer, encoding, columns, codes, set, dates,
        decimal, lenient.

    Raises
    ------
    FaultsError
        The data breaks rules (strict reading).
    ReadError, CrsError, SettingsError
        The file can't be read, its CRS is unknown, an argument is wrong.
    """
    return _read("hazards", path, options)


def read_strikes(path: str | Path, **options: Unpack[Options]) -> Hazards:
    """HAZARDS of kind 'cluster-strike'; otherwise as :func:`read_hazards`."""
    return _read("hazards", path, options, always={"kind": "cluster-strike"})


def read_zones(path: str | Path, **options: Unpack[Options]) -> Zones:
    """ZONES; a blank number of people is unknown, never 0. Otherwise as :func:`read_hazards`."""
    return _read("zones", path, options)


def read_accidents(path: str | Path, **options: Unpack[Options]) -> Accidents:
    """ACCIDENTS; otherwise as :func:`read_hazards`."""
    return _read("accidents", path, options)


def read_releases(path: str | Path, **options: Unpack[Options]) -> Releases:
    """RELEASES: events on ground, append-only. Otherwise as :func:`read_hazards`."""
    return _read("releases", path, options)


def read_history(path: str | Path, **options: Unpack[Options]) -> History:
    """HISTORY: changes of status and class of whole hazards, append-only, from a table without shapes.

    ``region`` and ``working`` are taken, so that all readers are called alike, and not used.
    Otherwise as :func:`read_hazards`.
    """
    return pd.DataFrame(_read("history", path, options))


def read_lifelines(path: str | Path, **options: Unpack[Options]) -> Lifelines:
    """LIFELINES: roads, water, schools ... that a zone depends on, as points, lines or polygons in one file.

    Otherwise as :func:`read_hazards`. A road that serves two zones stands in two rows, one for each. A run, which
    knows the zones, warns of those that are not there.
    """
    return _read("lifelines", path, options)


def read_gates(path: str | Path, **options: Unpack[Options]) -> Gates:
    """GATES: what holds tasks back until something happens, from a table without shapes.

    A row names a zone, a hazard or a district; a run, which knows these, warns of those that are not there.
    ``region`` and ``working`` are taken, so that all readers are called alike, and not used. Otherwise as
    :func:`read_hazards`.

    >>> import pathlib, tempfile
    >>> text = ("gate_id,kind,zone_id,reason,until,source\\n"
    ...         "G-1,dispute,RZ-01,two families claim the orchard,the land office has decided,letter 4\\n")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "gates.csv")
    ...     written = path.write_text(text)
    ...     read_gates(path)[["gate_id", "zone_id", "until"]].values.tolist()
    [['G-1', 'RZ-01', 'the land office has decided']]
    """
    return pd.DataFrame(_read("gates", path, options))


def read_teams(path: str | Path, **options: Unpack[Options]) -> Teams:
    """TEAMS: who can work, how fast by whose word, when and where; otherwise as :func:`read_history`."""
    return pd.DataFrame(_read("teams", path, options))


def read_commitments(path: str | Path, **options: Unpack[Options]) -> Commitments:
    """COMMITMENTS: tasks that were promised by a day, and the team that does them; else as :func:`read_history`."""
    return pd.DataFrame(_read("commitments", path, options))


def read_contact_line(
    path: str | Path,
    *,
    depth_m: Sequence[float] | Sequence[Sequence[float]],
    measure: str,
    sides: str,
    caps: str,
    hazard_id: str = "contact-line",
    position_error_m: float | None = None,
    **options: Unpack[Options],
) -> Hazards:
    """HAZARDS of kind 'contact-line', always an indication.

    Parameters
    ----------
    depth_m : (inner, outer), or rows of (distance along the line, inner, outer) [m]
    measure : 'each-side' or 'total'
        Whether the depth counts on each side of the line or across it.
    sides : 'both', 'left' or 'right'
        As seen along the line's direction.
    caps : 'round' or 'flat'

    The file needs a ``source`` column, or ``set={"source": ...}``; otherwise as :func:`read_hazards`.
    """
    belt = {"depth_profile": write_profile(depth_m), "measure": measure, "sides": sides, "caps": caps}
    return _read(
        "hazards", path, options, always=_line_columns(hazard_id) | belt | {"position_error_m": position_error_m}
    )


def contact_line_source(settings: ContactLineSettings) -> SourceSettings:
    """The contact line's settings as those of a plain source."""
    fixed = _line_columns(settings.hazard_id) | {
        "depth_profile": write_profile(settings.widened_depth),
        "measure": settings.measure,
        "sides": settings.sides,
        "caps": settings.caps,
        "position_error_m": settings.position_error_m,
        "source": settings.source,
        "recorded_on": settings.recorded_on,
    }
    plain = {name: getattr(settings, name) for name in SourceSettings.model_fields}
    return SourceSettings(**plain | {"set": fixed | settings.set})


def project_sources(project: Project) -> list[tuple[str, SourceSettings]]:
    """Every file of a table that a project reads, as (table, settings), in the order in which rows stand."""
    lines = [("hazards", contact_line_source(line)) for line in project.contact_line]
    sections = [(table.name, section) for table in INPUTS.values() for section in table.sections]
    return lines + [
        (name, source.model_copy(update={"set": {**section.always, **source.set}}))
        for name, section in sections
        for source in project.files_of(section.name)
    ]


def _line_columns(hazard_id: str) -> dict[str, object]:
    return {
        "hazard_id": hazard_id,
        "kind": "contact-line",
        "land_class": "indication",
        "status": "open",
        "ordnance": "unknown",
    }


def _read(
    name: str, path: str | Path, options: Options, always: Mapping[str, object] | None = None
) -> gpd.GeoDataFrame:
    """A declared table from a file, for the function of the public API that calls this."""
    stated = {key: value for key, value in options.items() if key not in ("region", "working")}
    stated["set"] = {**(always or {}), **options.get("set", {})}
    settings = check_settings(SourceSettings, {"path": path, **stated}, where=f"read_{name}()")
    if settings.url is not None:
        raise SettingsError(f"read_{name}(): reads files; read the url with read_postgis() or read_service() first")
    working = options.get("working")
    reading = read_source(
        name, settings, region=options.get("region"), working=None if working is None else parse_crs(working)
    )
    deferred = int(reading.table["deferred"].notna().sum())
    if settings.lenient and len(reading.faults):
        warnings.warn(
            f"{path}: read leniently with {len(reading.faults)} faults, {deferred} rows deferred; "
            "see column 'deferred' and check_file()",
            stacklevel=3,
        )
    table = reading.table.reset_index(drop=True)
    table.attrs["table"] = name
    return table


def check_file(
    path: str | Path,
    name: str,
    *,
    region: Region | None = None,
    code_lists: CodeLists | None = None,
    limits: LimitSettings = _LIMITS,
    **source: object,
) -> pd.DataFrame:
    """Fault table of a file; empty: all is well.

    ``name`` is the table that it holds, one of ``clearplan.tables.inputs.INPUTS``: 'hazards', 'gates' ...
    """
    return checked_file(path, name, region=region, code_lists=code_lists, limits=limits, centroids=None, **source)[0]


def checked_file(
    path: str | Path,
    name: str,
    *,
    region: Region | None = None,
    code_lists: CodeLists | None = None,
    limits: LimitSettings = _LIMITS,
    centroids: Callable[[gpd.GeoDataFrame], pd.DataFrame] | None = None,
    **source: object,
) -> tuple[pd.DataFrame, Balance]:
    """Fault table of a file as :func:`check_file` gives it, and the balance of its rows.

    Accidents at centroids are among the warnings: by what the file alone says, or by ``centroids``, a function from
    ACCIDENTS to their warnings. Where strict reading refuses the file, the balance is that of lenient reading.
    """
    settings = check_settings(SourceSettings, {"path": path, **source}, where=f"check of {path}")
    raw = read_raw(settings.path, layer=settings.layer, encoding=settings.encoding, limits=limits)
    try:
        reading = _judged(raw, name, settings, region, None, code_lists)
    except FaultsError as error:
        counts = {found["rule"] for found in raw.lost}
        return error.faults, balance_of_refused(name, raw.file, raw.claimed, len(raw.rows), error.faults, counts)
    faults = reading.faults
    if name == "accidents" and len(reading.table):
        listed = _at_centroids if centroids is None else centroids
        faults = pd.concat([faults, listed(reading.table)], ignore_index=True)
    return faults, reading.balance(name)


def _at_centroids(accidents: gpd.GeoDataFrame) -> pd.DataFrame:
    """Warnings of accidents at centroids by what their file alone says."""
    return centroid_faults(accidents, at_centroids(accidents))


def read_source(
    name: str,
    source: SourceSettings,
    *,
    region: Region | None = None,
    working: CRS | None = None,
    code_lists: CodeLists | None = None,
    limits: LimitSettings = _LIMITS,
) -> Reading:
    """Read one source as a declared table.

    Raises
    ------
    FaultsError
        Strict reading found faults of level error or repairable; lenient reading found one that concerns the
        whole file.
    """
    raw = read_raw(source.path, layer=source.layer, encoding=source.encoding, limits=limits)
    return _judged(raw, name, source, region, working, code_lists)


def _judged(
    raw: Raw,
    name: str,
    source: SourceSettings,
    region: Region | None,
    working: CRS | None,
    code_lists: CodeLists | None,
) -> Reading:
    """Raw rows as a declared table; the errors of :func:`read_source`."""
    faults = raw.faults + count_faults(raw, source)
    if not len(raw.frame):
        return _no_rows(name, raw, source, working or working_crs(region).crs if region else working)
    faults += near_names(raw, name, source) + own_name_warnings(raw, name, source)
    frame = mapped(raw, name, source)
    if not has_shapes(name):
        return _read_shapeless(frame, name, raw, source, code_lists, faults)
    entered, own = entered_geometry(raw, frame, source, faults)
    crs = stated_crs(raw, source)
    frame = typed(frame, name, raw, source, faults)
    geometry, changes = reshaped(frame, name, entered, raw, source)
    faults += numbered_ids(frame, name, raw, source) + changes
    faults += closed_line_faults(frame, name, geometry, raw, source)
    faults += direction_faults(frame, geometry, raw)
    faults += geometry_faults(name, frame, geometry, crs, region, raw, faults, own)
    faults += schema_faults(frame, name, raw, code_lists) + row_faults(frame, name, raw, code_lists)
    table, faults_table = _settle(frame, entered, faults, name, raw, source)
    shapes = gpd.GeoDataFrame(table, geometry=made_valid(geometry, table), crs=crs)
    working = working or _working(shapes, region)
    moved, words = to_working(shapes, working)
    if beyond := _beyond_projection(moved, raw, working):
        faults += beyond
        table, faults_table = _settle(frame, entered, faults, name, raw, source)
        moved["deferred"] = table["deferred"]
        moved.loc[table["deferred"].notna().to_numpy(), "geometry"] = None
    # A shape that is valid in degrees can cross itself by a hair in metres.
    crossed = (~moved.geometry.is_valid & moved.geometry.notna()).to_numpy()
    moved.loc[crossed, "geometry"] = repaired(moved.geometry.to_numpy()[crossed])
    moved["entered_crs"] = ":".join(crs.to_authority() or ()) or crs.name
    faults_table = with_areas(faults_table, geometry, moved, crs, raw)
    return Reading(_labelled(moved, raw), faults_table, words, raw.file, raw.claimed)


def _beyond_projection(moved: gpd.GeoDataFrame, raw: Raw, working: CRS) -> list[Fault]:
    """Faults of shapes that have no place in the working CRS: what was projected is infinite."""
    beyond = ~are_finite(moved.geometry.to_numpy())
    rule = f"shape lies where {working.name} gives no place"
    remedy = "correct the coordinates, or the CRS of the file"
    return [fault(raw.file, raw.rows[k], "geometry", "", rule, "error", remedy) for k in np.flatnonzero(beyond)]


def _read_shapeless(
    frame: pd.DataFrame,
    name: str,
    raw: Raw,
    source: SourceSettings,
    code_lists: CodeLists | None,
    faults: list[Fault],
) -> Reading:
    """A table without shapes: no CRS, no region; ids are made from the rows where the file has none."""
    if id_column(name) not in frame.columns:
        frame.insert(0, id_column(name), [f"{raw.file} row {row}" for row in raw.rows])
    # A file that fills but one of these leaves the others out; whoever looks them up needs them all.
    one_of = INPUTS[name].one_of
    needed = () if one_of is None else one_of.columns
    frame[[column for column in needed if column not in frame.columns]] = None
    frame = typed(frame, name, raw, source, faults)
    faults += numbered_ids(frame, name, raw, source)
    faults += schema_faults(frame, name, raw, code_lists) + row_faults(frame, name, raw, code_lists)
    shapeless = np.full(len(frame), None, dtype=object)
    table, listed = _settle(frame, shapeless, faults, name, raw, source)
    table = table.drop(columns=["entered_crs", "entered_geometry"])
    return Reading(_labelled(table, raw), listed, "", raw.file, raw.claimed)


def _labelled(table: pd.DataFrame, raw: Raw) -> pd.DataFrame:
    """A table whose rows are labelled with the file and the row where they were read."""
    return table.set_axis(pd.MultiIndex.from_product([[raw.file], raw.rows], names=PLACE), axis="index")


def _no_rows(name: str, raw: Raw, source: SourceSettings, working: CRS | None) -> Reading:
    """An empty file is an empty table where that was asked for; an export that failed looks the same."""
    level, remedy = (
        ("warning" if source.lenient else "error"),
        "export it again, or read with lenient = true if it is so",
    )
    empty = fault(raw.file, None, "", "", "file holds no rows", level, remedy)
    faults = fault_table([empty, *count_faults(raw, source)])
    if not source.lenient:
        raise FaultsError(faults)
    if working is None and has_shapes(name):
        raise CrsError(f"{raw.file}: holds no rows to choose a working CRS from; name a region or a working CRS")
    return Reading(empty_table(name, working), faults, "nothing to reproject", raw.file, raw.claimed)


def combine(*tables: gpd.GeoDataFrame, table: str | None = None) -> gpd.GeoDataFrame:
    """One table from several of the same kind, in the same CRS, ids all different.

    ``table`` is its name, such as 'accidents'; else as in :func:`clearplan.tables.lookup.table_name`.

    Raises
    ------
    CrsError
        The CRS differ, or are not metric.
    TableError
        An id stands in two tables.
    """
    name = table_name(tables[0], table)
    crs = require_metres(*tables) if has_shapes(name) else None
    filled = [table for table in tables if len(table)]
    if not filled:
        return tables[0].copy()
    columns = list(dict.fromkeys(c for table in filled for c in table.columns if c != "geometry"))
    parts = [pd.DataFrame(table).reindex(columns=columns).astype(object) for table in filled]
    together = pd.concat(parts, ignore_index=True)
    for column in base_columns(name):
        if column.name in together.columns and column.dtype in ("number", "integer"):
            together[column.name] = pd.to_numeric(together[column.name]).astype(float)
        elif column.name in together.columns and column.dtype == "date":
            together[column.name] = pd.to_datetime(together[column.name]).astype("datetime64[ms]")
        elif column.name in together.columns:
            together[column.name] = together[column.name].where(together[column.name].notna(), None)
    for own in set(columns) - {column.name for column in base_columns(name)}:
        if all(pd.api.types.is_numeric_dtype(table[own]) for table in filled if own in table.columns):
            together[own] = pd.to_numeric(together[own]).astype(float)
    ids = together[id_column(name)].str.casefold()
    if ids.duplicated().any():
        twice = together.loc[ids.duplicated(), id_column(name)].iloc[0]
        raise TableError(f"{id_column(name)} {twice!r} stands in two files; give each row an id of its own")
    if crs is None:
        return together
    return gpd.GeoDataFrame(together, geometry=np.concatenate([table.geometry.to_numpy() for table in filled]), crs=crs)


def empty_table(name: str, crs: CRS | None) -> gpd.GeoDataFrame:
    """A declared table without rows; HISTORY and GATES have no shapes and need no CRS."""
    columns = {c.name: pd.Series(dtype="float64" if c.dtype == "number" else object) for c in base_columns(name)}
    dates = {c.name: pd.Series(dtype="datetime64[ms]") for c in base_columns(name) if c.dtype == "date"}
    if columns.pop("geometry", None) is None:
        return pd.DataFrame(columns | dates)
    return gpd.GeoDataFrame(columns | dates, geometry=gpd.GeoSeries([], crs=crs), crs=crs)


#: Number columns of ranked TASKS beside those of the criteria.
_RANKED_NUMBERS = (
    "score",
    "people_assumed",
    "zones_unknown",
    "probability_assumed",
    "expected_m2",
    "low_m2",
    "high_m2",
    "mean_low_m2",
    "mean_high_m2",
    "holds_any",
    "relative",
    "known_m2",
    "unknown_m2",
    "first_share",
    "class_share",
    "clear_all_cost",
    "survey_first_cost",
    "survey_saves",
    "survey_harm",
    "break_even_p",
    "break_even_p_costs",
)


def read_ranked(path: str | Path) -> pd.DataFrame:
    """Ranked TASKS from a run's plan.gpkg, without shapes.

    Raises
    ------
    MissingFileError, ReadError
        There is no such file, or it is no clearplan result.
    """
    refuse_half_exchanged(Path(path).parent)
    frame = read_raw(Path(path), layer="tasks").frame
    own = [c for c in frame.columns if c.startswith("c_") and not c.endswith(("_zones", "_elsewhere"))]
    numbers = own + [c for c in frame.columns if c in _RANKED_NUMBERS]
    ranks = [c for c in ("rank", "rank_low", "rank_high") if c in frame.columns]
    return frame.assign(
        **{c: pd.to_numeric(frame[c]).astype(float) for c in numbers},
        **{c: pd.to_numeric(frame[c]).astype("Int64") for c in ranks},
    )


def _settle(
    frame: pd.DataFrame,
    geometry: np.ndarray[Any, Any],
    faults: list[Fault],
    name: str,
    raw: Raw,
    source: SourceSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Refuse the file, or (lenient) defer and repair row by row."""
    whole_file = [f for f in faults if f["row"] is None and f["level"] == "error"]
    serious = [f for f in faults if f["level"] in ("error", "repairable")]
    if whole_file or (serious and not source.lenient):
        raise FaultsError(fault_table(faults))
    reasons: dict[int, list[str]] = {}
    number: dict[Hashable, int] = {row: k for k, row in enumerate(raw.rows)}
    identifier = id_column(name)
    for f in faults:
        if f["level"] == "error":
            reasons.setdefault(number[f["row"]], []).append(f"{f['column']}: {f['rule']}")
        elif f["level"] == "repairable":
            f["level"] = "repaired"
    table = frame.copy()
    table["entered_crs"] = None
    table["entered_geometry"] = shapely.to_wkt(geometry, rounding_precision=-1, output_dimension=4)
    table["deferred"] = pd.Series(
        ["; ".join(dict.fromkeys(reasons[k])) if k in reasons else None for k in range(len(table))],
        dtype=object,
    )
    if identifier in table.columns:
        table[identifier] = unique_ids(table[identifier], raw.file, raw.rows)
    return table, fault_table(faults)


def _working(table: gpd.GeoDataFrame, region: Region | None) -> CRS:
    if region is None:
        own: CRS | None = table.crs
        moved = table.geometry.to_crs(4326) if own is not None and is_metric(own) else table.geometry
        box = moved.total_bounds
        if not np.isfinite(box).all():
            raise CrsError("no row has usable coordinates; correct them, or name a region or working CRS")
        region = (box[0] - 0.01, box[1] - 0.01, box[2] + 0.01, box[3] + 0.01)
        # A CRS in metres is kept where its metres are metres on the ground: Web Mercator's are not.
        if own is not None and is_metric(own) and area_error(own, region) <= MAX_AREA_ERROR:
            return own
    return working_crs(region).crs
