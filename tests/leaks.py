"""What a folder of outputs gives away of a project's inputs: files decoded, every pair of numbers held against them.

Reads the inputs by itself (json, csv, openpyxl, pyproj): no mistake of ours in reading hides one in publishing.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pypdf
import pyproj
import shapely
from scipy.spatial import cKDTree

from clearplan.tables.codes import CODE_LISTS
from tests.pdf import texts_of_pages

#: A published pair of numbers so near to a secret place, in both directions, gives it away: three decimals of a degree.
PRECISION_M = 100.0
LONLAT, METRES = "EPSG:4326", "EPSG:32638"
_NUMBER = re.compile(r"(?<![\w.#])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_KM_SQUARE = re.compile(r"(?<!\w)\d{1,2}[C-HJ-NP-X] ?[A-HJ-NP-Z]{2} ?\d{2} ?\d{2}(?!\d)")
_DATA = re.compile(r"data:[\w/+.-]+;base64,([A-Za-z0-9+/=]+)")
_SCRIPT = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class Secrets:
    """places: kind to (n, 2) metres; words: kind to texts; open: (n, 2) metres of what anyone may see."""

    places: dict[str, np.ndarray]
    words: dict[str, set[str]]
    open: np.ndarray


def secrets_of(folder: Path, study: Any) -> Secrets:
    """Places and words of the sample's inputs that must not leave."""
    turn = pyproj.Transformer.from_crs(LONLAT, METRES, always_xy=True)

    def metres(pairs: Iterable[Any]) -> np.ndarray:
        table = np.array(list(pairs), dtype=float).reshape(-1, 2)
        return np.column_stack(turn.transform(table[:, 0], table[:, 1]))

    def layer(name: str) -> dict[str, Any]:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    def corners(name: str) -> np.ndarray:
        shapes = [
            shapely.from_geojson(json.dumps(own["geometry"])) for own in layer(name)["features"] if own["geometry"]
        ]
        return metres(shapely.get_coordinates(shapes))

    def points(name: str) -> np.ndarray:
        return metres(pd.read_csv(folder / name)[["lon", "lat"]].dropna().to_numpy())

    traversed = [own.vertices.geometry.dropna().to_numpy() for own in study.records]
    fields = study.areas[study.areas["kind"] != "contact-line"].geometry.dropna().to_numpy()
    places = {
        "hazard": corners("illustrative/minefields.geojson"), "strike": points("cluster_strikes_2020.csv"),
        "accident": points("illustrative/accidents.csv"), "zone": points("resettlement.csv"),
        "lifeline": corners("illustrative/lifelines.geojson"), "release": corners("illustrative/releases.geojson"),
        "record point": shapely.get_coordinates(np.concatenate(traversed)),
        "task": shapely.get_coordinates(study.tasks.geometry.to_numpy()),
        "footprint": shapely.get_coordinates(fields),
    }  # fmt: skip
    layers = ("line_of_contact/line_of_contact_1994_2020", "admin/districts_az_am", "admin/countries_az_am",
              "water/rivers", "water/lakes")  # fmt: skip
    seen = [corners(f"{name}.geojson") for name in layers]
    # The page's search knows the boxes of districts and the settlements of an open gazetteer.
    boxes = [shapely.from_geojson(json.dumps(own["geometry"])).bounds
             for own in layer("admin/districts_az_am.geojson")["features"]]  # fmt: skip
    seen += [metres([box[0:2], box[2:4], (box[0], box[3]), (box[2], box[1])]) for box in boxes]
    gazetteer = pd.read_csv(folder / "places/populated_places.csv")
    seen.append(metres(gazetteer[["longitude", "latitude"]].to_numpy()))
    return Secrets(places, _words(folder, study, layer), np.concatenate(seen))


