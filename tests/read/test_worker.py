"""Large files are parsed in a process that can be ended."""

import time

import pytest

from clearplan.core.errors import ReadError
from clearplan.read import worker
from clearplan.read.files import read_raw
from clearplan.settings.limits import LimitSettings
from tests.conftest import clearplan
from tests.read.test_damage import FIELDS, zipped
from tests.study.test_run import make_project


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".parquet", ".csv", ".zip"])
def test_rows_are_the_same_as_read_here(tmp_path, monkeypatch, suffix):
    path = zipped(tmp_path) if suffix == ".zip" else tmp_path / f"f{suffix}"
    if suffix == ".csv":
        FIELDS.drop(columns="geometry").to_csv(path, index=False)
    elif suffix == ".parquet":
        FIELDS.to_parquet(path)
    elif suffix != ".zip":
        FIELDS.to_file(path)
    here = read_raw(path)
    monkeypatch.setattr(worker, "LARGE_BYTES", 10)
    there = read_raw(path)
    assert there.frame.equals(here.frame)
    assert (there.rows, there.crs, there.faults, there.file) == (here.rows, here.crs, here.faults, here.file)
    assert (there.geometry is None) == (here.geometry is None)


def test_refusals_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "LARGE_BYTES", 10)
    FIELDS.to_file(tmp_path / "a.gpkg")
    with pytest.raises(ReadError, match="can't be read"):
        read_raw(tmp_path / "a.gpkg", layer="absent")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import time; time.sleep(60)", "takes more than 1 s to read (max_seconds in [limits])"),
        ("import os; os._exit(3)", "its reader ended with code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "its reader ended with code -11"),
    ],
)
def test_a_hang_and_a_crash_end_check_and_run_in_one_line(tmp_path, monkeypatch, code, words):
    project = make_project(tmp_path)
    plan = project / "plan.toml"
    plan.write_text(plan.read_text() + "\n[limits]\nmax_seconds = 1\n")
    monkeypatch.setattr(worker, "LARGE_BYTES", 10)
    monkeypatch.setattr(worker, "_CODE", code)
    checked = ("check", project / "zones.csv", "--as", "zones", "--plan", plan)
    for command in (checked, ("run", plan, "--out", tmp_path / "out")):
        done = clearplan(*command)
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert words in done.stderr
        assert str(project) in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_hang_and_a_crash_end_in_one_line():
    limits = LimitSettings(max_seconds=2)
    start = time.monotonic()
    with pytest.raises(ReadError, match="more than 2 s"):
        worker.apart("time", "sleep", 60, limits=limits)  # type: ignore[arg-type]
    assert time.monotonic() - start < 10
    with pytest.raises(ReadError, match="ended with code"):
        worker.apart("os", "_exit", 3, limits=limits)  # type: ignore[arg-type]
