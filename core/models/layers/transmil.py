"""The class-token encoders: a set of feature vectors in, one vector out.

TransMIL (Shao et al., NeurIPS 2021): the patches, squared by repeating the first ones, pass two Nyström layers with
a pyramid of depth-wise convolutions (PPEG) between them; the class token is the slide's representation. The genomic
encoder is the same without PPEG (MODELS.md 1.1.1).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.layers.nystrom import Lengths, NystromAttention


def square_index(count: Tensor, longest: int) -> tuple[Tensor, Tensor, Tensor]:
    """How to square bags of ``count`` patches by repeating the first ones.

    Returns
    -------
    index : (b, s) int tensor
        Source patch of each of the s = ⌈√longest⌉² places (0 where ``mask`` is False).
    mask : (b, s) bool tensor
        True for the ⌈√count⌉² places in use.
    side : (b,) int tensor
        ⌈√count⌉.
    """
    side = torch.ceil(torch.sqrt(count.double())).long()
    places = torch.arange(int(torch.ceil(torch.sqrt(torch.tensor(float(longest)))).item()) ** 2, device=count.device)
    mask = places[None] < (side**2)[:, None]
    index = torch.where(places[None] < count[:, None], places[None], places[None] - count[:, None])
    return index.where(mask, torch.zeros_like(index)), mask, side


class PyramidPositions(nn.Module):
    """PPEG: x + conv7(x) + conv5(x) + conv3(x), depth-wise with bias, on each bag's own square grid."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(width, width, k, padding=k // 2, groups=width) for k in (7, 5, 3))

    def forward(self, x: Tensor, mask: Tensor, side: Tensor) -> Tensor:
        """(b, s, width) with its mask and the side of each grid → the same shape."""
        b, s, width = x.shape
        largest = int(side.max())
        if s == largest**2 and bool((side == largest).all()):
            return self._convolve(x.reshape(b, largest, largest, width)).flatten(1, 2)
        places = torch.arange(s, device=x.device)[None].expand(b, s)
        row, column = torch.div(places, side[:, None], rounding_mode="floor"), places % side[:, None]
        cell = (row * largest + column).where(mask, torch.full_like(row, largest**2))  # padding → one spare cell
        cell = cell[..., None].expand(b, s, width)
        canvas = x.new_zeros(b, largest**2 + 1, width).scatter(1, cell, x)[:, :-1]
        grid = self._convolve(canvas.reshape(b, largest, largest, width))
        return nn.functional.pad(grid.flatten(1, 2), (0, 0, 0, 1)).gather(1, cell) * mask[..., None].to(x.dtype)

    def _convolve(self, grid: Tensor) -> Tensor:
        """(b, side, side, width) → the same: the three convolutions and the identity are one convolution's kernel.

        In float32 and channels last, where the gradient of a depth-wise kernel is several times faster on a CPU.
        """
        with torch.autocast(grid.device.type, enabled=False):
            kernel, bias = self._joined()
            image = grid.float().permute(0, 3, 1, 2)
            out = nn.functional.conv2d(image, kernel, bias, padding=kernel.shape[2] // 2, groups=kernel.shape[0])
        return out.permute(0, 2, 3, 1).to(grid.dtype)

    def _joined(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias of identity + conv7 + conv5 + conv3."""
        parameters = dict(self.convolutions.named_parameters())
        weights: list[Tensor] = [p for name, p in parameters.items() if name.endswith("weight")]
        biases: list[Tensor] = [p for name, p in parameters.items() if name.endswith("bias")]
        kernel = torch.zeros_like(weights[0])
        middle = kernel.shape[2] // 2
        kernel[:, :, middle, middle] = 1.0
        for weight in weights:
            rim = middle - weight.shape[2] // 2
            kernel = kernel + nn.functional.pad(weight, (rim, rim, rim, rim))
        return kernel, torch.stack(biases).sum(dim=0)


class Norm(nn.LayerNorm):
    """LayerNorm that keeps the precision of its input; autocast would write a float32 copy of every token."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension."""
        with torch.autocast(x.device.type, enabled=False):
            weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
            return nn.functional.layer_norm(x, self.normalized_shape, weight, bias, self.eps)


class ClassTokenEncoder(nn.Module):
    """Two Nyström layers over [class token; tokens]; returns the class token.

    Parameters
    ----------
    positions : bool
        True for bags of patches (TransMIL, squared, with PPEG); False for short sets (the gene families).
    """

    def __init__(self, width: int = 256, heads: int = 8, landmarks: int = 128, positions: bool = True) -> None:
        super().__init__()
        self.landmarks = landmarks
        self.class_token = nn.Parameter(torch.randn(1, 1, width) * 1e-6)
        self.norm1, self.norm2, self.norm = Norm(width), Norm(width), Norm(width)
        self.layer1 = NystromAttention(width, heads, landmarks)
        self.layer2 = NystromAttention(width, heads, landmarks)
        self.positions = PyramidPositions(width) if positions else None

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Parameters
        ----------
        x : (b, n, width) tensor
        mask : (b, n) bool tensor
            True at real tokens, which stand before the padding; at least one a row.

        Returns
        -------
        representation : (b, width)
        attention : (b, n) the class token's attention to each token in the last layer, mean over heads; the
            repetitions of a patch are added to it
        """
        b, n, width = x.shape
        index: Tensor | None = None
        parts = [x]
        places, side = mask, None
        if self.positions is not None:
            index, places, side = square_index(mask.sum(dim=1), n)
            parts = [x, x[:, : places.shape[1] - n]]
            if not bool(mask.all()):
                parts = [x.gather(1, index[..., None].expand(*index.shape, width)) * places[..., None].to(x.dtype)]
        x = torch.cat([self.class_token.expand(b, 1, width).to(x.dtype), *parts], dim=1)
        lengths = Lengths.of(torch.nn.functional.pad(places, (1, 0), value=True), self.landmarks)
        x = x + self.layer1(self.norm1(x), lengths)[0]
        if self.positions is not None and side is not None:
            x = torch.cat([x[:, :1], self.positions(x[:, 1:], places, side).to(x.dtype)], dim=1)
        first, attention = self.layer2(self.norm2(x), lengths, first_only=True)
        representation = self.norm((x[:, :1] + first).float())[:, 0]
        assert attention is not None  # noqa: S101  first_only always returns it
        return representation, self._per_token(attention[:, 1:], index, n)

    @staticmethod
    def _per_token(attention: Tensor, index: Tensor | None, n: int) -> Tensor:
        if index is None:
            return attention
        return attention.new_zeros(attention.shape[0], n).scatter_add(1, index, attention)
