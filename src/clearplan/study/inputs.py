"""Every file that a plan names, as tables: all faults of all files before the first complaint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.crs import WorkingCrs
from clearplan.core.errors import FaultsError, MissingFileError, SettingsError
from clearplan.land.as_at import as_at, dates
from clearplan.land.audit import history_faults, release_faults
from clearplan.land.release import REOPENED
from clearplan.read.background import Context, balance_of_layer, read_background, read_place_layer
from clearplan.read.balance import Balance
from clearplan.read.centroids import Places, at_centroids, centroid_faults, places_of, with_place_errors
from clearplan.read.readers import PLACE, Reading, combine, empty_table, project_sources, read_source
from clearplan.read.snapshot import Snapshot
from clearplan.records.minefields import RecordReading, read_record_source
from clearplan.settings.base import paths_of
from clearplan.settings.project import Project
from clearplan.settings.sources import RecordSettings, SourceSettings
from clearplan.surface.covariates import is_raster
from clearplan.tables.check import fault, fault_table
from clearplan.tables.entry import DISTRICTS, Link
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import id_column
from clearplan.tables.texts import ids_in


@dataclass(frozen=True)
class Inputs:
    """What was read, and what a reader must know of it.

    tables : every table of ``clearplan.tables.inputs.INPUTS`` by name, in the working CRS; its rows are labelled
        with the file and the row where they were read
    faults : fault table of all files
    operations : datum operations that were applied, in words
    records : what came out of each source of minefield records
    lines : ids of the hazards of each contact line
    balance : what became of the rows of each source
    settlements, roads : layers that the surface asks for
    covariates : layers of shapes of its covariates, by name
    """

    tables: Mapping[str, pd.DataFrame]
    faults: pd.DataFrame
    operations: list[str]
    records: tuple[RecordReading, ...]
    lines: list[list[str]]
    balance: tuple[Balance, ...] = ()
    settlements: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    covariates: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)

    def table(self, name: str) -> gpd.GeoDataFrame:
        """A table as the stages take it: its rows numbered from 0."""
        return self.tables[name].reset_index(drop=True)


def snapshot_of(project: Project) -> Snapshot:
    """Copies of every file that a project names.

    Raises
    ------
    ReadError, OutputError
        A file is too large or is just being written; there is no room for the copies.
    """
    paths = list(paths_of(project))
    if project.planning is not None and project.planning.previous and project.planning.treaty is not None:
        paths.append(project.planning.previous.with_name("tasks.csv"))  # of the plan in force, if it is there
    return Snapshot(paths, project.limits)


def read_inputs(project: Project, frame: WorkingCrs) -> Inputs:
    """All tables of a project.

    Raises
    ------
    FaultsError
        Inputs break rules; the faults of all files are in it.
    ReadError, SettingsError, CrsError
        A file can't be read, or is not what plan.toml says.
    """
    readings: dict[str, list[Reading]] = {name: [] for name in INPUTS}
    broken = []
    for name, source in project_sources(project):
        try:
            readings[name].append(_read_table(project, name, source, frame))
        except FaultsError as error:
            broken.append(error.faults)
    records: list[RecordReading] = []
    for source in project.records:
        try:
            records.append(_read_records(project, source, frame))
        except FaultsError as error:
            broken.append(error.faults)
    readings["hazards"] += [_of_records(reading) for reading in records]
    broken += [shared for name, of_table in readings.items() if len(shared := _shared_ids(project, name, of_table))]
    if broken:
        raise FaultsError(pd.concat(broken, ignore_index=True))
    every = [reading for of_table in readings.values() for reading in of_table]
    _refuse_lost_reopenings(readings["releases"])
    layers = _place_layers(project, frame)
    land = _covariate_layers(project, frame)
    every += [*layers.values(), *land.values()]
    return Inputs(
        tables={name: _whole(name, of_table, frame) for name, of_table in readings.items()},
        faults=pd.concat([fault_table([]), *(reading.faults for reading in every)], ignore_index=True),
        operations=sorted({words for reading in every for words in reading.operation.split("; ") if words}),
        records=tuple(records),
        lines=[reading.table["hazard_id"].tolist() for reading in readings["hazards"][: len(project.contact_line)]],
        balance=(
            *_balances(readings, records),
            *(balance_of_layer(name, layer) for name, layer in (layers | land).items()),
        ),
        covariates={name: layer.table for name, layer in land.items()},
        **{name: layer.table for name, layer in layers.items()},
    )


def _place_layers(project: Project, frame: WorkingCrs) -> dict[str, Reading]:
    """Settlements and roads, where the surface asks for them."""
    if project.surface is None:
        return {}
    paths = {"settlements": project.surface.settlements, "roads": project.surface.roads}
    return {name: read_place_layer(path, frame.crs, project.limits) for name, path in paths.items() if path is not None}


def _covariate_layers(project: Project, frame: WorkingCrs) -> dict[str, Reading]:
    """Covariates of the surface that are shapes; rasters are read where they are needed."""
    if project.surface is None:
        return {}
    return {
        covariate.name: read_background(covariate.layer, frame.crs, project.limits)
        for covariate in project.surface.covariates
        if covariate.layer is not None and not is_raster(covariate.layer)
    }


def _balances(readings: dict[str, list[Reading]], records: list[RecordReading]) -> tuple[Balance, ...]:
    """What became of the rows of every file; those of records are counted by sheet."""
    of_files = [r.balance(name) for name, of_table in readings.items() for r in of_table if r.file]
    return (*of_files, *(balance for reading in records for balance in reading.balances))


def _read_table(project: Project, name: str, source: SourceSettings, frame: WorkingCrs) -> Reading:
    region, code_lists = project.study.region, project.code_lists
    return read_source(name, source, region=region, working=frame.crs, code_lists=code_lists, limits=project.limits)


def _of_records(reading: RecordReading) -> Reading:
    """HAZARDS of minefield records as those of a file: each row is labelled with that of its record."""
    labels = [(reading.forms.files["records"], int(row)) for row in reading.forms.records["row"]]
    return Reading(_labelled(reading.hazards, labels), reading.faults, "; ".join(reading.operations))


def _whole(name: str, readings: list[Reading], frame: WorkingCrs) -> pd.DataFrame:
    """One table of all its files."""
    labels = [label for reading in readings if len(reading.table) for label in reading.table.index]
    return _labelled(
        combine(empty_table(name, frame.crs), *(reading.table for reading in readings), table=name), labels
    )


def _labelled(table: pd.DataFrame, labels: list[tuple[str, int]]) -> pd.DataFrame:
    """A table whose rows are labelled with the file and the row where they were read."""
    return table.set_axis(pd.MultiIndex.from_tuples(labels, names=PLACE), axis="index")


def _refuse_lost_reopenings(readings: list[Reading]) -> None:
    """A re-opening that can't be used would leave its ground released; that is never lenient."""
    for reading in readings:
        table = reading.table
        if not len(table) or "action" not in table.columns:
            continue
        lost = table.loc[(table["action"] == REOPENED) & table["deferred"].notna(), "deferred"]
        rule, remedy = "a re-opening that can't be used would leave its ground released", "correct the row"
        faults = [fault(file, row, "action", reason, rule, "error", remedy) for (file, row), reason in lost.items()]
        if faults:
            raise FaultsError(pd.concat([reading.faults, fault_table(faults)], ignore_index=True))


