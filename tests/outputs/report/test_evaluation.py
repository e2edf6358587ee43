"""The evaluation of a surface as a page: what stands in it, and what it needs."""

from dataclasses import replace

import pandas as pd
import pytest

import clearplan as cp
from clearplan.core.errors import OutputError, SettingsError
from clearplan.core.imprint import ILLUSTRATIVE
from clearplan.outputs.report.evaluation import draw_evaluation, ladder_cells
from clearplan.surface.evaluation import evaluation_tables
from tests.conftest import FULL, SAMPLE
from tests.sheets_of_paper import IMPRINT


def ladder(*rows):
    names = ["judged", "rung", "ranked_by", "without", "figure", "mean", "se", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def test_ladder_says_errors_and_what_is_left_out():
    same = [("blocks", "belt only", by, "", "recall_10", 0.256, 0.02, 0.2, 0.3) for by in ("share", "accidents")]
    two = [("blocks", "all terms (fitted)", by, "accidents", "recall_10", mean, None, None, None)
           for by, mean in (("share", 0.4), ("accidents", 0.5))]  # fmt: skip
    header, rows = ladder_cells(ladder(*same, *two))
    at = header.index("top 10 %")
    assert [(row[0], row[at]) for row in rows] == [
        ("belt only", "26 ± 2 %"),  # it ranks alike by both
        ("all terms (fitted), by share of ground (without accidents)", "40 %"),
        ("all terms (fitted), by expected accidents (without accidents)", "50 %"),
    ]
    assert rows[0][header.index("ROC-AUC")] == ""


def test_evaluation_needs_its_settings_and_a_new_file(tmp_path):
    plan = (SAMPLE / "plan.toml").read_text(encoding="utf-8")
    cut = plan[: plan.index("[fit]")] + plan[plan.index("[map]") :]
    (tmp_path / "plan.toml").write_text(cut, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"needs \[surface\] and \[fit\]"):
        cp.evaluate_study(tmp_path / "plan.toml")
    (tmp_path / "e.html").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        cp.evaluate_study(SAMPLE / "plan.toml", tmp_path / "e.html")
    assert (tmp_path / "e.html").read_text() == "mine"


def test_evaluation_of_the_sample(tmp_path, sample):
    study, _ = sample
    fit = study.project.fit.model_copy(
        update={"background": 20_000 if FULL else 5_000, "bootstrap": 20, "penalties": (1.0,)}
    )
    known = cp.footprints(study.hazards, study.project.footprints)
    found = cp.evaluate(study.evidence, study.accidents, known, fit)
    tables = evaluation_tables(found)
    outside = found.outside.set_index("what")
    # The sample is made so: 252 of 350 accidents, the published 72 %, lie outside the belt.
    assert outside.loc["the belt of the contact line", "outside"] == 252
    table = tables["ladder"]
    mean = table[table["ranked_by"] == "accidents"].set_index(["rung", "figure"])["mean"]
    assert mean["all terms (fitted)", "recall_10"] > mean["belt only", "recall_10"]
    assert set(found.figures.set_index("rung").loc["all terms (fitted)", "without"]) == {"accidents"}
    told = cp.fit_surface(study.evidence, fit, accidents=study.accidents, areas=known)
    assert told.settings.mode == "fitted"
    page = draw_evaluation(tables, replace(IMPRINT, illustrative=True), notes=found.notes,
                           strengths=told.table)  # fmt: skip
    page.save(tmp_path / "e.html")
    assert page.html.count("<svg") == 3
    for words in (ILLUSTRATIVE, "belt only", "all terms (fitted)", "Blocks of ground held out", "72 %"):
        assert words in page.html
    assert "<script" not in page.html
