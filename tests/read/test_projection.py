"""Shapes that a projection takes nowhere are faults of their rows, whatever the CRS says."""

import pytest

from tests.conftest import clearplan
from tests.study.test_run import make_project

#: What a damaged .prj held: a unit of 6,378,137 radians.
DAMAGED = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["DegrS_1984",6378137.0]]'
)
HEAD = "hazard_id,land_class,status,ordnance,position_error_m,source,wkt\n"


@pytest.mark.parametrize(
    ("crs", "x"),
    [
        (DAMAGED, 46.9),
        ("+proj=ortho +lat_0=40 +lon_0=47 +datum=WGS84 +type=crs", 7_000_000),
        ("+proj=ortho +lat_0=0 +lon_0=10 +datum=WGS84 +type=crs", -9_000_000),
    ],
)
def test_a_shape_beyond_its_projection_is_a_fault_of_its_row(tmp_path, crs, x):
    project = make_project(tmp_path)
    shape = f"POLYGON(({x} 40,{x + 0.01} 40,{x + 0.01} 40.01,{x} 40))"
    (project / "fields.csv").write_text(f'{HEAD}F1,CHA,open,AP,5,s,"{shape}"\n')
    plan = project / "plan.toml"
    plan.write_text(plan.read_text().replace('"fields.geojson"', f'"fields.csv"\ncrs = """{crs}"""'))
    checked = clearplan("check", project / "fields.csv", "--as", "hazards", "--plan", plan)
    assert checked.returncode == 1, checked.stderr
    assert "bug in" not in checked.stderr
    words = " ".join(checked.stdout.split())
    assert "gives no place" in words or "outside the declared region" in words
    done = clearplan("run", plan, "--out", project / "out")
    assert done.returncode == 1
    assert "fields.csv, row 2, column geometry" in done.stderr
    assert "bug in" not in done.stderr
