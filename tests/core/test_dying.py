"""A run that dies at any call to the file system loses nothing: of the user's files, or of the last good result.

A child process dies at call n of the exchange, for all n; then the next run recovers. The child ends at the event that
Python raises just before each call (``sys.addaudithook``), and at each fsync.
"""

import contextlib
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import pytest

from clearplan.core.errors import OutputError, ReadError
from clearplan.core.locks import beside
from clearplan.core.replacing import refuse_folder, refuse_half_exchanged, replaced
from clearplan.core.writing import write_whole
from clearplan.tables.tiers import TIERS
from tests.conftest import FULL

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="dies in forked children")

OURS = ("run.json", "map.html", "plan.gpkg", "work.csv", "field/tasks.gpx", "field/map.pdf")
DIED, WELL, REFUSED, BROKEN = 9, 0, 7, 8
CALLS = re.compile(
    r"open|os\.(rename|remove|mkdir|rmdir|link|symlink|truncate|listdir|scandir|chmod)|shutil\.rmtree|tempfile\.mkdtemp"
)


def in_child(work, die_at=None, user=None):
    """What became of work in a forked child, which dies just before a call to the file system."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = BROKEN
    try:
        if user is not None:
            os.setuid(user)
        if die_at is not None:
            die(die_at)
        work()
        code = WELL
    except OutputError as error:
        sys.stderr.write(f"{error}\n")
        code = REFUSED
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def die(at):
    """This process ends just before its call ``at`` to the file system."""
    calls = itertools.count()

    def count(event, *_):
        if CALLS.fullmatch(event) and next(calls) == at:
            os._exit(DIED)

    flush = os.fsync
    os.fsync = lambda file: (count("open"), flush(file))[1]
    sys.addaudithook(count)


def files(content, tier, *more):
    """A result of a run: each file holds its name and whose it is."""
    record = json.dumps({"fingerprint": content, "tier": tier})
    return {"run.json": record} | {name: f"{name} of {content}" for name in ("map.html", "plan.gpkg", *more)}


def publish(folder, result, tier="restricted", halfway=lambda: None):
    with replaced(folder, OURS, tier=tier, tiers=TIERS) as fresh:
        for name, text in result.items():
            (fresh / name).parent.mkdir(exist_ok=True)
            (fresh / name).write_text(text, encoding="utf-8")
        write_whole(fresh / "run.json", result["run.json"])
        halfway()


def users(folder, count=20):
    """Files of the user's, some in folders of ours and in one that is read-only."""
    texts = {f"note {k}.txt": f"mine {k}" for k in range(count)}
    texts |= {"field/mine.gpx": "my track", "photos/a.jpg": "a", "photos/deep/b.jpg": "b"}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "photos").chmod(0o555)
    return texts


def content_of(folder):
    """Names and texts of all files in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


OLD, NEW = files("old", "restricted", "work.csv", "field/map.pdf"), files("new", "restricted", "field/tasks.gpx")


@pytest.fixture
def clean(tmp_path):
    """A folder for a run's folder, in memory where there is such a disk: thousands of calls are waited for."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as place:
        Path(place).chmod(0o777)
        yield Path(place)
        for path in Path(place).rglob("photos"):
            path.chmod(0o755)


def check_recovered(folder, mine, *results):
    """After a death nothing of the user's is lost and no mixed result can be read; the next run recovers."""
    held = content_of(folder)
    assert {name: held.get(name) for name in mine} == mine, "a file of the user's moved or is lost"
    if not beside(folder, "moves").exists():
        assert {name: text for name, text in held.items() if name not in mine} in results, "a mixed result can be read"
    refuse_folder(folder, "restricted", OURS, TIERS)
    held = content_of(folder)
    assert {name: held.pop(name, None) for name in mine} == mine
    assert held in results, "the last good result is not whole"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "something of the dead run stays"


