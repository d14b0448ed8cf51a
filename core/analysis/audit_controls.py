"""What each control of an audit must show, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.analysis.audit_verdicts import LEVEL, corrected_selectivity
from core.analysis.comparisons import interval, p_value
from core.results.audit import AuditReport, ControlResult

ROUTER = "random_router"
EXPECTED: Mapping[str, str] = {
    "no_supervision": "Experts lose their own markers: nothing told them what liver and tumour are.",
    "shuffled_parts": "Experts lose their own markers: their sentences came from other patients.",
    ROUTER: "The weights lose the measured tumour burden; the experts may keep their markers.",
}
"""Control → what it must show, where the run has something to lose."""

AS_EXPECTED, UNEXPECTED, OPEN = (w.replace(" ", "\N{NO-BREAK SPACE}") for w in
                                 ("as expected", "not as expected", "cannot be told"))  # fmt: skip


def controls_table(report: AuditReport) -> pd.DataFrame:
    """One row a control: what it must show, what came out, and whether that is so."""
    return pd.DataFrame(
        [
            {
                "Control": _capital(c.title),
                "Must show": EXPECTED.get(c.name, "–"),
                "Came out": _router_words(c) if c.name == ROUTER else _selectivity_words(c, report.factors[::-1]),
                "So": _router_answer(report, c) if c.name == ROUTER else _selectivity_answer(report, c),
            }
            for c in report.controls
        ]
    )


def _selectivity_words(control: ControlResult, order: Sequence[str]) -> str:
    parts = []
    for block in (b for b in order if b in control.selectivity):
        found = control.selectivity[block]
        words = f"{block} selectivity {interval(found.value, None, None)} ({p_value(found.p)})"
        if difference := control.differences.get(block):
            words += (
                f", run minus control {interval(difference.mean, difference.low, difference.high)}, "
                f"{p_value(difference.p_corrected)}"
            )
        parts.append(words)
    return _capital("; ".join(parts)) or "No marker could be tested."


def _selectivity_answer(report: AuditReport, control: ControlResult) -> str:
    """As expected when each block the run is selective for is not in the control, and the paired loss is certain."""
    certain = {b for b, p in corrected_selectivity(report).items() if p < LEVEL and report.selectivity[b].value > 0}
    tested = [b for b in report.selectivity if b in certain and b in control.selectivity]
    if not tested:
        return f"{OPEN}: the run has nothing to lose"
    if any(control.selectivity[b].value > 0 and control.selectivity[b].p < LEVEL for b in tested):
        return UNEXPECTED
    known = [control.differences[b] for b in tested if b in control.differences]
    lost = len(known) == len(tested) and all(d.mean > 0 and d.p_corrected < LEVEL for d in known)
    return AS_EXPECTED if lost else f"{OPEN}: the loss is within chance"


def _router_words(control: ControlResult) -> str:
    gate = control.gate
    if gate is None:
        return "The weights could not be compared with the markers."
    return f"Rank correlation of weight and burden {interval(gate.correlation, None, None)} ({p_value(gate.p)})."


def _router_answer(report: AuditReport, control: ControlResult) -> str:
    if control.gate is None or report.gate is None or not np.isfinite(control.gate.p):
        return OPEN
    if not (report.gate.p < LEVEL and report.gate.correlation > 0):
        return f"{OPEN}: the run has nothing to lose"
    return AS_EXPECTED if control.gate.p >= LEVEL else UNEXPECTED


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
