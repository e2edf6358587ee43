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

from .briefs import Known
from .errors import MissingFileError, OutputError, ReadError, SettingsError, TableError
from .files import read_raw
from .folders import refuse_taken
from .formats import write_layers
from .gpx import write_gpx
from .imsma import write_imsma
from .kml import write_kml
from .layers import Layers
from .papermaps import Imprint, draw_atlas, draw_sheet
from .runs import read_run
from .schema import placed
from .settings_planning import PlanningSettings
from .tables import ILLUSTRATIVE
from .tasksheets import write_dossiers

#: Formats that hold layers as they are, those for handhelds and globes, import sheets, paper.
LAYERS = (".gpkg", ".parquet", ".geojson", ".fgb", ".zip", ".csv")
FORMATS = (*LAYERS, ".gpx", ".kml", ".kmz", ".xlsx", ".pdf", ".png")
#: Of these a file holds any number of layers; of the others one, tasks unless another is named.
_MANY = (".gpkg", ".zip")
#: Ground shown round chosen tasks [m].
_AROUND_M = 500.0


def export_run(
    run: str | Path,
    file: str | Path,
    *,
    layers: Sequence[str] = (),
    tasks: Sequence[str] = (),
    first: int = 10,
    dossiers: bool = False,
    atlas: bool = False,
    scale: int | None = None,
    paper: str = "A4",
    orientation: str = "portrait",
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
    first : int
        Without ``tasks``, a handheld's file and dossiers hold this many of each queue.
    dossiers, atlas : bool
        A PDF with a page for each task, or with a map of each district; else one map.
    scale : int, optional
        Denominator of the map's scale; what fits the paper when left out.
    paper, orientation : str
        'A4' or 'A3'; 'portrait' or 'landscape'.

    Returns
    -------
    list of str
        What the format could not hold as it was, in sentences to be shown.

    Raises
    ------
    MissingFileError, ReadError
        The folder holds no run, or it can't be read.
    SettingsError, TableError
        A layer or task isn't there, or an option doesn't belong to the format.
    OutputError
        The file exists or can't be written.
    """
    file = Path(file)
    suffix = file.suffix.lower()
    refuse_taken(file, FORMATS)
    _refuse_options(suffix, layers, dossiers, atlas, scale)
    record, tables = _record(Path(run)), read_run(run)
    _refuse_unknown("task", tasks, tables["tasks"]["task_id"])
    if suffix in LAYERS or suffix == ".xlsx":
        return _write_tables(tables, record, file, layers, tasks)
    if not len(placed(tables["tasks"])):
        raise OutputError(f"{file}: no task of the run has a place; there is nothing to draw")
    if record.get("tier") == "public" and (dossiers or suffix == ".gpx"):
        raise OutputError(
            f"{file}: the run is public and tells cells, not where to work in them; export out of a run for partners"
        )
    if suffix == ".gpx":
        told = _told(record)
        write_gpx(file, tables["tasks"], zones=_layer(tables, "zones"), lifelines=_layer(tables, "lifelines"),
                  chosen=list(tasks) or None, first=first, operations=record["operations"], **told)  # fmt: skip
    elif suffix in (".kml", ".kmz"):
        write_kml(file, tasks=tables["tasks"], areas=_layer(tables, "areas"), zones=_layer(tables, "zones"),
                  accidents=_layer(tables, "accidents"), lifelines=_layer(tables, "lifelines"),
                  chosen=list(tasks) or None, **_told(record))  # fmt: skip
    else:
        _draw(Path(run), tables, record, file, list(tasks), first=first, dossiers=dossiers, atlas=atlas, scale=scale,
              paper=paper, orientation=orientation)  # fmt: skip
    return []


def _refuse_options(suffix: str, layers: Sequence[str], dossiers: bool, atlas: bool, scale: int | None) -> None:
    if layers and suffix not in (*LAYERS, ".xlsx"):
        raise SettingsError(f"--layer: {suffix} holds no layers of choice; leave it out")
    if dossiers and atlas:
        raise SettingsError("--dossiers and --atlas are two books; name one")
    if (dossiers or atlas) and suffix != ".pdf":
        raise SettingsError(f"--dossiers and --atlas are books of pages; name a .pdf file, not {suffix}")
    if scale is not None and (suffix not in (".pdf", ".png") or dossiers):
        raise SettingsError("--scale belongs to a map on paper; name a .pdf or .png file without --dossiers")


def _refuse_unknown(what: str, asked: Sequence[str], known: Any) -> None:
    lacking = [name for name in asked if name not in set(known)]
    if lacking:
        raise TableError(f"{what} {lacking[0]!r}: the run has none of that name; tasks.csv and plan.gpkg list them")


def _record(run: Path) -> dict[str, Any]:
    path = (run if run.is_dir() else run.parent) / "run.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingFileError(
            f"{path}: no such file; name the folder of a run (clearplan run ... --out FOLDER)"
        ) from None
    except (OSError, ValueError) as error:
        raise ReadError(f"{path}: can't be read ({error}); run the project again") from None
    if not isinstance(record, dict) or "fingerprint" not in record or "settings" not in record:
        raise ReadError(f"{path}: is no record of a run; run the project again")
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


def _write_tables(
    tables: Mapping[str, pd.DataFrame], record: dict[str, Any], file: Path, layers: Sequence[str], tasks: Sequence[str]
) -> list[str]:
    told, suffix = _told(record), file.suffix.lower()
    _refuse_unknown("layer", layers, tables)
    own = dict(tables)
    if tasks:
        own["tasks"] = own["tasks"][own["tasks"]["task_id"].isin(tasks)]
    if suffix == ".xlsx":
        asked = list(layers) or ["hazards"]
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
        tasks, areas=_layer(tables, "areas"), zones=_layer(tables, "zones"), accidents=_layer(tables, "accidents"),
        lifelines=_layer(tables, "lifelines"), releases=_layer(tables, "releases"), contact_lines=lines,
    )  # fmt: skip


def _imprint(record: Mapping[str, Any]) -> Imprint:
    illustrative = ILLUSTRATIVE if record["settings"]["study"]["illustrative"] else ""
    return Imprint(**_told(record), crs=record["crs"], illustrative=illustrative)


def _known(run: Path, tables: Mapping[str, pd.DataFrame], record: Mapping[str, Any]) -> Known:
    """What the words of a dossier draw on; teams are not in a run's folder, and the page says so."""
    work = (run if run.is_dir() else run.parent) / "work.csv"
    asked = record["settings"].get("planning")
    return Known(
        hazards=_layer(tables, "hazards"), accidents=_layer(tables, "accidents"), releases=_layer(tables, "releases"),
        work=_work(work) if work.exists() else None,
        planning=PlanningSettings.model_validate(asked) if asked else None,
    )  # fmt: skip


def _work(path: Path) -> pd.DataFrame:
    """WORK as a run wrote it, with its days as days."""
    work = read_raw(path).frame
    for name in [column for column in work.columns if column.endswith("_on")]:
        work[name] = pd.to_datetime(work[name], format="ISO8601", errors="coerce")
    numbers = [name for name in ("days", "cost", "period", "step", "m2") if name in work.columns]
    return work.assign(**{name: pd.to_numeric(work[name]) for name in numbers})
