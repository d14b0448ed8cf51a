"""Small networks over made-up patches, with the preparation and bins that a trained model carries."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from core.arrays import Float32Array
from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.inputs import Inputs
from core.features.preparation import Preparation
from core.models.registry import make_config, model_spec
from core.training.bins import TimeBins
from core.training.neural import FittedNeural

FEATURES = 5
STEEP = 300.0
MODELS = ("hdmoe", "biofact", "mice")
SMALL: dict[str, dict[str, Any]] = {
    "hdmoe": {"width": 32, "token_dim": 16, "family_hidden": 16, "n_experts": 4, "expert_hidden": 16},
    "biofact": {"width": 32, "head": "hazards"},
    "mice": {"width": 32, "skip": False},
}


def make_inputs(patients: int, patches: int, genes: bool = False, seed: int = 0) -> Inputs:
    """Patients with a bag of random patches each, and six random genes in two families where asked."""
    rng = np.random.default_rng(seed)
    bags: tuple[Float32Array, ...] = tuple(
        rng.standard_normal((patches, FEATURES)).astype(np.float32) for _ in range(patients)
    )
    present = {Modality.SLIDES: np.ones(patients, dtype=bool)}
    modalities: tuple[Modality, ...] = (Modality.SLIDES,)
    if genes:
        modalities = (Modality.SLIDES, Modality.GENOMICS)
        present[Modality.GENOMICS] = np.ones(patients, dtype=bool)
    return Inputs(
        tuple(f"P{i}" for i in range(patients)),
        modalities,
        present,
        rng.standard_normal((patients, 6)).astype(np.float32) if genes else None,
        tuple(f"G{i}_rnaseq" for i in range(6)) if genes else (),
        {"one": (0, 1, 2), "two": (3, 4, 5)} if genes else {},
        bags={Modality.SLIDES: bags},
    )


def untrained(model: str, patches: int, genes: bool = False, seed: int = 0) -> tuple[FittedNeural, Batch]:
    """A network with random weights whose answer depends on the patches, and a batch of one."""
    inputs = make_inputs(8, patches, genes, seed)
    spec = model_spec(model)
    config = make_config(spec, SMALL[model])
    preparation = Preparation.fit(inputs)
    torch.manual_seed(seed)
    bins = TimeBins((0.0, 10.0, 20.0, 40.0))
    network = spec.build(preparation.shape, preparation.modalities, len(bins), config)
    network.eval()
    batch = preparation.tensors(inputs).batch(np.array([0]))
    head = network.get_submodule("head")
    with torch.no_grad():  # a steep answer, yet one far from certain for this patient
        head.weight.mul_(STEEP)
        head.bias.sub_(network(batch).logits[0] + 1.0)
    return FittedNeural(model, config, preparation, bins, network), batch
