"""The plan of work of a whole study: from the files of a small project to the report."""

import textwrap

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import clearplan as cp
from clearplan.errors import SettingsError

TEAMS = """team_id,kind,number,rate_low,rate_likely,rate_high,rate_source,cost_per_day,season,source,recorded_on
SURVEY,NTS,1,20000,40000,80000,made up,100,,test,2025-06-01
HANDS,manual,2,2000,4000,8000,made up,500,,test,2025-06-01
"""
PLANNING = """
[[teams]]
path = "teams.csv"
[planning]
start = 2026-01-01
periods = 4
period_months = 3
counted_months = 24
working_days_a_month = 20
home_m = 500
wait_periods = 0
currency = "EUR"
score_weight = 0.0
risk_weight = 0.0
optional_share = 0.0
time_limit_s = 10
gap = 0.0
seed = 1
[[planning.methods]]
land_class = "SHA"
steps = [{name = "survey", kinds = ["NTS"]}, {name = "clearance", kinds = ["manual"], ground = "to-clear"}]
[[planning.methods]]
land_class = "CHA"
steps = [{name = "clearance", kinds = ["manual"]}]
[planning.outcomes.SHA]
cancelled = 0.5
reduced = 0.0
cleared = 0.5
concentration = 3
source = "illustrative"
"""


@pytest.fixture
def village(tmp_path):
    """Two places, each with ground beside it; the road to the one from the north lies in a third field."""
    folder = tmp_path / "village"
    folder.mkdir()
    boxes = [shapely.box(46.93, 39.99, 46.94, 40.0), shapely.box(46.95, 39.99, 46.955, 40.0),
             shapely.box(46.93, 40.05, 46.935, 40.055)]  # fmt: skip
    fields = gpd.GeoDataFrame(
        {"hazard_id": ["F1", "F2", "F3"], "land_class": ["SHA", "CHA", "CHA"], "status": "open", "ordnance": "AP",
         "position_error_m": 0.0, "source": "made up", "recorded_on": "2025-01-01"}, geometry=boxes, crs=4326,
    )  # fmt: skip
    fields.to_file(folder / "fields.geojson")
    (folder / "zones.csv").write_text(
        "zone_id,name,people,position_error_m,source,lon,lat,recorded_on\n"
        "Z1,West,120,50,s,46.935,40.001,2025-01-01\nZ2,East,300,50,s,46.956,39.995,2025-01-01\n"
    )
    (folder / "lifelines.csv").write_text(
        "lifeline_id,zone_id,kind,essential,position_error_m,source,recorded_on,wkt\n"
        'L1,Z1,road,yes,10,s,2025-01-01,"LINESTRING (46.935 40.001, 46.9325 40.06)"\n'
    )
    (folder / "teams.csv").write_text(TEAMS)
    (folder / "plan.toml").write_text(
        textwrap.dedent("""
        [study]
        title = "Village"
        region = [46.5, 39.5, 47.5, 40.5]
        as_at = 2026-01-01
        illustrative = true
        [[hazards]]
        path = "fields.geojson"
        [hazards.set]
        kind = "minefield"
        [[zones]]
        path = "zones.csv"
        crs = "EPSG:4326"
        [[lifelines]]
        path = "lifelines.csv"
        crs = "EPSG:4326"
        [footprints]
        strike_radius_m = 300
        [footprints.margin_m]
        AP = 20
        [tasks]
        influence_m = 2000
        min_task_m2 = 500
        [tasks.max_task_ha]
        survey = 110
        clearance = 26
        [priority]
        set_by = "test"
        set_on = 2026-01-01
        unknown_people = 50
        accidents_radius_m = 500
        accidents_since = 2020-11-10
        lifelines_within_m = 100
        class_values = { CHA = 1.0, SHA = 0.5, indication = 0.1 }
        [[priority.criteria]]
        name = "people"
        weight = 1
        zero_at = 0
        one_at = 1000
        source = "test"
        [map]
        title = "Village map"
        """)
        + PLANNING
    )
    return folder


def test_a_study_with_teams_is_planned_and_written(village):
    study = cp.run_study(village / "plan.toml", village / "out")
    assert study.planned is not None
    made = {path.name for path in (village / "out").iterdir()}
    assert {"work.csv", "blockers.csv", "plan.xlsx"} <= made
    assert study.planned.judgement.breaches.empty
    behind = study.planned.blockers.merge(study.tasks[["task_id", "hazard_ids"]], on="task_id")
    assert {zone: set(own) for zone, own in behind.groupby("zone_id")["hazard_ids"]} == {
        "Z1": {"F1", "F3"},
        "Z2": {"F2"},
    }  # the ground beside each, and the road of the first
    page = (village / "out" / "report.html").read_text(encoding="utf-8")
    assert "Who goes where, when, and what it buys" in page


