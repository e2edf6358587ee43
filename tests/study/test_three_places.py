"""Three places of the sample worked by hand in docs/three-places.md: held against files, arithmetic and outputs.

Nothing here comes from the planner but what is held: ground is measured by shapely on the sample's own files, days are
ground / rate and what a line books beside it, openings are the calendar.
"""

import datetime as dt
import re

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from tests.conftest import ROOT, SAMPLE

UTM = 32638
PAGE = (ROOT / "docs" / "three-places.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(?P<task>[^`]+)` \| (?P<step>[^|]+) \| (?P<team>[^|]+) "
    r"\| (?P<m2>[\d,]+) \| (?P<days>[\d.]+) \| (?P<period>\d+) \|$",
    re.MULTILINE,
)
ROWS = [match.groupdict() for match in ROW.finditer(PAGE)]
#: Likely rates of teams.csv [m2 a team and day], and what a line books when its team comes and leaves [team-days].
RATES = {"NTS": 60_000, "TS": 5_000, "DOGS": 850, "MAN-N": 250, "MAN-S": 250}
BESIDE = {"NTS": (0.5, 0.5)}
LEAST = 2.0
#: Home ground: houses and gardens, and the error of the place's point; each side of a lifeline, and its error [m].
HOME, CORRIDOR = 500 + 1000, 100 + 50
HASANRIZ, KHIDIRLI, SOS = "RZ-03", "RZ-14", "RZ-08"


def table(sample, name):
    return pd.read_csv(sample[1] / f"{name}.csv", comment="#")


@pytest.fixture(scope="module")
def ground():
    """Points of places, hazards, releases and essential lifelines of the sample's own files, in metres."""
    zones = pd.read_csv(SAMPLE / "resettlement.csv").set_index("zone_id")
    points = gpd.GeoSeries(gpd.points_from_xy(zones["lon"], zones["lat"]), index=zones.index, crs=4326).to_crs(UTM)
    layers = [gpd.read_file(SAMPLE / "illustrative" / f"{name}.geojson").to_crs(UTM)
              for name in ("minefields", "releases", "lifelines")]  # fmt: skip
    hazards, releases, lifelines = layers
    return points, hazards.set_index("PolyID"), releases, lifelines[lifelines["essential"] == "yes"]


def grown(hazards, releases, name):
    """Ground for planning of a hazard: its border, grown by its error and 20 m, without what was released of it."""
    whole = hazards.geometry[name].buffer(hazards["PosErr_m"][name] + 20)
    return whole.difference(releases.geometry[releases["hazard_id"] == name].union_all())


def test_rows_of_the_page_are_lines_of_work(sample):
    work = table(sample, "work").set_index(["task_id", "step_name", "team_id", "period"])
    assert len(ROWS) >= 8
    for row in ROWS:
        line = work.loc[row["task"], row["step"], row["team"], int(row["period"])]
        assert round(line["m2"]) == int(row["m2"].replace(",", "")), row
        assert round(line["days"], 1) == float(row["days"]), row
    needed = table(sample, "blockers").query("essential == 'yes'")
    wanted = set(needed["task_id"][needed["zone_id"].isin([HASANRIZ, KHIDIRLI])])
    assert {row["task"] for row in ROWS} == wanted


@pytest.fixture(scope="module")
def ways(sample):
    """Team-days from the base of each team to each site, one way: 1.4 km of road a km, 300 km a day."""
    tasks, surveys = (gpd.read_file(sample[1] / "plan.gpkg", layer=name) for name in ("tasks", "surveys"))
    sites = pd.concat([tasks.set_index("task_id").geometry, surveys.set_index("survey_id").geometry]).to_crs(UTM)
    points = sites.representative_point().to_crs(4326)
    bases = pd.read_csv(SAMPLE / "teams.csv").set_index("team_id")
    geod = Geod(ellps="WGS84")

    def way(task, team):
        here, base = points[task], bases.loc[team]
        return geod.inv(base["base_lon"], base["base_lat"], here.x, here.y)[2] / 1000 * 1.4 / 300

    return way


def test_days_are_ground_over_rate_and_what_a_line_books_beside(sample, ways):
    work = table(sample, "work")
    there = set(work[["task_id", "step", "team_id", "period"]].itertuples(index=False, name=None))
    for line in work[work["task_id"].isin({row["task"] for row in ROWS})].itertuples():
        come, leave = BESIDE.get(line.team_id, (1.0, 0.5))
        road = ways(line.task_id, line.team_id)
        beside = (come + road) * ((line.task_id, line.step, line.team_id, line.period - 1) not in there)
        beside += (leave + road) * ((line.task_id, line.step, line.team_id, line.period + 1) not in there)
        assert line.days == pytest.approx(max(line.m2 / RATES[line.team_id] + beside, LEAST), rel=1e-5), line.task_id


