"""The treaty tables as XLSX, to file and to filter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from clearplan.outputs.workbooks.writer import Sheet, names, write_book
from clearplan.treaty.clock import Clock

_LAST = (
    "Areas are net of overlap. Classes are never to be summed: an indication is a reason to survey, not a declared "
    "area. Blank cells are not known; never 0. What is filed, and when, the state decides."
)


def write_treaty(
    path: str | Path,
    clock: Clock,
    *,
    obligations: pd.DataFrame,
    remaining: pd.DataFrame,
    released: pd.DataFrame,
    milestones: pd.DataFrame | None = None,
    planned: pd.DataFrame | None = None,
    achieved: pd.DataFrame | None = None,
    notice: str,
    notes: Sequence[str] = (),
    currency: str = "",
    title: str = "Treaty tables",
) -> None:
    """The treaty tables as a workbook of one sheet each; what is not given has none. Same tables, same bytes.

    Parameters
    ----------
    path : path
        A new .xlsx file.
    clock : Clock
        Its sentences stand on the first sheet. Of a state that is not party all is told as if it acceded on a day.
    obligations : DataFrame
        From ``treaty.obligations``.
    remaining, released, milestones, planned, achieved : DataFrame
        From ``remaining_table``, ``released_table``, ``milestones``, ``planned_release`` and ``plan_vs_achieved``.
    notice, notes : str, list of str
        On the first sheet: disclaimer and fingerprint, and what to know.
    currency : str
        Of the costs.
    title : str
        Of the workbook.

    Raises
    ------
    OutputError, TableError
        As in :func:`clearplan.outputs.workbooks.writer.write_book`.
    """
    given = {"obligations": obligations, "remaining": remaining, "released": released, "milestones": milestones,
             "planned": planned, "achieved": achieved}  # fmt: skip
    write_book(
        path,
        title=title,
        words=[notice, *clock.words, *notes],
        last=_LAST,
        tables={name: table for name, table in given.items() if table is not None},
        sheets=treaty_sheets(clock, released, currency),
        foot=notice,
    )


def treaty_sheets(clock: Clock, released: pd.DataFrame, currency: str) -> dict[str, Sheet]:
    """All sheets, by the name of the argument of ``write_treaty`` that fills them; ``released``: for its devices."""
    asks = f"what the {clock.convention} asks of its states parties"
    if not clock.party:
        asks += f"; {clock.state} is not one, and is told as if it acceded on {clock.if_acceded_on}"
    items = [name for name in released.columns if name.startswith("items_")]
    return {
        "obligations": Sheet(
            "Obligations", asks, "obligations", names("convention article what years extension note"), fixed=2
        ),
        "remaining": Sheet(
            "Remaining",
            "what remains by district, class and ordnance; a hazard is counted once, in the district with most of its "
            "ground",
            "remaining",
            names("district land_class ordnance hazards net_m2"),
        ),
        "released": Sheet(
            "Released",
            "ground that remained and was released, by year, district and method, and what was found; a decision is "
            "counted once, in the district with most of its ground",
            "released",
            [*names("year district method cha_m2 sha_m2 indication_m2 releases"), *items, "decisions_silent"],
            may_lack=["decisions_silent"],
            fixed=2,
        ),
        "milestones": Sheet(
            "Milestones",
            "what the plan of work asks of its teams, by year; low and high come from the high and the low rate of "
            "each team",
            "milestones",
            names("year kind tasks m2 days team_months_low team_months team_months_high cost_low cost cost_high"),
            fixed=2,
            currency=currency,
        ),
        "planned": Sheet(
            "Planned release",
            "what the plan of work means to release, by year; decisions are the authority's",
            "planned",
            names("year land_class method tasks planned_m2"),
            fixed=2,
        ),
        "achieved": Sheet(
            "Plan vs achieved",
            "what the plan in force meant to release by now, beside what was released",
            "achieved",
            names("year land_class method tasks planned_m2 released_m2 achieved note"),
            fixed=2,
        ),
    }
