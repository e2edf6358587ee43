"""Scanned maps: a simulated sheet whose true places are known, and control points as QGIS writes them."""

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from rasterio.control import GroundControlPoint
from rasterio.transform import from_gcps

from clearplan.core.errors import CrsError, FaultsError, MissingFileError, OutputError, ReadError, SettingsError
from clearplan.records.scans import (
    ControlPoints,
    _mapped,
    compare_models,
    georeference_error,
    read_control_points,
    scan_sigma_m,
    warp_scan,
)
from clearplan.settings.base import check_settings
from clearplan.settings.sources import RecordSettings

# Plain scans have no place on the ground: that is what control points are for.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

GRID = CRS.from_epsg(28408)
PIXEL_M = 4.23  # 300 dpi at 1:50 000
TURN = np.radians(1.2)


def true_pixels(x, y, west, north):
    """Pixels of places on a scan of J-38-010-Б that is turned by 1.2 degrees, stretched by 0.3 % and bowed by 5 px."""
    column, row = (np.asarray(x) - west) / PIXEL_M, (north - np.asarray(y)) / PIXEL_M
    turned = (
        column * np.cos(TURN) - row * np.sin(TURN) + 150,
        1.003 * (column * np.sin(TURN) + row * np.cos(TURN)) + 60,
    )
    middle, width = turned[0].mean() if np.ndim(column) else 2600, 5100
    return turned[0], turned[1] + 5 * (((turned[0] - middle) / (width / 2)) ** 2)


SHEET = np.array(
    Transformer.from_crs(4284, 28408, always_xy=True).transform(
        [46.75, 47.0, 46.75, 47.0], [40.0, 40.0, 39.8333, 39.8333]
    )
).T
WEST, NORTH = SHEET[:, 0].min(), SHEET[:, 1].max()


def lattice(across, seed=1, noise_px=1.5):
    """Control points in a lattice over the sheet, picked with 1.5 px of noise."""
    draw = np.random.default_rng(seed)
    low, high = SHEET.min(axis=0) + 1000, SHEET.max(axis=0) - 1000
    x, y = (part.ravel() for part in np.meshgrid(*(np.linspace(a, b, across) for a, b in zip(low, high, strict=True))))
    column, row = true_pixels(x, y, WEST, NORTH)
    column, row = column + draw.normal(0, noise_px, len(x)), row + draw.normal(0, noise_px, len(x))
    table = pd.DataFrame({"point": range(1, len(x) + 1), "column": column, "row": row, "x": x, "y": y, "enabled": True})
    return ControlPoints(table, GRID)


def to_map(points, model, column, row):
    """Map coordinates [m] of pixels."""
    return _mapped(points.table[points.table["enabled"]], model, np.asarray(column), np.asarray(row))


def true_error(points, model):
    """RMSE at 900 places of the sheet that nobody picked."""
    low, high = SHEET.min(axis=0) + 500, SHEET.max(axis=0) - 500
    x, y = (part.ravel() for part in np.meshgrid(*(np.linspace(a, b, 30) for a, b in zip(low, high, strict=True))))
    found = to_map(points, model, *true_pixels(x, y, WEST, NORTH))
    return float(np.sqrt(np.mean((found[0] - x) ** 2 + (found[1] - y) ** 2)))


@pytest.mark.parametrize(
    ("codes", "words"), [(["EPSG:32638"] * 4, None), (["EPSG:32638"] * 3 + ["EPSG:28408"], "in one CRS")]
)
def test_points_that_state_their_crs_each_are_held_to_it(tmp_path, codes, words):
    head = "mapX,mapY,sourceX,sourceY,enable,dX,dY,residual,crs\n"
    spots = [(0, 0), (1000, 0), (0, 1000), (1000, 1000)]
    rows = [
        f'{664842 + x},{4430282 + y},{x / 10},{-y / 10},1,0,0,0,"{code}"\n'
        for (x, y), code in zip(spots, codes, strict=True)
    ]
    (tmp_path / "s.points").write_text(head + "".join(rows))
    if words is not None:
        with pytest.raises(CrsError, match=words):
            read_control_points(tmp_path / "s.points")
        return
    assert read_control_points(tmp_path / "s.points").crs.to_epsg() == 32638
    with pytest.raises(CrsError, match="drop one of them"):
        read_control_points(tmp_path / "s.points", crs="EPSG:28408")