def test_a_day_before_all_teams_has_no_plan_of_work_and_says_so(village):
    study = cp.run_study(village / "plan.toml", as_at="2025-03-31")
    assert study.planned is None
    assert "There is no plan of work: no team was on record by 2025-03-31" in study.notes


def test_the_plan_alone_with_other_money_teams_and_days(village, capsys):
    from clearplan.cli import app

    (village / "few.csv").write_text(TEAMS.replace("HANDS,manual,2", "HANDS,manual,1"))
    asked = ["--budget", "120000", "--teams", str(village / "few.csv"), "--return-by", "2026-06-30", "--seconds", "3"]
    with pytest.raises(SystemExit) as ended:
        app(["plan", str(village / "plan.toml"), "--out", str(village / "what if"), *asked])
    assert not ended.value.code
    told = capsys.readouterr().out
    assert "Instead of plan.toml: budget = 120000.0" in told
    assert "The return programme takes" in told
    made = {path.name for path in (village / "what if").iterdir()}
    assert made == {"plan.html", "plan.xlsx", "work.csv", "blockers.csv", "tasks.csv", "run.json", "home.png",
                    "teams.png"}  # fmt: skip
    work = pd.read_csv(village / "what if" / "work.csv", comment="#")
    assert 0 < work["cost"].sum() <= 120_000 + 1e-6
    plain = cp.run_study(village / "plan.toml")
    assert plain.planned.judgement.totals["cost"] > 120_000


def test_a_project_without_a_plan_of_work_is_told_what_it_lacks(village):
    text = (village / "plan.toml").read_text()
    (village / "plan.toml").write_text(text[: text.index("[[teams]]")])
    with pytest.raises(SettingsError, match=r"has no \[planning\] and \[\[teams\]\]"):
        cp.plan_study(village / "plan.toml")


def test_what_moved_between_two_plans_and_why(village):
    cp.run_study(village / "plan.toml", village / "first")
    # A field is found beside the place in the east, and the plan in force is to be kept where it does not pay to move.
    new = shapely.box(46.957, 39.99, 46.965, 40.0)
    fields = gpd.read_file(village / "fields.geojson")
    more = gpd.GeoDataFrame(
        {"hazard_id": ["F4"], "land_class": ["CHA"], "status": ["open"], "ordnance": ["AP"], "position_error_m": [0.0],
         "source": ["made up"], "recorded_on": ["2025-06-01"]}, geometry=[new], crs=4326,
    )  # fmt: skip
    fields = fields.assign(recorded_on=fields["recorded_on"].astype(str))
    pd.concat([fields, more], ignore_index=True).to_file(village / "fields.geojson")
    text = (village / "plan.toml").read_text()
    (village / "plan.toml").write_text(
        text.replace("gap = 0.0\n", 'gap = 0.0\nprevious = "first/work.csv"\nstability = 0.01\n')
    )
    cp.run_study(village / "plan.toml", village / "second")
    found = cp.compare_runs(village / "first", village / "second")
    moved = found.replanned.openings.set_index("zone_id")
    assert moved.loc["Z2", "change"] == "later"
    assert "new in its way" in moved.loc["Z2", "why"]
    assert found.replanned.settings["what"].tolist() == ["stability"]
    assert 0 < found.replanned.kept <= 1
    cp.write_comparison(found, village / "diff.html")
    assert "Places whose opening moved" in (village / "diff.html").read_text(encoding="utf-8")


def test_a_promise_is_kept_and_a_robust_plan_counts_on_less(village):
    plain = cp.run_study(village / "plan.toml")
    on_the_road = plain.planned.blockers.query("zone_id == 'Z1' and part == 'L1'")["task_id"]
    task = on_the_road[on_the_road.str.contains("CHA")].iloc[0]
    (village / "promises.csv").write_text(
        "commitment_id,task_id,team_id,since,until,reason,source,recorded_on\n"
        f"C1,{task},HANDS,2026-01-01,2026-03-31,under way,made up,2025-12-01\n"
    )
    text = (village / "plan.toml").read_text()
    (village / "plan.toml").write_text(
        text.replace("[planning]\n", '[[commitments]]\npath = "promises.csv"\n[planning]\nrobust = true\n', 1)
    )
    study = cp.run_study(village / "plan.toml")
    own = study.planned.plan.work.query("task_id == @task")
    assert set(own["team_id"]) == {"HANDS"}
    assert own["period"].max() == 1
    assert study.planned.judgement.breaches.empty
    per_day = study.planned.plan.work.eval("m2 / days")
    # rates 2000, 4000, 8000: one case of five is slower than 2000 + sqrt(0.2 * 6000 * 2000)
    assert per_day[study.planned.plan.work["team_id"] == "HANDS"].to_numpy() == pytest.approx(2000 + 1549.193, rel=1e-5)
