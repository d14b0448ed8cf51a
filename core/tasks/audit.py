"""The factorisation audit of a stored run: selectivity, leaks, the gate, stability, controls, treatment."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.arrays import FloatArray
from core.cohort.cohort import Cohort
from core.cohort.folds import Folds
from core.cohort.marker_blocks import LIVER, Markers, dominance, markers_of
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.features.inputs import build_dataset
from core.results.audit import AuditReport, ControlResult, Difference, Treatment, save_audit
from core.results.prediction import Predictions
from core.results.run import Run
from core.results.run_store import load_predictions, load_run
from core.results.workspace import Workspace
from core.routing.factor_models import FactorModel, factor_models
from core.statistics.comparison import CorrectedT, holm, nadeau_bengio
from core.statistics.selectivity import FEWEST
from core.tasks.audit_leaks import is_redacted, leaked_markers
from core.tasks.audit_numbers import block_scores, fold_selectivity, gate_association, mean_gate, stability
from core.tasks.audit_treatment import treatment_terms
from core.tasks.model_encoders import encode_as_run
from core.tasks.provenance import code_version, now
from core.tasks.train import Progress, silent
from core.training.config import training_config
from core.training.cross_validation import Plan, cross_validate
from core.training.estimators import EstimatorSpec, make_estimator

CONTROLS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "no_supervision": ("without biological supervision", {"supervision": "none"}),
    "shuffled_parts": ("sentence parts shuffled", {"supervision": "shuffled"}),
    "random_router": ("random router", {"router": "random"}),
}
"""Control → words, and the settings in which it differs from the run. Everything else is the run's own."""


@dataclass(frozen=True)
class AuditRequest:
    """Which run; ``controls`` trains the three controls as well; ``treatment`` names the column of the arm, whose
    effect is counted from ``landmark`` months on; ``processes`` folds at a time."""

    run: str
    controls: bool = False
    permutations: int = 999
    treatment: str = ""
    landmark: float = 0.0
    processes: int = 2


@dataclass(frozen=True, eq=False)
class _Audited:
    """What every part of the audit reads."""

    run: Run
    cohort: Cohort
    plan: Plan
    markers: Markers
    held_out: Mapping[str, FloatArray]
    dominance: FloatArray | None
    permutations: int


def audit(request: AuditRequest, workspace: Workspace, progress: Progress = silent) -> AuditReport:
    """Audit a run and keep the report.

    Raises
    ------
    PrognoscopeError
        When the run's model names no experts, its cohort has changed since, or no marker can be tested.
    """
    run = load_run(request.run, workspace)
    cohort = load_cohort(run.cohort, workspace)
    if cohort.content_hash != run.cohort_hash:
        raise PrognoscopeError("a cohort that has changed since", f"run {run.id}", "train again and audit that run")
    encode_as_run(run, workspace)
    predictions = load_predictions(run.id, workspace)
    plan = _plan(run, cohort, predictions, workspace)
    markers = markers_of(cohort, FEWEST)
    leaked = leaked_markers(run, markers, plan.dataset.inputs.ids, workspace)
    # markers row for row with the dataset, as the models' rows are
    values = {m: v[plan.dataset.rows] for m, v in markers.values.items()}
    held_out = {m: v for m, v in values.items() if m not in leaked}
    audited = _Audited(run, cohort, plan, markers, held_out, dominance(values, markers.blocks), request.permutations)
    progress(0.02, "embedding patients")
    models = tuple(factor_models(plan, workspace.run(run.id) / "checkpoints"))
    share = 0.2 if request.controls else 0.9
    progress(0.05, "permuting patients")
    selected, rows = block_scores(models, held_out, markers.blocks, request.permutations)
    gate = None
    if audited.dominance is not None:
        gate = gate_association(models, audited.dominance, request.permutations)
    progress(share, "controls" if request.controls else "stability")
    kept = control_folder(run.id, workspace)
    controls = _controls(audited, models, kept, request.processes, progress) if request.controls else ()
    report = AuditReport(
        run=run.id,
        cohort=run.cohort,
        synthetic=run.synthetic,
        factors=models[0].names,
        selectivity=selected,
        markers=rows,
        leaked=leaked,
        skipped=dict(markers.skipped),
        redacted=is_redacted(run),
        gate=gate,
        stability=stability(models),
        controls=controls,
        treatment=_treatment(request, audited, models, predictions) if request.treatment else None,
        permutations=request.permutations,
        seeds=len(run.seeds),
        folds=run.n_folds,
        created_at=now(),
        code_version=code_version(),
        notes=_notes(run, held_out),
    )
    save_audit(report, workspace)
    shutil.rmtree(kept, ignore_errors=True)
    progress(1.0, "stored")
    return report


def control_folder(run: str, workspace: Workspace) -> Path:
    """Where the finished fits of a run's controls are kept until the audit is stored: an audit that was stopped goes
    on from there. A run never changes, so its name says what they are."""
    return workspace.cells / "audit-controls" / run


