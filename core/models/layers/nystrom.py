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
from torch.utils.checkpoint import checkpoint

from core.models.layers.attention_weights import AttentionWeights
from core.models.layers.dropout import Dropout
from core.models.layers.landmark_attention import attend, landmark_row
from core.models.layers.pseudo_inverse import largest_sums, pinv_product

LARGE, PART = 65_536, 16_384
"""Tokens above which a sequence is evaluated in parts, and tokens of a part; training never is."""


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
    """What is attended to, and the landmarks that stand for it.

    ``tokens`` (b, p + n, width) the input behind its zero tokens · ``bias`` (b, 1, 1, p + n) log multiplicity, −∞ at
    padding, or None · ``landmarks`` (b, m, width) · ``weight`` (b, m) their multiplicity, or None where all are 1.
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
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.to_out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)
        self.used = AttentionWeights()
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
        with torch.autocast(kind, enabled=False):  # softmax and sums would be copied to float32
            x = x.to(dtype) if lengths.full else x.to(dtype) * lengths.mask[..., None].to(dtype)
            keys = self._keys(x, lengths)
            merged, attention = self._first(x, keys) if first_only else (self._all(x, keys), None)
            output = F.linear(merged, self.to_out.weight.to(dtype), self.to_out.bias.to(dtype))
        return self.dropout(output), attention

    def _all(self, x: Tensor, keys: _Keys) -> Tensor:
        """(b, n, width) attention of every token."""
        w_query, w_key, w_value = self._weights(x.dtype)
        marks = _Landmarks.of(self._heads(keys.landmarks @ w_query), self._heads(keys.landmarks @ w_key), keys.weight)
        values = keys.tokens @ w_value
        summary = attend(marks.queries, self._heads(keys.tokens @ w_key), self._heads(values), keys.bias)
        inner = marks.inverse_times(summary)
        if not self.training and x.shape[1] > LARGE:
            return self._in_parts(x, values, marks, inner)
        attended = attend(self._heads(x @ w_query), marks.keys, inner, marks.bias)
        convolved = self._convolve(values)[:, keys.tokens.shape[1] - x.shape[1] :]
        return attended.transpose(1, 2).flatten(2) + convolved

    def _in_parts(self, x: Tensor, values: Tensor, marks: _Landmarks, inner: Tensor) -> Tensor:
        """The same, :data:`PART` tokens at a time: a token asks the landmarks alone, and its neighbours in the values.

        What a part remembers for its gradient is made again on the way back, so that only one part's is in memory.
        """
        zeros, half = values.shape[1] - x.shape[1], self.residual.weight.shape[2] // 2
        query = self._weights(x.dtype)[0]

        def part(tokens: Tensor, near: Tensor, skip: int) -> Tensor:
            attended = attend(self._heads(tokens @ query), marks.keys, inner, marks.bias)
            return attended.transpose(1, 2).flatten(2) + self._convolve(near)[:, skip : skip + tokens.shape[1]]

        found = []
        for start in range(0, x.shape[1], PART):
            end = min(start + PART, x.shape[1])
            low = max(0, zeros + start - half)
            near = values[:, low : zeros + end + half]
            given = (x[:, start:end], near, zeros + start - low)
            again = torch.is_grad_enabled() and x.requires_grad
            found.append(
                checkpoint(part, *given, use_reentrant=False, preserve_rng_state=False) if again else part(*given)
            )
        return torch.cat(found, dim=1)

    def _first(self, x: Tensor, keys: _Keys) -> tuple[Tensor, Tensor]:
        """(b, 1, width) attention of the first token, and its mean over heads as (b, n)."""
        w_query, w_key, w_value = self._weights(x.dtype)
        marks = _Landmarks.of(self._heads(keys.landmarks @ w_query), self._heads(keys.landmarks @ w_key), keys.weight)
        scores = self._heads(x[:, :1] @ w_query) @ marks.keys.transpose(-1, -2)
        weights = marks.times_inverse(torch.softmax(scores if marks.bias is None else scores + marks.bias, dim=-1))
        row: Tensor = self.used(landmark_row(marks.queries, self._heads(keys.tokens @ w_key), weights, keys.bias))
        gathered = row @ keys.tokens  # (b, h, width): the values are projected after the sum over tokens
        attended = torch.einsum("bhw,whd->bhd", gathered, w_value.reshape(len(w_value), self.heads, -1))
        taps = self.residual.weight[:, 0, :, 0].to(x.dtype)
        near = self._heads(x[:, : taps.shape[1] // 2 + 1] @ w_value)  # only the taps that reach the first token
        reach = taps[:, taps.shape[1] // 2 :][:, : near.shape[2]]
        attended = attended + torch.einsum("bhnd,hn->bhd", near, reach)
        zeros = keys.tokens.shape[1] - x.shape[1]
        return attended.flatten(1)[:, None], row[..., zeros:].float().mean(dim=1)

    def _weights(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """The (width, width) matrices that make queries, keys and values."""
        query, key, value = self.to_qkv.weight.to(dtype).t().chunk(3, dim=1)
        return query, key, value

    def _heads(self, x: Tensor) -> Tensor:
        """(b, n, width) → (b, heads, n, d)."""
        b, n, _ = x.shape
        return x.view(b, n, self.heads, -1).transpose(1, 2)

    def _convolve(self, values: Tensor) -> Tensor:
        """The depth-wise convolution over (b, n, width); each head has its taps."""
        b, n, width = values.shape
        taps = self.residual.weight[:, 0, :, 0].to(values.dtype)
        half = taps.shape[1] // 2
        if n <= half + 1:  # every token reaches every other: one small matrix a head
            place = torch.arange(n, device=values.device)
            matrix = taps[:, place[None, :] - place[:, None] + half]
            return (matrix @ self._heads(values)).transpose(1, 2).reshape(b, n, width)
        image = values[:, :, None].permute(0, 3, 1, 2)  # as one of ``width`` channels, which is how values lie
        kernel = taps.repeat_interleave(width // self.heads, dim=0)[:, None, :, None]
        convolved = F.conv2d(image, kernel, padding=(half, 0), groups=width)
        return convolved.permute(0, 2, 3, 1)[:, :, 0]

    def _keys(self, x: Tensor, lengths: Lengths) -> _Keys:
        b, n, width = x.shape
        if lengths.full and n > self.landmarks:
            tokens = F.pad(x, (0, 0, int(lengths.zeros[0]), 0))
            return _Keys(tokens, None, tokens.view(b, self.landmarks, -1, width).mean(dim=2), None)
        tokens = F.pad(x, (0, 0, 1, 0))
        count = torch.cat([lengths.zeros[:, None].float(), lengths.mask.float()], dim=1)
        bias = count.log()[:, None, None, :].to(x.dtype)
        if n > self.landmarks:
            return _Keys(tokens, bias, self._segment_means(x, lengths), None)
        # every token is its own landmark; one that is absent must have next to no weight, not NaN
        return _Keys(tokens, bias, tokens, count.clamp(min=1e-30))

    def _segment_means(self, x: Tensor, lengths: Lengths) -> Tensor:
        """(b, m, width) mean of each run of ``segment`` tokens, the zeros before the sequence included."""
        position = torch.arange(x.shape[1], device=x.device)[None] + lengths.zeros[:, None]
        segment = torch.div(position, lengths.segment[:, None], rounding_mode="floor")
        belongs = segment[:, None, :] == torch.arange(self.landmarks, device=x.device)[:, None]
        means: Tensor = (belongs.to(x.dtype) @ x) / lengths.segment[:, None, None].to(x.dtype)
        return means


@dataclass(frozen=True, eq=False)
class _Landmarks:
    """Landmarks of one layer: their ``queries`` and ``keys`` (b, h, m, d), both scaled by 1/√d, and what joins them.

    A landmark of multiplicity w is w equal rows and columns of softmax(Q̃K̃ᵀ). With X its matrix of single values,
    their weighted products XWY become ordinary ones for √W X √W; ``middle`` is that, ``root`` √w or None.
    """

    queries: Tensor
    keys: Tensor
    middle: Tensor
    sums: Tensor
    root: Tensor | None
    bias: Tensor | None

    @classmethod
    def of(cls, queries: Tensor, keys: Tensor, weight: Tensor | None) -> _Landmarks:
        scale = queries.shape[-1] ** -0.5
        scores = (queries.float() * scale) @ keys.float().transpose(-1, -2)
        queries, keys = queries * scale, keys * scale
        if weight is None:
            middle = torch.softmax(scores, dim=-1)
            return cls(queries, keys, middle, largest_sums(middle), None, None)
        bias, root = weight.log()[:, None, None, :], weight.sqrt()
        middle = torch.softmax(scores + bias, dim=-1)
        column = (weight[:, None, :, None] * middle).sum(dim=-2) / weight[:, None, :]
        sums = (column * (weight > 0.5)[:, None]).amax(dim=(1, 2))  # the rows of a softmax sum to 1
        middle = middle * root[:, None, :, None] / root[:, None, None, :]
        return cls(queries, keys, middle, sums, root, bias.to(queries.dtype))

    def times_inverse(self, rows: Tensor) -> Tensor:
        """``rows`` (b, h, r, m) of a softmax over the landmarks, times the pseudo-inverse."""
        exact = rows.float()  # the iteration loses its digits in bfloat16
        if self.root is None:
            return pinv_product(exact, self.middle, self.sums).to(rows.dtype)
        root = self.root[:, None, None, :]
        return (pinv_product(exact / root, self.middle, self.sums) * root).to(rows.dtype)

    def inverse_times(self, columns: Tensor) -> Tensor:
        """The pseudo-inverse times ``columns`` (b, h, m, d); a row stands for one single landmark."""
        rows = columns.float().transpose(-1, -2)
        middle = self.middle.transpose(-1, -2)
        if self.root is None:
            return pinv_product(rows, middle, self.sums).transpose(-1, -2).to(columns.dtype)
        root = self.root[:, None, None, :]
        return (pinv_product(rows * root, middle, self.sums) / root).transpose(-1, -2).to(columns.dtype)
