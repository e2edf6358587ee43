"""The whole road: plan.toml to tables, map, layers and a record of the run, in that order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.core import replacing
from clearplan.core.crs import working_crs
from clearplan.core.errors import OutputError, SettingsError, TableError
from clearplan.core.reason import Reason
from clearplan.core.writing import refuse_taken
from clearplan.land.as_at import as_at as as_at_table
from clearplan.land.as_at import day_of
from clearplan.land.audit import closed_by_row
from clearplan.land.decisions import decisions_of
from clearplan.land.footprints import footprints, net_area
from clearplan.land.jurisdiction import ground_of_state, within_state
from clearplan.land.ledger import bridge, ledger
from clearplan.land.release import apply_releases
from clearplan.outputs.report.evaluation import draw_evaluation
from clearplan.planning.planned import with_plan
from clearplan.priority.rank import check_weights
from clearplan.priority.tasks import make_tasks
from clearplan.priority.why import why_this_order
from clearplan.read.background import Context
from clearplan.read.finished_run import read_work
from clearplan.read.servers import fetch_sources
from clearplan.read.snapshot import Snapshot
from clearplan.settings.base import with_paths
from clearplan.settings.project import Project, load_project
from clearplan.study.chain import Home, hold, keep
from clearplan.study.inputs import (
    Inputs,
    as_at_day,
    ledger_faults,
    link_faults,
    open_but_released,
    read_inputs,
    read_layers,
    snapshot_of,
    with_centroids,
)
from clearplan.study.outputs import (
    ALL_OUTPUTS,
    DRAWING,
    WRITING,
    Progress,
    imprint_of,
    titled,
    write_plan_alone,
    write_run,
)
from clearplan.study.planning import case_of, plan_work
from clearplan.study.provenance import record_run
from clearplan.study.publish import publish_study
from clearplan.study.ranking import rank_tasks
from clearplan.study.study import Study
from clearplan.study.surface import KnownThen, evaluated, learned, with_expected
from clearplan.study.treaty import make_dossier
from clearplan.surface.evaluation import Evaluation, evaluation_tables
from clearplan.surface.probability import Surface
from clearplan.tables.inputs import INPUTS
from clearplan.tables.tiers import TIERS, check_tier

Search = Callable[[float, float], None]

#: Stages as they are announced; their number is the length of the progress bar.
STAGES = (
    "Reading inputs",
    "Drawing footprints",
    "Taking off releases, measuring net areas",
    "Cutting tasks",
    "Weighing the evidence",
    "Ranking tasks",
    "Planning the work",
    WRITING,
    DRAWING,
)


def run_study(  # noqa: PLR0913 - all that a run may have otherwise than plan.toml, each by its name
    plan_path: str | Path,
    out: str | Path | None = None,
    *,
    change: Mapping[str, object] | None = None,
    as_at: str | dt.date | None = None,
    offline: bool = False,
    tier: str | None = None,
    accept_rewritten: str | None = None,
    progress: Progress = lambda stage: None,
    search: Search | None = None,
) -> Study:
    """Run a project.

    Parameters
    ----------
    plan_path : path
        A ``plan.toml``.
    out : path, optional
        Folder for the map, layers, tables and run.json. They are written beside it and moved in when all are complete;
        files of the user's in that folder stay. Without it nothing is written.
    change : mapping, optional
        Sections of plan.toml that differ, as in :func:`clearplan.load_project`; all but the plan of work, which takes
        longest: ``{"planning": None, "teams": [], "commitments": []}``. Tasks stay those of the whole run.
    as_at : date or ISO text, optional
        Day for which everything is worked out, in place of ``study.as_at``: what was reported, decided or found later
        is left out and counted.
    offline : bool
        Read the copies of what servers held at the last run, and ask no server.
    tier : 'public', 'partner' or 'restricted', optional
        For whom the files are, in place of ``publish.tier``; with ``out`` the study comes back as that tier sees it.
    accept_rewritten : str, optional
        Why decisions of land release that earlier runs knew may be changed or gone. It stays in the chain of decisions
        beside plan.toml, which a run extends when it writes its results, and stands in the notes of all later runs.
    progress : callable, optional
        Told the name of each stage (one of ``STAGES``) as it begins.
    search : callable, optional
        Told (gap, part of the search that is done) now and then while the plan of work is sought.

    Raises
    ------
    FaultsError
        Inputs break rules; the faults of all files are in it.
    RewrittenError
        Decisions that earlier runs knew are changed or gone.
    ReadError, SettingsError, CrsError, TableError, OutputError
        As their names say; nothing is left half-written.
    """
    home = _home(plan_path, change, accept_rewritten)
    project = load_project(plan_path, change=change)
    own = check_tier(tier or project.publish.tier)
    if out is not None:
        refuse_folder(Path(out), own)
    study = _made(project, home, as_at, progress, search, offline=offline)
    return study if out is None else write_study(study, out, tier=tier, progress=progress)


def write_study(
    study: Study, out: str | Path, *, tier: str | None = None, progress: Progress = lambda stage: None
) -> Study:
    """All files of a study into a folder, as a tier may see them; the study comes back as that tier sees it.

    Parameters
    ----------
    study : Study
        From :func:`run_study` without ``out``.
    out, tier, progress
        As in :func:`run_study`.

    Raises
    ------
    SettingsError, TableError, OutputError
        There is no such tier; the study was published before; the folder is not ours or can't be written.
    """
    target, own = Path(out), check_tier(tier or study.project.publish.tier)
    refuse_folder(target, own)
    study = _kept(study)
    with study.users_names(), replacing.replaced(target, ALL_OUTPUTS, tier=own, tiers=TIERS) as fresh:
        written = write_run(publish_study(study, tier), fresh, progress)
    return written if written.surface is None else replace(written, surface=_moved(written.surface, target))


def refuse_folder(target: Path, tier: str) -> None:
    """A folder takes the results of a tier; asked before anything is read or counted.

    Raises
    ------
    SettingsError, OutputError
        There is no such tier; the folder is not ours, another process writes it, or files of a narrower tier would
        stay in it.
    """
    replacing.refuse_folder(target, check_tier(tier), ALL_OUTPUTS, TIERS)


def plan_study(  # noqa: PLR0913 - all that a plan may have otherwise than plan.toml, each by its name
    plan_path: str | Path,
    out: str | Path | None = None,
    *,
    change: Mapping[str, object] | None = None,
    as_at: str | dt.date | None = None,
    offline: bool = False,
    tier: str | None = None,
    accept_rewritten: str | None = None,
    progress: Progress = lambda stage: None,
    search: Search | None = None,
) -> Study:
    """The plan of work of a project alone, such as with other money or teams: tables, a page, and pictures for slides.

    Parameters
    ----------
    plan_path, out, as_at, offline, tier, accept_rewritten, progress, search
        As in :func:`run_study`.
    change : mapping, optional
        Sections of plan.toml that differ, as in :func:`clearplan.load_project`: ``{"planning": {"budget": 2e6}}``.

    Raises
    ------
    SettingsError
        The project has no plan of work, or no team was on record.
    FaultsError, RewrittenError, ReadError, CrsError, TableError, OutputError
        As in :func:`run_study`.
    """
    home = _home(plan_path, change, accept_rewritten)
    project = load_project(plan_path, change=change)
    if project.planning is None:
        raise SettingsError(f"{plan_path}: has no [planning] and [[teams]]; clearplan init writes them, explained")
    own = check_tier(tier or project.publish.tier)
    if out is not None:
        refuse_folder(Path(out), own)
        _refuse_whole_run(Path(out))
    study = _made(project, home, as_at, progress, search, filing=False, offline=offline)
    if study.planned is None:
        raise SettingsError(
            f"{plan_path}: no team was on record by {study.project.study.as_at}; there is nobody to plan"
        )
    if out is not None:
        study = _kept(study)
        with replacing.replaced(Path(out), ALL_OUTPUTS, tier=own, tiers=TIERS) as fresh:
            _refuse_whole_run(Path(out))  # which another process may have written meanwhile
            progress(WRITING)
            study = publish_study(study, tier)
            assert study.planned is not None
            write_plan_alone(study, study.planned, fresh)
    return study


def _home(plan_path: str | Path, change: Mapping[str, object] | None, accepted: str | None) -> Home:
    if accepted is not None and not accepted.strip():
        raise SettingsError("accept_rewritten: is blank; say why decisions were rewritten")
    return Home(Path(plan_path).resolve().parent, accepted, tuple(change or ()))


def _kept(study: Study) -> Study:
    """A study whose decisions stand in the chain beside plan.toml, before any of its results is written."""
    if study.chain is None:
        return study
    chain, note = keep(study.chain)
    warnings = study.run["warnings"] if note is None else [str(note), *study.run["warnings"]]
    return replace(study, chain=chain, run=study.run | {"warnings": warnings})


def _refuse_whole_run(out: Path) -> None:
    if (out / "plan.gpkg").exists():
        raise OutputError(f"{out}: holds a whole run, whose map and report a plan alone would belie; name another")


def _made(
    project: Project,
    home: Home,
    as_at: Any,
    progress: Progress,
    search: Search | None,
    *,
    work: bool = True,
    filing: bool = True,
    offline: bool = False,
) -> Study:
    """A study from its plan, no result written; ``work``: with its plan of work; ``filing``: with its treaty tables."""
    check_weights(project.priority)
    progress(STAGES[0])
    if not offline:
        fetch_sources(project)
    copies = snapshot_of(project)
    with copies.removed_on_error():
        return _worked_out(project, copies, home, as_at, progress, search, work=work, filing=filing)


def _worked_out(
    users: Project,
    copies: Snapshot,
    home: Home,
    as_at: Any,
    progress: Progress,
    search: Search | None,
    *,
    work: bool,
    filing: bool,
) -> Study:
    """A study from the copies of its inputs; its record and its project name the user's files."""
    project = with_paths(users, copies.of)
    frame = working_crs(project.study.region)
    day = project.study.as_at if as_at is None else day_of(as_at).date()
    written = project.study.as_at
    read = read_inputs(_at_day(project, max(day, written)), frame)
    chain = hold(home, decisions_of(read.tables["releases"], read.tables["history"]))
    project = _at_day(project, day)
    context, background, balances = read_layers(project, frame)
    read = replace(read, balance=(*read.balance, *balances))
    context = replace(context, places=read.settlements)
    progress(STAGES[1])
    drawn = footprints(read.table("hazards"), project.footprints)
    drawn, read, beyond = _within_jurisdiction(project, drawn, read, context)
    known = with_centroids(project, frame, as_at_day(read, day), context)
    progress(STAGES[2])
    reported = as_at_table(drawn, day, history=read.table("history"))
    areas, books, faults = _released(project, read, known, drawn, reported, context)
    if day < written or "bridge" in books:
        faults = pd.concat([faults, closed_by_row(read.table("hazards"))], ignore_index=True)
    found = [*background, link_faults(read, context), faults]
    known = replace(known, faults=pd.concat([known.faults, *found], ignore_index=True))
    progress(STAGES[3])
    tasks = make_tasks(
        areas,
        known.table("zones"),
        project.tasks,
        home_m=project.home_m,
        lifelines=known.table("lifelines"),
        lifelines_within_m=project.priority.lifelines_within_m,
        districts=context.districts,
        district_name=context.district_name,
    )
    progress(STAGES[4])
    known_by = KnownThen(project, read, drawn, context)
    evidence, fitted, shares = None, None, None
    if project.surface is not None:
        evidence = known_by(project.surface.decided, None)
        if project.surface.mode == "fitted":
            fitted = learned(known_by, evidence)
            evidence = known_by(fitted.settings, None)
        tasks, books, shares = with_expected(tasks, books, evidence, fitted, context)
    progress(STAGES[5])
    tasks = rank_tasks(project, frame, known, context, tasks, shares)
    why = why_this_order(tasks, project.priority)
    progress(STAGES[6])
    planned, zones, previous = None, known.table("zones"), _previous(project)
    doubts: list[Reason | str] = list(why.doubts)
    if project.planning is not None and work and not len(known.tables["teams"]):
        doubts.append(Reason("plan.no_team", day=day))
    elif project.planning is not None and work:
        planned = plan_work(case_of(project, known, tasks, context, day=day, previous=previous), progress=search)
        tasks, zones = with_plan(tasks, zones, planned)
        books = books | {"strategies": planned.comparison}
        doubts += planned.broken
    dossier = None
    if filing and project.planning is not None and project.planning.treaty is not None:
        dossier = make_dossier(project, known, drawn, areas, tasks, context, planned=planned, previous=previous)
    tables = {name: known.table(name) for name in INPUTS} | {"zones": zones, "areas": areas, "tasks": tasks}
    users = _at_day(users, day)
    return Study(
        project=users,
        tables=tables,
        net=books["net_area"],
        books=books,
        faults=known.faults,
        run=record_run(
            users,
            copies,
            home.folder,
            frame,
            read,
            known,
            tables,
            books,
            written=written,
            first=chain.notes,
            doubts=doubts,
            unweighed=() if evidence is None else evidence.left_out,
            beyond=beyond,
        ),
        why=why,
        planned=planned,
        dossier=dossier,
        context=replace(context, elevation=users.context.elevation),
        records=known.records,
        evidence=evidence,
        known_by=known_by if evidence is not None else None,
        fit=fitted,
        chain=chain,
        copies=copies,
    )


