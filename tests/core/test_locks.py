"""A folder has one writer: locks of the dead are broken, of other computers never; two runs at once lose nothing."""

import json
import os
import platform
import signal
from dataclasses import replace

import pytest

from clearplan.core import processes
from clearplan.core.errors import OutputError
from clearplan.core.locks import beside, break_lock, locked
from clearplan.core.processes import Process, has_ended, process_of, this_process
from clearplan.core.replacing import refuse_folder
from clearplan.core.writing import whole
from clearplan.tables.tiers import TIERS
from tests.core.test_dying import NEW, OLD, OURS, REFUSED, WELL, content_of, files, in_child, publish, users

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="holds locks in forked children")
#: Interleavings of two runs that are forced: after which of its steps the first lets the second begin.
STEPS = ("locked", "written", "half-way")


def a_dead_process():
    """The identity of a process that has ended."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, this_process().text.encode())
        os._exit(0)
    text = os.read(read, 10_000).decode()
    os.close(read)
    os.close(write)
    os.waitpid(child, 0)
    return process_of(text)


def leave_lock(folder, process):
    beside(folder, "lock").write_text(process if isinstance(process, str) else process.text, encoding="utf-8")


def test_a_process_is_known_by_number_and_start():
    here, dead = this_process(), a_dead_process()
    assert not has_ended(here)
    assert has_ended(dead)
    assert has_ended(replace(here, ticks="1")), "its number was given to another process"
    assert not has_ended(replace(dead, host="another")), "another computer can't be asked"
    assert not has_ended(replace(dead, machine="another"))
    assert not has_ended(replace(dead, space="pid:[1]")), "nor can another container"
    assert process_of(here.text) == here
    for text in ("", "{}", "[]", "null", '{"pid": 1}', here.text.replace(str(here.pid), '"x"')):
        assert process_of(text) is None


def test_a_computer_that_was_started_again_has_no_old_processes(monkeypatch):
    monkeypatch.setattr(processes, "_space", lambda: "pid:[4026531836]")
    assert has_ended(replace(this_process(), boot="earlier"))
    monkeypatch.setattr(processes, "_space", lambda: "pid:[4026539999]")
    assert not has_ended(replace(this_process(), boot="earlier")), "a container may have moved and still run"


def test_a_process_that_nobody_has_waited_for_has_ended():
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, this_process().text.encode())
        os.kill(os.getpid(), signal.SIGKILL)
    process = process_of(os.read(read, 10_000).decode())
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert has_ended(process)
    os.waitpid(child, 0)


@pytest.mark.parametrize("left", ["dead", "used again"])
def test_the_lock_of_a_dead_process_is_broken_by_itself(tmp_path, left):
    folder = tmp_path / "out"
    leave_lock(folder, a_dead_process() if left == "dead" else replace(this_process(), ticks="1"))
    publish(folder, NEW)
    assert content_of(folder) == NEW
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("work", [lambda f: publish(f, NEW), lambda f: refuse_folder(f, "restricted", OURS, TIERS)])
@pytest.mark.parametrize("change", [{"host": "other-pc"}, {"machine": "clone"}, {"space": "pid:[1]"}])
def test_the_lock_of_another_computer_is_broken_on_demand_alone(tmp_path, work, change):
    folder, other = tmp_path / "out", replace(a_dead_process(), **change)
    publish(folder, OLD)
    leave_lock(folder, other)
    lock = beside(folder, "lock")
    with pytest.raises(OutputError) as refused:
        work(folder)
    words = str(refused.value)
    assert len(words.splitlines()) == 1
    for name in (f"process {other.pid} on {other.host}", f"started {other.started_at}", str(lock), "--break-lock"):
        assert name in words
    assert content_of(folder) == OLD
    assert lock.read_text() == other.text
    assert f"process {other.pid} on {other.host}" in break_lock(folder)
    work(folder)
    assert not lock.exists()
    assert break_lock(folder) is None


def test_a_lock_that_names_nobody_is_broken_on_demand_alone(tmp_path):
    leave_lock(tmp_path / "out", "")
    with pytest.raises(OutputError, match=r"which its lock file .* does not name"):
        publish(tmp_path / "out", NEW)
    break_lock(tmp_path / "out")
    publish(tmp_path / "out", NEW)


def test_the_lock_of_a_process_that_still_runs_here_is_not_broken(tmp_path):
    with locked(tmp_path / "out"), pytest.raises(OutputError, match="it still runs"):
        break_lock(tmp_path / "out")
    assert break_lock(tmp_path / "no" / "such" / "folder") is None


def test_a_run_whose_lock_was_broken_does_not_publish(tmp_path):
    folder = tmp_path / "out"
    publish(folder, OLD)
    other = replace(this_process(), host="other-pc")
    with pytest.raises(OutputError, match="was broken by somebody else"):
        publish(folder, NEW, halfway=lambda: leave_lock(folder, other))
    assert content_of(folder) == OLD
    assert beside(folder, "lock").read_text() == other.text, "the lock of the other stays"


def test_a_disk_without_hard_links_has_locks_too(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    with locked(tmp_path / "out"):
        assert process_of(beside(tmp_path / "out", "lock").read_text()) == this_process()
        with pytest.raises(OutputError, match=platform.node()), locked(tmp_path / "out"):
            pass
    assert list(tmp_path.iterdir()) == []


# --- two runs at once


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("tier", ["restricted", "public"])
def test_a_second_run_at_once_is_refused_and_nothing_is_lost(tmp_path, monkeypatch, step, tier):
    """The second begins in another process when the first has the lock, has written, or has moved half of the files."""
    folder, move, codes = tmp_path / "out", os.rename, []
    publish(folder, OLD)
    mine = users(folder)
    (folder / "photos").chmod(0o755)

    def second():
        if not codes:
            codes.append(None)
            codes[0] = in_child(lambda: publish(folder, files("second", tier), tier))

    def moved(path, to, **options):
        move(path, to, **options)
        if step == "half-way" and str(to) == str(folder / "map.html"):
            second()

    monkeypatch.setattr(os, "rename", moved)
    if step == "locked":
        with locked(folder):
            second()
        publish(folder, NEW)
    else:
        publish(folder, NEW, halfway=second if step == "written" else lambda: None)
    assert codes == [REFUSED]
    assert content_of(folder) == NEW | mine
    assert in_child(lambda: publish(folder, files("second", tier), tier)) == (REFUSED if tier == "public" else WELL)
    assert json.loads((folder / "run.json").read_text())["tier"] == "restricted", "no public run beside notes of it"
    assert content_of(folder).items() >= mine.items()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_many_runs_at_once_leave_one_whole_result(tmp_path):
    """Six processes publish as often as they can for a while; one of them dies now and then."""
    folder = tmp_path / "out"
    publish(folder, OLD)
    mine = users(folder)
    (folder / "photos").chmod(0o755)
    results = [files(f"run {k}", "restricted", "work.csv", "field/map.pdf") for k in range(6)]
    children = [start_child(folder, result, k) for k, result in enumerate(results)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0, 9, 9, 9]
    refuse_folder(folder, "restricted", OURS, TIERS)
    held = content_of(folder)
    assert {name: held.pop(name) for name in mine} == mine
    assert held in results
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def start_child(folder, result, k):
    """A process that publishes eight times; the second half of them dies in the eighth."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for turn in range(8):
            dies = turn == 7 and k > 2
            publish_at_last(folder, result, halfway=(lambda: os._exit(9)) if dies else (lambda: None))
        code = 0
    finally:
        os._exit(code)


