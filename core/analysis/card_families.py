"""The same model on published folds, on folds by site and on drawn ones, side by side; optimistic runs named so."""

from __future__ import annotations

from dataclasses import dataclass

from core.results.run import Metric, Run

KINDS = ("published", "site", "drawn")
"""The two families that matter, to compare and to trust, and folds drawn by chance."""


@dataclass(frozen=True)
class FamilyRow:
    """One run of the same model, inputs and endpoint. ``kind`` of its folds · ``optimistic`` upstream protocol ·
    ``shown`` it is the card's own."""

    run: Run
    kind: str
    optimistic: bool
    shown: bool

    @property
    def words(self) -> str:
        """``"Published folds"``; a run of the upstream protocol says that it is optimistic."""
        names = {"published": "Published folds", "site": "Folds by site", "drawn": f"Drawn folds ({self.run.folds})"}
        return names[self.kind] + (", upstream protocol: optimistic" if self.optimistic else "")

    @property
    def c(self) -> Metric:
        return self.run.metrics.harrell_c


def fold_kind(folds: str) -> str:
    """``"published"``, ``"site"`` or ``"drawn"``."""
    return folds if folds in KINDS[:2] else "drawn"


def fold_families(run: Run, others: tuple[Run, ...]) -> tuple[tuple[FamilyRow, ...], tuple[str, ...]]:
    """The newest run of each family and protocol beside ``run``, and a sentence for each family that is missing."""
    alike = [
        r for r in others
        if (r.model, r.endpoint, r.cohort_hash) == (run.model, run.endpoint, run.cohort_hash)
        and set(r.modalities) == set(run.modalities)
    ]  # fmt: skip
    newest: dict[tuple[str, bool], Run] = {}
    for other in sorted(alike, key=lambda r: r.created_at):
        newest[fold_kind(other.folds), other.protocol == "upstream"] = other
    newest[fold_kind(run.folds), run.protocol == "upstream"] = run
    rows = [
        FamilyRow(newest[kind, upstream], kind, upstream, newest[kind, upstream].id == run.id)
        for kind in KINDS for upstream in (False, True) if (kind, upstream) in newest
    ]  # fmt: skip
    missing = []
    if ("published", False) not in newest:
        missing.append("No honest run of this model on published folds: its numbers stand beside no published ones.")
    if ("site", False) not in newest:
        missing.append("No honest run of this model on folds by site: how it does at a new hospital is not known.")
    return tuple(rows), tuple(missing)
