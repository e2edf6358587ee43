"""A run's layers read back from its folder, in the types in which the stages made them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.errors import MissingFileError, TableError
from clearplan.core.replacing import refuse_half_exchanged
from clearplan.read.files import read_raw, read_typed
from clearplan.tables.arrow import from_arrow


def read_run(folder: str | Path) -> dict[str, pd.DataFrame]:
    """All layers of a run's plan.gpkg as tables in the working CRS, by name; the order of rows is that of the run.

    Parameters
    ----------
    folder : path
        A run's folder, or a GeoPackage that clearplan wrote.

    Returns
    -------
    dict of GeoDataFrame
        Columns in their declared types: unknown is None or NaN, never 0. ``attrs["notice"]`` holds disclaimer and
        fingerprint.

    Raises
    ------
    MissingFileError, ReadError
        There is no plan.gpkg, it can't be read, or a run is exchanging the files.
    """
    path = Path(folder)
    refuse_half_exchanged(path if path.is_dir() else path.parent)
    path = path / "plan.gpkg" if path.is_dir() else path
    if not path.exists():
        raise MissingFileError(f"{path}: no such file; name the folder of a run (clearplan run ... --out FOLDER)")
    return {layer: _table(layer, arrow, crs) for layer, arrow, crs in read_typed(path)}


def read_work(path: Path, more: Sequence[str] = ()) -> pd.DataFrame:
    """WORK as a run wrote it in its work.csv, days as days and amounts as numbers.

    Parameters
    ----------
    path : path
    more : names, optional
        Days and amounts beside ``starts_on`` and ``days`` that are read as such, where the file has them; they may be
        blank.

    Raises
    ------
    TableError
        A column lacks that WORK is read by, or a day or an amount is none; the row is named.
    """
    raw = read_raw(path)
    work = raw.frame
    lacking = [name for name in ("task_id", "team_id", "starts_on", "days") if name not in work.columns]
    if lacking:
        raise TableError(f"{path} has no column {lacking[0]!r}; name the work.csv of a run")
    read = {}
    for name in ("days", "starts_on", *(name for name in more if name in work.columns)):
        kind = "day" if name.endswith("_on") else "amount"
        if kind == "day":
            read[name] = pd.to_datetime(work[name], format="ISO8601", errors="coerce")
        else:
            amounts = pd.to_numeric(work[name], errors="coerce")
            read[name] = amounts.where(amounts.between(0, np.inf, "left"))
        wrong = read[name].isna() & (work[name].notna() | (name not in more))
        if wrong.any():
            k = int(wrong.to_numpy().argmax())
            raise TableError(
                f"{path}, row {raw.rows[k]}: {name} {work[name].iloc[k]!r} is no {kind}; "
                "name the work.csv as a run wrote it"
            )
    return work.assign(**read)


def _table(layer: str, arrow: object, crs: object) -> pd.DataFrame:
    columns: list[str] = arrow.column_names  # type: ignore[attr-defined]
    shapes = arrow.column("geometry") if "geometry" in columns else None  # type: ignore[attr-defined]
    plain = from_arrow(layer, arrow.drop_columns(["geometry"]) if shapes is not None else arrow)  # type: ignore[attr-defined]
    notices = list(plain.pop("notice").dropna().unique()) if "notice" in plain.columns else list[str]()
    table = plain
    if shapes is not None:
        table = gpd.GeoDataFrame(plain, geometry=shapely.from_wkb(shapes.to_pylist()), crs=crs)
    table.attrs["notice"] = str(notices[0]) if len(notices) else ""
    return table
