"""The table of a shapefile, as its bytes are: encoding, rows and cells that GDAL reads without a word.

Layout after dBASE III (header of 32 bytes, one of 32 bytes for each field) and the ESRI Shapefile Technical
Description of 1998 (an index of 100 bytes and 8 for each shape).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearplan.core.errors import ReadError
from clearplan.read.archives import zip_names
from clearplan.read.spreadsheets import readings
from clearplan.tables.check import Fault, fault

#: What a .cpg says that names no encoding: whatever the computer used that wrote it.
_NO_ENCODING = ("", "oem", "ansi", "system")
#: Language drivers that state none: "not stated", and "whatever this computer uses".
_NO_DRIVER = (0x00, 0x57)


@dataclass(frozen=True)
class Field:
    """A field of a table: name, type (C, N, F, D, L ...), first byte in a record, width."""

    name: str
    type: str
    at: int
    width: int


@dataclass(frozen=True)
class Table:
    """Bytes of one shapefile's parts; ``shapes`` is what its index counts, None without one."""

    name: str
    dbf: bytes
    cpg: bytes | None
    shapes: int | None

    @property
    def rows(self) -> int:
        """Rows that the header counts."""
        return table_rows(self.dbf)

    @property
    def fields(self) -> list[Field]:
        """Fields in their order."""
        header = int.from_bytes(self.dbf[8:10], "little")
        fields, at = [], 1
        for k in range(32, min(header, len(self.dbf)) - 32, 32):
            if self.dbf[k] == 0x0D:
                break
            name = self.dbf[k : k + 11].split(b"\0")[0].decode("ascii", "replace")
            fields.append(Field(name, chr(self.dbf[k + 11]), at, self.dbf[k + 16]))
            at += self.dbf[k + 16]
        return fields

    @property
    def cells(self) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        """Bytes of the records that are whole: (rows, bytes of a record)."""
        header, length = int.from_bytes(self.dbf[8:10], "little"), int.from_bytes(self.dbf[10:12], "little")
        body = np.frombuffer(self.dbf, np.uint8)[header:] if length else np.empty(0, np.uint8)
        whole = min(len(body) // length, self.rows) if length else 0
        return body[: whole * length].reshape(whole, max(length, 1))


def tables_of(path: Path) -> list[Table]:
    """Tables of a shapefile, or of each shapefile in a ZIP."""
    if path.suffix.lower() == ".shp":
        parts = {part.suffix.lower(): part for part in siblings(path)}
        if ".dbf" not in parts:
            return []
        cpg = parts[".cpg"].read_bytes() if ".cpg" in parts else None
        shapes = index_rows(parts[".shx"].stat().st_size) if ".shx" in parts else None
        return [Table(parts[".dbf"].name, parts[".dbf"].read_bytes(), cpg, shapes)]
    names = {name.lower(): name for name in zip_names(path)}
    tables = []
    with zipfile.ZipFile(path) as bundle:
        for low, real in names.items():
            if low.endswith(".dbf"):
                stated, index = names.get(low[:-4] + ".cpg"), names.get(low[:-4] + ".shx")
                shapes = None if index is None else index_rows(bundle.getinfo(index).file_size)
                cpg = None if stated is None else bundle.read(stated)
                tables.append(Table(real, bundle.read(real), cpg, shapes))
    return tables


def siblings(path: Path) -> list[Path]:
    """Files of a format of several files (shapefile, MapInfo): of its stem, in capitals or not; the exact stem first.

    Of two tables ``MF.dbf`` and ``mf.dbf`` beside ``mf.shp``, only the second is its own.
    """
    same = [part for part in path.parent.iterdir() if part.stem.casefold() == path.stem.casefold() and part.is_file()]
    exact = {part.suffix.casefold() for part in same if part.stem == path.stem}
    return sorted(part for part in same if part.stem == path.stem or part.suffix.casefold() not in exact)


def table_rows(head: bytes) -> int:
    """Rows that the header of a dbf counts."""
    return int.from_bytes(head[4:8], "little")


def index_rows(size: int) -> int:
    """Shapes that an index of this size holds [bytes]."""
    return max(size - 100, 0) // 8


def lost_rows(file: str, tables: list[Table]) -> list[Fault]:
    """Tables with other rows than shapes, and tables that are cut off: some of either are lost."""
    faults = []
    for table in tables:
        if table.shapes is not None and table.shapes != table.rows:
            rule = f"{table.name} has {table.rows} rows for {table.shapes} shapes"
            remedy = "export the layer again: rows or shapes are missing"
            faults.append(fault(file, None, "", "", rule, "error", remedy))
        whole = len(table.cells)
        if whole < table.rows:
            rule = f"{table.name} is cut: its header counts {table.rows} rows, {whole} are there"
            faults.append(fault(file, None, "", "", rule, "error", "copy or export the file again"))
    return faults


def table_faults(file: str, tables: list[Table]) -> list[Fault]:
    """Numbers that were too wide for their field and were lost."""
    faults = []
    for table in tables:
        for field in table.fields:
            cells = table.cells[:, field.at : field.at + field.width]
            stars = (np.isin(cells, (0x20, 0x2A)).all(axis=1)) & (cells == 0x2A).any(axis=1)
            rule, remedy = "number was too wide for its field and is lost", "widen the field and export again"
            if field.type in "NF":
                rows = (np.flatnonzero(stars) + 1).tolist()
                faults += [fault(file, row, field.name, "*" * field.width, rule, "error", remedy) for row in rows]
    return faults


def refuse_unstated_encoding(path: Path, tables: list[Table]) -> None:
    """Refuse a shapefile whose text is not ASCII and whose encoding is not stated, or stated wrongly."""
    for table in tables:
        text = _first_foreign_text(table)
        if text is None:
            continue
        stated = (table.cpg or b"").decode("ascii", "ignore").strip().lower().replace("-", "")
        if stated in ("utf8", "65001"):
            try:
                text.decode("utf-8")
            except UnicodeDecodeError:
                raise ReadError(f"{path}: {table.name} says UTF-8 and is not; {readings(text)}") from None
        elif stated in _NO_ENCODING and (stated or table.dbf[29] in _NO_DRIVER):
            said = f"says {stated.upper()}, which names" if stated else "states"
            raise ReadError(f"{path}: {table.name} {said} no encoding; {readings(text)}")


def _first_foreign_text(table: Table) -> bytes | None:
    """First text cell with a byte beyond ASCII."""
    if len(table.dbf) < 33 or table.dbf.isascii():
        return None
    for field in table.fields:
        cells = table.cells[:, field.at : field.at + field.width]
        foreign = np.flatnonzero((cells > 0x7F).any(axis=1))
        if field.type == "C" and len(foreign):
            return bytes(cells[foreign[0]].tobytes()).strip()
    return None
