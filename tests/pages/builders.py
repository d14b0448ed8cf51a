"""Cohorts and runs for page tests: the sample cohort, a large simulated one, a run with made-up predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort.cohort import Cohort, Provenance, Role
from core.cohort.endpoint import Endpoint
from core.cohort.sample import save_sample
from core.results.prediction import Predictions
from core.results.run import Metric, Metrics, Run
from core.results.run_store import save_run
from core.results.workspace import Workspace

TIMES = np.arange(6.0, 66.0, 6.0)


def save_sample_run(workspace: Workspace) -> Cohort:
    """The sample cohort with one run of made-up predictions, both stored."""
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort)
    save_run(make_run(cohort, predictions), predictions, workspace)
    return cohort


def make_predictions(
    cohort: Cohort, endpoint: str = "OS", folds: int = 5, seeds: tuple[int, ...] = (0, 1)
) -> Predictions:
    """Out-of-fold predictions that know something: the risk is a noisy copy of how early the patient left."""
    outcome = cohort.endpoint(endpoint)
    known, names = np.flatnonzero(outcome.known), cohort.ids
    random = np.random.default_rng(7)
    order = np.argsort(np.argsort(-outcome.time[known])) / len(known)
    parts, curves = [], []
    for seed in seeds:
        risk = 1.6 * (order - 0.5) + random.normal(0, 0.55, len(known))
        parts.append(
            pd.DataFrame(
                {
                    "id": [names[i] for i in known],
                    "fold": np.arange(len(known)) % folds,
                    "seed": seed,
                    "entry": outcome.entry[known],
                    "time": outcome.time[known],
                    "event": outcome.codes[known],
                    "risk": risk,
                }
            )
        )
        curves.append(np.exp(-0.016 * TIMES[None, :] * np.exp(risk)[:, None]))
    return Predictions(pd.concat(parts, ignore_index=True), TIMES, np.concatenate(curves))


def make_run(cohort: Cohort, predictions: Predictions, run_id: str = "hdmoe-1", endpoint: str = "OS") -> Run:
    """The record that belongs to :func:`make_predictions`."""
    ensemble = predictions.ensemble().table
    thresholds = {}
    for fold in predictions.folds:
        train = ensemble.loc[ensemble["fold"] != fold, "risk"]
        low, middle, high = np.quantile(train, [1 / 3, 0.5, 2 / 3])
        thresholds[str(fold)] = {"median": middle, "low_tertile": low, "high_tertile": high}
    metric = Metric(0.66, 0.03, 0.61, 0.71)
    return Run(
        id=run_id, cohort=cohort.name, cohort_hash=cohort.content_hash, synthetic=cohort.synthetic, model="hdmoe",
        config={}, modalities=("genomics", "clinical"), endpoint=endpoint, protocol="honest", folds="5-fold",
        n_folds=len(predictions.folds), seeds=predictions.seeds, horizons=(12.0, 36.0, 60.0), patients=len(ensemble),
        events=int((ensemble["event"] == 1).sum()), excluded=(), code_version="test", created_at="2026-01-02T03:04:05",
        seconds=1.0, machine="test", command="test", metrics=Metrics(metric, metric, Metric(0.2), Metric(0.23)),
        thresholds={k: {n: float(x) for n, x in v.items()} for k, v in thresholds.items()},
    )  # fmt: skip


def make_large_cohort(n: int = 20_000, name: str = "large") -> Cohort:
    """``n`` simulated patients with clinical columns, two endpoints and two modalities; no genes."""
    random = np.random.default_rng(3)
    age = random.normal(62, 10, n).round()
    stage = random.choice(["I", "II", "III", "IV"], n, p=[0.3, 0.3, 0.25, 0.15])
    hazard = 0.012 * np.exp(0.03 * (age - 62) + 0.45 * np.searchsorted(["I", "II", "III", "IV"], stage))
    happens, ends = random.exponential(1 / hazard), random.uniform(6, 120, n)
    time = np.minimum(happens, ends).round(1)
    index = pd.Index([f"P-{i:06d}" for i in range(n)], name="patient", dtype=object)
    patients = pd.DataFrame(
        {"age": age, "sex": random.choice(["female", "male"], n), "stage": stage,
         "albumin": random.normal(38, 5, n).round(1), "site": random.choice(list("ABCDEFGH"), n)}, index=index
    )  # fmt: skip
    roles = dict.fromkeys(patients, Role.INPUT) | {"albumin": Role.MARKER, "site": Role.SITE}
    nothing = np.zeros(n, dtype=bool)
    overall = Endpoint("OS", "Overall survival", "diagnosis", np.zeros(n), time, happens <= ends, nothing)
    have = pd.DataFrame({"genomics": random.random(n) < 0.8, "clinical": np.ones(n, dtype=bool)}, index=index)
    return Cohort(
        name=name, title="Large simulated cohort", patients=patients, roles=roles, endpoints={"OS": overall},
        availability=have, provenance=Provenance("simulated", {}, "", "1"), units={"age": "years", "albumin": "g/L"},
        synthetic=True,
    )  # fmt: skip


def page(name: str) -> Path:
    """The script of a page."""
    return Path(__file__).resolve().parents[2] / "pages" / f"{name}.py"
