"""Dropout whose masks cost little on a CPU: 8 or 16 random bits a value instead of one double each.

torch draws a CPU mask value by value, which takes longer than the matrix product in front of it. Here the bits of
64-bit random integers are compared with a threshold. The probability is exact where it is a multiple of 1/256 (0.25
is), and the nearest multiple of 1/65,536 otherwise; the scale is that of the probability in use. Other devices use
torch's own kernels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SELU_FLOOR = -1.7580993408473766  # −λα of SELU, where alpha dropout sends dropped values (Klambauer et al., 2017)


def keep_mask(like: Tensor, p: float) -> tuple[Tensor, float]:
    """Bool mask of ``like``'s shape, False with probability ``p``, and the probability to keep that was used."""
    wide = (p * 256) % 1 != 0
    levels, kind = (65536, torch.int16) if wide else (256, torch.int8)
    dropped = round(p * levels)
    numbers = torch.empty(-(-like.numel() * kind.itemsize // 8), dtype=torch.int64).random_(-(2**63), None)
    bits = numbers.view(kind)[: like.numel()].view(like.shape)
    return bits >= dropped - levels // 2, 1 - dropped / levels


class Dropout(nn.Dropout):
    """As :class:`torch.nn.Dropout`."""

    def forward(self, x: Tensor) -> Tensor:
        """Set values to 0 with probability p in training, scale the others up."""
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        kept, share = keep_mask(x, self.p)
        return x * kept.to(x.dtype).mul_(1 / share)


class AlphaDropout(nn.AlphaDropout):
    """As :class:`torch.nn.AlphaDropout`: mean and variance of a SELU layer's output are kept."""

    def forward(self, x: Tensor) -> Tensor:
        """Send values to SELU's floor with probability p in training, then restore mean 0 and variance 1."""
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        kept, share = keep_mask(x, self.p)
        scale = (share + SELU_FLOOR**2 * share * (1 - share)) ** -0.5
        mask = kept.to(x.dtype)
        shift = (mask * -SELU_FLOOR + SELU_FLOOR * share) * scale  # floor at dropped values, minus the new mean
        return torch.addcmul(shift, x, mask, value=scale)
