"""The map page of 1,000, 10,000 and 100,000 polygons: its size, the time to make it and the time to open it.

    python benchmarks/page.py [--json] [--pictures FOLDER]

Half of the polygons are seeded hazards of 6-60 vertices along the shipped line, half are their tasks, which carry
seven criteria. The peer is plain folium that draws the same polygons, as one GeoJson of hazards and one of tasks,
coloured by class; Leaflet is put into its file, as it is in ours, and what else it asks the network for is taken out.
Both are made and opened in the same run, in processes and browsers of their own; libraries are imported beforehand.
Seconds of script are Chromium's count from navigation to the finished map: processor time of the page's thread, and
by the clock in other openings, which other work on the machine stretches.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SAMPLE = Path(__file__).parents[1] / "sample_data" / "karabakh"
SEED, SIZES, PEER_AT, UTM = 20201110, (1_000, 10_000, 100_000), 10_000, 32638
CLASSES = ("CHA", "SHA", "indication")
COLOURS = {"CHA": "#FF0000", "SHA": "#F4A718", "indication": "#8E7CC3"}
CRITERIA = ("people", "lifelines", "distance", "accidents", "class", "probability", "effort")
MOST_MB, MOST_SCRIPT_S, PART = 20.0, 3.0, 0.25
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip


# --- the workload


def make_world(polygons: int) -> tuple[Any, Any, Any, Any]:
    """Areas, tasks, zones, the line. Fields lie further from the line the more there are, so that ground stays free."""
    count = polygons // 2
    import geopandas as gpd
    import pandas as pd
    import shapely

    draw = np.random.default_rng(SEED)
    layer = gpd.read_file(SAMPLE / "line_of_contact" / "line_of_contact_1994_2020.geojson").to_crs(UTM)
    line = layer.geometry.iloc[0]
    at = shapely.get_coordinates(shapely.line_interpolate_point(line, draw.uniform(0, line.length, count)))
    at = at + draw.normal(0, 2_500 * max(1, (count / 10_000) ** 0.5), (count, 2))
    rings = []
    for x, y in at:
        corners = draw.integers(6, 61)
        angle = np.sort(draw.uniform(0, 2 * np.pi, corners))
        radius = draw.lognormal(np.log(180), 0.5) * draw.uniform(0.7, 1.3, corners)
        rings.append(shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])))
    fields = np.array([shape if shape.is_valid else shapely.convex_hull(shape) for shape in rings], dtype=object)
    land_class = draw.choice(CLASSES, count, p=(0.3, 0.5, 0.2))
    ids = [f"H-{k:06d}" for k in range(count)]
    areas = gpd.GeoDataFrame(
        {"hazard_id": ids, "kind": "minefield", "land_class": land_class, "band": "whole", "status": "open"},
        geometry=fields, crs=UTM,
    )  # fmt: skip
    spots = at[:: max(count // 40, 1)][:40] + 400
    zones = gpd.GeoDataFrame(
        {"zone_id": [f"Z{k}" for k in range(len(spots))], "name": [f"Place {k}" for k in range(len(spots))],
         "people": draw.integers(20, 2_000, len(spots)).astype(float), "position_error_m": 50.0, "source": "made up"},
        geometry=shapely.points(spots), crs=UTM,
    )  # fmt: skip
    tasks = areas[["land_class", "geometry"]].assign(
        task_id=[f"T-{k:06d}" for k in range(count)], queue=np.where(land_class == "CHA", "clearance", "survey"),
        district=draw.choice(["North", "East", "South"], count), hazard_ids=ids, area_m2=shapely.area(fields),
        zone_ids=[f"Z{k}" for k in draw.integers(0, len(spots), count)], people_assumed=0.0, zones_unknown=0,
        expected_m2=shapely.area(fields) * draw.uniform(0, 1, count),
    ).assign(position_error_m=draw.choice([10.0, 50.0], count))  # fmt: skip
    tasks["low_m2"], tasks["high_m2"], tasks["unknown_m2"] = 0.8 * tasks["expected_m2"], 1.2 * tasks["expected_m2"], 0.0
    score = np.zeros(count)
    for k, name in enumerate(CRITERIA):
        raw = draw.lognormal(3, 1, count)
        value = raw / (raw + 20)
        weight = 100 * (k + 1) / 28
        tasks = tasks.assign(**{f"c_{name}_raw": raw, f"c_{name}_value": value, f"c_{name}_weight": weight,
                                f"c_{name}_points": weight * value})  # fmt: skip
        score += weight * value
    tasks["score"] = score
    tasks["rank"] = tasks.groupby("queue")["score"].rank(ascending=False, method="first").astype("Int64")
    return areas, tasks.assign(rank=pd.array(tasks["rank"], dtype="Int64")), zones, layer


def make_ours(count: int, out: Path) -> tuple[float, float]:
    import folium  # noqa: F401, as the peer has it before its time begins

    import clearplan.geo.rasters  # noqa: F401
    from clearplan.core.imprint import Imprint
    from clearplan.outputs.layers import Layers
    from clearplan.outputs.page.draw import draw_map

    areas, tasks, zones, layer = make_world(count)
    title = f"{len(areas):,} made-up hazards"
    imprint = Imprint(title, dt.date(2026, 1, 1), "", "benchmark", crs="EPSG:32638", illustrative=True)
    begin, before = time.perf_counter(), time.process_time()
    draw_map(Layers(tasks, zones, areas=areas, contact_lines=layer[["geometry"]]), imprint).save(out)
    return time.perf_counter() - begin, time.process_time() - before


def make_peer(count: int, out: Path) -> tuple[float, float]:
    import folium

    areas, tasks, _, _ = make_world(count)
    begin, before = time.perf_counter(), time.process_time()
    chart = folium.Map()
    for table in (areas, tasks):
        shown = table[["land_class", "geometry"]].to_crs(4326)
        folium.GeoJson(
            shown, style_function=lambda one: {"color": COLOURS[one["properties"]["land_class"]], "weight": 1}
        ).add_to(chart)
    west, south, east, north = shown.total_bounds
    chart.fit_bounds([[south, west], [north, east]])
    chart.save(str(out))
    return time.perf_counter() - begin, time.process_time() - before


def put_leaflet_into(path: Path) -> None:
    """folium's file without the network: Leaflet in it, the other libraries out; it says when it has drawn."""
    from xstatic.pkg import leaflet

    page, folder = path.read_text(encoding="utf-8"), Path(leaflet.BASE_DIR)
    script = (folder / "leaflet.js").read_text(encoding="utf-8")
    style = (folder / "leaflet.css").read_text(encoding="utf-8")
    page = re.sub(r'<script src="[^"]*"></script>|<link rel="stylesheet" href="[^"]*"/>', "", page)
    page = page.replace("</head>", f"<style>{style}</style><script>{script}</script></head>", 1)
    end = page.rindex("</script>")
    page = page[:end] + 'document.documentElement.dataset.ready = "yes";\n' + page[end:]
    path.write_text(page, encoding="utf-8")


