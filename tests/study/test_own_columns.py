"""Columns of the user may have any name, ours included: nothing changes or stops, and all come back."""

import json

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

from clearplan.tables.arrow import TAKEN
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import EVERYWHERE, TABLES, base_columns, declared
from tests.conftest import FULL, clearplan
from tests.study.test_planning import village  # noqa: F401 - a fixture

#: Names that writers, libraries and our own stages use beside the declared ones.
WRITERS = {
    "fid", "geom", "ogc_fid", "notice", "deferred", "entered_crs", "entered_geometry", "geometry_left", "index",
    "level_0", "index_right", "file", "row", "x", "y", "day", "order", "key", "value", "values", "count",
    "size", "m2", "name_x", "name_y", "T", "shape", "area", "bounds", "_row", "c_people_points", "c_x_zones",
    "own_score", "=SUM(A1)", "a;b", "<b>", "Straße", "Площадь",
}  # fmt: skip
#: Columns that any table may have in a file; most say where a row lies.
EVERY_TABLE = {
    "geonameid",
    "lon",
    "lat",
    "longitude",
    "latitude",
    "easting",
    "northing",
    "wkt",
    "geoshape",
    "geometry",
    "crs",
}
DECLARED = {column.name for table in TABLES.values() for column in (*table, *EVERYWHERE)}
#: Columns that reading and writing fill in, of every table.
FILLED_IN = {*TAKEN, "deferred", "entered_crs", "entered_geometry"}
#: No two that differ in upper and lower case alone.
NAMES = sorted({name.casefold(): name for name in sorted(DECLARED | WRITERS, reverse=True)}.values())
FILES = {
    "accidents.csv": "accident_id,occurred_on,device,position_error_m,source,lon,lat\n"
    "A1,2024-03-01,AP,50,s,46.936,39.999\n",
    "releases.csv": "release_id,action,decided_on,decided_by,hazard_id,position_error_m,source,wkt\n"
    'R1,reduced,2025-03-01,centre,F2,5,s,"POLYGON((46.95 39.99,46.952 39.99,46.952 40,46.95 40,46.95 39.99))"\n',
    "history.csv": "history_id,hazard_id,changed_on,changed_by,reason,status,source\n"
    "C1,F1,2025-04-01,x,begun,worked-on,s\n",
    "gates.csv": "gate_id,kind,zone_id,reason,until,source\nG1,dispute,Z2,two claims,the office has decided,s\n",
    "commitments.csv": "commitment_id,hazard_id,team_id,until,reason,source\nC1,F3,HANDS,2026-12-31,promised,s\n",
}


def foreign(table):
    """Names of columns that the table does not have as a file."""
    return set(NAMES) - EVERY_TABLE - {column.name for column in base_columns(table)}


def added(path, table, names):
    """Columns of text in the file, one for each of the names that are not the table's own; what they hold."""
    frame = pd.read_csv(path) if path.suffix == ".csv" else gpd.read_file(path)
    own = {name: [f"{name} of {k}" for k in range(len(frame))] for name in sorted(foreign(table) & set(names))}
    wide = pd.concat([frame, pd.DataFrame(own, index=frame.index)], axis=1)
    if path.suffix == ".csv":
        wide.to_csv(path, index=False)
    else:
        gpd.GeoDataFrame(wide, geometry="geometry", crs=frame.crs).to_file(path)
    return own


@pytest.fixture
def whole(village):  # noqa: F811
    """The village with a file for each table that a plan reads."""
    plan = (village / "plan.toml").read_text()
    for name, text in FILES.items():
        (village / name).write_text(text)
        crs = 'crs = "EPSG:4326"\n' if INPUTS[name.removesuffix(".csv")].shapes else ""
        plan += f'\n[[{name.removesuffix(".csv")}]]\npath = "{name}"\n{crs}'
    (village / "plan.toml").write_text(plan)
    return village


def results(folder):
    """What a run says of tasks and places and work, without what names the run."""
    names = ("tasks.csv", "work.csv", "blockers.csv", "ledger.csv")
    books = [pd.read_csv(folder / name) for name in names]
    return [book[[c for c in book.columns if "notice" not in c]].to_csv() for book in books]


def named(table, name):
    """The name under which a column of the user comes back."""
    return f"own_{name}" if declared(table, name) is not None or name in FILLED_IN else name


@pytest.mark.parametrize("names", [NAMES, *(NAMES[k::16] for k in range(16 * FULL))], ids=lambda names: str(len(names)))
def test_columns_of_any_name_change_nothing_and_come_back(whole, names):
    before = clearplan("run", whole / "plan.toml", "--out", whole / "before")
    assert before.returncode == 0, before.stderr
    files = {"hazards": "fields.geojson"} | {name: f"{name}.csv" for name in INPUTS if name != "hazards"}
    own = {table: added(whole / name, table, names) for table, name in files.items()}
    assert sum(map(len, own.values())) > (2_000 if names == NAMES else 0)
    for table, name in files.items():
        done = clearplan("check", whole / name, "--as", table, "--plan", whole / "plan.toml")
        assert done.returncode == 0, done.stdout + done.stderr

    after = clearplan("run", whole / "plan.toml", "--out", whole / "after")
    assert after.returncode == 0, after.stderr
    assert results(whole / "after") == results(whole / "before")
    layers = {table for table, _ in pyogrio.list_layers(whole / "after" / "plan.gpkg")} & set(own)
    assert layers == {"hazards", "zones", "accidents", "lifelines", "releases"}
    for table in layers:
        written = pyogrio.read_dataframe(whole / "after" / "plan.gpkg", layer=table, read_geometry=False)
        for name, values in own[table].items():
            assert written[named(table, name)].tolist() == values
    record = json.loads((whole / "after" / "run.json").read_text(encoding="utf-8"))
    said = {(fault["file"], fault["column"]) for fault in record["faults"] if "it is kept as own_" in fault["rule"]}
    assert said == {(files[t], name) for t in own for name in own[t] if named(t, name) != name}
