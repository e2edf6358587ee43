"""A country's records as such files are: strict reading refuses them by rule, lenient reading ends in a full run."""

import json
import sys

import pytest

from tests.conftest import FULL, ROOT, clearplan

sys.path.insert(0, str(ROOT / "benchmarks"))

from country import READINGS, unbalanced, write_country

SUSPECTED, CLEARED = (11_000, 8_000) if FULL else (300, 200)
COUNTS = {"suspected.gpkg": SUSPECTED, "cleared.gpkg": CLEARED}


@pytest.fixture(params=list(READINGS) if FULL else ["strict", "lenient"])
def country(request, tmp_path):
    return request.param, write_country(tmp_path, SUSPECTED, CLEARED, request.param)


def test_a_country_is_refused_by_rule_or_read_whole(country):
    reading, plan = country
    suspected = clearplan("check", plan.parent / "suspected.gpkg", "--as", "hazards", "--plan", plan)
    assert suspected.returncode == 1, suspected.stderr
    for rule in ("shape is missing", "polygon crosses itself", "first rows", str(SUSPECTED)):
        assert rule in " ".join(suspected.stdout.split())
    done = clearplan("run", plan, "--out", plan.parent / "out")
    assert "bug in" not in done.stderr
    if reading == "strict":
        assert done.returncode == 1
        assert "Error: suspected.gpkg, row " in done.stderr
        assert len(done.stdout.splitlines()) < 80  # by rule: a line for each of some ten thousand faults helps nobody
        for file in COUNTS:  # of several files, each rule says whose it is
            assert file in done.stdout
        assert not (plan.parent / "out").exists()
        return
    assert done.returncode == 0, done.stderr
    assert unbalanced(plan.parent / "out" / "run.json", COUNTS) == []
    balance = {row["file"]: row for row in json.loads((plan.parent / "out" / "run.json").read_text())["balance"]}
    assert balance["suspected.gpkg"]["claimed"] == SUSPECTED
    assert 0.2 * SUSPECTED < balance["suspected.gpkg"]["deferred"] < 0.8 * SUSPECTED
    used = balance["cleared.gpkg"]["used"]
    assert used == 0 if reading == "lenient" else used > 0.9 * CLEARED