def _plan(run: Run, cohort: Cohort, predictions: Predictions, workspace: Workspace) -> Plan:
    """The run's own cross-validation: its inputs, its settings, and the folds its predictions tell."""
    endpoint = cohort.endpoint(run.endpoint)
    modalities = tuple(Modality(m) for m in run.modalities)
    dataset = build_dataset(cohort, endpoint, modalities, load_features(cohort.name, workspace))
    tested = predictions.table.drop_duplicates("id").set_index("id")["fold"]
    fold = np.array([tested.get(i, -1) for i in cohort.ids], dtype=np.int64)
    spec = EstimatorSpec(run.model, run.config["model"], training_config(run.config["training"]))
    return Plan(
        dataset,
        Folds(run.folds, fold),
        make_estimator(spec),
        run.seeds,
        run.horizons,
        np.array(run.horizons, dtype=float),
    )


def _controls(
    audited: _Audited, models: tuple[FactorModel, ...], kept: Path, processes: int, progress: Progress
) -> tuple[ControlResult, ...]:
    """Train each control on the same folds and seeds, and compare it with the run model by model."""
    own = fold_selectivity(models, audited.held_out, audited.markers.blocks)
    tests: dict[tuple[str, str], CorrectedT] = {}
    results = []
    for i, (name, (title, settings)) in enumerate(CONTROLS.items()):
        start = 0.2 + 0.75 * i / len(CONTROLS)

        def inner(share: float, message: str, at: float = start, words: str = title) -> None:
            progress(at + 0.75 / len(CONTROLS) * share, f"{words}: {message}")

        control = _trained(audited, settings, kept / name, processes, inner)
        selected, _ = block_scores(control, audited.held_out, audited.markers.blocks, audited.permutations)
        single = fold_selectivity(control, audited.held_out, audited.markers.blocks)
        for block, values in own.items():
            tests[name, block] = _compared(values - single[block], audited.plan)
        gate = None
        if audited.dominance is not None:
            gate = gate_association(control, audited.dominance, audited.permutations)
        results.append(ControlResult(name, title, selected, gate, {}))
    corrected = dict(zip(tests, holm([t.p for t in tests.values()]), strict=True))
    return tuple(
        replace(
            result,
            differences={
                block: Difference(t.mean, t.low, t.high, t.p, float(corrected[name, block]))
                for (name, block), t in tests.items()
                if name == result.name
            },
        )
        for result in results
    )


def _trained(
    audited: _Audited, settings: Mapping[str, str], folder: Path, processes: int, progress: Progress
) -> tuple[FactorModel, ...]:
    run = audited.run
    spec = EstimatorSpec(run.model, {**run.config["model"], **settings}, training_config(run.config["training"]))
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    plan = replace(audited.plan, estimator=make_estimator(spec), sink=checkpoints, units=folder)
    cross_validate(plan, processes, progress)
    return tuple(factor_models(plan, checkpoints))


def _compared(differences: FloatArray, plan: Plan) -> CorrectedT:
    tested = [len(plan.split(fold)[1]) for fold in range(plan.folds.k)]
    trained = [len(plan.split(fold)[0]) for fold in range(plan.folds.k)]
    return nadeau_bengio(differences, float(np.mean(trained)), float(np.mean(tested)))


def _treatment(
    request: AuditRequest, audited: _Audited, models: tuple[FactorModel, ...], predictions: Predictions
) -> Treatment:
    """Terms over the cohort's patients; what a patient took no part in is missing."""
    n, rows = len(audited.cohort), audited.plan.dataset.rows
    risk, gate, liver = (np.full(n, np.nan) for _ in range(3))
    ensemble = predictions.ensemble().table.set_index("id")["risk"]
    risk[:] = [ensemble.get(i, np.nan) for i in audited.cohort.ids]
    gate[rows] = mean_gate(models, len(rows))
    own = {m: v for m, v in audited.markers.values.items() if audited.markers.blocks[m] == LIVER}
    if own:
        preferred = next((m for m in ("albi", "bilirubin") if m in own), next(iter(own)))
        liver = own[preferred]
    endpoint = audited.cohort.endpoint(audited.run.endpoint)
    return treatment_terms(audited.cohort, endpoint, request.treatment, risk, gate, liver, request.landmark)


def _notes(run: Run, held_out: Mapping[str, FloatArray]) -> tuple[str, ...]:
    notes = []
    if not held_out:
        notes.append("No marker of this cohort is held out from the run's inputs: nothing can be said of its experts.")
    if len(run.seeds) < 3:
        notes.append(f"{len(run.seeds)} seeds: stability and controls want at least 3.")
    if Modality.REPORTS.value not in run.modalities:
        notes.append("The run saw no reports: its experts were never taught what they are called.")
    return tuple(notes)
