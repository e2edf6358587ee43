"""All of a run as one book to file, plan.xlsx: key figures, tasks, places, work, ledger, treaty tables, faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from clearplan.core.crs import inner_lonlat
from clearplan.core.imprint import NOT_FOR_ENTRY, Imprint
from clearplan.outputs.facts import Bridge, Facts
from clearplan.outputs.workbooks.plan import work_sheets, work_tables
from clearplan.outputs.workbooks.provenance import quality_table, settings_table, source_table
from clearplan.outputs.workbooks.summary import summary_table
from clearplan.outputs.workbooks.treaty import treaty_sheets
from clearplan.outputs.workbooks.writer import Sheet, names, write_book
from clearplan.planning.planned import Planned
from clearplan.priority.rank import criteria_of, meaning_of
from clearplan.publishing.tables import from_records
from clearplan.settings.project import Project
from clearplan.tables.codes import CLASSES
from clearplan.tables.columns import with_unit
from clearplan.tables.inputs import INPUTS
from clearplan.treaty.dossier import Dossier

#: Sheets in the order of the book; of treaty and plan of work, those that there are.
_ORDER = (
    "summary",
    "tasks",
    "zones",
    "comparison",
    "work",
    "use",
    "budgets",
    "bridge",
    "ledger",
    "obligations",
    "remaining",
    "released",
    "milestones",
    "planned",
    "achieved",
    "quality",
    "sources",
    "settings",
)
_LAST = (
    "Areas are net of overlap, and classes are never to be summed: an indication is a reason to survey, not a declared "
    "area. Blank cells are not known, or not in the plan; never 0. Work is dated to the period, not to the day. The "
    "row below the heads holds HXL hashtags (hxlstandard.org), by which tables of several offices can be laid side by "
    "side; clearplan passes it by when it reads a table."
)


def write_runbook(
    path: str | Path,
    imprint: Imprint,
    facts: Facts,
    *,
    project: Project,
    run: Mapping[str, Any],
    tables: Mapping[str, Any],
    planned: Planned | None = None,
    dossier: Dossier | None = None,
) -> None:
    """All of a run as one XLSX to file; what the run has not (a plan of work, treaty tables, a bridge) has no sheet.

    Parameters
    ----------
    path : path
        A new .xlsx file.
    imprint : Imprint
        Its title and notice stand on the first sheet, day and fingerprint at the foot of every page.
    facts : Facts
        Key figures.
    project : Project
    run : mapping
        The record of the run.
    tables : mapping
        By name: those of the project and TASKS, as the run has them; ``faults`` of all files; ``ledger``, and
        ``bridge`` where there is one.
    planned : Planned, optional
    dossier : Dossier, optional

    Raises
    ------
    OutputError
        The file exists or can't be written.
    """
    survey = project.priority.survey_first
    sheets = run_sheets(tables["tasks"], facts.bridge, "" if survey is None else survey.currency)
    sheets |= _plan_sheets(planned) | _treaty_sheets(dossier)
    shown = {"summary": summary_table(imprint, facts)} | _run_tables(project, run, tables)
    shown |= _plan_tables(planned, tables["tasks"]) | _treaty_tables(dossier)
    if run.get("tier", "restricted") != "restricted":
        # A published table has only the columns that leave.
        sheets = {name: replace(sheet, may_lack=sheet.columns) for name, sheet in sheets.items()}
    illustrative = "Illustrative data. " if imprint.illustrative else ""
    write_book(
        path,
        title=imprint.title,
        words=[imprint.notice, *run["warnings"], *_further_notes(planned, dossier)],
        tables={name: shown[name] for name in _ORDER if name in shown},
        sheets=sheets,
        last=_LAST,
        foot=f"{illustrative}{NOT_FOR_ENTRY} As at {imprint.as_at}. Fingerprint {imprint.fingerprint}.",
    )


def _run_tables(project: Project, run: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Tables of the sheets that every run has, but for the key figures."""
    read = {name: tables[name] for name in INPUTS}
    shown = {
        "tasks": task_table(tables["tasks"]),
        "zones": _places(tables["zones"]),
        "ledger": by_class(tables["ledger"]),
        "quality": quality_table(tables["faults"], read),
        "sources": source_table(run, project, read | _hazards_apart(tables["hazards"])),
        "settings": settings_table(project, run["settings"]),
    }
    return shown | ({"bridge": by_class(tables["bridge"])} if "bridge" in tables else {})


