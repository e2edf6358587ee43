"""Rasters as they are opened: by the one driver that their first bytes ask for, so that none reads another file.

A virtual raster (VRT) named .tif would read other files or ask a server; so would overviews that a file names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from clearplan.core.errors import ReadError
from clearplan.core.first_bytes import HEAD_BYTES, what_is

#: Rasters that are opened: first bytes, and the one GDAL driver that then reads the file.
_RASTERS: tuple[tuple[bytes, str], ...] = (
    (rb"II[*+]\x00|MM\x00[*+]", "GTiff"),
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", "JP2OpenJPEG"),
    (rb"GIF8[79]a", "GIF"),
    (rb"BM", "BMP"),
    (rb"RIFF....WEBP", "WEBP"),
    (rb"UHL1", "DTED"),
    (rb"\s*(?i:ncols|nrows|xllcorner|xllcenter)\s", "AAIGrid"),
)

#: What reading a damaged raster raises, when it is opened or later, when its cells are read.
RASTER_DAMAGE = (RasterioError, CPLE_BaseError, UnicodeDecodeError)


@contextmanager
def damage_named(path: str | Path) -> Iterator[None]:
    """Turn what a damaged raster raises into one line that names it.

    Raises
    ------
    ReadError
        The raster can't be opened, or its cells can't be read.
    """
    try:
        yield
    except RASTER_DAMAGE as error:
        words = " ".join(str(error).split())
        raise ReadError(f"{path}: not a raster that can be read ({words}); give a GeoTIFF") from None


def open_raster(path: str | Path) -> DatasetReader:
    """A raster for reading; it and the files beside it lead nowhere else.

    Raises
    ------
    ReadError
        It is none of the formats that are read, or names another file.
    RasterioError, CPLE_BaseError, UnicodeDecodeError
        It is damaged (``RASTER_DAMAGE``).
    """
    path = Path(path)
    driver = _driver(path)
    _check_beside(path)
    source = rasterio.open(path, driver=driver)
    if named := source.tags(ns="OVERVIEWS").get("OVERVIEW_FILE"):
        source.close()
        raise ReadError(f"{path}: takes its overviews from {named[:80]!r}; save it again as GeoTIFF")
    return source


def _check_beside(path: Path) -> None:
    for suffix in (".ovr", ".msk"):
        beside = path.with_name(path.name + suffix)
        if beside.is_file() and not re.match(_RASTERS[0][0], beside.read_bytes()[:4]):
            raise ReadError(f"{beside}: is no TIFF; delete it, or build the overviews again")
    for beside in (path.with_name(path.name + ".aux.xml"), path.with_suffix(".aux.xml")):
        if beside.is_file() and re.search(rb"OVERVIEW_FILE|SourceFilename|/vsi", beside.read_bytes()):
            raise ReadError(f"{beside}: names another file; delete it, or save the raster again as GeoTIFF")


def _driver(path: Path) -> str:
    """The one GDAL driver that may read a raster, by its first bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise ReadError(f"{path}: can't be read as a raster ({error.strerror}); give a GeoTIFF") from None
    driver = next((name for magic, name in _RASTERS if re.match(magic, head, re.S)), None)
    if driver is None and path.suffix.lower() == ".hgt":
        driver = "SRTMHGT"  # which has no head
    if driver is None:
        raise ReadError(f"{path}: is {what_is(head)}, not a raster that is read; give a GeoTIFF")
    return driver
