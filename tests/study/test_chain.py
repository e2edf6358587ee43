"""Decisions of land release from run to run: what was rewritten is loud, what was not adds nothing."""

import datetime as dt
import json
import os
import shutil

import pytest

import clearplan as cp
from clearplan.core.errors import ReadError, RewrittenError, SettingsError
from clearplan.study.chain import Home, hold, keep
from tests.conftest import SAMPLE, clearplan
from tests.study.test_compare import PLAN, RELEASES, layer, project  # noqa: F401 - its fixture
from tests.study.test_planning import PLANNING, TEAMS

FILE = ".clearplan/decisions.jsonl"


@pytest.fixture(autouse=True)
def _long_lines(monkeypatch):
    """Sentences and tables of the terminal are not folded."""
    monkeypatch.delenv("COLUMNS", raising=False)


def release_again(project, rows):  # noqa: F811 - the folder of the fixture
    (project / "releases.geojson").unlink()
    layer(project / "releases.geojson", rows)


def entries(project):  # noqa: F811
    return [json.loads(line) for line in (project / FILE).read_text(encoding="utf-8").splitlines()]


def begun(project):  # noqa: F811
    """The project's chain as its first run leaves it, and the plan."""
    keep(cp.run_study(project / "plan.toml").chain)
    return project / "plan.toml"


def test_the_command_refuses_what_was_rewritten_and_keeps_the_reason(project):  # noqa: F811
    plan = project / "plan.toml"
    done = clearplan("run", plan)
    assert done.returncode == 0, done.stderr
    assert "Decisions of land release: 6, of which 6 are new or changed" in done.stdout
    (first,) = entries(project)
    assert set(first["decisions"]) == {*(f"release L{k}" for k in (1, 2, 3, 4)), "change 1", "change 2"}
    assert first["on"] == dt.date.today().isoformat()
    before = (project / "out" / "run.json").read_bytes()

    checked = ("check", project / "releases.geojson", "--as", "releases", "--plan", plan)
    assert clearplan(*checked).returncode == 0
    release_again(project, [RELEASES[0] | {"decided_on": "2023-05-02"}, *RELEASES[2:]])
    done = clearplan(*checked)
    assert done.returncode == 1
    assert "an earlier run knew it as 2023-05-01" in done.stdout
    assert "release L2: gone" in done.stdout
    assert clearplan("check", project / "history.csv", "--as", "history", "--plan", plan).returncode == 0
    done = clearplan("run", plan, "--out", project / "elsewhere")
    assert done.returncode == 1
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["release", "L1", "decided_on", "2023-05-01", "2023-05-02"] in rows
    assert any(row[:2] == ["release", "L2"] and row[-1] == "gone" for row in rows)
    assert "HISTORY WAS REWRITTEN: 2 earlier decisions are changed or gone" in done.stderr
    assert "--accept-rewritten" in done.stderr
    assert not (project / "elsewhere").exists()
    assert (project / "out" / "run.json").read_bytes() == before
    assert entries(project) == [first]

    reason = "L1 had the day of its report & L2 was drawn twice"
    tiers = ("--tier", "restricted", "--tier", "partner", "--tier", "public")
    done = clearplan("run", plan, "--accept-rewritten", reason, *tiers)
    assert done.returncode == 0, done.stderr
    _, second = entries(project)
    assert second["reason"] == reason
    assert second["gone"] == ["release L2"]
    assert set(second["rewritten"]) == {"release L1", "release L2"}
    assert second["before"] == first["digest"]
    note = f"(release L2, release L1), accepted on {second['on']}: {reason}"
    record = json.loads((project / "out" / "run.json").read_text(encoding="utf-8"))
    assert note in record["warnings"][0]
    for name in ("map.html", "report.html"):
        assert "HISTORY WAS REWRITTEN" in (project / "out" / name).read_text(encoding="utf-8"), name
    partner = json.loads((project / "out-partner" / "run.json").read_text(encoding="utf-8"))
    assert partner["warnings"][0].endswith(f"(release L2, release L1), accepted on {second['on']}")
    public = json.loads((project / "out-public" / "run.json").read_text(encoding="utf-8"))
    assert public["warnings"][0].startswith("History was rewritten: 2 earlier decisions of land release")
    for path in (project / "out-public").iterdir():
        content = path.read_bytes()
        assert b"drawn twice" not in content, path.name
        assert b"release L2" not in content, path.name
    assert not list(project.glob("out*/**/*.jsonl"))

    done = clearplan("run", plan)
    assert done.returncode == 0
    assert "Decisions of land release" not in done.stdout
    assert len(entries(project)) == 2
    assert json.loads((project / "out" / "run.json").read_text(encoding="utf-8"))["warnings"] == record["warnings"]


SURFACE = """
[surface]
mode = "expert"
cell_m = 200
max_distance_m = 1000
base_rate = 0.001
base_rate_spread = 0.7
base_rate_source = "test"
draws = 20
seed = 1
[[surface.terms]]
evidence = "sha"
strength = 4.0
spread = 0.7
scale_m = 400
shape = "exponential"
source = "test"
"""


