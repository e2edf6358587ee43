"""A file that is written is whole or untouched, whenever a run dies."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from clearplan.core.errors import OutputError
from clearplan.core.processes import is_running, this_process

#: A folder of a file that is not yet whole: place, number and start of the process that writes it.
_HALF_WRITTEN = re.compile(r"\.clearplan-([0-9a-f]{8})-([0-9]+)-([0-9]*)-[a-z0-9_]+")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write one file to, which takes the place of ``path`` when the block ends well; else nothing stays.

    Folders on the way to it are made.

    Raises
    ------
    OutputError
        It can't be written.
    """
    target = Path(os.path.realpath(path))
    with _folder_beside(path, target.parent) as beside:
        fresh = beside / target.name
        yield fresh
        fresh.replace(target)


@contextmanager
def _folder_beside(path: Path, parent: Path) -> Iterator[Path]:
    """A folder for the time being, on the disk on which ``path`` shall lie."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        clear_half_written(parent)
        writer = this_process()
        prefix = f".clearplan-{writer.place}-{writer.pid}-{writer.ticks}-"
        with TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as beside:
            yield Path(beside)
    except OSError as error:
        raise unwritable(path, error.strerror or error) from None


def clear_half_written(folder: Path) -> None:
    """Clear away what processes of this computer left half-written in a folder when they died."""
    for path in list(folder.iterdir()):
        named = _HALF_WRITTEN.fullmatch(path.name)
        if named is None or path.is_symlink() or not path.is_dir():
            continue
        place, pid, ticks = named.groups()
        if place == this_process().place and not is_running(int(pid), ticks):
            shutil.rmtree(path, ignore_errors=True)


def write_whole(path: str | Path, text: str) -> None:
    """Write text as UTF-8, the whole of it or nothing; a file of that name is replaced.

    Raises
    ------
    OutputError
        It can't be written.
    """
    with whole(Path(path)) as fresh:
        fresh.write_text(text, encoding="utf-8", newline="\n")


def unwritable(path: Path, reason: object) -> OutputError:
    """The error for a file that can't be written.

    >>> str(unwritable(Path("out/map.html"), "No space left on device"))
    "out/map.html: can't be written (No space left on device); name a file in another folder"
    """
    blocked = next((str(part) for part in path.parents if os.path.lexists(part) and not os.path.isdir(part)), None)
    why = f"{blocked} is no folder" if blocked else " ".join(str(reason).split())
    return OutputError(f"{path}: can't be written ({why}); name a file in another folder")


def refuse_taken(path: Path, suffixes: Sequence[str] = ()) -> None:
    """A new file: nothing bears its name yet, and the name ends as it must.

    >>> refuse_taken(Path("straight.png"), (".tif", ".tiff"))
    Traceback (most recent call last):
    clearplan.core.errors.OutputError: straight.png: does not end with .tif or .tiff; name a new .tif file
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise OutputError(f"{path}: does not end with {' or '.join(suffixes)}; name a new {suffixes[0]} file")
    if os.path.lexists(path):
        raise OutputError(f"{path}: exists already; name another file")


def refuse_unwritable(path: Path) -> None:
    """Make the folder of a new file, or say at once that nothing can be written there."""
    with _folder_beside(path, Path(os.path.realpath(path)).parent):
        pass
