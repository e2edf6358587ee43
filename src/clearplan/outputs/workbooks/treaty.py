"""The treaty tables as XLSX, to file and to filter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from clearplan.outputs.workbooks.writer import Field, Sheet, write_book
from clearplan.tables.codes import CLASSES
from clearplan.treaty.clock import Clock

_LAST = (
    "Areas are net of overlap. Classes are never to be summed: an indication is a reason to survey, not a declared "
    "area. Blank cells are not known; never 0. What is filed, and when, the state decides."
)
_RELEASED_M2 = {f"{name.lower()}_m2": name for name in CLASSES}


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
    items = [name for name in released.columns if name.startswith("items_")]
    money = f"[{currency}]" if currency else "[currency]"
    asks = f"what the {clock.convention} asks of its states parties"
    if not clock.party:
        asks += f"; {clock.state} is not one, and is told as if it acceded on {clock.if_acceded_on}"
    found = (Field(name, f"{name.removeprefix('items_')} found; blank: not told [items]", "whole") for name in items)
    silent = [Field("decisions_silent", "decisions that don't say what was found [decisions]", "whole")]
    silent = silent if "decisions_silent" in released.columns else []
    return {
        "obligations": Sheet("Obligations", asks, (
            Field("convention", "convention", "text"),
            Field("article", "article", "text"),
            Field("what", "what a state party has to do", "sentence"),
            Field("years", "years after entry into force; blank: none counted [years]", "whole"),
            Field("extension", "extension", "sentence"),
            Field("note", "note", "sentence"),
        ), 2),
        "remaining": Sheet("Remaining", "what remains by district, class and ordnance; a hazard is counted once, in "
                           "the district with most of its ground", (
            Field("district", "district", "text"),
            Field("land_class", "class", "text"),
            Field("ordnance", "ordnance", "text"),
            Field("hazards", "hazards; 0 beside ground: counted in another district [hazards]", "whole"),
            Field("net_m2", "ground, net of overlap; blank: no place on the map [m2]", "whole"),
        )),
        "released": Sheet("Released", "ground that remained and was released, by year, district and method, and what "
                          "was found; a decision is counted once, in the district with most of its ground", (
            Field("year", "calendar year; blank: no date", "year"),
            Field("district", "district", "text"),
            Field("method", "method", "text"),
            *(Field(name, f"of {of}; blank: no place on the map [m2]", "whole") for name, of in _RELEASED_M2.items()),
            Field("releases", "decisions [decisions]", "whole"),
            *found,
            *silent,
        ), 2),
        "milestones": Sheet("Milestones", "what the plan of work asks of its teams, by year; low and high come from "
                            "the high and the low rate of each team", (
            Field("year", "calendar year", "year"),
            Field("kind", "kind of team", "text"),
            Field("tasks", "tasks worked on [tasks]", "whole"),
            Field("m2", "ground worked; steps on the same ground count it each [m2]", "whole"),
            Field("days", "as planned [team-days]", "number"),
            Field("team_months_low", "low [team-months]", "number"),
            Field("team_months", "likely [team-months]", "number"),
            Field("team_months_high", "high [team-months]", "number"),
            Field("cost_low", f"cost, low {money}", "whole"),
            Field("cost", f"cost, likely {money}", "whole"),
            Field("cost_high", f"cost, high {money}", "whole"),
        ), 2, "milestones"),
        "planned": Sheet("Planned release", "what the plan of work means to release, by year; decisions are the "
                         "authority's", (
            Field("year", "calendar year", "year"),
            Field("land_class", "class", "text"),
            Field("method", "method", "text"),
            Field("tasks", "tasks worked on [tasks]", "whole"),
            Field("planned_m2", "to be released; blank: not known [m2]", "whole"),
        ), 2),
        "achieved": Sheet("Plan vs achieved", "what the plan in force meant to release by now, beside what was "
                          "released", (
            Field("year", "calendar year", "year"),
            Field("land_class", "class", "text"),
            Field("method", "method", "text"),
            Field("tasks", "tasks worked on [tasks]", "whole"),
            Field("planned_m2", "planned; blank: not known [m2]", "whole"),
            Field("released_m2", "released [m2]", "whole"),
            Field("achieved", "achieved; blank: nothing was planned [%]", "share"),
            Field("note", "note", "sentence"),
        ), 2),
    }  # fmt: skip
