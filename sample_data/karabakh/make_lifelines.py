"""Make the illustrative lifelines and gates of this sample, round the places of return.

    python make_lifelines.py [--out FOLDER]

What a place depends on is drawn as simple shapes within 4 km of it; what holds work back names places, fields and
districts of this sample. As in make_illustrative.py, only ``random.Random.random`` is drawn from and coordinates are
rounded: the files are the same bytes at every run. Nobody depends on any of these, and nobody has decided anything.
"""

import argparse
import csv
import json
import math
from pathlib import Path
from random import Random

import pyproj

HERE = Path(__file__).parent
SEED = 20260101
SOURCE = f"Illustrative, made by make_lifelines.py with seed {SEED}"
TO_METRES = pyproj.Transformer.from_crs(4326, 32638, always_xy=True).transform
TO_DEGREES = pyproj.Transformer.from_crs(32638, 4326, always_xy=True).transform
#: Beside its road and its water, two of three places have one of these, in turn.
FURTHER = ("school", "farmland", "clinic", "farmland", "power")
AREA_NAME = "Dashkasan"  # column name_en of the district layer
COLUMNS = ("gate_id", "kind", "zone_id", "hazard_id", "district", "reason", "until", "source", "recorded_on")


def between(draw: Random, low: float, high: float) -> float:
    return low + (high - low) * draw.random()


def places() -> list[dict[str, str]]:
    with (HERE / "resettlement.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def away(place: dict[str, str], distance_m: float, angle: float) -> tuple[float, float]:
    x, y = TO_METRES(float(place["lon"]), float(place["lat"]))
    return x + distance_m * math.cos(angle), y + distance_m * math.sin(angle)


def shape(draw: Random, place: dict[str, str], kind: str) -> tuple[str, list]:
    """Type and corners in metres: ways lead to the place, fields lie beside it, houses stand near it."""
    angle = between(draw, 0, 2 * math.pi)
    if kind in ("road", "water", "power"):
        far = between(draw, 1_500, 4_000)
        bend = away(place, far * 0.5, angle + between(draw, -0.3, 0.3))
        return "LineString", [away(place, far, angle), bend, away(place, 0, 0)]
    if kind == "farmland":
        x, y = away(place, between(draw, 1_000, 2_500), angle)
        a, b = between(draw, 300, 600), between(draw, 200, 400)
        return "Polygon", [(x - a, y - b), (x + a, y - b), (x + a, y + b), (x - a, y + b), (x - a, y - b)]
    return "Point", [away(place, between(draw, 200, 1_000), angle)]


def lifelines(draw: Random) -> list[dict]:
    """Two or three for each place; the road is essential, water unless there is a second source, the rest seldom."""
    features: list[dict] = []
    for k, place in enumerate(places()):
        kinds = ["road", "water"] + ([FURTHER[(k - k // 3) % len(FURTHER)]] if k % 3 < 2 else [])
        for kind in kinds:
            essential = kind == "road" or draw.random() < {"water": 0.8}.get(kind, 0.2)
            geometry, corners = shape(draw, place, kind)
            degrees = [[round(c, 6) for c in TO_DEGREES(*corner)] for corner in corners]
            coordinates = {"Point": degrees[0], "LineString": degrees, "Polygon": [degrees]}[geometry]
            own = {
                "lifeline_id": f"LL-{len(features) + 1:03d}",
                "zone_id": place["zone_id"],
                "kind": kind,
                "name": f"{kind} of {place['name']}, illustrative",
                "essential": "yes" if essential else "no",
                "position_error_m": 20 if geometry == "Point" else 50,
                "source": SOURCE,
                "recorded_on": place["reported_on"],
            }
            drawn = {"type": geometry, "coordinates": coordinates}
            features.append({"type": "Feature", "properties": own, "geometry": drawn})
    return features


def gates(draw: Random) -> list[dict[str, str]]:
    """One for a place, one for a field, one for a district."""
    fields = json.loads((HERE / "illustrative" / "minefields.geojson").read_text(encoding="utf-8"))["features"]
    still_open = [own["PolyID"] for own in (field["properties"] for field in fields) if own["HazStatus"] == "Open"]
    every = places()
    rows = [
        {"kind": "do-no-harm", "zone_id": every[int(draw.random() * len(every))]["zone_id"],
         "reason": "illustrative: those who used the land before have not been heard",
         "until": "all who used the land have been heard"},
        {"kind": "dispute", "hazard_id": still_open[int(draw.random() * len(still_open))],
         "reason": "illustrative: two holdings claim the same field", "until": "the land office has decided"},
        {"kind": "permission", "district": AREA_NAME,
         "reason": "illustrative: permission for teams to work in this district has not been given",
         "until": "the authority's letter is there"},
    ]  # fmt: skip
    return [
        {"gate_id": f"GT-{k + 1}"} | row | {"source": SOURCE, "recorded_on": "2025-12-15"} for k, row in enumerate(rows)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "illustrative")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    draw = Random(SEED)
    lines = [json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in lifelines(draw)]
    text = '{"type":"FeatureCollection","name":"lifelines","features":[\n' + ",\n".join(lines) + "\n]}\n"
    (out / "lifelines.geojson").write_text(text, encoding="utf-8", newline="\n")
    with (out / "gates.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(gates(draw))


if __name__ == "__main__":
    main()
