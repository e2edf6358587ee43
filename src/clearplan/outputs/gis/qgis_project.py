"""A QGIS project beside plan.gpkg: its layers in order and grouped, styled, with CRS, extent, title and disclaimer."""

from __future__ import annotations

import re
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import numpy as np
import pandas as pd

from clearplan.core.crs import require_metres
from clearplan.core.errors import OutputError, TableError
from clearplan.core.imprint import Imprint
from clearplan.core.writing import refuse_taken, whole
from clearplan.outputs.gis.qgis_styles import aliases, style_parts
from clearplan.tables.arrow import aliases_of, kinds_of, plain_text

#: Release of QGIS whose project format this is (the oldest long-term release still in a Debian); newer ones read it.
_VERSION = "3.22.16-Białowieża"
#: Zip entries of no particular day: the same tables make the same bytes.
_DAY = (1980, 1, 1, 0, 0, 0)
_SINGLE = {"point": "Point", "line": "LineString", "area": "Polygon"}
_GEOMETRY = {"point": "Point", "line": "Line", "area": "Polygon"}
_LINE = "\"kind\" = 'contact-line'"


@dataclass(frozen=True)
class _Entry:
    """A layer in the list: group, table, words, shown or not; of one kind of shape, or of rows of one condition."""

    group: str
    table: str
    words: str
    shown: bool = True
    only: str = ""
    kind: str = ""


#: From the top of the list, which is drawn last, to the ground.
_ENTRIES = (
    _Entry("Places and people", "zones", "Places of return"),
    _Entry("Places and people", "lifelines", "Lifelines"),
    _Entry("Places and people", "accidents", "Accidents"),
    _Entry("Contact line and records", "hazards", "Contact line", only=_LINE, kind="line"),
    _Entry("Contact line and records", "record_points", "Minefield records: points and their 95 % rings"),
    _Entry("Contact line and records", "record_versions", "Minefield records: shapes"),
    _Entry("Work", "tasks", "Tasks by priority"),
    _Entry("Work", "surveys", "Surveys of places", shown=False),
    _Entry("Hazards", "areas", "Hazardous areas and indications, as they remain"),
    _Entry("Hazards", "hazards", "Hazards as reported", shown=False, only=f"NOT ({_LINE})"),
    _Entry("Hazards", "releases", "Releases", shown=False),
    _Entry("Ground", "districts", "Districts"),
    _Entry("Ground", "countries", "Countries"),
    _Entry("Ground", "rivers", "Rivers"),
    _Entry("Ground", "lakes", "Lakes"),
)
_RASTERS = {
    "surface.tif": "Share of ground that is contaminated (expected)",
    "surface_evidence.tif": "Evidence that moved the share most",
}


@dataclass(frozen=True)
class _Layer:
    """A layer of the project, ready to be written."""

    group: str
    ident: str
    words: str
    shown: bool
    source: str
    provider: str
    body: str


def write_project(
    path: Path,
    tables: Mapping[str, pd.DataFrame],
    imprint: Imprint,
    *,
    layers: str = "plan.gpkg",
    rasters: Sequence[str] = (),
) -> None:
    """A QGIS project (.qgz) that opens the layers beside it by relative paths; the same tables make the same bytes.

    Parameters
    ----------
    path : path
        A new .qgz file in the folder of the layers.
    tables : mapping of layer name to GeoDataFrame
        As given to ``write_gpkg``: names, columns and kinds of shapes are read from them.
    imprint : Imprint
        Its notice stands on the map, in the project's metadata and in that of every layer.
    layers : str
        Name of the GeoPackage.
    rasters : sequence of str
        Names of GeoTIFFs in the same folder, each with its style (.qml) beside it.

    Raises
    ------
    OutputError
        The file exists or can't be written, or a raster's style can't be read.
    CrsError
        The tables are not in metres or not in one CRS.
    TableError
        No table has a shape.
    """
    refuse_taken(path, (".qgz",))
    shaped = {name: table for name, table in tables.items() if isinstance(table, gpd.GeoDataFrame)}
    if not any(kinds_of(table) for table in shaped.values()):
        raise TableError(f"{path.name}: no table has a shape to show; hand over HAZARDS, TASKS, ZONES ...")
    crs = _crs(require_metres(*shaped.values()))
    notice = imprint.notice
    entries = [*_vectors(shaped, layers, crs, notice), *_pictures(path.parent, rasters, crs, notice)]
    text = _document(entries, crs, _extent(shaped), imprint)
    with whole(path) as fresh, zipfile.ZipFile(fresh, "w") as bundle:
        entry = zipfile.ZipInfo(f"{path.stem}.qgs", _DAY)
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        bundle.writestr(entry, text.encode("utf-8"))


