"""What a file is, by its first bytes, before any library opens it; what would lead out of the file is refused.

GDAL opens by content, not by name: a virtual file named ``.gpkg`` reads other files, and can ask servers. So a file's
first bytes and the root of its XML must be those of its suffix, and nothing in it may name another source.
"""

from __future__ import annotations

import mmap
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from clearplan.core.errors import ReadError
from clearplan.core.first_bytes import HEAD_BYTES, binary_format, plain_head, root_of, what_is
from clearplan.read.archives import check_size, member_head, members
from clearplan.settings.limits import LimitSettings

#: First bytes of each binary format, and its words in a message.
_BINARY: dict[str, tuple[bytes, str]] = {
    ".gpkg": (b"SQLite format 3\x00", "a GeoPackage"),
    ".shp": (b"\x00\x00\x27\x0a", "a shapefile"),
    ".fgb": (b"fgb", "a FlatGeobuf file"),
    ".parquet": (b"PAR1", "a Parquet file"),
    ".geoparquet": (b"PAR1", "a Parquet file"),
    ".gz": (b"\x1f\x8b", "a gzip archive"),
    ".zip": (b"PK", "a ZIP archive"),
    ".kmz": (b"PK", "a KMZ file"),
    ".xlsx": (b"PK", "an XLSX workbook"),
}
#: Root element of each XML format.
_ROOTS = {".kml": "kml", ".gpx": "gpx"}
#: What each text format begins with, after white space, and its words in a message.
_TEXTS = {
    ".geojson": (rb"\x1e?[{\[]", "GeoJSON"),
    ".json": (rb"\x1e?[{\[]", "GeoJSON or Esri JSON"),
    ".geojsonl": (rb"\x1e?\s*\{", "GeoJSON of one feature per line"),
    ".geojsonseq": (rb"\x1e?\s*\{", "GeoJSON of one feature per line"),
    ".tab": (rb"!table", "a MapInfo table"),
    ".mif": (rb"version", "a MapInfo interchange file"),
}
#: Suffixes of data in an archive, each checked by its first bytes, and of what GDAL would open or follow there.
_DATA = {".shp", ".gpkg", ".fgb", *_ROOTS, *_TEXTS}
_PACKED_IN = {".vrt", ".gml", ".xsd", ".gfs", ".wfs", ".zip", ".kmz", ".gz", ".tar", ".tgz", ".7z", ".rar", ".sqlite"}
#: What makes GDAL read other files or ask a server, wherever it stands in a text that it takes for its own.
_LEADING_OUT = re.compile(
    rb"<(OGRVRT|VRTDataset|OGRWFS|OGROAPIF|(\w+:)?WFS_Capabilities|(\w+:)?WMS_Capabilities|WMT_MS_|GDAL_WMS|WCS_GDAL"
    rb"|OGRCSW|GDALG|(\w+:)?Capabilities\b|!ENTITY)|gdal_streamed_alg|opengis\.net/gml",
)
#: SQL functions and modules of GDAL by which a view or table reads what is outside the database.
_SQL_LEADING_OUT = re.compile(r"gdal_get_\w+|ogr_geocode\w*|ogr_layer_\w+|ogr_datasource_\w+|load_extension", re.I)
_MODULE = re.compile(r"create\s+virtual\s+table.*?\busing\s+[\"'`\[]?(\w+)", re.I | re.S)
_MODULES = {"rtree", "rtree_i32", "fts3", "fts4", "fts5"}
#: A CRS of its own in a line of GeoJSON, or a letter written so that its name isn't seen.
_CRS_OF_LINE = re.compile(rb'"crs"\s*:|\\u00[4-7][0-9a-f]', re.I)
_TABLE_LEADING_OUT = re.compile(rb'^\s*(open\s+table|create\s+view|file\s+".*[/\\:])', re.I | re.M)


