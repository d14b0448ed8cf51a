"""All layers over the slides of one patient of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.patch_evidence import PatchEvidence, patch_evidence
from core.explain.patch_places import PatchPlaces
from core.explain.run_models import RunModels, UnseenModel
from core.explain.slide_layers import expert_layers, whole_layers
from core.results.slide_maps import MapLayer, SlideMaps

Progress = Callable[[float, str], None]
SLIDES = Modality.SLIDES
SHARE_TOLD = 0.9


@dataclass(frozen=True)
class MapSource:
    """What a record says of its making."""

    synthetic: bool
    encoder: str
    code_version: str


def slide_maps(
    models: RunModels, patient: str, month: float, places: PatchPlaces, source: MapSource, progress: Progress
) -> SlideMaps:
    """Every layer, from the models that never saw the patient. Nothing of the cohort scale yet.

    Raises
    ------
    PrognoscopeError
        For a patient without slides, a model that does not read patches one by one, or places that are not those of
        the model's patches.
    """
    started = time.perf_counter()
    unseen = models.unseen(patient)
    found = evidence_of(models, patient, unseen, month, None, progress)
    patches = len(found[0].relevance)
    if patches != len(places.coordinates):
        raise PrognoscopeError(
            f"{patches} patches in the model and {len(places.coordinates)} places on the slides",
            "the maps over slides", "encode the slides again, or train the run again",
        )  # fmt: skip
    names = unseen[0].fitted.network.expert_names()
    layers = (
        *whole_layers(found, month),
        *expert_layers(found, names, [u.seed for u in unseen], month),
    )
    return SlideMaps(
        models.run.id, patient, month, len(unseen), places.slides, places.coordinates, places.sides, layers,
        source.synthetic, source.encoder, source.code_version, time.perf_counter() - started,
        (*places.notes, *_notes(found, layers, names)),
    )  # fmt: skip


def evidence_of(
    models: RunModels,
    patient: str,
    unseen: Sequence[UnseenModel],
    month: float,
    levels: Sequence[str] | None,
    progress: Progress,
) -> list[PatchEvidence]:
    """What each of these models makes of the patient's patches."""
    row = np.array([models.row(patient)])
    if SLIDES not in models.inputs.present or not bool(models.inputs.present[SLIDES][row[0]]):
        raise PrognoscopeError("no slide of this patient", f"run {models.run.id}", "choose a patient with a slide")
    found = []
    for place, model in enumerate(unseen):
        progress(place / len(unseen), f"slides: model {place + 1} of {len(unseen)}")
        batch = model.fitted.preparation.tensors(models.inputs.take(row)).batch(np.array([0]))
        found.append(patch_evidence(model.fitted, batch, month, levels))
    return found


def _notes(found: Sequence[PatchEvidence], layers: Sequence[MapLayer], names: object) -> tuple[str, ...]:
    """What a reader of the maps has to know."""
    notes = []
    shares = [e.on_patches for e in found if e.attention is not None]
    if shares and abs(float(np.mean(shares)) - 1) > 1 - SHARE_TOLD:
        notes.append(
            f"{100 * float(np.mean(shares)):.0f} % of the attention lies on patches, the rest on the class token and "
            "on padding; the map shows how that share is divided."
        )
    lost = len(found) - len(shares)
    if shares and lost:
        notes.append(f"In {lost} of {len(found)} models the attention weights cancel out; they are left out.")
    if not names and len(found) > 1 and any(x.key.startswith("expert-") for x in layers):
        notes.append(
            "Experts of different models share nothing but their number: each expert's map is that of the first model."
        )
    return tuple(notes)
