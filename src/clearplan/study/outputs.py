"""A finished study and the files that it leaves: page, report, layers, tables, record of the run."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.errors import SettingsError
from clearplan.core.imprint import BOUNDARIES, ILLUSTRATIVE, NOT_FOR_ENTRY
from clearplan.outputs.charts.plan import draw_budgets, draw_chances, draw_gantt, draw_home
from clearplan.outputs.charts.style import save_chart
from clearplan.outputs.gis.geopackage import write_csv, write_gpkg, write_table
from clearplan.outputs.gis.qgis_project import write_project
from clearplan.outputs.page.draw import About, draw_map
from clearplan.outputs.page.figures import figures_of
from clearplan.outputs.report.pdf import save_paper
from clearplan.outputs.report.plan import workplan_section
from clearplan.outputs.report.records import draw_quality_sheets
from clearplan.outputs.report.report import draw_report, draw_sections
from clearplan.outputs.workbooks.plan import write_workplan
from clearplan.planning.planned import Planned
from clearplan.read.files import read_gazetteer, read_raw
from clearplan.settings.project import Project
from clearplan.study.handouts import EXCHANGE, FIELD, write_handouts
from clearplan.study.provenance import line_words
from clearplan.study.publish import accidents_section, tier_words
from clearplan.study.study import Study
from clearplan.study.treaty import dossier_section, write_dossier
from clearplan.study.workbook import write_runbook
from clearplan.surface.probability import make_surface
from clearplan.tables.check import placed
from clearplan.tables.codes import RELEASED
from clearplan.tables.inputs import INPUTS

Progress = Callable[[str], None]

#: The two last stages of a run, as they are announced.
WRITING, DRAWING = "Writing layers and tables", "Drawing the map"
#: Files that a run writes; others in its folder are the user's.
OUTPUTS = (
    "map.html", "report.html", "plan.gpkg", "tasks.csv", "ledger.csv", "bridge.csv", "records.html", "run.json",
    "surface.tif", "surface.qml", "surface_evidence.tif", "surface_evidence.qml", "work.csv", "blockers.csv",
    "plan.xlsx", "treaty.xlsx", "accidents.csv", "plan.qgz", "report.pdf", FIELD, EXCHANGE,
)  # fmt: skip
#: Pictures of a plan of work; only where there is something to draw.
PICTURES = ("home.png", "teams.png", "budgets.png", "chances.png")
#: Books that are files of their own, and the declared table that each is.
_BOOKS = {"ledger": "ledger", "bridge": "bridge", "accidents": "accident_counts"}
#: Files of a plan of work that is written alone: its tables, its pictures, and these.
PLAN_OUTPUTS = ("work.csv", "blockers.csv", "plan.xlsx", *PICTURES, "plan.html", "tasks.csv", "run.json")
#: Files of both: whichever takes a folder, nothing of the other may stay, for it was written for others.
ALL_OUTPUTS = tuple(dict.fromkeys((*OUTPUTS, *PLAN_OUTPUTS)))


def notice(study: Study) -> str:
    """Disclaimer and fingerprint, as they stand in every file."""
    words = [ILLUSTRATIVE] if study.project.study.illustrative else []
    words += [tier_words(study), NOT_FOR_ENTRY, BOUNDARIES, study.project.context.attribution]
    words.append(f"As at {study.project.study.as_at}. Fingerprint {study.run['fingerprint']}.")
    return " ".join(word for word in words if word)


def about(study: Study) -> About:
    """What the map page says about the run."""
    net_km2 = study.net.groupby("land_class")["net_m2"].sum() / 1e6
    people = study.run["people"]
    waiting = f"{people['known_people']:,} in {people['zones_known']} places"
    if people["zones_unknown"]:
        waiting += f"; {people['zones_unknown']} unknown"
    released = float(study.books["ledger"][[f"{name}_m2" for name in RELEASED]].to_numpy().sum()) / 1e6
    cited = [table["source"].dropna() for table in (study.hazards, study.zones) if "source" in table.columns]
    sources = sorted({source for column in cited for source in column})
    return About(
        title=study.project.map.title,
        as_at=study.project.study.as_at.isoformat(),
        crs=study.run["crs"],
        fingerprint=study.run["fingerprint"],
        illustrative=study.project.study.illustrative,
        tier=tier_words(study),
        sources=tuple(words.rstrip(".") for words in (study.project.context.attribution, *sources)),
        line_note=". ".join(line_words(line) for line in study.run["contact_lines"]),
        notes=tuple(study.run["warnings"]),
        figures=(
            ("Confirmed hazardous (CHA)", f"{net_km2.get('CHA', 0):,.1f} km²"),
            ("Suspected hazardous (SHA)", f"{net_km2.get('SHA', 0):,.1f} km²"),
            ("Indication, to be surveyed", f"{net_km2.get('indication', 0):,.0f} km²"),
            ("Released by decisions", f"{released:,.1f} km²"),
            ("People waiting to return", waiting),
        ),
    )


def _further(study: Study) -> list[str]:
    """Sections of the report beyond the ranking."""
    parts = [] if study.planned is None else [workplan_section(study.planned, study.tasks, study.zones)]
    parts += [] if study.dossier is None else [dossier_section(study.dossier)]
    return [*parts, accidents_section(study.books["accidents"])] if "accidents" in study.books else parts


def write_run(study: Study, folder: Path, progress: Progress = lambda stage: None) -> Study:
    """All outputs into a folder of their own; the study comes back with its surface where its file lies."""
    progress(WRITING)
    words = notice(study)
    tables = {"hazards": study.hazards, "areas": study.areas, "tasks": study.tasks, "zones": study.zones,
              "accidents": study.accidents}  # fmt: skip
    further = [name for name, table in INPUTS.items() if table.shapes and name not in tables]
    tables |= {name: study.tables[name] for name in further if len(study.tables[name])}
    for name, parts in (("record_points", [r.vertices for r in study.records]),
                        ("record_versions", [r.versions for r in study.records])):  # fmt: skip
        if parts:
            tables[name] = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=study.hazards.crs)
    write_gpkg(tables, folder / "plan.gpkg", as_at=study.project.study.as_at.isoformat(), notice=words)
    write_csv(study.tasks, folder / "tasks.csv", notice=words)
    write_runbook(study, folder / "plan.xlsx", notice=words)
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
        write_dossier(study.dossier, folder, title=f"{study.project.study.title}: tables to file", notice=words)
    if any(len(placed(table)) for table in tables.values()):
        rasters = [path.name for path in sorted(folder.glob("*.tif"))]
        told = {"title": study.project.study.title, "as_at": study.project.study.as_at.isoformat(), "notice": words}
        write_project(folder / "plan.qgz", tables, rasters=rasters, **told)
    write_handouts(study, folder, notice=words)
    progress(DRAWING)
    told_of, days = about(study), _bridge_days(study.project)
    page = draw_map(
        study.tasks,
        study.zones,
        areas=study.areas,
        accidents=study.accidents,
        contact_lines=study.hazards[study.hazards["kind"] == "contact-line"],
        context=study.context,
        records=study.records,
        surface=study.surface,
        about=told_of,
        first=study.why.first,
        periods=study.planned.stops if study.planned is not None else (),
        figures=figures_of(study.books, study.planned, bridge_days=days),
    )
    page.save(folder / "map.html")
    report = draw_report(
        title=f"{study.project.study.title}: report",
        notice=words,
        illustrative=ILLUSTRATIVE if study.project.study.illustrative else "",
        notes=study.notes,
        figures=told_of.figures,
        books=study.books,
        bridge_days=days,
        published=_published(study.project),
        tasks=study.tasks,
        first=study.why.first,
        cuts=study.why.cuts,
        hangs=study.why.hangs,
        weight_sets=study.why.weights,
        agreement=study.why.agreement,
        further=_further(study),
    )
    report.save(folder / "report.html")
    save_paper(report, folder / "report.pdf")
    if study.records:
        sheets = draw_quality_sheets(
            study.records,
            title=f"{study.project.study.title}: minefield records",
            notice=words,
            illustrative=ILLUSTRATIVE if study.project.study.illustrative else "",
            gazetteers=[read_gazetteer(source.gazetteer) for source in study.project.records],
        )
        sheets.save(folder / "records.html")
    _write_record(study, folder, words)
    return study


def _write_record(study: Study, folder: Path, words: str) -> None:
    stamped = {"finished_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "notice": words} | study.run
    (folder / "run.json").write_text(json.dumps(stamped, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_plan_alone(study: Study, planned: Planned, folder: Path) -> None:
    """A plan of work without the rest of the run: what-ifs write it again and again."""
    words, title = notice(study), f"{study.project.study.title}: plan of work"
    write_plan(planned, study.tasks, study.zones, folder, title=title, notice=words)
    write_csv(study.tasks, folder / "tasks.csv", notice=words)
    write_pictures(planned, study.tasks, study.zones, folder)
    draw_sections(
        [workplan_section(planned, study.tasks, study.zones)],
        title=title,
        notice=words,
        notes=study.notes,
        illustrative=ILLUSTRATIVE if study.project.study.illustrative else "",
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


def _bridge_days(project: Project) -> tuple[str, str] | None:
    opening = project.release.bridge_from if project.release is not None else None
    return None if opening is None else (opening.isoformat(), project.study.as_at.isoformat())


def _published(project: Project) -> pd.DataFrame | None:
    """Release figures as an agency published them."""
    path = project.release.published if project.release is not None else None
    if path is None:
        return None
    raw = read_raw(path)
    figures = raw.frame
    if "hectares" not in figures.columns:
        raise SettingsError(f"release.published: {path} has no column 'hectares'; it needs breakdown, name, hectares")
    hectares = pd.to_numeric(figures["hectares"], errors="coerce")
    if hectares.isna().any():
        row = raw.rows[int(hectares.isna().to_numpy().argmax())]
        raise SettingsError(f"release.published: {path}, row {row}: hectares is no number; mend it")
    return figures.assign(hectares=hectares)
