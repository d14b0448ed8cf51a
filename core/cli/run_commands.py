"""``evaluate``, ``compare`` and ``runs``: what needs the stored results alone, without torch."""

from __future__ import annotations

import argparse
import math
from typing import Any

from core.cli.output import Answer, metric_json, table, three, with_interval
from core.cli.paths import user_path
from core.cohort.cancer import cancers_of
from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.results.by_cancer import ByCancer, by_cancer
from core.results.comparing import Difference, compare_with_each
from core.results.evaluation import evaluate
from core.results.prediction import Predictions
from core.results.run import Metrics, Run
from core.results.run_store import list_runs, load_predictions, load_run
from core.results.spreadsheet import inert_csv
from core.results.workspace import Workspace


def add_commands(commands: Any) -> None:
    """Register the commands of this file."""
    add = commands.add_parser("evaluate", help="the metrics of a run again, or its predictions as a table")
    add.add_argument("run_id", metavar="RUN")
    add.add_argument("--horizons", default="", help="months; the run's own when left out")
    add.add_argument("--predictions", type=user_path, metavar="CSV", help="also write every out-of-fold prediction")
    add.set_defaults(run=run_evaluate)
    add = commands.add_parser("compare", help="two or more runs on the same patients, paired")
    add.add_argument("run_ids", metavar="RUN", nargs="+")
    add.set_defaults(run=run_compare)
    commands.add_parser("runs", help="list the runs").set_defaults(run=run_runs)


def months_of(text: str, option: str) -> tuple[float, ...]:
    """Comma-separated months, ascending."""
    try:
        months = sorted({float(x) for x in text.split(",") if x.strip()})
    except ValueError as error:
        raise PrognoscopeError(f"{text!r} is not a list of months", option, "write e.g. 12,36,60") from error
    if not all(0 < month < math.inf for month in months):
        raise PrognoscopeError(f"{text!r} holds a month that is not above 0", option, "write e.g. 12,36,60")
    return tuple(months)


