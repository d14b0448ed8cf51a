"""What is killed half way, and done again: an import, an encoding, a training, a report. Each by the functions that the
command line and the worker call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.cohort.modality import Modality
from core.results.workspace import Workspace
from core.tasks.fault_study import NAME
from core.tasks.provenance import code_version

SETTINGS = {"training.epochs": 1, "training.batch_size": 20, "training.patch_sample": 4}
MODALITIES = (Modality.SLIDES, Modality.CLINICAL)
FOLDS, SEEDS = "2", 1
MONTHS = (6.0,)
CODE = code_version()
"""Asked for once and kept by the processes that are killed: a commit made meanwhile is no difference."""
REPORT = "report.pdf"


def import_study(workspace: Workspace, study: Path) -> None:
    """Import the zipped study."""
    from core.cohort.importing import import_into

    import_into(workspace, study, NAME)


def encode_study(workspace: Workspace, study: Path) -> None:
    """Encode its slide features and reports."""
    from core.tasks.encode import EncodeRequest, encode

    encode(EncodeRequest(NAME, processes=1), workspace)


def train_study(workspace: Workspace, study: Path) -> None:
    """Train on it, as a job does: with a folder of its own for the finished fits."""
    from core.tasks.train import TrainRequest, train

    request = TrainRequest(
        NAME, "hdmoe", MODALITIES, folds=FOLDS, seeds=SEEDS, settings=SETTINGS, horizons=MONTHS, references=False,
        processes=1, command="./run cli bench faults",
    )  # fmt: skip
    train(request, workspace, scratch=workspace.root / "jobs" / "training")


def report_study(workspace: Workspace, study: Path) -> None:
    """Explain a patient, write the report, freeze the board's pages."""
    from core.board.bundle import freeze
    from core.board.report_content import report_content
    from core.board.report_pdf import report_pdf
    from core.board.sources import read_sources
    from core.results.board_store import list_boards
    from core.results.files import write_bytes
    from core.tasks.explain import ExplainRequest, explain

    board = list_boards(workspace, NAME)[0]
    patient = board.patients[0]
    explain(ExplainRequest(board.run, patient, board.month, ("values",)), workspace)
    sources = read_sources(board.run, None, workspace)
    write_bytes(workspace.root / REPORT, report_pdf(report_content(sources, patient, board.month)))
    freeze(board, sources)


def make_board(workspace: Workspace) -> None:
    """A board of two patients of the stored run, for :func:`report_study`."""
    from core.results.board_store import add_patients, new_board
    from core.results.run_store import list_runs, load_predictions

    run = list_runs(workspace)[0]
    patients = load_predictions(run.id, workspace).ensemble().table["id"].tolist()[:2]
    board = new_board("Faults", "synthetic", NAME, run.id, run.horizons[0], workspace)
    add_patients(board.id, patients, workspace)


ACTS: Mapping[str, str] = {
    "import": "core.tasks.fault_acts:import_study",
    "encode": "core.tasks.fault_acts:encode_study",
    "train": "core.tasks.fault_acts:train_study",
    "report": "core.tasks.fault_acts:report_study",
}
"""In the order in which each needs what the one before it made."""
