"""Tables to KML and KMZ: hazards by class, tasks by queue and priority, zones; nothing in it comes from elsewhere."""

from __future__ import annotations

import datetime as dt
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import parse_crs, reprojected
from clearplan.core.errors import OutputError
from clearplan.core.imprint import Imprint
from clearplan.core.writing import whole
from clearplan.core.xml import add, xml_bytes, xml_text
from clearplan.geo.shapes import simplify_outward
from clearplan.outputs.field.gpx import first_tasks
from clearplan.outputs.gis.qgis_styles import CHA, INDICATION, SHA
from clearplan.outputs.layers import Layers
from clearplan.tables.check import placed, remaining
from clearplan.tables.columns import with_unit, words_of
from clearplan.tables.lookup import column_of
from clearplan.tables.people import people_words

_NAMESPACE = "http://www.opengis.net/kml/2.2"
#: Hazards are drawn to this, and only outward [m]; tasks keep every corner.
_DRAWN_TO_M = 2.0


def _abgr(colour: str, opacity: int = 255) -> str:
    """A colour as KML writes it: opacity of 255, blue, green, red.

    >>> _abgr("#F4A718", 128)
    '8018a7f4'
    """
    return f"{opacity:02x}{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()


#: Styles: (line colour, line width, fill colour or none); fills are
#: those of IMSMA (TNMA 07.11/01). KML knows no hatch and no dashes: the line's width and the fill's strength tell them.
_STYLES: dict[str, tuple[str, float, str | None]] = {
    "CHA": (_abgr(CHA[1]), 3.0, _abgr(CHA[0], 128)),
    "SHA": (_abgr(SHA[1]), 1.5, _abgr(SHA[0], 128)),
    "indication": (_abgr(INDICATION[1]), 1.0, _abgr(INDICATION[0], 46)),
    "indication-outer": (_abgr(INDICATION[1], 160), 0.7, _abgr(INDICATION[0], 26)),
    "task-high": ("ff1b1b1b", 4.0, None),
    "task-medium": ("ff1b1b1b", 2.5, None),
    "task-low": ("ff444444", 1.2, None),
    "task-none": ("ff777777", 1.0, None),
    "zone": ("ff9d4200", 2.5, "59c6a273"),
    "lifeline": ("ff5c6900", 2.5, None),
    "accident": ("ff1b1b1b", 1.5, None),
    "district": ("ff777777", 1.0, None),
}
#: Icons of a KMZ, drawn here; a KML has the reader's own mark instead, for a file alone can hold none.
_ICONS = {
    "zone": ("square", (115, 162, 198), (0, 66, 157)),
    "accident": ("cross", (27, 27, 27), (255, 255, 255)),
    "lifeline": ("triangle", (127, 191, 181), (0, 105, 92)),
}
_PRIORITIES = ("high", "medium", "low")
#: Layers that become folders, in their order.
_FOLDED = ("areas", "tasks", "zones", "accidents", "lifelines")
#: Columns of a table that travel with its shapes; the first names the row.
_COLUMNS = {
    "tasks": (
        "task_id",
        "queue",
        "land_class",
        "rank",
        "priority_class",
        "score",
        "area_m2",
        "small",
        "district",
        "zone_ids",
        "hazard_ids",
        "ordnance",
        "mgrs_km",
        "position_error_m",
        "expected_m2",
        "low_m2",
        "high_m2",
        "gates",
        "teams",
        "start_on",
        "finish_on",
        "source",
    ),
    "areas": (
        "area_id",
        "hazard_id",
        "kind",
        "land_class",
        "status",
        "ordnance",
        "band",
        "remaining_m2",
        "planning_m2",
        "position_error_m",
        "source",
        "recorded_on",
    ),
    "zones": (
        "zone_id",
        "name",
        "already_home",
        "families_home",
        "already_home_on",
        "people",
        "families",
        "people_basis",
        "planned_return",
        "opens_on",
        "probability",
        "p80_on",
        "position_error_m",
        "source",
        "recorded_on",
    ),
    "accidents": ("accident_id", "occurred_on", "device", "position_error_m", "source"),
    "lifelines": ("lifeline_id", "zone_id", "kind", "name", "essential", "position_error_m", "source"),
}


