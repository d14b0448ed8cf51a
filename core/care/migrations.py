"""The steps from each form of a workspace to the next. A step plans whole files; it leaves alone what is new already.

Form 1: a cohort's record carries its content hash, so that lists tell an earlier import without reading tables.
Form 2: a record of features keeps the forms a cohort was encoded in before.
Form 3: an audit's gate association carries the bins its figure is drawn from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.cohort.storage import load_cohort
from core.errors import PrognoscopeError
from core.results.files import MANIFEST, read_json
from core.results.workspace import Workspace

Plan = Callable[[Workspace], Mapping[Path, bytes]]


@dataclass(frozen=True)
class Step:
    """``words`` what a person reads · ``plan`` the files that change, with their new contents."""

    words: str
    plan: Plan


def _cohort_hashes(workspace: Workspace) -> Mapping[Path, bytes]:
    changes: dict[Path, bytes] = {}
    for name in workspace.names(workspace.cohorts):
        folder = workspace.cohort(name)
        if not (folder / "cohort.json").is_file() or not (folder / MANIFEST).is_file():
            continue
        facts = read_json(folder / "cohort.json")
        if facts.get("content_hash"):
            continue
        try:
            cohort = load_cohort(name, workspace)
        except PrognoscopeError:  # damaged: every page names it, and the others need not wait for it
            continue
        text = _text({**facts, "content_hash": cohort.content_hash})
        changes[folder / "cohort.json"] = text
        hashes = {**read_json(folder / MANIFEST), "cohort.json": hashlib.sha256(text).hexdigest()}
        changes[folder / MANIFEST] = _text(hashes)
    return changes


def _earlier_forms(workspace: Workspace) -> Mapping[Path, bytes]:
    records = {p: read_json(p) for p in sorted(workspace.features.glob("*.json"))}
    return {p: _text({**value, "earlier": {}}) for p, value in records.items() if "earlier" not in value}


def _audit_bins(workspace: Workspace) -> Mapping[Path, bytes]:
    changes = {}
    for path in sorted(workspace.audits.glob("*.json")):
        found = read_json(path)
        whole = {**found, "gate": _with_bins(found.get("gate"))}
        whole["controls"] = [{**c, "gate": _with_bins(c.get("gate"))} for c in found.get("controls", [])]
        if whole != found:
            changes[path] = _text(whole)
    return changes


def _with_bins(gate: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return gate if not gate or "bins" in gate else {**gate, "bins": []}


def _text(value: Any) -> bytes:
    """As :func:`core.results.files.write_json` writes it."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False).encode()


STEPS = (
    Step("cohort records carry their content hash", _cohort_hashes),
    Step("records of features keep earlier forms", _earlier_forms),
    Step("audits carry the bins of their gate figure", _audit_bins),
)
