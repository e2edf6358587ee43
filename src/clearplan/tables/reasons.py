"""Values of reasons, each name declared once: its meaning, its unit, and the tier from which on it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.tables.columns import Tier

Frame = TypeVar("Frame", bound=pd.DataFrame)


@dataclass(frozen=True)
class ValueName:
    """What the values of one name are, in every reason; ``leaves``: the tier from which on they leave."""

    meaning: str
    leaves: Tier
    unit: str = ""


#: Names of values as the catalogue has them. A name that stands nowhere here leaves at no tier but the restricted one.
VALUES: dict[str, ValueName] = {
    "after": ValueName("weight or figure after a change, as its criterion has it", "partner"),
    "area": ValueName("an area, worded", "public"),
    "before": ValueName("weight or figure before a change, as its criterion has it", "partner"),
    "count": ValueName("how many of what the sentence names; chooses its plural form", "public"),
    "criterion": ValueName("label of a criterion", "partner"),
    "digits": ValueName("digits behind the point that a figure is written with", "public"),
    "figure": ValueName("a number alone, worded", "public"),
    "first": ValueName("number of tasks at the head of a queue that are spoken of", "public", "tasks"),
    "grounds": ValueName("ground of each class in a cell", "public"),
    "km2": ValueName("an area", "public", "km2"),
    "land_class": ValueName("class of the land", "public"),
    "unit": ValueName("unit of a criterion's figure", "partner"),
    "way": ValueName("one change that does it", "partner"),
    "ways": ValueName("changes of which each does it", "partner"),
}


def in_words(table: Frame) -> Frame:
    """A table with its reasons as English sentences, as files take it; the table itself where it has none.

    >>> in_words(pd.DataFrame({"why": [Reason("zone.unblocked"), None]}))["why"].tolist()
    ['Nothing known blocks it.', None]
    """
    columns = [name for name in table.columns if _has_reasons(table[name])]
    if not columns:
        return table
    words = {name: [str(value) if isinstance(value, Reason) else value for value in table[name]] for name in columns}
    return table.assign(**{name: pd.Series(texts, table.index, dtype=object) for name, texts in words.items()})


def _has_reasons(values: pd.Series) -> bool:
    return values.dtype == object and any(isinstance(value, Reason) for value in values)