def _hazards_apart(hazards: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """HAZARDS by the section of plan.toml that they come from."""
    of_records, lines = from_records(hazards), hazards["kind"] == "contact-line"
    strikes = hazards["kind"] == "cluster-strike"
    return {
        "contact_line": hazards[lines],
        "records": hazards[of_records],
        "strikes": hazards[strikes & ~of_records],
        "hazards": hazards[~lines & ~strikes & ~of_records],
    }


def _places(zones: Any) -> pd.DataFrame:
    """ZONES with the position of an inner point [degrees, WGS 84]; none where a zone could not be placed."""
    lon, lat = (np.where(np.isfinite(v), v, np.nan).round(6) for v in inner_lonlat(zones))
    return pd.DataFrame(zones.drop(columns="geometry")).assign(lon=lon, lat=lat)


def _plan_sheets(planned: Planned | None) -> dict[str, Sheet]:
    """Sheets of the plan of work; of the places alone, where there is none."""
    sheets = work_sheets("" if planned is None else planned.case.settings.currency)
    if planned is not None:
        return sheets
    places = sheets["zones"]
    of_the_plan = [name for name in places.columns if name not in ("zone_id", "name", "people")]
    return {
        "zones": replace(
            places, about="where people are already home, and where people wait to return", may_lack=of_the_plan
        )
    }


def _plan_tables(planned: Planned | None, tasks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {} if planned is None else work_tables(planned, tasks)


def _treaty_sheets(dossier: Dossier | None) -> dict[str, Sheet]:
    return {} if dossier is None else treaty_sheets(dossier)


def _treaty_tables(dossier: Dossier | None) -> dict[str, pd.DataFrame]:
    return {} if dossier is None else {"obligations": dossier.obligations, **dossier.tables}


def _further_notes(planned: Planned | None, dossier: Dossier | None) -> Sequence[str]:
    """What to know of the plan of work and of the treaty tables."""
    notes = [] if planned is None else [str(note) for note in planned.notes]
    return notes if dossier is None else [*notes, *dossier.clock.words, *map(str, dossier.notes)]


# --- sheets of every run, and their tables


def run_sheets(tasks: pd.DataFrame, bridge: Bridge | None = None, currency: str = "") -> dict[str, Sheet]:
    """The sheets, by the name of the table that fills each.

    Parameters
    ----------
    tasks : DataFrame
        Ranked TASKS, for their criteria.
    bridge : Bridge, optional
        For its days.
    currency : str, optional
        Of what survey saves.
    """
    days = None if bridge is None else bridge.days
    when = f" from {days[0]} to {days[1]}" if days is not None else ""
    return {
        "summary": Sheet(
            "Summary",
            "key figures of the run with their units, and what each means",
            "summary",
            names("figure value unit meaning"),
        ),
        "tasks": _task_sheet(tasks, currency),
        "ledger": Sheet(
            "Ledger",
            "where every reported square metre stands, net of overlap; reported = remaining + cancelled + reduced + "
            "cleared + closed; planning ground beside it, and what was released of it beyond every reported border",
            "ledger",
            names(
                "district land_class reported_m2 remaining_m2 cancelled_m2 reduced_m2 cleared_m2 closed_m2 "
                "planning_m2 planning_released_m2 closed_ids"
            ),
            may_lack=["closed_ids"],
            fixed=2,
        ),
        "bridge": Sheet(
            "Bridge",
            f"what moved the remaining ground{when}: every term is measured on the map, none is a residual",
            "bridge",
            names(
                "district land_class ordnance opening_m2 newly_found_m2 cancelled_m2 reduced_m2 cleared_m2 reopened_m2 "
                "changed_in_m2 changed_out_m2 closed_m2 withdrawn_m2 closing_m2"
            ),
            fixed=3,
        ),
        "quality": Sheet(
            "Data quality",
            "every row that could not be used, and every fault of the files: where, which rule, what to do",
            "quality",
            names("level file row column value rule remedy table id source"),
        ),
        "sources": Sheet(
            "Sources",
            "every file that decided a figure, by its hash",
            "sources",
            names("file used_for source sha256"),
        ),
        "settings": Sheet(
            "Settings",
            "every setting of the run, with its unit and what it means",
            "settings",
            names("section setting value unit meaning"),
            fixed=2,
        ),
    }


def _task_sheet(tasks: pd.DataFrame, currency: str) -> Sheet:
    """Rank and reasons of each task; criteria in the plan's own words."""
    heads: dict[str, str] = {}
    for name in criteria_of(tasks):
        criterion = meaning_of(tasks, name)
        heads[f"c_{name}_points"] = with_unit(criterion.label, "points of 100")
        heads[f"c_{name}_raw"] = with_unit(criterion.label, criterion.unit)
    points, raw = ([name for name in heads if name.endswith(part)] for part in ("_points", "_raw"))
    ranked = names("task_id queue rank score priority_class district land_class ordnance area_m2")
    sure = names("first_share rank_low rank_high tied_with change gates expected_m2 survey_saves")
    planned = names("teams start_on finish_on finished_part told")
    where = names("small zone_ids hazard_ids lifeline_ids mgrs_km lon lat position_error_m source")
    return Sheet(
        "Tasks",
        "both queues, in the order of their ranks, with the points of each criterion; a task without a rank is behind "
        "a gate; what stands behind the points is for the screen and is not printed",
        "tasks",
        [*ranked, *points, *raw, *sure, *planned, *where],
        may_lack=["priority_class", "ordnance", *sure, *planned, *where],
        fixed=3,
        printed=points[-1] if points else "area_m2",
        currency=currency,
        heads=heads,
        kinds=dict.fromkeys(raw, "figure"),
    )


def task_table(tasks: gpd.GeoDataFrame) -> pd.DataFrame:
    """TASKS by queue and rank, the gated ones last, with the position of an inner point [degrees, WGS 84]."""
    lon, lat = inner_lonlat(tasks)
    told = pd.DataFrame(tasks.drop(columns="geometry")).assign(lon=lon.round(6), lat=lat.round(6))
    return told.sort_values(["queue", "rank", "task_id"], kind="stable")


def by_class(book: pd.DataFrame) -> pd.DataFrame:
    """A book with its rows by district, and in each the strongest class first."""
    place = {name: k for k, name in enumerate(CLASSES)}
    order = book.assign(_at=book["land_class"].map(place).fillna(len(place)))
    return book.loc[order.sort_values(["district", "_at"], kind="stable").index]
