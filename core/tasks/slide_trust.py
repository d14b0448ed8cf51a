"""How far the maps of a run may be trusted, measured on a sample of its patients while the first one is explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.explain.cohort_scale import SampledMaps
from core.explain.map_truth import map_scores, scorable
from core.explain.patch_places import patch_places
from core.explain.run_models import RunModels
from core.explain.slide_layers import ATTENTION, RELEVANCE
from core.features.encoded import load_features
from core.results.explained import Kind
from core.results.explanation_trust import ExplanationTrust, TrustNumber
from core.results.workspace import Workspace
from core.tasks.planted_truth import planted_patches
from core.tasks.provenance import code_version

GOOD_AUROC, GOOD_AGREEMENT = 0.80, 0.50


def slide_trust(models: RunModels, sample: Sequence[SampledMaps], workspace: Workspace) -> ExplanationTrust:
    """The models' agreement, and where the truth is known how well the layers find what was planted."""
    agreed = [m.agreement for m in sample if m.agreement is not None]
    numbers = [
        TrustNumber(
            "the models agree", float(np.mean(agreed)) if agreed else None, GOOD_AGREEMENT, True, 0.0,
            "rank correlation between the relevance maps of models trained alike; 1 = the same map.",
        )
    ]  # fmt: skip
    hits = _hits(models, sample, workspace)
    for key, name in ((RELEVANCE, "relevance finds the planted region"), (ATTENTION, "attention finds it")):
        if found := hits.get(key):
            numbers.append(TrustNumber(
                name, float(np.mean(found)), GOOD_AUROC, True, 0.5,
                "probability that a planted high-risk patch stands above another one of its slide (AUROC), "
                f"mean of {len(found)} slides.",
            ))  # fmt: skip
    return ExplanationTrust(
        models.run.id, Kind.SLIDE, len(sample), len(models.run.seeds), models.run.synthetic, bool(hits),
        tuple(numbers), f"./run cli explain {models.run.id}", code_version(),
    )  # fmt: skip


def _hits(models: RunModels, sample: Sequence[SampledMaps], workspace: Workspace) -> dict[str, list[float]]:
    """Layer key → AUROC of every slide of the sample whose truth is kept and that shows both kinds of tissue."""
    found: dict[str, list[float]] = {}
    if not models.run.synthetic:
        return found
    media = load_media(models.run.cohort, workspace)
    features = load_features(models.run.cohort, workspace, models.run.config.get("encoders", {}))
    for maps in sample:
        files = media.of(maps.patient, Modality.SLIDES, MediaKind.SLIDE)
        encoded = features.read(maps.patient, Modality.SLIDES)
        if not files or encoded is None:
            continue
        truth = planted_patches(maps.patient, files[0].path, patch_places(encoded))
        if truth is None or not scorable(truth):
            continue
        for score in map_scores(maps.patient, maps.layers, truth):
            found.setdefault(score.layer, []).append(score.auroc)
    return found
