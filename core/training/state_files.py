"""Fitted models on disk: safetensors for arrays, JSON inside its header for settings. Nothing executes on load."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import PrognoscopeError
from core.models.estimator import State


def write_state(state: State, path: Path) -> None:
    """Write one fitted model as one file, under a temporary name first: a reader sees all of it or nothing."""
    # not ascontiguousarray: that would turn a scalar (an optimizer's step) into a vector of one
    arrays = {k: np.asarray(v, order="C") for k, v in state.arrays.items()}
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        save_file(arrays or {"empty": np.zeros(1)}, temporary, metadata={"settings": json.dumps(dict(state.settings))})
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_state(path: Path) -> State:
    """Read a fitted model; raises :class:`PrognoscopeError` when the file is not one of ours."""
    try:
        with safe_open(path, framework="numpy") as stream:
            metadata = stream.metadata() or {}
            arrays = {k: stream.get_tensor(k) for k in stream.keys() if k != "empty"}  # noqa: SIM118
        settings = json.loads(metadata.get("settings", "null"))
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise PrognoscopeError("an unreadable checkpoint", path.name, "train the run again") from error
    if not isinstance(settings, dict):
        raise PrognoscopeError("a checkpoint without settings", path.name, "train the run again")
    return State(settings, arrays)
