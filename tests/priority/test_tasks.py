"""Tasks tile the net areas, keep classes and districts apart, block wholly or not at all, and have stable names."""

import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

import clearplan as cp
from clearplan.geo.shapes import conservative_buffer, disjoint
from clearplan.land.footprints import footprints, net_shapes
from clearplan.planning.blockers import find_blockers
from clearplan.priority.criteria import lifelines_of
from clearplan.priority.tasks import make_tasks
from clearplan.settings.land import FootprintSettings
from clearplan.settings.tasks import TaskSettings
from tests.conftest import E0, N0, ROOT, UTM, hazard_table, random_world, zone_table
from tests.worlds import settings as settings_of_planning

sys.path.insert(0, str(ROOT / "benchmarks"))

import country

MARGINS = FootprintSettings(margin_m={"AP": 10, "AV": 20, "mixed": 0, "CMR": 0}, strike_radius_m=0)
SETTINGS = TaskSettings(
    influence_m=1000, max_task_ha={"survey": 110, "clearance": 26}, min_task_m2=500, join_within_m=50
)


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
    assert ((tasks["area_m2"] >= SETTINGS.min_task_m2) | (tasks["small"] == "yes")).all()
    for zone, influence in zip(
        zones["zone_id"], conservative_buffer(zones.geometry.to_numpy(), SETTINGS.influence_m), strict=True
    ):
        inside = tasks["zone_ids"].str.split("; ").map(lambda ids, z=zone: z in ids).to_numpy()
        within = shapely.area(shapely.intersection(shape, influence))
        assert (within[inside] > 0).all()
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


# --- borders that follow what blocks

HOME_M, WITHIN_M = 400.0, 60.0
#: Nothing joins, and the grid cuts as it does with ``SETTINGS``.
PIECES = TaskSettings(
    influence_m=1000, max_task_ha={"survey": 109.8, "clearance": 25.8}, min_task_m2=0, join_within_m=0
)


def blocked_world(seed, count=25):
    """A random world whose places have position errors, one an outline; and roads that wander from them."""
    hazards, zones = random_world(seed, count)
    draw = np.random.default_rng(seed)
    zones["position_error_m"] = draw.choice([0.0, 100.0, 700.0], len(zones))
    zones.loc[0, "geometry"] = zones.geometry[0].buffer(300, quad_segs=2)
    steps = draw.normal(0, 900, (8, 5, 2)).cumsum(axis=1)
    start = shapely.get_coordinates(zones.geometry.centroid.to_numpy())[draw.integers(0, len(zones), 8)]
    lines = [shapely.LineString(np.vstack([at, at + way])) for at, way in zip(start, steps, strict=True)]
    return hazards, zones, lifeline_table(lines)


def lifeline_table(shapes_):
    count = len(shapes_)
    columns = {
        "lifeline_id": [f"L{k}" for k in range(count)],
        "zone_id": "Z0",
        "kind": "road",
        "name": None,
        "essential": "yes",
        "position_error_m": np.arange(count) % 3 * 25.0,
        "source": "-",
        "deferred": None,
    }
    return gpd.GeoDataFrame(columns, geometry=shapes_, crs=UTM)


def cut(areas, zones, lines, sizes=SETTINGS):
    return make_tasks(areas, zones, sizes, home_m=HOME_M, lifelines=lines, lifelines_within_m=WITHIN_M)


def grounds_of(zones, lines):
    """Shape and distance [m] of all that can be blocked or influenced, by id, apart from the code under test."""
    rows = [*zip("h:" + zones["zone_id"], zones.geometry, HOME_M + zones["position_error_m"], strict=True)]
    rows += zip("l:" + lines["lifeline_id"], lines.geometry, WITHIN_M + lines["position_error_m"], strict=True)
    return rows + [
        (f"i:{z}", shape, SETTINGS.influence_m) for z, shape in zip(zones["zone_id"], zones.geometry, strict=True)
    ]


