"""What a project reads: every table by name, each row with the file and the row where it stands."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import pytest
from shapely import LineString, box

import clearplan as cp
from clearplan.settings.base import paths_of
from clearplan.settings.project import Project, load_project
from clearplan.study.inputs import as_at_day, read_inputs
from clearplan.tables.inputs import INPUTS
from tests.study.test_run import make_project


@pytest.fixture
def project(tmp_path):
    """The small project with a second file of places, of which one is entered a day later."""
    folder = make_project(tmp_path)
    (folder / "more.csv").write_text(
        "zone_id,name,people,position_error_m,source,lon,lat,recorded_on\n"
        "Z3,East,10,50,s,46.96,40.0,2026-01-02\nZ4,West,10,50,s,46.92,40.0,2025-01-01\n"
    )
    plan = (folder / "plan.toml").read_text()
    (folder / "plan.toml").write_text(f'{plan}\n[[zones]]\npath = "more.csv"\ncrs = "EPSG:4326"\n')
    return load_project(folder / "plan.toml")


def inputs_of(project):
    return read_inputs(project, cp.working_crs(project.study.region))


def test_a_row_keeps_the_file_and_row_where_it_was_read(project):
    inputs = inputs_of(project)
    assert list(inputs.tables) == list(INPUTS)
    zones = inputs.tables["zones"]
    assert zones.index.names == ["file", "row"]
    assert zones["zone_id"].to_dict() == {
        ("zones.csv", 2): "Z1", ("zones.csv", 3): "Z2", ("more.csv", 2): "Z3", ("more.csv", 3): "Z4",
    }  # fmt: skip
    known = as_at_day(inputs, dt.date(2026, 1, 1)).tables["zones"]
    assert known["zone_id"].to_dict() == {
        ("zones.csv", 2): "Z1", ("zones.csv", 3): "Z2", ("more.csv", 3): "Z4",
    }  # fmt: skip


def test_stages_get_rows_numbered_from_0(project):
    known = as_at_day(inputs_of(project), dt.date(2026, 1, 1))
    assert known.table("zones")["zone_id"].to_dict() == {0: "Z1", 1: "Z2", 2: "Z4"}
    for name in INPUTS:
        table = known.table(name)
        assert table.index.tolist() == list(range(len(table)))
        assert table.index.names == [None]


@pytest.mark.parametrize("table", INPUTS.values(), ids=lambda table: table.name)
def test_every_input_table_has_its_sections(project, table):
    """Its entry alone makes the sections of plan.toml that name its files."""
    for section in table.sections:
        assert Project.model_fields[section.name].is_required() == section.needed
        assert isinstance(project.files_of(section.name), tuple)
    assert table.sections[0].name == table.name


def test_paths_are_seen_from_the_folder_of_plan_toml(project, tmp_path):
    paths = list(paths_of(project))
    assert [path.relative_to(tmp_path / "project").as_posix() for path in paths] == [
        "fields.geojson", "zones.csv", "more.csv",
    ]  # fmt: skip
    other = load_project(tmp_path / "project" / "plan.toml", change={"zones": {"path": "more.csv"}})
    assert other.files_of("zones")[0].path == tmp_path / "project" / "more.csv"


def test_rows_of_layers_beneath_the_hazards_balance_too(tmp_path):
    """A lake without a shape takes part in nothing, and the balance says so; roads and settlements count as well."""
    folder = make_project(tmp_path)
    blocks = [box(46, 39, 47, 41), None, box(47, 39, 48, 41)]
    gpd.GeoDataFrame({"name": ["A", "B", "C"]}, geometry=blocks, crs=4326).to_file(folder / "lakes.gpkg")
    roads = [LineString([(46, 40), (47, 40)])]
    gpd.GeoDataFrame({"name": ["M1"]}, geometry=roads, crs=4326).to_file(folder / "roads.geojson")
    (folder / "towns.csv").write_text("name,longitude,latitude\nEast,46.9,40.0\nWest,46.8,40.0\n")
    plan = (folder / "plan.toml").read_text()
    plan = plan.replace("[footprints]", '[context]\nlakes = "lakes.gpkg"\n[footprints]', 1)
    plan += (
        '\n[surface]\nmode = "expert"\ncell_m = 1000\nmax_distance_m = 5000\nbase_rate = 0.01\nbase_rate_spread = 0.5\n'
        'base_rate_source = "illustrative"\ndraws = 20\nseed = 1\nroads = "roads.geojson"\nsettlements = "towns.csv"\n'
        '[[surface.terms]]\nevidence = "roads"\nstrength = 1\nspread = 0.5\nscale_m = 500\nshape = "exponential"\n'
        'source = "illustrative"\n'
        '[[surface.terms]]\nevidence = "settlements"\nstrength = 1\nspread = 0.5\nscale_m = 500\n'
        'shape = "exponential"\nsource = "illustrative"\n'
    )
    (folder / "plan.toml").write_text(plan)
    balance = cp.run_study(folder / "plan.toml").run["balance"]
    counts = {row["table"]: [row[key] for key in ("claimed", "read", "used", "deferred")] for row in balance}
    assert counts["lakes"] == [3, 3, 2, 1]
    assert counts["roads"] == [1, 1, 1, 0]
    assert counts["settlements"] == [2, 2, 2, 0]
