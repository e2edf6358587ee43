"""The page as a file: what is in it, what is not, and that nothing is lost on the way."""

import datetime as dt
import json
import re
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

import clearplan as cp
from clearplan.core.errors import TableError
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import _encoded, draw_map
from clearplan.outputs.page.html import SCRIPTS, STYLES, _asset, _json
from tests.conftest import E0, N0, accident_table, hazard_table, zone_table
from tests.outputs.page.decode import rows_of, unpacked


def decoded(shape: dict) -> list[list[np.ndarray]]:
    """Coordinates in degrees from the steps, as the page's script adds them up."""
    return [[np.cumsum(np.reshape(ring, (-1, 2)), axis=0) / 1e6 for ring in rings] for rings in shape["parts"]]


@given(st.lists(st.tuples(st.floats(-179, 179), st.floats(-80, 80)), min_size=3, max_size=30))
@settings(max_examples=50, deadline=None)
def test_coordinates_survive_to_a_tenth_of_a_metre(corners):
    ring = Polygon(corners)
    (rings,) = decoded(_encoded(ring))
    assert np.abs(rings[0] - shapely.get_coordinates(ring)).max() <= 0.51e-6


def test_holes_and_parts_stay():
    holed = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [[(0.2, 0.2), (0.4, 0.2), (0.4, 0.4)]])
    shape = _encoded(MultiPolygon([holed, box(2, 2, 3, 3)]))
    assert [len(rings) for rings in shape["parts"]] == [2, 1]
    assert _encoded(None) is None
    assert _encoded(Polygon()) is None


@given(st.text())
def test_json_can_t_leave_its_element(text):
    packed = _json({"name": text})
    assert not re.search(r"[<>&\u2028\u2029]", packed)
    assert json.loads(packed) == {"name": text}


def ranked_world(margins, task_settings, priority_settings):
    zones = zone_table([{"geometry": Point(E0, N0)}])
    fields = [{"geometry": box(E0, N0, E0 + 300, N0 + 300), "source": "Illustrative"}]
    areas = cp.footprints(hazard_table(fields), margins)
    accidents = accident_table([(E0, N0)], ["2022-01-01"])
    tasks = cp.make_tasks(areas, zones, task_settings)
    return tasks, zones, areas, cp.rank(tasks, zones, priority_settings, accidents=accidents)


def test_page_loads_nothing_and_says_what_it_must(margins, task_settings, priority_settings):
    _, zones, areas, ranked = ranked_world(margins, task_settings, priority_settings)
    html = draw_map(Layers(ranked, zones, areas=areas)).html
    assert "default-src 'none'" in html
    assert not re.findall(r"<(?:script|img|iframe)[^>]+src=|<link|@import|url\((?!data:|#|\"?data:)", html)
    for words in ("Not for navigation or entry.", "do not imply official endorsement", "Illustrative data, not for"):
        assert words in html
    assert html == draw_map(Layers(ranked, zones, areas=areas)).html
    own = html.replace(
        html[html.index("<script>/* @preserve") : html.index("</script>", html.index("/* @preserve"))], ""
    )
    assert not re.search(r"\bsa" + r"fe(ly|ty|r|st)?\b", own, flags=re.IGNORECASE)


