"""Working CRS, pinned datum operations, and the one rule: metres, or an error."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Proj, Transformer, network
from pyproj.exceptions import CRSError as ProjCrsError
from pyproj.transformer import TransformerGroup

from clearplan.core.errors import CrsError

if TYPE_CHECKING:
    import geopandas as gpd

#: A CRS, or what names one: "EPSG:32638", 32638.
AnyCrs: TypeAlias = CRS | str | int
Floats: TypeAlias = NDArray[np.float64]
Shapes = TypeVar("Shapes")  # a shape, or an array of shapes

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


def parse_crs(text: AnyCrs) -> CRS:
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


def operation_accuracy_m(source: CRS, target: CRS) -> float:
    """Stated accuracy of the datum operation between two CRS [m]; 0 within one datum.

    Raises
    ------
    CrsError
        The operation states none.

    >>> operation_accuracy_m(CRS.from_epsg(28408), CRS.from_epsg(32638))
    4.5
    """
    if source.geodetic_crs == target.geodetic_crs:
        return 0.0
    pinned = _pinned(source, target)
    accuracy = pinned[2] if pinned else float(operation(source, target)[0].accuracy)
    if accuracy < 0:
        raise CrsError(f"the operation from {source.name} to {target.name} states no accuracy; convert to WGS 84 first")
    return accuracy


def _pinned(source: CRS, target: CRS) -> tuple[str, str, float] | None:
    geodetic = source.geodetic_crs
    other = target.geodetic_crs
    if geodetic is None or other is None or geodetic == other:
        return None
    return PINNED_OPERATIONS.get(geodetic.to_epsg() or 0)


def reprojected(geometry: Shapes, source: CRS, target: CRS) -> Shapes:
    """Shapes, one or an array, moved by the operation between two CRS."""
    if source == target:
        return geometry
    moved: Shapes = shapely.transform(geometry, operation(source, target)[0].transform, interleaved=False)
    return moved


def to_working(table: gpd.GeoDataFrame, crs: CRS) -> tuple[gpd.GeoDataFrame, str]:
    """A table reprojected by a pinned operation, and the operation in words."""
    if table.crs is None:
        raise CrsError("table has no CRS; set it where the file is read, it is never guessed")
    words = operation(table.crs, crs)[1]
    moved = reprojected(table.geometry.to_numpy(), table.crs, crs)
    return table.set_geometry(type(table.geometry)(moved, index=table.index, crs=crs, name=table.geometry.name)), words


def inner_lonlat(table: gpd.GeoDataFrame) -> tuple[Floats, Floats]:
    """Longitude and latitude of a point inside each shape of a table [degrees, WGS 84]."""
    assert table.crs is not None
    inner = shapely.point_on_surface(table.geometry.to_numpy())
    lon, lat = operation(table.crs, parse_crs("EPSG:4326"))[0].transform(shapely.get_x(inner), shapely.get_y(inner))
    return np.asarray(lon), np.asarray(lat)


def geodesic_length_m(line: shapely.LineString) -> float:
    """Length on the WGS 84 ellipsoid of a line in longitude and latitude [m].

    >>> round(geodesic_length_m(shapely.LineString([(47, 40), (47, 41)])))
    111044
    """
    return float(Geod(ellps="WGS84").geometry_length(line))


def plane_crs(geodetic: CRS, lon: float) -> CRS:
    """Plane in which positions in degrees are measured on: the 6-degree Gauss-Krueger zone, or the UTM zone.

    Raises
    ------
    CrsError
        No such plane is known for the datum.

    >>> plane_crs(CRS.from_epsg(4284), 46.93).to_epsg(), plane_crs(CRS.from_epsg(4326), 46.93).to_epsg()
    (28408, 32638)
    """
    code = geodetic.to_epsg()
    if code == 4284 and 18 <= lon < 192:  # EPSG:28404 to 28432
        return CRS.from_epsg(28400 + int(lon // 6) + 1)
    if code == 4326:
        return CRS.from_epsg(32600 + min(int((lon + 180) // 6) + 1, 60))
    raise CrsError(f"no plane grid is known for {geodetic.name}; give the coordinates in a projected CRS")


@dataclass(frozen=True)
class PlaneFactors:
    """Convergence [radians] and scale [1] of a conformal plane at n points, with their change per metre (n, 2)."""

    convergence: Floats
    convergence_per_m: Floats
    scale: Floats
    scale_per_m: Floats


#: Within a square of this side [m] the change of convergence per metre is taken as one: over 3 km from a reference
#: that moves a leg of 1 km by less than 5 mm.
_LATTICE_M = 20_000.0


def plane_factors(crs: CRS, x: ArrayLike, y: ArrayLike) -> PlaneFactors:
    """Convergence and scale (pyproj) at points of a projected CRS, and how they change around them.

    Grid bearing = true bearing - convergence, positive east of the zone's middle.

    >>> at_aghdam = plane_factors(CRS.from_epsg(28408), [8_664_842.4], [4_430_281.6])
    >>> round(math.degrees(at_aghdam.convergence[0]), 2), round((at_aghdam.scale[0] - 1) * 1e6)
    (1.24, 334)
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    convergence, scale = _factors(crs, x, y)
    squares, square = np.unique(np.round(np.column_stack([x, y]) / _LATTICE_M), axis=0, return_inverse=True)
    convergence_by_x, scale_by_x = _change_per_m(crs, squares * _LATTICE_M, np.array([_LATTICE_M / 2, 0.0]))
    convergence_by_y, scale_by_y = _change_per_m(crs, squares * _LATTICE_M, np.array([0.0, _LATTICE_M / 2]))
    square = square.ravel()
    return PlaneFactors(
        convergence=convergence,
        convergence_per_m=np.column_stack([convergence_by_x, convergence_by_y])[square],
        scale=scale,
        scale_per_m=np.column_stack([scale_by_x, scale_by_y])[square],
    )


