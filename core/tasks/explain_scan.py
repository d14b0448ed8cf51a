"""The explanation of kind "scan": attribution volumes of one patient, by the run's own encoder, and stored."""

from __future__ import annotations

from core.cohort.media_index import load_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.run_models import RunModels
from core.explain.scan_maps import ScanSource, scan_maps
from core.features.encoders import make_encoder
from core.results.scan_maps import save_scan_maps
from core.results.workspace import Workspace
from core.tasks.provenance import code_version
from core.tasks.train import Progress
from core.training.scoring_files import read_run_inputs


def make(models: RunModels, patient: str, month: float, workspace: Workspace, progress: Progress) -> None:
    """Compute and store the maps of S(month)."""
    run = models.run
    how = read_run_inputs(models.folder, run.id).encoders.get(Modality.VOLUMES.value)
    if how is None:
        raise PrognoscopeError(
            "models that read no scans", f"run {run.id}", "choose a run trained with --modalities volumes"
        )
    encoder = make_encoder(str(how["name"]), dict(how["settings"]))
    if encoder.version != how["version"]:
        raise PrognoscopeError(
            f"scans encoded by version {how['version']} of {encoder.name}, this is version {encoder.version}",
            f"run {run.id}", "encode the scans again and train the run again",
        )  # fmt: skip
    index = load_media(models.cohort_of(patient), workspace)
    files = tuple(f for f in index.of(patient, Modality.VOLUMES) if f.kind in encoder.reads)
    source = ScanSource(run.synthetic, code_version())
    save_scan_maps(scan_maps(models, patient, month, files, encoder, source, progress), workspace)
