"""The laws on every stage, and a geometry zoo that meets each of them."""

import copy

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

import clearplan as cp
from clearplan.core.errors import CrsError
from clearplan.land.footprints import net_shapes
from clearplan.outputs.gis.geopackage import write_csv, write_gpkg
from tests.conftest import E0, N0, UTM, accident_table, hazard_table, random_world, zone_table
from tests.sheets_of_paper import IMPRINT

HOLED = Polygon(
    [(E0, N0), (E0 + 900, N0), (E0 + 900, N0 + 900), (E0, N0 + 900)],
    [[(E0 + 300, N0 + 300), (E0 + 300, N0 + 600), (E0 + 600, N0 + 600), (E0 + 600, N0 + 300)]],
)
ZOO = {
    "point": Point(E0, N0),
    "line": LineString([(E0, N0), (E0 + 500, N0 + 300)]),
    "hole": HOLED,
    "multipart": MultiPolygon([box(E0, N0, E0 + 80, N0 + 80), box(E0 + 4000, N0, E0 + 4080, N0 + 80)]),
    "multipoint": MultiPoint([(E0, N0), (E0 + 700, N0)]),
    "empty": Polygon(),
    "none": None,
    "collapsed": Polygon([(E0, N0), (E0 + 500, N0), (E0, N0)]),
    "huge": box(E0 - 30_000, N0 - 30_000, E0 + 30_000, N0 + 30_000),
    "sliver": box(E0, N0, E0 + 4000, N0 + 0.01),
    "beyond the UTM zone": box(E0 + 165_000, N0, E0 + 166_000, N0 + 1000),  # east of 48 degrees east
}


def world(rows):
    zones = zone_table([{"geometry": Point(E0 + 400, N0 + 400)}, {"geometry": None, "deferred": "shape is missing"}])
    return hazard_table(rows), zones, accident_table([(E0, N0), (E0 + 9_000, N0)], ["2022-01-01", None])


def run(hazards, zones, accidents, margins, task_settings, priority_settings):
    areas = cp.footprints(hazards, margins)
    tasks = cp.make_tasks(areas, zones, task_settings)
    return areas, tasks, cp.rank(tasks, zones, priority_settings, accidents=accidents)


@pytest.mark.parametrize("animal", ZOO)
@pytest.mark.parametrize("company", [False, True], ids=["alone", "in company"])
def test_zoo_meets_every_stage(animal, company, margins, task_settings, priority_settings, tmp_path):
    shape = ZOO[animal]
    placed = shape is not None and not shape.is_empty
    rows = [{"geometry": shape, "deferred": None if placed else "shape is missing"}]
    if company:
        rows += [{"geometry": box(E0 + 50, N0 + 50, E0 + 200, N0 + 200), "land_class": "CHA"}]
    hazards, zones, accidents = world(rows)
    areas, tasks, ranked = run(hazards, zones, accidents, margins, task_settings, priority_settings)
    # Law 2: the row is still there, with its reason where it could not be placed.
    assert areas["hazard_id"].tolist() == hazards["hazard_id"].tolist()
    assert areas.loc[0, "deferred"] == hazards.loc[0, "deferred"]
    # Law 4: tasks tile the net area.
    net = cp.net_area(areas)
    assert tasks["area_m2"].sum() == pytest.approx(net["planning_m2"].sum(), rel=1e-6, abs=1e-6)
    if placed:
        # Law 5: the footprint contains the true buffer of 10 m (AP, no position error).
        assert areas.geometry[0].covers(shape)
        assert areas.geometry[0].boundary.distance(shape) >= 10 - 1e-9
    assert cp.check(ranked).empty
    cp.draw_map(cp.Layers(ranked, zones, areas=areas, accidents=accidents)).save(tmp_path / "m.html")
    tables = {"hazards": hazards, "areas": areas, "tasks": ranked, "zones": zones, "accidents": accidents}
    write_gpkg(tables, tmp_path / "p.gpkg", IMPRINT)
    write_csv(ranked, tmp_path / "t.csv", notice="n")
    assert len(gpd.read_file(tmp_path / "p.gpkg", layer="hazards")) == len(hazards)


def test_bow_tie_is_split_at_the_door_and_both_lobes_stay(tmp_path):
    tie = Polygon([(46.9, 39.9), (46.92, 39.92), (46.92, 39.9), (46.9, 39.92)])
    layer = gpd.GeoDataFrame(hazard_table([{"geometry": tie}]).drop(columns="geometry"), geometry=[tie], crs=4326)
    layer = layer.drop(columns=["depth_profile", "measure", "sides", "caps", "deferred"])
    layer.to_file(tmp_path / "tie.gpkg")
    with pytest.raises(cp.FaultsError, match="crosses itself"):
        cp.read_hazards(tmp_path / "tie.gpkg")
    with pytest.warns(UserWarning, match="read leniently"):
        kept = cp.read_hazards(tmp_path / "tie.gpkg", lenient=True)
    assert kept.geometry.is_valid.all()
    assert len(shapely.get_parts(kept.geometry.iloc[0])) == 2


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return one.columns.tolist() == other.columns.tolist() and one.equals(other)


