"""Patient after patient through an encoder, in processes of one thread.

A file that crashes its reader costs one patient.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from core.cohort.media_index import MediaFile
from core.errors import PrognoscopeError
from core.features.encoders import make_encoder
from core.features.store import FeatureStore
from core.results.workspace import Workspace


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
    if processes <= 1 or len(work) < 2:
        for item in work:
            yield encode_patient(item, workspace)
        return
    waiting = {item.patient: item for item in work}
    try:
        for done in _pooled(work, workspace, min(processes, len(work))):
            del waiting[done.patient]
            yield done
    except BrokenProcessPool:
        # a reader that crashed took the pool with it: the rest one by one, each in a process of its own
        for item in list(waiting.values()):
            try:
                yield from _pooled([item], workspace, 1)
            except BrokenProcessPool:
                yield PatientDone(item.patient, "a file that makes its reader crash")


def _pooled(work: list[PatientWork], workspace: Workspace, processes: int) -> Iterator[PatientDone]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        futures = [pool.submit(encode_patient, item, workspace) for item in work]
        for future in as_completed(futures):
            yield future.result()


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
