"""Ground of tasks near homes: what is thought to threaten people who are already home, place by place, task by task.

To release it is a benefit of its own. It is no opening, and its people are never added to those who come home.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import require_metres
from clearplan.geo.blocking import blocking_ground, reaching
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.check import placed
from clearplan.tables.people import already_home


def near_homes(tasks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, settings: PlanningSettings) -> pd.DataFrame:
    """One row for each zone where people are already home and each task with ground near it.

    Near is the ground that is the place itself: within ``home_m`` and the zone's position error of it. What is expected
    to be contaminated there is the task's own expectation by its share of the ground. Where nobody knows one, the task
    counts like the zone's other near ground, and if nobody knows any, all near ground counts by its area.

    Parameters
    ----------
    tasks : GeoDataFrame
        TASKS; ``expected_m2`` where a surface knows it [m2].
    zones : GeoDataFrame
        ZONES in the same CRS; without ``already_home`` nobody is known to be home.
    settings : PlanningSettings
        ``home_m`` [m].

    Returns
    -------
    DataFrame
        zone_id, task_id, near_m2 [m2], part: of what is expected to be contaminated near the homes of the zone [1],
        which sums to 1 for each zone.

    Raises
    ------
    CrsError
        Tables are not in metres, or not in the same CRS.
    """
    require_metres(tasks, zones)
    lived_in = placed(zones)
    lived_in = lived_in[already_home(lived_in) > 0]
    error = pd.to_numeric(lived_in["position_error_m"]).to_numpy(float)
    homes = blocking_ground(lived_in.geometry.to_numpy(), settings.home_m, error)
    i, j = reaching(tasks.geometry.to_numpy(), homes)
    table = pd.DataFrame(
        {
            "zone_id": lived_in["zone_id"].astype(str).to_numpy(object)[j],
            "task_id": tasks["task_id"].to_numpy(object)[i],
            "near_m2": shapely.area(shapely.intersection(tasks.geometry.to_numpy()[i], homes[j])),
        }
    )
    expected = tasks["expected_m2"] if "expected_m2" in tasks.columns else pd.Series(np.nan, index=tasks.index)
    density = pd.to_numeric(expected).to_numpy(float, na_value=np.nan) / shapely.area(tasks.geometry.to_numpy())
    table["part"] = _parts(table, density[i])
    return table.sort_values(["zone_id", "task_id"], kind="stable", ignore_index=True)


def _parts(table: pd.DataFrame, density: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> pd.Series:
    """Part of each row in what is expected to be contaminated near the homes of its zone [1]."""
    known = table["near_m2"].where(np.isfinite(density), 0.0)
    expected = table["near_m2"] * np.nan_to_num(density)

    def of_zone(values: pd.Series) -> pd.Series:
        return values.groupby(table["zone_id"]).transform("sum")

    usual = (of_zone(expected) / of_zone(known)).where(of_zone(expected) > 0, 1.0)
    weight = expected.where(np.isfinite(density), table["near_m2"] * usual)
    weight = weight.where(of_zone(expected) > 0, table["near_m2"])
    return weight / of_zone(weight)
