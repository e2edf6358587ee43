"""Scanned maps: control points, the honest error of their fit, and the map drawn straight.

The fit at its own points says little: with four points it understated the true error seven times in a simulation, and a
thin plate always fits exactly. What counts is how well a point is met that was left out.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyproj import CRS

from clearplan.core.crs import AnyCrs, is_metric, parse_crs
from clearplan.core.errors import CrsError, FaultsError, MissingFileError, ReadError, SettingsError
from clearplan.core.writing import refuse_taken, whole
from clearplan.geo.rasters import gcp_map, raster_gcps, warp_by_gcps
from clearplan.tables.check import Fault, fault, fault_table

Array = np.ndarray[Any, Any]

#: Fewest control points of each model; one more is needed to leave one out.
FEWEST = {"affine": 3, "polynomial": 6, "thin-plate": 4}
#: Fewer points than this say little about a sheet (simulation in the field's methods: 16 are better).
RECOMMENDED = 9
#: A point missed by more than this many times the median was probably picked wrongly.
SUSPICIOUS = 3.0

_HEADERS = (("mapX", "mapY", "sourceX", "sourceY"), ("mapX", "mapY", "pixelX", "pixelY"))


@dataclass(frozen=True)
class ControlPoints:
    """Control points of a scan.

    table : point (number as the owner sees it), column and row (pixels from the upper left corner), x, y (map
    coordinates [m]), enabled
    """

    table: pd.DataFrame
    crs: CRS
    file: str = "control points"


@dataclass(frozen=True)
class ScanError:
    """How far a model of a scan misses points that it has not seen [m]; ``residuals`` are one row a point."""

    model: str
    count: int
    leave_one_out_rmse_m: float
    held_out_rmse_m: float | None
    fit_rmse_m: float
    residuals: pd.DataFrame
    warnings: tuple[str, ...]

    @property
    def sigma_m(self) -> float:
        """Standard error per axis that joins a reference point's [m]: the larger honest error by sqrt(2)."""
        return max(self.leave_one_out_rmse_m, self.held_out_rmse_m or 0.0) / float(np.sqrt(2))

    @property
    def words(self) -> str:
        """One line for reports; the fit never stands alone."""
        held = f", {self.held_out_rmse_m:.1f} m at points held out" if self.held_out_rmse_m is not None else ""
        return (
            f"{self.model}, {self.count} control points: {self.leave_one_out_rmse_m:.1f} m at a point left out{held} "
            f"(fit at its own points {self.fit_rmse_m:.1f} m, which says little)"
        )


def read_control_points(path: str | Path, *, crs: AnyCrs | None = None) -> ControlPoints:
    """Control points of a QGIS ``.points`` file, or of a raster that carries them.

    Parameters
    ----------
    path : path
    crs : CRS, optional
        Of a file that states none; never guessed.

    Raises
    ------
    MissingFileError, ReadError
        There is no such file, or it is none of these.
    CrsError
        No CRS is stated, two contradict, or it is not in metres.
    FaultsError
        A figure is no number, a point stands twice, or all lie on one line.
    """
    table, stated = _opened(Path(path))
    return _control_points(Path(path), table, stated, parse_crs(crs) if crs is not None else None)


def _opened(path: Path) -> tuple[pd.DataFrame, CRS | None]:
    """Control points as the file holds them, and the CRS that it states."""
    if not path.exists():
        raise MissingFileError(f"{path}: no such file; correct the path")
    return _read_points(path) if path.suffix.lower() == ".points" else raster_gcps(path)


def _control_points(path: Path, table: pd.DataFrame, stated: CRS | None, declared: CRS | None) -> ControlPoints:
    """Points that can serve, in metres."""
    if stated is None and declared is None:
        raise CrsError(f"{path}: states no CRS; declare that of the map coordinates, it is never guessed")
    if stated is not None and declared is not None and not stated.equals(declared, ignore_axis_order=True):
        raise CrsError(f"{path}: is in {stated.name}, but {declared.name} is declared; drop one of them")
    own = stated if stated is not None else declared
    assert own is not None
    if not is_metric(own):
        raise CrsError(
            f"{path}: map coordinates are in {own.name}; pick crossings of the kilometre grid in the sheet's own grid, "
            "such as EPSG:28408"
        )
    faults = _point_faults(table, path.name)
    if faults:
        raise FaultsError(fault_table(faults))
    return ControlPoints(table, own, path.name)


def _crs_of_points(path: Path, stated: list[str], head: CRS | None) -> CRS | None:
    """The one CRS of a file whose points state theirs each, as QGIS writes from 3.26 on."""
    names = sorted({text.strip() for text in stated if text.strip()})
    if not names:
        return head
    every = [parse_crs(name) for name in names] + ([] if head is None else [head])
    others = [crs.name for crs in every if not crs.equals(every[0], ignore_axis_order=True)]
    if others:
        raise CrsError(f"{path}: holds points in {every[0].name} and in {others[0]}; save all points in one CRS")
    return every[0]


