"""``--cluster`` of the commands whose work can be done elsewhere."""

from __future__ import annotations

import argparse

from core.workers.cluster import VARIABLE, named_cluster


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Let a command be told where its pieces of work are done."""
    parser.add_argument(
        "--cluster", default=named_cluster(), metavar="HOST:PORT",
        help=f"send the work to the Ray cluster whose head is there (${VARIABLE} when left out); same numbers",
    )  # fmt: skip
