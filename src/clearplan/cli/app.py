"""The shell's door: ``clearplan`` with the verbs demo, init, check, run, export, plan, evaluate, diff, rank and more.

Exit codes: 0 good, 1 faults in the data, 2 wrong usage, 3 a bug of ours. Heavy libraries are imported inside the
commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NoReturn

import typer

from clearplan.core.errors import ClearplanError, FaultsError
from clearplan.tables.tiers import TIERS, check_tier

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Contamination mapping and clearance planning for mine action.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class _RecordsGroup(typer.core.TyperGroup):
    """``clearplan records FILE`` reads a file; ``clearplan records template FILE`` is the other verb."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["read", *args]
        return super().resolve_command(ctx, args)


records_app = typer.Typer(
    cls=_RecordsGroup,
    no_args_is_help=True,
    help="Minefield records: read them with 'records FILE' (options: records read --help), or make a template.",
)
app.add_typer(records_app, name="records")

OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for the results.")]

TierOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tier",
        metavar="|".join(TIERS),
        help="For whom the files are; else publish.tier. May be named again: each more goes to OUT-<tier>.",
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Ask no server: read the copies of the last run where plan.toml names a url.")
]


@app.callback()
def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    context.obj = debug


@app.command()
def demo(out: OutOption = None) -> None:
    """Run the sample project (Karabakh, illustrative hazards), as all and as the public may see it."""
    _run(sample_plan(), out or Path("out/karabakh"), tiers=["restricted", "public"])


@app.command()
def run(
    plan: Annotated[Path, typer.Argument(help="The project's plan.toml.")],
    out: OutOption = None,
    as_at: Annotated[
        str | None, typer.Option("--as-at", help="Day (2024-06-30) for which to tell everything; else study.as_at.")
    ] = None,
    tier: TierOption = None,
    offline: OfflineOption = False,
) -> None:
    """Run a project: map, report, layers, tables, what the field needs, and run.json."""
    _run(plan, out or plan.parent / "out", as_at, offline, tier)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    file: Annotated[Path, typer.Argument(help="New file; its ending says the format (see below).")],
    layer: Annotated[
        list[str] | None, typer.Option("--layer", help="Layer to write; may be named again. Else tasks, or all.")
    ] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="Only this task; may be named again.")] = None,
    first: Annotated[
        int | None,
        typer.Option("--first", min=1, help="So many tasks of each queue (.gpx, --dossiers); else 10."),
    ] = None,
    dossiers: Annotated[bool, typer.Option("--dossiers", help="A PDF with one page for each task.")] = False,
    atlas: Annotated[bool, typer.Option("--atlas", help="A PDF with a map of each district.")] = False,
    scale: Annotated[
        int | None, typer.Option("--scale", min=500, help="1:SCALE, such as 25000; else what fits the paper.")
    ] = None,
    paper: Annotated[Literal["A4", "A3"] | None, typer.Option("--paper", help="Of a map; else A4.")] = None,
    landscape: Annotated[bool, typer.Option("--landscape", help="Paper of a map lies across.")] = False,
) -> None:
    """Write one file out of a finished run, in the format that its ending names.

    .gpkg .zip: all layers (GeoPackage, shapefiles), or those named by --layer.

    .parquet .geojson .fgb .csv: one layer (GeoParquet, GeoJSON, FlatGeobuf, table); the tasks unless --layer names one.

    .gpx .kml .kmz: for handhelds and globes: borders, turning points and ways in of tasks.

    .xlsx: IMSMA-style import sheets (PolyID, PointNo, PointID); of hazards unless --layer names others.

    .pdf .png: a map at a true scale, of all tasks or round those named by --task; .pdf also --dossiers or --atlas.

    A file holds what the run's folder holds: for the public, export out of a run that was written with --tier public;
    .gpx, .xlsx and --dossiers need borders of tasks, which such a run has not.

    Examples:

    clearplan export out/karabakh tasks.gpx --task 38SPK4713-SHA-1

    clearplan export out/karabakh dossiers.pdf --dossiers --first 5

    clearplan export out/karabakh hazards.zip --layer hazards
    """
    from clearplan.study.export import export_run

    limits = export_run(
        run, file, layers=layer or (), tasks=task or (), first=first, dossiers=dossiers, atlas=atlas, scale=scale,
        paper=paper, orientation="landscape" if landscape else None,
    )  # fmt: skip
    for words in limits:
        typer.echo(f"NOTE: {words}")
    typer.echo(f"Wrote {file}")


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="New or empty folder.")]) -> None:
    """Make a project folder with a commented plan.toml to fill in."""
    from clearplan.core.errors import OutputError
    from clearplan.core.writing import write_whole

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder}: is not empty; name a new folder")
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: can't be made ({error}); name another folder") from None
    template = Path(__file__).parents[1] / "settings" / "plan.toml"
    write_whole(folder / "plan.toml", template.read_text(encoding="utf-8"))
    typer.echo(f"Wrote {folder / 'plan.toml'}. Put your files into {folder / 'data'}, fill in every value, then")
    typer.echo(f"  clearplan run {folder / 'plan.toml'}")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file to check.")],
    table: Annotated[
        Literal["hazards", "zones", "accidents", "lifelines", "gates", "releases", "history", "records"],
        typer.Option("--as", help="What it holds."),
    ],
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Take mapping, CRS and region from this plan.toml.")
    ] = None,
    crs: Annotated[str | None, typer.Option("--crs", help="CRS of a file that states none.")] = None,
) -> None:
    """List every fault of a file: row, column, value, rule, remedy. Exit 1 when there is one."""
    faults = _faults_of_records(file, plan) if table == "records" else _faults_of(file, table, plan, crs)
    if not len(faults):
        typer.echo(f"{file}: no faults")
        return
    _print_faults(faults)
    serious = int(faults["level"].isin(["error", "repairable"]).sum())
    typer.echo(f"{file}: {serious} faults, {len(faults) - serious} warnings")
    if serious:
        raise typer.Exit(1)


