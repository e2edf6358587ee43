"""A small made-up world in UTM 38N, and the sample project run once for all tests that look at it."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import pickle
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, settings
from shapely import Point, box

from clearplan.settings.land import FootprintSettings
from clearplan.settings.priority import Criterion, PrioritySettings
from clearplan.settings.tasks import TaskSettings

if TYPE_CHECKING:
    from clearplan.study.study import Study

# No test may fail because the machine is busy: examples have no deadline and may be slow to make.
settings.register_profile("clearplan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("clearplan")
#: `make test-full`: all seeds and all sizes; else of each heavy test a share, of the same assertions.
FULL = os.environ.get("CLEARPLAN_TESTS") == "full"
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data" / "karabakh"
#: What the demo said, in a file beside its outputs.
SAID = "said.txt"
UTM = "EPSG:32638"
E0, N0 = 650_000.0, 4_420_000.0


def pytest_sessionfinish() -> None:
    from tests.browser import close_browser

    close_browser()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The README's commands first, then files that look at the sample's run; a second worker begins in the middle.

    So it has its own work while the sample is run, and the longest test is not the last.
    """
    files = {item.path for item in items if "sample" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (item.path.name != "test_readme.py", item.path not in files))


def hazard_table(rows: list[dict], crs: str = UTM) -> gpd.GeoDataFrame:
    base = {
        "kind": "minefield",
        "land_class": "SHA",
        "status": "open",
        "ordnance": "AP",
        "position_error_m": 0.0,
        "source": "made up",
        "recorded_on": pd.Timestamp("2021-01-01"),
        "depth_profile": None,
        "measure": None,
        "sides": None,
        "caps": None,
        "deferred": None,
    }
    full = [base | {"hazard_id": f"H{k}"} | row for k, row in enumerate(rows)]
    return gpd.GeoDataFrame(full, geometry="geometry", crs=crs)


def zone_table(rows: list[dict], crs: str = UTM) -> gpd.GeoDataFrame:
    base = {"people": 100.0, "families": None, "position_error_m": 0.0, "source": "made up", "deferred": None}
    full = [base | {"zone_id": f"Z{k}", "name": f"Place {k}"} | row for k, row in enumerate(rows)]
    table = gpd.GeoDataFrame(full, geometry="geometry", crs=crs)
    return table.astype({"people": float})


def accident_table(points: list[tuple[float, float]], days: list[str | None]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "accident_id": [f"A{k}" for k in range(len(points))],
            "occurred_on": pd.to_datetime(pd.Series(days, dtype=object)),
            "device": "AP",
            "position_error_m": 100.0,
            "source": "made up",
            "deferred": None,
        },
        geometry=[Point(p) for p in points],
        crs=UTM,
    )


@pytest.fixture(scope="session")
def margins() -> FootprintSettings:
    return FootprintSettings(margin_m={"AP": 10, "AV": 20, "mixed": 20, "CMR": 0, "unknown": 0}, strike_radius_m=300)


@pytest.fixture(scope="session")
def task_settings() -> TaskSettings:
    return TaskSettings(
        influence_m=1000, max_task_ha={"survey": 110, "clearance": 26}, min_task_m2=500, join_within_m=50
    )


@pytest.fixture(scope="session")
def priority_settings() -> PrioritySettings:
    criteria = (
        Criterion(name="people", weight=50, zero_at=0, one_at=1000, source="test"),
        Criterion(name="zone_distance", weight=30, zero_at=10_000, one_at=0, source="test"),
        Criterion(name="accidents", weight=20, zero_at=0, one_at=4, source="test"),
    )
    return PrioritySettings(
        set_by="test",
        set_on=dt.date(2026, 1, 1),
        unknown_people=150,
        accidents_radius_m=500,
        accidents_since=dt.date(2020, 11, 10),
        class_values={"CHA": 1, "SHA": 0.5, "indication": 0.1},
        criteria=criteria,
    )


@pytest.fixture
def districts() -> gpd.GeoDataFrame:
    """Two districts that overlap by 100 m; the east of the world belongs to none."""
    west = box(E0 - 20_000, N0 - 20_000, E0 + 3_000, N0 + 20_000)
    east = box(E0 + 2_900, N0 - 20_000, E0 + 8_000, N0 + 20_000)
    return gpd.GeoDataFrame({"district": ["West", "East"]}, geometry=[west, east], crs=UTM)


