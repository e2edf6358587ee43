"""What is hashed, read and drawn is one copy of each input."""

import gc
import hashlib
import json
import os
import pickle
import shutil
import tempfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from clearplan.core.errors import ReadError
from clearplan.read import files
from clearplan.read.dbase import siblings
from clearplan.read.readers import check_file
from clearplan.read.snapshot import Snapshot, parts_of
from clearplan.records import forms
from clearplan.settings.limits import LimitSettings
from clearplan.study.run import STAGES, run_study
from tests.conftest import clearplan
from tests.records.test_minefields import record, square
from tests.study.test_run import make_project


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("stage", [1, 3, 5])
def test_a_file_that_changes_during_a_run_is_read_once(tmp_path, stage):
    project = make_project(tmp_path)
    zones, plan = project / "zones.csv", project / "plan.toml"
    honest, before = run_study(plan), sha256(zones)

    def edit(name: str) -> None:
        if name == STAGES[stage]:
            zones.write_text(zones.read_text().replace("120", "999"))

    study = run_study(plan, tmp_path / "out", progress=edit)
    assert study.run["inputs"]["zones.csv"] == before != sha256(zones)
    assert study.run["fingerprint"] == honest.run["fingerprint"]
    assert study.zones["people"].sum() == honest.zones["people"].sum() == 120
    assert "zones.csv changed during the run" in study.notes[0]
    record = (tmp_path / "out" / "run.json").read_text(encoding="utf-8")
    assert json.loads(record)["warnings"] == study.notes
    assert tempfile.gettempdir() + os.sep + "clearplan-" not in record
    assert not any("changed during" in note for note in honest.notes)


def test_a_file_that_is_touched_or_gone_at_the_end(tmp_path):
    project = make_project(tmp_path)

    def touch(name: str) -> None:
        if name == STAGES[1]:
            os.utime(project / "zones.csv", ns=(1, 1))
            (project / "fields.geojson").unlink()

    notes = run_study(project / "plan.toml", progress=touch).notes
    assert [note.split()[0] for note in notes if "changed during" in note] == ["fields.geojson"]


def test_every_part_of_an_input_is_copied(tmp_path):
    table = gpd.GeoDataFrame({"a": ["x"]}, geometry=[shapely.Point(46.9, 40)], crs=4326)
    table.to_file(tmp_path / "a.shp")
    table.to_file(tmp_path / "b.gdb", driver="OpenFileGDB")
    (tmp_path / "c.gpkg").write_bytes(b"x")
    (tmp_path / "c.gpkg-wal").write_bytes(b"y")
    (tmp_path / "d.tif").write_bytes(b"x")
    (tmp_path / "d.tfw").write_bytes(b"y")
    (tmp_path / "d.csv").write_bytes(b"not its part")
    paths = [tmp_path / name for name in ("a.shp", "b.gdb", "c.gpkg", "d.tif", "absent.csv")]
    copies = Snapshot(paths, LimitSettings())
    hashes = copies.hashes(tmp_path)
    assert {"a.shp", "a.shx", "a.dbf", "a.prj", "c.gpkg", "c.gpkg-wal", "d.tif", "d.tfw"} <= set(hashes)
    assert len([name for name in hashes if name.startswith("b.gdb/")]) == len(parts_of(tmp_path / "b.gdb")) > 5
    assert "d.csv" not in hashes
    for name, digest in hashes.items():
        copy = copies.of(tmp_path / name.split("/")[0]).parent / name
        assert sha256(copy) == digest == sha256(tmp_path / name)
    assert len(gpd.read_file(copies.of(tmp_path / "b.gdb"))) == 1
    assert not copies.of(tmp_path / "absent.csv").exists()
    assert copies.of(Path("/elsewhere/x.csv")) == Path("/elsewhere/x.csv")


def test_the_copies_go_and_another_process_has_none(tmp_path):
    (tmp_path / "a.csv").write_text("a\n")
    copies = Snapshot([tmp_path / "a.csv"], LimitSettings())
    copy = copies.of(tmp_path / "a.csv")
    assert copy.exists()
    assert pickle.loads(pickle.dumps(copies)).of(tmp_path / "a.csv") == tmp_path / "a.csv"
    del copies
    gc.collect()
    assert not copy.parent.parent.exists()


def test_a_file_that_is_being_written_is_not_read(tmp_path, monkeypatch):
    from clearplan.read import snapshot

    path = tmp_path / "a.csv"
    path.write_text("a\n")
    copied = snapshot._copied

    def while_written(part: Path, copy: Path) -> str:
        with part.open("a") as file:
            file.write("more\n")
        return copied(part, copy)

    monkeypatch.setattr(snapshot, "_copied", while_written)
    monkeypatch.setattr(snapshot, "_PAUSE_S", 0)
    with pytest.raises(ReadError, match="changes while it is copied"):
        Snapshot([path], LimitSettings())


