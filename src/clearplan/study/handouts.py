"""What leaves a run for the field and for other systems: GPX, KMZ, dossiers, maps on paper, import sheets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd

from clearplan.core.imprint import ILLUSTRATIVE
from clearplan.outputs.field.briefs import Known
from clearplan.outputs.field.dossiers import write_dossiers
from clearplan.outputs.field.gpx import write_gpx
from clearplan.outputs.field.kml import write_kml
from clearplan.outputs.gis.formats import write_layers
from clearplan.outputs.paper.layers import Layers
from clearplan.outputs.paper.maps import Imprint, draw_sheet
from clearplan.outputs.workbooks.imsma import write_imsma
from clearplan.tables.check import placed

if TYPE_CHECKING:
    from clearplan.study.study import Study

#: Folder for a team's handheld and folder, and folder for other systems.
FIELD, EXCHANGE = "field", "exchange"
#: Tasks of each queue that get a page at every run; ``clearplan export`` prints any.
_DOSSIERS = 5
#: Tables that other systems take as they are.
_SHARED = ("areas", "tasks", "zones")


def imprint_of(study: Study, notice: str) -> Imprint:
    """What every sheet says of itself."""
    asked = study.project.study
    return Imprint(
        title=asked.title,
        as_at=asked.as_at,
        notice=notice,
        fingerprint=study.run["fingerprint"],
        crs=study.run["crs"],
        illustrative=ILLUSTRATIVE if asked.illustrative else "",
    )


def layers_of(study: Study) -> Layers:
    """What a map on paper shows of a study."""
    return Layers(
        tasks=study.tasks,
        areas=study.areas,
        zones=study.zones,
        accidents=_given(study.accidents),
        lifelines=_given(study.lifelines),
        releases=_given(study.releases),
        contact_lines=study.hazards[study.hazards["kind"] == "contact-line"],
        context=study.context,
    )


def _given(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    """A plan that names no file of a kind knows nothing of it, which is not the same as there being none."""
    return table if len(table) else None


def write_handouts(study: Study, folder: Path, *, notice: str) -> None:
    """Files for handhelds and folders under ``field``, for other systems under ``exchange``; nothing of a public study.

    Corners of hazards are what a team needs and what no public file may hold: a study of the public tier has neither
    folder.

    Raises
    ------
    OutputError
        A file can't be written.
    """
    if study.run.get("tier") == "public":
        return
    _write_exchange(study, folder / EXCHANGE, notice)
    if len(placed(study.tasks)):
        _write_field(study, folder / FIELD, notice)


def _write_field(study: Study, folder: Path, notice: str) -> None:
    layers, imprint = layers_of(study), imprint_of(study, notice)
    write_gpx(
        folder / "tasks.gpx", study.tasks, zones=study.zones, lifelines=layers.lifelines, title=imprint.title,
        as_at=imprint.as_at, notice=notice, fingerprint=imprint.fingerprint, operations=study.run["operations"],
    )  # fmt: skip
    write_kml(
        folder / "map.kmz", tasks=study.tasks, areas=study.areas, zones=study.zones, accidents=layers.accidents,
        lifelines=layers.lifelines, title=imprint.title, as_at=imprint.as_at, notice=notice,
        fingerprint=imprint.fingerprint,
    )  # fmt: skip
    planned = study.planned
    known = Known(
        hazards=study.hazards, accidents=layers.accidents, releases=layers.releases, teams=study.tables["teams"],
        work=None if planned is None else planned.schedule.work, planning=study.project.planning,
    )  # fmt: skip
    write_dossiers(folder / "dossiers.pdf", layers, imprint, known=known, first=_DOSSIERS)
    for name in ("map.pdf", "map.png"):
        draw_sheet(folder / name, layers, imprint, paper="A3", orientation="landscape")


def _write_exchange(study: Study, folder: Path, notice: str) -> None:
    tables = {"hazards": study.hazards, **{name: study.tables[name] for name in _SHARED}}
    as_at = study.project.study.as_at.isoformat()
    for name in _SHARED:
        write_layers({name: tables[name]}, folder / f"{name}.parquet", as_at=as_at, notice=notice)
    limits = write_layers(tables, folder / "layers.shp.zip", as_at=as_at, notice=notice)
    limits += write_imsma(
        {"hazards": study.hazards}, folder / "imsma.xlsx", notice=notice, title=study.project.study.title
    )
    if limits:
        (folder / "limits.txt").write_text("\n".join(limits) + "\n", encoding="utf-8")
