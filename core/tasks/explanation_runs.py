"""The runs whose explanations are measured: found in the workspace where they were trained as asked, else trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.cohort.cohort import Cohort
from core.cohort.modality import ENCODED_MODALITIES, Modality
from core.features.encoded import load_features
from core.models.registry import make_config, model_spec
from core.results.run import Run
from core.results.run_store import list_runs
from core.results.workspace import Workspace
from core.tasks.model_encoders import encode_for_model
from core.tasks.train import Progress, TrainRequest, train
from core.training.estimators import training_from

FOLDS = 5
SETTINGS: Mapping[str, Any] = {"training.epochs": 20, "training.batch_size": 16}
PATCHES: Mapping[str, Any] = {"training.patch_sample": 64}
"""Those of the first start: twenty epochs in batches of sixteen, 64 of a slide's patches at a step."""


@dataclass(frozen=True)
class Candidate:
    """A model and the modalities it is trained on."""

    model: str
    modalities: tuple[Modality, ...]

    @property
    def words(self) -> str:
        return f"{self.model} on {' + '.join(m.value for m in self.modalities)}"

    @property
    def settings(self) -> dict[str, Any]:
        return {**SETTINGS, **(PATCHES if Modality.SLIDES in self.modalities else {})}


SLIDE_CANDIDATES = (
    Candidate("hdmoe", (Modality.SLIDES,)),
    Candidate("mice", (Modality.SLIDES,)),
    Candidate("biofact", (Modality.SLIDES,)),
    Candidate("biofact", (Modality.SLIDES, Modality.REPORTS)),  # the reports teach it; its estimate reads slides alone
)
GENES = Candidate("hdmoe", (Modality.GENOMICS, Modality.CLINICAL))


def run_of(candidate: Candidate, cohort: Cohort, seeds: int, workspace: Workspace, progress: Progress) -> Run:
    """A stored run of these settings with at least so many seeds, the one with most, or a new one."""
    encoded = tuple(m for m in candidate.modalities if m in ENCODED_MODALITIES)
    if encoded:
        encode_for_model(cohort.name, candidate.model, encoded, False, workspace)
    fitting = [r for r in list_runs(workspace) if _fits(r, candidate, cohort, seeds, workspace)]
    if fitting:
        return max(fitting, key=lambda r: (len(r.seeds), r.created_at))
    request = TrainRequest(
        cohort.name, candidate.model, candidate.modalities, folds=str(FOLDS), seeds=seeds,
        settings=candidate.settings, references=False, command="./run cli bench explanations",
    )  # fmt: skip
    return train(request, workspace, progress)


def _fits(run: Run, candidate: Candidate, cohort: Cohort, seeds: int, workspace: Workspace) -> bool:
    settings, training = training_from(candidate.settings, candidate.model)
    config = make_config(model_spec(candidate.model), settings)
    wanted = {
        "cohort_hash": cohort.content_hash,
        "model": candidate.model,
        "modalities": tuple(m.value for m in Modality if m in candidate.modalities),
        "n_folds": FOLDS,
        "protocol": "honest",
    }
    have = {**{k: getattr(run, k) for k in wanted}, "modalities": tuple(run.modalities)}
    stored = (
        make_config(model_spec(candidate.model), dict(run.config["model"])) if run.model == candidate.model else None
    )
    features = load_features(cohort.name, workspace)
    return (
        have == wanted
        and len(run.seeds) >= seeds
        and stored == config
        and dict(run.config["training"]) == asdict(training)
        and dict(run.config.get("encoders", {})) == dict(features.encoders(candidate.modalities))
    )
