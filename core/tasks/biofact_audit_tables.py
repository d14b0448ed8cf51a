"""The Markdown of the factorisation audit, made from stored audits and nothing typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.results.audit import Association, AuditReport, ControlResult, Selectivity, Treatment, labels_of
from core.results.run import Metric, Run
from core.tasks.markdown import table_header, table_row

Finished = tuple[str, Run, AuditReport]
BLOCKS = ("liver", "tumour")


def audit_section(finished: Sequence[Finished]) -> list[str]:
    """The whole section: every case and its controls, then markers, leaks, prediction, treatment."""
    lines = [
        "Command: `./run cli bench biofact-audit`. Selectivity of a block: mean over its held-out markers of the",
        "out-of-fold R² from its own expert minus that from the other. p: the larger of two, patients permuted, and",
        "what both experts hold split at random (names that mean nothing). Gate: Spearman correlation of the tumour",
        "weight with the measured dominance of tumour over liver markers, of patients no model was trained on.",
        "",
        table_header(["trained", *(f"selectivity, {b}" for b in BLOCKS), "the names are", "gate with dominance"]),
    ]
    for name, _, report in finished:
        lines.append(_case_row(f"**{name}**", report.selectivity, report.gate))
        lines += [_case_row(f"{name}: {c.title}", c.selectivity, c.gate) for c in report.controls]
    for name, run, report in finished:
        lines += ["", f"### {name[0].upper()}{name[1:]}", "", *_details(run, report)]
    return lines


def _case_row(name: str, selected: Mapping[str, Selectivity], gate: Association | None) -> str:
    cells = [_selected(selected.get(block)) for block in BLOCKS]
    said = "–" if gate is None else f"{gate.correlation:+.2f} (p {gate.p:.3f}, {gate.patients:,} patients)"
    return table_row([name, *cells, labels_of(selected), said])


def _selected(score: Selectivity | None) -> str:
    if score is None:
        return "no marker held out"
    markers = "1 marker" if score.markers == 1 else f"{score.markers} markers"
    return f"{score.value:+.3f} (p {score.p:.3f}, {markers})"


def _details(run: Run, report: AuditReport) -> list[str]:
    side = " and ".join(m for m in run.modalities if m != "reports")
    lines = [
        f"{run.patients:,} patients, {run.events:,} events; image side: {side}"
        f"{' (no images here)' if side == 'genomics' else ''}; {run.folds} folds × {len(run.seeds)} seeds; "
        f"code {run.code_version}.",
        f"Harrell C {_metric(run.metrics.harrell_c)}; " + _aucs(run),
        "",
    ]
    if report.markers:
        lines.append(table_header(["marker", "block", "patients", "R² own", "R² other", "p", "p, corrected (BH)"]))
        for m in report.markers:
            numbers = [f"{m.own:.3f}", f"{m.other:.3f}", f"{m.p:.3f}", f"{m.p_corrected:.3f}"]
            lines.append(table_row([m.marker, m.block, f"{m.patients:,}", *numbers]))
        lines.append("")
    leaked = ", ".join(f"{m} ({why})" for m, why in report.leaked.items()) or "none"
    lines.append(f"Left out as leaked: {leaked}.")
    if report.stability:
        s = report.stability
        lines.append(
            f"Between seeds: gate rank correlation {s.rank_correlation:.2f} ({s.rank_low:.2f} to {s.rank_high:.2f}), "
            f"groups' adjusted Rand index {s.rand_index:.2f} ({s.rand_low:.2f} to {s.rand_high:.2f})."
        )
    if report.controls:
        lines += ["", table_header(["the run minus the control", *BLOCKS]), *map(_difference_row, report.controls)]
        lines += ["", "Corrected t interval over folds and seeds; p corrected over this table (Holm)."]
    if report.treatment:
        lines += ["", *_treatment(report.treatment)]
    return lines


def _difference_row(control: ControlResult) -> str:
    cells = []
    for block in BLOCKS:
        d = control.differences.get(block)
        cells.append("–" if d is None else f"{d.mean:+.3f} ({d.low:+.3f} to {d.high:+.3f}), p {d.p_corrected:.3f}")
    return table_row([control.title, *cells])


def _treatment(treatment: Treatment) -> list[str]:
    head = (
        f"{treatment.column}, counted from {treatment.time_zero}: {treatment.patients:,} patients, "
        f"{treatment.events:,} events, {treatment.without_arm:,} without a recorded arm."
    )
    if treatment.reason:
        return [f"{head} Not fitted: {treatment.reason}."]
    rows = [
        table_row([t.term, f"{t.hazard_ratio:.2f}", f"{t.low:.2f} to {t.high:.2f}", f"{t.p:.3f}"])
        for t in treatment.terms
    ]
    return [
        f"{head} Descriptive, not causal:",
        "",
        table_header(["term", "hazard ratio", "95 % interval", "p"]),
        *rows,
    ]


def _aucs(run: Run) -> str:
    parts = []
    for words, found in (("IPCW", run.metrics.auc), ("naive", run.metrics.auc_naive)):
        parts += [f"AUC at {months} months, {words} {_metric(m)}" for months, m in found.items()]
    return "; ".join(parts) + "."


def _metric(metric: Metric) -> str:
    if metric.mean is None:
        return "–"
    interval = "" if metric.low is None or metric.high is None else f" ({metric.low:.3f} to {metric.high:.3f})"
    return f"{metric.mean:.3f}{interval}"