def test_law_1_tables_widen_and_inputs_stay(margins, task_settings, priority_settings):
    hazards, zones = random_world(7)
    accidents = accident_table([(E0, N0)], ["2022-01-01"])
    before = [copy.deepcopy(table) for table in (hazards, zones, accidents)]
    areas = cp.footprints(hazards, margins)
    areas_before = copy.deepcopy(areas)
    tasks = cp.make_tasks(areas, zones, task_settings)
    tasks_before = copy.deepcopy(tasks)
    ranked = cp.rank(tasks, zones, priority_settings, accidents=accidents)
    cp.net_area(areas)
    cp.draw_map(cp.Layers(ranked, zones, areas=areas, accidents=accidents))
    cp.explain(ranked, ranked["task_id"].iloc[0])
    for table, was in zip((hazards, zones, accidents), before, strict=True):
        assert same(table, was)
    assert same(areas, areas_before)
    assert same(tasks, tasks_before)
    assert ranked["task_id"].tolist() == tasks["task_id"].tolist()
    assert set(tasks.columns) <= set(ranked.columns)
    assert areas["hazard_id"].tolist() == hazards["hazard_id"].tolist()
    named = set(tasks["hazard_ids"].str.split("; ").explode())
    assert named <= set(hazards["hazard_id"])


@pytest.mark.parametrize(
    "crs", [None, "EPSG:4326", "EPSG:2263", "EPSG:32639"], ids=["none", "degrees", "feet", "other"]
)
def test_law_6_metres_or_an_error(crs, margins, task_settings, priority_settings):
    hazards, zones = random_world(3, count=4)
    areas = cp.footprints(hazards, margins)
    tasks = cp.rank(
        cp.make_tasks(areas, zones, task_settings), zones, priority_settings, accidents=accident_table([], [])
    )

    def wrong(table):
        return gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=list(table.geometry), crs=crs)

    stages = [
        lambda: cp.make_tasks(areas, wrong(zones), task_settings),
        lambda: cp.net_area(areas, wrong(zones), name="name"),
        lambda: cp.rank(tasks, wrong(zones), priority_settings),
        lambda: cp.draw_map(cp.Layers(tasks, wrong(zones))),
        lambda: cp.combine(hazards, wrong(hazards.assign(hazard_id=lambda t: t["hazard_id"] + "b"))),
    ]
    if crs != "EPSG:32639":
        stages += [lambda: cp.footprints(wrong(hazards), margins), lambda: net_shapes(wrong(areas))]
    for stage in stages:
        with pytest.raises(CrsError):
            stage()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_law_3_and_4_classes_stay_apart_and_area_is_conserved(seed):
    from clearplan.settings.land import FootprintSettings
    from clearplan.settings.tasks import TaskSettings

    hazards, zones = random_world(seed, count=25)
    margins = FootprintSettings(margin_m={"AP": 10, "AV": 20, "mixed": 20}, strike_radius_m=300)
    areas = cp.footprints(hazards, margins)
    net = cp.net_area(areas).set_index("land_class")["planning_m2"]
    shapes = net_shapes(areas)
    for land_class, shape in shapes.items():
        assert net.get(land_class, 0.0) == pytest.approx(shape.area, rel=1e-9, abs=1e-3)
    assert net.sum() == pytest.approx(shapely.union_all(areas.geometry.to_numpy()).area, rel=1e-9)
    # The whole of CHA is CHA, whatever lies on it.
    strongest = shapely.union_all(areas.geometry[areas["land_class"] == "CHA"].to_numpy())
    assert shapes["CHA"].area == pytest.approx(strongest.area, rel=1e-9)
    tasks = cp.make_tasks(
        areas,
        zones,
        TaskSettings(influence_m=1000, max_task_ha={"survey": 110, "clearance": 26}, min_task_m2=500, join_within_m=50),
    )
    queues = tasks.groupby("land_class")["queue"].unique().map(list).to_dict()
    assert all(q == (["clearance"] if c == "CHA" else ["survey"]) for c, q in queues.items())
    for land_class, shape in shapes.items():
        assert tasks.loc[tasks["land_class"] == land_class, "area_m2"].sum() == pytest.approx(shape.area, rel=1e-6)


def test_law_7_order_of_rows_moves_no_number(margins):
    hazards, _ = random_world(11)
    turned = hazards.iloc[::-1].reset_index(drop=True)
    one, other = (cp.net_area(cp.footprints(table, margins)) for table in (hazards, turned))
    assert np.allclose(one["planning_m2"], other["planning_m2"], rtol=1e-12)
    assert one["land_class"].tolist() == other["land_class"].tolist()


def test_law_9_source_and_error_stay_in_every_row(margins, task_settings):
    hazards, zones = random_world(5)
    hazards["source"] = [f"sheet {k}" for k in range(len(hazards))]
    areas = cp.footprints(hazards, margins)
    tasks = cp.make_tasks(areas, zones, task_settings)
    assert areas["source"].tolist() == hazards["source"].tolist()
    assert areas["position_error_m"].tolist() == hazards["position_error_m"].tolist()
    by_id = hazards.set_index("hazard_id")
    for task in tasks.itertuples():
        own = by_id.loc[task.hazard_ids.split("; ")]
        assert set(task.source.split("; ")) == set(own["source"])
        assert task.position_error_m == own["position_error_m"].max()
        assert task.geometry.distance(shapely.union_all(own.geometry.to_numpy())) < 100
    assert str(areas.crs) == UTM
