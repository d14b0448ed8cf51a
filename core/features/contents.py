"""SHA-256 of media files, remembered as long as a file's size and time stay the same: a study holds terabytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from core.cohort.pseudonyms import protected_folder
from core.errors import PrognoscopeError
from core.results.files import read_json, sha256_of, write_json
from core.results.workspace import Workspace


class ContentHashes:
    """Hashes by file. The stored table holds no path, only the SHA-256 of one, and lies in ``protected``."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = protected_folder(workspace) / "media-hashes.json"
        self._known: dict[str, list[int | str]] = {}
        if self._path.is_file():
            try:
                self._known = read_json(self._path)
            except PrognoscopeError:
                self._known = {}  # only a memory: what is lost is computed again
        self._changed = False

    def of(self, path: str) -> str:
        """The hash of a file, or of a folder's files together whatever they are called."""
        place = Path(path)
        try:
            if place.is_dir():
                files = [p for p in place.rglob("*") if p.is_file() and not p.name.startswith(".")]
                return hashlib.sha256(json.dumps(sorted(self._file(p) for p in files)).encode()).hexdigest()
            return self._file(place)
        except OSError as error:
            raise PrognoscopeError(
                "a file that is missing or cannot be opened", "the media of a patient", "restore it, or import again"
            ) from error

    def _file(self, path: Path) -> str:
        facts = path.stat()
        name = hashlib.sha256(str(path).encode()).hexdigest()
        known = self._known.get(name)
        if known is not None and known[:2] == [facts.st_size, facts.st_mtime_ns]:
            return str(known[2])
        found = sha256_of(path)
        self._known[name] = [facts.st_size, facts.st_mtime_ns, found]
        self._changed = True
        return found

    def save(self) -> None:
        """Remember what was learned."""
        if self._changed:
            write_json(self._path, self._known)
            self._path.chmod(0o600)
            self._changed = False
