"""The record of erasures: when, from which cohorts, which runs had been trained with them. Never who.

A cohort has another content hash after it, and the record says so: what was made of the cohort before is known to be
of the same data but for the patients who are gone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from core.results.files import read_json, write_json
from core.results.run import Run
from core.results.workspace import Workspace

FILE = "erasures.json"
FLAG = "who withdrew consent after the training"
"""What the warning of a run says, whatever the number."""


@dataclass(frozen=True)
class ErasedFrom:
    """A cohort with its content hash before and after; ``after`` is empty where nobody was left in it."""

    cohort: str
    before: str
    after: str


@dataclass(frozen=True)
class Erasure:
    """One erasure. ``at`` UTC · ``runs`` that were trained with the patient."""

    id: str
    at: str
    cohorts: tuple[ErasedFrom, ...]
    runs: tuple[str, ...]


def load_erasures(workspace: Workspace) -> tuple[Erasure, ...]:
    """Every erasure, the oldest first."""
    path = _path(workspace)
    if not path.is_file():
        return ()
    return tuple(
        Erasure(v["id"], v["at"], tuple(ErasedFrom(**c) for c in v["cohorts"]), tuple(v["runs"]))
        for v in read_json(path)
    )


def keep_erasure(found: Erasure, workspace: Workspace) -> None:
    """Add an erasure; one of the same id is replaced."""
    others = [e for e in load_erasures(workspace) if e.id != found.id]
    write_json(_path(workspace), [asdict(e) for e in (*others, found)])


def only_erased_since(before: str, now: str, cohort: str, workspace: Workspace) -> bool:
    """Whether a cohort's content went from ``before`` to ``now`` by recorded erasures alone."""
    content = before
    for erasure in load_erasures(workspace):
        step = next((c for c in erasure.cohorts if c.cohort == cohort and c.before == content), None)
        content = step.after if step is not None else content
    return content == now


def flagged(run: Run, day: str) -> Run:
    """The run with the warning that one more of its patients was erased."""
    kept = [w for w in run.warnings if FLAG not in w]
    before = next((int(w.split()[0]) for w in run.warnings if FLAG in w), 0)
    number = before + 1
    words = (
        f"{number} patient{'s' if number > 1 else ''} {FLAG} (the last on {day}) {'are' if number > 1 else 'is'} no "
        "longer among its predictions; the models still carry what they learned from them and the metrics count them: "
        "train it again without them"
    )
    return replace(run, warnings=(words, *kept))


def erased_patients(run: Run) -> int:
    """How many of the run's patients were erased since."""
    return next((int(w.split()[0]) for w in run.warnings if FLAG in w), 0)


def _path(workspace: Workspace) -> Path:
    return workspace.root / FILE
