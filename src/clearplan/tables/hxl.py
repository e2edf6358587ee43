"""HXL hashtags: those of an export's columns, as declared; and which row of a file is a row of tags.

The Humanitarian Exchange Language 1.1 (2018-04-30, https://hxlstandard.org/standard/1-1final/) puts a row of hashtags
between the header and the data, so that tables of different offices can be laid side by side. Core hashtags and
attributes are those of its hashtag dictionary; attributes of our own (``+m2_cleared``, ``+hazard``) refine them, as the
tagging conventions allow. A column without a tag is as good as one with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from clearplan.tables.lookup import column_of

#: Core hashtags of the standard's dictionary, release 1.1.
CORE = frozenset(
    (
        "access",
        "activity",
        "adm1",
        "adm2",
        "adm3",
        "adm4",
        "adm5",
        "affected",
        "beneficiary",
        "capacity",
        "cause",
        "channel",
        "contact",
        "country",
        "crisis",
        "currency",
        "date",
        "description",
        "event",
        "frequency",
        "geo",
        "group",
        "impact",
        "indicator",
        "inneed",
        "item",
        "loc",
        "meta",
        "modality",
        "need",
        "operations",
        "org",
        "output",
        "population",
        "reached",
        "region",
        "respondee",
        "sector",
        "service",
        "severity",
        "status",
        "subsector",
        "targeted",
        "value",
    )
)

_TAG = re.compile(r"#\s*([a-z][a-z0-9_]*)((?:\s*\+\s*[a-z][a-z0-9_]*)*)", re.IGNORECASE | re.ASCII)


def tag_of(column: str, table: str) -> str:
    """The tag that a table's column is declared with, or nothing where it has none, as a user's own columns have.

    >>> tag_of("district", "tasks"), tag_of("kind", "work"), tag_of("c_people_points", "tasks"), tag_of("soil", "zones")
    ('#adm1+name', '#org+type+team', '#severity+score+c_people', '')
    """
    return column_of(table, column).tag


def tag_row(columns: Iterable[str], table: str) -> list[str]:
    """The tags of an export's columns, in their order."""
    return [tag_of(name, table) for name in columns]


def read_tag(cell: str) -> tuple[str, frozenset[str]] | None:
    """Hashtag and attributes of a cell in lower case; None where the cell is no tag.

    >>> read_tag("#Affected +F+children") == ("affected", frozenset({"f", "children"}))
    True
    >>> read_tag("#1"), read_tag("north")
    (None, None)
    """
    found = _TAG.fullmatch(cell.strip())
    if found is None:
        return None
    return found[1].lower(), frozenset(part.strip().lower() for part in found[2].split("+") if part.strip())


def tags_in(cells: Sequence[Any]) -> Literal["no", "yes", "perhaps"]:
    """Whether a row of a file is a row of hashtags: every cell begins with ``#`` or is blank.

    ``yes`` where one of them is a core hashtag or an extension (``#x_``); ``perhaps`` where none is, for it may as well
    be data.

    >>> tags_in(["#adm1+name", None, "#meta"]), tags_in(["#1", None]), tags_in(["#adm1", "Aghdam"]), tags_in([None])
    ('yes', 'perhaps', 'no', 'no')
    """
    tags = []
    for cell in cells:
        if cell is None or cell != cell or not str(cell).strip():
            continue
        if not isinstance(cell, str) or not cell.lstrip().startswith("#"):
            return "no"
        tags.append(read_tag(cell))
    if not tags:
        return "no"
    return "yes" if any(tag and (tag[0] in CORE or tag[0].startswith("x_")) for tag in tags) else "perhaps"
