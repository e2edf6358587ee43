"""What would bring a place forward, and what lacks where deadlines can't all be met, as reasons."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from clearplan.core.reason import Reason
from clearplan.planning.calendar import period_days
from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.deadlines import Clash, Deadline, Lack, meet, what_lacks

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
    ends = [last for _, last in period_days(case.settings)]
    opens = dict(zip(judgement.zones["zone_id"].astype(str), judgement.zones["opens_in"], strict=True))
    unlocks = {zone: u for u, (zone, part) in enumerate(blocks.unlocks) if not part}
    planned = {u: int(opens[zone]) for zone, u in unlocks.items() if pd.notna(opens[zone]) and opens[zone] > 0}
    steps = np.isin(problem.block, sorted({b for u in planned for b in problem.needs[u]}))
    columns = sum(len(problem.options[s]) for s in np.flatnonzero(steps)) * periods
    if columns > _COLUMNS:
        return {}
    reasons: dict[str, Reason] = {}
    for zone in sorted(unlocks, key=lambda zone: -float(problem.value[unlocks[zone], 1]))[:_PLACES]:
        u = unlocks[zone]
        period = planned.get(u, periods + 1) - 1
        if period == 0:
            reasons[zone] = Reason("sooner.first_period")
            continue
        lack, day = what_lacks(problem, planned | {u: period}), ends[period - 1]
        if lack is None:
            reasons[zone] = Reason("sooner.nothing_lacks", day=day)
        else:
            reasons[zone] = Reason("sooner.lacks", day=day, lack=lack_reason(lack, case))
    return reasons


def clash_reason(clash: Clash, blocks: Blocks, case: PlanningCase) -> Reason:
    """Deadlines that can't all be met, what is lacking, and which of them gives way."""
    ends = [case.settings.start, *(last for _, last in period_days(case.settings))]
    deadlines = []
    for deadline, period in clash.deadlines.items():
        by = Reason("deadline.by", day=ends[period]) if period > 0 else Reason("deadline.at_once")
        what = _named(deadline, blocks, case)
        is_zone = deadline[0] == "unlock"
        deadlines.append(
            Reason("deadline.zone", what=what, by=by) if is_zone else Reason("deadline.promise", what=what, by=by)
        )
    deadline, period = clash.later
    what = _named(deadline, blocks, case)
    way = Reason("clash.later", what=what, day=ends[period]) if period > 0 else Reason("clash.never", what=what)
    return Reason("clash", deadlines=deadlines, lack=lack_reason(clash.lack, case), way=way)


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
