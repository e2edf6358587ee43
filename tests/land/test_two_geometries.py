"""Ground as reported and ground for planning: two geometries, and each figure says which it counts."""

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

import clearplan as cp
from clearplan.core.errors import TableError
from tests.cells import area_table, release_table
from tests.conftest import E0, N0, UTM

SIDE, ERROR = 100, 50
TASKS = cp.TaskSettings(influence_m=0, max_task_ha={"survey": 100, "clearance": 100}, min_task_m2=0, join_within_m=0)
NO_ZONES = gpd.GeoDataFrame({"zone_id": pd.Series([], dtype=object)}, geometry=[], crs=UTM)


def square(x, y, wide, high=None):
    return box(E0 + x, N0 + y, E0 + x + wide, N0 + y + (wide if high is None else high))


def field(border, error_m=ERROR, **row):
    """A field with its border as reported, and its footprint for planning."""
    grown = shapely.buffer(border, error_m, quad_segs=32) if error_m else border
    return {"geometry": grown, "reported": border, "grown_m": error_m, "land_class": "CHA"} | row


def fields(*rows):
    table = area_table(list(rows))
    return table.assign(grown_m=[float(row.get("grown_m", 0)) for row in rows])


def cleared(*shapes, action="cleared", day=3):
    return release_table([{"action": action, "day": day, "geometry": shape} for shape in shapes])


def make_tasks(left):
    return cp.make_tasks(left, NO_ZONES, TASKS)


# --- footprints


def hazards(*rows):
    base = {"kind": "minefield", "land_class": "SHA", "status": "open", "ordnance": "AP", "position_error_m": ERROR,
            "source": "made up", "stated_m2": np.nan}  # fmt: skip
    full = [base | {"hazard_id": f"H{k}"} | row for k, row in enumerate(rows)]
    return gpd.GeoDataFrame(full, geometry="geometry", crs=UTM)


def test_a_square_by_hand():
    settings_ = cp.FootprintSettings(margin_m={"AP": 0}, strike_radius_m=0)
    areas = cp.footprints(hazards({"geometry": square(0, 0, SIDE)}), settings_)
    by_hand = SIDE**2 + 4 * SIDE * ERROR + math.pi * ERROR**2  # the square, four sides, four quarters of a circle
    assert areas["planning_m2"].iloc[0] == pytest.approx(by_hand, rel=1e-3)
    assert areas["planning_m2"].iloc[0] >= by_hand
    assert areas["reported"].iloc[0].equals(square(0, 0, SIDE))
    net = cp.net_area(areas).set_index("land_class").loc["SHA"]
    assert net["reported_m2"] == pytest.approx(SIDE**2)
    assert net["planning_m2"] == pytest.approx(areas["planning_m2"].iloc[0])


def test_what_has_no_surveyed_border_counts_what_its_source_states_and_else_is_unknown():
    table = hazards(
        {"geometry": Point(E0, N0), "stated_m2": 700.0},
        {"geometry": Point(E0 + 1000, N0)},
        {"geometry": LineString([(E0, N0 + 1000), (E0 + 300, N0 + 1000)])},
        {"geometry": square(3000, 0, SIDE), "kind": "cluster-strike", "stated_m2": 900.0},
        {"geometry": square(5000, 0, SIDE)},
    )
    areas = cp.footprints(table, cp.FootprintSettings(margin_m={"AP": 0}, strike_radius_m=300))
    assert areas["reported"].isna().tolist() == [True, True, True, True, False]
    net = cp.net_area(areas).set_index("land_class").loc["SHA"]
    assert (net["reported_m2"], net["stated_m2"], net["no_area"]) == pytest.approx((SIDE**2, 1600, 2))
    left = cp.apply_releases(areas, cleared())
    assert left["reported_m2"].tolist() == pytest.approx([700, np.nan, np.nan, 900, SIDE**2], nan_ok=True)
    assert left["remaining_m2"].tolist() == pytest.approx([700, np.nan, np.nan, 900, SIDE**2], nan_ok=True)
    assert (left["planning_m2"] > 0).all()
    # Once a part of its footprint is released, nobody can tell how much of the stated area that was.
    part = cp.apply_releases(areas, cleared(square(-20, -20, 40)))
    assert np.isnan(part["remaining_m2"].iloc[0])
    assert part["reported_m2"].iloc[0] == 700
    gone = cp.apply_releases(areas, cleared(square(-99, -99, 198)))
    assert (gone["remaining_m2"].iloc[0], gone["cleared_m2"].iloc[0]) == (0, 700)


def test_areas_that_nobody_drew_by_footprints_are_refused():
    with pytest.raises(TableError, match="lack the column reported"):
        cp.net_area(area_table([{"geometry": square(0, 0, 10)}]).drop(columns="reported"))


# --- a release to the reported border


