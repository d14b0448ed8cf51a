"""Slides → one row a patch from a trained vision model: ResNet-50, Phikon-v2, any of ``transformers``, UNI of timm.

None of them comes with the application. The features are kept under the contents of the model's files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import PACE, PLACE, Encoded
from core.features.slide_encoder import each_slide, tissue_grid
from core.features.vision_models import (
    POOLINGS,
    ModelFiles,
    VisionModel,
    chosen_precision,
    find_model,
    load_vision,
)
from core.media.patches import PatchGrid, read_patches
from core.media.slides import RGB, Slide, open_slide


@dataclass(frozen=True)
class AnyVision:
    """Any vision model that ``transformers`` reads.

    Parameters
    ----------
    source : str
        A folder written by ``save_pretrained``, or the id of a model on the hub (OWNER/NAME).
    revision : str
        Commit on the hub; filled in.
    digest : str
        SHA-256 of configuration and weights; filled in, and checked when features of another patient are made.
    pooling : str
        ``class`` token, ``mean`` over the places, ``class+mean``, or ``auto``.
    um_per_px, patch, assumed_mpp
        As of every slide encoder; 224 px at 0.5 µm/px (a 20x objective) is what most models were trained on.
    precision : str
        ``float32``, ``bfloat16``, or ``auto``: bfloat16 on a GPU that computes with it. The one used is filled in.
    download : bool
        Whether the hub may be asked. Off: only what is on this machine.
    batch, device
        Patches at once; ``cpu``, ``cuda`` or ``auto``.
    """

    source: str = field(default="", metadata=PLACE)
    revision: str = field(default="", metadata=PLACE)
    digest: str = ""
    pooling: str = "auto"
    um_per_px: float = 0.5
    patch: int = 224
    assumed_mpp: float = 0.5
    precision: str = "auto"
    download: bool = field(default=False, metadata=PACE)
    batch: int = field(default=32, metadata=PACE)
    device: str = field(default="auto", metadata=PACE)

    weights: ClassVar[str] = "*.safetensors"
    name: ClassVar[str] = "transformers-vision"
    version: ClassVar[int] = 1
    modality: ClassVar[Modality] = Modality.SLIDES
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.SLIDE})

    def __post_init__(self) -> None:
        where = f"encoder {self.name!r}"
        if self.pooling not in POOLINGS or self.precision not in ("auto", "float32", "bfloat16"):
            raise PrognoscopeError(
                f"pooling {self.pooling!r}, precision {self.precision!r}", where,
                f"use pooling {', '.join(POOLINGS)} and precision auto, float32 or bfloat16",
            )  # fmt: skip
        if self.device not in ("auto", "cpu", "cuda") or min(self.patch, self.batch) < 1 or self.um_per_px <= 0:
            raise PrognoscopeError(
                f"device {self.device!r}, patch {self.patch}, batch {self.batch}", where,
                "use auto, cpu or cuda, and sizes above 0",
            )  # fmt: skip
        if not self.source:
            raise PrognoscopeError("no model named", where, "add --encoder-set source=FOLDER (or OWNER/NAME)")
        found = self._files()
        if self.digest and self.digest != found.digest:
            raise PrognoscopeError("a model that has changed since", where, "restore it, or encode the cohort again")
        object.__setattr__(self, "digest", found.digest)
        object.__setattr__(self, "revision", found.revision)
        object.__setattr__(self, "precision", chosen_precision(self.precision, self.device))

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """The patches of all of a patient's slides; one thread on a CPU, so that the numbers depend on nothing else."""
        import torch

        model = self._model(self._files().folder)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return each_slide(files, lambda file: self._one(file, model))
        finally:
            torch.set_num_threads(threads)

    def _files(self) -> ModelFiles:
        return find_model(self.source, self.revision, self.download, self.weights)

    def _model(self, folder: Path) -> VisionModel:
        return load_vision(str(folder), self.digest, self.device, self.precision)

    def _one(self, file: MediaFile, model: VisionModel) -> Encoded:
        with open_slide(file.path, assumed_mpp=self.assumed_mpp) as slide:
            grid = tissue_grid(slide, self.um_per_px, self.patch)
            rows = [model.features(patches, self.pooling) for patches in _batches(slide, grid, self.batch)]
            size = () if slide.mpp_stated else (f"pixel size {slide.mpp_source}",)
            facts = {
                "side": grid.side,
                "size": grid.size,
                "um_per_px": grid.um_per_px,
                "mpp_source": slide.mpp_source,
                "device": model.device,
                "precision": model.precision,
            }
            return Encoded(np.concatenate(rows), grid.coordinates, None, None, (), (*size, *model.warnings), facts)


@dataclass(frozen=True)
class ResNet50(AnyVision):
    """ResNet-50 (He et al., arXiv 1512.03385) trained on ImageNet: 2048 numbers a patch."""

    source: str = field(default="microsoft/resnet-50", metadata=PLACE)
    name: ClassVar[str] = "resnet-50"


@dataclass(frozen=True)
class PhikonV2(AnyVision):
    """Phikon-v2 (Filiot et al., arXiv 2409.09173), a ViT-L trained by DINOv2 on slides: its class token, 1024 numbers.

    Its licence allows research without profit only.
    """

    source: str = field(default="owkin/phikon-v2", metadata=PLACE)
    pooling: str = "class"
    name: ClassVar[str] = "phikon-v2"


@dataclass(frozen=True)
class Uni(AnyVision):
    """UNI (Chen et al., Nature Medicine 2024), a ViT-L for slides: 1024 numbers. Needs timm and leave of its makers."""

    source: str = field(default="MahmoodLab/UNI", metadata=PLACE)
    pooling: str = "class"
    weights: ClassVar[str] = "pytorch_model.bin"
    name: ClassVar[str] = "uni"

    def _model(self, folder: Path) -> VisionModel:
        from core.features.timm_models import load_timm

        return load_timm(str(folder), self.digest, self.device, self.precision)


def _batches(slide: Slide, grid: PatchGrid, size: int) -> Iterator[RGB]:
    """Patches in the grid's order, ``size`` at once (fewer at the end), whatever the runs they are read in."""
    waiting: list[RGB] = []
    count = 0
    for patches in read_patches(slide, grid):
        waiting.append(patches)
        count += len(patches)
        if count >= size:
            joined = np.concatenate(waiting)
            whole = count // size * size
            yield from (joined[i : i + size] for i in range(0, whole, size))
            waiting, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(waiting)
