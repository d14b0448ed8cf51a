"""Work that test workers find by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from core.errors import PrognoscopeError


def square(add: int, item: int) -> int:
    return item * item + add


def where(_: None, seconds: float) -> str:
    """The node that does this."""
    import ray

    time.sleep(seconds)
    return str(ray.get_runtime_context().get_node_id())


def dies_once(folder: Path, item: int) -> int:
    """Kills its worker the first time, as a machine that is switched off would."""
    mark = folder / str(item)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def dies(folder: Path, item: int) -> int:
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def refuses(_: None, item: int) -> int:
    raise PrognoscopeError(f"item {item}", "the test", "nothing")


def threads(_: None, item: int) -> tuple[int, float]:
    """Threads of torch, and a sum whose last bits depend on them."""
    import torch

    values = torch.from_numpy(np.random.default_rng(item).normal(size=(300, 300)).astype(np.float32))
    return torch.get_num_threads(), float((values @ values).sum())
