"""Every file that a plan names, as tables: all faults of all files before the first complaint."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.crs import WorkingCrs
from clearplan.core.errors import FaultsError, MissingFileError, SettingsError
from clearplan.land.as_at import as_at, dates
from clearplan.land.audit import history_faults, release_faults
from clearplan.land.release import REOPENED
from clearplan.read.background import Context, read_background, read_places
from clearplan.read.readers import Reading, combine, empty_table, plan_sources, read_source
from clearplan.records.minefields import RecordReading, read_record_source
from clearplan.settings.project import Project
from clearplan.settings.sources import RecordSettings
from clearplan.tables.check import Fault, fault, fault_table
from clearplan.tables.inputs import GATED
from clearplan.tables.lookup import id_column
from clearplan.tables.texts import ids_in


@dataclass(frozen=True)
class Inputs:
    """What was read: the tables in the working CRS, and what a reader must know of them.

    ``places``, ``history_places``, ``lifeline_places``, ``gate_places``, ``team_places`` and ``commitment_places`` map
    the rows of RELEASES, HISTORY, LIFELINES, GATES, TEAMS and COMMITMENTS to (file, row), by their labels; ``lines``
    holds the ids of each contact line.
    """

    hazards: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    accidents: gpd.GeoDataFrame
    lifelines: gpd.GeoDataFrame
    gates: pd.DataFrame
    releases: gpd.GeoDataFrame
    history: pd.DataFrame
    teams: pd.DataFrame
    commitments: pd.DataFrame
    faults: pd.DataFrame
    operations: list[str]
    records: tuple[RecordReading, ...]
    lines: list[list[str]]
    places: list[tuple[str, int]]
    history_places: list[tuple[str, int]]
    lifeline_places: list[tuple[str, int]]
    gate_places: list[tuple[str, int]]
    team_places: list[tuple[str, int]]
    commitment_places: list[tuple[str, int]]
    settlements: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None


def read_inputs(project: Project, frame: WorkingCrs) -> Inputs:
    """All tables of a plan.

    Raises
    ------
    FaultsError
        Inputs break rules; the faults of all files are in it.
    ReadError, SettingsError, CrsError
        A file can't be read, or is not what the plan says.
    """
    readings: dict[str, list[Reading]] = {
        name: [] for name in ("hazards", "zones", "accidents", "lifelines", "gates", "releases", "history", "teams",
                              "commitments")
    }  # fmt: skip
    broken = []
    for name, source in plan_sources(project):
        try:
            reading = read_source(
                name, source, region=project.study.region, working=frame.crs, code_lists=project.code_lists
            )
            readings[name].append(reading)
        except FaultsError as error:
            broken.append(error.faults)
    records: list[RecordReading] = []
    for source in project.records:
        try:
            records.append(_read_records(project, source, frame))
        except FaultsError as error:
            broken.append(error.faults)
    readings["hazards"] += [Reading(r.hazards, r.faults, "; ".join(r.operations)) for r in records]
    broken += [shared for name, found in readings.items() if len(shared := _shared_ids(project, name, found))]
    if broken:
        raise FaultsError(pd.concat(broken, ignore_index=True))
    every = [reading for found in readings.values() for reading in found]
    _refuse_lost_reopenings(readings["releases"])
    tables = {
        name: combine(empty_table(name, frame.crs), *(r.table for r in found)) for name, found in readings.items()
    }
    asked = project.surface
    return Inputs(
        **tables,
        faults=pd.concat([fault_table([]), *(r.faults for r in every)], ignore_index=True),
        operations=sorted({words for reading in every for words in reading.operation.split("; ") if words}),
        records=tuple(records),
        lines=[r.table["hazard_id"].tolist() for r in readings["hazards"][: len(project.contact_line)]],
        places=_places(readings["releases"]),
        history_places=_places(readings["history"]),
        lifeline_places=_places(readings["lifelines"]),
        gate_places=_places(readings["gates"]),
        team_places=_places(readings["teams"]),
        commitment_places=_places(readings["commitments"]),
        settlements=read_places(asked.settlements, frame.crs) if asked is not None else None,
        roads=read_places(asked.roads, frame.crs) if asked is not None else None,
    )


def _places(readings: list[Reading]) -> list[tuple[str, int]]:
    return [place for reading in readings for place in reading.places]


def _refuse_lost_reopenings(readings: list[Reading]) -> None:
    """A re-opening that can't be used would leave its ground released; that is never lenient."""
    for reading in readings:
        table = reading.table
        if not len(table) or "action" not in table.columns:
            continue
        lost = (table["action"] == REOPENED) & table["deferred"].notna()
        if lost.any():
            places = [reading.places[k] for k in lost.to_numpy().nonzero()[0]]
            rule, remedy = "a re-opening that can't be used would leave its ground released", "mend the row"
            faults = [
                fault(file, row, "action", reason, rule, "error", remedy)
                for (file, row), reason in zip(places, table.loc[lost, "deferred"], strict=True)
            ]
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
    history = known.history
    if not len(history) or not len(known.releases):
        return fault_table([])
    opened = history[history["status"].isin(["open", "worked-on"])]
    last = opened.assign(day=dates(opened, "changed_on")).groupby("hazard_id")["day"].max()
    decided = dict(zip(known.releases["release_id"], dates(known.releases, "decided_on"), strict=True))
    found = []
    ground = left.groupby("hazard_id").agg(m2=("remaining_m2", "sum"), was=("reported_m2", "sum"))
    for hazard, ids in left.dropna(subset="release_ids").groupby("hazard_id")["release_ids"]:
        released = max(decided[i] for text in ids for i in str(text).split("; "))
        gone = ground.loc[hazard, "m2"] < 1 <= ground.loc[hazard, "was"]
        if gone and hazard in last.index and last[hazard] > pd.Timestamp(released):
            rule = "hazard is open by its status, but releases cover all its ground, which stays released"
            remedy = "re-open the ground with a release of action re-opened, or mend the status"
            found.append(fault("history", None, "status", hazard, rule, "warning", remedy))
    return fault_table(found)


