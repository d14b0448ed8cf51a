"""Make and store what each sentence of one patient's reports is worth."""

from __future__ import annotations

import time

import numpy as np

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.report_evidence import SentenceEvidence, sentence_evidence
from core.explain.run_models import RunModels
from core.features.encoded import load_features
from core.features.encoders import Encoded
from core.features.report_parts import Part
from core.results.explained import Kind
from core.results.explanation_trust import load_trust, save_trust
from core.results.report_evidence import ReportEvidence, Sentence, save_report_evidence
from core.results.workspace import Workspace
from core.tasks.explain_report_parts import ReportTexts, parts_of
from core.tasks.provenance import code_version
from core.tasks.report_trust import report_trust, sample_reports
from core.tasks.train import Progress

METHOD = "left out one by one: S(month) with all sentences minus S(month) without this one"
REPORTS = Modality.REPORTS


def make(models: RunModels, patient: str, month: float, workspace: Workspace, progress: Progress) -> None:
    """Compute and store the sentences of all of the patient's reports."""
    started = time.perf_counter()
    run = models.run
    cohort = models.cohort_of(patient)
    features = load_features(cohort, workspace, run.config.get("encoders", {}))
    if REPORTS not in models.inputs.modalities:
        raise PrognoscopeError("a run whose models take no reports", f"run {run.id}", "choose a run that uses reports")
    encoded = features.read(patient, REPORTS)
    if encoded is None or encoded.coordinates is None:
        raise PrognoscopeError("no sentences of this patient", f"run {run.id}", "encode the reports")
    progress(0.1, "reports: leaving out each sentence in turn")
    found = sentence_evidence(models, patient, month)
    if found.effect.shape[1] != len(encoded.coordinates):
        raise PrognoscopeError(
            f"{found.effect.shape[1]} sentences in the model and {len(encoded.coordinates)} in the report",
            "the explanation of a report", "encode the reports again, or train the run again",
        )  # fmt: skip
    how = features.of(REPORTS)
    texts = ReportTexts(cohort, workspace)
    parts = parts_of(encoded, () if encoded.labels is not None else texts[patient])
    save_report_evidence(
        ReportEvidence(
            run.id, patient, month, len(run.seeds), found.prediction, float(found.masked.mean()),
            _sentences(found, encoded, parts), METHOD, how.encoder,
            run.synthetic, code_version(), time.perf_counter() - started,
            _notes(found, encoded, bool(how.settings.get("redact"))),
        ),
        workspace,
    )  # fmt: skip
    if load_trust(run.id, Kind.REPORT, workspace) is None:
        own, kept = models.own, load_features(run.cohort, workspace, run.config.get("encoders", {}))
        texts = ReportTexts(run.cohort, workspace)
        sample = sample_reports(own, month, kept, texts, lambda s, m: progress(0.4 + 0.6 * s, m))
        save_trust(report_trust(own, sample), workspace)


def _sentences(found: SentenceEvidence, encoded: Encoded, parts: tuple[str, ...]) -> tuple[Sentence, ...]:
    """In the order of the reports; the row that stands for "nothing found" is no sentence."""
    assert encoded.coordinates is not None  # noqa: S101  checked by make()
    if any(w.startswith("no sentence ") for w in encoded.warnings):
        return ()
    reports = np.zeros(len(parts), dtype=np.int64) if encoded.sources is None else encoded.sources
    sentences = []
    for i, (start, end) in enumerate(encoded.coordinates):
        if end <= start:
            continue
        effect = found.effect[:, i]
        mean = float(effect.mean())
        share = 1.0 if not effect.any() else float(np.mean(np.sign(effect) == np.sign(mean)))
        weight = None if found.weight is None else float(found.weight[i])
        expert = found.experts[i] or (parts[i] if parts[i] != Part.OTHER.value and not found.read else "")
        sentences.append(Sentence(
            int(reports[i]), int(start), int(end), parts[i], expert, weight, mean, float(effect.std()), share
        ))  # fmt: skip
    return tuple(sorted(sentences, key=lambda s: (s.report, s.start)))


def _notes(found: SentenceEvidence, encoded: Encoded, redacted: bool) -> tuple[str, ...]:
    notes = list(encoded.warnings)
    if not found.read:
        notes.append(
            "This model learns from reports while it is trained; its estimate of a patient does not read the report. "
            "Leaving a sentence out changes nothing. The expert named is the one taught by sentences of that part."
        )
    elif found.weight is None:
        notes.append("This model has no attention over sentences: only the effect of leaving them out is shown.")
    if redacted:
        notes.append("The model read this report with every mention of a marker blanked out.")
    return tuple(notes)
