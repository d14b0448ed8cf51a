"""A liver cut into regions, and the scan as it were if some of them looked like average liver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from skimage.segmentation import slic

from core.arrays import BoolArray, FloatArray, IntArray
from core.features.scan import Phase, Scan
from core.features.volume_features import bounding_box
from core.media.volumes import SAME_GRID_MM, Volume

MARGIN = 4
"""Voxels around the region that are kept when a scan is cut out: more than any neighbourhood a feature reads."""

_COMPACTNESS = 0.05


@dataclass(frozen=True, eq=False)
class Regions:
    """``labels`` (x, y, z) 0 outside, 1 … ``count`` the regions, on the grid of ``reference`` · ``tumour`` (count,)
    whether a region is tumour · ``ml`` (count,) volumes."""

    labels: IntArray
    reference: Volume
    tumour: BoolArray
    ml: FloatArray

    @property
    def count(self) -> int:
        return len(self.ml)


def cut_out(scan: Scan) -> Scan:
    """Each phase cut to the box of its masks: what is outside of them no measured feature reads.

    Phases that shared their masks share them afterwards, so that a shape is still measured once.
    """
    boxes = {id(p.masks): _box(p.masks) for p in scan.phases}
    masks = {id(p.masks): _cut_masks(p.masks, boxes[id(p.masks)]) for p in scan.phases}
    phases = (
        replace(p, volume=_cut(p.volume, boxes[id(p.masks)]), masks=masks[id(p.masks)]) for p in scan.phases
    )  # fmt: skip
    return replace(scan, phases=tuple(phases))


def make_regions(scan: Scan, count: int) -> Regions:
    """About ``count`` supervoxels of like brightness (SLIC over the phases as channels), tumour apart from the rest.

    Without a liver mask the whole region is cut up.
    """
    phase = _reference(scan)
    inside, tumour = _liver(phase.masks)
    channels = [_unit(p.volume.array, inside) for p in scan.phases if _same_grid(p.volume, phase.volume)]
    picture = np.stack(channels, axis=-1)
    share = float(tumour.sum()) / max(1, int(inside.sum()))
    of_tumour = int(np.clip(round(count * share), 2, count // 2)) if tumour.any() else 0
    labels = np.zeros(inside.shape, dtype=np.int64)
    is_tumour: list[bool] = []
    for part, wanted, name in ((inside & ~tumour, count - of_tumour, False), (tumour, of_tumour, True)):
        if not part.any():
            continue
        found = slic(
            picture, n_segments=wanted, compactness=_COMPACTNESS, mask=part, spacing=phase.volume.spacing,
            start_label=1, channel_axis=-1,
        )  # fmt: skip
        numbers = np.unique(found[part])
        numbers = numbers[numbers > 0]
        lookup = np.zeros(int(found.max()) + 1, dtype=np.int64)
        lookup[numbers] = len(is_tumour) + 1 + np.arange(len(numbers))
        labels[part] = lookup[found[part]]
        is_tumour += [name] * len(numbers)
    # a voxel that SLIC left out belongs to the nearest region
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    labels = np.where(inside, labels[tuple(nearest)], 0)
    voxels = np.bincount(labels.ravel(), minlength=len(is_tumour) + 1)[1:]
    ml = voxels.astype(np.float64) * phase.volume.voxel_ml
    return Regions(labels, phase.volume, np.array(is_tumour, dtype=bool), ml)


class Replacing:
    """The scan with some regions turned into average liver: their voxels get the mean intensity that the patient's
    own tumour-free liver has in that phase, and a tumour mask no longer covers them."""

    def __init__(self, scan: Scan, regions: Regions) -> None:
        self.scan = scan
        self._labels: dict[int, IntArray] = {}
        self._means: list[float] = []
        for phase in scan.phases:
            labels = self._labels.setdefault(id(phase.masks), _labels_on(regions, phase.volume))
            inside, tumour = _liver(phase.masks)
            plain = inside & ~tumour
            values = phase.volume.array[plain if plain.any() else inside]
            self._means.append(float(values.mean()) if len(values) else 0.0)
            assert labels.shape == phase.volume.array.shape  # noqa: S101

    def without(self, kept: BoolArray) -> Scan:
        """The scan in which the regions that are not ``kept`` (count,) are average liver."""
        lookup = np.concatenate([[False], ~kept])
        gone = {key: lookup[labels] for key, labels in self._labels.items()}
        masks = {id(p.masks): p.masks for p in self.scan.phases}
        changed = {key: _masks_without(found, gone[key]) for key, found in masks.items()}
        phases = []
        for phase, mean in zip(self.scan.phases, self._means, strict=True):
            array = np.where(gone[id(phase.masks)], np.float32(mean), phase.volume.array)
            phases.append(replace(phase, volume=replace(phase.volume, array=array), masks=changed[id(phase.masks)]))
        return replace(self.scan, phases=tuple(phases))


def _masks_without(masks: Mapping[str, BoolArray], gone: BoolArray) -> dict[str, BoolArray]:
    changed = dict(masks)
    if "tumour" in masks:
        rest = masks["tumour"] & ~gone
        lost = masks["tumour"] & gone
        if "liver" in masks:
            changed["liver"] = masks["liver"] | lost
            if masks["region"] is masks["liver"]:
                changed["region"] = changed["liver"]
        if rest.any():
            changed["tumour"] = rest
        else:
            del changed["tumour"]  # as in a scan that came without one
    return changed


def _cut_masks(masks: Mapping[str, BoolArray], box: tuple[slice, ...]) -> dict[str, BoolArray]:
    """Masks under two names that are one array stay one array."""
    cut = {id(m): m[box] for m in masks.values()}
    return {name: cut[id(m)] for name, m in masks.items()}


def _reference(scan: Scan) -> Phase:
    return next((p for p in scan.phases if "liver" in p.masks), scan.phases[0])


def _liver(masks: Mapping[str, BoolArray]) -> tuple[BoolArray, BoolArray]:
    """Liver with its tumours (the region where there is no liver), and the tumours."""
    inside = masks.get("liver", masks["region"])
    tumour = masks.get("tumour", np.zeros_like(inside))
    return inside | tumour, tumour


def _box(masks: Mapping[str, BoolArray]) -> tuple[slice, ...]:
    together = np.logical_or.reduce(list(masks.values()))
    return bounding_box(together, MARGIN) if together.any() else tuple(slice(None) for _ in range(3))


def _cut(volume: Volume, box: tuple[slice, ...]) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array([s.start or 0 for s in box], dtype=float)
    return replace(volume, array=np.ascontiguousarray(volume.array[box]), affine=affine)


def _labels_on(regions: Regions, grid: Volume) -> IntArray:
    """The labels on the voxels of another grid, from the nearest voxel."""
    if _same_grid(regions.reference, grid):
        return regions.labels
    across = np.linalg.inv(regions.reference.affine) @ grid.affine
    moved = ndimage.affine_transform(
        regions.labels, across[:3, :3], across[:3, 3], grid.array.shape, order=0, mode="constant"
    )
    return np.asarray(moved, dtype=np.int64)


def _same_grid(one: Volume, other: Volume) -> bool:
    return one.array.shape == other.array.shape and bool(np.abs(one.affine - other.affine).max() < SAME_GRID_MM)


def _unit(array: np.ndarray[tuple[int, ...], np.dtype[np.float32]], inside: BoolArray) -> FloatArray:
    low, high = np.percentile(array[inside], [1, 99]) if inside.any() else (0.0, 1.0)
    return np.asarray(np.clip((array - low) / max(high - low, 1e-6), 0, 1), dtype=np.float64)
