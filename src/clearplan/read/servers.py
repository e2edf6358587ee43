"""Copies of what servers hold: each source of a plan that names a url is read from there into its file.

All else reads the copy. So a run can be made again without the server, and its fingerprint is that of rows at which
anyone can look.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import geopandas as gpd
import pandas as pd

from clearplan.core.errors import ReadError
from clearplan.core.writing import whole
from clearplan.read.arcgis import read_service
from clearplan.read.postgis import read_postgis
from clearplan.read.readers import project_sources
from clearplan.settings.project import Project
from clearplan.settings.sources import SourceSettings


def fetch_sources(project: Project, tell: Callable[[str], None] = lambda words: None) -> None:
    """Read every source that names a url from its server, then write all copies: none is new while another is old.

    Parameters
    ----------
    plan : Project
    tell : callable, optional
        Told what was read, in words.

    Raises
    ------
    ReadError
        A server can't be reached or refuses; every copy stays as it was.
    OutputError
        A copy can't be written.
    """
    asked = [source for _, source in project_sources(project) if source.url is not None]
    read = [(source, fetch(source)) for source in asked]
    for source, table in read:
        write_copy(source, table)
        tell(f"{len(table):,} rows from {source.url} into {source.path}")


def fetch(source: SourceSettings) -> pd.DataFrame | gpd.GeoDataFrame:
    """Rows of a source as its server holds them."""
    assert source.url is not None
    if urlsplit(source.url).scheme == "postgresql":
        assert source.layer is not None  # the settings ask for it
        return read_postgis(source.url, source.layer, lenient=source.lenient)
    return read_service(source.url, lenient=source.lenient)


def write_copy(source: SourceSettings, table: pd.DataFrame | gpd.GeoDataFrame) -> None:
    """The rows as (Geo)Parquet, in the source's own file, whole or not at all."""
    if (
        isinstance(table, gpd.GeoDataFrame)
        and table.crs is None
        and source.crs is None
        and table.geometry.notna().any()
    ):
        raise ReadError(f'{source.url}: states no CRS; say crs = "EPSG:..." beside its url')
    with whole(source.path) as fresh:
        table.to_parquet(fresh, index=False)