def ids_blocked(tasks, zones, lines):
    """What each task says that it reaches, in the stages' own words: a set of ids per task."""
    place = {task: k for k, task in enumerate(tasks["task_id"])}
    reached = [set() for _ in range(len(tasks))]
    found = find_blockers(tasks, zones, settings_of_planning(home_m=HOME_M))
    for task, zone in zip(found["task_id"], found["zone_id"], strict=True):
        reached[place[task]].add(f"h:{zone}")
    for k, line in zip(*lifelines_of(tasks, lines, WITHIN_M), strict=True):
        reached[k].add(f"l:{lines['lifeline_id'].iloc[line]}")
    for k, cell in enumerate(tasks["zone_ids"]):
        reached[k] |= {f"i:{zone}" for zone in cell.split("; ") if zone}
    return reached


def check_blocking(areas, zones, lines):
    pieces, tasks = cut(areas, zones, lines, PIECES), cut(areas, zones, lines)
    by_piece, by_task = ids_blocked(pieces, zones, lines), ids_blocked(tasks, zones, lines)
    shape = pieces.geometry.to_numpy()
    for name, ground, distance in grounds_of(zones, lines):
        inside = np.array([name in reached for reached in by_piece], dtype=bool)
        # A piece lies wholly within the distance (0.1 % counts as its end) or wholly beyond it.
        assert (shapely.distance(shape[~inside], ground) >= distance - 0.01).all()
        beyond = shapely.difference(shape[inside], ground.buffer(distance * 1.001, quad_segs=200))
        assert (shapely.area(beyond) < 0.01 * shapely.length(shape[inside])).all()
    # A task is made of pieces, at most one of them no sliver, and blocks what any of them blocks.
    owner, piece = shapely.STRtree(shape).query(tasks.geometry.to_numpy(), predicate="intersects")
    part = shapely.area(shapely.intersection(tasks.geometry.to_numpy()[owner], shape[piece]))
    real = part > 0.5 * pieces["area_m2"].to_numpy()[piece]
    owner, piece = owner[real], piece[real]
    assert sorted(piece) == list(range(len(pieces)))
    large = pieces["area_m2"].to_numpy()[piece] >= SETTINGS.min_task_m2
    assert np.bincount(owner[large], minlength=len(tasks)).max() <= 1
    expected = [set() for _ in range(len(tasks))]
    for one, own in zip(owner, piece, strict=True):
        expected[one] |= by_piece[own]
    assert by_task == expected
    assert (pieces["land_class"].to_numpy()[piece] == tasks["land_class"].to_numpy()[owner]).all()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_task_blocks_wholly_or_not_at_all(seed):
    hazards, zones, lines = blocked_world(seed)
    areas = footprints(hazards, MARGINS)
    check_laws(areas, zones, cut(areas, zones, lines))
    check_blocking(areas, zones, lines)


def test_a_task_of_a_country_blocks_wholly_or_not_at_all():
    # As the registers of benchmarks/country.py: many overlapping polygons round places, some far below the smallest.
    draw = np.random.default_rng(country.SEED)
    places = country._places(draw, 12)
    at = places[draw.integers(0, len(places), 460)] + draw.normal(0, 0.02, (460, 2))
    outlines = [
        country._polygons(draw, at[:400], 250.0, crossing=0.04),
        country._polygons(draw, at[400:], 12.0, crossing=0),
    ]
    fields = gpd.GeoSeries(shapely.make_valid(np.concatenate(outlines)), crs=4326).to_crs(UTM)
    error = np.where(np.arange(460) < 400, draw.choice([5.0, 25.0, 100.0], 460), 0.0)
    rows = [
        {"geometry": shape, "ordnance": "CMR", "position_error_m": m} for shape, m in zip(fields, error, strict=True)
    ]
    points = gpd.GeoSeries(gpd.points_from_xy(*places.T), crs=4326).to_crs(UTM)
    zones = zone_table([{"geometry": point, "position_error_m": 100.0} for point in points])
    steps = draw.normal(0, 700, (len(points), 5, 2)).cumsum(axis=1)
    starts = shapely.get_coordinates(points.to_numpy())
    lines = lifeline_table(
        [shapely.LineString(np.vstack([at, at + way])) for at, way in zip(starts, steps, strict=True)]
    )
    areas = footprints(hazard_table(rows), MARGINS)
    tasks = cut(areas, zones, lines)
    check_laws(areas, zones, tasks)
    check_blocking(areas, zones, lines)
    assert (tasks["small"] == "yes").any()
    assert (tasks.geometry.geom_type == "MultiPolygon").any()


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_decides_no_task(seed):
    hazards, zones, lines = blocked_world(seed)
    areas = footprints(hazards, MARGINS)
    first = cut(areas, zones, lines)
    mixed = [table.sample(frac=1, random_state=seed).reset_index(drop=True) for table in (areas, zones, lines)]
    again = cut(*mixed)
    for column in ("task_id", "small", "hazard_ids", "land_class"):
        assert first[column].tolist() == again[column].tolist()
    assert [set(ids.split("; ")) for ids in first["zone_ids"]] == [set(ids.split("; ")) for ids in again["zone_ids"]]
    np.testing.assert_allclose(first["area_m2"], again["area_m2"], atol=1e-3)