def test_the_fit_alone_deceives():
    """As the methods note simulated it: at 4 points the affine fit understates the error severalfold, TPS fits all."""
    four = [georeference_error(lattice(2, seed), "affine") for seed in range(20)]
    honest = [true_error(lattice(2, seed), "affine") for seed in range(20)]
    fit = np.mean([found.fit_rmse_m for found in four])
    assert np.mean(honest) > 2 * fit
    assert np.mean([found.leave_one_out_rmse_m for found in four]) > 2 * fit
    plate = georeference_error(lattice(4), "thin-plate")
    assert plate.fit_rmse_m < 1e-3
    assert plate.leave_one_out_rmse_m > 5
    assert plate.words.index("left out") < plate.words.index("fit at its own points")


@pytest.mark.parametrize("model", ["affine", "polynomial", "thin-plate"])
def test_leave_one_out_tells_the_truth_with_16_points(model):
    ratio = [
        georeference_error(lattice(4, seed), model).leave_one_out_rmse_m / true_error(lattice(4, seed), model)
        for seed in range(8)
    ]
    # It includes the noise of the picked point itself, so it errs on the large side.
    assert 0.8 < np.median(ratio) < 3


def test_a_polynomial_follows_the_bow_that_an_affine_map_can_not():
    points = lattice(4)
    assert true_error(points, "polynomial") < true_error(points, "affine")
    table = compare_models(points)
    assert table["model"].tolist() == ["affine", "polynomial", "thin-plate"]
    assert list(table.columns)[2:] == ["leave_one_out_rmse_m", "held_out_rmse_m", "fit_rmse_m"]


def test_affine_is_least_squares_as_rasterio_has_it():
    points = lattice(4)
    own = points.table
    gcps = [GroundControlPoint(row=p.row, col=p.column, x=p.x, y=p.y) for p in own.itertuples()]
    a, b, c, d, e, f = from_gcps(gcps)[:6]
    x, y = (k * own["column"] + m * own["row"] + n for k, m, n in ((a, b, c), (d, e, f)))
    found = to_map(points, "affine", own["column"], own["row"])
    assert np.abs(found[0] - x).max() < 1e-5
    assert np.abs(found[1] - y).max() < 1e-5


@given(st.floats(-3.1, 3.1), st.floats(0.5, 20), st.integers(0, 1000))
def test_an_exact_affine_map_is_found_exactly(turn, pixel_m, seed):
    draw = np.random.default_rng(seed)
    column, row = draw.uniform(0, 5000, (2, 8))
    x = 8_660_000 + pixel_m * (column * np.cos(turn) - row * np.sin(turn))
    y = 4_430_000 - pixel_m * (column * np.sin(turn) + row * np.cos(turn))
    table = pd.DataFrame({"point": range(8), "column": column, "row": row, "x": x, "y": y, "enabled": True})
    assert georeference_error(ControlPoints(table, GRID), "affine").leave_one_out_rmse_m < 1e-3


def written(path, points, header="mapX,mapY,sourceX,sourceY,enable,dX,dY,residual", crs="#CRS: EPSG:28408\n", end="\n"):
    rows = [
        f"{p.x},{p.y},{p.column},{-p.row},{int(p.enabled)}" + ",0,0,0" * ("dX" in header)
        for p in points.table.itertuples()
    ]
    path.write_text(crs + end.join([header, *rows]) + end, newline="")
    return path


def test_points_of_qgis_old_and_new(tmp_path):
    points = lattice(4)
    new = read_control_points(written(tmp_path / "new.points", points))
    old = read_control_points(
        written(tmp_path / "old.points", points, "mapX,mapY,pixelX,pixelY,enable", "", "\r\n"), crs="EPSG:28408"
    )
    for found in (new, old):
        assert found.crs == GRID
        columns = ["column", "row", "x", "y"]
        assert np.allclose(found.table[columns], points.table[columns])
    assert new.table["point"].iloc[0] == 3  # the line of the file
    wkt = read_control_points(written(tmp_path / "wkt.points", points, crs=f"#CRS: {GRID.to_wkt()}\n"))
    assert wkt.crs == GRID
    assert scan_sigma_m(tmp_path / "new.points", "affine") == pytest.approx(
        georeference_error(points, "affine").leave_one_out_rmse_m / np.sqrt(2)
    )


def test_a_crs_speaks_for_points_that_state_none(tmp_path):
    points = lattice(4)
    silent = written(tmp_path / "silent.points", points, crs="")
    stated = written(tmp_path / "stated.points", points)
    expected = georeference_error(points, "affine").sigma_m
    assert scan_sigma_m(silent, "affine", crs="EPSG:28408") == pytest.approx(expected)
    # A plan has one CRS for all of its scans that are silent; what a file states of itself stands.
    assert scan_sigma_m(stated, "affine", crs="EPSG:28409") == pytest.approx(expected)
    with pytest.raises(CrsError, match="states no CRS"):
        scan_sigma_m(silent, "affine")
    with pytest.raises(CrsError, match="kilometre grid"):
        scan_sigma_m(silent, "affine", crs="EPSG:4284")
    for path in (silent, stated):
        with pytest.raises(CrsError, match="not known"):
            scan_sigma_m(path, "affine", crs="EPSG:999999")