def open_but_released(left: gpd.GeoDataFrame, known: Inputs) -> pd.DataFrame:
    """Hazards that HISTORY calls open after the release of all their ground: status alone re-opens no land.

    Parameters
    ----------
    left : GeoDataFrame
        AREAS after releases were taken off.
    known : Inputs
        RELEASES and HISTORY of the day.
    """
    history, releases = known.table("history"), known.table("releases")
    if not len(history) or not len(releases):
        return fault_table([])
    opened = history[history["status"].isin(["open", "worked-on"])]
    last = opened.assign(day=dates(opened, "changed_on")).groupby("hazard_id")["day"].max()
    decided = dict(zip(releases["release_id"], dates(releases, "decided_on"), strict=True))
    found = []
    ground = left.groupby("hazard_id").agg(m2=("planning_m2", "sum"), was=("reported_m2", "max"))
    for hazard, ids in left.dropna(subset="release_ids").groupby("hazard_id")["release_ids"]:
        released = max(decided[i] for text in ids for i in str(text).split("; "))
        gone = ground.loc[hazard, "m2"] < 1 <= ground.loc[hazard, "was"]
        if gone and hazard in last.index and last[hazard] > pd.Timestamp(released):
            rule = "hazard is open by its status, but releases cover all its ground, which stays released"
            remedy = "re-open the ground with a release of action re-opened, or correct the status"
            found.append(fault("history", None, "status", hazard, rule, "warning", remedy))
    return fault_table(found)


