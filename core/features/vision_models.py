"""Vision models of ``transformers``: found in a folder or on the hub, known by their contents, run on patches."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core.arrays import Float32Array
from core.errors import PrognoscopeError
from core.features.model_files import digest_of
from core.media.slides import RGB

POOLINGS = ("auto", "class", "mean", "class+mean")
_COUNTING = ("config.json", "preprocessor_config.json", "*.safetensors", "pytorch_model*.bin")
"""The files of a model that decide what it computes."""
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class ModelFiles:
    """``folder`` on this machine · ``revision`` commit on the hub, or "" · ``digest`` SHA-256 of what counts in it."""

    folder: Path
    revision: str
    digest: str


def find_model(source: str, revision: str, download: bool, weights: str = "*.safetensors") -> ModelFiles:
    """The files of a model.

    Parameters
    ----------
    source : str
        A folder as ``save_pretrained`` writes it, or the id of a model on the Hugging Face hub. An id is looked up on
        this machine alone, unless ``download`` allows the network.
    weights : str
        Pattern of the files of weights to ask the hub for.

    Raises
    ------
    PrognoscopeError
        When it is not here, with how to bring it here without a network.
    """
    if Path(source).is_dir():
        return _files(Path(source), "")
    if Path(source).is_absolute() or source.count("/") != 1:
        raise PrognoscopeError(
            f"no folder of a model called {Path(source).name!r}", "the slide encoder",
            "name a folder written by save_pretrained, or the id of a model on the hub (OWNER/NAME)",
        )  # fmt: skip
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            source, revision=revision or None, local_files_only=not download, allow_patterns=[*_COUNTING[:2], weights]
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise PrognoscopeError(
            f"{source!r} is not on this machine" + (" and could not be downloaded" if download else ""),
            "the slide encoder",
            f"where there is a network: hf download {source} --local-dir FOLDER; bring the folder here and add "
            "--encoder-set source=FOLDER" + ("" if download else " (or, with a network here, download=true)"),
        ) from error
    return _files(Path(folder), Path(folder).name)


def _files(folder: Path, revision: str) -> ModelFiles:
    weights = [p for pattern in _COUNTING[2:] for p in folder.glob(pattern)]
    if not (folder / "config.json").is_file() or not weights:
        raise PrognoscopeError(
            "a folder without a config.json or without weights", f"the model {folder.name!r}",
            "name a folder written by save_pretrained",
        )  # fmt: skip
    return ModelFiles(folder, revision, digest_of(folder, _COUNTING))


@dataclass(frozen=True, eq=False)
class VisionModel:
    """A loaded model on its device; ``warnings`` what a reader of its features should know."""

    network: Any
    device: str
    precision: str
    mean: Any
    spread: Any
    image_size: int | None
    token_px: int | None
    warnings: tuple[str, ...]

    def features(self, patches: RGB, pooling: str) -> Float32Array:
        """(n, width) of (n, side, side, 3) uint8 patches.

        Raises
        ------
        PrognoscopeError
            When the model does not take patches of this size, or memory does not hold so many.
        """
        import torch

        numeric = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
        with torch.inference_mode(), torch.autocast(self.device, dtype=numeric, enabled=numeric != torch.float32):
            pixels = torch.from_numpy(patches).to(self.device).permute(0, 3, 1, 2).float() / 255
            pixels = (pixels - self.mean) / self.spread
            try:
                hidden = self._hidden(pixels, patches.shape[1])
            except torch.OutOfMemoryError as error:
                raise PrognoscopeError(
                    "too little memory on the GPU", "the slide encoder", "encode fewer patches at once (batch=8)"
                ) from error
            except (ValueError, RuntimeError) as error:
                raise PrognoscopeError(
                    f"patches of {patches.shape[1]} px, which the model does not take", "the slide encoder",
                    f"use patch={self.image_size or 224}",
                ) from error  # fmt: skip
            rows = pooled(hidden, pooling, self._tokens(patches.shape[1]))
            return np.asarray(rows.float().cpu().numpy())

    def _hidden(self, pixels: Any, side: int) -> Any:
        extra: dict[str, Any] = {}
        takes = inspect.signature(self.network.forward).parameters
        if "interpolate_pos_encoding" in takes and self.image_size not in (None, side):
            extra["interpolate_pos_encoding"] = True
        given = (
            self.network(pixels, **extra) if "pixel_values" not in takes else self.network(pixel_values=pixels, **extra)
        )
        return given if not hasattr(given, "last_hidden_state") else given.last_hidden_state

    def _tokens(self, side: int) -> int | None:
        return None if self.token_px is None else (side // self.token_px) ** 2


def pooled(hidden: Any, pooling: str, tokens: int | None) -> Any:
    """(n, width) of a model's last layer.

    Parameters
    ----------
    hidden : (n, c, h, w) of a convolutional model, (n, t, c) tokens, or (n, c) already pooled
    pooling : str
        ``class`` the class token · ``mean`` of the tokens that are places · ``class+mean`` both, side by side ·
        ``auto`` the class token where there is one, else the mean.
    tokens : int or None
        How many places the patch has; they are the last so many tokens, after class and register tokens.
    """
    import torch

    if hidden.ndim == 2:
        return hidden
    if hidden.ndim == 4:
        if pooling.startswith("class"):
            raise PrognoscopeError("a model without a class token", "the slide encoder", "use pooling=mean")
        return hidden.mean(dim=(2, 3))
    places = hidden.shape[1] if tokens is None else min(tokens, hidden.shape[1])
    has_class = hidden.shape[1] > places
    if pooling.startswith("class") and not has_class:
        raise PrognoscopeError("a model without a class token", "the slide encoder", "use pooling=mean")
    mean = hidden[:, hidden.shape[1] - places :].mean(dim=1)
    if pooling == "mean" or not has_class:
        return mean
    return torch.cat([hidden[:, 0], mean], dim=1) if pooling == "class+mean" else hidden[:, 0]


def chosen_device(device: str) -> str:
    """``auto``: the GPU where there is one."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise PrognoscopeError("no GPU that PyTorch can use", "the slide encoder", "use device=cpu")
    return device


