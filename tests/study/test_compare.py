"""Two days of one small project side by side: every change by hand, and decisions that were rewritten."""

import json
import shutil
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Point, box

import clearplan as cp
from clearplan.core.errors import FaultsError, MissingFileError, ReadError, RewrittenError, SettingsError, TableError
from clearplan.study.compare import comparison_words, rank_changes, read_run
from clearplan.surface.probability import evidence_at
from tests.conftest import E0, N0, UTM

PLAN = """
[study]
title = "two days"
region = [45.6, 38.8, 47.8, 40.9]
as_at = 2026-01-01
illustrative = true
[[hazards]]
path = "fields.geojson"
[[releases]]
path = "releases.geojson"
[[history]]
path = "history.csv"
[[zones]]
path = "zones.geojson"
[[accidents]]
path = "accidents.geojson"
[footprints]
strike_radius_m = 300
[footprints.margin_m]
AP = 0
[tasks]
influence_m = 200
min_task_m2 = 100
join_within_m = 50
[tasks.max_task_ha]
survey = 100
clearance = 100
[priority]
set_by = "test"
set_on = 2026-01-01
unknown_people = 100
accidents_radius_m = 500
accidents_since = 2020-01-01
[priority.class_values]
CHA = 1
SHA = 0.5
indication = 0.1
[[priority.criteria]]
name = "accidents"
weight = 60
zero_at = 0
one_at = 2
source = "test"
[[priority.criteria]]
name = "area"
weight = 40
zero_at = 10
one_at = 0
source = "test"
[map]
title = "two days"
"""


def layer(path, rows):
    driver = "GPKG" if path.suffix == ".gpkg" else "GeoJSON"
    gpd.GeoDataFrame(rows, geometry="geometry", crs=UTM).to_crs(4326).to_file(path, driver=driver)


def field(name, east, day, land_class="SHA", side=200):
    return {
        "hazard_id": name, "kind": "minefield", "land_class": land_class, "status": "open", "ordnance": "AP",
        "position_error_m": 0.0, "source": "test", "recorded_on": day,
        "geometry": box(E0 + east, N0, E0 + east + side, N0 + side),
    }  # fmt: skip


def release(name, action, day, east, side=100):
    return {
        "release_id": name, "action": action, "decided_on": day, "decided_by": "authority", "reason": "test",
        "depth_m": 0.2 if action == "cleared" else None, "position_error_m": 0.0, "source": "test",
        "geometry": box(E0 + east, N0, E0 + east + side, N0 + 200),
    }  # fmt: skip


RELEASES = [
    release("L1", "reduced", "2023-05-01", 0),
    release("L2", "cancelled", "2024-05-01", 1000, side=200),
    release("L3", "reduced", "2023-06-01", 2000, side=200),
    release("L4", "re-opened", "2024-07-01", 2000, side=200),
]


@pytest.fixture
def project(tmp_path):
    layer(tmp_path / "fields.geojson", [
        field("part", 0, "2022-01-01"), field("whole", 1000, "2022-01-01"), field("again", 2000, "2022-01-01"),
        field("raised", 3000, "2022-01-01"), field("shut", 4000, "2022-01-01"), field("later", 5000, "2024-03-01"),
        field("still", 6000, "2022-01-01"),
    ])  # fmt: skip
    layer(tmp_path / "releases.geojson", RELEASES)
    (tmp_path / "history.csv").write_text(
        "history_id,hazard_id,changed_on,changed_by,reason,status,land_class,source\n"
        "1,raised,2024-02-01,authority,mine found,,CHA,test\n"
        "2,shut,2024-02-02,authority,work completed,closed,,test\n"
    )
    zone = {"zone_id": "Z", "name": "Z", "people": 10, "position_error_m": 0.0, "source": "test",
            "recorded_on": "2022-01-01", "geometry": Point(E0 + 100, N0 + 5000)}  # fmt: skip
    layer(tmp_path / "zones.geojson", [zone])
    seen = [("2023-01-01", 0), ("2024-08-01", 6000), ("2024-09-01", 6000)]
    layer(tmp_path / "accidents.geojson", [
        {"accident_id": f"A{k}", "occurred_on": day, "device": "AP", "position_error_m": 0.0, "source": "test",
         "geometry": Point(E0 + east + 100, N0 + 300)} for k, (day, east) in enumerate(seen)
    ])  # fmt: skip
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