def publish_at_last(folder, result, halfway):
    """Publish when the others leave the folder free; any other refusal is an error."""
    while True:
        try:
            return publish(folder, result, halfway=halfway)
        except OutputError as error:
            if "writes it (lock file" not in str(error):
                raise


# --- files that are not yet whole


def test_what_a_dead_process_left_half_written_is_swept_by_the_next(tmp_path):
    def dies():
        with whole(tmp_path / "hazards.zip") as fresh:
            fresh.write_text("half")
            os._exit(9)

    assert in_child(dies) == 9
    (half,) = tmp_path.iterdir()
    assert half.name.startswith(".clearplan-")
    other = tmp_path / half.name.replace(this_process().place, "0" * 8)
    other.mkdir()
    (tmp_path / ".clearplan-mine").mkdir()
    with whole(tmp_path / "a.txt") as fresh, whole(tmp_path / "b.txt") as another:
        fresh.write_text("a")
        another.write_text("b")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([other.name, ".clearplan-mine", "a.txt", "b.txt"])


def test_a_run_sweeps_half_written_files_in_its_folder_and_beside_it(tmp_path):
    folder = tmp_path / "out"
    publish(folder, OLD)

    def dies():
        with whole(folder / "hazards.zip"), whole(tmp_path / "tasks.gpx"):
            os._exit(9)

    assert in_child(dies) == 9
    assert len(list(folder.glob(".clearplan-*")) + list(tmp_path.glob(".clearplan-*"))) == 2
    publish(folder, files("public", "public"), "public")
    assert content_of(folder) == files("public", "public")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_process_has_all_that_a_lock_names():
    here = this_process()
    assert isinstance(here, Process)
    assert (here.host, here.pid) == (platform.node(), os.getpid())
    assert here.started_at.endswith("+00:00")
