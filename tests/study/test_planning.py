"""The plan of work of a whole study: from the files of a small project to the report."""

import json
import re
import textwrap

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
import shapely.affinity
from shapely import box

import clearplan as cp
from clearplan.core.errors import OutputError, SettingsError
from clearplan.study import treaty as dossier
from clearplan.study.compare import comparison_words
from tests.busy import busy_loops
from tests.conftest import FULL, SAMPLE

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
search_work = 10
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
        "zone_id,name,people,survey_status,surveyed_on,surveyed_by,position_error_m,source,lon,lat,recorded_on\n"
        "Z1,West,120,surveyed,2025-01-01,test,50,s,46.935,40.001,2025-01-01\n"
        "Z2,East,300,surveyed,2025-01-01,test,50,s,46.956,39.995,2025-01-01\n"
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
        join_within_m = 50
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


def bytes_of_plan(project, out):
    """The files of a plan of work, but for the time stamp."""
    cp.run_study(project, out)
    record = re.sub(rb'"finished_at": "[^"]*"', b"", (out / "run.json").read_bytes())
    return {"run.json": record} | {name: (out / name).read_bytes() for name in ("plan.xlsx", "work.csv")}


@pytest.mark.parametrize("sample", [False, pytest.param(True, marks=pytest.mark.skipif(not FULL, reason="minutes"))])
def test_the_same_bytes_of_a_plan_beside_two_busy_loops(village, tmp_path, sample):
    project = SAMPLE / "plan.toml" if sample else village / "plan.toml"
    quiet = bytes_of_plan(project, tmp_path / "first" / "out")
    with busy_loops():
        assert bytes_of_plan(project, tmp_path / "again" / "out") == quiet


def test_a_study_with_teams_is_planned_and_written(village):
    study = cp.run_study(village / "plan.toml", village / "out")
    assert study.planned is not None
    made = {path.name for path in (village / "out").iterdir()}
    assert {"work.csv", "blockers.csv", "plan.xlsx"} <= made
    assert study.planned.judgement.breaches.empty
    behind = study.planned.case.blockers.merge(study.tasks[["task_id", "hazard_ids"]], on="task_id")
    assert {zone: set(own) for zone, own in behind.groupby("zone_id")["hazard_ids"]} == {
        "Z1": {"F1", "F3"},
        "Z2": {"F2"},
    }  # the ground beside each, and the road of the first
    page = (village / "out" / "report.html").read_text(encoding="utf-8")
    assert "Who goes where, when, and what it buys" in page


def test_a_study_is_run_without_its_plan_of_work_on_request(village):
    plain = cp.run_study(village / "plan.toml")
    study = cp.run_study(village / "plan.toml", change={"planning": None, "teams": [], "commitments": []})
    assert plain.planned is not None
    assert study.planned is None
    assert study.run["fingerprint"] != plain.run["fingerprint"]
    assert study.tasks["task_id"].equals(plain.tasks["task_id"])
    assert study.tasks["rank"].equals(plain.tasks["rank"])


def test_a_day_before_all_teams_has_no_plan_of_work_and_says_so(village):
    study = cp.run_study(village / "plan.toml", as_at="2025-03-31")
    assert study.planned is None
    assert "There is no plan of work: no team was on record by 2025-03-31" in study.notes


def test_the_plan_alone_with_other_money_teams_and_days(village, capsys):
    from clearplan.cli.app import app

    (village / "few.csv").write_text(TEAMS.replace("HANDS,manual,2", "HANDS,manual,1"))
    asked = ["--budget", "60000", "--teams", str(village / "few.csv"), "--return-by", "2026-06-30"]
    asked += ["--search-work", "3"]
    with pytest.raises(SystemExit) as ended:
        app(["plan", str(village / "plan.toml"), "--out", str(village / "what if"), *asked])
    assert not ended.value.code
    told = capsys.readouterr().out
    assert "Instead of plan.toml: budget = 60000.0" in told
    assert "The return programme takes" in told
    made = {path.name for path in (village / "what if").iterdir()}
    assert made == {"plan.html", "plan.xlsx", "work.csv", "blockers.csv", "surveys.csv", "tasks.csv", "run.json",
                    "home.png", "teams.png"}  # fmt: skip
    work = pd.read_csv(village / "what if" / "work.csv", comment="#")
    assert 0 < work["cost"].sum() <= 60_000 + 1e-6
    plain = cp.run_study(village / "plan.toml")
    assert plain.planned.judgement.totals["cost"] > 60_000