def test_death_at_every_call_of_a_run_loses_nothing(clean):
    folder = clean / "out"
    publish(folder, OLD)
    mine = users(folder)
    seen, n, code = set(), 0, DIED
    while code == DIED:
        code = in_child(lambda: publish(folder, NEW), die_at=n)
        check_recovered(folder, mine, OLD, NEW)
        seen.add((folder / "run.json").read_text())
        publish(folder, OLD)
        n += 1
    assert code == WELL
    assert n > 100, "not every call was counted"
    assert seen == {OLD["run.json"], NEW["run.json"]}


def test_a_second_death_while_the_first_is_recovered_loses_nothing(clean):
    folder = clean / "out"
    publish(folder, OLD)
    mine, first = users(folder, 2), 0
    while in_child(lambda: publish(folder, NEW), die_at=first) == DIED:
        n = 0
        while in_child(lambda: refuse_folder(folder, "restricted", OURS, TIERS), die_at=n) == DIED:
            held = content_of(folder)
            assert {name: held.get(name) for name in mine} == mine
            n += 1 if FULL else 7
        check_recovered(folder, mine, OLD, NEW)
        publish(folder, OLD)
        first += 1 if FULL else 29
    assert first > 60, "not every call was counted"


def test_death_at_every_call_while_a_wider_tier_is_refused_leaves_no_narrower_file_beside_it(clean):
    """An export of the restricted run lands in its folder while a public run takes it: at each call, both die."""
    folder, n, code = clean / "out", 0, DIED
    publish(folder, OLD)

    def take_and_export():
        publish(folder, files("public", "public"), "public")

    while code == DIED:
        with arriving(folder / "hazards.zip", at_move_of=folder / "map.html"):
            code = in_child(take_and_export, die_at=n)
        refuse_folder(folder, "restricted", OURS, TIERS)
        held = content_of(folder)
        tier = json.loads(held["run.json"])["tier"]
        assert (tier, "hazards.zip" in held) in {("restricted", False), ("restricted", True), ("public", False)}
        (folder / "hazards.zip").unlink(missing_ok=True)
        publish(folder, OLD)
        n += 1 if FULL else 5
    assert code == REFUSED


@contextlib.contextmanager
def arriving(file, at_move_of):
    """Another program writes a file at the moment in which a file of ours leaves."""
    move = os.rename

    def moved(path, to, **options):
        move(path, to, **options)
        if Path(path) == at_move_of:
            file.write_text("exact borders")

    os.rename = moved
    try:
        yield
    finally:
        os.rename = move


def test_an_export_that_lands_during_the_exchange_undoes_a_wider_run(clean):
    folder = clean / "out"
    publish(folder, OLD)
    with (
        arriving(folder / "hazards.zip", at_move_of=folder / "map.html"),
        pytest.raises(OutputError, match=r"holds a restricted run and files that no run wrote, such as hazards\.zip"),
    ):
        publish(folder, files("public", "public"), "public")
    assert content_of(folder) == OLD | {"hazards.zip": "exact borders"}
    assert [path.name for path in clean.iterdir()] == ["out"]


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("way", ["into", "out of"])
def test_a_move_that_fails_leaves_the_last_result(clean, monkeypatch, name, way):
    """Such as a file that another program holds open on Windows, or a folder that is read-only."""
    folder, move = clean / "out", os.rename
    publish(folder, OLD)
    mine, failed = users(folder), []

    def fails_once(path, to, **options):
        if Path(to if way == "into" else path) == folder / name and not failed:
            failed.append(name)
            raise PermissionError(13, "Permission denied", str(path))
        move(path, to, **options)

    monkeypatch.setattr(os, "rename", fails_once)
    moved = name in (NEW if way == "into" else OLD)
    with pytest.raises(OutputError, match="can't be written") if moved else contextlib.nullcontext():
        publish(folder, NEW)
    assert bool(failed) == moved
    assert content_of(folder) == (OLD if moved else NEW) | mine
    assert [path.name for path in clean.iterdir()] == ["out"]


