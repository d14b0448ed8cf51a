"""Multiphase scans → one row a phase from MONAI's 3-D ResNet, all phases on one grid around the liver.

Weights are random and fixed by a seed unless a file of them is given (MedicalNet's, Chen et al., arXiv 1904.00625, or
any of MONAI's ResNets). Which it was is said in every result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, Float32Array, FloatArray
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import Encoded
from core.features.model_files import checked_digest
from core.features.scan import Phase, read_scan
from core.features.volume_features import bounding_box

DEPTHS = (10, 18)
MOST_PHASES = 6
_WHERE = "the weights of monai-resnet"
_UNUSED = ("conv_seg.", "fc.")
"""Heads of other tasks; the features end before them."""


@dataclass(frozen=True)
class PhaseResNet:
    """A 3-D ResNet-10 or -18, 512 numbers a phase; the model pools over phases, 3 to 6 of them.

    Every phase is interpolated onto one grid in mm around the middle of the liver's box (of the region where there is
    no liver mask), so that size is kept and phases lie on each other; standardised within the mask, 0 outside of it.

    Parameters
    ----------
    depth : 10 or 18
    side : int
        Voxels a side of the cube.
    spacing : float
        mm between them; 64 × 3.5 mm holds a liver of 22 cm.
    seed : int
        Of the random weights where no file is given.
    weights : str
        A file of weights (``.pth`` or ``.safetensors``); empty for random ones.
    digest : str
        SHA-256 of that file, filled in.
    """

    depth: int = 10
    side: int = 64
    spacing: float = 3.5
    seed: int = 0
    weights: str = ""
    digest: str = ""

    name: ClassVar[str] = "monai-resnet"
    version: ClassVar[int] = 1
    modality: ClassVar[Modality] = Modality.VOLUMES
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.VOLUME, MediaKind.MASK})

    def __post_init__(self) -> None:
        if self.depth not in DEPTHS or self.side < 16 or not self.spacing > 0:
            raise PrognoscopeError(
                f"depth {self.depth}, side {self.side}, spacing {self.spacing:g}",
                "monai-resnet",
                "use depth 10 or 18, a side of at least 16 voxels and a spacing above 0 mm",
            )
        if self.weights:
            object.__setattr__(self, "digest", checked_digest(self.weights, self.digest, _WHERE))

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """One row a phase; one thread, so that the numbers depend on nothing else."""
        import torch

        network, said = _network(self.depth, self.seed, self.weights, self.digest)
        scan = read_scan(files)
        phases = scan.phases[:MOST_PHASES]
        grid = common_grid(phases, self.side, self.spacing)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                rows = [network(torch.from_numpy(on_grid(p, grid, self.side))[None, None])[0].numpy() for p in phases]
        finally:
            torch.set_num_threads(threads)
        warnings = [*scan.warnings, said]
        if len(scan.phases) > MOST_PHASES:
            warnings.append(f"{len(scan.phases)} phases: the first {MOST_PHASES} are used")
        return Encoded(
            np.stack(rows).astype(np.float32),
            None,
            np.array([p.number for p in phases], dtype=np.int64),
            tuple(p.label or "scan" for p in phases),
            (),
            tuple(warnings),
            {"rows": "phases", "spacing_mm": self.spacing},
        )

    @property
    def network(self) -> Any:
        """The torch module from (n, 1, side, side, side) to (n, 512)."""
        return _network(self.depth, self.seed, self.weights, self.digest)[0]


def common_grid(phases: tuple[Phase, ...], side: int, spacing: float) -> FloatArray:
    """(4, 4) cube index → mm (RAS+): the middle of the liver's box in the first phase that has a liver mask."""
    chosen = next((p for p in phases if "liver" in p.masks), phases[0])
    box = bounding_box(_mask(chosen), 0) if _mask(chosen).any() else tuple(slice(0, n) for n in _mask(chosen).shape)
    middle = np.array([(s.start + s.stop - 1) / 2 for s in box] + [1.0])
    centre = (chosen.volume.affine @ middle)[:3]
    grid = np.diag([spacing, spacing, spacing, 1.0])
    grid[:3, 3] = centre - spacing * (side - 1) / 2
    return grid


