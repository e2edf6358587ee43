"""What decided a run's numbers: hashes of inputs, settings, versions, datum operations; and what must be read first."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from clearplan.core.crs import WorkingCrs, geodesic_length_m
from clearplan.core.reason import Reason, ground_of
from clearplan.core.version import __version__
from clearplan.outputs.gis.geopackage import gdal_version
from clearplan.outputs.people_facts import ReturnTarget, people_of, people_record
from clearplan.read.json_files import CUT_SHORT
from clearplan.read.snapshot import Snapshot
from clearplan.settings.project import Project
from clearplan.settings.sources import ContactLineSettings, KnownSource
from clearplan.study.inputs import Inputs
from clearplan.tables.check import placed
from clearplan.tables.codes import CODE_LISTS_VERSION
from clearplan.tables.entry import InputTable
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import id_column

_LIBRARIES = (
    "highspy",
    "geopandas",
    "shapely",
    "pyproj",
    "pyogrio",
    "pandas",
    "numpy",
    "folium",
    "xstatic-leaflet",
    "rasterio",
    "ppigrf",
    "mgrs",
    "openpyxl",
    "scipy",
)


def record_run(  # noqa: PLR0913 - all that decides a run and all that it made, each by its name
    project: Project,
    copies: Snapshot,
    folder: Path,
    frame: WorkingCrs,
    read: Inputs,
    known: Inputs,
    tables: Mapping[str, Any],
    books: Mapping[str, pd.DataFrame],
    *,
    written: dt.date,
    first: Sequence[Reason] = (),
    doubts: Sequence[Reason | str] = (),
    unweighed: Sequence[str] = (),
    beyond: pd.DataFrame,
) -> dict[str, Any]:
    """run.json without its time stamp: all that decides the numbers, and the numbers.

    Parameters
    ----------
    project : Project
        With the paths of the user's files.
    copies : Snapshot
        What was read in their place.
    folder : Path
        Paths count as seen from here.
    frame : WorkingCrs
    read, known : Inputs
        All that the files hold, and what of it was known at the day.
    tables : mapping
        The tables that the run made of it.
    books : mapping
        net_area, ledger and bridge, where there are such.
    written : date
        ``study.as_at`` as the plan has it, which the run's own day may precede or follow.
    first : list of Reason
        What must be read before all else.
    doubts : list of Reason or text
        What speaks against weights or criteria.
    unweighed : list of text
        Evidence that the tables hold and that no term of the surface weighs.
    beyond : DataFrame
        Areas and releases that reach beyond the state whose ground counts.
    """
    settings = project.model_dump(mode="json", exclude={"outputs", "limits"})  # which decide no figure
    decisive = _decisive(copies.hashes(folder), settings, folder, frame.words, known.operations)
    record = {"fingerprint": _digest(decisive)} | decisive
    record["counts"] = {name: len(table) for name, table in tables.items()}
    record["deferred"] = {n: int(t["deferred"].notna().sum()) for n, t in tables.items() if "deferred" in t}
    record["balance"] = [asdict(balance) for balance in read.balance]
    record["contact_lines"] = _line_lengths(project, tables["hazards"], known.lines)
    record["beyond"] = json.loads(beyond.to_json(orient="records", double_precision=3))
    record["known_sources"] = [source.model_dump(mode="json") for source in project.known_sources]
    targets = [ReturnTarget(**target.model_dump()) for target in project.return_targets]
    record["people"] = people_record(people_of(tables["zones"], targets))
    for name, table in books.items():
        record[name] = json.loads(table.to_json(orient="records", double_precision=3))
    rows = pd.to_numeric(known.faults["row"]).astype("Int64").astype(object)
    record["faults"] = json.loads(known.faults.assign(row=rows.where(rows.notna(), None)).to_json(orient="records"))
    record |= {name: _rows(known.tables[name], table) for name, table in INPUTS.items() if not table.shapes}
    record["cuts"] = tables["tasks"].attrs.get("cuts", {})
    record["warnings"] = [
        *map(str, first),
        *_of_changes(copies),
        *_of_day(project, written),
        *_warnings(project, record, tables, _not_yet(read, known)),
        *map(str, doubts),
        *_of_surface(unweighed),
        *of_known_sources(project),
        *_of_jurisdiction(project, beyond),
    ]
    return record


def _rows(table: pd.DataFrame, entry: InputTable) -> list[dict[str, Any]]:
    """Rows of a table without shapes, which has no layer of its own among the outputs; an event as it was decided."""
    table = table.drop(columns="deferred", errors="ignore") if entry.events else table
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", date_format="iso", date_unit="s"))
    return rows


def _of_jurisdiction(project: Project, beyond: pd.DataFrame) -> list[str]:
    """What of the ground lies beyond the state, without an id, so that any partner may read it."""
    if project.study.state is None:
        return []
    areas = beyond[beyond["table"] == "areas"] if len(beyond) else beyond
    if not len(areas):
        return [str(Reason("state.all_within", state=project.study.state))]
    m2 = float(areas["beyond_m2"].sum())
    return [str(Reason("state.beyond", state=project.study.state, count=len(areas), area=ground_of(m2)))]


def of_known_sources(project: Project) -> list[str]:
    """What is known to exist and is not among the inputs, in words that any tier may read."""
    return [str(_known(source)) for source in project.known_sources]


def _known(source: KnownSource) -> Reason:
    name, items, cited = source.name, f"{source.number:,} {source.holds}", source.source
    if source.handed_over_on is None:
        return Reason("source.known", known_source=name, items=items, cited=cited)
    return Reason("source.known", known_source=name, items=items, cited=cited, day=source.handed_over_on)


def _of_changes(copies: Snapshot) -> list[str]:
    """Files that changed after they were read."""
    return [
        f"{name} changed during the run: all results are of the file as it was when the run began"
        for name in copies.changed()
    ]


def _of_day(project: Project, written: dt.date) -> list[str]:
    """What a run can't tell of its day."""
    day, words = project.study.as_at, []
    if day > written:
        words.append(
            f"As at {day}, later than {written}, the day of the plan: what happened between is known only as far "
            "as the files hold it"
        )
    opening = project.release.bridge_from if project.release is not None else None
    if opening is not None and opening > day:
        words.append(f"No bridge table: release.bridge_from {opening} is after {day}")
    return words