def _extent(shaped: Mapping[str, gpd.GeoDataFrame]) -> tuple[float, float, float, float]:
    """Where tasks and zones lie, else all layers; a twentieth of room around."""
    boxes = [table.total_bounds for name, table in shaped.items() if name in ("tasks", "zones") and kinds_of(table)]
    boxes = boxes or [table.total_bounds for table in shaped.values() if kinds_of(table)]
    low, high = np.array(boxes)[:, :2].min(axis=0), np.array(boxes)[:, 2:].max(axis=0)
    room = np.maximum((high - low) / 20, 100.0)
    return (*(low - room).round(1).tolist(), *(high + room).round(1).tolist())


# --- layers


def _vectors(shaped: Mapping[str, gpd.GeoDataFrame], file: str, crs: str, notice: str) -> Iterator[_Layer]:
    known = {entry.table for entry in _ENTRIES}
    further = [_Entry("Other", name, name) for name in shaped if name not in known]
    for entry in (*_ENTRIES, *further):
        table = shaped.get(entry.table)
        kinds = kinds_of(table) if table is not None else set()
        for kind in ("point", "line", "area"):
            if table is None or kind not in kinds or (entry.kind and kind != entry.kind):
                continue
            words = entry.words if len(kinds) == 1 or entry.kind else f"{entry.words} ({kind}s)"
            yield _vector(entry, kind, words, table, len(kinds) > 1, file, crs, notice)


def _vector(
    entry: _Entry, kind: str, words: str, table: gpd.GeoDataFrame, mixed: bool, file: str, crs: str, notice: str
) -> _Layer:
    ident = re.sub(r"\W+", "_", f"{entry.table}_{kind}_{entry.words}").lower().strip("_")
    source = f"./{file}|layername={entry.table}" + (f"|geometrytype={_SINGLE[kind]}" if mixed else "")
    source += f"|subset={entry.only}" if entry.only else ""
    style = style_parts(entry.table, list(table.columns), [kind])
    body = (
        f'<maplayer type="vector" geometry="{_GEOMETRY[kind]}" labelsEnabled="{int("<labeling" in style)}" '
        f'readOnly="0" autoRefreshEnabled="0" hasScaleBasedVisibilityFlag="0">'
        f"{_about(ident, words, source, crs, notice)}"
        f'<provider encoding="UTF-8">ogr</provider>{style}<blendMode>0</blendMode><layerOpacity>1</layerOpacity>'
        f"{aliases(aliases_of(entry.table, table.columns))}</maplayer>"
    )
    return _Layer(entry.group, ident, words, entry.shown, source, "ogr", body)


def _pictures(folder: Path, rasters: Sequence[str], crs: str, notice: str) -> Iterator[_Layer]:
    for name in rasters:
        style = folder / Path(name).with_suffix(".qml")
        try:
            pipe = re.search(r"<pipe>.*</pipe>", style.read_text(encoding="utf-8"), flags=re.DOTALL)
        except OSError as error:
            raise OutputError(f"{style}: can't be read ({error.strerror}); make the surface again") from None
        ident, source = re.sub(r"\W+", "_", name), f"./{name}"
        words = _RASTERS.get(name, name)
        body = (
            f'<maplayer type="raster" hasScaleBasedVisibilityFlag="0">{_about(ident, words, source, crs, notice)}'
            f"<provider>gdal</provider>{pipe[0] if pipe else '<pipe/>'}<blendMode>0</blendMode></maplayer>"
        )
        yield _Layer("Contaminated share", ident, words, False, source, "gdal", body)


def _about(ident: str, words: str, source: str, crs: str, notice: str) -> str:
    return (
        f"<id>{ident}</id><datasource>{_text(source)}</datasource><layername>{_text(words)}</layername>"
        f"<abstract>{_text(notice)}</abstract><srs>{crs}</srs>"
        f"<resourceMetadata><identifier>{_text(ident)}</identifier><title>{_text(words)}</title>"
        f"<abstract>{_text(notice)}</abstract><crs>{crs}</crs></resourceMetadata>"
    )


# --- the project


