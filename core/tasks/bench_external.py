"""``bench external``: a site held out as a second cohort, scored by runs that never saw it, and the support's own test.

For each cohort its largest site is the second cohort; everybody else trains five folds and three seeds. The rows are
the metrics of the held-out patients with and without those outside the training support, the runs' own out-of-fold
C-index beside them. The support is tested on patients who should pass (out of fold) and on generated ones who should
not. Cells are cached: stop it at any time and start it again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.arrays import Float32Array
from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.site_cohorts import LARGEST, sites_mask, split_by_site
from core.cohort.splits import resolve_folds
from core.cohort.wording import plural
from core.features.inputs import build_dataset
from core.results.evaluation import Repeats, concordance
from core.results.files import new_folder, read_json, verify_folder, write_json
from core.results.naming import model_words
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.bench_evidence import evidence_cohort
from core.tasks.external import agreement_of, kind_of_evaluation
from core.tasks.markdown import table_header, table_row
from core.tasks.provenance import code_version
from core.tasks.scoring import Trained, score
from core.tasks.train import HORIZONS, Prepared, Progress, prediction_times, run_plan, silent
from core.training.ensemble import NEVER_SEEN
from core.training.estimators import EstimatorSpec, make_estimator
from core.training.scoring_files import write_scoring_files

CELL_VERSION = 1
COHORTS = ("lihc", "blca")
MODELS = (("hdmoe", 3), ("snn", 3), ("cox-penalised", 1))
"""Estimator and seeds; the penalised Cox model has nothing random but its inner folds."""
OUT_OF_FOLD, HELD_OUT = "out-of-fold patients of the training cohort", "patients of the held-out site"
BOTH = (Modality.GENOMICS, Modality.CLINICAL)
REPEATS = Repeats(harrell=1000, other=200, calibration=20)
SUPPORT_MODEL = "cox-penalised"
"""The support does not depend on the model: it is tested once a cohort, with the cheapest."""


def bench_external(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Every cell, cached."""
    cells = []
    plan = [(name, model, seeds) for name in COHORTS for model, seeds in MODELS]
    for i, (name, model, seeds) in enumerate(plan):
        words = f"{model_words(model)}, TCGA-{name.upper()}"

        def inner(share: float, message: str, at: int = i, words: str = words) -> None:
            progress((at + share) / len(plan), f"{words}: {message}")

        cells.append(_cell(name, model, seeds, workspace, inner))
        progress((i + 1) / len(plan), words)
    return BenchResult(_rows(cells), {"cells": cells}, (*_table(cells), "", *_support_table(cells)))


