"""The command that lists every fault of a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clearplan.cli.records import check_records
from clearplan.cli.terminal import MOST_LISTED, print_balance, print_faults, print_many_faults, say
from clearplan.core.writing import refuse_taken, write_whole

if TYPE_CHECKING:
    import pandas as pd

    from clearplan.read.balance import Balance
    from clearplan.settings.project import Project


def _known_table(name: str) -> str:
    """A table that files fill; asked only when the command runs, for tables take their time to load."""
    from clearplan.tables.inputs import INPUTS

    known = (*INPUTS, "records")
    if name not in known:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}")
    return name


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to check.")],
    table: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="TABLE",
            callback=_known_table,
            help="What the file holds: records, or a table of plan.toml such as hazards, zones, gates or teams.",
        ),
    ],
    project: Annotated[
        Path | None,
        typer.Option("--plan", metavar="PLAN", help="Take column names, codes, CRS and region from this plan.toml."),
    ] = None,
    crs: Annotated[
        str | None, typer.Option("--crs", metavar="CRS", help="CRS of a file that states none, such as EPSG:4326.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help=f"List every row; else more than {MOST_LISTED} faults are counted by rule.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write the whole list, for the data's owner.")
    ] = None,
) -> None:
    """List the faults of a file: row, column, value, rule, remedy.

    Exit code 1 if there is a fault; warnings alone give 0.
    """
    if csv is not None:
        refuse_taken(csv, (".csv",))
    faults, balances = check_records(file, project) if table == "records" else _checked(file, table, project, crs)
    if not len(faults):
        typer.echo(f"{file}: no faults")
        print_balance(balances)
        return
    if csv is not None:
        write_whole(csv, _as_csv(faults))
    if every:
        print_faults(faults)
    else:
        print_many_faults(faults, "--all lists every row; --csv FILE writes the list.")
    serious = int(faults["level"].isin(["error", "repairable"]).sum())
    typer.echo(f"{file}: {serious} faults, {len(faults) - serious} warnings")
    print_balance(balances)
    if serious:
        say("A run refuses the file until the faults are corrected; the rows under used are those of lenient = true.")
    if csv is not None:
        typer.echo(f"Every fault: {csv}")
    if serious:
        raise typer.Exit(1)


def _as_csv(faults: pd.DataFrame) -> str:
    """The fault table as a file; a spreadsheet takes no cell of it for a formula."""
    from clearplan.read.spreadsheets import as_text

    cells = faults.astype(object).where(faults.notna(), "").astype(str)
    return str(cells.map(as_text).to_csv(index=False, lineterminator="\n"))


def _checked(file: Path, table: str, project: Path | None, crs: str | None) -> tuple[pd.DataFrame, list[Balance]]:
    """Faults of a file, and what becomes of its rows for each source of the plan that names it."""
    import pandas as pd

    from clearplan.core.errors import SettingsError
    from clearplan.read.readers import checked_file
    from clearplan.read.snapshot import Snapshot
    from clearplan.settings.limits import LimitSettings
    from clearplan.settings.project import load_project

    plan = None if project is None else load_project(project)
    copies = Snapshot([file], LimitSettings() if plan is None else plan.limits)
    with copies.removed_on_error():
        if plan is None:
            faults, balance = checked_file(copies.of(file), table, crs=crs)
            return faults, [balance]
        checked = _checked_by_plan(plan, file, copies.of(file), table, crs)
        tables = [faults for faults, _ in checked]
        if project is not None and table in ("releases", "history"):
            tables += _rewritten(plan, project, file, copies.of(file), table)
    if not tables:
        raise SettingsError(f"{project} lists no {table} file {file}; name one of its files, or leave --plan out")
    return pd.concat(tables, ignore_index=True), [balance for _, balance in checked]


def _checked_by_plan(
    plan: Project, file: Path, copy: Path, table: str, crs: str | None
) -> list[tuple[pd.DataFrame, Balance]]:
    """Faults and balance of a file for each source of the plan that names it."""
    from clearplan.core.crs import working_crs
    from clearplan.read.readers import checked_file, project_sources
    from clearplan.study.inputs import centroids_of_file

    checked = []
    for name, source in project_sources(plan):
        if name == table and source.path.resolve() == file.resolve():
            fields: dict[str, Any] = source.model_dump(exclude={"path"}) | {"crs": crs or source.crs}
            fields |= {"region": plan.study.region, "code_lists": plan.code_lists, "limits": plan.limits}
            centroids = partial(centroids_of_file, plan, working_crs(plan.study.region))
            checked.append(checked_file(copy, table, centroids=centroids, **fields))
    return checked


def _rewritten(plan: Project, project: Path, file: Path, copy: Path, table: str) -> list[pd.DataFrame]:
    """Decisions of a file that an earlier run of the plan knew otherwise; none where faults stop its reading."""
    from clearplan.core.errors import FaultsError
    from clearplan.read.readers import read_source
    from clearplan.study.chain import Home, rewritten_faults

    home, faults = Home(project.resolve().parent), []
    sources = plan.files_of(table)
    for source in sources:
        if source.path.resolve() == file.resolve():
            copied = source.model_copy(update={"path": copy})
            try:
                reading = read_source(table, copied, region=plan.study.region, code_lists=plan.code_lists)
            except FaultsError:
                continue
            faults.append(rewritten_faults(home, table, reading, alone=len(sources) == 1))
    return faults