def test_the_plan_alone_for_the_public_names_no_hazard(village, capsys):
    from clearplan.cli.app import app

    with pytest.raises(SystemExit) as ended:
        app(["plan", str(village / "plan.toml"), "--out", str(village / "told"), "--tier", "public"])
    assert not ended.value.code
    assert json.loads((village / "told" / "run.json").read_text(encoding="utf-8"))["tier"] == "public"
    for name in ("tasks.csv", "work.csv", "blockers.csv", "plan.html", "run.json"):
        text = (village / "told" / name).read_text(encoding="utf-8")
        assert not re.search(r"\bF[123]\b", text), f"{name} names a hazard"


@pytest.mark.parametrize(
    ("there", "instead", "told"),
    [("2026-01-01", "sometime", "row 2: starts_on 'sometime' is no day"), ("days", "tage", "has no column 'days'"),
     (",1,2026", ",1,x2026", "is no day")],
)  # fmt: skip
def test_a_plan_in_force_that_cannot_be_read_is_refused_in_a_line(village, there, instead, told):
    (village / "old.csv").write_text(
        "task_id,team_id,period,starts_on,days\nT,HANDS,1,2026-01-01,3\n".replace(there, instead)
    )
    text = (village / "plan.toml").read_text()
    (village / "plan.toml").write_text(text.replace("seed = 1\n", 'seed = 1\nprevious = "old.csv"\n', 1))
    with pytest.raises(SettingsError, match=told):
        cp.plan_study(village / "plan.toml")
    rows = ("nan", "-1", "inf", "many")
    for wrong in rows:
        (village / "old.csv").write_text(f"task_id,team_id,period,starts_on,days\nT,HANDS,1,2026-01-01,{wrong}\n")
        with pytest.raises(SettingsError, match=r"row 2: days .* is no amount"):
            cp.plan_study(village / "plan.toml")


def test_a_plan_alone_does_not_go_into_the_folder_of_a_whole_run(village):
    cp.run_study(village / "plan.toml", village / "out")
    before = (village / "out" / "run.json").read_bytes()
    with pytest.raises(OutputError, match="holds a whole run"):
        cp.plan_study(village / "plan.toml", village / "out", change={"planning": {"budget": 1000.0}})
    assert (village / "out" / "run.json").read_bytes() == before


def test_runs_with_and_without_a_plan_of_work_are_compared_and_it_is_said(village):
    cp.run_study(village / "plan.toml", village / "first")
    text = (village / "plan.toml").read_text()
    (village / "plan.toml").write_text(text[: text.index("[[teams]]")])
    cp.run_study(village / "plan.toml", village / "second")
    words = comparison_words(cp.compare_runs(village / "first", village / "second"))
    assert words[-1] == "Only the first run has a plan of work: openings are not compared"
    words = comparison_words(cp.compare_runs(village / "second", village / "first"))
    assert words[-1] == "Only the second run has a plan of work: openings are not compared"


def test_a_district_of_a_team_that_is_on_no_map_is_told(village):
    # The project has no layer of districts: a team that is bound to some never works, and that must be seen.
    head, survey, hands = TEAMS.splitlines()
    (village / "teams.csv").write_text(f"{head},districts\n{survey},\n{hands},North; Souht\n")
    study = cp.plan_study(village / "plan.toml")
    (words,) = [note for note in study.notes if note.startswith("Teams:")]
    assert words == (
        "Teams: names a district that the district layer lacks: no team works by it (2: row 3 North, row 3 Souht)"
    )
    assert not len(study.planned.schedule.work)
    told = [str(note) for note in study.planned.schedule.notes]
    assert any("no team does 'clearance' (manual) outside every district" in note for note in told)
    # Z1 waits for F1, in one task or more, and F3; the number and its noun agree.
    assert not any("1 more tasks" in note for note in told)


def test_a_promise_of_a_hazard_that_is_not_there_is_told(village):
    (village / "promises.csv").write_text(
        "commitment_id,hazard_id,until,reason,source,recorded_on\n"
        "C1,F2,2026-06-30,r,s,2025-12-01\nC2,F77,2026-06-30,r,s,2025-12-01\n"
    )
    text = (village / "plan.toml").read_text()
    (village / "plan.toml").write_text(
        text.replace("[planning]\n", '[[commitments]]\npath = "promises.csv"\n[planning]\n')
    )
    study = cp.plan_study(village / "plan.toml")
    assert "Commitments: names a hazard that HAZARDS lacks: it binds NOBODY (1: row 3 F77)" in study.notes


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
    on_the_road = plain.planned.case.blockers.query("zone_id == 'Z1' and part == 'L1'")["task_id"]
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
    own = study.planned.schedule.work.query("task_id == @task")
    assert set(own["team_id"]) == {"HANDS"}
    assert own["period"].max() == 1
    assert study.planned.judgement.breaches.empty
    per_day = study.planned.schedule.work.eval("m2 / days")
    # rates 2000, 4000, 8000: one case of five is slower than 2000 + sqrt(0.2 * 6000 * 2000)
    assert per_day[study.planned.schedule.work["team_id"] == "HANDS"].to_numpy() == pytest.approx(
        2000 + 1549.193, rel=1e-5
    )


