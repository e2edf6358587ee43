"""The surface: terms by hand, tiles that move no number, unknown that is never low, files that are the same twice."""

import json
import math
import re
import subprocess
import sys
import textwrap

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, box

import clearplan as cp
from clearplan.core.errors import CrsError, OutputError, SettingsError, TableError
from clearplan.geo.grids import Window, make_grid
from clearplan.settings.base import check_settings
from clearplan.settings.surface import SurfaceSettings
from clearplan.surface.expected import area_and_draws
from clearplan.surface.makers import fall_off
from clearplan.surface.probability import LEAST, UNKNOWN, UNKNOWN_CODE, draw_strengths, evidence_at
from tests.conftest import E0, N0, UTM, accident_table, hazard_table, random_world

REACH = 2_000.0
GRID = make_grid((E0 - 3_000, N0 - 3_000, E0 + 3_000, N0 + 3_000), 100.0, CRS.from_epsg(32638))
BASE = {
    "mode": "expert", "cell_m": 100, "max_distance_m": REACH, "base_rate": 0.01, "base_rate_spread": 0.5,
    "base_rate_source": "test", "draws": 200, "seed": 7,
}  # fmt: skip
TERMS = {
    "line": {"strength": 3, "scale_m": 800, "shape": "long-tail"},
    "records": {"strength": 4, "scale_m": 200, "shape": "exponential", "wrong_anchor_m": 1_000},
    "cha": {"strength": 6, "scale_m": 150, "shape": "exponential"},
    "sha": {"strength": 4, "scale_m": 300, "shape": "long-tail"},
    "strikes": {"strength": 2, "scale_m": 500, "shape": "gaussian"},
    "accidents": {"strength": 3, "scale_m": 400, "shape": "gaussian", "half_at": 2},
    "settlements": {"strength": 1, "scale_m": 600, "shape": "long-tail"},
    "roads": {"strength": 0.5, "scale_m": 300, "shape": "exponential"},
}


def asked(*names, **changed):
    terms = [{"evidence": name, "spread": 0.5, "source": "test"} | TERMS[name] for name in names]
    return SurfaceSettings(**(BASE | {"terms": terms} | changed))


def line_row(points, profile="0 500 1000", sides="both", **more):
    line = {"kind": "contact-line", "land_class": "indication", "measure": "each-side", "sides": sides, "caps": "round"}
    return line | {"geometry": LineString(points), "depth_profile": profile} | more


def layer_of(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=UTM)


def gather(rows, *names, accidents=None, grid=GRID, areas=None, settings=None, **layers):
    """Evidence of hazards whose footprints are the reported shapes themselves."""
    hazards = hazard_table(rows) if rows else hazard_table([{"geometry": Point(E0, N0)}]).iloc[:0]
    if areas is None:
        areas = hazards[hazards["kind"] != "contact-line"].assign(area_id=lambda t: t["hazard_id"])
    accidents = accident_table([], []) if accidents is None else accidents
    settings = settings or asked(*names)
    return cp.collect_evidence(hazards, areas, accidents, settings, grid=grid, **layers)


def at(evidence, *points):
    return evidence_at(evidence, np.array(points, dtype=float))


def centre(column, row):
    """Centre of a cell that is so many cells east and north of the one whose corner is E0, N0."""
    return E0 + 50 + 100 * column, N0 + 50 + 100 * row


def everything():
    """A world with all evidence, and settings that weigh it."""
    rows = [
        line_row(
            [(E0 - 2_500, N0 - 1_000), (E0 + 300, N0 - 400), (E0 + 2_800, N0 - 1_500)], "0 200 600; 2000 500 1000"
        ),
        {"geometry": box(E0, N0, E0 + 250, N0 + 250), "land_class": "CHA"},
        {"geometry": box(E0 + 900, N0 + 300, E0 + 1_300, N0 + 700)},
        {"geometry": box(E0 - 900, N0 + 900, E0 - 700, N0 + 1_100), "reliability": 0.3},
        {"geometry": box(E0 - 1_500, N0 + 900, E0 - 1_400, N0 + 1_300), "reliability": 0.8},
        {"geometry": Point(E0 + 1_800, N0 + 1_800).buffer(150), "kind": "cluster-strike", "land_class": "indication"},
    ]
    accidents = accident_table([(E0 + 420, N0 + 40), (E0 + 450, N0 + 60), (E0 - 2_000, N0 - 2_500)], [None] * 3)
    return gather(
        rows, *TERMS, accidents=accidents, settlements=layer_of(Point(E0 - 300, N0 + 2_600)),
        roads=layer_of(LineString([(E0 - 3_000, N0 + 2_000), (E0 + 3_000, N0 + 2_300)])),
    )  # fmt: skip


# --- fall-off and terms


@given(
    shape=st.sampled_from(["long-tail", "exponential", "gaussian"]),
    scale=st.floats(10, 5_000),
    reach=st.floats(100, 20_000),
    distances=st.lists(st.floats(0, 30_000), min_size=2, max_size=20).map(sorted),
)
@settings(max_examples=200, deadline=None)
def test_terms_are_1_at_the_evidence_fall_and_end_at_the_reach(shape, scale, reach, distances):
    g = fall_off(shape, np.array(distances), scale, reach)
    assert (np.diff(g) <= 0).all()
    assert fall_off(shape, np.array(0.0), scale, reach) == 1
    assert (g[np.array(distances) >= reach] == 0).all()
    assert (g[np.array(distances) < reach] > 0).all()