# --- what is measured


def measure_making(kind: str, count: int, out: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--make", kind, "--count", str(count), "--out", str(out)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_opening(path: Path, domain: str, picture: Path | None = None) -> tuple[float, float]:
    """Chromium's seconds of script, and of all tasks of the page's thread, from navigation to data-ready."""
    from playwright.sync_api import sync_playwright

    names = [os.environ.get("CLEARPLAN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    executable = next((found for name in filter(None, names) if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        page = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True).new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        watch = page.context.new_cdp_session(page)
        watch.send("Performance.enable", {"timeDomain": domain})
        page.goto(path.resolve().as_uri(), wait_until="commit")
        page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=120_000)
        own = {one["name"]: one["value"] for one in watch.send("Performance.getMetrics")["metrics"]}
        assert not complaints, complaints
        if picture:
            page.wait_for_timeout(1500)
            page.screenshot(path=picture)
        browser.close()
    return own["ScriptDuration"], own["TaskDuration"]


def measure(kinds: tuple[str, ...], count: int, folder: Path, asked: Any) -> dict[str, dict[str, float]]:
    """Medians of rounds in which the kinds take turns, so that other work on the machine meets them alike."""
    rows: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(asked.rounds if count < max(SIZES) else 1):
        for kind in kinds:
            path = folder / f"{kind}-{count}.html"
            made = measure_making(kind, count, path) | {"count": count, "mb": path.stat().st_size / 1e6}
            if kind == "peer":
                put_leaflet_into(path)
            rows[kind].append(made)
    opened: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(asked.rounds):
        for kind in kinds:
            told = {}
            for name, domain in (("", "threadTicks"), (" clock", "timeTicks")):
                own = measure_opening(folder / f"{kind}-{count}.html", domain)
                told["script" + name], told["thread" + name] = own
            opened[kind].append(told)
    for kind in kinds:
        if asked.pictures:
            measure_opening(folder / f"{kind}-{count}.html", "timeTicks", asked.pictures / f"{kind}-{count}.png")
    return {kind: _middle(rows[kind]) | _middle(opened[kind]) for kind in kinds}


def _middle(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def print_row(name: str, own: dict[str, float]) -> None:
    cells = (name, f"{own['count']:,}", f"{own['mb']:.1f}", f"{own['making']:.1f}", f"{own['making clock']:.1f}",
             f"{own['peak_mb']:.0f}", f"{own['script']:.2f}", f"{own['script clock']:.2f}", f"{own['thread']:.2f}",
             f"{own['thread clock']:.2f}")  # fmt: skip
    print("| " + " | ".join(cells) + " |", flush=True)


def bars(ours: dict[int, dict[str, float]], peer: dict[str, float]) -> dict[str, Any]:
    most, same = ours[max(ours)], ours[PEER_AT]
    told = {
        "MB at 100,000": (most["mb"], MOST_MB),
        "seconds of script at 100,000, by the clock": (most["script clock"], MOST_SCRIPT_S),
        "seconds of the page's thread at 100,000": (most["thread"], MOST_SCRIPT_S),
        "part of folium's size at 10,000": (same["mb"] / peer["mb"], PART),
        "part of folium's seconds of script at 10,000": (same["script"] / peer["script"], PART),
        "part of folium's seconds of script at 10,000, by the clock": (
            same["script clock"] / peer["script clock"],
            PART,
        ),
        "part of folium's processor seconds in Python at 10,000": (same["making"] / peer["making"], PART),
        "part of folium's seconds in Python at 10,000, by the clock": (
            same["making clock"] / peer["making clock"],
            PART,
        ),
    }
    return {name: {"value": round(value, 3), "bar": bar, "ok": value <= bar} for name, (value, bar) in told.items()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rounds", type=int, default=3, help="openings of which the median counts")
    arguments.add_argument("--pictures", type=Path, help="folder for a picture of each page")
    arguments.add_argument("--make", choices=("ours", "peer"), help=argparse.SUPPRESS)
    arguments.add_argument("--count", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.make:
        clock, processor = (make_ours if asked.make == "ours" else make_peer)(asked.count, asked.out)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"making": processor, "making clock": clock, "peak_mb": peak}))
        return
    if asked.pictures:
        asked.pictures.mkdir(parents=True, exist_ok=True)
    head = ("page", "polygons", "MB", "processor seconds in Python", "by the clock", "peak memory, MB",
            "script to ready, s", "by the clock", "all of the page's thread, s", "by the clock")  # fmt: skip
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        ours = {}
        for count in SIZES:
            told = measure(("ours", "peer") if count == PEER_AT else ("ours",), count, Path(folder), asked)
            ours[count] = told["ours"]
            print_row("clearplan", told["ours"])
            if count == PEER_AT:
                peer = told["peer"]
                print_row("plain folium", peer)
    from importlib.metadata import version

    names = ("folium", "xstatic-leaflet", "shapely", "rasterio", "playwright")
    print(f"\nPython {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in names)}, "
          f"{os.cpu_count()} cores, seed {SEED}")  # fmt: skip
    if asked.json:
        print(json.dumps({"bars": bars(ours, peer)}))


if __name__ == "__main__":
    main()