# --- the treaty clock of a study

TREATY = """
[planning.treaty]
state = "Ruritania"
convention = "APMBC"
party = false
if_acceded_on = 2026-01-01
source = "made up"
"""


def metres(rows, folder, name):
    """A layer of boxes (west, south, east, north) from a corner of the village [m]."""
    shapes = [
        box(664_600 + w, 4_428_600 + s, 664_600 + e, 4_428_600 + n) for w, s, e, n in (row.pop("at") for row in rows)
    ]
    gpd.GeoDataFrame(rows, geometry=shapes, crs=32638).to_file(folder / name)


@pytest.fixture
def filed(village):
    """The village in whole metres, in two districts, with releases of three years and a state that is not party."""
    metres(
        [{"hazard_id": "F1", "land_class": "SHA", "ordnance": "AP", "at": (0, 0, 1000, 1000)},
         {"hazard_id": "F2", "land_class": "CHA", "ordnance": "AP", "at": (2500, 0, 2900, 1000)},
         {"hazard_id": "F3", "land_class": "CHA", "ordnance": "AV", "at": (0, 7400, 500, 7900)}],
        village, "fields.gpkg",
    )  # fmt: skip
    fields = gpd.read_file(village / "fields.gpkg").assign(
        status="open", position_error_m=0.0, source="made up", recorded_on="2023-01-01"
    )
    fields.to_file(village / "fields.gpkg")
    told = {"decided_by": "made up", "reason": "made up", "position_error_m": 0.0, "source": "made up"}
    metres(
        [told | {"release_id": "R1", "action": "cancelled", "decided_on": "2024-05-01", "items": "none",
                 "depth_m": None, "at": (0, 0, 300, 1000)},
         told | {"release_id": "R2", "action": "cleared", "decided_on": "2025-06-01", "items": "AP 3",
                 "depth_m": 0.2, "at": (2500, 0, 2600, 1000)},
         told | {"release_id": "R3", "action": "cancelled", "decided_on": "2026-03-01", "items": "none",
                 "depth_m": None, "at": (300, 900, 1000, 1000)}],
        village, "releases.gpkg",
    )  # fmt: skip
    metres(
        [{"district": "West", "at": (-5000, -5000, 600, 9000)}, {"district": "East", "at": (600, -5000, 5000, 9000)}],
        village, "districts.gpkg",
    )  # fmt: skip
    text = (village / "plan.toml").read_text() + TREATY
    text = text.replace("fields.geojson", "fields.gpkg").replace("AP = 20", "AP = 0\nAV = 0")
    text = text.replace("home_m = 500", "home_m = 9000")  # all ground is some place's own, so that all of it is worked
    layers = (
        '[[releases]]\npath = "releases.gpkg"\n[context]\ndistricts = "districts.gpkg"\ndistrict_name = "district"\n'
    )
    text = text.replace("[footprints]", f"{layers}[footprints]", 1)
    (village / "plan.toml").write_text(text)
    return village


def rows_of(table, *columns):
    return [tuple(row) for row in table[list(columns)].itertuples(index=False)]


def test_a_study_files_its_treaty_tables(filed):
    study = cp.run_study(filed / "plan.toml", filed / "out")
    told = study.dossier
    assert told is not None
    # West holds 300 x 1,000 m of the first field, for 300 x 1,000 m of its 600 are released; East the other 400.
    assert rows_of(told.remaining, "district", "land_class", "ordnance", "hazards", "reported_m2") == [
        ("West", "CHA", "AV", 1, pytest.approx(250_000)),
        ("West", "SHA", "AP", 0, pytest.approx(300_000)),
        ("East", "CHA", "AP", 1, pytest.approx(300_000)),
        ("East", "SHA", "AP", 1, pytest.approx(400_000)),
    ]
    assert rows_of(told.released, "year", "district", "method", "cha_m2", "sha_m2", "releases", "items_AP") == [
        (2024, "West", "cancelled", 0, pytest.approx(300_000), 1, 0),
        (2025, "East", "cleared", pytest.approx(100_000), 0, 1, 3),
    ]
    clock = told.clock
    assert (clock.ground.counted_m2, clock.ground.other_m2) == pytest.approx((1_000_000, 250_000))
    assert (clock.rates.low, clock.rates.likely, clock.rates.high) == pytest.approx((100_000, 200_000, 300_000))
    # Five years at the likely rate, ten at the low one: half a year less than the ten from July 2026 on.
    assert [str(day) for day in clock.forecast[1:]] == ["2031-01-01", "2036-01-01"]
    surveyed = told.milestones[told.milestones["kind"] == "NTS"]
    # 700,000 m2 at 80,000, 40,000 and 20,000 m2 a day, 20 days to a month, 100 EUR a day.
    assert rows_of(surveyed, "year", "m2", "team_months_low", "team_months", "team_months_high", "cost") == [
        (2026, *map(pytest.approx, (700_000, 0.4375, 0.875, 1.75, 1750)))
    ]
    assert rows_of(told.planned, "year", "land_class", "method", "planned_m2") == [
        (2026, "CHA", "cleared", pytest.approx(550_000)),
        (2026, "SHA", "cancelled", pytest.approx(350_000)),
        (2026, "SHA", "cleared", pytest.approx(350_000)),
    ]


