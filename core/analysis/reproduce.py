"""Python and R scripts that compute a survival figure and its tests again from its exported numbers, and draw it."""

from __future__ import annotations

import json

from core.analysis.group_survival import GroupSurvival
from core.analysis.reproduce_tests import python_tests, r_tests, tau_of

_PYTHON = """# Computes the figure again from its exported numbers, compares, and draws it.
# python THIS.py NUMBERS.csv FIGURE.png        needs numpy, pandas, scipy, matplotlib
import sys
from itertools import combinations

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import chi2

TITLE, X_LABEL, Y_LABEL = @title@, @x@, @y@
COMPETING = @competing_python@  # True: cumulative incidence (Aalen-Johansen); False: survival (Kaplan-Meier)
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"]
Z = 1.959963984540054  # 95 % interval on the log(-log) scale
TAU = @tau@  # month up to which the restricted mean survival time is taken

numbers = pd.read_csv(sys.argv[1])
figure, axis = plt.subplots(figsize=(8, 5))
largest, months = 0.0, {}
for index, (name, rows) in enumerate(numbers.groupby("group", sort=False)):
    left = rows["events"] + rows["competing"] + rows["censored"]
    entered_before = rows["entered"].cumsum() - rows["entered"]
    at_risk = entered_before - (left.cumsum() - left)
    at_risk = at_risk.mask(rows["time"] == 0, rows["entered"]).clip(lower=1)  # events at time 0: all who start there
    hazard = rows["events"] / at_risk
    hazard_any = hazard + rows["competing"] / at_risk
    survival = (1 - hazard_any).cumprod()
    estimate = (survival.shift(fill_value=1.0) * hazard).cumsum() if COMPETING else survival
    largest = max(largest, float((estimate - rows["estimate"]).abs().max()))
    if not COMPETING:
        spare = (at_risk - rows["events"]).clip(lower=1)
        error = np.sqrt((rows["events"] / (at_risk * spare)).cumsum())
        inside = (survival > 0) & (survival < 1)
        width = np.exp(Z * error[inside] / -np.log(survival[inside]))
        largest = max(largest, float((survival[inside] ** width - rows["low"][inside]).abs().max()))
        largest = max(largest, float((survival[inside] ** (1 / width) - rows["high"][inside]).abs().max()))
    inside = rows["time"] < TAU
    edges = np.concatenate([[0.0], rows["time"][inside], [TAU]])
    months[name] = float((np.concatenate([[1.0], survival[inside]]) * np.diff(edges)).sum())
    colour = COLOURS[index % len(COLOURS)]
    axis.step(rows["time"], estimate, where="post", color=colour, label=f"{name} (n = {int(rows['entered'].sum())})")
    axis.fill_between(rows["time"], rows["low"], rows["high"], step="post", color=colour, alpha=0.14, linewidth=0)
axis.set(title=TITLE, xlabel=X_LABEL, ylabel=Y_LABEL, ylim=(0, 1.02))
axis.legend(frameon=False)
figure.savefig(sys.argv[2], dpi=300)
@tests@
print(f"largest difference {largest:.2e}")
sys.exit(0 if largest < 1e-6 else 1)
"""

_R = """# Computes the figure again from its exported numbers with the package survival, compares, and draws it.
# Rscript THIS.R NUMBERS.csv FIGURE.pdf
library(survival)
title <- @title@; x_label <- @x@; y_label <- @y@
competing <- @competing_r@  # TRUE: cumulative incidence (Aalen-Johansen); FALSE: survival (Kaplan-Meier)
colours <- c("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")

files <- commandArgs(TRUE)
numbers <- read.csv(files[1])
(if (capabilities("cairo")) cairo_pdf else pdf)(files[2], width = 8, height = 5)
plot(NULL, xlim = c(0, max(numbers$time)), ylim = c(0, 1.02), xlab = x_label, ylab = y_label, main = title)
largest <- 0
people <- list(); months <- c(); tau <- @tau@  # month up to which the restricted mean survival time is taken
groups <- unique(numbers$group)
for (index in seq_along(groups)) {
  rows <- numbers[numbers$group == groups[index], ]
  # one line a patient again: only the multisets of entries and exits matter, not who is who
  entry <- rep(rows$time, rows$entered)
  counts <- rbind(rows$events, rows$competing, rows$censored)
  exit <- rep(rep(rows$time, each = 3), as.vector(counts))
  code <- rep(rep(c(1, 2, 0), nrow(rows)), as.vector(counts))
  late <- any(entry > 0)
  people[[index]] <- data.frame(entry = ifelse(entry == 0, -1, entry), exit, code, group = index)
  entry[entry == 0] <- -1  # Surv() takes no exit at the entry itself: those who start at 0 are at risk at 0
  if (competing) {
    state <- factor(code, 0:2, c("censored", "event", "competing"))
    person <- seq_along(exit)
    fit <- if (late) survfit(Surv(entry, exit, state) ~ 1, id = person, conf.type = "log-log")
           else survfit(Surv(exit, state) ~ 1, conf.type = "log-log")
    estimate <- summary(fit, times = rows$time, extend = TRUE)$pstate[, which(fit$states == "event")]
    low <- high <- NULL
  } else {
    fit <- if (late) survfit(Surv(entry, exit, code == 1) ~ 1, conf.type = "log-log")
           else survfit(Surv(exit, code == 1) ~ 1, conf.type = "log-log")
    at <- summary(fit, times = rows$time, extend = TRUE)
    estimate <- at$surv; low <- at$lower; high <- at$upper
    before <- rows$time < tau
    months[index] <- sum(c(1, estimate[before]) * diff(c(0, rows$time[before], tau)))
    inside <- estimate > 0 & estimate < 1
    largest <- max(largest, abs(low - rows$low)[inside], abs(high - rows$high)[inside])
  }
  largest <- max(largest, abs(estimate - rows$estimate))
  lines(rows$time, estimate, type = "s", lwd = 2, col = colours[(index - 1) %% 5 + 1])
}
legend("topright", legend = groups, col = colours[(seq_along(groups) - 1) %% 5 + 1], lwd = 2, bty = "n")
invisible(dev.off())
@tests@
cat(sprintf("largest difference %.2e\\n", largest))
quit(status = if (largest < 1e-6) 0 else 1)
"""


def _filled(template: str, tests: str, result: GroupSurvival, title: str, synthetic: bool) -> str:
    words = title + (" (synthetic patients)" if synthetic else "")
    value = f"{result.outcome.event_label}, cumulative incidence" if result.competing else result.outcome.remaining
    texts = {"title": words, "x": f"Months since {result.outcome.time_zero}", "y": value}
    for key, text in texts.items():
        template = template.replace(f"@{key}@", json.dumps(text, ensure_ascii=False))
    template = template.replace("@tests@", tests).replace("@tau@", repr(tau_of(result)))
    template = template.replace("@competing_python@", str(result.competing))
    return template.replace("@competing_r@", str(result.competing).upper())


def python_code(result: GroupSurvival, title: str, synthetic: bool) -> str:
    """A Python script; it ends with code 1 when its numbers differ from the exported ones by 1e-6 or more."""
    return _filled(_PYTHON, python_tests(result), result, title, synthetic)


def r_code(result: GroupSurvival, title: str, synthetic: bool) -> str:
    """An R script with the package ``survival``; it ends with code 1 when the numbers differ by 1e-6 or more."""
    return _filled(_R, r_tests(result), result, title, synthetic)
