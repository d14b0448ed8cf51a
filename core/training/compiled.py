"""A network compiled for its device, or, where nothing can compile it, the network itself and the reason."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

_log = logging.getLogger(__name__)
COMPILERS = ("c++", "g++", "clang++")


@dataclass(frozen=True, eq=False)
class Compiled:
    """``call`` takes what the network's forward takes; ``note`` says why it is not compiled, "" where it is."""

    call: Callable[..., Any]
    note: str = ""


def compiled(network: nn.Module, device: torch.device, static: bool = False, backend: str = "inductor") -> Compiled:
    """Compile lazily, at the first batch of each shape.

    On a GPU the kernels are recorded as CUDA graphs. Random numbers are drawn by torch's own generators, so that a
    compiled training draws the dropout masks, patches and reorganisations of one that is not compiled.

    Parameters
    ----------
    static : bool
        Shapes are few (length buckets): compile each on its own rather than one for all lengths.
    backend : str
        Of ``torch.compile``; another than the default makes no code, which shows in seconds what can be traced.
    """
    lacking = why_not(device)
    if lacking:
        _log.warning("training.compile: %s; the network is run as it is", lacking)
        return Compiled(network, lacking)
    options: dict[str, Any] | None = None
    if backend == "inductor":
        options = {"fallback_random": True} | ({"triton.cudagraphs": True} if device.type == "cuda" else {})
    call = torch.compile(network, dynamic=False if static else None, backend=backend, options=options)
    return Compiled(_marked(call) if device.type == "cuda" else call)


def why_not(device: torch.device) -> str:
    """What is lacking to compile for this device; "" where nothing is."""
    if device.type == "cuda":
        return "" if importlib.util.find_spec("triton") else "Triton is not installed"
    named = os.environ.get("CXX")
    found = any(shutil.which(name) for name in ((named,) if named else COMPILERS))
    return "" if found else "no C++ compiler on this machine"


def _marked(call: Callable[..., Any]) -> Callable[..., Any]:
    """A recorded graph writes its answer where the last step's was: it is told that a new step begins."""

    def step(*args: Any, **more: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return call(*args, **more)

    return step
