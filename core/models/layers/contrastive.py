"""Contrastive losses between the modalities of a patient."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def multi_positive_loss(embeddings: Tensor, present: Tensor, temperature: float) -> Tensor:
    """Multi-positive InfoNCE: each modality of a patient is drawn to the patient's others (MICE; MODELS.md 1.2.2).

    For a row i with positives P(i) (the same patient's other modalities) the loss is the mean over P(i) of
    −log softmax over all other rows; rows without a positive contribute 0, as published.

    Parameters
    ----------
    embeddings : (b, m, w) tensor
    present : (b, m) bool tensor
        Only real modalities take part.
    temperature : float
    """
    b, m, _ = embeddings.shape
    rows = F.normalize(embeddings.float(), dim=-1).flatten(0, 1)
    real = present.flatten()
    patient = torch.arange(b, device=rows.device).repeat_interleave(m)
    scores = rows @ rows.t() / temperature
    itself = torch.eye(b * m, dtype=torch.bool, device=rows.device)
    scores = scores.masked_fill(itself | ~real[None], float("-inf"))
    scores = scores.masked_fill(~real[:, None], 0.0)  # rows that do not count must not make NaN
    log_share = torch.log_softmax(scores, dim=1)
    positive = (patient[:, None] == patient[None]) & ~itself & real[None] & real[:, None]
    total = torch.where(positive, log_share, torch.zeros_like(log_share)).sum(dim=1)
    per_row = -total / positive.sum(dim=1).clamp(min=1)
    return per_row.sum() / real.sum().clamp(min=1)


def info_nce(left: Tensor, right: Tensor, scale: Tensor, paired: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE between two views (b, w) of the same patients; ``paired`` (b,) leaves rows out.

    ``scale`` is 1/temperature (a learned scalar). Fewer than two pairs give 0: there is nothing to tell apart.
    """
    if paired is not None:
        left, right = left[paired], right[paired]
    if len(left) < 2:
        return left.sum() * 0.0 + right.sum() * 0.0
    scores = F.normalize(left.float(), dim=1) @ F.normalize(right.float(), dim=1).t() * scale
    target = torch.arange(len(scores), device=scores.device)
    return 0.5 * (F.cross_entropy(scores, target) + F.cross_entropy(scores.t(), target))


def linear_cka(left: Tensor, right: Tensor) -> Tensor:
    """Linear centred kernel alignment of two views (b, ·) of the same patients: 0 uncorrelated, 1 equal up to rotation.

    ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖) of centred X and Y (Kornblith et al., ICML 2019). Fewer than three patients give 0.
    """
    if len(left) < 3:
        return left.sum() * 0.0 + right.sum() * 0.0
    x, y = (v.float() - v.float().mean(dim=0) for v in (left, right))
    # over patients: their Gram matrices are smaller than those of the columns
    gram_x, gram_y = x @ x.t(), y @ y.t()
    shared: Tensor = (gram_x * gram_y).sum() / (gram_x.norm() * gram_y.norm()).clamp(min=1e-12)
    return shared