def _within_jurisdiction(
    project: Project, drawn: gpd.GeoDataFrame, read: Inputs, context: Context
) -> tuple[gpd.GeoDataFrame, Inputs, pd.DataFrame]:
    """AREAS and RELEASES within the state whose ground counts, and what of them lies beyond it."""
    state = project.study.state
    if state is None:
        return drawn, read, pd.DataFrame()
    if context.countries is None:
        raise SettingsError("study.state: context.countries gives no file; add the layer of countries, or drop state")
    ground = ground_of_state(context.countries, state, name=project.context.country_name)
    areas, beyond = within_state(drawn, ground, name="areas")
    releases, released = within_state(read.tables["releases"], ground, name="releases")
    lists = [beyond.rename(columns={"area_id": "id"}), released.rename(columns={"release_id": "id"})]
    listed = pd.concat([rows.assign(table=name) for name, rows in zip(("areas", "releases"), lists, strict=True)])
    cut = replace(read, tables={**read.tables, "releases": releases})
    return areas.reset_index(drop=True), cut, listed.reset_index(drop=True)


def _at_day(project: Project, day: dt.date) -> Project:
    return project.model_copy(update={"study": project.study.model_copy(update={"as_at": day})})


def _released(
    project: Project,
    read: Inputs,
    known: Inputs,
    drawn: gpd.GeoDataFrame,
    reported: gpd.GeoDataFrame,
    context: Context,
) -> tuple[gpd.GeoDataFrame, dict[str, pd.DataFrame], pd.DataFrame]:
    """What remains of the areas reported by the day, the books, and the faults of the ledger."""
    day = project.study.as_at
    faults = ledger_faults(project, known, reported, context)
    halo = "drop" if project.release is None else project.release.halo
    left = apply_releases(reported, known.table("releases"), as_at=day, halo=halo)
    faults = pd.concat([faults, open_but_released(left, known)], ignore_index=True)
    layers: dict[str, Any] = {"districts": context.districts, "district_name": context.district_name}
    releases, history = read.table("releases"), read.table("history")
    books = {
        "net_area": net_area(left, context.districts, name=context.district_name),
        "ledger": ledger(drawn, releases, as_at=day, history=history, halo=halo, **layers),
    }
    opening = project.release.bridge_from if project.release is not None else None
    if opening is not None and opening <= day:
        books["bridge"] = bridge(drawn, releases, opening=opening, closing=day, history=history, **layers)
    return left, books, faults


