"""What the record of a run says of itself: what is known to exist, and how long a contact line is stated to be."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
from shapely import LineString

from clearplan.core.errors import SettingsError
from clearplan.settings.project import load_project
from clearplan.study.run import run_study
from tests.study.test_run import make_project

KNOWN = """
[[known_sources]]
name = "Maps of the valley"
number = 97000
holds = "mines"
handed_over_on = 2021-06-12
source = "Gazette, item 7"
[[known_sources]]
name = "Lists of a unit"
number = 3
holds = "lists"
source = "Gazette, item 8"
"""
LINE = """
[contact_line]
path = "line.geojson"
hazard_id = "LOC"
scale = "1:10 million"
source = "made up"
position_error_m = 100
depth_min_m = 300
depth_max_m = 700
caps = "flat"
"""


def project_with(tmp_path, words):
    folder = make_project(tmp_path)
    gpd.GeoDataFrame(geometry=[LineString([(46.8, 40), (46.9, 40)])], crs=4326).to_file(folder / "line.geojson")
    plan = folder / "plan.toml"
    plan.write_text(plan.read_text().replace("[footprints]", f"{words}\n[footprints]", 1))
    return plan


def test_what_is_known_to_exist_is_said_and_stands_in_no_figure(tmp_path):
    plan = project_with(tmp_path, "")
    without = run_study(plan)
    plan.write_text(plan.read_text().replace("[footprints]", f"{KNOWN}\n[footprints]", 1))
    study = run_study(plan)
    assert study.notes[-2:] == [
        "Maps of the valley: 97,000 mines, handed over on 2021-06-12, not among the inputs: in no area and on no map "
        "here (Gazette, item 7)",
        "Lists of a unit: 3 lists, known to exist, not among the inputs: in no area and on no map here "
        "(Gazette, item 8)",
    ]
    assert study.notes[:-2] == without.notes
    for name, table in without.tables.items():
        assert study.tables[name].equals(table), name
    assert study.net.equals(without.net)
    assert study.run["counts"] == without.run["counts"]
    assert json.loads(json.dumps(study.run["known_sources"]))[0]["handed_over_on"] == "2021-06-12"


# Belt of 280 km by hand: 280 x 0.3 = 84 and 280 x 0.7 = 196 km2 for a depth that counts once, twice that on two sides.
@pytest.mark.parametrize(
    ("measure", "sides", "belt"),
    [("each-side", "both", "168 to 392"), ("total", "both", "84 to 196"), ("each-side", "left", "84 to 196")],
)
def test_a_stated_length_stands_beside_the_drawn_one_with_the_belt_that_it_implies(tmp_path, measure, sides, belt):
    stated = 'stated_length_km = 280\nstated_length_source = "essay"\n'
    words = f'{LINE}measure = "{measure}"\nsides = "{sides}"\n'
    plan = project_with(tmp_path, words + stated)
    line = run_study(plan).facts.contact_lines[0]
    assert line.words.endswith(f"; 280 km as stated (essay), which implies a belt of {belt} km²")
    assert 8 < line.length_km < 9  # the drawn one: 0.1 degrees at 40 degrees north
    plan.write_text(plan.read_text().replace(stated, ""))
    assert run_study(plan).facts.contact_lines[0].words == line.words.split(";")[0]


# By hand: 300 m and 700 m on each side, or across both, and 100 m of error on each side.
@pytest.mark.parametrize(("measure", "profile"), [("each-side", "0 400 800"), ("total", "0 500 900")])
def test_a_belt_is_widened_by_the_error_of_its_line_where_the_plan_asks(tmp_path, measure, profile):
    plan = project_with(tmp_path, f'{LINE}measure = "{measure}"\nsides = "both"\nwiden = true\n')
    study = run_study(plan)
    line = study.hazards.set_index("hazard_id").loc["LOC"]
    assert line["depth_profile"] == profile
    assert "0.1 km out of place (its belt is widened by as much)" in study.facts.contact_lines[0].words
    plan.write_text(plan.read_text().replace("widen = true\n", ""))
    plain = run_study(plan)
    assert plain.hazards.set_index("hazard_id").loc["LOC", "depth_profile"] == "0 300 700"
    assert "(its belt is not widened)" in plain.facts.contact_lines[0].words


@pytest.mark.parametrize("half", ["stated_length_km = 280", 'stated_length_source = "essay"'])
def test_a_stated_length_needs_its_source(tmp_path, half):
    plan = project_with(tmp_path, f'{LINE}measure = "total"\nsides = "both"\n{half}\n')
    with pytest.raises(SettingsError, match="go together"):
        load_project(plan)
