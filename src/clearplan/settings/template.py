"""The plan.toml that ``clearplan init`` writes: example values, explained by the settings' own descriptions.

``examples.toml`` beside this module holds nothing but values. Here each gets the meaning, unit and source that its
setting declares, and CHOOSE where the setting has no default; sections of input tables come from their entries.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from clearplan.settings.base import Settings, model_in
from clearplan.settings.project import Project
from clearplan.tables.codes import CODE_LISTS
from clearplan.tables.columns import Column
from clearplan.tables.entry import InputTable, Section
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import base_columns

_HEAD = """\
# A clearplan project. Fill in every value marked CHOOSE, put your files into data/, then: clearplan run plan.toml
# Nothing is guessed: a missing or unknown setting is an error that names it. Paths are relative to this file.
# Lines that begin with '# ' are off: take these two characters away to set what they say. '# or' is another way.
# Check a file first:  clearplan check data/hazards.gpkg --as hazards --plan plan.toml
"""
#: Columns of a line: where comments begin, and where they end.
_COMMENT_AT, _WIDTH = 40, 120
_SECTION = re.compile(r"^(?:# )?\[\[?([\w.]+)\]\]?$")
_VALUE = re.compile(r'^(?:# (?:or )?)?(\w+|"[^"]+") = (.+)$')
#: Columns that reading fills in.
_FILLED_IN = ("deferred", "entered_crs", "entered_geometry", "geometry")


def template() -> str:
    """A plan.toml to fill in, with every setting explained.

    >>> 'title = "Clearance map"                 # CHOOSE: Title of the map page.' in template().splitlines()
    True
    """
    examples = _examples()
    parts = [_HEAD]
    for name in Project.model_fields:
        lines = examples.get(name) or _table_lines(_sections()[name][1])
        parts.append("\n".join([*_opening(name), *_explained(lines)]) + "\n")
    return "\n".join(parts)


def _examples() -> dict[str, list[str]]:
    """Lines of examples.toml, by the section of plan.toml to which they belong."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in Path(__file__).with_name("examples.toml").read_text(encoding="utf-8").splitlines():
        header = _SECTION.match(line)
        name = header[1].split(".")[0] if header else name
        if line:
            sections.setdefault(name, []).append(line)
    return sections


def _sections() -> dict[str, tuple[InputTable, Section]]:
    """Sections of plan.toml that name files of an input table."""
    return {section.name: (table, section) for table in INPUTS.values() for section in table.sections}


def _table_lines(section: Section) -> list[str]:
    """Example of a section that names files of a table; off where a project can do without."""
    off = "" if section.needed else "# "
    return [f"{off}[[{section.name}]]", f'{off}path = "{section.example}"']


def _opening(name: str) -> list[str]:
    """What stands above a section: what it is, and the columns of the files that it names."""
    words = _meaning(Project.model_fields[name])
    if name not in _sections():
        return _comment(words, "# --- ")
    table, section = _sections()[name]
    columns = _comment(_columns(table), "#     ") if section is table.sections[0] else []
    return _comment(section.holds, "# --- ") + columns


def _comment(words: str, mark: str) -> list[str]:
    return textwrap.wrap(words, _WIDTH, initial_indent=mark, subsequent_indent="#     ", break_on_hyphens=False)


def _columns(table: InputTable) -> str:
    """Columns that a file of a table must hold, and those that it may."""
    columns = [column for column in base_columns(table.name) if column.name not in _FILLED_IN]
    needed = ", ".join(_with_codes(column) for column in columns if column.required)
    further = ", ".join(_with_codes(column) for column in columns if not column.required)
    words = f"Columns: {needed}" + (f"; where there are any: {further}" if further else "")
    return f"{words}; shapes: {', '.join(table.shapes)}." if table.shapes else f"{words}; no shapes."


def _with_codes(column: Column) -> str:
    codes = CODE_LISTS[column.codes] if column.codes else {}
    return f"{column.name} ({', '.join(codes)})" if codes else column.name


def _explained(lines: list[str]) -> Iterator[str]:
    """Lines of one section with their comments, each setting explained once."""
    owner: type[Settings] | None = None
    explained = set[tuple[object, str]]()
    for line in lines:
        header, value = _SECTION.match(line), _VALUE.match(line)
        words = ""
        if header:
            setting, owner = _setting_at(header[1])
            words = _words(*setting) if "." in header[1] and setting not in explained else ""
            explained.add(setting)
        elif value and owner is not None and value[1] in owner.model_fields and (owner, value[1]) not in explained:
            words = _words(owner, value[1], value[2])
            explained.add((owner, value[1]))
        yield from _with_comment(line, words)


def _setting_at(place: str) -> tuple[tuple[type[Settings], str], type[Settings] | None]:
    """The setting at a place of plan.toml as (settings, name), and the settings that stand below it.

    >>> setting, below = _setting_at("planning.outcomes.SHA")
    >>> setting[0].__name__, setting[1], below.__name__
    ('PlanningSettings', 'outcomes', 'Outcome')
    """
    setting: tuple[type[Settings], str] = (Project, place)
    below: type[Settings] | None = Project
    for name in place.split("."):
        if below is not None and name in below.model_fields:  # else a key of a mapping, such as SHA
            setting = below, name
            below = model_in(below.model_fields[name].annotation)
    return setting, below


def _words(owner: type[Settings], name: str, value: str = "") -> str:
    """Meaning of a setting; CHOOSE first where it has no default and the value does not say so itself."""
    field = owner.model_fields[name]
    meaning = _meaning(field)
    return f"CHOOSE: {meaning}" if field.is_required() and "CHOOSE" not in value else meaning


def _meaning(field: FieldInfo) -> str:
    """What a setting is: the first line about the settings below it, and its own description."""
    model = model_in(field.annotation)
    about = (model.__doc__ or "").split("\n")[0].replace("`", "") if model is not None else ""
    return " ".join(filter(None, (about, field.description)))


def _with_comment(line: str, words: str) -> Iterator[str]:
    """A line with its comment behind it, on as many lines as that takes."""
    comment = textwrap.wrap(words, _WIDTH - _COMMENT_AT - 2, break_on_hyphens=False)
    if comment and len(line) < _COMMENT_AT:
        yield f"{line:<{_COMMENT_AT}}# {comment.pop(0)}"
    else:
        yield line
    for further in comment:
        yield f"{'':<{_COMMENT_AT}}# {further}"
