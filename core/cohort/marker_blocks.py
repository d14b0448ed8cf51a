"""Which clinical markers speak of the liver and which of the tumour, and as what numbers they are tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from core.arrays import FloatArray
from core.cohort.cohort import Cohort, Role

LIVER, TUMOUR, MIXED = "liver", "tumour", "mixed"

BLOCKS: Mapping[str, str] = {
    **dict.fromkeys(("bilirubin", "albumin", "inr", "platelets", "albi", "child_pugh", "meld", "ishak"), LIVER),
    **dict.fromkeys(("log10_afp", "tumour_size", "tumour_number", "vascular_invasion"), TUMOUR),
    **dict.fromkeys(("bclc", "stage"), MIXED),
}
"""Marker → block (MODELS.md 1.3). BCLC and stage hold liver function and tumour burden: they are judged apart."""

_ORDERS: tuple[tuple[str, ...], ...] = (
    ("none", "micro", "macro"),
    ("a", "b", "c"),
    ("0", "a", "b", "c", "d"),
    ("stage i", "stage ii", "stage iii", "stage iv"),
)


WORSE: Mapping[str, int] = {"albumin": -1, "platelets": -1}
"""Sign with which a marker grows with the disease, +1 where it is not listed."""


@dataclass(frozen=True, eq=False)
class Markers:
    """``values`` name → (n,) numbers, NaN = missing, as normal scores of their ranks · ``blocks`` name → block ·
    ``skipped`` name → why a marker of the cohort is not tested."""

    values: Mapping[str, FloatArray]
    blocks: Mapping[str, str]
    skipped: Mapping[str, str]


def markers_of(cohort: Cohort, fewest: int) -> Markers:
    """The cohort's markers that can be tested: never a model's input, with at least ``fewest`` values.

    Laboratory values are skewed over decades, so each marker becomes the normal scores of its ranks.
    """
    values, blocks, skipped = dict[str, FloatArray](), dict[str, str](), dict[str, str]()
    for column in cohort.patients.columns:
        block = BLOCKS.get(_plain(column))
        if block is None:
            continue
        numbers = _numbers(cohort.patients[column])
        known = int(np.isfinite(numbers).sum())
        if cohort.roles[column] is Role.INPUT:
            skipped[column] = "an input of the model"
        elif known < fewest:
            skipped[column] = f"{known} values, fewer than {fewest}"
        elif len(np.unique(numbers[np.isfinite(numbers)])) < 2:
            skipped[column] = "the same value in everybody"
        else:
            values[column], blocks[column] = _normal_scores(numbers), block
    return Markers(values, blocks, skipped)


def dominance(values: Mapping[str, FloatArray], blocks: Mapping[str, str]) -> FloatArray | None:
    """(n,) mean tumour finding minus mean liver finding, each marker pointing to disease; None without both blocks."""
    means = []
    for block in (TUMOUR, LIVER):
        own = [WORSE.get(_plain(m), 1) * v for m, v in values.items() if blocks[m] == block]
        if not own:
            return None
        table = np.stack(own)
        known = np.isfinite(table)
        total = np.where(known, table, 0.0).sum(axis=0)
        means.append(np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan))
    return np.asarray(means[0] - means[1])


def _plain(column: str) -> str:
    return column.lower().replace(" ", "_").replace("-", "_").removesuffix("_class").removesuffix("_score")


def _numbers(column: pd.Series) -> FloatArray:
    """Numbers as they are; ordered categories as their place (``A`` < ``B``, ``none`` < ``micro``)."""
    if column.dtype != object and not isinstance(column.dtype, pd.StringDtype):
        return np.asarray(column, dtype=float)
    words = column.astype("string").str.lower().str.strip()
    present = {str(w) for w in words.dropna().unique()}
    for order in _ORDERS:
        if present <= set(order):
            return np.asarray(words.map({w: float(i) for i, w in enumerate(order)}).astype(float), dtype=float)
    # "Stage IIIA", "A5": the first letter or Roman number orders them
    roman = words.str.extract(r"\b(iv|i{1,3})", expand=False).map({"i": 1.0, "ii": 2.0, "iii": 3.0, "iv": 4.0})
    letter = words.str.extract(r"^([a-d])\d*$", expand=False).map({"a": 0.0, "b": 1.0, "c": 2.0, "d": 3.0})
    return np.asarray(roman.fillna(letter).astype(float), dtype=float)


def _normal_scores(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    scores = np.full(len(values), np.nan)
    scores[known] = ndtri((rankdata(values[known]) - 0.5) / known.sum())
    return scores
