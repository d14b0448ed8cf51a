"""Train and cross-validate one model on one cohort, with the rows it has to be read against."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.arrays import FloatArray
from core.cohort.cohort import Cohort
from core.cohort.folds import Folds
from core.cohort.modality import ENCODED_MODALITIES, Modality
from core.cohort.same_person import check_same_person
from core.cohort.splits import check_leakage, resolve_folds
from core.cohort.storage import load_cohort, load_original_ids
from core.errors import PrognoscopeError
from core.features.encoded import EncodedCohort, load_features
from core.features.inputs import Dataset, build_dataset
from core.results.evaluation import Repeats, evaluate
from core.results.own_support import write_own_support
from core.results.run import Reference, Run
from core.results.run_store import load_run, save_run
from core.results.training_curve import FILE as CURVES
from core.results.training_curve import read_curves, write_curves
from core.results.workspace import Workspace
from core.tasks.model_encoders import encode_for_model
from core.tasks.own_support import own_support
from core.tasks.provenance import code_version, machine, now
from core.tasks.scratch import Scratch, scratch_in
from core.tasks.start_from import Start, check_start, find_start, started_dataset
from core.training.cross_validation import CrossValidation, Plan, cross_validate
from core.training.estimators import EstimatorSpec, make_estimator, training_from
from core.training.neural import NeuralEstimator
from core.training.ranks import shared_by_ranks, torchrun_ranks
from core.training.scoring_files import write_scoring_files

HORIZONS = (12.0, 24.0, 36.0, 60.0)
QUICK = Repeats(harrell=1000, other=50, calibration=10)

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class TrainRequest:
    """What the user asked for.

    ``settings`` of the model, and of the training as ``training.<name>`` · ``seeds`` how many · ``references`` also
    run the simpler models on the same folds · ``processes`` folds at a time · ``watch`` keep the curves of every epoch
    with the run, to be looked at: they choose nothing and change no number · ``start_from`` a run of the same model
    whose fold k, seed s starts fold k, seed s here (:mod:`core.tasks.start_from`) · ``redact_markers`` encode the
    reports with every mention of a marker blanked first, so that the audit can hold the markers out.
    """

    cohort: str
    model: str = "hdmoe"
    modalities: tuple[Modality, ...] = ()
    endpoint: str | None = None
    folds: str = "5"
    seeds: int = 3
    protocol: str = "honest"
    device: str = "cpu"
    settings: Mapping[str, Any] = field(default_factory=dict)
    horizons: tuple[float, ...] = HORIZONS
    references: bool = True
    processes: int = 2
    command: str = ""
    watch: bool = False
    start_from: str = ""
    redact_markers: bool = False


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that is fixed before the first fit."""

    cohort: Cohort
    dataset: Dataset
    folds: Folds
    spec: EstimatorSpec
    endpoint: str
    horizons: tuple[float, ...]
    times: FloatArray
    features: EncodedCohort | None = None
    start: Start | None = None


def silent(share: float, message: str) -> None:
    """A progress callback that says nothing."""


def prepare(request: TrainRequest, workspace: Workspace) -> Prepared:
    """Load the cohort, gather the inputs, resolve the folds; every refusal comes from here, before any work."""
    _check_device(request.device)
    cohort = load_cohort(request.cohort, workspace)
    endpoint = cohort.endpoint(request.endpoint)
    features = load_features(request.cohort, workspace)
    start, dataset = _inputs(request, cohort, features, workspace)
    originals = load_original_ids(request.cohort, workspace)
    folds = resolve_folds(cohort, request.folds, endpoint=endpoint.name, original_ids=originals)
    check_leakage(folds, cohort, endpoint.name)
    check_same_person(folds, cohort, originals)
    if start is not None:
        check_start(start, dataset, folds, workspace)
    settings, training = training_from(request.settings, request.model)
    if start is not None:
        settings = {**start.run.config["model"], **settings}
    if request.protocol not in ("honest", "upstream"):
        raise PrognoscopeError(f"unknown protocol {request.protocol!r}", "--protocol", "use honest or upstream")
    training = replace(training, protocol="upstream" if request.protocol == "upstream" else "honest")
    spec = EstimatorSpec(request.model, settings, training, request.device)
    make_estimator(spec)
    horizons = tuple(h for h in request.horizons if h < float(dataset.outcome.time.max()))
    times = prediction_times(dataset, horizons)
    return Prepared(cohort, dataset, folds, spec, endpoint.name, horizons, times, features, start)


def _inputs(
    request: TrainRequest, cohort: Cohort, features: EncodedCohort, workspace: Workspace
) -> tuple[Start | None, Dataset]:
    """The inputs as the cohort has them, or in the form of the run to start from."""
    endpoint = cohort.endpoint(request.endpoint)
    if not request.start_from:
        modalities = request.modalities or _usable(cohort, features)
        return None, build_dataset(cohort, endpoint, modalities, features)
    if request.protocol != "honest":
        raise PrognoscopeError("--start-from with another protocol", "--protocol", "use the honest one")
    start = find_start(request.start_from, request.model, request.seeds, workspace)
    dataset, notes = started_dataset(cohort, endpoint, features, start)
    asked = set(request.modalities)
    if asked and asked != set(dataset.inputs.modalities):
        raise PrognoscopeError(
            f"other modalities than the run's ({', '.join(dataset.inputs.modalities)})",
            "--modalities",
            "leave them out",
        )
    return start, replace(dataset, warnings=(*dataset.warnings, *notes))