def run_evaluate(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Recompute a run's metrics from its stored predictions."""
    run = load_run(args.run_id, workspace)
    predictions = load_predictions(args.run_id, workspace)
    horizons = months_of(args.horizons, "--horizons") or run.horizons
    if args.predictions is not None:
        try:
            args.predictions.write_text(inert_csv(predictions.as_table()), encoding="utf-8")
        except OSError as error:
            raise PrognoscopeError(
                f"a file that cannot be written ({error.strerror or 'no such folder'})", str(args.predictions),
                "name a file in a folder you may write to",
            ) from error  # fmt: skip
    return answer_of(run, evaluate(predictions, horizons), each_cancer(run, predictions, workspace))


def each_cancer(run: Run, predictions: Predictions, workspace: Workspace) -> ByCancer | None:
    """Every cancer by itself, for a run on several; None for one cancer, or where the cohort is gone or another."""
    if run.cohort not in workspace.names(workspace.cohorts):
        return None
    cohort = load_cohort(run.cohort, workspace)
    cancers = cancers_of(cohort) if cohort.content_hash == run.cohort_hash else {}
    return by_cancer(predictions, cancers) if cancers else None


def answer_of(run: Run, metrics: Metrics, each: ByCancer | None = None) -> Answer:
    """A run's metrics under the keys of the contract, and as lines to read."""
    single = ("harrell_c", "uno_c", "ibs", "ibs_kaplan_meier", "d_calibration_p")
    keyed = ("auc", "auc_naive", "calibration_slope", "ici")
    values: dict[str, Any] = {name: metric_json(getattr(metrics, name)) for name in single}
    for name in keyed:
        values[name] = {month: metric_json(m) for month, m in getattr(metrics, name).items()}
    answer = {
        "run": run.id,
        "cohort": run.cohort,
        "model": run.model,
        "protocol": run.protocol,
        "folds": run.folds,
        "seeds": list(run.seeds),
        "seconds": round(run.seconds, 1),
        "metrics": values,
        "references": [{"name": r.name, "harrell_c": metric_json(r.metrics.harrell_c)} for r in run.references],
        "warnings": list(run.warnings),
    }
    lines = _lines(run, metrics)
    if each is not None:
        rows = [{"cancer": r.cancer, "patients": r.patients, "events": r.events, "harrell_c": metric_json(r.harrell_c)}
                for r in each.rows]  # fmt: skip
        answer["by_cancer"] = {"cancers": rows, "mean": metric_json(each.mean)}
        lines += ["", *_cancer_lines(each)]
    return Answer(answer, lines)


def _cancer_lines(each: ByCancer) -> list[str]:
    rows = [(r.cancer, f"{r.patients:,}", f"{r.events:,}", with_interval(r.harrell_c)) for r in each.rows]
    total = sum(r.patients for r in each.rows), sum(r.events for r in each.rows)
    rows.append(("mean of the cancers", f"{total[0]:,}", f"{total[1]:,}", with_interval(each.mean)))
    return table(("pairs within a cancer", "patients", "events", "Harrell C (95 % interval)"), rows)


def _lines(run: Run, metrics: Metrics) -> list[str]:
    counted = f"{run.patients:,} patients, {run.events:,} events"
    head = f"{run.model} on {run.cohort}: {counted}, {run.n_folds} folds ({run.folds})"
    rows = [("Harrell C", with_interval(metrics.harrell_c), metrics.harrell_c.note)]
    mean, std = metrics.harrell_c.seed_fold_mean, metrics.harrell_c.std
    rows.append(("  mean over seeds and folds", f"{three(mean)} ± {three(std)}", ""))
    rows.append(("Uno C", with_interval(metrics.uno_c), metrics.uno_c.note))
    rows.append(("Integrated Brier score", with_interval(metrics.ibs), metrics.ibs.note))
    rows.append(("  Kaplan-Meier null", with_interval(metrics.ibs_kaplan_meier), ""))
    rows += [(f"AUC at {month} months, IPCW", with_interval(m), "") for month, m in metrics.auc.items()]
    rows += [(f"AUC at {month} months, naive", with_interval(m), "") for month, m in metrics.auc_naive.items()]
    rows.append(("D-calibration p", with_interval(metrics.d_calibration_p), metrics.d_calibration_p.note))
    rows += [(f"Calibration slope at {k}", with_interval(m), "") for k, m in metrics.calibration_slope.items()]
    rows += [(f"ICI at {k}", with_interval(m), "") for k, m in metrics.ici.items()]
    lines = [head, f"run {run.id}, {run.seconds:.0f} s, {run.protocol} protocol", *run.warnings, ""]
    lines += table(("metric", "value (95 % interval)", ""), rows)
    if run.references:
        reference = [(r.name, with_interval(r.metrics.harrell_c), three(r.metrics.ibs.mean)) for r in run.references]
        lines += ["", *table(("read it against", "Harrell C", "IBS"), reference)]
    return lines


def run_compare(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """The first run minus each of the others."""
    if len(args.run_ids) < 2:
        raise PrognoscopeError("one run", "compare", "name at least two runs")
    runs = {run_id: load_run(run_id, workspace) for run_id in dict.fromkeys(args.run_ids)}
    predictions = {run_id: load_predictions(run_id, workspace) for run_id in runs}
    first, *others = args.run_ids
    found = compare_with_each(predictions[first], {other: predictions[other] for other in others})
    rows = [
        (
            other,
            f"{d.mean:+.3f}",
            f"{d.low:+.3f} to {d.high:+.3f}",
            f"{d.fold_mean:+.3f}",
            f"{d.p:.3f}",
            f"{d.p_adjusted:.3f}",
            f"{d.patients:,}",
        )
        for other, d in found.items()
    ]
    header = (f"{first} minus", "ΔC", "95 % paired bootstrap", "fold mean", "p (Nadeau-Bengio)", "Holm", "patients")
    warnings = [f"{run_id}: {w}" for run_id, run in runs.items() for w in run.warnings]
    nearest = found[others[0]]
    answer = {
        "runs": args.run_ids,
        "difference": {"harrell_c": {"mean": nearest.mean, "low": nearest.low, "high": nearest.high}},
        "differences": {other: _json(d) for other, d in found.items()},
        "correction": "holm",
        "warnings": warnings,
    }
    return Answer(answer, [*warnings, *table(header, rows)])


def _json(difference: Difference) -> dict[str, float | None]:
    """The fields, with None for what has no number: JSON knows no NaN."""
    return {k: v if math.isfinite(v) else None for k, v in vars(difference).items()}


def run_runs(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """List what has been trained."""
    runs = list_runs(workspace)
    rows = [
        (r.id, r.cohort, r.model, "+".join(r.modalities), r.folds, r.protocol, with_interval(r.metrics.harrell_c))
        for r in runs
    ]
    lines = table(("run", "cohort", "model", "modalities", "folds", "protocol", "Harrell C"), rows)
    answer = {"runs": [{"run": r.id, "cohort": r.cohort, "model": r.model, "created_at": r.created_at} for r in runs]}
    return Answer(answer, lines or ["No run yet: ./run cli train --cohort NAME"])
