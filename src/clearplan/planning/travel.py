"""Days that teams are on the road between their base and a site."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from clearplan.core.errors import SettingsError
from clearplan.settings.planning import Travel

Array = NDArray[Any]


def travel_days(sites: gpd.GeoSeries, teams: pd.DataFrame, travel: Travel) -> Array:
    """Team-days on the road from the base of each team to each site, one way (sites, teams); 0 without a base.

    The geodesic distance on WGS 84 between the base and a point within the site, times ``factor``, by ``km_a_day``.

    Parameters
    ----------
    sites : GeoSeries
        Shapes of the sites.
    teams : DataFrame
        TEAMS with ``base_lon`` and ``base_lat`` [degrees].
    travel : Travel

    Raises
    ------
    SettingsError
        No team has a base, so nothing could be counted.

    >>> site = gpd.GeoSeries([shapely.Point(1.0, 0.0).buffer(0.01)], crs=4326)
    >>> teams = pd.DataFrame({"base_lon": [0.0, None], "base_lat": [0.0, None]})
    >>> travel_days(site, teams, Travel(factor=1.5, km_a_day=334, source="test")).round(2).tolist() # 111.3 km x 1.5
    [[0.5, 0.0]]
    """
    names = ("base_lon", "base_lat")
    base = [pd.to_numeric(teams[name]).to_numpy(float) if name in teams.columns else np.nan for name in names]
    lon, lat = (np.broadcast_to(side, len(teams)) for side in base)
    if np.isnan(lon).all():
        raise SettingsError(
            "planning.travel: no row of TEAMS has base_lon and base_lat; give the bases, or take it out"
        )
    points = gpd.GeoSeries(shapely.point_on_surface(sites.to_numpy()), crs=sites.crs).to_crs(4326)
    at, to = np.meshgrid(np.arange(len(points)), np.arange(len(teams)), indexing="ij")
    x, y = points.x.to_numpy()[at], points.y.to_numpy()[at]
    _, _, metres = Geod(ellps="WGS84").inv(np.nan_to_num(lon)[to], np.nan_to_num(lat)[to], x, y)
    return np.where(np.isnan(lon)[to], 0.0, np.asarray(metres) / 1000 * travel.factor / travel.km_a_day)
