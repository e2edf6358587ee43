"""The plan of work of a study from end to end: planned, judged, replayed, and widened onto TASKS and ZONES."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from clearplan.planning.blockers import find_blockers, waits_for, without_place
from clearplan.planning.calendar import period_days
from clearplan.planning.judge import Judgement, judge_work
from clearplan.planning.methods import people_range
from clearplan.planning.replay import Replay, replay_work
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.budgets import ReturnProgramme, budget_curve, return_programme
from clearplan.planning.search.deadlines import meet, what_lacks
from clearplan.planning.search.schedule import BEST, WorkPlan, lack_words, schedule
from clearplan.settings.planning import PlanningSettings
from clearplan.settings.priority import PrioritySettings
from clearplan.settings.project import Project
from clearplan.study.inputs import Inputs

Progress = Callable[[float, float], None]

#: Figures of the comparison of strategies, in its order.
_COMPARED = (
    "person_months", "person_months_low", "person_months_high", "people_home", "zones_open", "m2_finished", "days",
    "cost",
)  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """A plan of work as the judge sees it.

    ``plan``: WORK and how near it is to the best; ``judgement``: of the best plan; ``comparison``: a row a strategy, in
    the judge's figures; ``home``: people at home after each period by strategy; ``what_if``: the same plan with other
    outcomes of survey; ``replayed``: the plan in draws; ``waiting``: people of all zones that could be placed;
    ``budgets``: what another million buys; ``programme``: what it takes to open the zones by given days; ``sooner``:
    zone to what would bring it forward.
    """

    settings: PlanningSettings
    plan: WorkPlan
    blockers: pd.DataFrame
    judgement: Judgement
    comparison: pd.DataFrame
    home: pd.DataFrame
    what_if: pd.DataFrame
    replayed: Replay | None
    waiting: float
    budgets: pd.DataFrame | None = None
    programme: ReturnProgramme | None = None
    sooner: Mapping[str, str] = field(default_factory=dict)

    @property
    def stops(self) -> list[tuple[str, Any]]:
        """The start and the end of each period, as (label, day)."""
        start = ("Start", self.settings.start)
        return [start, *((f"Period {k}", last) for k, (_, last) in enumerate(period_days(self.settings), 1))]

    @property
    def broken(self) -> list[str]:
        """Limits that the plan breaks, in words; none is the rule."""
        return [f"The plan breaks a limit: {words}" for words in self.judgement.breaches["words"]]

    @property
    def notes(self) -> list[str]:
        """What a reader must know first: limits that are broken, then what is not in the plan."""
        return [*self.broken, *self.plan.notes]


def plan_work(
    project: Project, known: Inputs, tasks: pd.DataFrame, *, previous: Any = None, progress: Progress | None = None
) -> Planned:
    """The plan of work of a study.

    Raises
    ------
    TableError, SettingsError
        As in :func:`clearplan.schedule`.
    """
    asked = project.planning
    assert asked is not None
    lifelines = None
    if project.lifelines:  # one of a zone that is not there is told as a warning, with its file and row
        lifelines = known.lifelines[known.lifelines["zone_id"].isin(known.zones["zone_id"])]
    blockers = find_blockers(tasks, known.zones, asked, lifelines=lifelines)
    given: dict[str, Any] = {
        "unknown_people": assumed_people(project.priority), "commitments": known.commitments,
        "without_place": without_place(known.zones, lifelines), "previous": previous,
    }  # fmt: skip
    made = schedule(tasks, known.zones, known.teams, asked, blockers=blockers, progress=progress, **given)
    judged = {
        name: judge_work(work, tasks, known.zones, blockers, known.teams, asked, **given)
        for name, work in made.strategies.items()
    }
    replayed = None
    if asked.uncertainty is not None and len(made.work):
        kept = {name: given[name] for name in ("unknown_people", "without_place")}
        replayed = replay_work(made.work, tasks, known.zones, blockers, known.teams, asked, **kept)
    people = [people_range(n, given["unknown_people"]) for n in known.zones["people"][known.zones["deferred"].isna()]]
    return Planned(
        settings=asked,
        plan=made,
        blockers=blockers,
        judgement=judged[BEST],
        comparison=compare_strategies(judged, made.gap),
        home=pd.concat([told.home.assign(strategy=name) for name, told in judged.items()], ignore_index=True),
        what_if=_what_if(asked, tasks, known, blockers, judged[BEST], given),
        replayed=replayed,
        waiting=sum(told[1] for told in people if told is not None),
        budgets=budget_curve(tasks, known.zones, known.teams, asked, blockers=blockers, plan=made, **given)
        if asked.budgets
        else None,
        programme=_programme(asked, tasks, known, blockers, given),
        sooner=_sooner(
            asked, make_blocks(tasks, known.zones, blockers, known.teams, asked, **given), known.teams, judged[BEST]
        ),
    )


def _programme(
    asked: PlanningSettings, tasks: pd.DataFrame, known: Inputs, blockers: pd.DataFrame, given: Mapping[str, Any]
) -> ReturnProgramme | None:
    """What the planned returns take, with ``return_by`` for zones without one; None where no zone has a day."""
    waits, by = waits_for(blockers), {}
    days = known.zones["planned_return"] if "planned_return" in known.zones.columns else [None] * len(known.zones)
    for zone, day in zip(known.zones["zone_id"].astype(str), days, strict=True):
        when = day if pd.notna(day) else asked.return_by
        if zone in waits and when is not None:
            by[zone] = when
    if not by:
        return None
    kept = {name: given[name] for name in ("unknown_people", "commitments", "without_place")}
    return return_programme(tasks, known.zones, known.teams, asked, by=by, blockers=blockers, **kept)


def assumed_people(settings: PrioritySettings) -> tuple[float, float, float]:
    """Low, likely and high people of a zone whose number nobody knows, as the ranking assumes them [people]."""
    likely = settings.unknown_people
    low, high = settings.unknown_people_range or (likely, likely)
    return low, likely, high


def compare_strategies(judged: Mapping[str, Judgement], gap: float) -> pd.DataFrame:
    """A row a strategy, in the judge's figures; the gap is that of the best plan found."""
    rows = [
        {"strategy": name} | {figure: told.totals[figure] for figure in _COMPARED}
        | {"gap": gap if name == BEST else np.nan}
        for name, told in judged.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _what_if(
    asked: PlanningSettings, tasks: pd.DataFrame, known: Inputs, blockers: pd.DataFrame, best: Judgement, given: Any
) -> pd.DataFrame:
    """The plan's figures, and those of a new plan under other outcomes of survey."""
    figures = ("person_months", "people_home", "zones_open")
    rows: list[dict[str, Any]] = [{"name": "the plan"} | {name: best.totals[name] for name in figures}]
    for case in asked.what_if:
        other = asked.model_copy(update={"outcomes": asked.outcomes | case.outcomes})
        made = schedule(tasks, known.zones, known.teams, other, blockers=blockers, **given)
        told = judge_work(made.work, tasks, known.zones, blockers, known.teams, other, **given)
        rows.append({"name": case.name} | {name: told.totals[name] for name in figures})
    return pd.DataFrame(rows)


def with_plan(tasks: Any, zones: Any, planned: Planned) -> tuple[Any, Any]:
    """TASKS and ZONES with what the plan says of each."""
    told = planned.judgement
    dated = {name: told.tasks[name].to_numpy() for name in ("teams", "start_on", "finish_on", "finished_part")}
    wider = tasks.assign(**dated)
    waits = waits_for(planned.blockers)
    ids = zones["zone_id"].astype(str)
    more: dict[str, Any] = {
        "opens_in": told.zones["opens_in"].array, "opens_on": told.zones["opens_on"].to_numpy(),
        "waits_for": [len(waits.get(zone, ())) for zone in ids], "last_tasks": told.zones["last_tasks"].to_numpy(),
        "why": [_why(zone, planned, waits, row) for zone, row in zip(ids, told.zones.to_dict("records"), strict=True)],
        "sooner": [planned.sooner.get(zone) for zone in ids],
    }  # fmt: skip
    if planned.replayed is not None:
        more |= {name: planned.replayed.zones[name].to_numpy() for name in ("probability", "p50_on", "p80_on")}
    return wider, zones.assign(**more)


def _why(zone: str, planned: Planned, waits: Mapping[str, list[str]], row: Mapping[Any, Any]) -> str:
    """Why a zone opens when it does, in a sentence."""
    if zone in planned.plan.shut:
        return f"Can't open in this plan: {planned.plan.shut[zone]}."
    if zone not in waits:
        return "Nothing known blocks it."
    own = planned.blockers[(planned.blockers["zone_id"] == zone) & (planned.blockers["essential"] == "yes")]
    parts = ", ".join(f"{n} for {why}" for why, n in own.groupby("why", sort=True)["task_id"].nunique().items())
    number = len(waits[zone])
    told = f"It waits for {number} task{'s' * (number != 1)} ({parts})"
    if pd.isna(row["opens_in"]):
        done = planned.judgement.tasks.set_index("task_id")["finished_in"]
        left = [task for task in waits[zone] if pd.isna(done[task])]
        return f"{told}; {len(left)} of them are not finished within the plan, {left[0]} first."
    return f"{told}; the last to be finished: {row['last_tasks']}."


#: What would bring a place forward is worked out for so many places, those with most people first ...
_ASKED = 40
#: ... and only where the programme behind it has no more columns than this: else it takes too long.
_COLUMNS = 20_000


def _sooner(asked: PlanningSettings, blocks: Blocks, teams: pd.DataFrame, told: Judgement) -> dict[str, str]:
    """Zone to what would open it one period sooner, with all others as planned; or within the plan, if it is not.

    Promises that can't be kept count by the day that they get: else they would stand against every place.
    """
    problem = meet(blocks.problem).problem
    ends = [last for _, last in period_days(asked)]
    opens = dict(zip(told.zones["zone_id"].astype(str), told.zones["opens_in"], strict=True))
    unlocks = {zone: u for u, (zone, part) in enumerate(blocks.unlocks) if not part}
    planned = {u: int(opens[zone]) for zone, u in unlocks.items() if pd.notna(opens[zone]) and opens[zone] > 0}
    steps = np.isin(problem.block, sorted({b for u in planned for b in problem.needs[u]}))
    columns = sum(len(problem.options[s]) for s in np.flatnonzero(steps)) * asked.periods
    first = sorted(unlocks, key=lambda zone: -float(problem.value[unlocks[zone], 1]))
    words: dict[str, str] = {}
    for zone in first[:_ASKED] if columns <= _COLUMNS else ():
        u = unlocks[zone]
        period = planned.get(u, asked.periods + 1) - 1
        if period == 0:
            words[zone] = "Nothing: no work is finished before the first period ends."
            continue
        lack = what_lacks(problem, planned | {u: period})
        day = f"To open it by {ends[period - 1]}, with all others as planned"
        words[zone] = f"{day}, {lack_words(lack, teams, asked)}." if lack is not None else (
            f"{day}, nothing lacks: the search ended before it found that, or other ground is worth more."
        )  # fmt: skip
    return words