def random_world(seed: int, count: int = 40) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Overlapping hazards of all classes and some zones, drawn with a written-down seed."""
    draw = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        x, y = E0 + draw.uniform(0, 10_000), N0 + draw.uniform(0, 10_000)
        angles = np.sort(draw.uniform(0, 2 * np.pi, draw.integers(5, 14)))
        radius = draw.uniform(30, 700, len(angles))
        ring = np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])
        shape = shapely.make_valid(shapely.Polygon(ring))
        rows.append(
            {
                "geometry": shape,
                "land_class": str(draw.choice(["CHA", "SHA", "indication"])),
                "position_error_m": float(draw.uniform(0, 60)),
                "ordnance": str(draw.choice(["AP", "AV", "mixed"])),
            }
        )
    zones = [{"geometry": Point(E0 + draw.uniform(0, 10_000), N0 + draw.uniform(0, 10_000))} for _ in range(6)]
    return hazard_table(rows), zone_table(zones)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> tuple[Any, Path]:
    """What ``make`` returns for a folder of that name, made by one worker of pytest-xdist and read by all."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    lock, stored, folder = base / f"{name}.lock", base / f"{name}.pickle", base / name
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            time.sleep(0.1)
    try:
        if not stored.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            stored.write_bytes(pickle.dumps(make(folder)))
    finally:
        lock.rmdir()
    return pickle.loads(stored.read_bytes()), folder


def clearplan(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command by the door's own ``main`` in this process: starting Python takes longer than most commands."""
    command = ["clearplan", *map(str, words)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    from clearplan.cli.app import main

    with (
        contextlib.chdir(cwd or "."),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", command),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory):
    """The sample project, run once by ``clearplan demo``: its study, and the folder of its outputs."""
    from clearplan.study import outputs, run

    def make(folder: Path) -> Study:
        studies = []

        def kept(*study: Any, **asked: Any) -> Study:
            studies.append(write(*study, **asked))
            return studies[-1]

        write, dossiers = run.write_study, outputs._DOSSIERS if FULL else 1
        with mock.patch.object(run, "write_study", kept), mock.patch.object(outputs, "_DOSSIERS", dossiers):
            done = clearplan("demo", "--out", folder / "out" / "karabakh", cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / SAID).write_text(done.stdout.replace(f"{folder}{os.sep}", ""), encoding="utf-8")
        return studies[0]

    study, folder = made_once(tmp_path_factory, "sample", make)
    return study, folder / "out" / "karabakh"


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory):
    """The small project, run once and written for each tier: folder with restricted, partner and public."""

    from clearplan.study.run import run_study, write_study
    from tests.study.test_run import make_project

    def make(folder: Path) -> None:
        study = run_study(make_project(folder) / "plan.toml", change={"outputs": {"field": True, "formats": True}})
        for tier in ("restricted", "partner", "public"):
            write_study(study, folder / tier, tier=tier)

    return made_once(tmp_path_factory, "small_runs", make)[1]


#: What a newcomer's shell does not set; without the last the demo has other threads than the sample's run.
OURS = ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS")


def shell(command: str, folder: Path, python: Path) -> str:
    """What a command prints as a newcomer types it, with the environment of that Python switched on."""
    clean = {k: v for k, v in os.environ.items() if k not in OURS}
    path = f"{python.parent}{os.pathsep}{clean['PATH']}"
    clean["PIP_NO_COMPILE"] = "1"  # what is imported is compiled then; the rest never
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=clean | {"PATH": path}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def with_packages(folder: Path, python: Path) -> None:
    """A .venv that knows the packages of this one, so that pip finds there what clearplan declares to need."""
    shell("python3 -m venv .venv", folder, python)
    (site,) = (folder / ".venv").glob("lib/python*/site-packages")
    (site / "tests.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")


@pytest.fixture(scope="session")
def demo(sample: tuple[Study, Path], tmp_path_factory: pytest.TempPathFactory):
    """What ``make demo`` said in a copy of the files under version control without anything built, and that copy.

    But for ``make test-full`` the demo is installed there and not run a second time: its outputs are the sample's.
    """
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")

    def make(folder: Path) -> str:
        for name in listed.stdout.splitlines():
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        python = Path(getattr(sys, "_base_executable", sys.executable))
        if FULL:
            return shell("make demo", folder, python)
        with_packages(folder, python)
        shell("make .venv/.demo", folder, python)
        assert shell("make -n demo", folder, python) == ".venv/bin/clearplan demo --out out/karabakh\n"
        made = sample[1].parent
        shutil.copytree(made, folder / made.name)
        return (made.parent / SAID).read_text(encoding="utf-8")

    return made_once(tmp_path_factory, "demo", make)
