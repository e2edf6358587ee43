"""Sheets of a run's book, and their tables: key figures, tasks, ledger, bridge, data quality, sources, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.crs import inner_lonlat
from clearplan.outputs.workbooks.writer import Sheet, names
from clearplan.planning.planned import BEST, RANKED, Planned
from clearplan.priority.rank import criteria_of, meaning_of
from clearplan.settings.base import Settings, told_settings
from clearplan.settings.project import Project
from clearplan.tables.codes import CLASSES, CODE_LISTS, RELEASED
from clearplan.tables.columns import with_unit
from clearplan.tables.lookup import id_column

#: Of a deferred row, where its reason tells the row of the file.
_AT = re.compile(r"(\w+) \(row (\d+) of (.+?)\): ")


def run_sheets(tasks: pd.DataFrame, bridge_days: tuple[str, str] | None = None, currency: str = "") -> dict[str, Sheet]:
    """The sheets, by the name of the table that fills each.

    Parameters
    ----------
    tasks : DataFrame
        Ranked TASKS, for their criteria.
    bridge_days : (opening, closing), optional
        Days of the bridge.
    currency : str, optional
        Of what survey saves.
    """
    when = f" from {bridge_days[0]} to {bridge_days[1]}" if bridge_days is not None else ""
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
            "cleared + closed",
            "ledger",
            names(
                "district land_class reported_m2 remaining_m2 cancelled_m2 reduced_m2 cleared_m2 closed_m2 closed_ids"
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
    where = names("zone_ids hazard_ids lifeline_ids mgrs_km lon lat position_error_m source")
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


# --- key figures


def summary_table(
    run: Mapping[str, Any],
    project: Project,
    tasks: pd.DataFrame,
    books: Mapping[str, pd.DataFrame],
    planned: Planned | None = None,
) -> pd.DataFrame:
    """Key figures of a run: figure, value, unit, meaning.

    Parameters
    ----------
    run : mapping
        The record of the run: fingerprint, crs, counts, deferred, faults, people.
    plan : Project
    tasks : DataFrame
        Ranked TASKS.
    books : mapping
        ``net_area`` and ``ledger``.
    planned : Planned, optional
        The plan of work.
    """
    rows = [*_of_run(run, project), *_of_ground(books), *_of_people(run["people"]), *_of_tasks(tasks), *_of_rows(run)]
    if planned is not None:
        rows += [*_of_plan(planned, BEST), *_of_plan(planned, RANKED)]
    return pd.DataFrame(rows, columns=["figure", "value", "unit", "meaning"]).astype({"value": object})


Figures = Iterator[tuple[str, Any, str, str]]


def _of_run(run: Mapping[str, Any], project: Project) -> Figures:
    yield "As at", project.study.as_at, "date", "day for which everything is told"
    yield ("Fingerprint", run["fingerprint"], "", "short for all that decided the figures: files, settings, versions, "
           "datum operations; another fingerprint, another run")  # fmt: skip
    yield "Coordinates", run["crs"], "", "system in which all areas and distances are measured"


def _of_ground(books: Mapping[str, pd.DataFrame]) -> Figures:
    net = books["net_area"].groupby("land_class")["net_m2"].sum()
    for name in CLASSES:
        yield (f"Remaining {name}", round(float(net.get(name, 0.0))), "m2",
               f"{CODE_LISTS['land_class'][name]}; net of overlap, the strongest class counts")  # fmt: skip
    for name in RELEASED:
        area = round(float(books["ledger"][f"{name}_m2"].sum()))
        yield f"Ground {name}", area, "m2", f"{CODE_LISTS['action'][name]}; as decided, outside every known hazard too"


def _of_people(people: Mapping[str, int]) -> Figures:
    yield ("People who wait", people["known_people"], "people",
           f"of {people['zones_known']} places whose number is known; each person counts once")  # fmt: skip
    yield ("Places with an unknown number of people", people["zones_unknown"], "places",
           "their people stand in no figure above; unknown is not 0")  # fmt: skip
    if people["people_not_placed"]:
        yield ("People of places that could not be placed", people["people_not_placed"], "people",
               "they stand in no figure above, and in no rank")  # fmt: skip


def _of_tasks(tasks: pd.DataFrame) -> Figures:
    for queue, meaning in CODE_LISTS["queue"].items():
        own = tasks[tasks["queue"] == queue]
        yield f"Tasks to {'survey' if queue == 'survey' else 'clear'}", len(own), "tasks", meaning
        gated = int(own["rank"].isna().sum())
        if gated:
            yield ("of them without a rank", gated, "tasks", "a gate holds them back: a decision, a dispute, a "
                   "permission that is not given; they are hazards like the others")  # fmt: skip


def _of_rows(run: Mapping[str, Any]) -> Figures:
    lost = sum(run["deferred"].get(name, 0) for name in run["deferred"] if name not in ("areas", "tasks"))
    yield ("Rows that could not be used", lost, "rows", "deferred, each with its reason on the sheet Data quality; "
           "they are hazards, places and decisions all the same")  # fmt: skip
    faults = pd.Series([fault["level"] for fault in run["faults"]], dtype=object).value_counts()
    for level, words in (("repaired", "Repairs made while reading"), ("warning", "Warnings given while reading")):
        yield words, int(faults.get(level, 0)), "faults", "each stands on the sheet Data quality"


def _of_plan(planned: Planned, name: str) -> Figures:
    rows = planned.comparison[planned.comparison["strategy"] == name]
    if not len(rows):
        return
    row, currency = rows.iloc[0], planned.case.settings.currency
    told = (
        ("people_home", "people home when the plan ends", "people", "people whose place is open by then"),
        ("zones_open", "places open when the plan ends", "places", "all that stands in their way is finished"),
        ("person_months", "person-months at home", "person-months", "each person counts for every month from the "
         "opening of the place"),
        ("m2_finished", "ground finished", "m2", "of tasks whose work is all done"),
        ("days", "work", "team-days", "of all teams together"),
        ("cost", "cost", currency or "currency", "days by the cost of each team a day"),
    )  # fmt: skip
    for column, words, unit, meaning in told:
        value = float(row[column])
        yield (
            f"By the {name}: {words}",
            round(value) if abs(value) >= 100 or value.is_integer() else value,
            unit,
            meaning,
        )
    if not pd.isna(row.get("gap")):
        yield (f"By the {name}: proven within", 100 * float(row["gap"]), "%", "gap: how far, at most, the best plan "
               "that there can be is better in the plan's objective")  # fmt: skip


# --- data quality, sources, settings


def quality_table(faults: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every deferred row of the tables, then every fault of the files in reading order.

    Parameters
    ----------
    faults : DataFrame
        Fault table of all files.
    tables : mapping
        Declared tables with a column ``deferred``, by their names.
    """
    errors = faults[faults["level"] == "error"]
    rows = []
    for name, table in tables.items():
        if "deferred" not in table.columns:
            continue
        for row in table[table["deferred"].notna()].to_dict("records"):
            found = _fault_of(str(row["deferred"]), errors)
            rows.append({
                "level": "deferred", "table": name, "id": row[id_column(name)], "rule": row["deferred"],
                "source": row.get("source"), "remedy": "mend the row in its file and run again", **found,
            })  # fmt: skip
    columns = ["level", "file", "row", "column", "value", "rule", "remedy", "table", "id", "source"]
    told = pd.concat([pd.DataFrame(rows, columns=columns, dtype=object), faults.astype(object)], ignore_index=True)
    return told[columns]


