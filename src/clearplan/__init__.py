"""Contamination mapping and clearance planning for mine action.

Every public name is loaded when it is first used, so that ``import clearplan`` does no work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .audit import contradicted, history_faults, release_faults
    from .balance import bridge, ledger
    from .charts import draw_bridge, draw_calibration, draw_ladder, draw_recall, draw_release_2023
    from .compare import Comparison, compare_runs, write_comparison
    from .crosscheck import compare_methods
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
    from .evaluation import Evaluation, evaluate, evaluation_tables, share_outside
    from .evidence import Evidence, collect_evidence
    from .fit import Fit, fit_surface
    from .hazards import footprints, net_area, net_shapes
    from .maps import About, Context, draw_map
    from .priority import explain, rank
    from .quality import draw_quality_sheets
    from .readers import (
        check_file,
        combine,
        read_accidents,
        read_contact_line,
        read_context,
        read_hazards,
        read_history,
        read_places,
        read_ranked,
        read_releases,
        read_strikes,
        read_zones,
    )
    from .records import RecordReading, candidate_anchors, open_records, read_records, reanchor
    from .release import apply_releases, as_at, last_events, negative_search, undated
    from .schema import check, glossary
    from .settings import (
        FitSettings,
        FootprintSettings,
        Plan,
        RecordErrors,
        ReleaseSettings,
        SurfaceSettings,
        TaskSettings,
        load_plan,
    )
    from .settings_priority import PrioritySettings
    from .study import Study, evaluate_study, run_study
    from .surface import Surface, draw_strengths, evidence_at, expected_area, make_surface, probability
    from .tables import read_items
    from .tasks import make_tasks
    from .workbook import write_record_template

_HOMES = {
    "audit": ("contradicted", "history_faults", "release_faults"),
    "balance": ("bridge", "ledger"),
    "charts": ("draw_bridge", "draw_calibration", "draw_ladder", "draw_recall", "draw_release_2023"),
    "compare": ("Comparison", "compare_runs", "write_comparison"),
    "crosscheck": ("compare_methods",),
    "crs": ("working_crs",),
    "errors": ("ClearplanError", "CrsError", "FaultsError", "OutputError", "ReadError", "SettingsError", "TableError"),
    "evaluation": ("Evaluation", "evaluate", "evaluation_tables", "share_outside"),
    "evidence": ("Evidence", "collect_evidence"),
    "fit": ("Fit", "fit_surface"),
    "hazards": ("footprints", "net_area", "net_shapes"),
    "maps": ("About", "Context", "draw_map"),
    "priority": ("explain", "rank"),
    "quality": ("draw_quality_sheets",),
    "readers": (
        "check_file", "combine", "read_accidents", "read_contact_line", "read_context", "read_hazards",
        "read_history", "read_places", "read_ranked", "read_releases", "read_strikes", "read_zones",
    ),
    "records": ("RecordReading", "candidate_anchors", "open_records", "read_records", "reanchor"),
    "release": ("apply_releases", "as_at", "last_events", "negative_search", "undated"),
    "schema": ("check", "glossary"),
    "settings": (
        "FitSettings", "FootprintSettings", "Plan", "RecordErrors", "ReleaseSettings",
        "SurfaceSettings",
        "TaskSettings", "load_plan",
    ),
    "settings_priority": ("PrioritySettings",),
    "study": ("Study", "evaluate_study", "run_study"),
    "surface": ("Surface", "draw_strengths", "evidence_at", "expected_area", "make_surface", "probability"),
    "tables": ("read_items",),
    "tasks": ("make_tasks",),
    "workbook": ("write_record_template",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "About",
    "ClearplanError",
    "Comparison",
    "Context",
    "CrsError",
    "Evaluation",
    "Evidence",
    "FaultsError",
    "Fit",
    "FitSettings",
    "FootprintSettings",
    "OutputError",
    "Plan",
    "PrioritySettings",
    "ReadError",
    "RecordErrors",
    "RecordReading",
    "ReleaseSettings",
    "SettingsError",
    "Study",
    "Surface",
    "SurfaceSettings",
    "TableError",
    "TaskSettings",
    "__version__",
    "apply_releases",
    "as_at",
    "bridge",
    "candidate_anchors",
    "check",
    "check_file",
    "collect_evidence",
    "combine",
    "compare_methods",
    "compare_runs",
    "contradicted",
    "draw_bridge",
    "draw_calibration",
    "draw_ladder",
    "draw_map",
    "draw_quality_sheets",
    "draw_recall",
    "draw_release_2023",
    "draw_strengths",
    "evaluate",
    "evaluate_study",
    "evaluation_tables",
    "evidence_at",
    "expected_area",
    "explain",
    "fit_surface",
    "footprints",
    "glossary",
    "history_faults",
    "last_events",
    "ledger",
    "load_plan",
    "make_surface",
    "make_tasks",
    "negative_search",
    "net_area",
    "net_shapes",
    "open_records",
    "probability",
    "rank",
    "read_accidents",
    "read_contact_line",
    "read_context",
    "read_hazards",
    "read_history",
    "read_items",
    "read_places",
    "read_ranked",
    "read_records",
    "read_releases",
    "read_strikes",
    "read_zones",
    "reanchor",
    "release_faults",
    "run_study",
    "share_outside",
    "undated",
    "working_crs",
    "write_comparison",
    "write_record_template",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'clearplan' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