def as_at_day(inputs: Inputs, day: dt.date) -> Inputs:
    """What was known at the end of a day, with each hazard's status and class of that day; undated rows stay."""
    return replace(
        inputs,
        hazards=as_at(inputs.hazards, day, history=inputs.history).reset_index(drop=True),
        zones=as_at(inputs.zones, day).reset_index(drop=True),
        accidents=as_at(inputs.accidents, day).reset_index(drop=True),
        # Their labels stay: they lead to the row of the file.
        lifelines=as_at(inputs.lifelines, day),
        gates=as_at(inputs.gates, day),
        releases=as_at(inputs.releases, day),
        history=as_at(inputs.history, day),
        teams=as_at(inputs.teams, day),
        commitments=as_at(inputs.commitments, day),
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
            ("hazards", reading.hazards, "hazard_id"), ("vertices", reading.vertices, "record_id"),
            ("versions", reading.versions, "record_id"), ("checks", reading.checks, "record_id"),
        )
    }  # fmt: skip
    return replace(reading, **kept)


def ledger_faults(project: Project, inputs: Inputs, areas: gpd.GeoDataFrame, context: Context) -> pd.DataFrame:
    """Faults of releases and status history held against the hazards, with the file and row of each.

    Raises
    ------
    FaultsError
        One is serious, and not all sources of the ledger are read leniently.
    """
    found = []
    if len(inputs.releases):
        told = release_faults(
            areas, inputs.releases, context.districts, district_name=context.district_name, accidents=inputs.accidents
        )
        found.append(_at_home(told, "releases", inputs.places))
    if len(inputs.history):
        found.append(_at_home(history_faults(inputs.hazards, inputs.history), "history", inputs.history_places))
    if not found:
        return fault_table([])
    faults = pd.concat(found, ignore_index=True)
    serious = faults["level"].isin(["error", "repairable"])
    if serious.any() and not all(source.lenient for source in (*project.releases, *project.history)):
        raise FaultsError(faults)
    faults["level"] = faults["level"].mask(faults["level"] == "repairable", "repaired")
    return faults


def link_faults(inputs: Inputs, context: Context) -> pd.DataFrame:
    """Lifelines, gates, teams and commitments that name what is not there, as warnings with file and row.

    Such a row stays in its table. Hold it against all that the files say, not against one day: a zone that is
    entered later is there all the same.

    Parameters
    ----------
    inputs : Inputs
    context : Context
        Its districts are those that a gate can name.
    """
    layer = context.districts
    there = {
        "zone_id": ("ZONES lacks", "zone", set(inputs.zones["zone_id"])),
        "hazard_id": ("HAZARDS lacks", "hazard", set(inputs.hazards["hazard_id"])),
        "district": (
            "the district layer lacks", "district", set() if layer is None else set(layer[context.district_name]),
        ),
    }  # fmt: skip
    asked = (
        ("lifelines", inputs.lifelines, inputs.lifeline_places, ("zone_id",), "it counts for no task"),
        ("gates", inputs.gates, inputs.gate_places, GATED, "it holds back NOTHING"),
        ("commitments", inputs.commitments, inputs.commitment_places, ("hazard_id",), "it binds NOBODY"),
    )
    found = []
    for table, rows, places, columns, outcome in asked:
        for column in columns:
            lacking, what, known = there[column]
            named = rows[column].dropna()
            rule, remedy = f"names a {what} that {lacking}: {outcome}", f"mend the {column}, or add the {what}"
            told = [fault(table, row, column, v, rule, "warning", remedy) for row, v in named.items() if v not in known]
            found.append(_at_home(fault_table(told), table, places))
    found.append(_at_home(fault_table(_bound_to_nowhere(inputs.teams, there["district"])), "teams", inputs.team_places))
    return pd.concat(found, ignore_index=True)


def _bound_to_nowhere(teams: pd.DataFrame, districts: tuple[str, str, set[Any]]) -> list[Fault]:
    """Districts of teams that are none of the map: misspelt, they keep a team from its work."""
    lacking, what, known = districts
    rule, remedy = f"names a {what} that {lacking}: no team works by it", f"mend the {what}, or add it to the layer"
    return [
        fault("teams", row, "districts", name, rule, "warning", remedy)
        for row, cell in teams.get("districts", pd.Series(dtype=object)).items()
        for name in ids_in(cell)
        if name not in known
    ]


def _at_home(told: pd.DataFrame, table: str, places: list[tuple[str, int]]) -> pd.DataFrame:
    """Faults whose rows are labels of a table, with the file and row where each was read."""
    known = dict(enumerate(places))
    home: list[Any] = [known.get(row, (table, None)) for row in told["row"].astype(object)]
    rows = pd.Series([row for _, row in home], index=told.index, dtype="Int64")
    return told.assign(file=[file for file, _ in home], row=rows)


def _read_records(project: Project, source: RecordSettings, frame: WorkingCrs) -> RecordReading:
    study = project.study
    return read_record_source(
        source, region=study.region, working=frame.crs, as_at=study.as_at, code_lists=project.code_lists
    )


def _shared_ids(project: Project, name: str, readings: list[Reading]) -> pd.DataFrame:
    """Ids that stand in two files."""
    paths = [source.path.name for table, source in plan_sources(project) if table == name]
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


def read_layers(project: Project, frame: WorkingCrs) -> tuple[Context, list[pd.DataFrame]]:
    """Background layers, and the fault tables of what was mended in them."""
    asked = project.context
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
