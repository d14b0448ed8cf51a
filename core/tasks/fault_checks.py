"""Everything a workspace says it holds, read as the application reads it, and compared with what an uninterrupted run
stored. Whatever is read is whole and equal, or it is not there: anything else is a fault."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.board.bundle import load_frozen
from core.cohort.media_index import load_media
from core.cohort.storage import load_cohort, load_original_ids
from core.errors import PrognoscopeError
from core.features.store import FeatureStore
from core.results.board_store import list_boards
from core.results.explained import Kind, has_explanation
from core.results.explanation import load_explanation
from core.results.feature_records import load_record
from core.results.files import sha256_of
from core.results.image_means import NAMED, load_image_means
from core.results.run_store import list_runs, load_predictions, load_run
from core.results.workspace import Workspace
from core.tasks.fault_acts import REPORT
from core.tasks.fault_study import NAME
from core.training.state_files import read_state

EXCLUDED: Mapping[str, tuple[str, ...]] = {
    "cohort": ("provenance.imported_at",),
    "run": ("id", "created_at", "seconds", "the warning that it was taken up again"),
    "explanation": ("run", "seconds"),
}
"""What may differ between a run that was interrupted and one that was not: names and moments, no number of a result."""
_RESUMED = "interrupted and taken up again"

State = Mapping[str, str]
"""What was read → a hash of its contents; what is not there is not in it."""


def read_all(workspace: Workspace) -> dict[str, str]:
    """Read everything. Something that is there and cannot be read has ``"refused: …"`` in place of its hash."""
    found: dict[str, str] = {}
    for reader in (_cohort, _features, _runs, _explanations, _report, _boards):
        _read(reader.__name__.strip("_"), lambda r=reader: found.update(r(workspace)), found)  # type: ignore[misc]
    return found


def faults(now: State, *whole: State) -> tuple[str, ...]:
    """What ``now`` holds that none of the ``whole`` states held, in words."""
    return tuple(
        f"{name}: {said if said.startswith('refused') else 'read as good, and different'}"
        for name, said in sorted(now.items())
        if all(state.get(name) != said for state in whole)
    )


def differences(now: State, whole: State) -> tuple[str, ...]:
    """Names of what is missing, added or different in ``now``."""
    return tuple(sorted(n for n in {*now, *whole} if now.get(n) != whole.get(n)))


def _read(name: str, read: Callable[[], None], found: dict[str, str]) -> None:
    try:
        read()
    except PrognoscopeError as error:
        found[name] = f"refused: {error}"


def _cohort(workspace: Workspace) -> dict[str, str]:
    """The cohort with what belongs to it: nobody asks for ids or media of a cohort that is not there."""
    if NAME not in workspace.names(workspace.cohorts):
        return {}
    cohort = load_cohort(NAME, workspace)
    facts = {**asdict(cohort.provenance), "imported_at": "", "warnings": cohort.warnings, "title": cohort.title}
    media = sorted((f.patient, f.kind, f.label, sha256_of(Path(f.path))) for f in _there(workspace))
    return {
        "cohort": _hash(facts, cohort.content_hash),
        "ids": _hash(load_original_ids(NAME, workspace)),
        "media": _hash(media),
    }


def _there(workspace: Workspace) -> list[Any]:
    files = list(load_media(NAME, workspace).files)
    if not all(Path(f.path).is_file() for f in files):
        raise PrognoscopeError("media that are not there", "the index of media", "import again")
    return files


def _features(workspace: Workspace) -> dict[str, str]:
    """The record and all it names; and every feature file, since one that is there is taken for made."""
    found, store = {}, FeatureStore(workspace)
    for path in sorted(workspace.features.glob("*.safetensors")):
        encoded = store.read(path.stem)
        found[f"features {path.stem[:12]}"] = _hash(encoded.features, encoded.coordinates, encoded.sources)
    for modality, made in load_record(NAME, workspace).modalities.items():
        missing = [key for key in made.keys.values() if not store.holds(key)]
        if missing:
            raise PrognoscopeError("features that are recorded and not there", modality, "encode again")
        found[f"record {modality}"] = _hash(asdict(made))
        means = load_image_means(NAME, modality, made, workspace) if modality in NAMED else None
        if means is not None:
            found[f"means {modality}"] = _hash(means.ids, means.names, means.values)
    return found


def _runs(workspace: Workspace) -> dict[str, str]:
    found = {}
    for number, listed in enumerate(list_runs(workspace)):
        run, predictions = load_run(listed.id, workspace), load_predictions(listed.id, workspace)
        facts = {k: v for k, v in run.as_json().items() if k not in EXCLUDED["run"]}
        facts["warnings"] = [w for w in run.warnings if not w.startswith(_RESUMED)]
        states = {
            path.name: _hash(state.settings, *(v for _, v in sorted(state.arrays.items())))
            for path in sorted((workspace.run(run.id) / "checkpoints").glob("fold*.safetensors"))
            for state in [read_state(path)]
        }
        table = predictions.table.to_json(double_precision=15)
        found[f"run {number}"] = _hash(facts, states)
        found[f"predictions {number}"] = _hash(table, predictions.times, predictions.survival)
    return found


def _explanations(workspace: Workspace) -> dict[str, str]:
    found = {}
    for board in list_boards(workspace, NAME):
        for number, patient in enumerate(board.patients):
            if not has_explanation(Kind.VALUES, board.run, patient, board.month, workspace):
                continue
            one = load_explanation(board.run, patient, board.month, workspace)
            facts = {k: v for k, v in vars(one).items() if k not in ("features", *EXCLUDED["explanation"])}
            found[f"explanation {number}"] = _hash(facts, one.features.to_json(double_precision=15))
    return found


def _report(workspace: Workspace) -> dict[str, str]:
    path = workspace.root / REPORT
    return {"report": sha256_of(path)} if path.is_file() else {}


def _boards(workspace: Workspace) -> dict[str, str]:
    frozen = {b.id: load_frozen(b.id, workspace) for b in list_boards(workspace, NAME)}
    return {f"frozen {board}": _hash(f.patients, f.pages, f.sha256) for board, f in frozen.items() if f is not None}


def _hash(*parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:24]
