"""Patient after patient through an encoder, in processes of one thread.

A file that crashes its reader costs one patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.cohort.media_index import MediaFile
from core.errors import PrognoscopeError
from core.features.encoders import make_encoder
from core.features.store import FeatureStore
from core.results.workspace import Workspace
from core.workers.pool import unordered


@dataclass(frozen=True)
class PatientWork:
    """One patient and modality to encode."""

    patient: str
    key: str
    encoder: str
    settings: Mapping[str, Any]
    files: tuple[MediaFile, ...]


@dataclass(frozen=True)
class PatientDone:
    """Its end: what went wrong, or empty."""

    patient: str
    reason: str = ""


def encode_patients(work: list[PatientWork], workspace: Workspace, processes: int) -> Iterator[PatientDone]:
    """Every patient's end, as it comes. One thread a process: the numbers do not depend on how many there are."""
    for _, done in unordered(_encode, workspace, work, processes if len(work) > 1 else 1, _crashed):
        yield done


def _encode(workspace: Workspace, item: PatientWork) -> PatientDone:
    return encode_patient(item, workspace)


def _crashed(item: PatientWork) -> PatientDone:
    return PatientDone(item.patient, "a file that makes its reader crash")


def encode_patient(item: PatientWork, workspace: Workspace) -> PatientDone:
    """Encode and store one patient; the reason, without a path, when it cannot be done."""
    try:
        encoded = make_encoder(item.encoder, item.settings).encode(item.files)
    except PrognoscopeError as error:
        return PatientDone(item.patient, error.found)
    except (OSError, ValueError, LookupError, ArithmeticError, EOFError, MemoryError, RuntimeError) as error:
        # what a damaged file can still raise inside a reader; its message may hold a path, its kind does not
        return PatientDone(item.patient, f"an unexpected {type(error).__name__} while reading")
    FeatureStore(workspace).write(item.key, encoded)
    return PatientDone(item.patient)
