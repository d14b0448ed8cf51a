"""What goes with a cohort or a run when it is deleted: told before it is done, then done in that order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.access.actor import require
from core.access.audit_entry import Action
from core.access.record import record
from core.access.roles import Permission
from core.cohort.media_index import MediaKind, load_media, report_folder
from core.cohort.modality import Modality
from core.cohort.own_folds import own_folds
from core.cohort.storage import delete_cohort, list_cohorts, load_original_ids
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.board_store import delete_board, list_boards
from core.results.explained import forget_explanations, is_explained
from core.results.feature_records import forget_features, load_record
from core.results.naming import run_words
from core.results.prediction_set import delete_prediction_set, list_prediction_sets
from core.results.run import Run
from core.results.run_store import delete_run, list_runs, load_run
from core.results.workspace import Workspace

_MEDIA_WORDS = {Modality.SLIDES: "slide", Modality.VOLUMES: "scan", Modality.REPORTS: "report text"}


@dataclass(frozen=True)
class Deletion:
    """What a deletion would do. ``goes`` and ``stays`` are phrases; ``runs`` may be deleted with their cohort."""

    name: str
    title: str
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    runs: tuple[Run, ...] = ()


def cohort_deletion(name: str, workspace: Workspace) -> Deletion:
    """What goes with a cohort and what stays; raises when there is none of that name."""
    summary = next((c for c in list_cohorts(workspace) if c.name == name), None)
    if summary is None:
        raise PrognoscopeError(f"no cohort named {name!r}", "the workspace", "see 'cohorts' for the names")
    goes = [f"{plural(summary.patients, 'patient')} with their outcomes and values"]
    ids = len(load_original_ids(name, workspace))
    if ids:
        goes.append(f"the list of which patient has which pseudonym ({plural(ids, 'id')})")
    goes += _media(name, workspace)
    goes += _features(name, workspace)
    sets = len(list_prediction_sets(name, workspace))
    if sets:
        goes.append(f"{plural(sets, 'set')} of estimates that runs made for its patients")
    explained = len({patient for _, patient in _explained(name, workspace)})
    if explained:
        goes.append(f"the explanations of the estimates of {plural(explained, 'patient')}")
    boards = len(list_boards(workspace, name))
    if boards:
        goes.append(f"{plural(boards, 'board list')} with the pages frozen for it and what was noted")
    brought = len(own_folds(name, workspace))
    if brought:
        goes.append(f"the folds that were brought for it ({plural(brought, 'plan')})")
    if (workspace.cohorts / f"{name}.truth.json").is_file():
        goes.append("the truth that was planted into these synthetic patients")
    runs = tuple(r for r in list_runs(workspace) if r.cohort == name)
    stays = () if summary.synthetic else ("the files on this machine it was imported from",)
    return Deletion(name, summary.title, tuple(goes), stays, runs)


def run_deletion(run_id: str, workspace: Workspace) -> Deletion:
    """What goes with a run and what stays; raises when there is none of that id."""
    run = load_run(run_id, workspace, verify=False)
    goes = [f"the run itself: {plural(len(run.references), 'reference row')}, metrics and settings",
            f"its out-of-fold predictions of {plural(run.patients, 'patient')}",
            f"its trained models ({run.n_folds} folds, {plural(len(run.seeds), 'seed')})"]  # fmt: skip
    sets = [s for s in list_prediction_sets(None, workspace) if s.run == run_id]
    if sets:
        goes.append(f"{plural(len(sets), 'set')} of estimates it made for other cohorts")
    if (workspace.explanations / run_id).is_dir():
        goes.append("the explanations that were made of it")
    stays = ["the cohort it was trained on", "every other run"]
    boards = sum(b.run == run_id for b in list_boards(workspace))
    if boards:
        stays.append(f"{plural(boards, 'board list')} of it, with frozen pages and notes; nothing new can be frozen")
    return Deletion(run.id, run_words(run), tuple(goes), tuple(stays))


def remove_cohort(name: str, workspace: Workspace, with_runs: bool = False) -> None:
    """Delete a cohort with all that :func:`cohort_deletion` lists, and its runs when asked for."""
    require(Permission.DELETE, (name,))
    runs = cohort_deletion(name, workspace).runs if with_runs else ()
    record(Action.DELETE, workspace, cohort=name, detail="cohort")
    for run in runs:
        remove_run(run.id, workspace)
    for found in list_prediction_sets(name, workspace):
        delete_prediction_set(found.id, workspace)
    for run_id, patient in _explained(name, workspace):  # of a run that stays, too: they hold the patients' values
        forget_explanations(run_id, patient, workspace)
    for board in list_boards(workspace, name):
        delete_board(board.id, workspace)
    forget_features(name, workspace)
    delete_cohort(name, workspace)


def remove_run(run_id: str, workspace: Workspace) -> None:
    """Delete a run with all that :func:`run_deletion` lists."""
    cohort = load_run(run_id, workspace, verify=False).cohort
    require(Permission.DELETE, (cohort,))
    record(Action.DELETE, workspace, cohort=cohort, run=run_id, detail="run")
    for found in list_prediction_sets(None, workspace):
        if found.run == run_id:
            delete_prediction_set(found.id, workspace)
    forget_explanations(run_id, None, workspace)
    delete_run(run_id, workspace)


def _explained(name: str, workspace: Workspace) -> list[tuple[str, str]]:
    """(run, pseudonym) of every patient of a cohort that some run's estimate was explained of."""
    path = workspace.cohort(name) / "patients.parquet"
    try:
        ids = [str(i) for i in pd.read_parquet(path, columns=[]).index]
    except (OSError, ValueError):  # a damaged cohort is deleted all the same; whose it was can no longer be known
        return []
    runs = workspace.names(workspace.explanations)
    return [(run, patient) for run in runs for patient in ids if is_explained(run, patient, workspace)]


def _media(name: str, workspace: Workspace) -> list[str]:
    """Slides, scans and reports: what was unpacked or made for the cohort goes, all else is only referred to."""
    index = load_media(name, workspace)
    own = [workspace.media_of(name).resolve(), report_folder(name, workspace).resolve()]
    found = []
    for modality, word in _MEDIA_WORDS.items():
        files = [f for f in index.files if f.modality is modality and f.kind is not MediaKind.MASK]
        if not files:
            continue
        kept = sum(not any(Path(f.path).resolve().is_relative_to(place) for place in own) for f in files)
        words = plural(len(files), word)
        found.append(f"{words}, of which {kept:,} stay where they lie" if kept else words)
    return found


def _features(name: str, workspace: Workspace) -> list[str]:
    record = load_record(name, workspace)
    return [
        f"the encoded {modality} of {plural(len(encoded.keys), 'patient')}, where no other cohort uses them"
        for modality, encoded in record.modalities.items()
    ]
