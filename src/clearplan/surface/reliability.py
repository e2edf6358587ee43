"""How often the areas of each source hold something: learned from those that survey or clearance has concluded."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.geo.shapes import overlaps
from clearplan.tables.check import placed
from clearplan.tables.texts import says_none

#: Share of an area that must be released before it is concluded [1].
_CONCLUDED = 0.5
#: Concluded areas that the mean of all sources counts for, beside a source's own: a source with few is drawn to it.
_PRIOR = 2.0


def learned_reliability(areas: gpd.GeoDataFrame, releases: gpd.GeoDataFrame) -> pd.Series:
    """Share of the areas of each source that hold something (index: source) [0-1].

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS with source and land class; suspected and confirmed ground counts.
    releases : GeoDataFrame
        RELEASES. An area is concluded where half of it is released; it held something where clearance on its ground
        found some, or nobody says what it found.

    Returns
    -------
    Series
        ``(held + 2 mean) / (concluded + 2)`` with the mean over all sources, one area of doubt on each side; 1 for all
        where nothing is concluded, so that nothing is learned.

    Notes
    -----
    The mean of a Beta distribution with the sources' mean as its prior, worth two areas.
    """
    own = placed(areas)
    own = own[own["land_class"].isin(["SHA", "CHA"]) & ~own["kind"].isin(["contact-line", "cluster-strike"])]
    sources = pd.Index(own["source"].unique(), name="source")
    told = concluded(own, releases)
    if not len(told):
        return pd.Series(1.0, index=sources)
    held = told.groupby("source")["held"].agg(["sum", "size"]).reindex(sources, fill_value=0)
    mean = (float(told["held"].sum()) + 1) / (len(told) + 2)
    share: pd.Series = (held["sum"] + _PRIOR * mean) / (held["size"] + _PRIOR)
    return share


def with_finds(releases: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Which releases are clearance in which something was found, or of which nobody says what was (n)."""
    cleared: NDArray[np.bool_] = (releases["action"] == "cleared").to_numpy(bool)
    if "items" not in releases.columns:
        return cleared
    nothing = np.array([isinstance(text, str) and says_none(text) for text in releases["items"]], dtype=bool)
    found: NDArray[np.bool_] = cleared & ~nothing
    return found


def concluded(areas: gpd.GeoDataFrame, releases: gpd.GeoDataFrame) -> pd.DataFrame:
    """Areas of which at least half is released: source, and whether something was found there (``held``)."""
    given = placed(releases)
    given = given[given["action"] != "re-opened"]
    if not len(given) or not len(areas):
        return pd.DataFrame({"source": pd.Series(dtype=object), "held": pd.Series(dtype=bool)})
    finds = with_finds(given)
    i, j, m2 = overlaps(areas.geometry.to_numpy(), given.geometry.to_numpy())
    size = areas.geometry.area.to_numpy()
    released = np.bincount(i, weights=m2, minlength=len(areas)) / np.maximum(size, 1e-9)
    held = np.bincount(i, weights=m2 * finds[j], minlength=len(areas)) > 0
    done = released >= _CONCLUDED
    return pd.DataFrame({"source": areas["source"].to_numpy()[done], "held": held[done]})
