"""Whether this machine has a screen, the commands that open a session, and the program started apart."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from core.desktop.session import desktop_folder
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
READY = b"the windows are open"
_WATCHED_S = 15.0
_PROXY = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")

_started: list[subprocess.Popen[bytes]] = []  # kept so that those that ended are waited for


def no_screen(environment: Mapping[str, str] = os.environ) -> str:
    """Why no window can be opened here; "" when one can."""
    if sys.platform in ("darwin", "win32") or environment.get("WAYLAND_DISPLAY"):
        return ""
    display = environment.get("DISPLAY", "")
    if not display:
        return "this machine has no screen (DISPLAY is not set)"
    host, _, number = display.rpartition(":")
    if host in ("", "unix") and not _answers(number.partition(".")[0]):
        return f"no screen answers at DISPLAY={display}"
    return ""


def _answers(number: str) -> bool:
    """Whether an X server listens at its usual socket."""
    for address in (f"\0/tmp/.X11-unix/X{number}", f"/tmp/.X11-unix/X{number}"):  # noqa: S108  fixed by X
        with socket.socket(socket.AF_UNIX) as tried:
            try:
                tried.connect(address)
            except OSError:
                continue
            return True
    return False


def elsewhere(server_address: str, remote_ip: str | None, headers: Mapping[str, str]) -> str:
    """Why a browser is not on this machine; "" when it is.

    ``remote_ip`` None means loopback. A request that came through a proxy is never taken for one from here, nor is
    any when the server can be reached from other machines. (A tunnel to this machine's loopback cannot be told apart.)
    """
    plain = {name.lower(): value for name, value in headers.items()}
    if server_address not in _LOCAL:
        return "the server can be reached from other machines"
    if remote_ip is not None or any(name in plain for name in _PROXY):
        return "the browser runs on another machine"
    host = plain.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return "" if name in _LOCAL else "the browser came by another address than this machine's own"


def open_command(path: Path) -> str:
    """What a person types to open a session."""
    return f"cd {shlex.quote(str(ROOT))} && ./run cli napari --session {shlex.quote(str(path))}"


def picture_command(path: Path) -> str:
    """What makes a picture of a session without a screen (Debian: xvfb and the packages that ``./run test`` adds)."""
    shown = "xvfb-run -a -s '-screen 0 1600x1000x24 +extension GLX'"
    return (
        f"cd {shlex.quote(str(ROOT))} && LIBGL_ALWAYS_SOFTWARE=1 QT_QPA_PLATFORM=xcb {shown} "
        f"./run cli napari --session {shlex.quote(str(path))} --screenshot napari.png"
    )


def launch(path: Path, workspace: Workspace) -> bool:
    """Start the desktop viewer as a program of its own, which outlives this one.

    Returns
    -------
    opened : bool
        True once its windows are open (or were closed again), False when it still loads after 15 s.

    Raises
    ------
    PrognoscopeError
        When there is no screen, or it ended without a window.
    """
    reason = no_screen()
    if reason:
        raise PrognoscopeError(reason, "this machine", f"open the session where there is one: {open_command(path)}")
    _started[:] = [p for p in _started if p.poll() is None]
    log = desktop_folder(workspace) / f"{path.stem}.log"
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        program = subprocess.Popen(
            [sys.executable, "-m", "core.desktop", str(path)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    _started.append(program)
    end = time.monotonic() + _WATCHED_S
    while time.monotonic() < end:
        ended = program.poll()
        if READY in log.read_bytes():
            return True
        if ended is not None:
            raise PrognoscopeError(
                "napari ended without a window",
                f"the desktop viewer (see {log.name} in the workspace's folder desktop)",
                f"start it by hand: {open_command(path)}",
            )  # fmt: skip
        time.sleep(0.05)
    return False
