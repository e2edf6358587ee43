"""Results of planning that sections, sheets and pages take whole: the schedule, what it is worth, and what it hangs on.

TASKS and ZONES are widened here with what a plan says of each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from clearplan.core.reason import Reason
from clearplan.planning.blockers import waits_for
from clearplan.planning.calendar import opening_days
from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement
from clearplan.planning.replay import Replay
from clearplan.settings.planning import LeverName
from clearplan.tables.codes import SURVEY
from clearplan.tables.texts import ids_in

#: TASKS and ZONES with or without shapes.
Tasks = TypeVar("Tasks", bound=pd.DataFrame)
Zones = TypeVar("Zones", bound=pd.DataFrame)

#: Work as the search counts it: (step, team, period, part of the step).
Parts = Sequence[tuple[int, int, int, float]]

#: The four ways of planning that every run compares.
STRATEGIES = ("ranked list", "value per area", "greedy unlock", "best plan found")
RANKED, BEST = STRATEGIES[0], STRATEGIES[-1]
#: Figures of the comparison of strategies, in its order.
_COMPARED = (
    "person_months",
    "person_months_low",
    "person_months_high",
    "people_home",
    "zones_open",
    "people_near_hazard",
    "people_near_released",
    "m2_finished",
    "days",
    "cost",
)


@dataclass(frozen=True)
class Schedule:
    """Who works where and when by the best plan found, and how near it is to the best there can be.

    ``work``: WORK of the best plan found; ``strategies``: WORK of each way of planning; ``value``: what the plan is
    worth in the planner's own objective, ``bound``: no plan is worth more [person-months]; ``spent``: counted work of
    the search [units of ``search_work``]; ``notes``: what a reader must know; ``left_out``: task to the reason why
    nobody may work on it; ``shut``: zone to the reason why it can't open; ``parts``: the best plan found in the
    planner's own blocks.
    """

    work: pd.DataFrame
    strategies: dict[str, pd.DataFrame]
    value: float
    bound: float
    spent: float
    notes: tuple[Reason, ...] = ()
    left_out: dict[str, Reason] = field(default_factory=dict)
    shut: dict[str, Reason] = field(default_factory=dict)
    parts: Parts = ()

    @property
    def gap(self) -> float:
        """How far the plan may be from the best, as a part of the bound [1]."""
        return gap_of(self.bound, self.value)


def gap_of(bound: float, value: float) -> float:
    """How far a value may be from the best [1]; what is rounding is nothing.

    >>> gap_of(200.0, 150.0), gap_of(200.0, 199.999995)
    (0.25, 0.0)
    """
    return (bound - value) / bound if bound - value > 1e-5 else 0.0


@dataclass(frozen=True)
class ReturnProgramme:
    """What it takes to open places by given days.

    ``teams``: one row for each row of TEAMS: team_id, kind, number, further: teams that are lacking, days [team-days],
    cost [currency]; ``periods``: period, ends_on, cost [currency]; ``work``: WORK of the cheapest plan; ``judgement``:
    of it; ``notes``: days that can't be met with any number of teams, and places that can't open.
    """

    teams: pd.DataFrame
    periods: pd.DataFrame
    work: pd.DataFrame
    judgement: Judgement
    notes: tuple[Reason, ...]

    @property
    def cost(self) -> float:
        """What the work costs [currency]."""
        return float(self.judgement.totals["cost"])


#: A floor's own worth is at least twice all else: where one place more could open in time, the gap is larger than this.
_FAR = 2 / 3


@dataclass(frozen=True)
class Lever:
    """The plan by a lever of fairness, beside the plan without any.

    ``name``: of the lever; ``label``: of its plan in the comparison; ``totals``: of its judgement; ``gap``: how far it
    may be from the best by the lever [1]; ``price``: person-months fewer than without a lever; ``unproven``: how much
    of that a longer search could save, by the proven gap of a floor [person-months]; ``misses``: place to why it does
    not open within the periods of a floor.
    """

    name: LeverName
    label: str
    totals: Mapping[str, float]
    gap: float
    price: float
    unproven: float
    misses: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def most(self) -> bool:
        """Whether it is proven that no plan opens more places within the floor; else the bound is far away."""
        return self.gap < _FAR

    @property
    def sentence(self) -> Reason | None:
        """What the lever costs; None of the plan without any."""
        if self.name == "none":
            return None
        if self.price < 0.5:
            return Reason("lever.free", lever=self.label)
        if self.price > self.unproven:
            return Reason("lever.costs", lever=self.label, person_months=self.price)
        return Reason("lever.close", lever=self.label, person_months=self.price)


@dataclass(frozen=True)
class Planned:
    """A plan of work as the judge sees it.

    ``case``: what it was made from; ``schedule``: WORK and how near it is to the best; ``judgement``: of the best plan;
    ``comparison``: one row for each strategy, in the judge's figures; ``home``: people at home after each period by
    strategy; ``what_if``: the same plan with other outcomes of survey; ``replayed``: the plan in draws; ``waiting``:
    people of all zones that could be placed; ``budgets``: what another million buys; ``programme``: what it takes to
    open the zones by given days; ``sooner``: zone to what would bring it forward; ``levers``: the plan without a lever
    of fairness and by each that is stated.
    """

    case: PlanningCase
    schedule: Schedule
    judgement: Judgement
    comparison: pd.DataFrame
    home: pd.DataFrame
    what_if: pd.DataFrame
    replayed: Replay | None
    waiting: float
    budgets: pd.DataFrame | None = None
    programme: ReturnProgramme | None = None
    sooner: Mapping[str, Reason] = field(default_factory=dict)
    levers: tuple[Lever, ...] = ()

    @property
    def stops(self) -> list[tuple[str, dt.date]]:
        """The start and the end of each period until the last handover, as (label, day)."""
        start, *ends = opening_days(self.case.settings)
        return [("Start", start), *((f"Period {k}", last) for k, last in enumerate(ends, 1))]

    @property
    def broken(self) -> list[Reason]:
        """Limits that the plan breaks; none is the rule."""
        return [Reason("plan.breaks", breach=words) for words in self.judgement.breaches["words"]]

    @property
    def notes(self) -> list[Reason]:
        """What a reader must know first: limits that are broken, then what is not in the plan."""
        levers = [sentence for lever in self.levers if (sentence := lever.sentence) is not None]
        return [*self.broken, *self.schedule.notes, *levers]


def compare_strategies(
    judgements: Mapping[str, Judgement], gap: float, levers: Sequence[Lever] = (), in_force: LeverName = "none"
) -> pd.DataFrame:
    """One row for each strategy and each lever that is not in force, in the judge's figures.

    The gap is that of the best plan found, or of the plan by a lever; so is the price.
    """
    rows = [
        {"strategy": name, **{figure: judgement.totals[figure] for figure in _COMPARED}, "gap": np.nan, "price": np.nan}
        for name, judgement in judgements.items()
    ]
    rows[-1]["gap"] = gap
    for lever in levers:
        price = np.nan if lever.name == "none" else lever.price
        if lever.name == in_force:
            rows[len(judgements) - 1]["price"] = price
            continue
        figures = {figure: lever.totals[figure] for figure in _COMPARED}
        rows.append({"strategy": lever.label, **figures, "gap": lever.gap, "price": price})
    return pd.DataFrame(rows)


# --- TASKS and ZONES, wider


def with_plan(tasks: Tasks, zones: Zones, planned: Planned) -> tuple[Tasks, Zones]:
    """TASKS and ZONES with what the plan says of each."""
    judged, waits = planned.judgement, waits_for(planned.case.blockers)
    dated = {name: judged.tasks[name].to_numpy() for name in ("teams", "start_on", "finish_on", "finished_part")}
    ids = zones["zone_id"].astype(str)
    rows = judged.zones.to_dict("records")
    columns: dict[str, Any] = {
        "opens_in": judged.zones["opens_in"].array,
        "opens_on": judged.zones["opens_on"].to_numpy(),
        "waits_for": [len(_tasks_of(waits.get(zone, ()))) for zone in ids],
        "survey_status": _survey_status(zones, planned.case),
        "last_tasks": judged.zones["last_tasks"].to_numpy(),
        "near_tasks": _near_tasks(ids, planned.case.near_homes),
        "near_released": judged.zones["near_released"].to_numpy(),
        "why": [_why(zone, planned, waits.get(zone, []), row) for zone, row in zip(ids, rows, strict=True)],
        "sooner": [planned.sooner.get(zone) for zone in ids],
    }
    if planned.replayed is not None:
        columns |= {name: planned.replayed.zones[name].to_numpy() for name in ("probability", "p50_on", "p80_on")}
    return tasks.assign(**dated), zones.assign(**columns)


def _near_tasks(zones: pd.Series, near: pd.DataFrame | None) -> list[int | None]:
    """How many tasks have ground near the homes of each zone; blank where nobody is known to be home."""
    numbers = {} if near is None else near.groupby("zone_id")["task_id"].nunique().to_dict()
    return [numbers.get(zone) for zone in zones]


def _why(zone: str, planned: Planned, waits: Sequence[str], row: Mapping[Any, Any]) -> Reason:
    """Why a zone opens when it does, and until when a gate holds it."""
    if zone in planned.case.lived_in:
        return Reason("zone.lived_in")
    if zone in planned.schedule.shut:
        return Reason("zone.shut", reason=planned.schedule.shut[zone])
    why, (gates, end) = _why_then(zone, planned, waits, row), planned.case.gates_of_zones.get(zone, (None, None))
    return why if end is None else Reason("zone.gated_until", reason=why, day=end, gates=gates)


def _why_then(zone: str, planned: Planned, waits: Sequence[str], row: Mapping[Any, Any]) -> Reason:
    """Why a zone opens when it does, as far as work goes."""
    tasks, unsurveyed = _tasks_of(waits), f"{SURVEY}{zone}" in waits
    if not tasks:
        return _why_without_tasks(zone, planned, unsurveyed, row)
    blockers = planned.case.blockers
    essential = blockers[(blockers["zone_id"] == zone) & (blockers["essential"] == "yes")]
    essential = essential[essential["task_id"].isin(tasks)]
    numbers = essential.groupby("why", sort=True)["task_id"].nunique()
    parts = [Reason("blocker.part", count=int(number), blocker=why) for why, number in numbers.items()]
    if pd.notna(row["opens_in"]):
        last = ids_in(row["last_tasks"])
        if unsurveyed:
            return Reason("zone.survey_waits", count=len(tasks), parts=parts, tasks=last)
        return Reason("zone.waits", count=len(tasks), parts=parts, tasks=last)
    unfinished = _unfinished(planned)
    left = [one for one in waits if one in unfinished]
    if unsurveyed:
        return Reason("zone.survey_waits_on", count=len(tasks), parts=parts, left=len(left), task=left[0])
    return Reason("zone.waits_on", count=len(tasks), parts=parts, left=len(left), task=left[0])


def _why_without_tasks(zone: str, planned: Planned, unsurveyed: bool, row: Mapping[Any, Any]) -> Reason:
    """Why a zone that no task blocks opens when it does."""
    if unsurveyed:
        return Reason("zone.survey") if pd.notna(row["opens_in"]) else Reason("zone.survey_on")
    if any(one.startswith(SURVEY) for one in waits_for(planned.case.blockers).get(zone, ())):
        return Reason("zone.survey_first")
    zones = planned.case.zones
    known = zones[zones["zone_id"].astype(str) == zone].iloc[0]
    if pd.isna(known.get("survey_status")) or pd.isna(known.get("surveyed_on")):
        return Reason("zone.unblocked")
    day = pd.Timestamp(known["surveyed_on"]).date()
    return Reason("zone.unblocked", survey_status=str(known["survey_status"]), day=day)


def _tasks_of(waits: Sequence[str]) -> list[str]:
    """Those of the pieces of work that are tasks, not surveys of places."""
    return [one for one in waits if not one.startswith(SURVEY)]


def _unfinished(planned: Planned) -> set[str]:
    """Tasks and place surveys that the plan does not finish."""
    pieces = pd.concat([planned.judgement.tasks, planned.judgement.surveys], ignore_index=True)
    return set(pieces.loc[pieces["finished_in"].isna(), "task_id"])


def _survey_status(zones: pd.DataFrame, case: PlanningCase) -> list[str]:
    """Survey status of each zone as the plan counts it; what is blank, or of a later day, is not surveyed."""
    todo = set() if case.surveys is None else set(case.surveys["zone_id"])
    cells = zones["survey_status"] if "survey_status" in zones.columns else [None] * len(zones)
    status = zip(zones["zone_id"].astype(str), cells, strict=True)
    return ["not-surveyed" if zone in todo or pd.isna(cell) else str(cell) for zone, cell in status]


def surveys_with_plan(planned: Planned) -> gpd.GeoDataFrame | None:
    """SURVEYS with what the plan says of each; None where the case has none."""
    surveys = planned.case.surveys
    if surveys is None:
        return None
    judged = planned.judgement.surveys.set_index("task_id").reindex(surveys["survey_id"])
    dated = {name: judged[name].to_numpy() for name in ("teams", "start_on", "finish_on", "finished_part")}
    return surveys.assign(**dated)
