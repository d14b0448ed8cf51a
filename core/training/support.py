"""The training support of a fold: how near a new patient has to be to its training patients to be given a number.

Fitted on the training patients of a fold, never on those it tests, and kept beside the fold's checkpoints. It knows
the prepared inputs alone and no model, so it is the same for every estimator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, FloatArray
from core.cohort.modality import Modality
from core.features.clinical import ClinicalEncoder
from core.features.gene_scaling import GeneScaler
from core.features.inputs import Bag, Inputs
from core.models.estimator import State
from core.training.support_block import QUANTILE, SupportBlock

FEWEST = 10
"""Training patients that must have, or lack, a modality before anything can be said of patients who do."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What one fold says of n patients.

    ``ratio`` modality → (n,) distance as a multiple of the threshold, NaN where the patient lacks it ·
    ``untrained`` modality → (n,) True where hardly any training patient had, or lacked, it as this one does.
    """

    ratio: Mapping[Modality, FloatArray]
    untrained: Mapping[Modality, BoolArray]


@dataclass(frozen=True, eq=False)
class Support:
    """The fitted support of one fold: a block a modality, and how many training patients had and lacked each."""

    blocks: Mapping[Modality, SupportBlock]
    having: Mapping[Modality, int]
    lacking: Mapping[Modality, int]
    genes: GeneScaler | None = None
    clinical: ClinicalEncoder | None = None

    @classmethod
    def fit(cls, inputs: Inputs) -> Support:
        """Learn from the training patients of a fold."""
        genes = None if inputs.genes is None else GeneScaler.fit(inputs.genes)
        clinical = None if inputs.clinical is None else ClinicalEncoder.fit(inputs.clinical)
        having = {m: int(inputs.present[m].sum()) for m in inputs.modalities}
        unfitted = cls({}, having, {m: len(inputs) - having[m] for m in inputs.modalities}, genes, clinical)
        blocks = {
            m: SupportBlock.fit(unfitted.prepared(inputs, m)[inputs.present[m]], standardise=m in inputs.bags)
            for m in inputs.modalities
            if having[m] >= FEWEST
        }
        return cls(blocks, having, unfitted.lacking, genes, clinical)

    def prepared(self, inputs: Inputs, modality: Modality) -> FloatArray:
        """(n, d) ranked genes, encoded clinical columns, or pooled patches; NaN where a gene is missing."""
        if modality is Modality.GENOMICS and self.genes is not None and inputs.genes is not None:
            scaled = self.genes.transform(inputs.genes).astype(np.float64)
            return np.where(np.isfinite(inputs.genes), scaled, np.nan)
        if modality is Modality.CLINICAL and self.clinical is not None and inputs.clinical is not None:
            return self.clinical.transform(inputs.clinical).astype(np.float64)
        return _pooled(inputs.bags[modality])

    def judge(self, inputs: Inputs) -> Judgement:
        """Distances of new patients, aligned to the run's inputs."""
        ratio: dict[Modality, FloatArray] = {}
        untrained: dict[Modality, BoolArray] = {}
        for modality, has in inputs.present.items():
            ratio[modality] = np.full(len(inputs), np.nan)
            if modality in self.blocks and has.any():
                rows = np.flatnonzero(has)
                ratio[modality][rows] = self.blocks[modality].ratio(self.prepared(inputs.take(rows), modality))
            few_have, few_lack = self.having[modality] < FEWEST, self.lacking[modality] < FEWEST
            untrained[modality] = np.where(has, few_have, few_lack)
        return Judgement(ratio, untrained)

    def state(self) -> State:
        """The stored form."""
        arrays: dict[str, NDArray[Any]] = {}
        for modality, block in self.blocks.items():
            arrays |= {f"{modality.value}.{name}": array for name, array in block.arrays().items()}
        if self.genes is not None:
            arrays |= {"genes.knots": self.genes.knots, "genes.mean": self.genes.mean, "genes.scale": self.genes.scale}
        settings = {
            "blocks": [m.value for m in self.blocks],
            "having": {m.value: n for m, n in self.having.items()},
            "lacking": {m.value: n for m, n in self.lacking.items()},
            "clinical": None if self.clinical is None else self.clinical.as_json(),
            "quantile": QUANTILE,
        }
        return State(settings, arrays)

    @classmethod
    def restore(cls, state: State) -> Support:
        """Rebuild from :meth:`state`."""
        blocks = {}
        for name in state.settings["blocks"]:
            own = {k.removeprefix(f"{name}."): v for k, v in state.arrays.items() if k.startswith(f"{name}.")}
            blocks[Modality(name)] = SupportBlock.restore(own)
        genes = None
        if "genes.knots" in state.arrays:
            genes = GeneScaler("rank", *(state.arrays[f"genes.{a}"] for a in ("knots", "mean", "scale")))
        clinical = state.settings["clinical"]
        return cls(
            blocks,
            {Modality(m): int(n) for m, n in state.settings["having"].items()},
            {Modality(m): int(n) for m, n in state.settings["lacking"].items()},
            genes,
            None if clinical is None else ClinicalEncoder.from_json(clinical),
        )


def _pooled(bags: tuple[Bag | None, ...]) -> FloatArray:
    """(n, 2d) mean and standard deviation over the patches of each patient; NaN where there is no bag."""
    width = next((b.shape[1] for b in bags if b is not None), 1)
    rows = [
        np.full(2 * width, np.nan)
        if bag is None
        else np.concatenate([bag.mean(axis=0, dtype=np.float64), bag.std(axis=0, dtype=np.float64)])
        for bag in bags
    ]
    return np.asarray(rows, dtype=np.float64)
