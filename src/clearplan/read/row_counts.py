"""Rows that a file says it holds, counted before anything is parsed."""

from __future__ import annotations

from pathlib import Path

from clearplan.core.errors import ReadError
from clearplan.read.dbase import siblings
from clearplan.settings.limits import LimitSettings

_BLOCK = 1 << 20  # bytes


def check_rows(path: Path, limits: LimitSettings) -> None:
    """A file claims no more rows than the limit; a header that lies would make a library ask for all memory.

    Raises
    ------
    ReadError
        It claims more.
    """
    rows = claimed_rows(path)
    if rows is not None and rows > limits.max_rows:
        raise ReadError(
            f"{path}: holds {rows:,} rows by its own count; more than {limits.max_rows:,} are not read "
            "(max_rows in [limits])"
        )


def claimed_rows(path: Path) -> int | None:
    """Rows by the header of a dbf or Parquet file, or by the lines of a text; None where none is stated."""
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        with path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
    if suffix == ".shp":
        dbf = next((part for part in siblings(path) if part.suffix.lower() == ".dbf"), None)
        return None if dbf is None else _dbf_rows(dbf)
    if suffix in (".parquet", ".geoparquet"):
        from pyarrow import ArrowException
        from pyarrow.parquet import read_metadata

        try:
            return int(read_metadata(path).num_rows)
        except ArrowException:
            return None  # its reader says what is wrong
    if suffix in (".gpkg", ".fgb"):
        return _by_gdal(path)
    return None


def _by_gdal(path: Path) -> int | None:
    import pyogrio

    try:
        names = [name for name, _ in pyogrio.list_layers(path)]
        return max((int(pyogrio.read_info(path, layer=name)["features"]) for name in names), default=0)
    except Exception:  # its reader says what is wrong
        return None


def _dbf_rows(path: Path) -> int:
    with path.open("rb") as file:
        return int.from_bytes(file.read(8)[4:8], "little")
