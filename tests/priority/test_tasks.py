"""Tasks tile the net areas, keep classes, districts and zones apart, and have stable names."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

import clearplan as cp
from clearplan.geo.shapes import conservative_buffer, disjoint
from clearplan.land.footprints import footprints, net_shapes
from clearplan.priority.tasks import make_tasks
from clearplan.settings.land import FootprintSettings
from clearplan.settings.tasks import TaskSettings
from tests.conftest import E0, N0, hazard_table, random_world, zone_table

MARGINS = FootprintSettings(margin_m={"AP": 10, "AV": 20, "mixed": 0, "CMR": 0}, strike_radius_m=0)
SETTINGS = TaskSettings(influence_m=1000, max_task_ha={"survey": 110, "clearance": 26}, min_task_m2=500)


def check_laws(areas, zones, tasks, districts=None):
    net = net_shapes(areas)
    for land_class, shape in net.items():
        mine = tasks[tasks["land_class"] == land_class]
        assert mine["area_m2"].sum() == pytest.approx(shape.area, rel=1e-6)
        assert shapely.union_all(mine.geometry.to_numpy()).area == pytest.approx(shape.area, rel=1e-6)
    i, j = shapely.STRtree(tasks.geometry.to_numpy()).query(tasks.geometry.to_numpy(), predicate="overlaps")
    shape = tasks.geometry.to_numpy()
    assert shapely.area(shapely.intersection(shape[i], shape[j])).sum() <= 1e-6 * tasks["area_m2"].sum()
    largest = tasks["queue"].map(SETTINGS.max_task_ha) * 1e4
    assert (tasks["area_m2"] <= largest * (1 + 1e-9)).all()
    assert tasks["task_id"].is_unique
    assert (tasks["queue"] == tasks["land_class"].map({"CHA": "clearance"}).fillna("survey")).all()
    for zone, influence in zip(
        zones["zone_id"], conservative_buffer(zones.geometry.to_numpy(), SETTINGS.influence_m), strict=True
    ):
        inside = tasks["zone_ids"].str.split("; ").map(lambda ids, z=zone: z in ids).to_numpy()
        within = shapely.area(shapely.intersection(shape, influence))
        np.testing.assert_allclose(within[inside], tasks["area_m2"][inside], rtol=1e-6, atol=1e-2)
        np.testing.assert_allclose(within[~inside], 0, atol=1e-2)
    if districts is not None:
        for name, ground in zip(districts["district"], disjoint(districts.geometry.to_numpy()), strict=True):
            mine = tasks["district"] == name
            np.testing.assert_allclose(
                shapely.area(shapely.intersection(shape[mine], ground)), tasks["area_m2"][mine], atol=1e-2
            )


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_laws_on_random_layers(seed):
    hazards, zones = random_world(seed, count=25)
    areas = footprints(hazards, MARGINS)
    check_laws(areas, zones, make_tasks(areas, zones, SETTINGS))


def test_laws_with_districts(districts):
    hazards, zones = random_world(11)
    areas = footprints(hazards, MARGINS)
    tasks = make_tasks(areas, zones, SETTINGS, districts=districts)
    check_laws(areas, zones, tasks, districts)
    assert set(tasks["district"].dropna()) == {"West", "East"}
    assert tasks["district"].isna().any()


def test_a_far_hazard_renames_nothing():
    hazards, zones = random_world(5)
    near = make_tasks(footprints(hazards, MARGINS), zones, SETTINGS)
    far = hazard_table([{"hazard_id": "far", "geometry": box(E0 + 60_000, N0 - 50_000, E0 + 61_000, N0 - 49_000)}])
    more = make_tasks(footprints(cp.combine(hazards, far), MARGINS), zones, SETTINGS)
    same = more[~more["hazard_ids"].str.contains("far")]
    assert len(more) > len(near)
    assert near["task_id"].tolist() == same["task_id"].tolist()
    old, new = (shapely.normalize(table.geometry.to_numpy()) for table in (near, same))
    assert shapely.equals_exact(old, new, 1e-9).all()


def test_id_names_square_class_and_number():
    # 46.93 E 39.99 N is E 664,774 N 4,428,431 in UTM 38N, so MGRS 38S PK 64 28.
    hazards = hazard_table([{"geometry": box(664_700, 4_428_300, 664_800, 4_428_400), "land_class": "CHA"}])
    tasks = make_tasks(footprints(hazards, MARGINS), zone_table([{"geometry": Point(E0, N0)}]), SETTINGS)
    assert tasks["task_id"].tolist() == ["38SPK6428-CHA-1"]
    assert tasks["hazard_ids"].tolist() == ["H0"]


def test_sliver_joins_the_longest_border():
    # The grid line at E 651,000 cuts a strip of 1 m x 100 m off a field; it must come back.
    field = box(650_100, 4_420_000, 651_001, 4_421_600)
    areas = footprints(hazard_table([{"geometry": field, "ordnance": "CMR"}]), MARGINS)
    tasks = make_tasks(areas, zone_table([{"geometry": Point(0, 0)}]), SETTINGS)
    assert tasks["area_m2"].sum() == pytest.approx(field.area, rel=1e-9)
    assert tasks["area_m2"].min() > 500


def test_no_hazards_no_tasks():
    areas = footprints(hazard_table([{"geometry": None, "deferred": "no shape"}]), MARGINS)
    tasks = make_tasks(areas, zone_table([{"geometry": Point(0, 0)}]), SETTINGS)
    assert len(tasks) == 0
    assert tasks.crs == areas.crs
