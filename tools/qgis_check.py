"""Open a run's plan.qgz in a real QGIS, check that every layer is valid, styled and drawn, and render pictures.

By hand, not part of ``make test``. On Debian:

    apt-get install --no-install-recommends qgis python3-qgis
    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tools/qgis_check.py out/karabakh pictures/

Prints one line a layer; ends with status 1 where a layer is not valid, draws nothing, or has lost its style. It also
loads each layer of plan.gpkg by itself, as a user drags it in, and checks that QGIS finds the style inside.
"""

from __future__ import annotations

import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
    QgsRuleBasedRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor


def picture(layers: list, extent: QgsRectangle, project: QgsProject, path: Path, size: int = 1500) -> int:
    """Render layers; the number of pixels that are not white."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(project.crs())
    settings.setTransformContext(project.transformContext())
    settings.setBackgroundColor(QColor("white"))
    settings.setOutputSize(QSize(size, round(size * 0.72)))
    settings.setOutputDpi(96)
    settings.setExtent(extent)
    context = QgsExpressionContext()
    context.appendScopes(QgsExpressionContextUtils.globalProjectLayerScopes(None))
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))  # styles ask for @map_scale
    settings.setExpressionContext(context)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    for fault in job.errors():
        print("FAULT", fault.layerID, fault.message)
    image = job.renderedImage()
    image.save(str(path))
    white = QColor("white").rgb()
    return sum(image.pixel(x, y) != white for x in range(0, image.width(), 3) for y in range(0, image.height(), 3))


def check_project(folder: Path, out: Path) -> int:
    """Layers of the project; how many are faulty."""
    project = QgsProject.instance()
    bad = 0 if project.read(str(folder / "plan.qgz")) else 1
    print("project:", project.title(), "| CRS", project.crs().authid(), "| home", project.absolutePath() == str(folder))
    extent = project.viewSettings().defaultViewExtent()
    shown = []
    for node in project.layerTreeRoot().findLayers():
        layer = node.layer()
        ok = layer is not None and layer.isValid()
        name = node.name()
        if not ok:
            print(f"NOT VALID  {name}")
            bad += 1
            continue
        if node.itemVisibilityChecked():
            shown.append(layer)
        own = QgsRectangle(layer.extent())
        own.scale(1.1)
        drawn = picture([layer], own, project, out / f"layer_{layer.id()}.png", 900)
        rows = layer.featureCount() if isinstance(layer, QgsVectorLayer) else "raster"
        kind = layer.renderer().type() if layer.renderer() else "none"
        fault = drawn == 0 or (
            isinstance(layer, QgsVectorLayer) and not isinstance(layer.renderer(), QgsRuleBasedRenderer)
        )
        bad += fault
        word, seen = "FAULT" if fault else "ok   ", "shown" if node.itemVisibilityChecked() else "hidden"
        told = [f.alias() for f in layer.fields() if f.alias()][:2] if isinstance(layer, QgsVectorLayer) else ""
        print(f"{word}  {name}: {rows} rows, {kind}, {drawn} points drawn, {seen}, alias {told}")
    picture(shown, extent, project, out / "project.png", 2000)
    near = QgsRectangle(extent)
    near.scale(0.12)
    picture(shown, near, project, out / "project_near.png", 2000)
    return bad


def check_styles(folder: Path) -> int:
    """Layers of the GeoPackage alone: the style that lies inside is taken up."""
    from osgeo import ogr

    bad = 0
    source = ogr.Open(str(folder / "plan.gpkg"))
    for name in [source.GetLayer(k).GetName() for k in range(source.GetLayerCount())]:
        if name == "layer_styles":
            continue
        layer = QgsVectorLayer(f"{folder / 'plan.gpkg'}|layername={name}", name, "ogr")
        styled = isinstance(layer.renderer(), QgsRuleBasedRenderer)
        bad += not (layer.isValid() and styled)
        told = [f"{f.name()}: {f.alias()} / {f.comment()}" for f in layer.fields() if f.alias() or f.comment()]
        print(f"{'ok   ' if styled else 'FAULT'}  plan.gpkg {name}: {layer.featureCount()} rows, {told[:1]}")
    return bad


def main() -> int:
    """Check a run's folder; 0 where all is well."""
    folder, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    app = QgsApplication([], False)
    app.initQgis()
    bad = check_project(folder, out) + check_styles(folder)
    print("faults:", bad)
    QgsProject.instance().clear()
    app.exitQgis()
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
