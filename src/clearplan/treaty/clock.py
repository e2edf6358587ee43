"""The treaty clock of a state: until when, how fast, by when, and what extension that takes.

A state that is not party has no deadline: all is computed as if it acceded on a day, and every sentence says so.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import pandas as pd
import shapely

from clearplan.core.checks import Day
from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError
from clearplan.geo import shapes
from clearplan.settings.planning import Treaty
from clearplan.tables.check import as_reported, has_border, placed
from clearplan.tables.codes import RELEASED
from clearplan.tables.frames import Areas
from clearplan.treaty.conventions import (
    ACCESSION,
    FARTHEST,
    Convention,
    add_years,
    convention_of,
    entry_into_force,
    years_after,
    years_between,
)
from clearplan.treaty.filed import DECLARED, bridges_in, day_in, without_place


@dataclass(frozen=True)
class Ground:
    """Ground that remains, as a convention counts it [m2].

    ``counted_m2``: CHA and SHA within their reported borders, or as their sources state, whose ordnance the convention
    is about, or may be; ``unknown_m2``: the part of it where that is only not ruled out; ``other_m2``: the rest of CHA
    and SHA; ``indication_m2``: planning ground of indications beyond them; ``unplaced``: hazards that may count and
    have no place on the map, ``no_area``: those that have one and no area that anybody reported.
    """

    counted_m2: float
    unknown_m2: float = 0.0
    other_m2: float = 0.0
    indication_m2: float = 0.0
    unplaced: int = 0
    no_area: int = 0


@dataclass(frozen=True)
class Rates:
    """Ground that is released in a year: low, likely, high [m2 a year], and where that comes from.

    ``found``: ground that came to what counts in a year of the same years, newly found, re-opened or of another class
    before; ``net``: released less found of these years, the least, the mean and the most, below 0 where more came than
    was released [m2 a year]. Both are None where nobody measured them.
    """

    low: float
    likely: float
    high: float
    source: str
    found: float | None = None
    net: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Clock:
    """The clock of a state. Of three figures the first is the low one: the earliest day, the shortest extension.

    ``deadline``: only of a state party; of any other ``would_end``, the end of ten years if it acceded on
    ``if_acceded_on``. ``needed_m2_a_year``: None where the day has passed. ``forecast``: early, likely and late day
    at the net trend, or at the rate of release where no trend is known; None where no ground is gained, the rate is
    unknown or it would take more than a thousand years. ``if_nothing_found``: the same days if no more ground came from
    now on. ``extension_years`` [years] and
    ``extension_requests`` (how many, each of the longest that may be granted): None where the forecast is.
    ``extension_needed``: at the likely rate; None where no rate is known. ``words``: all of it in sentences.
    """

    state: str
    convention: str
    party: bool
    as_at: dt.date
    if_acceded_on: dt.date | None
    entry_into_force: dt.date
    deadline: dt.date | None
    would_end: dt.date | None
    ground: Ground
    rates: Rates | None
    needed_m2_a_year: float | None
    forecast: tuple[dt.date | None, dt.date | None, dt.date | None]
    if_nothing_found: tuple[dt.date | None, dt.date | None, dt.date | None]
    extension_needed: bool | None
    extension_years: tuple[float | None, float | None, float | None]
    extension_requests: tuple[int | None, int | None, int | None]
    words: tuple[str, ...]


# --- what counts, and how fast it is released


def about(ordnance: pd.Series, convention: str) -> pd.Series:
    """Whether ground may hold what a convention is about: what nobody reported can't be ruled out."""
    others = {"AP", "AV", "mixed", "CMR"} - convention_of(convention).ordnance
    return ~ordnance.isin(others)