@pytest.mark.parametrize(
    "border",
    [
        square(0, 0, SIDE),
        shapely.difference(square(0, 0, 300), square(100, 100, 100)),  # with a hole
        shapely.union(square(0, 0, SIDE), square(500, 0, SIDE)),  # of two parts
        shapely.Polygon([(E0, N0), (E0 + 400, N0), (E0, N0 + 30)]),
    ],
    ids=["square", "hole", "parts", "wedge"],
)
def test_a_field_released_to_its_border_is_gone_from_ledger_tasks_and_map(border):
    areas, releases = fields(field(border)), cleared(border)
    left = cp.apply_releases(areas, releases)
    assert left["remaining_m2"].tolist() == [0]
    assert left["cleared_m2"].iloc[0] == pytest.approx(border.area, rel=1e-9)
    assert left.geometry.iloc[0] is None
    assert len(make_tasks(left)) == 0
    ledger = cp.ledger(areas, releases, as_at="2024-12-31").iloc[0]
    assert (ledger["remaining_m2"], ledger["planning_m2"]) == (0, 0)
    assert ledger["cleared_m2"] == ledger["reported_m2"] == pytest.approx(border.area, rel=1e-9)
    assert cp.net_area(left).empty


def test_a_border_of_seven_decimals_is_the_same_border():
    """GeoJSON's degrees are rounded to about a centimetre: threads of that width leave no rim."""
    border = shapely.Polygon([(E0, N0), (E0 + 123, N0 + 7), (E0 + 140, N0 + 151), (E0 + 13, N0 + 99)])
    lonlat = gpd.GeoSeries([border], crs=UTM).to_crs(4326)
    rounded = gpd.GeoSeries(shapely.transform(lonlat.to_numpy(), lambda at: np.round(at, 7)), crs=4326).to_crs(UTM)
    left = cp.apply_releases(fields(field(border)), cleared(rounded.iloc[0]))
    assert left["remaining_m2"].iloc[0] < 3
    assert left.geometry.iloc[0] is None


def test_the_rim_is_surveyed_where_the_plan_asks_for_it():
    border = square(0, 0, SIDE)
    areas = fields(field(border))
    left = cp.apply_releases(areas, cleared(border), halo="survey")
    assert left["area_id"].tolist() == ["H0", "H0/halo"]
    rim = left.iloc[1]
    assert (rim["band"], rim["land_class"], rim["status"]) == ("halo", "indication", "open")
    assert rim["planning_m2"] == pytest.approx(areas["planning_m2"].iloc[0] - SIDE**2)
    assert np.isnan(rim["reported_m2"])
    assert make_tasks(left)["queue"].unique().tolist() == ["survey"]
    assert make_tasks(left)["land_class"].unique().tolist() == ["indication"]
    ledger = cp.ledger(areas, cleared(border), as_at="2024-12-31", halo="survey").set_index("land_class")
    assert ledger.loc["indication", "planning_m2"] == pytest.approx(rim["planning_m2"])
    assert ledger["remaining_m2"].sum() == 0


def test_half_a_field_keeps_the_rim_of_the_half_that_remains():
    # 300 x 100 m, of which the western 200 m are cleared: what remains is a square, and its rim as far as it is open.
    areas = fields(field(square(0, 0, 300, SIDE)))
    left = cp.apply_releases(areas, cleared(square(0, 0, 200, SIDE)))
    assert left["remaining_m2"].tolist() == pytest.approx([SIDE**2])
    square_grown = SIDE**2 + 4 * SIDE * ERROR + math.pi * ERROR**2
    assert left["planning_m2"].iloc[0] == pytest.approx(square_grown - ERROR * SIDE, rel=1e-3)


def test_a_belt_that_is_cancelled_is_no_cancelled_area():
    belt = {"geometry": square(0, 0, 1000), "reported": None, "land_class": "indication", "kind": "contact-line"}
    areas, releases = fields(belt), cleared(square(0, 0, 1000, 400), action="cancelled")
    left = cp.apply_releases(areas, releases)
    assert left[["reported_m2", "cancelled_m2"]].isna().all(axis=None)
    ledger = cp.ledger(areas, releases, as_at="2024-12-31").iloc[0]
    assert (ledger["reported_m2"], ledger["cancelled_m2"]) == (0, 0)
    assert (ledger["planning_m2"], ledger["planning_released_m2"]) == pytest.approx((600_000, 400_000))
    moved = cp.bridge(areas, releases, opening="2023-12-31", closing="2024-12-31")
    assert not moved.select_dtypes("number").to_numpy().any()


# --- closed hazards


SQUARE_GROWN = SIDE**2 + 4 * SIDE * ERROR + math.pi * ERROR**2


