"""Slides → one row a patch: colour, texture and nuclei, without any learned weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import Encoded
from core.features.patch_features import NAMES, nuclear_threshold, patch_features
from core.media.patches import PatchGrid, patch_grid, read_patches
from core.media.slides import Slide, open_slide
from core.media.tissue import tissue_mask

_LOOKED_AT = 32  # patches, evenly spread, from which the threshold of the nuclei is found


@dataclass(frozen=True)
class ColourTextureNuclei:
    """Stain amounts, texture and nuclei of each patch.

    Parameters
    ----------
    um_per_px : float
        Resolution at which patches are looked at. 1 µm/px (a 10x objective) still shows nuclei.
    patch : int
        Side of a patch in pixels at that resolution.
    assumed_mpp : float
        µm per pixel taken, and said, for a slide that does not tell.
    """

    um_per_px: float = 1.0
    patch: int = 112
    assumed_mpp: float = 0.5

    name: ClassVar[str] = "colour-texture-nuclei"
    version: ClassVar[int] = 2
    modality: ClassVar[Modality] = Modality.SLIDES
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.SLIDE})

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """The patches of all of a patient's slides; a slide that cannot be read is left out, and said."""
        return each_slide(files, self._one)

    def _one(self, file: MediaFile) -> Encoded:
        with open_slide(file.path, assumed_mpp=self.assumed_mpp) as slide:
            grid = tissue_grid(slide, self.um_per_px, self.patch)
            threshold = nuclear_threshold(_sample(slide, grid))
            rows = [patch_features(patches, grid.um_per_px, threshold) for patches in read_patches(slide, grid)]
            warnings = () if slide.mpp_stated else (f"pixel size {slide.mpp_source}",)
            facts = {"side": grid.side, "size": grid.size, "um_per_px": grid.um_per_px, "mpp_source": slide.mpp_source}
            return Encoded(np.concatenate(rows), grid.coordinates, None, None, NAMES, warnings, facts)


def _sample(slide: Slide, grid: PatchGrid) -> np.ndarray[Any, np.dtype[np.uint8]]:
    chosen = np.unique(np.linspace(0, len(grid) - 1, _LOOKED_AT).astype(int))
    return np.concatenate(list(read_patches(slide, replace(grid, coordinates=grid.coordinates[chosen]))))


def each_slide(files: tuple[MediaFile, ...], one: Callable[[MediaFile], Encoded]) -> Encoded:
    """One bag of all slides that ``one`` can encode; the others are left out, and said.

    Raises
    ------
    PrognoscopeError
        When none can be encoded.
    """
    parts: list[tuple[int, Encoded]] = []
    failures: list[str] = []
    for number, file in enumerate(files):
        try:
            parts.append((number, one(file)))
        except PrognoscopeError as error:
            failures.append(error.found)
    if not parts:
        raise PrognoscopeError("; ".join(dict.fromkeys(failures)), "the slides of a patient", "see each slide")
    return join_slides(parts, failures)


def tissue_grid(slide: Slide, um_per_px: float, patch: int) -> PatchGrid:
    """The patches of a slide where tissue is; raises when there is none."""
    grid = patch_grid(slide, tissue_mask(slide), um_per_px, patch)
    if not len(grid):
        raise PrognoscopeError("a slide without tissue", "a slide file", "look at it, or leave it out")
    return grid


def join_slides(parts: list[tuple[int, Encoded]], failures: list[str]) -> Encoded:
    """One bag of several slides; ``parts`` are pairs of the slide's number and its features."""
    first = parts[0][1]
    warnings = [w for _, p in parts for w in p.warnings]
    if failures:
        total = len(parts) + len(failures)
        warnings.append(f"{len(failures)} of {total} slides left out: {'; '.join(dict.fromkeys(failures))}")
    placed = all(p.coordinates is not None for _, p in parts)
    return Encoded(
        np.concatenate([p.features for _, p in parts]),
        np.concatenate([p.coordinates for _, p in parts if p.coordinates is not None]) if placed else None,
        np.concatenate([np.full(len(p.features), number, dtype=np.int64) for number, p in parts]),
        None,
        first.columns,
        tuple(dict.fromkeys(warnings)),
        {"slides": {str(number): dict(p.facts) for number, p in parts}},
    )
