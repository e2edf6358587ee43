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
    from .blockers import find_blockers
    from .briefs import Known
    from .budgets import ReturnProgramme, budget_curve, return_programme
    from .charts import draw_bridge, draw_calibration, draw_ladder, draw_recall, draw_release_2023
    from .compare import Comparison, compare_runs, write_comparison
    from .crosscheck import compare_methods
    from .crs import working_crs
    from .errors import ClearplanError, CrsError, FaultsError, OutputError, ReadError, SettingsError, TableError
    from .evaluation import Evaluation, evaluate, evaluation_tables, share_outside
    from .evidence import Evidence, collect_evidence
    from .export import export_run
    from .feature_service import read_service
    from .filing import book_years, milestones, plan_vs_achieved, planned_release, released_table, remaining_table
    from .fit import Fit, fit_surface
    from .formats import write_layers
    from .gpx import write_gpx
    from .hazards import footprints, net_area, net_shapes
    from .headline import Figures, figures_of
    from .imsma import write_imsma
    from .judge import Judgement, judge_work
    from .kml import write_kml
    from .layers import Layers
    from .maps import About, Context, draw_map
    from .outputs import Study
    from .papermaps import Imprint, draw_atlas, draw_sheet
    from .plan import WorkPlan, schedule
    from .plan_charts import draw_budgets, draw_chances, draw_gantt, draw_home
    from .planbook import write_workplan
    from .planfiles import write_pictures, write_plan
    from .planning import Planned, plan_work, with_plan
    from .postgis import read_postgis
    from .priority import explain, rank
    from .publish import publish_tables
    from .published import publish_study
    from .quality import draw_quality_sheets
    from .ranking import Why, explanation, read_ranking, why_this_order
    from .readers import (
        check_file,
        combine,
        read_accidents,
        read_commitments,
        read_contact_line,
        read_context,
        read_gates,
        read_hazards,
        read_history,
        read_lifelines,
        read_places,
        read_ranked,
        read_releases,
        read_strikes,
        read_teams,
        read_zones,
    )
    from .records import RecordReading, candidate_anchors, open_records, read_records, reanchor
    from .release import apply_releases, as_at, last_events, negative_search, undated
    from .replay import Replay, replay_work
    from .robustness import acceptability, agreement_of_sets, draw_weights, robust
    from .runs import read_run
    from .schema import check, glossary
    from .sensitivity import change_words, drops, hangs_on, lifts, swaps
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
    from .settings_planning import PlanningSettings
    from .settings_priority import PrioritySettings
    from .study import evaluate_study, plan_study, run_study, write_study
    from .surface import Surface, draw_strengths, evidence_at, expected_area, make_surface, probability
    from .survey import value_of_survey
    from .svg import save_chart
    from .tables import read_items
    from .tasks import make_tasks
    from .tasksheets import write_dossiers
    from .treaty import clock, counted_ground, entry_into_force, obligations, release_rates
    from .weights import agreement, pairwise_weights
    from .workbook import write_record_template