def counted_ground(areas: Areas, convention: str) -> Ground:
    """What of the remaining ground a convention counts; areas of unions, each square metre once.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS of the day, less what is released of them (``Study.areas``), in a metric CRS.
    convention : 'APMBC' or 'CCM'
        The first is about anti-personnel mines, the second about cluster munition remnants; ordnance that is unknown,
        or a code of a country's own list, can't be ruled out and counts. Ground of several hazards counts where one
        of them does.

    Raises
    ------
    CrsError, SettingsError
        The table is not in metres; the convention is unknown.
    """
    require_metres(areas)
    may_count, named = about(areas["ordnance"], convention), areas["ordnance"].isin(convention_of(convention).ordnance)
    declared, open_still = areas["land_class"].isin(DECLARED), areas["status"] != "closed"
    reported = as_reported(areas)
    known, counted, every = (
        _counted_m2(reported, open_still & kept) for kept in (declared & named, declared & may_count, declared)
    )
    planning, of_declared = (_net_m2(areas[open_still & kept]) for kept in (True, declared))
    lost = without_place(areas)
    bare = open_still & declared & may_count & ~has_border(areas) & ~lost & areas.index.isin(placed(areas).index)
    unplaced = lost & may_count & (areas["land_class"] != "indication")
    return Ground(
        counted_m2=counted,
        unknown_m2=max(0.0, counted - known),
        other_m2=max(0.0, every - counted),
        indication_m2=max(0.0, planning - of_declared),
        unplaced=int(areas.loc[unplaced, "hazard_id"].nunique()),
        no_area=int(areas.loc[bare & _stated(areas).isna(), "hazard_id"].nunique()),
    )


def _stated(areas: Areas) -> pd.Series:
    """Area of a hazard without a border by its source, as far as it remains [m2]; blank where nobody can tell."""
    column = "remaining_m2" if "remaining_m2" in areas.columns else "stated_m2"
    stated: pd.Series = areas[column].where(~has_border(areas))
    return stated


def _counted_m2(reported: Areas, kept: pd.Series) -> float:
    """Reported ground of some areas, each square metre once, and the stated area of those without a border [m2]."""
    return _net_m2(reported[kept]) + float(_stated(reported[kept]).sum())


def _net_m2(areas: gpd.GeoDataFrame) -> float:
    pieces = shapes.union_pieces(placed(areas).geometry.to_numpy())
    return float(shapely.area(pieces).sum()) if len(pieces) else 0.0


def release_rates(treaty: Treaty, bridges: Mapping[int, pd.DataFrame], as_at: Day) -> Rates | None:
    """How much ground that counts is released in a year: the plan's own figures, else those of the books.

    Parameters
    ----------
    treaty : Treaty
        Its m2_per_year stands before the books.
    bridges : mapping
        Calendar year to its table of :func:`clearplan.land.ledger.bridge` (days from
        :func:`clearplan.treaty.filed.book_years`).
    as_at : day
        Years that ended by then are full: least, mean and most of them are low, likely and high, of what was released
        and of what was released less what was found.

    Returns
    -------
    Rates or None
        None where no year is full. Released ground counts by the class and ordnance of the books, where it lies in the
        strongest class alone: ground of several hazards may be missing, so the rate is rather low than high.

    Raises
    ------
    SettingsError, TableError
        ``as_at`` is no day; a bridge lacks a column.
    """
    if treaty.m2_per_year is not None:
        return Rates(*treaty.m2_per_year, source="as the plan states")
    day = day_in(as_at, "as_at")
    full = {year: table for year, table in bridges_in(bridges).items() if dt.date(year, 12, 31) <= day}
    if not full:
        return None
    released, found = [], []
    for table in full.values():
        own = table[table["land_class"].isin(DECLARED) & about(table["ordnance"], treaty.convention)]
        released.append(float(own[[f"{method}_m2" for method in RELEASED]].to_numpy(float).sum()))
        came = own["newly_found_m2"] + own["reopened_m2"] + own["changed_in_m2"] - own["changed_out_m2"]
        found.append(float(came.sum()))
    years = f"in {min(full)}" if len(full) == 1 else f"in the years {min(full)} to {max(full)}"
    net = _spread([m2 - more for m2, more in zip(released, found, strict=True)])
    return Rates(*_spread(released), f"as released {years}", sum(found) / len(found), net)


def _spread(years: list[float]) -> tuple[float, float, float]:
    """Least, mean and most of some years."""
    return min(years), sum(years) / len(years), max(years)


# --- the clock


