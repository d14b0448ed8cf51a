"""A training stopped between two epochs, on disk: weights, optimizer and epoch, as safetensors.

Every epoch reseeds its own generators (:class:`~core.training.fit.Fitter`), so nothing random has to be kept: a
training that goes on from a checkpoint equals one that was never interrupted, bit for bit on one machine.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import PrognoscopeError
from core.models.estimator import State
from core.training.fit import Fitter
from core.training.state_files import read_state, write_state


def save_checkpoint(fitter: Fitter, path: Path) -> None:
    """Store everything ``fitter`` needs to go on; the file appears whole or not at all."""
    arrays = {f"model.{k}": v.detach().cpu().numpy() for k, v in fitter.model.state_dict().items()}
    for number, moments in fitter.optimizer.state_dict()["state"].items():
        arrays |= {f"optimizer.{number}.{k}": v.detach().cpu().numpy() for k, v in moments.items()}
    write_state(State({**_training(fitter), "epoch": fitter.epoch}, arrays), path)


def load_checkpoint(fitter: Fitter, path: Path) -> None:
    """Put a freshly made ``fitter`` where the stored one stopped.

    Raises
    ------
    PrognoscopeError
        If the file is unreadable, or was written with another seed, other settings, other patients' outcomes or
        another network: to go on with those would be a training nobody asked for.
    """
    stored = read_state(path)
    for name, value in _training(fitter).items():
        if stored.settings.get(name) != value:
            raise PrognoscopeError(
                f"a checkpoint of another training ({name} differs)", path.name, "start the training afresh"
            )
    weights: dict[str, Any] = {}
    moments: dict[int, dict[str, Any]] = {}
    for name, array in stored.arrays.items():
        kind, _, rest = name.partition(".")
        tensor = torch.from_numpy(np.array(array))
        if kind == "model":
            weights[rest] = tensor
        else:
            number, _, key = rest.partition(".")
            moments.setdefault(int(number), {})[key] = tensor
    fitter.model.load_state_dict(weights)
    groups = fitter.optimizer.state_dict()["param_groups"]
    fitter.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    fitter.epoch = int(stored.settings["epoch"])


def _training(fitter: Fitter) -> dict[str, Any]:
    """What two trainings must share for one to go on from the other, as plain JSON values."""
    digest = hashlib.sha256()
    for tensor in fitter.objective.targets():
        digest.update(tensor.cpu().numpy().tobytes())
    network = {k: list(v.shape) for k, v in fitter.model.state_dict().items()}
    return {
        "seed": fitter.seed,
        "config": asdict(fitter.config),
        "outcomes": digest.hexdigest(),
        "network": network,
    }
