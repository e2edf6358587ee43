"""One file out of a finished run: its format is that of the file's name, its content what the run's folder holds.

What a run was published as, a file out of it is too: out of a public run comes nothing that the run does not hold.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.errors import MissingFileError, OutputError, ReadError, SettingsError, TableError
from clearplan.core.folders import refuse_wider, tier_of
from clearplan.core.imprint import Imprint
from clearplan.core.replacing import refuse_half_exchanged
from clearplan.core.writing import refuse_taken
from clearplan.outputs.field.briefs import Known
from clearplan.outputs.field.dossiers import write_dossiers
from clearplan.outputs.field.gpx import write_gpx
from clearplan.outputs.field.kml import write_kml
from clearplan.outputs.gis.formats import write_layers
from clearplan.outputs.layers import Layers
from clearplan.outputs.paper.maps import draw_atlas, draw_sheet
from clearplan.outputs.workbooks.imsma import write_imsma
from clearplan.read.finished_run import read_run, read_work
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.check import placed
from clearplan.tables.tiers import TIERS

#: Formats that hold layers as they are, those for handhelds and globes, import sheets, paper.
LAYERS = (".gpkg", ".parquet", ".geojson", ".fgb", ".zip", ".csv")
FORMATS = (*LAYERS, ".gpx", ".kml", ".kmz", ".xlsx", ".pdf", ".png")
#: Of these a file holds any number of layers; of the others one, tasks unless another is named.
_MANY = (".gpkg", ".zip")
#: Tasks of each queue in a handheld's file and in dossiers, unless another number is given.
_FIRST = 10
#: What a dossier tells of WORK beside its days and where they begin.
_OF_WORK = ("ends_on", "period", "step", "m2", "cost")
#: Ground shown round chosen tasks [m].
_AROUND_M = 500.0


@dataclass(frozen=True)
class _Options:
    """What is asked of a file, as ``export_run`` describes it."""

    layers: Sequence[str]
    tasks: Sequence[str]
    first: int | None
    dossiers: bool
    atlas: bool
    on_paper: Mapping[str, Any]


@dataclass(frozen=True)
class _Run:
    """A finished run: its folder, its record and the layers of its plan.gpkg."""

    folder: Path
    record: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    @property
    def imprint(self) -> Imprint:
        """What every file of the run states of itself."""
        return _imprint(self.record)

    @property
    def layers(self) -> Layers:
        """What a map of the run shows."""
        hazards, tasks = self.layer("hazards"), self.layer("tasks")
        assert tasks is not None  # an export begins only where there are tasks with a place
        lines = None if hazards is None or "kind" not in hazards else hazards[hazards["kind"] == "contact-line"]
        return Layers(
            tasks,
            zones=self.layer("zones"),
            areas=self.layer("areas"),
            accidents=self.filled("accidents"),
            lifelines=self.layer("lifelines"),
            releases=self.layer("releases"),
            contact_lines=lines,
        )

    @property
    def known(self) -> Known:
        """What the words of a dossier draw on: layers, plan of work, and the teams in the record of the run."""
        work, teams = self.folder / "work.csv", self.record.get("teams")
        planning = self.record["settings"].get("planning")
        return Known(
            hazards=self.layer("hazards"),
            accidents=self.filled("accidents"),
            releases=self.layer("releases"),
            teams=pd.DataFrame(teams) if teams else None,
            work=read_work(work, _OF_WORK) if work.exists() else None,
            planning=PlanningSettings.model_validate(planning) if planning else None,
        )

    def layer(self, name: str) -> gpd.GeoDataFrame | None:
        """A layer with shapes; None where the run has none of that name."""
        table = self.tables.get(name)
        return table if isinstance(table, gpd.GeoDataFrame) else None

    def filled(self, name: str) -> gpd.GeoDataFrame | None:
        """A layer with rows: one without is one that the project named no file for, and nothing is known of it."""
        table = self.layer(name)
        return table if table is not None and len(table) else None


def export_run(  # noqa: PLR0913 - the options of clearplan export, each by its name
    run: str | Path,
    file: str | Path,
    *,
    layers: Sequence[str] = (),
    tasks: Sequence[str] = (),
    first: int | None = None,
    dossiers: bool = False,
    atlas: bool = False,
    scale: int | None = None,
    paper: str | None = None,
    orientation: str | None = None,
) -> list[str]:
    """Write one file out of a run's folder; whole or not at all.

    Parameters
    ----------
    run : path
        Folder of a run.
    file : path
        New file; its suffix is one of ``FORMATS``.
    layers : names, optional
        Layers of plan.gpkg to write; all where the format holds several, else the tasks.
    tasks : ids, optional
        Only these tasks; a map on paper shows them and what lies round them.
    first : int, optional
        Without ``tasks``, a handheld's file (.gpx) and dossiers hold this many of each queue; 10 when left out.
    dossiers, atlas : bool
        A PDF with a page for each task, or with a map of each district; else one map.
    scale : int, optional
        Denominator of the map's scale; what fits the paper when left out.
    paper, orientation : str, optional
        Of a map: 'A4' or 'A3', 'portrait' or 'landscape'; A4 portrait when left out.

    Returns
    -------
    list of str
        What the format could not hold as it was, in sentences to be shown.

    Raises
    ------
    MissingFileError, ReadError
        The folder holds no run, or it can't be read.
    SettingsError, TableError
        A layer or task isn't there, or an option doesn't belong to the format; the run is public, and the file would
        need borders of tasks.
    OutputError
        The file exists or can't be written, or would lie in the folder of a run for a wider circle of readers.
    """
    file, run = Path(file), Path(run)
    on_paper = {"scale": scale, "paper": paper, "orientation": orientation}
    options = _Options(layers, tasks, first, dossiers, atlas, {k: v for k, v in on_paper.items() if v is not None})
    refuse_taken(file, FORMATS)
    _refuse_options(file.suffix.lower(), options)
    record = _record(run)
    _refuse_public(file.suffix.lower(), record, dossiers)
    finished = _Run(run if run.is_dir() else run.parent, record, read_run(run))
    if "tasks" not in finished.tables or "task_id" not in finished.tables["tasks"]:
        raise ReadError(f"{run}: plan.gpkg holds no tasks; name the folder of a run (clearplan run ... --out FOLDER)")
    _refuse_unknown("task", tasks, finished.tables["tasks"]["task_id"])
    tier = tier_of(finished.folder / "run.json", TIERS)
    refuse_wider(file, tier, TIERS)
    limits = _write(finished, file, options)
    try:
        refuse_wider(file, tier, TIERS)  # a run may have been published there meanwhile
    except OutputError:
        file.unlink(missing_ok=True)
        raise
    return limits


def _write(run: _Run, file: Path, options: _Options) -> list[str]:
    """The file; what its format could not hold, in sentences."""
    if file.suffix.lower() in (*LAYERS, ".xlsx"):
        return _write_tables(run, file, options)
    if not len(placed(run.tables["tasks"])):
        raise OutputError(f"{file}: no task of the run has a place; there is nothing to draw")
    _write_shown(run, file, options)
    return []


def _refuse_options(suffix: str, options: _Options) -> None:
    """An option that would change nothing is a misunderstanding: whoever gave it would read the file wrongly."""
    layers, tasks, first, dossiers = options.layers, options.tasks, options.first, options.dossiers
    if layers and suffix not in (*LAYERS, ".xlsx"):
        raise SettingsError(f"--layer: {suffix} holds no layers of choice; leave it out")
    if tasks and layers and "tasks" not in layers:
        raise SettingsError("--task: none of the layers named holds tasks; name --layer tasks too, or leave --task out")
    if dossiers and options.atlas:
        raise SettingsError("--dossiers and --atlas are two books; name one")
    if (dossiers or options.atlas) and suffix != ".pdf":
        raise SettingsError(f"--dossiers and --atlas are books of pages; name a .pdf file, not {suffix}")
    if options.atlas and tasks:
        raise SettingsError("--atlas: shows all tasks, district by district; leave --task out, or --atlas")
    if first is not None and (tasks or not (dossiers or suffix == ".gpx")):
        raise SettingsError("--first: belongs to a .gpx file or --dossiers without --task; leave it out")
    if first is not None and first < 1:
        raise SettingsError(f"--first: {first} is below 1; name at least one task of each queue")
    named = next(iter(options.on_paper), None)
    if named is not None and (suffix not in (".pdf", ".png") or dossiers):
        option = "landscape" if named == "orientation" else named
        raise SettingsError(f"--{option}: belongs to a map on paper; name a .pdf or .png file without --dossiers")


def _refuse_public(suffix: str, record: Mapping[str, Any], dossiers: bool) -> None:
    """Cells of 5 km in a handheld or an import sheet would be taken for borders of hazards."""
    if record.get("tier") == "public" and (dossiers or suffix in (".gpx", ".xlsx")):
        raise SettingsError(
            f"{'--dossiers' if dossiers else suffix}: the run is of the tier public and holds no border of a task; "
            "export out of a run that was written with --tier restricted or partner"
        )


def _refuse_unknown(what: str, asked: Sequence[str], known: Any) -> None:
    lacking = [name for name in asked if name not in set(known)]
    if lacking:
        raise TableError(f"{what} {lacking[0]!r}: the run has none of that name; tasks.csv and plan.gpkg list them")


def _record(run: Path) -> dict[str, Any]:
    if not run.exists():
        raise MissingFileError(f"{run}: no such folder; name that of a run (clearplan run ... --out FOLDER)")
    folder = run if run.is_dir() else run.parent
    refuse_half_exchanged(folder)
    path = folder / "run.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingFileError(
            f"{path}: no such file; name the folder of a run (clearplan run ... --out FOLDER)"
        ) from None
    except (OSError, ValueError) as error:
        raise ReadError(f"{path}: can't be read ({error}); run the project again") from None
    try:
        _imprint(record)
        record["operations"]
    except (KeyError, TypeError, ValueError):
        raise ReadError(f"{path}: is no whole record of a run; run the project again") from None
    return record


def _imprint(record: Mapping[str, Any]) -> Imprint:
    """What every file states of itself."""
    study = record["settings"]["study"]
    return Imprint(
        title=study["title"],
        as_at=dt.date.fromisoformat(study["as_at"]),
        notice=record["notice"],
        fingerprint=record["fingerprint"],
        crs=record["crs"],
        illustrative=study["illustrative"],
    )


def _write_tables(run: _Run, file: Path, options: _Options) -> list[str]:
    """Layers as they are, or as import sheets; what the format could not hold, in sentences."""
    layers, tasks, suffix = list(options.layers), options.tasks, file.suffix.lower()
    _refuse_unknown("layer", layers, run.tables)
    tables = dict(run.tables)
    if tasks:
        tables["tasks"] = tables["tasks"][tables["tasks"]["task_id"].isin(tasks)]
    if suffix == ".xlsx":
        names = layers or (["tasks"] if tasks else ["hazards"])
        _refuse_unknown("layer", names, run.tables)
        return write_imsma({name: tables[name] for name in names}, file, run.imprint)
    chosen = layers or (None if suffix in _MANY and not tasks else ["tasks"])
    return write_layers(tables, file, run.imprint, layers=chosen)


def _write_shown(run: _Run, file: Path, options: _Options) -> None:
    """A file for handhelds and globes, dossiers, an atlas, or one map."""
    chosen, first, suffix = list(options.tasks) or None, options.first or _FIRST, file.suffix.lower()
    if suffix == ".gpx":
        operations = run.record["operations"]
        write_gpx(file, run.layers, run.imprint, chosen=chosen, first=first, operations=operations)
    elif suffix in (".kml", ".kmz"):
        write_kml(file, run.layers, run.imprint, chosen=chosen)
    elif options.dossiers:
        write_dossiers(file, run.layers, run.imprint, known=run.known, chosen=chosen, first=first)
    elif options.atlas:
        draw_atlas(file, run.layers, run.imprint, **options.on_paper)
    else:
        extent = None if chosen is None else _around(file, run.layers.tasks, chosen)
        draw_sheet(file, run.layers, run.imprint, extent=extent, **options.on_paper)


def _around(file: Path, tasks: gpd.GeoDataFrame, chosen: Sequence[str]) -> tuple[float, float, float, float]:
    """Ground of some tasks and what lies round them: west, south, east, north [m]."""
    there = placed(tasks[tasks["task_id"].isin(chosen)])
    if not len(there):
        raise OutputError(f"{file}: none of the tasks named has a place; there is nothing to draw")
    west, south, east, north = there.total_bounds
    return west - _AROUND_M, south - _AROUND_M, east + _AROUND_M, north + _AROUND_M