def _of_claims(record: dict[str, Any]) -> list[str]:
    """Rows that files claim and that could not be read, where reading is lenient; no file is named."""
    words = []
    for name in dict.fromkeys(balance["table"] for balance in record["balance"]):
        stated = [b for b in record["balance"] if b["table"] == name and b["claimed"] is not None]
        lost = sum(max(b["claimed"] - b["read"], 0) for b in stated)
        more = sum(max(b["read"] - b["claimed"], 0) for b in stated)
        if lost:
            words.append(f"{lost} rows that files of {name} claim could not be read and are in NO figure")
        if more:
            words.append(f"Files of {name} hold {more} rows more than they claim; all that could be read are used")
    cut = sum(fault["rule"] == CUT_SHORT for fault in record["faults"])
    if cut:
        words.append(f"{cut} files lack rows that their service did not send, and nobody knows how many")
    return words


def _of_surface(unweighed: Sequence[str]) -> list[str]:
    if not unweighed:
        return []
    return [
        f"The surface weighs no {', '.join(unweighed)}, though the data hold some: that ground looks no more "
        "contaminated than what surrounds it; add a term for each"
    ]


def _of_ledger(project: Project, faults: list[dict[str, Any]]) -> list[str]:
    """What contradicts in the ledger of land release, each rule once with its rows."""
    files = {"releases", "history"}.union(*(_file_names(project, INPUTS[name]) for name in ("releases", "history")))
    return _by_rule(
        "Land release",
        [
            found
            for found in faults
            if (found["file"] in files and found["row"] is not None) or found["file"] == "history"
        ],
    )


def _of_links(project: Project, faults: list[dict[str, Any]]) -> list[str]:
    """Rows that name what is not there, table by table: a gate that holds nothing back must be seen."""
    words = []
    for name, table in INPUTS.items():
        files, columns = _file_names(project, table), {link.column for link in table.links}
        lost = [f for f in faults if f["file"] in files and f["level"] == "warning" and f["column"] in columns]
        words += _by_rule(name.capitalize(), lost)
    return words


def _file_names(project: Project, table: InputTable) -> set[str]:
    """Names of the files that fill a table."""
    return {source.path.name for section in table.sections for source in project.files_of(section.name)}


