"""Files in ``protected`` that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd


def write_private_table(table: pd.DataFrame, target: Path) -> None:
    """Write a Parquet file with mode 0600 under a temporary name, then rename it."""
    with staged_private_table(table, target):
        pass


@contextmanager
def staged_private_table(table: pd.DataFrame, target: Path) -> Iterator[None]:
    """Write a Parquet file with mode 0600 aside; it becomes ``target`` when the block ends well."""
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        table.to_parquet(temporary)
        yield
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_private_text(text: str, target: Path) -> None:
    """Write a UTF-8 text file with mode 0600; it must not exist yet."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)
