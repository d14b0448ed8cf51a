"""The audit's figures draw the report's numbers, and say when the patients are synthetic."""

from __future__ import annotations

import pytest

from core.figures.audit import control_figure, marker_figure
from core.figures.audit_gate import association_figure, stability_figure, weight_figure
from tests.pages.audits import MARKERS, make_audit

REPORT = make_audit()


def test_each_marker_has_both_dots_on_one_line_under_its_block() -> None:
    figure = marker_figure(REPORT, str.upper)
    own, other = figure.data
    assert sorted(own.x) == sorted(m.own for m in REPORT.markers)
    assert sorted(other.x) == sorted(m.other for m in REPORT.markers)
    assert list(own.y) == list(other.y)
    assert len(set(own.y)) == len(MARKERS)
    height = {a.text: a.y for a in figure.layout.annotations if a.xanchor == "right"}
    assert height["<b>Tumour markers</b>"] < height["LOG10_AFP"] < height["<b>Liver markers</b>"] < height["ALBI"]
    bold = [a.text for a in figure.layout.annotations if a.text.startswith("<b>p")]
    assert len(bold) == sum(m.p_corrected < 0.05 for m in REPORT.markers)
    low, high = figure.layout.xaxis.range
    assert low < min(0.0, *other.x)
    assert high > max(own.x)


def test_the_forest_holds_the_run_and_every_control_with_its_interval() -> None:
    figure = control_figure(REPORT)
    left = [t for t in figure.data if t.xaxis is None]
    right = [t for t in figure.data if t.xaxis == "x2"]
    assert [t.x[0] for t in left[:4]] == [
        REPORT.selectivity["tumour"].value, *(c.selectivity["tumour"].value for c in REPORT.controls)
    ]  # fmt: skip
    assert len(right) == 6
    found = REPORT.controls[0].differences["tumour"]
    assert right[0].x[0] - right[0].error_x.arrayminus[0] == pytest.approx(found.low)
    assert right[0].x[0] + right[0].error_x.array[0] == pytest.approx(found.high)


def test_gate_and_stability() -> None:
    gate, stability = REPORT.gate, REPORT.stability
    assert gate is not None
    assert stability is not None
    weights = weight_figure(REPORT, gate)
    assert list(weights.data[0].y) == [b.weight for b in gate.bins]
    assert [t.x[0] for t in association_figure(REPORT).data] == [
        gate.correlation, *(c.gate.correlation for c in REPORT.controls if c.gate is not None)
    ]  # fmt: skip
    agreed = stability_figure(REPORT, stability)
    assert [t.x[0] for t in agreed.data] == [stability.rank_correlation, stability.rand_index]
    for figure in (weights, agreed, marker_figure(REPORT, str), control_figure(REPORT), association_figure(REPORT)):
        assert "synthetic patients" in figure.layout.title.subtitle.text
