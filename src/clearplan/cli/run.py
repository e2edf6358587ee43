"""Commands that make a project, run it, and work with a finished run: demo, init, run, export, diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

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
from clearplan.cli.terminal import MOST_LISTED, print_table, say
from clearplan.core.errors import ClearplanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clearplan.core.reason import Reason
    from clearplan.outputs.facts import Facts
    from clearplan.outputs.plan_facts import PlanFacts
    from clearplan.study.study import Study


def demo(out: OutFolder = None, break_lock: BreakLock = False) -> None:
    """Run the sample project, in full and as the public may see it.

    Karabakh after 2020: places and published figures are real, minefields and accidents are made up.
    """
    _run(sample_project(), out or Path("out/karabakh"), tiers=["restricted", "public"], break_lock=break_lock)


def run(
    project: ProjectFile,
    out: OutFolder = None,
    as_at: AsAt = None,
    tier: Annotated[
        list[str] | None,
        typer.Option(
            "--tier",
            metavar=TIER_NAMES,
            help="Who may see the files; else publish.tier. Repeat it for more: the next ones go to FOLDER-<tier>.",
        ),
    ] = None,
    offline: Offline = False,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="field|formats",
            help="Also write the folder 'field' (for teams) or 'formats' (for other systems); repeat it for both.",
        ),
    ] = None,
    accept_rewritten: AcceptRewritten = None,
    break_lock: BreakLock = False,
) -> None:
    """Run a project: map, report, layers and tables.

    Without --out the files go into a folder 'out' beside plan.toml.

    Decisions of land release are kept in .clearplan/decisions.jsonl beside plan.toml. Exit code 1 where one that an
    earlier run knew is changed or gone.
    """
    _run(project, out or project.parent / "out", as_at, offline, tier, with_ or (), accept_rewritten, break_lock)


def export(  # noqa: PLR0913 - the options of the command
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New file; its ending names the format (see above).")],
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", metavar="NAME", help="Layer to write; repeat it for more. Else tasks, or all."),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", metavar="ID", help="Only this task; repeat it for more.")
    ] = None,
    first: Annotated[
        int | None,
        typer.Option(
            "--first", metavar="N", min=1, help="The first N tasks of each queue (.gpx, --dossiers); else 10."
        ),
    ] = None,
    dossiers: Annotated[bool, typer.Option("--dossiers", help="A PDF with one page per task.")] = False,
    atlas: Annotated[bool, typer.Option("--atlas", help="A PDF with one map per district.")] = False,
    scale: Annotated[
        int | None,
        typer.Option("--scale", metavar="N", min=500, help="Map at 1:N, such as 25000; else what fits the paper."),
    ] = None,
    paper: Annotated[
        Literal["A4", "A3"] | None, typer.Option("--paper", metavar="A4|A3", help="Paper of a map; else A4.")
    ] = None,
    landscape: Annotated[bool, typer.Option("--landscape", help="Turn the paper of a map.")] = False,
) -> None:
    """Write one file from a finished run, in the format of its ending.

    .gpkg .zip: all layers (GeoPackage, shapefiles), or those named by --layer.

    .parquet .geojson .fgb .csv: one layer (GeoParquet, GeoJSON, FlatGeobuf, table); the tasks unless --layer names
    another.

    .gpx .kml .kmz: borders, turning points and ways in of tasks, for handhelds and globes.

    .xlsx: IMSMA-style import sheets (PolyID, PointNo, PointID); hazards unless --layer names others.

    .pdf .png: a map at a true scale, of all tasks or around those named by --task; .pdf also with --dossiers or
    --atlas.

    A file holds what the run's folder holds. For the public, export from a run that was written with --tier public;
    .gpx, .xlsx and --dossiers need the borders of tasks, which such a run does not have.

    Examples:

    clearplan export out/karabakh tasks.gpx --task 38SPK4713-SHA-1

    clearplan export out/karabakh dossiers.pdf --dossiers --first 5

    clearplan export out/karabakh hazards.zip --layer hazards
    """
    from clearplan.study.export import export_run

    limits = export_run(
        folder,
        file,
        layers=layer or (),
        tasks=task or (),
        first=first,
        dossiers=dossiers,
        atlas=atlas,
        scale=scale,
        paper=paper,
        orientation="landscape" if landscape else None,
    )
    for limit in limits:
        say(f"NOTE: {limit}")
    typer.echo(f"Wrote {file}")


def init(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New or empty folder.")]) -> None:
    """Make a project folder with a commented plan.toml to fill in."""
    from clearplan.core.errors import OutputError
    from clearplan.core.writing import write_whole
    from clearplan.settings.template import template

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder}: is not empty; name a new folder")
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be made ({error}); name another folder") from None
    write_whole(folder / "plan.toml", template())
    typer.echo(f"Wrote {folder / 'plan.toml'}. Next:")
    typer.echo(f"  put your files into {folder / 'data'}")
    typer.echo(f"  name them in {folder / 'plan.toml'} and fill in every value marked CHOOSE")
    typer.echo(f"  clearplan run {folder / 'plan.toml'}")


def diff(
    first: Annotated[Path, typer.Argument(metavar="EARLIER", help="Folder of the earlier run.")],
    second: Annotated[Path, typer.Argument(metavar="LATER", help="Folder of the later run.")],
    out: OutPage = None,
) -> None:
    """Compare two runs: what is new, closed, re-opened or moved.

    Ranks that changed stand with the criterion that moved them. --out writes a page with a map of what changed.

    Exit code 1 where decisions of the earlier run are missing or changed in the later one: history is append-only.
    """
    from clearplan.study.compare import compare_runs, comparison_tables, comparison_words, write_comparison

    comparison = compare_runs(first, second)
    typer.echo(f"As at {comparison.first.as_at} and as at {comparison.second.as_at}")
    for sentence in comparison_words(comparison):
        say(sentence)
    tables = comparison_tables(comparison, 40)
    tables.pop("Hazards that are new")  # counted above; a first run's thousands would hide what changed
    for heading, (header, rows) in tables.items():
        if rows:
            typer.echo(f"{heading}:")
            print_table(header, rows)
    if out is not None:
        write_comparison(comparison, out)
        typer.echo(f"Comparison: {out}")
    if len(comparison.rewritten):
        raise typer.Exit(1)


def sample_project() -> Path:
    """plan.toml of the sample project: inside the wheel, or beside the sources in a clone."""
    from clearplan.study.chain import SAMPLE_FOLDERS

    for folder in SAMPLE_FOLDERS:
        if (folder / "plan.toml").exists():
            return folder / "plan.toml"
    raise ClearplanError("the sample project is missing from this installation; install clearplan again")


class Watchers(TypedDict):
    """What a run reports to while it works."""

    progress: Callable[[str], None]
    search: Callable[[float, float], None]


@contextmanager
def watched() -> Iterator[Watchers]:
    """A bar of the stages of a run, and how near the search for a plan of work has come."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from clearplan.study.run import STAGES

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Starting", total=len(STAGES))
        begun = 0

        def progress(stage: str) -> None:
            nonlocal begun
            bar.update(task, completed=begun, description=stage)
            begun += 1

        def search(gap: float, done: float) -> None:
            near = f"within {100 * gap:.2g} % of the best" if gap < 1 else "nothing proven yet"
            bar.update(task, description=f"Planning the work: {near} after {100 * done:.0f} % of the search")

        yield {"progress": progress, "search": search}
        bar.update(task, completed=len(STAGES), description="Done")