def as_at_day(inputs: Inputs, day: dt.date) -> Inputs:
    """What was known at the end of a day, with each hazard's status and class of that day; undated rows stay."""
    history = inputs.tables["history"]
    return replace(
        inputs,
        tables={name: as_at(table, day, history=history, name=name) for name, table in inputs.tables.items()},
        records=tuple(_records_at(reading, day) for reading in inputs.records),
    )


def _records_at(reading: RecordReading, day: dt.date) -> RecordReading:
    """The records that were handed over by a day."""
    late = dates(reading.hazards, "recorded_on") > pd.Timestamp(day).to_datetime64()
    if not late.any():
        return reading
    gone = set(reading.hazards.loc[late, "hazard_id"])
    kept: dict[str, Any] = {
        name: table[~table[column].isin(gone)].reset_index(drop=True)
        for name, table, column in (
            ("hazards", reading.hazards, "hazard_id"),
            ("vertices", reading.vertices, "record_id"),
            ("versions", reading.versions, "record_id"),
            ("checks", reading.checks, "record_id"),
        )
    }
    return replace(reading, **kept)


def ledger_faults(project: Project, inputs: Inputs, areas: gpd.GeoDataFrame, context: Context) -> pd.DataFrame:
    """Faults of releases and status history held against the hazards, with the file and row of each.

    Raises
    ------
    FaultsError
        One is serious, and not all sources of the ledger are read leniently.
    """
    found = []
    releases, history = inputs.table("releases"), inputs.table("history")
    if len(releases):
        contradictions = release_faults(
            areas,
            releases,
            context.districts,
            district_name=context.district_name,
            accidents=inputs.table("accidents"),
        )
        found.append(_at_home(contradictions, "releases", inputs))
    if len(history):
        found.append(_at_home(history_faults(inputs.table("hazards"), history), "history", inputs))
    if not found:
        return fault_table([])
    faults = pd.concat(found, ignore_index=True)
    serious = faults["level"].isin(["error", "repairable"])
    sources = (*project.files_of("releases"), *project.files_of("history"))
    if serious.any() and not all(source.lenient for source in sources):
        raise FaultsError(faults)
    faults["level"] = faults["level"].mask(faults["level"] == "repairable", "repaired")
    return faults


def link_faults(inputs: Inputs, context: Context) -> pd.DataFrame:
    """Rows that name what is not there, by the links of their tables, as warnings with file and row.

    Such a row stays in its table. Hold it against all that the files say, not against one day: a zone that is
    entered later is there all the same.

    Parameters
    ----------
    inputs : Inputs
    context : Context
        Its districts are those that a gate can name.
    """
    links = [(name, link) for name, table in INPUTS.items() for link in table.links]
    faults = [_lost_links(inputs.tables[name], link, inputs, context) for name, link in links]
    return pd.concat(faults, ignore_index=True)


def places_named(
    project: Project,
    frame: WorkingCrs,
    *,
    zones: gpd.GeoDataFrame,
    settlements: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
) -> list[Places]:
    """Points that a project names, at which an accident may have been written for want of a better place.

    Parameters
    ----------
    project : Project
        The gazetteers of its records are read.
    frame : WorkingCrs
    zones, settlements, districts : GeoDataFrame
        In the working CRS.
    """
    layers = [("districts", districts), ("settlements", settlements)]
    for path in sorted({source.gazetteer for source in project.records if source.gazetteer is not None}):
        layers.append((path.name, read_place_layer(path, frame.crs, project.limits).table))
    named = [places_of(name, layer) for name, layer in layers if layer is not None and len(layer)]
    if len(zones):
        named.append(places_of("zones", zones, pd.to_numeric(zones["position_error_m"]).to_numpy(float)))
    return named


def with_centroids(project: Project, frame: WorkingCrs, inputs: Inputs, context: Context) -> Inputs:
    """Inputs whose accidents at centroids have the position error of their places, with the warnings that say so."""
    accidents = inputs.tables["accidents"]
    if not len(accidents):
        return inputs
    places = places_named(
        project,
        frame,
        zones=inputs.table("zones"),
        settlements=inputs.settlements,
        districts=context.districts,
    )
    stated = project.accident_centroids
    found = at_centroids(accidents, places, None if stated is None else stated.error_m)
    return replace(
        inputs,
        tables={**inputs.tables, "accidents": with_place_errors(accidents, found)},
        faults=pd.concat([inputs.faults, centroid_faults(accidents, found)], ignore_index=True),
    )