def test_fall_off_by_hand():
    # (1 / 1.5 - 1 / 5) / (1 - 1 / 5); (e^-0.5 - e^-4) / (1 - e^-4); the same with squares over two.
    assert fall_off("long-tail", 500.0, 1_000, 4_000) == pytest.approx(0.58333, abs=1e-5)
    assert fall_off("exponential", 500.0, 1_000, 4_000) == pytest.approx(0.59918, abs=1e-5)
    assert fall_off("gaussian", 500.0, 1_000, 4_000) == pytest.approx(0.88246, abs=1e-5)


def test_a_suspected_field_by_hand():
    field = box(E0 - 200, N0 - 200, E0 + 100, N0 + 200)
    found = at(gather([{"geometry": field}], "sha"), centre(0, 0), centre(3, 0), centre(0, 22))
    # From the middle of the third cell to the east, 350 m from the corner, the field is 250 m away.
    g = (1 / (1 + 250 / 300) - 1 / (1 + 2_000 / 300)) / (1 - 1 / (1 + 2_000 / 300))
    assert found["sha"].tolist() == pytest.approx([1, g, 0])
    odds = 0.01 / 0.99 * np.exp([4, 4 * g])
    assert found["p"][:2].tolist() == pytest.approx((odds / (1 + odds)).tolist(), rel=1e-5)
    # 2 km away is where it ends: nobody knows, and that is not the base rate.
    assert found["known"].tolist() == [True, True, False]
    assert math.isnan(found["p"][2])


def test_confirmed_and_suspected_and_struck_ground_and_records_are_evidence_of_their_own():
    rows = [
        {"geometry": box(E0, N0, E0 + 100, N0 + 100), "land_class": "CHA"},
        {"geometry": box(E0 + 500, N0, E0 + 600, N0 + 100)},
        {"geometry": box(E0, N0 + 500, E0 + 100, N0 + 600), "kind": "cluster-strike", "land_class": "indication"},
        {"geometry": box(E0 + 500, N0 + 500, E0 + 600, N0 + 600), "reliability": 1.0},
        {"geometry": box(E0 + 1_000, N0, E0 + 1_100, N0 + 100), "status": "closed"},
        {"geometry": box(E0 + 1_000, N0 + 500, E0 + 1_100, N0 + 600), "land_class": "indication"},
    ]
    names = ["cha", "sha", "strikes", "records"]
    found = at(
        gather(rows, *names), centre(0, 0), centre(5, 0), centre(0, 5), centre(5, 5), centre(10, 0), centre(10, 5)
    )
    on = (found[names] == 1).to_numpy()
    assert on[:4].tolist() == np.eye(4, dtype=bool).tolist()
    assert not on[4].any()  # closed: work completed
    assert on[5].tolist() == [False, True, False, False]  # an indication that is no belt counts with the suspected


def test_records_mix_a_right_and_a_wrong_anchor():
    rows = [
        {"geometry": box(E0 - 200, N0 - 100, E0 + 100, N0 + 200), "reliability": 0.25},
        {"geometry": box(E0 + 700, N0 - 100, E0 + 1_000, N0 + 200), "reliability": 0.6},
    ]
    found = at(gather(rows, "records"), centre(0, 0), centre(3, 0), centre(-19, 0))
    share = 90_000 / (math.pi * 1_000**2)

    def q(rho, d):
        right, wrong = ((math.exp(-d / s) - math.exp(-2_000 / s)) / (1 - math.exp(-2_000 / s)) for s in (200, 1_000))
        return rho * right + (1 - rho) * share * wrong

    by_hand = [1 - (1 - q(0.25, a)) * (1 - q(0.6, b)) for a, b in ((0, 650), (250, 350))]
    assert found["records"][:2].tolist() == pytest.approx(by_hand, rel=1e-3)
    assert found["records"][2] == pytest.approx(q(0.25, 1_650), rel=0.005)


def test_a_record_that_nobody_trusts_still_speaks_where_it_may_lie():
    found = at(gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100), "reliability": 0.0}], "records"), centre(0, 0))
    assert found["records"][0] == pytest.approx(10_000 / (math.pi * 1_000**2), rel=1e-5)
    with pytest.raises(TableError, match=r"reliability 1\.5 of H0 is not within 0-1"):
        gather([{"geometry": box(E0, N0, E0 + 1, N0 + 1), "reliability": 1.5}], "records")


def test_accidents_saturate():
    # Half at two accidents: two in one cell give exactly one half there, six give 1 - 2^-3.
    for count, term in ((2, 0.5), (6, 0.875)):
        found = at(gather([], "accidents", accidents=accident_table([(E0 + 50, N0 + 50)] * count, [None] * count)),
                   centre(0, 0), centre(4, 0), centre(30, 0))  # fmt: skip
        g = (math.exp(-0.5) - math.exp(-12.5)) / (1 - math.exp(-12.5))
        assert found["accidents"].tolist() == pytest.approx([term, 1 - 2 ** (-count * g / 2), 0], rel=1e-5)
        assert found["known"].tolist() == [True, True, False]