def test_records_take_the_crs_of_their_scans():
    raw = {"path": "r.xlsx", "scans": {"sheet": "s.points"}, "scan_crs": "EPSG:28408"}
    assert check_settings(RecordSettings, raw, where="here").scan_crs == "EPSG:28408"
    assert check_settings(RecordSettings, {"path": "r.xlsx"}, where="here").scan_crs is None
    assert "EPSG:28408" in RecordSettings.model_fields["scan_crs"].description


def test_points_files_that_hold_nothing(tmp_path):
    path = tmp_path / "p.points"
    for text in ("mapX,mapY,sourceX,sourceY,enable\n", "#CRS: EPSG:28408\nmapX,mapY,sourceX,sourceY,enable\n\n"):
        path.write_text(text)
        with pytest.raises(ReadError, match=r"holds no control points; pick"):
            read_control_points(path, crs="EPSG:28408")
    path.write_text("mapX,mapY,sourceX,sourceY\n" + '"' + "1" * 200_000)
    with pytest.raises(ReadError, match="points"):
        read_control_points(path, crs="EPSG:28408")
    (tmp_path / "d.points").mkdir()
    with pytest.raises(ReadError, match="can't be read"):
        read_control_points(tmp_path / "d.points", crs="EPSG:28408")


def test_a_model_that_can_not_be_solved_is_told_apart_from_those_that_can():
    # Two rows of three and one point above them: without that one no second-order polynomial can be solved.
    x, y = np.array([0, 10, 20, 0, 10, 20, 10]) * 1e3 + 8.6e6, np.array([0, 0, 0, 10, 10, 10, 20]) * 1e3 + 4.43e6
    table = pd.DataFrame({"point": range(1, 8), "column": (x - 8.6e6) / 10 + [0, 1, 0, 0, 2, 0, 3],
                          "row": (4.46e6 - y) / 10, "x": x, "y": y, "enabled": True})  # fmt: skip
    points = ControlPoints(table, GRID)
    compared = compare_models(points).set_index("model")
    assert np.isfinite(compared.loc["affine", "leave_one_out_rmse_m"])
    assert np.isnan(compared.loc["polynomial", "leave_one_out_rmse_m"])
    with pytest.raises(SettingsError, match=r"polynomial can't be solved from control points 1, 2, 3, 4, 5, 6 alone"):
        georeference_error(points, "polynomial")


def test_disabled_points_are_held_out_and_not_lost():
    points = lattice(4)
    points.table.loc[[5, 10], "enabled"] = False
    found = georeference_error(points, "polynomial")
    assert found.count == 14
    assert found.held_out_rmse_m is not None
    assert len(found.residuals) == 16
    assert found.sigma_m == max(found.leave_one_out_rmse_m, found.held_out_rmse_m) / np.sqrt(2)
    assert georeference_error(lattice(4), "affine", held_out=[3]).count == 15


def test_doubts_are_said():
    points = lattice(4)
    points.table.loc[6, "x"] += 400
    found = georeference_error(points, "affine")
    assert any("point 7 is missed" in words for words in found.warnings)
    assert any("9 or more" in words for words in georeference_error(lattice(2), "affine").warnings)
    corner = ControlPoints(lattice(4).table.iloc[[0, 1, 2, 3, 4, 8, 12]].reset_index(drop=True), GRID)
    assert any("quarter of the sheet" in words for words in georeference_error(corner, "affine").warnings)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text + "abc,4430000,10,-10,1,0,0,0\n", "must be a number"),
        (lambda text: text + text.splitlines()[2] + "\n", "stands twice"),
        (lambda text: text.replace(",-", ","), "above the image"),
    ],
)
def test_broken_points_are_faults(tmp_path, change, rule):
    path = written(tmp_path / "p.points", lattice(3))
    path.write_text(change(path.read_text()))
    with pytest.raises(FaultsError) as error:
        read_control_points(path)
    assert rule in error.value.faults["rule"].iloc[0]


