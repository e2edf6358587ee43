"""One file out of a finished run: its format is that of the file's name, its content what the run's folder holds.

What a run was published as, a file out of it is too: out of a public run comes nothing that the run does not hold.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.errors import MissingFileError, OutputError, ReadError, SettingsError, TableError
from clearplan.core.imprint import ILLUSTRATIVE
from clearplan.core.writing import refuse_taken
from clearplan.outputs.field.briefs import Known
from clearplan.outputs.field.dossiers import write_dossiers
from clearplan.outputs.field.gpx import write_gpx
from clearplan.outputs.field.kml import write_kml
from clearplan.outputs.gis.formats import write_layers
from clearplan.outputs.paper.layers import Layers
from clearplan.outputs.paper.maps import Imprint, draw_atlas, draw_sheet
from clearplan.outputs.workbooks.imsma import write_imsma
from clearplan.read.finished_run import read_run, read_work
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.check import placed

#: Formats that hold layers as they are, those for handhelds and globes, import sheets, paper.
LAYERS = (".gpkg", ".parquet", ".geojson", ".fgb", ".zip", ".csv")
FORMATS = (*LAYERS, ".gpx", ".kml", ".kmz", ".xlsx", ".pdf", ".png")
#: Of these a file holds any number of layers; of the others one, tasks unless another is named.
_MANY = (".gpkg", ".zip")
#: Tasks of each queue in a handheld's file and in dossiers, unless told otherwise.
_FIRST = 10
#: What a dossier tells of WORK beside its days and where they begin.
_OF_WORK = ("ends_on", "period", "step", "m2", "cost")
#: Ground shown round chosen tasks [m].
_AROUND_M = 500.0


def export_run(
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
        The file exists or can't be written.
    """
    file = Path(file)
    suffix = file.suffix.lower()
    refuse_taken(file, FORMATS)
    on_paper = {"scale": scale, "paper": paper, "landscape": orientation}
    _refuse_options(suffix, layers, tasks, first, dossiers, atlas)
    _refuse_of_paper(suffix, dossiers, on_paper)
    record = _record(Path(run))
    _refuse_public(suffix, record, dossiers)
    tables = read_run(run)
    if "tasks" not in tables or "task_id" not in tables["tasks"]:
        raise ReadError(f"{run}: plan.gpkg holds no tasks; name the folder of a run (clearplan run ... --out FOLDER)")
    _refuse_unknown("task", tasks, tables["tasks"]["task_id"])
    if suffix in LAYERS or suffix == ".xlsx":
        return _write_tables(tables, record, file, layers, tasks)
    if not len(placed(tables["tasks"])):
        raise OutputError(f"{file}: no task of the run has a place; there is nothing to draw")
    if suffix == ".gpx":
        told = _told(record)
        write_gpx(file, tables["tasks"], zones=_layer(tables, "zones"), lifelines=_layer(tables, "lifelines"),
                  chosen=list(tasks) or None, first=first or _FIRST, operations=record["operations"],
                  **told)  # fmt: skip
    elif suffix in (".kml", ".kmz"):
        write_kml(file, tasks=tables["tasks"], areas=_layer(tables, "areas"), zones=_layer(tables, "zones"),
                  accidents=_given(tables, "accidents"), lifelines=_layer(tables, "lifelines"),
                  chosen=list(tasks) or None, **_told(record))  # fmt: skip
    else:
        _draw(Path(run), tables, record, file, list(tasks), first=first or _FIRST, dossiers=dossiers, atlas=atlas,
              scale=scale, paper=paper or "A4", orientation=orientation or "portrait")  # fmt: skip
    return []


def _refuse_options(
    suffix: str, layers: Sequence[str], tasks: Sequence[str], first: int | None, dossiers: bool, atlas: bool
) -> None:
    """An option that would change nothing is a misunderstanding: whoever gave it would read the file wrongly."""
    if layers and suffix not in (*LAYERS, ".xlsx"):
        raise SettingsError(f"--layer: {suffix} holds no layers of choice; leave it out")
    if tasks and layers and "tasks" not in layers:
        raise SettingsError("--task: none of the layers named holds tasks; name --layer tasks too, or leave --task out")
    if dossiers and atlas:
        raise SettingsError("--dossiers and --atlas are two books; name one")
    if (dossiers or atlas) and suffix != ".pdf":
        raise SettingsError(f"--dossiers and --atlas are books of pages; name a .pdf file, not {suffix}")
    if atlas and tasks:
        raise SettingsError("--atlas: shows all tasks, district by district; leave --task out, or --atlas")
    if first is not None and (tasks or not (dossiers or suffix == ".gpx")):
        raise SettingsError("--first: belongs to a .gpx file or --dossiers without --task; leave it out")
    if first is not None and first < 1:
        raise SettingsError(f"--first: {first} is below 1; name at least one task of each queue")


