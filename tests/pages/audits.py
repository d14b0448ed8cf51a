"""Generated audits for page and figure tests: synthetic patients, numbers drawn around a planted answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.cohort.cohort import Cohort
from core.results.audit import (
    Association,
    AuditReport,
    ControlResult,
    Difference,
    GateBin,
    MarkerRow,
    Selectivity,
    Stability,
    Treatment,
    TreatmentTerm,
)
from core.results.prediction import Predictions
from core.results.run import Run
from tests.pages.builders import make_run

MARKERS = {
    "log10_afp": "tumour", "tumour_size": "tumour", "tumour_number": "tumour", "vascular_invasion": "tumour",
    "bilirubin": "liver", "albumin": "liver", "inr": "liver", "platelets": "liver", "albi": "liver",
}  # fmt: skip
TITLES = {
    "no_supervision": "without biological supervision",
    "shuffled_parts": "sentence parts shuffled",
    "random_router": "random router",
}


def biofact_run(cohort: Cohort, predictions: Predictions, run_id: str = "biofact-sample-2") -> Run:
    """A run whose experts have names."""
    run = make_run(cohort, predictions, run_id)
    inputs = ("genomics", "reports")
    return replace(run, model="biofact", modalities=inputs, seconds=70.0, created_at="2026-02-03T04:05:06")


def make_audit(
    run: str = "biofact-sample-2", gain: float = 0.2, controls: bool = True, **changes: object
) -> AuditReport:
    """An audit in which every expert knows its own markers ``gain`` better; a negative one swaps the names."""
    rng = np.random.default_rng(4)
    rows = tuple(_row(m, b, gain, rng) for m, b in MARKERS.items())
    report = AuditReport(
        run=run, cohort="sample", synthetic=True, factors=("liver", "tumour"),
        selectivity={b: _block(rows, b, gain) for b in ("liver", "tumour")}, markers=rows,
        leaked={"child_pugh": "mentioned in the reports of 41 of 204 patients"},
        skipped={"stage": "an input of the model"}, redacted=False,
        gate=_gate(0.48 if gain > 0 else -0.4, 0.001), stability=Stability(0.71, 0.52, 0.86, 0.44, 0.18, 0.69, 15),
        controls=_controls(gain) if controls else (), permutations=999, seeds=3, folds=5,
        created_at="2026-02-03T05:06:07", code_version="test",
    )  # fmt: skip
    return replace(report, **changes)  # type: ignore[arg-type]


def _row(marker: str, block: str, gain: float, rng: np.random.Generator) -> MarkerRow:
    other = float(rng.uniform(0.0, 0.1)) + max(0.0, -gain)
    own = float(rng.uniform(0.0, 0.1)) + max(0.0, gain) + float(rng.normal(0, 0.03))
    p = 0.001 if own > other + 0.1 else 0.4 if own > other else 0.98
    return MarkerRow(marker, block, int(rng.integers(168, 205)), own, other, p, min(1.0, p * 1.3))


def _block(rows: tuple[MarkerRow, ...], block: str, gain: float) -> Selectivity:
    own = [m.own - m.other for m in rows if m.block == block]
    p = 0.002 if gain > 0.05 else 1.0 if gain < -0.05 else 0.31
    return Selectivity(float(np.mean(own)), p, len(own), 0.001 if p < 0.05 else p, p, 0.002 if gain < -0.05 else 0.7)


def _gate(correlation: float, p: float) -> Association:
    weights = 0.5 + 0.28 * correlation * np.linspace(-1, 1, 5)
    bins = tuple(GateBin(39 + (i < 2), float(w), 0.016) for i, w in enumerate(weights))
    return Association(correlation, p, 197, bins)


def _controls(gain: float) -> tuple[ControlResult, ...]:
    found = []
    for name, title in TITLES.items():
        kept = gain if name == "random_router" else 0.0
        selected = {b: Selectivity(kept - 0.01, 0.002 if kept else 0.61, k) for b, k in (("liver", 5), ("tumour", 4))}
        lost = {
            b: Difference(gain - kept + 0.012, gain - kept - 0.07, gain - kept + 0.09, 0.002 if not kept else 0.7,
                          0.01 if not kept else 1.0)
            for b in selected
        }  # fmt: skip
        gate = _gate(0.03, 0.66) if name == "random_router" else _gate(0.2, 0.02)
        found.append(ControlResult(name, title, selected, gate, lost))
    return tuple(found)


TREATED = Treatment(
    "treatment_arm", ("resection", "systemic"), "6 months after diagnosis", 171, 94, 12, 0.03,
    tuple(
        TreatmentTerm(name, ratio, ratio * 0.75, ratio * 1.33, p)
        for name, ratio, p in (
            ("risk", 1.62, 0.001), ("tumour weight π", 1.08, 0.55), ("arm: systemic", 0.81, 0.21),
            ("risk × arm", 1.04, 0.83), ("π × arm", 0.93, 0.66), ("liver function", 1.35, 0.02),
        )
    ),
    landmark=6.0,
)  # fmt: skip
