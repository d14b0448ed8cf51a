"""The HDMoE paper's Figures 5 to 8 from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.figures.allocation_bars import allocation_bars
from core.figures.risk_boxes import risk_boxes
from core.figures.survival import survival_figure
from core.figures.token_heatmaps import token_heatmaps
from core.tasks.hdmoe_figure_record import Found


def hdmoe_figures(found: Mapping[str, Found]) -> dict[str, Any]:
    """File name → figure: tokens and survival of each cohort, allocation and risk of all of them."""
    figures = {}
    synthetic = any(f.cohort.synthetic for f in found.values())
    for name, f in found.items():
        patients = f"{len(f.cell.predictions.ensemble())} test patients of {len(f.cell.predictions.folds)} folds"
        pairs = {
            level.partition(" · ")[2]: (r.before, r.after)
            for (level, measure), r in f.trained.redundancy.items()
            if measure == "correlation"
        }
        title = f"Correlation of a patient's tokens before and after the shared expert, {name.upper()}"
        figures[f"tokens-{name}"] = token_heatmaps(pairs, title, f"mean over {patients}", synthetic)
        title = f"Survival by predicted risk, {name.upper()}"
        figures[f"risk-groups-{name}"] = survival_figure(f.groups.survival, title, synthetic, interactive=False)
    figures["allocation"] = allocation_bars(
        {name.upper(): dict(f.trained.allocations) for name, f in found.items()},
        "Use of the routed experts",
        "bars: share of tokens sent to an expert, mean and range over folds · marks: its share of the gate weight",
        synthetic,
    )
    figures["risk-by-status"] = risk_boxes(
        {f"{n.upper()} (month {f.groups.month:.0f})": (f.groups.died, f.groups.alive) for n, f in found.items()},
        ("died by the median follow-up time", "known alive after it"),
        "predicted risk, 0 = median of the training patients",
        "Predicted risk by what happened",
        f"out of fold, {sum(len(f.groups.died) + len(f.groups.alive) for f in found.values())} patients",
        synthetic,
    )
    return figures
