"""The audit's numbers from the models of a cross-validation: selectivity, the gate's association, stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import adjusted_rand_score

from core.arrays import FloatArray
from core.cohort.marker_blocks import LIVER, TUMOUR
from core.results.audit import Association, GateBin, MarkerRow, Selectivity, Stability
from core.routing.factor_models import FactorModel
from core.statistics.comparison import benjamini_hochberg
from core.statistics.selectivity import selectivity

FEWEST_PATIENTS = 30


def block_scores(
    models: Sequence[FactorModel],
    values: Mapping[str, FloatArray],
    blocks: Mapping[str, str],
    permutations: int,
) -> tuple[dict[str, Selectivity], tuple[MarkerRow, ...]]:
    """Selectivity of the liver and the tumour block, and a row a marker (corrected over all of them)."""
    own = {m: v for m, v in values.items() if blocks[m] in (LIVER, TUMOUR)}
    if not own:
        return {}, ()
    found = selectivity([m.embedding for m in models], own, blocks, permutations, groups=[m.seed for m in models])
    scores = [marker for block in found for marker in block.markers]
    corrected = benjamini_hochberg([s.p for s in scores])
    rows = tuple(
        MarkerRow(s.marker, s.block, s.patients, s.own, s.other, s.p, float(p))
        for s, p in zip(scores, corrected, strict=True)
    )
    return {
        b.block: Selectivity(b.value, b.p, len(b.markers), b.p_patients, b.p_names, b.p_swapped) for b in found
    }, rows


def fold_selectivity(
    models: Sequence[FactorModel], values: Mapping[str, FloatArray], blocks: Mapping[str, str]
) -> dict[str, FloatArray]:
    """Block → (models,) selectivity of every single model on its own test fold, for paired comparisons."""
    own = {m: v for m, v in values.items() if blocks[m] in (LIVER, TUMOUR)}
    per_model: dict[str, list[float]] = {}
    for model in models:
        for block in selectivity([model.embedding], own, blocks, permutations=0):
            per_model.setdefault(block.block, []).append(block.value)
    return {block: np.array(numbers) for block, numbers in per_model.items()}


def gate_association(models: Sequence[FactorModel], dominance: FloatArray, permutations: int) -> Association | None:
    """Spearman correlation of the out-of-fold tumour weight (mean over seeds) with ``dominance`` (n,), permuted."""
    gate = mean_gate(models, len(dominance))
    known = np.isfinite(gate) & np.isfinite(dominance)
    if known.sum() < FEWEST_PATIENTS:
        return None
    left, right = rankdata(gate[known]), rankdata(dominance[known])
    rng = np.random.default_rng(0)
    value = _correlation(left, right)
    null = np.array([_correlation(left, rng.permutation(right)) for _ in range(permutations)])
    p = (1 + (np.abs(null) >= abs(value)).sum()) / (1 + permutations)
    return Association(value, float(p), int(known.sum()), _fifths(gate[known], right))


def _fifths(gate: FloatArray, ranks: FloatArray) -> tuple[GateBin, ...]:
    """Mean weight in each fifth of the measured dominance; patients of equal dominance stay together."""
    fifth = np.minimum((5 * (ranks - 0.5) / len(ranks)).astype(int), 4)
    parts = [part for k in range(5) if len(part := gate[fifth == k]) > 1]
    return tuple(GateBin(len(p), float(p.mean()), float(p.std(ddof=1) / np.sqrt(len(p)))) for p in parts)


def mean_gate(models: Sequence[FactorModel], n: int) -> FloatArray:
    """(n,) tumour weight of each patient from the models that never saw them, mean over seeds; NaN for nobody's."""
    total, count = np.zeros(n), np.zeros(n)
    for model in models:
        tested = model.embedding.rows[model.embedding.tested]
        total[tested] += model.gate[model.embedding.tested, model.names.index(TUMOUR)]
        count[tested] += 1
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan))


def stability(models: Sequence[FactorModel]) -> Stability | None:
    """Agreement of the seeds of each fold on its test patients."""
    ranks, rands = [], []
    for fold in sorted({m.fold for m in models}):
        gates = [m.gate[m.embedding.tested, m.names.index(TUMOUR)] for m in models if m.fold == fold]
        for a, b in combinations(gates, 2):
            if len(a) > 2 and np.ptp(a) > 0 and np.ptp(b) > 0:
                ranks.append(_correlation(rankdata(a), rankdata(b)))
            rands.append(adjusted_rand_score(a > 0.5, b > 0.5))
    if not ranks:
        return None
    low, high = np.quantile(ranks, (0.025, 0.975))
    rand_low, rand_high = np.quantile(rands, (0.025, 0.975))
    means = float(np.mean(ranks)), float(np.mean(rands))
    return Stability(means[0], float(low), float(high), means[1], float(rand_low), float(rand_high), len(rands))


def _correlation(a: FloatArray, b: FloatArray) -> float:
    return float(np.corrcoef(a, b)[0, 1])
