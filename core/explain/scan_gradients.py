"""Integrated gradients from S(month) through the survival network and a convolutional encoder back to the voxels.

Sundararajan et al. 2017, eq. 1, by captum; path from the patient's mean liver intensity (0 after the encoder's own
standardisation) to the scan. The mean and spread by which the encoder standardises are those of the scan and are kept
along the path: with them recomputed, every point of the path but its start would look the same to the network.
"""

from __future__ import annotations

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
STEPS = 24


class VoxelPath(Protocol):
    """One phase as the encoder sees it: ``values`` (x, y, z) standardised voxels of the box ``box`` of its array, and
    ``cube`` from (n, 1, x, y, z) such voxels to what the network reads."""

    values: Float32Array
    box: tuple[slice, ...]

    def cube(self, values: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class VoxelEffects:
    """``values`` one (x, y, z) array a phase: percentage points of S(month) a voxel, 0 outside of what the encoder
    reads · ``prediction``, ``baseline`` S in percent."""

    values: tuple[Float32Array, ...]
    prediction: float
    baseline: float

    @property
    def residual(self) -> float:
        """What the voxels miss of prediction − baseline."""
        total = sum(float(v.sum(dtype=np.float64)) for v in self.values)
        return self.prediction - self.baseline - total


def voxel_effects(
    encoder: SmallNetwork | PhaseResNet, scan: Scan, survival: BagSurvival, progress: Progress, steps: int = STEPS
) -> VoxelEffects:
    """Integrated gradients with ``steps`` Gauss-Legendre points, the mean over the models of ``survival``."""
    from captum.attr import IntegratedGradients

    phases = scan.phases[:MOST_PHASES] if isinstance(encoder, PhaseResNet) else scan.phases
    paths = voxel_paths(encoder, phases)
    chain = _Chain(encoder.network, paths, survival, progress, steps)
    inputs = tuple(torch.from_numpy(p.values)[None] for p in paths)
    nothing = tuple(torch.zeros_like(v) for v in inputs)
    with torch.no_grad():
        prediction, baseline = float(chain(*inputs)), float(chain(*nothing))
    found = IntegratedGradients(chain).attribute(
        inputs, baselines=nothing, n_steps=steps, method="gausslegendre", internal_batch_size=1
    )
    arrays = []
    for phase, path, one in zip(phases, paths, found, strict=True):
        whole = np.zeros(phase.volume.array.shape, dtype=np.float32)
        whole[path.box] = one[0].detach().float().numpy()
        arrays.append(whole)
    return VoxelEffects(tuple(arrays), prediction, baseline)


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

    def __init__(
        self, network: Any, paths: list[VoxelPath], survival: BagSurvival, progress: Progress, steps: int
    ) -> None:
        super().__init__()
        self.network, self.paths, self.survival = network.requires_grad_(False), paths, survival
        self.progress, self.steps, self.done = progress, steps + 2, 0

    def forward(self, *voxels: Tensor) -> Tensor:
        features = [self.network(path.cube(v[:, None])) for path, v in zip(self.paths, voxels, strict=True)]
        self.done += 1
        self.progress(min(1.0, self.done / self.steps), "gradients from the scan to the estimate")
        mean: Tensor = self.survival(torch.stack(features, dim=1)).mean(dim=1)
        return mean
