"""Does a model's embedding know the hospital? The site audit of the eleven cancers, from the trained models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.arrays import FloatArray
from core.cohort.cohort import Cohort
from core.features.inputs import Dataset
from core.results.workspace import Workspace
from core.statistics.site_predictability import SitePredictability, site_predictability
from core.tasks.eleven_cancers import CANDIDATES, Candidate, Tables
from core.tasks.fit_queue import Fit, checkpoint, plan_of
from core.tasks.mice_study import cancer_name
from core.training.neural import restore_neural
from core.training.state_files import read_state

FOLD, SEED = 0, 0
INPUTS = "Genes as given (no model)"
_BATCH = 256


@dataclass(frozen=True)
class SiteAudit:
    """Label → cancer → how well the site is predicted; cancers with fewer than two sites of ten patients left out."""

    rows: Mapping[str, Mapping[str, SitePredictability]]

    def mean(self, label: str) -> tuple[float, float]:
        """Balanced accuracy and chance, each the mean over the cancers."""
        found = self.rows[label].values()
        return float(np.mean([s.accuracy for s in found])), float(np.mean([s.chance for s in found]))


def site_audit(tables: Tables, folds: str, full: bool) -> SiteAudit:
    """Embeddings of all patients of a cancer by the model of fold 1 and the first seed; beside them the genes
    themselves, which say how much there was to know."""
    rows: dict[str, dict[str, SitePredictability]] = {INPUTS: {}}
    for name, cohort in tables.single.items():
        inputs = tables.dataset(name).inputs
        assert inputs.genes is not None  # noqa: S101  every one of the eleven has genes
        genes = np.where(np.isfinite(inputs.genes), inputs.genes, 0.0).astype(np.float64)
        _add(rows[INPUTS], name, genes, _sites(cohort, inputs.ids))
    for row in CANDIDATES:
        if row.neural and (full or not row.only_full):
            rows[row.label] = _row(tables, row, folds)
    return SiteAudit(rows)


def _row(tables: Tables, row: Candidate, folds: str) -> dict[str, SitePredictability]:
    found: dict[str, SitePredictability] = {}
    for series in tables.series(row, folds):
        dataset = plan_of(series, tables.workspace).dataset
        embedded = embeddings(Fit(series, FOLD, SEED), dataset, tables.workspace)
        place = {i: k for k, i in enumerate(dataset.inputs.ids)}
        for name, cohort in tables.single.items():
            if not row.pooled and cancer_name(name) != series.cohort:
                continue
            ids = [i for i in tables.dataset(name).inputs.ids if i in place]
            _add(found, name, embedded[[place[i] for i in ids]], _sites(cohort, ids))
    return found


@torch.no_grad()
def embeddings(fit: Fit, dataset: Dataset, workspace: Workspace) -> FloatArray:
    """(n, d) what a kept model reads its answer from, for all patients of its cohort."""
    fitted = restore_neural(read_state(checkpoint(fit, workspace)))
    tensors = fitted.preparation.tensors(dataset.inputs)
    n = len(dataset.inputs)
    parts = [
        fitted.network.embedding(tensors.batch(np.arange(start, min(n, start + _BATCH)))).double().numpy()
        for start in range(0, n, _BATCH)
    ]
    return np.concatenate(parts)


def _sites(cohort: Cohort, ids: Sequence[str]) -> list[str]:
    assert cohort.sites is not None  # noqa: S101  the eleven tables have the tissue source site
    return [str(cohort.sites[i]) for i in ids]


def _add(into: dict[str, SitePredictability], name: str, rows: FloatArray, sites: list[str]) -> None:
    found = site_predictability(rows, sites)
    if found is not None:
        into[name] = found
