"""Make and store the maps over one patient's slides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.cohort_scale import cohort_quantiles, sample_maps
from core.explain.patch_places import patch_places
from core.explain.run_models import RunModels
from core.explain.slide_maps import MapSource, slide_maps
from core.features.encoded import load_features
from core.results.explained import Kind
from core.results.explanation_trust import load_trust, save_trust
from core.results.files import MANIFEST, new_folder, read_json, verify_folder, write_json
from core.results.slide_maps import SlideMaps, save_slide_maps
from core.results.workspace import Workspace, checked_name
from core.tasks.provenance import code_version
from core.tasks.slide_trust import slide_trust
from core.tasks.train import Progress

SCALE = "quantiles.json"


def make(models: RunModels, patient: str, month: float, workspace: Workspace, progress: Progress) -> None:
    """Compute and store the layers; the cohort scale of a run and month is made once."""
    run = models.run
    features = load_features(models.cohort_of(patient), workspace, run.config.get("encoders", {}))
    encoded = features.read(patient, Modality.SLIDES)
    if encoded is None:
        raise PrognoscopeError("no slide of this patient", f"run {run.id}", "choose a patient with a slide")
    source = MapSource(run.synthetic, features.of(Modality.SLIDES).encoder, code_version())
    maps = slide_maps(models, patient, month, patch_places(encoded), source, lambda s, m: progress(0.6 * s, m))
    quantiles = _scale(models.own, month, workspace, lambda s, m: progress(0.6 + 0.4 * s, m))
    save_slide_maps(with_scale(maps, quantiles), workspace)


def with_scale(maps: SlideMaps, quantiles: Mapping[str, tuple[float, ...]]) -> SlideMaps:
    """The maps with the cohort scale in their own unit: shares of attention are those of a bag of this size."""
    kept = {x.key: 1.0 if x.signed else 1.0 / len(x.values) for x in maps.layers if not x.absent}
    scaled = {key: tuple(float(q) * kept[key] for q in found) for key, found in quantiles.items() if key in kept}
    return replace(maps, cohort_quantiles=scaled)


def _scale(models: RunModels, month: float, workspace: Workspace, progress: Progress) -> dict[str, tuple[float, ...]]:
    folder: Path = workspace.explanations / checked_name(models.run.id, "run id") / f"scale-m{month:g}"
    if not (folder / MANIFEST).is_file():
        with new_folder(folder) as new:
            sample = sample_maps(models, month, progress)
            write_json(new / SCALE, cohort_quantiles(sample))
        if load_trust(models.run.id, Kind.SLIDE, workspace) is None:  # a benchmark's numbers say more
            save_trust(slide_trust(models, sample, workspace), workspace)
    verify_folder(folder)
    return {k: tuple(v) for k, v in read_json(folder / SCALE).items()}
