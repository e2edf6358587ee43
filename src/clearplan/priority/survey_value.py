"""Value of survey: what survey before clearance is expected to cost, and the contaminated share up to which it pays.

Harm is never hidden in an average: it stands in a column of its own, and the break-even is shown with and without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.settings.priority import SurveyFirst

Array = NDArray[Any]

#: Columns that :func:`value_of_survey` adds to TASKS [currency of the settings, or 1].
SURVEY_COLUMNS = (
    "clear_all_cost",
    "survey_first_cost",
    "survey_saves",
    "survey_harm",
    "break_even_p",
    "break_even_p_costs",
)


def value_of_survey(tasks: pd.DataFrame, settings: SurveyFirst) -> pd.DataFrame:
    """Expected cost of tasks of the survey queue with and without technical survey first.

    Parameters
    ----------
    tasks : DataFrame
        TASKS with ``area_m2`` [m2] and ``probability`` [1], the share of its ground that is expected to be
        contaminated; rows of the clearance queue, and those whose share nobody knows, stay blank. Where there are
        columns ``sensitivity`` and ``specificity`` of survey on each task [1], they count instead of the settings'.
    settings : SurveyFirst

    Returns
    -------
    DataFrame
        With the index of ``tasks``: clear_all_cost, survey_first_cost, survey_saves (their difference) [currency],
        survey_harm (harm expected from ground that survey releases although it holds ordnance, apart from all costs)
        [currency], break_even_p (contaminated share above which clearing at once costs less, harm counted)
        and break_even_p_costs (the same without harm) [1].

    Raises
    ------
    TableError
        The tasks have no ``probability``, or neither they nor the settings say how well survey tells ground apart.

    Notes
    -----
    With area A, survey s, clearance c and harm h a m2, sensitivity se and specificity sp: survey first costs
    A s + (p se + (1 - p)(1 - sp)) A c, and its harm is p (1 - se) A h. Break-even where both equal A c:
    p = (sp c - s) / ((se + sp - 1) c + (1 - se) h). Everything is in proportion to the area, so that cutting a task in
    two changes no figure. Textbook decision analysis (Raiffa and Schlaifer 1961, Applied Statistical Decision Theory).

    >>> plan = SurveyFirst(survey_cost_per_m2=0.15, clearance_cost_per_m2=2, sensitivity=0.98, specificity=0.85,
    ...     harm_per_m2=100, currency="USD", source="invented case")
    >>> found = value_of_survey(pd.DataFrame({"queue": ["survey"], "area_m2": [1e5], "probability": [0.2]}), plan)
    >>> row = found.iloc[0]
    >>> row["clear_all_cost"], round(row["survey_first_cost"]), round(row["survey_harm"]), round(row["break_even_p"], 2)
    (np.float64(200000.0), 78200, 40000, np.float64(0.42))
    """
    if "probability" not in tasks.columns:
        raise TableError(
            "value of survey needs column probability, the contaminated share of each task; add [surface] to the plan"
        )
    mine = (tasks["queue"] == "survey").to_numpy()
    area, p = (np.where(mine, tasks[name].to_numpy(float), np.nan) for name in ("area_m2", "probability"))
    area = np.where(np.isnan(p), np.nan, area)
    s, c = settings.survey_cost_per_m2, settings.clearance_cost_per_m2
    se, sp = _accuracy(tasks, settings)
    clear = area * c
    first = area * s + (p * se + (1 - p) * (1 - sp)) * clear
    columns = {
        "clear_all_cost": clear,
        "survey_first_cost": first,
        "survey_saves": clear - first,
        "survey_harm": p * (1 - se) * settings.harm_per_m2 * area,
        "break_even_p": np.where(np.isnan(area), np.nan, break_even(settings, se, sp, settings.harm_per_m2)),
        "break_even_p_costs": np.where(np.isnan(area), np.nan, break_even(settings, se, sp, 0.0)),
    }
    return pd.DataFrame(columns, index=tasks.index)


def _accuracy(tasks: pd.DataFrame, settings: SurveyFirst) -> tuple[Array, Array]:
    """Sensitivity and specificity of survey on each task (n) [1]."""
    if {"sensitivity", "specificity"} <= set(tasks.columns):
        return tasks["sensitivity"].to_numpy(float), tasks["specificity"].to_numpy(float)
    if settings.sensitivity is None or settings.specificity is None:
        raise TableError("value of survey needs a sensitivity and a specificity; state them in priority.survey_first")
    return np.full(len(tasks), settings.sensitivity), np.full(len(tasks), settings.specificity)


def break_even(settings: SurveyFirst, sensitivity: Array, specificity: Array, harm_per_m2: float) -> Array:
    """Contaminated share up to which survey first costs less (n) [1]; 1 where it does at any, 0 where it never does."""
    c = settings.clearance_cost_per_m2
    gain = specificity * c - settings.survey_cost_per_m2
    loss = (sensitivity + specificity - 1) * c + (1 - sensitivity) * harm_per_m2
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.clip(gain / loss, 0.0, 1.0)
    return np.asarray(np.where(loss > 0, ratio, (gain > 0).astype(float)))


def survey_words(task: pd.Series, settings: SurveyFirst) -> str | None:
    """What survey first is worth for a task, in a sentence, harm shown apart; None where nothing is known."""
    if pd.isna(task.get("survey_saves")):
        return None
    saves, clear, harm, pays, alone = (
        float(task[name])
        for name in ("survey_saves", "clear_all_cost", "survey_harm", "break_even_p", "break_even_p_costs")
    )
    verb = "saves" if saves >= 0 else "costs more by"
    return (
        f"Survey first {verb} {abs(saves):,.0f} {settings.currency} of {clear:,.0f} for clearing all; apart from that "
        f"its expected harm is {harm:,.0f} {settings.currency}. It pays where up to {100 * pays:.0f} % of the ground "
        f"is contaminated with the harm counted, up to {100 * alone:.0f} % by costs alone."
    )
