"""What an audit's exported numbers allow to compute again comes out of the exported scripts as the page shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.analysis.audit_tables import (
    gate_table,
    markers_table,
    selectivity_table,
    stability_table,
    treatment_numbers,
    weights_table,
)
from core.analysis.reproduce_audit import KINDS, audit_python, audit_r
from core.results.audit import AuditReport, Difference, MarkerRow, Treatment, TreatmentTerm
from core.statistics.comparison import benjamini_hochberg, holm, nadeau_bengio
from tests.analysis.scripts import LANGUAGES, Script, as_exported, run_all
from tests.pages.audits import TREATED, make_audit

ALTERED = {
    "markers": "p corrected (Benjamini-Hochberg)", "controls": "p corrected (Holm)", "weights": "High (95 %)",
    "gate": "Low (95 %)", "stability": "Pairs", "treatment": "p",
}  # fmt: skip


def audited() -> AuditReport:
    """A generated audit whose tests are those of drawn differences, as an audit computes them."""
    rng = np.random.default_rng(2)
    report = make_audit()
    p = rng.uniform(0.001, 0.6, len(report.markers)).round(3)
    rows = zip(report.markers, p, benjamini_hochberg(p), strict=True)
    markers: tuple[MarkerRow, ...] = tuple(replace(m, p=float(a), p_corrected=float(b)) for m, a, b in rows)
    keys = [(c.name, b) for c in report.controls for b in c.differences]
    tests = [nadeau_bengio(rng.normal(0.05 * i, 0.3, report.folds * report.seeds), 160, 40) for i in range(len(keys))]
    adjusted = holm([t.p for t in tests])
    found = {
        key: Difference(t.mean, t.low, t.high, t.p, float(q)) for key, t, q in zip(keys, tests, adjusted, strict=True)
    }
    controls = tuple(
        replace(c, differences={b: found[c.name, b] for b in c.differences}) for c in report.controls
    )  # fmt: skip
    return replace(report, markers=markers, controls=controls, treatment=treated(rng))


def treated(rng: np.random.Generator) -> Treatment:
    """Terms whose intervals and Wald tests belong together."""
    from scipy.stats import norm

    terms = []
    for term in TREATED.terms:
        beta, error = rng.normal(0, 0.3), rng.uniform(0.1, 0.3)
        limits = np.exp(beta + norm.ppf([0.025, 0.975]) * error)
        terms.append(TreatmentTerm(term.term, float(np.exp(beta)), *limits.tolist(), 2 * norm.sf(abs(beta / error))))
    return replace(TREATED, terms=tuple(terms))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scripts_find_the_numbers_of_the_page(language: str, tmp_path: Path) -> None:
    report = audited()
    assert report.treatment is not None
    tables = {
        "markers": markers_table(report, lambda m: f"“{m}”, µmol/L"), "controls": selectivity_table(report),
        "weights": weights_table(report), "gate": gate_table(report), "stability": stability_table(report),
        "treatment": treatment_numbers(report.treatment),
    }  # fmt: skip
    assert set(tables) == set(KINDS)
    make = audit_python if language == "python" else audit_r
    scripts = {}
    for kind, table in tables.items():
        scripts[kind] = Script(make(kind, "A title", report), (table,))
        row = int(np.flatnonzero(table[ALTERED[kind]].notna())[1])
        by = 1 if kind == "stability" else 1e-4
        scripts[f"{kind} altered"] = scripts[kind].altered(ALTERED[kind], row, by)
    gone = replace(report, selectivity={b: replace(s, value=s.value + 1e-4) for b, s in report.selectivity.items()})
    scripts["selectivity altered"] = Script(make("markers", "t", gone), (tables["markers"],))
    scripts["interval altered"] = scripts["controls"].altered("High (95 %)", 2)
    without = selectivity_table(replace(report, controls=()))
    scripts["no controls"] = Script(make("controls", "t", replace(report, controls=())), (without,))
    as_exported(run_all(language, scripts, tmp_path))