@pytest.mark.parametrize("spoil", ["zones.csv", "fields.geojson", "absent"])
def test_errors_name_the_user_s_file(tmp_path, monkeypatch, spoil):
    project = make_project(tmp_path)
    path = project / ("zones.csv" if spoil == "absent" else spoil)
    if spoil == "absent":
        path.unlink()
    else:
        path.write_bytes(b"\x00\xff\xfe")
    done = clearplan("run", project / "plan.toml", "--out", tmp_path / "out")
    assert done.returncode in (1, 2)
    assert str(path) in done.stderr.replace("\n", "")
    assert "clearplan-" not in done.stderr
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = clearplan("check", path, "--as", "zones")
    assert str(path) in done.stderr.replace("\n", "")
    assert not list(tmp_path.glob("clearplan-*"))


def with_records(folder):
    """A small project with one record in CSV files, and three landmarks; its plan."""
    project = make_project(folder)
    pd.DataFrame([record()]).to_csv(project / "records.csv", index=False)
    pd.DataFrame(square()).to_csv(project / "legs.csv", index=False)
    (project / "places.csv").write_text("name,longitude,latitude\n" + "A,46.9,40\n" * 8)
    plan = project / "plan.toml"
    source = '\n[[records]]\npath = "records.csv"\nlegs.path = "legs.csv"\ngazetteer = "places.csv"\n'
    plan.write_text(plan.read_text() + source)
    return plan


def test_records_and_landmarks_are_read_from_copies(tmp_path, monkeypatch):
    plan = with_records(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read, reader = [], files.read_raw

    def noted(path, **options):
        read.append(path)
        return reader(path, **options)

    monkeypatch.setattr(files, "read_raw", noted)
    monkeypatch.setattr(forms, "read_raw", noted)
    records = plan.with_name("records.csv")
    for words in (("check", records, "--as", "records", "--plan", plan), ("records", records, "--plan", plan)):
        done = clearplan(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in read] == ["records.csv", "legs.csv"] * 2 + ["places.csv"]
    assert all(path.parent.parent.name.startswith("clearplan-") for path in read)
    gc.collect()
    assert not list(tmp_path.glob("clearplan-*"))
    records.write_bytes(b"PK\x03\x04")
    done = clearplan("check", records, "--as", "records", "--plan", plan)
    assert done.returncode == 1
    assert f"{records}: is a ZIP archive" in " ".join(done.stderr.split())


@pytest.mark.parametrize(("most", "refused"), [(5, "legs.csv"), (8, "places.csv")])
def test_records_and_landmarks_are_held_to_the_limits_of_their_plan(tmp_path, most, refused):
    plan = with_records(tmp_path)
    plan.write_text(plan.read_text() + f"\n[limits]\nmax_rows = {most}\n")
    commands = [("run", plan, "--out", tmp_path / "out"), ("records", plan.with_name("records.csv"), "--plan", plan)]
    if refused != "places.csv":  # the check reads no landmarks: no fault can be in them
        commands.append(("check", plan.with_name("records.csv"), "--as", "records", "--plan", plan))
    for words in commands:
        done = clearplan(*words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert refused in done.stderr
        assert "max_rows in [limits]" in " ".join(done.stderr.split())


@pytest.mark.parametrize("spelling", [str.upper, str.title, str.swapcase])
def test_parts_are_the_same_to_the_copies_and_to_the_reader(tmp_path, spelling):
    project = make_project(tmp_path)
    table = gpd.read_file(project / "fields.geojson").rename(columns={"position_error_m": "error_m"})
    table.to_file(project / "mf.shp")
    plan, shapefile = project / "plan.toml", project / f"{spelling('mf')}.SHP"
    for part in sorted(project.glob("mf.*")):
        part.rename(project / f"{spelling('mf')}{part.suffix.upper()}")
    columns = {"position_error_m": "error_m"}
    source = {"path": shapefile.name, "encoding": "UTF-8", "columns": columns, "set": {"kind": "minefield"}}
    assert len(run_study(plan, change={"hazards": [source]}).hazards) == 2
    assert {part.name for part in parts_of(shapefile)} == {part.name for part in siblings(shapefile)}
    table = shapefile.with_suffix(".DBF")
    table.rename(table.with_name("mF.dbf"))
    with pytest.raises(ReadError, match=r"its part mF\.dbf has other capitals"):
        run_study(plan, change={"hazards": [source]})
    with pytest.raises(ReadError, match=r"its part mF\.dbf has other capitals"):
        check_file(shapefile, "hazards")


def test_a_part_with_the_exact_name_goes_before_one_in_other_capitals(tmp_path):
    for name in ("mf.shp", "mf.dbf", "MF.dbf", "MF.shx", "mf.shp.xml", "mf.old.dbf"):
        (tmp_path / name).write_text(name)
    assert [part.name for part in parts_of(tmp_path / "mf.shp")] == ["MF.shx", "mf.dbf", "mf.shp"]


def test_too_large_files_are_not_copied(tmp_path):
    project = make_project(tmp_path)
    with (project / "zones.csv").open("ab") as file:
        file.truncate(3_000_000)
    plan = project / "plan.toml"
    plan.write_text(plan.read_text() + "\n[limits]\nmax_file_mb = 2\n")
    done = clearplan("run", plan, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "max_file_mb" in done.stderr
    done = clearplan("check", project / "zones.csv", "--as", "zones", "--plan", plan)
    assert done.returncode == 1
    assert "max_file_mb" in done.stderr
    shutil.rmtree(project)
