"""Integrated gradients from S(month) through the survival network and a convolutional encoder back to the voxels.

Sundararajan et al. 2017, eq. 1, by captum; path from the patient's mean liver intensity (0 after the encoder's own
standardisation) to the scan. The mean and spread by which the encoder standardises are those of the scan and are kept
along the path: with them recomputed, every point of the path but its start would look the same to the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from core.arrays import Float32Array, FloatArray
from core.explain.bag_survival import BagSurvival
from core.features.scan import Phase, Scan
from core.features.volume_network import SmallNetwork
from core.features.volume_resnet import MOST_PHASES, PhaseResNet, common_grid, grid_frame

Progress = Callable[[float, str], None]
POINTS = 6
"""Gauss-Legendre points on each part of the path."""

GOOD_ENOUGH = 0.05
"""Percentage points, or share of the difference, that the voxels may miss."""

MOST_SECONDS = 30.0


class VoxelPath(Protocol):
    """One phase as the encoder sees it: ``values`` (x, y, z) standardised voxels of the box ``box`` of its array, and
    ``cube`` from (n, 1, x, y, z) such voxels to what the network reads."""

    values: Float32Array
    box: tuple[slice, ...]

    def cube(self, values: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class VoxelEffects:
    """``values`` one (x, y, z) array a phase: percentage points of S(month) a voxel, 0 outside of what the encoder
    reads · ``prediction``, ``baseline`` S in percent · ``steps`` points of the
    path · ``worst`` the most that one part of the path misses: a jump, where the model takes another expert.
    """

    values: tuple[Float32Array, ...]
    prediction: float
    baseline: float
    steps: int
    worst: float

    @property
    def residual(self) -> float:
        """What the voxels miss of prediction − baseline."""
        total = sum(float(v.sum(dtype=np.float64)) for v in self.values)
        return self.prediction - self.baseline - total


def voxel_effects(
    encoder: SmallNetwork | PhaseResNet, scan: Scan, survival: BagSurvival, progress: Progress,
    most_seconds: float = MOST_SECONDS,
) -> VoxelEffects:  # fmt: skip
    """Integrated gradients of the mean over the models of ``survival``.

    The path is cut where it is steep: the part that misses most of its own difference is halved until the voxels miss
    less than 5 % of the whole one (or 0.05 percentage points), or ``most_seconds`` are over. What a jump of the
    estimate leaves over (an expert that is exchanged on the way) no number of points removes; it stays in ``residual``.
    """
    phases = scan.phases[:MOST_PHASES] if isinstance(encoder, PhaseResNet) else scan.phases
    paths = voxel_paths(encoder, phases)
    chain = _Chain(encoder.network, paths, survival)
    started = time.perf_counter()
    parts = [_part(chain, 0.0, 0.5), _part(chain, 0.5, 1.0)]
    while True:
        difference, missed = sum(p.rise for p in parts), sum(p.missed for p in parts)
        seconds = time.perf_counter() - started
        progress(
            min(1.0, seconds / max(most_seconds, 1e-9)),
            f"gradients at {POINTS * len(parts)} points between liver and scan",
        )
        worst = max(parts, key=lambda p: abs(p.missed))
        if abs(missed) <= max(GOOD_ENOUGH, GOOD_ENOUGH * abs(difference)) or seconds > most_seconds:
            break
        if worst.end - worst.start < _SHORTEST:  # a jump
            break
        middle = (worst.start + worst.end) / 2
        parts.remove(worst)
        parts += [_part(chain, worst.start, middle), _part(chain, middle, worst.end)]
    arrays = []
    for number, (phase, path) in enumerate(zip(phases, paths, strict=True)):
        whole = np.zeros(phase.volume.array.shape, dtype=np.float32)
        whole[path.box] = sum(p.values[number] for p in parts)
        arrays.append(whole)
    with torch.no_grad():
        prediction, baseline = (float(chain(*chain.at(share))) for share in (1.0, 0.0))
    return VoxelEffects(tuple(arrays), prediction, baseline, POINTS * len(parts), abs(worst.missed))


_SHORTEST = 1 / 256


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of the path: ``values`` a phase, the rise of S along it, and what the values miss of that."""

    start: float
    end: float
    values: tuple[Float32Array, ...]
    rise: float

    @property
    def missed(self) -> float:
        return self.rise - sum(float(v.sum(dtype=np.float64)) for v in self.values)


