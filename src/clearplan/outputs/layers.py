"""The layers of a map, whatever it becomes: a page, paper, a file for handhelds or globes."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
from pyproj import CRS

from clearplan.core.crs import require_metres
from clearplan.read.background import Context
from clearplan.records.minefields import RecordReading
from clearplan.surface.probability import Surface


@dataclass(frozen=True)
class Layers:
    """What a map can show, all in one metric CRS; what is left out is not on the map, and the map says so.

    tasks, zones, areas, accidents, lifelines, releases : the tables of those names
    contact_lines : those among HAZARDS
    roads : lines
    context : layers beneath the hazards
    records : minefield records, on the map page with the ring that holds each point with 95 % probability
    surface : from ``make_surface``; on the map page under the hazards, and asked at every click
    first : how many tasks of each queue are drawn bold with their rank on paper
    """

    tasks: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame | None = None
    areas: gpd.GeoDataFrame | None = None
    accidents: gpd.GeoDataFrame | None = None
    lifelines: gpd.GeoDataFrame | None = None
    releases: gpd.GeoDataFrame | None = None
    contact_lines: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    context: Context = field(default_factory=Context)
    records: tuple[RecordReading, ...] = ()
    surface: Surface | None = None
    first: int = 10

    @property
    def lacking(self) -> list[str]:
        """Layers that nobody gave, of which a map therefore shows none."""
        told = {
            "hazards": self.areas,
            "places": self.zones,
            "accidents": self.accidents,
            "lifelines": self.lifelines,
            "roads": self.roads,
            "releases": self.releases,
        }
        return [words for words, table in told.items() if table is None]

    @property
    def crs(self) -> CRS:
        """The one CRS of all layers.

        Raises
        ------
        CrsError
            They are not in metres, or not in one CRS.
        """
        own = (
            self.tasks,
            self.areas,
            self.zones,
            self.accidents,
            self.lifelines,
            self.releases,
            self.contact_lines,
            self.roads,
        )
        below = (self.context.districts, self.context.countries, self.context.rivers, self.context.lakes)
        return require_metres(*(layer for layer in (*own, *below) if layer is not None))
