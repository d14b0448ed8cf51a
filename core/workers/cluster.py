"""A Ray cluster as the place where work is done. The library is optional (``requirements-cluster.txt``).

Nodes see the same folders under the same paths: the project, its Python environment, the workspace with its inputs and
finished artefacts. Queue and logs stay on the machine that submits.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import PrognoscopeError

ROOT = Path(__file__).resolve().parents[2]
RETRIES = 3
"""How often work is given to another worker after its own was lost."""
VARIABLE = "PROGNOSCOPE_CLUSTER"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Cluster:
    """A connected cluster: ``address`` as given, ``ray`` the library."""

    address: str
    ray: Any

    def unordered(
        self, function: Callable[..., Any], common: Any, items: Sequence[Any], lost: Callable[[Any], Any]
    ) -> Iterator[tuple[Any, Any]]:
        """Every item's result as it is finished; one CPU each. A lost worker's item goes to another, at most
        :data:`RETRIES` times."""
        ray = self.ray
        shared = ray.put(common)
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_call)
        waiting = {task.remote(function, shared, item): item for item in items}
        while waiting:
            done, _ = ray.wait(list(waiting), num_returns=1)
            item = waiting.pop(done[0])
            try:
                yield item, ray.get(done[0])
            except ray.exceptions.RayTaskError as failed:
                raise failed.cause from None
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError):
                yield item, lost(item)


def _call(function: Callable[..., Any], common: Any, item: Any) -> Any:
    from core.workers.pool import one_thread

    one_thread()
    return function(common, item)


_current: ContextVar[Cluster | None] = ContextVar("cluster", default=None)


def current_cluster() -> Cluster | None:
    """The cluster that work is sent to, or None for this machine."""
    return _current.get()


@contextmanager
def on_cluster(address: str) -> Iterator[None]:
    """Send the block's work to the Ray cluster at ``address`` (``host:port``); nothing happens for an empty one.

    Raises
    ------
    PrognoscopeError
        When Ray is not installed or nobody answers at the address.
    """
    if not address:
        yield
        return
    ray = _connected(address)
    token = _current.set(Cluster(address, ray))
    try:
        yield
    finally:
        _current.reset(token)
        ray.shutdown()


def named_cluster() -> str:
    """The address that ``$PROGNOSCOPE_CLUSTER`` gives to everything this machine starts; empty for none."""
    return os.environ.get(VARIABLE, "")


def _connected(address: str) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    _asked(address)
    try:
        import ray
    except ImportError as error:
        raise PrognoscopeError(
            "no Ray in this environment", "--cluster", "install requirements-cluster.txt on every node"
        ) from error
    try:
        ray.init(
            address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
            runtime_env={"env_vars": {**ONE_THREAD, "PYTHONPATH": str(ROOT)}},
        )  # fmt: skip
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _nobody(address) from error
    return ray


def _asked(address: str) -> None:
    """Knock first: Ray itself waits for minutes at a door nobody opens."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise PrognoscopeError(f"the address {address!r}", "--cluster", "give HOST:PORT of the cluster's head")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise _nobody(address) from error


def _nobody(address: str) -> PrognoscopeError:
    return PrognoscopeError(
        "nobody who answers", f"--cluster {address}", "start it: `ray start --head --port 6379` on one machine"
    )
