"""Sentences → vectors from a frozen transformer (BioBERT, PubMedBERT …) in a local folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core.arrays import Float32Array
from core.errors import PrognoscopeError
from core.features.model_files import digest_of

POOLINGS = ("mean", "cls")
_BATCH = 32
_LONGEST = 256


@dataclass(frozen=True)
class TextModel:
    """A model and how its last layer becomes one vector a text.

    ``source`` is a folder as ``save_pretrained`` writes it, or the id of a model on the Hugging Face hub; an id is
    looked up on this machine alone unless ``download`` allows more. Code that comes with a model is never run.
    """

    source: str
    pooling: str = "mean"
    download: bool = False

    def vectors(self, texts: tuple[str, ...]) -> Float32Array:
        """(n, width) vectors; the first 256 tokens of each text. One thread, so that nothing else decides them."""
        import torch

        tokenizer, model = load_pretrained(self.source, "AutoModel", self.download)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        rows = []
        try:
            with torch.inference_mode():
                for start in range(0, len(texts), _BATCH):
                    part = list(texts[start : start + _BATCH])
                    tokens = tokenizer(
                        part, return_tensors="pt", padding=True, truncation=True, max_length=_limit(tokenizer, model)
                    )
                    rows.append(_pooled(model(**tokens).last_hidden_state, tokens["attention_mask"], self.pooling))
        finally:
            torch.set_num_threads(threads)
        return np.concatenate(rows).astype(np.float32)


def _limit(tokenizer: Any, model: Any) -> int:
    return int(min(_LONGEST, tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", _LONGEST)))


def _pooled(hidden: Any, mask: Any, pooling: str) -> Any:
    """(n, width): the first token, or the mean over the tokens that are no padding."""
    if pooling == "cls":
        return hidden[:, 0].float().numpy()
    weight = mask[..., None].to(hidden.dtype)
    return ((hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)).float().numpy()


def model_digest(source: str, download: bool) -> str:
    """What identifies a model: the contents of its folder, or its id on the hub."""
    if Path(source).is_dir():
        return digest_of(source)
    if not download and Path(source).is_absolute():
        raise PrognoscopeError("no such folder", "the language model", "name a folder that is here")
    return f"hub:{source}"


@cache
def load_pretrained(source: str, kind: str, download: bool) -> tuple[Any, Any]:
    """Tokenizer and model, once a process; ``kind`` is the class of ``transformers`` to read it with.

    Raises
    ------
    PrognoscopeError
        When it is not on this machine and may not be downloaded, or cannot be read.
    """
    import transformers

    only_here = not download or Path(source).is_dir()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source, local_files_only=only_here, trust_remote_code=False
        )
        model = getattr(transformers, kind).from_pretrained(source, local_files_only=only_here, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise PrognoscopeError(
            "a language model that is not on this machine, or not one transformers can read",
            "the text encoder",
            "name a folder written by save_pretrained, or a hub id together with the switch that allows a download",
        ) from error
    return tokenizer, model.eval()
