"""Public cells contain what they stand for, tell nothing of where in them it lies, and carry new ids."""

import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point, box

from clearplan.land.footprints import footprints, net_area
from clearplan.priority.tasks import make_tasks
from clearplan.publishing.cells import cells_for, middle_of, squares_under
from clearplan.publishing.public_cells import make_key
from clearplan.publishing.tables import publish_tables
from clearplan.settings.publishing import PublishSettings
from clearplan.tables.check import remaining
from tests.conftest import E0, N0, accident_table, hazard_table, random_world, zone_table


@pytest.fixture(params=["grid", "districts"])
def asked(request) -> PublishSettings:
    return PublishSettings(to=request.param, cell_m=2000)


@pytest.mark.parametrize("seed", range(4))
def test_cells_contain_every_hazard_and_no_square_metre_counts_twice(seed, asked, margins, districts):
    hazards, _ = random_world(seed, 25)
    areas = footprints(hazards, margins)
    layers = {"districts": districts, "district_name": "district"}
    key = make_key({"areas": areas}, asked, **layers)
    held = shapely.union_all(key.cells.geometry.to_numpy())
    for shape in remaining(areas).geometry:
        assert shapely.difference(shape, held).area < 1e-6
    net = net_area(areas, districts).groupby("land_class")["planning_m2"].sum()
    told = key.held.groupby("land_class")["m2"].sum()
    pd.testing.assert_series_equal(told, net, check_names=False, rtol=1e-6)
    out = publish_tables({"areas": areas}, "public", settings=asked, **layers)["areas"]
    assert out["area_id"].is_unique
    for land_class in ("CHA", "SHA", "indication"):
        own = out[f"{land_class.lower()}_m2"]
        assert own.sum() == pytest.approx(net[land_class], abs=1000 * len(out))
        assert (own.dropna() % 1000 == 0).all()
        assert (own.dropna() >= 1000).all()


def test_areas_by_hand():
    # Two squares of 1 km: 0.5 km x 0.2 km of SHA in the west, as much in the east, of which CHA takes 0.1 km x 0.2 km.
    hazards = hazard_table([
        {"geometry": box(500, 400, 1500, 600), "land_class": "SHA"},
        {"geometry": box(1400, 400, 1500, 600), "land_class": "CHA"},
    ])  # fmt: skip
    areas = hazards.assign(area_id=hazards["hazard_id"], band="whole")
    out = publish_tables({"areas": areas}, "public", settings=PublishSettings(cell_m=1000))["areas"].sort_values(
        "area_id"
    )
    assert out.geometry.bounds.to_numpy().tolist() == [[0, 0, 1000, 1000], [1000, 0, 2000, 1000]]
    assert out["land_class"].tolist() == ["SHA", "CHA"]
    assert out["sha_m2"].tolist() == [100_000.0, 80_000.0]
    assert out["cha_m2"].fillna(-1).tolist() == [-1, 20_000.0]
    assert out["indication_m2"].isna().all()  # nothing known is blank, never 0


def test_where_in_its_cell_a_hazard_lies_changes_no_published_table(task_settings):
    """Two worlds that differ only within cells look the same to anyone."""
    corner, told = box(652_100, 4_421_100, 652_400, 4_421_300), []
    for dx, dy in ((0, 0), (1_900, 700), (37, 2_411)):
        hazards = hazard_table([{"geometry": shapely.transform(corner, lambda xy, d=(dx, dy): xy + np.array(d))}])
        areas = hazards.assign(area_id=hazards["hazard_id"], band="whole")
        zones = zone_table([{"geometry": Point(652_500 + dx, 4_421_000 + dy)}])
        tasks = make_tasks(areas, zones, task_settings)
        accidents = accident_table([(652_100 + dx, 4_421_000 + dy)], ["2021-05-05"])
        tables = {"hazards": hazards, "areas": areas, "tasks": tasks, "zones": zones, "accidents": accidents}
        out = publish_tables(tables, "public", settings=PublishSettings(cell_m=5000))
        # A task is cut at lines of a finer grid, so how many make up a cell may differ: its ground does not.
        told.append({name: table.to_csv() for name, table in out.items()})
    assert told[0] == told[1] == told[2]


def test_squares_touch_what_has_no_ground_and_not_what_only_meets_their_border():
    assert len(squares_under(np.array([box(0, 0, 1000, 1000)]), 1000)) == 1
    assert len(squares_under(np.array([Point(1000, 1000)]), 1000)) == 4
    assert len(squares_under(np.array([None, shapely.Polygon()]), 1000)) == 0


def test_places_tell_their_cell_alone():
    points = np.array([Point(E0 + 10, N0 + 10), Point(E0 + 4_000, N0 + 3_000), None, Point(E0 + 6_000, N0 + 10)])
    one = middle_of(points, np.array([]), ["a", "b", "c", "d"], 5000)
    moved = np.array([Point(E0 + 4_990, N0 + 4_900), Point(E0 + 1, N0 + 1), None, Point(E0 + 9_000, N0 + 1_000)])
    other = middle_of(moved, np.array([]), ["a", "b", "c", "d"], 5000)
    assert [p if p is None else p.wkt for p in one] == [p if p is None else p.wkt for p in other]
    assert one[0].equals(Point(E0 + 2_500, N0 + 2_500))
    assert one[1].equals(Point(E0 + 3_000, N0 + 2_500))  # shares the square: beside the first
    assert one[2] is None


def test_a_square_belongs_to_the_district_that_holds_most_of_it(districts):
    # The square lies from E0 to E0 + 5 km; the west ends at E0 + 3 km. The hazard is in the east of it.
    shape = np.array([box(E0 + 4_500, N0 + 100, E0 + 4_600, N0 + 200)])
    cells = cells_for(shape, districts.crs, 5000, districts=districts)
    assert cells["district"].tolist() == ["West"]


def test_new_ids_are_of_cell_class_and_number_alone(margins, task_settings):
    hazards, zones = random_world(7, 12)
    areas = footprints(hazards, margins)
    tables = {"areas": areas, "zones": zones, "tasks": make_tasks(areas, zones, task_settings)}
    ids = publish_tables(tables, "public", settings=PublishSettings())["tasks"]["task_id"]
    assert ids.is_unique
    assert ids.str.fullmatch(r"38[ST][A-Z]{2}\d{2}-\d+-(CHA|SHA|IND)").all()  # 10-km square, cell in it, class


def test_publishing_is_deterministic(margins, task_settings):
    hazards, zones = random_world(11, 8)
    areas = footprints(hazards, margins)
    tables = {"areas": areas, "zones": zones, "tasks": make_tasks(areas, zones, task_settings)}
    one, other = (publish_tables(tables, "public", settings=PublishSettings()) for _ in range(2))
    assert {name: table.to_csv() for name, table in one.items()} == {k: v.to_csv() for k, v in other.items()}