def test_no_accident_at_all_says_nothing(tmp_path):
    evidence = gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}], "sha", "accidents")
    assert at(evidence, centre(0, 0))["accidents"][0] == 0
    assert cp.make_surface(gather([], "accidents"), tmp_path / "s.tif").known_m2 == 0


def test_accidents_that_could_not_be_placed_and_far_ones_do_not_count():
    table = accident_table([(E0 + 50, N0 + 50), (E0 + 50, N0 + 50)], [None, None])
    table.geometry = [table.geometry[0], None]
    assert at(gather([], "accidents", accidents=table), centre(0, 0))["accidents"][0] == pytest.approx(1 - 2**-0.5)


def test_the_line_is_the_same_at_its_belts_edge_all_along():
    # 500 m deep in the west, 1000 m in the east: the edge lies at the same g.
    line = line_row([(E0 - 3_000, N0 + 50), (E0 + 3_000, N0 + 50)], "0 200 500; 2500 200 500; 3500 400 1000")
    found = at(gather([line], "line"), centre(-15, 5), centre(15, 10), centre(15, 0), centre(-15, 19))
    edge = float(fall_off("long-tail", 1_000.0, 800, REACH))
    assert found["line"].tolist()[:3] == pytest.approx([edge, edge, 1], rel=0.005)
    assert found["line"][3] == 0  # 1,900 m where the belt is half as deep: as far as 3,800 m


def test_each_side_of_the_line_has_its_strength():
    term = {"evidence": "line", "spread": 0, "scale_m": 800, "shape": "long-tail", "source": "test",
            "strength_left": 1.0, "strength_right": 3.0}  # fmt: skip
    # Eastward, then north: left is north-west of the corner, right is south-east of it.
    line = line_row([(E0 - 2_000, N0 + 50), (E0 + 50, N0 + 50), (E0 + 50, N0 + 2_000)])
    evidence = gather([line], settings=SurfaceSettings(**(BASE | {"terms": [term]})))
    found = at(evidence, centre(-10, 5), centre(-10, -5), centre(-5, 10), centre(5, 10), centre(6, -2), centre(-4, 4))
    left = [True, False, True, False, False, True]
    assert (found["line-left"] > 0).tolist() == left
    assert (found["line-right"] > 0).tolist() == [not side for side in left]
    g = fall_off("long-tail", 500.0, 800, REACH)
    odds = 0.01 / 0.99 * np.exp([1.0 * g, 3.0 * g])
    assert found["p"][:2].tolist() == pytest.approx((odds / (1 + odds)).tolist(), rel=1e-5)


@pytest.mark.parametrize("turn", [30, 90, 150, 210, 270, 330])
def test_sides_agree_with_those_of_the_belt(turn):
    from clearplan.geo.shapes import _side

    bend = math.radians(turn)
    shape = LineString([(E0 - 1_500, N0), (E0, N0), (E0 + 1_500 * math.cos(bend), N0 + 1_500 * math.sin(bend))])
    term = {"evidence": "line", "spread": 0, "scale_m": 800, "shape": "long-tail", "source": "test",
            "strength_left": 1.0, "strength_right": 3.0}  # fmt: skip
    evidence = gather([line_row(shape.coords)], settings=SurfaceSettings(**(BASE | {"terms": [term]})))
    random = np.random.default_rng(turn)
    points = shapely.points(E0 + random.uniform(-1_400, 1_400, 300), N0 + random.uniform(-1_400, 1_400, 300))
    middles = shapely.points((np.floor(shapely.get_coordinates(points) / 100) + 0.5) * 100)
    # On the line itself, and where the fold's two arms are equally far, either side is right.
    arms = [shapely.distance(middles, LineString(shape.coords[k : k + 2])) for k in (0, 1)]
    corner = shapely.distance(middles, shape) >= shapely.distance(middles, Point(E0, N0)) - 1e-6
    clear = (shapely.distance(middles, shape) > 1) & ((np.abs(arms[0] - arms[1]) > 1) | corner)
    found = evidence_at(evidence, middles[clear])
    expected = [_side(shape, point) == "left" for point in middles[clear]]
    assert ((found["line-left"] > 0) == expected).all()


def test_a_line_with_a_belt_on_one_side_says_nothing_of_the_other():
    line = line_row([(E0 - 2_000, N0 + 50), (E0 + 2_000, N0 + 50)], sides="left")
    assert at(gather([line], "line"), centre(0, 4), centre(0, -4))["known"].tolist() == [True, False]


def test_a_line_in_parts_is_joined_or_refused():
    parts = MultiLineString([[(E0 - 900, N0 + 50), (E0, N0 + 50)], [(E0, N0 + 50), (E0 + 900, N0 + 50)]])
    assert at(gather([line_row([(0, 0), (1, 1)]) | {"geometry": parts}], "line"), centre(5, 0))["line"][0] == 1
    torn = MultiLineString([[(E0 - 900, N0), (E0, N0)], [(E0 + 500, N0), (E0 + 900, N0)]])
    with pytest.raises(TableError, match="no single line"):
        gather([line_row([(0, 0), (1, 1)]) | {"geometry": torn}], "line")


