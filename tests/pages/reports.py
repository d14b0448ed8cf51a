"""A run on reports with stored evidence of one patient, whose report tries to be more than text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort
from core.results.explained import Kind
from core.results.explanation_trust import ExplanationTrust, TrustNumber, save_trust
from core.results.report_evidence import ReportEvidence, Sentence, save_report_evidence
from core.results.run_store import save_run
from core.results.workspace import Workspace
from tests.pages.builders import make_predictions, make_run

PATIENT, RUN = "SYN-0001", "hdmoe-reports"
HOSTILE = (
    '<img src=x onerror="window.hacked=1"> <script>window.hacked=1</script> **bold** [a](javascript:alert(1)) $x^2$'
)
TEXT = f"FINDINGS:\nA large mass in segment VII.\nNo ascites.\n{HOSTILE}\nKidneys normal.\n"


def make_evidence() -> ReportEvidence:
    """A tumour sentence that lowers, a liver sentence without a stable effect, and the hostile one."""

    def sentence(words: str, part: str, weight: float, effect: float, share: float) -> Sentence:
        start = TEXT.index(words)
        expert = "expert 3 (level 2, first model)"
        return Sentence(0, start, start + len(words), part, expert, weight, effect, 0.3, share)

    return ReportEvidence(
        RUN, PATIENT, 36.0, 2, 41.5, -3.0,
        (
            sentence("A large mass in segment VII.", "tumour", 0.5, -2.4, 1.0),
            sentence("No ascites.", "liver", 0.3, 0.4, 0.5),
            sentence(HOSTILE, "other", 0.2, 0.0, 1.0),
        ),
        "left out one by one", "lexicon", True, "test", 1.0,
    )  # fmt: skip


def fill_reports(workspace: Workspace, folder: Path, evidence: bool = True, modality: str = "reports") -> None:
    """Give the sample cohort of ``workspace`` one report, a run that takes ``modality``, and its evidence."""
    cohort = load_cohort("sample", workspace)
    path = folder / "report.txt"
    path.write_text(TEXT, encoding="utf-8")
    save_media("sample", MediaIndex((MediaFile(PATIENT, Modality.REPORTS, MediaKind.REPORT, str(path), "radiology"),)),
               workspace)  # fmt: skip
    predictions = make_predictions(cohort)
    run = replace(make_run(cohort, predictions, RUN), modalities=(modality, "genomics"), created_at="2030-01-01T00:00")
    save_run(run, predictions, workspace)
    if evidence:
        save_report_evidence(make_evidence(), workspace)
        number = TrustNumber("the models agree", 0.4, 0.5, True, 0.0, "share of sentences with one direction.")
        save_trust(ExplanationTrust(RUN, Kind.REPORT, 8, 2, True, False, (number,), "explain", "test"), workspace)
