"""The command line: ``clearplan`` with one command per verb; ``main`` runs it and prints every error in one line.

Exit codes: 0 good, 1 faults in the data, 2 wrong usage, 3 a bug in clearplan. Heavy libraries are imported inside the
commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from clearplan.cli import check, plan, rank, records, run
from clearplan.cli.terminal import print_many_faults, print_rewritten, printable
from clearplan.core.errors import ClearplanError, FaultsError, RewrittenError
from clearplan.core.version import __version__

app = typer.Typer(
    help="Contamination mapping and clearance planning for mine action.",
    epilog="Start with 'clearplan demo'. 'clearplan COMMAND -h' explains a command.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run.demo)
app.command()(run.init)
app.command()(check.check)
app.command()(run.run)
app.command("plan")(plan.plan_work)
app.command()(plan.evaluate)
app.command()(rank.rank)
app.command()(rank.explain)
app.command()(run.export)
app.command()(run.diff)
app.add_typer(records.app, name="records")
app.command()(records.scan)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clearplan {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """The options that stand before a command; ``main`` looks for --debug by itself."""


def main() -> None:
    """Run the command line; every error is one line with its remedy, and --debug shows the traceback."""
    debug = "--debug" in sys.argv
    try:
        app()
    except FaultsError as error:
        if debug:
            raise
        print_many_faults(error.faults, "clearplan check FILE --as TABLE --plan PLAN --all lists every row of a file.")
        _fail(str(error), error.exit_code)
    except RewrittenError as error:
        if debug:
            raise
        print_rewritten(error.rows)
        _fail(str(error), error.exit_code)
    except ClearplanError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except Exception as error:
        if debug:
            raise
        if _says_memory_is_full(error):
            _fail("memory is full; end other programs, or take a computer with more, and run again", 2)
        _fail(
            f"bug in clearplan ({type(error).__name__}: {error}); please report it, with what "
            "'clearplan --debug COMMAND ...' prints",
            3,
        )


def _says_memory_is_full(error: Exception) -> bool:
    """Whether an error of Python, of a library that can't be loaded, or of the system means that memory is full.

    >>> _says_memory_is_full(OSError(12, "Cannot allocate memory")), _says_memory_is_full(OSError(2, "No such file"))
    (True, False)
    """
    words = ("cannot allocate memory", "failed to map segment", "bad_alloc", "can't start new thread", "out of memory")
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in words)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"Error: {printable(message)}", err=True)
    raise SystemExit(code)
