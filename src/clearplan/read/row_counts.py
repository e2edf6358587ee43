"""Rows that a file says it holds: counted before anything is parsed, and held against what came out of it."""

from __future__ import annotations

import json
import mmap
import struct
import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, BinaryIO
from xml.parsers import expat

from clearplan.core.errors import ReadError
from clearplan.read.archives import members, zip_names
from clearplan.read.dbase import index_rows, siblings, table_rows
from clearplan.settings.limits import LimitSettings

_BLOCK = 1 << 20  # bytes
#: Formats whose layers keep a count of their rows.
_COUNTED_BY_GDAL = (".gpkg", ".gdb", ".tab")
#: Elements of XML formats that are rows; none stands within another.
_ROW_ELEMENTS = {".gpx": {"wpt", "rte", "trk"}, ".kml": {"placemark"}}
#: Among the attributes of a table from a server, and so of its copy: how many rows the server counts.
SERVER_ROWS = "server_rows"
#: Words that begin a shape of a MapInfo exchange file; "none" stands for a row without one.
_MAPINFO_SHAPES = set(b"none point line pline region arc text rect roundrect ellipse multipoint".split())
#: Places of two fields in the header of a FlatGeobuf file (its schema, header.fbs), and the size of no index given.
_FEATURES, _NODE_SIZE, _USUAL_NODE = 8, 9, 16


def check_rows(path: Path, limits: LimitSettings, layer: str | None = None) -> int | None:
    """Rows that a file claims, no more than the limit: a header that lies would make a library ask for all memory.

    None where it claims none, and for a text, whose lines are only an upper bound: its reader counts its records.

    Raises
    ------
    ReadError
        It claims more, or a row of XML stands within another: GDAL would lose what stands behind the inner one.
    """
    _refuse_nested(path)
    is_text = path.suffix.lower() in (".csv", ".tsv", ".txt")
    rows = _lines(path) if is_text else claimed_rows(path, layer)
    if rows is not None and rows > limits.max_rows:
        raise ReadError(
            f"{path}: holds {rows:,} rows by its own count; more than {limits.max_rows:,} are not read "
            "(max_rows in [limits])"
        )
    return None if is_text else rows


def _refuse_nested(path: Path) -> None:
    """Rows of GPX, KML and KMZ stand side by side."""
    suffix = path.suffix.lower()
    if suffix == ".kmz":
        with zipfile.ZipFile(path) as bundle:
            for entry in members(path):
                if entry.filename.lower().endswith(".kml"):
                    with bundle.open(entry) as file:
                        _refuse_nested_in(f"{path}, {entry.filename[:200]}", file, _ROW_ELEMENTS[".kml"])
    elif suffix in _ROW_ELEMENTS:
        with path.open("rb") as file:
            _refuse_nested_in(str(path), file, _ROW_ELEMENTS[suffix])


def _refuse_nested_in(where: str, file: IO[bytes], row_elements: set[str]) -> None:
    parser = expat.ParserCreate()
    open_rows: list[str] = []

    def start(name: str, _: object) -> None:
        local = name.rpartition(":")[2]
        if local.casefold() not in row_elements:
            return
        if open_rows:
            raise ReadError(
                f"{where}: <{local}> in line {parser.CurrentLineNumber} stands within <{open_rows[-1]}>; close each "
                "before the next begins, or export the file again"
            )
        open_rows.append(local)

    def end(name: str) -> None:
        if name.rpartition(":")[2].casefold() in row_elements:
            open_rows.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.ParseFile(file)
    except (expat.ExpatError, ValueError, LookupError):  # its reader says what is wrong with the XML or its encoding
        return


def claimed_rows(path: Path, layer: str | None = None) -> int | None:
    """Rows by the header of a file, of a copy by its server, without reading a row; None where none is stated.

    Of a shapefile the larger count of its table and its index; of a file with several layers the one that is named, or
    the largest.
    """
    suffix = path.suffix.lower()
    if suffix == ".shp":
        return _shapefile_rows(path)
    if suffix == ".zip":
        return _zipped_rows(path)
    if suffix in (".parquet", ".geoparquet"):
        return _parquet_rows(path)
    if suffix == ".fgb":
        return _flatgeobuf_rows(path)
    if suffix in (".geojsonl", ".geojsonseq"):
        return _sequence_rows(path)
    if suffix == ".mif":
        return _mapinfo_rows(path)
    return _by_gdal(path, layer) if suffix in _COUNTED_BY_GDAL else None


def counts_itself(suffix: str, tables: Sequence[object]) -> bool:
    """Whether GDAL takes a count in the file for the truth and leaves out the rows beyond it, unless it is asked.

    ``tables`` are those of a shapefile, whose count is not of that kind, in an archive too.
    """
    return suffix in _COUNTED_BY_GDAL or (suffix == ".zip" and not tables)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        ends = [(block.count(b"\n"), block.count(b"\r")) for block in iter(lambda: file.read(_BLOCK), b"")]
    return max(sum(feeds for feeds, _ in ends), sum(returns for _, returns in ends))


def _sequence_rows(path: Path) -> int:
    """Features of a text that has one per line, or a mark (RFC 8142) before each."""
    content = path.read_bytes()
    return sum(bool(part.strip()) for part in content.split(b"\x1e" if b"\x1e" in content else b"\n"))


