"""Time zones as servers state them: by their names of IANA, or of Windows, which CLDR's table translates.

Sources: Unicode CLDR, "Windows zones" (windowsZones.xml), as Babel ships it; Esri, ArcGIS REST APIs, "Layer (Feature
Service)": dateFieldsTimeReference, preferredTimeReference, datesInUnknownTimezone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

#: Names of the zone in which servers count; none says where the dates of the rows are meant.
UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/GMT", "Etc/Zulu", "Etc/Universal", "GMT", "UTC+00:00"})
#: Daylight saving is at work in one of these two days, if it is at all.
_WINTER_AND_SUMMER = (dt.datetime(2020, 1, 1), dt.datetime(2020, 7, 1))


def iana_name(name: str) -> str | None:
    """A zone's name of IANA; None where neither IANA nor CLDR knows the name.

    >>> iana_name("Azerbaijan Standard Time"), iana_name("Asia/Baku"), iana_name("Unknown")
    ('Asia/Baku', 'Asia/Baku', None)
    """
    known = _known_names()
    if name in known:
        return name
    from babel.core import get_global

    zone = get_global("windows_zone_mapping").get(name)
    return str(zone) if zone in known else None


@cache
def _known_names() -> frozenset[str]:
    """IANA's names of this computer; finding them reads a folder of hundreds of files."""
    return frozenset(available_timezones())


def zone_of_service(about: Mapping[str, object]) -> dt.tzinfo | None:
    """The zone in which the dates of a feature service are meant.

    Parameters
    ----------
    about : dict
        What the layer says of itself.

    Returns
    -------
    The zone in which the server keeps the dates, or else the one in which their owner shows them. UTC where it states
    no other: there a server counts, and nobody says where the dates are meant. None where it says that it does not know
    the zone: then its counts are those of a clock on the wall.

    >>> str(zone_of_service({"dateFieldsTimeReference": {"timeZone": "Azerbaijan Standard Time"}}))
    'Asia/Baku'
    """
    if about.get("datesInUnknownTimezone") is True:
        return None
    for key in ("dateFieldsTimeReference", "preferredTimeReference"):
        zone = _zone_of_reference(about.get(key))
        if zone is not None and str(zone) not in UTC_NAMES:
            return zone
    return dt.UTC


def utc_fields(about: Mapping[str, object]) -> set[str]:
    """Fields in which the server itself notes when a row was entered and changed: always in UTC."""
    editing = about.get("editFieldsInfo")
    if not isinstance(editing, Mapping):
        return set()
    return {str(editing[key]) for key in ("creationDateField", "editDateField") if editing.get(key)}


def _zone_of_reference(reference: object) -> dt.tzinfo | None:
    """The zone that a time reference names; one without daylight saving keeps its winter's clock all year."""
    if not isinstance(reference, Mapping):
        return None
    names = [iana_name(str(reference[key])) for key in ("timeZoneIANA", "timeZone") if reference.get(key)]
    known = [name for name in names if name is not None]
    if not known:
        return None
    zone = ZoneInfo(known[0])
    if reference.get("respectsDaylightSaving") is not False or known[0] in UTC_NAMES:
        return zone
    return dt.timezone(min(day.replace(tzinfo=zone).utcoffset() or dt.timedelta() for day in _WINTER_AND_SUMMER))
