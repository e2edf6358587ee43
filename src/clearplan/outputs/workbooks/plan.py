"""The plan of work as XLSX: who does what in which period, when places open, teams, budgets; to file and filter."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clearplan.outputs.workbooks.writer import Field, Sheet, write_book
from clearplan.planning.planned import Planned

_LAST = "Work is dated to the period, not to the day. Blank cells are not known, or not in the plan; never 0."


def work_sheets(currency: str) -> dict[str, Sheet]:
    """All sheets with a table, by the name of the argument that fills them."""
    money = f"[{currency}]" if currency else "[currency]"
    return {
        "comparison": Sheet("Strategies", "the best plan found beside simpler ways with the same teams and money", (
            Field("strategy", "strategy", "text"),
            Field("people_home", "people home at the end [people]", "whole"),
            Field("zones_open", "places open [places]", "whole"),
            Field("person_months", "person-months at home [person-months]", "whole"),
            Field("person_months_low", "least, from unknown population [person-months]", "whole"),
            Field("person_months_high", "most, from unknown population [person-months]", "whole"),
            Field("m2_finished", "ground finished [m2]", "whole"),
            Field("days", "work [team-days]", "number"),
            Field("cost", f"cost {money}", "whole"),
            Field("gap", "proven within [%]", "share"),
        )),
        "zones": Sheet("Places", "when each place opens, how sure that is, and what hangs on it", (
            Field("zone_id", "id", "text"),
            Field("name", "place", "text"),
            Field("people", "people; blank: unknown [people]", "whole"),
            Field("families", "families; blank: unknown [families]", "whole", must=False),
            Field("planned_return", "planned return [date]", "day", must=False),
            Field("opens_in", "opens at the end of period; 0: the first day; blank: not in the plan", "whole"),
            Field("opens_on", "opens on [date]", "day"),
            Field("probability", "chance to open by then [%]", "share", must=False),
            Field("p50_on", "half of the draws by; blank: beyond the plan [date]", "day", must=False),
            Field("p80_on", "four fifths of the draws by; blank: beyond the plan [date]", "day", must=False),
            Field("waits_for", "waits for [tasks]", "whole"),
            Field("last_tasks", "last of them", "sentence", must=False),
            Field("why", "why then, or why not", "sentence"),
            Field("sooner", "what would bring it forward", "sentence"),
            Field("other_names", "other names", "text", must=False),
            Field("lon", "longitude, WGS 84 [degrees]", "degrees", must=False),
            Field("lat", "latitude, WGS 84 [degrees]", "degrees", must=False),
            Field("position_error_m", "position error; blank: not known [m]", "whole", must=False),
            Field("source", "source", "sentence", must=False),
        ), 2, "zones"),
        "work": Sheet("Work", "which team works on which task in which period", (
            Field("team_id", "team", "text"),
            Field("task_id", "task", "text"),
            Field("district", "district", "text"),
            Field("step", "step of the method", "whole"),
            Field("step_name", "what is done", "text"),
            Field("kind", "kind of team", "text"),
            Field("period", "period", "whole"),
            Field("starts_on", "from, first day of the period [date]", "day"),
            Field("ends_on", "to, last day of the period [date]", "day"),
            Field("days", "work [team-days]", "number"),
            Field("m2", "ground of the step [m2]", "whole"),
            Field("cost", f"cost {money}", "whole"),
        ), 2, "work"),
        "use": Sheet("Teams", "how far each team is used in each period", (
            Field("team_id", "team", "text"),
            Field("kind", "kind of team", "text"),
            Field("period", "period", "whole"),
            Field("days", "planned [team-days]", "number"),
            Field("available", "there are [team-days]", "number"),
            Field("share", "share used [%]", "share"),
            Field("cost", f"cost {money}", "whole"),
        ), 1, "use"),
        "budgets": Sheet("Budgets", "what the best plan buys for more or less money", (
            Field("budget", f"budget {money}", "whole"),
            Field("people_home", "people home at the end [people]", "whole"),
            Field("zones_open", "places open [places]", "whole"),
            Field("person_months", "person-months at home [person-months]", "whole"),
            Field("per_million", f"each million more bought [person-months per million {money[1:-1]}]", "whole"),
            Field("cost", f"cost {money}", "whole"),
            Field("gap", "proven within [%]", "share"),
        )),
    }  # fmt: skip


def write_workplan(
    path: str | Path,
    planned: Planned,
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    *,
    notice: str,
    title: str = "Plan of work",
) -> None:
    """The plan as a workbook of six sheets; the same tables make the same bytes.

    Figures stand as they are in the tables, rounded only to the eye. Text from the tables never becomes a formula.

    Parameters
    ----------
    path : path
        A new .xlsx file.
    planned : Planned
        No sheet of budgets where it has none.
    tasks, zones : DataFrame
        TASKS and ZONES with what the plan says of each, from :func:`clearplan.planning.planned.with_plan`.
    notice : str
        On the first sheet, before the plan's notes: disclaimer and fingerprint.
    title : str
        Of the workbook.

    Raises
    ------
    OutputError
        The file exists or can't be written, or a table has more rows than a sheet.
    TableError
        A table lacks a column.
    """
    tables = work_tables(planned, tasks) | {"zones": zones}
    sheets = work_sheets(planned.case.settings.currency)
    in_order = {name: tables[name] for name in sheets if name in tables}
    write_book(
        path, title=title, words=[notice, *planned.notes], last=_LAST, tables=in_order, sheets=sheets, foot=notice
    )


def work_tables(planned: Planned, tasks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the sheets, but for the places: work with its district, use with its share."""
    work, use = planned.schedule.work, planned.judgement.use
    district = tasks.drop_duplicates("task_id").set_index("task_id")["district"]
    tables = {
        "comparison": planned.comparison,
        "work": work.assign(district=work["task_id"].map(district)),
        "use": use.assign(share=use["days"] / use["available"].where(use["available"] > 0)),
    }
    return tables if planned.budgets is None else tables | {"budgets": planned.budgets}
