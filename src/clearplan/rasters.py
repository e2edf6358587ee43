"""Rasters: relief as a small picture."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import rasterio
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from .errors import CrsError, ReadError

LonLatBounds = tuple[float, float, float, float]

#: Light from the north-west, 45 degrees high: the convention under which relief is read as relief.
_AZIMUTH_DEG, _ALTITUDE_DEG = 315.0, 45.0
_LEVELS = 24  # shades of grey; more only make the file larger


def hillshade_png(path: str | Path, *, exaggeration: float = 4.0, largest_px: int = 700) -> tuple[bytes, LonLatBounds]:
    """Pale grey shaded relief of an elevation raster as PNG, in Web Mercator for a map page.

    Parameters
    ----------
    path : path
        Any raster that GDAL reads, elevation [m] in band 1.
    exaggeration : float
        Vertical exaggeration; coarse elevations need one to be seen at all.
    largest_px : int
        Longer side of the picture [pixels].

    Returns
    -------
    (png, (west, south, east, north) [degrees])
        The picture, transparent where the elevation is unknown, and where its edges lie.

    Raises
    ------
    ReadError
        The file can't be read.
    CrsError
        It states no CRS.

    Notes
    -----
    Lambert shading: brightness is the cosine of the angle between light and surface normal
    (Horn 1981, https://doi.org/10.1109/PROC.1981.11918, eq. for the ideal diffuse surface).
    """
    try:
        source = rasterio.open(path)
    except RasterioIOError as error:
        raise ReadError(f"{path}: not a raster that can be read ({error}); give a GeoTIFF") from None
    with source:
        if source.crs is None:
            raise CrsError(f"{path}: states no CRS; write one into the file, it is never guessed")
        with WarpedVRT(source, crs="EPSG:3857", resampling=Resampling.cubic_spline) as first:
            factor = largest_px / max(first.width, first.height)
            width, height = round(first.width * factor), round(first.height * factor)
            west, south, east, north = first.bounds
            transform = Affine((east - west) / width, 0, west, 0, (south - north) / height, north)
        with WarpedVRT(
            source, crs="EPSG:3857", resampling=Resampling.cubic_spline,
            transform=transform, width=width, height=height,
        ) as warped:  # fmt: skip
            height_m = warped.read(1, masked=True).astype("float32").filled(np.nan)
            bounds = transform_bounds("EPSG:3857", "EPSG:4326", *warped.bounds)
    cell_m = float(transform.a) * np.cos(np.radians((bounds[1] + bounds[3]) / 2))
    return _png(_shade(height_m * exaggeration, cell_m)), bounds


def _shade(height_m: np.ndarray, cell_m: float) -> np.ndarray:
    """Brightness 0-1 of a surface in the light; NaN where the height or a neighbour is unknown."""
    down, right = np.gradient(height_m, cell_m)
    azimuth, altitude = np.radians(_AZIMUTH_DEG), np.radians(_ALTITUDE_DEG)
    # Rows run south, so the slope towards north is the gradient along rows with its sign turned.
    light = np.array([np.sin(azimuth) * np.cos(altitude), np.cos(azimuth) * np.cos(altitude), np.sin(altitude)])
    cosine = (-right * light[0] + down * light[1] + light[2]) / np.sqrt(right**2 + down**2 + 1)
    shade: np.ndarray = np.clip(cosine, 0, 1)
    return shade


def _png(shade: np.ndarray) -> bytes:
    """Grey and alpha; flat land is nearly the page's ground, so that colours above it keep their contrast."""
    known = np.isfinite(shade)
    level = np.round(np.where(known, shade, 0) * (_LEVELS - 1)) / (_LEVELS - 1)
    grey = np.clip(165 + 95 * level, 0, 250).astype("uint8")
    bands = np.stack([np.where(known, grey, 0).astype("uint8"), np.where(known, 255, 0).astype("uint8")])
    with warnings.catch_warnings():
        # A picture without a place on Earth is what we want here.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with MemoryFile() as memory:
            with memory.open(
                driver="PNG", width=grey.shape[1], height=grey.shape[0], count=2, dtype="uint8", ZLEVEL=9
            ) as out:
                out.write(bands)
            return bytes(memory.read())
