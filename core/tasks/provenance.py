"""What a result has to say about where it was made: code version, machine, moment."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import torch

import core

ROOT = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=1)
def code_version() -> str:
    """``0.1.0+<commit>`` with ``.dirty`` when files differ from it; the plain version outside a git checkout."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    except (FileNotFoundError, subprocess.CalledProcessError):
        return core.__version__
    return f"{core.__version__}+{commit}{'.dirty' if changed else ''}"


def machine() -> str:
    """Processor, system and libraries in one line."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    return f"{platform.machine()} · {platform.system()} · Python {platform.python_version()} · torch {torch.__version__} · {device}"  # noqa: E501


def now() -> str:
    """UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
