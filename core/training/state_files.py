"""Fitted models on disk: safetensors for arrays, JSON inside its header for settings. Nothing executes on load."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import PrognoscopeError
from core.models.estimator import State


def write_state(state: State, path: Path) -> None:
    """Write one fitted model as one file."""
    arrays = {k: np.ascontiguousarray(v) for k, v in state.arrays.items()}
    save_file(arrays or {"empty": np.zeros(1)}, path, metadata={"settings": json.dumps(dict(state.settings))})


def read_state(path: Path) -> State:
    """Read a fitted model; raises :class:`PrognoscopeError` when the file is not one of ours."""
    try:
        with safe_open(path, framework="numpy") as stream:
            metadata = stream.metadata() or {}
            arrays = {k: stream.get_tensor(k) for k in stream.keys() if k != "empty"}  # noqa: SIM118
    except (SafetensorError, FileNotFoundError) as error:
        raise PrognoscopeError("an unreadable checkpoint", path.name, "train the run again") from error
    if "settings" not in metadata:
        raise PrognoscopeError("a checkpoint without settings", path.name, "train the run again")
    return State(json.loads(metadata["settings"]), arrays)
