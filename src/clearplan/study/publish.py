"""A study as a tier may see it: every table, figure and sentence that the writers take, so that they need no tier."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from clearplan.core.errors import TableError
from clearplan.core.reason import Reason
from clearplan.geo import shapes
from clearplan.land.ledger import FLOWS, LEDGER_COLUMNS
from clearplan.outputs.report.html import table as html_table
from clearplan.planning.planned import Planned, ReturnProgramme
from clearplan.priority.why import Why
from clearplan.publishing.public_cells import (
    AREA_STEP_M2,
    COST_STEP,
    DAYS_STEP,
    Key,
    make_key,
    publish_work,
    stepped,
)
from clearplan.publishing.reasons import reasons_at
from clearplan.publishing.tables import from_records, only_declared, publish_tables
from clearplan.settings.publishing import PublishSettings
from clearplan.study.provenance import fingerprint_with, of_known_sources, of_people
from clearplan.tables.check import no_faults
from clearplan.tables.codes import CODE_LISTS, EVERY_KIND, OUTSIDE
from clearplan.tables.columns import Tier
from clearplan.tables.frames import Districts
from clearplan.tables.inputs import INPUTS
from clearplan.tables.tiers import BANNERS, check_tier
from clearplan.treaty.dossier import Dossier

if TYPE_CHECKING:
    from clearplan.study.study import Study

#: Sections of plan.toml that decide figures and name no file, no place and nobody; of some a key stays away.
_SETTINGS: dict[str, tuple[str, ...]] = {
    "study": (), "footprints": (), "tasks": (), "priority": ("layers", "roads"), "release": ("published",),
    "surface": ("settlements", "roads"), "fit": (), "planning": ("previous", "hard_deadlines"), "publish": (),
    "map": (), "code_lists": (),
}  # fmt: skip
#: Work of a kind of team in a year is rounded to this [team-months].
MONTHS_STEP = 0.1
#: Ids are short; of other texts only those that are long enough to mean something are looked for in sentences.
_SHORTEST_ID, _SHORTEST_TEXT = 2, 4


def publish_study(study: Study, tier: str | None = None) -> Study:
    """A study as a tier may see it; ``write_run`` makes valid outputs of it.

    Parameters
    ----------
    study : Study
        As it was made.
    tier : 'public', 'partner' or 'restricted', optional
        Unset: as [publish] in plan.toml says. It is part of the settings, and thus of the fingerprint.

    Raises
    ------
    SettingsError
        There is no such tier.
    TableError
        The study was published before: what was left out then can't come back, and what stayed would look complete.
    """
    if study.run.get("tier") not in (None, "restricted"):
        raise TableError(f"study is published already, {study.run['tier']}; publish the study as it was made")
    own = check_tier(tier or study.project.publish.tier)
    asked = study.project.publish.model_copy(update={"tier": own})
    settings = study.run["settings"] | {"publish": asked.model_dump(mode="json")}
    run = fingerprint_with(study.run, settings) | {"tier": own}
    study = replace(study, project=study.project.model_copy(update={"publish": asked}), run=run)
    if own == "restricted":
        return study
    return _made_for(study, own, asked)


def _made_for(study: Study, tier: Tier, asked: PublishSettings) -> Study:
    layers: dict[str, Any] = {"districts": study.context.districts, "district_name": study.context.district_name}
    tables = study.tables
    key = make_key(tables, asked, **layers) if tier == "public" else None
    made: dict[str, Any] = publish_tables(
        tables, tier, settings=asked, as_at=study.project.study.as_at, key=key, **layers
    )
    counts = made.pop("accident_counts", None)
    changed: dict[str, Any] = {"records": (), "faults": no_faults(), "why": _why(study.why, tier), "chain": None}
    if key is not None:
        moved = {} if asked.to == "districts" else border_rows(key, asked.cell_m, **layers)
        books = {name: _rounded_book(name, book, moved) for name, book in study.books.items()}
        changed |= {
            "books": books if counts is None else books | {"accidents": counts},
            "net": books["net_area"],
            "evidence": None,
            "known_by": None,
            "fit": None,
            "surface": None,
            "dossier": None if study.dossier is None else _dossier(study.dossier, moved),
        }
    if study.planned is not None:
        changed["planned"] = _planned(study.planned, made, key)
    out = replace(study, tables=made, **changed)
    return replace(out, run=_record(study, out, tier))


# --- sentences


def hidden_words(study: Study) -> frozenset[str]:
    """Texts that no sentence for partners may hold: what minefield records say in columns that don't leave."""
    hazards = study.hazards
    records = hazards[from_records(hazards).to_numpy()]
    kept = {"hazard_id", "kind", "land_class", "status", "ordnance", "deferred"}
    codes = {code for codes in CODE_LISTS.values() for code in codes}
    texts = _texts(records[[name for name in records.columns if name not in kept]]) - codes
    return frozenset(text for text in texts if len(text) >= _SHORTEST_ID)


