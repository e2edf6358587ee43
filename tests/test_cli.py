"""The shell's door, as a user meets it."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pyogrio
import pytest

from clearplan.cli import sample_plan
from clearplan.settings import load_plan

from .conftest import ROOT, SAMPLE


def clearplan(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clearplan", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
    )


def test_demo_from_any_folder_says_where_the_map_lies(tmp_path):
    done = clearplan("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Map: out/karabakh/map.html" in done.stdout
    assert "202.6 km as drawn at 1:10 million" in done.stdout
    assert "Illustrative data, not for operational use." in done.stdout
    assert (tmp_path / "out/karabakh/map.html").stat().st_size > 100_000
    task = (tmp_path / "out/karabakh/tasks.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    told = clearplan("explain", "out/karabakh/plan.gpkg", task, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert f"Task {task} is rank 1 of" in told.stdout
    assert "contribution" in told.stdout
    wrong = clearplan("explain", "out/karabakh/plan.gpkg", "38SXX0000-SHA-1", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Error: no task '38SXX0000-SHA-1'")


def test_check_prints_the_fault_table_and_exits_1(tmp_path):
    path = tmp_path / "z.csv"
    path.write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,[bold]A[/bold],-5,50,s,46.9,40\n")
    done = clearplan("check", path, "--as", "zones", "--crs", "EPSG:4326")
    assert done.returncode == 1
    assert "must be at least 0" in done.stdout
    assert "1 faults, 0 warnings" in done.stdout
    path.write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,A,5,50,s,46.9,40\n")
    good = clearplan("check", path, "--as", "zones", "--crs", "EPSG:4326")
    assert (good.returncode, good.stdout) == (0, f"{path}: no faults\n")


def test_records_are_plotted_from_the_shell(tmp_path):
    template = clearplan("records", "template", tmp_path / "t.xlsx")
    assert template.returncode == 0, template.stderr
    assert clearplan("records", "template", tmp_path / "t.xlsx").returncode == 2
    empty = clearplan("records", tmp_path / "t.xlsx")
    assert empty.returncode == 1
    assert "no rows" in empty.stderr
    strict = clearplan("records", SAMPLE / "records.xlsx", "-o", tmp_path / "r.gpkg")
    assert strict.returncode == 1
    assert "letter O" in strict.stdout
    assert not (tmp_path / "r.gpkg").exists()
    done = clearplan(
        "records", SAMPLE / "records.xlsx", "--lenient", "-o", tmp_path / "r.gpkg", "--sheets", tmp_path / "r.html"
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 60 records could not be drawn" in done.stdout
    assert "EPSG:15865" in done.stdout
    layers = {name for name, _ in pyogrio.list_layers(tmp_path / "r.gpkg")}
    assert {"hazards", "record_points", "record_versions"} <= layers
    assert (tmp_path / "r.html").stat().st_size > 100_000
    again = clearplan("records", SAMPLE / "records.xlsx", "--lenient", "-o", tmp_path / "r.gpkg")
    assert again.returncode == 2
    assert clearplan("check", SAMPLE / "records.xlsx", "--as", "records").returncode == 1
    planned = clearplan("records", SAMPLE / "records.xlsx", "--plan", SAMPLE / "plan.toml")
    assert planned.returncode == 0
    assert clearplan("records", SAMPLE / "plan.toml", "--plan", SAMPLE / "plan.toml").returncode == 2


def test_a_scan_tells_its_honest_error(tmp_path):
    rows = [
        f"{8_660_000 + 4 * c + 6 * ((c * r) % 7 - 3)},{4_440_000 - 4 * r + 5 * ((c + r) % 5 - 2)},{c},{-r},1"
        for c in (100, 1000, 2000, 3000) for r in (100, 1100, 2100)
    ]  # fmt: skip
    (tmp_path / "s.points").write_text("mapX,mapY,pixelX,pixelY,enable\n" + "\n".join(rows) + "\n")
    refused = clearplan("scan", tmp_path / "s.points")
    assert refused.returncode == 1
    assert "states no CRS" in refused.stderr
    done = clearplan("scan", tmp_path / "s.points", "--crs", "EPSG:28408")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("left out") < done.stdout.index("fit")
    assert "thin-plate" in done.stdout


def test_check_takes_the_mapping_of_a_plan():
    done = clearplan(
        "check", SAMPLE / "illustrative/minefields.geojson", "--as", "hazards", "--plan", SAMPLE / "plan.toml"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    other = clearplan("check", SAMPLE / "plan.toml", "--as", "hazards", "--plan", SAMPLE / "plan.toml")
    assert other.returncode == 2
    assert "lists no hazards file" in other.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["check", "x.csv"], 2),
        (["check", "x.csv", "--as", "villages"], 2),
        (["check", "missing.csv", "--as", "zones"], 2),
        (["run", "missing.toml"], 2),
        (["explain", "missing.gpkg", "T"], 2),
    ],
)
def test_wrong_usage_exits_2_in_one_line(tmp_path, words, code):
    done = clearplan(*words, cwd=tmp_path)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_debug_shows_the_traceback(tmp_path):
    assert "Traceback" in clearplan("--debug", "run", "missing.toml", cwd=tmp_path).stderr


def test_hostile_text_moves_no_terminal(tmp_path):
    path = tmp_path / "z.csv"
    path.write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,A,\x1b[2Jx,50,s,46.9,40\n")
    done = clearplan("check", path, "--as", "zones", "--crs", "EPSG:4326")
    assert done.returncode == 1
    assert "\x1b[2J" not in done.stdout + done.stderr


def test_init_makes_a_plan_that_loads(tmp_path):
    done = clearplan("init", "study", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    load_plan(tmp_path / "study" / "plan.toml")
    run = clearplan("run", "study/plan.toml", cwd=tmp_path)
    assert run.returncode == 2
    assert "hazards.gpkg: no such file" in run.stderr
    again = clearplan("init", "study", cwd=tmp_path)
    assert again.returncode == 2
    assert "is not empty" in again.stderr


def test_every_setting_of_the_sample_has_a_comment():
    for number, line in enumerate((SAMPLE / "plan.toml").read_text(encoding="utf-8").splitlines(), start=1):
        if "=" in line and not line.lstrip().startswith(("#", "[")):
            assert "#" in line.split("=", 1)[1], f"plan.toml line {number}: {line}"


def test_sample_is_found_in_the_clone():
    assert sample_plan() == SAMPLE / "plan.toml"


def test_help_is_about_as_fast_as_typer():
    def median(command: list[str]) -> float:
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    ours = [sys.executable, "-m", "clearplan", "--help"]
    assert median(ours) < 2 * median([sys.executable, "-c", "import typer"])


def test_wheel_carries_the_sample(tmp_path):
    """Build the wheel as pip does and look inside; the network is not needed once hatchling is there."""
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True, env=os.environ | {"SOURCE_DATE_EPOCH": "1767225600"},
    )  # fmt: skip
    import zipfile

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    for wanted in ("plan.toml", "resettlement.csv", "illustrative/minefields.geojson", "SOURCES.md"):
        assert f"clearplan/sample/karabakh/{wanted}" in names
    assert {"clearplan/assets/map.js", "clearplan/assets/plan.toml", "clearplan/py.typed"} <= names
