"""People of places: those already home and those who wait are two figures; a place may have both, either or neither."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def already_home(zones: pd.DataFrame) -> NDArray[Any]:
    """People already home in each zone, NaN where the number is unknown (n) [people].

    >>> already_home(pd.DataFrame({"zone_id": ["a", "b"], "already_home": [649, None]})).tolist()
    [649.0, nan]
    """
    if "already_home" not in zones.columns:
        return np.full(len(zones), np.nan)
    return np.asarray(pd.to_numeric(zones["already_home"], errors="coerce").to_numpy(float, na_value=np.nan))


def people_words(zone: Mapping[Hashable, object]) -> str:
    """Who is home and who waits in a place, in short; a star marks a number that is illustrative.

    >>> people_words({"people": 649, "people_basis": "illustrative", "already_home": 1649.0})
    '1,649 home, 649* wait'
    >>> people_words({"people": None}), people_words({"people": None, "already_home": 5})
    ('people unknown', '5 home, waiting: unknown')
    >>> people_words({"people": 0, "already_home": 5})
    '5 home'
    """
    cells = pd.Series([zone.get("already_home"), zone.get("people")], dtype=object)
    home, waiting = pd.to_numeric(cells, errors="coerce")
    words = [] if pd.isna(home) else [f"{int(home):,} home"]
    if pd.isna(waiting):
        words.append("waiting: unknown" if words else "people unknown")
    elif waiting or not words:
        words.append(f"{int(waiting):,}{'*' if zone.get('people_basis') == 'illustrative' else ''} wait")
    return ", ".join(words)


def nobody_waits(zones: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each zone is inhabited and nobody waits for it: it does not open, for it is lived in (n).

    >>> nobody_waits(pd.DataFrame({"people": [0, 5, None, 0], "already_home": [9, 9, 9, None]})).tolist()
    [True, False, False, False]
    """
    if "people" not in zones.columns:
        return np.zeros(len(zones), dtype=bool)
    waiting = pd.to_numeric(zones["people"], errors="coerce").to_numpy(float, na_value=np.nan)
    return np.asarray((waiting == 0) & (already_home(zones) > 0))