def evaluate_study(
    plan_path: str | Path,
    out: str | Path | None = None,
    *,
    until: str | dt.date | None = None,
    as_at: str | dt.date | None = None,
    offline: bool = False,
    accept_rewritten: str | None = None,
) -> tuple[Study, Evaluation]:
    """Run a project, but for its plan of work, and hold its surface against accidents that it has not seen.

    Parameters
    ----------
    plan_path, as_at, offline
        As for :func:`run_study`; the plan needs [surface] and [fit].
    out : path, optional
        New HTML file for the evaluation.
    until : date or ISO text, optional
        What was known by this day is held against the accidents after it, beside the blocks that are held out.
    accept_rewritten : str, optional
        As for :func:`run_study`; the reason is kept at once, for an evaluation needs no file.

    Raises
    ------
    SettingsError
        The plan has no [surface] or no [fit]; ``until`` is no day before the study's.
    TableError
        No accident to judge by, or nothing to rank.
    RewrittenError
        Decisions that earlier runs knew are changed or gone.
    OutputError
        The file exists already, or can't be written.
    """
    home = _home(plan_path, None, accept_rewritten)
    project = load_project(plan_path)
    if project.surface is None or project.fit is None:
        raise SettingsError(f"{plan_path}: evaluation needs [surface] and [fit]; add them (clearplan init shows both)")
    if out is not None:
        refuse_taken(Path(out), (".html",))
    study = _made(project, home, as_at, lambda stage: None, None, work=False, filing=False, offline=offline)
    if accept_rewritten is not None:
        study = _kept(study)
    assert study.evidence is not None
    assert study.known_by is not None
    day = None if until is None else day_of(until).date()
    if day is not None and day >= study.project.study.as_at:
        raise SettingsError(f"until {day}: must lie before the study's day, {study.project.study.as_at}")
    with study.users_names():
        found = evaluated(study.known_by, study.evidence, day)
        strengths = None
        if out is not None:
            strengths = (study.fit or learned(study.known_by, study.evidence)).table
    if out is not None:
        draw_evaluation(
            evaluation_tables(found),
            # Its maps are exact, whatever the project's tier.
            titled(imprint_of(publish_study(study, "restricted")), "how well the surface predicts accidents"),
            notes=found.notes,
            strengths=strengths,
        ).save(out)
    return study, found


def _previous(project: Project) -> pd.DataFrame | None:
    """WORK of the plan in force, where the plan names one."""
    path = project.planning.previous if project.planning is not None else None
    if path is None:
        return None
    try:
        return read_work(path)
    except TableError as error:
        raise SettingsError(f"planning.previous: {error}") from None


def _moved(surface: Surface, folder: Path) -> Surface:
    """The surface where its files lie after the run's folder took its place."""
    return replace(surface, path=folder / surface.path.name, evidence_path=folder / surface.evidence_path.name)