def _usable(cohort: Cohort, features: EncodedCohort) -> tuple[Modality, ...]:
    """What a run takes when nobody says: genomics, clinical inputs and whatever is encoded already."""
    usable = tuple(m for m in cohort.modalities if m not in ENCODED_MODALITIES or m in features.modalities)
    return usable or cohort.modalities


def _check_device(device: str) -> None:
    """Refuse a device this machine lacks before anything is read or trained."""
    if device != "cpu" and not device.startswith("cuda"):
        raise PrognoscopeError(f"unknown device {device!r}", "--device", "use cpu or cuda")
    if device != "cpu" and not torch.cuda.is_available():
        raise PrognoscopeError("no GPU that torch can use", "this machine", "use --device cpu")


def prediction_times(dataset: Dataset, horizons: tuple[float, ...]) -> FloatArray:
    """About sixty months between 0 and the end of follow-up, the horizons among them."""
    end = float(dataset.outcome.time.max())
    step = max(1.0, np.ceil(end / 60))
    return np.unique(np.concatenate([np.arange(step, end, step), horizons]))


def run_plan(
    prepared: Prepared,
    seeds: int,
    sink: Path | None,
    processes: int,
    progress: Progress,
    units: Path | None = None,
    curves: Path | None = None,
) -> CrossValidation:
    """Cross-validate the prepared model with its permutation audit; ``units`` and ``curves`` as in :class:`Plan`."""
    estimator = make_estimator(prepared.spec)
    upstream = prepared.spec.training.protocol == "upstream"
    plan = Plan(
        prepared.dataset,
        prepared.folds,
        estimator,
        tuple(range(seeds)),
        prepared.horizons,
        prepared.times,
        sink,
        permutations=len(prepared.dataset.inputs.modalities) > 1,
        upstream=estimator if upstream and isinstance(estimator, NeuralEstimator) else None,
        units=units,
        curves=curves,
        starts=None if prepared.start is None else prepared.start.folder,
    )
    return cross_validate(plan, processes, progress)


def train(request: TrainRequest, workspace: Workspace, progress: Progress = silent, scratch: Path | None = None) -> Run:
    """Train, evaluate, run the references, store the run.

    ``scratch`` is a folder that keeps every finished fit: the same request with the same folder, after whatever
    stopped it, goes on from there and ends in the same numbers. Without it nothing is kept.
    """
    started = time.perf_counter()
    again = encode_for_model(request.cohort, request.model, request.modalities, request.redact_markers, workspace)
    if again:
        progress(0.0, f"encoded for this model: {', '.join(again)}")
    prepared = prepare(request, workspace)
    with scratch_in(scratch) as kept:
        resumed = kept.has_units(prepared)
        run_id = kept.run_id(prepared, lambda: _run_id(request, prepared))
        if workspace.run(run_id).exists():  # stored just before the earlier attempt was stopped
            return load_run(run_id, workspace)
        units = kept.units(prepared)
        sink = units / "checkpoints"
        weight = 0.6 if request.references else 0.9
        ranks = torchrun_ranks()
        with shared_by_ranks(ranks, request.device):
            result = run_plan(
                prepared,
                request.seeds,
                sink,
                request.processes if ranks.world == 1 else 1,
                lambda s, m: progress(weight * s, f"training, {m}"),
                units,
                kept.curves if request.watch else None,
            )
        progress(weight, "evaluating")
        metrics = evaluate(result.predictions, prepared.horizons)
        references, missed = _permuted_rows(result, prepared), list[str]()
        if request.references:
            rows, missed = _reference_rows(request, prepared, lambda s, m: progress(0.65 + 0.35 * s, m), kept)
            references += rows
        run = Run(
            id=run_id,
            cohort=request.cohort,
            cohort_hash=prepared.cohort.content_hash,
            synthetic=prepared.cohort.synthetic,
            model=request.model,
            config={
                "model": dict(prepared.spec.settings),
                "training": asdict(prepared.spec.training),
                "encoders": {m: dict(how) for m, how in prepared.dataset.encoders.items()},
                **({"start_from": prepared.start.run.id} if prepared.start is not None else {}),
            },
            modalities=tuple(m.value for m in prepared.dataset.inputs.modalities),
            endpoint=prepared.endpoint,
            protocol=request.protocol,
            folds=prepared.folds.name,
            n_folds=prepared.folds.k,
            seeds=tuple(range(request.seeds)),
            horizons=prepared.horizons,
            patients=int((prepared.folds.test_fold[prepared.dataset.rows] >= 0).sum()),
            events=int(result.predictions.ensemble().table["event"].eq(1).sum()),
            excluded=tuple((e.reason, e.count) for e in prepared.dataset.excluded),
            code_version=code_version(),
            created_at=now(),
            seconds=time.perf_counter() - started,
            machine=machine(),
            command=request.command,
            metrics=metrics,
            thresholds=result.thresholds,
            references=tuple(references),
            warnings=(*prepared.dataset.warnings, *missed, *_warnings(request, resumed)),
        )
        save_run(run, result.predictions, workspace, lambda folder: _add_files(prepared, sink, kept.curves, folder))
    progress(1.0, "stored")
    return run