def _part(chain: _Chain, start: float, end: float) -> _Part:
    from captum.attr import IntegratedGradients

    low, high = chain.at(start), chain.at(end)
    with torch.no_grad():
        rise = float(chain(*high)) - float(chain(*low))
    found = IntegratedGradients(chain).attribute(
        high, baselines=low, n_steps=POINTS, method="gausslegendre", internal_batch_size=1
    )
    return _Part(start, end, tuple(f[0].detach().float().numpy() for f in found), rise)


def voxel_paths(encoder: SmallNetwork | PhaseResNet, phases: tuple[Phase, ...]) -> list[VoxelPath]:
    """How each phase's voxels reach the network."""
    if isinstance(encoder, SmallNetwork):
        return [_Box(encoder, *encoder.box(phase)) for phase in phases]
    grid = common_grid(phases, encoder.side, encoder.spacing)
    return [_Resampled(phase, grid, encoder.side) for phase in phases]


class _Box:
    """The encoder's own cut and its own interpolation."""

    def __init__(self, encoder: SmallNetwork, values: Float32Array, box: tuple[slice, ...]) -> None:
        self.encoder, self.values, self.box = encoder, values, box

    def cube(self, values: Tensor) -> Tensor:
        return self.encoder.cube(values)  # type: ignore[no-any-return]


class _Resampled:
    """The encoder's linear interpolation onto its grid in mm, as a differentiable one."""

    def __init__(self, phase: Phase, grid: FloatArray, side: int) -> None:
        _, mask, mean, spread = grid_frame(phase, grid, side)
        across = np.linalg.inv(phase.volume.affine) @ grid
        index = np.moveaxis(np.indices((side,) * 3), 0, -1) @ across[:3, :3].T + across[:3, 3]
        self.box = _read_box(index[mask], phase.volume.array.shape)
        self.values = ((phase.volume.array[self.box] - mean) / spread).astype(np.float32)
        start = np.array([s.start for s in self.box])
        last = np.maximum(np.array(self.values.shape) - 1, 1)
        # grid_sample names the axes from the last to the first, each from −1 to 1
        places = (2 * (index - start) / last - 1)[..., ::-1]
        self.places = torch.from_numpy(np.ascontiguousarray(places, dtype=np.float32))[None]
        self.mask = torch.from_numpy(mask)

    def cube(self, values: Tensor) -> Tensor:
        places = self.places.expand(len(values), *self.places.shape[1:])
        found = torch.nn.functional.grid_sample(values, places, align_corners=True, padding_mode="border")
        return torch.where(self.mask, found, torch.zeros(()))


def _read_box(index: FloatArray, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The voxels that interpolation at these places (n, 3) reads."""
    low, high = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int) + 1
    return tuple(
        slice(int(np.clip(a, 0, n - 1)), int(np.clip(b, 1, n))) for a, b, n in zip(low, high, shape, strict=True)
    )


class _Chain(torch.nn.Module):
    """Standardised voxels of all phases, each (b, x, y, z) → (b,) mean S in percent."""

    def __init__(self, network: Any, paths: list[VoxelPath], survival: BagSurvival) -> None:
        super().__init__()
        self.network, self.paths, self.survival = network.requires_grad_(False), paths, survival

    def at(self, share: float) -> tuple[Tensor, ...]:
        """The point of the path at ``share`` of the way from the mean liver to the scan."""
        return tuple(torch.from_numpy(p.values)[None] * share for p in self.paths)

    def forward(self, *voxels: Tensor) -> Tensor:
        features = [self.network(path.cube(v[:, None])) for path, v in zip(self.paths, voxels, strict=True)]
        mean: Tensor = self.survival(torch.stack(features, dim=1)).mean(dim=1)
        return mean
