"""Walking the plane, closure, covariance: published traverses, geodesics, and random draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from clearplan.core.crs import plane_factors
from clearplan.records.bearings import parse_bearing
from clearplan.records.traverse import (
    LegErrors,
    Legs,
    chains,
    compass_rule,
    path_variance,
    r95,
    shared_variance,
    walk,
)


def open_chain(bearings_deg, lengths, grid=True):
    """One chain of legs from point 0."""
    size = len(lengths) + 1
    legs = Legs(
        parent=np.arange(size) - 1,
        bearing=np.radians([0.0, *bearings_deg]),
        length=np.array([0.0, *lengths]),
        grid=np.full(size, grid),
    )
    return legs, chains(legs.parent)


def quadrants(*texts):
    return [parse_bearing(text, "degrees") for text in texts]


def test_mahuns_link_traverse():
    """J. Mahun, Traverse computations, chapter H: adjusted latitudes and departures, printed to 0.001."""
    legs, links = open_chain(quadrants("S56°23'38\"E", "S75°17'42\"W", "N43°05'47\"E"), [398.75, 422.89, 604.49])
    gone = walk(legs, links, np.zeros(4), np.zeros(4))
    east, north = gone.x[3] - 336.141, gone.y[3] - 113.301
    adjusted = compass_rule(legs, links, gone, np.array([3]), np.array([0]), np.array([east]), np.array([north]))
    assert np.diff(adjusted.y) == pytest.approx([-220.715, -107.363, 441.379], abs=1.1e-3)
    assert np.diff(adjusted.x) == pytest.approx([332.124, -409.017, 413.034], abs=1.1e-3)


def test_mahuns_loop_traverse():
    """Chapter I: closure +0.083 north, +0.075 east as printed (0.074 when its bearings are used unrounded)."""
    bearings = quadrants("S68°05'35\"W", "N19°46'00\"W", "N45°55'20\"E", "S54°59'15\"E")
    legs, links = open_chain(bearings, [472.68, 216.13, 276.52, 382.24])
    gone = walk(legs, links, np.zeros(5), np.zeros(5))
    assert gone.y[4] == pytest.approx(0.083, abs=1e-3)
    assert gone.x[4] == pytest.approx(0.075, abs=1.2e-3)
    adjusted = compass_rule(
        legs, links, gone, np.array([4]), np.array([0]), gone.x[4:] - gone.x[:1], gone.y[4:] - gone.y[:1]
    )
    assert [adjusted.x[4], adjusted.y[4]] == pytest.approx([0, 0], abs=1e-12)
    # Each correction is the misclosure times the leg's share of the perimeter.
    share = 472.68 / (472.68 + 216.13 + 276.52 + 382.24)
    assert adjusted.y[1] - gone.y[1] == pytest.approx(-gone.y[4] * share)


def test_a_branch_moves_with_the_adjusted_point_it_hangs_on():
    legs = Legs(np.array([-1, 0, 1, 1]), np.radians([0, 90, 90, 0.0]), np.array([0, 100, 100, 50.0]), np.full(4, True))
    links = chains(legs.parent)
    gone = walk(legs, links, np.zeros(4), np.zeros(4))
    moved = compass_rule(legs, links, gone, np.array([2]), np.array([0]), np.array([4.0]), np.array([0.0]))
    assert moved.x.tolist() == pytest.approx([0, 98, 196, 98])


@given(
    lon=st.floats(45.2, 47.8),
    lat=st.floats(38.8, 40.9),
    bearings=st.lists(st.floats(0, 359.9), min_size=1, max_size=8),
    length=st.floats(5, 800),
)
def test_true_bearings_follow_the_geodesic(lon, lat, bearings, length):
    """Geod.fwd on the Krassovsky ellipsoid, leg by leg, is an independent way to the same points: within 1 cm."""
    geod = Geod(ellps="krass")
    to_plane = Transformer.from_crs(4284, 28408, always_xy=True)
    expected = [(lon, lat)]
    for bearing in bearings:
        there = geod.fwd(*expected[-1], bearing, length)
        expected.append(there[:2])
    x, y = to_plane.transform(*np.array(expected).T)
    legs, links = open_chain(bearings, [length] * len(bearings), grid=False)
    start = np.zeros(len(expected))
    root = plane_factors(CRS.from_epsg(28408), x[:1], y[:1])
    factors = type(root)(*(np.repeat(getattr(root, f), len(expected), axis=0) for f in root.__dataclass_fields__))
    gone = walk(legs, links, start + x[0], start + y[0], factors)
    assert np.hypot(gone.x - x, gone.y - y).max() < 0.01


def test_one_leg_of_5_km_as_computed_for_the_methods_note():
    """Plane with convergence and scale against Geod.fwd: 0.05 m at 5 km without the bend of the geodesic, less with."""
    plane = CRS.from_epsg(28408)
    x, y = Transformer.from_crs(4284, plane, always_xy=True).transform([46.93], [39.99])
    legs, links = open_chain([45.0], [5000.0], grid=False)
    root = plane_factors(plane, x, y)
    factors = type(root)(*(np.repeat(getattr(root, f), 2, axis=0) for f in root.__dataclass_fields__))
    gone = walk(legs, links, np.repeat(x, 2), np.repeat(y, 2), factors)
    there = Geod(ellps="krass").fwd(46.93, 39.99, 45.0, 5000.0)[:2]
    expected = Transformer.from_crs(4284, plane, always_xy=True).transform(*there)
    assert np.hypot(gone.x[1] - expected[0], gone.y[1] - expected[1]) < 0.01
    without = walk(legs, links, np.repeat(x, 2), np.repeat(y, 2))
    # Convergence 1.24 degrees forgotten: 108 m at 5 km.
    assert np.hypot(without.x[1] - expected[0], without.y[1] - expected[1]) == pytest.approx(108, abs=1.5)


def test_grid_bearings_take_no_convergence():
    plane = CRS.from_epsg(28408)
    legs, links = open_chain([0.0], [1000.0], grid=True)
    root = plane_factors(plane, [8_664_842.4], [4_430_281.6])
    factors = type(root)(*(np.repeat(getattr(root, f), 2, axis=0) for f in root.__dataclass_fields__))
    gone = walk(legs, links, np.zeros(2), np.zeros(2), factors)
    assert gone.x[1] == pytest.approx(0, abs=1e-9)
    assert gone.y[1] == pytest.approx(1000.334, abs=1e-3)  # 334 ppm at Aghdam


def test_legs_in_a_circle_are_refused():
    from clearplan.core.errors import TableError

    with pytest.raises(TableError, match="circle"):
        chains(np.array([1, 2, 0]))


# The case of the methods note: legs 850, 120, 310 and 240 m; R95 83.99 m at vertex 1 and 94.15 m at vertex 4. The note
# prints no bearings; among multiples of 5 degrees only these (and their mirror image) give both its exact R95 and its
# 2.4477 rms of 93.53 m at vertex 4.
CASE = open_chain([0.0, 50.0, 100.0, 95.0], [850.0, 120.0, 310.0, 240.0])
SIGMAS = LegErrors(bearing=np.radians(1), shared_bearing=np.radians(1), distance=3.0, scale=0.03)
SIGMA_REF = 25.0


def covariance(legs, links, errors, sigma_ref):
    gone = walk(legs, links, np.zeros(len(legs.parent)), np.zeros(len(legs.parent)))
    whole = path_variance(legs, links, gone, errors) + shared_variance(gone.x, gone.y, errors)
    whole[:, [0, 2]] += sigma_ref**2
    return gone, whole


def draws(count=200_000, seed=1):
    """The measurement simulated: what a compass and paces with these errors would have given."""
    legs, _ = CASE
    rng = np.random.default_rng(seed)
    size = len(legs.parent) - 1
    bearing = legs.bearing[1:] + rng.normal(0, SIGMAS.shared_bearing, (count, 1))
    bearing = bearing + rng.normal(0, SIGMAS.bearing, (count, size))
    length = legs.length[1:] * (1 + rng.normal(0, SIGMAS.scale, (count, 1))) + rng.normal(
        0, SIGMAS.distance, (count, size)
    )
    reference = rng.normal(0, SIGMA_REF, (count, 2, 1))
    xy = np.stack([np.cumsum(length * np.sin(bearing), axis=1), np.cumsum(length * np.cos(bearing), axis=1)], axis=1)
    return xy + reference


def test_r95_of_the_published_case():
    _, whole = covariance(*CASE, SIGMAS, SIGMA_REF)
    radius = r95(whole)
    assert radius[1] == pytest.approx(83.99, abs=0.005)
    assert radius[4] == pytest.approx(94.15, abs=0.005)
    rms = 2.4477 * np.sqrt((whole[:, 0] + whole[:, 2]) / 2)
    assert [rms[1], rms[4]] == pytest.approx([83.89, 93.53], abs=0.01)


def test_random_draws_agree_with_r95():
    gone, whole = covariance(*CASE, SIGMAS, SIGMA_REF)
    xy = draws()
    apart = np.hypot(xy[:, 0] - gone.x[1:], xy[:, 1] - gone.y[1:])
    assert np.quantile(apart, 0.95, axis=0) == pytest.approx(r95(whole)[1:], abs=0.3)


def test_the_footprint_holds_all_four_true_vertices_in_95_of_100_draws():
    """Row of the record grown by the largest R95: the joint chance, with errors that move all vertices together."""
    import shapely

    gone, whole = covariance(*CASE, SIGMAS, SIGMA_REF)
    row = shapely.LineString(np.column_stack([gone.x[1:], gone.y[1:]]))
    shapely.prepare(row)
    xy = draws(40_000, seed=2)
    inside = shapely.dwithin(row, shapely.points(np.moveaxis(xy, 1, -1)), r95(whole)[1:].max())
    assert inside.all(axis=1).mean() >= 0.95


def test_r95_of_known_ellipses():
    """A circle: sqrt(-2 ln 0.05). A line: 1.959964. Between them the chi-square mixture, integrated independently."""
    assert r95(np.array([[1.0, 0, 1.0]]))[0] == pytest.approx(np.sqrt(-2 * np.log(0.05)), abs=1e-6)
    assert r95(np.array([[4.0, 0, 0.0]]))[0] == pytest.approx(2 * 1.959964, abs=1e-5)
    rng = np.random.default_rng(3)
    turn = np.radians(30)
    axes = rng.normal(size=(2_000_000, 2)) * [3.0, 1.0]
    variance = np.array([[9 * np.cos(turn) ** 2 + np.sin(turn) ** 2, 8 * np.sin(turn) * np.cos(turn),
                          9 * np.sin(turn) ** 2 + np.cos(turn) ** 2]])  # fmt: skip
    assert r95(variance)[0] == pytest.approx(np.quantile(np.hypot(*axes.T), 0.95), rel=3e-3)


@given(st.floats(0.01, 1e4), st.floats(0, 1), st.floats(0, 3.2))
def test_r95_turns_and_scales_with_the_ellipse(size, ratio, turn):
    a, b = size**2, (size * ratio) ** 2
    c, s = np.cos(turn), np.sin(turn)
    turned = np.array([[a * c * c + b * s * s, (a - b) * s * c, a * s * s + b * c * c]])
    radius = r95(turned)[0]
    assert radius == pytest.approx(r95(np.array([[a, 0.0, b]]))[0], rel=1e-6)
    assert 1.9599 * size <= radius <= 2.4478 * size


def test_shared_errors_are_not_independent():
    """Ten legs in a line: a shared compass error grows with the distance, an independent one with its root."""
    legs, links = open_chain([90.0] * 10, [100.0] * 10)
    alone = LegErrors(bearing=np.radians(1), shared_bearing=0.0, distance=0.0, scale=0.0)
    shared = LegErrors(bearing=0.0, shared_bearing=np.radians(1), distance=0.0, scale=0.0)
    last = [covariance(legs, links, errors, 0.0)[1][10, 2] for errors in (alone, shared)]
    assert np.sqrt(last) == pytest.approx([100 * np.radians(1) * np.sqrt(10), 1000 * np.radians(1)])