def run(project, day, **options):
    return cp.run_study(project / "plan.toml", project / day, as_at=day, **options)


def test_every_change_of_two_days(project):
    early, late = run(project, "2023-12-31"), run(project, "2025-12-31")
    assert sorted(early.hazards["hazard_id"]) == ["again", "part", "raised", "shut", "still", "whole"]
    left = early.areas.set_index("hazard_id")["remaining_m2"]
    # By hand: half of a field of 200 m x 200 m is reduced, another wholly; the rest is untouched.
    assert left.round().to_dict() == {
        "part": 20_000, "whole": 40_000, "again": 0, "raised": 40_000, "shut": 40_000, "still": 40_000
    }  # fmt: skip
    assert early.net["reported_m2"].sum() == pytest.approx(180_000, rel=1e-6)
    assert late.net.set_index("land_class")["reported_m2"].round(-1).to_dict() == {"CHA": 40_000, "SHA": 140_000}
    found = cp.compare_runs(project / "2023-12-31", project / "2025-12-31")
    changes = found.hazards.set_index("hazard_id")[["change", "before", "after"]]
    assert {name: tuple(row) for name, row in changes.fillna("").iterrows()} == {
        "later": ("new", "", "SHA, open"),
        "whole": ("released", "4.00 ha", "0.00 ha"),
        "again": ("ground re-opened", "0.00 ha", "4.00 ha"),
        "raised": ("class", "SHA", "CHA"),
        "shut": ("closed", "open", "closed"),
    }
    assert found.rewritten.empty
    words = comparison_words(found)
    assert "SHA: 0.18 km2 before, 0.14 km2 after, -0.04" in words
    assert not any("REWRITTEN" in line for line in words)


def test_ranks_tell_what_moved_them(project):
    run(project, "2023-12-31"), run(project, "2025-12-31")
    found = cp.compare_runs(project / "2023-12-31", project / "2025-12-31")
    survey = found.tasks[found.tasks["queue"] == "survey"].set_index("was")
    # Two accidents fell near 'still' since: two of two is the whole weight of 60; nothing of 'part' changed.
    tasks = {h: i for i, h in zip(found.first.tasks["task_id"], found.first.tasks["hazard_ids"], strict=True)}
    still, part = survey.loc[tasks["still"]], survey.loc[tasks["part"]]
    assert still["rank_before"] > 1 == still["rank_after"]
    assert still["criterion"] == "Accidents near the task"
    assert still["points"] == pytest.approx(60)
    assert (part["rank_before"], part["rank_after"]) == (1, 2)
    assert part["criterion"] == "none of its own: others moved"
    gone = found.tasks[found.tasks["change"] == "gone"]
    assert set(gone["was"]) == {tasks["whole"], tasks["shut"], tasks["raised"]}
    assert {"survey"} <= set(rank_changes(found)["queue"])


