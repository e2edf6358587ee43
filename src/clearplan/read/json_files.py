"""GeoJSON and Esri JSON before GDAL reads them: members that change what the rows are, or say that rows are missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyproj import CRS

from clearplan.core.crs import parse_crs
from clearplan.core.errors import CrsError, ReadError
from clearplan.read.spreadsheets import first_line
from clearplan.tables.check import Fault, fault

CUT_SHORT = "the service had more rows than it sent (exceededTransferLimit)"
#: Members in which services and GDAL's drivers state how many rows there are, the whole before what was sent
#: (OGC API - Features 7.15, WFS 2.0 7.7.4, GeoServer).
_COUNTS = ("numberMatched", "totalFeatures", "numberReturned")


@dataclass(frozen=True)
class Statement:
    """What a file says of itself: its faults, how many rows it claims, and that rows are missing."""

    faults: list[Fault]
    claimed: int | None
    lost: list[Fault]


def json_statement(path: Path) -> Statement:
    """What a file says of itself: a CRS of old, how many rows there are, a service's limit that cut it.

    Raises
    ------
    ReadError
        It is no JSON, one feature a line, has curves of Esri's, or leads to another file or server.
    """
    linked: list[str] = []

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        linked.extend(str(value.get("type")) for key, value in pairs if _is_linked_crs(key, value))
        return dict(pairs)

    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text, object_pairs_hook=whole)
        crs = content.get("crs")
    except UnicodeDecodeError as error:
        raise ReadError(f"{path}: GeoJSON must be UTF-8 ({error}); save it as UTF-8") from None
    except RecursionError:
        raise ReadError(f"{path}: brackets lie too deep in one another; save it again from a GIS") from None
    except (ValueError, AttributeError) as error:
        if _is_sequence(text):
            raise ReadError(f"{path}: holds one feature per line; give its name the ending .geojsonl") from None
        raise ReadError(f"{path}: not valid GeoJSON ({first_line(error)}); save it again") from None
    if linked:
        raise ReadError(
            f"{path}: its 'crs' is a {linked[0]} to another file or server; save it in WGS 84 without 'crs'"
        )
    if '"curveRings"' in text or '"curvePaths"' in text:
        raise ReadError(f"{path}: holds curves (curveRings, curvePaths); save it with straight segments")
    claimed, lost = _claimed(path, content)
    return Statement(_legacy_crs(path, crs), claimed, lost)


def _is_sequence(text: str) -> bool:
    lines = [line for line in text.replace("\x1e", "").splitlines() if line.strip()]
    try:
        return len(lines) > 1 and all(isinstance(json.loads(line), dict) for line in lines[:3])
    except ValueError:
        return False


def _claimed(path: Path, content: dict[str, Any]) -> tuple[int | None, list[Fault]]:
    """Rows that a file claims, None where it doesn't know; and that its service had more than it sent."""
    properties, features = content.get("properties"), content.get("features")
    places = [content, properties if isinstance(properties, dict) else {}]
    if any(place.get("exceededTransferLimit") is True for place in places):
        return None, [fault(path.name, None, "", "", CUT_SHORT, "error", "export the rest, or read the url")]
    rows = len(features) if isinstance(features, list) else None
    name = next((name for name in _COUNTS if type(content.get(name)) is int), None)
    if name is None:
        return rows, []
    claimed = int(content[name])
    if rows is None or claimed <= rows:
        return claimed, []
    rule = f"the service had {claimed} rows and sent {rows} ({name})"
    return claimed, [fault(path.name, None, "", "", rule, "error", "export all rows")]


def _legacy_crs(path: Path, member: object) -> list[Fault]:
    """The ``crs`` member that GeoJSON dropped in 2016 (RFC 7946, section 4)."""
    if member is None:
        return []
    properties = member.get("properties") if isinstance(member, dict) else None
    name = str(properties.get("name", member) if isinstance(properties, dict) else member)
    try:
        plain = parse_crs(name).equals(CRS.from_epsg(4326), ignore_axis_order=True)
    except CrsError:
        plain = False
    if plain:
        return [fault(path.name, None, "crs", name, "legacy 'crs' member", "warning", "drop it: GeoJSON is WGS 84")]
    remedy = "reproject to WGS 84 and drop the member, or save as GeoPackage (RFC 7946 knows WGS 84 only)"
    return [fault(path.name, None, "crs", name, "legacy 'crs' member names another CRS", "error", remedy)]


def _is_linked_crs(key: str, value: object) -> bool:
    """Whether a member makes GDAL fetch a CRS: it takes names in any case, at any depth."""
    if key.casefold() != "crs" or not isinstance(value, dict):
        return False
    kinds = {str(one).casefold() for name, one in value.items() if name.casefold() == "type"}
    return bool(kinds & {"link", "url"})
