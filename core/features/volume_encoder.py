"""Scans → one row a phase: intensities of region, liver and tumour, what contrast medium changed, and shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.arrays import Float32Array, FloatArray
from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.features.encoders import Encoded
from core.features.scan import PHASES, REGIONS, Phase, Scan, phase_of, read_scan
from core.features.volume_features import INTENSITIES, SHAPES, intensity_features, shape_features

_CONTRASTS = (
    *("liver enhancement", "tumour enhancement", "tumour minus liver", "tumour minus liver, liver sd"),
    "tumour change since the arterial phase",
)
_BURDEN = ("tumour share of the liver", "tumour given")

COLUMNS = (
    *(f"phase {p}" for p in (*PHASES, "other")),
    *(f"{r} {i}" for r in REGIONS for i in INTENSITIES),
    *_CONTRASTS,
    *(f"{r} {s}" for r in REGIONS[1:] for s in SHAPES),
    *_BURDEN,
)


@dataclass(frozen=True)
class ShapeIntensity:
    """Measured features of every phase; NaN where a region was not given.

    Intensities of all phases are put on one scale per patient – 0 and 1 are the 1st and 99th percentile of the
    region in the native phase (the first phase where there is none) – so that scanners compare and what the contrast
    medium changes stays.
    """

    name: ClassVar[str] = "shape-intensity"
    version: ClassVar[int] = 1
    modality: ClassVar[Modality] = Modality.VOLUMES
    reads: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.VOLUME, MediaKind.MASK})

    def encode(self, files: tuple[MediaFile, ...]) -> Encoded:
        """One row a phase, in the order of the phases."""
        return self.encode_scan(read_scan(files))

    def encode_scan(self, scan: Scan) -> Encoded:
        """The same for a scan that was read already."""
        low, high = _scale(scan.phases[0])
        scaled = [((p.volume.array - low) / (high - low)).astype(np.float32) for p in scan.phases]
        means = [_means(array, phase) for array, phase in zip(scaled, scan.phases, strict=True)]
        rows = []
        shapes: dict[int, FloatArray] = {}
        for i, phase in enumerate(scan.phases):
            intensity = _intensities(scaled[i], phase)
            rows.append(
                np.concatenate(
                    [
                        _which(phase),
                        *intensity,
                        _contrasts(scan, means, i, float(intensity[1][1])),
                        *(_shape(phase, region, shapes) for region in REGIONS[1:]),
                        _burden(phase),
                    ]
                )
            )
        return Encoded(
            np.stack(rows).astype(np.float32),
            None,
            np.array([p.number for p in scan.phases], dtype=np.int64),
            tuple(p.label or "scan" for p in scan.phases),
            COLUMNS,
            scan.warnings,
            {"rows": "phases", "spacing_mm": [list(p.volume.spacing) for p in scan.phases]},
        )


def _scale(phase: Phase) -> tuple[float, float]:
    values = phase.volume.array[phase.masks["region"]]
    low, high = np.percentile(values, [1, 99]) if len(values) else (0.0, 1.0)
    return float(low), float(high) if high > low else float(low) + 1.0


def _which(phase: Phase) -> FloatArray:
    """(9,) the phase, one-hot."""
    names = (*PHASES, "other")
    return np.asarray(np.eye(len(names))[names.index(phase_of(phase.label))])


def _intensities(array: Float32Array, phase: Phase) -> list[FloatArray]:
    """(13,) of each region; regions with one mask are measured once."""
    found: dict[int, FloatArray] = {}
    for mask in phase.masks.values():
        if id(mask) not in found:
            found[id(mask)] = intensity_features(array, mask)
    nothing = np.full(len(INTENSITIES), np.nan)
    return [found[id(phase.masks[r])] if r in phase.masks else nothing for r in REGIONS]


def _means(array: Float32Array, phase: Phase) -> dict[str, float]:
    """Mean intensity of liver (without the tumour) and tumour, NaN where not given."""
    tumour, liver = phase.masks.get("tumour"), phase.masks.get("liver")
    if liver is not None and tumour is not None:
        liver = liver & ~tumour
    return {
        name: float(array[mask].mean()) if mask is not None and mask.any() else np.nan
        for name, mask in (("liver", liver), ("tumour", tumour))
    }


def _contrasts(scan: Scan, means: list[dict[str, float]], i: int, liver_sd: float) -> FloatArray:
    """(5,) what the contrast medium changed since the native and the arterial phase, and how the tumour stands out."""
    before, arterial = _first(scan, means, "native"), _first(scan, means, "arterial")
    now = means[i]
    stands_out = now["tumour"] - now["liver"]
    return np.array(
        [
            *(now["liver"] - before["liver"], now["tumour"] - before["tumour"]),
            *(stands_out, stands_out / max(liver_sd, 1e-6) if np.isfinite(liver_sd) else np.nan),
            now["tumour"] - arterial["tumour"] - (now["liver"] - arterial["liver"]),
        ]
    )


def _first(scan: Scan, means: list[dict[str, float]], phase: str) -> dict[str, float]:
    """Means of the first scan of a phase; NaN where there is none."""
    nothing = {"liver": np.nan, "tumour": np.nan}
    return next((m for p, m in zip(scan.phases, means, strict=True) if phase_of(p.label) == phase), nothing)


def _shape(phase: Phase, region: str, known: dict[int, FloatArray]) -> FloatArray:
    """(9,) numbers of a region; phases that share a mask share its shape."""
    if region not in phase.masks:
        return np.full(len(SHAPES), np.nan)
    mask = phase.masks[region]
    if id(mask) not in known:
        known[id(mask)] = shape_features(mask, phase.volume.spacing)
    return known[id(mask)]


def _burden(phase: Phase) -> FloatArray:
    """(2,) tumour volume over liver volume with the tumour, and whether there is a tumour mask."""
    tumour, liver = phase.masks.get("tumour"), phase.masks.get("liver")
    if tumour is None or liver is None:
        return np.array([np.nan, float(tumour is not None)])
    return np.array([tumour.sum() / max(1, int((tumour | liver).sum())), 1.0])
