"""The plan of work as XLSX: who does what in which period, when places open, teams, budgets; to file and filter."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clearplan.outputs.workbooks.writer import Sheet, names, write_book
from clearplan.planning.planned import Planned

_LAST = "Work is dated to the period, not to the day. Blank cells are not known, or not in the plan; never 0."


def work_sheets(currency: str) -> dict[str, Sheet]:
    """All sheets with a table, by the name of the argument that fills them."""
    return {
        "comparison": Sheet(
            "Strategies",
            "the best plan found beside simpler ways with the same teams and money",
            "strategies",
            names(
                "strategy people_home zones_open person_months person_months_low person_months_high "
                "people_near_hazard people_near_released m2_finished days cost gap price"
            ),
            may_lack=names("price"),
            currency=currency,
        ),
        "zones": Sheet(
            "Places",
            "when each place opens, how sure that is, and what hangs on it",
            "zones",
            names(
                "zone_id name already_home families_home already_home_on people families people_basis planned_return "
                "opens_in opens_on probability p50_on p80_on waits_for last_tasks near_tasks near_released why sooner "
                "other_names lon lat position_error_m already_home_source people_source source"
            ),
            may_lack=names(
                "already_home families_home already_home_on families people_basis planned_return probability p50_on "
                "p80_on last_tasks near_tasks near_released other_names lon lat position_error_m already_home_source "
                "people_source source"
            ),
            fixed=2,
        ),
        "work": Sheet(
            "Work",
            "which team works on which task in which period",
            "work",
            names("team_id task_id district step step_name kind period starts_on ends_on days m2 cost"),
            fixed=2,
            currency=currency,
        ),
        "use": Sheet(
            "Teams",
            "how far each team is used in each period",
            "use",
            names("team_id kind period days available share cost"),
            currency=currency,
        ),
        "budgets": Sheet(
            "Budgets",
            "what the best plan buys for more or less money",
            "budgets",
            names("budget people_home zones_open person_months per_million note cost gap"),
            currency=currency,
        ),
    }


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
        The file exists or can't be written.
    TableError
        A table lacks a column.
    """
    tables = work_tables(planned, tasks) | {"zones": zones}
    sheets = work_sheets(planned.case.settings.currency)
    in_order = {name: tables[name] for name in sheets if name in tables}
    write_book(
        path,
        title=title,
        words=[notice, *map(str, planned.notes)],
        last=_LAST,
        tables=in_order,
        sheets=sheets,
        foot=notice,
    )


def work_tables(planned: Planned, tasks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the sheets, but for the places: work with its district, use with its share."""
    work, use = planned.schedule.work, planned.judgement.use
    places = [] if planned.case.surveys is None else [planned.case.surveys.rename(columns={"survey_id": "task_id"})]
    pieces = pd.concat([table[["task_id", "district"]] for table in (pd.DataFrame(tasks), *places)])
    district = pieces.drop_duplicates("task_id").set_index("task_id")["district"]
    tables = {
        "comparison": planned.comparison,
        "work": work.assign(district=work["task_id"].map(district)),
        "use": use.assign(share=use["days"] / use["available"].where(use["available"] > 0)),
    }
    return tables if planned.budgets is None else tables | {"budgets": planned.budgets}
