"""``bench biofact-audit``: do BioFact-MoE's experts mean liver and tumour? On the sample cohort and on TCGA-LIHC.

The sample cohort's factors are planted, so the audit itself is tested there: it must find them, name them swapped when
they were taught swapped, and lose them under the controls. On TCGA-LIHC nothing is known beforehand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.cohort.cohort import Cohort
from core.cohort.importing import import_into
from core.cohort.modality import ENCODED_MODALITIES, Modality
from core.cohort.report_findings import Identifying
from core.cohort.sample import NAME
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.results.audit import AuditReport, load_audit
from core.results.files import read_json, write_json
from core.results.run import Run
from core.results.run_store import load_run
from core.results.workspace import Workspace
from core.tasks.audit import AuditRequest, audit
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.biofact_audit_tables import audit_section
from core.tasks.complete_sample import complete_sample
from core.tasks.encode import EncodeRequest, encode
from core.tasks.evidence_tables import write_section
from core.tasks.model_encoders import encode_for_model
from core.tasks.provenance import ROOT
from core.tasks.train import Progress, TrainRequest, train

MODEL = "biofact"
CASE_VERSION = 1
"""Raised whenever a change of the code changes what a case computes."""
LIHC = "tcga-lihc-reports"
DATA = ROOT.parent / "shared" / "data"
HORIZONS = (12.0, 18.0, 24.0)


@dataclass(frozen=True)
class Case:
    """One audited training. ``anchor`` is the model's image side · ``controls`` also train the three controls."""

    name: str
    cohort: str
    anchor: Modality
    folds: str
    controls: bool = False
    redact: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    treatment: str = ""


CASES: tuple[Case, ...] = (
    Case("sample: scans and reports", NAME, Modality.VOLUMES, "5", controls=True, treatment="treatment_arm"),
    Case(
        "TCGA-LIHC: genomics and reports", LIHC, Modality.GENOMICS, "published", True, treatment="neoadjuvant_treatment"
    ),
    Case("sample, taught swapped", NAME, Modality.VOLUMES, "5", settings={"supervision": "swapped"}),
    Case("sample, markers redacted", NAME, Modality.VOLUMES, "5", redact=True),
    Case("TCGA-LIHC, markers redacted", LIHC, Modality.GENOMICS, "published", redact=True),
)


@dataclass(frozen=True, eq=False)
class Audited:
    """A finished case."""

    case: Case
    run: Run
    report: AuditReport


def bench_biofact_audit(workspace: Workspace, full: bool, progress: Progress) -> BenchResult:
    """Train and audit every case that is not cached; ``full`` takes five seeds for three. Stop it at any time."""
    seeds = 5 if full else 3
    finished: list[Audited] = []
    lines: list[str] = []
    for i, case in enumerate(CASES):

        def tell(share: float, message: str, at: int = i, words: str = case.name) -> None:
            progress((at + share) / len(CASES), f"{words}: {message}")

        finished.append(run_case(case, seeds, workspace, tell))
        lines = audit_section([(a.case.name, a.run, a.report) for a in finished])
        write_section(ROOT / "EVIDENCE.md", "biofact-audit", lines)
    extra = {a.case.name: {"run": a.run.id, "labels": a.report.labels} for a in finished}
    return BenchResult(tuple(row for a in finished for row in _rows(a)), {"cases": extra}, tuple(lines))


def run_case(case: Case, seeds: int, workspace: Workspace, progress: Progress) -> Audited:
    """One case from the cache, or trained and audited; a training that was stopped goes on."""
    cohort = audited_cohort(case.cohort, workspace)
    modalities = (case.anchor, Modality.REPORTS)
    _encode_anchor(case, workspace)
    encode_for_model(cohort.name, MODEL, modalities, case.redact, workspace)
    mark = workspace.cells / f"audit-{_key(case, cohort, seeds, workspace)}"
    known = mark.with_suffix(".json")
    if known.is_file():
        stored = str(read_json(known)["run"])
        report = load_audit(stored, workspace) if workspace.run(stored).exists() else None
        if report is not None:
            return Audited(case, load_run(stored, workspace), report)
    request = TrainRequest(
        cohort.name,
        MODEL,
        modalities,
        folds=case.folds,
        seeds=seeds,
        settings=dict(case.settings),
        horizons=HORIZONS,
        references=False,
        command="./run cli bench biofact-audit",
        redact_markers=case.redact,
    )
    workspace.cells.mkdir(parents=True, exist_ok=True)
    run = train(request, workspace, lambda s, m: progress(0.25 * s, m), mark.with_suffix(".scratch"))
    asked = AuditRequest(run.id, case.controls, treatment=case.treatment)
    report = audit(asked, workspace, lambda s, m: progress(0.25 + 0.75 * s, m))
    write_json(known, {"run": run.id})
    return Audited(case, run, report)


def audited_cohort(name: str, workspace: Workspace) -> Cohort:
    """The sample with its media, or TCGA-LIHC with its reports and laboratory markers, made when missing."""
    if name == NAME:
        complete_sample(workspace)
    elif name not in workspace.names(workspace.cohorts):
        source, clinical = DATA / "tcga" / "lihc", DATA / "hcc" / "tcga_lihc_biotab"
        reports = DATA / "reports" / "tcga_liver_path_reports.csv"
        for path in (source, clinical, reports):
            if not path.exists():
                raise PrognoscopeError(f"no {path.name}", "the shared data", f"put it at {path}")
        families = Path(DATA / "tcga" / "signatures.csv")
        return import_into(
            workspace, source, name, families=families, clinical=[clinical], reports=[reports],
            identifying=Identifying.KEEP,  # redacted by their publisher; blanking would change the published numbers
        )  # fmt: skip
    return load_cohort(name, workspace)


def _encode_anchor(case: Case, workspace: Workspace) -> None:
    """Encode the image side with its default encoder where it is not."""
    there = load_features(case.cohort, workspace).modalities
    if case.anchor in ENCODED_MODALITIES and case.anchor not in there:
        encode(EncodeRequest(case.cohort, (case.anchor,)), workspace)


def _key(case: Case, cohort: Cohort, seeds: int, workspace: Workspace) -> str:
    features = load_features(cohort.name, workspace).fingerprint((case.anchor, Modality.REPORTS))
    defining = [CASE_VERSION, {**asdict(case), "name": ""}, cohort.content_hash, seeds, features, HORIZONS]
    return hashlib.sha256(json.dumps(defining, default=str, sort_keys=True).encode()).hexdigest()[:24]


def _rows(audited: Audited) -> list[BenchRow]:
    selected = audited.report.selectivity.items()
    return [BenchRow(f"{audited.case.name}: {block}", round(s.value, 4), "R² own − other") for block, s in selected]