def on_grid(phase: Phase, grid: FloatArray, side: int) -> Float32Array:
    """(side, side, side) of a phase: linear between voxels, standardised within the mask, 0 outside of it."""
    array, mask, mean, spread = grid_frame(phase, grid, side)
    return np.where(mask, (array - mean) / spread, 0).astype(np.float32)


def grid_frame(phase: Phase, grid: FloatArray, side: int) -> tuple[Float32Array, BoolArray, float, float]:
    """A phase and its mask on the cube, and the mean and standard deviation it is standardised by."""
    across = np.linalg.inv(phase.volume.affine) @ grid
    shape = (side,) * 3
    array = _moved(phase.volume.array, across, shape, order=1)
    mask = _moved(_mask(phase).astype(np.uint8), across, shape, order=0) > 0
    if not mask.any():
        mask = np.ones(shape, dtype=bool)
    values = array[mask].astype(np.float64)
    return array, mask, values.mean(), max(float(values.std()), 1e-6)  # a NumPy mean keeps the difference in float64


def _moved(array: Any, across: FloatArray, shape: tuple[int, ...], order: int) -> Any:
    return ndimage.affine_transform(array, across[:3, :3], across[:3, 3], shape, order=order, mode="constant")


def _mask(phase: Phase) -> BoolArray:
    return phase.masks.get("liver", phase.masks["region"])


@cache
def _network(depth: int, seed: int, weights: str, digest: str) -> tuple[Any, str]:
    """The network and what is to be said of its weights, once a process; random numbers are left as they were."""
    import torch
    from monai.networks.nets import resnet

    # the arguments under which MedicalNet's weights of each depth fit
    shortcut, bias = ("A", True) if depth == 18 else ("B", False)
    build = {10: resnet.resnet10, 18: resnet.resnet18}[depth]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(
            spatial_dims=3, n_input_channels=1, feed_forward=False, shortcut_type=shortcut, bias_downsample=bias,
            conv1_t_stride=2,
        )  # fmt: skip
    if not weights:
        return network.eval(), f"the network's weights are random (seed {seed}), not trained"
    _load(network, _plain_names(_read(Path(weights))))
    return network.eval(), f"weights from a file given by the user (SHA-256 {digest[:12]})"


def _read(path: Path) -> Mapping[str, Any]:
    """A state dictionary of tensors alone: no code in the file is ever run."""
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise PrognoscopeError(
            "a file that holds more or less than tensors", _WHERE, "give a .pth or .safetensors file of weights"
        ) from error
    state = stored.get("state_dict", stored) if isinstance(stored, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise PrognoscopeError("a file without a state dictionary", _WHERE, "give a .pth file of weights")
    return state


def _plain_names(state: Mapping[str, Any]) -> dict[str, Any]:
    """Names without the prefix of parallel training and without the heads of other tasks."""
    plain = {name.removeprefix("module.").removeprefix("backbone."): value for name, value in state.items()}
    return {name: value for name, value in plain.items() if not name.startswith(_UNUSED)}


def _load(network: Any, state: Mapping[str, Any]) -> None:
    """Copy the weights; raises with how many do not fit, and the first of them."""
    wanted = {n: v for n, v in network.state_dict().items() if not n.endswith("num_batches_tracked")}
    given = {n: v for n, v in state.items() if not n.endswith("num_batches_tracked")}
    wrong = sorted(wanted.keys() ^ given.keys())
    wrong += sorted(n for n in wanted.keys() & given.keys() if wanted[n].shape != given[n].shape)
    if wrong:
        raise PrognoscopeError(
            f"{len(wrong)} of {len(wanted)} weights missing, unknown or of another shape (first: {wrong[0]})",
            _WHERE,
            "give weights of a one-channel 3-D ResNet of this depth",
        )
    network.load_state_dict(given, strict=False)
