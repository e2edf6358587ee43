"""What another million buys, what other outcomes of survey change, and the reverse: what a return programme takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError
from clearplan.core.reason import Reason
from clearplan.planning.blockers import waits_for
from clearplan.planning.calendar import Day, period_days, team_days
from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement, judge_work
from clearplan.planning.planned import Parts, ReturnProgramme, Schedule, gap_of
from clearplan.planning.search.allowance import Allowance, Clock, allowance_of
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.deadlines import meet, part_due, with_twin
from clearplan.planning.search.highs import Programme, relax, solve
from clearplan.planning.search.line_search import as_lines
from clearplan.planning.search.milp import columns_of, programme_of, work_of
from clearplan.planning.search.problem import Problem, opened, progress
from clearplan.planning.search.schedule import best_found, lifted, schedule
from clearplan.planning.search.sooner import clash_reason
from clearplan.planning.search.work import lines_table, work_table
from clearplan.settings.planning import PlanningSettings, WhatIf

Array = NDArray[Any]
Progress = Callable[[int, float], None]

#: So many shares of the counted work that is left may be spent on one budget.
_SHARES = 3
#: What a plan is compared by, in the judge's figures.
_BOUGHT = ("people_home", "person_months", "zones_open")
#: No programme takes more further teams of a row of TEAMS than this.
_MOST_TEAMS = 10_000
#: More teams than any programme can use, as a multiple of what there is.
_ENDLESS = 1e6
#: Parts of the days of teams that are kept back for what lines book beside their work: the first that is enough.
_SPARE = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


def budget_curve(
    case: PlanningCase,
    *,
    best: Schedule | None = None,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> pd.DataFrame:
    """The best plan found for each of ``settings.budgets``, in the judge's figures.

    Each search begins with the plan of the budget before, so more money is never worth less; they share
    ``search_work``, and one stop by the clock.

    Parameters
    ----------
    case : PlanningCase
    best : Schedule, optional
        The plan with the budget of the settings; that budget is then not searched again, unless less money found more.
    progress : callable, optional
        Called with (number of the budget from 0, its gap) when it is planned.
    clock : Clock, optional
        A stop by the clock that runs already; else ``stop_after_s`` from now on.

    Returns
    -------
    DataFrame
        One row for each budget: budget, cost [currency], people_home, person_months, zones_open, gap [1], per_million:
        person-months for each million more than the budget before; blank, with a reason in ``note``, where the proven
        gaps of the two plans leave it open which of them is better.
    """
    blocks, budgets = make_blocks(case), case.settings.budgets
    clock = clock or Clock(case.settings.stop_after_s)
    work = work_table(blocks, [], case)
    before, spent, value = _judged(work, case, 0.0), 0.0, -np.inf
    start: Parts | None = None
    rows, doubt_before, total = [], 0.0, allowance_of(case.settings, clock=clock)
    for k, budget in enumerate(budgets):
        if best is not None and budget == case.settings.budget and value <= best.value + lifted(blocks, best.parts):
            work, value, start, gap = best.work, best.value + lifted(blocks, best.parts), best.parts, best.gap
        else:
            # Most searches end long before their share: each may take that of some others too.
            allowance = Allowance(total.left() * min(1.0, _SHARES / (len(budgets) - k)), clock)
            found = best_found(
                replace(blocks, problem=replace(blocks.problem, budget=budget)),
                case,
                allowance,
                start=start,
                whole=False,
            )
            total.spend(allowance.spent)
            gap = gap_of(found.bound, found.value)
            if found.worth >= value:
                work, value, start = found.work, found.worth, found.search.parts
            else:  # less money has found more
                gap = gap_of(found.bound, found.value + value - found.worth)
        judged = _judged(work, case, budget)
        more, doubt = judged["person_months"] - before["person_months"], _unproven(judged["person_months"], gap)
        too_close = abs(more) < doubt + doubt_before
        rows.append(
            {
                "budget": budget,
                **{name: judged[name] for name in ("cost", *_BOUGHT)},
                "gap": gap,
                "per_million": more / (budget - spent) * 1e6 if budget > spent and not too_close else np.nan,
                "note": Reason("budget.too_close") if too_close else None,
            }
        )
        before, spent, doubt_before = judged, budget, doubt
        if progress is not None:
            progress(k, gap)
    return pd.DataFrame(rows)


def _unproven(person_months: float, gap: float) -> float:
    """How many more person-months the best plan that there can be may have, by the proven gap [person-months].

    >>> round(_unproven(98.0, 0.02), 6)
    2.0
    """
    return person_months * gap / (1 - gap) if gap < 1 else np.inf


def _judged(work: pd.DataFrame, case: PlanningCase, budget: float) -> dict[str, float]:
    settings = case.settings.model_copy(update={"budget": budget})
    return judge_work(work, replace(case, settings=settings)).totals


def what_if(case: PlanningCase, best: Judgement, *, clock: Clock | None = None) -> pd.DataFrame:
    """The plan's figures, and those of a new plan under each of ``settings.what_if``: other outcomes of survey.

    Parameters
    ----------
    case : PlanningCase
    best : Judgement
        Of the plan.
    clock : Clock, optional
        A stop by the clock that runs already; else ``stop_after_s`` from now on.

    Returns
    -------
    DataFrame
        One row for the plan and one for each what-if: name, people_home, person_months, zones_open.
    """
    rows = [{"name": "the plan"} | {name: best.totals[name] for name in _BOUGHT}]
    for other in case.settings.what_if:
        changed = replace(case, settings=_with_outcomes(case.settings, other))
        judged = judge_work(schedule(changed, clock=clock).work, changed).totals
        rows.append({"name": other.name} | {name: judged[name] for name in _BOUGHT})
    return pd.DataFrame(rows)


def _with_outcomes(settings: PlanningSettings, other: WhatIf) -> PlanningSettings:
    """Settings with other outcomes of survey; those of a kind of ordnance go with their class."""
    kept = tuple(one for one in settings.ordnance_outcomes if one.land_class not in other.outcomes)
    return settings.model_copy(update={"outcomes": settings.outcomes | other.outcomes, "ordnance_outcomes": kept})


# --- the reverse


def days_of_return(case: PlanningCase) -> dict[str, Day]:
    """Zones that wait for something, each to its planned return, else to ``return_by``; those without a day are not in.

    Nor are those that are lived in and that nobody waits for.

    >>> from types import SimpleNamespace as Case
    >>> zones = pd.DataFrame({"zone_id": ["A", "B"], "planned_return": ["2027-06-30", None]})
    >>> blockers = pd.DataFrame({"zone_id": ["A", "B"], "task_id": ["T", "T"], "essential": ["yes", "yes"]})
    >>> days_of_return(Case(zones=zones, blockers=blockers, lived_in={}, settings=Case(return_by="2028-12-31")))
    {'A': '2027-06-30', 'B': '2028-12-31'}
    """
    zones, waits = case.zones, waits_for(case.blockers)
    planned = zones["planned_return"] if "planned_return" in zones.columns else [None] * len(zones)
    days = {}
    for zone, day in zip(zones["zone_id"].astype(str), planned, strict=True):
        when = day if pd.notna(day) else case.settings.return_by
        if zone in waits and when is not None and zone not in case.lived_in:
            days[zone] = when
    return days


def return_programme(case: PlanningCase, *, by: Mapping[str, Day], clock: Clock | None = None) -> ReturnProgramme:
    """The fewest further teams that open zones by given days, and then the least cost of the work.

    What must be finished by a day is fluid work, so only the number of teams is whole: a small mixed-integer programme
    finds the further teams that cost least to keep for all of their days in the plan, a linear one then the cheapest
    work with them. Budgets of the settings don't hold: money is what is asked for. Promises hold, the plan in force
    does not.

    Parameters
    ----------
    case : PlanningCase
    by : mapping
        Zone to the day by which it is to be open.
    clock : Clock, optional
        A stop by the clock that runs already; else ``stop_after_s`` from now on.

    Raises
    ------
    SettingsError
        ``by`` names a zone that is not there.
    """
    dated = _dated(case, by)
    blocks = make_blocks(dated)
    met = meet(replace(blocks.problem, capacity=blocks.problem.capacity * _ENDLESS))
    problem = replace(blocks.problem, due=met.problem.due, block_due=met.problem.block_due)
    clock = clock or Clock(case.settings.stop_after_s)
    for spare in _SPARE if blocks.order.limits_lines else _SPARE[:1]:
        further, proven = _further(problem, dated, clock, spare=spare)
        enough = replace(dated, teams=case.teams.assign(number=pd.to_numeric(case.teams["number"]) + further))
        work, in_time = _with_teams(replace(blocks, problem=problem), enough, spare=spare)
        if in_time:
            break
    judged = judge_work(work, enough)
    notes = [clash_reason(clash, blocks, dated) for clash in met.clashes]
    notes += [Reason("programme.shut", zone=zone, reason=why) for zone, why in blocks.shut.items() if zone in by]
    if not proven or spare > 0:
        notes.append(Reason("programme.not_proven"))
    notes += clock.notes()
    return ReturnProgramme(
        teams=_teams(case.teams, further, judged),
        periods=_periods(judged, case.settings),
        work=work,
        judgement=judged,
        notes=tuple(notes),
    )


def _dated(case: PlanningCase, by: Mapping[str, Day]) -> PlanningCase:
    """The case with given days as deadlines that must hold, without budgets and without a plan in force."""
    ids = case.zones["zone_id"].astype(str)
    if lost := sorted(set(by) - set(ids)):
        raise SettingsError(f"return programme: there is no zone {lost[0]!r}; fix its id")
    days = pd.to_datetime(pd.Series([by.get(zone) for zone in ids], index=case.zones.index))
    free = {"hard_deadlines": tuple(by), "budget": None, "budget_a_period": None, "late_penalty": 0.0}
    return replace(
        case,
        zones=case.zones.assign(planned_return=days),
        settings=case.settings.model_copy(update=free),
        previous=None,
    )


def _with_teams(blocks: Blocks, case: PlanningCase, *, spare: float) -> tuple[pd.DataFrame, bool]:
    """WORK that meets all deadlines at least cost with the teams of a case, and whether it meets them."""
    capacity = team_days(case.teams, case.settings)
    parts = _cheapest(replace(blocks.problem, capacity=capacity * (1 - spare)))
    if not blocks.order.limits_lines:
        return work_table(blocks, parts, case), True
    there = replace(blocks, problem=replace(blocks.problem, capacity=capacity))
    single, lines = as_lines(there, parts, case, rest=False)
    ends, due = opened(single.problem, progress(single.problem, lines.parts)), single.problem.due
    return lines_table(single, lines.lines, case), bool(((due < 0) | (ends <= due)).all())


def _further(problem: Problem, case: PlanningCase, clock: Clock, *, spare: float) -> tuple[Array, bool]:
    """Further teams of each row of TEAMS (teams), and whether it is proven that none cost less.

    ``spare``: part of each team's days that is not counted on [1].
    """
    settings, count = case.settings, len(problem.cost)
    unit = team_days(case.teams.assign(number=1), settings) * (1 - spare)
    problem = replace(problem, capacity=problem.capacity * (1 - spare))
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
    both = Programme(
        gain=np.append(np.zeros(extra), -keep / max(keep.max(), 1e-9)),
        upper=np.append(programme.upper, np.full(count, float(_MOST_TEAMS))),
        whole=np.append(np.zeros(extra, dtype=bool), np.ones(count, dtype=bool)),
        row=np.concatenate([programme.row, [row[team, t] for _, team, t, _ in keys], [row[limit] for limit in limits]]),
        column=np.concatenate([programme.column, [k[3] for k in keys], [extra + team for team, _ in limits]]),
        entry=np.concatenate(
            [
                programme.entry,
                [effort[s][team + count] for s, team, _, _ in keys],
                [-unit[team, t] for team, t in limits],
            ]
        ),
        low=np.append(programme.low, np.full(len(limits), -np.inf)),
        high=np.append(programme.high, np.zeros(len(limits))),
    )
    answer = solve(both, allowance=allowance_of(settings, clock=clock), gap=0.0, seed=settings.seed)
    if answer.point is None:
        raise SettingsError("return programme: not solved within the counted work; raise planning.search_work")
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
    answer = relax(programme, corner=True)
    assert answer.point is not None, "the teams are enough"
    return [(int(steps[s]), team, t, share) for s, team, t, share in work_of(part, at, answer.point)]


def _teams(teams: pd.DataFrame, further: Array, judged: Judgement) -> pd.DataFrame:
    used = judged.use.groupby("team_id")[["days", "cost"]].sum()
    rows = teams[["team_id", "kind", "number"]].reset_index(drop=True)
    sums = {name: used[name].reindex(rows["team_id"]).fillna(0.0).to_numpy() for name in ("days", "cost")}
    return rows.assign(number=pd.to_numeric(rows["number"]), further=further.astype(int), **sums)


def _periods(judged: Judgement, settings: PlanningSettings) -> pd.DataFrame:
    cost = judged.use.groupby("period")["cost"].sum()
    ends = [last for _, last in period_days(settings)]
    numbers = range(1, settings.periods + 1)
    spent = cost.reindex(numbers).fillna(0.0).to_numpy()
    return pd.DataFrame({"period": numbers, "ends_on": pd.to_datetime(pd.Series(ends)), "cost": spent})
