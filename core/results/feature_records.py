"""What is encoded of a cohort: which encoder made the features of which patient, and who was skipped and why.

The features themselves lie beside the record, one file a patient and modality, named by what they were made from; the
same file serves every cohort that holds the same medium.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.results.files import read_json, write_json
from core.results.workspace import Workspace, checked_name


@dataclass(frozen=True)
class EncodedModality:
    """One modality of one cohort.

    ``encoder``, ``version`` and ``settings`` say how · ``width`` numbers a row · ``columns`` their names, where the
    encoder gives names · ``keys`` patient → name of the stored features · ``skipped`` and ``warnings`` pairs of
    pseudonym and words without a path.
    """

    encoder: str
    version: int
    settings: Mapping[str, Any]
    width: int
    columns: tuple[str, ...]
    keys: Mapping[str, str]
    skipped: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()

    @property
    def how(self) -> dict[str, Any]:
        """What a run keeps, so that new patients are encoded the same way."""
        return {
            "name": self.encoder,
            "version": self.version,
            "settings": dict(self.settings),
            "width": self.width,
        }


@dataclass(frozen=True)
class FeatureRecord:
    """Everything encoded of a cohort, by modality."""

    cohort: str
    modalities: Mapping[str, EncodedModality] = field(default_factory=dict)


def _path(cohort: str, workspace: Workspace) -> Path:
    return workspace.features / f"{checked_name(cohort, 'cohort name')}.json"


def load_record(cohort: str, workspace: Workspace) -> FeatureRecord:
    """The record of a cohort; an empty one when nothing of it is encoded."""
    path = _path(cohort, workspace)
    if not path.is_file():
        return FeatureRecord(cohort)
    stored = read_json(path)
    return FeatureRecord(stored["cohort"], {m: _restored(v) for m, v in stored["modalities"].items()})


def _restored(value: Mapping[str, Any]) -> EncodedModality:
    pairs = {name: tuple((str(p), str(w)) for p, w in value[name]) for name in ("skipped", "warnings")}
    return EncodedModality(**{**value, **pairs, "columns": tuple(value["columns"])})


def save_record(record: FeatureRecord, workspace: Workspace) -> None:
    """Write the record; one of the same cohort is replaced."""
    write_json(_path(record.cohort, workspace), asdict(record))


def forget_record(cohort: str, workspace: Workspace) -> None:
    """Remove a cohort's record alone: its media are others now. The features serve those that stayed the same."""
    _path(cohort, workspace).unlink(missing_ok=True)


def forget_features(cohort: str, workspace: Workspace) -> None:
    """Remove a cohort's record and every stored feature file that no other cohort uses."""
    forget_record(cohort, workspace)
    used: set[str] = set()
    for path in workspace.features.glob("*.json"):
        used |= {key for m in read_json(path)["modalities"].values() for key in m["keys"].values()}
    for path in workspace.features.glob("*.safetensors"):
        if path.stem not in used:
            path.unlink()