def test_searching_lowers_a_probability_by_bayes():
    # p = .2, d = .9: .0244; twice: .00249 (issue's oracle, by hand .2 x .1 / (1 - .18)).
    rows = [{"geometry": box(E0 - 500, N0 - 500, E0 + 500, N0 + 500)}]
    terms = [{"evidence": "sha", "spread": 0, "source": "test", **TERMS["sha"], "strength": 1e-9}]
    plan = SurfaceSettings(**(BASE | {"terms": terms, "base_rate": 0.2}))
    once, half = box(E0, N0, E0 + 100, N0 + 100), box(E0 + 200, N0, E0 + 245, N0 + 100)
    searched = layer_of(once, box(E0 + 100, N0, E0 + 200, N0 + 100), box(E0 + 100, N0, E0 + 200, N0 + 100), half,
                        box(E0 - 200, N0, E0 - 100, N0 + 100), detection=[0.9, 0.9, 0.9, 0.9, 1.0])  # fmt: skip
    evidence = gather(rows, settings=plan, searched=searched)
    p = at(evidence, centre(0, 0), centre(1, 0), centre(2, 0), centre(3, 0), centre(-2, 0))["p"]
    assert p[:2].tolist() == pytest.approx([0.0243902, 0.00249377], rel=1e-4)
    assert p[2:4].tolist() == pytest.approx([0.2, 0.2])  # less than half searched: not searched
    assert p[4] == pytest.approx(LEAST)  # d = 1 is never a probability of 0
    for wrong in (-0.1, 1.2, math.nan):
        with pytest.raises(TableError, match="not within 0-1"):
            gather(rows, settings=plan, searched=layer_of(once, detection=[wrong]))
    with pytest.raises(TableError, match="no column detection"):
        gather(rows, settings=plan, searched=layer_of(once))


# --- the raster


def test_the_raster_says_what_the_points_say(tmp_path):
    evidence = everything()
    surface = cp.make_surface(evidence, tmp_path / "surface.tif")
    p, code = surface.read()
    row, column = np.mgrid[0 : GRID.rows : 3, 0 : GRID.columns : 3]
    x, y = GRID.x0 + (column.ravel() + 0.5) * 100, GRID.y1 - (row.ravel() + 0.5) * 100
    found = evidence_at(evidence, np.column_stack([x, y]))
    drawn = p[row.ravel(), column.ravel()]
    assert np.array_equal(np.isnan(drawn), ~found["known"])
    assert np.nanmax(np.abs(drawn - found["p"])) <= LEAST / 2 + 1e-6
    strengths = np.array([term.strength for term in evidence.settings.terms])
    parts = found[list(evidence.names)].to_numpy() * strengths
    known = found["known"].to_numpy()
    assert np.array_equal(code[row.ravel(), column.ravel()][known], parts.argmax(axis=1)[known] + 1)
    assert (code[np.isnan(p)] == UNKNOWN_CODE).all()
    assert surface.codes[1] == "line"
    assert surface.codes[9] == "searched"
    assert surface.known_m2 + surface.unknown_m2 == GRID.cells * 10_000
    # Of the shares before they are rounded to parts of 10,000.
    assert surface.expected_m2 == pytest.approx(float(np.nansum(p.astype(float))) * 10_000, rel=1e-4)
    window = Window(5, 7, 11, 13)
    assert np.array_equal(surface.read(window)[0], p[5:16, 7:20], equal_nan=True)


def test_tiles_move_no_number(tmp_path):
    evidence = everything()
    whole = cp.make_surface(evidence, tmp_path / "whole.tif").read()
    for side in (9, 16, 50):
        parts = cp.make_surface(evidence, tmp_path / f"{side}.tif", side=side).read()
        assert np.array_equal(whole[0], parts[0], equal_nan=True)
        assert np.array_equal(whole[1], parts[1])


def test_no_evidence_in_reach_is_unknown_and_not_the_base_rate(tmp_path):
    surface = cp.make_surface(gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}], "sha"), tmp_path / "s.tif")
    p, _ = surface.read()
    assert np.isnan(p[0, 0])
    assert np.nanmin(p) >= 0.01 - LEAST
    exact = int((np.hypot(*(np.mgrid[-30:30, -30:30] * 100.0)) < REACH).sum())
    assert surface.known_m2 == exact * 10_000


def test_people_and_roads_move_a_probability_and_make_nothing_known():
    rows = [{"geometry": box(E0, N0, E0 + 100, N0 + 100)}]
    near, far = Point(E0 + 550, N0 + 50), Point(E0 + 2_950, N0 + 50)
    lived, empty = (gather(rows, "sha", "settlements", settlements=layer_of(*shapes)) for shapes in ((near, far), ()))
    here, there = centre(5, 0), centre(29, 0)
    assert at(lived, here)["p"][0] > at(empty, here)["p"][0]
    assert at(lived, there)["settlements"][0] == 1
    assert not at(lived, there)["known"][0]


