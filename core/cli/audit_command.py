"""``audit``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from core.cli.output import Answer, ProgressBar, table
from core.errors import PrognoscopeError
from core.results.audit import Association, AuditReport, ControlResult, Selectivity, Treatment
from core.results.workspace import Workspace
from core.tasks.audit import AuditRequest, audit


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("audit", help="do a run's experts mean what they are called?")
    add.add_argument("audited", metavar="RUN")
    add.add_argument("--controls", action="store_true", help="also train the three controls, same folds and seeds")
    add.add_argument("--permutations", type=int, default=999)
    add.add_argument("--treatment", default="", metavar="COLUMN", help="column of the treatment arm")
    add.add_argument("--landmark", type=float, default=0.0, metavar="MONTHS", help="count the arms from here on")
    add.add_argument("--processes", type=int, default=2, help="folds at a time")
    add.set_defaults(run=run_audit)


def run_audit(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Audit and print."""
    if args.permutations < 99:
        raise PrognoscopeError(f"{args.permutations} permutations", "--permutations", "use at least 99")
    request = AuditRequest(
        args.audited, args.controls, args.permutations, args.treatment, args.landmark, args.processes
    )
    report = audit(request, workspace, ProgressBar())
    return Answer(_json(report), _lines(report))


def _json(report: AuditReport) -> dict[str, Any]:
    def both(selected: Mapping[str, Selectivity]) -> dict[str, Any]:
        return {
            block: {"value": s.value, "p": s.p, "p_swapped": s.p_swapped, "p_names": s.p_names}
            for block, s in selected.items()
        }

    controls = {c.name: both(c.selectivity) for c in report.controls}
    gates = {c.name: None if c.gate is None else {"value": c.gate.correlation, "p": c.gate.p} for c in report.controls}
    return {
        **report.as_json(),
        "selectivity": both(report.selectivity),
        "controls": controls,
        "labels": report.labels,
        "control_gates": gates,
    }


def _lines(report: AuditReport) -> list[str]:
    lines = [f"Audit of {report.run} ({report.folds} folds × {report.seeds} seeds, {report.permutations} permutations)"]
    if report.synthetic:
        lines.append("  synthetic patients")
    lines.append(f"  the experts' names: {report.labels}")
    lines += _selectivity_lines("this run", report.selectivity, report.gate)
    for control in report.controls:
        lines += _control_lines(control)
    if report.markers:
        rows = [
            (
                m.marker,
                m.block,
                f"{m.patients:,}",
                f"{m.own:.3f}",
                f"{m.other:.3f}",
                f"{m.p:.3f}",
                f"{m.p_corrected:.3f}",
            )
            for m in report.markers
        ]
        lines += table(("marker", "block", "patients", "R² own", "R² other", "p", "p corrected (BH)"), rows)
    lines += [f"  left out, leaked: {name} ({why})" for name, why in report.leaked.items()]
    lines += [f"  left out: {name} ({why})" for name, why in report.skipped.items()]
    if report.stability:
        s = report.stability
        lines.append(
            f"  seeds agree: gate rank correlation {s.rank_correlation:.2f} ({s.rank_low:.2f} to {s.rank_high:.2f}), "
            f"groups' adjusted Rand index {s.rand_index:.2f} ({s.rand_low:.2f} to {s.rand_high:.2f})"
        )
    if report.treatment:
        lines += _treatment_lines(report.treatment)
    return lines + [f"  note: {n}" for n in report.notes]


def _selectivity_lines(title: str, selected: Mapping[str, Selectivity], gate: Association | None) -> list[str]:
    words = [f"{block} {s.value:+.3f} (p {s.p:.3f}, {s.markers} markers)" for block, s in selected.items()]
    lines = [f"  {title}: selectivity " + (", ".join(words) or "not testable")]
    if gate:
        lines.append(f"    tumour weight and measured dominance: Spearman {gate.correlation:+.2f} (p {gate.p:.3f})")
    return lines


def _control_lines(control: ControlResult) -> list[str]:
    lines = _selectivity_lines(control.title, control.selectivity, control.gate)
    for block, d in control.differences.items():
        lines.append(
            f"    run minus control, {block}: {d.mean:+.3f} ({d.low:+.3f} to {d.high:+.3f}), "
            f"p corrected (Holm) {d.p_corrected:.3f}"
        )
    return lines


def _treatment_lines(treatment: Treatment) -> list[str]:
    head = (
        f"  {treatment.column} from {treatment.time_zero}: {treatment.patients:,} patients, "
        f"{treatment.events:,} events, {treatment.without_arm:,} without a recorded arm"
    )
    if treatment.reason:
        return [f"{head}; not fitted: {treatment.reason}"]
    rows = [(t.term, f"{t.hazard_ratio:.2f}", f"{t.low:.2f} to {t.high:.2f}", f"{t.p:.3f}") for t in treatment.terms]
    return [head, "  descriptive, not causal:", *table(("term", "hazard ratio", "95 % interval", "p"), rows)]