def _refuse_of_paper(suffix: str, dossiers: bool, asked: Mapping[str, Any]) -> None:
    named = next((name for name, value in asked.items() if value is not None), None)
    if named is not None and (suffix not in (".pdf", ".png") or dossiers):
        raise SettingsError(f"--{named}: belongs to a map on paper; name a .pdf or .png file without --dossiers")


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
    path = (run if run.is_dir() else run.parent) / "run.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingFileError(
            f"{path}: no such file; name the folder of a run (clearplan run ... --out FOLDER)"
        ) from None
    except (OSError, ValueError) as error:
        raise ReadError(f"{path}: can't be read ({error}); run the project again") from None
    try:
        _told(record)
        record["settings"]["study"]["illustrative"], record["crs"], record["operations"]
    except (KeyError, TypeError, ValueError):
        raise ReadError(f"{path}: is no whole record of a run; run the project again") from None
    return record


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    """What every file says of itself."""
    study = record["settings"]["study"]
    return {
        "title": study["title"], "as_at": dt.date.fromisoformat(study["as_at"]), "notice": record["notice"],
        "fingerprint": record["fingerprint"],
    }  # fmt: skip


def _layer(tables: Mapping[str, pd.DataFrame], name: str) -> gpd.GeoDataFrame | None:
    found = tables.get(name)
    return found if isinstance(found, gpd.GeoDataFrame) else None


def _given(tables: Mapping[str, pd.DataFrame], name: str) -> gpd.GeoDataFrame | None:
    """A layer without rows is one that the plan named no file for: nothing is known of it."""
    found = _layer(tables, name)
    return found if found is not None and len(found) else None


def _write_tables(
    tables: Mapping[str, pd.DataFrame], record: dict[str, Any], file: Path, layers: Sequence[str], tasks: Sequence[str]
) -> list[str]:
    told, suffix = _told(record), file.suffix.lower()
    _refuse_unknown("layer", layers, tables)
    own = dict(tables)
    if tasks:
        own["tasks"] = own["tasks"][own["tasks"]["task_id"].isin(tasks)]
    if suffix == ".xlsx":
        asked = list(layers) or (["tasks"] if tasks else ["hazards"])
        _refuse_unknown("layer", asked, tables)
        return write_imsma({name: own[name] for name in asked}, file, notice=told["notice"], title=told["title"])
    chosen = list(layers) or (None if suffix in _MANY and not tasks else ["tasks"])
    return write_layers(own, file, as_at=told["as_at"].isoformat(), notice=told["notice"], layers=chosen)


def _draw(
    run: Path, tables: Mapping[str, pd.DataFrame], record: dict[str, Any], file: Path, tasks: list[str],
    *, first: int, dossiers: bool, atlas: bool, scale: int | None, paper: str, orientation: str,
) -> None:  # fmt: skip
    """A PDF or picture: dossiers, an atlas, or one map."""
    shown, imprint = _shown(tables), _imprint(record)
    if dossiers:
        write_dossiers(file, shown, imprint, known=_known(run, tables, record), chosen=tasks or None, first=first)
    elif atlas:
        draw_atlas(file, shown, imprint, scale=scale, paper=paper, orientation=orientation)
    else:
        own = placed(shown.tasks[shown.tasks["task_id"].isin(tasks)]) if tasks else None
        if own is not None and not len(own):
            raise OutputError(f"{file}: none of the tasks named has a place; there is nothing to draw")
        west, south, east, north = (0.0, 0.0, 0.0, 0.0) if own is None else own.total_bounds
        around = (west - _AROUND_M, south - _AROUND_M, east + _AROUND_M, north + _AROUND_M)
        draw_sheet(file, shown, imprint, scale=scale, extent=None if own is None else around, paper=paper,
                   orientation=orientation)  # fmt: skip


def _shown(tables: Mapping[str, pd.DataFrame]) -> Layers:
    hazards = _layer(tables, "hazards")
    lines = None if hazards is None or "kind" not in hazards else hazards[hazards["kind"] == "contact-line"]
    tasks = _layer(tables, "tasks")
    assert tasks is not None  # placed tasks were found in it
    return Layers(
        tasks, areas=_layer(tables, "areas"), zones=_layer(tables, "zones"), accidents=_given(tables, "accidents"),
        lifelines=_layer(tables, "lifelines"), releases=_layer(tables, "releases"), contact_lines=lines,
    )  # fmt: skip


def _imprint(record: Mapping[str, Any]) -> Imprint:
    illustrative = ILLUSTRATIVE if record["settings"]["study"]["illustrative"] else ""
    return Imprint(**_told(record), crs=record["crs"], illustrative=illustrative)


def _known(run: Path, tables: Mapping[str, pd.DataFrame], record: Mapping[str, Any]) -> Known:
    """What the words of a dossier draw on: layers, plan of work, and the teams in the record of the run."""
    work = (run if run.is_dir() else run.parent) / "work.csv"
    asked, teams = record["settings"].get("planning"), record.get("teams")
    return Known(
        hazards=_layer(tables, "hazards"), accidents=_given(tables, "accidents"), releases=_layer(tables, "releases"),
        teams=pd.DataFrame(teams) if teams else None, work=read_work(work, _OF_WORK) if work.exists() else None,
        planning=PlanningSettings.model_validate(asked) if asked else None,
    )  # fmt: skip
