"""What the HDMoE paper's Figures 5 to 8 show of one cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.cohort.cohort import Cohort
from core.tasks.cells import Cell
from core.tasks.hdmoe_inside import Inside
from core.tasks.hdmoe_risk_groups import RiskGroups


@dataclass(frozen=True, eq=False)
class Found:
    """``untrained`` are the same networks before their first training step."""

    cohort: Cohort
    cell: Cell
    trained: Inside
    untrained: Inside
    groups: RiskGroups


def how_made(found: Mapping[str, Found], command: str) -> str:
    """Command, folds, seeds and code of a section in one line."""
    versions = sorted({f.cell.code_version for f in found.values()})
    seeds = len(next(iter(found.values())).cell.predictions.seeds)
    return f"Command: {command}. Published folds, {seeds} seed(s), genomics + clinical, code {', '.join(versions)}."
