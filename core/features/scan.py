"""All of a patient's phases with their masks, read once for whatever encoder wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, Float32Array
from core.cohort.media_index import MediaFile, MediaKind
from core.errors import PrognoscopeError
from core.media.tissue import otsu
from core.media.volumes import SAME_GRID_MM, Volume, mask_on, read_volume

PHASES: Mapping[str, tuple[str, ...]] = {
    "native": ("native", "pre", "precontrast", "pre-contrast", "unenhanced", "plain", "t1", "t1pre", "nc"),
    "arterial": ("arterial", "art", "late-arterial", "hap", "ap"),
    "portal": ("portal", "portal-venous", "venous", "pv", "pvp"),
    "delayed": ("delayed", "late", "equilibrium", "dp", "transitional"),
    "hepatobiliary": ("hepatobiliary", "hbp"),
    "t2": ("t2", "t2w", "t2fs"),
    "diffusion": ("diffusion", "dwi", "adc"),
    "ct": ("ct",),
}
"""Phases an encoder tells apart, and the labels they may come under."""

REGIONS = ("region", "liver", "tumour")


def phase_of(label: str) -> str:
    """The phase of a label, or ``"other"``."""
    word = label.strip().lower().replace("_", "-").replace(" ", "-")
    return next((phase for phase, labels in PHASES.items() if word in labels), "other")


@dataclass(frozen=True, eq=False)
class Phase:
    """One phase: its number among the patient's volumes, its scan, and the masks on its voxels."""

    number: int
    label: str
    volume: Volume
    masks: Mapping[str, BoolArray]


@dataclass(frozen=True, eq=False)
class Scan:
    """A patient's phases in the order of :data:`PHASES`, and what was wrong on the way."""

    phases: tuple[Phase, ...]
    warnings: tuple[str, ...]


def read_scan(files: tuple[MediaFile, ...]) -> Scan:
    """Read every volume and mask; one that cannot be read is left out and said.

    Without any mask the region is what stands out from the air around it (Otsu).

    Raises
    ------
    PrognoscopeError
        When not a single volume can be read.
    """
    failures: list[str] = []
    volumes = _readable([f for f in files if f.kind is not MediaKind.MASK], failures)
    if not volumes:
        raise PrognoscopeError("; ".join(dict.fromkeys(failures)), "the volumes of a patient", "see each volume")
    masks = _readable([f for f in files if f.kind is MediaKind.MASK], failures)
    order = list(PHASES)
    phases: list[Phase] = []
    for number, file, volume in volumes:
        # phases on one grid share their masks, so that a shape is measured once
        shared = next((p.masks for p in phases if masks and _same_grid(p.volume, volume)), None)
        phases.append(Phase(number, file.label, volume, shared or _masks(masks, volume)))
    phases.sort(key=lambda p: (order.index(phase_of(p.label)) if phase_of(p.label) in order else len(order), p.number))
    warnings = [w for _, _, v in volumes for w in v.warnings]
    if failures:
        warnings.append(f"{len(failures)} of {len(files)} files left out: {'; '.join(dict.fromkeys(failures))}")
    if any(len(np.unique(v.array[v.array > 0.5])) > 1 for _, _, v in masks):
        warnings.append("a mask with several labels: all of them are taken together")
    if not masks:
        warnings.append("no mask: the region is everything that stands out from the air")
    return Scan(tuple(phases), tuple(dict.fromkeys(warnings)))


def _same_grid(one: Volume, other: Volume) -> bool:
    return one.array.shape == other.array.shape and bool(np.abs(one.affine - other.affine).max() < SAME_GRID_MM)


def _masks(masks: list[tuple[int, MediaFile, Volume]], volume: Volume) -> dict[str, BoolArray]:
    """The regions on the voxels of ``volume``; the region is the liver, or else the foreground, where none is given."""
    found = {name: _together(masks, name, volume) for name in REGIONS}
    given = {name: mask for name, mask in found.items() if mask is not None and mask.any()}
    if "region" not in given:
        given["region"] = given["liver"] if "liver" in given else _foreground(volume.array)
    return given


def _readable(files: list[MediaFile], failures: list[str]) -> list[tuple[int, MediaFile, Volume]]:
    found = []
    for number, file in enumerate(files):
        try:
            found.append((number, file, read_volume(file.path)))
        except PrognoscopeError as error:
            failures.append(error.found)
    return found


def _together(masks: list[tuple[int, MediaFile, Volume]], name: str, grid: Volume) -> BoolArray | None:
    """All masks of one name on the voxels of ``grid``, or None when there is none."""
    chosen = [mask_on(volume, grid) for _, file, volume in masks if (file.label or "region") == name]
    return np.logical_or.reduce(chosen) if chosen else None


def _foreground(array: Float32Array) -> BoolArray:
    low, high = np.percentile(array, [1, 99])
    if high <= low:
        return np.ones(array.shape, dtype=bool)
    scaled = np.clip((array - low) / (high - low), 0, 1).astype(np.float32)
    return np.asarray(scaled > otsu(scaled))