def test_records_show_blunders_and_fields_that_could_not_be_drawn(sample):
    study, folder = sample
    html = (folder / "map.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="clearplan-data">(.*?)</script>', html, flags=re.DOTALL).group(1))
    records = {record["id"]: record for record in data["records"]}
    assert set(records) == set(study.records[0].hazards["hazard_id"])
    blunder = records["R-051"]
    assert blunder["blunder"]
    assert all(radius > blunder["misclosure_m"] for _, _, radius, reference in blunder["rings"] if not reference)
    assert max(radius for *_, radius, reference in blunder["rings"] if not reference) == round(blunder["error_m"])
    lost = records["R-017"]
    assert lost["shape"] is None
    assert lost["legs"] == []
    assert "letter O" in lost["undrawn"]
    ((_, _, radius, reference),) = lost["rings"]
    assert (radius, reference) == (None, True)
    first = records["R-007"]
    assert [leg[:2] for leg in first["legs"]] == [ring[:2] for ring in first["rings"] if ring[3]]
    assert any("R-017, R-034" in note for note in data["about"]["notes"])


def test_unranked_tasks_are_refused(margins, task_settings, priority_settings):
    tasks, zones, _, _ = ranked_world(margins, task_settings, priority_settings)
    with pytest.raises(TableError, match="rank"):
        draw_map(Layers(tasks, zones))


def test_drawn_hazards_hold_their_footprints(margins, task_settings, priority_settings):
    _, zones, areas, ranked = ranked_world(margins, task_settings, priority_settings)
    html = draw_map(Layers(ranked, zones, areas=areas)).html
    footprint = areas.to_crs(4326).geometry.iloc[0]
    assert unpacked(data_of(html)["areas"][0]["shape"]).covers(footprint)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_the_surface_travels_in_one_picture(sample):
    """The numbers in the page are those of the raster: the highest share under each pixel, and unknown apart."""
    import base64

    import rasterio
    from rasterio.io import MemoryFile

    study, folder = sample
    html = (folder / "map.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="clearplan-data">(.*?)</script>', html, flags=re.DOTALL).group(1))["surface"]
    with MemoryFile(base64.b64decode(data["image"].partition(",")[2])) as memory, memory.open() as picture:
        level, code, unknown = picture.read()
    (south, west), (north, east) = data["bounds"]
    assert west < 45.7 < 47.7 < east
    assert south < 38.9 < 40.8 < north
    assert set(np.unique(unknown)) == {0, 255}
    assert not level[unknown == 255].any()
    assert not code[unknown == 255].any()
    with rasterio.open(study.surface.path) as raster:
        stored = raster.read(1)
    known = stored[stored != 65535]
    # The largest share of the raster stands in the picture, within the step of its levels (2 %).
    assert 10 ** (level.max() / 63 - 4) == pytest.approx(known.max() / 10_000, rel=0.02)
    assert 10 ** (level[unknown == 0].min() / 63 - 4) >= known.min() / 10_000 * 0.98
    assert data["codes"]["0"] == "no evidence nearby"
    assert set(np.unique(code[unknown == 0])) <= {int(k) for k in data["codes"]}


def test_tasks_carry_their_expected_area(sample):
    study, _ = sample
    tasks = study.tasks
    assert tasks["expected_m2"].notna().any()
    some = tasks[tasks["expected_m2"].notna()]
    assert (some["low_m2"] <= some["expected_m2"]).all()
    assert (some["expected_m2"] <= some["high_m2"]).all()
    assert (some["expected_m2"] <= some["area_m2"] * (1 + 1e-9)).all()
    assert np.allclose(some["known_m2"] + some["unknown_m2"], some["area_m2"], rtol=1e-6)
    some = some[some["queue"] == "survey"]  # the one queue that weighs it
    raw = some["c_probability_raw"].to_numpy(float)
    assert np.allclose(raw, some["expected_m2"] / some["known_m2"], rtol=1e-9)


# --- how sure a rank is


def told_world(margins, task_settings, priority_settings):
    """Five tasks with what ``robust`` and a gate say of them, made by hand; one is behind a gate."""
    zones = zone_table([{"geometry": Point(E0, N0)}])
    fields = [{"geometry": box(E0 + 900 * k, N0, E0 + 900 * k + 200, N0 + 200)} for k in range(5)]
    areas = cp.footprints(hazard_table(fields), margins)
    tasks = cp.make_tasks(areas, zones, task_settings)
    ranked = cp.rank(tasks, zones, priority_settings, accidents=accident_table([(E0, N0)], ["2022-01-01"]))
    ranked = ranked.sort_values(["score", "task_id"], ascending=[False, True]).reset_index(drop=True)
    count = len(ranked)
    assert count >= 5
    ranked["gates"] = [None] * (count - 1) + ["access: no road (until the bridge stands)"]
    ranked["rank"] = pd.array([*range(1, count), pd.NA], dtype="Int64")
    names = ["high", "high/medium", "high/low", "low"]
    ranked["priority_class"] = [*names, *["low"] * (count - 5), None]
    ranked["class_share"] = [0.97, 0.6, 0.4, *[1.0] * (count - 4), np.nan]
    ranked["first_share"] = [0.999, 0.83, 0.004, *[0.0] * (count - 4), np.nan]
    ranked["rank_low"] = pd.array([1, 2, 2, *[4] * (count - 4), pd.NA], dtype="Int64")
    ranked["rank_high"] = pd.array([1, 3, 4, *[5] * (count - 4), pd.NA], dtype="Int64")
    ranked["tied_with"] = [None, ranked["task_id"][2], ranked["task_id"][1], *[None] * (count - 3)]
    ranked["change"] = ["It leaves the first 2 if <b>x</b> rises.", *[None] * (count - 1)]
    return ranked, zones, areas


def data_of(html):
    """What the page carries, its tasks and areas as rows again."""
    data = json.loads(re.search(r'id="clearplan-data">(.*?)</script>', html, flags=re.DOTALL).group(1))
    return data | {name: rows_of(data[name]) for name in ("tasks", "areas")}


def test_page_carries_how_sure_each_rank_is_and_who_waits_behind_a_gate(margins, task_settings, priority_settings):
    ranked, zones, areas = told_world(margins, task_settings, priority_settings)
    html = draw_map(Layers(ranked, zones, areas=areas), first=2).html
    data = data_of(html)
    assert data["first"] == 2
    tasks = {task["id"]: task for task in data["tasks"]}
    assert len(tasks) == len(ranked)
    second = tasks[ranked["task_id"][1]]
    assert (second["priority"], second["class_share"], second["first_share"]) == ("high/medium", 0.6, 0.83)
    assert second["between"] == [2, 3]
    assert second["tied"] == ranked["task_id"][2]
    assert "change" not in second
    gated = data["tasks"][-1]  # none is lost, and it takes no place in its queue
    assert gated["rank"] is None
    assert gated["gates"] == "access: no road (until the bridge stands)"
    assert not {"priority", "first_share", "between", "tied"} & set(gated)
    assert {task["of"] for task in data["tasks"]} == {len(ranked) - 1}
    assert "<b>x</b>" not in html
    assert html == draw_map(Layers(ranked, zones, areas=areas), first=2).html


def test_pages_of_plans_without_draws_carry_nothing_of_them(margins, task_settings, priority_settings):
    _, zones, areas, ranked = ranked_world(margins, task_settings, priority_settings)
    data = data_of(draw_map(Layers(ranked.drop(columns="gates"), zones, areas=areas)).html)
    assert "first" not in data
    extra = {"gates", "priority", "class_share", "first_share", "between", "tied", "change"}
    assert not any(extra & set(task) for task in data["tasks"])
    assert data == data_of(draw_map(Layers(ranked, zones, areas=areas)).html)


def test_a_queue_all_behind_gates_is_drawn(margins, task_settings, priority_settings):
    ranked, zones, _ = told_world(margins, task_settings, priority_settings)
    ranked["gates"] = "consent: refused (until signed)"
    ranked["rank"] = pd.array([pd.NA] * len(ranked), dtype="Int64")
    data = data_of(draw_map(Layers(ranked, zones)).html)
    assert [task["rank"] for task in data["tasks"]] == [None] * len(ranked)
    assert {task["of"] for task in data["tasks"]} == {0}


# --- the plan of work

PERIODS = [
    ("start", dt.date(2027, 1, 1)),
    ("Q1 2027", dt.date(2027, 3, 31)),
    ("Q2 2027", dt.date(2027, 6, 30)),
    ("Q3 2027", dt.date(2027, 9, 30)),
]


def planned_world(margins, task_settings, priority_settings):
    """Tasks done in one period, over two, begun only, and not at all; places open at the start, later and never."""
    ranked, _, areas = told_world(margins, task_settings, priority_settings)
    rest = len(ranked) - 3
    ranked["teams"] = ["M1; D1", "M1", "S1", *[None] * rest]
    ranked["start_on"] = pd.to_datetime(["2027-01-01", "2027-04-01", "2027-07-01", *[None] * rest])
    ranked["finish_on"] = pd.to_datetime(["2027-03-31", "2027-09-30", None, *[None] * rest])
    ranked["finished_part"] = [1.0, 1.0, 0.4, *[0.0] * rest]
    places = [{"geometry": Point(E0 + 700 * k, N0 + 900), "people": people} for k, people in enumerate((1234, 50, 9))]
    places += [{"geometry": Point(E0 - 900, N0), "people": np.nan}, {"geometry": None, "deferred": "no coordinates"}]
    zones = zone_table(places)
    zones["opens_in"] = pd.array([1, 0, pd.NA, 3, pd.NA], dtype="Int64")
    zones["opens_on"] = pd.to_datetime(["2027-03-31", "2027-01-01", None, "2027-09-30", None])
    zones["waits_for"] = pd.array([1, 0, 2, 3, pd.NA], dtype="Int64")
    zones["why"] = ["T-1 is finished last.", None, "1 of 2 tasks is not finished.", None, "has no place on the map"]
    zones["sooner"] = ["One more team.", None, None, None, None]
    zones["probability"] = [0.62, 1.0, 0.08, 0.3, np.nan]
    zones["p50_on"] = pd.to_datetime(["2027-03-31", "2027-01-01", None, None, None])
    zones["p80_on"] = pd.to_datetime([None, "2027-01-01", None, None, None])
    return ranked, zones, areas


PLAN_COLUMNS = ["teams", "start_on", "finish_on", "finished_part"]
OPENING_COLUMNS = ["opens_in", "opens_on", "waits_for", "why", "sooner", "probability", "p50_on", "p80_on"]


def test_the_plan_travels_as_stops_of_the_slider(margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    html = draw_map(Layers(ranked, zones, areas=areas), periods=PERIODS).html
    data = data_of(html)
    assert data["plan"]["stops"] == [
        ["start", "2027-01-01"],
        ["Q1 2027", "2027-03-31"],
        ["Q2 2027", "2027-06-30"],
        ["Q3 2027", "2027-09-30"],
    ]
    tasks = {task["id"]: task for task in data["tasks"]}
    assert len(tasks) == len(ranked)
    first, second, third, *rest = (tasks[own].get("plan") for own in ranked["task_id"])
    # Work from the first day on is work of the first period, not of the start.
    assert first == {"teams": ["M1", "D1"], "start": 1, "begins": "2027-01-01", "finish": 1}
    assert second == {"teams": ["M1"], "start": 2, "begins": "2027-04-01", "finish": 3}
    assert third == {"teams": ["S1"], "start": 3, "begins": "2027-07-01", "finish": None, "part": 0.4}
    assert rest == [None] * len(rest)
    assert [zone["plan"]["opens"] for zone in data["zones"]] == [1, 0, None, 3]
    assert data["zones"][0]["plan"] == {
        "opens": 1, "on": "2027-03-31", "probability": 0.62, "p50": "2027-03-31", "p80": None, "waits": 1,
        "why": "T-1 is finished last.", "sooner": "One more team.",
    }  # fmt: skip
    (lost,) = data["plan"]["unplaced"]  # not on the map, and not lost
    assert (lost["name"], lost["plan"]["opens"], lost["plan"]["why"]) == ("Place 4", None, "has no place on the map")
    assert html == draw_map(Layers(ranked, zones, areas=areas), periods=PERIODS).html
    assert not re.search(r"\bsa" + r"fe(ly|ty|r|st)?\b", html[html.rindex("<body>") :], flags=re.IGNORECASE)


def test_a_plan_without_draws_tells_no_probability(margins, task_settings, priority_settings):
    ranked, zones, _ = planned_world(margins, task_settings, priority_settings)
    bare = zones.drop(columns=["probability", "p50_on", "p80_on", "why", "sooner", "waits_for"])
    own = data_of(draw_map(Layers(ranked.drop(columns="finished_part"), bare), periods=PERIODS).html)["zones"][0][
        "plan"
    ]
    assert own == {"opens": 1, "on": "2027-03-31", "probability": None, "waits": None, "why": None, "sooner": None}


def test_pages_without_a_plan_are_the_same_to_the_byte_and_speak_of_none(margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    bare, places = ranked.drop(columns=PLAN_COLUMNS), zones.drop(columns=OPENING_COLUMNS)
    without = draw_map(Layers(bare, places, areas=areas)).html
    assert (
        without
        == draw_map(Layers(bare, places, areas=areas), periods=[]).html
        == draw_map(Layers(ranked, zones, areas=areas)).html
    )
    assert not re.search(r"\bplan\b", without)
    assert not re.search(r"plan-(stop|shown|words)|unplaced|openings", without)
    # Each part of the page is its lines outside the marks, one by one, and the marks themselves never travel.
    planned = draw_map(Layers(ranked, zones, areas=areas), periods=PERIODS).html
    for name in ("map.html", *(f"{part}.css" for part in STYLES), *(f"{part}.js" for part in SCRIPTS)):
        kept, inside, after = [], False, False
        for line in files("clearplan.outputs.page").joinpath("assets", name).read_text(encoding="utf-8").splitlines():
            starts, ends = "plan { " in line + " " and line.strip()[0] in "/<", "} plan" in line
            if not (inside or starts or (after and not line)):
                kept.append(line)
            inside, after = (inside or starts) and not ends, ends
        assert not inside
        assert _asset(name, planned=False).splitlines() == kept
    assert "} plan" not in planned
    assert 'id="plan-stop"' in planned


def test_a_plan_that_does_not_fit_is_refused(margins, task_settings, priority_settings):
    ranked, zones, _ = planned_world(margins, task_settings, priority_settings)
    with pytest.raises(TableError, match="TASKS lack start_on"):
        draw_map(Layers(ranked.drop(columns="start_on"), zones), periods=PERIODS)
    with pytest.raises(TableError, match="ZONES lack opens_in"):
        draw_map(Layers(ranked, zones.drop(columns="opens_in")), periods=PERIODS)
    for wrong in (PERIODS[:1], [*PERIODS, PERIODS[-1]], PERIODS[::-1]):
        with pytest.raises(TableError, match="that rise"):
            draw_map(Layers(ranked, zones), periods=wrong)
    with pytest.raises(TableError, match="zone Z3: opens in period 3, which is not one of 0 to 2"):
        draw_map(Layers(ranked, zones), periods=PERIODS[:3])