def _read_points(path: Path) -> tuple[pd.DataFrame, CRS | None]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: can't be read as UTF-8 text ({error}); save the points again in QGIS") from None
    crs = None
    if lines and lines[0].upper().startswith("#CRS:"):
        text = lines.pop(0)[5:].strip()
        crs = parse_crs(text) if text else None
        skipped = 1
    else:
        skipped = 0
    rows = _rows(path, lines)
    header = [name.strip() for name in rows[0]] if rows else []
    names = next((names for names in _HEADERS if set(names) <= set(header)), None)
    if names is None:
        raise ReadError(f"{path}: is no QGIS points file; its header must name mapX, mapY, sourceX, sourceY")
    crs = _crs_of_points(path, [dict(zip(header, row, strict=False)).get("crs", "") for row in rows[1:]], crs)
    faults, found = [], []
    for number, row in enumerate(rows[1:], start=skipped + 2):
        if not row:
            continue
        cells = dict(zip(header, row, strict=False))
        figures = {}
        for name in names:
            try:
                figures[name] = float(cells.get(name, ""))
                if not np.isfinite(figures[name]):
                    raise ValueError
            except ValueError:
                value = cells.get(name, "")
                faults.append(fault(path.name, number, name, value, "must be a number", "error", "pick it again"))
        if len(figures) == len(names):
            x, y, column, up = (figures[name] for name in names)
            enabled = cells.get("enable", "1").strip() != "0"
            found.append({"point": number, "column": column, "row": -up, "x": x, "y": y, "enabled": enabled})
    if faults:
        raise FaultsError(fault_table(faults))
    if not found:
        raise ReadError(f"{path}: holds no control points; pick some in QGIS's georeferencer and save them again")
    return pd.DataFrame(found, columns=["point", "column", "row", "x", "y", "enabled"]), crs


def _rows(path: Path, lines: list[str]) -> list[list[str]]:
    try:
        return list(csv.reader(lines))
    except csv.Error as error:
        raise ReadError(f"{path}: can't be read as a QGIS points file ({error}); save the points again") from None


def _point_faults(table: pd.DataFrame, file: str) -> list[Fault]:
    faults = []
    above = table["row"] < 0
    for number in table.loc[above, "point"]:
        rule = "pixel lies above the image: rows count downwards, as negative figures"
        faults.append(fault(file, int(number), "sourceY", "", rule, "error", "save the points of the plain scan again"))
    for columns, what in ((["column", "row"], "pixel"), (["x", "y"], "map coordinate")):
        for number in table.loc[table.duplicated(columns), "point"]:
            rule, remedy = f"{what} stands twice", "remove one of the points"
            faults.append(fault(file, int(number), columns[0], "", rule, "error", remedy))
    used = table[table["enabled"]]
    for columns, what in ((["column", "row"], "sourceX"), (["x", "y"], "mapX")):
        figures = used[columns].to_numpy(float)
        spread = np.linalg.svd(figures - figures.mean(axis=0), compute_uv=False) if len(figures) > 2 else None
        if spread is not None and spread[1] < 1e-3 * spread[0]:
            number = int(used["point"].iloc[0])
            rule, remedy = "all points lie on one line", "pick points over the whole sheet"
            faults.append(fault(file, number, what, "", rule, "error", remedy))
    return faults


def georeference_error(points: ControlPoints, model: str, *, held_out: Sequence[int] = ()) -> ScanError:
    """How well a model meets points that it has not seen.

    Parameters
    ----------
    points : ControlPoints
        Points that are not enabled are held out.
    model : 'affine', 'polynomial' (second order) or 'thin-plate'
    held_out : numbers of further points to hold out

    Raises
    ------
    SettingsError
        The model is unknown, or has too few points to leave one out.

    Leave-one-out is made by fitting again without each point.
    """
    if model not in FEWEST:
        raise SettingsError(f"scan model {model!r} is not known; write one of {', '.join(FEWEST)}")
    table = points.table
    aside = ~table["enabled"].to_numpy(bool) | table["point"].isin(list(held_out)).to_numpy()
    used = table[~aside]
    if len(used) <= FEWEST[model]:
        raise SettingsError(
            f"{points.file}: {model} with {len(used)} control points can't leave one out; "
            f"pick {FEWEST[model] + 1} or more"
        )
    fit = _missed(used, used, model)
    left = np.vstack([_missed(used.drop(index=k), used.loc[[k]], model) for k in used.index])
    held = _missed(used, table[aside], model) if aside.any() else np.empty((0, 2))
    residuals = table[["point", "enabled"]].assign(
        **dict.fromkeys(("fit_x", "fit_y", "left_out_x", "left_out_y"), np.nan)
    )
    residuals.loc[~aside, ["fit_x", "fit_y"]] = fit
    residuals.loc[~aside, ["left_out_x", "left_out_y"]] = left
    residuals.loc[aside, ["left_out_x", "left_out_y"]] = held
    residuals["left_out_m"] = np.hypot(residuals["left_out_x"], residuals["left_out_y"])
    return ScanError(
        model=model,
        count=len(used),
        leave_one_out_rmse_m=_rmse(left),
        held_out_rmse_m=_rmse(held) if len(held) else None,
        fit_rmse_m=_rmse(fit),
        residuals=residuals,
        warnings=tuple(_doubts(used, residuals)),
    )