def _add_files(prepared: Prepared, sink: Path, curves: Path, folder: Path) -> None:
    """Checkpoints, what new patients need to be scored with them, and the curves when the training was watched."""
    shutil.copytree(sink, folder / "checkpoints")
    endpoint = prepared.cohort.endpoint(prepared.endpoint)
    checkpoints = folder / "checkpoints"
    write_scoring_files(prepared.cohort, endpoint, prepared.dataset, prepared.folds, checkpoints)
    estimator = make_estimator(prepared.spec)
    write_own_support(own_support(prepared.dataset, prepared.folds, checkpoints, estimator), folder)
    points = read_curves(curves)
    if points:
        write_curves(folder / CURVES, points)


def _warnings(request: TrainRequest, resumed: bool) -> tuple[str, ...]:
    found = []
    if request.protocol == "upstream":
        found.append("upstream protocol: the epoch was chosen on the test fold; these numbers are optimistic")
    if request.redact_markers:
        found.append("every mention of a marker was removed from the reports before they were encoded")
    if resumed:
        found.append("interrupted and taken up again: the seconds are those of the last attempt")
    return tuple(found)


def assist(request: TrainRequest, workspace: Workspace) -> None:
    """What the other ranks of a training do that ``torchrun`` shares out: every fit with its share of the patients,
    storing nothing. The first rank does the rest (:func:`train`)."""
    prepared = prepare(request, workspace)
    with shared_by_ranks(torchrun_ranks(), request.device):
        run_plan(prepared, request.seeds, None, 1, silent)


def _run_id(request: TrainRequest, prepared: Prepared) -> str:
    """Model, cohort and a hash of everything that defines the run, the moment included."""
    defining = [request.model, prepared.cohort.content_hash, asdict(prepared.spec), request.folds, request.seeds, now()]
    digest = hashlib.sha256(json.dumps(defining, default=str, sort_keys=True).encode()).hexdigest()[:8]
    return f"{request.model}-{request.cohort}"[:54] + f"-{digest}"


def _permuted_rows(result: CrossValidation, prepared: Prepared) -> list[Reference]:
    return [
        Reference(f"this run, {name} permuted", evaluate(predictions, prepared.horizons, QUICK))
        for name, predictions in result.permuted.items()
    ]


def reference_specs(request: TrainRequest, prepared: Prepared) -> list[tuple[str, EstimatorSpec, tuple[Modality, ...]]]:
    """The rows that shame a run: name, estimator, modalities. Each modality alone runs with the run's own model."""
    used = prepared.dataset.inputs.modalities
    rows = [("Kaplan-Meier null", EstimatorSpec("kaplan-meier"), used)]
    if Modality.CLINICAL in prepared.cohort.modalities:
        rows.append(("Cox, clinical inputs", EstimatorSpec("cox-clinical"), (Modality.CLINICAL,)))
    averaged = " (bags averaged)" if set(used) & set(ENCODED_MODALITIES) else ""
    rows.append((f"penalised Cox, same inputs{averaged}", EstimatorSpec("cox-penalised"), used))
    if len(used) > 1:
        rows += [(f"{m.value} alone, 1 seed", prepared.spec, (m,)) for m in used]
    rows = [row for row in rows if row[1].name != request.model or row[2] != used]
    if request.protocol == "upstream":  # the optimistic number never stands without the honest one
        honest = replace(prepared.spec, training=replace(prepared.spec.training, protocol="honest"))
        rows.insert(0, ("the same model, honest protocol, 1 seed", honest, used))
    return rows


def _reference_rows(
    request: TrainRequest, prepared: Prepared, progress: Progress, kept: Scratch
) -> tuple[list[Reference], list[str]]:
    """The same outer folds for every row. A patient without a row's modality takes no part in that row.

    A row that too few patients leave impossible (a modality that few have) is named in the warnings, with the reason.
    """
    rows = reference_specs(request, prepared)
    references, missed = [], []
    endpoint = prepared.cohort.endpoint(prepared.endpoint)
    for i, (name, spec, modalities) in enumerate(rows):
        progress(i / len(rows), f"reference: {name}")
        processes = request.processes if spec.name == request.model else 1
        try:
            dataset = build_dataset(prepared.cohort, endpoint, modalities, prepared.features)
            other = replace(prepared, dataset=dataset, spec=spec, start=None)
            result = run_plan(other, 1, None, processes, silent, kept.units(other))
        except PrognoscopeError as error:
            missed.append(f"no reference row {name!r}: {error.found}")
            continue
        references.append(Reference(name, evaluate(result.predictions, prepared.horizons, QUICK)))
    return references, missed
