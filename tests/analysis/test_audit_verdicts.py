"""What the page says of an audit: the answer changes with the numbers, and never says more than they do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.analysis.audit_controls import controls_table
from core.analysis.audit_tables import left_out_table, markers_table, selectivity_table, treatment_table
from core.analysis.audit_verdicts import Answer, corrected_selectivity, expert_verdicts, gate_verdict
from core.results.audit import AuditReport, Selectivity
from tests.pages.audits import MARKERS, TREATED, make_audit


def answers(report: AuditReport) -> list[Answer]:
    return [v.answer for v in (*expert_verdicts(report), gate_verdict(report))]


def test_planted_swapped_and_unproven_experts_are_told_apart() -> None:
    assert answers(make_audit()) == [Answer.YES, Answer.YES, Answer.YES]
    assert answers(make_audit(gain=-0.2)) == [Answer.SWAPPED, Answer.SWAPPED, Answer.SWAPPED]
    weak = make_audit(selectivity={b: Selectivity(0.05, 0.31, 4) for b in ("liver", "tumour")})
    assert answers(weak)[:2] == [Answer.UNKNOWN, Answer.UNKNOWN]


def test_the_p_of_each_expert_is_corrected_over_both() -> None:
    report = make_audit()
    both = {"liver": Selectivity(0.1, 0.03, 5), "tumour": Selectivity(0.1, 0.04, 4)}
    assert corrected_selectivity(replace(report, selectivity=both)) == pytest.approx({"liver": 0.06, "tumour": 0.06})
    assert answers(replace(report, selectivity=both))[:2] == [Answer.UNKNOWN, Answer.UNKNOWN]


def test_being_less_wrong_is_not_knowing() -> None:
    report = make_audit()
    nothing = tuple(replace(m, own=m.own - 0.6, other=m.other - 0.6) for m in report.markers)
    first = expert_verdicts(replace(report, markers=nothing))[0]
    assert first.answer is Answer.UNKNOWN
    assert "less wrong" in first.reason


def test_no_marker_no_answer() -> None:
    report = make_audit(markers=(), selectivity={}, gate=None)
    assert answers(report) == [Answer.UNKNOWN] * 3
    assert not any(v.numbers for v in expert_verdicts(report))


def test_no_better_is_no() -> None:
    report = make_audit(selectivity={b: Selectivity(-0.01, 0.6, 4, 0.6, 0.6, 0.4) for b in ("liver", "tumour")})
    assert answers(report)[:2] == [Answer.NO, Answer.NO]


def test_controls_are_judged_by_what_each_must_show() -> None:
    judged = dict(controls_table(make_audit())[["Control", "So"]].itertuples(index=False))
    assert {w.replace("\N{NO-BREAK SPACE}", " ") for w in judged.values()} == {"as expected"}
    report = make_audit()
    still = replace(report.controls[0], selectivity=report.selectivity)
    same = controls_table(replace(report, controls=(still, *report.controls[1:])))["So"]
    assert same[0].startswith("not")
    aimless = replace(report.controls[2], gate=report.gate)
    assert controls_table(replace(report, controls=(aimless,)))["So"][0].startswith("not")
    nothing = controls_table(make_audit(gain=0.02))["So"]
    assert "nothing to lose" in nothing[0]


def test_tables_hold_every_number_once() -> None:
    report = make_audit(treatment=TREATED)
    table = markers_table(report, str.upper)
    assert list(table["Marker"]) == [m.upper() for m in MARKERS]
    assert (table["Difference"] == table["R² own expert"] - table["R² other expert"]).all()
    assert len(selectivity_table(report)) == 8
    assert list(left_out_table(report, str)["Left out"]) == ["leaked", "not testable"]
    assert "tumour weight × arm" in set(treatment_table(TREATED)["Term"])


def test_a_stored_report_comes_back_whole() -> None:
    report = make_audit(treatment=TREATED)
    assert AuditReport.from_json(report.as_json()) == report
