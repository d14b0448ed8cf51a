"""Vision models of ``timm``, an extra for machines with a GPU (requirements-gpu.txt)."""

from __future__ import annotations

import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError
from core.features.vision_models import VisionModel, on_device

_UNI = {"img_size": 224, "init_values": 1e-5, "dynamic_img_size": True}
"""As UNI was built; used where its folder does not state it."""


@cache
def load_timm(folder: str, digest: str, device: str, precision: str) -> VisionModel:
    """A model of a hub folder (``config.json`` with ``architecture``, and its weights), once a process.

    Raises
    ------
    PrognoscopeError
        When timm is not here, or the weights do not fit.
    """
    timm = _timm()
    place = Path(folder)
    stated = json.loads((place / "config.json").read_text(encoding="utf-8"))
    arguments = stated.get("model_args") or _UNI
    network = timm.create_model(stated.get("architecture", "vit_large_patch16_224"), num_classes=0, **arguments)
    try:
        network.load_state_dict(_weights(place))
    except RuntimeError as error:
        raise PrognoscopeError(
            "weights that do not fit the architecture", f"the model {place.name!r}", "get the model again"
        ) from error
    model = on_device(network, place, device, precision, {"image_size": arguments.get("img_size", 224)})
    norm = stated.get("pretrained_cfg", {})
    if "mean" in norm and "std" in norm:
        import torch

        mean, spread = (
            torch.tensor(norm[k], dtype=torch.float32, device=model.device).reshape(1, 3, 1, 1) for k in ("mean", "std")
        )
        return VisionModel(network, model.device, precision, mean, spread, model.image_size, None, ())
    return model


def _timm() -> Any:
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:  # torchvision without its GPU build fails at import
        raise PrognoscopeError(
            "the package timm is missing or cannot run here", "encoder 'uni'",
            "install requirements-gpu.txt on a machine with a GPU, or use phikon-v2 or resnet-50",
        ) from error  # fmt: skip


def _weights(folder: Path) -> Any:
    import pickle

    import torch
    from safetensors.torch import load_file

    path = next((p for p in (folder / "model.safetensors", folder / "pytorch_model.bin") if p.is_file()), None)
    if path is None:
        raise PrognoscopeError("no weights", f"the model {folder.name!r}", "get the model again")
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise PrognoscopeError(
            "a file that holds more than tensors", f"the model {folder.name!r}", "get the model again"
        ) from error