def _words(folder: Path, study: Any, layer: Any) -> dict[str, set[str]]:
    book = openpyxl.load_workbook(folder / "records.xlsx", read_only=True)
    sheets = {name: pd.DataFrame(list(book[name].values)) for name in book.sheetnames}
    book.close()
    records, legs = (sheets[name].iloc[1:].set_axis(sheets[name].iloc[0], axis=1) for name in ("records", "legs"))
    fields = pd.DataFrame([own["properties"] for own in layer("illustrative/minefields.geojson")["features"]])
    accidents, gates = (pd.read_csv(folder / f"illustrative/{name}.csv") for name in ("accidents", "gates"))
    lifelines = pd.DataFrame([own["properties"] for own in layer("illustrative/lifelines.geojson")["features"]])
    releases = pd.DataFrame([own["properties"] for own in layer("illustrative/releases.geojson")["features"]])
    strikes = pd.read_csv(folder / "cluster_strikes_2020.csv")
    history, teams = pd.read_csv(folder / "illustrative/history.csv"), pd.read_csv(folder / "teams.csv")
    known = {code for codes in CODE_LISTS.values() for code in codes} | set(study.zones["name"])
    towns = pd.read_csv(folder / "places/populated_places.csv")
    for names in (
        towns["name"],
        towns["asciiname"],
        towns["alternatenames"],
    ):  # an open gazetteer, which the page holds
        known |= {own.strip() for text in names.dropna() for own in str(text).split(",")}
    known |= {str(name) for name in study.context.districts[study.context.district_name]}

    def texts(table: pd.DataFrame, *columns: str, shortest: int = 5) -> set[str]:
        found = {str(v) for name in columns if name in table for v in table[name].dropna().unique()}
        return {own for own in found if len(own) >= shortest and own not in known}

    return {
        "hazard": texts(fields, "PolyID", "Origin") | texts(strikes, "strike_id", "source"),
        "record": texts(records, "record_id", "source"),
        "military": texts(records, "unit", "base_sheet", "ordnance_type", "handed_over_by")
        | texts(legs, "coordinates", "landmark", "remark", "easting", "northing", shortest=6),
        "accident": texts(accidents, "accident_id", "source"),
        "gate": texts(gates, "gate_id", "reason", "until", shortest=4),
        "lifeline": texts(lifelines, "lifeline_id", "name"),
        "release": texts(releases, "release_id", "reason", "operator", "decided_by"),
        "history": texts(history, "history_id", "reason", "changed_by"),
        "team": texts(teams, "team_id", shortest=2),
        "task": set(study.tasks["task_id"]),
        "zone": set(study.zones["zone_id"]),
        "size": {f"{area:.10g}" for area in study.tasks["area_m2"] if area % 1000 > 1},
        "file": {path.name for path in folder.rglob("*") if path.suffix in (".geojson", ".csv", ".xlsx", ".tif")},
    }


# --- files, decoded to texts and pairs of numbers ------------------------------------------------------------------


def texts_of(path: Path) -> tuple[str, ...]:
    """Everything in a file that is text, however it is wrapped; read once, since PDFs take long."""
    return _texts(path, path.stat().st_mtime_ns)


@functools.cache
def _texts(path: Path, written: int) -> tuple[str, ...]:
    return tuple(_read(path))