def test_ground_that_is_re_opened_has_its_rim_again():
    areas = fields(field(square(0, 0, SIDE), status="closed"))
    whole = cp.apply_releases(areas, cleared(square(0, 0, SIDE), action="re-opened"))
    assert (whole["status"].iloc[0], whole["remaining_m2"].iloc[0]) == ("open", SIDE**2)
    assert whole["planning_m2"].iloc[0] == pytest.approx(SQUARE_GROWN, rel=1e-3)
    strip = square(0, 0, 30, SIDE)
    part = cp.apply_releases(areas, cleared(strip, action="re-opened"))
    assert part["remaining_m2"].iloc[0] == pytest.approx(3_000)
    true = shapely.intersection(shapely.buffer(strip, ERROR, quad_segs=64), areas.geometry.iloc[0])
    assert shapely.difference(true, part.geometry.iloc[0]).area < 1e-3 * true.area


def test_re_opening_the_rim_alone_opens_no_field():
    areas = fields(field(square(0, 0, SIDE), status="closed"))
    left = cp.apply_releases(areas, cleared(square(SIDE + 5, 0, 20, SIDE), action="re-opened"))
    assert (left["status"].iloc[0], left["remaining_m2"].iloc[0]) == ("closed", 0)
    assert cp.net_area(left).empty


def test_a_closed_field_that_is_half_released_leaves_no_rim_to_survey():
    areas = fields(field(square(0, 0, SIDE), status="closed"))
    left = cp.apply_releases(areas, cleared(square(0, 0, 50, SIDE)), halo="survey")
    assert left["area_id"].tolist() == ["H0"]
    assert left["status"].tolist() == ["closed"]


def test_a_stated_area_that_was_partly_released_is_unknown_and_a_rim_is_no_hazard_of_its_own():
    strike = {"geometry": square(0, 0, SIDE), "reported": None, "stated_m2": 5_000.0}
    areas = fields(strike, field(square(1000, 0, SIDE)))
    left = cp.apply_releases(areas, cleared(square(0, 0, 50), square(1000, 0, SIDE)), halo="survey")
    net = cp.net_area(left).set_index("land_class")
    assert np.isnan(net.loc["SHA", "stated_m2"])
    assert net["no_area"].to_dict() == {"SHA": 1, "indication": 0}


# --- laws


offsets = st.integers(-200, 200)
fields_drawn = st.tuples(offsets, offsets, st.integers(20, 200), st.integers(20, 200), st.sampled_from([0, 5, 50]),
                         st.sampled_from(["CHA", "SHA"]), st.sampled_from(["open", "open", "closed"]))  # fmt: skip
decisions = st.tuples(offsets, offsets, st.integers(10, 300), st.integers(10, 300),
                      st.sampled_from(["cancelled", "reduced", "cleared", "re-opened"]), st.integers(1, 8))  # fmt: skip


@given(drawn=st.lists(fields_drawn, min_size=1, max_size=4), decided=st.lists(decisions, max_size=4))
@settings(max_examples=40, deadline=None)
def test_reported_ground_is_conserved_and_planning_ground_contains_it(drawn, decided):
    borders = [square(x, y, wide, high) for x, y, wide, high, *_ in drawn]
    areas = fields(*(field(border, error_m=row[4], land_class=row[5], status=row[6])
                     for border, row in zip(borders, drawn, strict=True)))  # fmt: skip
    releases = release_table([
        {"action": action, "day": day, "geometry": square(x, y, wide, high)}
        for x, y, wide, high, action, day in decided
    ])  # fmt: skip
    left = cp.apply_releases(areas, releases)
    states = ["remaining_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "closed_m2"]
    np.testing.assert_allclose(left[states].sum(axis=1), left["reported_m2"], rtol=1e-6)
    np.testing.assert_allclose(left["reported_m2"], [border.area for border in borders], rtol=1e-9)
    ledger = cp.ledger(areas, releases, as_at="2024-12-31")
    known = ledger[ledger["land_class"].isin(["CHA", "SHA", "indication"])]
    assert known["reported_m2"].sum() == pytest.approx(shapely.union_all(borders).area, rel=1e-6)
    net = cp.net_area(left)
    assert net["reported_m2"].sum() == pytest.approx(known["remaining_m2"].sum(), rel=1e-6, abs=1e-2)
    assert net["planning_m2"].sum() == pytest.approx(known["planning_m2"].sum(), rel=1e-6, abs=1e-2)
    released = shapely.union_all([r.geometry for r in releases.itertuples() if r.action != "re-opened"])
    for row, (*_, error_m, _, status) in zip(left.itertuples(), drawn, strict=True):
        if status == "closed" or row.reported is None or row.remaining_m2 < 1:
            continue
        # What remains, grown by its error and less what was released, is all there to be worked.
        true = shapely.difference(shapely.buffer(row.reported, error_m, quad_segs=64), shapely.buffer(released, 0.2))
        assert shapely.difference(true, row.geometry).area < 1e-2 * max(true.area, 1)
