"""The report's treaty tables: the clock in words, and the tables that a state files, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd

from clearplan.outputs.report.html import table
from clearplan.tables.check import each_row
from clearplan.tables.codes import CLASSES, EVERY_KIND, RELEASED
from clearplan.treaty.clock import Clock
from clearplan.treaty.conventions import CONVENTIONS
from clearplan.treaty.dossier import Dossier

_PLACE = {name: k for k, name in enumerate(CLASSES)}


def treaty_section(dossier: Dossier) -> str:
    """The section of a state's treaty tables: the clock in sentences, what its convention asks, and the tables.

    Of a state that is not party all is computed as if it acceded on a day; tables that the dossier lacks are left out.
    """
    clock = dossier.clock
    parts = [f"<section><h2>{escape(_title(clock))}</h2>", _list(clock.words)]
    if dossier.notes:
        parts.append(f"<h3>What to know</h3>{_list([str(note) for note in dossier.notes])}")
    parts += [_obligations(clock, dossier.obligations), _remaining(dossier.remaining), _released(dossier.released)]
    if dossier.milestones is not None:
        parts.append(_milestones(dossier.milestones, dossier.currency))
    if dossier.planned is not None:
        parts.append(_planned(dossier.planned))
    if dossier.achieved is not None:
        parts.append(_achieved(dossier.achieved))
    return "\n".join(parts) + "</section>"


def _list(words: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(own)}</li>" for own in words) + "</ul>"


def _title(clock: Clock) -> str:
    if clock.party:
        return f"{clock.convention}: the clock of {clock.state}, and tables to file"
    return f"{clock.convention}: if {clock.state} acceded on {clock.if_acceded_on}, and tables to file"


def _obligations(clock: Clock, obligations: pd.DataFrame) -> str:
    told = "Facts of the convention, for every state party."
    if not clock.party:
        bound = f"they would bind it from {clock.entry_into_force} on"
        told += f" {clock.state} is not party; if it acceded on {clock.if_acceded_on}, {bound}."
    cells = [
        [
            escape(f"{row.convention} {row.article}"),
            escape(str(row.what)),
            "" if pd.isna(row.years) else str(row.years),
            escape(str(row.extension)),
            escape(str(row.note)),
        ]
        for row in each_row(obligations)
    ]
    header = ["article", "what a state party has to do", "years after entry into force", "extension", "note"]
    name = f"{CONVENTIONS[clock.convention].name} ({clock.convention})"
    return f"<h3>What the {escape(name)} asks</h3><p>{escape(told)}</p>" + table(
        header, cells, {0: "k", 1: "w", 2: "n", 3: "w", 4: "w"}
    )


def _m2(value: Any) -> str:
    """Square metres as HTML, for tables that are filed; what is little is not nothing.

    >>> _m2(1234567.8), _m2(0.4), _m2(0.0), _m2(float("nan"))
    ('1,234,568', '&lt; 1', '0', 'nobody knows')
    """
    if pd.isna(value):
        return "nobody knows"
    return "&lt; 1" if 0 < value < 0.5 else f"{value:,.0f}"


def _remaining(remaining: pd.DataFrame) -> str:
    """Each class as a whole and by ordnance, then by district; classes are never summed (Law 3)."""
    by = ["land_class", "ordnance"]
    sums = [
        rows.groupby(by, sort=False)[["hazards", "reported_m2"]].sum(min_count=1).reset_index()
        for rows in (remaining.assign(ordnance=EVERY_KIND), remaining[remaining["ordnance"] != EVERY_KIND])
        if len(rows)
    ]
    every = pd.concat(sums).assign(district="")
    every = every.sort_values("land_class", key=lambda names: names.map(_PLACE).fillna(len(_PLACE)), kind="stable")
    told = (
        "Net of overlap, in the strongest class. A hazard is counted once, in the district with most of its ground: a "
        "row may hold ground of hazards counted elsewhere, and hazards whose ground lies in a stronger class. "
        "Indications are reasons to survey, not declared areas."
    )
    nowhere = int(remaining.loc[remaining["reported_m2"].isna(), "hazards"].sum())
    if nowhere:
        told += f" Of {nowhere:,} hazards nobody knows the place; they are counted, and no sum holds their ground."
    header = ["district", "class", "ordnance", "hazards", "m²"]
    cells = [_remaining_row(row)[1:] for row in each_row(every)]
    cells = [[f"<b>{cell}</b>" for cell in row] if row[1] == EVERY_KIND else row for row in cells]
    whole = table(header[1:], cells, {2: "n", 3: "n"})
    parts = table(header, map(_remaining_row, each_row(remaining)), {3: "n", 4: "n"})
    return f"<h3>What remains</h3><p>{told}</p>{whole}{_folded(parts, len(remaining))}"


def _folded(rows: str, count: int) -> str:
    """Rows of the districts, which a reader opens; they print all the same."""
    return f"<details><summary>By district ({count:,} rows; the workbook has them too)</summary>{rows}</details>"


def _remaining_row(row: Any) -> list[str]:
    elsewhere = row.hazards == 0 and row.reported_m2 >= 1
    return [
        escape(str(row.district)),
        escape(str(row.land_class)),
        escape(str(row.ordnance)),
        "elsewhere" if elsewhere else f"{row.hazards:,}",
        _m2(row.reported_m2),
    ]


def _released(released: pd.DataFrame) -> str:
    """Each method of a year as a whole, then by district."""
    ground = ["cha_m2", "sha_m2", "indication_m2"]
    items = [name for name in released.columns if name.startswith("items_") and name != "decisions_silent"]
    dated = released[released["year"].notna()]
    counts = [name for name in ("releases", "decisions_silent") if name in released.columns]
    whole = dated.groupby(["year", "method"])[[*ground, *counts]].sum()
    whole = whole.join(dated.groupby(["year", "method"])[items].sum(min_count=1)).reset_index()
    whole = whole.assign(district="", at=whole["method"].map(RELEASED.index)).sort_values(["year", "at"])
    header = ["year", "district", "method", "CHA, m²", "SHA, m²", "indication, m²", "decisions"]
    header += ["items found"] * ("decisions_silent" in counts)  # a published table tells none
    every, own = ([_released_row(row, ground, items) for row in rows.to_dict("records")] for rows in (whole, released))
    sums = table([header[0], *header[2:]], [[row[0], *row[2:]] for row in every], dict.fromkeys(range(2, 6), "n"))
    parts = table(header, own, dict.fromkeys(range(3, 7), "n") | {7: "w"})
    return (
        "<h3>What was released</h3><p>Ground that remained and was released in the year, net of overlap, as decided; "
        "what was released where no hazard is known stands in the ledger alone. Each decision, with its items, is "
        f"counted once, in the district with most of its ground.</p>{sums}{_folded(parts, len(released))}"
    )


def _released_row(row: dict[Any, Any], ground: Sequence[str], items: Sequence[str]) -> list[str]:
    return [
        "no date" if pd.isna(row["year"]) else str(row["year"]),
        escape(str(row["district"])),
        escape(str(row["method"])),
        *(_m2(row[name]) for name in ground),
        f"{row['releases']:,}",
        *([escape(_items_words(row, items))] if "decisions_silent" in row else []),
    ]


def _items_words(row: dict[Any, Any], items: Sequence[str]) -> str:
    """Items by device; how many decisions don't say is shown, for unknown is never 0.

    >>> _items_words({"items_AP": 3, "items_AV": 0, "releases": 2, "decisions_silent": 1}, ["items_AP", "items_AV"])
    'AP 3; 1 of 2 decisions not stated'
    """
    if not row["releases"]:
        return ""
    if row["decisions_silent"] == row["releases"]:
        return "not stated"
    found = [f"{name.removeprefix('items_')} {row[name]:,}" for name in items if not pd.isna(row[name]) and row[name]]
    words = "; ".join(found) or "none"
    silent = f"; {row['decisions_silent']:,} of {row['releases']:,} decisions not stated"
    return words + (silent if row["decisions_silent"] else "")


def _milestones(milestones: pd.DataFrame, currency: str) -> str:
    """Year by kind of team, and each year as a whole."""
    money = [f"{name}{end}" for name in ("team_months", "cost") for end in ("_low", "", "_high")]
    whole = milestones.groupby("year")[["days", *money]].sum().reset_index().assign(kind="all teams")
    cells = [[f"<b>{cell}</b>" for cell in _milestone_row(row)] for row in whole.to_dict("records")]
    cells += [_milestone_row(row) for row in milestones.to_dict("records")]
    cost = f"cost, {escape(currency)}" if currency else "cost"
    header = [
        "year",
        "teams",
        "tasks",
        "ground worked, m²",
        "team-days planned",
        "team-months (low to high)",
        f"{cost} (low to high)",
    ]
    return (
        "<h3>Milestones: what the plan asks of its teams</h3><p>Low and high come from the high and the low rate of "
        "each team; the figure before them is that of the likely rate. Steps on the same ground count it each.</p>"
        + table(header, cells, dict.fromkeys(range(2, 7), "n"))
    )


def _milestone_row(row: dict[Any, Any]) -> list[str]:
    months = [row[f"team_months{end}"] for end in ("", "_low", "_high")]
    costs = [row[f"cost{end}"] for end in ("", "_low", "_high")]
    return [
        str(row["year"]),
        escape(str(row["kind"])),
        f"{row['tasks']:,}" if "tasks" in row else "",
        _m2(row["m2"]) if "m2" in row else "",
        f"{row['days']:,.0f}",
        f"{months[0]:,.1f} ({months[1]:,.1f} to {months[2]:,.1f})",
        f"{costs[0]:,.0f} ({costs[1]:,.0f} to {costs[2]:,.0f})",
    ]


def _planned(planned: pd.DataFrame) -> str:
    cells = [
        [str(row.year), escape(str(row.land_class)), escape(str(row.method)), f"{row.tasks:,}", _m2(row.planned_m2)]
        for row in each_row(planned)
    ]
    return (
        "<h3>Milestones: what the plan means to release</h3><p>By the shares of each class that survey is expected to "
        "cancel and reduce; decisions are the authority's.</p>"
        + table(["year", "class", "method", "tasks", "m²"], cells, {3: "n", 4: "n"})
    )


def _achieved(achieved: pd.DataFrame) -> str:
    head = "<h3>Plan in force, and what was achieved</h3>"
    if not len(achieved):
        return f"{head}<p>No calendar year stands both in the plan in force and in the releases.</p>"
    cells = [
        [
            str(row.year),
            escape(str(row.land_class)),
            escape(str(row.method)),
            f"{row.tasks:,}",
            _m2(row.planned_m2),
            "" if pd.isna(row.released_m2) else _m2(row.released_m2),
            "" if pd.isna(row.achieved) else f"{100 * row.achieved:,.0f} %",
            escape(str(row.note)),
        ]
        for row in each_row(achieved)
    ]
    return f"{head}<p>What the plan in force meant to release by now, beside what was released as decided.</p>" + table(
        ["year", "class", "method", "tasks", "planned, m²", "released, m²", "achieved", "note"],
        cells,
        dict.fromkeys(range(3, 7), "n") | {7: "w"},
    )
