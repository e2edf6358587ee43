"""Rasters: relief as a small picture; scans by their control points; cells as Cloud-Optimised GeoTIFF."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from rasterio import Affine
from rasterio._err import CPLE_BaseError
from rasterio.control import GroundControlPoint
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.features import rasterize
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster
from rasterio.transform import GCPTransformer, from_gcps
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from clearplan.core.crs import require_metres
from clearplan.core.errors import CrsError, OutputError, ReadError, SettingsError
from clearplan.geo.grids import BLOCK, Grid, Window
from clearplan.geo.raster_files import RASTER_DAMAGE, damage_named, open_raster

LonLatBounds = tuple[float, float, float, float]

#: Light from the north-west, 45 degrees high: the convention under which relief is read as relief.
_AZIMUTH_DEG, _ALTITUDE_DEG = 315.0, 45.0
_LEVELS = 24  # shades of grey; more only make the file larger

#: Memory for blocks of open rasters [bytes]; GDAL's own default is 5 % of the machine's, which grows with the region.
_CACHE_BYTES = 32 * 2**20
Colours = Mapping[int, tuple[int, int, int, int]]


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
    with (
        damage_named(path),
        opened(path) as source,
        WarpedVRT(source, resampling=Resampling.cubic_spline, **_mercator(source, largest_px)) as warped,
    ):
        height_m = warped.read(1, masked=True).astype("float32").filled(np.nan)
        bounds = transform_bounds("EPSG:3857", "EPSG:4326", *warped.bounds)
        side = float(warped.transform.a)
    cell_m = side * np.cos(np.radians((bounds[1] + bounds[3]) / 2))
    return _png(_shade(height_m * exaggeration, cell_m)), bounds


def relief_of(
    path: str | Path, crs: CRS, extent: LonLatBounds, shape: tuple[int, int]
) -> tuple[NDArray[np.floating], float]:
    """Shaded relief of a rectangle of a map, for sheets of paper.

    Parameters
    ----------
    path : path
        Any raster that GDAL reads, elevation [m] in band 1.
    crs : CRS
        Of the map, in metres.
    extent : (west, south, east, north)
        In that CRS [m].
    shape : (rows, columns)

    Returns
    -------
    (array (rows, columns), float)
        Brightness, 0 to 1; NaN where the elevation is not known. Shaded as :func:`hillshade_png`. And the side of the
        raster's own cells [m]: a map that shows them large shows no relief.

    Raises
    ------
    ReadError, CrsError
        The file can't be read, or states no CRS.
    """
    west, south, east, north = extent
    side = (east - west) / shape[1]
    transform = Affine(side, 0, west, 0, (south - north) / shape[0], north)
    frame = {"crs": crs.to_wkt(), "transform": transform, "width": shape[1], "height": shape[0]}
    with damage_named(path), opened(path) as source:
        with WarpedVRT(source, crs=crs.to_wkt()) as own:
            cell_m = float(own.transform.a)
        with WarpedVRT(source, resampling=Resampling.cubic_spline, **frame) as warped:
            height_m = warped.read(1, masked=True).astype("float32").filled(np.nan)
    return _shade(height_m * 4.0, side), cell_m


def mean_slope(path: str | Path, polygons: gpd.GeoDataFrame) -> np.ndarray:
    """Mean slope of the ground in each polygon, from a raster of elevations (n) [degrees]; NaN where it has none.

    Parameters
    ----------
    path : path
        Any raster that GDAL reads, elevation [m] in band 1.
    polygons : GeoDataFrame
        In a metric CRS; they do not overlap. One that holds no cell's centre takes the cell of its inner point.

    Raises
    ------
    ReadError, CrsError
        The file can't be read, or states no CRS.

    Notes
    -----
    Central differences on the raster's own cells (numpy.gradient); a coarse raster flattens what it shows.
    """
    crs = require_metres(polygons)
    with (
        damage_named(path),
        opened(path) as source,
        WarpedVRT(source, crs=crs.to_wkt(), resampling=Resampling.bilinear) as warped,
    ):
        height_m = warped.read(1, masked=True).astype("float64").filled(np.nan)
        frame = warped.transform
    south, east = np.gradient(height_m, abs(frame.e), abs(frame.a)) if min(height_m.shape) > 1 else (0 * height_m,) * 2
    slope = np.degrees(np.arctan(np.hypot(south, east)))
    shapes = polygons.geometry.to_numpy()
    known = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    out = np.full(len(shapes), np.nan)
    if not len(known):
        return out
    burnt = rasterize(
        ((shape, k + 1) for k, shape in zip(known, shapes[known], strict=True)),
        out_shape=slope.shape,
        transform=frame,
        dtype="int32",
    )
    told = np.isfinite(slope) & (burnt > 0)
    count = np.bincount(burnt[told], minlength=len(shapes) + 1)[1:]
    total = np.bincount(burnt[told], weights=slope[told], minlength=len(shapes) + 1)[1:]
    np.divide(total, count, out=out, where=count > 0)
    for k in known[count[known] == 0]:
        x, y = shapely.get_coordinates(shapely.point_on_surface(shapes[k]))[0]
        column, row = (int(np.floor(at)) for at in ~frame @ (x, y))
        if 0 <= row < slope.shape[0] and 0 <= column < slope.shape[1]:
            out[k] = slope[row, column]
    return out


def opened(path: str | Path) -> Any:
    """A raster that states its CRS; whoever reads it names its damage (``damage_named``)."""
    source = open_raster(path)
    if source.crs is None:
        source.close()
        raise CrsError(f"{path}: states no CRS; write one into the file, it is never guessed")
    return source


def _mercator(source: Any, largest_px: int) -> dict[str, Any]:
    """Web Mercator frame of a raster whose longer side has so many pixels, as a warp takes it."""
    with WarpedVRT(source, crs="EPSG:3857") as first:
        factor = largest_px / max(first.width, first.height)
        width, height = max(round(first.width * factor), 1), max(round(first.height * factor), 1)
        west, south, east, north = first.bounds
    transform = Affine((east - west) / width, 0, west, 0, (south - north) / height, north)
    return {"crs": "EPSG:3857", "transform": transform, "width": width, "height": height}


def _shade(height_m: np.ndarray, cell_m: float) -> np.ndarray:
    """Brightness 0-1 of a surface in the light; NaN where the height or a neighbour is unknown."""
    if min(height_m.shape) < 2:  # a strip of one cell has no slope across it
        return np.full(height_m.shape, np.nan)
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
    return _as_png(np.stack([np.where(known, grey, 0).astype("uint8"), np.where(known, 255, 0).astype("uint8")]))


def _as_png(bands: np.ndarray, **options: int) -> bytes:
    with warnings.catch_warnings():
        # A picture without a place on Earth is what we want here.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with MemoryFile() as memory:
            with memory.open(
                driver="PNG",
                width=bands.shape[2],
                height=bands.shape[1],
                count=len(bands),
                dtype="uint8",
                **{"ZLEVEL": 9} | options,
            ) as out:
                out.write(bands)
            return bytes(memory.read())


def codes_png(codes: np.ndarray) -> bytes:
    """Codes of cells (rows, columns), 0 to 15, as a PNG of 16 greys, each 17 times the code when it is shown."""
    return _as_png(codes[None], ZLEVEL=4, NBITS=4)


def surface_png(shares: str | Path, evidence: str | Path, *, largest_px: int = 900) -> tuple[bytes, LonLatBounds]:
    """A surface as a picture that carries its numbers, in Web Mercator for a map page.

    Parameters
    ----------
    shares, evidence : path
        The two rasters of a surface: contaminated share x 10,000 (nodata: nobody knows), and code of the strongest
        evidence.
    largest_px : int
        Longer side of the picture [pixels].

    Returns
    -------
    (png, (west, south, east, north) [degrees])
        Red: level = round(63 (4 + log10 p)), so that p = 10 ** (level / 63 - 4) within 2 %. Green: code of evidence.
        Where nobody knows both are 0 and blue is 255. The highest share under a pixel stands for it: a small
        field never drowns in its surroundings.

    Raises
    ------
    ReadError
        A file can't be read.
    """
    try:
        first, second = open_raster(shares), open_raster(evidence)
    except RASTER_DAMAGE as error:
        raise ReadError(f"{shares}: not a surface that can be read ({error}); run the plan again") from None
    with first, second:
        frame = _mercator(first, largest_px)
        with WarpedVRT(first, resampling=Resampling.max, **frame) as warped:
            parts = warped.read(1, masked=True)
            bounds = transform_bounds("EPSG:3857", "EPSG:4326", *warped.bounds)
        with WarpedVRT(second, resampling=Resampling.mode, **frame) as warped:
            code = warped.read(1, masked=True)
    known = ~np.ma.getmaskarray(parts) & ~np.ma.getmaskarray(code)
    level = np.rint(63 * np.log10(np.maximum(parts.filled(1), 1))).astype("uint8")
    bands = np.stack([np.where(known, level, 0), np.where(known, code.filled(0), 0), np.where(known, 0, 255)])
    return _as_png(bands.astype("uint8")), bounds


def raster_gcps(path: Path) -> tuple[pd.DataFrame, CRS | None]:
    """Control points that a raster carries (point, column, row, x, y, enabled), and their CRS.

    Raises
    ------
    ReadError
        It is no raster, or carries none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with open_raster(path) as source:
                gcps, crs = source.gcps
    except RASTER_DAMAGE as error:
        raise ReadError(f"{path}: can't be read as a raster ({error}); give a .points file or the scan") from None
    if not gcps:
        raise ReadError(f"{path}: carries no control points; give the .points file that belongs to it")
    rows = [(k, gcp.col, gcp.row, gcp.x, gcp.y, True) for k, gcp in enumerate(gcps, start=1)]
    table = pd.DataFrame(rows, columns=["point", "column", "row", "x", "y", "enabled"])
    return table, CRS.from_wkt(crs.to_wkt()) if crs else None