@pytest.mark.parametrize("command", ["plan", "evaluate"])
def test_every_command_that_reads_decisions_can_accept_a_rewriting(project, monkeypatch, command):  # noqa: F811
    plan = begun(project)
    (project / "teams.csv").write_text(TEAMS)
    sample = (SAMPLE / "plan.toml").read_text(encoding="utf-8")
    fit = sample[sample.index("[fit]") : sample.index("[map]")]
    plan.write_text(plan.read_text() + (PLANNING if command == "plan" else SURFACE + fit), encoding="utf-8")

    def evaluation_begins(*arguments):
        raise ReadError("the evaluation begins")

    monkeypatch.setattr("clearplan.study.run.evaluated", evaluation_begins)
    release_again(project, [RELEASES[0], *RELEASES[2:]])
    refused = clearplan(command, plan)
    assert refused.returncode == 1
    assert "HISTORY WAS REWRITTEN: 1 earlier decision is changed or gone" in refused.stderr
    assert len(entries(project)) == 1
    blank = clearplan(command, plan, "--accept-rewritten", " ")
    assert blank.returncode == 2
    assert "accept_rewritten: is blank" in blank.stderr
    done = clearplan(command, plan, "--accept-rewritten", "drawn twice")
    assert entries(project)[-1]["reason"] == "drawn twice"
    if command == "evaluate":
        assert "the evaluation begins" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert "NOTE: HISTORY WAS REWRITTEN" in done.stdout
    assert "drawn twice" in (project / "plan" / "plan.html").read_text(encoding="utf-8")


def test_the_same_data_and_an_earlier_day_add_nothing_and_later_decisions_are_added(project):  # noqa: F811
    plan = begun(project)
    text = (project / FILE).read_bytes()
    for day in ("2021-06-30", "2023-12-31", "2025-12-31"):
        study = cp.run_study(plan, as_at=day)
        assert not study.chain.fresh
        assert not any("REWRITTEN" in note for note in study.notes)
    layer(project / "again.gpkg", RELEASES[::-1])
    plan.write_text(PLAN.replace("releases.geojson", "again.gpkg"))
    assert not cp.run_study(plan).chain.fresh
    assert (project / FILE).read_bytes() == text
    new = RELEASES[0] | {"release_id": "L5", "decided_on": "2025-05-01"}
    release_again(project, [*RELEASES, new])
    plan.write_text(PLAN)
    study = cp.run_study(plan)
    assert (project / FILE).read_bytes() == text, "a run without results writes nothing"
    keep(study.chain)
    first, second = entries(project)
    assert list(second["decisions"]) == ["release L5"]
    assert "reason" not in second
    assert not any("REWRITTEN" in note for note in cp.run_study(plan, accept_rewritten="nothing was").notes)
    assert entries(project) == [first, second]


@pytest.mark.parametrize("section", ["releases", "history"])
def test_a_source_that_plan_toml_names_no_more_takes_its_decisions_away(project, section):  # noqa: F811
    plan = begun(project)
    lines = PLAN.splitlines()
    at = lines.index(f"[[{section}]]")
    plan.write_text("\n".join(lines[:at] + lines[at + 2 :]))
    with pytest.raises(RewrittenError) as error:
        cp.run_study(plan)
    assert {row[1:4:2] for row in error.value.rows} == {("the whole decision", "gone")}
    assert len(error.value.rows) == {"releases": 4, "history": 2}[section]


def test_a_change_of_status_by_another_authority_is_found_and_a_reason_is_no_blank(project):  # noqa: F811
    plan = begun(project)
    text = (project / "history.csv").read_text(encoding="utf-8")
    (project / "history.csv").write_text(text.replace("raised,2024-02-01,authority", "raised,2024-02-01,somebody"))
    with pytest.raises(RewrittenError) as error:
        cp.run_study(plan)
    assert error.value.rows == [("change 1", "changed_by", "authority", "somebody")]
    with pytest.raises(SettingsError, match="accept_rewritten: is blank"):
        cp.run_study(plan, accept_rewritten=" ")


def test_a_run_with_decisions_that_are_not_the_plans_is_held_to_none_and_says_so(project):  # noqa: F811
    plan = begun(project)
    layer(project / "other.geojson", RELEASES[:1])
    study = cp.run_study(plan, change={"releases": [{"path": str(project / "other.geojson")}]})
    assert study.notes[0].startswith("The decisions of this run are not those of plan.toml (releases")
    keep(study.chain)
    assert len(entries(project)) == 1
    assert cp.run_study(plan, change={"tasks": {"min_task_m2": 200}}).chain.notes == []


