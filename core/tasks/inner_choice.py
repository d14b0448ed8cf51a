"""Which of the models an outer fold takes, chosen on the training patients of that fold alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.results.by_cancer import by_cancer, rows_of
from core.results.prediction import COLUMNS, Predictions
from core.tasks.eleven_cancers import CANDIDATES, Tables, averaged
from core.tasks.train import Progress

INNER_SEEDS = 1


@dataclass(frozen=True)
class InnerChoice:
    """``inner`` outer fold → label → mean C of the cancers on the inner test patients · ``taken`` fold → label."""

    inner: Mapping[int, Mapping[str, float]]
    taken: Mapping[int, str]


def choose(tables: Tables, folds: str, k: int, progress: Progress) -> InnerChoice:
    """Train every row that may be chosen on three of the four training folds, and look at the fourth.

    One seed each; the row with the highest mean C over the cancers is taken.
    """
    may = [c for c in CANDIDATES if c.chosen]
    single = [c for c in may if not c.members]
    inner: dict[int, dict[str, float]] = {}
    for fold in range(k):
        parts: dict[str, Predictions] = {}
        for i, row in enumerate(single):

            def tell(share: float, words: str, at: int = i, fold: int = fold, label: str = row.label) -> None:
                done = (fold + (at + share) / len(single)) / k
                progress(done, f"choice inside fold {fold + 1}, {label}: {words}")

            parts[row.label] = tables.predictions(row, f"{folds}/inner{fold}", INNER_SEEDS, tell)
        for row in may:
            if row.members:
                parts[row.label] = averaged([parts[name] for name in row.members], tables.cancers)
        inner[fold] = {label: mean_c(found, tables.cancers) for label, found in parts.items()}
    return InnerChoice(inner, {fold: max(values, key=lambda v: values[v]) for fold, values in inner.items()})


def mean_c(found: Predictions, cancers: Mapping[str, str]) -> float:
    """Mean over cancers of Harrell's C of the seed ensemble."""
    mean = by_cancer(found, cancers, repeats=1).mean.mean
    return float("nan") if mean is None else mean


def as_chosen(choice: InnerChoice, rows: Mapping[str, Predictions]) -> Predictions:
    """Each outer fold's test patients as predicted by the row that the fold took (seed ensembles)."""
    parts = []
    for fold, label in choice.taken.items():
        ensemble = rows[label].ensemble()
        parts.append(rows_of(ensemble, (ensemble.table["fold"] == fold).to_numpy()))
    return stacked(parts)


def stacked(parts: list[Predictions]) -> Predictions:
    """Risks of different folds under each other; they are compared within a fold alone, so S(t) is left out."""
    import pandas as pd

    table = pd.concat([p.table for p in parts], ignore_index=True)[list(COLUMNS)]
    return Predictions(table, np.zeros(0), np.zeros((len(table), 0)))