def _by_rule(title: str, faults: list[dict[str, Any]]) -> list[str]:
    """Each rule once, with its rows."""
    rules: dict[str, list[str]] = {}
    for found in faults:
        place = f"row {found['row']}" if found["row"] is not None else ""
        rules.setdefault(found["rule"], []).append(" ".join(w for w in (place, found["value"] or "") if w))
    return [
        f"{title}: {rule} ({len(rows)}: {', '.join(rows[:6])}{' ...' if rows[6:] else ''})"
        for rule, rows in rules.items()
    ]


def _not_yet(read: Inputs, known: Inputs) -> dict[str, int]:
    """Rows that the files hold and that nobody knew at the day."""
    dated = [name for name, table in INPUTS.items() if not table.events]
    return {name: len(read.tables[name]) - len(known.tables[name]) for name in dated}


def fingerprint_of(
    hashes: dict[str, str], settings: Mapping[str, Any], folder: Path, *, crs: str, operations: Sequence[str]
) -> str:
    """Fingerprint of an output that no plan's run makes, as a run's is made.

    Parameters
    ----------
    hashes : mapping
        SHA-256 of all files that were read, by their paths as seen from the folder.
    settings : mapping
        All that was chosen, as JSON would hold it.
    folder : Path
        Paths count as seen from here, so that files moved together keep their fingerprint.
    crs, operations : text
        The working CRS, and the datum operations that were applied.
    """
    return _digest(_decisive(hashes, settings, folder, crs, operations))


def _decisive(
    hashes: dict[str, str], settings: Mapping[str, Any], folder: Path, crs: str, operations: Sequence[str]
) -> dict[str, Any]:
    """All that decides the numbers."""
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    versions |= {
        "clearplan": __version__,
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
        "GDAL": gdal_version(),
    }
    return {
        "inputs": hashes,
        "settings": _relative(dict(settings), folder),
        "versions": versions,
        "crs": crs,
        "operations": list(operations),
        "code_lists": CODE_LISTS_VERSION,
    }


