"""Read the routing of a run: every patient through the models that never saw them, experts matched between models."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from core.arrays import BoolArray, Float32Array, FloatArray, IntArray
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.remembered_bags import RememberedBags, remember_bags
from core.explain.run_models import RunModels
from core.explain.survival_at import survival_at
from core.features.batch import Batch, Tensors
from core.models.hdmoe.model import level1
from core.models.mice.model import GROUPS
from core.results.explained import default_month
from core.results.routing_record import LevelRecord, ModalityOff, RoutingRecord, save_routing
from core.results.workspace import Workspace
from core.routing.probe import Traced, experts_of, inertness, logits_without, trace_model
from core.statistics.matching import match_experts
from core.statistics.self_correlation import SelfCorrelation, self_correlation
from core.tasks.patient_maps import maps_of
from core.tasks.provenance import code_version
from core.tasks.run_models import open_run
from core.tasks.train import Progress, silent
from core.training.neural import FittedNeural


@dataclass(frozen=True)
class RoutingRequest:
    """The run to read, and the month whose survival the switches change (None: the run's horizon nearest 36)."""

    run: str
    month: float | None = None


@dataclass(eq=False)
class _Level:
    """One level while it is filled: ``gates`` (f, s, n, k, e) of every model, the rest out of fold."""

    experts: int
    tokens: int
    shared: bool
    gates: Float32Array
    load: Float32Array
    norm: Float32Array
    survival: Float32Array
    risk: Float32Array
    before: list[SelfCorrelation] = field(default_factory=list)
    after: list[SelfCorrelation] = field(default_factory=list)


@dataclass(eq=False)
class _Reading:
    """Everything that is filled model by model. ``f`` folds, ``s`` seeds, ``n`` patients."""

    models: RunModels
    month: float
    levels: dict[str, _Level] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    off: dict[Modality, tuple[Float32Array, Float32Array, dict[str, Float32Array]]] = field(default_factory=dict)
    representation: dict[tuple[int, int], FloatArray] = field(default_factory=dict)
    estimate: list[FloatArray] = field(default_factory=list)
    inert: tuple[float, float] = (0.0, 0.0)


def read_routing(request: RoutingRequest, workspace: Workspace, progress: Progress = silent) -> RoutingRecord:
    """Read a run's routing and keep the record.

    Raises
    ------
    PrognoscopeError
        When the run's model has no router, or its cohort has changed since.
    """
    started = time.monotonic()
    progress(0.0, "reading the run")
    models = open_run(request.run, workspace)
    run = models.run
    month = default_month(run.horizons) if request.month is None else float(request.month)
    reading = _Reading(models, month)
    reading.estimate = [np.full(len(models.inputs), np.nan) for _ in run.seeds]
    total = run.n_folds * len(run.seeds)
    for fold in range(run.n_folds):
        for place, seed in enumerate(run.seeds):
            progress(0.02 + 0.85 * (fold * len(run.seeds) + place) / total, f"fold {fold + 1}, seed {place + 1}")
            _read_model(reading, fold, place, models.model(fold, seed))
    progress(0.9, "matching experts and drawing maps")
    record = _record(reading, time.monotonic() - started)
    save_routing(record, workspace)
    progress(1.0, "stored")
    return record


def _read_model(reading: _Reading, fold: int, place: int, fitted: FittedNeural) -> None:
    models = reading.models
    network = fitted.network.eval()
    if not network.capabilities().routers:
        raise PrognoscopeError(
            "a model without experts", f"run {models.run.id}", "read the routing of a run of hdmoe, biofact or mice"
        )
    n = len(models.inputs)
    tensors = fitted.preparation.tensors(models.inputs)
    memory = remember_bags(network, tensors, n)
    batches = _batches(memory, tensors)
    if not reading.levels:
        reading.inert = inertness(memory.network, batches, np.arange(n))
    traced = trace_model(memory.network, batches, np.arange(n))
    if not reading.levels:
        _make_room(reading, traced, n)
        reading.names = network.expert_names()
    reading.representation[fold, place] = traced.representation
    tested = np.flatnonzero(models.fold == fold)
    _keep_traces(reading, fold, place, traced, tested)
    _switch_off(reading, place, fitted, memory, batches, traced, tested)


def _batches(memory: RememberedBags, tensors: Tensors) -> Callable[[IntArray], Batch]:
    """Batches whose bags are remembered."""

    def batch(rows: IntArray) -> Batch:
        index = torch.from_numpy(np.asarray(rows))
        return Batch(
            {m: p[index] for m, p in tensors.present.items()},
            None if tensors.genes is None else tensors.genes[index],
            None if tensors.clinical is None else tensors.clinical[index],
            {m: b[index] for m, b in memory.bags.items()},
            {m: b[index] for m, b in memory.masks.items()},
            None if tensors.groups is None else tensors.groups[index],
        )

    return batch


def _make_room(reading: _Reading, traced: Traced, n: int) -> None:
    folds, seeds = reading.models.run.n_folds, len(reading.models.run.seeds)

    def empty(*shape: int) -> Float32Array:
        return np.full(shape, np.nan, dtype=np.float32)

    for name, level in traced.levels.items():
        experts, shared = experts_of(level)
        tokens, wide = level.gate_mass.shape[1], experts + int(shared)
        reading.levels[name] = _Level(
            experts, tokens, shared, empty(folds, seeds, n, tokens, experts), empty(seeds, n, experts),
            empty(seeds, n, wide), empty(seeds, n, wide), empty(seeds, n, wide),
        )  # fmt: skip
    modalities = reading.models.inputs.modalities
    if len(modalities) > 1:
        for modality in modalities:
            moved = {name: empty(seeds, n) for name in traced.levels}
            reading.off[modality] = (empty(seeds, n), empty(seeds, n), moved)


def _keep_traces(reading: _Reading, fold: int, place: int, traced: Traced, tested: IntArray) -> None:
    for name, level in traced.levels.items():
        room = reading.levels[name]
        room.gates[fold, place] = level.gate_mass
        assigned = level.assigned[tested].mean(axis=1)
        room.load[place, tested] = assigned / np.maximum(assigned.sum(axis=1, keepdims=True), 1e-12)
        room.norm[place, tested] = level.output_norm[tested][:, : room.norm.shape[2]]
        rows = tested[_present(reading, name)[tested]]
        if room.tokens > 1 and room.shared and len(rows):
            room.before.append(self_correlation(level.tokens_in[rows].astype(np.float64)))
            room.after.append(self_correlation(level.shared_out[rows].astype(np.float64)))


def _switch_off(
    reading: _Reading, place: int, fitted: FittedNeural, memory: RememberedBags,
    batches: Callable[[IntArray], Batch], traced: Traced, tested: IntArray,
) -> None:  # fmt: skip
    """Every expert and every modality off, one at a time, for the fold's test patients."""
    survival, risk = _answers(fitted, traced.logits[torch.from_numpy(tested)], reading.month)
    reading.estimate[place][tested] = survival
    for name, room in reading.levels.items():
        rows = tested[_present(reading, name)[tested]]
        if not len(rows):
            continue
        inside = np.searchsorted(tested, rows)
        for expert in range(room.survival.shape[2]):
            logits, _ = logits_without(memory.network, batches, rows, {name: (expert,)})
            without = _answers(fitted, logits, reading.month)
            room.survival[place, rows, expert] = without[0] - survival[inside]
            room.risk[place, rows, expert] = without[1] - risk[inside]
    inputs = reading.models.inputs
    count = np.sum([inputs.present[m] for m in inputs.modalities], axis=0)
    for modality, (survivals, risks, moved) in reading.off.items():
        rows = tested[np.asarray(inputs.present[modality][tested] & (count[tested] > 1))]
        if not len(rows):
            continue
        inside = np.searchsorted(tested, rows)
        logits, gates = logits_without(memory.network, batches, rows, {}, modality)
        without = _answers(fitted, logits, reading.month)
        survivals[place, rows] = without[0] - survival[inside]
        risks[place, rows] = without[1] - risk[inside]
        for name, gate in gates.items():
            apart = np.abs(gate - traced.levels[name].gate_mass[rows].mean(axis=1)).sum(axis=1) / 2
            moved[name][place, rows] = apart


def _answers(fitted: FittedNeural, logits: torch.Tensor, month: float) -> tuple[FloatArray, FloatArray]:
    """S(month) in percent, and the risk."""
    survival = 100 * survival_at(fitted, logits.double(), month).detach().numpy()
    return survival, np.asarray(fitted.estimates(logits, np.array([month])).risk)


def _present(reading: _Reading, level: str) -> BoolArray:
    """Patients that have what the level routes; all but for a level of one modality."""
    inputs = reading.models.inputs
    for modality in inputs.modalities:
        if level == level1(modality):
            return np.asarray(inputs.present[modality])
    return np.ones(len(inputs), dtype=bool)


def _record(reading: _Reading, seconds: float) -> RoutingRecord:
    models, run = reading.models, reading.models.run
    reference = (0, _reference(reading.levels, reading.names))
    levels = {
        name: _level_record(reading, name, room, _matched(room, name in reading.names, reference[1]))
        for name, room in reading.levels.items()
    }
    maps, places, aligned = maps_of(reading.representation, reference, models.fold, levels)
    notes = (
        (f"{GROUPS}: these have no gate; their mass is each answer's share of the answers' norms.",)
        if GROUPS in levels
        else ()
    )
    off = {
        m.value: ModalityOff(survival, risk, moved)
        for m, (survival, risk, moved) in reading.off.items()
        if np.isfinite(survival).any()
    }
    return RoutingRecord(
        run=run.id, cohort=run.cohort, model=run.model, month=reading.month, ids=models.inputs.ids, fold=models.fold,
        seeds=run.seeds, synthetic=run.synthetic,
        estimate=np.stack(reading.estimate).astype(np.float32), levels=levels, modalities=off, maps=maps,
        places=places, space="what the estimate is read from", aligned=aligned,
        reference=(reference[0], run.seeds[reference[1]]),
        code_version=code_version(), seconds=seconds, notes=notes,
        extra={"difference": reading.inert[0], "overhead": reading.inert[1]},
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Match:
    """``order`` (f, s, e) each model's own number of every expert · ``within``, ``between`` (s,) as in LevelRecord."""

    order: IntArray
    within: FloatArray
    between: FloatArray


def _matched(room: _Level, named: bool, reference: int) -> _Match:
    """The folds of each seed matched to the first fold's model, then the seeds to the ``reference``-th seed."""
    folds, seeds = room.gates.shape[:2]
    order = np.tile(np.arange(room.experts), (folds, seeds, 1))
    within, between = np.ones(seeds), np.ones(seeds)
    if named:
        return _Match(order, within, between)
    flat = {(f, s): room.gates[f, s].reshape(-1, room.experts) for f in range(folds) for s in range(seeds)}
    for s in range(seeds):
        found = match_experts(flat[0, reference], flat[0, s])
        between[s] = found.agreement
        order[0, s] = found.order
        values = []
        for f in range(1, folds):
            inside = match_experts(flat[0, s][:, found.order], flat[f, s])
            order[f, s] = inside.order
            values.append(inside.agreement)
        within[s] = float(np.mean(values)) if values else 1.0
    return _Match(order, within, between)


def _reference(levels: Mapping[str, _Level], names: Mapping[str, tuple[str, ...]]) -> int:
    """The seed that the others agree with best over all levels."""
    seeds = next(iter(levels.values())).gates.shape[1]
    unnamed = [room for name, room in levels.items() if name not in names]
    return max(range(seeds), key=lambda s: sum(_matched(room, False, s).between.sum() for room in unnamed))


def _level_record(reading: _Reading, name: str, room: _Level, match: _Match) -> LevelRecord:
    n, order = room.gates.shape[2], match.order
    everyone = np.take_along_axis(room.gates.mean(axis=3), order[:, :, None, :], axis=3)
    fold, patients = reading.models.fold, np.arange(n)
    own = np.moveaxis(order[fold], 1, 0)  # (s, n, e) the order of the model that tested each patient

    def placed(values: Float32Array) -> Float32Array:
        moved = np.take_along_axis(values[..., : room.experts], own, axis=2)
        return np.concatenate([moved, values[..., room.experts :]], axis=2)

    present = _present(reading, name)
    mass = np.moveaxis(everyone[fold, :, patients], 1, 0).astype(np.float32)
    mass[:, ~present] = np.nan
    load = placed(room.load)
    load[:, ~present] = np.nan
    named = reading.names.get(name)
    experts = named or tuple(f"expert {i + 1}" for i in range(room.experts))
    return LevelRecord(
        name=name, experts=tuple(experts), named=named is not None, tokens=room.tokens, shared=room.shared,
        present=present, mass=mass, load=load, norm=placed(room.norm), survival=placed(room.survival),
        risk=placed(room.risk), everyone=everyone.astype(np.float32), order=order, within=match.within,
        between=match.between, before=_mean(room.before), after=_mean(room.after),
    )  # fmt: skip


def _mean(found: list[SelfCorrelation]) -> SelfCorrelation | None:
    """Mean over models; a token has no identity beyond its place, which is the same in every model."""
    if not found:
        return None
    mean, absolute = (np.nanmean([getattr(x, k) for x in found], axis=0) for k in ("mean", "absolute"))
    return SelfCorrelation(mean, absolute, float(np.mean([x.undefined for x in found])))