def _change_per_m(crs: CRS, middles: Floats, half: Floats) -> tuple[Floats, Floats]:
    """Change of convergence and scale per metre across squares, from half a side behind their middles to half ahead."""
    ahead, behind = _factors(crs, *(middles + half).T), _factors(crs, *(middles - half).T)
    return (ahead[0] - behind[0]) / _LATTICE_M, (ahead[1] - behind[1]) / _LATTICE_M


def _factors(crs: CRS, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    plane = Proj(crs)
    factors = plane.get_factors(*plane(x, y, inverse=True))
    return np.radians(np.asarray(factors.meridian_convergence)), np.asarray(factors.meridional_scale)


def declination_deg(lon: ArrayLike, lat: ArrayLike, on: dt.date, *, height_km: float = 0.0) -> Floats:
    """Magnetic declination by IGRF-14 on a day [degrees, east positive].

    Parameters
    ----------
    lon, lat : arrays (n,), WGS 84 [degrees]
    on : date
        Day of the bearings: the field moves 0.05 degrees a year and more.

    Raises
    ------
    CrsError
        The day lies outside 1900 to 2030, the span of the model.

    Source: International Geomagnetic Reference Field, 14th generation (ppigrf). Local anomalies are not in it.

    >>> declination_deg([46.93], [39.99], dt.date(1992, 1, 1), height_km=0.35).round(2).tolist()
    [4.63]
    """
    if not dt.date(1900, 1, 1) <= on < dt.date(2030, 1, 1):
        raise CrsError(f"declination of {on}: the model knows 1900 to 2029; state the record's own declination")
    import ppigrf

    moment = dt.datetime(on.year, on.month, on.day)
    east, north, _ = ppigrf.igrf(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float), height_km, moment)
    return np.asarray(np.degrees(np.arctan2(east, north))[0])
