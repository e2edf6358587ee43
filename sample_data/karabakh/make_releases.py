"""Make the illustrative land release history of this sample, over the illustrative minefields.

    python make_releases.py [--out FOLDER]

Three years, 2023 to 2025. As in make_illustrative.py, only ``random.Random.random`` is drawn from and coordinates are
rounded: the files are the same bytes at every run. Nobody decided any of this.
"""

import argparse
import csv
import datetime as dt
import json
import math
from pathlib import Path
from random import Random

import pyproj
import shapely

HERE = Path(__file__).parent
SEED = 20230101
SOURCE = f"Illustrative, made by make_releases.py with seed {SEED}"
AUTHORITY = "illustrative authority"
OPERATORS = ["illustrative operator A", "illustrative operator B", "illustrative operator C"]
#: How many of each; two re-openings and a release outside every known hazard come on top.
CANCELLED, REDUCED, CLEARED, CHANGES = 30, 24, 33, 25
#: Footprints are the reported shape grown by its error and 20 m. A whole release covers that, a part keeps within it.
WHOLE_M, PART_M = 20.3, 19.5
TO_METRES = pyproj.Transformer.from_crs(4326, 32638, always_xy=True).transform
TO_DEGREES = pyproj.Transformer.from_crs(32638, 4326, always_xy=True).transform
LAST = dt.date(2025, 12, 31)


def between(draw: Random, low: float, high: float) -> float:
    return low + (high - low) * draw.random()


def fields() -> list[dict]:
    features = json.loads((HERE / "illustrative" / "minefields.geojson").read_text(encoding="utf-8"))["features"]
    found = []
    for feature in features:
        own = feature["properties"]
        ring = [TO_METRES(*corner) for corner in feature["geometry"]["coordinates"][0]]
        whole, within = (shapely.Polygon(ring).buffer(own["PosErr_m"] + m, quad_segs=16) for m in (WHOLE_M, PART_M))
        found.append(own | {"shape": whole, "within": within, "recorded": dt.date.fromisoformat(own["SurveyDate"])})
    return found


def day(draw: Random, first: dt.date) -> dt.date:
    return first + dt.timedelta(days=int(draw.random() * ((LAST - first).days + 1)))


def part(draw: Random, shape: shapely.Polygon, share: float) -> shapely.Polygon:
    """About a share of a shape: what lies on one side of a straight cut."""
    angle = between(draw, 0, 2 * math.pi)
    x, y = shape.centroid.x, shape.centroid.y
    u, v = math.cos(angle), math.sin(angle)
    low, high = -3000.0, 3000.0
    for _ in range(40):
        at = (low + high) / 2
        corners = [(at, -4000), (at, 4000), (-6000, 4000), (-6000, -4000)]
        half = shapely.Polygon([(x + a * u - b * v, y + a * v + b * u) for a, b in corners])
        cut = shape.intersection(half)
        low, high = (at, high) if cut.area < share * shape.area else (low, at)
    return max(shapely.get_parts(cut), key=lambda piece: piece.area)


def items(draw: Random, ordnance: str) -> str:
    codes = {"AP": ["AP"], "AT": ["AV"], "AP+AT": ["AP", "AV"]}[ordnance]
    found = [f"{code} {1 + int(draw.random() * 40)}" for code in codes]
    if draw.random() < 0.5:
        found.append(f"UXO {1 + int(draw.random() * 6)}")
    return "; ".join(found)


