"""What sets one group of patients apart from the others: clinical columns, genes and what was measured on images, with
effect sizes and FDR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import rankdata

from core.arrays import BoolArray, FloatArray
from core.cohort.cohort import Cohort, Role
from core.cohort.selection import MISSING
from core.results.image_means import ImageMeans
from core.statistics.comparison import benjamini_hochberg

FEWEST = 10
"""Patients a group needs on either side before anything is compared."""
MOST_LEVELS = 12
LEVEL = 0.05
IMAGE_KINDS = {"slides": "slide feature", "volumes": "scan feature"}


@dataclass(frozen=True, eq=False)
class Profile:
    """One row a column or level: ``name``, ``kind`` (clinical value, marker, gene …), ``effect`` −1..1, ``inside`` and
    ``outside`` (medians, or shares of a level), ``p``, ``q`` (Benjamini-Hochberg over all rows), ``inside_n``,
    ``outside_n``. ``reason`` says why nothing was compared, else ""."""

    table: pd.DataFrame
    inside: int
    outside: int
    reason: str = ""


def profile(cohort: Cohort, inside: BoolArray, outside: BoolArray, images: Sequence[ImageMeans] = ()) -> Profile:
    """Compare the patients ``inside`` with those ``outside`` (both (n,) over the cohort) in every column and gene, and
    in every named feature of ``images``.

    The effect is the rank-biserial correlation 2·AUC − 1 (Cureton 1956): 0 = alike, 1 = everybody inside is higher. Of
    a category's level it is the difference of its shares. p by the Mann-Whitney test with its tie correction.
    """
    if min(int(inside.sum()), int(outside.sum())) < FEWEST:
        counts = f"{int(inside.sum())} and {int(outside.sum())} patients; it takes {FEWEST} on either side"
        return Profile(pd.DataFrame(), int(inside.sum()), int(outside.sum()), counts)
    parts = [_available(cohort, inside, outside), _columns(cohort, inside, outside), _genes(cohort, inside, outside)]
    parts += [_image(cohort, found, inside, outside) for found in images]
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


def _image(cohort: Cohort, found: ImageMeans, inside: BoolArray, outside: BoolArray) -> pd.DataFrame:
    kind = IMAGE_KINDS.get(found.modality, found.modality)
    return _compared(found.of(cohort.ids), list(found.names), [kind] * len(found.names), inside, outside)


def _compared(
    values: FloatArray, names: list[str], kinds: list[str], inside: BoolArray, outside: BoolArray
) -> pd.DataFrame:
    a, b = values[inside], values[outside]
    both = np.concatenate([a, b])
    known = np.isfinite(both)
    n1, n2 = known[: len(a)].sum(axis=0), known[len(a) :].sum(axis=0)
    enough = (n1 >= FEWEST) & (n2 >= FEWEST)
    effect, p = np.full(len(names), np.nan), np.full(len(names), np.nan)
    whole = enough & known.all(axis=0)
    if whole.any():
        effect[whole], p[whole] = _mann_whitney_columns(both[:, whole], len(a))
    for column in np.flatnonzero(enough & ~whole):
        kept = known[:, column]
        one = _mann_whitney_columns(both[kept, column][:, None], int(kept[: len(a)].sum()))
        effect[column], p[column] = one[0][0], one[1][0]
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


def _mann_whitney_columns(values: FloatArray, first: int) -> tuple[FloatArray, FloatArray]:
    """Rank-biserial correlation and two-sided p (normal approximation with ties and continuity) of (n, c) columns.

    The first ``first`` rows are compared with the rest; p is NaN for a column of one value.
    """
    n1, n2 = first, len(values) - first
    n = n1 + n2
    u = rankdata(values, axis=0)[:n1].sum(axis=0) - n1 * (n1 + 1) / 2
    spread = np.sqrt(n1 * n2 / 12 * ((n + 1) - _ties(values) / (n * (n - 1))))
    varies = spread > 0
    z = np.maximum(0.0, np.abs(u - n1 * n2 / 2) - 0.5) / np.where(varies, spread, 1.0)
    effect = np.where(varies, 2 * u / (n1 * n2) - 1, 0.0)
    return effect, np.where(varies, 2 * ndtr(-z), np.nan)


def _ties(values: FloatArray) -> FloatArray:
    """(c,) Σ t³ − t over the runs of t equal values of each column."""
    ordered = np.sort(values, axis=0)
    columns = ordered.shape[1]
    starts = np.vstack([np.ones((1, columns), dtype=bool), ordered[1:] != ordered[:-1]])
    run = np.cumsum(starts.T.ravel()) - 1  # column after column: a run never crosses to the next, which starts anew
    sizes = np.bincount(run).astype(np.float64)
    each = sizes**3 - sizes
    return np.asarray(np.bincount(np.arange(columns).repeat(starts.sum(axis=0)), weights=each, minlength=columns))
