"""A finished study and the files that it leaves: page, report, layers, tables, record of the run."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.errors import ClearplanError, SettingsError
from clearplan.core.imprint import BOUNDARIES, ILLUSTRATIVE, NOT_FOR_ENTRY, Imprint
from clearplan.core.writing import write_whole
from clearplan.outputs.charts.plan import draw_budgets, draw_chances, draw_gantt, draw_home
from clearplan.outputs.charts.style import save_chart
from clearplan.outputs.field.briefs import Known
from clearplan.outputs.field.dossiers import write_dossiers
from clearplan.outputs.field.gpx import write_gpx
from clearplan.outputs.field.kml import write_kml
from clearplan.outputs.gis.formats import write_layers
from clearplan.outputs.gis.geopackage import write_csv, write_gpkg, write_table
from clearplan.outputs.gis.qgis_project import write_project
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.outputs.paper.maps import draw_sheet
from clearplan.outputs.report.html import draw_sections
from clearplan.outputs.report.pdf import save_paper
from clearplan.outputs.report.plan import workplan_section
from clearplan.outputs.report.records import draw_quality_sheets
from clearplan.outputs.report.run import draw_report
from clearplan.outputs.report.treaty import treaty_section
from clearplan.outputs.workbooks.imsma import write_imsma
from clearplan.outputs.workbooks.plan import write_workplan
from clearplan.outputs.workbooks.run import write_runbook
from clearplan.outputs.workbooks.treaty import write_treaty
from clearplan.planning.planned import Planned, surveys_with_plan
from clearplan.read.files import read_gazetteer, read_raw
from clearplan.study.publish import accidents_section, tier_words
from clearplan.study.study import Study
from clearplan.surface.probability import make_surface
from clearplan.tables.check import placed
from clearplan.tables.inputs import INPUTS

Progress = Callable[[str], None]

#: The two last stages of a run, as they are announced.
WRITING, DRAWING = "Writing layers and tables", "Drawing the map"
#: Folders that a run writes on request: what teams carry, and what other systems import.
FIELD, FORMATS = "field", "formats"
#: In either folder, what its files could not hold and which of them were left out.
_LIMITS = "limits.txt"
#: Tasks of each queue that get a dossier in a run; ``clearplan export`` prints any.
_DOSSIERS = 5
#: Tables that other systems take as they are.
_SHARED = ("areas", "tasks", "zones")
#: Files that a run writes; others in its folder are the user's.
OUTPUTS = (
    "map.html", "report.html", "plan.gpkg", "tasks.csv", "ledger.csv", "bridge.csv", "records.html", "run.json",
    "surface.tif", "surface.qml", "surface_evidence.tif", "surface_evidence.qml", "work.csv", "blockers.csv",
    "surveys.csv", "plan.xlsx", "treaty.xlsx", "accidents.csv", "plan.qgz", "report.pdf",
    *(f"{FIELD}/{name}" for name in ("tasks.gpx", "map.kmz", "dossiers.pdf", "map.pdf", "map.png", _LIMITS)),
    *(f"{FORMATS}/{name}.parquet" for name in _SHARED),
    *(f"{FORMATS}/{name}" for name in ("layers.shp.zip", "imsma.xlsx", _LIMITS)),
)  # fmt: skip
#: Pictures of a plan of work; only where there is something to draw.
PICTURES = ("home.png", "teams.png", "budgets.png", "chances.png")
#: Books that are files of their own, and the declared table that each is.
_BOOKS = {"ledger": "ledger", "bridge": "bridge", "accidents": "accident_counts"}
#: Files of a plan of work that is written alone: its tables, its pictures, and these.
PLAN_OUTPUTS = ("work.csv", "blockers.csv", "surveys.csv", "plan.xlsx", *PICTURES, "plan.html", "tasks.csv", "run.json")
#: Files of both: whichever takes a folder, nothing of the other may stay, for it was written for others.
ALL_OUTPUTS = tuple(dict.fromkeys((*OUTPUTS, *PLAN_OUTPUTS)))


def imprint_of(study: Study) -> Imprint:
    """What every file of a study states of itself; its notice holds disclaimers, attribution and fingerprint."""
    settings, fingerprint = study.project.study, study.run["fingerprint"]
    sentences = [
        ILLUSTRATIVE if settings.illustrative else "",
        tier_words(study),
        NOT_FOR_ENTRY,
        BOUNDARIES,
        study.project.context.attribution,
        f"As at {settings.as_at}. Fingerprint {fingerprint}.",
    ]
    return Imprint(
        title=settings.title,
        as_at=settings.as_at,
        notice=" ".join(filter(None, sentences)),
        fingerprint=fingerprint,
        crs=study.run["crs"],
        illustrative=settings.illustrative,
        tier=tier_words(study),
    )


def titled(imprint: Imprint, part: str) -> Imprint:
    """The imprint of a part of a run, such as its report."""
    return replace(imprint, title=f"{imprint.title}: {part}")


def _further(study: Study) -> list[str]:
    """Sections of the report beyond the ranking."""
    parts = [] if study.planned is None else [workplan_section(study.planned, study.tasks, study.zones)]
    parts += [] if study.dossier is None else [treaty_section(study.dossier)]
    return [*parts, accidents_section(study.books["accidents"])] if "accidents" in study.books else parts


def write_run(study: Study, folder: Path, progress: Progress = lambda stage: None) -> Study:
    """All outputs into a folder of their own; the study comes back with its surface where its file lies.

    Raises
    ------
    OutputError
        A file can't be written; of those on request none ends the run: they are left out, and the warnings say so.
    """
    progress(WRITING)
    imprint = imprint_of(study)
    # First, so that all other outputs can tell what was left out.
    left_out = write_on_request(study, folder, imprint)
    study = replace(study, run=study.run | {"warnings": [*study.run["warnings"], *left_out]})
    words = imprint.notice
    tables = {
        "hazards": study.hazards,
        "areas": planning_layer(study),
        "tasks": study.tasks,
        "zones": study.zones,
        "accidents": study.accidents,
    }
    further = [name for name, table in INPUTS.items() if table.shapes and name not in tables]
    tables |= {name: study.tables[name] for name in further if len(study.tables[name])}
    for name, parts in (
        ("record_points", [r.vertices for r in study.records]),
        ("record_versions", [r.versions for r in study.records]),
    ):
        if parts:
            tables[name] = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=study.hazards.crs)
    surveys = None if study.planned is None else surveys_with_plan(study.planned)
    if surveys is not None and len(surveys):
        tables["surveys"] = surveys
    write_gpkg(tables, folder / "plan.gpkg", imprint)
    write_csv(study.tasks, folder / "tasks.csv", notice=words)
    write_runbook(
        folder / "plan.xlsx",
        imprint,
        study.facts,
        project=study.project,
        run=study.run,
        tables=book_tables(study),
        planned=study.planned,
        dossier=study.dossier,
    )
    for name, declared in _BOOKS.items():
        if name in study.books:
            write_table(study.books[name], folder / f"{name}.csv", notice=words, name=declared)
    if study.evidence is not None:
        tags = {"CLEARPLAN_NOTICE": words, "CLEARPLAN_AS_AT": study.project.study.as_at.isoformat()}
        study = replace(study, surface=make_surface(study.evidence, folder / "surface.tif", tags=tags))
    if study.planned is not None:
        title = f"{study.project.study.title}: plan of work"
        write_plan(study.planned, study.tasks, study.zones, folder, title=title, notice=words, book=False)
    if study.dossier is not None:
        write_treaty(folder / "treaty.xlsx", study.dossier, titled(imprint, "tables to file"))
    if any(len(placed(table)) for table in tables.values()):
        rasters = [path.name for path in sorted(folder.glob("*.tif"))]
        write_project(folder / "plan.qgz", tables, imprint, rasters=rasters)
    progress(DRAWING)
    page = draw_map(
        layers_of(study),
        replace(imprint, title=study.project.map.title),
        facts=study.facts,
        notes=study.notes,
        first=study.why.first,
        periods=study.planned.stops if study.planned is not None else (),
    )
    page.save(folder / "map.html")
    report = draw_report(
        titled(imprint, "report"),
        study.facts,
        books=dict(study.books) | _published(study) | ({} if study.dossier is None else study.dossier.tables),
        tasks=study.tasks,
        why=study.why,
        notes=study.notes,
        further=_further(study),
    )
    report.save(folder / "report.html")
    save_paper(report, folder / "report.pdf")
    if study.records:
        sheets = draw_quality_sheets(
            study.records,
            titled(imprint, "minefield records"),
            gazetteers=[_gazetteer(study, source.gazetteer) for source in study.project.records],
        )
        sheets.save(folder / "records.html")
    _write_record(study, folder, words)
    return study


def book_tables(study: Study) -> dict[str, pd.DataFrame]:
    """The tables that the book of a run draws on, by name."""
    books = {name: study.books[name] for name in ("ledger", "bridge") if name in study.books}
    return dict(study.tables) | {"faults": study.faults} | books


# --- on request


def layers_of(study: Study) -> Layers:
    """What a map of a study shows; a table that no file filled is not known, which is not the same as empty."""
    elevation = study.context.elevation
    return Layers(
        tasks=study.tasks,
        areas=planning_layer(study),
        zones=study.zones,
        accidents=_filled(study.accidents),
        lifelines=_filled(study.lifelines),
        releases=_filled(study.releases),
        contact_lines=study.hazards[study.hazards["kind"] == "contact-line"],
        context=replace(study.context, elevation=None if elevation is None else study.copy_of(elevation)),
        records=study.records,
        surface=study.surface,
    )


def planning_layer(study: Study) -> gpd.GeoDataFrame:
    """AREAS with one geometry, the ground for planning, as files take them; HAZARDS hold the shapes as reported."""
    return study.areas.drop(columns="reported", errors="ignore")


def _filled(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    return table if len(table) else None


def write_on_request(study: Study, folder: Path, imprint: Imprint) -> list[str]:
    """The folders that ``[outputs]`` asks for; which of their files were left out and why, in sentences.

    Corners of hazards are what a team needs and what no public file may hold: a study of the public tier has neither
    folder.
    """
    left_out: list[str] = []
    if study.run.get("tier") == "public":
        return left_out
    if study.project.outputs.formats:
        left_out += _write_formats(study, folder / FORMATS, imprint)
    if study.project.outputs.field:
        left_out += _write_field(study, folder / FIELD, imprint)
    return left_out


def _write_formats(study: Study, folder: Path, imprint: Imprint) -> list[str]:
    """Files for other systems, and what their formats could not hold; which were left out, in sentences."""
    tables = {"hazards": study.hazards, **{name: study.tables[name] for name in _SHARED}}
    tables["areas"] = planning_layer(study)
    limits: list[str] = []
    left_out: list[str] = []
    for name in _SHARED:
        with _optional(folder / f"{name}.parquet", left_out) as path:
            write_layers({name: tables[name]}, path, imprint)
    with _optional(folder / "layers.shp.zip", left_out) as path:
        limits += write_layers(tables, path, imprint)
    with _optional(folder / "imsma.xlsx", left_out) as path:
        limits += write_imsma({"hazards": study.hazards}, path, imprint)
    _write_limits(folder, [*limits, *left_out], left_out)
    return left_out


def _write_field(study: Study, folder: Path, imprint: Imprint) -> list[str]:
    """Files for a team's handheld and its folder; which were left out, in sentences."""
    if not len(placed(study.tasks)):
        return [f"{folder.name}: left out, because no task has a place"]
    layers, planned = layers_of(study), study.planned
    known = Known(
        hazards=study.hazards,
        accidents=layers.accidents,
        releases=layers.releases,
        teams=study.tables["teams"],
        work=None if planned is None else planned.schedule.work,
        planning=study.project.planning,
    )
    left_out: list[str] = []
    with _optional(folder / "tasks.gpx", left_out) as path:
        write_gpx(path, layers, imprint, operations=study.run["operations"])
    with _optional(folder / "map.kmz", left_out) as path:
        write_kml(path, layers, imprint)
    with _optional(folder / "dossiers.pdf", left_out) as path:
        write_dossiers(path, layers, imprint, known=known, first=_DOSSIERS)
    for name in ("map.pdf", "map.png"):
        with _optional(folder / name, left_out) as path:
            draw_sheet(path, layers, imprint, paper="A3", orientation="landscape")
    _write_limits(folder, left_out, left_out)
    return left_out