def test_a_moved_and_a_lost_hazard_and_rewritten_history_are_loud(project):
    run(project, "2025-12-31")
    shutil.move(project / "2025-12-31", project / "before")
    fields = [field("part", 40, "2022-01-01"), field("whole", 1000, "2022-01-01"), field("again", 2000, "2022-01-01"),
              field("raised", 3000, "2022-01-01"), field("shut", 4000, "2022-01-01"),
              field("still", 6000, "2022-01-01")]  # fmt: skip
    (project / "fields.geojson").unlink()
    layer(project / "fields.geojson", fields)
    (project / "releases.geojson").unlink()
    layer(project / "releases.geojson", [RELEASES[0] | {"decided_by": "somebody else"}, *RELEASES[2:]])
    with pytest.raises(RewrittenError, match="2 earlier decisions are changed or gone"):
        run(project, "2025-12-31")
    run(project, "2025-12-31", accept_rewritten="test of rewriting")
    found = cp.compare_runs(project / "before", project / "2025-12-31")
    changes = dict(zip(found.hazards["hazard_id"], found.hazards["change"], strict=True))
    assert changes["later"] == "LOST from the table"
    assert changes["part"] == "moved"
    assert found.hazards.set_index("hazard_id").loc["part", "after"] == "40 m"
    told = {(row.release_id, row.column) for row in found.rewritten.itertuples()}
    assert told == {("L1", "decided_by"), ("L2", "the whole decision")}
    assert comparison_words(found)[0].startswith("HISTORY WAS REWRITTEN: 2 decisions")
    done = subprocess.run(
        [sys.executable, "-m", "clearplan", "diff", project / "before", project / "2025-12-31"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "HISTORY WAS REWRITTEN" in done.stdout
    assert "LOST" in done.stdout


def test_the_comparison_is_a_page_with_a_map(project):
    run(project, "2023-12-31"), run(project, "2025-12-31")
    words = [sys.executable, "-m", "clearplan", "diff", project / "2023-12-31", project / "2025-12-31", "-o"]
    done = subprocess.run([*words, project / "diff.html"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Comparison: " in done.stdout
    page = (project / "diff.html").read_text(encoding="utf-8")
    found = cp.compare_runs(project / "2023-12-31", project / "2025-12-31")
    for change, count in found.hazards["change"].value_counts().items():
        assert f"{count} {change}" in page[page.index('id="changes-desc"') :][:400]
    for hazard in found.hazards["hazard_id"]:
        assert f"<td>{hazard}</td>" in page
    assert found.second.record["fingerprint"] in page
    assert found.first.record["fingerprint"] in page
    again = subprocess.run([*words, project / "diff.html"], capture_output=True, text=True)
    assert again.returncode == 2
    assert "diff.html" in again.stderr


def test_what_a_day_can_not_tell_is_said(project):
    plan = (
        PLAN
        + """
[release]
source = "test"
halo = "drop"
bridge_from = 2024-12-31
[release.detection]
cancelled = 0.5
reduced = 0.8
cleared = 0.99
"""
    )
    (project / "plan.toml").write_text(plan)
    early = cp.run_study(project / "plan.toml", as_at="2023-12-31")
    assert "No bridge table: release.bridge_from 2024-12-31 is after 2023-12-31" in early.notes
    assert "bridge" not in early.books
    late = cp.run_study(project / "plan.toml", as_at="2026-06-30")
    assert any("later than 2026-01-01, the day of the plan" in note for note in late.notes)
    assert "bridge" in late.books
    (project / "accidents.geojson").unlink()
    layer(project / "accidents.geojson", [
        {"accident_id": f"A{k}", "occurred_on": "2024-01-01", "device": "AP", "position_error_m": 0.0, "source": "test",
         "geometry": Point(E0, N0)} for k in range(3)
    ])  # fmt: skip
    assert any("All 3 accidents lie at one coordinate" in note for note in cp.run_study(project / "plan.toml").notes)


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(MissingFileError, match=r"run\.json: no such file"):
        read_run(tmp_path)


def test_a_day_before_everything_is_an_empty_map_and_not_an_error(project):
    study = run(project, "2021-06-30")
    assert len(study.hazards) == len(study.tasks) == 0
    assert "7 hazards are dated after 2021-06-30, the date of the study, and left out" in study.notes
    record = json.loads((project / "2021-06-30" / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["study"]["as_at"] == "2021-06-30"


def test_a_run_as_at_a_day_is_the_run_of_a_plan_of_that_day(project):
    run(project, "2023-12-31")
    (project / "plan.toml").write_text(PLAN.replace("as_at = 2026-01-01", "as_at = 2023-12-31"))
    cp.run_study(project / "plan.toml", project / "own")
    for name in ("plan.gpkg", "tasks.csv", "ledger.csv", "map.html"):
        assert (project / "own" / name).read_bytes() == (project / "2023-12-31" / name).read_bytes(), name


def test_books_balance_on_the_sample(sample):
    study, folder = sample
    books = study.books["ledger"]
    states = ["remaining_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "closed_m2"]
    assert np.allclose(books["reported_m2"], books[states].sum(axis=1), rtol=1e-6, atol=1)
    known = books[books["land_class"] != "outside every known hazard"]
    assert known["remaining_m2"].sum() == pytest.approx(study.net["reported_m2"].sum(), rel=1e-6)
    assert study.tasks["area_m2"].sum() == pytest.approx(study.net["planning_m2"].sum(), rel=1e-6)
    drawn = cp.footprints(study.hazards, study.project.footprints)
    union_m2 = shapely.union_all(drawn["reported"].to_numpy()).area
    assert known["reported_m2"].sum() == pytest.approx(union_m2, rel=1e-6)
    bridge = study.books["bridge"]
    flows = {"newly_found_m2": 1, "cancelled_m2": -1, "reduced_m2": -1, "cleared_m2": -1, "reopened_m2": 1,
             "changed_in_m2": 1, "changed_out_m2": -1, "closed_m2": -1, "withdrawn_m2": -1}  # fmt: skip
    closing = bridge["opening_m2"] + sum(sign * bridge[name] for name, sign in flows.items())
    assert np.allclose(closing, bridge["closing_m2"], rtol=1e-6, atol=1)
    assert (folder / "ledger.csv").read_text(encoding="utf-8").count(study.run["fingerprint"]) == len(books)


SURFACE = """
[release]
source = "test"
halo = "drop"
[release.detection]
cancelled = 0.5
reduced = 0.8
cleared = 0.9
[surface]
mode = "expert"
cell_m = 50
max_distance_m = 3000
base_rate = 0.001
base_rate_spread = 0.5
base_rate_source = "test"
draws = 20
seed = 1
[[surface.terms]]
evidence = "sha"
strength = 6.0
spread = 0.1
scale_m = 200
shape = "exponential"
source = "test"
[[surface.terms]]
evidence = "cha"
strength = 7.0
spread = 0.1
scale_m = 200
shape = "exponential"
source = "test"
[map]
"""


def weighed(project, releases, *, accidents=None):
    """p at the middle of field 'still', and of a project with these releases."""
    plan = PLAN.replace("region = [45.6, 38.8, 47.8, 40.9]", "region = [46.6, 39.8, 47.1, 40.1]").replace(
        "[map]", SURFACE
    )
    (project / "plan.toml").write_text(plan)
    (project / "releases.geojson").unlink()
    layer(project / "releases.geojson", releases)
    if accidents is not None:
        (project / "accidents.geojson").unlink()
        layer(project / "accidents.geojson", accidents)
    shutil.rmtree(project / "w", ignore_errors=True)
    study = cp.run_study(project / "plan.toml", project / "w", accept_rewritten="test of other releases")
    middle = np.array([[E0 + 6100.0, N0 + 100.0]])
    return float(evidence_at(study.evidence, middle)["p"].iloc[0]), study


def still(name="L9", action="cleared", day="2025-06-01", width=200):
    return release(name, action, day, 6000, side=width)


def test_only_its_search_moves_the_share_of_released_ground(project):
    """By hand: 0.001 and a strength of 6 make odds of 0.001001 x 403.4, p = 0.2877; Bayes does the rest."""
    before = 0.001 / 0.999 * np.exp(6) / (1 + 0.001 / 0.999 * np.exp(6))
    assert before == pytest.approx(0.2877, abs=1e-4)
    p, _ = weighed(project, [RELEASES[0]])
    assert p == pytest.approx(before, rel=1e-3)
    p, study = weighed(project, [RELEASES[0], still()])
    assert p == pytest.approx(before * 0.1 / (1 - before * 0.9), rel=1e-3)
    assert study.areas.set_index("hazard_id").loc["still", "remaining_m2"] == pytest.approx(0, abs=1)
    # Progress polygons of one clearance are one search.
    p, _ = weighed(
        project, [RELEASES[0], still("W1", "reduced", "2025-05-01", 150), still("W2", "reduced", "2025-05-08")]
    )
    assert p == pytest.approx(before * 0.2 / (1 - before * 0.8), rel=1e-3)
    # A later find refutes the search: the share is that of before, and everybody is told.
    hurt = {"accident_id": "A9", "occurred_on": "2025-12-01", "device": "AP", "position_error_m": 0.0, "source": "test",
            "geometry": Point(E0 + 6100, N0 + 100)}  # fmt: skip
    p, study = weighed(project, [RELEASES[0], still()], accidents=[hurt])
    assert p == pytest.approx(before, rel=1e-3)
    assert any("something was found on the ground after its release" in note for note in study.notes)
    assert "something was found" in (project / "w" / "report.html").read_text(encoding="utf-8")


def test_a_re_opening_that_can_not_be_used_is_never_lenient(project):
    plan = PLAN.replace('path = "releases.geojson"', 'path = "releases.geojson"\nlenient = true')
    (project / "plan.toml").write_text(plan)
    (project / "releases.geojson").unlink()
    layer(project / "releases.geojson", [*RELEASES[:3], RELEASES[3] | {"decided_by": None}])
    with pytest.raises(FaultsError) as error:
        cp.run_study(project / "plan.toml")
    assert "a re-opening that can't be used would leave its ground released" in error.value.faults["rule"].tolist()


def test_status_alone_re_opens_no_land_and_says_so(project):
    (project / "history.csv").write_text(
        "history_id,hazard_id,changed_on,changed_by,reason,status,land_class,source\n"
        "1,whole,2025-02-01,authority,mine found,open,,test\n"
    )
    study = cp.run_study(project / "plan.toml")
    assert any("open by its status, but releases cover all its ground" in note for note in study.notes)


def test_a_setting_releases_no_land(project):
    run(project, "2025-12-31")
    shutil.move(project / "2025-12-31", project / "before")
    (project / "plan.toml").write_text(PLAN.replace("AP = 0", "AP = 30"))
    run(project, "2025-12-31")
    found = cp.compare_runs(project / "before", project / "2025-12-31")
    assert set(found.hazards["change"]) == {"footprint"}


def test_evidence_that_says_nothing_or_is_not_weighed_is_told(project):
    plan = PLAN.replace("[map]", SURFACE)
    (project / "plan.toml").write_text(plan.replace("strength = 6.0", "strength = 0"))
    with pytest.raises(SettingsError, match="strength 0 of sha says nothing"):
        cp.run_study(project / "plan.toml")
    small = plan.replace("region = [45.6, 38.8, 47.8, 40.9]", "region = [46.6, 39.8, 47.1, 40.1]")
    (project / "plan.toml").write_text(small.replace('evidence = "sha"', 'evidence = "strikes"'))
    study = cp.run_study(project / "plan.toml")
    assert any("weighs no sha, accidents" in note for note in study.notes)


def test_history_that_was_rewritten_is_told(project):
    run(project, "2025-12-31")
    shutil.move(project / "2025-12-31", project / "before")
    text = (project / "history.csv").read_text().replace("mine found", "nothing found")
    (project / "history.csv").write_text(text)
    run(project, "2025-12-31")
    found = cp.compare_runs(project / "before", project / "2025-12-31")
    assert found.rewritten[["release_id", "column"]].values.tolist() == [["1", "reason"]]
    run(project, "2023-12-31")
    with pytest.raises(TableError, match="name the earlier run first"):
        cp.compare_runs(project / "before", project / "2023-12-31")


@pytest.mark.parametrize("content", ["{}", "[]", '{"settings": {}}', "no json"])
def test_a_broken_run_is_no_bug(project, content):
    run(project, "2023-12-31")
    (project / "2023-12-31" / "run.json").write_text(content)
    with pytest.raises(ReadError, match="holds no run that can be read"):
        read_run(project / "2023-12-31")
