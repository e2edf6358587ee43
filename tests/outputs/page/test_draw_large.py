"""Maps of very many tasks: what is drawn holds what is true, and nothing is left out."""

import base64
import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from shapely.geometry import box

from clearplan.geo.grids import cover
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.outputs.page.encode import (
    Fixed,
    columns_of,
    digits_of,
    furthest_m,
    outlines,
    packed,
    rough_outlines,
)
from clearplan.outputs.page.tiles import CLASSES, Level, _coarser, codes_of, hazard_picture, levels_of
from tests.browser import PICTURES, opened
from tests.conftest import E0, N0, UTM, zone_table
from tests.outputs.page.decode import numbers_in, rows_of, unpacked
from tests.outputs.page.test_draw import PERIODS, data_of, planned_world

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

UTM_CRS = gpd.GeoSeries([], crs=UTM).crs
MERCATOR_M = np.pi * 6378137.0


def star(seed: int, corners: int, size: float) -> shapely.Polygon:
    draw = np.random.default_rng(seed)
    angle = np.sort(draw.uniform(0, 2 * np.pi, corners))
    radius = size * draw.uniform(0.2, 1, corners)
    x, y = draw.uniform(-9_000, 9_000, 2)
    ring = np.column_stack([E0 + x + radius * np.cos(angle), N0 + y + radius * np.sin(angle)])
    return shapely.make_valid(shapely.Polygon(ring))


@given(st.integers(0, 10**6), st.integers(3, 40), st.sampled_from([1.0, 7.0, 15.0]), st.floats(5, 9_000))
@settings(max_examples=60, deadline=None)
def test_drawn_outlines_hold_the_true_shapes(seed, corners, tolerance, size):
    """Also after rounding, and no further out than is told; the degrees are turned back by another library."""
    shape = star(seed, corners, size)
    holed = shapely.difference(shape, shape.centroid.buffer(size / 20))
    for true, text in zip((shape, holed), outlines(np.array([shape, holed]), UTM_CRS, tolerance), strict=True):
        drawn = gpd.GeoSeries([unpacked(text)], crs=4326).to_crs(UTM).iloc[0]
        # 0.03 m: an edge of a kilometre that is straight in one plane is no more than that off in the other.
        assert drawn.buffer(0.03).covers(true)
        assert true.buffer(furthest_m(tolerance) + 0.1, quad_segs=64).covers(drawn)


@given(st.integers(0, 10**6), st.integers(3, 40), st.sampled_from([3.0, 15.0]), st.floats(5, 9_000))
@settings(max_examples=40, deadline=None)
def test_rough_outlines_hold_the_true_shapes_too(seed, corners, tolerance, size):
    shape = star(seed, corners, size)
    bent = shapely.union(shape, shapely.affinity.translate(shape, 3 * size, 5 * size))
    own = rough_outlines(np.array([shape, bent, None], dtype=object), UTM_CRS, tolerance)
    assert own[2] is None
    for true, text in zip((shape, bent), own, strict=False):
        assert gpd.GeoSeries([unpacked(text)], crs=4326).to_crs(UTM).buffer(0.03).iloc[0].covers(true)


def test_outlines_keep_their_place_in_the_list():
    holed = shapely.difference(box(0, 0, 0.01, 0.01), box(0.004, 0.004, 0.006, 0.006))
    two = shapely.MultiPolygon([holed, box(-1, -1, -0.9, -0.9)])
    assert unpacked("K00e1J00d1").bounds == (0.0, 0.0, 0.0001, 0.0002)
    assert unpacked(packed(np.array([two]))[0]).equals(two)
    assert [len(part.split(".")) for part in packed(np.array([two]))[0].split(":")] == [2, 1]
    assert packed(np.array([two]), coarse=True)[0].startswith("~")
    own = outlines(np.array([None, star(1, 9, 100), shapely.Polygon()], dtype=object), UTM_CRS, 1.0)
    assert [one is None for one in own] == [True, False, True]
    assert outlines(np.array([], dtype=object), UTM_CRS, 1.0) == []