def field(*boxes, land_class="SHA", **columns):
    """Hazards that are boxes of x, y, width, height [m], without margin."""
    rows = [
        {"geometry": box(E0 + x, N0 + y, E0 + x + w, N0 + y + h), "land_class": land_class, "ordnance": "CMR"} | columns
        for x, y, w, h in boxes
    ]
    return footprints(hazard_table(rows), MARGINS)


FAR = Point(E0 - 90_000, N0 - 90_000)


def joined(areas, within_m, zones=None, **blocking):
    sizes = SETTINGS.model_copy(update={"join_within_m": within_m})
    return make_tasks(areas, zones if zones is not None else zone_table([{"geometry": FAR}]), sizes, **blocking)


def test_a_small_hazard_joins_within_reach_and_is_marked_small_beyond_it():
    # 20 m x 20 m lies 40 m east of a field.
    areas = field((100, 100, 100, 100), (240, 100, 20, 20))
    assert joined(areas, 39)[["area_m2", "small"]].to_numpy().tolist() == [[10_000, "no"], [400, "yes"]]
    together = joined(areas, 40)
    assert together[["area_m2", "small", "hazard_ids"]].to_numpy().tolist() == [[10_400, "no", "H0; H1"]]
    assert together.geometry[0].geom_type == "MultiPolygon"


def test_a_touch_at_a_point_counts_without_reach():
    areas = field((100, 100, 100, 100), (200, 200, 20, 20))
    assert joined(areas, 0)["area_m2"].tolist() == pytest.approx([10_400])


def test_small_pieces_of_other_classes_stay_apart():
    mixed = pd.concat([field((100, 100, 100, 100)), field((200, 100, 20, 20), land_class="CHA")], ignore_index=True)
    assert joined(mixed, 50)[["land_class", "small"]].to_numpy().tolist() == [["CHA", "yes"], ["SHA", "no"]]


def test_two_small_pieces_that_stay_small_together_are_one_task():
    tasks = joined(field((100, 100, 15, 15), (130, 100, 15, 15)), 20)
    assert tasks[["area_m2", "small"]].to_numpy().tolist() == [[450, "yes"]]


def test_a_sliver_joins_no_task_that_would_grow_beyond_the_largest_size():
    # Round a field of 25.75 ha lie six of 22 m x 22 m. At most 26 ha leave room for five of them: 259,920 m2.
    small = [(-52, 0), (-52, 200), (-52, 400), (530, 0), (530, 200), (530, 400)]
    areas = field((0, 0, 500, 515), *((x, y, 22, 22) for x, y in small), land_class="CHA")
    tasks = joined(areas, 30)
    assert sorted(tasks["area_m2"]) == pytest.approx([484, 259_920])
    assert tasks.set_index("area_m2").loc[484, "small"] == "yes"


