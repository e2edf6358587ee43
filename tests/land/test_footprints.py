"""Footprints and net areas: answers by hand."""

import math

import numpy as np
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from clearplan.core.errors import CrsError, SettingsError, TableError
from clearplan.land import footprints as hz
from clearplan.settings.land import FootprintSettings
from clearplan.tables.texts import read_profile, write_profile
from tests.conftest import E0, N0, hazard_table, random_world


def line_row(**changes):
    return {
        "kind": "contact-line",
        "land_class": "indication",
        "ordnance": "unknown",
        "geometry": LineString([(E0, N0), (E0 + 10_000, N0)]),
        "depth_profile": "0 1000 3000",
        "measure": "each-side",
        "sides": "both",
        "caps": "flat",
    } | changes


@pytest.mark.parametrize(
    ("changes", "inner", "outer"),
    [
        ({}, 20.0, 40.0),
        ({"measure": "total"}, 10.0, 20.0),
        ({"sides": "left"}, 10.0, 20.0),
        ({"sides": "right", "measure": "total"}, 10.0, 20.0),
        ({"caps": "round"}, 20 + math.pi, 40 + 8 * math.pi),
        ({"sides": "left", "caps": "round"}, 10 + math.pi / 2, 20 + 4 * math.pi),
    ],
)
def test_belt_bands_have_the_area_of_the_drawing(margins, changes, inner, outer):
    areas = hz.footprints(hazard_table([line_row(**changes)]), margins)
    assert areas["band"].tolist() == ["inner", "outer"]
    np.testing.assert_allclose(areas["planning_m2"] / 1e6, [inner, outer], rtol=2e-3)
    assert areas["land_class"].tolist() == ["indication", "indication"]


def test_belt_stays_an_indication_whatever_the_row_says(margins):
    areas = hz.footprints(hazard_table([line_row(land_class="CHA")]), margins)
    assert set(areas["land_class"]) == {"indication"}


def test_minefield_grows_by_error_and_margin(margins):
    rows = [
        {"geometry": Point(E0, N0), "position_error_m": 40.0, "ordnance": "AP"},
        {"geometry": LineString([(E0, N0), (E0 + 100, N0)]), "position_error_m": 5.0, "ordnance": "AV"},
        {"geometry": box(E0, N0, E0 + 100, N0 + 100), "position_error_m": 0.0, "ordnance": "CMR"},
        {"geometry": Point(E0, N0), "kind": "cluster-strike", "position_error_m": 2000.0, "ordnance": "CMR"},
    ]
    areas = hz.footprints(hazard_table(rows), margins)
    assert areas["grown_m"].tolist() == [50, 25, 0, 2300]
    by_hand = [math.pi * 50**2, 100 * 50 + math.pi * 25**2, 100**2, math.pi * 2300**2]
    np.testing.assert_allclose(areas["planning_m2"], by_hand, rtol=2e-3)
    assert (areas["planning_m2"] >= np.array(by_hand) * (1 - 1e-12)).all()


def test_unknown_position_error_needs_an_assumption(margins):
    table = hazard_table([{"geometry": Point(E0, N0), "position_error_m": None}])
    with pytest.raises(SettingsError, match="assumed_position_error_m"):
        hz.footprints(table, margins)
    assumed = FootprintSettings(**margins.model_dump() | {"assumed_position_error_m": 90})
    assert hz.footprints(table, assumed)["grown_m"].tolist() == [100]


def test_missing_margin_is_named(margins):
    table = hazard_table([{"geometry": Point(E0, N0), "ordnance": "IED"}])
    with pytest.raises(SettingsError, match="no margin for IED"):
        hz.footprints(table, margins)


