"""The report and the evaluation as pages: what stands in them, and that text stays text."""

import re

import pandas as pd
import pytest

import clearplan as cp
from clearplan.errors import OutputError, SettingsError, TableError
from clearplan.report import draw_evaluation, draw_report, ladder_cells

from .browser import PICTURES, opened
from .conftest import SAMPLE

HOSTILE = '<script>alert(1)</script>{{7*7}}"><img src=x>'


@pytest.mark.browser
def test_report_of_the_sample_opens_without_a_network(sample):
    study, folder = sample
    with opened(folder / "report.html", scripted=False) as (page, watch):
        text = page.inner_text("body")
        for words in ("Illustrative data, not for operational use.", study.run["fingerprint"], "closed by status",
                      "nobody knows", "What moved the remaining ground from 2024-12-31 to 2026-01-01",
                      "trend.az 3870489", "outside every known hazard"):  # fmt: skip
            assert words in text, words
        assert page.locator("svg").count() == 4  # a bridge for each class, and the published release
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / "report.png", full_page=True)
    assert watch.complaints == []
    assert watch.requests == []
    with opened(folder / "report.html", 390, 844, scripted=False) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    html = (folder / "report.html").read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_published_figures_sum_and_are_said_to_be_published(sample):
    html = (sample[1] / "report.html").read_text(encoding="utf-8")
    assert "Land released in 2023: 53,081.8 hectares" in html
    assert "Published figures, not computed here." in html


def books(**more):
    ledger = {"land_class": [HOSTILE], "district": [HOSTILE], "reported_m2": [2e6], "remaining_m2": [1e6],
              "cancelled_m2": [1e6 - 200], "reduced_m2": [200.0], "cleared_m2": [0.0], "closed_m2": [0.0]}  # fmt: skip
    return {"ledger": pd.DataFrame(ledger)} | more


def test_text_from_data_stays_text_and_little_is_not_nothing():
    html = draw_report(title=HOSTILE, notice=HOSTILE, notes=[HOSTILE], figures=[(HOSTILE, HOSTILE)], books=books()).html
    assert "<script" not in html
    assert "<img" not in html
    assert "{{7*7}}" in html
    assert "&lt; 0.01" in html  # 200 m2 are little, and not 0


def test_published_without_its_columns_is_refused():
    with pytest.raises(TableError, match="lack the column source"):
        draw_report(title="t", notice="n", books=books(), published=pd.DataFrame({"breakdown": [], "name": [],
                                                                                  "hectares": []}))  # fmt: skip


def ladder():
    rows = [("belt only", "recall_10", 0.256, 0.2, 0.3, 5), ("belt only", "roc_auc", None, None, None, 0)]
    return pd.DataFrame(rows, columns=["rung", "figure", "mean", "low", "high", "folds"])


def test_ladder_says_what_is_not_defined():
    header, rows = ladder_cells(ladder())
    told = dict(zip(header, rows[0], strict=True))
    assert told["rung"] == "belt only"
    assert told["top 10 %"] == "26 % (20 to 30 %)" or told["top 10 %"] == "26 % (20 % to 30 %)"
    assert told["ROC-AUC"] == "not defined"


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
    fit = study.plan.fit.model_copy(update={"background": 20_000, "bootstrap": 20, "penalties": (1.0,)})
    known = cp.footprints(study.hazards, study.plan.footprints)
    found = cp.evaluate(study.evidence, study.accidents, known, fit)
    tables = cp.evaluation_tables(found)
    outside = found.outside.set_index("what")
    # The sample is made so: 252 of 350 accidents, the published 72 %, lie outside the belt.
    assert outside.loc["the belt of the contact line", "outside"] == 252
    mean = tables["ladder"].set_index(["rung", "figure"])["mean"]
    assert mean["all terms (fitted)", "recall_10"] > mean["belt only", "recall_10"]
    told = cp.fit_surface(study.evidence, fit, accidents=study.accidents, areas=known)
    assert told.settings.mode == "fitted"
    page = draw_evaluation(tables, title="t", notice="n", illustrative="made up", notes=found.notes,
                           strengths=told.table)  # fmt: skip
    page.save(tmp_path / "e.html")
    assert page.html.count("<svg") == 3
    for words in ("made up", "belt only", "all terms (fitted)", "Whole blocks of ground are held out", "72 %"):
        assert words in page.html
    assert "<script" not in page.html