def test_outside_of_the_mask_nobody_knows(tmp_path):
    rows = [{"geometry": box(E0 - 2_000, N0 - 2_000, E0 + 2_000, N0 + 2_000)}]
    mask = layer_of(box(E0 - 500, N0 - 500, E0 + 500, N0), box(E0 - 500, N0, E0 + 500, N0 + 500))
    surface = cp.make_surface(gather(rows, "sha", mask=mask), tmp_path / "s.tif")
    assert surface.known_m2 == 1_000 * 1_000


def test_what_lies_beyond_the_regions_edge_counts():
    rows = [{"geometry": box(E0 + 3_400, N0, E0 + 3_500, N0 + 100)}]
    found = at(gather(rows, "sha"), (E0 + 2_950, N0 + 50), (E0 + 1_550, N0 + 50), (E0 + 1_450, N0 + 50))
    assert found["known"].tolist() == [True, True, False]
    assert found["sha"][0] == pytest.approx(fall_off("long-tail", 450.0, 300, REACH), rel=0.01)


def test_the_file_is_a_cog_that_says_what_it_is(tmp_path):
    evidence = everything()
    surface = cp.make_surface(evidence, tmp_path / "surface.tif", tags={"CLEARPLAN_NOTICE": "notice 123abc"})
    for path, dtype, nodata in ((surface.path, "uint16", UNKNOWN), (surface.evidence_path, "uint8", UNKNOWN_CODE)):
        with rasterio.open(path) as file:
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert file.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"
            assert file.block_shapes == [(256, 256)]
            assert (file.count, file.dtypes[0], file.nodata) == (1, dtype, nodata)
            assert file.crs.to_epsg() == 32638
            assert file.transform.to_gdal() == (E0 - 3_000, 100, 0, N0 + 3_000, 0, -100)
            tags = file.tags()
            assert tags["CLEARPLAN_NOTICE"] == "notice 123abc"
            assert json.loads(tags["CLEARPLAN_SETTINGS"])["max_distance_m"] == REACH
            assert json.loads(tags["CLEARPLAN_EVIDENCE"])["3"] == "cha"
            assert "STATISTICS_MEAN" in file.tags(1)
            colours = file.colormap(1)
            assert colours[nodata][3] == 0
    with rasterio.open(surface.path) as file:
        assert file.scales == (LEAST,)
        assert file.colormap(1)[10_000] == (84, 10, 60, 255)
        assert file.read(1).min() >= 1
    style = (tmp_path / "surface.qml").read_text()
    # QGIS applies the band's scale before the style: stops in stored units would paint everything as low.
    stops = [float(value) for value in re.findall(r'<item value="([^"]+)"', style)]
    assert (min(stops), max(stops)) == (0.0, 1.0)
    assert 'value="1" label="100%"' in style
    shapely_free = (tmp_path / "surface_evidence.qml").read_text()
    assert 'label="accidents"' in shapely_free
    import xml.etree.ElementTree as ElementTree

    for text in (style, shapely_free):
        ElementTree.fromstring(text.split("\n", 1)[1])


