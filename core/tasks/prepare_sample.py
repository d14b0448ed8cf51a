"""Everything the pages can show of the sample cohort: its slides, scans and reports, their features, and one run on all
of its modalities with ten models for each patient that never saw that patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.cohort.modality import Modality
from core.cohort.sample import NAME
from core.results.run import Run
from core.results.run_store import list_runs
from core.results.workspace import Workspace
from core.tasks.complete_sample import complete_sample
from core.tasks.encode import EncodeRequest, encode
from core.tasks.train import Progress, TrainRequest, silent, train

SETTINGS: dict[str, Any] = {
    "reorganise_rate": 0.25, "training.epochs": 20, "training.batch_size": 16, "training.patch_sample": 64,
}  # fmt: skip
"""Those of ``bench sample``. 240 patients make few steps an epoch: twenty epochs in batches of sixteen; 64 of a slide's
patches at a step."""
FOLDS, SEEDS = "5", 10
"""Ten seeds: the spread between models that never saw a patient is to be seen, and needs that many."""
MEDIA_SHARE, ENCODE_SHARE = 0.12, 0.14


@dataclass(frozen=True)
class PreparedSample:
    """The run, and whether it was trained now."""

    cohort: str
    run: str
    trained: bool


def prepare_sample(
    workspace: Workspace, progress: Progress = silent, processes: int = 2, folder: Path | None = None
) -> PreparedSample:
    """Make what is missing; what is finished is kept, also of a run that was interrupted (``folder``)."""
    complete_sample(workspace, lambda s, m: progress(MEDIA_SHARE * s, m), processes=processes)
    encode(
        EncodeRequest(NAME, processes=processes), workspace,
        lambda s, m: progress(MEDIA_SHARE + ENCODE_SHARE * s, m),
    )  # fmt: skip
    found = _existing(workspace)
    if found is not None:
        return PreparedSample(NAME, found.id, trained=False)
    done = MEDIA_SHARE + ENCODE_SHARE
    command = f"./run cli train --cohort {NAME} --seeds {SEEDS} --no-references " + " ".join(
        f"--set {k}={v}" for k, v in SETTINGS.items()
    )
    request = TrainRequest(
        NAME, "hdmoe", tuple(Modality), folds=FOLDS, seeds=SEEDS, settings=SETTINGS, references=False,
        processes=processes, command=command,
    )  # fmt: skip
    run = train(request, workspace, lambda s, m: progress(done + (1 - done) * s, m), folder)
    return PreparedSample(NAME, run.id, trained=True)


def _existing(workspace: Workspace) -> Run | None:
    """A run of the sample as it is now, on all modalities, with enough seeds."""
    runs = [r for r in list_runs(workspace) if r.cohort == NAME and len(r.seeds) >= SEEDS]
    return next((r for r in runs if set(r.modalities) == {m.value for m in Modality}), None)