def test_the_report_and_the_workbook_never_speak_of_a_deadline_of_a_state_outside(filed):
    study = cp.run_study(filed / "plan.toml", filed / "out")
    page = (filed / "out" / "report.html").read_text(encoding="utf-8")
    section = page[page.index("<h2>APMBC: if Ruritania acceded on 2026-01-01") :]
    assert (
        "If it acceded on 2026-01-01, at 0.20 km² a year (0.10 km² to 0.30 km², as released in the years 2024 to 2025) "
        "the known ground would be released by 2031-01-01"
    ) in section
    assert "nothing came to it in these years" in section
    assert "If it acceded on 2026-01-01, no extension would be needed, even at the low rate." in section
    assert "no plan in force is named" in section
    assert "deadline" not in section.casefold()
    book = openpyxl.load_workbook(filed / "out" / "treaty.xlsx")
    assert book.sheetnames == ["Read first", "Obligations", "Remaining", "Released", "Milestones", "Planned release"]
    words = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert set(study.dossier.clock.words) <= set(words)
    assert not any("deadline" in word.casefold() for word in words)
    sums = [row[4] for row in book["Remaining"].iter_rows(min_row=3, values_only=True)]  # heads, hashtags
    assert sums == pytest.approx([250_000, 300_000, 300_000, 400_000])


def test_the_plan_in_force_is_held_against_what_was_released(filed):
    cp.run_study(filed / "plan.toml", filed / "before")
    plan = filed / "plan.toml"
    plan.write_text(plan.read_text().replace("[planning]\n", '[planning]\nprevious = "before/work.csv"\n'))
    study = cp.run_study(plan, filed / "out", as_at="2026-12-31")
    assert {"before/work.csv", "before/tasks.csv"} <= set(study.run["inputs"])
    told = study.dossier
    table = told.achieved.set_index(["year", "land_class", "method"])
    # Half of the 700,000 m2 that were surveyed were to be cancelled; 700 x 100 m were.
    assert list(table.loc[(2026, "SHA", "cancelled"), ["planned_m2", "released_m2", "achieved"]]) == pytest.approx(
        [350_000, 70_000, 0.2]
    )
    assert table.loc[(2026, "CHA", "cleared"), "achieved"] == 0
    assert "Plan vs achieved" in openpyxl.load_workbook(filed / "out" / "treaty.xlsx").sheetnames
    (filed / "before" / "tasks.csv").unlink()
    told = cp.run_study(plan, as_at="2026-12-31").dossier
    assert told.achieved is None
    assert any("lay tasks.csv of the same run beside work.csv" in str(note) for note in told.notes)


def test_without_teams_there_is_a_clock_and_no_milestones(filed):
    told = cp.run_study(filed / "plan.toml", as_at="2025-03-31").dossier
    assert (told.milestones, told.planned) == (None, None)
    assert cp.plan_study(filed / "plan.toml").dossier is None  # a plan of work alone files nothing
    assert any("There is no plan of work" in str(note) for note in told.notes)
    assert told.clock.rates.likely == pytest.approx(300_000)  # 2024 alone is a full year


def test_years_beyond_the_last_ten_are_left_out_and_told(filed, monkeypatch):
    monkeypatch.setattr(dossier, "YEARS", 2)
    told = cp.run_study(filed / "plan.toml").dossier
    assert told.released["year"].tolist() == [2025]
    assert told.clock.rates.likely == pytest.approx(100_000)
    assert any("is shown from 2025 on: 1 earlier decision is left out" in str(note) for note in told.notes)
