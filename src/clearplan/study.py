"""The whole road: plan.toml to tables, map, layers and a record of the run, in that order."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from . import __version__
from .crs import WorkingCrs, geodesic_length_m, working_crs
from .errors import FaultsError, MissingFileError, SettingsError
from .exchange import gdal_version, write_csv, write_gpkg
from .files import read_gazetteer
from .folders import refuse_foreign, replaced
from .hazards import footprints, net_area
from .maps import About, Context, draw_map
from .priority import rank
from .quality import draw_quality_sheets
from .readers import Reading, combine, empty_table, plan_sources, read_background, read_source
from .records import RecordReading, read_record_source
from .schema import fault, fault_table, placed
from .settings import Plan, RecordSettings, load_plan
from .tables import BOUNDARIES, CODE_LISTS_VERSION, ILLUSTRATIVE, NOT_FOR_ENTRY, id_column
from .tasks import make_tasks

Progress = Callable[[str], None]

#: Stages as they are announced; their number is the length of the progress bar.
STAGES = (
    "Reading inputs",
    "Drawing footprints",
    "Measuring net areas",
    "Cutting tasks",
    "Ranking tasks",
    "Writing layers and tables",
    "Drawing the map",
)
#: Files that a run writes; others in its folder are the user's.
OUTPUTS = ("map.html", "plan.gpkg", "tasks.csv", "records.html", "run.json")
_LIBRARIES = (
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


@dataclass(frozen=True)
class Study:
    """A finished study: its tables, and ``run``, the record of how they were made."""

    plan: Plan
    hazards: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    accidents: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    net: pd.DataFrame
    tasks: gpd.GeoDataFrame
    faults: pd.DataFrame
    run: dict[str, Any]
    context: Context = field(default_factory=Context)
    records: tuple[RecordReading, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What a reader must know first: deferred rows, repairs, assumptions."""
        return list(self.run["warnings"])


def run_study(
    plan_path: str | Path, out: str | Path | None = None, *, progress: Progress = lambda stage: None
) -> Study:
    """Run a project.

    Parameters
    ----------
    plan_path : path
        A ``plan.toml``.
    out : path, optional
        Folder for map.html, plan.gpkg, tasks.csv and run.json. They are written beside it and moved in when all
        are complete; files of the user's in that folder stay. Without it nothing is written.
    progress : callable, optional
        Told the name of each stage (one of ``STAGES``) as it begins.

    Raises
    ------
    FaultsError
        Inputs break rules; the faults of all files are in it.
    ReadError, SettingsError, CrsError, TableError, OutputError
        As their names say; nothing is left half-written.
    """
    plan = load_plan(plan_path)
    folder = Path(plan_path).resolve().parent
    target = Path(out) if out is not None else None
    if target is not None:
        refuse_foreign(target)
    progress(STAGES[0])
    frame = working_crs(plan.study.region)
    inputs = _read(plan, frame)
    context, background = _context(plan, frame)
    inputs["faults"] = pd.concat([inputs["faults"], *background], ignore_index=True)
    progress(STAGES[1])
    areas = footprints(inputs["hazards"], plan.footprints)
    progress(STAGES[2])
    net = net_area(areas, context.districts, name=context.district_name)
    progress(STAGES[3])
    tasks = make_tasks(
        areas, inputs["zones"], plan.tasks, districts=context.districts, district_name=context.district_name
    )
    progress(STAGES[4])
    tasks = rank(tasks, inputs["zones"], plan.priority, accidents=inputs["accidents"])
    tables = {"hazards": inputs["hazards"], "areas": areas, "tasks": tasks, "zones": inputs["zones"],
              "accidents": inputs["accidents"]}  # fmt: skip
    run = _record(plan, folder, frame, inputs, tables, net)
    study = Study(
        plan=plan, net=net, faults=inputs["faults"], run=run, context=context, records=inputs["records"], **tables
    )
    if target is not None:
        with replaced(target, OUTPUTS) as fresh:
            _write(study, fresh, progress)
    return study


