"""The report's answer to "why this order?": charts, tables and sentences of each queue, as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.outputs.charts.results import draw_order
from clearplan.outputs.report.html import table
from clearplan.priority.rank import criteria_of, in_queue, meaning_of
from clearplan.priority.sensitivity import per_cents, share_words
from clearplan.priority.why import Why
from clearplan.settings.base import QUEUES
from clearplan.tables.check import each_row

#: Tasks of a queue, from the first, that the report explains.
EXPLAINED = 15
#: Columns that only draws make.
_SURE = ("priority_class", "first_share", "rank_low", "tied_with", "change")


def order_section(tasks: pd.DataFrame, why: Why | None = None) -> str:
    """The section "Why this order".

    Parameters
    ----------
    tasks : DataFrame
        Ranked TASKS; the section states what ``robust`` found where it was asked.
    why : Why, optional
        What is said of the whole list; left out, the order alone is explained.
    """
    first = None if why is None else why.first
    why = why or Why()
    parts = [
        "<section><h2>Why this order</h2><p>Each task gets points by criterion; the sum of at most 100 is its score, "
        "and the highest score is rank 1. Land to survey and land to clear wait in two queues.</p>"
    ]
    if any(name in tasks.columns for name in _SURE):
        parts.append(
            "<p>How sure a rank is was tried in draws: in each, weights and uncertain figures are others within their "
            "stated ranges, and all tasks are ranked again.</p>"
        )
    for queue in QUEUES:
        parts.append(_queue(tasks, queue, first, why.hangs.get(queue)))
    if why.cuts:
        parts.append(
            "<h3>How the classes were cut</h3><p>The classes end where the fewest tasks may be on either side, near "
            "the parts of the queue that the plan asks for.</p>" + _list(why.cuts)
        )
    if why.weights is not None and len(why.weights):
        parts.append(_weight_sets(tasks, why.weights))
    if why.agreement is not None and len(why.agreement):
        parts.append(_agreement(why.agreement))
    parts.append(_gated(tasks))
    return "\n".join(parts) + "</section>"


def _queue(tasks: pd.DataFrame, queue: str, first: int | None, hangs: pd.DataFrame | None) -> str:
    """Chart and table of the first tasks of a queue, and the weights on which its list hangs."""
    waiting = in_queue(tasks, queue).sort_values(["rank", "task_id"])
    heading = {"survey": "Tasks to survey", "clearance": "Tasks to clear"}[queue]
    if not len(waiting):
        return f"<h3>{heading}</h3><p>No task of this queue has a rank.</p>"
    own = waiting.head(EXPLAINED)
    parts = [
        f"<h3>{heading}</h3>",
        f'<figure class="chart wide" tabindex="0">{draw_order(tasks, queue, first=EXPLAINED)}</figure>',
        f"<p>The first {len(own)} of {len(waiting):,} ranked tasks. {_columns_in_words(own, first)}</p>",
        _order_table(own, first),
    ]
    if hangs is not None:
        parts.append(_hangs(tasks, hangs, first))
    return "\n".join(parts)


def _columns_in_words(own: pd.DataFrame, first: int | None) -> str:
    """What each column of the table means, for those that it has."""
    told = ["Score: points of 100."]
    if "priority_class" in own.columns:
        told.append("Class: high, medium or low; two of them where nobody can tell.")
    if "first_share" in own.columns:
        told.append(f"Among {_the_first(first)}: share of the draws in which the task is one of them.")
    if "rank_low" in own.columns:
        told.append("Rank in 90 % of the draws: between these two.")
    if "tied_with" in own.columns:
        told.append("Tied with: tasks whose order to this one flips too often to put one before the other.")
    if "change" in own.columns:
        told.append("What would change it: the smallest change of one weight, or of one figure of its own.")
    return escape(" ".join(told))


def _the_first(first: int | None) -> str:
    return "the first" if first is None else f"the first {first}"


def _order_table(own: pd.DataFrame, first: int | None) -> str:
    cells = {
        "rank": [str(rank) for rank in own["rank"]],
        "task": own["task_id"].astype(str).tolist(),
        "class": _told(own, "priority_class", lambda name: str(name).replace("/", " or ")),
        "score": [f"{score:.1f}" for score in own["score"]],
        f"among {_the_first(first)}": _told(own, "first_share", share_words),
        "rank in 90 % of the draws": _between(own),
        "tied with": _told(own, "tied_with", str, "no task"),
        "what would change it": _told(own, "change", str, "not computed"),
    }
    shown = {name: values for name, values in cells.items() if values is not None}
    rows = [[escape(cell) for cell in row] for row in zip(*shown.values(), strict=True)]
    return f'<div class="wide">{table(shown, rows)}</div>'


def _told(own: pd.DataFrame, column: str, words: Callable[[Any], str], blank: str = "not drawn") -> list[str] | None:
    """A column in words; None where the table has none."""
    if column not in own.columns:
        return None
    return [blank if pd.isna(value) else words(value) for value in own[column]]


def _between(own: pd.DataFrame) -> list[str] | None:
    if "rank_low" not in own.columns:
        return None
    pairs = zip(own["rank_low"], own["rank_high"], strict=True)
    return ["not drawn" if pd.isna(low) else str(low) if low == high else f"{low} to {high}" for low, high in pairs]


def _hangs(tasks: pd.DataFrame, hangs: pd.DataFrame, first: int | None) -> str:
    """The three weights on which the list hangs most, a sentence each."""
    if not len(hangs):
        return f"<p>No change of one weight brings another task into {_the_first(first)}.</p>"
    words = [
        f"If the weight of '{_label(tasks, row.criterion).lower()}' {'rises' if row.after > row.before else 'falls'} "
        f"from {per_cents(row.before, row.after)} of all weights, {row.into} comes into {_the_first(first)} and "
        f"{row.out} leaves."
        for row in each_row(hangs.head(3))
    ]
    told = "On these weights the list hangs most: the smallest change of one weight alone that changes it."
    return f"<p>{told}</p>{_list(words)}"


def _label(tasks: pd.DataFrame, name: Any) -> str:
    return meaning_of(tasks, str(name)).label if name in criteria_of(tasks) else str(name)


def _list(reasons: Sequence[Reason | str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(str(reason))}</li>" for reason in reasons) + "</ul>"


def _weight_sets(tasks: pd.DataFrame, sets: pd.DataFrame) -> str:
    names = [name for name in sets.columns if name not in ("queue", "criterion")]
    queues = ["queue"] if "queue" in sets.columns else []
    cells = [
        [
            *(escape(str(row[name])) for name in queues),
            escape(_label(tasks, row["criterion"])),
            *("not weighed" if pd.isna(row[name]) else f"{row[name]:.1f}" for name in names),
        ]
        for row in sets.to_dict("records")
    ]
    return (
        "<h3>Whose weights</h3><p>What each weight set gives to a criterion, in points; those of a queue sum to 100."
        "</p>" + table([*queues, "criterion", *(escape(str(name)) for name in names)], cells)
    )


def _agreement(agreement: pd.DataFrame) -> str:
    cells = [
        [
            escape(str(row.queue)),
            escape(str(row.one)),
            escape(str(row.other)),
            "not defined" if pd.isna(row.kendall_tau) else f"{row.kendall_tau:.2f}",
            f"{row.shared_first:.0f} of {row.first:.0f}",
        ]
        for row in each_row(agreement)
    ]
    return (
        "<h3>How far the weight sets agree</h3><p>Each two sets rank the tasks apart. Kendall's tau is 1 where they "
        "rank all tasks alike, 0 where one order says nothing of the other, and \u22121 where one is the other "
        "reversed; beside it, how many of the first tasks are first in both.</p>"
        + table(["queue", "one set", "other set", "Kendall's tau", "first tasks in both"], cells)
    )


def _gated(tasks: pd.DataFrame) -> str:
    """Every task without a rank, under the reason why."""
    own = tasks[tasks["rank"].isna()]
    if not len(own):
        return ""
    reasons = own["gates"] if "gates" in own.columns else pd.Series(None, index=own.index, dtype=object)
    named = own.assign(reason=reasons.fillna("no reason given").astype(str)).sort_values("task_id")
    groups = named.groupby(["reason", "queue"])["task_id"].agg([len, ", ".join]).reset_index()
    cells = [[escape(str(cell)) for cell in row] for row in each_row(groups)]
    return (
        f"<h3>Behind a gate: {len(own):,}</h3><p>These tasks are hazards like the others; a decision keeps them "
        "without a rank until the gate opens, and none of them stands in the queues above.</p>"
        + table(["reason", "queue", "number", "tasks"], cells)
    )
