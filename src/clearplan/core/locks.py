"""A folder has one writer at a time: a lock file beside it names host, number and start of the process that writes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clearplan.core.errors import OutputError
from clearplan.core.processes import has_ended, process_of, this_process


def beside(folder: Path, ending: str) -> Path:
    """A file of ours beside a folder: hidden, and named after it.

    >>> print(beside(Path("out/karabakh"), "lock").as_posix())
    out/.karabakh.lock
    """
    if not folder.name:
        raise OutputError(f"{folder}: is a whole disk; name a folder on it")
    return folder.with_name(f".{folder.name}.{ending}")


@contextmanager
def locked(folder: Path) -> Iterator[Callable[[], None]]:
    """The right to write a folder, until the block ends; a function that raises if it was taken away.

    The lock of a process of this computer that has ended is broken; that of another computer never is.

    Raises
    ------
    OutputError
        Another process has the lock, or it was broken meanwhile.
    OSError
        No file can be written beside the folder.
    """
    path, text = beside(folder, "lock"), this_process().text
    with _alone(folder.parent):
        _clear_ended(folder, path)
        _create(folder, path, text)

    def still_held() -> None:
        if _text_of(path) != text:
            raise OutputError(f"{folder}: the lock {path} was broken by somebody else; run again")

    try:
        yield still_held
    finally:
        with suppress(OSError), _alone(folder.parent):
            if _text_of(path) == text:
                path.unlink()


def break_lock(folder: Path) -> str | None:
    """Take away the lock of a folder; a sentence that names whose it was, None where there is none.

    Raises
    ------
    OutputError
        The process still runs on this computer.
    """
    folder = Path(os.path.realpath(folder))
    path = beside(folder, "lock")
    try:
        with _alone(folder.parent):
            text = _text_of(path)
            if text is None:
                return None
            process = process_of(text)
            if process is not None and process.place == this_process().place and not has_ended(process):
                raise OutputError(f"{_holder(folder, path, text)}; it still runs: wait for its end, or end it first")
            path.unlink()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"{path}: can't be removed ({error.strerror}); ask the owner of the folder") from None
    return f"the lock was broken; {_holder(folder, path, text)}"


def _clear_ended(folder: Path, path: Path) -> None:
    """No lock is in the way: there is none, or it is of a process that has ended."""
    for half in path.parent.iterdir():
        if half.name.startswith(f"{path.name}-"):
            half.unlink(missing_ok=True)  # of a process that died while it wrote its lock
    text = _text_of(path)
    if text is None:
        return
    process = process_of(text)
    if process is None or not has_ended(process):
        raise _in_use(folder, path, text)
    path.unlink(missing_ok=True)


def _create(folder: Path, path: Path, text: str) -> None:
    """The lock appears with all its text, or not at all."""
    half = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    try:
        half.write_text(text, encoding="utf-8")
        _link(half, path)
    except FileExistsError:
        raise _in_use(folder, path, _text_of(path) or "") from None
    finally:
        half.unlink(missing_ok=True)


def _link(half: Path, path: Path) -> None:
    """Give a file its name, which no file may bear yet."""
    try:
        os.link(half, path)
    except FileExistsError:
        raise
    except OSError:  # disks without hard links, such as exFAT
        path.open("x").close()
        half.replace(path)


def _in_use(folder: Path, path: Path, text: str) -> OutputError:
    remedy = "wait for its end, or add --break-lock if it no longer runs there"
    return OutputError(f"{_holder(folder, path, text)}; {remedy}")


def _holder(folder: Path, path: Path, text: str) -> str:
    process = process_of(text)
    if process is None:
        return f"{folder}: another process writes it, which its lock file {path} does not name"
    return (
        f"{folder}: process {process.pid} on {process.host}, started {process.started_at}, writes it (lock file {path})"
    )


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process of this computer looks at locks in a folder meanwhile.

    Else one that found the lock of a dead process could remove the one that another made in its place. Disks that
    know no such thing leave this moment open.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