def _read(plan: Plan, frame: WorkingCrs) -> dict[str, Any]:
    """All tables; the faults of every file before the first complaint."""
    readings: dict[str, list[Reading]] = {"hazards": [], "zones": [], "accidents": []}
    broken = []
    for name, source in plan_sources(plan):
        try:
            reading = read_source(name, source, region=plan.study.region, working=frame.crs, code_lists=plan.code_lists)
            readings[name].append(reading)
        except FaultsError as error:
            broken.append(error.faults)
    records: list[RecordReading] = []
    for source in plan.records:
        try:
            records.append(_read_records(plan, source, frame))
        except FaultsError as error:
            broken.append(error.faults)
    readings["hazards"] += [Reading(r.hazards, r.faults, "; ".join(r.operations)) for r in records]
    broken += [shared for name, found in readings.items() if len(shared := _shared_ids(plan, name, found))]
    if broken:
        raise FaultsError(pd.concat(broken, ignore_index=True))
    every = [reading for found in readings.values() for reading in found]
    tables = {
        name: combine(empty_table(name, frame.crs), *(r.table for r in found)) for name, found in readings.items()
    }
    return {
        **tables,
        "faults": pd.concat([fault_table([]), *(r.faults for r in every)], ignore_index=True),
        "operations": sorted({words for reading in every for words in reading.operation.split("; ") if words}),
        "records": tuple(records),
        "lines": [r.table["hazard_id"].tolist() for r in readings["hazards"][: len(plan.contact_line)]],
    }


def _read_records(plan: Plan, source: RecordSettings, frame: WorkingCrs) -> RecordReading:
    study = plan.study
    return read_record_source(
        source, region=study.region, working=frame.crs, as_at=study.as_at, code_lists=plan.code_lists
    )


def _shared_ids(plan: Plan, name: str, readings: list[Reading]) -> pd.DataFrame:
    """Ids that stand in two files."""
    paths = [source.path.name for table, source in plan_sources(plan) if table == name]
    paths += [source.path.name for source in plan.records if name == "hazards"]
    column, faults = id_column(name), []
    home: dict[str, str] = {}
    for file, reading in zip(paths, readings, strict=False):
        for identifier in reading.table[column]:
            first = home.setdefault(identifier.casefold(), file)
            if first is not file:
                rule, remedy = f"id stands in {first} too", "give each row an id of its own"
                faults.append(fault(file, None, column, identifier, rule, "error", remedy))
    return fault_table(faults)


def _context(plan: Plan, frame: WorkingCrs) -> tuple[Context, list[pd.DataFrame]]:
    """Background layers, and the fault tables of what was mended in them."""
    asked = plan.context
    paths = {name: getattr(asked, name) for name in ("districts", "countries", "rivers", "lakes")}
    readings = {name: read_background(path, frame.crs) for name, path in paths.items() if path is not None}
    layers = {name: reading.table for name, reading in readings.items()}
    if asked.elevation is not None and not asked.elevation.exists():
        raise MissingFileError(f"{asked.elevation}: no such file; mend the path")
    districts = layers.get("districts")
    if districts is not None and not districts.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise SettingsError(f"context.districts: {asked.districts} holds other shapes than polygons; give areas")
    if districts is not None and asked.district_name not in districts.columns:
        found = ", ".join(str(name) for name in districts.columns if name != "geometry")
        raise SettingsError(
            f"context.district_name: {asked.districts} has no column {asked.district_name!r}; it has {found}"
        )
    if districts is not None:
        numbered = pd.Series([f"district {k + 1} (no name)" for k in range(len(districts))], index=districts.index)
        layers["districts"] = districts.assign(**{asked.district_name: districts[asked.district_name].fillna(numbered)})
    context = Context(district_name=asked.district_name, elevation=asked.elevation, **layers)
    return context, [reading.faults for reading in readings.values()]


def _record(
    plan: Plan,
    folder: Path,
    frame: WorkingCrs,
    inputs: dict[str, Any],
    tables: dict[str, Any],
    net: pd.DataFrame,
) -> dict[str, Any]:
    """run.json without its time stamp: all that decides the numbers, and the numbers."""
    settings = plan.model_dump(mode="json")
    decisive = _decisive(_hashes(plan, folder), settings, folder, frame.words, inputs["operations"])
    record = {"fingerprint": _digest(decisive)} | decisive
    record["counts"] = {name: len(table) for name, table in tables.items()}
    record["deferred"] = {n: int(t["deferred"].notna().sum()) for n, t in tables.items() if "deferred" in t}
    record["contact_lines"] = _line_lengths(plan, tables["hazards"], inputs["lines"])
    record["people"] = people_waiting(tables["zones"])
    record["net_area"] = json.loads(net.to_json(orient="records", double_precision=3))
    record["faults"] = json.loads(inputs["faults"].to_json(orient="records"))
    record["warnings"] = _warnings(plan, record, tables)
    return record


def fingerprint_of(
    files: Iterable[Path], settings: Mapping[str, Any], folder: Path, *, crs: str, operations: Sequence[str]
) -> str:
    """Fingerprint of an output that no plan's run makes, as a run's is made.

    Parameters
    ----------
    files : iterable of Path
        All that was read.
    settings : mapping
        All that was chosen, as JSON would hold it.
    folder : Path
        Paths count as seen from here, so that files moved together keep their fingerprint.
    crs, operations : text
        The working CRS, and the datum operations that were applied.
    """
    return _digest(_decisive(_hashed(files, folder), settings, folder, crs, operations))


