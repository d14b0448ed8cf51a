"""Nyström attention for padded batches of sequences of any length.

Self-attention softmax(QKᵀ)V is approximated through m landmarks (segment means of Q and K):
softmax(Q K̃ᵀ) · pinv(softmax(Q̃ K̃ᵀ)) · softmax(Q̃ Kᵀ) V (Xiong et al., AAAI 2021, Eq. 13), with the pseudo-inverse
by iteration (ibid., Eq. 11) and a depth-wise convolution of V added (TransMIL, NeurIPS 2021).

A sequence whose length is no multiple of m is preceded by zero tokens, which do attend (MODELS.md 1.1.3, item 9).
A batch of one length longer than m gets these zeros. Otherwise one zero token stands for all p of them: a key of
multiplicity p in the softmax and, for short sequences (length ≤ m), one landmark of multiplicity p. That is algebra,
not approximation: equal rows and columns of a matrix product can be summed once with a weight.

Products are ordered so that no (n, m) map meets an (m, m) matrix; landmarks are projected after the mean, which is
linear; and the last layer of an encoder, of which only the first token is used, needs neither queries nor values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from core.models.layers.dropout import Dropout
from core.models.layers.landmark_rows import attend, landmark_row
from core.models.layers.pseudo_inverse import largest_sums, pinv_product


@dataclass(frozen=True, eq=False)
class Lengths:
    """Per-sequence bookkeeping of a padded batch (padding stands behind the tokens).

    ``mask`` (b, n) True at real tokens · ``segment`` (b,) tokens per landmark · ``zeros`` (b,) phantom zero tokens
    that stand before the sequence · ``full`` whether no sequence is padded.
    """

    mask: Tensor
    segment: Tensor
    zeros: Tensor
    full: bool

    @classmethod
    def of(cls, mask: Tensor, landmarks: int) -> Lengths:
        """From a (b, n) mask and the number of landmarks."""
        count = mask.sum(dim=1)
        segment = torch.div(count + landmarks - 1, landmarks, rounding_mode="floor").clamp(min=1)
        return cls(mask, segment, segment * landmarks - count, bool(mask.all()))


@dataclass(frozen=True, eq=False)
class _Keys:
    """What is attended to: the input behind its zero tokens, and the landmarks.

    ``tokens`` (b, p + n, width) · ``bias`` (b, 1, 1, p + n) log multiplicity, −∞ at padding, or None · ``landmarks``
    (b, m', width) · ``weight`` (b, m') multiplicity of the landmarks, or None where all are 1.
    """

    tokens: Tensor
    bias: Tensor | None
    landmarks: Tensor
    weight: Tensor | None


class NystromAttention(nn.Module):
    """Multi-head Nyström self-attention over (b, n, width) with a mask.

    Parameters
    ----------
    width, heads, landmarks : int
        Model width, heads (width / heads per head), number m of landmarks.
    kernel : int
        Width of the depth-wise convolution added to the values.
    """

    def __init__(self, width: int = 256, heads: int = 8, landmarks: int = 128, kernel: int = 33, dropout: float = 0.1):
        super().__init__()
        self.heads, self.landmarks = heads, landmarks
        self.scale = (width // heads) ** -0.5
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.to_out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)
        self.residual = nn.Conv2d(heads, heads, (kernel, 1), padding=(kernel // 2, 0), groups=heads, bias=False)

    def forward(self, x: Tensor, lengths: Lengths, first_only: bool = False) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Parameters
        ----------
        x : (b, n, width) tensor
        lengths : Lengths
        first_only : bool
            Compute the output of the first token only (exactly the same numbers, a fraction of the work).

        Returns
        -------
        output : (b, n, width), or (b, 1, width) with ``first_only``
        attention : (b, n) mean over heads of the first token's attention to every token, with ``first_only``
        """
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        with torch.autocast(kind, enabled=False):  # each product states its precision below
            x = x.to(dtype)
            if not lengths.full:
                x = x * lengths.mask[..., None].to(dtype)
            keys = self._keys(x, lengths)
            w_query, w_key, w_value = self.to_qkv.weight.to(dtype).chunk(3)
            k_landmark = self._heads(keys.landmarks @ w_key.t()) * self.scale
            q_landmark = self._heads(keys.landmarks @ w_query.t())
            middle, sums = self._middle(q_landmark, k_landmark, keys.weight)
            bias = None if keys.weight is None else keys.weight.log()[:, None, None, :].to(dtype)
            inner = (k_landmark, bias, keys.weight, middle, sums)
            if first_only:
                merged, attention = self._first(x, keys, q_landmark, inner)
            else:
                merged, attention = self._all(x, keys, q_landmark, inner), None
            output = F.linear(merged, self.to_out.weight.to(dtype), self.to_out.bias.to(dtype))
        return self.dropout(output), attention
