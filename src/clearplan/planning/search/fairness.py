"""Levers of fairness beside the objective: another plan for each, what it costs, and which places it can't reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from clearplan.core.reason import Reason
from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement, judge_work
from clearplan.planning.planned import BEST, Lever, Schedule
from clearplan.planning.search.allowance import Clock, allowance_of
from clearplan.planning.search.blocks import Blocks, make_blocks
from clearplan.planning.search.deadlines import meet, what_lacks
from clearplan.planning.search.schedule import Best, best_found, travel_notes
from clearplan.planning.search.sooner import behind_gate, lack_reason, too_large
from clearplan.settings.planning import LEVERS, LeverName

#: Counted work of the plan of a lever that is not in force, which begins with the best plan found [units].
_WORK = 15.0
#: What is less is rounding [person-months].
_SAME = 1e-6


def levers(
    case: PlanningCase, best: Schedule, judged: Judgement, *, clock: Clock
) -> tuple[tuple[Lever, ...], Schedule, Judgement]:
    """The plan by each lever that the settings state and without any, with its price; and the plan in force.

    That is ``best``, unless the search by another lever came upon a plan that is worth more by the one in force.

    Parameters
    ----------
    case : PlanningCase
    best : Schedule
        The plan in force, with which the search by each other lever begins.
    judged : Judgement
        Of it.
    clock : Clock
        A stop by the clock that runs already.

    Returns
    -------
    tuple of Lever
        Empty where no lever is stated; first the plan without a lever, whose price is 0.
    Schedule
        The plan in force.
    Judgement
        Of it.
    """
    fairness = case.settings.fairness
    if fairness is None or not fairness.stated:
        return (), best, judged
    names: tuple[LeverName, ...] = ("none", *fairness.stated)
    others = {name: _plan(name, case, best, clock) for name in names if name != fairness.in_force}
    for found, *_ in others.values():
        best, judged = _better(best, judged, found, case)
    in_force = judged, best.gap, _misses(fairness.in_force, case, judged)
    plans = {name: in_force if name == fairness.in_force else others[name][1:] for name in names}
    free, _, _ = plans["none"]
    found_levers = tuple(
        Lever(
            name=name,
            label=label_of(name, case),
            totals=judgement.totals,
            gap=gap,
            price=free.totals["person_months"] - judgement.totals["person_months"],
            unproven=_unproven(judgement, gap) if name == "floor" else 0.0,
            misses=misses,
        )
        for name, (judgement, gap, misses) in plans.items()
    )
    return found_levers, best, judged


def label_of(name: LeverName, case: PlanningCase) -> str:
    """Name of the plan by a lever in the comparison of strategies."""
    fairness = case.settings.fairness
    periods = None if fairness is None else fairness.open_within_periods
    return LEVERS[name].format(periods=periods)


def _unproven(judgement: Judgement, gap: float) -> float:
    """How many more person-months the best plan by a floor may have, by the proven gap [person-months]."""
    return judgement.totals["person_months"] * gap / (1 - gap) if gap < 1 else float("inf")


def _plan(
    name: LeverName, case: PlanningCase, best: Schedule, clock: Clock
) -> tuple[Best, Judgement, float, Mapping[str, Reason]]:
    """The plan by a lever, its judgement, how far it may be from the best [1], and which places it can't reach."""
    assert case.settings.fairness is not None
    fairness = case.settings.fairness.model_copy(update={"in_force": name})
    other = replace(case, settings=case.settings.model_copy(update={"fairness": fairness}))
    blocks = make_blocks(other)
    share = min(1.0, _WORK / case.settings.search_work)
    allowance = allowance_of(case.settings, clock=clock, share=share)
    found = best_found(blocks, other, allowance, start=best.parts, whole=False)
    judgement = judge_work(found.work, other)
    return found, judgement, found.gap, _misses(name, other, judgement)


def _better(best: Schedule, judged: Judgement, found: Best, case: PlanningCase) -> tuple[Schedule, Judgement]:
    """The plan in force, or one that the search by another lever found, if that is worth more by the lever in force."""
    again = judge_work(found.work, case)
    more = again.totals["objective"] - judged.totals["objective"]
    later = case.settings.lever == "floor" and again.totals["zones_in_time"] < judged.totals["zones_in_time"]
    if later or more < _SAME or not again.breaches.empty:
        return best, judged
    of_the_road = travel_notes(best.work, case)
    notes = [note for note in best.notes if note not in of_the_road]
    better = replace(
        best,
        work=found.work,
        notes=(*notes, *travel_notes(found.work, case)),
        strategies={**best.strategies, BEST: found.work},
        value=best.value + more,
        bound=max(best.bound, best.value + more),
        parts=found.search.parts,
    )
    return better, again


def _misses(name: LeverName, case: PlanningCase, judgement: Judgement) -> dict[str, Reason]:
    """Places that do not open within the periods of the floor, with the reason; none for other levers."""
    fairness = case.settings.fairness
    if name != "floor" or fairness is None or fairness.open_within_periods is None:
        return {}
    zones = judgement.zones
    in_time = (zones["opens_in"] <= fairness.open_within_periods).fillna(False).to_numpy(bool)
    blocks = make_blocks(case)
    number = {zone: u for u, (zone, part) in enumerate(blocks.unlocks) if not part}
    kept = {number[zone]: int(blocks.in_time[number[zone]]) for zone in zones["zone_id"][in_time] if zone in number}
    late = [str(zone) for zone in zones["zone_id"][~in_time] if zone not in case.lived_in]
    return {zone: _miss(zone, number, kept, blocks, case) for zone in late}


def _miss(zone: str, number: Mapping[str, int], kept: Mapping[int, int], blocks: Blocks, case: PlanningCase) -> Reason:
    """Why a place can't open within the periods of the floor while those do that open by then."""
    if zone in blocks.shut:
        return blocks.shut[zone]
    if zone not in number:  # it waits for no work, so for a gate alone
        return case.gates_of_zones[zone][0]
    u = number[zone]
    period = int(blocks.in_time[u])
    if period < 1:
        return Reason("floor.handover", count=int(blocks.handover[u]))
    if (gate := behind_gate(u, period, blocks, case)) is not None:
        gates, day = gate
        return Reason("floor.gated", day=day, gates=gates)
    problem = meet(blocks.problem).problem
    if too_large(problem, [*kept, u]):
        return Reason("floor.not_sought")
    lack = what_lacks(problem, {**kept, u: period})
    return Reason("floor.search") if lack is None else Reason("floor.lacks", lack=lack_reason(lack, case))
