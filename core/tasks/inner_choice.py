"""Which of the models an outer fold takes, chosen on the training patients of that fold alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.results.by_cancer import by_cancer, rows_of
from core.results.prediction import COLUMNS, Predictions
from core.tasks.eleven_cancers import CANDIDATES, Tables
from core.tasks.fit_queue import Fit

INNER_SEEDS = 1


@dataclass(frozen=True)
class InnerChoice:
    """``inner`` outer fold → label → mean C of the cancers on the inner test patients · ``taken`` fold → label."""

    inner: Mapping[int, Mapping[str, float]]
    taken: Mapping[int, str]


def choice_fits(tables: Tables, folds: str, k: int) -> list[Fit]:
    """The models the choice of every outer fold is made by."""
    rows = [c for c in CANDIDATES if c.chosen]
    seeds = range(INNER_SEEDS)
    return [fit for fold in range(k) for row in rows for fit in tables.fits(row, inner(folds, fold), seeds)]


def choose(tables: Tables, folds: str, k: int) -> InnerChoice:
    """Look at every row that may be chosen on the fourth of the four training folds, its models trained on the other
    three (:func:`choice_fits`). One seed each; the row with the highest mean C over the cancers is taken."""
    may = [c for c in CANDIDATES if c.chosen]
    found: dict[int, dict[str, float]] = {}
    for fold in range(k):
        each = {row.label: tables.predictions(row, inner(folds, fold), INNER_SEEDS) for row in may}
        found[fold] = {label: mean_c(p, tables.cancers) for label, p in each.items()}
    return InnerChoice(found, {fold: max(values, key=lambda v: values[v]) for fold, values in found.items()})


def inner(folds: str, fold: int) -> str:
    """The words for the split of one outer fold's training patients."""
    return f"{folds}/inner{fold}"


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
