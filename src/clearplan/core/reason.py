"""Reasons as data: why something is as it is, as a code and values, of which a catalogue makes a sentence.

Stages return reasons and write them into columns of the type ``reason``. A reader's tier takes values out of them or
gives ids other names, and never searches a sentence; a sentence is made at the doors out alone.

A catalogue is a CSV file for each language, ``sentences/<language>.csv`` beside this module, as the words of the map
page are: whoever translates opens a table, not a program. Its columns are ``code`` and ``text``. In a text, ``{name}``
stands for a value, and ``{name:format}`` says how it is written: for a number as Python writes numbers
(``{m2:,.0f}``), for a list the text between its items (``{tasks:; }``). ``one|other`` are plural forms as in CLDR, of
which the value ``count`` chooses one. A code may stand in several rows: the first of which all values are there is
taken, so that a reason from which a tier took a value has a sentence without it.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Formatter
from typing import TypeAlias

import numpy as np

Value: TypeAlias = "str | int | float | dt.date | Reason | tuple[Value, ...]"
#: What a tier makes of a value of that name; None leaves it out.
Change: TypeAlias = "Callable[[str, Value], Value | None]"

#: Which plural form of a text goes with a count, by language (CLDR, https://cldr.unicode.org/index/cldr-spec/plural-rules).
_FORMS: dict[str, Callable[[int], int]] = {"en": lambda count: 0 if count == 1 else 1}


@dataclass(frozen=True, init=False, repr=False)
class Reason:
    """A code of the catalogue and the values of its sentence.

    Two reasons of one code and equal values are equal; reasons stand in the order of their English sentences.

    Parameters
    ----------
    code : str
        What is said, such as ``zone.unblocked``.
    **values
        Texts and ids, finite numbers, days, further reasons, and lists of these; the unit of a number is declared with
        its name (:data:`clearplan.tables.reasons.VALUES`).

    Raises
    ------
    TypeError
        A value is blank, or of another type.

    >>> area = Reason("area.km2", km2=2.5)
    >>> str(area), area == Reason("area.km2", km2=2.5), area
    ('2.50 km²', True, Reason('area.km2', km2=2.5))
    """

    code: str
    values: tuple[tuple[str, Value], ...]

    def __init__(self, code: str, /, **values: object) -> None:
        plain = tuple((name, _plain(value, f"{code}: {name}")) for name, value in sorted(values.items()))
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "values", plain)

    def __str__(self) -> str:
        return sentence(self)

    def __repr__(self) -> str:
        return f"Reason({', '.join([repr(self.code), *(f'{name}={value!r}' for name, value in self.values)])})"

    def __lt__(self, other: Reason) -> bool:
        return str(self) < str(other)

    def changed(self, change: Change) -> Reason:
        """The reason with each of its values, those of reasons in it too, as ``change`` gives it by name and value.

        A list of which an item is left out is left out as a whole, for the rest of it would say something else; so is
        a reason inside this one that has no sentence without what it lost.
        """
        pairs = [(name, _changed(name, value, change)) for name, value in self.values]
        return Reason(self.code, **{name: value for name, value in pairs if value is not None})

    def without(self, *names: str) -> Reason:
        """The reason without the values of some names, at any depth.

        >>> cell = Reason("cell.holds", grounds=[Reason("cell.ground", land_class="SHA", area=square_km(2e6))])
        >>> cell.without("area").has_sentence
        False
        """
        return self.changed(lambda name, value: None if name in names else value)

    def replaced(self, **names: Mapping[str, str]) -> Reason:
        """The reason with other texts for some, at any depth; a text of that name for which there is none is left out.

        >>> cell = Reason("cell.holds", grounds=[Reason("cell.ground", land_class="SHA", area=square_km(2e6))])
        >>> print(cell.replaced(land_class={"SHA": "suspected"}))
        In this cell, net of overlap: suspected 2.00 km². Where in it is not shown.
        """
        return self.changed(
            lambda name, value: names[name].get(value) if name in names and isinstance(value, str) else value
        )

    @property
    def has_sentence(self) -> bool:
        """Whether the catalogue has a sentence for the values that are there."""
        return _text(self, "en") is not None


def sentence(reason: Reason, language: str = "en") -> str:
    """A reason as a sentence of a language.

    Raises
    ------
    LookupError
        The catalogue lacks the code, or a sentence for the values that are there.

    >>> sentence(Reason("change.level", first=10))
    'It is level with others at the edge of the first 10: the least change decides.'
    """
    text = _text(reason, language)
    if text is None:
        raise LookupError(f"reason {reason!r}: sentences/{language}.csv has no sentence for this code and these values")
    values = dict(reason.values)
    form = text.forms[0] if len(text.forms) == 1 else text.forms[_FORMS[language](values["count"])]  # type: ignore[arg-type]
    return _Writer(language).vformat(form, (), values)


@dataclass(frozen=True)
class Text:
    """A row of a catalogue: its plural forms, and the names of the values that it needs."""

    forms: tuple[str, ...]
    needs: frozenset[str]


@functools.cache
def catalogue(language: str) -> dict[str, tuple[Text, ...]]:
    """Texts of a language by code, in the order of its file."""
    path = files("clearplan.core").joinpath("sentences", f"{language}.csv")
    texts: dict[str, tuple[Text, ...]] = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines(), strict=True):
        forms = tuple(row["text"].split("|"))
        needs = frozenset().union(*map(_names_in, forms)) | ({"count"} if len(forms) > 1 else set())
        texts[row["code"]] = (*texts.get(row["code"], ()), Text(forms, needs))
    return texts


def _names_in(form: str) -> set[str]:
    """Names of the values that stand in a text.

    >>> sorted(_names_in("{before:.{digits}f} % of {label}"))
    ['before', 'digits', 'label']
    """
    names: set[str] = set()
    for _, name, spec, _ in Formatter().parse(form):
        names |= {name} if name else set()
        names |= _names_in(spec) if spec else set()
    return names


def _text(reason: Reason, language: str) -> Text | None:
    """The first text of a code whose values are all there."""
    names = {name for name, _ in reason.values}
    return next((text for text in catalogue(language).get(reason.code, ()) if text.needs <= names), None)


class _Writer(Formatter):
    """Fills a text in: reasons as sentences, lists with what stands between, days as 2026-05-31."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, Reason):
            return sentence(value, self._language)
        if isinstance(value, tuple):
            return format_spec.join(self.format_field(item, "") for item in value)
        return value.isoformat() if isinstance(value, dt.date) else format(value, format_spec)


