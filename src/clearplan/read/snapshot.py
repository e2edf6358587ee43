"""Copies of all inputs, made once before anything is read: hashes, tables and drawings are of the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clearplan.core.errors import ClearplanError, OutputError, ReadError
from clearplan.read.dbase import siblings
from clearplan.settings.limits import LimitSettings

_TRIES, _PAUSE_S = 3, 0.2  # of copying a file that somebody is writing
_SEVERAL = {".shp", ".tab", ".mif"}  # formats of several files with one stem
_RASTER_PARTS = (".aux.xml", ".ovr", ".msk")
_WORLD_FILES = (".tfw", ".tifw", ".wld", ".pgw", ".jgw", ".j2w", ".gfw", ".bpw", ".aux.xml", ".prj")
_RASTERS = {".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2", ".gif", ".bmp", ".webp", ".asc", ".hgt", ".dt0", ".dt1"}
_LOGS = ("-wal", "-journal")  # of an SQLite database: rows that are not yet in the file itself


class Snapshot:
    """Copies of files in a folder of their own, which goes when the snapshot goes."""

    def __init__(self, paths: Iterable[Path], limits: LimitSettings) -> None:
        try:
            folder = Path(tempfile.mkdtemp(prefix="clearplan-"))
        except OSError as error:
            raise OutputError(f"inputs can't be copied ({error.strerror}); set TMPDIR to a folder with space") from None
        self._folder: Path | None = folder
        self._homes: dict[Path, Path] = {}
        self._states: dict[Path, tuple[int, int]] = {}
        self._sums: dict[Path, str] = {}
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        with self.removed_on_error():
            for path in dict.fromkeys(Path(os.path.abspath(path)) for path in paths):
                self._take(path, limits)

    def __getstate__(self) -> dict[str, object]:
        # Another process has no part in the folder: there every path is its own.
        return {"_folder": None, "_homes": {}, "_states": {}, "_sums": dict(self._sums), "_remove": None}

    def of(self, path: Path) -> Path:
        """The copy of a file; the file itself where it is none of the inputs."""
        home = self._homes.get(Path(os.path.abspath(path)).parent)
        return path if home is None else home / path.name

    def hashes(self, folder: Path) -> dict[str, str]:
        """SHA-256 of every file that was copied, by its path as seen from a folder."""
        return {Path(os.path.relpath(part, folder)).as_posix(): sum_ for part, sum_ in self._sums.items()}

    def changed(self) -> list[str]:
        """Names of the files that are no longer what was copied."""
        return [part.name for part, state in self._states.items() if self._differs(part, state)]

    def in_users_names(self, words: str) -> str:
        """Words in which every copy goes by the name of the user's file."""
        for theirs, home in self._homes.items():
            words = words.replace(f"{home}{os.sep}", f"{theirs}{os.sep}")
        return words

    @contextmanager
    def removed_on_error(self) -> Iterator[None]:
        """The folder goes at once where reading fails; the error would keep it until the process ends, or longer."""
        try:
            with self.named():
                yield
        except BaseException:
            if self._remove is not None:
                self._remove()
            raise

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors raised within name the user's files, never the copies."""
        try:
            yield
        except ClearplanError as error:
            error.args = tuple(self.in_users_names(word) if isinstance(word, str) else word for word in error.args)
            raise

    def _take(self, path: Path, limits: LimitSettings) -> None:
        parts = parts_of(path)
        largest_mb = sum(part.stat().st_size for part in parts) / 1e6
        if largest_mb > limits.max_file_mb:
            raise ReadError(
                f"{path}: has {largest_mb:,.0f} MB; more than {limits.max_file_mb:,} MB are not read "
                "(max_file_mb in [limits])"
            )
        assert self._folder is not None
        home = self._homes.setdefault(path.parent, self._folder / str(len(self._homes)))
        home.mkdir(exist_ok=True)
        readable = [part for part in parts if os.access(part, os.R_OK)]
        for _ in range(_TRIES):
            states = {part: _state(part) for part in readable}
            sums = {part: _copied(part, home / part.relative_to(path.parent)) for part in readable}
            if states == {part: _state(part) for part in readable}:
                self._states |= states
                self._sums |= sums
                return
            time.sleep(_PAUSE_S)
        raise ReadError(f"{path}: changes while it is copied; wait until it is written")

    def _differs(self, part: Path, state: tuple[int, int]) -> bool:
        try:
            return _state(part) != state and _sum(part) != self._sums[part]
        except OSError:
            return True


def parts_of(path: Path) -> list[Path]:
    """The files of an input: all with its stem, all of its folder, or itself and what lies beside it; none if absent.

    >>> parts_of(Path("nowhere.shp"))
    []
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        return sorted(part for part in path.rglob("*") if part.is_file()) if suffix == ".gdb" else []
    if not path.is_file():
        return []
    if suffix in _SEVERAL:
        return siblings(path)
    beside: list[Path] = []
    if suffix == ".gpkg":
        beside = [path.with_name(path.name + log) for log in _LOGS]
    elif suffix in _RASTERS:
        beside = [path.with_name(path.name + part) for part in _RASTER_PARTS]
        beside += [path.with_suffix(part) for part in _WORLD_FILES]
    return [path, *(part for part in dict.fromkeys(beside) if part.is_file() and part.stat().st_size)]


def _state(part: Path) -> tuple[int, int]:
    state = part.stat()
    return state.st_size, state.st_mtime_ns


def _sum(part: Path) -> str:
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copied(part: Path, copy: Path) -> str:
    """SHA-256 of the bytes that were written to a copy."""
    digest = hashlib.sha256()
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with part.open("rb") as source, copy.open("wb") as target:
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
    except OSError as error:
        raise OutputError(
            f"{part}: can't be copied to {tempfile.gettempdir()} ({error.strerror}); free space there, or set TMPDIR"
        ) from None
    return digest.hexdigest()
