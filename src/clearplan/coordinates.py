"""Text and coordinates: the military grid (MGRS)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _converter() -> Any:
    import mgrs

    return mgrs.MGRS()


def mgrs_square(lon: float, lat: float, digits: int = 2) -> str:
    """MGRS square that holds a WGS 84 point; 2 digits is 1 km, 5 is 1 m.

    >>> mgrs_square(46.93, 39.99)
    '38SPK6428'
    """
    return str(_converter().toMGRS(lat, lon, MGRSPrecision=digits))