def _changed(name: str, value: Value, change: Change) -> Value | None:
    new = change(name, value)
    if isinstance(new, Reason):
        narrower = new.changed(change)
        return narrower if narrower.has_sentence else None
    if isinstance(new, tuple):
        items = tuple(item for one in new if (item := _changed(name, one, change)) is not None)
        return items if len(items) == len(new) else None
    return new


def _plain(value: object, where: str) -> Value:
    """A value as plain data."""
    if isinstance(value, Reason):
        return value
    if isinstance(value, list | tuple):
        return tuple(_plain(item, where) for item in value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    if isinstance(value, dt.date) and value == value:  # a day that is none is not equal to itself
        return value.date() if isinstance(value, dt.datetime) else value
    raise TypeError(f"{where}: {value!r} is no value of a reason; leave it out where it is unknown")


# --- figures that are worded; areas carry no more digits than their sentence shows


def square_km(m2: float) -> Reason:
    """An area [m2] in square kilometres.

    >>> print(square_km(1_234_567.0), square_km(2_000.0), sep="; ")
    1.23 km²; less than 0.01 km²
    """
    return Reason("area.km2", km2=round(m2 / 1e6, 2)) if m2 >= 5_000 else Reason("area.little")


def ground_of(m2: float) -> Reason:
    """Ground [m2] in square kilometres, below a hundredth of one in square metres.

    >>> print(ground_of(2_500_000), ground_of(1200.4), ground_of(0.0), sep="; ")
    2.50 km²; 1,200 m²; 0 m²
    """
    return Reason("area.m2", m2=round(m2)) if m2 < 10_000 else Reason("area.km2", km2=round(m2 / 1e6, 2))


def four_digits(figure: float) -> Reason:
    """A figure with four digits, or all before the point.

    >>> print(four_digits(15_678.4), four_digits(0.24761), four_digits(float("inf")), sep="; ")
    15,678; 0.2476; unknown
    """
    if not math.isfinite(figure):
        return Reason("figure.unknown")
    return Reason("figure.whole", figure=figure) if abs(figure) >= 1000 else Reason("figure.digits", figure=figure)


def one_decimal(figure: float) -> Reason:
    """A figure with one decimal, or as many as it takes to see it.

    >>> print(one_decimal(1_234.56), one_decimal(0.0), one_decimal(0.012), sep="; ")
    1,234.6; 0.0; 0.01
    """
    if figure == 0 or abs(figure) >= 0.05:
        return Reason("figure.decimal", figure=figure)
    return Reason("figure.small", figure=figure)
