"""Erasing a patient on withdrawal of consent: everywhere in the workspace, resumable, and proved by a search."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from core.access.actor import require
from core.access.roles import Permission
from core.care.erase_cohort import erase_from_cohort, outside_files
from core.care.erase_runs import erase_from_cells, erase_from_estimates, erase_from_runs, trained_with
from core.care.erase_traces import (
    ARCHIVES,
    erase_from_boards,
    erase_from_jobs,
    erase_from_views,
    erase_leftovers,
)  # fmt: skip
from core.care.maintenance import alone
from core.care.needles import ErasedNames, KnownNames, Needles
from core.care.person import Person, cohort_ids, find_person
from core.care.search import Searched, search
from core.cohort.pseudonyms import protected_folder
from core.cohort.storage import list_cohorts
from core.cohort.tombstones import bury, load_tombstones, tombstone_key
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.jobs.job import JobState
from core.jobs.queue import JobQueue
from core.results.board_store import list_boards
from core.results.erasures import ErasedFrom, Erasure, keep_erasure, load_erasures
from core.results.explained import is_explained
from core.results.files import read_json, write_json
from core.results.workspace import Workspace

Progress = Callable[[float, str], None]
JOB = "erase"
_NOTE = "erasing-"


@dataclass(frozen=True)
class ErasurePlan:
    """What an erasure would do, said before it is done. ``goes`` and ``stays`` are phrases without any id; ``runs`` are
    flagged."""

    cohorts: tuple[str, ...]
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    runs: tuple[str, ...]


def erasure_plan(cohort: str, patient: str, workspace: Workspace) -> ErasurePlan:
    """Look at what there is of a patient; nothing is changed."""
    person = find_person(cohort, patient, workspace)
    runs = trained_with(person, workspace)
    goes = [f"the patient in {plural(len(person.cohorts), 'cohort')} ({', '.join(person.cohorts)}): outcome, values, "
            "original id, slides, scans and report texts kept here, encoded features"]  # fmt: skip
    explained = sum(
        is_explained(run, p, workspace) for run in workspace.names(workspace.explanations) for p in person.pseudonyms
    )
    goes += [f"the predictions of {plural(len(runs), 'run')} for this patient"] if runs else []
    goes += [f"the explanations of {plural(explained, 'run')}"] if explained else []
    boards = sum(not set(b.patients).isdisjoint(person.pseudonyms) for b in list_boards(workspace))
    goes += [f"the place on {plural(boards, 'board list')}, with its frozen pages and notes"] if boards else []
    goes.append("saved views, jobs, uploads and desktop sessions that speak of this patient")
    outside = sum(outside_files(name, p, workspace) for name, p in person.cohorts.items())
    stays = [f"{plural(outside, 'file')} outside the workspace, which Prognoscope only refers to"] if outside else []
    if runs:
        stays.append(f"what {plural(len(runs), 'run')} learned from the patient: each is flagged, train it again")
    if person.apart:
        stays.append(f"somebody else of the same pseudonym ({', '.join(person.apart)})")
    stays.append("a keyed hash without any id, so that an import which brings the patient again is told so")
    return ErasurePlan(tuple(person.cohorts), tuple(goes), tuple(stays), runs)


def ask_to_erase(cohort: str, patient: str, workspace: Workspace) -> str:
    """Note down, in the protected folder, who is to be erased; the opaque id a job may carry instead of a name.

    Raises
    ------
    NotAllowedError
        For whoever may not operate the workspace.
    """
    person = find_person(cohort, patient, workspace)
    require(Permission.OPERATE, person.cohorts)
    request = secrets.token_hex(8)
    hashes = {c.name: c.content_hash for c in list_cohorts(workspace)}
    begun = tuple(ErasedFrom(name, hashes.get(name, ""), "") for name in person.cohorts)
    _write_note(request, person, datetime.now(UTC).isoformat(timespec="seconds"), (), begun, workspace)
    return request


def unfinished_erasures(workspace: Workspace) -> tuple[str, ...]:
    """Ids of erasures that were asked for and have not ended."""
    return tuple(sorted(p.stem.removeprefix(_NOTE) for p in workspace.protected.glob(f"{_NOTE}*.json")))


def erase(request: str, workspace: Workspace, progress: Progress | None = None) -> Searched:
    """Do what was asked for; one that was stopped half-way goes on where it was.

    Returns
    -------
    What a search for the patient's names still finds: nothing, unless files of the user's own (``incoming``) name them.

    Raises
    ------
    PrognoscopeError
        When a job is running: what it writes at its end would bring the patient back.
    """
    tell = progress or (lambda share, words: None)
    note = protected_folder(workspace) / f"{_NOTE}{request}.json"
    with alone(workspace, "erase the patient"):
        _nothing_runs(workspace)
        stored = read_json(note)
        person = Person(stored["cohorts"], stored["original"], tuple(stored["apart"]))
        day, changed = stored["at"][:10], tuple(ErasedFrom(**c) for c in stored["changed"])
        bury(person.names, stored["at"], workspace)
        tell(0.05, "runs and their predictions")
        runs = tuple(dict.fromkeys((*stored["runs"], *trained_with(person, workspace))))
        _write_note(request, person, stored["at"], runs, changed, workspace)
        erase_from_runs(person, day, workspace)
        erase_from_estimates(person, workspace)
        erase_from_cells(person, workspace)
        tell(0.3, "boards, views and jobs")
        erase_from_boards(person, workspace)
        erase_from_views(person, workspace)
        erase_from_jobs(person, workspace)
        tell(0.4, "cohorts, media and features")
        for name, pseudonym in person.cohorts.items():
            if pseudonym in cohort_ids(name, workspace):
                erase_from_cohort(name, pseudonym, workspace)
        after = {c.name: c.content_hash for c in list_cohorts(workspace)}
        changed = tuple(replace(c, after=after.get(c.cohort, "")) for c in changed)
        keep_erasure(Erasure(request, stored["at"], changed, runs), workspace)
        tell(0.6, "searching every file")
        erase_leftovers(person, workspace)
        note.unlink()
        left = search(workspace.root, KnownNames(person.names), leave_out=(ARCHIVES,))
    tell(1.0, "erased")
    return left


def verify_erased(workspace: Workspace, also: tuple[str, ...] = (), progress: Progress | None = None) -> Searched:
    """Search every file of the workspace for all who were ever erased here, by their tombstones alone.

    Parameters
    ----------
    also : names in plain to look for as well (an original id that a person who asks has at hand)
    """
    stones = load_tombstones(workspace)
    if not stones and not also:
        raise PrognoscopeError("nobody was erased", "this workspace", "name a cohort and a patient to erase first")
    needles: Needles = _Both(ErasedNames(stones, tombstone_key(workspace)), KnownNames(also))
    total = max(1, sum(1 for _ in workspace.root.rglob("*")))
    tell = progress or (lambda share, words: None)
    return search(
        workspace.root, needles, leave_out=(ARCHIVES,),
        tell=lambda done: tell(min(0.99, done / total), f"{done:,} files"),
    )  # fmt: skip


@dataclass(frozen=True)
class _Both:
    first: Needles
    second: Needles

    def in_bytes(self, data: bytes) -> bool:
        return self.first.in_bytes(data) or self.second.in_bytes(data)

    def among(self, values: object) -> bool:
        texts = list(values)  # type: ignore[call-overload]
        return self.first.among(texts) or self.second.among(texts)


def history(workspace: Workspace) -> tuple[Erasure, ...]:
    """Every erasure, the latest first."""
    return load_erasures(workspace)[::-1]


def _nothing_runs(workspace: Workspace) -> None:
    running = [j for j in JobQueue(workspace).unfinished() if j.state is JobState.RUNNING and j.task != JOB]
    if running:
        raise PrognoscopeError(
            "a running job, whose results would still hold the patient", "the queue",
            "wait for it or cancel it, then erase again",
        )  # fmt: skip


def _write_note(
    request: str, person: Person, at: str, runs: tuple[str, ...], changed: tuple[ErasedFrom, ...], workspace: Workspace
) -> None:
    path: Path = protected_folder(workspace) / f"{_NOTE}{request}.json"
    write_json(
        path,
        {
            "at": at, "cohorts": dict(person.cohorts), "original": person.original, "apart": list(person.apart),
            "runs": list(runs), "changed": [vars(c) for c in changed],
        },
    )  # fmt: skip
    path.chmod(0o600)
