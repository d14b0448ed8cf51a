"""Five phases of a liver MRI (T1-weighted, liver-specific contrast agent) computed from an anatomy, and their files."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from core.arrays import Float32Array, FloatArray
from core.media.synthetic.abdomen import Abdomen, Part, Point
from core.media.synthetic.noise import smooth

PHASES = ("t1", "arterial", "portal-venous", "delayed", "hepatobiliary")
_GAIN = 260.0  # stored units of a signal of 1

# Signal of each part (rows as in Part) in each phase, fat suppressed; the rows of liver and tumour are filled in.
_SIGNALS = {
    Part.AIR: (0.0, 0.0, 0.0, 0.0, 0.0),
    Part.MUSCLE: (0.30, 0.33, 0.37, 0.37, 0.34),
    Part.FAT: (0.14, 0.15, 0.16, 0.16, 0.15),
    Part.BONE: (0.22, 0.26, 0.31, 0.31, 0.28),
    Part.AORTA: (0.22, 1.00, 0.74, 0.60, 0.34),
    Part.KIDNEY: (0.28, 0.82, 0.84, 0.74, 0.55),
    Part.STOMACH: (0.12, 0.14, 0.16, 0.16, 0.13),
    Part.SPLEEN: (0.28, 0.72, 0.66, 0.56, 0.36),
    Part.VEIN: (0.22, 0.42, 0.90, 0.68, 0.30),
    Part.NECROSIS: (0.24, 0.25, 0.28, 0.30, 0.20),
}
_LIVER = np.array([0.44, 0.49, 0.68, 0.62, 0.40])


def phase_signals(uptake: float, washout: float) -> FloatArray:
    """(parts, phases) signals. ``uptake``: how well hepatocytes take up the agent; ``washout``: of the tumour."""
    table = np.zeros((len(Part), len(PHASES)))
    for part, row in _SIGNALS.items():
        table[part] = row
    liver = _LIVER + uptake * np.array([0.0, 0.0, 0.0, 0.04, 0.45])
    table[Part.LIVER] = liver
    enhanced = np.array([-0.08, 0.16 + 0.24 * washout, 0.06 - 0.20 * washout, 0.02 - 0.28 * washout, 0.0])
    tumour = liver + enhanced
    tumour[4] = 0.34 + 0.10 * (1 - washout)  # tumour cells hardly take the agent up
    table[Part.TUMOUR] = tumour
    table[Part.CAPSULE] = (
        tumour + np.array([-0.02, -0.06, 0.04, 0.10, 0.02]) + washout * np.array([0, 0, 0.08, 0.16, 0])
    )
    return table


def make_phases(
    abdomen: Abdomen, finding: Mapping[str, Any], noise: float, rng: np.random.Generator
) -> dict[str, NDArray[np.int16]]:
    """Phase → (x, y, z) int16 image: signals, texture of the liver, coil shading, blur and noise."""
    table = phase_signals(float(finding["uptake"]), float(finding["washout"]))
    shape = abdomen.parts.shape
    scarred = float(finding["nodularity"])
    nodules = (0.012 + 0.045 * scarred) * smooth(shape, 1.3, rng) * abdomen.liver
    shading = 1 + 0.06 * smooth(shape, 18, rng)
    gain = _GAIN * np.exp(0.06 * rng.standard_normal())
    return {
        phase: _image(abdomen, table[:, i], nodules * (1.0, 0.8, 1.0, 1.4, 1.8)[i], shading * gain, noise * gain, rng)
        for i, phase in enumerate(PHASES)
    }


def _image(
    abdomen: Abdomen,
    signals: FloatArray,
    texture: Float32Array,
    gain: Float32Array,
    noise: float,
    rng: np.random.Generator,
) -> NDArray[np.int16]:
    """Magnitude image: noise is Rician, as in the magnitude of a complex signal."""
    clean = gaussian_filter(signals.astype(np.float32)[abdomen.parts] + texture, 0.55) * gain
    real = clean + noise * rng.standard_normal(clean.shape, dtype=np.float32)
    other = noise * rng.standard_normal(clean.shape, dtype=np.float32)
    return np.asarray(np.clip(np.round(np.hypot(real, other)), 0, 4095), dtype=np.int16)


def write_nifti(array: NDArray[Any], spacing: Point, path: Path) -> None:
    """A compressed NIfTI with the same bytes for the same array: right-anterior-superior axes, centred, no date."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * s for n, s in zip(array.shape, spacing, strict=True)]
    image = nibabel.Nifti1Image(array, affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    image.set_qform(affine, 1)  # type: ignore[no-untyped-call]
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=4, mtime=0))
