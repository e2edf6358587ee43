"""Contamination mapping and clearance planning for mine action.

Every public name is loaded when it is first used, so that ``import clearplan`` does no work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .crs import working_crs
    from .errors import (
        ClearplanError,
        CrsError,
        FaultsError,
        OutputError,
        ReadError,
        SettingsError,
        TableError,
    )
    from .hazards import footprints, net_area, net_shapes
    from .maps import About, Context, draw_map
    from .priority import explain, rank
    from .readers import (
        check_file,
        combine,
        read_accidents,
        read_contact_line,
        read_context,
        read_hazards,
        read_ranked,
        read_strikes,
        read_zones,
    )
    from .schema import check, glossary
    from .settings import FootprintSettings, Plan, PrioritySettings, TaskSettings, load_plan
    from .study import Study, run_study
    from .tasks import make_tasks

_HOMES = {
    "crs": ("working_crs",),
    "errors": ("ClearplanError", "CrsError", "FaultsError", "OutputError", "ReadError", "SettingsError", "TableError"),
    "hazards": ("footprints", "net_area", "net_shapes"),
    "maps": ("About", "Context", "draw_map"),
    "priority": ("explain", "rank"),
    "readers": (
        "check_file", "combine", "read_accidents", "read_contact_line", "read_context", "read_hazards",
        "read_ranked", "read_strikes", "read_zones",
    ),
    "schema": ("check", "glossary"),
    "settings": ("FootprintSettings", "Plan", "PrioritySettings", "TaskSettings", "load_plan"),
    "study": ("Study", "run_study"),
    "tasks": ("make_tasks",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "About",
    "ClearplanError",
    "Context",
    "CrsError",
    "FaultsError",
    "FootprintSettings",
    "OutputError",
    "Plan",
    "PrioritySettings",
    "ReadError",
    "SettingsError",
    "Study",
    "TableError",
    "TaskSettings",
    "__version__",
    "check",
    "check_file",
    "combine",
    "draw_map",
    "explain",
    "footprints",
    "glossary",
    "load_plan",
    "make_tasks",
    "net_area",
    "net_shapes",
    "rank",
    "read_accidents",
    "read_contact_line",
    "read_context",
    "read_hazards",
    "read_ranked",
    "read_strikes",
    "read_zones",
    "run_study",
    "working_crs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'clearplan' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
