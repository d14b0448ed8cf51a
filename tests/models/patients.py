"""Small generated batches and models for the model tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from core.cohort.modality import Modality
from core.features.batch import Batch, pad_bags
from core.features.preparation import InputShape
from core.models.hdmoe.config import PUBLISHED, HDMoEConfig
from core.models.hdmoe.model import HDMoE

SLIDES, VOLUMES = Modality.SLIDES, Modality.VOLUMES
GENOMICS, CLINICAL = Modality.GENOMICS, Modality.CLINICAL
ALL = (SLIDES, VOLUMES, GENOMICS, CLINICAL)
FAMILIES = ((0, 1, 2), (2, 3, 4, 5), (6, 7))
GENES, COLUMNS, PATCH, REGION = 8, 3, 6, 5


def small_model(modalities: Sequence[Modality] = ALL, seed: int = 0, **settings: Any) -> HDMoE:
    """An HDMoE of width 32 with 8 tokens, in evaluation mode, every parameter moved off its initial value."""
    config = HDMoEConfig(
        **{**PUBLISHED, "width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 12, **settings}
    )
    shape = InputShape(FAMILIES, GENES, COLUMNS, {SLIDES: PATCH, VOLUMES: REGION})
    torch.manual_seed(seed)
    model = HDMoE(shape, tuple(modalities), 4, config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)  # zero biases and tiny class tokens would hide errors
    return model.eval()


def make_batch(
    patches: Sequence[int | None], regions: Sequence[int | None] | None = None, seed: int = 0, absent: float = 0.0
) -> Batch:
    """Patients with bags of the given sizes (None = missing) and, with probability ``absent``, no genes or clinic."""
    random = np.random.default_rng(seed)
    n = len(patches)
    regions = regions if regions is not None else [3] * n
    slides = [None if k is None else random.normal(size=(k, PATCH)).astype(np.float32) for k in patches]
    volumes = [None if k is None else random.normal(size=(k, REGION)).astype(np.float32) for k in regions]
    bags, masks = {}, {}
    bags[SLIDES], masks[SLIDES] = pad_bags(slides, PATCH)
    bags[VOLUMES], masks[VOLUMES] = pad_bags(volumes, REGION)
    present = {
        SLIDES: torch.tensor([b is not None for b in slides]),
        VOLUMES: torch.tensor([b is not None for b in volumes]),
        GENOMICS: torch.from_numpy(random.random(n) >= absent),
        CLINICAL: torch.from_numpy(random.random(n) >= absent),
    }
    genes = torch.from_numpy(random.normal(size=(n, GENES)).astype(np.float32)) * present[GENOMICS][:, None]
    clinical = torch.from_numpy(random.normal(size=(n, COLUMNS)).astype(np.float32)) * present[CLINICAL][:, None]
    return Batch(present, genes, clinical, bags, masks)


def one(batch: Batch, row: int) -> Batch:
    """One patient of a batch, its bags without padding."""
    bags, masks = {}, {}
    for modality, bag in batch.bags.items():
        length = int(batch.masks[modality][row].sum())
        bags[modality] = bag[row : row + 1, :length]
        masks[modality] = batch.masks[modality][row : row + 1, :length]
    return Batch(
        {m: p[row : row + 1] for m, p in batch.present.items()},
        None if batch.genes is None else batch.genes[row : row + 1],
        None if batch.clinical is None else batch.clinical[row : row + 1],
        bags,
        masks,
    )