def _texts(table: pd.DataFrame) -> set[str]:
    found: set[str] = set()
    for name in table.columns:
        column = table[name]
        if name == "geometry" or pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            continue
        shortest = _SHORTEST_ID if str(name).endswith("_id") else _SHORTEST_TEXT
        found |= {text for text in column.dropna().astype(str).unique() if len(text) >= shortest}
    return found


def tells(sentence: str, hidden: Iterable[str]) -> bool:
    """Whether a sentence holds a word or text that is hidden, as a word of its own.

    >>> tells("the last is KB-0127.", {"KB-0127"}), tells("the NTS teams", {"TS"})
    (True, False)
    """
    return any(
        text in sentence and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", sentence) is not None for text in hidden
    )


# --- tables that the writers take


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose areas, days and costs are rounded as those of the cells: of one task, at a known rate, each of them
    gives its exact area.

    >>> _rounded(pd.DataFrame({"m2": [101_848.1], "days": [1.697], "cost": [594.11]})).to_dict("records")
    [{'m2': 102000.0, 'days': 2.0, 'cost': 600.0}]
    """
    steps = {str(name): _step(str(name)) for name in table.columns}
    return table.assign(**{name: stepped(table[name].astype(float), step) for name, step in steps.items() if step})


def _step(name: str) -> float | None:
    """To what a column is rounded, by its name; None: it is no area, no work and no cost."""
    parts = name.split("_")
    if "m2" in parts:
        return AREA_STEP_M2
    if name.startswith("team_months"):
        return MONTHS_STEP
    return {"days": DAYS_STEP, "cost": COST_STEP}.get(parts[0])


def border_rows(
    key: Key, cell_m: float, *, districts: Districts | None, district_name: str
) -> dict[tuple[str, str], str]:
    """District and class to the district under which their ground is shown: that of the cells that hold it.

    A cell lies in one district, but ground of a neighbour's may reach into it by a sliver. The neighbour's row of a
    book would then say that what the cell holds lies in the sliver; so rows go over where all ground on which they can
    lie, their district's part of the cells of their class, is less than one cell.
    """
    if districts is None:
        return {}
    ground, names = shapes.disjoint(districts.geometry.to_numpy()), districts[district_name].astype(str).to_numpy()
    cells = key.cells.geometry.to_numpy()
    i, j, m2 = shapes.overlaps(cells, ground)
    inside = pd.DataFrame({"cell": i, "district": names[j], "m2": m2})
    rest = shapely.area(cells) - np.bincount(i, weights=m2, minlength=len(cells))
    beyond = pd.DataFrame({"cell": range(len(cells)), "district": OUTSIDE, "m2": rest})
    parts = pd.concat([inside, beyond[beyond["m2"] > 1.0]], ignore_index=True)
    home = key.cells["district"].fillna(OUTSIDE).astype(str).to_numpy()
    moved = {}
    for land_class, held in key.held.groupby("land_class"):
        own = parts[parts["cell"].isin(held["cell"])].sort_values(["m2", "cell"], ascending=[False, True])
        for district, part in own.groupby("district"):
            if part["m2"].sum() < cell_m**2:
                moved[str(district), str(land_class)] = str(home[part["cell"].iloc[0]])
    return {row: to for row, to in moved.items() if row[0] != to}


def _whole(table: pd.DataFrame, moved: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """Rows of all kinds of ordnance as one, for the only field of a district would tell its own; those that would tell
    where in a cell it lies go to the cell's district."""
    if "land_class" not in table.columns or "district" not in table.columns:
        return table
    rows = zip(table["district"], table["land_class"], strict=True)
    told = table.assign(district=[moved.get((str(d), str(c)), d) for d, c in rows])
    if "ordnance" in told.columns:
        told["ordnance"] = EVERY_KIND
    by = [name for name in told.columns if not pd.api.types.is_numeric_dtype(told[name])]
    return told.groupby(by, sort=False, dropna=False).sum(min_count=1).reset_index()[list(table.columns)]


