"""What each sentence of a patient's reports is worth to the estimate: left out, weighed, and followed to its expert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.arrays import Float32Array, FloatArray
from core.cohort.modality import Modality
from core.explain.handed import bag_encoder, handed, repeated, shortened
from core.explain.patch_evidence import PERCENT, PatchEvidence, patch_evidence
from core.explain.run_models import RunModels, UnseenModel
from core.explain.survival_at import survival_at
from core.features.batch import Batch

REPORTS = Modality.REPORTS
_TOGETHER = 32
ROUNDING = 1e-3
"""Percentage points: estimates of the same patient in batches of other sizes differ by less, in single precision. An
effect is no smaller than that, or there is none."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """One model's estimates in percent: ``whole`` with all ``n`` sentences · ``without`` (n,) each one left out ·
    ``masked`` without any report."""

    whole: float
    without: FloatArray
    masked: float


@dataclass(frozen=True, eq=False)
class SentenceEvidence:
    """Over the models that never saw the patient, for ``n`` sentences.

    ``prediction`` S(month) in percent · ``effect`` (m, n) percentage points that a sentence's presence adds, model by
    model · ``masked`` (m,) the same of the whole report · ``weight`` (n,) attention, 1 in all, or None · ``experts``
    (n,) through which expert most of a sentence's relevance passes, "" where the estimate does not read reports ·
    ``read`` whether it does.
    """

    prediction: float
    effect: FloatArray
    masked: FloatArray
    weight: Float32Array | None
    experts: tuple[str, ...]
    read: bool


def sentence_evidence(models: RunModels, patient: str, month: float) -> SentenceEvidence:
    """Ask every model that never saw the patient."""
    unseen = models.unseen(patient)
    row = np.array([models.row(patient)])
    batches = [m.fitted.preparation.tensors(models.inputs.take(row)).batch(np.array([0])) for m in unseen]
    found = [leave_out(m, batch, month) for m, batch in zip(unseen, batches, strict=True)]
    read = bag_encoder(unseen[0].fitted.network, REPORTS) is not None
    inside = [patch_evidence(m.fitted, b, month, None, REPORTS) for m, b in zip(unseen, batches, strict=True) if read]
    weights = [e.attention for e in inside if e.attention is not None]
    names = unseen[0].fitted.network.expert_names()
    sentences = len(found[0].without)
    return SentenceEvidence(
        float(np.mean([f.whole for f in found])),
        np.stack([f.whole - f.without for f in found]),
        np.array([f.whole - f.masked for f in found]),
        np.mean(weights, axis=0).astype(np.float32) if weights else None,
        main_experts(inside, names, sentences) if inside else ("",) * sentences,
        read or any(np.ptp([f.whole, f.masked, *f.without]) > 0 for f in found),
    )


def sentence_effects(models: RunModels, patient: str, month: float) -> FloatArray:
    """(m, n) percentage points that each sentence's presence adds, model by model, and nothing else."""
    row = np.array([models.row(patient)])
    found = []
    for model in models.unseen(patient):
        batch = model.fitted.preparation.tensors(models.inputs.take(row)).batch(np.array([0]))
        left = leave_out(model, batch, month)
        found.append(left.whole - left.without)
    return np.stack(found)


def leave_out(model: UnseenModel, batch: Batch, month: float) -> LeftOut:
    """Estimates of one patient with each sentence left out in turn; a report of one sentence is then no report."""
    network = model.fitted.network.eval()
    others = tuple(m for m in batch.bags if m is not REPORTS and bag_encoder(network, m) is not None)
    with torch.no_grad():
        answers = {m: encoder(batch) for m in others if (encoder := bag_encoder(network, m)) is not None}
        variants = _variants(shortened(batch, others))
        parts = []
        for start in range(0, variants.size, _TOGETHER):
            part = _rows(variants, slice(start, start + _TOGETHER))
            with handed(network, {m: repeated(a, part.size) for m, a in answers.items()}):
                parts.append(survival_at(model.fitted, network(part).logits.double(), month))
    values = PERCENT * torch.cat(parts).numpy()
    if np.ptp(values) <= ROUNDING:
        values = np.full_like(values, values[0])
    return LeftOut(float(values[0]), np.asarray(values[1:-1]), float(values[-1]))


def main_experts(
    found: Sequence[PatchEvidence], names: dict[str, tuple[str, ...]] | object, sentences: int
) -> tuple[str, ...]:
    """Of each sentence, the expert of the last level through which most of its relevance passes.

    Named experts are judged over all models; numbered ones of the first model alone, which is said.
    """
    called = dict(names) if isinstance(names, dict) else {}
    level = next((x for x in called if x in found[0].used), None) or next(reversed(list(found[0].used)), "")
    if not level:
        return ("",) * sentences
    asked = list(found) if level in called else [found[0]]
    experts = sorted({k for e in asked for name, k in e.through if name == level})
    if not experts:
        return ("",) * sentences
    nothing = np.zeros(sentences, dtype=np.float32)
    size = np.stack([np.mean([np.abs(e.through.get((level, k), nothing)) for e in asked], axis=0) for k in experts])
    shared = len(found[0].used[level]) - 1
    return tuple(_called(experts[i], level, called.get(level, ()), shared, len(found)) for i in size.argmax(axis=0))


def _called(expert: int, level: str, names: tuple[str, ...], shared: int, models: int) -> str:
    if expert < len(names):
        return f"{names[expert]} ({level})"
    which = "" if models == 1 else ", first model"
    return f"{'shared expert' if expert == shared else f'expert {expert + 1}'} ({level}{which})"


def _variants(batch: Batch) -> Batch:
    """(n + 2) copies of one patient: whole, without sentence 1 … n, without a report."""
    bag, sentences = batch.bags[REPORTS][0], batch.bags[REPORTS].shape[1]
    kept = [torch.arange(sentences)]
    kept += [torch.cat([torch.arange(i), torch.arange(i + 1, sentences)]) for i in range(sentences)]
    kept.append(torch.arange(0))
    many = _rows(batch, torch.zeros(len(kept), dtype=torch.long))
    rows, mask = torch.zeros(len(kept), *bag.shape), torch.zeros(len(kept), sentences, dtype=torch.bool)
    for i, places in enumerate(kept):
        rows[i, : len(places)] = bag[places]
        mask[i, : max(1, len(places))] = True  # an empty bag is one row of zeros, as a missing one is
    there = torch.tensor([len(places) > 0 for places in kept]) & many.present[REPORTS]
    return replace(
        many,
        present={**many.present, REPORTS: there},
        bags={**many.bags, REPORTS: rows},
        masks={**many.masks, REPORTS: mask},
    )


def _rows(batch: Batch, rows: torch.Tensor | slice) -> Batch:
    return Batch(
        {m: p[rows] for m, p in batch.present.items()},
        None if batch.genes is None else batch.genes[rows],
        None if batch.clinical is None else batch.clinical[rows],
        {m: b[rows] for m, b in batch.bags.items()},
        {m: k[rows] for m, k in batch.masks.items()},
        None if batch.groups is None else batch.groups[rows],
    )
