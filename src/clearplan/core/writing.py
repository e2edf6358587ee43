"""What is written is whole or untouched, whenever a run dies: a single file, or the folder of a run's results."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from clearplan.core.errors import OutputError


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
        with TemporaryDirectory(prefix=".clearplan-", dir=parent, ignore_cleanup_errors=True) as beside:
            yield Path(beside)
    except OSError as error:
        raise unwritable(path, error.strerror or error) from None


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


@contextmanager
def replaced(target: Path, ours: Collection[str]) -> Iterator[Path]:
    """A new folder to write into, which takes the place of ``target`` when the block ends well.

    Parameters
    ----------
    target : path
        Folder that shall hold the results.
    ours : collection of str
        Names of the files that a run writes; they go, with what other programs laid beside them. All others in
        ``target`` are the user's and stay.

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
    except OutputError as error:  # of one file, in a folder that the user never sees
        raise OutputError(str(error).replace(str(fresh), str(target))) from None
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


def refuse_narrower(target: Path, tier: str, ours: Collection[str], tiers: Sequence[str]) -> None:
    """A run for a wider circle of readers takes no folder in which files of a narrower one would stay.

    Files that no run wrote stay in a folder; beside a restricted run they may be exports of it, or what another program
    saved of its layers.

    Parameters
    ----------
    target : path
        Folder that shall hold the results.
    tier : str
        Tier of the new run.
    ours : collection of str
        Names of the files that runs write.
    tiers : sequence of str
        From the widest circle to the narrowest.

    Raises
    ------
    OutputError
        A narrower run, or one of which nobody knows the tier, lies there, and files that would stay.
    """
    record = target / "run.json"
    if not record.exists():
        return
    held = _tier_of(record, tiers)
    left = sorted(path.name for path in target.iterdir() if not _is_ours(path.name, ours))
    if left and tiers.index(tier) < tiers.index(held):
        raise OutputError(
            f"{target}: holds a {held} run and files that no run wrote, such as {left[0]}, which would stay beside "
            f"files of the tier {tier}; name a new folder, or move them"
        )


def _tier_of(record: Path, tiers: Sequence[str]) -> str:
    """Tier of the run that lies in a folder; the narrowest where its record doesn't say."""
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return tiers[-1]
    tier = told.get("tier") if isinstance(told, dict) else None
    return next((own for own in tiers if own == tier), tiers[-1])


#: What other programs lay beside a layer or a raster: it holds parts of it, and is none without it.
_BESIDE = ("-wal", "-shm", "-journal", ".aux.xml", ".ovr", ".msk")


def _is_ours(name: str, ours: Collection[str]) -> bool:
    """Whether a run's folder may lose a file with the run: one of its own, or what belongs to one."""
    return name in ours or any(name.endswith(end) and name.removesuffix(end) in ours for end in _BESIDE)


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
    """Two renames, then the user's own files follow; a death between them is repaired by the next run."""
    if not target.exists():
        fresh.rename(target)
        return
    kept = [path.name for path in target.iterdir() if not _is_ours(path.name, ours)]
    target.rename(_old(target))
    fresh.rename(target)
    for name in kept:
        (_old(target) / name).rename(target / name)
    shutil.rmtree(_old(target))