def _cell(name: str, model: str, seeds: int, workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """One model on one cohort, from the cache or computed and kept."""
    cohort = evidence_cohort(name, workspace)
    defining = [CELL_VERSION, cohort.content_hash, model, seeds, HORIZONS, asdict(EstimatorSpec(model))]
    key = hashlib.sha256(json.dumps(defining, default=str).encode()).hexdigest()[:24]
    folder = workspace.cells / f"external-{key}"
    if not folder.is_dir():
        facts = _compute(cohort, model, seeds, workspace, progress)
        with new_folder(folder) as new:
            write_json(new / "cell.json", facts | {"code_version": code_version()})
    verify_folder(folder)
    stored: dict[str, Any] = read_json(folder / "cell.json")
    return stored


def _compute(cohort: Cohort, model: str, seeds: int, workspace: Workspace, progress: Progress) -> dict[str, Any]:
    sites, _ = sites_mask(cohort, (LARGEST,))
    rest, held = split_by_site(cohort, sites, f"{cohort.name}-rest", f"{cohort.name}-held")
    with tempfile.TemporaryDirectory(prefix="prognoscope-external-") as folder:
        prepared, trained = _train(rest, model, seeds, Path(folder), lambda s, m: progress(0.9 * s, m))
        scored = score(trained, held, None, silent)
        found, reason = agreement_of(trained, scored, held, held.endpoint(), prepared.horizons, REPEATS)
        own = concordance(trained.predictions)
        facts = {
            "cohort": cohort.title,
            "site": ", ".join(sites),
            "model": model,
            "seeds": seeds,
            "trained": len(rest),
            "patients": len(held),
            "unsupported": int((~scored.supported).sum()),
            "kind": kind_of_evaluation(trained.run_inputs().cancers, held).value,
            "own": asdict(own),
            "agreement": [a.as_json() for a in found],
            "no_agreement": reason,
        }
        if model == SUPPORT_MODEL:
            facts["support"] = _support_rates(trained, rest, held, workspace)
        return facts


def _train(cohort: Cohort, model: str, seeds: int, folder: Path, progress: Progress) -> tuple[Prepared, Trained]:
    endpoint = cohort.endpoint()
    dataset = build_dataset(cohort, endpoint, BOTH)
    folds = resolve_folds(cohort, "5", endpoint=endpoint.name)
    horizons = tuple(h for h in HORIZONS if h < float(dataset.outcome.time.max()))
    times = prediction_times(dataset, horizons)
    spec = EstimatorSpec(model)
    prepared = Prepared(cohort, dataset, folds, spec, endpoint.name, horizons, times)
    result = run_plan(prepared, seeds, folder, 2, progress)
    write_scoring_files(cohort, endpoint, dataset, folds, folder)
    estimator = make_estimator(spec)
    return prepared, Trained(cohort.name, folder, estimator, folds.k, tuple(range(seeds)), result.predictions)


def _support_rates(trained: Trained, rest: Cohort, held: Cohort, workspace: Workspace) -> dict[str, float]:
    """Share called outside: of the training cohort out of fold, of the held-out site, and of generated patients."""
    rates = {}
    own = score(trained, rest, None, silent)
    tested = own.seen != NEVER_SEEN
    rates[OUT_OF_FOLD] = float(np.mean(~own.supported[tested]))
    rates[HELD_OUT] = _outside(trained, held)
    for words, change in OUTLIERS.items():
        rates[words] = _outside(trained, _changed(held, change))
    other = next(c for c in COHORTS if c not in held.title.lower())
    rates[f"patients of TCGA-{other.upper()}"] = _outside(trained, evidence_cohort(other, workspace))
    return rates


def _outside(trained: Trained, cohort: Cohort) -> float:
    return float(np.mean(~score(trained, cohort, None, silent).supported))


def _changed(cohort: Cohort, change: Callable[[Float32Array, np.random.Generator], Float32Array]) -> Cohort:
    if cohort.genomics is None:
        return cohort
    values = change(np.array(cohort.genomics.values, dtype=np.float32), np.random.default_rng(0))
    return replace(cohort, genomics=replace(cohort.genomics, values=values.astype(np.float32)))


def _columns_exchanged(values: Float32Array, random: np.random.Generator) -> Float32Array:
    return values[:, random.permutation(values.shape[1])]


def _tenth(values: Float32Array, random: np.random.Generator) -> Float32Array:
    return np.where(random.random(values.shape) < 0.1, random.choice(values.ravel(), values.shape), values)


OUTLIERS: Mapping[str, Callable[[Float32Array, np.random.Generator], Float32Array]] = {
    "held-out site, signs reversed": lambda values, _: -values,
    "held-out site, 3 added to every gene": lambda values, _: values + 3,
    "held-out site, genes exchanged among columns": _columns_exchanged,
    "held-out site, each gene drawn from another patient": lambda values, random: random.permuted(values, axis=0),
    "held-out site, a tenth of the values replaced": _tenth,
}
"""Patients made of the held-out site's; the last keeps nine tenths of its values, a change too slight for most."""


def _rows(cells: list[dict[str, Any]]) -> tuple[BenchRow, ...]:
    """The C-index of the held-out patients, the run's own out-of-fold one beside it; and the support's rates."""
    rows = []
    for cell in cells:
        own = cell["own"]["mean"]
        for a in cell["agreement"]:
            if a["metrics"] is not None:
                value = a["metrics"]["harrell_c"]["mean"]
                name = f"{cell['model']}:{cell['cohort']}:{cell['site']}:{a['who']}"
                rows.append(BenchRow(name, value, "Harrell C", own, value / own))
        for words, rate in _in_order(cell):
            rows.append(BenchRow(f"outside the support:{cell['cohort']}:{words}", rate, "share"))
    return tuple(rows)


def _in_order(cell: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Who should pass first, then who should not."""
    rates: Mapping[str, float] = cell.get("support", {})
    first = (OUT_OF_FOLD, HELD_OUT, *OUTLIERS)
    return [(words, rates[words]) for words in (*first, *(w for w in rates if w not in first)) if words in rates]


def _interval(metric: Mapping[str, Any]) -> str:
    if metric["mean"] is None:
        return metric["note"] or "–"
    if metric["low"] is None:
        return f"{metric['mean']:.3f}"
    return f"{metric['mean']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"


def _table(cells: list[dict[str, Any]]) -> list[str]:
    header = (
        "cohort, site held out", "model", "patients", "events", "Harrell C", "Uno C", "AUC at 24 months", "IBS",
        "IBS, Kaplan-Meier of the training", "calibration slope at 24", "own out-of-fold C",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for cell in cells:
        for a in cell["agreement"]:
            model = f"{model_words(cell['model'])}, {plural(cell['seeds'], 'seed')}"
            first = (f"{cell['cohort']}, {cell['site']}", model, f"{a['patients']} ({a['who']})")
            m = a["metrics"]
            if m is None:
                rows.append((*first, str(a["events"]), a["reason"], "", "", "", "", "", ""))
                continue
            wide = [m["harrell_c"], m["uno_c"], m["auc"].get("24"), m["ibs"], m["ibs_kaplan_meier"]]
            wide += [m["calibration_slope"].get("24"), cell["own"]]
            rows.append((*first, str(a["events"]), *("–" if x is None else _interval(x) for x in wide)))
    return [table_header(header), *(table_row(r) for r in rows)]


def _support_table(cells: list[dict[str, Any]]) -> list[str]:
    rows = [
        (f"{cell['cohort']} without {cell['site']}", words, f"{100 * rate:.1f} %")
        for cell in cells
        for words, rate in _in_order(cell)
    ]
    header = ("trained on", "patients", "called outside the training support")
    return [table_header(header), *(table_row(r) for r in rows)]
