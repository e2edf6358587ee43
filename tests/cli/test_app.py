"""The shell's door, as a user meets it."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pandas as pd
import pyogrio
import pytest
import rasterio

from clearplan.cli import records
from clearplan.cli.options import TIER_NAMES
from clearplan.cli.run import sample_project
from clearplan.core.imprint import NOT_FOR_ENTRY
from clearplan.core.processes import this_process
from clearplan.core.version import __version__
from clearplan.outputs.workbooks.record_form import write_record_workbook
from clearplan.settings.project import load_project
from clearplan.settings.template import template
from clearplan.tables.tiers import TIERS
from tests.conftest import ROOT, SAMPLE, clearplan
from tests.records.test_minefields import leg, record, square


def in_shell(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "clearplan", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


def test_the_demo_says_where_the_map_lies(demo):
    said, folder = demo
    assert "Map: out/karabakh/map.html" in said
    assert "202.6 km as drawn at 1:10 million" in said
    assert "Illustrative data, not for operational use." in said
    assert (folder / "out/karabakh/map.html").stat().st_size > 100_000
    task = (
        (folder / "out/karabakh/tasks.csv").read_text(encoding="utf-8").splitlines()[2].split(",")[0]
    )  # heads, hashtags
    told = in_shell("explain", "out/karabakh/plan.gpkg", task, cwd=folder)
    assert told.returncode == 0, told.stderr
    assert f"Task {task} is rank 1 of" in told.stdout
    assert "contribution" in told.stdout
    wrong = clearplan("explain", "out/karabakh/plan.gpkg", "38SXX0000-SHA-1", cwd=folder)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Error: no task '38SXX0000-SHA-1'")


def test_quotes_of_the_docs_are_what_explain_says(sample):
    page = (ROOT / "docs" / "why-this-order.md").read_text(encoding="utf-8")
    quotes = re.findall(r"(?:^> .*\n)+", page, flags=re.MULTILINE)
    assert len(quotes) == 3
    for quote in quotes:
        text = " ".join(line[2:] for line in quote.splitlines()).replace("**", "")
        told = " ".join(clearplan("explain", sample[1] / "plan.gpkg", text.split()[0]).stdout.split())
        for part in text.split("[...]"):
            assert part.strip() in told, part


def test_rank_and_explain_say_how_sure_and_what_would_change_it(sample, tmp_path):
    study, folder = sample
    result = folder / "plan.gpkg"
    done = clearplan("rank", result, "--most", "5")
    assert done.returncode == 0, done.stderr
    own = study.tasks[(study.tasks["queue"] == "clearance") & study.tasks["rank"].notna()].sort_values("rank")
    assert own["task_id"].iloc[0] in done.stdout
    assert "change if the weight of" in done.stdout
    assert "Classes of the survey queue of " in done.stdout
    assert "tasks are of one class for sure" in done.stdout
    assert "Without rank: " in done.stdout
    assert "How far two sets of weights agree:" in done.stdout
    assert "Kendall's" in done.stdout
    other = clearplan("rank", result, "--weights", "Ministry")
    assert other.returncode == 0, other.stderr
    assert "Weights of: Ministry" in other.stdout
    wrong = clearplan("rank", result, "--weights", "Minister")
    assert wrong.returncode == 2
    assert "no weight set is called 'Minister'; there are Returning families, Ministry, Donor" in wrong.stderr
    first, second = own["task_id"].iloc[:2]
    told = clearplan("explain", result, first, "--against", second)
    assert told.returncode == 0, told.stderr
    for words in ("among the first 10 in", "90 %", "It leaves the first 10", "What would swap"):
        assert words in told.stdout
    gated = study.tasks.loc[study.tasks["gates"].notna(), "task_id"].iloc[0]
    told = clearplan("explain", result, gated)
    assert "is excluded from the ranking" in told.stdout
    assert "It has no rank until its gate opens: " in told.stdout
    survey = study.tasks[(study.tasks["queue"] == "survey") & study.tasks["survey_saves"].notna()]["task_id"].iloc[0]
    assert "its expected harm is" in clearplan("explain", result, survey).stdout
    (tmp_path / "alone.gpkg").write_bytes(result.read_bytes())
    alone = clearplan("explain", tmp_path / "alone.gpkg", first)
    assert alone.returncode == 0, "a table without its settings still explains itself"
    assert clearplan("rank", tmp_path / "alone.gpkg").returncode == 1


def test_check_prints_the_fault_table_and_exits_1(tmp_path):
    path = tmp_path / "z.csv"
    path.write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,[bold]A[/bold],-5,50,s,46.9,40\n")
    done = in_shell("check", path, "--as", "zones", "--crs", "EPSG:4326")
    assert done.returncode == 1
    assert "must be at least 0" in done.stdout
    assert "1 faults, 0 warnings" in done.stdout
    path.write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,A,5,50,s,46.9,40\n")
    good = in_shell("check", path, "--as", "zones", "--crs", "EPSG:4326")
    assert good.returncode == 0
    assert good.stdout.splitlines()[0] == f"{path}: no faults"
    heads, rows = (line.split() for line in good.stdout.splitlines()[1:])
    assert heads == ["table", "file", "claimed", "read", "used", "deferred", "repaired"]
    assert rows == ["zones", "z.csv", "1", "1", "1", "0", "0"]


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
    checked = clearplan("check", SAMPLE / "records.xlsx", "--as", "records")
    assert checked.returncode == 1
    balance = [line.split() for line in checked.stdout.splitlines() if line.startswith(("records ", "legs "))]
    assert [row[:4] for row in balance if row[0] == "records"] == [["records", "records.xlsx", "[records]", "60"]]
    for row in balance:  # claimed = read = used + deferred
        claimed, read, used, deferred = map(int, row[3:7])
        assert (claimed, read) == (read, used + deferred)
        assert deferred > 0
    planned = clearplan("records", SAMPLE / "records.xlsx", "--plan", SAMPLE / "plan.toml")
    assert planned.returncode == 0
    assert clearplan("records", SAMPLE / "plan.toml", "--plan", SAMPLE / "plan.toml").returncode == 2


def one_record(folder, **changes):
    """A workbook with one record of four corners."""
    path = folder / "r.xlsx"
    path.unlink(missing_ok=True)
    tables = {"records": pd.DataFrame([record(**changes)]), "legs": pd.DataFrame(square())}
    write_record_workbook(tables, path)
    return path


def one_line(done, code, *words):
    """An error in one line, with its exit code, and no bug of ours."""
    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "bug in clearplan" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    "place",
    [["-o", "f/x.gpkg"], ["-o", "f/g/x.gpkg"], ["-o", "/proc/x.gpkg"], ["--sheets", "f/x.html"],
     ["--sheets", "/proc/nope/x.html"], ["-o", f"{'x' * 300}.gpkg"],
     ["-o", "good.gpkg", "--sheets", "f/x.html"]],
)  # fmt: skip
def test_what_can_not_be_written_is_told_in_one_line(tmp_path, place):
    path = one_record(tmp_path)
    (tmp_path / "f").write_text("a file")
    done = clearplan("records", path, *place, cwd=tmp_path)
    one_line(done, 2, "can't be written", place[-1].rpartition("/")[2][-6:])
    if "f/" in place[-1]:
        assert "f is no folder" in done.stderr
    assert sorted(found.name for found in tmp_path.iterdir()) == ["f", "r.xlsx"]


@pytest.mark.skipif(not Path("/proc").exists(), reason="limits the size of files as POSIX does")
@pytest.mark.parametrize("most", [0, 4096, 100_000])
@pytest.mark.parametrize("place", [["-o", "x.gpkg"], ["--sheets", "x.html"]])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, place, most):
    # The sheets of one record are smaller than the largest of these disks.
    path = SAMPLE / "records.xlsx" if most == 100_000 and place[0] == "--sheets" else one_record(tmp_path)
    before = sorted(tmp_path.iterdir())
    # The disk is full once the inputs are read.
    done = with_a_full_disk(tmp_path, most, "records", path, "--lenient", *place, after_reading=True)
    one_line(done, 2, f"{place[1]}: can't be written")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(not Path("/proc").exists(), reason="limits the size of files as POSIX does")
@pytest.mark.parametrize("most", [0, 4096])
def test_records_that_can_not_be_copied_are_not_read(tmp_path, most):
    path = one_record(tmp_path)
    done = with_a_full_disk(tmp_path, most, "records", path, "-o", "x.gpkg", after_reading=False)
    one_line(done, 2, "can't be copied", "set TMPDIR")
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def with_a_full_disk(folder, most, *words, after_reading):
    """A command whose files may have so many bytes, from its beginning or from when its inputs are read."""
    import resource

    limits, write = resource.getrlimit(resource.RLIMIT_FSIZE), records._write_records

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))

    with mock.patch.object(records, "_write_records", lambda *given: (full(), write(*given))):
        try:
            if not after_reading:
                full()
            return clearplan(*words, cwd=folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("command", [["run", SAMPLE / "plan.toml"], ["plan", SAMPLE / "plan.toml"], ["demo"]])
def test_the_lock_of_another_computer_is_named_in_one_line(tmp_path, command):
    lock = tmp_path / ".out.lock"
    lock.write_text(replace(this_process(), host="other-pc", started_at="2024-06-30 10:00:00+00:00").text)
    done = clearplan(*command, "--out", tmp_path / "out")
    named = f"process {os.getpid()} on other-pc, started 2024-06-30 10:00:00+00:00"
    one_line(done, 2, named, str(lock), "--break-lock")
    assert [path.name for path in tmp_path.iterdir()] == [lock.name]


def test_break_lock_names_whose_it_was(tmp_path):
    (tmp_path / ".out.lock").write_text(replace(this_process(), host="other-pc").text)
    done = clearplan("run", tmp_path / "none.toml", "--tier", "public", "--out", tmp_path / "out", "--break-lock")
    words = " ".join(done.stdout.split())  # lines fold at the width of the terminal
    assert f"the lock was broken; {tmp_path / 'out'}: process {os.getpid()} on other-pc" in words
    one_line(done, 2, "none.toml: no such file")
    assert list(tmp_path.iterdir()) == []


def test_outputs_of_records_make_their_folders(tmp_path):
    done = clearplan("records", one_record(tmp_path), "-o", tmp_path / "a/b/r.gpkg", "--sheets", tmp_path / "c/r.html")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["r.gpkg"]
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["r.html"]
    assert clearplan("records", "template", tmp_path / "d/t.xlsx").returncode == 0
    one_line(clearplan("records", "template", tmp_path / "d/t.xlsx/t.xlsx"), 2, "t.xlsx is no folder")
    one_line(clearplan("records", tmp_path / "r.xlsx", "-o", tmp_path / "new.shp"), 2, ".gpkg")
    one_line(clearplan("records", tmp_path / "r.xlsx", "-o", tmp_path / "a/b/r.gpkg"), 2, "exists already")


def fingerprints(folder):
    """Of the layers and of the sheets of a run."""
    notices = {pyogrio.read_dataframe(folder / "r.gpkg", layer=name)["notice"].iloc[0]
               for name in ("hazards", "record_points", "record_versions")}  # fmt: skip
    assert len(notices) == 1
    assert NOT_FOR_ENTRY in next(iter(notices))
    page = (folder / "r.html").read_text(encoding="utf-8")
    return [re.search(r"Fingerprint ([0-9a-f]{12})\.", text).group(1) for text in (*notices, page)]


def test_outputs_of_records_carry_a_fingerprint(tmp_path):
    def run(name, *words, path=None):
        folder = tmp_path / name
        done = clearplan("records", path or tmp_path / "r.xlsx", *words, "-o", folder / "r.gpkg", "--sheets",
                         folder / "r.html")  # fmt: skip
        assert done.returncode == 0, done.stderr
        layers, sheets = fingerprints(folder)
        assert layers == sheets
        assert f"Fingerprint {layers}" in done.stdout
        return layers

    one_record(tmp_path)
    first = run("1")
    assert run("2") == first
    for name in ("r.gpkg", "r.html"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    (tmp_path / "moved").mkdir()
    assert run("3", path=(tmp_path / "r.xlsx").rename(tmp_path / "moved/r.xlsx")) == first
    (tmp_path / "moved/r.xlsx").rename(tmp_path / "r.xlsx")
    others = [run("4", "--lenient"), run("5", "--region", "46.5,39.5,47.5,40.5")]
    one_record(tmp_path, source="another")
    others.append(run("6"))
    assert len({first, *others}) == 4


def test_fingerprint_of_records_follows_the_plan(tmp_path):
    done = clearplan("records", SAMPLE / "records.xlsx", "--plan", SAMPLE / "plan.toml", "-o", tmp_path / "r.gpkg",
                     "--sheets", tmp_path / "r.html")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(set(fingerprints(tmp_path))) == 1
    assert "Illustrative" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_region_of_records_without_a_plan(tmp_path):
    path = one_record(tmp_path)
    good = clearplan("records", path, "--region", "46.5,39.5,47.5,40.5", "-o", tmp_path / "r.gpkg")
    assert good.returncode == 0, good.stdout + good.stderr
    assert pyogrio.read_info(tmp_path / "r.gpkg", layer="hazards")["crs"] == "EPSG:32638"
    far = clearplan("records", path, "--region", "-71.5,-39.5,-70,-38")
    assert far.returncode == 1
    assert "region" in far.stdout
    both = clearplan("records", path, "--plan", SAMPLE / "plan.toml", "--region", "46.5,39.5,47.5,40.5")
    one_line(both, 2, "--region", "--plan")


@pytest.mark.parametrize(
    "text",
    ["", "46.5,39.5,47.5", "46.5,39.5,47.5,40.5,1", "46.5 39.5 47.5 40.5", "46,5,39,5,47,5,40,5", "a,b,c,d",
     "nan,39.5,47.5,40.5", "46.5,39.5,inf,40.5", "4_6,39.5,47.5,40.5", "47.5,39.5,46.5,40.5", "46.5,40.5,47.5,39.5",
     "46.5,39.5,46.5,40.5", "46.5,39.5,187.5,40.5", "46.5,39.5,47.5,90.5", "46.5,39.5,47.5,40.5\n"],
)  # fmt: skip
def test_a_region_is_read_strictly(tmp_path, text):
    one_line(clearplan("records", tmp_path / "none.xlsx", "--region", text), 2, "--region", "46.5,39.3,47.3,40.2")


def test_faults_of_several_sheets_name_each(tmp_path):
    legs = [*square(), leg(5, "end", bearing="1O", distance="199")]
    tables = {"records": pd.DataFrame([record(laid_on=pd.Timestamp("2090-01-01"))]), "legs": pd.DataFrame(legs)}
    write_record_workbook(tables, tmp_path / "r.xlsx")
    for words in (["check", tmp_path / "r.xlsx", "--as", "records"], ["records", tmp_path / "r.xlsx"],
                  ["records", tmp_path / "r.xlsx", "--lenient"]):  # fmt: skip
        shown = clearplan(*words).stdout
        assert re.search(r"^file +", shown), shown
        assert re.search(r"^r\.xlsx \[records\] +(R1 +)?2 ", shown, flags=re.MULTILINE)
        assert re.search(r"^r\.xlsx \[legs\] +(R1 +)?7 ", shown, flags=re.MULTILINE)
    (tmp_path / "z.csv").write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,A,-5,50,s,46.9,40\n")
    one = clearplan("check", tmp_path / "z.csv", "--as", "zones", "--crs", "EPSG:4326").stdout.splitlines()
    assert one[0] == "In z.csv:"
    assert one[1].startswith("row ")


def test_init_where_nothing_can_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "f").write_text("a file")
    for place in ("f/study", "/proc/study"):
        one_line(clearplan("init", place, cwd=tmp_path), 2, "can't be made")


HEADER = "mapX,mapY,pixelX,pixelY,enable\n"


def control_points(path, header=HEADER):
    rows = [
        f"{8_660_000 + 4 * c + 6 * ((c * r) % 7 - 3)},{4_440_000 - 4 * r + 5 * ((c + r) % 5 - 2)},{c},{-r},1"
        for c in (100, 1000, 2000, 3000) for r in (100, 1100, 2100)
    ]  # fmt: skip
    path.write_text(header + "\n".join(rows) + "\n")
    return path


def test_points_without_a_point_are_no_bug(tmp_path):
    path = tmp_path / "s.points"
    for text in (HEADER, "#CRS: EPSG:28408\n" + HEADER + "\n\n"):
        path.write_text(text)
        one_line(clearplan("scan", path), 1, "s.points: holds no control points")
    path.write_text(HEADER + f"{'1' * 200_000},1,1,-1,1\n")
    one_line(clearplan("scan", path, "--crs", "EPSG:28408"), 1, "s.points")
    (tmp_path / "d.points").mkdir()
    one_line(clearplan("scan", tmp_path / "d.points"), 1, "d.points: can't be read")


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_straight_scan_is_a_tiff_in_a_folder_that_is_made(tmp_path):
    points = control_points(tmp_path / "s.points", "#CRS: EPSG:28408\n" + HEADER)
    with rasterio.open(tmp_path / "n.tif", "w", driver="GTiff", width=32, height=22, count=1, dtype="uint8") as image:
        image.write(pd.DataFrame(range(32 * 22)).to_numpy().reshape(1, 22, 32).astype("uint8"))
    scan = ("scan", points, "--image", tmp_path / "n.tif", "-o")
    one_line(clearplan(*scan, tmp_path / "w2.png"), 2, "w2.png", ".tif or .tiff")
    made = clearplan(*scan, tmp_path / "new/w3.TIF")
    assert made.returncode == 0, made.stderr
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["w3.TIF"]
    one_line(clearplan(*scan, tmp_path / "new/w3.TIF"), 2, "exists already")
    one_line(clearplan(*scan, tmp_path / "n.tif/w4.tif"), 2, "w4.tif: can't be written", "n.tif is no folder")
    one_line(clearplan(*scan, "/proc/w5.tif"), 2, "/proc/w5.tif: can't be written")
    lost = clearplan("scan", points, "--image", tmp_path / "none.tif", "-o", tmp_path / "w6.tif")
    one_line(lost, 1, "none.tif: can't be read")
    assert {path.name for path in tmp_path.iterdir()} == {"s.points", "n.tif", "new"}


def test_a_scan_tells_its_honest_error(tmp_path):
    control_points(tmp_path / "s.points")
    refused = clearplan("scan", tmp_path / "s.points")
    assert refused.returncode == 1
    assert "states no CRS" in refused.stderr
    done = clearplan("scan", tmp_path / "s.points", "--crs", "EPSG:28408")
    assert done.returncode == 0, done.stderr
    head = done.stdout.splitlines()[0]
    assert head.index("at points") < head.index("fit")  # the honest figure stands before the flattering one
    assert "thin-plate" in done.stdout


@pytest.mark.parametrize(("name", "file"), [("lifelines", "lifelines.geojson"), ("gates", "gates.csv")])
def test_check_knows_lifelines_and_gates(name, file, tmp_path):
    path = SAMPLE / "illustrative" / file
    assert clearplan("check", path, "--as", name, "--plan", SAMPLE / "plan.toml").returncode == 0
    bad = tmp_path / file
    text = path.read_text(encoding="utf-8").replace("dispute", "quarrel").replace('"kind":"clinic"', '"kind":"chapel"')
    bad.write_text(text, encoding="utf-8")
    done = clearplan("check", bad, "--as", name)
    assert done.returncode == 1
    assert "must be one of" in done.stdout


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
    done = in_shell(*words, cwd=tmp_path)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_debug_shows_the_traceback(tmp_path):
    assert "Traceback" in in_shell("--debug", "run", "missing.toml", cwd=tmp_path).stderr


def test_hostile_text_moves_no_terminal(tmp_path):
    path = tmp_path / "z.csv"
    path.write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,A,\x1b[2Jx,50,s,46.9,40\n")
    done = in_shell("check", path, "--as", "zones", "--crs", "EPSG:4326")
    assert done.returncode == 1
    assert "\x1b[2J" not in done.stdout + done.stderr


def test_many_faults_are_counted_by_rule_and_written_whole(tmp_path):
    rows = "".join(f"Z{k},A,{'x' if k % 2 else '=1+1'},50,s,46.9,40\n" for k in range(200))
    (tmp_path / "z.csv").write_text("zone_id,name,people,position_error_m,source,lon,lat\n" + rows)
    check = ("check", "z.csv", "--as", "zones", "--crs", "EPSG:4326")
    done = clearplan(*check, "--csv", "faults.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert "must be a number" in done.stdout
    assert "2, 3, 4" in done.stdout
    assert len(done.stdout.splitlines()) < 20
    assert "z.csv: 200 faults, 0 warnings" in done.stdout
    written = (tmp_path / "faults.csv").read_text(encoding="utf-8").splitlines()
    assert len(written) == 201
    assert not [line for line in written if ",=1+1" in line]
    one_line(clearplan(*check, "--csv", "faults.csv", cwd=tmp_path), 2, "faults.csv: exists already")
    assert len(clearplan(*check, "--all", cwd=tmp_path).stdout.splitlines()) > 200


def test_init_makes_a_plan_that_loads_once_every_value_is_decided(tmp_path):
    done = clearplan("init", "study", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study" / "plan.toml").read_text(encoding="utf-8") == template()
    undecided = clearplan("run", "study/plan.toml", cwd=tmp_path)
    one_line(undecided, 2, "plan.toml: still marked CHOOSE: title (line 8), region (line 9)", "decide each value")
    decided = template().replace("CHOOSE: ", "")
    (tmp_path / "study" / "plan.toml").write_text(decided, encoding="utf-8")
    load_project(tmp_path / "study" / "plan.toml")
    (tmp_path / "study" / "plan.toml").write_text(decided.replace('set_by = "', 'set_by = "CHOOSE: '), encoding="utf-8")
    one_line(clearplan("run", "study/plan.toml", cwd=tmp_path), 2, "still marked CHOOSE: set_by (line ")
    (tmp_path / "study" / "plan.toml").write_text(decided, encoding="utf-8")
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
    assert sample_project() == SAMPLE / "plan.toml"


def test_help_loads_nothing_that_takes_long():
    """What makes help as fast as typer alone: nothing but typer, and what loads names on demand, is imported."""
    asked = "import sys; sys.argv[1:] = ['--help']; import atexit; "
    asked += "atexit.register(lambda: print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)); "
    loaded = []
    for own in ("from clearplan.cli.app import main; main()", "import typer; typer.run(lambda: None)"):
        done = subprocess.run([sys.executable, "-c", asked + own], capture_output=True, text=True, check=True)
        loaded.append(set(done.stderr.split()))
    ours, typers = loaded
    assert "clearplan" in ours
    assert ours - typers - sys.stdlib_module_names == {"clearplan", "lazy_loader"}


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
    assert {"clearplan/outputs/page/assets/open.js", "clearplan/settings/examples.toml", "clearplan/py.typed"} <= names


COMMANDS = ("demo", "init", "check", "run", "plan", "evaluate", "rank", "explain", "export", "diff", "scan",
            "records", "records read", "records template")  # fmt: skip


def test_version_and_commands():
    shown = clearplan("--version")
    assert (shown.returncode, shown.stdout) == (0, f"clearplan {__version__}\n")
    listed = clearplan("-h").stdout
    for command in COMMANDS:
        assert re.search(rf"^  {command.split()[0]} ", listed, flags=re.MULTILINE), command
    assert "..." not in listed.partition("Commands:")[2], "each command is described in a whole sentence"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_in_short_and_in_long(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    long, short = clearplan(*command.split(), "--help"), clearplan(*command.split(), "-h")
    assert (short.returncode, short.stdout) == (0, long.stdout)
    assert ("--out" in long.stdout) == ("-o, --out" in long.stdout)
    options = long.stdout.partition("\nOptions:")[2].replace("FOLDER-<tier>", "")
    assert "-h, --help" in options
    assert "<" not in options, "each value has a name instead of its type"
    assert max(map(len, long.stdout.splitlines())) <= 80


def test_help_names_the_tiers_and_loads_no_tables():
    assert TIER_NAMES.split("|") == list(TIERS)
    code = "import sys, clearplan.cli.app; print([name for name in sys.modules if name.startswith('clearplan.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "clearplan.cli.run" in loaded
    assert "clearplan.tables" not in loaded


def test_options_of_records_may_stand_before_the_file(tmp_path):
    path = one_record(tmp_path)
    done = clearplan("records", "-o", tmp_path / "r.gpkg", path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.gpkg").exists()


def test_ids_of_the_sample_are_whole_at_80_columns(sample, monkeypatch):
    _, folder = sample
    monkeypatch.setenv("COLUMNS", "80")
    shown = clearplan("rank", folder / "plan.gpkg", "--most", "10").stdout
    ids = re.findall(r"38[A-Z]{3}\d{4}-(?:SHA|CHA|IND)-\d+", shown)
    assert len(ids) > 40
    assert len(re.findall(r"38[A-Z]{3}\d{4}", shown)) == len(ids), "an id is broken"
    assert max(map(len, shown.splitlines())) <= 80
