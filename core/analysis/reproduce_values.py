"""Python that draws an exported figure of effects again from its CSV, and checks that the numbers add up."""

from __future__ import annotations

import json

_WATERFALL = """# Checks that the exported steps sum to the estimate and draws them again.
# python THIS.py NUMBERS.csv FIGURE.png        needs pandas, matplotlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

steps = pd.read_csv(sys.argv[1])
totals = steps["kind"].isin(["baseline", "prediction"])
baseline, prediction = steps.loc[totals, "value"].iloc[[0, -1]]
apart = abs(baseline + steps.loc[~totals, "value"].sum() - prediction)
figure, axis = plt.subplots(figsize=(9, 0.45 * len(steps) + 1.6))
for row, step in steps.iterrows():
    if totals[row]:
        axis.plot(step["to"], row, "D", color="#17282B")
        continue
    colour = "#55676B" if step["kind"] == "residual" else "#0072B2" if step["value"] >= 0 else "#D55E00"
    axis.barh(row, step["value"], left=step["from"], color=colour)
    axis.text(max(step["from"], step["to"]), row, f" {step['value']:+.2f}", va="center")
axis.set(yticks=range(len(steps)), yticklabels=steps["step"], title=@title@, xlabel=@axis@)
axis.invert_yaxis()
figure.savefig(sys.argv[2], dpi=300, bbox_inches="tight")
print(f"baseline + values + residual and the estimate differ by {apart:.2e} percentage points")
sys.exit(0 if apart < 1e-6 else 1)
"""


def waterfall_code(title: str, axis: str) -> str:
    """A Python script; it ends with code 1 when the exported steps do not sum to the estimate within 1e-6."""
    return _WATERFALL.replace("@title@", json.dumps(title)).replace("@axis@", json.dumps(axis))
