"""The plan of work of a study from end to end: its case, then planned, judged, replayed, and varied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.planning.case import PlanningCase, make_case
from clearplan.planning.judge import judge_work
from clearplan.planning.methods import UnknownPeople, people_range
from clearplan.planning.place_surveys import gates_of_zones, place_surveys
from clearplan.planning.planned import BEST, Planned, compare_strategies
from clearplan.planning.replay import replay_work
from clearplan.planning.search.allowance import Clock
from clearplan.planning.search.budgets import budget_curve, days_of_return, return_programme, what_if
from clearplan.planning.search.fairness import levers
from clearplan.planning.search.schedule import schedule
from clearplan.planning.search.sooner import sooner
from clearplan.read.background import Context
from clearplan.settings.priority import PrioritySettings
from clearplan.settings.project import Project
from clearplan.study.inputs import Inputs

Progress = Callable[[float, float], None]


def case_of(
    project: Project,
    known: Inputs,
    tasks: gpd.GeoDataFrame,
    context: Context,
    *,
    day: dt.date | None = None,
    previous: pd.DataFrame | None = None,
) -> PlanningCase:
    """What the plan of work of a study is made from.

    Raises
    ------
    CrsError, TableError
        As in :func:`clearplan.find_blockers`.
    """
    assert project.planning is not None
    zones, lifelines = known.table("zones"), known.table("lifelines")
    # A lifeline of a zone that is not there is stated as a warning, with its file and row.
    lifelines = lifelines[lifelines["zone_id"].isin(zones["zone_id"])] if project.files_of("lifelines") else None
    named: dict[str, Any] = {"districts": context.districts, "district_name": context.district_name}
    surveys = place_surveys(
        zones,
        project.planning,
        lifelines=lifelines,
        lifelines_within_m=project.priority.lifelines_within_m,
        gates=known.table("gates"),
        as_at=day,
        **named,
    )
    return make_case(
        tasks,
        zones,
        known.table("teams"),
        project.planning,
        lifelines=lifelines,
        unknown_people=assumed_people(project.priority),
        commitments=known.table("commitments"),
        previous=previous,
        surveys=surveys,
        gates_of_zones=gates_of_zones(zones, known.table("gates"), as_at=day, **named),
    )


def plan_work(case: PlanningCase, *, progress: Progress | None = None) -> Planned:
    """The plan of work of a case, judged; replayed, and varied, as far as its settings ask for it.

    Parameters
    ----------
    case : PlanningCase
    progress : callable, optional
        Called with (gap, part of the search that is done) now and then while the best plan is sought.

    Raises
    ------
    TableError, SettingsError
        As in :func:`clearplan.schedule`.
    """
    settings = case.settings
    clock = Clock(settings.stop_after_s)
    best = schedule(case, progress=progress, clock=clock)
    fair, best, judged = levers(case, best, judge_work(best.work, case), clock=clock)
    curve = budget_curve(case, best=best, clock=clock) if settings.budgets else None
    plain = {name: judge_work(work, case) for name, work in best.strategies.items() if name != BEST}
    judgements = {**plain, BEST: judged}
    by = days_of_return(case)
    homes = [judgement.home.assign(strategy=name) for name, judgement in judgements.items()]
    variants = what_if(case, judged, clock=clock)
    programme = return_programme(case, by=by, clock=clock) if by else None
    if clock.struck:  # wherever it has struck, in whichever of these searches
        best = replace(best, notes=tuple(dict.fromkeys((*best.notes, *clock.notes()))))
    return Planned(
        case=case,
        schedule=best,
        judgement=judged,
        comparison=compare_strategies(judgements, best.gap, fair, settings.lever),
        home=pd.concat(homes, ignore_index=True),
        what_if=variants,
        replayed=replay_work(best.work, case) if settings.uncertainty is not None and len(best.work) else None,
        waiting=_waiting(case),
        budgets=curve,
        programme=programme,
        sooner=sooner(case, judged),
        levers=fair,
    )


def assumed_people(settings: PrioritySettings) -> UnknownPeople:
    """Low, likely and high people of a zone whose number nobody knows, as the ranking assumes them [people]."""
    likely = settings.unknown_people
    low, high = settings.unknown_people_range or (likely, likely)
    return low, likely, high


def _waiting(case: PlanningCase) -> float:
    """Likely people of all zones that could be placed [people]."""
    zones = case.zones if "deferred" not in case.zones.columns else case.zones[case.zones["deferred"].isna()]
    ranges = (people_range(number, case.unknown_people) for number in zones["people"])
    return sum(likely for _, likely, _ in filter(None, ranges))
