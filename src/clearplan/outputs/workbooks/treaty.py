"""The treaty tables as XLSX, to file and to filter."""

from __future__ import annotations

from pathlib import Path

from clearplan.core.imprint import Imprint
from clearplan.outputs.workbooks.writer import Sheet, names, write_book
from clearplan.treaty.dossier import Dossier

_LAST = (
    "Areas are net of overlap. Classes are never to be summed: an indication is a reason to survey, not a declared "
    "area. Blank cells are not known; never 0. What is filed, and when, the state decides."
)


def write_treaty(path: str | Path, dossier: Dossier, imprint: Imprint) -> None:
    """The treaty tables as a workbook of one sheet each; what the dossier lacks has none. Same tables, same bytes.

    Parameters
    ----------
    path : path
        A new .xlsx file.
    dossier : Dossier
        The sentences of its clock and its notes stand on the first sheet. Of a state that is not party all is shown as
        if it acceded on a day.
    imprint : Imprint
        Title and notice, on the first sheet.

    Raises
    ------
    OutputError, TableError
        As in :func:`clearplan.outputs.workbooks.writer.write_book`.
    """
    write_book(
        path,
        title=imprint.title,
        words=[imprint.notice, *dossier.clock.words, *map(str, dossier.notes)],
        last=_LAST,
        tables={"obligations": dossier.obligations, **dossier.tables},
        sheets=treaty_sheets(dossier),
        foot=imprint.notice,
    )


def treaty_sheets(dossier: Dossier) -> dict[str, Sheet]:
    """All sheets, by the name of the dossier's table that fills each."""
    clock, released = dossier.clock, dossier.released
    asks = f"what the {clock.convention} asks of its states parties"
    if not clock.party:
        asks += f"; {clock.state} is not one, and all is computed as if it acceded on {clock.if_acceded_on}"
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
            names("district land_class ordnance hazards reported_m2"),
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
            currency=dossier.currency,
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
