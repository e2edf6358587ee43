"""The plan.toml that `clearplan init` writes: whole, valid, and explained by the settings themselves."""

from __future__ import annotations

import re
import tomllib

import pytest

from clearplan.settings.base import Settings, model_in
from clearplan.settings.project import Project
from clearplan.settings.template import template
from clearplan.tables.inputs import INPUTS

#: What begins a line that is off: a section, or a value that is no other way of saying one that is there.
OFF = r'^# (?=\[|"|[A-Za-z0-9_]+ = )'


def models(model=Project):
    """A class of settings and all below it."""
    found = {model}
    for field in model.model_fields.values():
        below = model_in(field.annotation)
        if below is not None and below not in found:
            found |= models(below)
    return found


def words_of(text):
    """The comments of a template as one line, and the code."""
    comments = re.findall(r"(?:^| {2,}|(?<=\S) )# (.*)$", text, flags=re.MULTILINE)
    return " ".join(" ".join(comments).split())


def test_as_it_stands_it_is_a_project():
    project = Project.model_validate(tomllib.loads(template()))
    assert [source.path.name for source in (*project.hazards, *project.zones)] == ["hazards.gpkg", "zones.geojson"]
    off = (project.contact_line, project.records, project.surface, project.planning, project.teams)
    assert not any(off)


def test_what_the_template_holds_in_comments_is_valid():
    """Sections that a planner uncomments: they parse, and hold all that their settings ask for."""
    lines = [re.sub(OFF, "", line) for line in template().splitlines()]
    project = Project.model_validate(tomllib.loads("\n".join(lines)))
    for name in Project.model_fields:
        assert getattr(project, name), name


@pytest.mark.parametrize("model", sorted(models(), key=lambda model: model.__name__), ids=lambda model: model.__name__)
def test_every_setting_has_a_line_and_its_meaning(model: type[Settings]):
    text = template()
    comments = words_of(text)
    for name, field in model.model_fields.items():
        assert re.search(rf"^(?:# (?:or )?)?{name} = |^(?:# )?\[\[?(?:\w+\.)*{name}[\].]", text, re.MULTILINE), name
        meaning = field.description or (model_in(field.annotation).__doc__ or "").split("\n")[0]
        assert meaning.replace("`", "") in comments, f"{model.__name__}.{name}"


def test_what_has_no_default_is_marked():
    """Of sections that are on, each value that has no default says CHOOSE; of those that have one, none does."""
    place, on = "", 0
    for line in template().splitlines():
        header = re.match(r"^\[\[?([\w.]+)\]\]?", line)
        place = header[1] if header else place
        setting = re.match(r"^(\w+) = ", line)
        model = Project
        for part in place.split("."):
            model = model_in(model.model_fields[part].annotation) if part in model.model_fields else None
            if model is None:
                break
        if setting and model is not None and place != "priority.criteria":
            assert ("CHOOSE" in line) == model.model_fields[setting[1]].is_required(), line
            on += 1
    assert on >= 15


@pytest.mark.parametrize("table", INPUTS.values(), ids=lambda table: table.name)
def test_a_section_names_the_columns_of_its_table(table):
    text = template()
    header = re.search(rf"^(?:# )?\[\[{table.name}\]\]", text, re.MULTILINE)
    opening = text[: header.start()].rsplit("\n\n", 1)[1]
    for column in ("source", table.day):
        assert column in opening
    assert f"--- {table.sections[0].holds} Columns: " in words_of(opening)