def _run(
    project: Path,
    out: Path,
    as_at: str | None = None,
    offline: bool = False,
    tiers: Sequence[str] | None = None,
    on_request: Sequence[str] = (),
    accepted: str | None = None,
    break_lock: bool = False,
) -> None:
    from clearplan.settings.project import load_project
    from clearplan.study.run import refuse_folder, run_study, write_study
    from clearplan.tables.tiers import check_tier

    first, *others = [check_tier(tier) for tier in tiers] if tiers else [None]
    folders = {str(tier): out.with_name(f"{out.name}-{tier}") for tier in others}
    if break_lock:
        break_locks(out, *folders.values())
    refuse_folder(out, first or load_project(project).publish.tier)
    for tier, folder in folders.items():
        refuse_folder(folder, tier)
    with watched() as watchers:
        change = {"outputs": dict.fromkeys(on_request, True)}
        whole = run_study(project, change=change, as_at=as_at, offline=offline, accept_rewritten=accepted, **watchers)
        study = write_study(whole, out, tier=first, progress=watchers["progress"])
        for tier, folder in folders.items():
            write_study(whole, folder, tier=tier)
    _print_study(study)
    if study.records:
        typer.echo(f"Quality sheets of the minefield records: {out / 'records.html'}")
    typer.echo(f"Report: {out / 'report.html'}")
    for name, words in (("field", "For teams"), ("formats", "For other systems")):
        if (out / name).exists():
            typer.echo(f"{words}: {out / name}")
    typer.echo(f"Map: {out / 'map.html'}")
    for tier, folder in folders.items():
        typer.echo(f"Map for the tier {tier}: {folder / 'map.html'}")


def break_locks(*folders: Path) -> None:
    """Take away the locks of folders, and name whose they were."""
    from clearplan.core.locks import break_lock

    for folder in folders:
        sentence = break_lock(folder)
        if sentence is not None:
            say(f"NOTE: {sentence}")


def _print_study(study: Study) -> None:
    """What must be read first, then areas, tasks, the plan of work and the fingerprint; empty lines between them."""
    facts = study.facts
    for note in study.notes:
        say(f"NOTE: {note}")
    print_chain_growth(study)
    typer.echo()
    for line in facts.contact_lines:
        say(line.words)
    say(f"Working CRS: {study.run['crs']}")
    typer.echo()
    _print_net(facts)
    _print_ledger(facts)
    typer.echo()
    _print_people(facts)
    typer.echo()
    tasks = {queue.queue: queue.tasks for queue in facts.queues}
    gated = sum(queue.gated for queue in facts.queues)
    behind = f"; {gated} of them are behind a gate and have no rank" if gated else ""
    typer.echo(f"Tasks: {tasks['survey']:,} to survey, {tasks['clearance']:,} to clear{behind}")
    if study.planned is not None and facts.plan is not None:
        print_ways(facts.plan, study.planned.notes)
        print_places(facts.plan)
    typer.echo()
    print_imprint(study)