def check_seal(path: Path, limits: LimitSettings) -> None:
    """A vector file or table is what its suffix says, and holds nothing that leads out of it.

    Raises
    ------
    ReadError
        It is something else, is damaged or too large, or names another file or a server.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        if not any(part.suffix.lower() == ".gdbtable" for part in path.iterdir()):
            raise ReadError(f"{path}: is no file geodatabase; copy the whole .gdb folder")
        return
    size_mb = path.stat().st_size / 1e6
    if size_mb > limits.max_file_mb:
        raise ReadError(
            f"{path}: has {size_mb:,.0f} MB; more than {limits.max_file_mb:,} MB are not read (max_file_mb in [limits])"
        )
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if suffix == ".gdb":
        raise ReadError(f"{path}: is a file; a file geodatabase is a folder, copy all of it")
    check_head(str(path), suffix, head)
    if suffix == ".gpkg":
        _check_database(path)
    elif suffix in (".zip", ".kmz", ".xlsx"):
        check_size(path, limits)
        for entry in members(path):
            _check_member(path, entry)
    elif suffix in _ROOTS or suffix in _TEXTS:
        _check_text(path, suffix)


def check_head(name: str, suffix: str, head: bytes) -> None:
    """The first bytes of a file fit its suffix; ``name`` opens the message.

    >>> check_head("a.gpkg", ".gpkg", b"<OGRVRTDataSource>")
    Traceback (most recent call last):
    clearplan.core.errors.ReadError: a.gpkg: is XML with the root OGRVRTDataSource, not a GeoPackage; save it again...
    """
    text = plain_head(head)
    if suffix in _BINARY and not head.startswith(_BINARY[suffix][0]):
        raise _not_that(name, head, _BINARY[suffix][1])
    if suffix in _ROOTS and (root_of(text) or "").casefold() != _ROOTS[suffix]:
        raise _not_that(name, head, suffix[1:].upper())
    if suffix in _TEXTS and not re.match(_TEXTS[suffix][0], text.lstrip(), re.I):
        raise _not_that(name, head, _TEXTS[suffix][1])
    if suffix in (".csv", ".tsv", ".txt") and (what := binary_format(head)):
        raise ReadError(f"{name}: is {what}, not text; give it the suffix of its format, or save it as CSV")


def _check_member(path: Path, entry: zipfile.ZipInfo) -> None:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    where, suffix = f"{path}, {entry.filename[:200]}", name.suffix.lower()
    if entry.flag_bits & 0x1:
        raise ReadError(f"{where}: is locked with a password; unpack it, and zip it without one")
    if ".." in name.parts or name.is_absolute():
        raise ReadError(f"{where}: leads out of the archive; zip it again")
    if path.suffix.lower() == ".xlsx":
        return
    if suffix in _PACKED_IN:
        raise ReadError(f"{where}: {suffix} is not read in an archive; zip the data alone")
    if suffix in _DATA:
        head = member_head(path, entry, HEAD_BYTES)
        check_head(where, suffix, head)
        if match := _LEADING_OUT.search(head):
            raise ReadError(f"{where}: {match.group().decode('ascii', 'replace')!r} leads out of the file")


def _not_that(name: str, head: bytes, wanted: str) -> ReadError:
    return ReadError(f"{name}: is {what_is(head)}, not {wanted}; save it again, or give it the suffix of its format")


def _check_text(path: Path, suffix: str) -> None:
    """Nothing in a text leads out of it, wherever it stands."""
    with _bytes_of(path) as content:
        match = _LEADING_OUT.search(content)
        if match is None and suffix == ".tab":
            match = _TABLE_LEADING_OUT.search(content)
        if match is None and suffix in (".geojsonl", ".geojsonseq"):
            match = _CRS_OF_LINE.search(content)
        if match is not None:
            line = content[: match.start()].count(b"\n") + 1
            words = " ".join(match.group().decode("ascii", "replace").split())
            raise ReadError(f"{path}, line {line}: {words!r} leads out of the file; save the data themselves")


def _bytes_of(path: Path) -> closing[mmap.mmap]:
    with path.open("rb") as file:
        return closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _check_database(path: Path) -> None:
    """No table or view of a GeoPackage reads what is outside it."""
    for name, sql in _schema(path):
        module = _MODULE.match(sql.strip())
        if module is not None and module.group(1).casefold() not in _MODULES:
            raise ReadError(
                f"{path}: table {name!r} is a virtual table of {module.group(1)}, which can lead out of the file; "
                "save its rows as a layer"
            )
        if function := _SQL_LEADING_OUT.search(sql):
            raise ReadError(
                f"{path}: {name!r} uses {function.group()}, which leads out of the file; save it as a layer"
            )


def _schema(path: Path) -> Iterator[tuple[str, str]]:
    # A log beside the file holds rows that were not yet moved into it; without one nothing may be written there.
    log = path.with_name(path.name + "-wal")
    still = "" if log.is_file() and log.stat().st_size else "&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro{still}", uri=True)) as database:
            yield from [
                (str(name), str(sql))
                for name, sql in database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            ]
    except sqlite3.Error as error:
        raise ReadError(
            f"{path}: is a damaged GeoPackage ({error}); copy it again, or save it again in a GIS"
        ) from None