@records_app.command("template")
def records_template(file: Annotated[Path, typer.Argument(help="New .xlsx file.")]) -> None:
    """Write an empty workbook for records, with drop-down lists and a comment on every column."""
    from clearplan.core.writing import refuse_taken, refuse_unwritable
    from clearplan.outputs.workbooks.writer import write_record_template

    refuse_taken(file, (".xlsx",))
    refuse_unwritable(file)
    write_record_template(file)
    typer.echo(f"Wrote {file}. Fill in the sheets records and legs, then")
    typer.echo(f"  clearplan records {file} -o records.gpkg")


@records_app.command("read")
def records_read(
    file: Annotated[Path, typer.Argument(help="Workbook of records, or an IMSMA point list.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="New GeoPackage for the polygons and points.")] = None,
    sheets: Annotated[Path | None, typer.Option("--sheets", help="New HTML file for the quality sheets.")] = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="Take settings and region from this plan.toml.")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region", metavar="W,S,E,N", help="Region in degrees, without a plan; points outside are faults."
        ),
    ] = None,
    lenient: Annotated[bool, typer.Option("--lenient", help="Keep going where records have faults.")] = False,
) -> None:
    """Plot minefield records as polygons with their position error. Exit 1 where a record has a fault."""
    from clearplan.core.writing import refuse_taken, refuse_unwritable

    for path, suffix in ((out, ".gpkg"), (sheets, ".html")):
        if path is not None:
            refuse_taken(path, (suffix,))
    opened = _records_of(file, plan, lenient, region)
    for path in filter(None, (out, sheets)):
        refuse_unwritable(path)
    _print_records(opened.reading)
    if opened.illustrative:
        typer.echo(opened.illustrative)
    if out is not None or sheets is not None:
        _write_records(opened, out, sheets)


def _print_records(reading: Any) -> None:
    """Faults, then the records with the largest errors, then what has no place."""
    from clearplan.outputs.report.records import extent_words
    from clearplan.tables.check import each_row

    if len(reading.faults):
        _print_faults(reading.faults, reading.forms.home)
    drawn = reading.hazards[reading.hazards["deferred"].isna()]
    worst_first = drawn.sort_values(["blunder", "position_error_m"], ascending=False, kind="stable")
    rows = [
        (h.hazard_id, h.land_class, f"{h.position_error_m:.0f} m", "" if math.isnan(h.misclosure_m) else
         f"{h.misclosure_m:.0f} m" + (f", BLUNDER (limit {h.misclosure_limit_m:.0f} m)" if h.blunder else ""),
         extent_words(h._asdict()))
        for h in each_row(worst_first.head(40))
    ]  # fmt: skip
    _print_table(("record", "class", "position error (95 %)", "misclosure", "as recorded"), rows)
    if len(drawn) > len(rows):
        typer.echo(f"... and {len(drawn) - len(rows)} more with smaller errors; --sheets and --out hold all")
    for operation in reading.operations:
        typer.echo(f"Datum: {operation}")
    lost = len(reading.hazards) - len(drawn)
    if lost:
        typer.echo(f"NOTE: {lost} of {len(reading.hazards)} records could not be drawn and have NO place on any map")


