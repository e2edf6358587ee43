"""Archives (ZIP, KMZ, XLSX, QGZ, gzip): what they hold, and to how much they unpack."""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from pathlib import Path

from clearplan.core.errors import OutputError, ReadError
from clearplan.settings.limits import LimitSettings

_FREE_BYTES = 64 << 20  # to so much every archive may unpack, whatever its factor
_BLOCK = 1 << 20  # bytes


def members(path: Path) -> list[zipfile.ZipInfo]:
    """Files of an archive, without the shadow files that macOS adds.

    Raises
    ------
    ReadError
        It is no archive, or a damaged one.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = bundle.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
        raise ReadError(f"{path}: is not a ZIP archive that can be read ({error}); zip or save it again") from None
    if not all(entry.filename for entry in entries):
        raise ReadError(f"{path}: holds a file without a name; zip or save it again")
    return [entry for entry in entries if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]


def zip_names(path: Path) -> list[str]:
    """Names of the files of an archive."""
    return [entry.filename for entry in members(path)]


def check_size(path: Path, limits: LimitSettings) -> None:
    """An archive unpacks to no more than the limits.

    Raises
    ------
    ReadError
        It would unpack to more, or is damaged.
    """
    _refuse_size(path, sum(entry.file_size for entry in members(path)), limits)


def unpack_gzip(path: Path, folder: Path, limits: LimitSettings) -> Path:
    """The file of a gzip archive, unpacked into a folder under its name without ``.gz``.

    Raises
    ------
    ReadError
        It would unpack to more than the limits, or is damaged.
    OutputError
        There is no space to unpack it.
    """
    unpacked = folder / path.stem
    try:
        with gzip.open(path) as source, unpacked.open("wb") as target:
            while block := source.read(_BLOCK):
                target.write(block)
                _refuse_size(path, target.tell(), limits)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ReadError(f"{path}: is a damaged gzip archive ({error}); copy it again, or pack it again") from None
    except OSError as error:
        raise OutputError(
            f"{path}: can't be unpacked to {tempfile.gettempdir()} ({error.strerror}); free space there, or set TMPDIR"
        ) from None
    return unpacked


def _refuse_size(path: Path, unpacked: int, limits: LimitSettings) -> None:
    """Refuse an archive that unpacks to more bytes than the limits."""
    packed = max(path.stat().st_size, 1)
    if unpacked > limits.max_file_mb * 1e6:
        raise ReadError(
            f"{path}: unpacks to more than {limits.max_file_mb:,} MB, which are not read (max_file_mb in [limits])"
        )
    if unpacked > _FREE_BYTES and unpacked > limits.max_unpack_factor * packed:
        raise ReadError(
            f"{path}: unpacks to more than {limits.max_unpack_factor:,} times its size, which is not read "
            "(max_unpack_factor in [limits])"
        )


def member_head(path: Path, entry: zipfile.ZipInfo, size: int) -> bytes:
    """First bytes of a file in an archive."""
    try:
        with zipfile.ZipFile(path) as bundle, bundle.open(entry) as file:
            return file.read(size)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ReadError(f"{path}, {entry.filename[:200]}: is damaged ({error}); zip it again") from None
