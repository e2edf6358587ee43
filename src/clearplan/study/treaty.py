"""What a state would file of a study: its treaty clock, what remains, what was released, and what is planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core.reason import Reason, ground_of
from clearplan.land.ledger import bridges
from clearplan.planning.planned import Planned
from clearplan.read.background import Context
from clearplan.read.files import read_raw
from clearplan.settings.project import Project
from clearplan.study.inputs import Inputs
from clearplan.tables.codes import allowed_codes
from clearplan.treaty.clock import Clock, about, clock, counted_ground, release_rates
from clearplan.treaty.conventions import obligations
from clearplan.treaty.dossier import Dossier
from clearplan.treaty.filed import DECLARED, book_years, released_table, remaining_table
from clearplan.treaty.milestones import milestones, plan_vs_achieved, planned_release

#: Calendar years of the books, the last one included: each takes an overlay of all ground, and a forecast from what was
#: done longer ago than the ten years of either convention says little.
YEARS = 10


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
    state = project.study.state
    everywhere = Reason("treaty.everywhere") if state is None else Reason("treaty.of_state", state=state)
    notes = (everywhere, _sums_less(told, remaining), _rather_low(told), _meant_reason(meant), left_out, lacking)
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
        notes=tuple(note for note in notes if note is not None),
    )


def _books(
    known: Inputs, drawn: gpd.GeoDataFrame, day: dt.date, layers: Mapping[str, Any]
) -> tuple[dict[int, pd.DataFrame], gpd.GeoDataFrame, Reason | None]:
    """Bridges of the last years, the decisions that they speak of, and what is left out."""
    releases, history = known.table("releases"), known.table("history")
    every = book_years(releases, day)
    years = dict(list(every.items())[-YEARS:])
    days = [min(years.values())[0], *(closing for _, closing in years.values())]
    books = dict(zip(years, bridges(drawn, releases, days=days, history=history, **layers), strict=True))
    if len(years) == len(every):
        return books, releases, None
    early = pd.to_datetime(releases["decided_on"]) <= pd.Timestamp(days[0])
    return books, releases[~early], Reason("treaty.earlier", year=min(years), count=int(early.sum()))


def _achieved(
    project: Project, previous: pd.DataFrame | None, books: Mapping[int, pd.DataFrame]
) -> tuple[pd.DataFrame | None, Reason | None]:
    """What came of the plan in force; else why that is not known."""
    asked = project.planning
    assert asked is not None
    if previous is None or asked.previous is None:
        return None, Reason("treaty.no_previous")
    file = asked.previous.with_name("tasks.csv")
    if not file.exists():
        return None, Reason("treaty.no_tasks", file=file.name, work_file=asked.previous.name)
    tasks = read_raw(file, limits=project.limits).frame
    return plan_vs_achieved(previous, tasks, books, asked, as_at=project.study.as_at), None


def _sums_less(told: Clock, remaining: pd.DataFrame) -> Reason | None:
    """Why the rows of a table sum to less than the ground that counts."""
    counting = remaining[remaining["land_class"].isin(DECLARED) & about(remaining["ordnance"], told.convention)]
    sums = float(counting["reported_m2"].sum())
    less = told.ground.counted_m2 - sums
    if less < 1:
        return None
    return Reason("treaty.sums_less", convention=told.convention, sums=ground_of(sums), less=ground_of(less))


def _rather_low(told: Clock) -> Reason | None:
    """What a rate from the books leaves out."""
    if told.rates is None or told.rates.found is None:
        return None
    return Reason("treaty.rather_low")


def _meant_reason(planned: pd.DataFrame | None) -> Reason:
    """What the plan means to release of declared areas each year, to hold against the rates."""
    if planned is None:
        return Reason("treaty.no_plan")
    areas = planned[planned["land_class"].isin(DECLARED)].groupby("year")["planned_m2"].sum()
    years = [Reason("treaty.in_year", area=ground_of(m2), year=year) for year, m2 in areas.items()]
    if not years:
        return Reason("treaty.nothing_meant")
    if len(years) == 1:
        return Reason("treaty.meant_in", last=years[0])
    return Reason("treaty.meant", years=years[:-1], last=years[-1])
