"""Cells, tiles and distances against shapely, which knows no cell."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString, MultiPoint, Point, Polygon, box

from clearplan.core.errors import CrsError, SettingsError
from clearplan.geo.distances import distance_m, kernel_patch, kernel_sum, nearest
from clearplan.geo.grids import (
    BLOCK,
    MAX_PADDED,
    Window,
    burn,
    burn_sum,
    cell_centres,
    cells_in,
    halo_cells,
    in_cells,
    layer,
    make_grid,
    region_bounds,
    tiles,
    touched_in,
)

UTM = CRS.from_epsg(32638)
GRID = make_grid((650_000, 4_400_000, 653_000, 4_402_000), 100.0, UTM)  # 30 x 20 cells
WHOLE = Window(0, 0, GRID.rows, GRID.columns)


def centres(window, grid=GRID):
    x, y = cell_centres(grid, window)
    return shapely.points(*np.broadcast_arrays(x, y))


def test_new_data_moves_no_cell():
    small = make_grid((650_010, 4_400_010, 650_020, 4_400_020), 30.0, UTM)
    large = make_grid((640_005, 4_390_001, 660_000, 4_410_000), 30.0, UTM)
    assert (small.x0 - large.x0) % 30 == 0
    assert (small.y1 - large.y1) % 30 == 0
    for grid in (small, large):
        assert grid.x0 % 30 == 0
    west, south, east, north = large.bounds
    assert west <= 640_005 < west + 30
    assert north - 30 < 4_410_000 <= north
    assert south <= 4_390_001 < south + 30
    assert east - 30 < 660_000 <= east


def test_a_region_lies_within_its_bounds_with_its_curved_edges():
    west, south, east, north = region_bounds((45.6, 38.8, 47.8, 40.9), UTM)
    from pyproj import Transformer

    lon = np.linspace(45.6, 47.8, 7)
    x, y = Transformer.from_crs(4326, UTM, always_xy=True).transform(np.tile(lon, 2), np.repeat([38.8, 40.9], 7))
    assert (x >= west - 0.01).all()
    assert (x <= east + 0.01).all()
    assert (y >= south - 0.01).all()
    assert (y <= north + 0.01).all()


@pytest.mark.parametrize(("cell_m", "reach_m"), [(100, 15_000), (100, 500), (31.6, 15_000), (8, 15_000)])
def test_tiles_hold_each_cell_once(cell_m, reach_m):
    grid = make_grid((600_000, 4_300_000, 640_000, 4_330_000), cell_m, UTM)
    windows = tiles(grid, reach_m)
    count = np.zeros((grid.rows, grid.columns), dtype="uint8")
    for w in windows:
        count[w.row : w.row + w.rows, w.column : w.column + w.columns] += 1
        assert w.row % BLOCK == 0
        assert w.column % BLOCK == 0
        assert max(w.rows, w.columns) + 2 * halo_cells(grid, reach_m) <= MAX_PADDED
    assert (count == 1).all()


def test_what_tiles_compute_beyond_themselves_is_the_same_share_at_every_cell_size():
    for cell_m in (200, 100, 50, 25):
        grid = make_grid((0, 0, 400_000, 400_000), cell_m, UTM)
        halo, side = halo_cells(grid, 15_000), tiles(grid, 15_000)[0].rows
        assert 1.6 < (side + 2 * halo) ** 2 / side**2 < 2.3, cell_m


def test_a_reach_of_too_many_cells_is_refused():
    grid = make_grid((0, 0, 100_000, 100_000), 1.0, UTM)
    with pytest.raises(SettingsError, match=r"15,001 cells beyond itself.*larger cells or a shorter reach"):
        tiles(grid, 15_000)


def test_grids_are_in_metres():
    with pytest.raises(CrsError, match="metres"):
        make_grid((46, 39, 47, 40), 100, CRS.from_epsg(4326))
    for bounds in ((1, 0, 1, 5), (0, 0, math.nan, 5)):
        with pytest.raises(SettingsError, match="west < east"):
            make_grid(bounds, 100, UTM)


coordinate = st.tuples(st.floats(648_500, 654_500), st.floats(4_398_500, 4_403_500))  # up to 1.5 km off the grid
points = st.builds(Point, coordinate)
lines = st.builds(LineString, st.lists(coordinate, min_size=2, max_size=5, unique=True))
polygons = st.builds(
    lambda at, angles, radius: Polygon([(at[0] + radius * math.cos(a), at[1] + radius * math.sin(a)) for a in angles]),
    coordinate,
    st.lists(st.floats(0, 6.28), min_size=3, max_size=8, unique=True).map(sorted),
    st.floats(1, 900),
).filter(lambda shape: shape.is_valid)


@given(st.lists(points | lines | polygons, min_size=1, max_size=5))
@settings(max_examples=80, deadline=None)
def test_distances_are_those_of_shapely_and_never_shorter(shapes):
    reach_m = 1_200.0
    found = distance_m(GRID, WHOLE, layer(GRID, np.array(shapes, dtype=object), 1_200.0), reach_m)
    exact = np.minimum(shapely.distance(centres(WHOLE), shapely.union_all(shapes)), reach_m)
    if found is None:
        found = np.full(exact.shape, reach_m)
    assert found.max() <= reach_m
    assert (found - exact).min() >= -0.01
    # At most the way through a cell near shapes, and through two halves of cells far off.
    assert (found - exact)[exact < 400].max(initial=0) <= 100 * math.sqrt(0.5) + 0.01
    assert (found - exact).max() <= 100 * math.sqrt(2) + 0.01


def test_sums_over_cells_hardly_depend_on_the_cell():
    """Ground within and round 60 fields, weighed by exp(-d / 300 m): the integral by shapely on a fine lattice."""
    random = np.random.default_rng(3)
    fields = shapely.buffer(
        shapely.points(random.uniform((650_000, 4_390_000), (670_000, 4_410_000), (60, 2))),
        random.uniform(150, 600, 60), quad_segs=4,
    )  # fmt: skip
    sums = {}
    for cell_m in (50.0, 100.0, 200.0):
        grid = make_grid((645_000, 4_385_000, 675_000, 4_415_000), cell_m, UTM)
        found = distance_m(grid, Window(0, 0, grid.rows, grid.columns), layer(grid, fields, 3_000.0), 3_000.0)
        sums[cell_m] = float(np.exp(-found / 300, dtype=float).sum()) * cell_m**2
    x, y = np.meshgrid(np.arange(645_050, 675_000, 100.0), np.arange(4_385_050, 4_415_000, 100.0))
    _, away = shapely.STRtree(fields).query_nearest(
        shapely.points(x.ravel(), y.ravel()), return_distance=True, all_matches=False
    )
    exact = np.exp(-np.minimum(away, 3_000.0) / 300).sum() * 1e4
    assert list(sums.values()) == pytest.approx([exact] * 3, rel=0.01)


@given(st.lists(points | lines | polygons, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_distances_do_not_depend_on_tiles(shapes):
    own = layer(GRID, np.array(shapes, dtype=object), 1_200.0)

    def look(w):
        found = distance_m(GRID, w, own, 900.0)
        return np.full((w.rows, w.columns), 900.0) if found is None else found

    whole = look(WHOLE)
    for side in (7, 16):
        for w in tiles(GRID, 900.0, side):
            assert np.array_equal(look(w), whole[w.row : w.row + w.rows, w.column : w.column + w.columns])


def test_what_lies_beyond_the_edge_of_the_region_counts():
    # A place 450 m west of the grid's edge: the first cell's centre is 500 m from it.
    west = layer(GRID, np.array([Point(649_550, 4_401_050)]), 2_000.0)
    found = distance_m(GRID, WHOLE, west, 2_000.0)
    assert found[9, 0] == pytest.approx(500)
    assert found[9, 10] == pytest.approx(1_500)
    assert found[9, 20] == 2_000


def test_nothing_within_reach_costs_nothing():
    far = layer(GRID, np.array([Point(700_000, 4_401_050), None, Polygon()], dtype=object), 2_000.0)
    assert distance_m(GRID, WHOLE, far, 2_000.0) is None
    assert nearest(GRID, WHOLE, far, 2_000.0) is None


def test_nearest_tells_which_shape():
    shapes = np.array([None, Point(650_050, 4_401_050), box(652_800, 4_400_000, 653_000, 4_402_000)], dtype=object)
    found = nearest(GRID, WHOLE, layer(GRID, shapes, 5_000.0), 5_000.0)
    number = found.number[found.cell]
    assert number[9, 3] == 1
    assert number[9, 25] == 2
    assert found.distance_m[9, 3] == pytest.approx(300)


def test_kernel_sum_is_the_sum_over_points():
    random = np.random.default_rng(5)
    row, column = random.integers(-15, 35, 40), random.integers(-15, 45, 40)
    count = random.integers(1, 4, 40)
    patch = kernel_patch(GRID, 1_000.0, lambda d: np.exp(-d / 300))
    r, c = np.mgrid[0 : GRID.rows, 0 : GRID.columns]
    away = 100 * np.hypot(r[..., None] - row, c[..., None] - column)
    exact = (np.where(away < 1_000, np.exp(-away / 300), 0) * count).sum(axis=-1)
    assert kernel_sum(WHOLE, row, column, count, patch) == pytest.approx(exact, rel=1e-5, abs=1e-7)
    whole = kernel_sum(WHOLE, row, column, count, patch)
    for w in tiles(GRID, 1_000, 7):
        part = kernel_sum(w, row, column, count, patch)
        own = whole[w.row : w.row + w.rows, w.column : w.column + w.columns]
        assert np.array_equal(np.zeros(own.shape) if part is None else part, own)


@given(polygons)
@settings(max_examples=50, deadline=None)
def test_cells_in_a_polygon_are_those_whose_centre_it_holds(shape):
    flat = cells_in(WHOLE, in_cells(GRID, np.array([shape]))[0])
    assert len(np.unique(flat)) == len(flat)
    found = np.zeros(WHOLE.rows * WHOLE.columns, dtype=bool)
    found[flat] = True
    middles = centres(WHOLE).ravel()
    sure = shapely.distance(middles, shape.boundary) > 1e-6
    assert np.array_equal(found[sure], shapely.contains(shape, middles)[sure])


def touched_cells(shapes):
    """Cells that shapes touch, or whose centre they hold."""
    own = layer(GRID, np.array(shapes, dtype=object), 100.0)
    found = burn(WHOLE, own.shapes, own.numbers + 1) > 0
    found.ravel()[touched_in(WHOLE, own)[0]] = True
    return found


def test_cells_that_shapes_touch():
    def touched(*shapes):
        row, column = np.nonzero(touched_cells(shapes))
        return list(zip(row.tolist(), column.tolist(), strict=True))

    top = 4_402_000
    assert touched(Point(650_050, top - 50)) == [(0, 0)]
    assert touched(MultiPoint([(650_050, top - 50), (650_150, top - 50), (649_000, 0)])) == [(0, 0), (0, 1)]
    assert touched(LineString([(650_050, top - 50), (650_250, top - 150)])) == [(0, 0), (0, 1), (1, 1), (1, 2)]
    # A box that fills two cells touches no third; a hair along the edge of cells is not lost.
    assert touched(box(650_100, top - 200, 650_300, top - 100)) == [(1, 1), (1, 2)]
    assert touched(box(650_100, top - 100, 650_300, top - 99.99)) == [(0, 1), (0, 2)]
    assert set(touched(Polygon([(650_050, top - 50), (650_250, top - 50), (650_050, top - 50)]))) == {
        (0, 0), (0, 1), (0, 2)
    }  # fmt: skip
    whole = touched(box(0, 0, 1e7, 1e7))
    assert len(whole) == GRID.cells


@given(st.lists(lines | polygons, min_size=1, max_size=3))
@settings(max_examples=80, deadline=None)
def test_touched_cells_are_those_of_shapely(shapes):
    found = touched_cells(shapes)
    x, y = cell_centres(GRID, WHOLE)
    x, y = np.broadcast_arrays(x, y)
    every = shapely.union_all(shapes)
    surely = shapely.intersects(shapely.box(x - 49.99, y - 49.99, x + 49.99, y + 49.99), every)
    maybe = shapely.intersects(shapely.box(x - 50.01, y - 50.01, x + 50.01, y + 50.01), every)
    assert (found | ~surely).all()
    assert (maybe | ~found).all()


def test_sums_over_polygons_that_hold_a_centre():
    shapes = [box(650_000, 4_401_900, 650_200, 4_402_000), box(650_100, 4_401_900, 650_300, 4.5e6)]
    two = in_cells(GRID, np.array(shapes))
    assert burn_sum(WHOLE, two, np.array([1.0, 0.5]))[0, :4].tolist() == [1.0, 1.5, 0.5, 0.0]
    assert burn_sum(WHOLE, two[:0], np.array([])).sum() == 0