def chosen_precision(precision: str, device: str) -> str:
    """``auto``: bfloat16 on a GPU that computes with it, else float32."""
    import torch

    if precision != "auto":
        return precision
    return "bfloat16" if chosen_device(device) == "cuda" and torch.cuda.is_bf16_supported() else "float32"


@cache
def load_vision(folder: str, digest: str, device: str, precision: str) -> VisionModel:
    """A model of ``transformers``, once a process. Code that comes with a model is never run.

    Raises
    ------
    PrognoscopeError
        When it cannot be read, looks at no images, or lacks weights: features of random numbers would look like any.
    """
    import transformers

    try:
        network, said = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise PrognoscopeError(
            "a model that transformers cannot read", f"the model {Path(folder).name!r}",
            "name a folder written by save_pretrained",
        ) from error  # fmt: skip
    lost = sorted(k for k in said["missing_keys"] if "pooler" not in k)
    if lost:
        raise PrognoscopeError(
            f"a model that lacks {len(lost)} of its weights (first: {lost[0]})", f"the model {Path(folder).name!r}",
            "save it again whole",
        )  # fmt: skip
    network = getattr(network, "vision_model", network)
    if network.main_input_name != "pixel_values":
        raise PrognoscopeError(
            "a model that looks at no images", f"the model {Path(folder).name!r}", "name a vision model"
        )
    return on_device(network, Path(folder), device, precision, vars(network.config))


def on_device(network: Any, folder: Path, device: str, precision: str, config: Mapping[str, Any]) -> VisionModel:
    """The network ready to run, with the normalisation that its folder states."""
    import torch

    *normal, warnings = _normalisation(folder)
    place = chosen_device(device)
    mean, spread = (torch.tensor(v, device=place).reshape(1, 3, 1, 1) for v in normal)
    size, token = (v if isinstance(v, int) else None for v in (config.get("image_size"), config.get("patch_size")))
    return VisionModel(network.eval().to(place), place, precision, mean, spread, size, token, warnings)


def _normalisation(folder: Path) -> tuple[Any, Any, tuple[str, ...]]:
    path = folder / "preprocessor_config.json"
    said = ("colours are normalised as ImageNet's: the model states nothing",)
    if not path.is_file():
        return *_IMAGENET, said
    stated = json.loads(path.read_text(encoding="utf-8"))
    if not stated.get("do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), ()
    mean, spread = stated.get("image_mean"), stated.get("image_std")
    if not (isinstance(mean, list) and isinstance(spread, list) and len(mean) == len(spread) == 3 and np.all(spread)):
        return *_IMAGENET, said
    return tuple(mean), tuple(spread), ()
