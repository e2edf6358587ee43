"""Tables on where a run's figures come from: rows and faults of the files, sources, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from clearplan.settings.base import Settings, told_settings
from clearplan.settings.project import Project
from clearplan.tables.lookup import id_column

#: Of a deferred row, where its reason tells the row of the file.
_AT = re.compile(r"(\w+) \(row (\d+) of (.+?)\): ")


def quality_table(faults: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every deferred row of the tables, then every fault of the files in reading order.

    Parameters
    ----------
    faults : DataFrame
        Fault table of all files.
    tables : mapping
        Declared tables with a column ``deferred``, by their names.
    """
    errors = faults[faults["level"] == "error"]
    rows = []
    for name, table in tables.items():
        if "deferred" not in table.columns:
            continue
        for row in table[table["deferred"].notna()].to_dict("records"):
            found = _fault_of(str(row["deferred"]), errors)
            rows.append(
                {
                    "level": "deferred",
                    "table": name,
                    "id": row[id_column(name)],
                    "rule": row["deferred"],
                    "source": row.get("source"),
                    "remedy": "correct the row in its file and run again",
                    **found,
                }
            )
    columns = ["level", "file", "row", "column", "value", "rule", "remedy", "table", "id", "source"]
    told = pd.concat([pd.DataFrame(rows, columns=columns, dtype=object), faults.astype(object)], ignore_index=True)
    return told[columns]


def _fault_of(reason: str, errors: pd.DataFrame) -> dict[str, Any]:
    """Where the fault of a deferred row lies, if its reason tells, or only one fault can be meant."""
    at = _AT.search(reason)
    own = errors[[f"{c}: {rule}" in reason for c, rule in zip(errors["column"], errors["rule"], strict=True)]]
    if at is not None:
        own = errors[(errors["file"] == at[3]) & (errors["row"].astype(str) == at[2]) & (errors["column"] == at[1])]
    if len(own) == 1:
        return {name: own.iloc[0][name] for name in ("file", "row", "column", "value", "remedy")}
    return {} if at is None else {"column": at[1], "row": int(at[2]), "file": at[3]}


def source_table(run: Mapping[str, Any], project: Project, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every file that decided a figure: file, used_for, source, sha256.

    Source and licence are those that plan.toml states for the file; else those that its rows state, where one file
    alone fills the table; of layers behind the map, the plan's attribution.

    Parameters
    ----------
    run : mapping
        The record of the run: inputs, settings.
    plan : Project
    tables : mapping
        Tables as read, by the section of plan.toml that fills them; rows of several sections apart.
    """
    used = dict[str, str]()
    for told in told_settings(project, run["settings"]):
        if isinstance(told.value, str) and told.value in run["inputs"]:
            place = told.section if told.setting == "path" else f"{told.section}.{told.setting}"
            used[told.value] = f"{used[told.value]}; {place}" if told.value in used else place
    rows = [
        (file, place, _source_of(place, project, run["settings"], tables), digest)
        for file, digest in run["inputs"].items()
        for place in [used.get(file) or _beside(file, used)]
    ]
    return pd.DataFrame(rows, columns=["file", "used_for", "source", "sha256"])


def _beside(file: str, used: Mapping[str, str]) -> str:
    """What a part of a shapefile, or a file inside a folder, is used for."""
    stem = file.rsplit(".", 1)[0]
    near = [place for name, place in used.items() if name.rsplit(".", 1)[0] == stem or file.startswith(f"{name}/")]
    return near[0] if near else ""


def _source_of(
    place: str, project: Project, settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]
) -> str | None:
    """Source and licence of the file that stands at a place of plan.toml."""
    if place.startswith("context."):
        return project.context.attribution or None
    section, _, number = place.partition(" ")
    stated = settings.get(section)
    if not isinstance(stated, list):
        return None
    own = stated[int(number) - 1 if number else 0]
    words = own.get("source") or own.get("set", {}).get("source")
    if isinstance(words, str):
        return words
    if len(stated) > 1 or section not in tables:
        return None
    every = list(dict.fromkeys(tables[section]["source"].dropna().astype(str)))
    return "; ".join(every[:5]) + (f"; and {len(every) - 5} more" if len(every) > 5 else "") or None


def settings_table(plan: Settings, values: Mapping[str, Any]) -> pd.DataFrame:
    """Every setting: section, setting, value, unit, meaning; values as plan.toml would write them."""
    rows = [told._replace(value=_as_written(told.value)) for told in told_settings(plan, values)]
    return pd.DataFrame(rows, columns=["section", "setting", "value", "unit", "meaning"]).astype({"value": object})


def _as_written(value: Any) -> Any:
    """A plain value for one cell; what is empty is unset.

    >>> _as_written([1.0, "a"]), _as_written({}), _as_written(True), _as_written(2.5)
    ('[1.0, "a"]', None, 'true', 2.5)
    """
    if value is None or (isinstance(value, list | dict) and not value):
        return None
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else value
