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
    """Everything encoded of a cohort, by modality; ``earlier`` what was encoded in other ways before, newest first,
    so that a run trained on it can still be read."""

    cohort: str
    modalities: Mapping[str, EncodedModality] = field(default_factory=dict)
    earlier: Mapping[str, tuple[EncodedModality, ...]] = field(default_factory=dict)

    def with_modality(self, modality: str, encoded: EncodedModality) -> FeatureRecord:
        """The record with ``encoded`` as the modality's present form; the form it had is kept among the earlier."""
        before = (
            *((self.modalities[modality],) if modality in self.modalities else ()),
            *self.earlier.get(modality, ()),
        )
        kept = tuple(e for e in before if e.how != encoded.how)
        return FeatureRecord(self.cohort, {**self.modalities, modality: encoded}, {**self.earlier, modality: kept})

    def encoded_as(self, encoders: Mapping[str, Mapping[str, Any]]) -> FeatureRecord:
        """The record with each modality in the form ``encoders`` (modality → :attr:`EncodedModality.how`) names, where
        it was ever encoded so; the others stay as they are."""
        chosen = dict(self.modalities)
        for modality, how in encoders.items():
            forms = (*((chosen[modality],) if modality in chosen else ()), *self.earlier.get(modality, ()))
            fitting = [form for form in forms if form.how == dict(how)]
            if fitting:
                chosen[modality] = fitting[0]
        return FeatureRecord(self.cohort, chosen, self.earlier)


def _path(cohort: str, workspace: Workspace) -> Path:
    return workspace.features / f"{checked_name(cohort, 'cohort name')}.json"


def load_record(cohort: str, workspace: Workspace) -> FeatureRecord:
    """The record of a cohort; an empty one when nothing of it is encoded."""
    path = _path(cohort, workspace)
    if not path.is_file():
        return FeatureRecord(cohort)
    stored = read_json(path)
    return FeatureRecord(
        stored["cohort"],
        {m: _restored(v) for m, v in stored["modalities"].items()},
        {m: tuple(_restored(v) for v in forms) for m, forms in stored.get("earlier", {}).items()},
    )


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
    used = used_keys(workspace)
    for path in workspace.features.glob("*.safetensors"):
        if path.stem not in used:
            path.unlink()


def used_keys(workspace: Workspace) -> set[str]:
    """Names of the stored features that some cohort's record refers to."""
    used: set[str] = set()
    for path in workspace.features.glob("*.json"):
        stored = read_json(path)
        forms = [
            *stored["modalities"].values(),
            *(f for earlier in stored.get("earlier", {}).values() for f in earlier),
        ]
        used |= {key for form in forms for key in form["keys"].values()}
    return used
