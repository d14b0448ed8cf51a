"""A patient's slides or scans as one number a named feature."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import numpy as np

from core.arrays import FloatArray
from core.features.encoders import Encoded
from core.features.volume_features import SHAPES
from core.results.image_means import ImageMeans

_PHASE = "phase "
_WHOLE = (*SHAPES, "share of the liver", "given")
"""How the names of features end that do not depend on the phase of a scan."""


def named_means(encoded: Encoded) -> dict[str, float]:
    """Name → the mean over the patches, or over the scans of one phase; NaN where nothing was measured.

    Rows of different phases are not mixed: brightness after contrast medium is another feature than before. Shapes are
    those of the same tumour in every phase and stand once. Empty for features without names.
    """
    columns, rows = encoded.columns, np.asarray(encoded.features, dtype=np.float64)
    if not columns:
        return {}
    phases = [c for c in columns if c.startswith(_PHASE)]
    if not phases:
        return dict(zip(columns, _mean(rows).tolist(), strict=True))
    which = rows[:, : len(phases)].argmax(axis=1)  # the phases stand first
    found: dict[str, float] = {}
    for at, name in enumerate(columns):
        if name in phases:
            continue
        if name.endswith(_WHOLE):
            found[name] = float(_mean(rows[:, [at]])[0])
            continue
        for number, phase in enumerate(phases):
            if (which == number).any():
                found[f"{name}, {phase.removeprefix(_PHASE)}"] = float(_mean(rows[which == number][:, [at]])[0])
    return found


def image_means(
    cohort: str, modality: str, encoder: str, patients: Iterator[tuple[str, Mapping[str, float]]]
) -> ImageMeans:
    """Join patients, whose scans may have different phases: what one lacks is NaN."""
    rows = dict(patients)
    names = tuple(dict.fromkeys(name for row in rows.values() for name in row))
    values = np.array([[row.get(n, np.nan) for n in names] for row in rows.values()], dtype=np.float64)
    return ImageMeans(cohort, modality, encoder, names, tuple(rows), values.reshape(len(rows), len(names)))


def _mean(rows: FloatArray) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column that nobody measured has no mean
        return np.asarray(np.nanmean(rows, axis=0), dtype=np.float64)
