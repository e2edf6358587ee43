"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProjectFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The project's plan.toml.")]
OutFolder = Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder for the results.")]
OutPage = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="New HTML file for the results.")]
AsAt = Annotated[
    str | None,
    typer.Option("--as-at", metavar="DAY", help="Count what was known on this day (2024-06-30); else study.as_at."),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask no server: use the copies of the last run where plan.toml names a url.")
]
BreakLock = Annotated[
    bool,
    typer.Option("--break-lock", help="Take the folder although its lock file names a process on another computer."),
]
AcceptRewritten = Annotated[
    str | None,
    typer.Option(
        "--accept-rewritten",
        metavar="REASON",
        help="Go on though earlier decisions of land release are changed or gone; say why. It stays on record.",
    ),
]
#: Written out, so that --help reads no declaration of tables; a test holds it to the tiers.
TIER_NAMES = "public|partner|restricted"