def print_chain_growth(study: Study) -> None:
    """What this run added to the chain of decisions; nothing where it added none."""
    if study.chain is not None and study.chain.fresh:
        say(study.chain.words)


def print_imprint(study: Study) -> None:
    """Whether the data are illustrative, and the fingerprint."""
    if study.project.study.illustrative:
        typer.echo("Illustrative data, not for operational use.")
    typer.echo(f"Fingerprint {study.run['fingerprint']}")


def print_ways(plan: PlanFacts, notes: Sequence[Reason]) -> None:
    """Four ways of planning side by side, and how near the best one is to the best there can be."""
    header = (
        "way of planning",
        "person-months at home",
        "range",
        "of those who wait home",
        "places open",
        "already home, near ground released",
        plan.currency,
    )
    rows = [
        (
            way.name,
            f"{way.person_months:,.0f}",
            f"{way.person_months_low:,.0f} to {way.person_months_high:,.0f}",
            f"{way.people_home:,.0f}",
            f"{way.zones_open:.0f}",
            f"{way.people_near_released:,.0f} of {way.people_near_hazard:,.0f}",
            f"{way.cost:,.0f}",
        )
        for way in plan.strategies
    ]
    print_table(header, rows)
    say(f"The best plan found is proven to be within {100 * plan.gap:.1f} % of the best there can be")
    for note in notes:
        say(f"NOTE: {note}")


def _print_people(facts: Facts) -> None:
    """People already home and people who wait, apart; targets of programmes stand among the notes."""
    say(f"People already home: {facts.people.already_home.words}")
    say(f"People who wait to return: {facts.people.waiting.words}")


def print_places(plan: PlanFacts) -> None:
    """Places by survey status, then when each opens by the plan and how sure that is."""
    from clearplan.priority.sensitivity import share_words
    from clearplan.tables.codes import CODE_LISTS

    if not plan.places:
        return
    states = Counter(place.survey_status for place in plan.places if place.survey_status is not None)
    if states:
        counts = [
            f"{states[state]:,} {state.replace('-', ' ')}" for state in CODE_LISTS["survey_status"] if states[state]
        ]
        typer.echo()
        say(f"Places by survey status: {', '.join(counts)}. A place that is not surveyed opens only after its survey.")
    rows = [
        (
            place.name,
            (place.survey_status or "not stated here").replace("-", " "),
            place.opens_on or "not within the plan",
            "" if place.chance is None else share_words(place.chance),
            "" if place.chance is None else place.p80_on or "not within the plan",
        )
        for place in plan.places[:MOST_LISTED]
    ]
    print_table(("place", "survey status", "planned opening", "chance by then", "80 % sure by"), rows)
    if left := len(plan.places) - len(rows):
        say(f"... and {left:,} more places: zones in the GeoPackage or report lists them all")


def _print_ledger(facts: Facts) -> None:
    """What became of the reported ground; nothing where nothing was released or closed."""
    moved = [(row.cancelled_m2, row.reduced_m2, row.cleared_m2, row.closed_m2) for row in facts.standing]
    if not any(map(any, moved)):
        return
    rows = [
        (row.land_class, *(f"{m2 / 1e6:,.2f}" for m2 in (row.reported_m2, row.remaining_m2, *states)))
        for row, states in zip(facts.standing, moved, strict=True)
    ]
    header = ("reported", "remaining", "cancelled", "reduced", "cleared", "closed by status")
    typer.echo()
    print_table(("km2, overlaps once", *header), rows)


def _print_net(facts: Facts) -> None:
    rows = [
        (
            row.land_class,
            _km2_or_unknown(row.reported_m2 + row.stated_m2, row.no_area),
            f"{row.planning_m2 / 1e6:,.2f}",
            f"{row.gross_m2 / 1e6:,.2f}",
        )
        for row in facts.ground
    ]
    header = ("land class", "reported km2 (overlaps once)", "planning km2 (overlaps once)", "planning km2, gross")
    print_table(header, rows)


def _km2_or_unknown(m2: float, no_area: int) -> str:
    """Reported ground, and how many hazards have no area that anybody reported; unknown is not 0.

    >>> _km2_or_unknown(2_500_000, 0), _km2_or_unknown(2_500_000, 3), _km2_or_unknown(0, 1)
    ('2.50', '2.50 and 3 unknown', 'unknown')
    """
    if no_area and not m2:
        return "unknown"
    return f"{m2 / 1e6:,.2f} and {no_area} unknown" if no_area else f"{m2 / 1e6:,.2f}"