def home_at(x, y):
    """A place of which all within 100 m is home."""
    return zone_table([{"geometry": Point(E0 + x, N0 + y)}])


def test_a_sliver_that_blocks_makes_the_whole_task_block():
    # The field begins 98 m from the place, so that its home ground takes a sliver of it.
    areas, zones = field((98, -50, 100, 100)), home_at(0, 0)
    tasks = joined(areas, 0, zones, home_m=100)
    assert tasks["area_m2"].tolist() == pytest.approx([10_000])
    assert find_blockers(tasks, zones, settings_of_planning(home_m=100))["zone_id"].tolist() == ["Z0"]
    apart = make_tasks(areas, zones, PIECES, home_m=100)
    assert len(apart) == 2
    assert len(find_blockers(apart, zones, settings_of_planning(home_m=100))) == 1


def test_a_sliver_that_blocks_joins_ground_that_blocks_before_ground_that_does_not():
    # A strip of 4 m x 100 m within home ground touches the large field beyond it; 5 m off lies one that blocks already.
    areas = field((100.2, -50, 300, 100), (96, -50, 4.2, 100), (50, -50, 41, 100))
    tasks = joined(areas, 10, home_at(0, 0), home_m=100.1)
    blocking = find_blockers(tasks, home_at(0, 0), settings_of_planning(home_m=100.1))
    assert len(blocking) == 1
    assert tasks.set_index("task_id").loc[blocking["task_id"].iloc[0], "area_m2"] < 5000


def test_without_what_blocks_borders_follow_influence_alone():
    hazards, zones, lines = blocked_world(3)
    areas = footprints(hazards, MARGINS)
    plain = make_tasks(areas, zones, SETTINGS)
    assert plain["task_id"].tolist() == make_tasks(areas, zones, SETTINGS, lifelines=lines)["task_id"].tolist()
    assert len(cut(areas, zones, lines)) > len(plain)


def test_the_roads_must_be_in_the_same_metres():
    hazards, zones, lines = blocked_world(3)
    with pytest.raises(cp.CrsError):
        cut(footprints(hazards, MARGINS), zones, lines.to_crs(4326))


# --- districts, names, slivers


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


def test_a_task_has_its_position_from_the_hazard_that_is_off_most():
    # H0 overlaps H1, which is off more, and H2, off as much as H1; H3 lies apart; nobody knows how far H4 is off.
    shapes = [box(E0 + x, N0, E0 + x + width, N0 + 100) for x, width in
              ((0, 300), (100, 50), (200, 50), (1000, 100), (2000, 100))]  # fmt: skip
    errors = [10.0, 90.0, 90.0, 40.0, np.nan]
    hazards = hazard_table([{"geometry": shape, "position_error_m": error, "ordnance": "CMR"}
                            for shape, error in zip(shapes, errors, strict=True)])  # fmt: skip
    tasks = of_hazards(hazards)
    assert tasks["hazard_ids"].tolist() == ["H0; H1; H2", "H3", "H4"]
    assert tasks["position_from"].tolist() == ["H1", "H3", "H4"]
    # H2 and H3 were read off one scan: the first stands for both.
    scanned = hazards.assign(scan=[None, None, "sheet 7", "sheet 7", None])
    assert of_hazards(scanned)["position_from"].tolist() == ["H1", "H2", "H4"]


def of_hazards(hazards):
    margins = MARGINS.model_copy(update={"assumed_position_error_m": 50.0})
    tasks = make_tasks(footprints(hazards, margins), zone_table([{"geometry": Point(0, 0)}]), SETTINGS)
    return tasks.assign(x=tasks.geometry.centroid.x).sort_values("x")


def test_no_hazards_no_tasks():
    areas = footprints(hazard_table([{"geometry": None, "deferred": "no shape"}]), MARGINS)
    tasks = make_tasks(areas, zone_table([{"geometry": Point(0, 0)}]), SETTINGS)
    assert len(tasks) == 0
    assert tasks.crs == areas.crs
