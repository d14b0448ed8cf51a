"""The application on a free port, for benches that ask it something: its address, and its process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks.provenance import ROOT

PATIENCE_S = 120.0


@contextmanager
def served(workspace: Workspace) -> Iterator[tuple[str, int]]:
    """Start it as ``./run app`` does, wait for its health check, and end it with the block.

    Raises
    ------
    PrognoscopeError
        When it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(Path(ROOT) / "app.py"), "--server.port", str(port)]
    environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _await(f"{address}/_stcore/health", server)
            yield address, server.pid
        finally:
            server.terminate()


def _await(address: str, server: subprocess.Popen[bytes]) -> None:
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # our own server, whatever proxy is named
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with directly.open(address, timeout=2):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise PrognoscopeError("an application that does not start", "the bench", "./run app says why")