@contextmanager
def _optional(path: Path, left_out: list[str]) -> Iterator[Path]:
    """A file that a run can do without: if it can't be written nothing of it stays, and a sentence says why."""
    try:
        yield path
    except Exception as error:  # whatever goes wrong in a file that a run can do without, the run goes on
        path.unlink(missing_ok=True)
        kind = "" if isinstance(error, ClearplanError) else f"{type(error).__name__}: "
        reason = kind + " ".join(str(error).replace(f"{path.parent.parent}{os.sep}", "").split())
        left_out.append(f"{path.parent.name}/{path.name}: left out, because it could not be written ({reason})")


def _write_limits(folder: Path, sentences: list[str], left_out: list[str]) -> None:
    """What the files of a folder could not hold and which were left out, in the folder; nothing where all is whole."""
    if sentences:
        with _optional(folder / _LIMITS, left_out) as path:
            write_whole(path, "\n".join(sentences) + "\n")


# --- the record, and a plan of work alone


def _write_record(study: Study, folder: Path, words: str) -> None:
    stamped = {"finished_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "notice": words} | study.run
    (folder / "run.json").write_text(json.dumps(stamped, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_plan_alone(study: Study, planned: Planned, folder: Path) -> None:
    """A plan of work without the rest of the run: what-ifs write it again and again."""
    imprint = titled(imprint_of(study), "plan of work")
    words, title = imprint.notice, imprint.title
    write_plan(planned, study.tasks, study.zones, folder, title=title, notice=words)
    write_csv(study.tasks, folder / "tasks.csv", notice=words)
    write_pictures(planned, study.tasks, study.zones, folder)
    draw_sections(
        [workplan_section(planned, study.tasks, study.zones)],
        imprint,
        notes=study.notes,
    ).save(folder / "plan.html")
    _write_record(study, folder, words)


def write_plan(
    planned: Planned,
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    folder: Path,
    *,
    title: str,
    notice: str,
    book: bool = True,
) -> None:
    """WORK, BLOCKERS and the workbook of a plan of work; ``book``: False where the book of the whole run holds it.

    Raises
    ------
    OutputError
        A file can't be written.
    """
    write_table(planned.schedule.work, folder / "work.csv", notice=notice, name="work")
    write_table(planned.case.blockers, folder / "blockers.csv", notice=notice, name="blockers")
    surveys = surveys_with_plan(planned)
    if surveys is not None:
        write_table(surveys.drop(columns="geometry"), folder / "surveys.csv", notice=notice, name="surveys")
    if book:
        write_workplan(folder / "plan.xlsx", planned, tasks, zones, notice=notice, title=title)


def write_pictures(planned: Planned, tasks: pd.DataFrame, zones: pd.DataFrame, folder: Path) -> list[str]:
    """Pictures of a plan of work for slides, as PNG; the names of those that were drawn.

    Raises
    ------
    OutputError
        A file can't be written.
    """
    work, settings, drawn = planned.schedule.work, planned.case.settings, []

    def picture(name: str, draw: Callable[..., str], *tables: pd.DataFrame, **options: Any) -> None:
        save_chart(draw, folder / name, *tables, **options)
        drawn.append(name)

    picture(PICTURES[0], draw_home, planned.home, waiting=planned.waiting)
    if len(work):
        picture(PICTURES[1], draw_gantt, work, tasks, zones, use=planned.judgement.use)
    if planned.budgets is not None:
        picture(PICTURES[2], draw_budgets, planned.budgets, budget=settings.budget, currency=settings.currency)
    if "probability" in zones.columns and zones["probability"].notna().any():
        picture(PICTURES[3], draw_chances, zones)
    return drawn


def _gazetteer(study: Study, path: Path | None) -> pd.DataFrame | None:
    return None if path is None else read_gazetteer(study.copy_of(path), study.project.limits)


def _published(study: Study) -> dict[str, pd.DataFrame]:
    """Release figures as an agency published them, by the name ``published``; empty where the project names none."""
    path = study.project.release.published if study.project.release is not None else None
    if path is None:
        return {}
    raw = read_raw(study.copy_of(path), limits=study.project.limits)
    figures = raw.frame
    if "hectares" not in figures.columns:
        raise SettingsError(
            f"release.published: {path} has no column 'hectares'; it needs breakdown, name, hectares, source"
        )
    hectares = pd.to_numeric(figures["hectares"], errors="coerce")
    if hectares.isna().any():
        row = raw.rows[int(hectares.isna().to_numpy().argmax())]
        raise SettingsError(f"release.published: {path}, row {row}: hectares is no number; correct it")
    return {"published": figures.assign(hectares=hectares)}
