"""``explain``: what moved a patient's estimate, or with ``--all`` a run's estimates."""

from __future__ import annotations

import argparse
import math
from typing import Any

from core.cli.cluster_option import add_cluster
from core.cli.output import Answer, ProgressBar, table
from core.errors import PrognoscopeError
from core.results.cohort_explanation import CohortExplanation
from core.results.explained import Kind
from core.results.explanation import Explanation, load_explanation
from core.results.workspace import Workspace
from core.tasks.explain import Explained, ExplainRequest, explain
from core.tasks.explain_cohort import ExplainCohortRequest, explain_run
from core.workers.cluster import on_cluster

SHOWN = 15


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("explain", help="what moved a patient's estimate, and where the models looked")
    add.add_argument("explained", metavar="RUN")
    add.add_argument("patient", metavar="PATIENT", nargs="?", default="", help="pseudonym; none with --all")
    add.add_argument("--month", type=float, default=None, help="of survival; the horizon nearest 36 when left out")
    add.add_argument("--kinds", default="", help=f"comma-separated: {', '.join(Kind)}; all that can be when left out")
    add.add_argument("--all", action="store_true", help="many patients of the run at once: which values count overall")
    add.add_argument("--patients", type=int, default=ExplainCohortRequest.patients, help="with --all: how many at most")
    add.add_argument("--cohort", default="", help="of a patient who is new to the run; the run's own when left out")
    add_cluster(add)
    add.set_defaults(run=run_explain)


def run_explain(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Explain, store and print."""
    if args.all == bool(args.patient):
        raise PrognoscopeError(
            "a patient and --all" if args.all else "no patient", "the command", "give a patient, or --all"
        )
    if args.all:
        with on_cluster(args.cluster):
            request = ExplainCohortRequest(args.explained, args.month, args.patients)
            found = explain_run(request, workspace, ProgressBar())
        return Answer(_cohort_json(found), _cohort_lines(found))
    kinds = tuple(k.strip() for k in args.kinds.split(",") if k.strip())
    one = ExplainRequest(args.explained, args.patient, args.month, kinds, args.cohort)
    made = explain(one, workspace, ProgressBar())
    values = None
    if Kind.VALUES in made.made:
        values = load_explanation(made.run, args.patient, made.month, workspace)
    return Answer(_json(args.patient, made, values), _lines(made, values))


def _json(patient: str, made: Explained, values: Explanation | None) -> dict[str, Any]:
    """The keys of the contract; without values (another kind was asked for) their numbers are null."""
    named: list[dict[str, Any]] = []
    if values is not None:
        named = values.features[["name", "group", "value"]].to_dict("records")
    return {
        "run": made.run,
        "patient": patient,
        "unit": f"percentage points of survival at month {made.month:g}",
        "prediction": None if values is None else values.prediction,
        "baseline": None if values is None else values.baseline,
        "residual": None if values is None else values.residual,
        "features": named,
        "month": made.month,
        "made": [k.value for k in made.made],
        "refused": {k.value: why for k, why in made.refused.items()},
        **({} if values is None else _stability_json(values)),
    }


def _stability_json(values: Explanation) -> dict[str, Any]:
    return {
        "agreement": values.agreement,
        "rank_agreement": values.rank_agreement,
        "stable_ranks": values.stable_ranks,
        "models": values.models,
        "background": values.background,
        "seconds": values.seconds,
        "notes": list(values.notes),
    }


def _lines(made: Explained, values: Explanation | None) -> list[str]:
    lines: list[str] = []
    if values is not None:
        lines += _values_lines(values)
    stored = [k.value for k in made.made if k is not Kind.VALUES]
    if stored:
        lines.append(f"Stored: {', '.join(stored)}.")
    return [*lines, *(f"Not made: {kind.value} ({why})" for kind, why in made.refused.items())]


def _values_lines(values: Explanation) -> list[str]:
    synthetic = ", a synthetic patient" if values.synthetic else ""
    lines = [
        f"Survival at month {values.month:g}: {values.prediction:.2f} % (mean of {values.models} models that never saw "
        f"the patient{synthetic})",
        f"  {values.baseline:.2f} % for {values.background} patients of the training, and in percentage points:",
        "",
        *table(("modality", "points", "inputs"), _rows(values.by_group(), ("group", "value", "features"))),
        "",
    ]
    if values.stable_ranks:
        shown = values.features.head(SHOWN)
        rows = [
            (r["name"], r["group"], f"{r['value']:+.3f}", f"{r['std']:.3f}", f"{r['sign_share']:.2f}", r["observed"])
            for r in shown.to_dict("records")
        ]
        lines += table(("input", "modality", "points", "± std", "same sign", "value"), rows)
        left = len(values.features) - len(shown)
        lines += [f"… and {left:,} more (--json)"] if left > 0 else []
    else:
        why = "there is one model" if values.rank_agreement is None else "the models do not agree on it"
        lines.append(f"The order of the single inputs is not shown: {why}.")
    lines += [
        "",
        f"{values.baseline:.4f} + {values.features['value'].sum():+.4f} + residual {values.residual:+.1e} "
        f"= {values.prediction:.4f} %",
        *([f"Spearman correlation with {values.check_method}: {values.agreement:.3f}"] if values.agreement else []),
        *(f"  note: {n}" for n in values.notes),
        "What the model responds to, not what causes or would change an outcome. Research use only.",
    ]
    return lines


def _rows(frame: Any, columns: tuple[str, str, str]) -> list[tuple[str, ...]]:
    name, value, count = columns
    return [(r[name], f"{r[value]:+.3f}", f"{r[count]:,}") for r in frame.to_dict("records")]


def _cohort_json(found: CohortExplanation) -> dict[str, Any]:
    rows = found.features.astype(object).where(found.features.notna(), None).to_dict("records")
    return {
        "run": found.run,
        "month": found.month,
        "unit": found.unit,
        "patients": len(found.patients),
        "models": found.models,
        "background": found.background,
        "rank_agreement": found.rank_agreement,
        "stable_ranks": found.stable_ranks,
        "features": rows,
        "seconds": found.seconds,
        "notes": list(found.notes),
    }


def _cohort_lines(found: CohortExplanation) -> list[str]:
    synthetic = " synthetic" if found.synthetic else ""
    lines = [
        f"{len(found.patients)}{synthetic} patients of {found.run}, out of fold; mean size in {found.unit}",
        "",
    ]
    if found.stable_ranks:
        rows = [_cohort_row(r) for r in found.features.head(SHOWN).to_dict("records")]
        lines += table(("rank", "input", "modality", "points", "± std", "ranks of the seeds", "direction"), rows)
        lines.append("direction: rank correlation of value and contribution, + = a high value raises survival")
    else:
        why = "there is one seed" if found.rank_agreement is None else "the seeds do not agree on it"
        lines.append(f"The order is not shown: {why}.")
    agreement = "–" if found.rank_agreement is None else f"{found.rank_agreement:.2f}"
    return [*lines, "", f"rank correlation between seeds {agreement}", *(f"  note: {n}" for n in found.notes)]


def _cohort_row(r: dict[Any, Any]) -> tuple[str, ...]:
    direction = f"{r['direction']:+.2f}" if math.isfinite(r["direction"]) else ""
    ranks = f"{r['rank_low']} to {r['rank_high']}"
    return str(r["rank"]), r["name"], r["group"], f"{r['importance']:.3f}", f"{r['std']:.3f}", ranks, direction
