"""Which sentences of a patient's reports the models used, and what each is worth."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from core.results.explained import Kind, explained_folder, opened
from core.results.files import new_folder, read_json, write_json
from core.results.workspace import Workspace


@dataclass(frozen=True)
class Sentence:
    """One sentence, by place: the text itself stays in the report.

    ``report`` number of the report (order of the media index) · ``start``, ``end`` characters · ``part`` liver, tumour,
    other or both · ``expert`` which expert its part belongs to, or "" · ``weight`` attention of the models, None where
    a model has none over sentences · ``effect`` percentage points of S(month) that its presence adds (estimate with
    all sentences minus estimate without this one) · ``std`` over the models · ``sign_share`` models of the same sign.
    """

    report: int
    start: int
    end: int
    part: str
    expert: str
    weight: float | None
    effect: float
    std: float
    sign_share: float


@dataclass(frozen=True)
class ReportEvidence:
    """All sentences of one patient under one run. ``without`` percentage points that the whole report
    adds: the estimate with it minus the estimate with it masked."""

    run: str
    patient: str
    month: float
    models: int
    prediction: float
    without: float
    sentences: tuple[Sentence, ...]
    method: str
    encoder: str
    synthetic: bool
    code_version: str
    seconds: float
    notes: tuple[str, ...] = ()


def save_report_evidence(found: ReportEvidence, workspace: Workspace) -> None:
    """Store it; an earlier one of the same run and patient is replaced."""
    with new_folder(explained_folder(Kind.REPORT, found.run, found.patient, None, workspace)) as folder:
        write_json(folder / "evidence.json", asdict(found))


def load_report_evidence(run: str, patient: str, workspace: Workspace) -> ReportEvidence:
    """Stored evidence; raises when there is none."""
    facts = read_json(opened(Kind.REPORT, run, patient, None, workspace) / "evidence.json")
    facts["sentences"] = tuple(Sentence(**x) for x in facts["sentences"])
    facts["notes"] = tuple(facts["notes"])
    return ReportEvidence(**facts)
