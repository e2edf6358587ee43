"""The fitted mode on 100 made-up worlds whose contamination is known, and the ladder on their held-out accidents.

    python benchmarks/evaluation.py [--json] [--worlds 100] [--processes 2]

Each world (``worlds.py``) has 200 x 200 cells of 200 m, its own strengths, and 1,500 accidents that fall where ground
is contaminated and people walk. The slope is that of a logistic recalibration of the true contamination of all known
cells on the fitted probability: 1 is right. Beside the fitted mode stand what goes wrong without its parts, fewer
accidents, a prevalence that is off by a factor of two, and contamination in patches that no evidence tells of.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
from worlds import PREVALENCE, World, fit_settings, simulate_world

WAYS = {
    "fitted mode": {},
    "ordinary logistic regression": {"plain": True},
    "without exposure": {"exposure": []},
    "prevalence half the true one": {"prevalence": PREVALENCE / 2},
    "prevalence twice the true one": {"prevalence": PREVALENCE * 2},
    "300 accidents": {"first": 300},
}
PATCHES = {"patches of spread 0.5 in the logit": 0.5, "patches of spread 1": 1.0}
SHOWN = ["recall_5", "recall_10", "recall_20", "roc_auc", "average_precision"]
WITHIN, RECALL = (0.9, 1.1), "recall_10"


def slope_of(world: World, **changed) -> float:
    """Calibration slope of a fit (without its spreads) against the true contamination of all known cells."""
    from scipy.special import expit

    from clearplan.surface.learning import fit_rows, roles_of
    from clearplan.surface.likelihood import Model, base_for, logistic
    from clearplan.surface.samples import take_sample
    from clearplan.surface.scores import recalibrate

    plain, first = changed.pop("plain", False), changed.pop("first", None)
    settings = fit_settings(world, **changed)
    sample = take_sample(world.evidence, settings, accidents=world.accidents.iloc[:first])
    roles = roles_of(world.evidence.settings, settings)
    if plain:  # accidents against background, as if background were clear of hazard; settlements among the terms
        table, names = sample.table, list(roles.names)
        g, own = table[names].to_numpy(float), table["label"].notna().to_numpy()
        found = logistic(g, own.astype(int), np.ones(len(own)), 10.0)
        strengths = np.maximum(found[1:], 0)
        base = base_for(g[~own] @ strengths, np.full((~own).sum(), 1 / (~own).sum()), world.prevalence)
        model = Model(base, strengths, np.zeros(len(names)))
    else:
        model = fit_rows(sample, roles, settings, settings.penalties[0])
    p = expit(model.score(world.cells[list(roles.names)].to_numpy(float)))
    return recalibrate(world.cells["contaminated"], p)[0]


def one_world(seed: int) -> list[dict]:
    import clearplan.surface.fit as fit
    from clearplan.surface.evaluation import evaluate
    from clearplan.surface.probability import probability
    from clearplan.surface.scores import recalibrate

    world = simulate_world(seed)
    settings = fit_settings(world)
    begin = time.perf_counter()
    fitted = fit.fit_surface(world.evidence, settings, accidents=world.accidents)
    took = time.perf_counter() - begin
    g = world.cells[list(world.evidence.names)].to_numpy(float)
    p = probability(g.T, fitted.settings)  # the very numbers of the raster
    slope, intercept = recalibrate(world.cells["contaminated"], p)
    begin = time.perf_counter()
    found = evaluate(world.evidence, world.accidents, world.areas, settings)
    rows = [{"seed": seed, "way": "fitted mode", "slope": slope, "intercept": intercept, "fit_s": took,
             "evaluate_s": time.perf_counter() - begin}]  # fmt: skip
    means = found.figures[found.figures["ranked_by"] == "accidents"].set_index("rung")[SHOWN]
    rows[0] |= {f"{rung} {name}": value for rung, row in means.iterrows() for name, value in row.items()}
    told = fitted.table.set_index("evidence")
    for name in ("line", "records", "sha", "strikes"):
        rows[0][f"z {name}"] = (told.loc[name, "strength"] - world.strengths[name]) / max(
            told.loc[name, "spread"], 1e-9
        )
    for way, changed in list(WAYS.items())[1:]:
        rows.append({"seed": seed, "way": way, "slope": slope_of(world, **changed)})
    for way, spread in PATCHES.items():
        rows.append({"seed": seed, "way": way, "slope": slope_of(simulate_world(seed, clustered=spread))})
    return rows


def report(table: pd.DataFrame, as_json: bool) -> None:
    import scipy
    import sklearn

    worlds = table["seed"].nunique()
    print(f"| {worlds} worlds | slope within 0.9-1.1 | median | 5 % to 95 % | least to largest |")
    print("|---|---|---|---|---|")
    for way, rows in table.groupby("way", sort=False):
        s = rows["slope"]
        inside = int(s.between(*WITHIN).sum())
        low, high = s.quantile([0.05, 0.95])
        print(f"| {way} | {inside} | {s.median():.3f} | {low:.2f} to {high:.2f} | {s.min():.2f} to {s.max():.2f} |")
    ours = table[table["way"] == "fitted mode"]
    print(f"\n| held-out accidents, mean of {worlds} worlds | top 5 % | 10 % | 20 % | ROC-AUC | average precision |")
    print("|---|---|---|---|---|---|")
    for rung in (
        "belt only",
        "nearest past accident",
        "logistic regression",
        "gradient boosting",
        "all terms (fitted)",
    ):
        values = [
            ours[f"{rung} {n}"].mean() for n in ("recall_5", "recall_10", "recall_20", "roc_auc", "average_precision")
        ]
        print(f"| {rung} | {values[0]:.1%} | {values[1]:.1%} | {values[2]:.1%} | {values[3]:.3f} | {values[4]:.3f} |")
    ahead = ours[f"all terms (fitted) {RECALL}"] - ours[f"belt only {RECALL}"]
    z = ours.filter(like="z ").to_numpy()
    print(f"\nAll terms found more held-out accidents than the belt in the top 10 % of the ground in "
          f"{(ahead > 0).sum()} of {worlds} worlds: {ahead.mean():+.1%} on average, {ahead.min():+.1%} to "
          f"{ahead.max():+.1%}.")  # fmt: skip
    print(f"True strengths within two stated spreads of the fitted ones: {(np.abs(z) < 2).mean():.0%} (95 % is right).")
    seconds = ours[["fit_s", "evaluate_s"]].median()
    print(f"Seconds to fit a world with spreads: {seconds['fit_s']:.1f}; to evaluate: {seconds['evaluate_s']:.1f}.")
    print(f"\nPython {platform.python_version()}, scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy "
          f"{np.__version__}, seeds 0 to {worlds - 1}")  # fmt: skip
    if as_json:
        inside, won = int(ours["slope"].between(*WITHIN).sum()), int((ahead > 0).sum())
        bars = {
            "worlds with slope within 0.9-1.1, of 100": {"value": inside * 100 / worlds, "bar": 95,
                                                         "ok": inside >= 0.95 * worlds},
            "median slope": {"value": round(ours["slope"].median(), 3), "bar": "0.9-1.1",
                             "ok": bool(WITHIN[0] <= ours["slope"].median() <= WITHIN[1])},
            "worlds where all terms beat the belt, of 100": {"value": won * 100 / worlds, "bar": 95,
                                                             "ok": won >= 0.95 * worlds},
        }  # fmt: skip
        print(json.dumps({"bars": bars}))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--worlds", type=int, default=100)
    arguments.add_argument("--processes", type=int, default=2)
    asked = arguments.parse_args()
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        rows = [row for rows in pool.map(one_world, range(asked.worlds)) for row in rows]
    report(pd.DataFrame(rows), asked.json)


if __name__ == "__main__":
    main()