def test_a_read_only_folder_of_the_user_s_survives_a_failed_run(clean):
    """As another user than root, whom a read-only folder stops; one that holds a file of ours stops the run."""
    folder = clean / "out"
    publish(folder, OLD)
    mine = users(folder)
    nobody = 65534 if os.getuid() == 0 else None
    if nobody is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, nobody, nobody)
    assert in_child(lambda: publish(folder, NEW), user=nobody) == WELL
    assert content_of(folder) == NEW | mine
    (folder / "field").chmod(0o555)
    assert in_child(lambda: publish(folder, OLD), user=nobody) == REFUSED
    (folder / "field").chmod(0o755)
    assert content_of(folder) == NEW | mine
    assert [path.name for path in clean.iterdir()] == ["out"]


def test_a_reader_is_refused_between_two_results(clean):
    folder = clean / "out"
    publish(folder, OLD)
    refuse_half_exchanged(folder)
    n = 30
    while in_child(lambda: publish(folder, NEW), die_at=n) == DIED and not beside(folder, "moves").exists():
        n += 1
    with pytest.raises(ReadError, match=r"is between two results.*run the project into this folder again"):
        refuse_half_exchanged(folder)
    refuse_folder(folder, "restricted", OURS, TIERS)
    refuse_half_exchanged(folder)
    assert content_of(folder) == NEW


def test_what_earlier_versions_left_between_two_renames_goes_back(clean):
    folder, old = clean / "out", clean / ".out.old"
    publish(folder, OLD)
    folder.rename(old)
    mine = users(old)
    publish(folder, {"run.json": NEW["run.json"]})  # the folder is whole again first, with all files of the user's
    assert content_of(folder) == {"run.json": NEW["run.json"]} | mine
    publish(clean / "new", NEW)
    folder.rename(old)
    (clean / "new").rename(folder)
    refuse_folder(folder, "restricted", OURS, TIERS)
    assert content_of(folder) == NEW | mine
    assert [path.name for path in clean.iterdir()] == ["out"]


@pytest.mark.parametrize(("thing", "words"), [("map.html", "is a folder, and a run writes a file"),
                                              ("field", "is no folder of its own")])  # fmt: skip
def test_what_is_in_the_way_is_named_and_stays(clean, thing, words):
    folder = clean / "out"
    publish(folder, {"run.json": OLD["run.json"]})
    if thing == "field":
        (clean / "elsewhere").mkdir()
        (folder / thing).symlink_to(clean / "elsewhere")
    else:
        (folder / thing).mkdir()
        (folder / thing / "mine.txt").write_text("mine")
    before = content_of(folder)
    with pytest.raises(OutputError, match=words):
        publish(folder, NEW)
    assert content_of(folder) == before


def test_a_file_that_no_run_declares_is_a_fault_of_ours(clean):
    with pytest.raises(ValueError, match=r"notes\.txt: is not among the files that a run declares"):
        publish(clean / "out", NEW | {"notes.txt": "whose?"})
    assert list(clean.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 300, "x" * 250, "loop/out", "loop", "file/out", "file"])
def test_a_folder_that_can_not_be_written_is_named_in_one_line(clean, name):
    (clean / "loop").symlink_to(clean / "loop")
    (clean / "file").write_text("mine")
    for work in (lambda: publish(clean / name, NEW), lambda: refuse_folder(clean / name, "public", OURS, TIERS)):
        with pytest.raises(OutputError) as refused:
            work()
        assert str(refused.value).startswith(f"{clean / name}: ")
        assert len(str(refused.value).splitlines()) == 1
    assert sorted(path.name for path in clean.iterdir()) == ["file", "loop"]


def test_the_last_result_comes_back_where_somebody_removed_the_new_one(clean):
    folder, n = clean / "out", 30
    publish(folder, OLD)
    mine = users(folder, 2)
    half_way = 0
    while in_child(lambda: publish(folder, NEW), die_at=n) == DIED:
        if beside(folder, "moves").exists():
            half_way += 1
            (fresh,) = clean.glob(".out.new-*")
            shutil.rmtree(fresh)
            check_recovered(folder, mine, OLD)
        else:
            check_recovered(folder, mine, OLD, NEW)
            publish(folder, OLD)
        n += 1 if FULL else 5
    assert half_way > 5
