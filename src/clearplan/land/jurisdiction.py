"""Ground under a state's jurisdiction: what is counted is cut to it, and what lies beyond is listed apart."""

from __future__ import annotations

from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError
from clearplan.geo import shapes
from clearplan.tables.lookup import id_column, table_name

Table = TypeVar("Table", bound=gpd.GeoDataFrame)


def ground_of_state(countries: gpd.GeoDataFrame, state: str, *, name: str = "name") -> shapely.Geometry:
    """The ground of a state: all rows of its name in a layer of countries.

    Parameters
    ----------
    countries : GeoDataFrame
        In a metric CRS, names in column ``name``.
    state : str

    Raises
    ------
    CrsError
        The layer is not in metres.
    SettingsError
        The layer has no such column, or no state of this name.
    """
    require_metres(countries)
    if name not in countries.columns:
        columns = ", ".join(str(column) for column in countries.columns if column != "geometry")
        raise SettingsError(f"context.country_name: the layer of countries has no column {name!r}; it has {columns}")
    rows = countries[countries[name] == state]
    if not len(rows):
        names = ", ".join(sorted(countries[name].dropna().astype(str).unique())[:10])
        raise SettingsError(f"study.state: no country is called {state!r}; the layer of countries has {names}")
    return shapely.union_all(rows.geometry.to_numpy())


def within_state(table: Table, ground: shapely.Geometry, *, name: str | None = None) -> tuple[Table, pd.DataFrame]:
    """Rows cut to the ground of a state, and what of them lies beyond it.

    A border on paper is no reason to enter: ground beyond the state's is another's to survey and clear, so that it is
    in no total, no task and no plan, and is never lost.

    Parameters
    ----------
    table : GeoDataFrame
        AREAS or RELEASES in a metric CRS. Rows without a shape stay. Of AREAS the reported border is cut, too; a stated
        area is unknown where the footprint reaches beyond, for nobody can tell how much of it lies there.
    ground : Polygon or MultiPolygon
        From :func:`ground_of_state`, in the same CRS.
    name : str, optional
        Name of the table, where the table does not say it itself.

    Returns
    -------
    GeoDataFrame, DataFrame
        The rows of which some ground lies within, or which have no shape, in their order; and one row per row that
        reaches beyond: its id, ``inside_m2`` and ``beyond_m2`` [m2]. The two add up to the area of the row.

    >>> crossing = gpd.GeoDataFrame({"area_id": ["A", "B"]}, crs="EPSG:32638",
    ...     geometry=[shapely.box(0, 0, 4, 1), shapely.box(8, 0, 9, 1)])
    >>> left, beyond = within_state(crossing, shapely.box(0, 0, 3, 9), name="areas")
    >>> left.geometry.area.tolist(), beyond.values.tolist()
    ([3.0], [['A', 3.0, 1.0], ['B', 0.0, 1.0]])
    """
    require_metres(table)
    reported = table.geometry.to_numpy()
    inside = reported.copy()
    drawn = np.flatnonzero(shapely.area(reported) > 0)
    pair, _, part = shapes.shared(reported[drawn], np.array([ground], dtype=object))
    inside[drawn] = shapely.Polygon()
    inside[drawn[pair]] = part
    before, within = np.nan_to_num(shapely.area(reported)), np.nan_to_num(shapely.area(inside))
    # Rounding of a cut must not look like ground beyond the border.
    crosses = before - within > 1e-9 * before
    column = id_column(name or table_name(table))
    beyond = pd.DataFrame(
        {
            column: table[column].to_numpy(object)[crosses],
            "inside_m2": within[crosses],
            "beyond_m2": (before - within)[crosses],
        }
    )
    inside[~crosses] = reported[~crosses]
    stays = (within > 0) | (before == 0)
    left = table.assign(geometry=gpd.GeoSeries(inside, index=table.index, crs=table.crs))
    if "reported" in table.columns:
        left = _with_borders_cut(left, ground, crosses)
    return left[stays], beyond


def _with_borders_cut(areas: Table, ground: shapely.Geometry, crosses: NDArray[np.bool_]) -> Table:
    """AREAS whose reported borders, stated and planning areas are those within the ground."""
    border = np.array(areas["reported"].to_numpy(), dtype=object)
    both = np.flatnonzero(crosses & ~shapely.is_missing(border))
    cut = shapely.intersection(border[both], ground)
    border[both] = [shapes.real_parts(shape) for shape in cut]
    border[both[shapely.is_empty(border[both])]] = None
    cut_areas: Table = areas.assign(
        reported=gpd.GeoSeries(border, index=areas.index, crs=areas.crs),
        planning_m2=np.nan_to_num(shapely.area(areas.geometry.to_numpy())),
        stated_m2=areas["stated_m2"].mask(crosses),
    )
    return cut_areas