def centroids_of_file(project: Project, frame: WorkingCrs, accidents: gpd.GeoDataFrame) -> pd.DataFrame:
    """Warnings of accidents of one file that stand at centroids, held against the layers that a project names.

    Parameters
    ----------
    project : Project
        Zones whose file has faults are left out here; checking that file lists them.
    frame : WorkingCrs
    accidents : GeoDataFrame
        As read, in the working CRS.
    """
    zones = [empty_table("zones", frame.crs)]
    for source in project.files_of("zones"):
        try:
            zones.append(_read_table(project, "zones", source, frame).table)
        except FaultsError:
            continue
    surface, districts = project.surface, project.context.districts
    settlements = None if surface is None else surface.settlements
    places = places_named(
        project,
        frame,
        zones=combine(*zones, table="zones"),
        settlements=None if settlements is None else read_place_layer(settlements, frame.crs, project.limits).table,
        districts=None if districts is None else read_background(districts, frame.crs, project.limits).table,
    )
    stated = project.accident_centroids
    found = at_centroids(accidents, places, None if stated is None else stated.error_m)
    return centroid_faults(accidents, found)


def _lost_links(table: pd.DataFrame, link: Link, inputs: Inputs, context: Context) -> pd.DataFrame:
    """What a column of a table names and is not there."""
    if link.to == DISTRICTS:
        layer, what, lacking = context.districts, "district", "the district layer lacks"
        there = set() if layer is None else set(layer[context.district_name])
    else:
        column = id_column(link.to)
        what, lacking = column.removesuffix("_id"), f"{link.to.upper()} lacks"
        there = set(inputs.tables[link.to][column])
    rule, remedy = f"names a {what} that {lacking}: {link.outcome}", f"correct the {link.column}, or add the {what}"
    faults = []
    for (file, row), cell in zip(table.index, table.get(link.column, [None] * len(table)), strict=True):
        names = ids_in(cell) if link.several else [cell]
        lost = [name for name in names if pd.notna(name) and name not in there]
        faults += [fault(file, row, link.column, name, rule, "warning", remedy) for name in lost]
    return fault_table(faults)


def _at_home(faults: pd.DataFrame, name: str, inputs: Inputs) -> pd.DataFrame:
    """Faults whose rows are positions in a table, with the file and row where each was read."""
    labels = inputs.tables[name].index
    home: list[Any] = [(name, None) if pd.isna(row) else labels[int(row)] for row in faults["row"]]
    rows = pd.Series([row for _, row in home], index=faults.index, dtype="Int64")
    return faults.assign(file=[file for file, _ in home], row=rows)


def _read_records(project: Project, source: RecordSettings, frame: WorkingCrs) -> RecordReading:
    study = project.study
    return read_record_source(
        source,
        region=study.region,
        working=frame.crs,
        as_at=study.as_at,
        code_lists=project.code_lists,
        limits=project.limits,
    )


def _shared_ids(project: Project, name: str, readings: list[Reading]) -> pd.DataFrame:
    """Ids that stand in two files."""
    paths = [source.path.name for table, source in project_sources(project) if table == name]
    paths += [source.path.name for source in project.records if name == "hazards"]
    column, faults = id_column(name), []
    home: dict[str, str] = {}
    for file, reading in zip(paths, readings, strict=False):
        for identifier in reading.table[column]:
            first = home.setdefault(identifier.casefold(), file)
            if first is not file:
                rule, remedy = f"id stands in {first} too", "give each row an id of its own"
                faults.append(fault(file, None, column, identifier, rule, "error", remedy))
    return fault_table(faults)


def read_layers(project: Project, frame: WorkingCrs) -> tuple[Context, list[pd.DataFrame], list[Balance]]:
    """Background layers, the fault tables of what was repaired in them, and what became of their rows."""
    asked = project.context
    paths = {name: getattr(asked, name) for name in ("districts", "countries", "rivers", "lakes")}
    readings = {
        name: read_background(path, frame.crs, project.limits) for name, path in paths.items() if path is not None
    }
    layers = {name: reading.table for name, reading in readings.items()}
    if asked.elevation is not None and not asked.elevation.exists():
        raise MissingFileError(f"{asked.elevation}: no such file; correct the path")
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
    context = Context(
        district_name=asked.district_name, elevation=asked.elevation, attribution=asked.attribution, **layers
    )
    balances = [balance_of_layer(name, reading) for name, reading in readings.items()]
    return context, [reading.faults for reading in readings.values()], balances