def clock(treaty: Treaty, ground: Ground, rates: Rates | None, as_at: Day) -> Clock:
    """When a state must be done, when it will be, and what extension that takes.

    Parameters
    ----------
    treaty : Treaty
    ground : Ground
        From :func:`counted_ground`.
    rates : Rates or None
        From :func:`release_rates`; None: no forecast.
    as_at : day
        Day of ``ground``; forecast and needed release count from it.

    Raises
    ------
    SettingsError
        A day lies before the convention itself was in force or before what it extends, figures are negative, or words
        of a state that is not party speak of a deadline.

    >>> supposed = Treaty(state="Ruritania", convention="APMBC", party=False, if_acceded_on="2026-01-01", source="told")
    >>> told = clock(supposed, Ground(1_000_000.0), Rates(50_000.0, 100_000.0, 125_000.0, "as told"), "2026-01-01")
    >>> told.deadline, told.would_end.isoformat(), [day.isoformat() for day in told.forecast]
    (None, '2036-07-01', ['2034-01-01', '2036-01-01', '2046-01-01'])
    """
    day, rule = day_in(as_at, "as_at"), convention_of(treaty.convention)
    _refuse_odd(treaty, ground, rates, rule)
    starts = treaty.entry_into_force or entry_into_force(treaty.if_acceded_on or day)
    ten = add_years(starts, rule.years)
    end = treaty.extended_to or ten
    left = ground.counted_m2
    needed = 0.0 if left == 0 else left / years_between(day, end) if end > day else None
    alone = [_forecast(day, left, speed) for speed in _speeds(rates)]
    done = [_forecast(day, left, speed) for speed in _speeds(rates, net=True)]
    longer = [None if d is None else years_between(end, d) if d > end else 0.0 for d in done]
    requests = [None if y is None else math.ceil(y / rule.longest - 1e-9) for y in longer]
    late = left > 0 and (longer[1] is None or longer[1] > 0)
    told = Clock(
        state=treaty.state,
        convention=treaty.convention,
        party=treaty.party,
        as_at=day,
        if_acceded_on=treaty.if_acceded_on,
        entry_into_force=starts,
        deadline=end if treaty.party else None,
        would_end=None if treaty.party else end,
        ground=ground,
        rates=rates,
        needed_m2_a_year=needed,
        forecast=(done[0], done[1], done[2]),
        if_nothing_found=(alone[0], alone[1], alone[2]),
        extension_needed=None if rates is None and left > 0 else late,
        extension_years=(longer[0], longer[1], longer[2]),
        extension_requests=(requests[0], requests[1], requests[2]),
        words=(),
    )
    words = _party_words(told, rule, ten, treaty.source) if treaty.party else _supposed_words(told, rule, treaty.source)
    return replace(told, words=tuple(words))


def _refuse_odd(treaty: Treaty, ground: Ground, rates: Rates | None, rule: Convention) -> None:
    for name in ("entry_into_force", "if_acceded_on"):
        stated = getattr(treaty, name)
        if stated is not None and stated < rule.in_force:
            began = f"the {treaty.convention} entered into force on {rule.in_force}"
            raise SettingsError(f"treaty.{name} {stated}: {began}; correct the day")
    if treaty.extended_to is not None and treaty.entry_into_force is not None:
        ten = add_years(treaty.entry_into_force, rule.years)
        if treaty.extended_to <= ten:
            raise SettingsError(
                f"treaty.extended_to {treaty.extended_to}: an extension ends after {ten}; correct a day"
            )
    figures = [ground.counted_m2, ground.unknown_m2, ground.other_m2, ground.indication_m2]
    figures += [] if rates is None else [rates.low, rates.likely, rates.high]
    if not all(math.isfinite(m2) and m2 >= 0 for m2 in figures):
        raise SettingsError("treaty clock: ground and rates must be numbers of at least 0 [m2]; correct them")
    if rates is not None and rates.net is not None and not all(math.isfinite(m2) for m2 in rates.net):
        raise SettingsError("treaty clock: net rates must be numbers [m2 a year]; correct them")
    triples = [] if rates is None else [(rates.low, rates.likely, rates.high), rates.net or (0.0, 0.0, 0.0)]
    if not all(low <= likely <= high for low, likely, high in triples):
        raise SettingsError("treaty clock: rates must be low, likely, high in that order; correct them")
    if not treaty.party and "deadline" in f"{treaty.state} {treaty.source}".casefold():
        raise SettingsError("treaty: a state that is not party has no deadline; word state and source without it")


