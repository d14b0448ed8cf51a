"""Encoded features on disk, named by what they were made from and checked when they are read.

A key is a SHA-256 over the contents of the files, the encoder's name and version, and those of its settings that
decide the features: the same medium is encoded once, whatever cohort or file name it comes under.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import PrognoscopeError
from core.features.encoders import Encoded, Encoder, defining_settings
from core.results.workspace import Workspace

_FIX = "remove it and encode the cohort again"


class FeatureStore:
    """The feature files of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.folder = workspace.features

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"

    def holds(self, key: str) -> bool:
        """Whether these features are there and whole; a damaged file counts as absent."""
        if not self.path(key).is_file():
            return False
        try:
            self.read(key)
        except PrognoscopeError:
            return False
        return True

    def write(self, key: str, encoded: Encoded) -> None:
        """Keep features under a temporary name first: a reader sees all of them or nothing."""
        arrays: dict[str, NDArray[Any]] = {"features": np.ascontiguousarray(encoded.features, dtype=np.float32)}
        if encoded.coordinates is not None:
            arrays["coordinates"] = np.ascontiguousarray(encoded.coordinates, dtype=np.int64)
        if encoded.sources is not None:
            arrays["sources"] = np.ascontiguousarray(encoded.sources, dtype=np.int64)
        facts = {
            "labels": None if encoded.labels is None else list(encoded.labels),
            "columns": list(encoded.columns),
            "warnings": list(encoded.warnings),
            "facts": dict(encoded.facts),
        }
        text = json.dumps(facts, ensure_ascii=False)
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".{key}.{uuid.uuid4().hex}.tmp"
        try:
            # one entry alone: safetensors writes several in any order, and equal features shall be equal files
            save_file(arrays, temporary, metadata={"record": f"{_digest(arrays, text)} {text}"})
            temporary.replace(self.path(key))
        finally:
            temporary.unlink(missing_ok=True)

    def read(self, key: str) -> Encoded:
        """Stored features; raises when they are missing, half-written or altered."""
        path = self.path(key)
        try:
            with safe_open(path, framework="numpy") as stream:
                metadata = stream.metadata() or {}
                arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise PrognoscopeError("features that are missing or unreadable", path.name, _FIX) from error
        digest, _, text = metadata.get("record", "").partition(" ")
        if digest != _digest(arrays, text):
            raise PrognoscopeError("features that were altered after they were written", path.name, _FIX)
        facts = json.loads(text)
        return Encoded(
            arrays["features"],
            arrays.get("coordinates"),
            arrays.get("sources"),
            None if facts["labels"] is None else tuple(facts["labels"]),
            tuple(facts["columns"]),
            tuple(facts["warnings"]),
            facts["facts"],
        )


def feature_key(contents: tuple[tuple[str, str, str], ...], encoder: Encoder) -> str:
    """The name of the features that ``encoder`` makes of files with these (kind, label, SHA-256), in this order."""
    defining = [list(map(list, contents)), encoder.name, encoder.version, defining_settings(encoder)]
    return hashlib.sha256(json.dumps(defining, sort_keys=True).encode()).hexdigest()


def _digest(arrays: dict[str, NDArray[Any]], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name}{arrays[name].dtype}{arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()
