"""``predict`` and ``score-new``: a stored run scores the patients of another cohort, or a new patient from a folder."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path
from typing import Any

from core.cli.output import Answer, ProgressBar, metric_json, table, three, with_interval
from core.errors import PrognoscopeError
from core.results.prediction_set import Agreement, PredictionSet
from core.results.workspace import Workspace
from core.tasks.predict import PredictRequest, predict
from core.tasks.score_new import ScoreNewRequest, score_new

SHOWN = 12


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("predict", help="score the patients of a cohort with a stored run")
    add.add_argument("--run", required=True, dest="run_id", metavar="RUN")
    add.add_argument("--cohort", required=True)
    add.add_argument("--all", action="store_true", help=f"print every patient, not the first {SHOWN}")
    add.set_defaults(run=run_predict)
    new = commands.add_parser("score-new", help="score a new patient from a folder with a table and files")
    new.add_argument(
        "path", type=Path, help="folder or zip: patients.csv with a column id, slides/, volumes/, reports/"
    )
    new.add_argument("--run", required=True, dest="run_id", metavar="RUN")
    new.add_argument("--name", default="", help="of the small cohort it becomes; made up when left out")
    new.add_argument("--gene-unit", action="append", default=[], metavar="KIND=UNIT", help="where it is not the run's")
    new.set_defaults(run=run_score_new, all=True)


def run_predict(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Score and print."""
    found = predict(PredictRequest(args.run_id, args.cohort), workspace, ProgressBar())
    return _answer(found, args.all)


def run_score_new(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Store the patient as a small cohort, score and print."""
    path = args.path.resolve()
    if not path.exists():
        raise PrognoscopeError("no such folder or zip", path.name, "check the path")
    units = dict(pair.partition("=")[::2] for pair in args.gene_unit)
    name = args.name or f"new-{secrets.token_hex(4)}"
    request = ScoreNewRequest(args.run_id, str(path), name, "New patient", units)
    return _answer(score_new(request, workspace, ProgressBar()), args.all)


def _answer(found: PredictionSet, every: bool) -> Answer:
    answer = {
        "run": found.run,
        "cohort": found.cohort,
        "prediction": found.id,
        "kind": found.kind.value,
        "members": found.members,
        "spread": list(found.spread),
        "tau": found.tau,
        "unsupported": found.unsupported,
        "overlap": found.overlap,
        "masked": dict(found.masked),
        "notes": [{"words": words, "count": count} for words, count in found.notes],
        "agreement": [_agreement_json(a) for a in found.agreement],
        "no_agreement": found.no_agreement,
        "warnings": list(found.warnings),
        "patients": found.patients_json(),
    }
    return Answer(answer, _lines(found, None if every else SHOWN))


def _agreement_json(agreement: Agreement) -> dict[str, Any]:
    value: dict[str, Any] = {
        "who": agreement.who, "patients": agreement.patients, "events": agreement.events, "reason": agreement.reason,
    }  # fmt: skip
    if agreement.metrics is not None:
        m = agreement.metrics
        value |= {k: metric_json(getattr(m, k)) for k in ("harrell_c", "uno_c", "ibs", "ibs_kaplan_meier")}
        value |= {k: {t: metric_json(x) for t, x in getattr(m, k).items()} for k in ("auc", "calibration_slope", "ici")}
    return value


def _lines(found: PredictionSet, most: int | None) -> list[str]:
    n = len(found)
    low, high = (f"{100 * q:g} %" for q in found.spread)
    lines = [
        f"{found.model} run {found.run} on {found.cohort}: {n:,} patients, {n - found.unsupported:,} with an estimate, "
        f"{found.unsupported:,} outside the training support, {found.members} models",
        *(f"  warning: {w}" for w in found.warnings),
        *(f"  {modality} masked: {reason}" for modality, reason in found.masked.items()),
        *(f"  {count:,} {words}" for words, count in found.notes),
        "",
        *_patients(found, most),
        f"S: mean over the models (their {low} to {high} quantiles: the models' spread, no confidence interval). "
        + (f"Risk: share of the first {found.tau:g} months expected lost." if found.tau else ""),
        "",
    ]
    if found.no_agreement:
        return [*lines, f"Not compared with outcomes: {found.no_agreement}."]
    return [*lines, f"{found.kind.value.capitalize()}, {found.endpoint}:", *_agreement_table(found)]


def _patients(found: PredictionSet, most: int | None) -> list[str]:
    at = {h: found.at(h) for h in found.horizons}
    rows = []
    for i, row in enumerate(found.table.head(most).to_dict("records") if most else found.table.to_dict("records")):
        cells = [
            f"{f['survival'].iloc[i]:.2f} ({f['low'].iloc[i]:.2f} to {f['high'].iloc[i]:.2f})"
            if f["survival"].notna().iloc[i]
            else "–"
            for f in at.values()
        ]
        risk = three(row["risk"]) if row["supported"] else "–"
        rows.append((row["id"], risk, *cells, row["reason"] or ("trained on" if row["overlap"] else "")))
    lines = table(("patient", "risk", *(f"S({h:g} months)" for h in at), ""), rows)
    left = len(found) - len(rows)
    return [*lines, *([f"… and {left:,} more (--all)"] if left else [])]


def _agreement_table(found: PredictionSet) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for a in found.agreement:
        counts = (a.who, f"{a.patients:,}", f"{a.events:,}")
        if a.metrics is None:
            rows.append((*counts, a.reason, "", "", ""))
        else:
            m = a.metrics
            ibs = (with_interval(x) for x in (m.ibs, m.ibs_kaplan_meier))
            rows.append((*counts, with_interval(m.harrell_c), with_interval(m.uno_c), *ibs))
    return table(("", "patients", "events", "Harrell C", "Uno C", "IBS", "IBS, Kaplan-Meier of the training"), rows)
