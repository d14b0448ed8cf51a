"""S(month) of one patient as a function of one modality's features, all else as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from core.cohort.modality import Modality
from core.explain.run_models import RunModels, UnseenModel
from core.explain.survival_at import check_month, survival_at

PERCENT = 100.0


class BagSurvival(nn.Module):
    """S(month) in percent, the mean of the models that never saw the patient.

    ``forward(bags)``: ``bags`` (b, n, d) unscaled features of ``modality`` as an encoder gives them, NaN where
    something was not measured. Returns (b, models); differentiable. Genes, clinical values and the patient's other
    bags stay the patient's own.
    """

    def __init__(
        self, models: RunModels, unseen: Sequence[UnseenModel], patient: str, modality: Modality, month: float
    ) -> None:
        super().__init__()
        inputs = models.inputs.take(np.array([models.row(patient)]))
        self.modality, self.month = modality, month
        self.fitted = [u.fitted for u in unseen]
        self.tensors = [f.preparation.tensors(inputs) for f in self.fitted]
        for fitted in self.fitted:
            check_month(fitted, month)
            fitted.network.eval().requires_grad_(False)

    def forward(self, bags: Tensor) -> Tensor:
        """(b, n, d) → (b, models)."""
        found = []
        for fitted, tensors in zip(self.fitted, self.tensors, strict=True):
            batch = tensors.batch(np.zeros(len(bags), dtype=np.int64))
            scaled = self._scaled(bags, fitted.preparation.bags.get(self.modality))
            mask = torch.ones(scaled.shape[:2], dtype=torch.bool)
            batch = replace(
                batch, bags={**batch.bags, self.modality: scaled}, masks={**batch.masks, self.modality: mask}
            )
            found.append(PERCENT * survival_at(fitted, fitted.network(batch).logits, self.month))
        return torch.stack(found, dim=1)

    @staticmethod
    def _scaled(bags: Tensor, scaler: object) -> Tensor:
        if scaler is None:
            return bags
        mean, scale = (torch.as_tensor(getattr(scaler, name), dtype=bags.dtype) for name in ("mean", "scale"))
        return torch.nan_to_num((bags - mean) * scale, nan=0.0, posinf=float("inf"), neginf=float("-inf"))
