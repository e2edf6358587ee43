"""Commands on a finished ranking: its first tasks, and why one of them stands where it does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clearplan.cli.terminal import print_table, say

if TYPE_CHECKING:
    import pandas as pd

    from clearplan.priority.why import Why


def rank(
    layers: Annotated[Path, typer.Argument(metavar="GPKG", help="A run's plan.gpkg, with run.json beside it.")],
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="NAME", help="Rank by this weight set of the plan instead.")
    ] = None,
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="Number of tasks listed per queue.")] = 15,
) -> None:
    """List the first tasks of each queue, and how sure they are.

    Also on which weights the list depends, and how far the stakeholders' weights agree.
    """
    from clearplan.priority.why import why_this_order
    from clearplan.study.ranking import rank_cells, read_ranking, with_weights

    ranked, settings = read_ranking(layers)
    if weights is not None:
        ranked, settings = with_weights(ranked, settings, weights)
    why = why_this_order(ranked, settings)
    for doubt in why.doubts:
        say(f"NOTE: {doubt}")
    say(f"Weights of: {settings.use or settings.set_by}")
    for queue in why.hangs:
        typer.echo()
        typer.echo(f"First tasks of the {queue} queue:")
        print_table(*rank_cells(ranked, queue, most, why.first))
        _print_levers(ranked, why, queue)
    typer.echo()
    for sentence in why.cuts:
        say(f"Classes of the {sentence}")
    _print_gates(ranked, most)
    _print_agreement(why)


def _print_levers(ranked: pd.DataFrame, why: Why, queue: str) -> None:
    """The two weights whose smallest change moves another task into the first ones."""
    from clearplan.priority.rank import meaning_of
    from clearplan.priority.sensitivity import per_cents
    from clearplan.tables.check import each_row

    for row in each_row(why.hangs[queue].head(2)):
        label = meaning_of(ranked, row.criterion).label.lower()
        say(
            f"The first {why.first} change if the weight of '{label}' goes from {per_cents(row.before, row.after)} of "
            f"all weights: {row.into} replaces {row.out}"
        )


def _print_gates(ranked: pd.DataFrame, most: int) -> None:
    """Tasks that have no rank, each with its reason."""
    gates = ranked.loc[ranked["gates"].notna(), ["task_id", "gates"]]
    for task_id, reason in gates.head(most).itertuples(index=False):
        say(f"Without rank: {task_id}, {reason}")
    if len(gates) > most:
        typer.echo(f"... and {len(gates) - most} more behind a gate")


def _print_agreement(why: Why) -> None:
    """How far each two weight sets agree; nothing where the plan has one set alone."""
    from clearplan.tables.check import each_row

    if why.agreement is None:
        return
    rows = [
        (row.queue, row.one, row.other, f"{row.kendall_tau:.2f}", f"{row.shared_first} of {row.first}")
        for row in each_row(why.agreement)
    ]
    typer.echo()
    typer.echo("How far two sets of weights agree:")
    print_table(("queue", "weights of", "and of", "Kendall's tau", "first tasks shared"), rows)


def explain(
    layers: Annotated[Path, typer.Argument(metavar="GPKG", help="A run's plan.gpkg.")],
    task_id: Annotated[str, typer.Argument(metavar="TASK", help="Id of a task, such as 38SPK6428-SHA-1.")],
    against: Annotated[
        str | None, typer.Option("--against", metavar="TASK", help="Another task: what would swap the two?")
    ] = None,
) -> None:
    """Explain why a task stands where it stands.

    Figures, values, weights and points; how sure the rank is, and what would change it.
    """
    from clearplan.core.errors import ReadError
    from clearplan.priority.rank import explain
    from clearplan.priority.sensitivity import swaps
    from clearplan.read.readers import read_ranked
    from clearplan.study.ranking import explanation, read_ranking

    try:
        ranked, settings = read_ranking(layers)
    except ReadError:
        if against is not None:
            raise
        ranked, settings = read_ranked(layers), None
    table = explain(ranked, task_id)
    changes = None if against is None or settings is None else swaps(ranked, settings, task_id, against)
    first, *others = explanation(ranked, task_id, settings)
    say(first)
    _print_points(table)
    for sentence in others:
        say(sentence)
    if changes is not None:
        say(f"What would swap {task_id} and {against}, each change alone:")
        _print_swaps(ranked, changes)


def _print_points(table: pd.DataFrame) -> None:
    """The sum that makes the score, one criterion per row."""
    rows = [
        (
            row.criterion,
            _with_unit(float(str(row.raw)), str(row.unit)),
            f"{row.value:.3f}",
            f"{row.weight:.1f}",
            f"{row.contribution:.2f}",
            row.note,
        )
        for row in table.itertuples()
    ]
    rows.append(("Score", "", "", f"{table['weight'].sum():.1f}", f"{table.attrs['score']:.2f}", ""))
    print_table(("criterion", "figure", "value 0-1", "weight", "contribution", "note"), rows)


def _with_unit(raw: float, unit: str) -> str:
    """A raw figure and its unit; a share has none.

    >>> _with_unit(1_048.0, "people"), _with_unit(0.6, "0-1"), _with_unit(float("nan"), "m")
    ('1,048 people', '0.6', 'no place known')
    """
    if not math.isfinite(raw):
        return "no place known"
    return f"{raw:,.6g}" if unit == "0-1" else f"{raw:,.6g} {unit}"


def _print_swaps(ranked: pd.DataFrame, changes: pd.DataFrame) -> None:
    from clearplan.priority.rank import meaning_of
    from clearplan.tables.check import each_row

    if not len(changes):
        say("No change of one weight does, and no change of one figure of the lower task")
        return
    rows = [
        (
            row.what,
            meaning_of(ranked, row.criterion).label,
            f"{row.before:,.4g}",
            f"{row.after:,.4g}",
            "% of all weights" if row.what == "weight" else row.unit,
        )
        for row in each_row(changes)
    ]
    print_table(("change of a", "criterion", "from", "to", "unit"), rows)