@pytest.mark.parametrize("zone", [HASANRIZ, KHIDIRLI])
def test_a_place_is_surveyed_on_its_home_ground_and_essential_lifelines(sample, ground, zone):
    points, _, _, lifelines = ground
    corridors = lifelines.geometry[lifelines["zone_id"] == zone].buffer(CORRIDOR)
    by_hand = shapely.union_all([points[zone].buffer(HOME), *corridors]).area
    surveys = table(sample, "surveys").set_index("zone_id")
    assert surveys["area_m2"][zone] == pytest.approx(by_hand, rel=0.005)


@pytest.mark.parametrize(
    ("zone", "task", "hazard", "way"),
    [(HASANRIZ, "38TPK3047-CHA-1", "KB-0237", False), (KHIDIRLI, "38TPK6130-SHA-1", "KB-0300", False),
     (KHIDIRLI, "38TPK6329-SHA-1", "KB-0263", True)],
)  # fmt: skip
def test_what_blocks_is_what_lies_in_the_home_ground_or_on_the_way(sample, ground, zone, task, hazard, way):
    points, hazards, releases, lifelines = ground
    home = points[zone].buffer(HOME)
    corridors = lifelines.geometry[lifelines["zone_id"] == zone].buffer(CORRIDOR).union_all()
    held = grown(hazards, releases, hazard)
    by_hand = held.intersection(corridors if way else home).area
    assert held.intersection(home).is_empty == way
    tasks = table(sample, "tasks").set_index("task_id")
    assert tasks["hazard_ids"][task] == hazard
    assert tasks["area_m2"][task] == pytest.approx(by_hand, rel=0.005)


def opening(sample, zone):
    """A month after the last quarter in which anybody works on what its place waits for."""
    blockers = table(sample, "blockers").query(f"zone_id == '{zone}' and essential == 'yes'")
    work = table(sample, "work")
    period = int(work["period"][work["task_id"].isin(blockers["task_id"])].max())
    months = 3 * period + 1
    year, month = divmod(months, 12)
    return dt.date(2026 + year, month + 1, 1) - dt.timedelta(days=1)


@pytest.mark.parametrize(("zone", "name"), [(HASANRIZ, "Hasanriz"), (KHIDIRLI, "Khidirli")])
def test_a_place_opens_a_month_after_the_last_quarter_of_its_work(sample, zone, name):
    day = opening(sample, zone)
    assert f"{name} opens on {day.isoformat()}" in " ".join(PAGE.split())
    zones = sample[0].zones.set_index("zone_id")
    assert pd.Timestamp(zones["opens_on"][zone]).date() == day


def test_a_place_behind_a_gate_without_an_end_has_no_work_no_date_and_no_chance(sample):
    gate = pd.read_csv(SAMPLE / "illustrative" / "gates.csv").set_index("zone_id").loc[SOS]
    assert gate["kind"] == "do-no-harm"
    assert "ends_on" not in gate.index
    own = table(sample, "blockers").query(f"zone_id == '{SOS}'")["task_id"].tolist()
    assert own == [f"survey:{SOS}"]
    assert not table(sample, "work")["task_id"].isin(own).any()
    row = sample[0].zones.set_index("zone_id").loc[SOS]
    for name in ("opens_on", "opens_in", "probability"):
        assert pd.isna(row[name]), name
    assert "Sos has no date" in PAGE


def test_no_line_of_the_sample_is_under_the_least_deployment_and_no_small_task_is_unmarked(sample):
    work, tasks = table(sample, "work"), table(sample, "tasks")
    assert (work["days"] >= LEAST - 1e-9).all()
    assert ((tasks["small"] == "yes") == (tasks["area_m2"] < 2_500)).all()


def test_the_table_of_the_page_on_plans_is_that_of_the_run(sample):
    page = (ROOT / "docs" / "plan-of-work.md").read_text(encoding="utf-8")
    planned = sample[0].planned
    for way in planned.comparison.itertuples():
        row = re.search(rf"^\| {way.strategy} \|(.+)\|$", page, flags=re.MULTILINE).group(1)
        months, home, places, near, _ = (cell.split()[0].replace(",", "") for cell in row.split("|"))
        told = (way.person_months, way.people_home, way.zones_open, way.people_near_released)
        assert [float(cell) for cell in (months, home, places, near)] == pytest.approx(told, abs=0.5)
    assert f"within {100 * planned.schedule.gap:.1f} % of the best" in " ".join(page.split())
