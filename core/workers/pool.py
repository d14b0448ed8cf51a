"""One call for many pieces of work, wherever they are done. A piece has one thread, so that its numbers do not depend
on where, beside what or in which order it is done."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any, TypeVar

from core.errors import PrognoscopeError
from core.workers.cluster import current_cluster

C = TypeVar("C")
T = TypeVar("T")
R = TypeVar("R")


def unordered(
    function: Callable[[C, T], R],
    common: C,
    items: Sequence[T],
    processes: int,
    lost: Callable[[T], R] | None = None,
) -> Iterator[tuple[T, R]]:
    """``function(common, item)`` of every item, as they are finished.

    Parameters
    ----------
    function : a function of a module, so that a worker finds it by name
    common : what all items share; it travels once a worker, not with every item
    items : sequence
    processes : int
        Worker processes on this machine; 1 = here. Without meaning inside :func:`core.workers.cluster.on_cluster`.
    lost : function of an item, optional
        The result of an item that ends its worker again and again (a file that crashes its reader). Without it that is
        a failure.

    Raises
    ------
    PrognoscopeError
        When a worker is lost for good and ``lost`` is not given. What ``function`` raises comes through as it is.
    """
    if not items:
        return
    cluster = current_cluster()
    if cluster is not None:
        yield from cluster.unordered(function, common, items, lost or _unfinished)
    elif processes <= 1:
        with _one_thread_here():
            for item in items:
                yield item, function(common, item)
    else:
        yield from _local(function, common, items, min(processes, len(items)), lost or _unfinished)


def _local(
    function: Callable[..., Any], common: Any, items: Sequence[Any], processes: int, lost: Callable[[Any], Any]
) -> Iterator[tuple[Any, Any]]:
    waiting = dict(enumerate(items))
    try:
        for number, result in _pooled(function, common, dict(waiting), processes):
            yield waiting.pop(number), result
    except BrokenProcessPool:
        # whatever ended a worker took the pool with it: the rest one by one, each in a process of its own
        for number, item in list(waiting.items()):
            try:
                for _, result in _pooled(function, common, {number: item}, 1):
                    yield item, result
            except BrokenProcessPool:
                yield item, lost(item)


def _pooled(
    function: Callable[..., Any], common: Any, items: dict[int, Any], processes: int
) -> Iterator[tuple[int, Any]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start, (function, common)) as pool:
        futures = {pool.submit(_call, item): number for number, item in items.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()


_work: list[tuple[Callable[..., Any], Any]] = []


def _start(function: Callable[..., Any], common: Any) -> None:
    """Keep what all items share in the worker, which ends with whoever started it."""
    _work[:] = [(function, common)]
    one_thread()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _call(item: Any) -> Any:
    function, common = _work[0]
    return function(common, item)


def _end_with(sentinel: int) -> None:
    """A killed parent leaves its workers waiting for ever: they hold each other's ends of the queue."""
    wait([sentinel])
    os._exit(1)


def one_thread() -> None:
    """One thread for this process, of a torch that is loaded and of one that will be."""
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


class _one_thread_here:  # noqa: N801  used as a statement
    """One thread while the block runs; afterwards as many as before."""

    def __enter__(self) -> None:
        torch = sys.modules.get("torch")
        self.before = None if torch is None else torch.get_num_threads()
        if torch is not None:
            torch.set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        if self.before is not None:
            sys.modules["torch"].set_num_threads(self.before)


def _unfinished(item: object) -> Any:
    raise PrognoscopeError(
        "a worker that ended before its work was done", "the pool", "look whether memory ran out, then start again"
    )
