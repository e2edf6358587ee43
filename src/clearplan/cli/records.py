"""Commands on minefield records and on the scanned maps behind them: records, records template, scan."""

from __future__ import annotations

import datetime as dt
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from clearplan.cli.terminal import print_faults, print_table, say
from clearplan.core.errors import FaultsError

if TYPE_CHECKING:
    import pandas as pd

    from clearplan.read.balance import Balance
    from clearplan.read.snapshot import Snapshot
    from clearplan.records.minefields import RecordReading
    from clearplan.settings.limits import LimitSettings
    from clearplan.settings.project import Project
    from clearplan.settings.sources import RecordSettings


class _RecordsGroup(typer.core.TyperGroup):
    """``clearplan records FILE`` reads a file; ``clearplan records template FILE`` is the other verb."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``read`` before anything but a verb or a call for help."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["read", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RecordsGroup,
    no_args_is_help=True,
    help="Read minefield records: 'records FILE'. Options: 'records read -h'.",
)


@app.command("template")
def write_template(file: Annotated[Path, typer.Argument(metavar="FILE", help="New .xlsx file.")]) -> None:
    """Write an empty workbook for records.

    It has drop-down lists and a comment on every column.
    """
    from clearplan.core.writing import refuse_taken, refuse_unwritable
    from clearplan.outputs.workbooks.record_form import write_record_template

    refuse_taken(file, (".xlsx",))
    refuse_unwritable(file)
    write_record_template(file)
    typer.echo(f"Wrote {file}. Fill in the sheets 'records' and 'legs', then")
    typer.echo(f"  clearplan records {file} -o records.gpkg")


@app.command("read")
def read(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Workbook of records, or an IMSMA point list.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="New GeoPackage for the polygons and points."),
    ] = None,
    sheets: Annotated[
        Path | None, typer.Option("--sheets", metavar="FILE", help="New HTML file for the quality sheets.")
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--plan", metavar="PLAN", help="Take settings and region from this plan.toml.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region", metavar="W,S,E,N", help="Region in degrees, without a plan; points outside are faults."
        ),
    ] = None,
    lenient: Annotated[bool, typer.Option("--lenient", help="Go on where records have faults.")] = False,
) -> None:
    """Plot minefield records as polygons with their position error.

    Exit code 1 if a record has a fault.
    """
    from clearplan.core.imprint import ILLUSTRATIVE
    from clearplan.core.writing import refuse_taken, refuse_unwritable

    for path, suffix in ((out, ".gpkg"), (sheets, ".html")):
        if path is not None:
            refuse_taken(path, (suffix,))
    opened = _records_of(file, project, lenient, region)
    for path in filter(None, (out, sheets)):
        refuse_unwritable(path)
    _print_records(opened.reading)
    if opened.record_file.illustrative:
        say(ILLUSTRATIVE)
    if out is not None or sheets is not None:
        _write_records(opened, out, sheets)


def _print_records(reading: RecordReading) -> None:
    """Faults, then the records with the largest errors, then how many have no place."""
    from clearplan.tables.check import each_row

    if len(reading.faults):
        print_faults(reading.faults, reading.forms.home)
    drawn = reading.hazards[reading.hazards["deferred"].isna()]
    worst_first = drawn.sort_values(["blunder", "position_error_m"], ascending=False, kind="stable")
    rows = [_record_cells(hazard._asdict()) for hazard in each_row(worst_first.head(40))]
    print_table(("record", "class", "position error (95 %)", "misclosure", "as recorded"), rows)
    if len(drawn) > len(rows):
        say(f"... and {len(drawn) - len(rows)} more with smaller errors; --sheets and --out hold all")
    for operation in reading.operations:
        say(f"Datum: {operation}")
    lost = len(reading.hazards) - len(drawn)
    if lost:
        say(f"NOTE: {lost} of {len(reading.hazards)} records could not be drawn and have NO place on any map")


def _record_cells(hazard: dict[str, Any]) -> tuple[str, ...]:
    from clearplan.outputs.report.records import extent_words

    misclosure = ""
    if not math.isnan(hazard["misclosure_m"]):
        misclosure = f"{hazard['misclosure_m']:.0f} m"
        if hazard["blunder"]:
            misclosure += f", BLUNDER (limit {hazard['misclosure_limit_m']:.0f} m)"
    error = f"{hazard['position_error_m']:.0f} m"
    return hazard["hazard_id"], hazard["land_class"], error, misclosure, extent_words(hazard)


class _RecordFile(NamedTuple):
    """A record file and how it is read: as its plan says, or as it stands.

    ``chosen``: the settings beside its own that decide what comes out.
    """

    source: RecordSettings
    plan: Project | None
    region: tuple[float, float, float, float] | None
    chosen: dict[str, Any]
    folder: Path

    @property
    def limits(self) -> LimitSettings:
        from clearplan.settings.limits import LimitSettings

        return LimitSettings() if self.plan is None else self.plan.limits

    @property
    def illustrative(self) -> bool:
        return self.plan is not None and self.plan.study.illustrative


class _Records(NamedTuple):
    """A record file as it was read, and the copies of which it was read."""

    record_file: _RecordFile
    reading: RecordReading
    gazetteer: pd.DataFrame | None
    copies: Snapshot


def _write_records(opened: _Records, out: Path | None, sheets: Path | None) -> None:
    from clearplan.core.imprint import BOUNDARIES, ILLUSTRATIVE, NOT_FOR_ENTRY, Imprint
    from clearplan.outputs.gis.geopackage import write_gpkg
    from clearplan.outputs.report.records import draw_quality_sheets

    reading, fingerprint = opened.reading, _fingerprint(opened)
    warning = ILLUSTRATIVE if opened.record_file.illustrative else ""
    imprint = Imprint(
        title=f"Minefield records of {opened.record_file.source.path.name}",
        as_at=dt.date.fromisoformat(opened.record_file.chosen["as_at"] or "2000-01-01"),
        notice=f"{warning} {NOT_FOR_ENTRY} {BOUNDARIES} Fingerprint {fingerprint}.".strip(),
        fingerprint=fingerprint,
        illustrative=opened.record_file.illustrative,
    )
    if out is not None:
        tables = {"hazards": reading.hazards, "record_points": reading.vertices, "record_versions": reading.versions}
        write_gpkg(tables, out, imprint)
        typer.echo(f"Layers: {out}")
    if sheets is not None:
        draw_quality_sheets([reading], imprint, gazetteers=[opened.gazetteer]).save(sheets)
        typer.echo(f"Quality sheets: {sheets}")
    typer.echo(f"Fingerprint {fingerprint}")


def _fingerprint(opened: _Records) -> str:
    from clearplan.study.provenance import fingerprint_of

    record_file, reading = opened.record_file, opened.reading
    as_read = {"path": record_file.source.path.resolve(), "lenient": reading.source.lenient}
    settings = record_file.source.model_copy(update=as_read).model_dump(mode="json")
    return fingerprint_of(
        opened.copies.hashes(record_file.folder),
        {"records": settings} | record_file.chosen,
        record_file.folder,
        crs=reading.hazards.crs.to_wkt(),
        operations=reading.operations,
    )


def check_records(file: Path, project: Path | None) -> tuple[pd.DataFrame, list[Balance]]:
    """Faults of a record file, read as its plan says or as it stands, and what becomes of the rows of its sheets.

    Where strict reading refuses the file, the balance is that of lenient reading; none where no record can be read.
    """
    record_file = _record_file(file, project, None)
    copies = _copies(record_file)
    with copies.removed_on_error():
        try:
            reading = _read_copies(record_file, copies, lenient=False)
            return reading.faults, reading.balances
        except FaultsError as error:
            faults = error.faults
        try:
            return faults, _read_copies(record_file, copies, lenient=True).balances
        except FaultsError:
            return faults, []


def _records_of(file: Path, project: Path | None, lenient: bool, region: str | None) -> _Records:
    """A record file, read as its plan says or as it stands, with the landmarks that its plan names."""
    from clearplan.read.files import read_gazetteer

    record_file = _record_file(file, project, region)
    copies = _copies(record_file)
    with copies.removed_on_error():
        reading = _read_copies(record_file, copies, lenient)
        return _Records(record_file, reading, read_gazetteer(reading.source.gazetteer, record_file.limits), copies)


def _copies(record_file: _RecordFile) -> Snapshot:
    """Copies of every file that the records name: fingerprint and polygons are of the same bytes."""
    from clearplan.read.snapshot import Snapshot
    from clearplan.settings.base import paths_of

    return Snapshot(paths_of(record_file.source), record_file.limits)


def _read_copies(record_file: _RecordFile, copies: Snapshot, lenient: bool) -> RecordReading:
    """Records from the copies of their files."""
    from clearplan.core.crs import working_crs
    from clearplan.records.minefields import read_record_source
    from clearplan.settings.base import with_paths

    source = with_paths(record_file.source, copies.of)
    if lenient:
        source = source.model_copy(update={"lenient": True})
    if record_file.plan is None:
        return read_record_source(source, region=record_file.region)
    study = record_file.plan.study
    return read_record_source(
        source,
        region=study.region,
        working=working_crs(study.region).crs,
        as_at=study.as_at,
        code_lists=record_file.plan.code_lists,
        limits=record_file.limits,
    )


def _record_file(file: Path, project: Path | None, region: str | None) -> _RecordFile:
    """A record file by the plan that lists it; without a plan as it stands."""
    from clearplan.core.errors import SettingsError
    from clearplan.settings.project import load_project
    from clearplan.settings.sources import RecordSettings

    if project is not None and region is not None:
        raise SettingsError("--region and --plan exclude each other: the plan's region counts; leave one of them out")
    if project is None:
        bounds = _region(region) if region is not None else None
        chosen = {"region": bounds, "as_at": None}
        return _RecordFile(RecordSettings(path=file), None, bounds, chosen, file.resolve().parent)
    plan = load_project(project)
    source = next((one for one in plan.records if one.path.resolve() == file.resolve()), None)
    if source is None:
        raise SettingsError(f"{project} lists no records file {file}; name one of its files, or leave --plan out")
    chosen = plan.study.model_dump(mode="json") | {"code_lists": plan.code_lists}
    return _RecordFile(source, plan, plan.study.region, chosen, project.resolve().parent)


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


def scan(
    points: Annotated[
        Path,
        typer.Argument(metavar="POINTS", help="QGIS .points file, or a scan that carries its control points."),
    ],
    crs: Annotated[
        str | None, typer.Option("--crs", metavar="CRS", help="CRS of the map, where the file states none.")
    ] = None,
    image: Annotated[Path | None, typer.Option("--image", metavar="FILE", help="Scan to rectify; needs --out.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="New GeoTIFF for the rectified scan.")
    ] = None,
    model: Annotated[
        Literal["affine", "polynomial", "thin-plate"],
        typer.Option("--model", metavar="MODEL", help="How the scan is fitted: affine, polynomial or thin-plate."),
    ] = "affine",
) -> None:
    """Test how far a scanned map's control points can be trusted.

    Each point is left out in turn, and the others must find it. With --image and --out the scan is rectified too.
    """
    from clearplan.core.errors import SettingsError
    from clearplan.core.writing import refuse_taken
    from clearplan.records.scans import compare_models, georeference_error, read_control_points, warp_scan
    from clearplan.tables.check import each_row

    if (image is None) != (out is None):
        raise SettingsError("--image and --out belong together; give both, or none")
    if out is not None:
        refuse_taken(out, (".tif", ".tiff"))
    control_points = read_control_points(points, crs=crs)
    error = georeference_error(control_points, model)
    rows = [_model_cells(row._asdict()) for row in each_row(compare_models(control_points))]
    print_table(("model", "points", "at a point left out", "at points held out", "fit (says little)"), rows)
    say(error.words)
    for doubt in error.warnings:
        say(f"NOTE: {doubt}")
    say(f"Standard error per axis, to be added to a reference point's: {error.sigma_m:.1f} m")
    if image is not None and out is not None:
        typer.echo(f"Rectified scan: {warp_scan(image, control_points, out, model=model)}")


def _model_cells(row: dict[str, Any]) -> tuple[str, ...]:
    solved = not math.isnan(row["fit_rmse_m"])
    return (
        row["model"],
        str(row["points"]),
        f"{row['leave_one_out_rmse_m']:.1f} m" if solved else "not solvable",
        "none held out" if math.isnan(row["held_out_rmse_m"]) else f"{row['held_out_rmse_m']:.1f} m",
        f"{row['fit_rmse_m']:.1f} m" if solved else "",
    )