def _mapinfo_rows(path: Path) -> int | None:
    """Rows of the text that holds the columns of a MapInfo exchange file; None without it.

    Within quotes a text may run over several lines. An odd number of quotes would join the rows after it: the shapes,
    counted apart, show it.
    """
    columns = next((part for part in siblings(path) if part.suffix.lower() == ".mid"), None)
    if columns is None:
        return None
    rows, is_inside, is_filled = 0, False, False
    for line in columns.read_bytes().split(b"\n"):
        is_filled |= bool(line.strip())
        is_inside ^= bool(line.count(b'"') % 2)
        if not is_inside:
            rows, is_filled = rows + is_filled, False
    return max(rows + is_filled, _mapinfo_shapes(path))


def _mapinfo_shapes(path: Path) -> int:
    """Shapes of a MapInfo exchange file, each of which begins a line; 0 with a collection, which holds further ones."""
    lines = path.read_bytes().lower().partition(b"\ndata")[2].split(b"\n")
    kinds = [line.split(maxsplit=1)[0] for line in lines if line.strip()]
    return 0 if b"collection" in kinds else sum(kind in _MAPINFO_SHAPES for kind in kinds)


def _shapefile_rows(path: Path) -> int | None:
    counts = []
    for part in siblings(path):
        if part.suffix.lower() == ".dbf":
            with part.open("rb") as file:
                counts.append(table_rows(file.read(8)))
        elif part.suffix.lower() == ".shx":
            counts.append(index_rows(part.stat().st_size))
    return max(counts, default=None)


def _zipped_rows(path: Path) -> int | None:
    """Of the only shapefile in an archive; other formats in it are counted by nobody."""
    try:
        stems = [name[:-4] for name in zip_names(path) if name.lower().endswith(".shp")]
        if len(stems) != 1:
            return None
        with zipfile.ZipFile(path) as bundle:
            parts = {entry.filename.lower(): entry for entry in bundle.infolist()}
            table, index = (parts.get(stems[0].lower() + suffix) for suffix in (".dbf", ".shx"))
            counts = [] if index is None else [index_rows(index.file_size)]
            if table is not None:
                with bundle.open(table) as file:
                    counts.append(table_rows(file.read(8)))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return None  # its reader says what is wrong
    return max(counts, default=None)


def _parquet_rows(path: Path) -> int | None:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        footer = read_metadata(path)
        # Where pandas keeps the attrs of a table.
        attributes = json.loads((footer.metadata or {}).get(b"PANDAS_ATTRS", b"{}"))
    except (ArrowException, ValueError):
        return None  # its reader says what is wrong
    claimed = attributes.get(SERVER_ROWS) if isinstance(attributes, dict) else None
    return claimed if type(claimed) is int else int(footer.num_rows)


def _flatgeobuf_rows(path: Path) -> int | None:
    """Features by the header, or by the bytes that follow it where these are more; 0 in the header means unknown.

    Layout after FlatGeobuf 3: 8 bytes, the size of the header, the header (a FlatBuffers table), an index, then each
    feature behind its size.
    """
    with path.open("rb") as file:
        head = file.read(12)
        size = int.from_bytes(head[8:12], "little")
        header = file.read(size) if len(head) == 12 and size <= path.stat().st_size else b""
        try:
            claimed, node = _header_fields(header)
        except struct.error:
            return None  # its reader says what is wrong
        if claimed == 0 or node != 0:
            return claimed or None  # an index is as long as the count says: with a wrong one no feature can be read
        return max(claimed, _sized_parts(file))


def _header_fields(header: bytes) -> tuple[int, int]:
    """(features, size of a node of the index) of a FlatGeobuf header."""
    (table,) = struct.unpack_from("<I", header)
    (back,) = struct.unpack_from("<i", header, table)
    places = table - back
    (length,) = struct.unpack_from("<H", header, places)

    def place(field: int) -> int:
        return struct.unpack_from("<H", header, places + 4 + 2 * field)[0] if 4 + 2 * field < length else 0

    features, node = place(_FEATURES), place(_NODE_SIZE)
    return (
        struct.unpack_from("<Q", header, table + features)[0] if features else 0,
        struct.unpack_from("<H", header, table + node)[0] if node else _USUAL_NODE,
    )


def _sized_parts(file: BinaryIO) -> int:
    """Parts from here on that stand behind their sizes and end where the file ends; 0 where they don't."""
    count, at = 0, file.tell()
    with closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as content:
        end = len(content)
        while at + 4 <= end:
            at, count = at + 4 + struct.unpack_from("<I", content, at)[0], count + 1
    return count if at == end else 0


def _by_gdal(path: Path, layer: str | None) -> int | None:
    import pyogrio

    try:
        names = [layer] if layer else _data_layers(pyogrio.list_layers(path))
        counts = [int(pyogrio.read_info(path, layer=name)["features"]) for name in names]
    except Exception:  # its reader says what is wrong
        return None
    return max((count for count in counts if count >= 0), default=None)


def _data_layers(layers: Sequence[Sequence[object]]) -> list[str]:
    return [str(name) for name, _ in layers if name != "layer_styles"]
