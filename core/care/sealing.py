"""Encryption of what must not be read by whoever finds a backup: AES-256-GCM, piece by piece.

Every piece is bound to the entry it belongs to, to its place in it, and to whether it is the last: pieces can be
neither exchanged nor cut off unnoticed.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.errors import PrognoscopeError

PIECE = 1 << 20
SHORTEST_PASSPHRASE = 12
_KEY_LINE = re.compile(r"prognoscope-backup-key ([A-Za-z0-9+/=]{44})\s*")


@dataclass(frozen=True)
class Seal:
    """A key of 32 bytes."""

    key: bytes

    def pieces(self, source: IO[bytes], entry: str) -> Iterator[bytes]:
        """What stands in the archive: 8 random bytes, then length and ciphertext of each piece."""
        box, prefix, number = AESGCM(self.key), secrets.token_bytes(8), 0
        yield prefix
        block = source.read(PIECE)
        while True:
            following = source.read(PIECE)
            sealed = box.encrypt(prefix + number.to_bytes(4, "big"), block, _bound(entry, number, not following))
            yield len(sealed).to_bytes(4, "big") + sealed
            if not following:
                return
            block, number = following, number + 1

    def opened(self, source: IO[bytes], entry: str) -> Iterator[bytes]:
        """The plain pieces; raises for another key, or an entry that was altered."""
        box, prefix, number = AESGCM(self.key), source.read(8), 0
        head = source.read(4)
        while head:
            sealed = source.read(int.from_bytes(head, "big"))
            head = source.read(4)
            try:
                yield box.decrypt(prefix + number.to_bytes(4, "big"), sealed, _bound(entry, number, not head))
            except InvalidTag as error:
                raise PrognoscopeError(
                    "a key that does not open the protected part, or a part that was altered", "the backup",
                    "use the key file or passphrase of this very backup",
                ) from error  # fmt: skip
            number += 1


def _bound(entry: str, number: int, last: bool) -> bytes:
    return f"{entry}|{number}|{int(last)}".encode()


def new_key() -> Seal:
    """A key nobody knows yet."""
    return Seal(secrets.token_bytes(32))


def seal_of_passphrase(passphrase: str, salt: bytes) -> Seal:
    """A key made from words by scrypt (n = 2^15, r = 8, p = 1)."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise PrognoscopeError(
            f"a passphrase of {len(passphrase)} signs", "the backup", f"use at least {SHORTEST_PASSPHRASE}"
        )
    return Seal(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))


def write_key(seal: Seal, path: Path) -> None:
    """Keep a key as one line of text, readable by its owner only; an existing file is never overwritten."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise PrognoscopeError(
            "a key file of that name", path.name, "it opens an earlier backup: name another file"
        ) from error
    with os.fdopen(handle, "w") as stream:
        stream.write(f"prognoscope-backup-key {base64.b64encode(seal.key).decode()}\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_key(path: Path) -> Seal:
    """The key in a file that :func:`write_key` made."""
    try:
        found = _KEY_LINE.fullmatch(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PrognoscopeError("a key file that cannot be read", path.name, "name the key of this backup") from error
    if found is None:
        raise PrognoscopeError("no key of a backup", path.name, "name the .key file that was written beside the backup")
    return Seal(base64.b64decode(found[1]))
