"""Every command and every Python example of README and docs, run as a newcomer would: in a fresh copy, in order."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FULL, ROOT, clearplan, shell

#: The glossary is made by the code, and has a test of its own.
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md") if path.stem != "glossary")]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
#: Once the demo is made, less of the sample is planned, drawn, resampled and written: nothing that is looked at here
#: hangs on it.
HURRIED = {
    "precision = 0.01": "precision = 0.1",
    "gap = 0.025": "gap = 0.9",
    "budgets = [2000000, 4000000, 6000000, 8000000, 10000000, 12000000]": "budgets = [2000000, 4000000]",
    "draws = 500": "draws = 50",
    "draws = 200": "draws = 50",
    "cell_m = 100": "cell_m = 500",
    "background = 100000": "background = 4000",
    "penalties = [0.1, 1, 10, 100]": "penalties = [1]",
    "bootstrap = 100": "bootstrap = 20",
    "changes = 60": "changes = 3",
    "field = true": "field = false",
    "formats = true": "formats = false",
}


def hurry(plan):
    text = plan.read_text(encoding="utf-8")
    for setting, smaller in HURRIED.items():
        assert text.count(f"\n{setting} ") == 1, setting
        text = text.replace(f"\n{setting} ", f"\n{smaller} ")
    plan.write_text(text, encoding="utf-8")


def said(command: str, clone: Path, python: Path) -> str:
    """What a command prints in the clone; but for ``make test-full`` clearplan's own start no Python, all but one."""
    if FULL or not command.startswith("clearplan ") or command.startswith("clearplan init"):
        return shell(command, clone, python)
    done = clearplan(*shlex.split(command, comments=True)[1:], cwd=clone)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXTS[page], flags=re.DOTALL | re.MULTILINE)


COMMANDS = [line for page in PAGES for text in blocks(page, "sh") for line in text.splitlines() if line.strip()]
#: Run by the fixture, by whoever runs this test, and by the first of them.
RUN_ELSEWHERE = ("make demo", "make test", "clearplan demo", ". .venv/bin/activate")
EXAMPLES = [pytest.param(text, id=f"{page}-{k}") for page in PAGES for k, text in enumerate(blocks(page, "python"))]


def test_commands_of_readme_and_docs_in_order(demo, tmp_path):
    made, clone = demo
    if not FULL:
        hurry(clone / "sample_data" / "karabakh" / "plan.toml")
    python = clone / ".venv" / "bin" / "python"
    printed = {command: said(command, clone, python) for command in COMMANDS if command not in RUN_ELSEWHERE}
    assert "Map: out/karabakh/map.html" in made
    assert "Map for the tier public: out/karabakh-public/map.html" in made
    explained = next(text for command, text in printed.items() if command.startswith("clearplan explain"))
    assert "contribution" in explained
    checked = next(text for command, text in printed.items() if command.startswith("clearplan check"))
    assert "no faults" in checked
    assert (clone / "out/2024/map.html").exists()
    for command in printed:
        for page in re.findall(r"(?:-o|--sheets) (out/\S+)", command):
            assert (clone / page).stat().st_size > 1_000, command
    # With pip alone the demo needs nothing of the clone: the package carries the sample.
    shutil.rmtree(clone / "sample_data")
    where = "from clearplan.cli.run import sample_project; print(sample_project())"
    found = Path(shell(f"python -c '{where}'", tmp_path, python).strip())
    assert clone / ".venv" in found.parents
    assert len(list(found.parent.rglob("*"))) > 20


@pytest.mark.parametrize("text", EXAMPLES)
def test_python_examples_of_readme_and_docs(text, demo, tmp_path):
    _, clone = demo
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    (tmp_path / "out").symlink_to(clone / "out")
    (tmp_path / "example.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert ("print(" in text) == bool(done.stdout.strip())
    if ".save(" in text:
        assert (tmp_path / "map.html").stat().st_size > 100_000


def test_readme_is_short():
    (example,) = blocks("README.md", "python")
    assert len(TEXTS["README.md"].splitlines()) <= 200
    assert len([line for line in example.splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "benchmarks/README.md"])
def test_links_lead_somewhere(page):
    path = ROOT / page
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), f"{page}: {link}"