_HOMES = {
    "audit": (
        "contradicted",
        "history_faults",
        "release_faults",
    ),
    "balance": (
        "bridge",
        "ledger",
    ),
    "blockers": ("find_blockers",),
    "briefs": ("Known",),
    "budgets": (
        "ReturnProgramme",
        "budget_curve",
        "return_programme",
    ),
    "charts": (
        "draw_bridge",
        "draw_calibration",
        "draw_ladder",
        "draw_recall",
        "draw_release_2023",
    ),
    "compare": (
        "Comparison",
        "compare_runs",
        "write_comparison",
    ),
    "crosscheck": ("compare_methods",),
    "crs": ("working_crs",),
    "errors": (
        "ClearplanError",
        "CrsError",
        "FaultsError",
        "OutputError",
        "ReadError",
        "SettingsError",
        "TableError",
    ),
    "evaluation": (
        "Evaluation",
        "evaluate",
        "evaluation_tables",
        "share_outside",
    ),
    "evidence": (
        "Evidence",
        "collect_evidence",
    ),
    "export": ("export_run",),
    "feature_service": ("read_service",),
    "filing": (
        "book_years",
        "milestones",
        "plan_vs_achieved",
        "planned_release",
        "released_table",
        "remaining_table",
    ),
    "fit": (
        "Fit",
        "fit_surface",
    ),
    "formats": ("write_layers",),
    "gpx": ("write_gpx",),
    "hazards": (
        "footprints",
        "net_area",
        "net_shapes",
    ),
    "headline": (
        "Figures",
        "figures_of",
    ),
    "imsma": ("write_imsma",),
    "judge": (
        "Judgement",
        "judge_work",
    ),
    "kml": ("write_kml",),
    "layers": ("Layers",),
    "maps": (
        "About",
        "Context",
        "draw_map",
    ),
    "outputs": ("Study",),
    "papermaps": (
        "Imprint",
        "draw_atlas",
        "draw_sheet",
    ),
    "plan": (
        "WorkPlan",
        "schedule",
    ),
    "plan_charts": (
        "draw_budgets",
        "draw_chances",
        "draw_gantt",
        "draw_home",
    ),
    "planbook": ("write_workplan",),
    "planfiles": (
        "write_pictures",
        "write_plan",
    ),
    "planning": (
        "Planned",
        "plan_work",
        "with_plan",
    ),
    "postgis": ("read_postgis",),
    "priority": (
        "explain",
        "rank",
    ),
    "publish": ("publish_tables",),
    "published": ("publish_study",),
    "quality": ("draw_quality_sheets",),
    "ranking": (
        "Why",
        "explanation",
        "read_ranking",
        "why_this_order",
    ),
    "readers": (
        "check_file",
        "combine",
        "read_accidents",
        "read_commitments",
        "read_contact_line",
        "read_context",
        "read_gates",
        "read_hazards",
        "read_history",
        "read_lifelines",
        "read_places",
        "read_ranked",
        "read_releases",
        "read_strikes",
        "read_teams",
        "read_zones",
    ),
    "records": (
        "RecordReading",
        "candidate_anchors",
        "open_records",
        "read_records",
        "reanchor",
    ),
    "release": (
        "apply_releases",
        "as_at",
        "last_events",
        "negative_search",
        "undated",
    ),
    "replay": (
        "Replay",
        "replay_work",
    ),
    "robustness": (
        "acceptability",
        "agreement_of_sets",
        "draw_weights",
        "robust",
    ),
    "runs": ("read_run",),
    "schema": (
        "check",
        "glossary",
    ),
    "sensitivity": (
        "change_words",
        "drops",
        "hangs_on",
        "lifts",
        "swaps",
    ),
    "settings": (
        "FitSettings",
        "FootprintSettings",
        "Plan",
        "RecordErrors",
        "ReleaseSettings",
        "SurfaceSettings",
        "TaskSettings",
        "load_plan",
    ),
    "settings_planning": ("PlanningSettings",),
    "settings_priority": ("PrioritySettings",),
    "study": (
        "evaluate_study",
        "plan_study",
        "run_study",
        "write_study",
    ),
    "surface": (
        "Surface",
        "draw_strengths",
        "evidence_at",
        "expected_area",
        "make_surface",
        "probability",
    ),
    "survey": ("value_of_survey",),
    "svg": ("save_chart",),
    "tables": ("read_items",),
    "tasks": ("make_tasks",),
    "tasksheets": ("write_dossiers",),
    "treaty": (
        "clock",
        "counted_ground",
        "entry_into_force",
        "obligations",
        "release_rates",
    ),
    "weights": (
        "agreement",
        "pairwise_weights",
    ),
    "workbook": ("write_record_template",),
}
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
    "Figures",
    "Fit",
    "FitSettings",
    "FootprintSettings",
    "Imprint",
    "Judgement",
    "Known",
    "Layers",
    "OutputError",
    "Plan",
    "Planned",
    "PlanningSettings",
    "PrioritySettings",
    "ReadError",
    "RecordErrors",
    "RecordReading",
    "ReleaseSettings",
    "Replay",
    "ReturnProgramme",
    "SettingsError",
    "Study",
    "Surface",
    "SurfaceSettings",
    "TableError",
    "TaskSettings",
    "Why",
    "WorkPlan",
    "__version__",
    "acceptability",
    "agreement",
    "agreement_of_sets",
    "apply_releases",
    "as_at",
    "book_years",
    "bridge",
    "budget_curve",
    "candidate_anchors",
    "change_words",
    "check",
    "check_file",
    "clock",
    "collect_evidence",
    "combine",
    "compare_methods",
    "compare_runs",
    "contradicted",
    "counted_ground",
    "draw_atlas",
    "draw_bridge",
    "draw_budgets",
    "draw_calibration",
    "draw_chances",
    "draw_gantt",
    "draw_home",
    "draw_ladder",
    "draw_map",
    "draw_quality_sheets",
    "draw_recall",
    "draw_release_2023",
    "draw_sheet",
    "draw_strengths",
    "draw_weights",
    "drops",
    "entry_into_force",
    "evaluate",
    "evaluate_study",
    "evaluation_tables",
    "evidence_at",
    "expected_area",
    "explain",
    "explanation",
    "export_run",
    "figures_of",
    "find_blockers",
    "fit_surface",
    "footprints",
    "glossary",
    "hangs_on",
    "history_faults",
    "judge_work",
    "last_events",
    "ledger",
    "lifts",
    "load_plan",
    "make_surface",
    "make_tasks",
    "milestones",
    "negative_search",
    "net_area",
    "net_shapes",
    "obligations",
    "open_records",
    "pairwise_weights",
    "plan_study",
    "plan_vs_achieved",
    "plan_work",
    "planned_release",
    "probability",
    "publish_study",
    "publish_tables",
    "rank",
    "read_accidents",
    "read_commitments",
    "read_contact_line",
    "read_context",
    "read_gates",
    "read_hazards",
    "read_history",
    "read_items",
    "read_lifelines",
    "read_places",
    "read_postgis",
    "read_ranked",
    "read_ranking",
    "read_records",
    "read_releases",
    "read_run",
    "read_service",
    "read_strikes",
    "read_teams",
    "read_zones",
    "reanchor",
    "release_faults",
    "release_rates",
    "released_table",
    "remaining_table",
    "replay_work",
    "return_programme",
    "robust",
    "run_study",
    "save_chart",
    "schedule",
    "share_outside",
    "swaps",
    "undated",
    "value_of_survey",
    "why_this_order",
    "with_plan",
    "working_crs",
    "write_comparison",
    "write_dossiers",
    "write_gpx",
    "write_imsma",
    "write_kml",
    "write_layers",
    "write_pictures",
    "write_plan",
    "write_record_template",
    "write_study",
    "write_workplan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'clearplan' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
