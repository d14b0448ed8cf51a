"""Scans → one row a phase from a small three-dimensional network of MONAI whose weights are random.

Nothing is trained: the network is a fixed random projection of the cropped scan (the same for every patient, from a
fixed seed), a stand-in until weights can be downloaded. It is said in every result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.arrays import BoolArray, Float32Array
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.features.encoders import Encoded
from core.features.scan import Phase, read_scan
from core.features.volume_features import bounding_box

_WIDTHS = (16, 32, 64, 128)


@dataclass(frozen=True)
class SmallNetwork:
    """A residual network of 3-D convolutions (MONAI's ResNet with one block a stage), 128 numbers a phase.

    Parameters
    ----------
    seed : int
        Of the random weights.
    side : int
        The liver, or else the region, is cropped and brought to a cube of so many voxels a side.
    """

    seed: int = 0
    side: int = 48

    name: ClassVar[str] = "monai-small"
    version: ClassVar[int] = 1
    modality: ClassVar[Modality] = Modality.VOLUMES
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.VOLUME, MediaKind.MASK})

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """One row a phase; one thread, so that the numbers depend on nothing else."""
        import torch

        scan = read_scan(files)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                cubes = torch.cat([self._cube(phase) for phase in scan.phases])
                features = _network(self.seed)(cubes).numpy()
        finally:
            torch.set_num_threads(threads)
        said = f"the network's weights are random (seed {self.seed}), not trained"
        return Encoded(
            np.ascontiguousarray(features, dtype=np.float32),
            None,
            np.array([p.number for p in scan.phases], dtype=np.int64),
            tuple(p.label or "scan" for p in scan.phases),
            (),
            (*scan.warnings, said),
            {"rows": "phases"},
        )

    @property
    def network(self) -> Any:
        """The torch module from (n, 1, side, side, side) to (n, 128)."""
        return _network(self.seed)

    def box(self, phase: Phase) -> tuple[Float32Array, tuple[slice, ...]]:
        """The masked region's box, standardised within the mask and zero outside of it, and where it was cut out."""
        mask = phase.masks.get("liver", phase.masks["region"])
        array = _standardised(phase.volume.array, mask)
        box = bounding_box(mask) if mask.any() else (slice(None),) * 3
        return np.ascontiguousarray(array[box]), box

    def cube(self, boxes: Any) -> Any:
        """(n, 1, x, y, z) tensor → (n, 1, side, side, side)."""
        import torch

        return torch.nn.functional.interpolate(boxes, size=(self.side,) * 3, mode="trilinear", align_corners=False)

    def _cube(self, phase: Phase) -> Any:
        import torch

        return self.cube(torch.from_numpy(self.box(phase)[0])[None, None])


def _standardised(array: Float32Array, mask: BoolArray) -> Float32Array:
    values = array[mask] if mask.any() else array.ravel()
    centred = (array - values.mean(dtype=np.float64)) / max(float(values.std(dtype=np.float64)), 1e-6)
    return np.where(mask, centred, 0).astype(np.float32) if mask.any() else centred.astype(np.float32)


_networks: dict[int, Any] = {}


def _network(seed: int) -> Any:
    """The network of a seed, made once a process; the caller's random numbers are left as they were."""
    if seed not in _networks:
        import torch
        from monai.networks.nets.resnet import ResNet, ResNetBlock

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = ResNet(
                ResNetBlock, [1, 1, 1, 1], list(_WIDTHS), n_input_channels=1, conv1_t_size=5, feed_forward=False
            )
        _networks[seed] = network.eval()
    return _networks[seed]
