"""Python that draws an exported figure of effects, gates or a map again from its CSV."""

from __future__ import annotations

import json

_HEAD = """# Draws the figure again from its exported numbers.
# python THIS.py NUMBERS.csv FIGURE.png        needs numpy, pandas, matplotlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

TITLE, AXIS = @title@, @axis@
numbers = pd.read_csv(sys.argv[1])
random = np.random.default_rng(0)
"""

_BODIES = {
    "swarm": """names = list(dict.fromkeys(numbers["input"]))
figure, axis = plt.subplots(figsize=(9, 0.45 * len(names) + 1.5))
for row, name in enumerate(names):
    part = numbers[numbers["input"] == name]
    place = part["value"].rank(pct=True)
    axis.scatter(part.iloc[:, 2], row + random.uniform(-0.3, 0.3, len(part)), c=place, cmap="coolwarm", s=9)
axis.axvline(0, color="grey", linewidth=1)
axis.set(yticks=range(len(names)), yticklabels=names, title=TITLE, xlabel=AXIS)
axis.invert_yaxis()
""",
    "ranking": """figure, axis = plt.subplots(figsize=(8, 0.4 * len(numbers) + 1.5))
axis.errorbar(numbers.iloc[:, 3], range(len(numbers)), xerr=numbers["std over seeds"], fmt="o")
axis.set(yticks=range(len(numbers)), yticklabels=numbers["name"], title=TITLE, xlabel=AXIS)
axis.invert_yaxis()
""",
    "dependence": """figure, axis = plt.subplots(figsize=(7, 4.5))
axis.scatter(numbers["value"], numbers.iloc[:, 2], s=14)
axis.axhline(0, color="grey", linewidth=1)
axis.set(title=TITLE, xlabel=str(numbers["input"].iloc[0]), ylabel=AXIS)
""",
    "heat": """gates = numbers.iloc[:, 2:]
figure, axis = plt.subplots(figsize=(11, 0.28 * gates.shape[1] + 1.5))
drawn = axis.imshow(gates.to_numpy().T, aspect="auto", cmap="GnBu", vmin=0, interpolation="nearest")
axis.set(yticks=range(gates.shape[1]), yticklabels=gates.columns, title=TITLE, xlabel=AXIS)
figure.colorbar(drawn, label="gate mass")
""",
    "map": """figure, axis = plt.subplots(figsize=(7, 6))
axis.scatter(numbers.iloc[:, 0], numbers.iloc[:, 1], s=14)
axis.set(title=TITLE, xlabel=numbers.columns[0], ylabel=numbers.columns[1])
""",
    "strips": """figure, axis = plt.subplots(figsize=(9, 0.5 * numbers.shape[1] + 1.5))
for row, name in enumerate(numbers):
    values = numbers[name].dropna()
    axis.scatter(values, row + random.uniform(-0.28, 0.28, len(values)), s=7, alpha=0.4)
    axis.plot([values.median()] * 2, [row - 0.35, row + 0.35], color="black", linewidth=2)
axis.axvline(0, color="grey", linewidth=1)
axis.set(yticks=range(numbers.shape[1]), yticklabels=numbers.columns, title=TITLE, xlabel=AXIS)
axis.invert_yaxis()
""",
    "shares": """levels = list(dict.fromkeys(numbers["level"]))
figure, axes = plt.subplots(1, len(levels), figsize=(4 * len(levels), 3), squeeze=False, sharey=True)
for axis, (name, part) in zip(axes[0], numbers.groupby("level", sort=False)):
    reach = [part["assignment load"] - part["lowest"], part["highest"] - part["assignment load"]]
    axis.bar(part["place"], part["assignment load"], yerr=reach, capsize=3)
    axis.plot(part["place"], part["gate mass"], "_", markersize=16, color="#D55E00")
    axis.set(title=name, xlabel=AXIS)
figure.suptitle(TITLE)
""",
    "tokens": """levels = list(dict.fromkeys(numbers["level"]))
figure, axes = plt.subplots(len(levels), 2, figsize=(8, 3.6 * len(levels)), squeeze=False)
for row, (name, part) in zip(axes, numbers.groupby("level", sort=False)):
    for axis, when in zip(row, ("before", "after")):
        grid = part.pivot(index="token", columns="with token", values=when)
        axis.imshow(grid, vmin=-1, vmax=1, cmap="BrBG")
        axis.set(title=f"{name}, {when}", xlabel=AXIS)
figure.suptitle(TITLE)
""",
    "volcano": """rank = numbers["p"].rank(method="first")
q = (numbers["p"] * len(numbers) / rank).iloc[np.argsort(-rank)].cummin().clip(upper=1)  # Benjamini and Hochberg
apart = float((q - numbers["q"]).abs().max())
print(f"largest difference {apart:.2e}")
figure, axis = plt.subplots(figsize=(8, 5))
for sure, part in numbers.groupby(numbers["q"] < 0.05):
    axis.scatter(part["effect"], -np.log10(part["p"].clip(1e-300)), s=14, alpha=1.0 if sure else 0.35)
axis.set(title=TITLE, xlabel=AXIS, ylabel="-log10 p")
if apart > 1e-9:
    sys.exit(1)
""",
    "bars": """names = numbers.iloc[:, 0].astype(str) if not {"From", "To"} <= set(numbers) else [
    f"{low:g}-{high:g}" for low, high in zip(numbers["From"], numbers["To"])
]
figure, axis = plt.subplots(figsize=(8, 0.35 * len(numbers) + 1.5))
axis.barh(range(len(numbers)), numbers["In the cohort"], color="#D5DFE0", label="in the cohort")
axis.barh(range(len(numbers)), numbers["Selected"], color="#0B5D66", label="selected")
axis.set(yticks=range(len(numbers)), yticklabels=names, title=TITLE, xlabel=AXIS)
axis.invert_yaxis()
axis.legend(frameon=False)
""",
    "epochs": """names = [c for c in numbers if c not in ("fold", "seed", "epoch")]
figure, axes = plt.subplots(len(names), 1, figsize=(8, 2.4 * len(names)), sharex=True, squeeze=False)
for axis, name in zip(axes[:, 0], names):
    for _, part in numbers.groupby([c for c in ("fold", "seed") if c in numbers] or numbers.index * 0):
        axis.plot(part["epoch"], part[name], color="#0072B2", alpha=0.25, linewidth=1)
    axis.plot(numbers.groupby("epoch")[name].mean(), color="black")
    axis.set(ylabel=name)
axes[-1, 0].set(xlabel=AXIS)
figure.suptitle(TITLE)
""",
    "curves": """figure, axis = plt.subplots(figsize=(8, 5))
for name, dash in (("as recorded", "--"), ("with the change", "-")):
    axis.plot(numbers["month"], numbers[name], dash, label=name)
    axis.fill_between(numbers["month"], numbers[f"{name}, lowest model"], numbers[f"{name}, highest model"], alpha=0.15)
axis.set(title=TITLE, xlabel="months", ylabel=AXIS, ylim=(0, 1.02))
axis.legend(frameon=False)
""",
}
_TAIL = 'figure.savefig(sys.argv[2], dpi=300, bbox_inches="tight")\n'
KINDS = tuple(_BODIES)


def plot_code(kind: str, title: str, axis: str) -> str:
    """A Python script for one of :data:`KINDS`; ``title`` and ``axis`` are the figure's words."""
    head = _HEAD.replace("@title@", json.dumps(title, ensure_ascii=False))
    return head.replace("@axis@", json.dumps(axis, ensure_ascii=False)) + _BODIES[kind] + _TAIL