def fingerprint_with(run: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run with other settings, such as its publication tier, and the fingerprint of these."""
    names = ("inputs", "settings", "versions", "crs", "operations", "code_lists")
    decisive = {name: run[name] for name in names} | {"settings": dict(settings)}
    return dict(run) | {"fingerprint": _digest(decisive)} | decisive


def _digest(decisive: dict[str, Any]) -> str:
    text = json.dumps(decisive, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _line_lengths(project: Project, hazards: gpd.GeoDataFrame, lines: list[list[str]]) -> list[dict[str, Any]]:
    rows = []
    for settings, ids in zip(project.contact_line, lines, strict=True):
        reported = hazards[hazards["hazard_id"].isin(ids)]
        stated = _stated_length(settings)
        for _, row in placed(reported).iterrows():
            lonlat = gpd.GeoSeries([row.geometry], crs=hazards.crs).to_crs(4326).iloc[0]
            rows.append(
                {
                    "hazard_id": row.hazard_id,
                    "length_km": round(geodesic_length_m(lonlat) / 1000, 1),
                    "scale": settings.scale,
                    "position_error_m": settings.position_error_m,
                    "widened": settings.widen,
                    **stated,
                }
            )
            stated = {}  # of all lines of the file together, so it stands once
    return rows


def _stated_length(settings: ContactLineSettings) -> dict[str, Any]:
    """The length that a source states, and the belt that it implies: length x depth, on each side that counts [km2]."""
    if settings.stated_length_km is None:
        return {}
    stated = {"stated_length_km": settings.stated_length_km, "stated_by": settings.stated_length_source}
    if settings.depth_min_m is None or settings.depth_max_m is None:  # a depth that changes along another line
        return stated
    sides = 2 if settings.measure == "each-side" and settings.sides == "both" else 1
    low, high = (
        settings.stated_length_km * depth * sides / 1000 for depth in (settings.depth_min_m, settings.depth_max_m)
    )
    return stated | {"stated_belt_km2": [round(low, 1), round(high, 1)]}


def _warnings(
    project: Project, record: dict[str, Any], tables: Mapping[str, Any], not_yet: Mapping[str, int]
) -> list[str]:
    """Deferred rows first, then repairs, then assumptions."""
    words = []
    for name, count in record["deferred"].items():
        if not count or name not in INPUTS:
            continue
        ids = tables[name].loc[tables[name]["deferred"].notna(), id_column(name)].astype(str)
        outcome = INPUTS[name].fails_to
        if outcome:
            words.append(f"{count} rows of {name} can't be used and {outcome} NOTHING: {', '.join(ids[:10])}")
        else:
            named = ", ".join(ids[:10]) + (" ..." if count > 10 else "")
            words.append(
                f"{count} of {record['counts'][name]} {name} could not be placed or used and are NOT on the map: "
                f"{named}"
            )
    words += _of_claims(record)
    for name, who in (("waiting", "people who wait"), ("already_home", "people already home")):
        if lost := record["people"][name]["not_placed"]:
            words.append(f"{lost:,} {who} of places that could not be placed stand in no figure and in no rank")
    repaired = sum(fault["level"] == "repaired" for fault in record["faults"])
    if repaired:
        words.append(f"{repaired} repairs were made while reading; each is listed in run.json under faults")
    doubts = sum(fault["level"] == "warning" for fault in record["faults"])
    if doubts:
        words.append(f"{doubts} warnings were given while reading; each is listed in run.json under faults")
    words += _of_ledger(project, record["faults"]) + _of_links(project, record["faults"])
    for name, count in not_yet.items():
        if count:
            words.append(f"{count} {name} are dated after {project.study.as_at}, the date of the study, and left out")
    words += of_people(project, record["people"])
    places = placed(tables["accidents"]).geometry
    if len(places) > 2 and places.to_wkb().nunique() == 1:
        words.append(str(Reason("accidents.one_place", accidents=len(places))))
    if "error_from" in tables["accidents"].columns:
        raised = int(tables["accidents"]["error_from"].notna().sum())
        words.append(str(Reason("accidents.at_places", accidents=raised)))
    closed = int((tables["hazards"]["status"] == "closed").sum())
    if closed:
        words.append(f"{closed} hazards have status closed and are not counted as remaining")
    return words + _of_small_tasks(project, tables["tasks"])


def of_people(project: Project, people: Mapping[str, Any]) -> list[str]:
    """What is not known of people, what is made up, and what a programme aims at, in words that any tier may read."""
    waiting, home, words = people["waiting"], people["already_home"], []
    if waiting["unknown"]:
        words.append(
            f"How many people wait is unknown for {_places(waiting['unknown'])}; ranks assume "
            f"{project.priority.unknown_people:g} for each"
        )
    weighed = "already_home" in {criterion.name for criterion in project.priority.criteria}
    if home["unknown"] and weighed and project.priority.unknown_already_home is not None:
        _, likely, _ = project.priority.unknown_already_home
        words.append(
            f"How many are already home is unknown for {_places(home['unknown'])}; ranks assume {likely:g} each"
        )
    elif home["unknown"] and home["places"]:
        words.append(f"How many are already home is unknown for {_places(home['unknown'])}: they count in no figure")
    if waiting["illustrative"]:
        words.append(f"How many people wait is illustrative, made up, for {_places(waiting['illustrative'])}")
    return words + [ReturnTarget(**target.model_dump()).words for target in project.return_targets]


def _places(count: int) -> str:
    return f"{count} {'place' if count == 1 else 'places'}"


def _of_small_tasks(project: Project, tasks: gpd.GeoDataFrame) -> list[str]:
    """Tasks that stayed below the smallest size, by their ids."""
    small = tasks.loc[tasks["small"] == "yes", "task_id"].tolist()
    if not small:
        return []
    return [
        f"{len(small)} tasks are smaller than {project.tasks.min_task_m2:,g} m2, and nothing is near enough to join; "
        f"tasks.csv marks them as small: {', '.join(small[:10])}{' ...' if len(small) > 10 else ''}"
    ]


def _relative(value: Any, folder: Path) -> Any:
    """Settings with paths as seen from plan.toml, so that a moved project keeps its fingerprint."""
    if isinstance(value, dict):
        return {k: _relative(v, folder) for k, v in value.items()}
    if isinstance(value, list):
        return [_relative(v, folder) for v in value]
    if isinstance(value, str) and os.path.isabs(value):
        return Path(os.path.relpath(value, folder)).as_posix()
    return value
