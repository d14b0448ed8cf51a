"""Runs on planted scans, and what their explanations need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from core.arrays import BoolArray
from core.cohort.media_index import MediaFile, load_media
from core.cohort.modality import Modality
from core.explain.bag_survival import BagSurvival
from core.explain.run_models import RunModels
from core.features.encoders import Encoder, make_encoder
from core.results.run_store import load_predictions
from core.results.scan_maps import ScanMaps, load_scan_maps
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.explain_scan import make
from core.tasks.run_models import open_run
from core.tasks.train import TrainRequest, train
from tests.explain.scan_cohort import MONTH, PlantedScans, make_planted_scans

SMALL = {
    "width": 32, "token_dim": 16, "family_hidden": 16, "n_experts": 4, "expert_hidden": 16, "training.epochs": 40,
    "training.batch_size": 8,
}  # fmt: skip
NETWORK = {"side": 16}


def quiet(share: float, words: str) -> None:
    del share, words


class Opened:
    """A run on planted scans, and what its explanations need."""

    def __init__(self, workspace: Workspace, planted: PlantedScans, encoder: str, top_k: int) -> None:
        self.workspace, self.planted = workspace, planted
        settings = {"monai-small": NETWORK}
        volumes = Modality.VOLUMES
        encode(EncodeRequest("study", (volumes,), {volumes: encoder}, settings, processes=1), workspace)
        self.encoder: Encoder = make_encoder(encoder, settings.get(encoder))
        asked = TrainRequest(
            "study", "hdmoe", (volumes,), folds="2", seeds=2, settings={**SMALL, "top_k": top_k},
            horizons=(6.0, MONTH), references=False, processes=1,
        )  # fmt: skip
        self.models: RunModels = open_run(train(asked, workspace).id, workspace)

    def files(self, patient: str) -> tuple[MediaFile, ...]:
        return load_media("study", self.workspace).of(patient, Modality.VOLUMES)

    def survival(self, patient: str) -> BagSurvival:
        return BagSurvival(self.models, self.models.unseen(patient), patient, Modality.VOLUMES, MONTH)

    def explain(self, patient: str) -> ScanMaps:
        make(self.models, patient, MONTH, self.workspace, quiet)
        return load_scan_maps(self.models.run.id, patient, self.workspace)


def opened(folder: Path, encoder: str, top_k: int = 1) -> Opened:
    workspace = Workspace(folder / "workspace")
    return Opened(workspace, make_planted_scans(workspace, folder), encoder, top_k)


def brightest(found: Opened, count: int) -> list[str]:
    bright = found.planted.brightness
    return sorted(bright, key=lambda p: -bright[p])[:count]


def auroc(values: np.ndarray, tumour: BoolArray, liver: BoolArray) -> float:
    return float(roc_auc_score(tumour[liver], np.abs(values)[liver]))


def shown(found: Opened, patient: str) -> float:
    table = load_predictions(found.models.run.id, found.workspace).ensemble()
    at = dict(zip(table.table["id"], table.survival_at(MONTH), strict=True))
    return 100 * float(at[patient])
