"""What remains of an erased patient: hashes under the workspace's secret, from which nobody can be told.

They serve two ends: an import that brings an erased patient again is told so, and a search can prove that neither the
pseudonym nor the original id is left, without either being kept.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property

from core.cohort.pseudonyms import known_secret, workspace_secret
from core.results.files import read_json, write_json
from core.results.workspace import Workspace

FILE = "erased.json"
_WORD = (1 << 64) - 1


@dataclass(frozen=True)
class Tombstone:
    """One erased name. ``digest`` keyed hash in hex · ``window`` keyed sum of its bytes, by which places where it may
    stand are found quickly · ``length`` in bytes · ``digits`` it consists of digits alone · ``at`` UTC."""

    digest: str
    window: int
    length: int
    digits: bool
    at: str


@dataclass(frozen=True)
class TombstoneKey:
    """The key of the hashes, made from the workspace's secret and good for nothing else."""

    secret: bytes

    @cached_property
    def _own(self) -> bytes:
        return hmac.new(self.secret, b"erased patients", hashlib.sha256).digest()

    @cached_property
    def base(self) -> int:
        """Odd 64-bit number the windows are weighted with."""
        return int.from_bytes(hmac.new(self._own, b"window", hashlib.sha256).digest()[:8], "big") | 1

    def digest(self, name: bytes) -> str:
        """Keyed hash of a name."""
        return hmac.new(self._own, name, hashlib.sha256).hexdigest()

    def window(self, name: bytes) -> int:
        """Σ (byte + 1) · base^place modulo 2^64."""
        total, weight = 0, 1
        for byte in name:
            total = (total + (byte + 1) * weight) & _WORD
            weight = (weight * self.base) & _WORD
        return total

    def tombstone(self, name: str, at: str) -> Tombstone:
        """What is kept of a name."""
        raw = name.encode()
        return Tombstone(self.digest(raw), self.window(raw), len(raw), name.isdigit(), at)


def tombstone_key(workspace: Workspace) -> TombstoneKey:
    """The workspace's key; its secret is made where there is none."""
    return TombstoneKey(workspace_secret(workspace))


def load_tombstones(workspace: Workspace) -> tuple[Tombstone, ...]:
    """Everything that was erased, the oldest first."""
    path = workspace.protected / FILE
    return tuple(Tombstone(**v) for v in read_json(path)) if path.is_file() else ()


def bury(names: Iterable[str], at: str, workspace: Workspace) -> None:
    """Keep the tombstones of these names; one that is there already stays as it is."""
    key, kept = tombstone_key(workspace), {t.digest: t for t in load_tombstones(workspace)}
    for name in names:
        found = key.tombstone(name, at)
        kept.setdefault(found.digest, found)
    path = workspace.protected / FILE
    write_json(path, [asdict(t) for t in kept.values()])
    path.chmod(0o600)


def erased_before(names: Iterable[str], workspace: Workspace) -> dict[str, str]:
    """Those of the names that were erased here, each with the day; nothing is made where nobody ever was."""
    stones, secret = load_tombstones(workspace), known_secret(workspace)
    if not stones or secret is None:
        return {}
    key, days = TombstoneKey(secret), {t.digest: t.at[:10] for t in stones}
    found = ((name, days.get(key.digest(name.encode()))) for name in names)
    return {name: day for name, day in found if day is not None}
