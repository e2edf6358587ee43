"""What would bring a place forward, and what lacks where deadlines can't all be met, in sentences."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from clearplan.planning.calendar import period_days
from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.deadlines import Clash, Deadline, Lack, meet, what_lacks

#: What would bring a place forward is worked out for so many places, those with most people first ...
_PLACES = 40
#: ... and only where the programme behind it has no more columns than this: else it takes too long.
_COLUMNS = 20_000


def sooner(case: PlanningCase, judgement: Judgement) -> dict[str, str]:
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
    sentences: dict[str, str] = {}
    for zone in sorted(unlocks, key=lambda zone: -float(problem.value[unlocks[zone], 1]))[:_PLACES]:
        u = unlocks[zone]
        period = planned.get(u, periods + 1) - 1
        if period == 0:
            sentences[zone] = "Nothing: no work is finished before the first period ends."
            continue
        lack = what_lacks(problem, planned | {u: period})
        day = f"To open it by {ends[period - 1]}, with all others as planned"
        if lack is None:
            reason = "nothing lacks: the search ended before it found that, or other ground is worth more"
        else:
            reason = lack_words(lack, case)
        sentences[zone] = f"{day}, {reason}."
    return sentences


def clash_words(clash: Clash, blocks: Blocks, case: PlanningCase) -> str:
    """Deadlines that can't all be met, what is lacking, and which of them gives way, in a sentence."""
    ends = [case.settings.start, *(last for _, last in period_days(case.settings))]

    def named(deadline: Deadline, period: int) -> str:
        kind, k = deadline
        day = f"by {ends[period]}" if period > 0 else "before the end of the first period"
        if kind == "unlock":
            return f"zone {blocks.unlocks[k][0]} open {day}"
        ids = case.tasks["task_id"].iloc[blocks.members[k]].astype(str).tolist()
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        return f"task {ids[0]}{more} released {day}, as promised"

    deadlines = " and ".join(named(deadline, period) for deadline, period in clash.deadlines.items())
    deadline, period = clash.later
    name = named(deadline, clash.deadlines[deadline]).split(" open ")[0].split(" released ")[0]
    way = f"{name} gives way, to {ends[period]}" if period > 0 else f"{name} gives way and has no day in this plan"
    return f"Can't hold: {deadlines}; {lack_words(clash.lack, case)}. In this plan {way}"


def lack_words(lack: Lack, case: PlanningCase) -> str:
    """What it would take, in words that follow a semicolon."""
    if not _lacks(lack, case):
        return (
            "no number of teams does it: the order of steps, seasons, the days when teams are there and the time left "
            "stand against it"
        )
    words, further = "it takes at least " + " or ".join(_lacks(lack, case)), lack.further
    while further is not None:
        words, further = f"{words}, and besides " + " or ".join(_lacks(further, case)), further.further
    return words


def _lacks(lack: Lack, case: PlanningCase) -> list[str]:
    """What would do, each in words; rounded up, for with less than is stated it does not hold."""
    lacks = [
        f"{_up(days):,} more team-day{'s' * (_up(days) != 1)} of {case.teams['team_id'].iloc[k]}"
        for k, days in lack.days.items()
    ]
    for money, per in ((lack.budget, ""), (lack.budget_a_period, " in every period")):
        lacks += [f"{_up(money):,} {case.settings.currency} more{per}"] if money > 0 else []
    return lacks


def _up(amount: float) -> int:
    """The next whole number, 1 at least; what is above one by the solver's rounding is that one."""
    return max(math.ceil(amount - 1e-6 * max(amount, 1.0)), 1)
