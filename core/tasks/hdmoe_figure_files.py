"""The HDMoE figures as SVG files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.figures.allocation_bars import allocation_bars
from core.figures.export import browser, image
from core.figures.risk_boxes import risk_boxes
from core.figures.survival import survival_figure
from core.figures.token_heatmaps import token_heatmaps
from core.tasks.hdmoe_figure_tables import Measured


def draw(found: Mapping[str, Measured], folder: Path) -> list[Path]:
    """Write every figure into ``folder``; nothing where no Chromium can draw."""
    if browser() is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, figure in _figures(found).items():
        path = folder / f"{name}.svg"
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(image(figure, "svg"))
        temporary.replace(path)
        files.append(path)
    return files


def _figures(found: Mapping[str, Measured]) -> dict[str, Any]:
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
