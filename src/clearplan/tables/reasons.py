"""Values of reasons, each name declared once: its meaning, its unit, and the tier from which on it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.tables.columns import Tier

Frame = TypeVar("Frame", bound=pd.DataFrame)


@dataclass(frozen=True)
class ValueName:
    """What the values of one name are, in every reason; ``leaves``: the tier from which on they leave."""

    meaning: str
    leaves: Tier
    unit: str = ""


#: Names of values as the catalogue has them. A name that stands nowhere here leaves at no tier but the restricted one.
VALUES: dict[str, ValueName] = {
    "acceptance": ValueName("why rewritten decisions were accepted, in the words of whoever did", "restricted"),
    "accidents": ValueName("number of accidents; in public by district and year alone", "partner", "accidents"),
    "after": ValueName("weight or figure after a change, as its criterion has it", "partner"),
    "area": ValueName("an area, worded", "public"),
    "available": ValueName("team-days that a team has in a period", "partner", "team-days"),
    "before": ValueName("weight or figure before a change, as its criterion has it", "partner"),
    "beside": ValueName("days that a team books beside its work", "partner", "team-days"),
    "besides": ValueName("what lacks besides", "public"),
    "blocker": ValueName("what a task blocks", "partner"),
    "booked": ValueName("days that a team books for work", "partner", "team-days"),
    "breach": ValueName("a limit that is broken", "partner"),
    "budget": ValueName("budget of the plan or of a period", "partner", "currency"),
    "by": ValueName("a deadline, worded", "partner"),
    "cited": ValueName("publication that a figure is from", "public"),
    "column": ValueName("name of a column", "partner"),
    "commitment": ValueName("id of a commitment", "partner"),
    "convention": ValueName("a convention", "public"),
    "cost": ValueName("what work costs", "partner", "currency"),
    "count": ValueName("how many of what the sentence names; chooses its plural form", "public"),
    "criterion": ValueName("label of a criterion", "public"),
    "currency": ValueName("currency of the plan", "public"),
    "day": ValueName("a day", "public"),
    "days": ValueName("days of a team at work", "partner", "team-days"),
    "deadlines": ValueName("deadlines that can't all be met", "partner"),
    "decisions": ValueName("names of decisions of land release", "partner"),
    "deferred": ValueName("why a row could not be placed; it may quote what was entered", "restricted"),
    "digits": ValueName("digits behind the point that a figure is written with", "public"),
    "district": ValueName("name of a district", "public"),
    "districts": ValueName("names of districts in which a team may work", "partner"),
    "done_percent": ValueName("part of the ground of a step that is done", "partner", "%"),
    "due": ValueName("a day by which something was due", "partner"),
    "earlier": ValueName("name of an earlier step", "partner"),
    "earlier_no": ValueName("number of an earlier step", "partner"),
    "earlier_percent": ValueName("part of the ground of an earlier step that is done", "partner", "%"),
    "excess": ValueName("by how much a limit is broken", "partner"),
    "excess_cost": ValueName("by how much a budget is broken", "partner", "currency"),
    "fault": ValueName("what is wrong in a row of a schedule", "partner"),
    "figure": ValueName("a number alone, worded", "public"),
    "file": ValueName("name of a file", "partner"),
    "first": ValueName("number of tasks at the head of a queue that are spoken of", "public", "tasks"),
    "first_day": ValueName("first day of a period", "public"),
    "gate_kind": ValueName("kind of a gate", "public"),
    "gate_reason": ValueName("why a gate is shut, in the words of whoever decided it", "partner"),
    "gates": ValueName("what holds a task back", "public"),
    "good": ValueName("consistency ratio up to which judgements are good", "public", "1"),
    "ground": ValueName("ground of a step", "partner", "m2"),
    "grounds": ValueName("ground of each class in a cell", "public"),
    "high_after": ValueName("rank after which the class high ends", "public"),
    "high_asked": ValueName("rank after which the plan asks it to end", "public"),
    "high_most": ValueName("tasks that may be on either side at the worst place of the window", "public", "tasks"),
    "high_unsure": ValueName("tasks that may be on either side of its end", "public", "tasks"),
    "implied": ValueName("judgement that all others imply", "public", "times"),
    "items": ValueName("what a source holds, with its number", "public"),
    "judged": ValueName("judgement of one criterion against another", "public", "times"),
    "kind": ValueName("kind of a team", "public"),
    "kinds": ValueName("kinds of teams", "public"),
    "km2": ValueName("an area", "public", "km2"),
    "known_source": ValueName("name of a source that is known to exist and is not among the inputs", "public"),
    "lack": ValueName("what it would take", "public"),
    "lacks": ValueName("what it would take, any one of these", "public"),
    "land_class": ValueName("class of the land", "public"),
    "last": ValueName("the last of several things", "public"),
    "last_day": ValueName("last day of a period", "public"),
    "left": ValueName("tasks that are not finished within the plan", "partner", "tasks"),
    "least": ValueName("least deployment of a team", "partner", "team-days"),
    "lever": ValueName("name of the plan by a lever of fairness", "public"),
    "less": ValueName("by how much a sum is less", "partner"),
    "lifeline": ValueName("id or name of a lifeline", "partner"),
    "lifeline_kind": ValueName("kind of a lifeline", "partner"),
    "m2": ValueName("an area", "public", "m2"),
    "meaning": ValueName("meaning of a code, as its list has it", "public"),
    "medium_after": ValueName("rank after which the class medium ends", "public"),
    "medium_asked": ValueName("rank after which the plan asks it to end", "public"),
    "medium_unsure": ValueName("tasks that may be on either side of its end", "public", "tasks"),
    "money": ValueName("money that is lacking", "public", "currency"),
    "most": ValueName("how many teams may be on one task in one period", "partner", "teams"),
    "number": ValueName("number of a period, from 1", "public"),
    "on_road": ValueName("days of teams between their bases and sites", "partner", "team-days"),
    "other": ValueName("another criterion", "public"),
    "other_team": ValueName("id of another team", "partner"),
    "parts": ValueName("what tasks block, with their numbers", "partner"),
    "period": ValueName("a period, worded", "public"),
    "periods": ValueName("number of periods of the plan", "public", "periods"),
    "person_months": ValueName("months of people at home", "public", "person-months"),
    "queue": ValueName("queue of tasks", "public"),
    "rate": ValueName("ground that a team works in a day", "partner", "m2/day"),
    "ratio": ValueName("consistency ratio of judgements", "public", "1"),
    "reason": ValueName("a further reason", "partner"),
    "section": ValueName("sections of plan.toml that a run has otherwise", "partner"),
    "seconds": ValueName("time after which the clock stops the search", "public", "s"),
    "state": ValueName("name of a state", "public"),
    "step": ValueName("name of a step of a method", "partner"),
    "step_no": ValueName("number of a step, from 1", "partner"),
    "sums": ValueName("sum of the rows of a table", "partner"),
    "survey_status": ValueName("whether a place was surveyed or released", "public"),
    "kept_percent": ValueName("part of the ground of a class that survey keeps by the surface", "partner", "%"),
    "stated_percent": ValueName("part of the ground of a class that is stated to be cleared", "partner", "%"),
    "sure_percent": ValueName("share of the tasks that are of one class for sure", "public", "%"),
    "task": ValueName("id of a task", "partner"),
    "tasks": ValueName("ids of tasks", "partner"),
    "team": ValueName("id of a team; at the public tier its kind and number", "public"),
    "teams_there": ValueName("how many teams are on one task in one period", "partner", "teams"),
    "then": ValueName("how long before, worded", "partner"),
    "unit": ValueName("unit of a criterion's figure", "partner"),
    "until": ValueName("what opens a gate, in the words of whoever decided it", "partner"),
    "verdict": ValueName("what the classes are worth", "public"),
    "way": ValueName("one change that does it", "partner"),
    "ways": ValueName("changes of which each does it", "partner"),
    "weight_set": ValueName("name of a set of weights", "public"),
    "what": ValueName("what a deadline is for", "partner"),
    "where": ValueName("row of a schedule", "partner"),
    "work_file": ValueName("name of the WORK of a plan in force", "partner"),
    "worked": ValueName("ground that is worked", "partner", "m2"),
    "written": ValueName("what a schedule has, as it stands there", "partner"),
    "year": ValueName("a calendar year", "public"),
    "years": ValueName("what is meant in each year", "public"),
    "work": ValueName("counted work of a search, one unit about a second of one quiet core", "public", "units"),
    "zone": ValueName("id of a zone", "partner"),
    "zone_name": ValueName("name of a zone", "partner"),
}


def in_words(table: Frame) -> Frame:
    """A table with its reasons as English sentences, as files take it; the table itself where it has none.

    >>> in_words(pd.DataFrame({"why": [Reason("zone.unblocked"), None]}))["why"].tolist()
    ['Recorded as surveyed; no hazard is recorded that blocks it.', None]
    """
    columns = [name for name in table.columns if _has_reasons(table[name])]
    if not columns:
        return table
    words = {name: [str(value) if isinstance(value, Reason) else value for value in table[name]] for name in columns}
    return table.assign(**{name: pd.Series(texts, table.index, dtype=object) for name, texts in words.items()})


def _has_reasons(values: pd.Series) -> bool:
    return values.dtype == object and any(isinstance(value, Reason) for value in values)