def record_files(source: RecordSettings) -> list[Path]:
    """Every file that a record source reads."""
    further = (source.legs.path, source.anchors.path, source.gazetteer, *source.scans.values())
    return [source.path, *(path for path in further if path)]


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


def _digest(decisive: dict[str, Any]) -> str:
    text = json.dumps(decisive, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def people_waiting(zones: pd.DataFrame) -> dict[str, int]:
    """People of all zones that could be placed, each zone once, and in how many zones the number is unknown."""
    stated = pd.to_numeric(zones["people"])
    people = stated[zones["deferred"].isna()]
    return {
        "people_not_placed": int(stated[zones["deferred"].notna()].sum()),
        "known_people": int(people.sum()),
        "zones_known": int(people.notna().sum()),
        "zones_unknown": int(people.isna().sum()),
    }


def _line_lengths(plan: Plan, hazards: gpd.GeoDataFrame, lines: list[list[str]]) -> list[dict[str, Any]]:
    rows = []
    for settings, ids in zip(plan.contact_line, lines, strict=True):
        own = hazards[hazards["hazard_id"].isin(ids)]
        for _, row in placed(own).iterrows():
            lonlat = gpd.GeoSeries([row.geometry], crs=hazards.crs).to_crs(4326).iloc[0]
            rows.append(
                {
                    "hazard_id": row.hazard_id,
                    "length_km": round(geodesic_length_m(lonlat) / 1000, 1),
                    "scale": settings.scale,
                    "position_error_m": settings.position_error_m,
                }
            )
    return rows


def line_words(line: dict[str, Any]) -> str:
    """Length of a contact line beside the scale at which it was drawn.

    >>> line_words({"hazard_id": "LOC", "length_km": 202.6, "scale": "1:10 million", "position_error_m": 10000.0})
    'Contact line LOC: 202.6 km as drawn at 1:10 million, up to about 10 km out of place'
    """
    return (
        f"Contact line {line['hazard_id']}: {line['length_km']} km as drawn at {line['scale']}, up to about "
        f"{line['position_error_m'] / 1000:g} km out of place"
    )


def _warnings(plan: Plan, record: dict[str, Any], tables: dict[str, Any]) -> list[str]:
    """Deferred rows first, then repairs, then assumptions."""
    words = []
    for name, count in record["deferred"].items():
        if count and name in ("hazards", "zones", "accidents"):
            ids = tables[name].loc[tables[name]["deferred"].notna(), id_column(name)].astype(str)
            named = ", ".join(ids[:10]) + (" ..." if count > 10 else "")
            words.append(
                f"{count} of {record['counts'][name]} {name} could not be placed or used and are NOT on the map: "
                f"{named}"
            )
    if record["people"]["people_not_placed"]:
        words.append(
            f"{record['people']['people_not_placed']:,} people of places that could not be placed stand in no figure "
            "and in no rank"
        )
    repaired = sum(fault["level"] == "repaired" for fault in record["faults"])
    if repaired:
        words.append(f"{repaired} repairs were made while reading; each is listed in run.json under faults")
    doubts = sum(fault["level"] == "warning" for fault in record["faults"])
    if doubts:
        words.append(f"{doubts} warnings were given while reading; each is listed in run.json under faults")
    later = {name: _dated_after(tables[name], column, plan.study.as_at) for name, column in _DATES.items()}
    for name, count in later.items():
        if count:
            words.append(f"{count} of the {name} are dated after {plan.study.as_at}, the date of the study; they count")
    if record["people"]["zones_unknown"]:
        words.append(
            f"People of {record['people']['zones_unknown']} places are unknown; ranks assume "
            f"{plan.priority.unknown_people:g} for each"
        )
    closed = int((tables["hazards"]["status"] == "closed").sum())
    if closed:
        words.append(f"{closed} hazards have status closed and are not counted as remaining")
    return words


_DATES = {"hazards": "recorded_on", "zones": "recorded_on", "accidents": "occurred_on"}


def _dated_after(table: pd.DataFrame, column: str, day: dt.date) -> int:
    dates = pd.to_datetime(table[column]) if column in table.columns else pd.Series(dtype="datetime64[ms]")
    return int((dates > pd.Timestamp(day)).sum())


def _relative(value: Any, folder: Path) -> Any:
    """Settings with paths as seen from plan.toml, so that a moved project keeps its fingerprint."""
    if isinstance(value, dict):
        return {k: _relative(v, folder) for k, v in value.items()}
    if isinstance(value, list):
        return [_relative(v, folder) for v in value]
    if isinstance(value, str) and os.path.isabs(value):
        return Path(os.path.relpath(value, folder)).as_posix()
    return value


def _hashes(plan: Plan, folder: Path) -> dict[str, str]:
    sources = (*plan.contact_line, *plan.hazards, *plan.strikes, *plan.zones, *plan.accidents)
    asked = plan.context
    paths = [source.path for source in sources] + [path for record in plan.records for path in record_files(record)]
    paths += [p for p in (asked.districts, asked.countries, asked.rivers, asked.lakes, asked.elevation) if p]
    return _hashed(paths, folder)


def _hashed(files: Iterable[Path], folder: Path) -> dict[str, str]:
    hashes = {}
    for path in files:
        # A shapefile is several files and a file geodatabase a folder: all of it decides the numbers.
        several = path.suffix.lower() in (".shp", ".tab", ".mif")
        parts = (
            sorted(path.rglob("*"))
            if path.is_dir()
            else sorted(path.parent.glob(f"{path.stem}.*"))
            if several
            else [path]
        )
        for part in (p for p in parts if p.is_file()):
            name = Path(os.path.relpath(part, folder)).as_posix()
            hashes[name] = hashlib.sha256(part.read_bytes()).hexdigest()
    return hashes


def notice(study: Study) -> str:
    """Disclaimer and fingerprint, as they stand in every file."""
    words = [ILLUSTRATIVE] if study.plan.study.illustrative else []
    words += [NOT_FOR_ENTRY, BOUNDARIES, study.plan.context.attribution]
    words.append(f"As at {study.plan.study.as_at}. Fingerprint {study.run['fingerprint']}.")
    return " ".join(word for word in words if word)


def about(study: Study) -> About:
    """What the map page says about the run."""
    net_km2 = study.net.groupby("land_class")["net_m2"].sum() / 1e6
    people = study.run["people"]
    waiting = f"{people['known_people']:,} in {people['zones_known']} places"
    if people["zones_unknown"]:
        waiting += f"; {people['zones_unknown']} unknown"
    sources = sorted(set(study.hazards["source"].dropna()) | set(study.zones["source"].dropna()))
    return About(
        title=study.plan.map.title,
        as_at=study.plan.study.as_at.isoformat(),
        crs=study.run["crs"],
        fingerprint=study.run["fingerprint"],
        illustrative=study.plan.study.illustrative,
        sources=tuple(words.rstrip(".") for words in (study.plan.context.attribution, *sources)),
        line_note=". ".join(line_words(line) for line in study.run["contact_lines"]),
        notes=tuple(study.run["warnings"]),
        figures=(
            ("Confirmed hazardous (CHA)", f"{net_km2.get('CHA', 0):,.1f} km²"),
            ("Suspected hazardous (SHA)", f"{net_km2.get('SHA', 0):,.1f} km²"),
            ("Indication, to be surveyed", f"{net_km2.get('indication', 0):,.0f} km²"),
            ("People waiting to return", waiting),
        ),
    )


def _write(study: Study, folder: Path, progress: Progress) -> None:
    """All outputs into a folder of their own."""
    progress(STAGES[5])
    words = notice(study)
    tables = {"hazards": study.hazards, "areas": study.areas, "tasks": study.tasks, "zones": study.zones,
              "accidents": study.accidents}  # fmt: skip
    for name, parts in (("record_points", [r.vertices for r in study.records]),
                        ("record_versions", [r.versions for r in study.records])):  # fmt: skip
        if parts:
            tables[name] = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=study.hazards.crs)
    write_gpkg(tables, folder / "plan.gpkg", as_at=study.plan.study.as_at.isoformat(), notice=words)
    write_csv(study.tasks, folder / "tasks.csv", notice=words)
    progress(STAGES[6])
    page = draw_map(
        study.tasks,
        study.zones,
        areas=study.areas,
        accidents=study.accidents,
        contact_lines=study.hazards[study.hazards["kind"] == "contact-line"],
        context=study.context,
        records=study.records,
        about=about(study),
    )
    page.save(folder / "map.html")
    if study.records:
        sheets = draw_quality_sheets(
            study.records,
            title=f"{study.plan.study.title}: minefield records",
            notice=words,
            illustrative=ILLUSTRATIVE if study.plan.study.illustrative else "",
            gazetteers=[read_gazetteer(source.gazetteer) for source in study.plan.records],
        )
        sheets.save(folder / "records.html")
    stamped = {
        "finished_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "notice": words,
    } | study.run
    (folder / "run.json").write_text(json.dumps(stamped, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
