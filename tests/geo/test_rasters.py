"""Relief: light, shade, and what is unknown."""

import io

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from pyproj import CRS
from rasterio import Affine

from clearplan.core.errors import CrsError, ReadError
from clearplan.geo.rasters import _shade, hillshade_png, mean_slope, relief_of
from tests.conftest import SAMPLE


def write(path, height, crs="EPSG:32638"):
    with rasterio.open(
        path, "w", driver="GTiff", width=height.shape[1], height=height.shape[0], count=1, dtype="float32",
        crs=crs, transform=Affine(1000, 0, 600_000, 0, -1000, 4_450_000), nodata=-32768,
    ) as out:  # fmt: skip
        out.write(height.astype("float32"), 1)


def pixels(png: bytes) -> np.ndarray:
    from matplotlib.image import imread

    return imread(io.BytesIO(png), format="png")


def test_light_comes_from_the_north_west():
    row, column = np.mgrid[0:20, 0:20] * 100.0
    flat = _shade(np.zeros((20, 20)), 100.0)
    # 45 degrees high: flat land has the sine of that; a slope of 45 degrees facing the light is fully lit.
    assert flat == pytest.approx(np.full((20, 20), np.sin(np.pi / 4)))
    towards = _shade((row + column) / np.sqrt(2), 100.0)  # rises to the south-east, faces north-west
    away = _shade(-(row + column) / np.sqrt(2), 100.0)
    assert towards == pytest.approx(np.ones((20, 20)))
    assert away == pytest.approx(np.zeros((20, 20)), abs=1e-12)


def test_unknown_height_is_transparent_and_bounds_hold_the_raster(tmp_path):
    height = np.full((40, 60), 500.0)
    height[:, :20] = -32768
    write(tmp_path / "e.tif", height)
    png, (west, south, east, north) = hillshade_png(tmp_path / "e.tif", largest_px=120)
    picture = pixels(png)
    alpha = picture[..., -1]
    assert alpha[20:-20, :20].max() == 0
    assert alpha[20:-20, 60:-20].min() == 1
    assert max(picture.shape[:2]) == 120
    # UTM 38N easting 600-660 km, northing 4,410-4,450 km by pyproj.
    assert (west, east) == pytest.approx((46.167, 46.88), abs=0.03)
    assert (south, north) == pytest.approx((39.83, 40.2), abs=0.03)


def test_relief_of_the_sample_is_small_and_pale():
    png, _ = hillshade_png(SAMPLE / "terrain" / "elevation_1km_utm38n.tif")
    assert len(png) < 150_000
    picture = pixels(png)
    known = picture[..., -1] == 1
    assert picture[..., 0][known].mean() > 0.8


def test_what_is_no_raster_says_so(tmp_path):
    (tmp_path / "x.tif").write_text("not a raster")
    with pytest.raises(ReadError, match="not a raster"):
        hillshade_png(tmp_path / "x.tif")
    write(tmp_path / "n.tif", np.zeros((5, 5)), crs=None)
    with pytest.raises(CrsError, match="states no CRS"):
        hillshade_png(tmp_path / "n.tif")


@pytest.mark.parametrize("spoil", ["a third cut", "end cut", "name of the CRS"])
def test_a_raster_that_is_damaged_further_in_ends_in_one_line(tmp_path, spoil):
    """It opens by its first bytes, and breaks where its cells or its CRS are read."""
    path = tmp_path / "a.tif"
    write(path, np.outer(np.arange(200.0), np.arange(300.0)))
    content = path.read_bytes()
    if spoil == "a third cut":
        path.write_bytes(content[: len(content) * 2 // 3])
    if spoil == "end cut":
        path.write_bytes(content[:-60_000])
    if spoil == "name of the CRS":
        path = tmp_path / "a.asc"
        path.write_text("ncols 2\nnrows 2\nxllcorner 600000\nyllcorner 4250000\ncellsize 100000\n1 2\n3 4\n")
        named = CRS.from_epsg(32638).to_wkt("WKT1_ESRI").replace("WGS_1984_UTM", "WGS_\udcd1984_UTM")
        path.with_suffix(".prj").write_bytes(named.encode("utf-8", "surrogateescape"))
    field = gpd.GeoDataFrame(geometry=[shapely.box(610_000, 4_255_000, 620_000, 4_265_000)], crs="EPSG:32638")
    extent = (600_000, 4_250_000, 900_000, 4_450_000)
    for reading in (
        lambda: hillshade_png(path),
        lambda: relief_of(path, field.crs, extent, (20, 40)),
        lambda: mean_slope(path, field),
    ):
        with pytest.raises((ReadError, CrsError), match=r"a\.(tif|asc): ") as error:
            reading()
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (1, 1)])
def test_a_strip_of_one_cell_has_no_relief(tmp_path, shape):
    assert np.isnan(_shade(np.zeros(shape), 100.0)).all()