def scan_sigma_m(path: str | Path, model: str, *, crs: str | None = None) -> float:
    """Standard error per axis of coordinates read off a scan [m]; ``crs`` speaks for a file that states none."""
    table, stated = _opened(Path(path))
    declared = parse_crs(crs) if crs is not None else None
    points = _control_points(Path(path), table, stated, declared if stated is None else None)
    return georeference_error(points, model).sigma_m


def compare_models(points: ControlPoints, *, held_out: Sequence[int] = ()) -> pd.DataFrame:
    """One row a model that has points enough: the honest errors first, the fit last [m].

    A model that can't be solved without one of the points has blank errors.
    """
    rows = []
    for model, fewest in FEWEST.items():
        used = points.table["enabled"] & ~points.table["point"].isin(list(held_out))
        if used.sum() > fewest:
            try:
                found = georeference_error(points, model, held_out=held_out)
            except SettingsError:
                rows.append((model, int(used.sum()), np.nan, np.nan, np.nan))
                continue
            held = np.nan if found.held_out_rmse_m is None else found.held_out_rmse_m
            rows.append((model, found.count, found.leave_one_out_rmse_m, held, found.fit_rmse_m))
    return pd.DataFrame(rows, columns=["model", "points", "leave_one_out_rmse_m", "held_out_rmse_m", "fit_rmse_m"])


def warp_scan(
    image: str | Path, points: ControlPoints, out: str | Path, *, model: str, resolution_m: float | None = None
) -> Path:
    """The scan as a GeoTIFF in the CRS of its control points; the file is written whole or not at all.

    Raises
    ------
    ReadError, OutputError
        The image can't be read; the file exists, is no .tif name, or can't be written.
    """
    out = Path(out)
    refuse_taken(out, (".tif", ".tiff"))
    if model not in FEWEST:
        raise SettingsError(f"scan model {model!r} is not known; write one of {', '.join(FEWEST)}")
    used = points.table[points.table["enabled"]]
    with whole(out) as fresh:
        warp_by_gcps(Path(image), used, points.crs, fresh, model=model, resolution_m=resolution_m)
    return out


def _mapped(used: pd.DataFrame, model: str, column: Array, row: Array) -> tuple[Array, Array]:
    if model == "affine":
        known = np.column_stack([used["column"], used["row"], np.ones(len(used))])
        factors = np.linalg.lstsq(known, used[["x", "y"]].to_numpy(float), rcond=None)[0]
        x, y = (np.column_stack([column, row, np.ones(len(column))]) @ factors).T
        return x, y
    return gcp_map(used, column, row, thin_plate=model == "thin-plate")


def _missed(used: pd.DataFrame, seen: pd.DataFrame, model: str) -> Array:
    """(n, 2) computed minus true map coordinates [m]."""
    x, y = _mapped(used, model, seen["column"].to_numpy(float), seen["row"].to_numpy(float))
    missed: Array = np.column_stack([x, y]) - seen[["x", "y"]].to_numpy(float)
    return missed


def _rmse(missed: Array) -> float:
    return float(np.sqrt(np.mean(np.sum(missed**2, axis=1))))


def _doubts(used: pd.DataFrame, residuals: pd.DataFrame) -> list[str]:
    doubts = []
    if len(used) < RECOMMENDED:
        doubts.append(f"{len(used)} control points; {RECOMMENDED} or more say more, 16 are better")
    median = residuals.loc[residuals["enabled"], "left_out_m"].median()
    odd = residuals[residuals["left_out_m"] > max(SUSPICIOUS * median, 1e-6)]
    doubts += [
        f"point {p} is missed by {m:.1f} m, over three times the median: check it"
        for p, m in zip(odd["point"], odd["left_out_m"], strict=True)
    ]
    middle = used[["column", "row"]].mean()
    sides = {(c > middle["column"], r > middle["row"]) for c, r in used[["column", "row"]].to_numpy(float)}
    if len(sides) < 4:
        doubts.append("a quarter of the sheet has no control point")
    return doubts
