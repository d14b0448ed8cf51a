"""What can be set about a MICE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import PrognoscopeError

RELEASED_SIZES: Mapping[str, Any] = {"width": 256, "overlapping": 15, "keep": 9, "rank": 64}
"""Sizes of the released code (MODELS.md 1.2.1)."""
PUBLISHED: Mapping[str, Any] = {
    **RELEASED_SIZES,
    "alpha": 2.0,
    "gene_encoder": "vector",
    "hazards": "shared",
    "noise": "linear",
    "renormalise": False,
    "skip": False,
    "synthesis": "cancer",
}
"""Settings of the released code, where they differ from the defaults."""


@dataclass(frozen=True)
class MICEConfig:
    """Configuration.

    The defaults that differ from the released code were chosen on a random quarter of the training patients of one
    pan-cancer outer fold (TCGA, genes with age and sex; fold 0 of the published plan), never on a test fold: a
    contrastive loss between genes and age and sex costs .015 of C there.

    Parameters
    ----------
    width : int
        Width of a modality's representation.
    overlapping, keep : int
        Overlapping experts (expert i has heads of width 8·i) and how many of them a patient keeps.
    rank : int
        Head width of the consensual and of the specialised experts.
    gene_encoder : "families" or "vector"
        One token from the family encoders joined, or from one vector of all genes (released).
    gene_hidden, clinical_hidden : int
    dropout : float
    hazards : "cancer" or "shared"
        Where the head starts: at the average hazards of each cancer, which then need not be learned before anything
        is learned within one, or at those of all patients (released).
    skip : bool
        Read the hazards from the last class token plus the mean of the modalities' tokens, so that the experts
        correct a plain network instead of standing between it and the answer; the released code has no such path.
    alpha, temperature : float
        Weight and temperature of the contrastive loss between a patient's modalities.
    noise : "softplus" or "linear"
        How the router's noise is scaled in training; the released code lets the scale become negative.
    renormalise : bool
        Softmax over the kept experts, so that their weights sum to 1; the released code drops the smallest weights
        and keeps the rest as they are.
    synthesis : "cancer" or "reconstruction"
        What stands in for a missing modality: a vector of the cancer alone (released), or one made from the cancer
        and the patient's other modalities, trained by hiding modalities and comparing (cosine).
    modality_dropout : float
        Share of present modalities hidden in training, with ``synthesis="reconstruction"``.
    use_consensual, use_specialised, use_overlapping : bool
        The three expert groups, each of which can be left out.
    """

    width: int = 128
    overlapping: int = 6
    keep: int = 4
    rank: int = 32
    gene_encoder: Literal["families", "vector"] = "families"
    gene_hidden: int = 256
    clinical_hidden: int = 256
    dropout: float = 0.2
    hazards: Literal["cancer", "shared"] = "cancer"
    skip: bool = True
    alpha: float = 0.0
    temperature: float = 0.1
    noise: Literal["softplus", "linear"] = "softplus"
    renormalise: bool = True
    synthesis: Literal["cancer", "reconstruction"] = "cancer"
    modality_dropout: float = 0.25
    use_consensual: bool = True
    use_specialised: bool = True
    use_overlapping: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.keep <= self.overlapping:
            raise PrognoscopeError(
                f"keep {self.keep} of {self.overlapping} overlapping experts",
                "the MICE configuration",
                "choose 1 <= keep <= overlapping",
            )
        if not (self.use_consensual or self.use_specialised or self.use_overlapping):
            raise PrognoscopeError("no expert group left", "the MICE configuration", "leave at least one group in")
        if not 0 <= self.modality_dropout < 1:
            raise PrognoscopeError(
                f"modality_dropout {self.modality_dropout}",
                "the MICE configuration",
                "choose a share from 0 to below 1",
            )

    @property
    def ranks(self) -> tuple[int, ...]:
        """Head widths of the overlapping experts: 8, 16, …"""
        return tuple(8 * (i + 1) for i in range(self.overlapping))
