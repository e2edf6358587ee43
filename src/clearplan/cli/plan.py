"""Commands on the stages of a project: its plan of work, and how well its surface predicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clearplan.cli.options import (
    TIER_NAMES,
    AcceptRewritten,
    AsAt,
    BreakLock,
    Offline,
    OutFolder,
    OutPage,
    ProjectFile,
)
from clearplan.cli.run import break_locks, print_chain_growth, print_imprint, print_places, print_ways, watched
from clearplan.cli.terminal import print_table, say

if TYPE_CHECKING:
    from clearplan.outputs.plan_facts import PlanFacts
    from clearplan.planning.planned import Planned
    from clearplan.study.study import Study


def plan_work(  # noqa: PLR0913 - the options of the command
    project: ProjectFile,
    out: OutFolder = None,
    as_at: AsAt = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="MONEY", min=0, help="Money for all periods together.")
    ] = None,
    budget_a_period: Annotated[
        float | None, typer.Option("--budget-a-period", metavar="MONEY", min=0, help="Money for each period.")
    ] = None,
    teams: Annotated[
        Path | None,
        typer.Option("--teams", metavar="FILE", help="Another table of teams, with clearplan's column names."),
    ] = None,
    periods: Annotated[
        int | None, typer.Option("--periods", metavar="N", min=1, help="Number of periods of work.")
    ] = None,
    return_by: Annotated[
        str | None,
        typer.Option("--return-by", metavar="DAY", help="What it would take to open all places by this day."),
    ] = None,
    robust: Annotated[
        bool, typer.Option("--robust", help="Plan with efforts that are exceeded in one case of five.")
    ] = False,
    search_work: Annotated[
        float | None,
        typer.Option("--search-work", metavar="N", min=0.1, help="Counted work of the search; one is about a second."),
    ] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", metavar=TIER_NAMES, help="Who may see the files; else publish.tier.")
    ] = None,
    offline: Offline = False,
    accept_rewritten: AcceptRewritten = None,
    break_lock: BreakLock = False,
) -> None:
    """Plan which teams go where and when.

    The aim is most people home soonest; try other money or other teams.

    Writes the plan alone, into a folder 'plan' beside plan.toml unless --out names another: plan.html, plan.xlsx,
    work.csv, blockers.csv, tasks.csv, and PNG pictures for slides.
    """
    from clearplan.study.run import plan_study

    options = {
        "budget": budget,
        "budget_a_period": budget_a_period,
        "periods": periods,
        "return_by": return_by,
        "search_work": search_work,
        "robust": robust or None,
    }
    change: dict[str, Any] = {"planning": {name: value for name, value in options.items() if value is not None}}
    if teams is not None:
        change["teams"] = [{"path": str(teams.resolve())}]
    target = out or project.parent / "plan"
    if break_lock:
        break_locks(target)
    with watched() as watchers:
        study = plan_study(
            project,
            target,
            change=change,
            as_at=as_at,
            offline=offline,
            tier=tier,
            accept_rewritten=accept_rewritten,
            **watchers,
        )
    _print_rewritings(study)
    for name, value in change["planning"].items():
        typer.echo(f"Instead of plan.toml: {name} = {value}")
    if teams is not None:
        typer.echo(f"Instead of plan.toml: teams of {teams}")
    planned = study.planned
    assert planned is not None, "plan_study refuses a project without a plan of work"
    plan = study.facts.plan
    assert plan is not None, "a study with a plan of work has its figures"
    print_ways(plan, planned.notes)
    print_places(plan)
    _print_budgets(plan)
    _print_programme(planned)
    typer.echo()
    print_imprint(study)
    typer.echo(f"Workbook: {target / 'plan.xlsx'}")
    typer.echo(f"Plan: {target / 'plan.html'}")


def _print_rewritings(study: Study) -> None:
    """Decisions that were rewritten, by this run or an earlier one: a reader must know them first."""
    if study.chain is not None:
        for note in study.chain.notes:
            say(f"NOTE: {note}")
    print_chain_growth(study)


def _print_budgets(plan: PlanFacts) -> None:
    """What another million buys."""
    if plan.budgets is None:
        return
    header = (
        f"budget [{plan.currency}]",
        "person-months at home",
        "of those who wait home",
        "places open",
        "for a million more",
        "proven within",
    )
    rows = [
        (
            f"{step.budget:,.0f}",
            f"{step.person_months:,.0f}",
            f"{step.people_home:,.0f}",
            f"{step.zones_open:.0f}",
            "too close to call: below the proven gap" if step.too_close else f"{step.per_million:,.0f}",
            f"{100 * step.gap:.1f} %",
        )
        for step in plan.budgets
    ]
    typer.echo()
    print_table(header, rows)


def _print_programme(planned: Planned) -> None:
    """What the return programme takes."""
    programme = planned.programme
    if programme is None:
        return
    further = zip(programme.teams["team_id"], programme.teams["further"], strict=True)
    more = ", ".join(f"{number} more of {team}" for team, number in further if number)
    cost = f"{programme.cost:,.0f} {planned.case.settings.currency}"
    say(f"The return programme takes {cost} and {more or 'no further teams'}")
    for note in programme.notes:
        say(f"NOTE: {note}")


def evaluate(
    project: ProjectFile,
    out: OutPage = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DAY", help="Predict the accidents after this day from what was known by it."),
    ] = None,
    as_at: AsAt = None,
    offline: Offline = False,
    accept_rewritten: AcceptRewritten = None,
) -> None:
    """Test how well the surface predicts accidents.

    It is tested on accidents that it has not seen, beside simpler ways and two that learn from the same evidence.
    plan.toml needs [surface] and [fit]. --out writes a page with tables and pictures.
    """
    from clearplan.outputs.report.evaluation import WAYS, ladder_cells
    from clearplan.study.run import evaluate_study
    from clearplan.surface.evaluation import evaluation_tables
    from clearplan.tables.check import each_row

    study, evaluation = evaluate_study(
        project, out, until=until, as_at=as_at, offline=offline, accept_rewritten=accept_rewritten
    )
    _print_rewritings(study)
    ladder = evaluation_tables(evaluation)["ladder"]
    for judged in dict.fromkeys(ladder["judged"]):
        say(f"{WAYS[judged]}; plus or minus one standard error")
        print_table(*ladder_cells(ladder[ladder["judged"] == judged]))
        typer.echo()
    rows = [(row.what, row.accidents, row.outside, f"{100 * row.share:.0f} %") for row in each_row(evaluation.outside)]
    print_table(("accidents outside of", "accidents", "outside", "share"), rows)
    for note in evaluation.notes:
        say(f"NOTE: {note}")
    if study.project.study.illustrative:
        typer.echo("Illustrative data, not for operational use.")
    if out is not None:
        typer.echo(f"Evaluation: {out}")
