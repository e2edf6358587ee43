"""Working CRS, pinned datum operations, and the one rule: metres, or an error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Geod, Proj, Transformer, network
from pyproj.exceptions import CRSError as ProjCrsError
from pyproj.transformer import TransformerGroup

from .errors import CrsError

if TYPE_CHECKING:
    import geopandas as gpd

#: Largest area error of the working CRS over the study region before UTM gives way to equal area [1].
MAX_AREA_ERROR = 0.001

#: Datum operations chosen by code, never by PROJ's ranking. SK-42 (EPSG:4284) to WGS 84 by EPSG:15865,
#: 4.5 m, valid for Azerbaijan and Armenia; PROJ's "best accuracy" would pick one for Russia only.
PINNED_OPERATIONS = {4284: ("EPSG:15865", "Pulkovo 1942 to WGS 84 (16)", 4.5)}


@dataclass(frozen=True)
class WorkingCrs:
    """CRS in which a study computes, with its largest area error over the region [1]."""

    crs: CRS
    area_error: float

    @property
    def words(self) -> str:
        """One line for reports."""
        code = self.crs.to_authority()
        name = f"{self.crs.name} ({':'.join(code)})" if code else self.crs.name
        return f"{name}, area error up to {self.area_error:.3%} in the region"


def parse_crs(text: Any) -> CRS:
    """A CRS from user input.

    Raises
    ------
    CrsError
        PROJ does not know it.

    >>> parse_crs("EPSG:32638").name
    'WGS 84 / UTM zone 38N'
    """
    try:
        return CRS.from_user_input(text)
    except ProjCrsError:
        raise CrsError(f"CRS {text!r} is not known; write an EPSG code such as 'EPSG:32638'") from None


def working_crs(region: tuple[float, float, float, float]) -> WorkingCrs:
    """CRS for a study region (west, south, east, north) [degrees].

    The UTM zone of the region's centre where its area error stays within 0.1 % over the whole region, else
    Lambert azimuthal equal area centred on the region (rounded to 0.1 degree).

    >>> working_crs((45.6, 38.8, 47.8, 40.9)).words
    'WGS 84 / UTM zone 38N (EPSG:32638), area error up to 0.074% in the region'
    >>> working_crs((30.0, 45.0, 40.0, 52.0)).crs.name
    'Lambert azimuthal equal area, 48.5 N 35.0 E'
    """
    west, south, east, north = region
    lon, lat = (west + east) / 2, (south + north) / 2
    zone = min(int((lon + 180) // 6) + 1, 60)
    utm = CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)
    error = area_error(utm, region)
    if error <= MAX_AREA_ERROR and south >= -80 and north <= 84:
        return WorkingCrs(utm, error)
    equal_area = _equal_area(round(lat, 1), round(lon, 1))
    return WorkingCrs(equal_area, area_error(equal_area, region))


def _equal_area(lat: float, lon: float) -> CRS:
    base = CRS.from_proj4(f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +no_defs").to_json_dict()
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    base["name"] = f"Lambert azimuthal equal area, {abs(lat)} {north} {abs(lon)} {east}"
    return CRS.from_json_dict(base)


def area_error(crs: CRS, region: tuple[float, float, float, float]) -> float:
    """Largest relative error of areas over a region [1], on a 21 x 21 grid (pyproj's areal scale)."""
    west, south, east, north = region
    lon, lat = np.meshgrid(np.linspace(west, east, 21), np.linspace(south, north, 21))
    scale = Proj(crs).get_factors(lon.ravel(), lat.ravel()).areal_scale
    return float(np.max(np.abs(np.asarray(scale) - 1)))


def is_metric(crs: CRS | None) -> bool:
    """Whether a CRS is projected with both axes in metres."""
    return (
        crs is not None
        and crs.is_projected
        and all(math.isclose(axis.unit_conversion_factor, 1.0) for axis in crs.axis_info)
    )


def require_metres(*tables: gpd.GeoDataFrame) -> CRS:
    """The one metric CRS that all tables share.

    Raises
    ------
    CrsError
        A table has no CRS, one in degrees or feet, or another than the first.
    """
    first: CRS | None = None
    for table in tables:
        crs = table.crs
        if crs is None:
            raise CrsError("table has no CRS; set it where the file is read, it is never guessed")
        if not is_metric(crs):
            raise CrsError(f"table is in {crs.name}, not in metres; reproject it with to_working() at the door")
        if first is not None and crs != first:
            raise CrsError(f"tables differ in CRS: {first.name} and {crs.name}; reproject both to one")
        first = crs
    if first is None:
        raise CrsError("no table given; hand over at least one")
    return first


@lru_cache(maxsize=64)
def operation(source: CRS, target: CRS) -> tuple[Transformer, str]:
    """Transformer between two CRS and its description with accuracy; never a silent ballpark, no network.

    Raises
    ------
    CrsError
        No exact operation exists on this machine.
    """
    network.set_network_enabled(active=False)  # type: ignore[attr-defined]
    pinned = _pinned(source, target)
    try:
        group = TransformerGroup(source, target, always_xy=True, allow_ballpark=False)
    except ProjCrsError as error:
        raise CrsError(f"no operation from {source.name} to {target.name} ({error})") from None
    for transformer in group.transformers:
        names = transformer.description
        if pinned is None or pinned[1] in names:
            accuracy = pinned[2] if pinned else transformer.accuracy
            grade = f"accuracy {accuracy:g} m" if accuracy >= 0 else "accuracy not stated"
            code = f"{pinned[0]}, " if pinned else ""
            return transformer, f"{source.name} to {target.name}: {code}{names} ({grade})"
    wanted = f" by {pinned[0]}" if pinned else ""
    raise CrsError(f"no exact operation from {source.name} to {target.name}{wanted}; convert the file to WGS 84 first")


def _pinned(source: CRS, target: CRS) -> tuple[str, str, float] | None:
    geodetic = source.geodetic_crs
    other = target.geodetic_crs
    if geodetic is None or other is None or geodetic == other:
        return None
    return PINNED_OPERATIONS.get(geodetic.to_epsg() or 0)


def reprojected(geometry: Any, source: CRS, target: CRS) -> Any:
    """Shapes, one or an array, moved by the operation between two CRS."""
    if source == target:
        return geometry
    return shapely.transform(geometry, operation(source, target)[0].transform, interleaved=False)


def to_working(table: gpd.GeoDataFrame, crs: CRS) -> tuple[gpd.GeoDataFrame, str]:
    """A table reprojected by a pinned operation, and the operation in words."""
    if table.crs is None:
        raise CrsError("table has no CRS; set it where the file is read, it is never guessed")
    words = operation(table.crs, crs)[1]
    moved = reprojected(table.geometry.to_numpy(), table.crs, crs)
    return table.set_geometry(type(table.geometry)(moved, index=table.index, crs=crs, name=table.geometry.name)), words


def geodesic_length_m(line: Any) -> float:
    """Length on the WGS 84 ellipsoid of a line in longitude and latitude [m].

    >>> round(geodesic_length_m(shapely.LineString([(47, 40), (47, 41)])))
    111044
    """
    return float(Geod(ellps="WGS84").geometry_length(line))