def test_points_that_can_not_serve(tmp_path):
    points = lattice(3)
    path = written(tmp_path / "p.points", points, crs="")
    with pytest.raises(CrsError, match="states no CRS"):
        read_control_points(path)
    with pytest.raises(CrsError, match="kilometre grid"):
        read_control_points(path, crs="EPSG:4284")
    with pytest.raises(CrsError, match="declared"):
        read_control_points(written(tmp_path / "q.points", points), crs="EPSG:32638")
    with pytest.raises(MissingFileError):
        read_control_points(tmp_path / "none.points")
    (tmp_path / "x.points").write_text("a,b\n1,2\n")
    with pytest.raises(ReadError, match="mapX"):
        read_control_points(tmp_path / "x.points", crs="EPSG:28408")
    with pytest.raises(SettingsError, match="leave one out"):
        georeference_error(ControlPoints(points.table.iloc[:3], GRID), "affine")
    with pytest.raises(SettingsError, match="not known"):
        georeference_error(points, "spline")
    line = points.table.iloc[:3].reset_index(drop=True)
    with pytest.raises(FaultsError, match="one line"):
        read_control_points(written(tmp_path / "l.points", ControlPoints(line, GRID)))


@pytest.mark.parametrize("model", ["affine", "polynomial", "thin-plate"])
def test_marks_on_a_warped_scan_lie_where_they_are_on_the_ground(tmp_path, model):
    """A white sheet with black marks at known places, a tenth as fine as the real one."""
    coarse = 10
    points = lattice(4, noise_px=0)
    points.table[["column", "row"]] /= coarse
    sheet = np.full((540, 560), 255, dtype=np.uint8)
    low, high = SHEET.min(axis=0) + 2500, SHEET.max(axis=0) - 2500
    places = [(x, y) for x in np.linspace(low[0], high[0], 3) for y in np.linspace(low[1], high[1], 3)]
    column, row = true_pixels(*np.array(places).T, WEST, NORTH)
    for c, r in zip((column / coarse).astype(int), (row / coarse).astype(int), strict=True):
        sheet[r - 1 : r + 2, c - 1 : c + 2] = 0
    with rasterio.open(tmp_path / "scan.png", "w", driver="PNG", width=560, height=540, count=1, dtype="uint8") as scan:
        scan.write(sheet, 1)
    out = warp_scan(tmp_path / "scan.png", points, tmp_path / "straight.tif", model=model)
    pixel = PIXEL_M * coarse
    with rasterio.open(out) as straight:
        assert straight.crs.to_epsg() == 28408
        picture, paper = straight.read(1), straight.read_masks(1)
        assert 0 < paper.mean() < 255  # what lies beside the turned sheet is no paper
        for x, y in places:
            r, c = straight.index(x, y)
            around = picture[r - 3 : r + 4, c - 3 : c + 4].astype(float)
            weight = 255 - around
            centre = [np.average(axis, weights=weight) - 3 for axis in np.mgrid[:7, :7]]
            assert np.hypot(*centre) * pixel < 1.6 * pixel
    first = out.read_bytes()
    out.unlink()
    assert warp_scan(tmp_path / "scan.png", points, out, model=model).read_bytes() == first
    with pytest.raises(OutputError, match="exists already"):
        warp_scan(tmp_path / "scan.png", points, out, model=model)
    with pytest.raises(OutputError, match=r"\.tif or \.tiff"):
        warp_scan(tmp_path / "scan.png", points, tmp_path / "straight.png", model=model)
    with pytest.raises(OutputError, match="is no folder"):
        warp_scan(tmp_path / "scan.png", points, out / "straight.tif", model=model)
    with pytest.raises(ReadError, match="can't be read as a raster"):
        warp_scan(tmp_path / "none.png", points, tmp_path / "none.tif", model=model)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.png", "straight.tif"]


def test_control_points_inside_a_raster(tmp_path):
    points = lattice(3)
    gcps = [GroundControlPoint(row=p.row, col=p.column, x=p.x, y=p.y) for p in points.table.itertuples()]
    profile = {"driver": "GTiff", "width": 10, "height": 10, "count": 1, "dtype": "uint8"}
    with rasterio.open(tmp_path / "scan.tif", "w", **profile) as scan:
        scan.write(np.zeros((1, 10, 10), dtype="uint8"))
        scan.gcps = (gcps, rasterio.crs.CRS.from_epsg(28408))
    found = read_control_points(tmp_path / "scan.tif")
    assert np.allclose(found.table[["column", "row", "x", "y"]], points.table[["column", "row", "x", "y"]])
    coarse = warp_scan(tmp_path / "scan.tif", found, tmp_path / "w.tif", model="affine", resolution_m=500)
    with rasterio.open(coarse) as straight:
        assert straight.res == (500, 500)
    with rasterio.open(tmp_path / "plain.tif", "w", transform=rasterio.Affine(1, 0, 0, 0, -1, 0), **profile) as scan:
        scan.write(np.zeros((1, 10, 10), dtype="uint8"))
    with pytest.raises(ReadError, match="carries no control points"):
        read_control_points(tmp_path / "plain.tif")
    (tmp_path / "broken.tif").write_text("x")
    with pytest.raises(ReadError, match="raster"):
        read_control_points(tmp_path / "broken.tif")
