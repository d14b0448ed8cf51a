"""Summarise a cohort's encoded slides and scans, one row a patient, for the pages that compare groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.errors import PrognoscopeError
from core.features.image_means import image_means, named_means
from core.features.store import FeatureStore
from core.results.feature_records import EncodedModality
from core.results.image_means import encoded_images, no_names, save_image_means
from core.results.run_store import load_run
from core.results.workspace import Workspace
from core.tasks.train import Progress, silent


@dataclass(frozen=True)
class ImageMeansRequest:
    """Of which cohort, in the form that ``run`` was trained on ("" = as it is encoded now)."""

    cohort: str
    run: str = ""


def summarise_images(request: ImageMeansRequest, workspace: Workspace, progress: Progress = silent) -> tuple[str, ...]:
    """Compute and store for slides and scans with named features; returns these modalities.

    Raises
    ------
    PrognoscopeError
        When nothing of the cohort is encoded by an encoder that names what it measures.
    """
    encoders = load_run(request.run, workspace).config.get("encoders", {}) if request.run else {}
    there = encoded_images(request.cohort, encoders, workspace)
    named = {m: e for m, e in there.items() if not no_names(m, e)}
    if not named:
        raise PrognoscopeError(
            "; ".join(no_names(m, e).rstrip(".") for m, e in there.items()) or "no encoded slides or scans",
            f"cohort {request.cohort!r}", f"./run cli encode {request.cohort}",
        )  # fmt: skip
    for place, (modality, encoded) in enumerate(named.items()):
        rows = _rows(encoded, workspace, place, len(named), progress)
        save_image_means(image_means(request.cohort, modality, encoded.encoder, rows), encoded, workspace)
    progress(1.0, "stored")
    return tuple(named)


def _rows(
    encoded: EncodedModality, workspace: Workspace, place: int, count: int, progress: Progress
) -> Iterator[tuple[str, Mapping[str, float]]]:
    store = FeatureStore(workspace)
    for done, (patient, key) in enumerate(sorted(encoded.keys.items())):
        progress((place + done / len(encoded.keys)) / count, f"image features: {done} of {len(encoded.keys)} patients")
        yield patient, named_means(store.read(key))
