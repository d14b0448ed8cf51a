"""Makes decision_curve.json with dcurves 1.1.7: ``pip install dcurves==1.1.7``, then ``python make_decision_curve.py``.

Made-up patients with ties in time, censoring, and a model that knows something; net benefit of the model and of acting
on all, at 36 months.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from dcurves import dca

MONTH, THRESHOLDS = 36.0, [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def main() -> None:
    random = np.random.default_rng(11)
    n = 160
    score = random.normal(0, 1, n)
    happens, ends = random.exponential(60 * np.exp(-0.8 * score)), random.uniform(4, 90, n)
    time = np.ceil(np.minimum(happens, ends))
    event = (happens <= ends).astype(int)
    probability = np.round(1 / (1 + np.exp(-(0.9 * score + 0.1))), 3)
    frame = pd.DataFrame({"event": event, "time": time, "model": probability})
    found = dca(
        data=frame, outcome="event", modelnames=["model"], thresholds=THRESHOLDS, time=MONTH, time_to_outcome_col="time"
    )
    wanted = {m: found.loc[found["model"] == m].sort_values("threshold")["net_benefit"].tolist()
              for m in ("model", "all")}  # fmt: skip
    value = {"made_with": "dcurves 1.1.7", "month": MONTH, "thresholds": THRESHOLDS, "time": time.tolist(),
             "event": event.tolist(), "probability": probability.tolist(), "net_benefit": wanted}  # fmt: skip
    Path(__file__).with_name("decision_curve.json").write_text(json.dumps(value) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