def _fault_of(reason: str, errors: pd.DataFrame) -> dict[str, Any]:
    """Where the fault of a deferred row lies, if its reason tells, or only one fault can be meant."""
    at = _AT.search(reason)
    own = errors[[f"{c}: {rule}" in reason for c, rule in zip(errors["column"], errors["rule"], strict=True)]]
    if at is not None:
        own = errors[(errors["file"] == at[3]) & (errors["row"].astype(str) == at[2]) & (errors["column"] == at[1])]
    if len(own) == 1:
        return {name: own.iloc[0][name] for name in ("file", "row", "column", "value", "remedy")}
    return {} if at is None else {"column": at[1], "row": int(at[2]), "file": at[3]}


def source_table(run: Mapping[str, Any], project: Project, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every file that decided a figure: file, used_for, source, sha256.

    Source and licence are those that plan.toml states for the file; else those that its rows state, where one file
    alone fills the table; of layers behind the map, the plan's attribution.

    Parameters
    ----------
    run : mapping
        The record of the run: inputs, settings.
    plan : Project
    tables : mapping
        Tables as read, by the section of plan.toml that fills them; rows of several sections apart.
    """
    used = dict[str, str]()
    for told in told_settings(project, run["settings"]):
        if isinstance(told.value, str) and told.value in run["inputs"]:
            place = told.section if told.setting == "path" else f"{told.section}.{told.setting}"
            used[told.value] = f"{used[told.value]}; {place}" if told.value in used else place
    rows = [
        (file, place, _source_of(place, project, run["settings"], tables), digest)
        for file, digest in run["inputs"].items()
        for place in [used.get(file) or _beside(file, used)]
    ]
    return pd.DataFrame(rows, columns=["file", "used_for", "source", "sha256"])


def _beside(file: str, used: Mapping[str, str]) -> str:
    """What a part of a shapefile, or a file inside a folder, is used for."""
    stem = file.rsplit(".", 1)[0]
    near = [place for name, place in used.items() if name.rsplit(".", 1)[0] == stem or file.startswith(f"{name}/")]
    return near[0] if near else ""


def _source_of(
    place: str, project: Project, settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> str | None:
    """Source and licence of the file that stands at a place of plan.toml."""
    if place.startswith("context."):
        return project.context.attribution or None
    section, _, number = place.partition(" ")
    stated = settings.get(section)
    if not isinstance(stated, list):
        return None
    own = stated[int(number) - 1 if number else 0]
    words = own.get("source") or own.get("set", {}).get("source")
    if isinstance(words, str):
        return words
    if len(stated) > 1 or section not in tables:
        return None
    every = list(dict.fromkeys(tables[section]["source"].dropna().astype(str)))
    return "; ".join(every[:5]) + (f"; and {len(every) - 5} more" if len(every) > 5 else "") or None


def settings_table(plan: Settings, values: Mapping[str, Any]) -> pd.DataFrame:
    """Every setting: section, setting, value, unit, meaning; values as plan.toml would write them."""
    rows = [told._replace(value=_as_written(told.value)) for told in told_settings(plan, values)]
    return pd.DataFrame(rows, columns=["section", "setting", "value", "unit", "meaning"]).astype({"value": object})


def _as_written(value: Any) -> Any:
    """A plain value for one cell; what is empty is unset.

    >>> _as_written([1.0, "a"]), _as_written({}), _as_written(True), _as_written(2.5)
    ('[1.0, "a"]', None, 'true', 2.5)
    """
    if value is None or (isinstance(value, list | dict) and not value):
        return None
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else value
