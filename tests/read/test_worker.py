"""Large files are parsed in a process that can be ended."""

import time

import pytest

from clearplan.core.errors import ReadError
from clearplan.read import worker
from clearplan.read.files import read_raw
from clearplan.settings.limits import LimitSettings
from tests.read.test_damage import FIELDS, zipped


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


def test_a_hang_and_a_crash_end_in_one_line():
    limits = LimitSettings(max_seconds=2)
    start = time.monotonic()
    with pytest.raises(ReadError, match="more than 2 s"):
        worker.apart("time", "sleep", 60, limits=limits)  # type: ignore[arg-type]
    assert time.monotonic() - start < 10
    with pytest.raises(ReadError, match="ended with code"):
        worker.apart("os", "_exit", 3, limits=limits)  # type: ignore[arg-type]
