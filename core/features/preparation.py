"""From raw inputs to tensors: one fitted preparation a training fold, kept beside the model it fed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.arrays import Float32Array
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.bag_scaling import BagScaler
from core.features.batch import Tensors
from core.features.clinical import ClinicalEncoder
from core.features.gene_scaling import GeneScaler, Method
from core.features.inputs import Inputs

_GENE_ARRAYS = ("knots", "mean", "scale")
_BAG_ARRAYS = ("mean", "scale", "pooled_mean", "pooled_scale")


@dataclass(frozen=True)
class InputShape:
    """What a model has to know about its inputs: families as column numbers, widths of vectors and patches."""

    families: tuple[tuple[int, ...], ...] = ()
    genes: int = 0
    clinical: int = 0
    bags: Mapping[Modality, int] | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Preparation:
    """Scalers and encoder fitted on training patients; ``bags`` is empty for a model that takes bags as they are."""

    modalities: tuple[Modality, ...]
    families: tuple[tuple[int, ...], ...]
    columns: tuple[str, ...]
    genes: GeneScaler | None
    clinical: ClinicalEncoder | None
    bag_width: Mapping[Modality, int]
    groups: tuple[str, ...] = ()
    bags: Mapping[Modality, BagScaler] = field(default_factory=dict)

    @classmethod
    def fit(cls, inputs: Inputs, gene_scale: Method = "rank", scale_bags: bool = True) -> Preparation:
        """Learn from the training patients alone."""
        widths = {m: next((b.shape[1] for b in bags if b is not None), 1) for m, bags in inputs.bags.items()}
        return cls(
            inputs.modalities,
            tuple(inputs.families.values()),
            inputs.columns,
            None if inputs.genes is None else GeneScaler.fit(inputs.genes, gene_scale),
            None if inputs.clinical is None else ClinicalEncoder.fit(inputs.clinical),
            widths,
            tuple(sorted(set(inputs.groups))),
            {m: BagScaler.fit(bags, widths[m]) for m, bags in inputs.bags.items()} if scale_bags else {},
        )

    @property
    def shape(self) -> InputShape:
        return InputShape(
            self.families,
            len(self.columns),
            len(self.clinical.names) if self.clinical else 0,
            dict(self.bag_width),
            self.groups,
        )

    def scaled_genes(self, inputs: Inputs) -> Float32Array | None:
        """(n, g) scaled genes, or None without genomics."""
        return None if self.genes is None or inputs.genes is None else self.genes.transform(inputs.genes)

    def encoded_clinical(self, inputs: Inputs) -> Float32Array | None:
        """(n, c) encoded clinical columns, or None without clinical inputs."""
        return None if self.clinical is None or inputs.clinical is None else self.clinical.transform(inputs.clinical)

    def pooled_bags(self, inputs: Inputs) -> Float32Array | None:
        """(n, 2Σd) mean and spread over the rows of each patient's bags, or None without bags."""
        parts = [scaler.pooled(inputs.bags[m]) for m, scaler in self.bags.items()]
        return np.concatenate(parts, axis=1) if parts else None

    def tensors(self, inputs: Inputs) -> Tensors:
        """Everything a neural model reads."""
        genes, clinical = self.scaled_genes(inputs), self.encoded_clinical(inputs)
        return Tensors(
            {m: torch.from_numpy(np.asarray(inputs.present[m])) for m in self.modalities},
            None if genes is None else torch.from_numpy(genes),
            None if clinical is None else torch.from_numpy(clinical),
            inputs.bags,
            self.bag_width,
            self.group_numbers(inputs),
            self.bags,
        )

    def group_numbers(self, inputs: Inputs) -> torch.Tensor | None:
        """(n,) number of each patient's cancer; raises for a cancer the training patients did not have."""
        if not self.groups:
            return None
        number = {g: i for i, g in enumerate(self.groups)}
        unknown = sorted(set(inputs.groups) - set(number))
        if unknown or not inputs.groups:
            raise PrognoscopeError(
                f"patients of {', '.join(unknown) or 'an unnamed cancer'}",
                "the patients to predict",
                f"the model was trained on {', '.join(self.groups)}: predict patients of these",
            )
        return torch.tensor([number[g] for g in inputs.groups])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numeric part of the state, for safetensors."""
        arrays: dict[str, NDArray[Any]] = {}
        if self.genes is not None:
            arrays |= {f"genes.{name}": getattr(self.genes, name) for name in _GENE_ARRAYS}
        for modality, scaler in self.bags.items():
            arrays |= {f"bags.{modality.value}.{name}": getattr(scaler, name) for name in _BAG_ARRAYS}
        return arrays

    def as_json(self) -> dict[str, Any]:
        """The rest of the state."""
        return {
            "modalities": list(self.modalities),
            "families": [list(f) for f in self.families],
            "columns": list(self.columns),
            "gene_scale": self.genes.method if self.genes else None,
            "clinical": self.clinical.as_json() if self.clinical else None,
            "bag_width": dict(self.bag_width),
            "groups": list(self.groups),
            "scaled_bags": [m.value for m in self.bags],
        }

    @classmethod
    def restore(cls, value: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Preparation:
        """Rebuild from :meth:`as_json` and :meth:`arrays`."""
        scaler = None
        if value["gene_scale"]:
            scaler = GeneScaler(value["gene_scale"], *(arrays[f"genes.{name}"] for name in _GENE_ARRAYS))
        return cls(
            tuple(Modality(m) for m in value["modalities"]),
            tuple(tuple(f) for f in value["families"]),
            tuple(value["columns"]),
            scaler,
            ClinicalEncoder.from_json(value["clinical"]) if value["clinical"] else None,
            {Modality(m): int(w) for m, w in value["bag_width"].items()},
            tuple(value.get("groups", ())),
            {
                Modality(m): BagScaler(*(arrays[f"bags.{m}.{name}"] for name in _BAG_ARRAYS))
                for m in value.get("scaled_bags", ())
            },
        )