@given(st.lists(st.one_of(st.none(), st.integers(-(2**34), 2**34)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_numbers_survive_as_digits(numbers):
    assert numbers_in("01K~", 1.0) == [0, -1, 10, None]
    assert numbers_in(digits_of(np.array(numbers, dtype=float), 1.0), 1.0) == numbers
    told = columns_of([{"n": n} for n in numbers], {"n": Fixed(1.0, steps=True)})
    assert [row["n"] for row in rows_of(told)] == numbers


def test_columns_give_the_rows_back():
    rows = [
        {"id": f"T{k}", "queue": "survey" if k % 2 else "clearance", "zones": ["Z1", "Z; 2"][: k % 3], "n": k % 2,
         "ok": bool(k % 2), "half": 0.5 if k % 2 else 1.0, "list": [0.25 * k, None]}
        for k in range(40)
    ]  # fmt: skip
    rows[7]["why"] = "one of few"
    told = columns_of(rows, {"list": Fixed(0.01)})
    assert rows_of(json.loads(json.dumps(told))) == rows
    assert told["zones"]["kinds"] == [[], ["Z1"], ["Z1", "Z; 2"]]
    assert rows_of(columns_of([])) == []


# --- the picture


@given(st.integers(0, 10**6), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_every_cell_that_shares_ground_with_a_hazard_is_coloured(seed, count):
    """Held against shapely's own intersections, cell by cell; the strongest class counts, and no cell too many."""
    draw = np.random.default_rng(seed)
    shapes = []
    for _ in range(count):
        if draw.random() < 0.3:  # borders along the edges of cells and through their centres
            x, y, w, h = draw.integers(-2, 24, 4) / 2
            shapes.append(box(x, -y - h / 2 - 0.5, x + w / 2 + 0.5, -y))
            continue
        angle = np.sort(draw.uniform(0, 2 * np.pi, 7))
        ring = draw.uniform(0, 12, 2) * [1, -1] + draw.uniform(0.05, 4, 7)[:, None] * np.column_stack(
            [np.cos(angle), np.sin(angle)]
        )
        shapes.append(shapely.make_valid(shapely.Polygon(ring)))
    hole = shapely.difference(box(1, -9, 9, -1), box(3.25, -6.5, 6, -3))
    polygons, codes = np.array([*shapes, hole], dtype=object), draw.integers(1, 6, count + 1)
    found = cover(polygons, codes, 12, 14)
    column, row = np.meshgrid(np.arange(14), np.arange(12))
    cells = shapely.box(column, -row - 1, column + 1, -row)
    strongest, possible = np.zeros(cells.shape, dtype=int), np.zeros(cells.shape, dtype=int)
    for polygon, code in zip(polygons, codes, strict=True):
        strongest[shapely.area(shapely.intersection(cells, polygon)) > 1e-9] = np.maximum(
            strongest[shapely.area(shapely.intersection(cells, polygon)) > 1e-9], code
        )
        near = shapely.intersects(cells, shapely.buffer(polygon, 1e-5))
        possible[near] = np.maximum(possible[near], code)
    assert (found >= strongest).all()
    assert (found <= possible).all()


def test_coarser_levels_lose_no_hazard():
    draw = np.random.default_rng(5)
    codes = (draw.random((21, 34)) < 0.05) * draw.integers(1, 6, (21, 34))
    fine = Level(9, 101, 77, codes.astype(np.uint8))
    coarse = _coarser(fine)
    assert coarse.zoom == 8
    expected = {}
    for row, column in np.argwhere(codes):
        key = ((row + 77) // 2, (column + 101) // 2)
        expected[key] = max(expected.get(key, 0), codes[row, column])
    found = {(r + coarse.row, c + coarse.column): coarse.codes[r, c] for r, c in np.argwhere(coarse.codes)}
    assert found == expected


def many(count: int, seed: int = 3) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """So many small fields, a task of each with two criteria, and a place."""
    draw = np.random.default_rng(seed)
    x, y, half = E0 + draw.uniform(0, 60_000, count), N0 + draw.uniform(0, 60_000, count), draw.uniform(20, 150, count)
    land_class = np.array(["CHA", "SHA", "indication"])[np.arange(count) % 3]
    areas = gpd.GeoDataFrame(
        {"hazard_id": [f"H{k}" for k in range(count)], "kind": "minefield", "land_class": land_class, "band": "whole",
         "status": "open"},
        geometry=shapely.box(x - half, y - half, x + half, y + half), crs=UTM,
    )  # fmt: skip
    raw = draw.uniform(0, 150, (count, 2))
    raw[:, 1] = np.rint(raw[:, 1])
    tasks = areas[["land_class", "geometry"]].assign(
        task_id=[f"T{k}" for k in range(count)], queue=np.where(land_class == "CHA", "clearance", "survey"),
        district="West", hazard_ids=areas["hazard_id"], zone_ids="Z0", area_m2=areas.area, position_error_m=10.0,
        people_assumed=0.0, zones_unknown=0, score=raw @ [0.3, 0.2],
    )  # fmt: skip
    for k, (name, weight) in enumerate((("people", 45.0), ("distance", 30.0))):
        tasks[f"c_{name}_raw"], tasks[f"c_{name}_value"] = raw[:, k], raw[:, k] / 150
        tasks[f"c_{name}_weight"], tasks[f"c_{name}_points"] = weight, weight * raw[:, k] / 150
    rank = tasks.groupby("queue")["score"].rank(ascending=False, method="first")
    return areas, tasks.assign(rank=rank.astype("Int64")), zone_table([{"geometry": shapely.Point(E0, N0)}])


def test_the_picture_s_cells_hold_the_hazards():
    """PNG by PNG, where the page's script takes a cell to be: the strongest class that meets it; no hazard beside."""
    areas, _, _ = many(40)
    picture = hazard_picture(areas, largest=512)
    assert picture["found"] == ["other", "SHA", "CHA"]
    shapes, codes = areas.to_crs(3857).geometry.to_numpy(), codes_of(areas)
    for zoom, squares in picture["levels"].items():
        side = 2 * MERCATOR_M / 256 / 2 ** int(zoom)
        seen = np.zeros(len(areas), dtype=bool)
        for place, uri in squares.items():
            right, down = map(int, place.split())
            with MemoryFile(base64.b64decode(uri.partition(",")[2])) as memory, memory.open() as png:
                cells = png.read(1)  # GDAL gives the 16 greys as 0 to 15
            west, north = right * picture["side"] * side - MERCATOR_M, MERCATOR_M - down * picture["side"] * side
            row, column = np.nonzero(cells)
            own = shapely.box(
                west + column * side, north - (row + 1) * side, west + (column + 1) * side, north - row * side
            )
            k, hazard = shapely.STRtree(shapes).query(own, predicate="intersects")
            strongest = np.zeros(len(own), dtype=int)
            np.maximum.at(strongest, k, codes[hazard])
            assert (strongest == cells[row, column]).all()
            whole = shapely.union_all(own)
            clipped = shapely.intersection(shapes, box(west, north - 512 * side, west + 512 * side, north))
            assert shapely.area(shapely.difference(clipped, whole)).max() < 1e-6
            seen |= shapely.area(clipped) > 0
        assert seen.all()


def test_classes_stand_over_one_another_by_their_strength():
    square = box(E0, N0, E0 + 4_000, N0 + 4_000)
    rows = [("minefield", "CHA", "whole"), ("minefield", "SHA", "whole"), ("cluster-strike", "indication", "whole"),
            ("contact-line", "indication", "inner"), ("contact-line", "indication", "outer")]  # fmt: skip
    areas = gpd.GeoDataFrame(rows, columns=["kind", "land_class", "band"], geometry=[square] * 5, crs=UTM)
    assert [CLASSES[code - 1] for code in codes_of(areas)] == ["CHA", "SHA", "other", "inner", "outer"]
    for k, code in enumerate((5, 4, 3, 2, 1)):
        assert levels_of(areas.iloc[k:], largest=64)[0].codes.max() == code
    assert levels_of(areas.iloc[:0]) == []
    assert hazard_picture(areas.iloc[:0]) is None


# --- the page


def test_all_tasks_travel_with_their_figures_whatever_is_drawn_how():
    areas, tasks, zones = many(600)
    html = draw_map(Layers(tasks, zones, areas=areas), most_outlines=1_000).html
    data = data_of(html)
    assert html == draw_map(Layers(tasks, zones, areas=areas), most_outlines=1_000).html
    assert data["drawn"]["picture"]["cell_m"] > 0
    assert {k: data["drawn"][k] for k in ("tasks", "areas")} == {"tasks": 600, "areas": 600}
    rows = {row["id"]: row for row in data["tasks"]}
    assert len(rows) == 600
    for task in tasks.itertuples():
        row = rows[task.task_id]
        assert (row["queue"], row["class"], row["rank"]) == (task.queue, task.land_class, task.rank)
        assert row["hazards"] == [task.hazard_ids]
        assert row["score"] == pytest.approx(task.score, abs=5.1e-5)
        assert row["ha"] == pytest.approx(task.area_m2 / 1e4, abs=5.1e-5)
        assert row["raw"] == pytest.approx([task.c_people_raw, task.c_distance_raw], abs=5.1e-3)
        assert row["value"] == pytest.approx([task.c_people_value, task.c_distance_value], abs=5.1e-6)
        assert row["expected"] == [None] * 4
    shapes = gpd.GeoSeries([unpacked(rows[own]["shape"]) for own in tasks["task_id"]], crs=4326).to_crs(UTM)
    assert shapes.buffer(0.02).covers(tasks.geometry, align=False).all()
    # What comes first is outlined closely, and so are its hazards.
    assert {row["rank"] for row in rows.values() if row["outlined"]} == set(range(1, 251))
    assert len(data["areas"]) == data["drawn"]["outlined_areas"] == 450
    assert "picture" not in data_of(draw_map(Layers(tasks, zones, areas=areas), most_outlines=1_200).html)["drawn"]


def test_tasks_alone_make_a_picture_of_their_own():
    _, tasks, zones = many(30)
    drawn = data_of(draw_map(Layers(tasks, zones), most_outlines=10).html)["drawn"]
    assert (drawn["tasks"], drawn["areas"], drawn["picture"]["found"]) == (30, 0, ["other", "SHA", "CHA"])


def test_what_the_plan_begins_is_outlined(margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    data = data_of(draw_map(Layers(ranked, zones, areas=areas), periods=PERIODS, most_outlines=0).html)
    assert all(row["outlined"] for row in data["tasks"] if "plan" in row or row["rank"] is None)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    areas, tasks, zones = many(6_000)
    path = tmp_path_factory.mktemp("large") / "map.html"
    draw_map(Layers(tasks, zones, areas=areas)).save(path)
    return tasks, path


def test_the_page_grows_by_few_bytes_a_polygon(large):
    _, path = large
    areas, tasks, zones = many(6)
    bare = len(draw_map(Layers(tasks, zones, areas=areas)).html)
    # 6,000 hazards with 6,000 tasks: an id and outline, seven figures and the cells of each pair.
    assert (path.stat().st_size - bare) / 6_000 < 200


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_large_page_tells_all_and_its_list_and_picture_lead_to_tasks(large):
    tasks, path = large
    with opened(path) as (page, watch):
        page.wait_for_timeout(600)
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / "map-large.png")
        words = page.inner_text("#drawn summary")
        assert "all 6,000 hazard areas with their 6,000 tasks" in words
        assert "outlines, too: 500 hazard areas, 500 tasks" in words
        page.locator("#drawn summary").click()
        assert "All counts and figures on this page are of all" in page.inner_text("#drawn")
        assert "can't tell more than its cell" in page.inner_text("#drawn")
        assert "First 10 of 4,000" in page.inner_text("#more")
        first = tasks[(tasks["queue"] == "survey") & (tasks["rank"] == 1)].to_crs(4326).iloc[0]
        page.locator("#list button").first.click()
        assert page.inner_text(".leaflet-popup-content h3") == first["task_id"]
        middle, (west, _, east, _) = page.evaluate("map_clearplan.getCenter()"), first.geometry.bounds
        view = page.evaluate("[map_clearplan.getBounds().getWest(), map_clearplan.getBounds().getNorth()]")
        assert view[0] < west < east < 2 * middle["lng"] - view[0]
        assert page.evaluate("map_clearplan.getZoom()") == 13
        points = [float(text) for text in page.locator(".leaflet-popup-content td.points").all_inner_texts()]
        assert points == pytest.approx([first["c_people_points"], first["c_distance_points"]], abs=0.0051)
        # The last in rank stands in the picture alone: a click there tells it, and outlines it.
        last = tasks[(tasks["queue"] == "clearance") & (tasks["rank"] == 2_000)].to_crs(4326).iloc[0]
        spot = last.geometry.centroid
        place = page.evaluate(
            f"""() => {{ map_clearplan.closePopup();
            map_clearplan.setView([{spot.y}, {spot.x}], 15, {{animate: false}});
            const p = map_clearplan.latLngToContainerPoint([{spot.y}, {spot.x}]);
            const r = map_clearplan.getContainer().getBoundingClientRect(); return [r.x + p.x, r.y + p.y]; }}"""
        )
        page.wait_for_timeout(600)
        page.mouse.click(*place)
        page.wait_for_timeout(600)
        page.screenshot(path=PICTURES / "map-large-cell.png")
        if page.locator(".leaflet-popup-content .cell").count():
            page.locator(f".leaflet-popup-content .cell button:text-is('{last['task_id']}')").click()
        page.wait_for_selector(f".leaflet-popup-content h3:text-is('{last['task_id']}')")
        colours = page.evaluate(
            """() => { const found = []; map_clearplan.eachLayer(l => { if (l instanceof L.Polygon
            && !l.options.interactive && l.options.pane === 'task') { found.push(l.options.color); } });
            return found; }"""
        )
        assert colours == ["#7A0000"]
        # The cell under the spot is painted in the colour of its class.
        red = page.evaluate(
            f"""() => {{ const tiles = [...document.querySelectorAll('.leaflet-picture-pane canvas')];
            for (const tile of tiles) {{ const r = tile.getBoundingClientRect();
            const x = {place[0]} - r.x, y = {place[1]} - r.y;
            if (x < 0 || y < 0 || x >= r.width || y >= r.height) continue;
            return [...tile.getContext('2d').getImageData(x, y, 1, 1).data]; }} }}"""
        )
        assert red[0] > 200
    assert watch.complaints == []
    assert watch.requests == []


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_plan_and_gates_work_over_a_picture(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    draw_map(Layers(ranked, zones, areas=areas), periods=PERIODS, most_outlines=0).save(tmp_path / "m.html")
    with opened(tmp_path / "m.html", 390, 844) as (page, watch):
        page.focus("#plan-stop")
        page.keyboard.press("End")
        assert "3 of 5 places open" in page.inner_text("#plan-words")
        page.locator("#drawn summary").click()
        assert "Of 3 tasks in the plan, the slider colours the 3" in page.inner_text("#drawn")
        page.locator("#gated button").click()
        assert "No rank" in page.inner_text("#detail")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watch.complaints == []
