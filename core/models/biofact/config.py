"""What can be set about a BioFact-MoE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import PrognoscopeError

FACTORS = ("liver", "tumour")


@dataclass(frozen=True)
class BioFactConfig:
    """Configuration. The paper's full text is not available: its abstract names the parts, the sizes are ours
    (MODELS.md 1.3).

    Parameters
    ----------
    width : int
        Width of the image side's representation h.
    rank : int
        Rank of an expert, E_k(h) = LayerNorm(B_k A_k h).
    hidden : int
        Hidden width of the encoders.
    dropout : float
    temperature : float
        Start of the contrastive losses' learned temperature.
    part_weight : float
        Weight λ of the experts' contrastive losses beside that of the whole report.
    contrast : float
        Weight of the taught losses while survival is trained; 0 leaves them to the pre-training.
    apart : float
        Weight of the loss that keeps each expert's embedding unrelated to the other part's sentences. Without it both
        experts keep all that h holds, and neither means what it is called.
    gate_weight : float
        Weight of the loss that teaches the gate which of the two a report finds diseased. Survival alone does not
        identify π: any gate with the right experts predicts as well.
    head : "cox" or "hazards"
        Full-batch Cox partial likelihood (Efron), or the discrete hazards the other models use.
    supervision : "biological", "none", "shuffled" or "swapped"
        What teaches the experts and the gate: the liver and tumour sentences; nothing; sentences with their parts
        shuffled within each report (these two are controls of the audit); or the liver sentences the tumour expert
        and the other way round, which the audit must notice (a control of the audit itself).
    router : "gate" or "random"
        The dense softmax gate, or weights without any relation to the patient (a control).
    """

    width: int = 128
    rank: int = 4
    hidden: int = 256
    dropout: float = 0.2
    temperature: float = 0.07
    part_weight: float = 1.0
    contrast: float = 1.0
    apart: float = 1.0
    gate_weight: float = 1.0
    head: Literal["cox", "hazards"] = "cox"
    supervision: Literal["biological", "none", "shuffled", "swapped"] = "biological"
    router: Literal["gate", "random"] = "gate"

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= self.width:
            raise PrognoscopeError(
                f"rank {self.rank} of width {self.width}", "the BioFact-MoE configuration", "choose 1 <= rank <= width"
            )
