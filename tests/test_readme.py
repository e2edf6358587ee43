"""Every command and the Python example of the README, run as a newcomer would: in a fresh copy, by hand's order."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, shell

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.strip()]
EXAMPLES = [text for kind, text in BLOCKS if kind == "python"]


def test_commands_of_the_readme_in_order(demo, tmp_path):
    made, clone = demo
    python = clone / ".venv" / "bin" / "python"
    said = {}
    for command in COMMANDS:
        if command not in ("make demo", "make test", "clearplan demo"):
            # The first is done, the second is this test; the third is what the first calls, and is looked for below.
            said[command] = shell(command, clone, python)
    assert "Map: out/karabakh/map.html" in made
    assert "Map for the tier public: out/karabakh-public/map.html" in made
    explained = next(text for command, text in said.items() if command.startswith("clearplan explain"))
    assert "contribution" in explained
    checked = next(text for command, text in said.items() if command.startswith("clearplan check"))
    assert "no faults" in checked
    assert (clone / "out/2024/map.html").exists()
    # With pip alone the demo needs nothing of the clone: the package carries the sample.
    shutil.rmtree(clone / "sample_data")
    where = "from clearplan.cli.run import sample_project; print(sample_project())"
    found = Path(shell(f"python -c '{where}'", tmp_path, python).strip())
    assert clone / ".venv" in found.parents
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
