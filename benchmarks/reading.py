"""100,000 hazards from six formats: processor time of this state of clearplan over that of an earlier one.

    python benchmarks/reading.py [--json] [--rows 100000] [--rounds 5] [--before COMMIT]

The earlier state is taken out of git; by default it is the last one before cells were read by column, rows were held
against what a file claims, and files were sealed. Each reading is a fresh process that has read ten rows of the same
format before, so that imports count for neither. User and system seconds are of the process and its children; the
two states read in turns. A file of more than 64 MB is read in a process of its own: it is held against the same
reading in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SEED, REGION = 20260101, (46.0, 39.0, 48.0, 41.0)
BEFORE, BAR = "ba948c1", 1.3
FORMATS = ("csv", "geojson", "gpkg", "xlsx", "parquet", "shp")
LARGE = "large.csv"

_READ = """
import resource, sys, warnings
from pathlib import Path
import clearplan as cp
small, path, one_process = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
short = {"columns": {"position_error_m": "error_m", "recorded_on": "day"}} if path.suffix == ".shp" else {}
stated = {"crs": "EPSG:4326"} if path.suffix in (".csv", ".xlsx") else {}
options = {"region": (46.0, 39.0, 48.0, 41.0), **stated, **short}
if one_process == "yes":
    from clearplan.read import worker
    worker.LARGE_BYTES = 1 << 40
cp.read_hazards(small, **options)
def seconds():
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in of)
before = seconds()
rows = len(cp.read_hazards(path, **options))
taken = seconds() - before
peak_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(cp.__file__, rows, taken, int(peak_kb) // 1024)
"""


def write_files(folder: Path, rows: int) -> None:
    """The same hazards in every format, and ten of them."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    draw = np.random.default_rng(SEED)
    x, y = draw.uniform(46.1, 47.9, rows), draw.uniform(39.1, 40.9, rows)
    table = gpd.GeoDataFrame(
        {
            "hazard_id": [f"MF-{k:06d}" for k in range(rows)],
            "kind": "minefield",
            "land_class": draw.choice(["CHA", "SHA"], rows),
            "status": "open",
            "ordnance": draw.choice(["AP", "AV", "mixed"], rows),
            "position_error_m": np.round(draw.uniform(5, 100, rows), 1),
            "source": [f"Report {k % 997}, Ağdam" for k in range(rows)],
            "recorded_on": pd.Timestamp("2021-01-01") + pd.to_timedelta(draw.integers(0, 1500, rows), unit="D"),
            "team": draw.integers(1, 40, rows),
            "note": [f"as drawn on sheet {k % 131}" for k in range(rows)],
        },
        geometry=shapely.box(x, y, x + draw.uniform(1e-4, 2e-3, rows), y + draw.uniform(1e-4, 2e-3, rows)),
        crs=4326,
    )
    for name, part in (("small", table.head(10)), ("all", table)):
        plain = pd.DataFrame(part.drop(columns="geometry")).assign(wkt=part.geometry.to_wkt())
        plain["recorded_on"] = plain["recorded_on"].dt.date
        plain.to_csv(folder / f"{name}.csv", index=False)
        plain.to_excel(folder / f"{name}.xlsx", index=False, engine="xlsxwriter")
        part.to_parquet(folder / f"{name}.parquet")
        part.to_file(folder / f"{name}.gpkg")
        part.to_file(folder / f"{name}.geojson", RFC7946="YES")
        short = part.rename(columns={"position_error_m": "error_m", "recorded_on": "day"})
        short["day"] = short["day"].dt.strftime("%Y-%m-%d")
        short.to_file(folder / f"{name}.shp", encoding="utf-8")
    plain.assign(note="x" * (90_000_000 // rows)).to_csv(folder / LARGE, index=False)


def read_once(source: Path, small: Path, path: Path, rows: int, *, one_process: bool = False) -> tuple[float, int]:
    """Processor seconds of a reading [s] and the largest memory of its process [MB]."""
    environment = os.environ | {"PYTHONPATH": str(source), "OPENBLAS_NUM_THREADS": "1"}
    words = [sys.executable, "-W", "ignore", "-c", _READ, str(small), str(path), "yes" if one_process else "no"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{path.name}: {done.stderr.strip().splitlines()[-1]}")
    file, read, seconds, megabytes = done.stdout.split()
    assert Path(file).is_relative_to(source), f"{file} is not of {source}"
    assert int(read) == rows, f"{path.name}: {read} of {rows} rows"
    return float(seconds), int(megabytes)


def take_out(commit: str, folder: Path) -> Path:
    """The sources of a commit, out of git."""
    root = Path(__file__).parents[1]
    archive = subprocess.run(["git", "-C", str(root), "archive", commit, "src"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder / "src"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--before", default=BEFORE, metavar="COMMIT")
    arguments.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    stated = arguments.parse_args()
    now = Path(__file__).parents[1] / "src"
    bars = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = take_out(stated.before, folder)
        write_files(folder, stated.rows)
        print(f"| {stated.rows:,} hazards | before, CPU s | now, CPU s | ratio | memory before, MB | now, MB |")
        print("|---|---|---|---|---|---|")
        for suffix in stated.formats:
            small, path = folder / f"small.{suffix}", folder / f"all.{suffix}"
            ratio = compare(suffix, stated, [(before, small, path, False), (now, small, path, False)])
            bars[f"CPU time for {suffix}, now to before"] = {"value": ratio, "bar": BAR, "ok": ratio <= BAR}
        size = (folder / LARGE).stat().st_size / 2**20
        print(f"| CSV of {size:.0f} MB | in one process | in a process of its own | | | |")
        small = folder / "small.csv"
        ratio = compare("same", stated, [(now, small, folder / LARGE, True), (now, small, folder / LARGE, False)])
        bars["CPU time for a large CSV, apart to in one process"] = {"value": ratio, "bar": 2, "ok": ratio <= 2}
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} cores, before: {stated.before}, seed {SEED}")
    if stated.json:
        print(json.dumps({"bars": bars}))


def compare(name: str, stated: argparse.Namespace, sides: list[tuple[Path, Path, Path, bool]]) -> float:
    """Print a row of the table: medians of both sides, which read in turns; returns their ratio."""
    runs: list[list[tuple[float, int]]] = [[], []]
    for _ in range(stated.rounds):
        for side, (source, small, path, one_process) in zip(runs, sides, strict=True):
            side.append(read_once(source, small, path, stated.rows, one_process=one_process))
    (first, first_mb), (second, second_mb) = (map(statistics.median, zip(*side, strict=True)) for side in runs)
    ratio = round(second / first, 2)
    print(f"| {name} | {first:.2f} | {second:.2f} | {ratio:.2f} | {first_mb:.0f} | {second_mb:.0f} |", flush=True)
    return ratio


if __name__ == "__main__":
    main()
