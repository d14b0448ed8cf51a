"""Does the estimate change when what an explanation points at is taken away? Deletion and insertion of patches.

Patches are taken out of the bag (or put into an empty one) in the order of the map, those that lower survival most
first, and in random orders. A map that is true lets S(month) rise faster than chance when they are taken out, and
fall lower when they alone are put in (Petsiuk et al., 2018, for bags).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.arrays import FloatArray, IntArray
from core.cohort.modality import Modality
from core.explain.patch_evidence import PERCENT
from core.explain.run_models import RunModels, UnseenModel
from core.explain.survival_at import survival_at
from core.features.batch import Batch

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
SLIDES = Modality.SLIDES


@dataclass(frozen=True, eq=False)
class Curves:
    """One patient. S(month) in percent, mean over the models: ``whole`` · ``deleted`` and ``inserted`` (k,) by the map,
    ``random_deleted`` and ``random_inserted`` (r, k) in random orders."""

    whole: float
    deleted: FloatArray
    inserted: FloatArray
    random_deleted: FloatArray
    random_inserted: FloatArray

    @property
    def deletion_gain(self) -> float:
        """Percentage points by which deletion by the map raises S more than by chance, mean over the shares."""
        return float(self.deleted.mean() - self.random_deleted.mean())

    @property
    def insertion_gain(self) -> float:
        """Percentage points by which insertion by the map leaves S lower than by chance."""
        return float(self.random_inserted.mean() - self.inserted.mean())


def deletion_curves(
    models: RunModels, patient: str, unseen: Sequence[UnseenModel], risk: FloatArray, month: float, draws: int = 5
) -> Curves:
    """Curves of one patient; (n,) ``risk`` the map as "more is worse"."""
    row = np.array([models.row(patient)])
    count = len(risk)
    random = np.random.default_rng([count, 17])
    orders = [np.argsort(-risk, kind="stable"), *(random.permutation(count) for _ in range(draws))]
    kept = [np.arange(count)]
    for order in orders:
        for share in SHARES:
            cut = min(count - 1, max(1, round(share * count)))
            kept += [np.sort(order[cut:]), np.sort(order[:cut])]
    found = []
    for model in unseen:
        batch = model.fitted.preparation.tensors(models.inputs.take(row)).batch(np.array([0]))
        found.append(_estimates(model, batch, kept, month))
    mean = np.mean(found, axis=0)
    pairs = mean[1:].reshape(len(orders), len(SHARES), 2)
    return Curves(float(mean[0]), pairs[0, :, 0], pairs[0, :, 1], pairs[1:, :, 0], pairs[1:, :, 1])


def _estimates(
    model: UnseenModel, batch: Batch, kept: Sequence[IntArray], month: float, together: int = 8
) -> FloatArray:
    """S(month) in percent for each choice of patches."""
    bag = batch.bags[SLIDES][0]
    parts = []
    with torch.no_grad():
        for start in range(0, len(kept), together):
            chosen = kept[start : start + together]
            longest = max(map(len, chosen))
            rows, mask = torch.zeros(len(chosen), longest, bag.shape[1]), torch.zeros(len(chosen), longest).bool()
            for i, places in enumerate(chosen):
                rows[i, : len(places)] = bag[torch.from_numpy(places)]
                mask[i, : len(places)] = True
            many = _copies(batch, len(chosen))
            many = replace(many, bags={**many.bags, SLIDES: rows}, masks={**many.masks, SLIDES: mask})
            logits = model.fitted.network.eval()(many).logits.double()
            parts.append(survival_at(model.fitted, logits, month))
    return PERCENT * np.asarray(torch.cat(parts).numpy(), dtype=np.float64)


def _copies(batch: Batch, times: int) -> Batch:
    rows = torch.zeros(times, dtype=torch.long)
    return Batch(
        {m: p[rows] for m, p in batch.present.items()},
        None if batch.genes is None else batch.genes[rows],
        None if batch.clinical is None else batch.clinical[rows],
        {m: b[rows] for m, b in batch.bags.items()},
        {m: k[rows] for m, k in batch.masks.items()},
        None if batch.groups is None else batch.groups[rows],
    )
