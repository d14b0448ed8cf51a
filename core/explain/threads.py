"""How many threads an explanation may take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch meanwhile.

    The batches of an explanation are small: a second thread saves little on a quiet machine, and on a busy one two
    threads that wait for each other take tens of times as long as one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
