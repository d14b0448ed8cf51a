"""The Markdown of the eleven cancers, made from predictions and from nothing typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.cohort.splits import resolve_folds
from core.cohort.wording import plural
from core.results.by_cancer import ByCancer, rows_of
from core.results.evaluation import Repeats, evaluate
from core.results.prediction import Predictions
from core.results.run import Metric
from core.statistics.comparison import Interval
from core.tasks.eleven_cancers import Tables
from core.tasks.eleven_sites import SiteAudit
from core.tasks.inner_choice import InnerChoice
from core.tasks.markdown import table_header, table_row
from core.tasks.mice_study import cancer_name

FOUR = ("blca", "brca", "luad", "lihc")
AIM = 0.70
TITLES = {
    "published": "Published folds (to compare with papers; sites are shared between training and test)",
    "site": "Site-grouped folds (to trust: no hospital is in both training and test)",
}
FEW = Repeats(harrell=2, other=2, calibration=2)


@dataclass(frozen=True, eq=False)
class FamilyResult:
    """One family of folds: scores by row, (row, reference) → paired difference of the mean C, the choice, the
    predictions, row → modality → mean C with it permuted among the test patients, and the site audit."""

    name: str
    scores: Mapping[str, ByCancer]
    differences: Mapping[tuple[str, str], Interval]
    choice: InnerChoice
    predictions: Mapping[str, Predictions]
    permuted: Mapping[str, Mapping[str, float]]
    sites: SiteAudit


def eleven_lines(found: Sequence[FamilyResult], tables: Tables, seeds: int, full: bool) -> list[str]:
    """The whole section."""
    lines = [
        f"Command: `./run cli bench evidence-eleven{' --full' if full else ''}`. The eleven TCGA gene tables with",
        f"age and sex, overall survival; {plural(seeds, 'seed')} of the neural models, averaged; outer folds choose",
        "nothing. C: Harrell's over pairs within a fold and a cancer; mean over the cancers with its 95 % bootstrap",
        "interval over patients. MICE is trained on all cancers at once, the others on each cancer's table.",
        "*Together*: the mean of the three models' survival curves, no weight chosen. *Chosen inside each fold*:",
        "trained on three of a fold's four training parts with one seed; the row with the best mean C on the fourth is",
        f"taken.{' The published MICE: one seed.' if full else ''}",
        "",
    ]
    for family in found:
        lines += [f"### {TITLES[family.name]}", "", *_c_table(family), "", *_differences(family), ""]
        lines += [*_choice(family), "", *_calibration(family, tables), "", *_aim(family), ""]
        lines += [*_permuted(family), "", *_site_lines(family), ""]
    return [*lines, "### Fold sizes", "", *_folds(tables)]


def _c_table(family: FamilyResult) -> list[str]:
    first = next(iter(family.scores.values()))
    names = [row.cancer.removeprefix("tcga-").upper() for row in first.rows]
    lines = [table_header(["model", "mean of the cancers (95 %)", *names])]
    for label, score in family.scores.items():
        each = [_three(row.harrell_c) for row in score.rows]
        lines.append(table_row([label, _interval(score.mean), *each]))
    return lines


def _differences(family: FamilyResult) -> list[str]:
    against = list(dict.fromkeys(reference for _, reference in family.differences))
    rows = list(dict.fromkeys(label for label, _ in family.differences))
    lines = [table_header(["mean C of this row minus", *against])]
    for label in rows:
        cells = [_signed(family.differences.get((label, reference))) for reference in against]
        lines.append(table_row([label, *cells]))
    return [*lines, "", "Paired bootstrap over patients, the same patients in both rows."]


def _choice(family: FamilyResult) -> list[str]:
    labels = list(next(iter(family.choice.inner.values())))
    lines = [table_header(["inner mean C, outer fold", *labels, "taken"])]
    for fold, values in family.choice.inner.items():
        lines.append(table_row([str(fold + 1), *(f"{values[v]:.3f}" for v in labels), family.choice.taken[fold]]))
    return lines


def _calibration(family: FamilyResult, tables: Tables) -> list[str]:
    """IBS, D-calibration and slope of the four cohorts of the other table, for every row with curves."""
    cancers = tables.cancers
    lines = [table_header(["model", *(f"{c.upper()}: IBS · D-cal. p · slope at 36" for c in FOUR)])]
    for label, predictions in family.predictions.items():
        if not len(predictions.times):
            continue
        named = predictions.table["id"].map(cancers)
        cells = []
        for short in FOUR:
            part = rows_of(predictions, (named == cancer_name(short)).to_numpy())
            known = np.isfinite(part.survival).all(axis=0)
            clean = Predictions(part.table, part.times[known], part.survival[:, known])
            m = evaluate(clean, tuple(t for t in (36.0,) if t in clean.times), FEW)
            slope = m.calibration_slope.get("36", Metric(None))
            cells.append(f"{_three(m.ibs)} · {_three(m.d_calibration_p)} · {_three(slope)}")
        lines.append(table_row([label, *cells]))
    return lines


def _permuted(family: FamilyResult) -> list[str]:
    modalities = list(next(iter(family.permuted.values())))
    lines = [
        table_header(["does it use its inputs? mean C", "as trained", *(f"{m} permuted" for m in modalities)]),
    ]
    for label, values in family.permuted.items():
        as_trained = _three(family.scores[label].mean)
        lines.append(table_row([label, as_trained, *(f"{values[m]:.3f}" for m in modalities)]))
    return [*lines, "", "Permuted among the test patients of a fold, the models as trained."]


def _site_lines(family: FamilyResult) -> list[str]:
    audit = family.sites
    lines = [table_header(["does it know the hospital?", "balanced accuracy", "chance", "cancers"])]
    for label, found in audit.rows.items():
        accuracy, chance = audit.mean(label)
        lines.append(table_row([label, f"{accuracy:.3f}", f"{chance:.3f}", str(len(found))]))
    return [
        *lines,
        "",
        "Tissue-source site by cross-validated penalised logistic regression from what the model of fold 1 and",
        "the first seed reads its answer from; sites with at least 10 patients; mean over the cancers.",
    ]


def _aim(family: FamilyResult) -> list[str]:
    """The sentence about the aim, from the numbers."""
    label = list(family.scores)[-1]
    mean = family.scores[label].mean.mean or float("nan")
    word = "reached" if mean >= AIM else f"missed by {AIM - mean:.3f}"
    return [f"Aim of {AIM:.2f} for *{label.lower()}*: {mean:.4f}, {word}."]


def _folds(tables: Tables) -> list[str]:
    lines = [table_header(["cancer", "folds", "patients (events) in each test fold"])]
    for name, cohort in tables.single.items():
        event = cohort.endpoint().event
        for family in TITLES:
            folds = resolve_folds(cohort, family, cohort.endpoint().name)
            sizes = " · ".join(f"{len(folds.test(k))} ({int(event[folds.test(k)].sum())})" for k in range(folds.k))
            lines.append(table_row([name.upper(), family, sizes]))
    return lines


def _interval(metric: Metric) -> str:
    if metric.mean is None or metric.low is None or metric.high is None:
        return _three(metric)
    return f"**{metric.mean:.4f}** ({metric.low:.3f} to {metric.high:.3f})"


def _three(metric: Metric) -> str:
    return "–" if metric.mean is None else f"{metric.mean:.3f}"


def _signed(difference: Interval | None) -> str:
    if difference is None:
        return "–"
    return f"{difference.mean:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