def _document(found: Sequence[_Layer], crs: str, extent: tuple[float, float, float, float], imprint: Imprint) -> str:
    title, notice = imprint.title, imprint.notice
    box = "".join(
        f"<{name}>{value}</{name}>" for name, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True)
    )
    view = " ".join(f'{name}="{value}"' for name, value in zip(("xmin", "ymin", "xmax", "ymax"), extent, strict=True))
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="{_VERSION}" projectname={_attr(title)}>'
        f'<homePath path=""/><title>{_text(title)}</title><autotransaction active="0"/>'
        f"<projectCrs>{crs}</projectCrs>{_tree(found)}"
        f'<mapcanvas name="theMapCanvas" annotationsVisible="1"><units>meters</units><extent>{box}</extent>'
        f"<rotation>0</rotation><destinationsrs>{crs}</destinationsrs></mapcanvas>"
        f"<projectlayers>{''.join(layer.body for layer in found)}</projectlayers>"
        f"<layerorder>{''.join(f'<layer id={_attr(layer.ident)}/>' for layer in found)}</layerorder>"
        f"{_properties(title, notice)}"
        f"<projectMetadata><identifier>clearplan</identifier><type>dataset</type><title>{_text(title)}</title>"
        f"<abstract>{_text(notice)}</abstract><author>clearplan</author>"
        f"<creation>{imprint.as_at.isoformat()}T00:00:00</creation><crs>{crs}</crs></projectMetadata>"
        f'<ProjectViewSettings UseProjectScales="0"><DefaultViewExtent {view}>{crs}</DefaultViewExtent>'
        "</ProjectViewSettings></qgis>\n"
    )


def _tree(found: Sequence[_Layer]) -> str:
    """The list of layers, each in its group; a group stands where its first layer does."""
    groups: dict[str, list[_Layer]] = {}
    for layer in found:
        groups.setdefault(layer.group, []).append(layer)
    rows = ""
    for group, own in groups.items():
        inner = "".join(
            f"<layer-tree-layer id={_attr(layer.ident)} name={_attr(layer.words)} source={_attr(layer.source)} "
            f'providerKey="{layer.provider}" checked="{_checked(layer.shown)}" expanded="{int(layer.shown)}" '
            'legend_exp="" patch_size="-1,-1"><customproperties><Option/></customproperties></layer-tree-layer>'
            for layer in own
        )
        shown = any(layer.shown for layer in own)
        rows += (
            f'<layer-tree-group name={_attr(group)} checked="{_checked(True)}" expanded="{int(shown)}">'
            f"<customproperties><Option/></customproperties>{inner}</layer-tree-group>"
        )
    return f"<layer-tree-group><customproperties><Option/></customproperties>{rows}</layer-tree-group>"


def _checked(shown: bool) -> str:
    return "Qt::Checked" if shown else "Qt::Unchecked"


def _properties(title: str, notice: str) -> str:
    """Relative paths, areas in m2, and on the map itself: title, disclaimer, scale bar, north arrow."""
    words = "\n".join(textwrap.wrap(notice, 150)) or notice
    return (
        '<properties><SpatialRefSys><ProjectionsEnabled type="int">1</ProjectionsEnabled></SpatialRefSys>'
        '<Paths><Absolute type="bool">false</Absolute></Paths>'
        '<Measurement><DistanceUnits type="QString">meters</DistanceUnits><AreaUnits type="QString">m2</AreaUnits>'
        "</Measurement>"
        f'<TitleLabel><Enabled type="bool">true</Enabled><Label type="QString">{_shown(title)}</Label>'
        '<Placement type="int">4</Placement></TitleLabel>'
        f'<CopyrightLabel><Enabled type="bool">true</Enabled><Label type="QString">{_shown(words)}</Label>'
        '<Placement type="int">0</Placement></CopyrightLabel>'
        '<ScaleBar><Enabled type="bool">true</Enabled><Placement type="int">3</Placement></ScaleBar>'
        '<NorthArrow><Enabled type="bool">true</Enabled><Placement type="int">2</Placement></NorthArrow></properties>'
    )


def _crs(crs: Any) -> str:
    code = ":".join(crs.to_authority() or ())
    return (
        f'<spatialrefsys nativeFormat="Wkt"><wkt>{_text(crs.to_wkt())}</wkt><authid>{_text(code)}</authid>'
        f"<description>{_text(crs.name)}</description><geographicflag>false</geographicflag></spatialrefsys>"
    )


def _text(value: str) -> str:
    return escape(plain_text(value) or "")


def _attr(value: str) -> str:
    return quoteattr(plain_text(value) or "")


def _shown(value: str) -> str:
    """Text of a map decoration: QGIS would evaluate what stands between [% and %] in it, so the mark is spelt out.

    >>> _shown("100 [%x%]")
    "100 [%'[%'%]x%]"
    """
    return _text(value.replace("[%", "[%'[%'%]"))
