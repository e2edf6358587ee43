"""What a state would file of a study: its treaty clock, what remains, what was released, and what is planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.land.ledger import bridges
from clearplan.planning.planned import Planned
from clearplan.read.background import Context
from clearplan.read.files import read_raw
from clearplan.settings.project import Project
from clearplan.study.inputs import Inputs
from clearplan.tables.codes import allowed_codes
from clearplan.treaty.clock import Clock, about, clock, counted_ground, km2_words, release_rates
from clearplan.treaty.conventions import obligations
from clearplan.treaty.dossier import Dossier
from clearplan.treaty.filed import DECLARED, book_years, released_table, remaining_table
from clearplan.treaty.milestones import milestones, plan_vs_achieved, planned_release

#: Calendar years of the books, the last one included: each takes an overlay of all ground, and a forecast from what was
#: done longer ago than the ten years of either convention says little.
YEARS = 10


_EVERYWHERE = (
    "All ground of the study is in the clock and the tables, in every district of its map and beyond. A convention is "
    "about ground under a state's jurisdiction or control: whoever files leaves out what is not."
)


def make_dossier(
    project: Project,
    known: Inputs,
    drawn: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    tasks: pd.DataFrame,
    context: Context,
    *,
    planned: Planned | None = None,
    previous: pd.DataFrame | None = None,
) -> Dossier:
    """The dossier of a study as at its day.

    Parameters
    ----------
    plan : Project
        With [planning.treaty].
    known : Inputs
        As at the day.
    drawn, areas : GeoDataFrame
        AREAS in a metric CRS as reported, and less what is released of them on the day.
    tasks : DataFrame
        TASKS of the day.
    context : Context
        Its districts.
    planned : Planned, optional
        The plan of work.
    previous : DataFrame, optional
        WORK of the plan in force; its tasks.csv is read from beside it.
    Raises
    ------
    SettingsError, TableError
        As in :func:`clearplan.treaty.clock.clock` and :func:`clearplan.treaty.milestones.plan_vs_achieved`.
    """
    asked, day = project.planning, project.study.as_at
    assert asked is not None
    assert asked.treaty is not None
    treaty = asked.treaty
    layers: dict[str, Any] = {"districts": context.districts, "district_name": context.district_name}
    books, releases, left_out = _books(known, drawn, day, layers)
    remaining = remaining_table(books[max(books)], areas, **layers)
    ground, rates = counted_ground(areas, treaty.convention), release_rates(treaty, books, day)
    told = clock(treaty, ground, rates, day)
    work = None if planned is None else planned.schedule.work
    meant = None if work is None else planned_release(work, tasks, asked)
    achieved, lacking = _achieved(project, previous, books)
    notes = (_EVERYWHERE, sums_less(told, remaining), _rather_low(told), _meant_words(meant), left_out, lacking)
    return Dossier(
        clock=told,
        obligations=obligations(treaty.convention),
        remaining=remaining,
        released=released_table(
            books, releases, as_at=day, devices=allowed_codes("device", project.code_lists), **layers
        ),
        milestones=None if work is None else milestones(work, known.table("teams"), asked),
        planned=meant,
        achieved=achieved,
        currency=asked.currency,
        notes=tuple(filter(None, notes)),
    )


def _books(
    known: Inputs, drawn: gpd.GeoDataFrame, day: dt.date, layers: Mapping[str, Any]
) -> tuple[dict[int, pd.DataFrame], gpd.GeoDataFrame, str]:
    """Bridges of the last years, the decisions that they tell of, and what is left out, in words."""
    releases, history = known.table("releases"), known.table("history")
    every = book_years(releases, day)
    years = dict(list(every.items())[-YEARS:])
    days = [min(years.values())[0], *(closing for _, closing in years.values())]
    books = dict(zip(years, bridges(drawn, releases, days=days, history=history, **layers), strict=True))
    if len(years) == len(every):
        return books, releases, ""
    early = pd.to_datetime(releases["decided_on"]) <= pd.Timestamp(days[0])
    many = "decision is" if early.sum() == 1 else "decisions are"
    words = (
        f"What was released is told from {min(years)} on: {early.sum():,} earlier {many} left out of table and rates."
    )
    return books, releases[~early], words


def _achieved(
    project: Project, previous: pd.DataFrame | None, books: Mapping[int, pd.DataFrame]
) -> tuple[pd.DataFrame | None, str]:
    """What came of the plan in force; else why that is not told, in words."""
    asked = project.planning
    assert asked is not None
    if previous is None or asked.previous is None:
        return None, "Plan and achieved are left out: no plan in force is named ([planning] previous = its work.csv)."
    file = asked.previous.with_name("tasks.csv")
    if not file.exists():
        remedy = f"lay {file.name} of the same run beside {asked.previous.name}"
        return None, f"Plan and achieved are left out: there are no tasks of the plan in force; {remedy}."
    return plan_vs_achieved(previous, read_raw(file).frame, books, asked, as_at=project.study.as_at), ""


def sums_less(told: Clock, remaining: pd.DataFrame) -> str:
    """Why the rows of a table sum to less than the ground that counts."""
    own = remaining[remaining["land_class"].isin(DECLARED) & about(remaining["ordnance"], told.convention)]
    sums = float(own["net_m2"].sum())
    less = told.ground.counted_m2 - sums
    if less < 1:
        return ""
    return (
        "Where hazards overlap, the table of what remains names the strongest class and one kind of ordnance: its rows "
        f"of CHA and SHA that the {told.convention} is about sum to {km2_words(sums)}, {km2_words(less)} less than the "
        "ground that counts."
    )


def _rather_low(told: Clock) -> str:
    """What a rate from the books leaves out."""
    if told.rates is None or told.rates.found is None:
        return ""
    return "Where hazards overlap, the books may miss some of what was released: the rate is rather low than high."


def _meant_words(planned: pd.DataFrame | None) -> str:
    """What the plan means to release of declared areas each year, to hold against the rates."""
    if planned is None:
        return "There is no plan of work, so no milestones are told."
    own = planned[planned["land_class"].isin(DECLARED)].groupby("year")["planned_m2"].sum()
    years = [f"{km2_words(m2)} in {year}" for year, m2 in own.items()]
    if not years:
        return "The plan of work means to release no CHA or SHA."
    told = " and ".join([", ".join(years[:-1]), years[-1]] if len(years) > 1 else years)
    return f"The plan of work means to release {told} of CHA and SHA, of all ordnance; no forecast counts on it."
