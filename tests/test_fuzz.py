"""A share of the campaign of benchmarks/fuzz.py: broken files and odd cells end in a value, a fault or one line."""

import sys

import pytest

from tests.conftest import FULL, ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import fuzz
import fuzz_cells
import fuzz_files

FILES, CELL_CASES = (4_000, 40) if FULL else (50, 1)
SEED = 2  # not that of the benchmark


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return fuzz_files.make_seeds(tmp_path_factory.mktemp("seeds"))


def test_every_kind_of_file_is_read_whole(seeds):
    """So a broken file is refused for what is broken in it, and every row can be missed."""
    for case, kind in enumerate(fuzz_files.KINDS):
        judged = fuzz.judge_file(case, SEED, seeds)
        assert (judged["kind"], judged["way"]) == (kind, "whole")
        assert judged["outcome"] == ("read, count unknown" if kind.startswith("records") else "read"), judged
        if not kind.startswith(("records", "raster", "plan")):
            assert fuzz_files.stated_rows(seeds[kind]) == {fuzz_files.ROWS}, kind


def test_broken_files_end_in_faults_or_one_line(seeds):
    first = len(fuzz_files.KINDS)
    judged = [fuzz.judge_file(case, SEED, seeds) for case in range(first, first + FILES)]
    assert [one for one in judged if one["outcome"] in fuzz.FINDINGS] == []
    assert len({one["outcome"] for one in judged}) >= 3  # some are read, some have faults, some are refused


def test_cells_are_read_as_they_are_shown():
    for case in range(CELL_CASES):
        judged = fuzz_cells.judge_cells(case, SEED, 5_000)
        assert judged["words"] == ""
        for name, counts in judged["counts"].items():
            assert min(counts["value"], counts["blank"], counts["fault"]) > 10, name


def test_a_case_that_ends_its_process_is_a_finding(tmp_path, monkeypatch):
    """Workers are given cases that don't exist: they end, the first of each is named, and the others are tried."""
    monkeypatch.setattr(fuzz, "BATCH", 2)
    results = fuzz.campaign("files", SEED, 2, tmp_path)
    assert [(one["case"], one["outcome"]) for one in results] == [(0, "crash"), (1, "crash")]
    assert "No such file" in results[0]["words"]
    assert fuzz.summary(results, [])["crash"] == {"value": 2, "bar": 0, "ok": False}


def test_cells_of_workers_are_counted(tmp_path):
    """Their counts come back as JSON."""
    results = fuzz.campaign("cells", SEED, 1, tmp_path)
    assert [one["outcome"] for one in results] == ["read"]
    assert fuzz.summary([], results)["cells read wrongly"] == {"value": 0, "bar": 0, "ok": True}
    fuzz.print_cells(results)
    late = fuzz.campaign("cells", SEED, 30, tmp_path, until=0)
    assert late == []