def test_net_area_counts_the_strongest_class_once(districts, margins):
    rows = [
        {"geometry": box(E0, N0, E0 + 1000, N0 + 1000), "land_class": "indication", "ordnance": "CMR"},
        {"geometry": box(E0 + 500, N0, E0 + 1500, N0 + 1000), "land_class": "SHA", "ordnance": "CMR"},
        {"geometry": box(E0 + 500, N0, E0 + 1500, N0 + 1000), "land_class": "SHA", "ordnance": "CMR"},
        {"geometry": box(E0 + 1000, N0, E0 + 2000, N0 + 1000), "land_class": "CHA", "ordnance": "CMR"},
        {"geometry": box(E0 + 1000, N0, E0 + 9000, N0 + 9), "land_class": "CHA", "status": "closed"},
    ]
    table = hz.net_area(hz.footprints(hazard_table(rows), margins)).set_index("land_class")
    assert table["planning_m2"].to_dict() == pytest.approx({"CHA": 1e6, "SHA": 0.5e6, "indication": 0.5e6})
    assert table["gross_m2"].to_dict() == pytest.approx({"CHA": 1e6, "SHA": 2e6, "indication": 1e6})
    assert table.loc["SHA", "overlap_m2"] == pytest.approx(1.5e6)


def test_net_area_by_district_sums_to_the_whole(districts, margins):
    shape = box(E0 + 2000, N0, E0 + 9000, N0 + 1000)
    table = hz.net_area(hz.footprints(hazard_table([{"geometry": shape, "ordnance": "CMR"}]), margins), districts)
    # West ends at + 3,000 m and takes the strip that East also claims; the last 1,000 m lie in no district.
    assert dict(zip(table["district"], table["planning_m2"], strict=True)) == pytest.approx(
        {"West": 1e6, "East": 5e6, hz.OUTSIDE: 1e6}
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_net_areas_are_apart_and_make_the_union(seed):
    hazards, _ = random_world(seed)
    margins = FootprintSettings(margin_m={"AP": 10, "AV": 20, "mixed": 0}, strike_radius_m=0)
    areas = hz.footprints(hazards, margins)
    net = hz.net_shapes(areas)
    union = shapely.union_all(areas.geometry.to_numpy())
    assert sum(shape.area for shape in net.values()) == pytest.approx(union.area, rel=1e-9)
    assert shapely.intersection(net["CHA"], net["SHA"]).area == pytest.approx(0, abs=1e-3)


def test_deferred_hazard_stays_without_area(margins):
    table = hazard_table([{"geometry": None, "deferred": "shape is missing"}, {"geometry": Point(E0, N0)}])
    areas = hz.footprints(table, margins)
    assert areas["hazard_id"].tolist() == ["H0", "H1"]
    assert areas["deferred"].notna().tolist() == [True, False]
    assert areas["planning_m2"].iloc[0] == 0


@pytest.mark.parametrize("crs", [None, "EPSG:4326", "EPSG:2229"])
def test_metres_or_an_error(margins, crs):
    table = hazard_table([{"geometry": Point(0, 0)}], crs=crs)
    with pytest.raises(CrsError):
        hz.footprints(table, margins)


def test_profile_survives_its_text():
    rows = [(0, 3000, 7000), (50_000.5, 2000, 5000)]
    assert read_profile(write_profile(rows)) == [tuple(map(float, row)) for row in rows]


@pytest.mark.parametrize("depth", [(7000, 3000), (-1, 5), [(0, 1, 2), (0, 1, 2)], [], [(1, 2)], (float("nan"), 3)])
def test_wrong_depths_are_refused(depth):
    with pytest.raises(SettingsError):
        write_profile(depth)


def test_contact_line_must_be_one_line(margins):
    broken = line_row(geometry=shapely.MultiLineString([[(0, 0), (1, 0)], [(5, 5), (6, 5)]]))
    with pytest.raises(TableError, match="one unbroken line"):
        hz.footprints(hazard_table([broken]), margins)


def test_input_is_untouched(margins):
    hazards, _ = random_world(1)
    before = hazards.copy(deep=True)
    hz.footprints(hazards, margins)
    assert_geodataframe_equal(hazards, before)
