"""The folder of a run's results: whole or untouched, whenever a run dies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError


@contextmanager
def replaced(target: Path, ours: Collection[str]) -> Iterator[Path]:
    """A new folder to write into, which takes the place of ``target`` when the block ends well.

    Parameters
    ----------
    target : path
        Folder that shall hold the results.
    ours : collection of str
        Names of the files that a run writes; all others in ``target`` are the user's and stay.

    Raises
    ------
    OutputError
        It can't be written.
    """
    target = target.resolve()
    fresh = target.with_name(f".{target.name}.new-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _recover(target)
        fresh.mkdir()
        yield fresh
        _swap(fresh, target, ours)
    except OSError as error:
        raise OutputError(f"{target}: can't be written ({error}); choose another folder with --out") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def refuse_foreign(target: Path) -> None:
    """An output folder is new, empty, or one of ours: nobody's files are in the way."""
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target}: is a file; name a folder")
    record = target / "run.json"
    ours = record.exists() and '"fingerprint"' in record.read_text(encoding="utf-8", errors="replace")
    if target.is_dir() and any(target.iterdir()) and not ours:
        raise OutputError(f"{target}: holds files that no run has made; name a new or empty folder")


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _recover(target: Path) -> None:
    """Clear away what dead runs left; put back the last good result if one died in the moment of the exchange."""
    for left in target.parent.glob(f".{target.name}.new-*"):
        if not _alive(left.name.rpartition("-")[2]):
            shutil.rmtree(left, ignore_errors=True)
    if _old(target).exists():
        if target.exists():
            shutil.rmtree(_old(target))
        else:
            _old(target).rename(target)


def _alive(pid: str) -> bool:
    """Whether a run may still be writing; where that can't be asked, it may."""
    if os.name != "posix" or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)  # signal 0 asks and does nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _swap(fresh: Path, target: Path, ours: Collection[str]) -> None:
    """Two renames, then the user's own files follow; a death between them is mended by the next run."""
    if not target.exists():
        fresh.rename(target)
        return
    kept = [path.name for path in target.iterdir() if path.name not in ours]
    target.rename(_old(target))
    fresh.rename(target)
    for name in kept:
        (_old(target) / name).rename(target / name)
    shutil.rmtree(_old(target))
