"""Nyström attention for padded batches of sequences of any length.

Self-attention softmax(QKᵀ)V is approximated through m landmarks (segment means of Q and K):
softmax(Q K̃ᵀ) · pinv(softmax(Q̃ K̃ᵀ)) · softmax(Q̃ Kᵀ) V (Xiong et al., AAAI 2021, Eq. 13), with the pseudo-inverse
by Newton-Schulz-type iteration (ibid., Eq. 11) and a depth-wise convolution of V added (TransMIL, NeurIPS 2021).

A sequence whose length is no multiple of m is preceded by zero tokens, which do attend (MODELS.md 1.1.3, item 9).
Here they are never materialised: they enter the softmax as one zero key of multiplicity p, and for short sequences
(length ≤ m) as one zero landmark of multiplicity p. That is algebra, not approximation: equal rows and columns of a
matrix product can be summed once with a weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


@dataclass(frozen=True, eq=False)
class Lengths:
    """Per-sequence bookkeeping of a padded batch (padding stands behind the tokens).

    ``mask`` (b, n) True at real tokens · ``segment`` (b,) tokens per landmark · ``zeros`` (b,) phantom zero tokens
    that stand before the sequence.
    """

    mask: Tensor
    segment: Tensor
    zeros: Tensor

    @classmethod
    def of(cls, mask: Tensor, landmarks: int) -> Lengths:
        count = mask.sum(dim=1)
        segment = torch.div(count + landmarks - 1, landmarks, rounding_mode="floor").clamp(min=1)
        return cls(mask, segment, segment * landmarks - count)


def iterative_pinv(x: Tensor, weight: Tensor, iterations: int = 6) -> Tensor:
    """Moore-Penrose pseudo-inverse of (b, h, m, m) matrices whose row/column j stands for ``weight[:, j]`` equal ones.

    Products are weighted, (XY)_ij = Σ_k w_k X_ik Y_kj, so the identity of the iteration needs no matrix: with
    t = xz, z ← ¼(13z − z(15t − t(7t − t²))). The start is scaled by the largest row and column sum of each sample,
    never of the batch, so a patient's result does not depend on its neighbours.
    """
    w_column = weight[:, None, None, :]
    w_row = weight[:, None, :, None]
    exists = weight[:, None, :] > 0.5  # a padding class must not set the scale
    row_sum = ((x.abs() * w_column).sum(-1) * exists).amax(dim=(1, 2))
    column_sum = ((x.abs() * w_row).sum(-2) * exists).amax(dim=(1, 2))
    z = x.transpose(-1, -2) / (row_sum * column_sum)[:, None, None, None]
    for _ in range(iterations):
        zw = z * w_column
        t = (x * w_column) @ z
        tw = t * w_column
        z = 0.25 * (13 * z - zw @ (15 * t - tw @ (7 * t - tw @ t)))
    return z


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
        self.dropout = nn.Dropout(dropout)
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
        q, k, v = self._heads(x, lengths.mask)
        q_landmark, k_landmark, weight = self._landmarks(q, k, lengths)
        middle = torch.softmax(q_landmark @ k_landmark.transpose(-1, -2) + weight.log()[:, None, None, :], dim=-1)
        with torch.autocast(x.device.type, enabled=False):  # the iteration loses its digits in bfloat16
            # it works on the value of one single column, hence the division by its multiplicity
            inverse = iterative_pinv(middle.float() / weight[:, None, None, :], weight)
        bias = self._key_bias(lengths, q.dtype)
        queries = q[:, :, :1] if first_only else q
        first = torch.softmax(queries @ k_landmark.transpose(-1, -2) + weight.log()[:, None, None, :], dim=-1)
        mixed = first @ inverse.to(first.dtype)  # (b, h, n or 1, m): its columns stand for single landmarks
        if first_only:
            last = torch.softmax(q_landmark @ self._with_zero(k).transpose(-1, -2) + bias, dim=-1)
            row = (mixed * weight[:, None, None, :]).to(last.dtype) @ last[..., 1:]
            attended = row @ v + self._residual_first(v)
            attention: Tensor | None = row.squeeze(2).float().mean(dim=1)
        else:
            summary = F.scaled_dot_product_attention(
                q_landmark, self._with_zero(k), self._with_zero(v), attn_mask=bias, scale=1.0
            )
            attended = (mixed * weight[:, None, None, :]).to(v.dtype) @ summary + self.residual(v)
            attention = None
        merged = attended.transpose(1, 2).flatten(2)
        return self.dropout(self.to_out(merged)), attention

    def _heads(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (scaled), keys and values as (b, heads, n, d); zero at padding."""
        b, n, _ = x.shape
        qkv = self.to_qkv(x) * mask[..., None].to(x.dtype)
        q, k, v = qkv.view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return q * self.scale, k, v

    def _landmarks(self, q: Tensor, k: Tensor, lengths: Lengths) -> tuple[Tensor, Tensor, Tensor]:
        """Landmarks of Q and K, (b, heads, m', d) each, and their multiplicities (b, m')."""
        if q.shape[2] <= self.landmarks:  # every token is its own landmark; the zero tokens are one more
            # log(0) of a patient without zero tokens, or of padding, must act as "absent", not as NaN
            weight = torch.cat([lengths.zeros[:, None].float(), lengths.mask.float()], dim=1).clamp(min=1e-30)
            return self._with_zero(q), self._with_zero(k), weight
        weight = q.new_ones(q.shape[0], self.landmarks, dtype=torch.float32)
        return self._segment_mean(q, lengths), self._segment_mean(k, lengths), weight

    def _segment_mean(self, x: Tensor, lengths: Lengths) -> Tensor:
        """Mean of each run of ``segment`` tokens, the phantom zeros before the sequence included."""
        b, h, n, d = x.shape
        zeros, segment = int(lengths.zeros[0]), int(lengths.segment[0])
        if bool((lengths.zeros == zeros).all()) and bool(lengths.mask.all()):  # one length: a reshape
            return F.pad(x, (0, 0, zeros, 0)).view(b, h, self.landmarks, segment, d).mean(dim=3)
        position = torch.arange(n, device=x.device)[None] + lengths.zeros[:, None]
        index = torch.div(position, lengths.segment[:, None], rounding_mode="floor").clamp(max=self.landmarks - 1)
        total = x.new_zeros(b, h, self.landmarks, d)
        total.scatter_add_(2, index[:, None, :, None].expand(b, h, n, d), x)
        return total / lengths.segment[:, None, None, None].to(x.dtype)

    @staticmethod
    def _with_zero(x: Tensor) -> Tensor:
        """(b, h, 1 + n, d): one zero token in front, standing for all phantom zeros."""
        return F.pad(x, (0, 0, 1, 0))

    @staticmethod
    def _key_bias(lengths: Lengths, dtype: torch.dtype) -> Tensor:
        """(b, 1, 1, 1 + n) additive bias: log multiplicity of the zero key, 0 at tokens, −∞ at padding."""
        count = torch.cat([lengths.zeros[:, None].float(), lengths.mask.float()], dim=1)
        return count.log()[:, None, None, :].to(dtype)

    def _residual_first(self, v: Tensor) -> Tensor:
        """The depth-wise convolution at the first token: only the taps that reach it."""
        weight = self.residual.weight[:, 0, :, 0]
        half = weight.shape[1] // 2
        near = v[:, :, : half + 1]
        return torch.einsum("bhnd,hn->bhd", near, weight[:, half : half + near.shape[2]].to(v.dtype)).unsqueeze(2)