def _gcps(points: pd.DataFrame) -> list[GroundControlPoint]:
    columns = (points[name].to_numpy(float) for name in ("row", "column", "x", "y"))
    return [GroundControlPoint(row=r, col=c, x=x, y=y) for r, c, x, y in zip(*columns, strict=True)]


def gcp_map(
    points: pd.DataFrame, column: Iterable[float], row: Iterable[float], *, thin_plate: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Map coordinates of pixels by GDAL's polynomial (second order from 6 points on) or thin plate through points.

    Raises
    ------
    SettingsError
        The points lie so that the model can't be solved.
    """
    try:
        with GCPTransformer(_gcps(points), tps=thin_plate) as move:
            x, y = move.xy(list(row), list(column), offset="ul")
    except CPLE_BaseError as error:
        numbers = ", ".join(str(number) for number in points["point"][:12])
        model = "thin-plate" if thin_plate else "polynomial"
        raise SettingsError(
            f"{model} can't be solved from control points {numbers} alone ({error}); pick points over the whole sheet, "
            "or use the affine model"
        ) from None
    return np.asarray(x, dtype=float), np.asarray(y, dtype=float)


def warp_by_gcps(
    image: Path, points: pd.DataFrame, crs: CRS, out: Path, *, model: str, resolution_m: float | None
) -> None:
    """A scan drawn straight by its control points, as a tiled and compressed GeoTIFF with a mask where it has no paper.

    Raises
    ------
    ReadError
        The image can't be read.
    OSError
        The file can't be written.
    """
    own = rasterio.crs.CRS.from_wkt(crs.to_wkt())
    method = {"affine": {}, "polynomial": {"SRC_METHOD": "GCP_POLYNOMIAL"}, "thin-plate": {"SRC_METHOD": "GCP_TPS"}}
    options = {"crs": own, "src_crs": own, "add_alpha": True, "resampling": Resampling.bilinear} | method[model]
    with warnings.catch_warnings(), MemoryFile() as memory:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        _copied(image, memory, points, own, by_gcps=model != "affine")
        with (
            memory.open() as source,
            WarpedVRT(source, **options, **_frame(source, options, resolution_m)) as straight,
        ):
            tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "driver": "GTiff"}
            profile = {
                "count": source.count,
                "dtype": source.dtypes[0],
                "width": straight.width,
                "crs": own,
                "height": straight.height,
                "transform": straight.transform,
            } | tiled
            with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(out, "w", **profile) as target:
                target.write(straight.read(list(range(1, source.count + 1))))
                target.write_mask(straight.read(straight.count))


def _copied(image: Path, memory: MemoryFile, points: pd.DataFrame, crs: Any, *, by_gcps: bool) -> None:
    """The scan with these control points, in memory: the user's file stays as it is."""
    try:
        with open_raster(image) as scan:
            profile = {
                "driver": "GTiff",
                "count": scan.count,
                "dtype": scan.dtypes[0],
                "width": scan.width,
                "height": scan.height,
            }
            pixels = scan.read()
    except RASTER_DAMAGE as error:
        raise ReadError(f"{image}: can't be read as a raster ({error}); save the scan as TIFF, PNG or JPEG") from None
    with memory.open(**profile) as copy:
        copy.write(pixels)
        if by_gcps:
            copy.gcps = (_gcps(points), crs)
        else:
            copy.transform, copy.crs = from_gcps(_gcps(points)), crs


def _frame(source: Any, options: dict[str, Any], resolution_m: float | None) -> dict[str, Any]:
    """Size and place of the straightened scan, where a resolution is asked for."""
    if resolution_m is None:
        return {}
    with WarpedVRT(source, **options) as straight:
        left, bottom, right, top = straight.bounds
    return {
        "transform": Affine(resolution_m, 0, left, 0, -resolution_m, top),
        "width": max(round((right - left) / resolution_m), 1),
        "height": max(round((top - bottom) / resolution_m), 1),
    }


@contextmanager
def write_cells(
    path: Path,
    grid: Grid,
    *,
    dtype: str,
    nodata: int,
    colours: Colours,
    description: str,
    tags: Mapping[str, str],
    scale: float = 1.0,
) -> Iterator[Callable[[Window, np.ndarray], None]]:
    """A Cloud-Optimised GeoTIFF of one band, written window by window: ``write(window, values)``.

    Blocks of 256 cells, deflate with predictor, overviews by the nearest cell (a code or an unknown has no mean),
    statistics, a colour table; the tags hold what is handed in, and no clock. The file appears under its name when it
    is complete.

    Parameters
    ----------
    dtype : 'uint8' or 'uint16'
        Types that may have a colour table.
    scale : float
        Value = stored number x scale; kept as the band's scale.

    Raises
    ------
    OutputError
        The file can't be written.
    """
    raw, fresh = path.with_name(f".{path.name}.raw.tif"), path.with_name(f".{path.name}.new.tif")
    profile = {
        "driver": "GTiff",
        "width": grid.columns,
        "height": grid.rows,
        "count": 1,
        "dtype": dtype,
        "nodata": nodata,
        "crs": rasterio.crs.CRS.from_wkt(grid.crs.to_wkt()),
        "transform": Affine(grid.cell_m, 0, grid.x0, 0, -grid.cell_m, grid.y1),
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "deflate",
        "zlevel": 1,
        "bigtiff": "if_safer",
    }
    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES):
            with rasterio.open(raw, "w", **profile) as out:
                out.write_colormap(1, dict(colours))
                out.set_band_description(1, description)
                out.scales = (scale,)
                out.update_tags(**tags)

                def write(window: Window, values: np.ndarray) -> None:
                    rows, columns = window.row, window.column
                    place = rasterio.windows.Window(columns, rows, window.columns, window.rows)
                    out.write(values.astype(dtype, copy=False), 1, window=place)

                yield write
            copy_raster(
                raw,
                fresh,
                driver="COG",
                compress="deflate",
                level=6,
                predictor="yes",
                blocksize=BLOCK,
                overview_resampling="nearest",
                statistics="yes",
                bigtiff="if_safer",
            )
        fresh.replace(path)
    except (RasterioIOError, OSError) as error:
        raise OutputError(f"{path}: can't be written ({error}); name another folder") from None
    finally:
        raw.unlink(missing_ok=True)
        fresh.unlink(missing_ok=True)