def test_a_large_raster_has_overviews(tmp_path):
    grid = make_grid((E0, N0, E0 + 120_000, N0 + 60_000), 100.0, CRS.from_epsg(32638))
    evidence = gather([{"geometry": Point(E0 + 30_000, N0 + 30_000).buffer(9_000)}], "sha", grid=grid)
    surface = cp.make_surface(evidence, tmp_path / "s.tif")
    with rasterio.open(surface.path) as file:
        assert file.overviews(1)[:2] == [2, 4]
        small = file.read(1, out_shape=(grid.rows // 4, grid.columns // 4))
    assert set(np.unique(small)) <= set(np.unique(surface.read()[0][~np.isnan(surface.read()[0])] * 10_000).round()) | {
        UNKNOWN
    }


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        cp.make_surface(everything(), tmp_path / name / "surface.tif", tags={"CLEARPLAN_NOTICE": "n"})
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["surface.qml", "surface.tif", "surface_evidence.qml", "surface_evidence.tif"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(OutputError, match="can't be written"):
        cp.make_surface(everything(), tmp_path / "none" / "surface.tif")


def test_one_metre_over_a_country_is_refused_with_its_size():
    tables = [hazard_table([{"geometry": Point(E0, N0)}])] * 2
    with pytest.raises(SettingsError) as told:
        cp.collect_evidence(*tables, accident_table([], []), asked("sha", cell_m=1), region=(44.7, 38.4, 50.6, 41.9))
    # 5.9 degrees of longitude are about 510 km here, 3.5 of latitude 390 km: 2e11 cells of 3 bytes.
    found = re.search(r"cell_m 1: .* = ([\d,]+) cells and ([\d,.]+) GB .* cells of (\d+) m or more", str(told.value))
    cells, gigabytes, side_m = (float(group.replace(",", "")) for group in found.groups())
    assert 1.9e11 < cells < 2.3e11
    assert gigabytes == pytest.approx(3 * cells / 1e9, abs=0.1)
    assert cells / side_m**2 <= 250e6


MEMORY = """
    import resource, sys, tempfile
    import geopandas as gpd, numpy as np, shapely
    from tests.surface.test_probability import asked, gather
    from tests.conftest import E0, N0, accident_table, hazard_table, UTM
    from clearplan import make_surface
    from clearplan.geo.grids import make_grid
    from pyproj import CRS
    side_m = {side_m}
    grid = make_grid((E0, N0, E0 + side_m, N0 + side_m), 100.0, CRS.from_epsg(32638))
    draw = np.random.default_rng(1)
    spots = draw.uniform((E0, N0), (E0 + side_m, N0 + side_m), (int(side_m / 1_000) ** 2 // 2, 2))
    accidents = accident_table(list(map(tuple, spots[:60])), [None] * 60)
    areas = hazard_table([{{"geometry": shapely.Point(E0, N0)}}]).assign(area_id="a").iloc[[0] * len(spots)]
    areas = areas.set_geometry(shapely.points(spots), crs=UTM).reset_index(drop=True)
    evidence = gather([], "sha", "accidents", grid=grid, accidents=accidents, areas=areas)
    surface = make_surface(evidence, tempfile.mkdtemp() + "/s.tif")
    assert surface.known_m2 > 0.9 * side_m ** 2
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_region():
    def peak(side_m):
        code = textwrap.dedent(MEMORY).format(side_m=side_m)
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
        return int(done.stdout)

    small, large = peak(51_200), peak(204_800)  # 0.26 and 4.2 million cells
    assert large < 1.5 * small, (small, large)


# --- expected area


def test_expected_area_is_the_sum_over_the_cells(tmp_path):
    evidence = everything()
    p, _ = cp.make_surface(evidence, tmp_path / "s.tif").read()
    ground = layer_of(box(E0 - 3_000, N0 - 3_000, E0 + 3_000, N0 + 3_000), box(E0, N0, E0 + 500, N0 + 500))
    table = cp.expected_area(evidence, ground)
    assert table["expected_m2"][0] == pytest.approx(float(np.nansum(p.astype(float))) * 10_000, rel=2e-3)
    assert table["expected_m2"][1] == pytest.approx(float(p[25:30, 30:35].sum(dtype=float)) * 10_000, rel=2e-3)
    assert table["known_m2"][0] == np.isfinite(p).sum() * 10_000
    assert (table["known_m2"] + table["unknown_m2"]).tolist() == pytest.approx(ground.area.tolist())
    assert (table["low_m2"] < table["expected_m2"]).all()
    assert (table["expected_m2"] < table["high_m2"]).all()
    assert (table["high_m2"] <= table["known_m2"]).all()


def test_expected_area_does_not_depend_on_tiles_and_is_the_same_twice():
    evidence = everything()
    ground = layer_of(*(Point(E0 + x, N0 + y).buffer(700) for x in (-2_000, 0, 2_000) for y in (-1_500, 300, 1_900)))
    whole = cp.expected_area(evidence, ground)
    assert whole.equals(cp.expected_area(evidence, ground))
    for side in (9, 25):
        pd.testing.assert_frame_equal(whole, cp.expected_area(evidence, ground, side=side), rtol=1e-6)


def test_the_interval_is_that_of_the_draws():
    # One cell, one term at full strength: p of the 5th and 95th percentile of the logit.
    evidence = gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}], "sha")
    table = cp.expected_area(evidence, layer_of(box(E0, N0, E0 + 100, N0 + 100)))
    base, strengths = draw_strengths(evidence.settings)
    assert base.std() == pytest.approx(0.5, abs=0.1)
    logit = np.sort(base + strengths[0])
    low, high = np.quantile(10_000 / (1 + np.exp(-logit)), (0.05, 0.95))
    assert table.iloc[0, :3].tolist() == pytest.approx([10_000 * 0.35545, low, high], rel=1e-4)
    # Normal theory: 4 + logit 0.01 with a spread of sqrt(0.5); 200 draws are near it.
    theory = 10_000 / (1 + np.exp(-(4 + math.log(0.01 / 0.99) + np.array([-1.645, 1.645]) * math.sqrt(0.5))))
    assert [low, high] == pytest.approx(theory.tolist(), rel=0.2)


def test_the_draws_of_all_polygons_are_of_one_surface():
    # A field's cell and one 500 m east of it: in every draw both follow from the same base rate and strength.
    evidence = gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}], "sha")
    ground = layer_of(box(E0, N0, E0 + 100, N0 + 100), None, box(E0 + 500, N0, E0 + 600, N0 + 100))
    table, shares = area_and_draws(evidence, ground)
    pd.testing.assert_frame_equal(table, cp.expected_area(evidence, ground))
    base, strengths = draw_strengths(evidence.settings)
    g = evidence_at(evidence, [(E0 + 50, N0 + 50), (E0 + 550, N0 + 50)])["sha"].to_numpy()
    for row, term in zip((0, 2), g, strict=True):
        assert shares[row].tolist() == pytest.approx((1 / (1 + np.exp(-base - strengths[0] * term))).tolist(), rel=1e-4)
    assert np.isnan(shares[1]).all()


def test_a_drawn_strength_below_0_counts_as_0():
    # 0.5 with a spread of 1: below 0 in 30.9 % of the draws (normal table at -0.5), and never evidence against.
    terms = [{"evidence": "sha", "source": "test", **TERMS["sha"], "strength": 0.5, "spread": 1.0}]
    _, strengths = draw_strengths(SurfaceSettings(**(BASE | {"terms": terms, "draws": 2_000})))
    assert strengths.min() == 0
    assert (strengths == 0).mean() == pytest.approx(0.309, abs=0.04)


def test_no_spread_no_interval():
    terms = [{"evidence": "sha", "spread": 0, "source": "test", **TERMS["sha"]}]
    plan = SurfaceSettings(**(BASE | {"terms": terms, "base_rate_spread": 0}))
    table = cp.expected_area(gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}], settings=plan),
                             layer_of(box(E0, N0, E0 + 700, N0 + 100)))  # fmt: skip
    assert table["low_m2"][0] == pytest.approx(table["high_m2"][0], rel=1e-6)


def test_unknown_ground_has_no_expected_area_and_ground_off_the_grid_is_unknown():
    evidence = gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}], "sha")
    shapes = [box(E0 - 3_000, N0 - 3_000, E0 - 2_800, N0 - 2_800), box(E0, N0, E0 + 6_000, N0 + 100), None, Polygon(),
              box(E0 + 90_000, N0, E0 + 90_500, N0 + 500)]  # fmt: skip
    table = cp.expected_area(evidence, layer_of(*shapes))
    assert table.loc[[0, 2, 3, 4], "expected_m2"].isna().all()
    assert table["known_m2"][[0, 4]].tolist() == [0, 0]
    assert table["unknown_m2"][[0, 4]].tolist() == [40_000, 250_000]
    assert table["known_m2"][1] == pytest.approx(20 * 10_000)  # 0 to 1,900 m from the field's cell
    assert table["unknown_m2"][1] == pytest.approx(600_000 - 200_000)


def test_a_polygon_smaller_than_a_cell_takes_the_cell_at_its_inner_point():
    evidence = gather([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}], "sha")
    sliver = box(E0 + 100, N0 + 1, E0 + 900, N0 + 3)  # 800 m long, no centre
    table = cp.expected_area(evidence, layer_of(box(E0 + 10, N0 + 10, E0 + 20, N0 + 20), sliver))
    assert table["expected_m2"][0] == pytest.approx(100 * 0.35545, rel=1e-4)
    p = at(evidence, centre(5, 0), centre(4, 0))["p"]
    assert table["expected_m2"][1] / sliver.area == pytest.approx(p[0], rel=1e-3) or table["expected_m2"][
        1
    ] / sliver.area == pytest.approx(p[1], rel=1e-3)


@given(seed=st.integers(0, 1_000))
@settings(max_examples=10, deadline=None)
def test_more_evidence_never_lowers_a_probability(seed):
    hazards, _ = random_world(seed, count=6)
    less = gather([], "cha", "sha", areas=hazards.iloc[:3].assign(area_id="a"))
    more = gather([], "cha", "sha", areas=hazards.assign(area_id="a"))
    points = np.random.default_rng(seed).uniform((E0 - 3_000, N0 - 3_000), (E0 + 3_000, N0 + 3_000), (50, 2))
    p, q = at(less, *points)["p"], at(more, *points)["p"]
    assert (q.fillna(0) >= p.fillna(0)).all()


# --- the zoo, the CRS, and settings that can't be

ZOO = {
    "point": Point(E0, N0),
    "multipoint": MultiPoint([(E0, N0), (E0 + 700, N0)]),
    "line": LineString([(E0, N0), (E0 + 500, N0 + 300)]),
    "hole": Polygon([(E0, N0), (E0 + 900, N0), (E0 + 900, N0 + 900), (E0, N0 + 900)],
                    [[(E0 + 300, N0 + 300), (E0 + 300, N0 + 600), (E0 + 600, N0 + 600), (E0 + 600, N0 + 300)]]),
    "multipart": MultiPolygon([box(E0, N0, E0 + 80, N0 + 80), box(E0 + 2_000, N0, E0 + 2_080, N0 + 80)]),
    "collapsed": Polygon([(E0, N0), (E0 + 500, N0), (E0, N0)]),
    "huge": box(E0 - 300_000, N0 - 300_000, E0 + 300_000, N0 + 300_000),
    "sliver": box(E0 - 1_000, N0, E0 + 1_000, N0 + 0.01),
    "third dimension": shapely.force_3d(box(E0, N0, E0 + 80, N0 + 80), 500.0),
    "beyond the UTM zone": box(E0 + 165_000, N0, E0 + 166_000, N0 + 1_000),
}  # fmt: skip


@pytest.mark.parametrize("animal", ZOO)
def test_zoo_meets_the_surface(animal, tmp_path):
    shape = ZOO[animal]
    evidence = gather([{"geometry": shape}], "sha", "roads", roads=layer_of(shape))
    surface = cp.make_surface(evidence, tmp_path / "s.tif")
    p, _ = surface.read()
    x, y = np.meshgrid(E0 - 2_950 + 100 * np.arange(60), N0 + 2_950 - 100 * np.arange(60))
    away = shapely.distance(shapely.points(x, y), shape)
    assert (np.isfinite(p) | (away > REACH - 71)).all()
    assert (np.isnan(p) | (away < REACH + 71)).all()
    table = cp.expected_area(evidence, layer_of(shape, None))
    assert len(table) == 2
    assert table.iloc[1].isna().all()


@pytest.mark.parametrize(
    "crs", [None, "EPSG:4326", "EPSG:2263", "EPSG:32639"], ids=["none", "degrees", "feet", "other"]
)
def test_metres_or_an_error(crs):
    wrong = gpd.GeoDataFrame({"detection": [0.5]}, geometry=[box(E0, N0, E0 + 1, N0 + 1)], crs=crs)
    for name in ("settlements", "roads", "mask", "searched"):
        with pytest.raises(CrsError):
            gather([{"geometry": Point(E0, N0)}], "sha", **{name: wrong})
    with pytest.raises(CrsError):
        cp.expected_area(gather([{"geometry": Point(E0, N0)}], "sha"), wrong)


def test_inputs_stay_as_they_are():
    hazards = hazard_table([{"geometry": box(E0, N0, E0 + 100, N0 + 100)}])
    before = hazards.copy(deep=True)
    evidence = cp.collect_evidence(
        hazards, hazards.assign(area_id="a"), accident_table([], []), asked("sha"), grid=GRID
    )
    cp.expected_area(evidence, hazards)
    pd.testing.assert_frame_equal(hazards, before)


def test_evidence_that_no_term_weighs_is_named(tmp_path):
    rows = [{"geometry": box(E0, N0, E0 + 100, N0 + 100), "land_class": "CHA"}, {"geometry": Point(E0, N0)}]
    evidence = gather(rows, "sha", accidents=accident_table([(E0, N0)], [None]))
    assert evidence.left_out == ("cha", "accidents")
    with rasterio.open(cp.make_surface(evidence, tmp_path / "s.tif").path) as file:
        assert file.tags()["CLEARPLAN_LEFT_OUT"] == "cha, accidents"


def test_strengths_can_be_set_anew():
    plan = asked("sha", "accidents").with_strengths({"sha": 1.5, "accidents": 0.25}, base_rate=0.3)
    assert [term.strength for term in plan.terms] == [1.5, 0.25]
    assert plan.base_rate == 0.3
    two = {"evidence": "line", "spread": 0, "scale_m": 800, "shape": "long-tail", "source": "test",
           "strength_left": 1.0, "strength_right": 3.0}  # fmt: skip
    sides = SurfaceSettings(**(BASE | {"terms": [two]})).with_strengths(
        {"line-left": 2, "line-right": 0}, base_rate=0.1
    )
    assert sides.terms[0].columns == {"line-left": 2, "line-right": 0}
    with pytest.raises(SettingsError, match="no strength for accidents"):
        plan.with_strengths({"sha": 1}, base_rate=0.1)
    with pytest.raises(SettingsError, match="greater than or equal to 0"):
        plan.with_strengths({"sha": -1, "accidents": 1}, base_rate=0.1)


def test_a_grid_must_fit():
    with pytest.raises(SettingsError, match="grid's cells are 100 m"):
        gather([], "sha", settings=asked("sha", cell_m=50))
    with pytest.raises(CrsError, match="make it in the CRS of the tables"):
        gather([], "sha", grid=make_grid((0, 0, 1_000, 1_000), 100, CRS.from_epsg(32639)))


def test_a_term_needs_its_layer_and_a_grid_is_said_once():
    with pytest.raises(SettingsError, match=r"settlements needs a layer; name its file as surface\.settlements"):
        gather([], "settlements")
    with pytest.raises(SettingsError, match="region or grid"):
        gather([], "sha", region=(45, 39, 46, 40))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"strength": None}, "expert mode needs a strength for sha"),
        ({"strength": -1}, "greater than or equal to 0"),
        ({"wrong_anchor_m": 5}, "wrong_anchor_m is needed for records, and for nothing else"),
        ({"half_at": 5}, "half_at is needed for accidents"),
        ({"strength_left": 5}, "strength_left and strength_right go together"),
        ({"evidence": "accidents"}, "half_at is needed for accidents"),
        ({"source": ""}, "source"),
    ],
)
def test_settings_that_cannot_be(changed, words):
    term = {"evidence": "sha", "spread": 0.5, "source": "test"} | TERMS["sha"] | changed
    with pytest.raises(SettingsError, match=words):
        check_settings(SurfaceSettings, BASE | {"terms": [term]}, where="plan.toml [surface]")


def test_every_number_must_be_stated():
    term = {"evidence": "sha", "spread": 0.5, "source": "test"} | TERMS["sha"]
    for name in BASE:
        with pytest.raises(SettingsError, match=f"{name}: is missing"):
            check_settings(SurfaceSettings, {k: v for k, v in BASE.items() if k != name} | {"terms": [term]}, where="x")
    with pytest.raises(SettingsError, match="named twice"):
        check_settings(SurfaceSettings, BASE | {"terms": [term, term]}, where="x")


def test_fitted_mode_gives_terms_before_it_has_strengths(tmp_path):
    plan = asked("sha", mode="fitted")
    term = plan.terms[0].model_copy(update={"strength": None})
    evidence = gather([{"geometry": Point(E0 + 50, N0 + 50)}], settings=plan.model_copy(update={"terms": (term,)}))
    found = at(evidence, centre(0, 0))
    assert found["sha"][0] == 1
    assert found["p"].isna().all()
    with pytest.raises(SettingsError, match="strength is not set"):
        cp.make_surface(evidence, tmp_path / "s.tif")