def write_kml(
    path: str | Path,
    layers: Layers,
    imprint: Imprint,
    *,
    chosen: Sequence[str] | None = None,
) -> None:
    """Layers in folders by class and queue, as KML 2.2, or as KMZ with icons of our own; whole or not at all.

    Parameters
    ----------
    path : path
        Ends with .kml or .kmz; a file of that name is replaced.
    layers : Layers
        Of these tasks, areas, zones, accidents and lifelines. Rows without a place are counted in the notice of their
        folder.
    imprint : Imprint
    chosen : ids, optional
        Only these tasks.

    Raises
    ------
    OutputError
        The name ends otherwise, or the file can't be written.
    TableError, CrsError
        A task is unknown; tables are not in metres or not in one CRS.

    Notes
    -----
    Text of tables is text in every viewer: in balloons, which are HTML, it is escaped once more; in names, which some
    viewers take for HTML, angle brackets are shown as other signs. ExtendedData holds it as it is, with units. GDAL and
    QGIS read these columns from a .kml and not from a .kmz; analysts are better served by the GeoPackage.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".kml", ".kmz"):
        raise OutputError(f"{path}: does not end with .kml or .kmz; name a .kmz file")
    crs = layers.crs
    tables = {name: table for name in _FOLDED if (table := getattr(layers, name)) is not None}
    if chosen is not None:
        tables["tasks"] = first_tasks(layers.tasks, chosen)
    root = Element("kml", {"xmlns": _NAMESPACE})
    document = add(root, "Document", id="clearplan")
    add(document, "name", _shown(imprint.title))
    add(document, "open", 1)
    short = f"Not for navigation or entry. As at {imprint.as_at}. Fingerprint {imprint.fingerprint}."
    add(document, "description", escape(f"{imprint.notice} {short}"))
    _add_styles(document, icons=kind == ".kmz")
    for name, table in tables.items():
        _add_schema(document, name, table)
    for name, table in tables.items():
        _add_layer(document, name, table, crs, short)
    text = xml_bytes(root)
    with whole(path) as fresh:
        fresh.write_bytes(text if kind == ".kml" else _zipped(text, imprint.as_at))


def _shown(value: object) -> str:
    """A name that is text even where a viewer takes names for HTML.

    >>> _shown("<b>Field</b>")
    '‹b›Field‹/b›'
    """
    return xml_text(" ".join(str(value).split())).replace("<", "\u2039").replace(">", "\u203a")


def _add_styles(document: Element, *, icons: bool) -> None:
    for name, (line, width, fill) in _STYLES.items():
        style = add(document, "Style", id=name)
        icon = add(style, "IconStyle")
        if icons and name in _ICONS:
            add(icon, "scale", 0.7)
            add(add(icon, "Icon"), "href", f"icons/{name}.png")
        else:
            add(icon, "color", line)
        add(add(style, "LabelStyle"), "scale", 0.8)
        stroke = add(style, "LineStyle")
        add(stroke, "color", line)
        add(stroke, "width", f"{width:g}")
        area = add(style, "PolyStyle")
        add(area, "color", fill or "00ffffff")
        add(area, "fill", 1 if fill else 0)
        add(area, "outline", 1)
        # Without a text of its own a balloon shows names and data as HTML.
        add(add(style, "BalloonStyle"), "text", "$[description]")


# --- data ----------------------------------------------------------------------------------------------------------


def _columns(name: str, table: pd.DataFrame) -> list[tuple[str, str, bool]]:
    """Columns that travel: name, what it is with its unit, whether it is a number."""
    found = []
    for column in _COLUMNS[name]:
        if column in table.columns:
            words = with_unit(words_of(column), column_of(name, column).unit)
            found.append((column, words, bool(pd.api.types.is_numeric_dtype(table[column]))))
    return found


def _add_schema(document: Element, name: str, table: pd.DataFrame) -> None:
    schema = add(document, "Schema", name=name, id=f"schema-{name}")
    for column, words, number in _columns(name, table):
        field = add(schema, "SimpleField", type="double" if number else "string", name=column)
        add(field, "displayName", words)


def _cell(value: Any) -> str | None:
    """A cell as text; None where it is blank."""
    if value is None or (not isinstance(value, str) and bool(pd.isna(value))):
        return None
    if isinstance(value, pd.Timestamp | dt.date):
        return value.isoformat()[:10]
    if isinstance(value, float | np.floating):
        return f"{float(value):.10g}" if math.isfinite(value) else None
    return str(value)


# --- layers --------------------------------------------------------------------------------------------------------

_FOLDERS = {"zones": "Places of return", "accidents": "Accidents", "lifelines": "Lifelines of places"}
_CLASS_WORDS = {
    "CHA": "Hazards: confirmed (CHA)",
    "SHA": "Hazards: suspected (SHA)",
    "indication": "Hazards: indication, reason to survey",
}


def _add_layer(document: Element, name: str, table: gpd.GeoDataFrame, crs: CRS, short: str) -> None:
    """Folders of a table, all on one level: GIS programs find the columns of a folder within a folder no more."""
    own = placed(remaining(table) if name == "areas" else table)
    lost = len(table) - len(placed(table))
    told = f"{short} {len(own):,} of {len(table):,} rows." + (
        f" {lost} have no place and are NOT here." if lost else ""
    )
    shapes = own.geometry.to_numpy()
    if name == "areas":
        told += f" Drawn to {_DRAWN_TO_M:g} m, only outward; closed ones are left out."
        shapes = simplify_outward(shapes, _DRAWN_TO_M)
    lonlat = reprojected(shapes, crs, parse_crs("EPSG:4326"))
    columns = _columns(name, table)
    rows = list(zip(own.drop(columns="geometry").to_dict("records"), lonlat, strict=True))
    for words, chosen in _groups(name, rows):
        folder = add(document, "Folder")
        add(folder, "name", words)
        add(folder, "description", escape(f"{told} In this folder: {len(chosen):,}."))
        for row, shape in chosen:
            _add_place(folder, name, row, shape, columns, short)


def _groups(name: str, rows: list[Any]) -> Iterable[tuple[str, list[Any]]]:
    """Rows by class, or by queue and priority; one group for all others."""
    if name == "areas":
        for code, words in _CLASS_WORDS.items():
            yield words, [row for row in rows if row[0]["land_class"] == code]
    elif name == "tasks":
        for queue in ("clearance", "survey"):
            own = sorted((r for r in rows if r[0]["queue"] == queue), key=lambda r: (_rank(r[0]), r[0]["task_id"]))
            for level in (*_PRIORITIES, None):
                part = [r for r in own if _priority(r[0]) == level]
                if part:
                    yield f"Tasks: {queue}, {f'priority {level}' if level else 'priority not known'}", part
    else:
        yield _FOLDERS[name], rows


def _rank(row: dict[Any, Any]) -> float:
    rank = row.get("rank")
    return math.inf if rank is None or pd.isna(rank) else float(rank)


def _priority(row: dict[Any, Any]) -> str | None:
    level = row.get("priority_class")
    return level if level in _PRIORITIES else None


def _style(name: str, row: dict[Any, Any]) -> str:
    if name == "areas":
        outer = row["land_class"] == "indication" and row.get("band") == "outer"
        return "indication-outer" if outer else str(row["land_class"])
    if name == "tasks":
        return f"task-{_priority(row) or 'none'}"
    return {"zones": "zone", "accidents": "accident", "lifelines": "lifeline"}[name]


def _title(name: str, row: dict[Any, Any]) -> str:
    if name == "zones" and isinstance(row.get("name"), str) and row["name"].strip():
        return f"{row['name']} ({people_words(row)})"
    if name == "tasks" and math.isfinite(_rank(row)):
        return f"{row['queue'][0].upper()}{int(_rank(row))} {row['task_id']}"
    if name == "accidents":
        return f"Accident {row['accident_id']}"
    return str(row[_COLUMNS[name][0]])


def _add_place(
    folder: Element, name: str, row: dict[Any, Any], shape: Any, columns: list[tuple[str, str, bool]], short: str
) -> None:
    place = add(folder, "Placemark")
    title = _title(name, row)
    add(place, "name", _shown(title))
    add(place, "Snippet", "", maxLines=0)
    cells = [(column, words, _cell(row.get(column))) for column, words, _ in columns]
    lines = [f"<b>{escape(xml_text(title))}</b>", escape(short)]
    lines += [
        f"{escape(words)}: {escape(xml_text(cell)) if cell is not None else 'unknown'}" for _, words, cell in cells
    ]
    add(place, "description", "<br>".join(lines))
    add(place, "styleUrl", f"#{_style(name, row)}")
    data = add(add(place, "ExtendedData"), "SchemaData", schemaUrl=f"#schema-{name}")
    for column, _, cell in cells:
        if cell is not None:
            add(data, "SimpleData", cell, name=column)
    _add_shape(place, shape)


def _add_shape(parent: Element, shape: Any) -> None:
    if shape.geom_type.startswith(("Multi", "Geometry")):
        several = add(parent, "MultiGeometry")
        for part in shape.geoms:
            _add_shape(several, part)
    elif shape.geom_type == "Polygon":
        polygon = add(parent, "Polygon")
        add(polygon, "tessellate", 1)
        turned = shapely.orient_polygons(shape)
        for ring, side in ((turned.exterior, "outerBoundaryIs"), *((r, "innerBoundaryIs") for r in turned.interiors)):
            add(add(add(polygon, side), "LinearRing"), "coordinates", _coordinates(ring))
    elif shape.geom_type == "Point":
        add(add(parent, "Point"), "coordinates", _coordinates(shape))
    else:
        line = add(parent, "LineString")
        add(line, "tessellate", 1)
        add(line, "coordinates", _coordinates(shape))


def _coordinates(shape: Any) -> str:
    return " ".join(f"{lon:.7f},{lat:.7f}" for lon, lat in shapely.get_coordinates(shape).tolist())


# --- KMZ -----------------------------------------------------------------------------------------------------------


def _zipped(text: bytes, as_at: dt.date) -> bytes:
    """doc.kml first, then the icons, all dated to the day of the data."""
    day = (min(max(as_at.year, 1980), 2107), as_at.month, as_at.day, 0, 0, 0)  # years that a ZIP can say
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as parts:
        for name, content in (("doc.kml", text), *((f"icons/{n}.png", _icon(*how)) for n, how in _ICONS.items())):
            info = zipfile.ZipInfo(name, day)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            parts.writestr(info, content)
    return out.getvalue()


def _icon(form: str, inner: tuple[int, int, int], edge: tuple[int, int, int]) -> bytes:
    """A mark of 32 x 32 dots as PNG (https://www.w3.org/TR/png/): inner colour, an edge round it, clear beyond."""
    y, x = np.mgrid[0:32, 0:32] - 15.5
    depth = {
        "square": 12 - np.maximum(abs(x), abs(y)),
        "cross": 4 - np.minimum(abs(x - y), abs(x + y)) * 0.9 - np.maximum(np.maximum(abs(x), abs(y)) - 12, 0) * 4,
        "triangle": np.minimum(12 - y, (y + 14) * 0.45 - abs(x) * 0.9),
    }[form]
    dots = np.zeros((32, 32, 4), dtype=np.uint8)
    dots[depth > 0] = (*edge, 255)
    dots[depth > (1.6 if form == "cross" else 3)] = (*inner, 255)
    lines = b"".join(b"\x00" + line.tobytes() for line in dots)
    head = struct.pack(">IIBBBBB", 32, 32, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
