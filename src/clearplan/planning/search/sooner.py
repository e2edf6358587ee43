"""What would bring a place forward, and what lacks where deadlines can't all be met, as reasons."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from clearplan.core.reason import Reason
from clearplan.planning.calendar import last_counted, opening_day
from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.deadlines import Clash, Deadline, Lack, meet, what_lacks
from clearplan.planning.search.problem import Problem

#: What would bring a place forward is worked out for so many places, those with most people first ...
_PLACES = 40
#: ... and only where the programme behind it has no more columns than this: else it takes too long.
_COLUMNS = 20_000


def sooner(case: PlanningCase, judgement: Judgement) -> dict[str, Reason]:
    """Zone to what would open it one period sooner, with all others as planned; or within the plan, if it is not.

    Promises that can't be kept count by the day that they get: else they would stand against every place.

    Parameters
    ----------
    case : PlanningCase
    judgement : Judgement
        Of the plan in question.
    """
    blocks, periods = make_blocks(case), case.settings.periods
    problem = meet(blocks.problem).problem
    zones = judgement.zones[judgement.zones["opens_in"].notna()]
    opens = dict(zip(zones["zone_id"].astype(str), zones["finished_in"].astype(int), strict=True))
    unlocks = {zone: u for u, (zone, part) in enumerate(blocks.unlocks) if not part}
    planned = {u: opens[zone] for zone, u in unlocks.items() if opens.get(zone, 0) > 0}
    if too_large(problem, planned):
        return {}
    reasons: dict[str, Reason] = {}
    for zone in sorted(unlocks, key=lambda zone: -float(problem.value[unlocks[zone], 1]))[:_PLACES]:
        u = unlocks[zone]
        period = min(planned.get(u, periods + 1) - 1, last_counted(case.settings, int(blocks.handover[u])))
        if period == 0:
            reasons[zone] = Reason("sooner.first_period")
            continue
        if (gate := behind_gate(u, period, blocks, case)) is not None:
            gates, day = gate
            reasons[zone] = Reason("sooner.gated", day=day, gates=gates)
            continue
        lack = what_lacks(problem, planned | {u: period})
        day = opening_day(period, int(blocks.handover[u]), case.settings)
        if lack is None:
            reasons[zone] = Reason("sooner.nothing_lacks", day=day)
        else:
            reasons[zone] = Reason("sooner.lacks", day=day, lack=lack_reason(lack, case))
    return reasons


def too_large(problem: Problem, unlocks: Iterable[int]) -> bool:
    """Whether what lacks for these unlocks would take too long to find."""
    steps = np.isin(problem.block, sorted({b for u in unlocks for b in problem.needs[u]}))
    return sum(len(problem.options[s]) for s in np.flatnonzero(steps)) * problem.periods > _COLUMNS


def behind_gate(u: int, period: int, blocks: Blocks, case: PlanningCase) -> tuple[Reason, dt.date] | None:
    """The gate for which an unlock can't be open after a period, its zone's or that of a task, and its last day."""
    (zone, _), problem = blocks.unlocks[u], blocks.problem
    if zone in case.gates_of_zones and period < problem.floor[u]:
        gates, end = case.gates_of_zones[zone]
        assert end is not None, "a zone behind a gate without an end is no unlock"
        return gates, end
    for b in problem.needs[u]:
        if problem.begin[b] >= period:
            row = case.works.iloc[int(blocks.members[b][0])]
            return row["gates"], pd.Timestamp(row["gates_end_on"]).date()
    return None


def clash_reason(clash: Clash, blocks: Blocks, case: PlanningCase) -> Reason:
    """Deadlines that can't all be met, what is lacking, and which of them gives way."""
    deadlines = []
    for deadline, period in clash.deadlines.items():
        day = _day(deadline, period, blocks, case)
        by = Reason("deadline.by", day=day) if period > 0 else Reason("deadline.at_once")
        what = _named(deadline, blocks, case)
        is_zone = deadline[0] == "unlock"
        deadlines.append(
            Reason("deadline.zone", what=what, by=by) if is_zone else Reason("deadline.promise", what=what, by=by)
        )
    deadline, period = clash.later
    what = _named(deadline, blocks, case)
    way = Reason("clash.never", what=what)
    if 0 < period <= last_counted(case.settings, _handover(deadline, blocks)):
        way = Reason("clash.later", what=what, day=_day(deadline, period, blocks, case))
    return Reason("clash", deadlines=deadlines, lack=lack_reason(clash.lack, case), way=way)


def _day(deadline: Deadline, period: int, blocks: Blocks, case: PlanningCase) -> dt.date:
    """Day on which a zone is open, or work is finished, that a deadline puts at the end of a period."""
    return opening_day(period, _handover(deadline, blocks), case.settings)


def _handover(deadline: Deadline, blocks: Blocks) -> int:
    """Months from the work of a deadline to what is due; promises are of work alone [months]."""
    kind, k = deadline
    return int(blocks.handover[k]) if kind == "unlock" else 0


def _named(deadline: Deadline, blocks: Blocks, case: PlanningCase) -> Reason:
    """The zone or the tasks of a deadline."""
    kind, k = deadline
    if kind == "unlock":
        return Reason("named.zone", zone=blocks.unlocks[k][0])
    ids = case.works["task_id"].iloc[blocks.members[k]].astype(str).tolist()
    if len(ids) == 1:
        return Reason("named.task", task=ids[0])
    return Reason("named.tasks", task=ids[0], count=len(ids) - 1)


def lack_reason(lack: Lack, case: PlanningCase) -> Reason:
    """What it would take; its text follows a comma or a semicolon."""
    lacks, further = _lacks(lack, case), lack.further
    if not lacks:
        return Reason("lack.time")
    besides = []
    while further is not None:
        besides.append(Reason("lack.either", lacks=_lacks(further, case)))
        further = further.further
    return Reason("lack.takes", lacks=lacks, besides=besides) if besides else Reason("lack.takes", lacks=lacks)


def _lacks(lack: Lack, case: PlanningCase) -> list[Reason]:
    """What would do; rounded up, for with less than is stated it does not hold."""
    teams, currency = case.teams["team_id"], case.settings.currency
    lacks = [Reason("lack.days", count=_up(days), team=str(teams.iloc[k])) for k, days in lack.days.items()]
    if lack.budget > 0:
        lacks.append(Reason("lack.money", money=_up(lack.budget), currency=currency))
    if lack.budget_a_period > 0:
        lacks.append(Reason("lack.money_a_period", money=_up(lack.budget_a_period), currency=currency))
    return lacks


def _up(amount: float) -> int:
    """The next whole number, 1 at least; what is above one by the solver's rounding is that one."""
    return max(math.ceil(amount - 1e-6 * max(amount, 1.0)), 1)
