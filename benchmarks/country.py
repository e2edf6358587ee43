"""A country's records as such files are: through `clearplan check` and `clearplan run`, strictly and leniently.

    python benchmarks/country.py [--json] [--suspected 11000] [--cleared 8000]

Seeded, after the state of a real national set: of the suspected areas 28 % have no shape, 4 % cross themselves, 40 %
have no id, some ids and whole rows come twice, and areas overlap; of the cleared areas 8 % cross themselves and some
come twice; no row has a date. Strict reading must refuse it by rule. Lenient reading must end in a full run whose
balance adds up. A cleared area without a day decides nothing: it is deferred, unless the plan states a day for all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

SEED, REGION = 20261130, (45.6, 38.8, 47.8, 40.9)
PLAN = """
[study]
title = "A made-up country"
region = [45.6, 38.8, 47.8, 40.9]
as_at = 2026-01-01
illustrative = true
[[hazards]]
path = "suspected.gpkg"
HAZARDS
[hazards.columns]
hazard_id = "ha_code"
position_error_m = "accuracy"
[hazards.set]
kind = "minefield"
land_class = "SHA"
status = "open"
source = "national register"
[hazards.codes.ordnance]
"APM" = "AP"
"ATM" = "AV"
"" = "unknown"
[[releases]]
path = "cleared.gpkg"
RELEASES
[releases.columns]
release_id = "ca_code"
[releases.set]
action = "cleared"
decided_by = "national authority"
depth_m = 0.13
position_error_m = 10
source = "national register"
DECIDED
[[zones]]
path = "places.csv"
crs = "EPSG:4326"
[footprints]
strike_radius_m = 300
[footprints.margin_m]
AP = 10
AV = 20
mixed = 20
unknown = 20
[release]
detection = { cancelled = 0.5, reduced = 0.8, cleared = 0.99 }
halo = "drop"
source = "made up"
[tasks]
influence_m = 2000
min_task_m2 = 500
join_within_m = 50
[tasks.max_task_ha]
survey = 110
clearance = 26
[priority]
set_by = "made up"
set_on = 2026-01-01
unknown_people = 50
accidents_radius_m = 500
accidents_since = 2020-11-10
class_values = { CHA = 1.0, SHA = 0.5, indication = 0.1 }
[[priority.criteria]]
name = "people"
weight = 2
zero_at = 0
one_at = 1000
source = "made up"
[[priority.criteria]]
name = "zone_distance"
weight = 1
zero_at = 5000
one_at = 0
source = "made up"
[map]
title = "A made-up country"
"""
#: Extra settings of the hazards, of the releases, and the day of all decisions.
READINGS = {
    "strict": ("", "", ""),
    "lenient": ('lenient = true\nids = "number"', 'lenient = true\nids = "number"', ""),
    "lenient, a day stated": (
        'lenient = true\nids = "number"',
        'lenient = true\nids = "number"',
        "decided_on = 2015-12-31",
    ),
}


def write_country(folder: Path, suspected: int, cleared: int, reading: str = "strict") -> Path:
    """The country's files and its plan.toml; the same ones for the same numbers."""
    draw = np.random.default_rng(SEED)
    places = _places(draw, max(suspected // 40, 10))
    at = places[draw.integers(0, len(places), suspected)] + draw.normal(0, 0.03, (suspected, 2))
    table = gpd.GeoDataFrame(
        {
            "ha_code": [f"HA-{k:05d}" for k in range(suspected)],
            "ordnance": draw.choice(["APM", "ATM", "mixed", "", None], suspected),
            "accuracy": draw.choice([5.0, 25.0, 100.0, 500.0], suspected),
            "recorded_on": None,
            "remark": [f"village {k % 211}, reported by locals" for k in range(suspected)],
        },
        geometry=_polygons(draw, at, 250.0, crossing=0.04),
        crs=4326,
    )
    table.loc[draw.random(suspected) < 0.28, "geometry"] = None
    table.loc[draw.random(suspected) < 0.40, "ha_code"] = None
    repeated = np.flatnonzero(draw.random(suspected) < 0.03)
    table.loc[repeated, "ha_code"] = table["ha_code"].to_numpy()[(repeated * 7) % suspected]
    twice = np.flatnonzero(draw.random(suspected) < 0.02)
    table.loc[twice] = table.to_numpy()[np.maximum(twice - 1, 0)]
    _written(table, folder / "suspected.gpkg")

    # Half of the cleared areas lie on suspected ground, as most do; the others were never in the register.
    centres = np.where(
        draw.random((cleared, 1)) < 0.5,
        at[draw.integers(0, suspected, cleared)] + draw.normal(0, 0.001, (cleared, 2)),
        places[draw.integers(0, len(places), cleared)] + draw.normal(0, 0.03, (cleared, 2)),
    )
    areas = gpd.GeoDataFrame(
        {
            "ca_code": [f"CA-{k:05d}" for k in range(cleared)],
            "decided_on": None,
            "method": draw.choice(["manual", "MDD", None], cleared),
        },
        geometry=_polygons(draw, centres, 150.0, crossing=0.08),
        crs=4326,
    )
    repeated = np.flatnonzero(draw.random(cleared) < 0.01)
    areas.loc[repeated, "ca_code"] = areas["ca_code"].to_numpy()[(repeated * 7) % cleared]
    _written(areas, folder / "cleared.gpkg")

    people = draw.integers(20, 3000, len(places)).astype(object)
    people[draw.random(len(places)) < 0.3] = None
    pd.DataFrame(
        {"zone_id": [f"P{k}" for k in range(len(places))], "name": [f"Place {k}" for k in range(len(places))],
         "people": people, "position_error_m": 100, "source": "made up", "lon": places[:, 0], "lat": places[:, 1]}
    ).to_csv(folder / "places.csv", index=False)  # fmt: skip
    text = PLAN
    for word, setting in zip(("HAZARDS", "RELEASES", "DECIDED"), READINGS[reading], strict=True):
        text = text.replace(word, setting)
    (folder / "plan.toml").write_text(text)
    return folder / "plan.toml"


def _written(table: gpd.GeoDataFrame, path: Path) -> None:
    path.unlink(missing_ok=True)
    table.to_file(path)


def _places(draw: np.random.Generator, count: int) -> np.ndarray:
    west, south, east, north = REGION
    return np.column_stack([draw.uniform(west + 0.2, east - 0.2, count), draw.uniform(south + 0.2, north - 0.2, count)])


def _polygons(draw: np.random.Generator, at: np.ndarray, radius_m: float, crossing: float) -> np.ndarray:
    """Polygons of 5 to 12 corners round places (lon, lat); a share of them has two corners exchanged, so they cross."""
    shapes = np.empty(len(at), dtype=object)
    for k, (lon, lat) in enumerate(at):
        angles = np.sort(draw.uniform(0, 2 * np.pi, draw.integers(5, 13)))
        reach = radius_m * draw.lognormal(0, 0.5) * draw.uniform(0.5, 1, len(angles)) / 111_000
        ring = np.column_stack([lon + reach * np.cos(angles) / 0.77, lat + reach * np.sin(angles)])
        if draw.random() < crossing:
            ring[[1, 2]] = ring[[2, 1]]
        shapes[k] = shapely.Polygon(ring)
    return shapes


@dataclass(frozen=True)
class Result:
    """Exit code, the last line that was said, processor seconds [s] and largest memory [MB] of a command."""

    code: int
    said: str
    seconds: float
    megabytes: int


_MEASURED = """
import json, resource, sys
from clearplan.cli.app import main
code = 0
try:
    main()
except SystemExit as end:
    code = int(end.code or 0)
of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
seconds = sum(one.ru_utime + one.ru_stime for one in of)
peak_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("\\n" + json.dumps([code, seconds, int(peak_kb) // 1024]))
"""


def measured(*words: object) -> Result:
    """A command of clearplan in a process of its own."""
    command = [sys.executable, "-c", _MEASURED, *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    )
    lines = done.stdout.strip().splitlines()
    code, seconds, megabytes = json.loads(lines[-1])
    errors = done.stderr.strip().splitlines()
    said = errors[-1] if errors and code else next((line for line in reversed(lines[:-1]) if line.strip()), "")
    return Result(code, said, seconds, megabytes)


def unbalanced(run_json: Path, counts: dict[str, int]) -> list[str]:
    """What does not add up in a run's balance, against the rows that were written."""
    wrong = []
    for row in json.loads(run_json.read_text())["balance"]:
        if row["read"] != row["used"] + row["deferred"]:
            wrong.append(f"{row}: read is not used + deferred")
        if row["file"] in counts and row["read"] != counts[row["file"]]:
            wrong.append(f"{row}: {counts[row['file']]} rows were written")
    return wrong


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--suspected", type=int, default=11_000)
    arguments.add_argument("--cleared", type=int, default=8_000)
    stated = arguments.parse_args()
    counts = {"suspected.gpkg": stated.suspected, "cleared.gpkg": stated.cleared}
    wrong: list[str] = []
    print(f"| {stated.suspected:,} suspected, {stated.cleared:,} cleared areas | exit | CPU s | MB | last line |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for k, reading in enumerate(READINGS):
            folder = Path(place) / str(k)  # of its own: decisions stay known beside a plan
            folder.mkdir()
            plan, out = write_country(folder, stated.suspected, stated.cleared, reading), folder / "out"
            commands = {
                f"check suspected, {reading}": ("check", folder / "suspected.gpkg", "--as", "hazards", "--plan", plan),
                f"check cleared, {reading}": ("check", folder / "cleared.gpkg", "--as", "releases", "--plan", plan),
                f"run, {reading}": ("run", plan, "--out", out),
            }
            for name, words in commands.items():
                result = measured(*words)
                print(
                    f"| {name} | {result.code} | {result.seconds:.1f} | {result.megabytes} | {result.said[:150]} |",
                    flush=True,
                )
                expected = 1 if reading == "strict" else 0 if name.startswith("run") else None
                if result.code not in ((expected,) if expected is not None else (0, 1)) or "bug in" in result.said:
                    wrong.append(f"{name}: exit {result.code}, {result.said}")
            if reading != "strict" and (out / "run.json").exists():
                wrong += unbalanced(out / "run.json", counts)
    print("\n" + ("\n".join(wrong) or "Every balance adds up; strict reading refuses by rule."))
    print(f"\nPython {platform.python_version()}, geopandas {gpd.__version__}, {os.cpu_count()} cores, seed {SEED}")
    if stated.json:
        print(json.dumps({"bars": {"wrong ends and balances": {"value": len(wrong), "bar": 0, "ok": not wrong}}}))


if __name__ == "__main__":
    main()
