"""How far the effects of sentences may be trusted, measured on a sample of a run's patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray
from core.explain.report_evidence import sentence_effects
from core.explain.run_models import RunModels
from core.features.encoded import EncodedCohort
from core.features.report_parts import Part
from core.results.explained import Kind
from core.results.explanation_trust import ExplanationTrust, TrustNumber
from core.statistics.auroc import auroc
from core.tasks.explain_report_parts import REPORTS, ReportTexts, parts_of
from core.tasks.provenance import code_version
from core.tasks.train import Progress

PATIENTS = 6
GOOD_SIGN, GOOD_PARTS = 0.80, 0.60


@dataclass(frozen=True, eq=False)
class SampledReport:
    """One patient: ``effect`` (m, n) percentage points, model by model · ``parts`` of the n sentences."""

    effect: FloatArray
    parts: tuple[str, ...]


def sample_reports(
    models: RunModels, month: float, features: EncodedCohort, texts: ReportTexts, progress: Progress
) -> tuple[SampledReport, ...]:
    """Up to six patients with reports, evenly through the run; ``texts`` patient → their reports."""
    bags = models.inputs.bags[REPORTS]
    there = [i for i, bag in enumerate(bags) if bag is not None and models.inputs.present[REPORTS][i]]
    places = np.unique(np.linspace(0, len(there) - 1, PATIENTS if there else 0).astype(np.int64))
    found = []
    for turn, place in enumerate(places):
        progress(turn / len(places), f"reports: how far to trust them, patient {turn + 1} of {len(places)}")
        patient = models.inputs.ids[there[int(place)]]
        encoded = features.read(patient, REPORTS)
        allowed = all(month <= u.fitted.bins.limit for u in models.unseen(patient))
        if allowed and encoded is not None and encoded.coordinates is not None:
            effect = sentence_effects(models, patient, month)
            found.append(SampledReport(effect, parts_of(encoded, () if encoded.labels is not None else texts[patient])))
    return tuple(found)


def report_trust(models: RunModels, sample: Sequence[SampledReport]) -> ExplanationTrust:
    """Whether the models agree on what a sentence does, and whether sentences on disease count for more."""
    shares = [_agreement(s.effect) for s in sample]
    agreed = np.concatenate(shares) if shares else np.zeros(0)
    tests = [t for s in sample if (t := _parts(s)) is not None]
    numbers = (
        TrustNumber(
            "the models agree", float(agreed.mean()) if len(agreed) and len(models.run.seeds) > 1 else None,
            GOOD_SIGN, True, None, "share of the models whose effect of a sentence has the sign of their mean.",
        ),
        TrustNumber(
            "disease sentences count for more", float(np.mean(tests)) if tests else None, GOOD_PARTS, True, 0.5,
            "probability that a sentence about liver or tumour moves the estimate more than another one.",
        ),
    )  # fmt: skip
    return ExplanationTrust(
        models.run.id, Kind.REPORT, len(sample), len(models.run.seeds), models.run.synthetic, False, numbers,
        f"./run cli explain {models.run.id}", code_version(),
    )  # fmt: skip


def _agreement(effect: FloatArray) -> FloatArray:
    """Of each sentence that does anything, the share of models with the sign of the mean."""
    mean = effect.mean(axis=0)
    return np.asarray((np.sign(effect) == np.sign(mean)).mean(axis=0)[mean != 0])


def _parts(sample: SampledReport) -> float | None:
    disease = np.array([p != Part.OTHER.value for p in sample.parts])
    size = np.abs(sample.effect.mean(axis=0))
    if disease.all() or not disease.any() or not size.any():
        return None
    return auroc(size, disease)