def _write_records(opened: _Records, out: Path | None, sheets: Path | None) -> None:
    from clearplan.core.imprint import BOUNDARIES, NOT_FOR_ENTRY
    from clearplan.outputs.gis.geopackage import write_gpkg
    from clearplan.outputs.report.records import draw_quality_sheets

    reading, fingerprint = opened.reading, _fingerprint(opened)
    notice = f"{opened.illustrative} {NOT_FOR_ENTRY} {BOUNDARIES} Fingerprint {fingerprint}.".strip()
    if out is not None:
        tables = {"hazards": reading.hazards, "record_points": reading.vertices, "record_versions": reading.versions}
        write_gpkg(tables, out, as_at=opened.chosen["as_at"] or "2000-01-01", notice=notice)
        typer.echo(f"Layers: {out}")
    if sheets is not None:
        page = draw_quality_sheets(
            [reading], title=f"Minefield records of {opened.file.name}", notice=notice,
            illustrative=opened.illustrative, gazetteers=[opened.gazetteer],
        )  # fmt: skip
        page.save(sheets)
        typer.echo(f"Quality sheets: {sheets}")
    typer.echo(f"Fingerprint {fingerprint}")


class _Records(NamedTuple):
    """A record file as it was read, and ``chosen``: the settings beside its own that decide what comes out."""

    file: Path
    reading: Any
    gazetteer: Any
    chosen: dict[str, Any]
    folder: Path
    illustrative: str = ""


def _fingerprint(opened: _Records) -> str:
    from clearplan.study.provenance import fingerprint_of, record_files

    source, reading = opened.reading.source, opened.reading
    own = source.model_copy(update={"path": source.path.resolve()}).model_dump(mode="json")
    return fingerprint_of(
        record_files(source), {"records": own} | opened.chosen, opened.folder, crs=reading.hazards.crs.to_wkt(),
        operations=reading.operations,
    )  # fmt: skip


def _records_of(file: Path, plan: Path | None, lenient: bool, region: str | None = None) -> _Records:
    """A record file, read as its plan says or as it stands."""
    from clearplan.core.errors import SettingsError
    from clearplan.records.minefields import read_record_source
    from clearplan.settings.sources import RecordSettings

    if plan is not None and region is not None:
        raise SettingsError("--region and --plan exclude each other: the plan's region counts; leave one of them out")
    if plan is None:
        place = _region(region) if region is not None else None
        reading = read_record_source(RecordSettings(path=file, lenient=lenient), region=place)
        return _Records(file, reading, None, {"region": place, "as_at": None}, file.resolve().parent)
    from clearplan.core.crs import working_crs
    from clearplan.core.imprint import ILLUSTRATIVE
    from clearplan.read.files import read_gazetteer
    from clearplan.settings.project import load_project

    settings = load_project(plan)
    own = [source for source in settings.records if source.path.resolve() == file.resolve()]
    if not own:
        raise SettingsError(f"{plan} lists no records file {file}; name one of its files, or leave --plan out")
    study, lists = settings.study, settings.code_lists
    source = own[0].model_copy(update={"lenient": True}) if lenient else own[0]
    reading = read_record_source(
        source, region=study.region, working=working_crs(study.region).crs, as_at=study.as_at, code_lists=lists
    )
    return _Records(
        file, reading, read_gazetteer(source.gazetteer), study.model_dump(mode="json") | {"code_lists": lists},
        plan.resolve().parent, ILLUSTRATIVE if study.illustrative else "",
    )  # fmt: skip


