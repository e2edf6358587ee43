"""Accidents at centroids through check and run: the same warning in both, and errors that reach the ranks."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box
from typer.testing import CliRunner

import clearplan as cp
from clearplan.cli.app import app
from tests.study.test_run import make_project

SURFACE = """
[surface]
mode = "expert"
cell_m = 1000
max_distance_m = 5000
base_rate = 0.01
base_rate_spread = 0.5
base_rate_source = "illustrative"
draws = 20
seed = 1
settlements = "towns.csv"
[[surface.terms]]
evidence = "settlements"
strength = 1
spread = 0.5
scale_m = 500
shape = "exponential"
source = "illustrative"
"""
STATED = '[accident_centroids]\nerror_m = 4000\nsource = "test"\n'
#: A place that nothing names, and one that was measured.
NOWHERE, MEASURED = (46.937123, 39.981234), (46.935678, 39.987654)


def project_of(tmp_path, points, *, head="", tail="", error=10):
    """The small project with accidents of different days at (longitude, latitude)."""
    folder = make_project(tmp_path)
    rows = [f"A{k},2024-01-{k + 1:02},AP,{error},s,{x},{y}" for k, (x, y) in enumerate(points)]
    header = "accident_id,occurred_on,device,position_error_m,source,lon,lat"
    (folder / "accidents.csv").write_text("\n".join([header, *rows]) + "\n")
    plan = (folder / "plan.toml").read_text()
    criterion = '[[priority.criteria]]\nname = "accidents"\nweight = 1\nzero_at = 0\none_at = 2\nsource = "test"\n'
    section = '[[accidents]]\npath = "accidents.csv"\ncrs = "EPSG:4326"\n'
    plan = plan.replace("[footprints]", f"{section}{head}[footprints]", 1).replace("[map]", f"{criterion}[map]")
    (folder / "plan.toml").write_text(plan + tail)
    (folder / "towns.csv").write_text("name,longitude,latitude\nEast,46.912345,39.976543\nWest,46.912345,39.958529\n")
    districts = gpd.GeoDataFrame({"name": ["D"]}, geometry=[box(46.9001, 39.9501, 46.9801, 40.0301)], crs=4326)
    districts.to_file(folder / "districts.geojson")
    return folder


def checked(folder, *words):
    """Fault table of the accidents as check --csv writes it, and what it prints."""
    target = folder / "faults.csv"
    args = ["check", str(folder / "accidents.csv"), "--as", "accidents", "--csv", str(target), *words]
    found = CliRunner().invoke(app, args)
    table = pd.read_csv(target, keep_default_na=False) if target.exists() else pd.DataFrame(columns=["rule"])
    return found.exit_code, table


CASES = {
    "one coordinate, error stated": ([NOWHERE] * 3, {"head": STATED}, "shared", 4000, 4000),
    "a zone's point": ([(46.945, 40.005)], {}, "zones", 50, 50),
    # 0.018014° of latitude are 2,000.1 m at 40 N (111.03 km a degree): half of the way is 1,000 m.
    "a village": ([(46.912345, 39.976543)], {"tail": SURFACE}, "settlements", 998, 1002),
    # The district is 0.08° wide and high: 6.83 by 8.88 km; from its middle to a corner half of 11.2 km.
    "a district's centre": (
        [(46.9401, 39.9901)], {"head": '[context]\ndistricts = "districts.geojson"\n'}, "districts", 5570, 5640,
    ),
    "hundredths of a degree": ([(46.93, 39.98), (46.94, 39.97)], {}, "rounded", 690, 710),
    "whole minutes": ([(46.9333, 39.9833)], {}, "rounded", 1160, 1180),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_check_and_run_say_the_same_of_accidents_at_centroids(tmp_path, case):
    points, words, why, least, most = case
    folder = project_of(tmp_path, [MEASURED, *points], **words)
    study = cp.run_study(folder / "plan.toml")
    found = study.faults[study.faults["column"] == "position_error_m"]
    assert found[["file", "level"]].to_numpy().tolist() == [["accidents.csv", "warning"]]
    last = len(points) + 2
    assert f"{len(points)} (row{f's 3-{last}' if last > 3 else ' 3'})" in found["rule"].iloc[0]
    assert f"position error of {len(points)} of them raised from 10 m to" in found["rule"].iloc[0]
    own = study.accidents
    assert own["position_error_m"].iloc[0] == 10
    assert own["position_error_m"].iloc[1:].between(least, most).all()
    assert own["entered_error_m"].iloc[1:].tolist() == [10] * len(points)
    assert own["error_from"].tolist() == [None, *[why] * len(points)]
    code, listed = checked(folder, "--plan", str(folder / "plan.toml"))
    assert code == 0
    assert listed["rule"].tolist() == found["rule"].tolist()


def test_measured_accidents_stay_as_they_are(tmp_path):
    folder = project_of(tmp_path, [MEASURED, NOWHERE], head=STATED)
    study = cp.run_study(folder / "plan.toml")
    assert set(study.faults["file"]) == {"fields.geojson"}  # which states a CRS
    assert "error_from" not in study.accidents.columns
    assert checked(folder)[1].empty


def test_a_file_alone_shows_shared_and_rounded_coordinates(tmp_path):
    folder = project_of(tmp_path, [NOWHERE, NOWHERE, NOWHERE, (0, 0), (46.945, 40.005)])
    code, listed = checked(folder, "--crs", "EPSG:4326")
    assert code == 0
    assert [rule.split(":")[0][:38] for rule in listed["rule"]] == [
        "point lies at 0, 0", "accidents stand at coordinates rounded", "accidents stand at coordinates that 3 ",
    ]  # fmt: skip
    # Coordinates of 0, 0 lie outside the region of a plan, which refuses them.
    assert checked(folder, "--plan", str(folder / "plan.toml"))[0] == 1


def test_the_raised_error_reaches_the_ranks_and_every_written_file(tmp_path):
    """300 m and more from the fields, of 500 m that count: 4,000 m off, each may be near or far."""
    folder = project_of(tmp_path, [NOWHERE] * 3, head=STATED)
    study = cp.run_study(folder / "plan.toml", folder / "out")
    assert (study.tasks["c_accidents_low"] == 0).all()
    assert (study.tasks["c_accidents_high"] == 3).all()
    stored = gpd.read_file(folder / "out" / "plan.gpkg", layer="accidents")
    assert stored["entered_error_m"].tolist() == [10] * 3
    report = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "Coordinates of 3 accidents are those of a place" in report
    assert any("raised from 10 m to 4,000 m" in fault["rule"] for fault in study.run["faults"])
