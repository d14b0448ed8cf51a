"""What moves a run's estimates over many patients, as the beeswarm, the ranking and the dependence plot draw it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from core.analysis.points import axis_words
from core.arrays import FloatArray
from core.results.cohort_explanation import CohortExplanation

MOST_ROWS = 15
ENOUGH_AGREEMENT = 0.5


@dataclass(frozen=True, eq=False)
class Swarm:
    """One row of a beeswarm: ``effect`` (m,) percentage points, ``place`` (m,) where each patient's value stands among
    the others (0 lowest, 1 highest; NaN for a category or a bag), ``offset`` (m,) −0.5..0.5 so that points do not
    cover each other, ``patients`` (m,)."""

    name: str
    effect: FloatArray
    place: FloatArray
    offset: FloatArray
    patients: tuple[str, ...]


def shown_features(found: CohortExplanation, group: str = "", most: int = MOST_ROWS) -> pd.DataFrame:
    """The rows to draw: the most important; in alphabetical order where ranks are not stable."""
    rows = found.features if not group else found.features[found.features["group"] == group]
    rows = rows.head(most)
    return rows if found.stable_ranks else rows.sort_values("name", ignore_index=True)


def swarm(found: CohortExplanation, name: str) -> Swarm:
    """The points of one row."""
    points = found.points(name)
    row = found.features.loc[found.features["name"] == name].iloc[0]
    ordered = name not in found.categories and row["group"] in ("genomics", "clinical")
    place = _places(points["value"].to_numpy()) if ordered else np.full(len(points), np.nan)
    effect = points["contribution"].to_numpy()
    return Swarm(name, effect, place, _offsets(effect), tuple(points["patient"]))


def _places(values: FloatArray) -> FloatArray:
    """Mid-rank of each value among the known ones, 0..1."""
    known = np.isfinite(values)
    found = np.full(len(values), np.nan)
    if known.sum() > 1:
        found[known] = (rankdata(values[known]) - 1) / (known.sum() - 1)
    return found


def _offsets(effect: FloatArray, bins: int = 60) -> FloatArray:
    """Points of one narrow strip of effects stand above and below each other, the densest strip the widest."""
    if not len(effect):
        return np.zeros(0)
    low, high = float(effect.min()), float(effect.max())
    strip = (
        np.zeros(len(effect), dtype=int) if high <= low else ((effect - low) / (high - low) * (bins - 1)).astype(int)
    )
    counts = np.bincount(strip)
    found = np.zeros(len(effect))
    for number in np.flatnonzero(counts > 1):
        inside = np.flatnonzero(strip == number)
        steps = np.arange(len(inside))
        found[inside] = np.where(steps % 2 == 0, 1, -1) * ((steps + 1) // 2)
    most = np.abs(found).max()
    return np.asarray(found / (2 * most) if most > 0 else found)


def unstable_ranks(found: CohortExplanation) -> str:
    """Why no order is shown; "" where it is."""
    if found.stable_ranks:
        return ""
    if found.rank_agreement is None:
        return "In alphabetical order: one seed alone cannot tell whether an order of importance is stable."
    return (
        f"In alphabetical order: the seeds do not agree on an order of importance (mean rank correlation "
        f"{found.rank_agreement:.2f}; {ENOUGH_AGREEMENT:g} is needed)."
    )


def swarm_table(found: CohortExplanation, names: tuple[str, ...]) -> pd.DataFrame:
    """What a beeswarm draws: input, the patient's value and its effect. No pseudonym leaves with it."""
    parts = [found.points(name).drop(columns="patient").assign(input=name) for name in names]
    table = pd.concat(parts, ignore_index=True)[["input", "value", "contribution"]]
    return table.rename(columns={"contribution": axis_words(found.month)})


def importance_table(found: CohortExplanation, rows: pd.DataFrame) -> pd.DataFrame:
    """The ranking with its spread over seeds."""
    table = rows[["name", "group", "family", "importance", "std", "direction"]].rename(
        columns={"importance": f"mean |{axis_words(found.month)}|", "std": "std over seeds",
                 "direction": "rank correlation of value and effect"}
    )  # fmt: skip
    if found.stable_ranks:
        table = table.assign(rank=rows["rank"], lowest=rows["rank_low"], highest=rows["rank_high"])
    return table