def _rounded_book(name: str, book: pd.DataFrame, moved: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """A book without ids and kinds of ordnance, areas rounded; its sums are made again of the rounded parts, so that
    they still come out."""
    rounded = _rounded(_whole(only_declared(name, book, "public"), moved))
    if name == "ledger":
        rounded["reported_m2"] = rounded[list(LEDGER_COLUMNS[1:])].sum(axis=1)
    if name == "bridge":
        rounded["closing_m2"] = rounded["opening_m2"] + sum(sign * rounded[flow] for flow, sign in FLOWS.items())
    return rounded


def _why(why: Why, tier: Tier) -> Why:
    """What is said of the whole list; single tasks that a weight brings in or out are not told."""
    return replace(why, hangs={}, cuts=reasons_at(why.cuts, tier), doubts=reasons_at(why.doubts, tier))


def _planned(planned: Planned, published: Mapping[str, pd.DataFrame], key: Key | None) -> Planned:
    """A plan of work whose case holds the published tables; with a key, of cells and rounded figures."""
    case = replace(
        planned.case,
        tasks=published["tasks"],
        zones=published["zones"],
        teams=published["teams"],
        commitments=published["commitments"],
    )
    if key is None:
        surveys = None if case.surveys is None else only_declared("surveys", case.surveys, "partner")
        blockers = only_declared("blockers", case.blockers, "partner")
        levers = tuple(replace(lever, misses=_reasons_of(lever.misses, "partner")) for lever in planned.levers)
        case = replace(case, surveys=surveys, blockers=blockers, gates_of_zones={})
        return replace(planned, case=case, levers=levers)
    work = publish_work(planned.schedule.work, key)
    return replace(
        planned,
        case=replace(
            case,
            blockers=case.blockers.iloc[:0],
            without_place={},
            previous=None,
            surveys=None,
            near_homes=None,
            gates_of_zones={},
        ),
        schedule=replace(planned.schedule, work=work, strategies={}, notes=(), left_out={}, shut={}, parts=()),
        judgement=_judgement(planned.judgement, key),
        comparison=_rounded(only_declared("strategies", planned.comparison, "public")),
        replayed=None,
        programme=None if planned.programme is None else _programme(planned.programme, key),
        sooner={},
        levers=tuple(replace(lever, misses={}) for lever in planned.levers),
    )


def _reasons_of(reasons: Mapping[str, Reason], tier: Tier) -> dict[str, Reason]:
    """Reasons of places as a tier may see them; of one that says nothing there, that the place is left out."""
    narrower = {zone: reasons_at([reason], tier) for zone, reason in reasons.items()}
    return {zone: reason[0] if reason else Reason("zone.not_planned") for zone, reason in narrower.items()}


def _judgement(told: Any, key: Key) -> Any:
    """What the plan is worth and how far its teams are used; limits that it breaks without where."""
    breaches, totals = told.breaches, _rounded(pd.DataFrame([told.totals])).iloc[0].to_dict()
    use = only_declared("use", told.use, "public")
    if len(breaches):
        breaches = breaches[["limit"]].assign(words=breaches["limit"]).drop_duplicates()
    return replace(
        told,
        breaches=breaches,
        zones=told.zones[["opens_in"]],
        tasks=told.tasks.iloc[:0],
        use=_rounded(use.assign(team_id=use["team_id"].astype(str).map(key.teams))),
        totals=totals,
    )


def _programme(programme: ReturnProgramme, key: Key) -> ReturnProgramme:
    teams = programme.teams.assign(team_id=programme.teams["team_id"].astype(str).map(key.teams))
    return replace(
        programme,
        teams=_rounded(teams),
        periods=_rounded(programme.periods),
        work=programme.work.iloc[:0],
        judgement=_judgement(programme.judgement, key),
        notes=reasons_at(programme.notes, "public", teams=key.teams),
    )


def _dossier(dossier: Dossier, moved: Mapping[tuple[str, str], str]) -> Dossier:
    """Tables to file, of all ordnance together and without what single decisions found."""
    rounded: dict[str, Any] = {
        name: _rounded(_whole(only_declared(name, table, "public"), moved)) for name, table in dossier.tables.items()
    }
    return replace(dossier, **rounded, notes=reasons_at(dossier.notes, "public"))


# --- the record of the run


def _record(study: Study, out: Study, tier: Tier) -> dict[str, Any]:
    """run.json of a tier: what decided the figures, without names of files, values of faults and single rows."""
    run = {name: value for name, value in study.run.items() if name != "balance"}  # it names files, with their rows
    run["inputs"] = {f"input {k}": digest for k, digest in enumerate(sorted(study.run["inputs"].values()), 1)}
    run["settings"] = {
        name: {key: value for key, value in study.run["settings"][name].items() if key not in left}
        for name, left in _SETTINGS.items()
        if study.run["settings"].get(name) is not None
    }
    run["faults"] = [{"level": level} for level in sorted(study.faults["level"].astype(str))]
    for name in _ROWS:
        if name in run:
            table = out.tables[name].drop(columns=["deferred", "geometry"], errors="ignore")
            run[name] = json.loads(table.to_json(orient="records", date_format="iso", date_unit="s"))
    if tier == "public":
        run = _for_anyone(run, study, out)
        run["warnings"] = _words_for_anyone(study, out)
    else:
        run["warnings"] = _words_for_partners(study)
    return run


def _for_anyone(run: dict[str, Any], study: Study, out: Study) -> dict[str, Any]:
    counts = out.books.get("accidents")
    total = None if counts is None else counts[(counts["district"] == "all") & (counts["year"] == "all")]
    accidents = None if total is None or total["accidents"].isna().any() else int(total["accidents"].iloc[0])
    kept = {"hazards": study.run["counts"].get("hazards"), "zones": len(out.zones), "accidents": accidents}
    run["counts"] = kept | {"areas": len(out.areas), "tasks": len(out.tasks)}
    run["deferred"] = {name: study.run["deferred"].get(name, 0) for name in ("hazards", "zones")}
    lines = study.run["contact_lines"] if study.project.publish.contact_line else []
    run["contact_lines"] = [line | {"hazard_id": f"L{k}"} for k, line in enumerate(lines, 1)]
    for name, book in out.books.items():  # these alone: what the record of the study holds of them is exact
        run[name] = json.loads(book.to_json(orient="records", double_precision=3))
    run["cuts"] = {}
    known = {*_KEPT, *out.books}
    return {name: value for name, value in run.items() if name in known}


#: Tables without shapes: their rows stand in the record of a run.
_ROWS = tuple(name for name, table in INPUTS.items() if not table.shapes)
#: What the public record of a run holds beside the books; a key that somebody adds to run.json stays away.
_KEPT = ("fingerprint", "tier", "inputs", "settings", "versions", "crs", "operations", "code_lists", "counts",
         "deferred", "contact_lines", "known_sources", "people", "faults", *_ROWS, "cuts",
         "warnings")  # fmt: skip


def cell_note(asked: PublishSettings) -> str:
    """What stands for hazards at the public tier, in words."""
    side = f"squares of {asked.cell_m / 1000:g} km"
    what = side if asked.to == "grid" else f"whole districts, and {side} beyond them"
    return (
        f"Hazards and tasks are shown for {what}: a cell holds its hazards whole, and where in it they lie is not "
        "shown. Areas are net of overlap, rounded to 0.1 ha; what is less counts as 0.1 ha"
    )


def _words_for_anyone(study: Study, out: Study) -> list[str]:
    """What a reader of the public outputs must know first: none of it is a sentence about a single row."""
    asked = study.project.publish
    words = [
        *_of_decisions(study, "public"),
        cell_note(asked),
        "All kinds of ordnance are shown together, and not what releases found; work and costs are rounded",
        "Places stand in the middle of their cell, those that share one side by side; they lie elsewhere in it",
    ]
    if "accidents" in out.books:
        words.append(
            f"Accidents are counted by district and year alone; counts from 1 to {asked.suppress_below - 1} are "
            "withheld, with others from which they could be computed back"
        )
    lost = {name: study.run["deferred"].get(name, 0) for name in ("hazards", "zones")}
    words += [f"{count} {name} could not be placed and are NOT on the map" for name, count in lost.items() if count]
    people = of_people(study.project, study.run["people"])
    words += people
    closed = int((study.hazards["status"] == "closed").sum())
    if closed:
        words.append(f"{closed} hazards have status closed and are not counted as remaining")
    known = of_known_sources(study.project)
    words += known
    left = len(study.run["warnings"]) + (0 if study.planned is None else len(study.planned.notes))
    left -= len(_of_decisions(study, "public")) + len(known) + len(people)
    if left:
        words.append(
            f"{left} notes of the restricted study speak of single rows, places or files and are not shown here"
        )
    return words


def _of_decisions(study: Study, tier: Tier) -> list[str]:
    """What a reader of a tier must know of decisions that were rewritten: for anyone how many, and none of them."""
    notes = [] if study.chain is None else study.chain.notes
    return [str(note) for note in reasons_at(notes, tier)]


def _words_for_partners(study: Study) -> list[str]:
    hidden = hidden_words(study)
    exact = [] if study.chain is None else [str(note) for note in study.chain.notes]
    rest = [sentence for sentence in study.run["warnings"] if sentence not in exact]
    own = [sentence for sentence in rest if not tells(sentence, hidden)]
    words = [
        *_of_decisions(study, "partner"),
        *own,
        "Of minefield records only the shapes are shown; of accidents the month, not the day",
    ]
    left = len(rest) - len(own)
    return [*words, *([f"{left} notes quote minefield records and are left out"] if left else [])]


def tier_words(study: Study) -> str:
    """First words of every output of a study: for whom it is."""
    return BANNERS[study.project.publish.tier]


def accidents_section(counts: pd.DataFrame) -> str:
    """Accidents by district and year as a section of a page, small counts withheld."""
    shown = counts.assign(
        text=[
            "withheld" if told == "withheld" else f"{int(number):,}"
            for number, told in zip(counts["accidents"], counts["told"], strict=True)
        ]
    )
    wide = shown.pivot(index="district", columns="year", values="text")
    years, names = dict.fromkeys(counts["year"]), dict.fromkeys(counts["district"])
    rows = [[escape(str(name)), *(str(wide.loc[name, year]) for year in years)] for name in names]
    return (
        "<section><h2>Accidents by district and year</h2><p>Small counts are withheld, and with them others from which "
        "they could be computed back. 0: none is known.</p>"
        + html_table(["district", *map(str, years)], rows)
        + "</section>"
    )