def releases(draw: Random, every: list[dict]) -> list[dict]:
    """Rows in the order of their days. Fields overlap, so no two whose footprints touch are used."""
    rows: list[dict] = []
    used: list[shapely.Polygon] = []

    def add(action: str, shape: shapely.Polygon, when: dt.date, **more: object) -> None:
        words = {
            "cancelled": ("non-technical survey", "no evidence of contamination was found"),
            "reduced": ("technical survey", "survey lanes found nothing"),
            "cleared": ("manual clearance", "cleared to the stated depth"),
            "re-opened": ("quality check", "a device was reported on released ground"),
        }[action]
        row = {"action": action, "decided_on": when.isoformat(), "decided_by": AUTHORITY, "reason": words[1]}
        row |= {"operator": OPERATORS[int(draw.random() * len(OPERATORS))], "method": words[0]}
        row |= {"depth_m": 0.2 if action == "cleared" else None, "items": None, "hazard_id": None}
        rows.append(row | {"position_error_m": 2, "source": SOURCE} | more | {"shape": shape})

    left = {"cancelled": CANCELLED, "reduced": REDUCED, "cleared": CLEARED}
    order = sorted(every, key=lambda one: (draw.random(), one["PolyID"]))
    for one in order:
        confirmed = one["HazClass"].startswith("Confirmed")
        actions = ["cleared"] if confirmed else ["cancelled", "reduced", "cleared"]
        actions = [action for action in actions if left[action]]
        first = max(one["recorded"] + dt.timedelta(days=30), dt.date(2023, 1, 1))
        if one["HazStatus"] == "Closed" or not actions or first > dt.date(2025, 6, 30):
            continue
        if any(one["shape"].intersects(other) for other in used):
            continue
        used.append(one["shape"])
        action = actions[int(draw.random() * len(actions))]
        left[action] -= 1
        share = between(draw, 0.3, 0.9)
        whole = action == "cleared" and draw.random() < 0.5
        shape = one["shape"] if whole else part(draw, one["within"], share)
        found = items(draw, one["MineType"]) if action == "cleared" else "none"
        add(action, shape, day(draw, first), hazard_id=one["PolyID"], items=found)
    if any(left.values()):
        raise SystemExit(f"too few fields: {left}")

    cancelled = [row for row in rows if row["action"] == "cancelled"]
    early = [row for row in cancelled if row["decided_on"] < "2025-01-01"]
    for row in early[:2]:
        later = dt.date.fromisoformat(row["decided_on"]) + dt.timedelta(days=200)
        add("re-opened", part(draw, row["shape"], 0.4), later, hazard_id=row["hazard_id"])
    # Two operators met along one border: less than 0.9 % of the smaller of the two, so no fault.
    first = next(row for row in early[2:] if part(Random(1), row["shape"], 0.9).area > 30_000)
    field = next(one for one in every if one["PolyID"] == first["hazard_id"])["within"]
    rest = max(shapely.get_parts(field.difference(first["shape"])), key=lambda piece: piece.area)
    rest = rest.buffer(0.5, join_style="mitre").intersection(field)
    add("reduced", rest, dt.date.fromisoformat(first["decided_on"]) + dt.timedelta(days=90),
        hazard_id=first["hazard_id"], items="none")  # fmt: skip
    # Released ground where no hazard was ever known.
    x, y = TO_METRES(47.35, 40.30)
    add("cancelled", shapely.box(x, y, x + 400, y + 250), dt.date(2024, 9, 2), items="none")
    rows.sort(key=lambda row: row["decided_on"])
    return [{"release_id": f"LR-{k + 1:04d}"} | row for k, row in enumerate(rows)]


def history(draw: Random, every: list[dict]) -> list[list]:
    """Changes of whole hazards: work begun, hazards closed, suspected ones confirmed by survey."""
    rows = []
    pool = [one for one in every if one["HazStatus"] == "Open" and one["recorded"] < dt.date(2025, 1, 1)]
    order = sorted(pool, key=lambda one: (draw.random(), one["PolyID"]))
    while len(rows) < CHANGES:
        one = order.pop()
        first = max(one["recorded"] + dt.timedelta(days=30), dt.date(2023, 1, 1))
        when, kind = day(draw, first), draw.random()
        if kind < 0.45:
            change = ["worked-on", "", "teams were sent"]
        elif kind < 0.65:
            change = ["closed", "", "closed before release polygons were kept"]
        elif one["HazClass"].startswith("Suspected"):
            change = ["", "CHA", "survey found direct evidence"]
        else:
            continue
        rows.append([one["PolyID"], when.isoformat(), AUTHORITY, change[2], change[0], change[1], SOURCE])
    rows.sort(key=lambda row: (row[1], row[0]))
    return [[f"HS-{k + 1:03d}", *row] for k, row in enumerate(rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "illustrative")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    draw, every = Random(SEED), fields()
    lines = []
    for row in releases(draw, every):
        shape = shapely.normalize(row.pop("shape"))  # another GEOS may start a ring elsewhere
        ring = [[round(c, 7) for c in TO_DEGREES(*corner)] for corner in shape.exterior.coords]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        lines.append(json.dumps({"type": "Feature", "properties": row, "geometry": geometry}, separators=(",", ":")))
    text = '{"type":"FeatureCollection","name":"releases","features":[\n' + ",\n".join(lines) + "\n]}\n"
    (out / "releases.geojson").write_text(text, encoding="utf-8", newline="\n")
    with (out / "history.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["history_id", "hazard_id", "changed_on", "changed_by", "reason", "status", "land_class", "source"]
        )
        table.writerows(history(draw, every))


if __name__ == "__main__":
    main()
