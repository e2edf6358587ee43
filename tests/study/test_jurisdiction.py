"""A run that counts the ground of one state: what lies beyond is said, listed and in no figure."""

import geopandas as gpd
import pytest
from shapely import box

import clearplan as cp
from clearplan.core.errors import SettingsError
from tests.study.test_run import make_project


@pytest.fixture
def project(tmp_path):
    """The small project with two states, whose border is the meridian of the middle of its hazards."""
    folder = make_project(tmp_path)
    middle = gpd.read_file(folder / "fields.geojson").to_crs(4326).total_bounds[[0, 2]].mean()
    states = gpd.GeoDataFrame(
        {"land": ["Ruritania", "Elsewhere"]}, geometry=[box(46, 39, middle, 41), box(middle, 39, 48, 41)], crs=4326
    )
    states.to_file(folder / "countries.geojson")
    plan = (folder / "plan.toml").read_text()
    context = '[context]\ncountries = "countries.geojson"\ncountry_name = "land"\n'
    (folder / "plan.toml").write_text(plan.replace("[footprints]", f"{context}[footprints]", 1))
    return folder / "plan.toml"


def of_state(project, state):
    text = project.read_text()
    project.write_text(text.replace("[study]\n", f'[study]\nstate = "{state}"\n', 1))
    try:
        return cp.run_study(project)
    finally:
        project.write_text(text)


def test_two_states_share_the_ground_and_nothing_is_lost(project):
    whole = cp.run_study(project)
    parts = [of_state(project, state) for state in ("Ruritania", "Elsewhere")]
    for column in ("reported_m2", "planning_m2"):
        shares = [study.net[column].sum() for study in parts]
        assert min(shares) > 0
        assert sum(shares) == pytest.approx(whole.net[column].sum(), rel=1e-6)
        ledgers = [study.books["ledger"][column].sum() for study in parts]
        assert sum(ledgers) == pytest.approx(whole.books["ledger"][column].sum(), rel=1e-6)
    tasks = [study.tasks["area_m2"].sum() for study in parts]
    assert sum(tasks) == pytest.approx(whole.tasks["area_m2"].sum(), rel=1e-6)
    for study, other in zip(parts, parts[::-1], strict=True):
        listed = sum(row["beyond_m2"] for row in study.run["beyond"] if row["table"] == "areas")
        assert listed == pytest.approx(sum(other.areas["planning_m2"]), rel=1e-3)
        assert any("of planning ground there is in no figure, task or plan" in note for note in study.notes)
        assert len(study.hazards) == len(whole.hazards)


def test_all_ground_counts_where_no_state_is_named(project):
    study = cp.run_study(project)
    assert study.run["beyond"] == []
    assert not any("ground of" in note for note in study.notes)


def test_a_state_without_a_layer_or_of_another_name_is_refused(project):
    with pytest.raises(SettingsError, match="no country is called 'Atlantis'; the layer of countries has Elsewhere, R"):
        of_state(project, "Atlantis")
    project.write_text(project.read_text().replace('countries = "countries.geojson"\n', ""))
    with pytest.raises(SettingsError, match=r"context\.countries gives no file"):
        of_state(project, "Ruritania")
