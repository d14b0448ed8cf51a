"""Folds of whole sites, as even as sites allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray, IntArray
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.errors import PrognoscopeError

MISSING_SITE = "(no site)"
_RESTARTS = 20


@dataclass(frozen=True, eq=False)
class _SiteCounts:
    """(s, 2) patients and events of each site as shares of the cohort."""

    names: tuple[str, ...]
    number: IntArray
    weight: FloatArray


def _count_sites(cohort: Cohort, endpoint: Endpoint) -> _SiteCounts:
    sites = cohort.sites
    if sites is None:
        raise PrognoscopeError("no site column", f"cohort {cohort.name!r}", "use --folds 5 or a file of folds")
    labels = sites.fillna(MISSING_SITE).astype(str).to_numpy()
    names, number = np.unique(labels, return_inverse=True)
    counts = np.stack([np.bincount(number), np.bincount(number, weights=endpoint.event)], axis=1).astype(float)
    return _SiteCounts(tuple(names), number.astype(np.int64), counts / np.maximum(counts.sum(axis=0), 1))


def site_folds(cohort: Cohort, k: int = 5, seed: int = 0, endpoint: str | None = None) -> Folds:
    """Folds of whole sites, as even in patients and in events as sites allow.

    Sites are dealt largest first to the emptiest fold and then moved one by one while that helps, from several
    seeded starts; the most even plan is kept. Patients without a site form one site of their own.

    Raises
    ------
    PrognoscopeError
        When the cohort has no site column or fewer sites than folds.
    """
    sites = _count_sites(cohort, cohort.endpoint(endpoint))
    if len(sites.names) < k:
        raise PrognoscopeError(
            f"{len(sites.names)} sites for {k} folds", f"cohort {cohort.name!r}", "use fewer folds or --folds 5"
        )
    rng = np.random.default_rng(seed)
    plans = [_improved(_dealt(sites.weight, k, rng), sites.weight, k) for _ in range(_RESTARTS)]
    best = min(plans, key=lambda plan: _unevenness(plan, sites.weight, k))
    return Folds("site", best[sites.number])


def _dealt(weight: FloatArray, k: int, rng: np.random.Generator) -> IntArray:
    """Largest site first, to the fold with the least so far; near-equal sites in random order."""
    size = weight.sum(axis=1) * rng.uniform(0.8, 1.25, len(weight))
    load = np.zeros((k, 2))
    plan = np.empty(len(weight), dtype=np.int64)
    for site in np.argsort(-size):
        fold = int(np.argmin((load + weight[site]).max(axis=1)))
        plan[site] = fold
        load[fold] += weight[site]
    return plan


def _improved(plan: IntArray, weight: FloatArray, k: int) -> IntArray:
    """Move single sites while that makes the folds more even; no fold is emptied."""
    best = _unevenness(plan, weight, k)
    moved = True
    while moved:
        moved = False
        for site in range(len(plan)):
            home = plan[site]
            for fold in range(k):
                plan[site] = fold
                value = _unevenness(plan, weight, k)
                if value < best - 1e-12 and len(np.unique(plan)) == k:
                    best, home, moved = value, fold, True
            plan[site] = home
    return plan


def _unevenness(plan: IntArray, weight: FloatArray, k: int) -> float:
    load = np.stack([np.bincount(plan, weights=w, minlength=k) for w in weight.T], axis=1)
    return float(((load - 1 / k) ** 2).sum())
