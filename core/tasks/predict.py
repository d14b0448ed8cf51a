"""Score the patients of a cohort with a stored run: all its folds and seeds as one ensemble."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.cohort.cohort import Cohort
from core.cohort.storage import load_cohort
from core.cohort.wording import plural
from core.features.encoded import load_features
from core.features.run_inputs import RunInputs
from core.results.evaluation import Repeats
from core.results.prediction_set import COLUMNS, Agreement, PredictionSet, save_prediction_set
from core.results.run import Run
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace
from core.tasks.external import agreement_of, kind_of_evaluation, same_endpoint
from core.tasks.provenance import code_version, now
from core.tasks.scoring import Scored, Trained, score
from core.tasks.train import Progress, silent
from core.training.config import training_config
from core.training.ensemble import HIGH, LOW, NEVER_SEEN
from core.training.estimators import EstimatorSpec, make_estimator

VERSION = 1


@dataclass(frozen=True)
class PredictRequest:
    """Which run scores which cohort; ``repeats`` of the bootstrap of the external metrics."""

    run: str
    cohort: str
    repeats: Repeats | None = None


def predict(request: PredictRequest, workspace: Workspace, progress: Progress = silent) -> PredictionSet:
    """Score, evaluate where outcomes are known, store.

    Raises
    ------
    PrognoscopeError
        When the run was stored before it kept what scoring needs, or a file of run or cohort was altered.
    """
    started = time.perf_counter()
    run = load_run(request.run, workspace)
    cohort = load_cohort(request.cohort, workspace)
    trained = trained_run(run, workspace)
    inputs = trained.run_inputs()
    features = load_features(cohort.name, workspace, run.config.get("encoders", {}))
    scored = score(trained, cohort, features, lambda s, m: progress(0.7 * s, m))
    progress(0.75, "external metrics")
    endpoint, words = same_endpoint(inputs, cohort)
    if endpoint is None:
        agreement: tuple[tuple[Agreement, ...], str] = (), words
    else:
        agreement = agreement_of(trained, scored, cohort, endpoint, run.horizons, request.repeats)
    warnings = _warnings(run, cohort, scored, words if endpoint is not None else "")
    found = _record(run, cohort, trained, inputs, scored, agreement, warnings, time.perf_counter() - started)
    save_prediction_set(found, workspace)
    progress(1.0, "stored")
    return found


def trained_run(run: Run, workspace: Workspace) -> Trained:
    """A stored run, ready to score."""
    training = training_config(run.config["training"])
    estimator = make_estimator(EstimatorSpec(run.model, run.config["model"], training))
    folder = workspace.run(run.id) / "checkpoints"
    return Trained(run.id, folder, estimator, run.n_folds, run.seeds, load_predictions(run.id, workspace))


def _warnings(run: Run, cohort: Cohort, scored: Scored, endpoint_words: str) -> tuple[str, ...]:
    found = list(run.warnings)
    if run.synthetic and not cohort.synthetic:
        found.append("the run was trained on synthetic patients: its estimates say nothing of these")
    overlap = int((scored.seen != NEVER_SEEN).sum())
    if overlap:
        found.append(
            f"the run was trained on {plural(overlap, 'patient')} of this cohort: each is scored by the models of its "
            "test fold alone, which never saw it, and takes no part in the external metrics"
        )
    if endpoint_words:
        found.append(endpoint_words)
    return tuple(found)


def _record(
    run: Run,
    cohort: Cohort,
    trained: Trained,
    inputs: RunInputs,
    scored: Scored,
    agreement: tuple[tuple[Agreement, ...], str],
    warnings: tuple[str, ...],
    seconds: float,
) -> PredictionSet:
    estimates, shown = scored.estimates, scored.supported
    table = pd.DataFrame(
        {
            "id": list(cohort.ids),
            "supported": shown,
            "reason": list(scored.reasons),
            "overlap": scored.seen != NEVER_SEEN,
            "members": estimates.members,
            "risk": np.where(shown, estimates.risk, np.nan),
            "distance": scored.distance,
        }
    )[list(COLUMNS)]
    curves = (np.where(shown[:, None], c, np.nan) for c in (estimates.survival, estimates.low, estimates.high))
    survival, low, high = curves
    digest = hashlib.sha256(f"{VERSION}|{run.id}|{cohort.content_hash}".encode()).hexdigest()[:8]
    return PredictionSet(
        id=f"{cohort.name[:40]}-by-{run.id.rpartition('-')[2][:10]}-{digest}",
        run=run.id,
        model=run.model,
        cohort=cohort.name,
        cohort_hash=cohort.content_hash,
        endpoint=inputs.endpoint.name,
        synthetic=cohort.synthetic,
        kind=kind_of_evaluation(inputs.cancers, cohort),
        horizons=run.horizons,
        tau=estimates.tau if np.isfinite(estimates.tau) else None,
        members=run.n_folds * len(run.seeds),
        spread=(LOW, HIGH),
        table=table,
        times=trained.predictions.times,
        survival=survival,
        low=low,
        high=high,
        masked={m.value: reason for m, reason in scored.aligned.masked.items()},
        notes=tuple((n.words, n.count) for n in scored.aligned.notes),
        agreement=agreement[0],
        no_agreement=agreement[1],
        warnings=warnings,
        code_version=code_version(),
        created_at=now(),
        seconds=seconds,
    )
