"""Broken files and odd cells through the doors: no traceback, no hang, no row that is not accounted for.

    python benchmarks/fuzz.py [--json] [--files 20000] [--cells 1000000] [--seed 19] [--case 4711]

Files: each of some twenty kinds is built once and small; then one of its parts is broken, by its bytes (bits flipped,
cut, blocks swapped or doubled, bytes inserted, its head spoilt) or by its structure (a value of JSON, an attribute, a
cell, a member of an archive, a row of SQLite, the type of a Parquet column, a setting). Each goes through `clearplan
check`, strictly; where that names faults or none, it is then read leniently. It must end in one clear line, in faults,
or in a table whose rows are those that the file states. A broken plan.toml is run.

Cells: columns of numbers, days, ids and texts whose right reading is known; each must be read as what the cell shows,
be blank, or be a fault.

All of it happens in worker processes, which write down what they begin: one that ends, or takes more than two minutes
for one case, is a finding. ``--case N`` repeats one file in this process. `--json` runs a share.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import io
import json
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import fuzz_cells
import fuzz_damage
import fuzz_files
import geopandas as gpd
import pandas as pd
import pyogrio

MOST_SECONDS, MOST_BYTES, WORKERS = 120, 6 << 30, 2
BATCH = 500  # cases that a worker takes at once
CELL_BATCH, CELLS_OF_A_CASE = 25, 5_000


def kind_of(case: int) -> str:
    """The kind of a case; the first are each kind once, whole; each hundred cases hold every kind by its share."""
    if case < len(fuzz_files.KINDS):
        return list(fuzz_files.KINDS)[case]
    kinds = [kind for kind, (_, _, share) in fuzz_files.KINDS.items() for _ in range(share)]
    return kinds[case * 37 % len(kinds)]


def judge_file(case: int, seed: int, seeds: dict[str, Path]) -> dict[str, object]:
    """What became of one broken file: {kind, way, outcome, words}; an outcome in FINDINGS is one."""
    draw, kind = random.Random(f"{seed} {case}"), kind_of(case)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        home, first = Path(place), seeds[kind].parent
        shutil.copytree(first, home / first.name)
        path = home / first.name / seeds[kind].name
        if kind != "plan.toml":
            shutil.copy(first.parent / f"{first.name}.toml", home / "plan.toml")
        way = fuzz_damage.broken(path, fuzz_files.KINDS[kind][1], draw) if case >= len(fuzz_files.KINDS) else "whole"
        started = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outcome, words = _through_the_door(kind, path, home / "plan.toml")
        except Exception:
            outcome, words = "traceback", traceback.format_exc()
        taken = time.perf_counter() - started
    return {"case": case, "kind": kind, "way": way, "outcome": outcome, "words": words, "seconds": taken}


FINDINGS = ("traceback", "unclear", "rows lost", "hang", "crash")


def _through_the_door(kind: str, path: Path, plan: Path) -> tuple[str, str]:
    if kind == "plan.toml":
        return _run_plan(path)
    if kind.startswith("raster"):
        return _shade(path)
    table = "records" if kind.startswith("records") else "hazards"
    code, said = _command("check", path, "--as", table, "--plan", plan)
    refused = code and "Error: " in said
    if "bug in clearplan" in said or code not in (0, 1, 2):
        return "traceback", said
    if refused:
        line = said[said.index("Error: ") :]
        return ("unclear" if unclear(line, path) else "refused"), line
    return _read_leniently(table, path, plan, code)


def _command(*words: object) -> tuple[int, str]:
    """Exit code and words of a command, in this process, with the traceback of a bug."""
    from clearplan.cli import app

    out, code = io.StringIO(), 0
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(out),
        mock.patch.object(sys, "argv", ["clearplan", *map(str, words)]),
        mock.patch.object(app, "app", _commands()),  # built once: it takes longer than most files
        mock.patch.object(app, "_says_memory_is_full", _with_traceback),
    ):
        try:
            app.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue()


@functools.cache
def _commands() -> Callable[[], object]:
    import typer

    from clearplan.cli.app import app

    return typer.main.get_command(app)


def _with_traceback(error: Exception) -> bool:
    print("".join(traceback.format_exception(error)), file=sys.stderr)
    return False


def unclear(line: str, path: Path) -> bool:
    """Whether an error is more than one line, or does not name its file."""
    return "\n" in line.strip() or path.stem not in line


def _read_leniently(table: str, path: Path, plan: Path, code: int) -> tuple[str, str]:
    """The rows of a file that a lenient reading takes, against those that the file states."""
    from clearplan.core.errors import ClearplanError
    from clearplan.read.readers import read_source
    from clearplan.records.minefields import read_record_source
    from clearplan.settings.project import load_project

    project = load_project(plan)
    sources = project.records if table == "records" else project.files_of("hazards")
    source = sources[0].model_copy(update={"lenient": True})
    try:
        if table == "records":
            return "read, count unknown", f"{len(read_record_source(source, region=project.study.region).hazards)} rows"
        reading = read_source("hazards", source, region=project.study.region)
    except ClearplanError as error:
        if code == 0:
            return "traceback", f"strict reading took what lenient reading refuses: {error}"
        return ("unclear", str(error)) if unclear(str(error), path) else ("refused", str(error))
    rows, deferred = len(reading.table), int(reading.table["deferred"].notna().sum())
    stated = fuzz_files.stated_rows(path)
    # A file that lacks rows which it claims is refused; read leniently, its balance and a warning say how many.
    named = code == 1 and reading.claimed in stated
    if (stated - {rows} and not named) or (code == 0 and deferred):
        return "rows lost", f"{rows} rows read, {deferred} deferred, strict exit code {code}, file states {stated}"
    if not stated:
        return "read, count unknown", f"{rows} rows"
    return ("read" if code == 0 else "read leniently, faults named"), f"{rows} rows, {deferred} deferred"


def _run_plan(path: Path) -> tuple[str, str]:
    from clearplan.core.errors import ClearplanError
    from clearplan.study.run import run_study

    try:
        run_study(path)
    except ClearplanError as error:
        return ("unclear", str(error)) if "\n" in str(error).strip() else ("refused", str(error))
    return "read", ""


def _shade(path: Path) -> tuple[str, str]:
    from clearplan.core.errors import ClearplanError
    from clearplan.geo.rasters import hillshade_png

    try:
        hillshade_png(path)
    except ClearplanError as error:
        return ("unclear", str(error)) if unclear(str(error), path) else ("refused", str(error))
    return "read", ""


# --- workers


def work(what: str, seed: int, start: int, stop: int, place: str, until: float) -> None:
    """The cases of one worker, as long as there is time; each is written down before it begins and after it ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    names = {kind: Path(place) / kind.replace(" ", "_") / name for kind, (name, _, _) in fuzz_files.KINDS.items()}
    with contextlib.redirect_stdout(io.StringIO()):
        for case in range(start, stop):
            if time.time() > until:
                return
            print(json.dumps({"begins": case}), file=sys.__stdout__, flush=True)
            one = (
                judge_file(case, seed, names)
                if what == "files"
                else fuzz_cells.judge_cells(case, seed, CELLS_OF_A_CASE)
            )
            print(json.dumps(one), file=sys.__stdout__, flush=True)