def _read(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    if path.suffix == ".gpkg":
        yield from _database(path)
    elif path.suffix == ".parquet":
        yield gpd.read_parquet(path).to_csv()
    elif path.suffix == ".pdf":
        paper = pypdf.PdfReader(io.BytesIO(data))
        yield from texts_of_pages(paper)
        yield " ".join(str(value) for value in (paper.metadata or {}).values())
    elif zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            for name in parts.namelist():
                yield html.unescape(parts.read(name).decode("utf-8", "replace"))
    elif path.suffix in (".tif", ".png"):
        yield data.decode("latin-1")
    else:
        text = data.decode("utf-8")
        yield from (_bare(text), *_pictures(text))
        for blob in _SCRIPT.findall(text):
            yield json.dumps(json.loads(blob), ensure_ascii=False)


def _bare(text: str) -> str:
    """Text without what data URIs hold, entities as their signs."""
    return html.unescape(_DATA.sub("data:", text))


def _pictures(text: str) -> Iterator[str]:
    for coded in _DATA.findall(text):
        yield base64.b64decode(coded).decode("latin-1")


def _database(path: Path) -> Iterator[str]:
    """Every table of a GeoPackage, those of GDAL, QGIS and SQLite too."""
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            for row in database.execute(f'SELECT * FROM "{name}"'):
                yield " | ".join(str(value) for value in row if value is not None and not isinstance(value, bytes))
        yield " | ".join(str(sql) for (sql,) in database.execute("SELECT sql FROM sqlite_master"))
    database.close()


def pairs_of(path: Path) -> np.ndarray:
    """Every pair of numbers of a file that could be a place, in metres (n, 2)."""
    found: list[np.ndarray] = []
    if path.suffix == ".gpkg":
        found += list(_stored(path))
    if path.suffix == ".tif":
        import rasterio

        with rasterio.open(path) as raster:
            found.append(np.array([[raster.bounds.left, raster.bounds.top]]))
        return np.concatenate(found)
    for text in texts_of(path):
        numbers = np.array([float(n) for n in _NUMBER.findall(text)])
        if len(numbers) > 1:
            found.append(np.column_stack([numbers[:-1], numbers[1:]]))
    if path.suffix == ".html":
        for blob in _SCRIPT.findall(path.read_text(encoding="utf-8")):
            found += list(_walked(json.loads(blob)))
    return _as_metres(np.concatenate(found) if found else np.zeros((0, 2)))


def _stored(path: Path) -> Iterator[np.ndarray]:
    """Shapes of a GeoPackage: well-known binary behind a head whose length its flags tell (OGC 12-128r19, 2.1.3)."""
    lengths = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
    with sqlite3.connect(path) as database:
        layers = database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
        for table, column in layers:
            blobs = [own for (own,) in database.execute(f'SELECT "{column}" FROM "{table}"') if own is not None]
            shapes = [shapely.from_wkb(own[8 + lengths[(own[3] >> 1) & 7] :]) for own in blobs]
            yield shapely.get_coordinates(shapes)
    database.close()


#: Outlines of the page: numbers in base 32, lowest digits first, 32 more on every digit but the last, sign in the
#: lowest bit; "." begins a ring and ":" a part, each at a place of its own, from which steps of 1e-5 degrees lead on.
_DIGITS = {c: k for k, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")}
_OUTLINE = re.compile(r"[\w.:-]{12,}", re.ASCII)


def _unpacked(text: str) -> Iterator[np.ndarray]:
    for ring in re.split(r"[.:]", text):
        numbers, value, place = [], 0, 0
        for digit in (_DIGITS[c] for c in ring):
            value, place = value + ((digit & 31) << place), place + 5
            if digit < 32:
                numbers.append(-(value + 1) // 2 if value & 1 else value // 2)
                value, place = 0, 0
        if len(numbers) >= 2 and len(numbers) % 2 == 0:
            yield np.cumsum(np.array(numbers, dtype=float).reshape(-1, 2), axis=0) * 1e-5


def _walked(value: Any) -> Iterator[np.ndarray]:
    """Outlines unpacked, steps of the page's shapes summed up, and pairs of numbers as they stand."""
    if isinstance(value, str):
        if _OUTLINE.fullmatch(value):
            yield from _unpacked(value)
    elif isinstance(value, dict):
        for own in value.values():
            yield from _walked(own)
    elif isinstance(value, list):
        if len(value) > 1 and all(isinstance(own, int | float) and not isinstance(own, bool) for own in value):
            row = np.array(value, dtype=float)
            yield np.column_stack([row[:-1], row[1:]])
            if len(row) % 2 == 0:
                yield np.cumsum(row.reshape(-1, 2), axis=0) / 1e6
        else:
            for own in value:
                yield from _walked(own)


def _as_metres(pairs: np.ndarray) -> np.ndarray:
    """Pairs that are degrees or metres of the sample's region, either way round."""
    turn = pyproj.Transformer.from_crs(LONLAT, METRES, always_xy=True)
    found = []
    for own in (pairs, pairs[:, ::-1]):
        east, north = own[:, 0], own[:, 1]
        degrees = own[(east > 45) & (east < 48.5) & (north > 38) & (north < 41.5)]
        # A place to less than three decimals names no place to 100 m.
        degrees = degrees[(np.abs(degrees * 100 - np.round(degrees * 100)) > 1e-6).any(axis=1)]
        # A whole number beside one with decimals is a count or the number of a row.
        degrees = degrees[(degrees != np.round(degrees)).all(axis=1)]
        found.append(np.column_stack(turn.transform(degrees[:, 0], degrees[:, 1])))
        found.append(own[(east > 4.5e5) & (east < 8.5e5) & (north > 4.2e6) & (north < 4.6e6)])
    return np.concatenate(found)


# --- the verdict -----------------------------------------------------------------------------------------------------


def leaks(
    folder: Path,
    secrets: Secrets,
    *,
    cell_m: float | None = None,
    precision_m: float = PRECISION_M,
    slack_m: float = 3.0,
    most: int = 20,
    only: str = "*",
) -> pd.DataFrame:
    """What the files of a folder give away: file, kind, what; the first ``most`` of a kind in each file.

    Pairs that anyone may see are left out: corners of open layers, and points of the published grid (its lines, which
    the map cuts to short edges, the middles of its squares and the places round them: whole tenths of ``cell_m``).
    These are told by their own value, to the ``slack_m`` by which an outline may be drawn too large, not by nearness.
    """
    seen = cKDTree(secrets.open)
    trees = {kind: cKDTree(places) for kind, places in secrets.places.items() if len(places)}
    rows: list[tuple[str, str, Any]] = []
    for path in sorted(own for own in folder.rglob(only) if own.is_file()):
        pairs = pd.DataFrame(np.round(pairs_of(path), 1)).drop_duplicates().to_numpy()
        if len(pairs):
            pairs = pairs[np.isinf(seen.query(pairs, p=np.inf, distance_upper_bound=2.0)[0])]
        if cell_m is not None and len(pairs):
            to_tenth, to_line = (np.abs(pairs - np.round(pairs / step) * step) for step in (cell_m / 10, cell_m))
            pairs = pairs[(to_tenth.max(axis=1) > slack_m) & (to_line.min(axis=1) > slack_m)]
        for kind, tree in trees.items() if len(pairs) else ():
            near = np.isfinite(tree.query(pairs, p=np.inf, distance_upper_bound=precision_m)[0])
            rows += [(path.name, f"place of a {kind}", tuple(pair)) for pair in pairs[near][:most]]
        told = "\n".join(texts_of(path))
        rows += [(path.name, "1-km square", square) for square in sorted(set(_KM_SQUARE.findall(told)))[:most]]
        tokens = set(re.findall(r"[\w.-]+", told))
        for kind, words in secrets.words.items():
            # A word of one token is looked up among the tokens; only longer ones are searched through the text.
            held = [w for w in sorted(words) if (w in tokens if re.fullmatch(r"[\w.-]+", w) else w in told)]
            rows += [(path.name, f"word of a {kind}", word) for word in held[:most]]
    return pd.DataFrame(rows, columns=["file", "kind", "what"])
