"""All of a run as one book to file, plan.xlsx: key figures, tasks, places, work, ledger, treaty tables, faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clearplan.core.crs import inner_lonlat
from clearplan.core.imprint import NOT_FOR_ENTRY
from clearplan.outputs.workbooks.plan import work_sheets, work_tables
from clearplan.outputs.workbooks.run import (
    by_class,
    quality_table,
    run_sheets,
    settings_table,
    source_table,
    summary_table,
    task_table,
)
from clearplan.outputs.workbooks.treaty import treaty_sheets
from clearplan.outputs.workbooks.writer import Sheet, write_book
from clearplan.planning.planned import Planned
from clearplan.study.treaty import Dossier
from clearplan.tables.inputs import INPUTS

if TYPE_CHECKING:
    from clearplan.study.study import Study

#: Sheets in the order of the book; of treaty and plan of work, those that there are.
_ORDER = (
    "summary", "tasks", "zones", "comparison", "work", "use", "budgets", "bridge", "ledger", "obligations", "remaining",
    "released", "milestones", "planned", "achieved", "quality", "sources", "settings",
)  # fmt: skip
_LAST = (
    "Areas are net of overlap, and classes are never to be summed: an indication is a reason to survey, not a declared "
    "area. Blank cells are not known, or not in the plan; never 0. Work is dated to the period, not to the day. The "
    "row below the heads holds HXL hashtags (hxlstandard.org), by which tables of several offices can be laid side by "
    "side; clearplan passes it by when it reads a table."
)


def write_runbook(study: Study, path: str | Path, *, notice: str) -> None:
    """A finished study as one XLSX; what the run has not (a plan of work, treaty tables, a bridge) has no sheet.

    Parameters
    ----------
    study : Study
    path : path
        A new .xlsx file.
    notice : text
        Disclaimer and fingerprint; on the first sheet.

    Raises
    ------
    OutputError
        The file exists or can't be written, or a table has more rows than a sheet.
    """
    plan, run = study.project, study.run
    days = None
    if "bridge" in study.books and plan.release is not None and plan.release.bridge_from is not None:
        days = (plan.release.bridge_from.isoformat(), plan.study.as_at.isoformat())
    survey = plan.priority.survey_first
    sheets = run_sheets(study.tasks, days, "" if survey is None else survey.currency)
    sheets |= _plan_sheets(study.planned) | _treaty_sheets(study.dossier)
    tables = _run_tables(study) | _plan_tables(study.planned, study.tasks) | _treaty_tables(study.dossier)
    if run.get("tier", "restricted") != "restricted":
        # A published table has only the columns that leave.
        sheets = {name: replace(sheet, may_lack=sheet.columns) for name, sheet in sheets.items()}
    write_book(
        path,
        title=plan.study.title,
        words=[notice, *study.notes, *_further_notes(study.planned, study.dossier)],
        tables={name: tables[name] for name in _ORDER if name in tables},
        sheets=sheets,
        last=_LAST,
        foot=f"{_loud(plan.study.illustrative)}{NOT_FOR_ENTRY} As at {plan.study.as_at}. Fingerprint "
        f"{run['fingerprint']}.",
    )


def _loud(illustrative: bool) -> str:
    return "Illustrative data. " if illustrative else ""


def _run_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Tables that every run has."""
    read: Mapping[str, Any] = {name: study.tables[name] for name in INPUTS}
    tables = {
        "summary": summary_table(
            study.run,
            study.project,
            study.tasks,
            study.books,
            study.planned,
        ),
        "tasks": task_table(study.tasks),
        "zones": _places(study.zones),
        "ledger": by_class(study.books["ledger"]),
        "quality": quality_table(study.faults, read),
        "sources": source_table(study.run, study.project, dict(read) | _hazards_apart(study)),
        "settings": settings_table(study.project, study.run["settings"]),
    }
    return tables | ({"bridge": by_class(study.books["bridge"])} if "bridge" in study.books else {})


def _hazards_apart(study: Study) -> dict[str, pd.DataFrame]:
    """HAZARDS by the section of plan.toml that they come from."""
    hazards = study.hazards
    recorded = pd.concat([pd.Series(dtype=object), *(reading.hazards["hazard_id"] for reading in study.records)])
    of_records, lines = hazards["hazard_id"].isin(recorded), hazards["kind"] == "contact-line"
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
    return {"zones": replace(places, about="where people wait to return, or live", may_lack=of_the_plan)}


def _plan_tables(planned: Planned | None, tasks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {} if planned is None else work_tables(planned, tasks)


def _treaty_sheets(dossier: Dossier | None) -> dict[str, Sheet]:
    return {} if dossier is None else treaty_sheets(dossier.clock, dossier.released, dossier.currency)


def _treaty_tables(dossier: Dossier | None) -> dict[str, pd.DataFrame]:
    return {} if dossier is None else {"obligations": dossier.obligations, **dossier.tables}


def _further_notes(planned: Planned | None, dossier: Dossier | None) -> Sequence[str]:
    """What to know of the plan of work and of the treaty tables."""
    notes = [] if planned is None else [str(note) for note in planned.notes]
    return notes if dossier is None else [*notes, *dossier.clock.words, *dossier.notes]
