"""Frames by the table that they hold: names for signatures; the columns stand in ``inputs`` and ``results``."""

from __future__ import annotations

from typing import TypeAlias

import geopandas as gpd
import pandas as pd

#: HAZARDS: one row per reported hazard, with its shape [m].
Hazards: TypeAlias = gpd.GeoDataFrame
#: AREAS: the footprint of every hazard, less what is released of it.
Areas: TypeAlias = gpd.GeoDataFrame
#: RELEASES: events on ground, append-only.
Releases: TypeAlias = gpd.GeoDataFrame
#: ACCIDENTS: where and when people were hurt.
Accidents: TypeAlias = gpd.GeoDataFrame
#: ZONES: places to which people return.
Zones: TypeAlias = gpd.GeoDataFrame
#: LIFELINES: roads, water, schools that a place depends on.
Lifelines: TypeAlias = gpd.GeoDataFrame
#: TASKS: workable pieces of ground; ranked, planned ones carry more columns.
Tasks: TypeAlias = gpd.GeoDataFrame
#: Districts or other land of a map: polygons, with names in a column that is shown beside them.
Districts: TypeAlias = gpd.GeoDataFrame
#: HISTORY: changes of status and class of whole hazards.
History: TypeAlias = pd.DataFrame
#: GATES: what holds tasks back until something happens.
Gates: TypeAlias = pd.DataFrame
#: TEAMS: who can work, how fast, when and where.
Teams: TypeAlias = pd.DataFrame
#: COMMITMENTS: what was promised by a day.
Commitments: TypeAlias = pd.DataFrame
#: WORK: which team works on which task in which period.
Work: TypeAlias = pd.DataFrame
#: Any of them.
Table: TypeAlias = pd.DataFrame | gpd.GeoDataFrame