def line_changed(text, number, old, new):
    lines = text.splitlines(keepends=True)
    lines[number] = lines[number].replace(old, new)
    return "".join(lines)


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda text: line_changed(text, 0, "2023-05-01", "2023-05-03"), "the digest of line 1 does not hold"),
        (lambda text: line_changed(text, 1, '"reason": "a test"', '"reason": "b test"'), "the digest of line 2"),
        (lambda text: "".join(text.splitlines(keepends=True)[::-1]), "the digest of line 1 does not hold"),
        (lambda text: text.splitlines(keepends=True)[1], "the digest of line 1 does not hold"),
        (lambda text: text + "more\n", "line 3 is no entry"),
        (lambda text: text + "{}\n", "line 3 is no entry"),
        (lambda text: text + "[1]\n", "line 3 is no entry"),
        (lambda text: text[:-20], "line 2 is no entry"),
        (lambda text: "", "it is empty"),
        (lambda text: text.replace("authority", "\udcff"), "line 1"),
    ],
)
def test_a_chain_that_was_edited_is_loud(project, edit, why):  # noqa: F811
    home = Home(project)
    decisions = cp.run_study(project / "plan.toml").chain.decisions
    keep(hold(home, decisions))
    rest = {name: decision for name, decision in decisions.items() if name != "release L1"}
    accepting = Home(project, accepted="a test")
    keep(hold(accepting, rest))
    text = (project / FILE).read_text(encoding="utf-8")
    (project / FILE).write_text(edit(text), encoding="utf-8", errors="surrogateescape")
    with pytest.raises(RewrittenError, match="THE CHAIN OF DECISIONS WAS EDITED") as error:
        hold(home, rest)
    assert why in str(error.value)
    broken = (project / FILE).read_bytes()
    chain, note = keep(hold(accepting, rest))
    assert note is None
    assert str(chain.notes[0]).startswith("THE CHAIN OF DECISIONS WAS EDITED and begun again on ")
    assert (project / ".clearplan" / "decisions-edited-1.jsonl").read_bytes() == broken
    assert not hold(home, rest).fresh
    (only,) = entries(project)
    assert set(only["decisions"]) == set(rest)


def test_windows_line_ends_break_no_chain(project):  # noqa: F811
    plan = begun(project)
    (project / FILE).write_bytes((project / FILE).read_bytes().replace(b"\n", b"\r\n"))
    assert not cp.run_study(plan).chain.fresh


def test_a_folder_that_can_not_be_written_is_a_note_and_no_failure(project, tmp_path_factory):  # noqa: F811
    (project / ".clearplan").write_text("a file in the way")
    out = tmp_path_factory.mktemp("results") / "out"
    done = clearplan("run", project / "plan.toml", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "The decisions of this run are not kept" in done.stdout
    assert "Decisions of land release" not in done.stdout
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["warnings"][0].startswith("The decisions of this run are not kept")


def test_two_runs_at_once_leave_one_chain(project):  # noqa: F811
    """All began before one had written: each adds what the others have not, and refuses what they have otherwise."""
    plan = project / "plan.toml"
    first = cp.run_study(plan)
    second = cp.run_study(plan)
    release_again(project, [*RELEASES, RELEASES[0] | {"release_id": "L5", "decided_on": "2025-05-01"}])
    third = cp.run_study(plan)
    for study in (first, second, third):
        keep(study.chain)
    assert [list(entry["decisions"])[-1] for entry in entries(project)] == ["change 2", "release L5"]
    with pytest.raises(RewrittenError):
        keep(first.chain)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_chain_that_can_not_be_read_is_no_bug(project):  # noqa: F811
    begun(project)
    (project / FILE).chmod(0)
    with pytest.raises(ReadError, match="can't be read"):
        cp.run_study(project / "plan.toml")


def test_the_sample_stays_as_it_is_delivered(sample, tmp_path):
    study, _ = sample
    assert len(study.chain.decisions) > 0
    assert not study.chain.fresh
    assert keep(study.chain) == (study.chain, None)
    assert not (SAMPLE / ".clearplan").exists()
    shutil.copytree(SAMPLE, tmp_path / "copy")
    copied, note = keep(hold(Home(tmp_path / "copy"), study.chain.decisions))
    assert note is None
    assert (tmp_path / "copy" / FILE).exists()
    assert len(copied.entries) == 1


def test_a_project_without_decisions_keeps_no_state(project):  # noqa: F811
    chain, note = keep(hold(Home(project), {}))
    assert (chain.entries, note) == ((), None)
    assert not (project / ".clearplan").exists()


def test_changes_without_ids_may_change_their_rows_and_their_file(project):  # noqa: F811
    head, *rows = (project / "history.csv").read_text(encoding="utf-8").splitlines()
    without = [line.partition(",")[2] for line in (head, *rows)]
    (project / "history.csv").write_text("\n".join(without))
    plan = begun(project)
    assert "change without id (shut, closed, 2024-02-02, authority)" in entries(project)[0]["decisions"]
    (project / "other.csv").write_text("\n".join([without[0], *without[:0:-1]]))
    plan.write_text(PLAN.replace("history.csv", "other.csv"))
    assert not cp.run_study(plan).chain.fresh
    (project / "other.csv").write_text("\n".join(without[:2]))
    with pytest.raises(RewrittenError, match="without id"):
        cp.run_study(plan)