def _forecast(day: dt.date, left: float, speed: float | None) -> dt.date | None:
    if left == 0:
        return day
    return years_after(day, left / speed) if speed is not None and speed > 0 else None


def _speeds(rates: Rates | None, *, net: bool = False) -> tuple[float | None, float | None, float | None]:
    """High, likely and low rate [m2 a year], for the high one gives the early day; net where that is known."""
    if rates is None:
        return None, None, None
    low, likely, high = rates.net if net and rates.net is not None else (rates.low, rates.likely, rates.high)
    return high, likely, low


def km2_words(m2: float) -> str:
    """Ground in words: square kilometres, below a hundredth of one square metres.

    >>> km2_words(2_500_000), km2_words(1200.4), km2_words(0.0)
    ('2.50 km²', '1,200 m²', '0 m²')
    """
    return f"{m2:,.0f} m²" if m2 < 10_000 else f"{m2 / 1e6:,.2f} km²"


def _party_words(told: Clock, rule: Convention, ten: dt.date, source: str) -> list[str]:
    """Sentences for a state party."""
    deadline = told.deadline
    assert deadline is not None
    first = f"{told.state} is party to the {told.convention}, which entered into force for it on "
    first += f"{told.entry_into_force}: its deadline is {deadline} ({rule.clearance})"
    if deadline != ten:
        first += f", after extensions; {rule.years} years from entry into force lead to {ten}"
    words = [f"{first}. Days: {source}.", f"On {told.as_at}, {_counts(told.ground, 'counts')}."]
    words += [f"{text[0].upper()}{text[1:]}." for text in _left_out(told.ground, "is")]
    if told.ground.counted_m2 == 0:
        return [*words, "No ground that counts is known to remain; whether the duty is fulfilled, the state declares."]
    if told.needed_m2_a_year is None:
        words.append(f"No time is left to the deadline of {deadline}, and ground remains.")
    else:
        a_year = km2_words(told.needed_m2_a_year)
        words.append(f"To be done by the deadline, {a_year} a year must be released from {told.as_at} on.")
    rest = [*_done_words(told, "will"), *_extension_words(told, rule, "is", "has to be")]
    return words + [f"{text}." for text in rest]


def _supposed_words(told: Clock, rule: Convention, source: str) -> list[str]:
    """Sentences for a state that is not party; each says so."""
    supposed = f"If it acceded on {told.if_acceded_on},"
    first = f"{told.state} is not party to the {told.convention} and is not bound by it; if it acceded on "
    first += f"{told.if_acceded_on}, it would be bound from {told.entry_into_force} on ({ACCESSION}) "
    first += f"and {rule.years} years would end on {told.would_end} ({rule.clearance}). Day: {source}."
    words = [first, f"{supposed} on {told.as_at} {_counts(told.ground, 'would count')}."]
    words += [f"{supposed} {text}." for text in _left_out(told.ground, "would be")]
    if told.ground.counted_m2 == 0:
        return [*words, f"{supposed} no ground that would count is known to remain."]
    if told.needed_m2_a_year is None:
        words.append(f"{supposed} no time would be left of these years, and ground remains.")
    else:
        a_year = km2_words(told.needed_m2_a_year)
        words.append(f"{supposed} {a_year} a year would have to be released from {told.as_at} on to be done in them.")
    rest = [*_done_words(told, "would"), *_extension_words(told, rule, "would be", "would have to be")]
    return words + [f"{supposed} {text[0].lower()}{text[1:]}." for text in rest]


def _counts(ground: Ground, verb: str) -> str:
    of_it = f", {km2_words(ground.unknown_m2)} of it of unknown ordnance" if ground.unknown_m2 >= 1 else ""
    return f"{km2_words(ground.counted_m2)} of suspected and confirmed ground {verb}{of_it}"


