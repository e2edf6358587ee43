"""The folder of a run's results: a new result takes the place of the last one, and the user's own files never move.

A result is written beside the folder. A journal says which of our files leave the folder and which come in; they
are renamed one by one, and the next run completes what a run that died had begun. So the folder holds the last
result before the journal is written, and the new one after.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from clearplan.core.errors import OutputError, ReadError
from clearplan.core.folders import (
    RECORD,
    inner_folders,
    is_folder,
    is_ours,
    names_in,
    ours_in,
    refuse_narrower,
    refuse_unfit,
    tier_of,
)
from clearplan.core.locks import beside, locked
from clearplan.core.writing import clear_half_written


@dataclass(frozen=True)
class _Moves:
    """The journal of an exchange: names of files that leave the folder and that come in, relative to it.

    fresh : name of the folder beside it in which the new result was written
    undo : the exchange goes back
    """

    fresh: str
    leaving: list[str]
    coming: list[str]
    undo: bool = False


@contextmanager
def replaced(
    folder: Path, ours: Collection[str], *, tier: str | None = None, tiers: Sequence[str] = ()
) -> Iterator[Path]:
    """A new folder to write a result into, which takes the place of the last one when the block ends well.

    Parameters
    ----------
    folder : path
        Folder that shall hold the results.
    ours : collection of str
        Names of the files that a run writes, with ``/`` for those in a folder of it; they go, with what other programs
        laid beside them. All others in ``folder`` are the user's: they are never moved.
    tier : str, optional
        Tier of the new result; None where it has none.
    tiers : sequence of str, optional
        From the widest circle of readers to the narrowest.

    Raises
    ------
    OutputError
        It can't be written; another process writes it; files of a narrower tier would stay in it.
    ValueError
        A file that was written is not among ``ours``.
    """
    shown, folder, fresh = folder, Path(os.path.realpath(folder)), None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder) as still_held:
            _recover(folder, ours, tiers)
            refuse_unfit(folder, tier, ours, tiers)
            fresh = Path(tempfile.mkdtemp(prefix=beside(folder, "new-").name, dir=folder.parent))
            try:
                yield fresh
                still_held()
                refuse_unfit(folder, tier, ours, tiers)
                _swap(folder, fresh, ours, tiers)
            finally:
                with suppress(OSError):  # the next run clears it away
                    _clear(folder, ours, tiers)
    except OutputError as error:  # of one file, in a folder that the user never sees
        raise OutputError(str(error).replace(str(fresh), str(folder)).replace(str(folder), str(shown))) from None
    except OSError as error:
        raise OutputError(f"{shown}: can't be written ({error}); choose another folder with --out") from None


def refuse_folder(folder: Path, tier: str, ours: Collection[str], tiers: Sequence[str]) -> None:
    """Complete what a dead run left in a folder; then the folder is new, empty or a run's, and fits the tier.

    Parameters
    ----------
    folder, tier, ours, tiers
        As for :func:`replaced`.

    Raises
    ------
    OutputError
        Another process writes it, it is not ours, or files of a narrower tier would stay.
    """
    shown, folder = folder, Path(os.path.realpath(folder))
    try:
        there = next(part for part in folder.parents if os.path.lexists(part))
        if not there.is_dir():
            raise OutputError(f"{folder}: can't be written ({there} is no folder); choose another folder with --out")
        if there != folder.parent:
            return  # its folder is made when there is something to write
        with locked(folder):
            _recover(folder, ours, tiers)
            refuse_unfit(folder, tier, ours, tiers)
    except OutputError as error:
        raise OutputError(str(error).replace(str(folder), str(shown))) from None
    except OSError as error:
        raise OutputError(f"{shown}: can't be written ({error}); choose another folder with --out") from None


def refuse_half_exchanged(folder: Path) -> None:
    """No result is read from a folder between two results.

    Raises
    ------
    ReadError
        A run exchanges its files, or died while it did.
    """
    folder = Path(os.path.realpath(folder))
    if folder.name and beside(folder, "moves").exists():
        raise ReadError(
            f"{folder}: is between two results, because a run exchanges its files or ended while it did; if none is at "
            "work, run the project into this folder again, which first completes the exchange"
        )


# --- the exchange


def _swap(folder: Path, fresh: Path, ours: Collection[str], tiers: Sequence[str]) -> None:
    """Our files leave and the new ones come in; on any error, all is as it was."""
    coming = sorted((path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if not path.is_dir()), key=_last)
    undeclared = [name for name in coming if name not in ours]
    if undeclared:
        raise ValueError(f"{undeclared[0]}: is not among the files that a run declares; add it to them")
    for name in coming:
        _flush(fresh / name)
    folder.mkdir(exist_ok=True)
    moves = _Moves(fresh.name, ours_in(folder, ours), coming)
    try:
        _write_journal(folder, moves)
        _exchange(folder, moves)
        _refuse_what_came(folder, ours, tiers)
    except BaseException:
        _undo(folder, moves)
        raise
    _end_exchange(folder, moves)


def _last(name: str) -> tuple[bool, str]:
    """The record comes in last: a folder without it is between two results."""
    return name == RECORD, name


def _exchange(folder: Path, moves: _Moves) -> None:
    """Every move that was not yet made; it may be called again after a death at any of them."""
    old, fresh = beside(folder, "old"), folder.with_name(moves.fresh)
    if moves.undo:
        aside, source, leaving, coming = fresh, old, moves.coming, moves.leaving
    else:
        aside, source, leaving, coming = old, fresh, moves.leaving, moves.coming
    aside.mkdir(exist_ok=True)
    for name in leaving:
        arrived = name in coming and not os.path.lexists(source / name)
        if os.path.lexists(folder / name) and not os.path.lexists(aside / name) and not arrived:
            _move(folder / name, aside / name)
    for name in sorted(coming, key=_last):
        if os.path.lexists(source / name):
            _move(source / name, folder / name)


def _move(path: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    path.rename(to)


def _undo(folder: Path, moves: _Moves) -> None:
    """Back to the last result."""
    back = replace(moves, undo=True)
    _write_journal(folder, back)
    _exchange(folder, back)
    _end_exchange(folder, back)


def _refuse_what_came(folder: Path, ours: Collection[str], tiers: Sequence[str]) -> None:
    """What the user laid into the folder meanwhile may be of the last run, whose tier was narrower."""
    if tiers:
        tier = tier_of(folder / RECORD, tiers)
        refuse_narrower(folder, tier, ours, tiers, record=beside(folder, "old") / RECORD)


def _end_exchange(folder: Path, moves: _Moves) -> None:
    """The moves are on the disk before their journal goes."""
    for inner in sorted(inner_folders((*moves.leaving, *moves.coming))):
        with suppress(OSError):  # it still holds files
            (folder / inner).rmdir()
        _flush_folder(folder / inner)
    _flush_folder(folder)
    beside(folder, "moves").unlink()
    _flush_folder(folder.parent)


# --- the journal, and what a dead run left


def _write_journal(folder: Path, moves: _Moves) -> None:
    journal, half = beside(folder, "moves"), beside(folder, "moves-half")
    half.write_text(json.dumps(asdict(moves)) + "\n", encoding="utf-8")
    _flush(half)
    half.replace(journal)
    _flush_folder(folder.parent)


def _read_journal(folder: Path) -> _Moves | None:
    journal = beside(folder, "moves")
    try:
        return _Moves(**json.loads(journal.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise OutputError(f"{journal}: can't be read; move it away, and look at what lies beside it") from None


def _flush(path: Path) -> None:
    """What was written to a file is on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """What was renamed in a folder is on the disk, where the system can be asked for it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _recover(folder: Path, ours: Collection[str], tiers: Sequence[str]) -> None:
    """Complete what a dead run had begun, and clear away what it left."""
    moves = _read_journal(folder)
    if moves is not None:
        folder.mkdir(exist_ok=True)
        if not moves.undo and not folder.with_name(moves.fresh).is_dir():
            moves = replace(moves, undo=True)  # somebody removed the new result
        _exchange(folder, moves)
        try:
            _refuse_what_came(folder, ours, () if moves.undo else tiers)
        except OutputError:
            _undo(folder, moves)
        else:
            _end_exchange(folder, moves)
    elif beside(folder, "old").exists() and not folder.exists():
        beside(folder, "old").rename(folder)  # earlier versions of clearplan renamed the folder itself
    _clear(folder, ours, tiers)


def _clear(folder: Path, ours: Collection[str], tiers: Sequence[str]) -> None:
    """Clear away what is no longer wanted of ours, unless an exchange has yet to be completed."""
    if beside(folder, "moves").exists():
        return
    beside(folder, "moves-half").unlink(missing_ok=True)
    written = re.compile(re.escape(beside(folder, "new-").name) + "[a-z0-9_]+")
    for path in list(folder.parent.iterdir()):
        if written.fullmatch(path.name) and is_folder(path):
            shutil.rmtree(path, ignore_errors=True)
    _clear_old(folder, ours, tiers)
    for path in (folder, folder.parent):
        if path.is_dir():
            clear_half_written(path)


def _clear_old(folder: Path, ours: Collection[str], tiers: Sequence[str]) -> None:
    """Our old files go one by one. Earlier versions could leave files of the user's among them: those go back."""
    old = beside(folder, "old")
    if not is_folder(old):
        return
    if _may_go_back(folder, old, tiers):
        for name in names_in(old, ours):
            if not is_ours(old, name, ours) and not os.path.lexists(folder / name):
                _move(old / name, folder / name)
    for name in reversed(ours_in(old, ours)):
        (old / name).unlink()
    for path in (*(old / name for name in sorted(inner_folders(ours))), old):
        with suppress(OSError):
            path.rmdir()


def _may_go_back(folder: Path, old: Path, tiers: Sequence[str]) -> bool:
    """Whether files that lay beside an old result may lie beside the new one."""
    held, record = old / RECORD, folder / RECORD
    if not held.exists() or not record.exists() or not tiers:
        return True
    return tiers.index(tier_of(held, tiers)) <= tiers.index(tier_of(record, tiers))
