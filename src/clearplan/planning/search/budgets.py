"""What another million buys, and the reverse: what a return programme costs, and which teams it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError
from clearplan.planning.calendar import period_days, team_days
from clearplan.planning.judge import Judgement, judge_work
from clearplan.planning.search.blocks import make_blocks, work_table
from clearplan.planning.search.deadlines import meet, part_due, with_twin
from clearplan.planning.search.highs import Programme, solve
from clearplan.planning.search.milp import columns_of, programme_of, work_of
from clearplan.planning.search.problem import Problem, worth
from clearplan.planning.search.schedule import WorkPlan, best_plan, clash_words, gap_of
from clearplan.settings.planning import PlanningSettings

Array = NDArray[Any]
Progress = Callable[[int, float], None]

#: No programme takes more further teams of a row of TEAMS than this.
_MOST_TEAMS = 10_000
#: More teams than any programme can use, as a multiple of what there is.
_ENDLESS = 1e6


def budget_curve(
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    teams: pd.DataFrame,
    settings: PlanningSettings,
    *,
    blockers: pd.DataFrame,
    plan: WorkPlan | None = None,
    progress: Progress | None = None,
    **given: Any,
) -> pd.DataFrame:
    """The best plan found for each of ``settings.budgets``, in the judge's figures.

    Each search begins with the plan of the budget before, so more money is never worth less; they share
    ``time_limit_s``.

    Parameters
    ----------
    tasks, zones, teams, settings, blockers
        As in :func:`clearplan.schedule`.
    plan : WorkPlan, optional
        The plan with the budget of the settings; that budget is then not searched again, unless less money found more.
    progress : callable, optional
        Told (number of the budget from 0, its gap) when it is planned.
    **given
        ``unknown_people``, ``commitments``, ``without_place``, ``previous`` of :func:`clearplan.schedule`.

    Returns
    -------
    DataFrame
        A row a budget: budget, cost [currency], people_home, person_months, zones_open, gap [1], per_million:
        person-months for each million more than the budget before.
    """
    blocks = make_blocks(tasks, zones, blockers, teams, settings, **given)
    own = settings.model_copy(update={"time_limit_s": settings.time_limit_s / max(len(settings.budgets), 1)})
    nothing = work_table(blocks, [], tasks, teams, settings)
    before, spent, start = _judged(nothing, tasks, zones, blockers, teams, own, 0.0, given), 0.0, None
    rows = []
    for k, budget in enumerate(settings.budgets):
        problem = replace(blocks.problem, budget=budget)
        if plan is not None and budget == settings.budget and (
            start is None or worth(problem, start) + blocks.open_worth <= plan.value
        ):  # fmt: skip
            start, gap = plan.parts, plan.gap
        else:
            found = best_plan(problem, own, start=start)
            start = found.parts
            gap = gap_of(found.bound + blocks.open_worth + blocks.slack, found.value + blocks.open_worth)
        work = work_table(blocks, start, tasks, teams, settings)
        told = _judged(work, tasks, zones, blockers, teams, own, budget, given)
        more = told.totals["person_months"] - before.totals["person_months"]
        rows.append(
            {
                "budget": budget,
                **{name: told.totals[name] for name in ("cost", "people_home", "person_months", "zones_open")},
                "gap": gap,
                "per_million": more / (budget - spent) * 1e6 if budget > spent else np.nan,
            }
        )
        before, spent = told, budget
        if progress is not None:
            progress(k, gap)
    return pd.DataFrame(rows)


def _judged(
    work: Any, tasks: Any, zones: Any, blockers: Any, teams: Any, settings: PlanningSettings, budget: float, given: Any
) -> Judgement:
    return judge_work(work, tasks, zones, blockers, teams, settings.model_copy(update={"budget": budget}), **given)


# --- the reverse


@dataclass(frozen=True)
class ReturnProgramme:
    """What it takes to open places by given days.

    ``teams``: a row a row of TEAMS: team_id, kind, number, further: teams that are lacking, days [team-days], cost
    [currency]; ``periods``: period, ends_on, cost [currency]; ``work``: WORK of the cheapest plan; ``judgement``: of
    it; ``notes``: days that can't be met with any number of teams, and places that can't open.
    """

    teams: pd.DataFrame
    periods: pd.DataFrame
    work: pd.DataFrame
    judgement: Judgement
    notes: tuple[str, ...]

    @property
    def cost(self) -> float:
        """What the work costs [currency]."""
        return float(self.judgement.totals["cost"])


def return_programme(
    tasks: pd.DataFrame,
    zones: pd.DataFrame,
    teams: pd.DataFrame,
    settings: PlanningSettings,
    *,
    by: Mapping[str, Any],
    blockers: pd.DataFrame,
    **given: Any,
) -> ReturnProgramme:
    """The fewest further teams that open zones by given days, and then the least cost of the work.

    What must be finished by a day is fluid work, so only the number of teams is whole: a small mixed-integer programme
    finds the further teams that cost least to keep for all of their days in the plan, a linear one then the cheapest
    work with them. Budgets of the settings don't hold: money is what is asked for. Promises hold.

    Parameters
    ----------
    tasks, zones, teams, settings, blockers
        As in :func:`clearplan.schedule`.
    by : mapping
        Zone to the day by which it is to be open.
    **given
        ``unknown_people``, ``commitments``, ``without_place`` of :func:`clearplan.schedule`.

    Raises
    ------
    SettingsError
        ``by`` names a zone that is not there.
    """
    ids = zones["zone_id"].astype(str)
    if lost := sorted(set(by) - set(ids)):
        raise SettingsError(f"return programme: there is no zone {lost[0]!r}; mend its id")
    asked = settings.model_copy(
        update={"hard_deadlines": tuple(by), "budget": None, "budget_a_period": None, "late_penalty": 0.0}
    )
    dated = zones.assign(planned_return=pd.to_datetime(pd.Series([by.get(z) for z in ids], index=zones.index)))
    blocks = make_blocks(tasks, dated, blockers, teams, asked, **given)
    met = meet(replace(blocks.problem, capacity=blocks.problem.capacity * _ENDLESS))
    problem = replace(blocks.problem, due=met.problem.due, block_due=met.problem.block_due)
    unit = team_days(teams.assign(number=1), asked)
    further, proven = _further(problem, unit, asked)
    number = pd.to_numeric(teams["number"]).to_numpy(float) + further
    enough = replace(problem, capacity=unit * number[:, None])
    parts = _cheapest(enough)
    crew = teams.assign(number=number)
    work = work_table(blocks, parts, tasks, crew, asked)
    kept = {name: given.get(name) for name in ("unknown_people", "commitments", "without_place")}
    told = judge_work(work, tasks, dated, blockers, crew, asked, **kept)
    notes = [clash_words(clash, blocks, tasks, teams, asked) for clash in met.clashes]
    notes += [f"Zone {zone} can't open in any plan: {reason}" for zone, reason in blocks.shut.items() if zone in by]
    if not proven:
        notes.append("The number of further teams is enough, but it was not proven in time that fewer would not do")
    return ReturnProgramme(_teams(teams, further, told), _periods(told, asked), work, told, tuple(notes))


def _further(problem: Problem, unit: Array, settings: PlanningSettings) -> tuple[Array, bool]:
    """Further teams of each row of TEAMS (teams), and whether it is proven that none cost less."""
    count = len(problem.cost)
    more = problem
    for team in range(count):
        more = with_twin(more, team, unit[team] * _ENDLESS)
    part, _ = part_due(more, held=True)
    if not len(part.ground):
        return np.zeros(count), True
    at = columns_of(part)
    programme = programme_of(part, at)
    effort = [dict(options) for options in part.options]
    keys = [(s, team - count, t, column) for (s, team, t), column in at.part.items() if team >= count]
    limits = sorted({(team, t) for _, team, t, _ in keys})
    row = {limit: len(programme.low) + k for k, limit in enumerate(limits)}
    extra = len(programme.gain)
    keep = unit.sum(axis=1) * np.maximum(problem.cost, 1e-6)
    answer = solve(
        Programme(
            np.append(np.zeros(extra), -keep / max(keep.max(), 1e-9)),
            np.append(programme.upper, np.full(count, float(_MOST_TEAMS))),
            np.append(np.zeros(extra, dtype=bool), np.ones(count, dtype=bool)),
            np.concatenate([programme.row, [row[team, t] for _, team, t, _ in keys], [row[own] for own in limits]]),
            np.concatenate([programme.column, [k[3] for k in keys], [extra + team for team, _ in limits]]),
            np.concatenate([programme.entry, [effort[s][team + count] for s, team, _, _ in keys],
                            [-unit[team, t] for team, t in limits]]),
            np.append(programme.low, np.full(len(limits), -np.inf)),
            np.append(programme.high, np.zeros(len(limits))),
        ), time_limit_s=settings.time_limit_s, gap=0.0, seed=settings.seed,
    )  # fmt: skip
    if answer.point is None:
        raise SettingsError("return programme: not solved in time; raise planning.time_limit_s")
    return np.round(answer.point[extra:]), answer.gap < 1e-6


def _cheapest(problem: Problem) -> list[tuple[int, int, int, float]]:
    """The work that meets all deadlines at least cost."""
    part, steps = part_due(problem, held=True)
    if not len(part.ground):
        return []
    at = columns_of(part)
    programme = programme_of(part, at)
    for (s, team, _), column in at.part.items():
        programme.gain[column] = -dict(part.options[s])[team] * float(problem.cost[team])
    answer = solve(programme, time_limit_s=3600.0, gap=0.0, seed=0, relaxed=True, corner=True)
    assert answer.point is not None, "the teams are enough"
    return [(int(steps[s]), team, t, share) for s, team, t, share in work_of(part, at, answer.point)]


def _teams(teams: pd.DataFrame, further: Array, told: Judgement) -> pd.DataFrame:
    used = told.use.groupby("team_id")[["days", "cost"]].sum()
    own = teams[["team_id", "kind", "number"]].reset_index(drop=True)
    return own.assign(
        number=pd.to_numeric(own["number"]), further=further.astype(int),
        **{name: used[name].reindex(own["team_id"]).fillna(0.0).to_numpy() for name in ("days", "cost")},
    )  # fmt: skip


def _periods(told: Judgement, settings: PlanningSettings) -> pd.DataFrame:
    cost = told.use.groupby("period")["cost"].sum()
    ends = [last for _, last in period_days(settings)]
    numbers = range(1, settings.periods + 1)
    spent = cost.reindex(numbers).fillna(0.0).to_numpy()
    return pd.DataFrame({"period": numbers, "ends_on": pd.to_datetime(pd.Series(ends)), "cost": spent})