def _left_out(ground: Ground, verb: str) -> list[str]:
    """What does not count, and why."""
    words = []
    if ground.indication_m2 >= 1:
        words.append(
            f"{km2_words(ground.indication_m2)} of indications (planning ground) {verb} left out: reasons to survey, "
            "not declared areas"
        )
    if ground.other_m2 >= 1:
        words.append(
            f"{km2_words(ground.other_m2)} of suspected and confirmed ground of other ordnance {verb} left out"
        )
    if ground.unplaced:
        words.append(f"what hazards without a place on the map add ({ground.unplaced:,}) {verb} unknown and left out")
    if ground.no_area:
        words.append(f"what hazards without a surveyed border add ({ground.no_area:,}) {verb} unknown and left out")
    return words


def _done_words(told: Clock, verb: str) -> list[str]:
    """The forecast: at which rate, by when; where ground was still found, at the net trend first."""
    rates = told.rates
    if rates is None:
        return ["Nobody can tell when: no full calendar year of releases is known and the plan states no rate"]
    released = _at_rate(rates.low, rates.likely, rates.high, rates.source)
    days = _days(told.if_nothing_found)
    if rates.net is None or rates.found is None:
        return [f"At {released} the known ground {verb} be released {days}; what is still to be found is not in it"]
    if rates.net == (rates.low, rates.likely, rates.high):
        return [f"At {released} the known ground {verb} be released {days}; nothing came to it in these years"]
    trend = f"At the net trend of {_at_rate(*rates.net, f'released less what came to it, {rates.source}')}"
    if rates.net[1] <= 0:
        first = f"{trend} the known ground {verb} not get less: more came than was released"
        first += "" if told.forecast[0] is None else f"; at the high rate it {verb} be released by {told.forecast[0]}"
    else:
        first = f"{trend} the known ground {verb} be released {_days(told.forecast)}"
    alone = f"If nothing more were found, at {released} it {verb} be released {days}"
    return [first, alone, _found_words(rates.found)]


def _at_rate(low: float, likely: float, high: float, source: str) -> str:
    """A rate with its spread, and where it comes from."""
    if low == high:
        return f"{_signed(likely)} a year ({source}; one figure, so no interval)"
    return f"{_signed(likely)} a year ({_signed(low)} to {_signed(high)}, {source})"


def _signed(m2: float) -> str:
    """Ground in words; what is lost has a minus."""
    return km2_words(m2) if m2 >= 0 else f"−{km2_words(-m2)}"


def _days(forecast: tuple[dt.date | None, dt.date | None, dt.date | None]) -> str:
    early, likely, late = (_when(day) for day in forecast)
    between = "" if early == late else f" ({early} at the high rate, {late} at the low one)"
    return f"{likely}{between}"


def _when(day: dt.date | None) -> str:
    return f"not within {FARTHEST:,} years" if day is None else f"by {day}"


def _extension_words(told: Clock, rule: Convention, verb: str, must: str) -> list[str]:
    """Whether an extension is needed, how long, and whether one is enough; nothing where nobody can tell."""
    if told.rates is None:
        return []
    shortest, likely, longest = told.extension_years
    if longest == 0:
        return [f"No extension {verb} needed, even at the low rate"]
    if not told.extension_needed:
        return [f"No extension {verb} needed at the likely rate; at the low rate one {verb}: {_span(longest)}"]
    if likely is None:
        return [f"An extension {verb} needed, and at the likely rate none is long enough"]
    words = f"An extension of {_span(likely)} {verb} needed ({_span(shortest)} to {_span(longest)})"
    requests = told.extension_requests[1]
    if requests is None or requests == 1:
        return [f"{words}, on request ({rule.request})"]
    once = f"one is at most {rule.longest} years ({rule.request}), so it {must} renewed ({rule.renewal})"
    return [f"{words}; {once}: {requests} requests in all"]


def _span(years: float | None) -> str:
    """Years in words, rounded up: an extension that is short by days is too short.

    >>> _span(0.0), _span(4.21), _span(None)
    ('none', '4.3 years', 'without an end')
    """
    if years is None:
        return "without an end"
    return "none" if years == 0 else f"{math.ceil(years * 10 - 1e-9) / 10:.1f} years"


def _found_words(found: float) -> str:
    """How much ground is still being found."""
    return (
        f"In these years {km2_words(found)} a year came to the ground that counts: newly found, re-opened or of "
        "another class before"
    )
