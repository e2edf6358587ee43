"""What a plan of work leaves behind: tables, workbook, section of the report, a page and pictures of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from clearplan.outputs.charts.plan import draw_budgets, draw_chances, draw_gantt, draw_home
from clearplan.outputs.charts.style import save_chart
from clearplan.outputs.gis.geopackage import write_table
from clearplan.outputs.report.plan import workplan_section
from clearplan.outputs.workbooks.plan import write_workplan
from clearplan.planning.planned import Planned

#: Files of a plan; pictures only where there is something to draw.
TABLES = ("work.csv", "blockers.csv", "plan.xlsx")
PICTURES = ("home.png", "teams.png", "budgets.png", "chances.png")


def plan_section(planned: Planned, tasks: pd.DataFrame, zones: pd.DataFrame) -> str:
    """The plan of work as a section of a page, from TASKS and ZONES that were widened by ``with_plan``."""
    return workplan_section(
        comparison=planned.comparison,
        home=planned.home,
        zones=zones,
        work=planned.schedule.work,
        tasks=tasks,
        use=planned.judgement.use,
        budgets=planned.budgets,
        programme=planned.programme,
        what_if=planned.what_if,
        breaches=planned.judgement.breaches,
        notes=planned.notes,
        waiting=planned.waiting,
        budget=planned.case.settings.budget,
        currency=planned.case.settings.currency,
    )


def write_plan(
    planned: Planned,
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    folder: Path,
    *,
    title: str,
    notice: str,
    book: bool = True,
) -> None:
    """WORK, BLOCKERS and the workbook of a plan of work; ``book``: False where the book of the whole run holds it.

    Raises
    ------
    OutputError
        A file can't be written.
    """
    write_table(planned.schedule.work, folder / "work.csv", notice=notice, name="work")
    write_table(planned.case.blockers, folder / "blockers.csv", notice=notice, name="blockers")
    if not book:
        return
    write_workplan(
        folder / "plan.xlsx",
        work=planned.schedule.work,
        tasks=tasks,
        zones=zones,
        use=planned.judgement.use,
        comparison=planned.comparison,
        notice=notice,
        notes=planned.notes,
        currency=planned.case.settings.currency,
        title=title,
    )


def write_pictures(planned: Planned, tasks: pd.DataFrame, zones: pd.DataFrame, folder: Path) -> list[str]:
    """Pictures of a plan of work for slides, as PNG; the names of those that were drawn.

    Raises
    ------
    OutputError
        A file can't be written.
    """
    work, drawn = planned.schedule.work, []

    def picture(name: str, draw: Any, *tables: Any, **options: Any) -> None:
        save_chart(draw, folder / name, *tables, **options)
        drawn.append(name)

    picture(PICTURES[0], draw_home, planned.home, waiting=planned.waiting)
    if len(work):
        picture(PICTURES[1], draw_gantt, work, tasks, zones, use=planned.judgement.use)
    if planned.budgets is not None:
        money = {"budget": planned.case.settings.budget, "currency": planned.case.settings.currency}
        picture(PICTURES[2], draw_budgets, planned.budgets, **money)
    if "probability" in zones.columns and zones["probability"].notna().any():
        picture(PICTURES[3], draw_chances, zones)
    return drawn
