"""Every command and the Python example of the README, run as a newcomer would: in a fresh copy, by hand's order."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.strip()]
EXAMPLES = [text for kind, text in BLOCKS if kind == "python"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """The files under version control, elsewhere, without anything that was built."""
    target = tmp_path_factory.mktemp("fresh") / "clearplan"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def shell(command: str, folder: Path, python: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")}
    path = f"{python.parent}{os.pathsep}{clean['PATH']}"
    clean["PIP_NO_COMPILE"] = "1"  # what is imported is compiled then; the rest never
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=clean | {"PATH": path}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def test_commands_of_the_readme_in_order(clone, tmp_path):
    base = Path(sys._base_executable) if hasattr(sys, "_base_executable") else Path(sys.executable)
    fresh = tmp_path / "env"
    subprocess.run([base, "-m", "venv", str(fresh)], check=True)
    python = fresh / "bin" / "python"
    said = {}
    for command in COMMANDS:
        if command in ("make test", "clearplan demo"):
            continue  # this is the first; the other is what make demo calls, and is looked for in the package below
        said[command] = shell(command, clone, base if command.startswith("make") else python)
    assert "Map: out/karabakh/map.html" in said["make demo"]
    assert "Map for the tier public: out/karabakh-public/map.html" in said["make demo"]
    explained = next(text for command, text in said.items() if command.startswith("clearplan explain"))
    assert "contribution" in explained
    checked = next(text for command, text in said.items() if command.startswith("clearplan check"))
    assert "no faults" in checked
    assert (clone / "out/mine/map.html").exists()
    # With pip alone the demo needs nothing of the clone: the package carries the sample.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(clone / "sample_data")
    found = Path(
        shell("python -c 'from clearplan.cli import sample_plan; print(sample_plan())'", elsewhere, python).strip()
    )
    assert fresh in found.parents
    assert len(list(found.parent.rglob("*"))) > 20


def test_python_example_of_the_readme(tmp_path):
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    for k, text in enumerate(EXAMPLES):
        (tmp_path / f"example{k}.py").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", f"example{k}.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "map.html").stat().st_size > 100_000


def test_links_of_the_readme_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / link).exists(), f"{name}: {link}"
