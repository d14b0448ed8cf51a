"""Two-dimensional maps of a run's patients: principal axes, and UMAP where it is installed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from core.arrays import Float32Array, FloatArray, IntArray
from core.results.routing_record import LevelRecord, PatientMap
from core.statistics.procrustes import align_to, principal_axes

AXES = 8
"""Principal axes kept for clusters."""
NEIGHBOURS = 15
FEWEST = 20
"""A UMAP of fewer patients says nothing."""


def maps_of(
    representation: Mapping[tuple[int, int], FloatArray],
    reference: tuple[int, int],
    fold: IntArray,
    levels: Mapping[str, LevelRecord],
) -> tuple[dict[str, PatientMap], Float32Array, FloatArray]:
    """Maps of the patients by what the models that never saw them make of them.

    Each model has a space of its own: its representation of all patients is turned onto the reference model's
    (Procrustes), then every patient's place is the mean over the models that never saw them.

    Parameters
    ----------
    representation : (fold, seed number) → (n, d)

    Returns
    -------
    maps : name → PatientMap
    places : (s, n, a) on the first principal axes of the common space, by each seed's model that never saw the patient
    aligned : (f, s) share of the reference's variation each model reproduces
    """
    folds, seeds = (1 + max(p[i] for p in representation) for i in (0, 1))
    target = _standard(representation[reference])
    aligned = np.zeros((folds, seeds))
    own = np.zeros((seeds, *target.shape))
    for f, s in sorted(representation):
        found = align_to(target, _standard(representation[f, s]))
        aligned[f, s] = found.explained
        own[s, fold == f] = found.values[fold == f]
    values = own.mean(axis=0)
    maps = {}
    count = min(AXES, target.shape[1])
    scores, share = principal_axes(values, count)
    turn = np.linalg.lstsq(values - values.mean(axis=0), scores, rcond=None)[0]
    places = np.stack([(x - values.mean(axis=0)) @ turn for x in own]).astype(np.float32)
    maps["PCA"] = PatientMap(
        scores[:, :2].astype(np.float32),
        (f"first axis ({100 * share[0]:.0f} % of variation)", f"second axis ({100 * share[1]:.0f} %)"),
        "Distances are those in the model, seen from two sides.",
    )
    drawn = _umap(values)
    if drawn is not None:
        maps["UMAP"] = PatientMap(
            drawn, ("UMAP 1", "UMAP 2"),
            "Neighbours stay neighbours; distances between clusters and their sizes mean nothing.",
        )  # fmt: skip
    gates = [level.mass.mean(axis=0) for level in levels.values() if level.comparable and level.present.all()]
    if gates:
        scores, share = principal_axes(np.concatenate(gates, axis=1))
        maps["gates, PCA"] = PatientMap(
            scores.astype(np.float32),
            (f"first axis ({100 * share[0]:.0f} % of variation)", f"second axis ({100 * share[1]:.0f} %)"),
            "Patients lie close when the gates send them to the same experts.",
        )
    return maps, places, aligned


def _standard(values: FloatArray) -> FloatArray:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0))


def _umap(values: FloatArray) -> Float32Array | None:
    """(n, 2) by umap-learn, the same for the same input; None without the package or with too few patients."""
    if len(values) < FEWEST:
        return None
    try:
        from umap import UMAP  # type: ignore[import-untyped]
    except ImportError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a fixed seed means one thread
        found = UMAP(n_neighbors=min(NEIGHBOURS, len(values) - 1), random_state=0).fit_transform(values)
    return np.asarray(found, dtype=np.float32)