class Worker:
    """A process that works on a batch of cases; its words stand in a file."""

    def __init__(self, what: str, seed: int, start: int, stop: int, folder: Path, until: float) -> None:
        self.stop, self.log = stop, folder / f"{what}-{start}.jsonl"
        words = [sys.executable, __file__, "--worker", json.dumps([what, seed, start, stop, str(folder), until])]
        with self.log.open("w") as out, self.log.with_suffix(".err").open("w") as errors:
            self.process = subprocess.Popen(words, stdout=out, stderr=errors)

    def results(self) -> tuple[list[dict], int | None]:
        """What it has written, and the case that it is at."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        begun = [line["begins"] for line in lines if "begins" in line]
        done = [line for line in lines if "begins" not in line]
        return done, begun[-1] if len(begun) > len(done) else None

    def is_stuck(self) -> bool:
        return time.time() - self.log.stat().st_mtime > MOST_SECONDS


def campaign(what: str, seed: int, cases: int, folder: Path, until: float = float("inf")) -> list[dict]:
    """Results of all cases, by workers; one that ends early or hangs is a finding, and the next case goes on."""
    batch = BATCH if what == "files" else CELL_BATCH
    waiting = [(start, min(start + batch, cases)) for start in range(0, cases, batch)][::-1]
    running: list[Worker] = []
    results: list[dict] = []
    while waiting or running:
        while waiting and len(running) < WORKERS and time.time() < until:
            start, stop = waiting.pop()
            running.append(Worker(what, seed, start, stop, folder, until))
        if time.time() > until:
            waiting.clear()
        time.sleep(0.2)
        for worker in list(running):
            ended, stuck = worker.process.poll() is not None, worker.is_stuck()
            if not ended and not stuck:
                continue
            worker.process.kill()
            worker.process.wait()
            running.remove(worker)
            done, at = worker.results()
            results += done
            if at is not None:
                last = worker.log.with_suffix(".err").read_text(errors="replace")[-2000:]
                words = f"{last}\nexit code {worker.process.returncode}" if ended else f"more than {MOST_SECONDS} s"
                kind = kind_of(at) if what == "files" else "cells"
                outcome = "crash" if ended else "hang"
                results.append(
                    {"case": at, "kind": kind, "way": "", "outcome": outcome, "words": words, "seconds": 0.0}
                )
                if at + 1 < worker.stop:
                    waiting.append((at + 1, worker.stop))
    return sorted(results, key=lambda one: one["case"])


# --- tables


def print_files(results: list[dict]) -> None:
    outcomes = ["read", "read, count unknown", "read leniently, faults named", "refused", *FINDINGS]
    print("| kind | files | " + " | ".join(outcomes) + " | slowest, s |")
    print("|" + "---|" * (len(outcomes) + 3))
    for kind in [*fuzz_files.KINDS, "all"]:
        of_kind = [one for one in results if kind in (one["kind"], "all")]
        counts = collections.Counter(one["outcome"] for one in of_kind)
        slowest = max((one["seconds"] for one in of_kind), default=0)
        cells = " | ".join(str(counts[outcome]) for outcome in outcomes)
        print(f"| {kind} | {len(of_kind):,} | {cells} | {slowest:.1f} |")


def print_cells(results: list[dict]) -> None:
    names = ("cells", "value", "blank", "fault", "wrong")
    print("\n| columns of | " + " | ".join(names) + " |\n|" + "---|" * 6)
    totals = collections.Counter()
    for one in results:
        totals.update(
            {(kind, name): count for kind, counts in one.get("counts", {}).items() for name, count in counts.items()}
        )
    for kind in fuzz_cells.COLUMNS:
        print(f"| {kind} | " + " | ".join(f"{totals[kind, name]:,}" for name in names) + " |")


def summary(files: list[dict], cells: list[dict]) -> dict[str, dict[str, object]]:
    counts = collections.Counter(one["outcome"] for one in [*files, *cells])
    wrong = sum(counts.get("wrong", 0) for one in cells for counts in one.get("counts", {}).values())
    bars = {outcome: counts[outcome] for outcome in FINDINGS} | {"cells read wrongly": wrong}
    return {name: {"value": count, "bar": 0, "ok": count == 0} for name, count in bars.items()}


def print_findings(results: list[dict]) -> None:
    """One finding of each kind, way and last line, with the number that repeats it."""
    seen: collections.Counter[tuple[object, ...]] = collections.Counter()
    first: dict[tuple[object, ...], dict] = {}
    for one in results:
        if one["outcome"] in FINDINGS or one["outcome"] == "wrong":
            key = one["kind"], one["outcome"], str(one["words"]).strip().split("\n")[-1][:120]
            seen[key] += 1
            first.setdefault(key, one)
    for key, count in seen.most_common():
        print(
            f"\n{count} x {key[0]}, {first[key]['way']}: {key[1]}, --case {first[key]['case']}\n{first[key]['words']}"
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--json", action="store_true", help="a share of at most 5 minutes; a summary on the last line"
    )
    arguments.add_argument("--files", type=int, default=20_000)
    arguments.add_argument("--cells", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=19)
    arguments.add_argument("--case", type=int, help="repeat one file in this process")
    arguments.add_argument("--worker", help=argparse.SUPPRESS)
    stated = arguments.parse_args()
    if stated.worker:
        work(*json.loads(stated.worker))
        return
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        folder = Path(place)
        seeds = fuzz_files.make_seeds(folder)
        if stated.case is not None:
            for key, value in judge_file(stated.case, stated.seed, seeds).items():
                print(f"{key}: {value}")
            return
        started = time.time()
        until = started + 200 if stated.json else float("inf")
        files = campaign("files", stated.seed, stated.files, folder, until)
        until = time.time() + 60 if stated.json else float("inf")
        cells = campaign("cells", stated.seed, stated.cells // CELLS_OF_A_CASE, folder, until)
        taken = time.time() - started
    print_files(files)
    print_cells(cells)
    print_findings([*files, *cells])
    versions = f"pandas {pd.__version__}, geopandas {gpd.__version__}, pyogrio {pyogrio.__version__}"
    print(
        f"\n{taken:.0f} s in {WORKERS} processes; Python {platform.python_version()}, {versions}, "
        f"GDAL {pyogrio.__gdal_version_string__}, seed {stated.seed}"
    )
    if stated.json:
        print(json.dumps({"bars": summary(files, cells), "files": len(files), "seconds": round(taken)}))


if __name__ == "__main__":
    main()
