"""What sets one group of patients apart from the others: clinical columns and genes, with effect sizes and FDR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import rankdata

from core.arrays import BoolArray, FloatArray
from core.cohort.cohort import Cohort, Role
from core.cohort.selection import MISSING
from core.statistics.comparison import benjamini_hochberg

FEWEST = 10
"""Patients a group needs on either side before anything is compared."""
MOST_LEVELS = 12
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Profile:
    """One row a column or level: ``name``, ``kind`` (clinical value, marker, gene …), ``effect`` −1..1, ``inside`` and
    ``outside`` (medians, or shares of a level), ``p``, ``q`` (Benjamini-Hochberg over all rows), ``inside_n``,
    ``outside_n``. ``reason`` says why nothing was compared, else ""."""

    table: pd.DataFrame
    inside: int
    outside: int
    reason: str = ""


def profile(cohort: Cohort, inside: BoolArray, outside: BoolArray, label: bool = True) -> Profile:
    """Compare the patients ``inside`` with those ``outside`` (both (n,) over the cohort) in every column and gene.

    The effect is the rank-biserial correlation 2·AUC − 1 (Cureton 1956): 0 = alike, 1 = everybody inside is higher. Of
    a category's level it is the difference of its shares. p by the Mann-Whitney test with its tie correction.
    """
    if min(int(inside.sum()), int(outside.sum())) < FEWEST:
        counts = f"{int(inside.sum())} and {int(outside.sum())} patients; it takes {FEWEST} on either side"
        return Profile(pd.DataFrame(), int(inside.sum()), int(outside.sum()), counts)
    parts = [_available(cohort, inside, outside), _columns(cohort, inside, outside), _genes(cohort, inside, outside)]
    table = pd.concat([p for p in parts if len(p)], ignore_index=True)
    table = table[np.isfinite(table["p"])].reset_index(drop=True)
    if table.empty:
        return Profile(table, int(inside.sum()), int(outside.sum()), "no column varies between the groups")
    table["q"] = benjamini_hochberg(table["p"].to_numpy())
    table = table.sort_values(["p", "name"], ignore_index=True)
    return Profile(table, int(inside.sum()), int(outside.sum()))


_KINDS = {
    Role.INPUT: "clinical value", Role.MARKER: "marker, not used by the model", Role.DESCRIPTION: "description",
    Role.SITE: "site", Role.CANCER: "cancer",
}  # fmt: skip


def _available(cohort: Cohort, inside: BoolArray, outside: BoolArray) -> pd.DataFrame:
    """Which data a patient has: a model can tell patients apart by what is missing alone."""
    names = [f"has {c}" for c in cohort.availability.columns]
    values = cohort.availability.to_numpy(dtype=np.float64)
    return _compared(values, names, ["data available"] * len(names), inside, outside)


def _columns(cohort: Cohort, inside: BoolArray, outside: BoolArray) -> pd.DataFrame:
    names, kinds, columns = [], [], []
    for column in cohort.patients.columns:
        values = cohort.patients[column]
        kind = _KINDS[cohort.roles[column]]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            names.append(cohort.label(column))
            kinds.append(kind)
            columns.append(values.to_numpy(dtype=float, na_value=np.nan))
            continue
        known = values.notna().to_numpy()
        words = values.astype("string").fillna(MISSING)
        levels = sorted(set(words[known]))
        if not 2 <= len(levels) <= MOST_LEVELS:
            continue
        for level in levels:
            names.append(f"{cohort.label(column)}: {level}")
            kinds.append(kind)
            columns.append(np.where(known, (words == level).to_numpy(dtype=float), np.nan))
    if not columns:
        return pd.DataFrame()
    return _compared(np.stack(columns, axis=1), names, kinds, inside, outside)


def _genes(cohort: Cohort, inside: BoolArray, outside: BoolArray) -> pd.DataFrame:
    if cohort.genomics is None:
        return pd.DataFrame()
    genes = cohort.genomics
    values = np.asarray(genes.values, dtype=np.float64)
    return _compared(values, list(genes.columns), ["gene"] * len(genes.columns), inside, outside)


def _compared(
    values: FloatArray, names: list[str], kinds: list[str], inside: BoolArray, outside: BoolArray
) -> pd.DataFrame:
    a, b = values[inside], values[outside]
    both = np.concatenate([a, b])
    known = np.isfinite(both)
    n1, n2 = known[: len(a)].sum(axis=0), known[len(a) :].sum(axis=0)
    enough = (n1 >= FEWEST) & (n2 >= FEWEST)
    effect, p = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for column in np.flatnonzero(enough):
        effect[column], p[column] = _mann_whitney(both[:, column], known[:, column], len(a))
    with np.errstate(invalid="ignore"):
        binary = np.array([np.isin(x[k], (0.0, 1.0)).all() for x, k in zip(both.T, known.T, strict=True)])
        inner, outer = _middle(a, binary), _middle(b, binary)
    return pd.DataFrame(
        {"name": names, "kind": kinds, "effect": effect, "inside": inner, "outside": outer, "p": p, "inside_n": n1,
         "outside_n": n2}
    )  # fmt: skip


def _middle(x: FloatArray, binary: BoolArray) -> FloatArray:
    """Median of each column, or the share of ones."""
    found = np.full(x.shape[1], np.nan)
    for i in range(x.shape[1]):
        kept = x[np.isfinite(x[:, i]), i]
        if len(kept):
            found[i] = kept.mean() if binary[i] else np.median(kept)
    return found


def _mann_whitney(column: FloatArray, known: BoolArray, first: int) -> tuple[float, float]:
    """Rank-biserial correlation and two-sided p (normal approximation with ties and continuity)."""
    values, mine = column[known], np.flatnonzero(known) < first
    n1, n2 = int(mine.sum()), int((~mine).sum())
    ranks = rankdata(values)
    u = float(ranks[mine].sum()) - n1 * (n1 + 1) / 2
    _, ties = np.unique(values, return_counts=True)
    n = n1 + n2
    spread = np.sqrt(n1 * n2 / 12 * ((n + 1) - float((ties**3 - ties).sum()) / (n * (n - 1))))
    if spread == 0:
        return 0.0, float("nan")
    z = max(0.0, abs(u - n1 * n2 / 2) - 0.5) / spread
    return 2 * u / (n1 * n2) - 1, float(2 * ndtr(-z))
