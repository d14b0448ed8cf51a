"""Live figures of a training: loss, C-index, Brier score, and how evenly the experts are used, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.analysis.training_progress import Band, band, entropy_band, level_names, mean_load
from core.figures.canvas import Canvas
from core.figures.theme import ACCENT, GROUND, MUTED, WARNING, Pen, pen, spread, titled
from core.results.training_curve import ENTROPY_FLOOR, CurvePoint

HEIGHT = 330
MARGIN = {"l": 58, "r": 104, "t": 76, "b": 50}
LABEL_PX = 18
TRAINING, HELD_OUT = Pen(MUTED, "dash", "circle"), Pen(ACCENT, "solid", "circle")

Line = tuple[str, Band, Pen]


def loss_figure(points: Sequence[CurvePoint], synthetic: bool) -> go.Figure:
    """Survival loss of the training patients and of those held out."""
    lines = [
        ("training", band(points, lambda p: p.loss), TRAINING),
        ("held-out", band(points, lambda p: p.held_out_loss), HELD_OUT),
    ]
    return _figure("Survival loss", "Loss (lower is better)", lines, points, synthetic)


def concordance_figure(points: Sequence[CurvePoint], synthetic: bool) -> go.Figure:
    """Harrell's C of the training patients and of those held out; 0.5 is a coin."""
    lines = [
        ("training", band(points, lambda p: p.c_train), TRAINING),
        ("held-out", band(points, lambda p: p.c_held_out), HELD_OUT),
    ]
    return _figure("C-index", "Harrell C (higher is better)", lines, points, synthetic, at=0.5)


def brier_figure(points: Sequence[CurvePoint], synthetic: bool) -> go.Figure:
    """Integrated Brier score of the held-out patients."""
    lines = [("held-out", band(points, lambda p: p.ibs_held_out), HELD_OUT)]
    return _figure("Integrated Brier score", "IBS (lower is better)", lines, points, synthetic)


def entropy_figure(points: Sequence[CurvePoint], synthetic: bool) -> go.Figure:
    """How evenly each level uses its experts; below the dotted line the alarm sounds."""
    lines = [(_short(name), entropy_band(points, name), pen(i)) for i, name in enumerate(level_names(points))]
    title = "Evenness of the experts"
    return _figure(
        title, "Entropy of load, 1 = all alike", lines, points, synthetic, at=ENTROPY_FLOOR, limits=(0, 1.04)
    )


def load_figure(points: Sequence[CurvePoint], level: str, synthetic: bool) -> go.Figure:
    """Share of the tokens each expert of one level was sent, a row an expert, a column an epoch."""
    epochs, load = mean_load(points, level)
    experts = load.shape[1] if load.ndim == 2 else 0
    figure = Canvas()
    figure.add_heatmap(
        x=epochs, y=[f"{i + 1}" for i in range(experts)], z=100 * load.T, xgap=1, ygap=1,
        zmin=0, zmax=max(30.0, 100 * load.max(initial=0)),
        colorscale=[[0, GROUND], [1, ACCENT]],
        colorbar={"title": {"text": "% of tokens", "side": "right"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="epoch %{x}<br>expert %{y}: %{z:.0f} %<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        dragmode=False, margin={**MARGIN, "r": 24}, xaxis=_epochs(epochs),
        yaxis={"title": "Expert", "type": "category"},
    )  # fmt: skip
    subtitle = f"{_short(level)} · {_fits(points)} · even would be {100 / experts:.0f} %" if experts else _short(level)
    return titled(figure, "Load of the experts", subtitle, synthetic, HEIGHT).figure()


def _short(level: str) -> str:
    """``"level 1 · genomics"`` → ``"1 · genomics"``; other names stay."""
    return level.removeprefix("level ") if level.startswith("level ") else level


def _figure(
    title: str,
    axis: str,
    lines: Sequence[Line],
    points: Sequence[CurvePoint],
    synthetic: bool,
    at: float | None = None,
    limits: tuple[float, float] | None = None,
) -> go.Figure:
    """Lines over epochs with the range over fits as a band, named at their ends."""
    figure = Canvas()
    drawn = [line for line in lines if len(line[1])]
    low, high = limits or _limits([b for _, b, _ in drawn], at)
    if at is not None:
        figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=at, y1=at, layer="below",
                         line={"color": WARNING, "width": 1.2, "dash": "dot"})  # fmt: skip
    for name, values, ink in drawn:
        _band(figure, values, ink)
        figure.add_scatter(
            x=values.epochs, y=values.mean, mode="lines+markers" if len(values) < 2 else "lines", name=name,
            line={"color": ink.colour, "width": 2.2, "dash": ink.dash}, marker={"color": ink.colour, "size": 7},
            customdata=np.stack([values.low, values.high, values.fits], axis=1),
            hovertemplate=f"<b>{name}</b><br>epoch %{{x}}<br>%{{y:.3f}} (%{{customdata[0]:.3f}} to "
            "%{customdata[1]:.3f})<br>%{customdata[2]} folds and seeds<extra></extra>",
        )  # fmt: skip
    heights = _label_heights([float(b.mean[-1]) for _, b, _ in drawn], low, high)
    for (name, values, ink), height in zip(drawn, heights, strict=True):
        figure.add_annotation(
            x=values.epochs[-1], y=height, xanchor="left", xshift=8, showarrow=False, text=f"<b>{name}</b>",
            font={"color": ink.ink},
        )  # fmt: skip
    every = np.concatenate([b.epochs for _, b, _ in drawn]) if drawn else np.array([1])
    figure.update_layout(
        dragmode=False, margin=MARGIN, xaxis=_epochs(every), yaxis={"title": axis, "range": [low, high]}
    )
    return titled(figure, title, f"mean and range · {_fits(points)}", synthetic, HEIGHT).figure()


def _label_heights(ends: list[float], low: float, high: float) -> list[float]:
    """Heights of the names at the lines' ends, a line of text apart and none above the plot."""
    placed = spread(ends, LABEL_PX / (HEIGHT - 126) * (high - low))
    excess = max([0.0, *(height - high for height in placed)])
    return [height - excess for height in placed]


def _band(figure: Canvas, values: Band, ink: Pen) -> None:
    shared = {"x": values.epochs, "mode": "lines", "hoverinfo": "skip", "line": {"width": 0}}
    figure.add_scatter(y=values.high, **shared)
    figure.add_scatter(y=values.low, fill="tonexty", fillcolor=ink.faint(), **shared)


def _limits(bands: Sequence[Band], at: float | None) -> tuple[float, float]:
    """Axis limits around every line and its band."""
    ends = [v for b in bands for v in (b.low.min(), b.high.max())] + ([] if at is None else [at])
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    pad = max(0.06 * (high - low), 0.01)
    return float(low - pad), float(high + pad)


def _epochs(epochs: np.ndarray) -> dict[str, object]:
    last = int(max(epochs, default=1))
    return {"title": "Epoch", "tickangle": 0, "dtick": max(1, -(-last // 8)), "tick0": 1,
            "range": [0.5, last + 0.5]}  # fmt: skip


def _fits(points: Sequence[CurvePoint]) -> str:
    """``"5 folds, 3 seeds"`` seen so far."""
    folds, seeds = len({p.fold for p in points}), len({p.seed for p in points})
    return f"{folds} fold{'' if folds == 1 else 's'}, {seeds} seed{'' if seeds == 1 else 's'}"
