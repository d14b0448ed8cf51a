"""What ``./run app`` does before the dashboard opens: the sample cohort and one run on it, made once.

Its slides, scans and reports, and a run on all of them, take minutes: they are left to the worker, and the dashboard
opens meanwhile.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.access.settings import check_start
from core.care.server_lock import check_free
from core.care.version import make_ready
from core.cohort.media_index import load_media
from core.cohort.sample import NAME, save_sample
from core.errors import PrognoscopeError
from core.jobs.job import JobState
from core.jobs.queue import JobQueue
from core.jobs.supervise import submit_job
from core.results.run_store import list_runs
from core.results.workspace import Workspace

MEDIA_TASK = "prepare-sample"
LOCAL = "127.0.0.1"


def main() -> int:
    """Build what is missing, with progress; a second start finds everything and leaves at once.

    Before that, an address that must not be listened on is refused.
    """
    workspace = Workspace.default()
    try:
        check_start(asked_address(sys.argv[1:]), configured_login())
        check_free(workspace)
        for words in make_ready(workspace):
            print(f"Workspace brought up to date: {words}", file=sys.stderr)
        if NAME not in workspace.names(workspace.cohorts):
            print("Building the synthetic sample cohort …", file=sys.stderr)
            save_sample(workspace)
        if not any(run.cohort == NAME for run in list_runs(workspace)):
            _train_sample(workspace)
        submit_sample_media(workspace)
    except PrognoscopeError as error:
        print(error, file=sys.stderr)
        return 1
    print("Prognoscope opens, on http://127.0.0.1:8501 unless told otherwise (research use only)", file=sys.stderr)
    return 0


def asked_address(words: Sequence[str]) -> str:
    """The address that the options of ``./run app`` or the environment name; that of the configuration else."""
    found = os.environ.get("STREAMLIT_SERVER_ADDRESS", LOCAL)
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if word in ("--server.address", "--server-address"):
            found = following
        elif word.startswith(("--server.address=", "--server-address=")):
            found = word.partition("=")[2]
    return found


def configured_login() -> Mapping[str, Any]:
    """The section ``[auth]`` of the secrets, the application's own before the user's; empty where there is none."""
    login: dict[str, Any] = {}
    for folder in (Path.home(), Path.cwd()):
        path = folder / ".streamlit" / "secrets.toml"
        if path.is_file():
            try:
                login |= tomllib.loads(path.read_text(encoding="utf-8")).get("auth", {})
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise PrognoscopeError("secrets that are no TOML", str(path), "see secrets.example.toml") from error
    return login


def submit_sample_media(workspace: Workspace) -> None:
    """Leave the sample's slides, scans, reports and their run to the worker, when they are missing and nobody
    cancelled them."""
    if load_media(NAME, workspace).files:
        return
    queue = JobQueue(workspace)
    before = queue.jobs(1000) if queue.path.is_file() else ()
    if not any(job.task == MEDIA_TASK and job.state is JobState.CANCELLED for job in before):
        submit_job(workspace, MEDIA_TASK, {}, "Slides, scans, reports of the sample cohort, and a run on them")


def _train_sample(workspace: Workspace) -> None:
    """HDMoE on the sample cohort. Imported here: torch takes seconds that a second start need not wait for."""
    from core.cli.output import ProgressBar
    from core.tasks.train import TrainRequest, train

    print("Training HDMoE on the sample cohort (once) …", file=sys.stderr)
    # 240 patients make few steps an epoch: twenty epochs in batches of sixteen, a quarter of the patients reorganised
    settings = {"reorganise_rate": 0.25, "training.epochs": 20, "training.batch_size": 16}
    command = f"./run cli train --cohort {NAME} " + " ".join(f"--set {k}={v}" for k, v in settings.items())
    request = TrainRequest(NAME, "hdmoe", folds="5", seeds=3, settings=settings, command=command)
    train(request, workspace, ProgressBar())


if __name__ == "__main__":
    sys.exit(main())
