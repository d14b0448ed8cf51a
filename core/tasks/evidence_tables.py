"""The Markdown of EVIDENCE.md, made from cells and from nothing typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.cohort.cohort import Cohort
from core.cohort.splits import resolve_folds
from core.results.comparing import Difference, compare_predictions
from core.results.run import Metric
from core.statistics.comparison import holm
from core.tasks.cells import Cell

MODEL = "HDMoE"
REFERENCE_PUBLISHED = (
    ("plain family-wise SNN, rank-scaled genes, two seeds", (0.636, 0.648, 0.639, 0.672)),
    ("penalised Cox", (0.618, 0.629, 0.552, 0.570)),
    ("age + sex", (0.613, 0.627, 0.537, 0.510)),
)
"""Mean over the published folds measured earlier by others, the bar this table is read against."""


@dataclass(frozen=True, eq=False)
class EvidenceTables:
    """Tables over finished cells; ``cohorts`` by short name, ``families`` of folds in the order of the tables."""

    cells: Sequence[Cell]
    cohorts: Mapping[str, Cohort]
    families: tuple[str, ...] = ("published", "site")

    def markdown(self) -> list[str]:
        """The whole section."""
        machine = sorted({c.code_version for c in self.cells})
        hours = sum(c.seconds for c in self.cells) / 3600
        lines = [
            "Command: `./run cli bench evidence`. Inputs: gene table + age + sex; overall survival; outer folds choose",
            "nothing; the last of a fixed number of epochs. C-index over pairs within a fold, of the seed ensemble,",
            "with the 95 % bootstrap interval over patients; below it the mean ± sd over single seeds and folds.",
            f"Cells computed with code {', '.join(machine)}; {hours:.2f} h of computing on 2 cores in all.",
            "",
        ]
        for family in self.families:
            if MODEL not in self._labels(family):
                continue
            lines += [f"### {self._family_title(family)}", "", *self._c_table(family), ""]
            if family == "published":
                lines += [*self._reference_table(), ""]
            lines += [*self._difference_table(family), "", *self._calibration_table(family), ""]
        lines += ["### Does the model use its inputs?", "", *self._permutation_table(), ""]
        if any(map(_optimistic, self.cells)):
            lines += ["### The optimistic protocol, shown to say by how much", "", *self._upstream_table(), ""]
        return [*lines, "### Fold sizes", "", *self._fold_table()]

    @staticmethod
    def _family_title(family: str) -> str:
        if family == "published":
            return "Published folds (to compare with papers; sites are shared between training and test)"
        return "Site-grouped folds (to trust: no hospital is in both training and test)"

    def _labels(self, family: str) -> list[str]:
        """Honest rows that are finished on every cohort."""
        honest = [c.spec.label for c in self.cells if c.spec.folds == family and not _optimistic(c)]
        return [label for label in dict.fromkeys(honest) if honest.count(label) == len(self.cohorts)]

    def _cell(self, label: str, cohort: str, family: str) -> Cell:
        return next(c for c in self.cells if (c.spec.label, c.spec.cohort, c.spec.folds) == (label, cohort, family))

    def _c_table(self, family: str) -> list[str]:
        lines = [_header(["model", *(c.upper() for c in self.cohorts), "mean of the cohorts"])]
        for label in self._labels(family):
            metrics = [self._cell(label, cohort, family).metrics.harrell_c for cohort in self.cohorts]
            mean = float(np.mean([m.mean for m in metrics]))
            single = float(np.mean([m.seed_fold_mean for m in metrics]))
            name = f"**{label}**" if label == MODEL else label
            lines.append(_row([name, *(_c_cell(m) for m in metrics), f"**{mean:.3f}**<br>{single:.3f}"]))
        return lines

    def _reference_table(self) -> list[str]:
        head = ["measured earlier on the same folds (mean over folds)", *(c.upper() for c in self.cohorts), "mean"]
        rows = [
            _row([name, *(f"{v:.3f}" for v in values), f"{np.mean(values):.3f}"])
            for name, values in REFERENCE_PUBLISHED
        ]
        return [_header(head), *rows]

    def _difference_table(self, family: str) -> list[str]:
        """HDMoE minus every other row: paired bootstrap over patients, corrected t over folds, Holm over the table."""
        others = [
            label
            for label in self._labels(family)
            if label != MODEL
            and self._cell(label, next(iter(self.cohorts)), family).spec.estimator.name != "kaplan-meier"
        ]
        found: dict[tuple[str, str], Difference] = {}
        for label in others:
            for cohort in self.cohorts:
                ours, theirs = self._cell(MODEL, cohort, family), self._cell(label, cohort, family)
                found[label, cohort] = compare_predictions(ours.predictions, theirs.predictions)
        adjusted = dict(zip(found, holm([d.p for d in found.values()]), strict=True))
        lines = [_header([f"{MODEL} minus", *(c.upper() for c in self.cohorts)])]
        for label in others:
            cells = [
                f"{d.mean:+.3f} ({d.low:+.3f} to {d.high:+.3f})<br>p {adjusted[label, c]:.2f}"
                for c in self.cohorts
                for d in (found[label, c],)
            ]
            lines.append(_row([label, *cells]))
        note = "Paired bootstrap interval over patients; p: Nadeau-Bengio corrected t over folds and seeds, Holm over"
        return [*lines, "", f"{note} this table."]

    def _calibration_table(self, family: str) -> list[str]:
        lines = [_header(["model", *(f"{c.upper()}: IBS · D-cal. p · slope at 36" for c in self.cohorts)])]
        for label in self._labels(family):
            cells = []
            for cohort in self.cohorts:
                m = self._cell(label, cohort, family).metrics
                slope = m.calibration_slope.get("36", Metric(None))
                cells.append(f"{_three(m.ibs)} · {_three(m.d_calibration_p)} · {_three(slope)}")
            lines.append(_row([label, *cells]))
        return lines

    def _permutation_table(self) -> list[str]:
        lines = [_header([f"{MODEL}, C-index", *(c.upper() for c in self.cohorts)])]
        for family in self.families:
            if MODEL not in self._labels(family):
                continue
            cells = {cohort: self._cell(MODEL, cohort, family) for cohort in self.cohorts}
            lines.append(_row([f"{family} folds, as trained", *(_three(c.metrics.harrell_c) for c in cells.values())]))
            for name in next(iter(cells.values())).permuted:
                values = [_three(c.permuted[name]) for c in cells.values()]
                lines.append(_row([f"{family} folds, {name} permuted among the test patients", *values]))
        return lines

    def _upstream_table(self) -> list[str]:
        optimistic = {c.spec.cohort: c for c in self.cells if _optimistic(c)}
        honest = {c: self._cell("HDMoE, genomics alone", c, "published") for c in optimistic}
        head = ["genomics alone, published folds, mean over seeds and folds", *(c.upper() for c in optimistic)]
        lines = [_header(head)]
        rows = (("best epoch on the test fold (**optimistic**)", optimistic), ("fixed last epoch (honest)", honest))
        for name, cells in rows:
            lines.append(_row([name, *(f"{c.metrics.harrell_c.seed_fold_mean:.3f}" for c in cells.values())]))
        gain = [
            (optimistic[c].metrics.harrell_c.seed_fold_mean or 0) - (honest[c].metrics.harrell_c.seed_fold_mean or 0)
            for c in optimistic
        ]
        lines.append(_row(["the difference", *(f"{g:+.3f}" for g in gain)]))
        return [*lines, "", "Paper's Table 5 for genomics (same rule of selection): BLCA .664, BRCA .658, LUAD .662."]

    def _fold_table(self) -> list[str]:
        lines = [_header(["cohort", "folds", "patients (events) in each test fold"])]
        for name, cohort in self.cohorts.items():
            event = cohort.endpoint().event
            for family in self.families:
                folds = resolve_folds(cohort, family, cohort.endpoint().name)
                sizes = [folds.test(k) for k in range(folds.k)]
                lines.append(
                    _row([name.upper(), family, " · ".join(f"{len(r)} ({int(event[r].sum())})" for r in sizes)])
                )
        return lines


def _optimistic(cell: Cell) -> bool:
    return cell.spec.estimator.training.protocol == "upstream"


def _c_cell(metric: Metric) -> str:
    spread = f"{metric.seed_fold_mean:.3f} ± {metric.std:.3f}"
    if metric.low is None or metric.high is None:
        return f"{metric.mean:.3f}<br>{spread}"
    return f"{metric.mean:.3f} ({metric.low:.3f} to {metric.high:.3f})<br>{spread}"


def _three(metric: Metric) -> str:
    return "–" if metric.mean is None else f"{metric.mean:.3f}"


def _header(cells: Sequence[str]) -> str:
    return _row(cells) + "\n" + "|" + "---|" * len(cells)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def write_section(path: Path, name: str, lines: Sequence[str]) -> None:
    """Replace the section between its markers in a Markdown file; the rest of the file stays as it is."""
    begin, end = f"<!-- {name}: begin, made by a command -->", f"<!-- {name}: end -->"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    block = "\n".join([begin, *lines, end])
    if begin in text and end in text:
        head, _, rest = text.partition(begin)
        tail = rest.partition(end)[2]
        text = head + block + tail
    else:
        text = text.rstrip() + ("\n\n" if text.strip() else "") + block + "\n"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