def read_cells(path: Path, window: Window | None = None) -> np.ndarray:
    """Stored numbers of the first band, whole or in a window.

    Raises
    ------
    ReadError
        The file can't be read.
    """
    try:
        with open_raster(path) as source:
            place = None
            if window is not None:
                place = rasterio.windows.Window(window.column, window.row, window.columns, window.rows)
            values: np.ndarray = source.read(1, window=place)
            return values
    except RASTER_DAMAGE as error:
        raise ReadError(f"{path}: not a raster that can be read ({error}); make the surface again") from None


def ramp_style(stops: Sequence[tuple[float, tuple[int, int, int], str]]) -> str:
    """QGIS style (.qml) of a raster whose numbers run through colours; unknown cells are transparent.

    >>> 'color="#0a0b0c"' in ramp_style([(0, (255, 255, 255), "0 %"), (10, (10, 11, 12), "100 %")])
    True
    """
    items = "\n".join(
        f'          <item value="{value:g}" label="{escape(label)}" alpha="255" color="{_hex(colour)}"/>'
        for value, colour, label in stops
    )
    low, high = stops[0][0], stops[-1][0]
    return _qml(
        f'''      <rasterrenderer type="singlebandpseudocolor" band="1" opacity="0.8" alphaBand="-1"
        classificationMin="{low:g}" classificationMax="{high:g}">
        <rastershader><colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0"
          minimumValue="{low:g}" maximumValue="{high:g}">
{items}
        </colorrampshader></rastershader>
      </rasterrenderer>'''
    )


def code_style(codes: Sequence[tuple[float, tuple[int, int, int], str]]) -> str:
    """QGIS style (.qml) of a raster of codes, each with its colour and name.

    >>> 'label="roads"' in code_style([(1, (0, 0, 0), "roads")])
    True
    """
    items = "\n".join(
        f'          <paletteEntry value="{value:g}" label="{escape(label)}" alpha="255" color="{_hex(colour)}"/>'
        for value, colour, label in codes
    )
    return _qml(
        f"""      <rasterrenderer type="paletted" band="1" opacity="0.8" alphaBand="-1">
        <colorPalette>
{items}
        </colorPalette>
      </rasterrenderer>"""
    )


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _qml(renderer: str) -> str:
    return f"""<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">
<qgis version="3.28.0" styleCategories="AllStyleCategories">
  <pipe>
{renderer}
    <brightnesscontrast brightness="0" contrast="0" gamma="1"/>
    <huesaturation saturation="0" grayscaleMode="0"/>
    <rasterresampler maxOversampling="2"/>
  </pipe>
  <blendMode>0</blendMode>
</qgis>
"""