def _region(text: str) -> tuple[float, float, float, float]:
    """West, south, east, north as typed.

    >>> _region("46.5,39.3,47.3,40.2")
    (46.5, 39.3, 47.3, 40.2)
    >>> _region("39.3,46.5,47.3,40.2")
    Traceback (most recent call last):
    clearplan.core.errors.SettingsError: --region '39.3,46.5,47.3,40.2': must be west < east within ±180 and
    south < north within ±90; write west,south,east,north in degrees, such as 46.5,39.3,47.3,40.2
    """
    from clearplan.core.errors import SettingsError

    remedy = "write west,south,east,north in degrees, such as 46.5,39.3,47.3,40.2"
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?(, *[+-]?[0-9]+(\.[0-9]+)?){3}", text):
        raise SettingsError(f"--region {text!r}: must be four numbers with commas between; {remedy}")
    west, south, east, north = (float(part) for part in text.split(","))
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise SettingsError(
            f"--region {text!r}: must be west < east within ±180 and south < north within ±90; {remedy}"
        )
    return west, south, east, north


@app.command()
def scan(
    points: Annotated[Path, typer.Argument(help="QGIS .points file, or a scan that carries its control points.")],
    crs: Annotated[str | None, typer.Option("--crs", help="CRS of the map, where the file has none.")] = None,
    image: Annotated[Path | None, typer.Option("--image", help="The scan that is to be drawn straight.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="New GeoTIFF for the straight scan.")] = None,
    model: Annotated[Literal["affine", "polynomial", "thin-plate"], typer.Option("--model")] = "affine",
) -> None:
    """How far a scanned map's control points can be trusted, by points left out; with --image draw it straight."""
    from clearplan.core.errors import SettingsError
    from clearplan.core.writing import refuse_taken
    from clearplan.records.scans import compare_models, georeference_error, read_control_points, warp_scan
    from clearplan.tables.check import each_row

    if (image is None) != (out is None):
        raise SettingsError("--image and --out belong together; give both, or none")
    if out is not None:
        refuse_taken(out, (".tif", ".tiff"))
    known = read_control_points(points, crs=crs)
    found = georeference_error(known, model)
    rows = [
        (r.model, r.points, "not solvable" if math.isnan(r.fit_rmse_m) else f"{r.leave_one_out_rmse_m:.1f} m",
         "none held out" if math.isnan(r.held_out_rmse_m) else f"{r.held_out_rmse_m:.1f} m",
         "" if math.isnan(r.fit_rmse_m) else f"{r.fit_rmse_m:.1f} m")
        for r in each_row(compare_models(known))
    ]  # fmt: skip
    _print_table(("model", "points", "at a point left out", "at points held out", "fit (says little)"), rows)
    typer.echo(found.words)
    for doubt in found.warnings:
        typer.echo(f"NOTE: {doubt}")
    typer.echo(f"Standard error per axis that joins a reference point's: {found.sigma_m:.1f} m")
    if image is not None and out is not None:
        typer.echo(f"Straight scan: {warp_scan(image, known, out, model=model)}")


@app.command()
def evaluate(
    plan: Annotated[Path, typer.Argument(help="A plan.toml with [surface] and [fit].")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="New HTML file for tables and pictures.")] = None,
    as_at: Annotated[str | None, typer.Option("--as-at", help="Day for which to tell everything.")] = None,
    offline: OfflineOption = False,
) -> None:
    """How well the surface foretells accidents that it has not seen, against belt only and distance only."""
    from clearplan.outputs.report.report import ladder_cells
    from clearplan.study.run import evaluate_study
    from clearplan.surface.evaluation import evaluation_tables
    from clearplan.tables.check import each_row

    study, found = evaluate_study(plan, out, as_at=as_at, offline=offline)
    header, rows = ladder_cells(evaluation_tables(found)["ladder"])
    typer.echo("Whole blocks are held out in turn; mean over the folds (lowest to highest)")
    _print_table(header, rows)
    rows = [(r.what, r.accidents, r.outside, f"{100 * r.share:.0f} %") for r in each_row(found.outside)]
    _print_table(("accidents outside of", "accidents", "outside", "share"), rows)
    for note in found.notes:
        typer.echo(f"NOTE: {note}")
    if study.project.study.illustrative:
        typer.echo("Illustrative data, not for operational use.")
    if out is not None:
        typer.echo(f"Evaluation: {out}")


@app.command("plan")
def plan_(
    plan: Annotated[Path, typer.Argument(help="The project's plan.toml.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the plan; else plan/ beside it.")] = None,
    as_at: Annotated[str | None, typer.Option("--as-at", help="Day for which to plan; else study.as_at.")] = None,
    budget: Annotated[float | None, typer.Option("--budget", min=0, help="Money for all periods together.")] = None,
    budget_a_period: Annotated[float | None, typer.Option("--budget-a-period", min=0, help="For each period.")] = None,
    teams: Annotated[Path | None, typer.Option("--teams", help="Another table of teams, our column names.")] = None,
    periods: Annotated[int | None, typer.Option("--periods", min=1, help="Periods of work.")] = None,
    return_by: Annotated[
        str | None, typer.Option("--return-by", help="What would it take to open all places by this day?")
    ] = None,
    robust: Annotated[bool, typer.Option("--robust", help="Plan on efforts exceeded in one case of five.")] = False,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.1, help="Search no longer than this.")] = None,
    tier: Annotated[
        str | None,
        typer.Option("--tier", metavar="|".join(TIERS), help="For whom the files are; else publish.tier."),
    ] = None,
    offline: OfflineOption = False,
) -> None:
    """Which teams go where, when, so that most people are home soonest; with other money or teams: what if.

    Writes the plan alone: plan.html, plan.xlsx, work.csv, blockers.csv, tasks.csv and PNG pictures for slides.
    """
    from clearplan.study.run import plan_study

    asked = {"budget": budget, "budget_a_period": budget_a_period, "periods": periods, "return_by": return_by,
             "time_limit_s": seconds, "robust": robust or None}  # fmt: skip
    change: dict[str, Any] = {"planning": {name: value for name, value in asked.items() if value is not None}}
    if teams is not None:
        change["teams"] = [{"path": str(teams.resolve())}]
    target = out or plan.parent / "plan"
    with _watched() as watched:
        study = plan_study(plan, target, change=change, as_at=as_at, offline=offline, tier=tier, **watched)
    for name, value in change["planning"].items():
        typer.echo(f"Instead of plan.toml: {name} = {value}")
    if teams is not None:
        typer.echo(f"Instead of plan.toml: teams of {teams}")
    planned = study.planned
    assert planned is not None, "plan_study refuses a project without a plan of work"
    _print_plan(planned)
    _print_further(planned)
    if study.project.study.illustrative:
        typer.echo("Illustrative data, not for operational use.")
    typer.echo(f"Fingerprint {study.run['fingerprint']}")
    typer.echo(f"Workbook: {target / 'plan.xlsx'}")
    typer.echo(f"Plan: {target / 'plan.html'}")


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(help="Folder of the earlier run.")],
    second: Annotated[Path, typer.Argument(help="Folder of the later run.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="New HTML file with a map of what changed.")] = None,
) -> None:
    """What changed between two runs: new, closed, re-opened and moved hazards, and ranks with what moved them.

    Exit 1 where decisions of the first run are missing or told otherwise in the second: history is append-only.
    """
    from clearplan.study.compare import compare_runs, comparison_tables, comparison_words, write_comparison

    found = compare_runs(first, second)
    typer.echo(f"As at {found.first.as_at} and as at {found.second.as_at}")
    for words in comparison_words(found):
        typer.echo(words)
    tables = comparison_tables(found, 40)
    tables.pop("Hazards that are new")  # counted above; a first run's thousands would hide what changed
    for heading, (header, rows) in tables.items():
        if rows:
            typer.echo(f"{heading}:")
            _print_table(header, rows)
    if out is not None:
        write_comparison(found, out)
        typer.echo(f"Comparison: {out}")
    if len(found.rewritten):
        raise typer.Exit(1)


@app.command()
def rank(
    result: Annotated[Path, typer.Argument(help="A run's plan.gpkg, with run.json beside it.")],
    weights: Annotated[
        str | None, typer.Option("--weights", help="Rank by this weight set of the plan instead.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Tasks of each queue that are listed.")] = 15,
) -> None:
    """The ranking: the first tasks of each queue, how sure they are, on which weights the list hangs, who agrees."""
    from clearplan.priority.rank import meaning_of
    from clearplan.priority.sensitivity import per_cents
    from clearplan.study.ranking import rank_cells, read_ranking, why_this_order, with_weights
    from clearplan.tables.check import each_row

    ranked, settings = read_ranking(result)
    if weights is not None:
        ranked, settings = with_weights(ranked, settings, weights)
    why = why_this_order(ranked, settings)
    for doubt in why.doubts:
        typer.echo(f"NOTE: {doubt}")
    typer.echo(f"Weights of: {settings.use or settings.set_by}")
    for queue, hangs in why.hangs.items():
        typer.echo(f"First of the {queue} queue:")
        _print_table(*rank_cells(ranked, queue, most, why.first))
        for row in each_row(hangs.head(2)):
            typer.echo(
                f"Its first {why.first} change where the weight of '{meaning_of(ranked, row.criterion).label.lower()}' "
                f"goes from {per_cents(row.before, row.after)} of all weights: {row.into} for {row.out}"
            )
    for words in why.cuts:
        typer.echo(f"Classes of the {words}")
    gates = ranked.loc[ranked["gates"].notna(), ["task_id", "gates"]]
    for task_id, reason in gates.head(most).itertuples(index=False):
        typer.echo(f"Without rank: {task_id}, {reason}")
    if len(gates) > most:
        typer.echo(f"... and {len(gates) - most} more behind a gate")
    if why.agreement is not None:
        rows = [
            (r.queue, r.one, r.other, f"{r.kendall_tau:.2f}", f"{r.shared_first} of {r.first}")
            for r in each_row(why.agreement)
        ]
        _print_table(("queue", "weights of", "and of", "Kendall's tau", "first tasks shared"), rows)


@app.command()
def explain(
    result: Annotated[Path, typer.Argument(help="A run's plan.gpkg.")],
    task_id: Annotated[str, typer.Argument(help="For example 38SPK6428-SHA-1.")],
    against: Annotated[str | None, typer.Option("--against", help="Another task: what would swap the two?")] = None,
) -> None:
    """Why a task stands where it stands: figures, values, weights, points, how sure, and what would change it."""
    from clearplan.core.errors import ReadError
    from clearplan.priority.rank import explain
    from clearplan.priority.sensitivity import swaps
    from clearplan.read.readers import read_ranked
    from clearplan.study.ranking import explanation, read_ranking

    try:
        ranked, settings = read_ranking(result)
    except ReadError:
        if against is not None:
            raise
        ranked, settings = read_ranked(result), None
    table = explain(ranked, task_id)
    swapped = None if against is None or settings is None else swaps(ranked, settings, task_id, against)
    rows = [
        (
            r.criterion,
            f"{r.raw:,.6g} {r.unit}" if math.isfinite(float(str(r.raw))) else "no place known",
            f"{r.value:.3f}",
            f"{r.weight:.1f}",
            f"{r.contribution:.2f}",
            r.note,
        )
        for r in table.itertuples()
    ]
    rows.append(("Score", "", "", f"{table['weight'].sum():.1f}", f"{table.attrs['score']:.2f}", ""))
    sentences = explanation(ranked, task_id, settings)
    typer.echo(sentences[0])
    _print_table(("criterion", "raw", "value 0-1", "weight", "contribution", "note"), rows)
    for words in sentences[1:]:
        typer.echo(words)
    if swapped is not None:
        typer.echo(f"What would swap {task_id} and {against}, each change alone:")
        _print_swaps(ranked, swapped)


def _print_swaps(ranked: pd.DataFrame, found: pd.DataFrame) -> None:
    from clearplan.priority.rank import meaning_of
    from clearplan.tables.check import each_row

    if not len(found):
        typer.echo("No change of one weight, and none of one figure of the lower task, does")
        return
    rows = [
        (r.what, meaning_of(ranked, r.criterion).label, f"{r.before:,.4g}", f"{r.after:,.4g}",
         "% of all weights" if r.what == "weight" else r.unit)
        for r in each_row(found)
    ]  # fmt: skip
    _print_table(("change of a", "criterion", "from", "to", "unit"), rows)


def sample_plan() -> Path:
    """plan.toml of the sample project: inside the wheel, or beside the sources in a clone."""
    here = Path(__file__).resolve().parents[1]
    for folder in (here / "sample" / "karabakh", here.parents[1] / "sample_data" / "karabakh"):
        if (folder / "plan.toml").exists():
            return folder / "plan.toml"
    raise ClearplanError("the sample project is missing from this installation; install clearplan again")


@contextmanager
def _watched() -> Iterator[dict[str, Any]]:
    """A bar of the stages of a run, and how near the search of a plan of work has come."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from clearplan.study.run import STAGES

    console = Console(stderr=True)
    columns = (BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeElapsedColumn(),
               TextColumn("{task.description}"))  # fmt: skip
    with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
        task = bar.add_task("Starting", total=len(STAGES))
        begun = 0

        def progress(stage: str) -> None:
            nonlocal begun
            bar.update(task, completed=begun, description=stage)
            begun += 1

        def search(gap: float, seconds: float) -> None:
            near = f"within {100 * gap:.2g} % of the best" if gap < 1 else "nothing proven yet"
            bar.update(task, description=f"Planning the work: {near} after {seconds:.0f} s")

        yield {"progress": progress, "search": search}
        bar.update(task, completed=len(STAGES), description="Done")


def _run(
    plan: Path, out: Path, as_at: str | None = None, offline: bool = False, tiers: Sequence[str] | None = None
) -> None:
    from clearplan.settings.project import load_project
    from clearplan.study.provenance import line_words
    from clearplan.study.run import refuse_folder, run_study, write_study

    first, *others = [check_tier(tier) for tier in tiers] if tiers else [None]
    folders = {str(tier): out.with_name(f"{out.name}-{tier}") for tier in others}
    refuse_folder(out, first or load_project(plan).publish.tier)
    for tier, folder in folders.items():
        refuse_folder(folder, tier)
    with _watched() as watched:
        made = run_study(plan, as_at=as_at, offline=offline, **watched)
        study = write_study(made, out, tier=first, progress=watched["progress"])
        for tier, folder in folders.items():
            write_study(made, folder, tier=tier)
    for warning in study.notes:
        typer.echo(f"NOTE: {warning}")
    for line in study.run["contact_lines"]:
        typer.echo(line_words(line))
    typer.echo(f"Working CRS: {study.run['crs']}")
    _print_net(study.net)
    _print_ledger(study.books["ledger"])
    queues = study.tasks["queue"].value_counts()
    typer.echo(f"Tasks: {queues.get('survey', 0)} to survey, {queues.get('clearance', 0)} to clear")
    if study.planned is not None:
        _print_plan(study.planned)
    if study.project.study.illustrative:
        typer.echo("Illustrative data, not for operational use.")
    typer.echo(f"Fingerprint {study.run['fingerprint']}")
    if study.records:
        typer.echo(f"Quality sheets of the minefield records: {out / 'records.html'}")
    typer.echo(f"Report: {out / 'report.html'}")
    for name in ("field", "exchange"):
        if (out / name).exists():
            typer.echo(f"{name.capitalize()}: {out / name}")
    typer.echo(f"Map: {out / 'map.html'}")
    for tier, folder in folders.items():
        typer.echo(f"Map for the tier {tier}: {folder / 'map.html'}")


def _print_plan(planned: Any) -> None:
    """Four ways of planning side by side, and how near the best found is to the best there can be."""
    rows = [
        (r.strategy, f"{r.person_months:,.0f}", f"{r.person_months_low:,.0f} to {r.person_months_high:,.0f}",
         f"{r.people_home:,.0f}", f"{r.zones_open:.0f}", f"{r.cost:,.0f}")
        for r in planned.comparison.itertuples()
    ]  # fmt: skip
    header = ("way of planning", "person-months at home", "range", "people home", "places open",
              planned.settings.currency)  # fmt: skip
    _print_table(header, rows)
    typer.echo(f"The best plan found is proven to be within {100 * planned.plan.gap:.1f} % of the best there can be")
    for words in planned.notes:
        typer.echo(f"NOTE: {words}")


def _print_further(planned: Any) -> None:
    """What another million buys, and what the return programme takes."""
    money = planned.settings.currency
    if planned.budgets is not None:
        rows = [
            (f"{r.budget:,.0f}", f"{r.person_months:,.0f}", f"{r.people_home:,.0f}", f"{r.zones_open:.0f}",
             f"{r.per_million:,.0f}", f"{100 * r.gap:.1f} %")
            for r in planned.budgets.itertuples()
        ]  # fmt: skip
        header = (f"budget [{money}]", "person-months at home", "people home", "places open", "for a million more",
                  "proven within")  # fmt: skip
        _print_table(header, rows)
    if planned.programme is not None:
        own = planned.programme.teams
        more = ", ".join(f"{n} more of {team}" for team, n in zip(own["team_id"], own["further"], strict=True) if n)
        typer.echo(f"The return programme takes {planned.programme.cost:,.0f} {money} and {more or 'no further teams'}")
        for words in planned.programme.notes:
            typer.echo(f"NOTE: {words}")


def _print_ledger(ledger: pd.DataFrame) -> None:
    """What became of the reported ground; nothing where nothing was released or closed."""
    states = ["reported_m2", "remaining_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "closed_m2"]
    total = ledger.groupby("land_class", sort=False)[states].sum() / 1e6
    if not total[states[2:]].to_numpy().any():
        return
    rows = [
        (str(name), *(f"{value:,.2f}" for value in row))
        for name, row in zip(total.index, total.to_numpy(), strict=True)
    ]
    header = ("reported", "remaining", "cancelled", "reduced", "cleared", "closed by status")
    _print_table(("km2, overlaps once", *header), rows)


def _print_net(net: pd.DataFrame) -> None:
    total = net.groupby("land_class", sort=False)[["net_m2", "gross_m2"]].sum() / 1e6
    rows = [(str(name), f"{row.net_m2:,.2f}", f"{row.gross_m2:,.2f}") for name, row in total.iterrows()]
    _print_table(("land class", "net km2 (overlaps once)", "gross km2"), rows)


def _faults_of(file: Path, table: str, plan: Path | None, crs: str | None) -> pd.DataFrame:
    from clearplan.read.readers import check_file

    if plan is None:
        return check_file(file, table, crs=crs)
    import pandas as pd

    from clearplan.core.errors import SettingsError
    from clearplan.read.readers import plan_sources
    from clearplan.settings.project import load_project

    settings = load_project(plan)
    found = []
    for name, source in plan_sources(settings):
        if name == table and source.path.resolve() == file.resolve():
            given: dict[str, Any] = source.model_dump(exclude={"path"}) | {"crs": crs or source.crs}
            region, lists = settings.study.region, settings.code_lists
            found.append(check_file(file, table, region=region, code_lists=lists, **given))
    if found:
        return pd.concat(found, ignore_index=True)
    raise SettingsError(f"{plan} lists no {table} file {file}; name one of its files, or leave --plan out")


def _faults_of_records(file: Path, plan: Path | None) -> pd.DataFrame:
    try:
        faults: pd.DataFrame = _records_of(file, plan, lenient=False).reading.faults
    except FaultsError as error:
        faults = error.faults
    return faults


def _print_faults(faults: pd.DataFrame, home: dict[tuple[str, int], str] | None = None) -> None:
    """Faults as a table; ``home`` names the record in which each row of a file stands.

    The file, with its sheet, is a column where there are several, else it stands above the table.
    """
    files = list(dict.fromkeys(map(str, faults["file"])))
    several = len(files) > 1
    if not several:
        typer.echo(f"In {_printable(files[0])}:")
    rows = [
        (
            *([str(r.file)] if several else []),
            *([] if home is None else [home.get((str(r.file), int(str(r.row))), "") if str(r.row).isdigit() else ""]),
            "" if str(r.row) in ("<NA>", "nan", "None") else str(r.row),
            r.level,
            r.column,
            r.value,
            f"{r.rule}; {r.remedy}",
        )
        for r in faults.itertuples()
    ]
    first = (*(["file"] if several else []), *([] if home is None else ["record"]))
    _print_table((*first, "row", "level", "column", "value", "rule; remedy"), rows)


def _print_table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """A table on the terminal; text from data is printed as it is, never as markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    console.print(table)


def _printable(cell: object) -> str:
    """Text without the control codes that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in str(cell))


def main() -> None:
    """Run the command line; every error is one line with its remedy, and the traceback waits for --debug."""
    debug = "--debug" in sys.argv
    try:
        app()
    except FaultsError as error:
        if debug:
            raise
        _print_faults(error.faults)
        _fail(str(error), error.exit_code)
    except ClearplanError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except Exception as error:
        if debug:
            raise
        _fail(f"bug in clearplan ({type(error).__name__}: {error}); run again with --debug and report it", 3)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"Error: {_printable(message)}", err=True)
    raise SystemExit(code)
