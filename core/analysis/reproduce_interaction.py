"""Python and R for the test of group × arm from the patients behind it, and R for the false discovery rates."""

from __future__ import annotations

import json

_PYTHON = """# Fits the hazard ratios of the arms in each group and their interaction test again, and compares.
# python THIS.py NUMBERS.csv PATIENTS.csv FIGURE.png        needs numpy, pandas, scipy, matplotlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import chi2

PAGE_P = @p@
Z = 1.959963984540054
numbers, patients = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2], dtype={"group": str, "arm": str})


def cox(x, rows):
    # coefficients, standard errors and log-likelihood: Newton's method, Efron's ties, late entry
    x, entry, time, event = x - x.mean(axis=0), *(rows[c].to_numpy() for c in ("entry", "time", "event"))
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        gradient, information, likelihood = np.zeros(len(beta)), np.zeros((len(beta), len(beta))), 0.0
        weight = np.exp(x @ beta)
        for t in np.unique(time[event == 1]):
            risk, died = (time >= t) & ((entry < t) | (entry == 0)), (event == 1) & (time == t)
            gradient += x[died].sum(axis=0)
            likelihood += (x[died] @ beta).sum()
            for part in range(died.sum()):
                left = weight * (risk - died * part / died.sum())
                mean = left @ x / left.sum()
                gradient -= mean
                information += (x * left[:, None]).T @ x / left.sum() - np.outer(mean, mean)
                likelihood -= np.log(left.sum())
        step = np.linalg.solve(information, gradient)
        if np.abs(step).max() < 1e-11:
            break
        beta = beta + step
    return beta, np.sqrt(np.diag(np.linalg.inv(information))), likelihood


def columns(*parts):
    return np.stack([np.asarray(p, dtype=float) for p in parts], axis=1)


groups, arms = list(dict.fromkeys(numbers["group"])), @arms@
is_group = [patients["group"] == g for g in groups[1:]]
is_arm = [patients["arm"] == a for a in arms[1:]]
small = cox(columns(*is_group, *is_arm), patients)[2]
large = cox(columns(*is_group, *is_arm, *(g & a for g in is_group for a in is_arm)), patients)[2]
p = float(chi2.sf(2 * (large - small), len(is_group) * len(is_arm)))
print(f"interaction p {p:.10g}")
largest = abs(p - PAGE_P)
figure, axis = plt.subplots(figsize=(8, 0.5 * len(numbers) + 1.5))
for row, line in numbers.iterrows():
    part = patients[(patients["group"] == line["group"]) & patients["arm"].isin([arms[0], str(line["arm"])])]
    beta, error, _ = cox(columns(part["arm"] == str(line["arm"])), part)
    own = np.exp([beta[0], beta[0] - Z * error[0], beta[0] + Z * error[0]])
    print(f"hazard ratio, {line['group']}, {line['arm']} against {arms[0]}: " + " ".join(f"{v:.10g}" for v in own))
    largest = max(largest, float(np.max(np.abs(own / line[["ratio", "low", "high"]].to_numpy(dtype=float) - 1))))
    axis.plot(own[1:], [row, row], color="black")
    axis.plot(own[0], row, "s", color="#0072B2")
axis.set(yticks=range(len(numbers)), yticklabels=numbers["group"] + ": " + numbers["arm"].astype(str), xscale="log",
         title=@title@, xlabel="hazard ratio")
axis.axvline(1, color="grey", linestyle=":")
axis.invert_yaxis()
figure.savefig(sys.argv[3], dpi=300, bbox_inches="tight")
print(f"largest difference {largest:.2e}")
sys.exit(0 if largest < 1e-6 else 1)
"""

_R = """# Fits the hazard ratios of the arms in each group and their interaction test again with the package survival,
# compares with the page, and draws.
# Rscript THIS.R NUMBERS.csv PATIENTS.csv FIGURE.pdf
library(survival)
files <- commandArgs(TRUE)
page_p <- @p@
numbers <- read.csv(files[1], colClasses = c(group = "character", arm = "character"))
patients <- read.csv(files[2], colClasses = c(group = "character", arm = "character"))
patients$group <- factor(patients$group, unique(numbers$group))
patients$arm <- factor(patients$arm, c(@arms_r@))
patients$entry[patients$entry == 0] <- -1  # Surv() takes no exit at the entry itself
outcome <- with(patients, Surv(entry, time, event))
small <- coxph(outcome ~ group + arm, patients)
large <- coxph(outcome ~ group * arm, patients)
p <- anova(small, large)[2, 4]
cat(sprintf("interaction p %.10g\\n", p))
largest <- abs(p - page_p)
own <- t(apply(numbers, 1, function(line) {
  part <- subset(patients, group == line[["group"]] & arm %in% c(levels(patients$arm)[1], line[["arm"]]))
  fit <- coxph(Surv(entry, time, event) ~ I(arm == line[["arm"]]), part)
  exp(c(coef(fit), confint(fit)))
}))
for (i in seq_len(nrow(numbers)))
  cat(sprintf("hazard ratio, %s, %s against %s: %.10g %.10g %.10g\\n", numbers$group[i], numbers$arm[i],
              levels(patients$arm)[1], own[i, 1], own[i, 2], own[i, 3]))
largest <- max(largest, abs(own / as.matrix(numbers[, c("ratio", "low", "high")]) - 1))
(if (capabilities("cairo")) cairo_pdf else pdf)(files[3], width = 8, height = 5)
dotchart(own[, 1], paste(numbers$group, numbers$arm), xlim = range(own), log = "x", main = @title@,
         xlab = "hazard ratio")
segments(own[, 2], seq_len(nrow(own)), own[, 3], seq_len(nrow(own)))
invisible(dev.off())
cat(sprintf("largest difference %.2e\\n", largest))
quit(status = if (largest < 1e-6) 0 else 1)
"""

_R_VOLCANO = """# Corrects the exported p-values again (Benjamini and Hochberg), compares, and draws the figure.
# Rscript THIS.R NUMBERS.csv FIGURE.pdf
files <- commandArgs(TRUE)
numbers <- read.csv(files[1])
q <- p.adjust(numbers$p, "BH")
largest <- max(abs(q - numbers$q))
(if (capabilities("cairo")) cairo_pdf else pdf)(files[2], width = 8, height = 5)
plot(numbers$effect, -log10(pmax(numbers$p, 1e-300)), pch = 16, col = ifelse(q < 0.05, "#0072B2", "#A9B8BA"),
     main = @title@, xlab = @axis@, ylab = "-log10 p")
invisible(dev.off())
cat(sprintf("%d of %d with q < 0.05\\n", sum(q < 0.05), length(q)))
cat(sprintf("largest difference %.2e\\n", largest))
quit(status = if (largest < 1e-9) 0 else 1)
"""


def interaction_python(title: str, arms: tuple[str, ...], p: float) -> str:
    """Python for the test of group × arm; ``arms`` the reference first, ``p`` that of the page."""
    text = _PYTHON.replace("@p@", repr(p)).replace("@arms@", repr(list(arms)))
    return text.replace("@title@", json.dumps(title, ensure_ascii=False))


def interaction_r(title: str, arms: tuple[str, ...], p: float) -> str:
    """R for the same."""
    quoted = ", ".join(json.dumps(arm, ensure_ascii=False) for arm in arms)
    text = _R.replace("@p@", repr(p)).replace("@arms_r@", quoted)
    return text.replace("@title@", json.dumps(title, ensure_ascii=False))


def volcano_r(title: str, axis: str) -> str:
    """R for the false discovery rates of a table of p-values."""
    text = _R_VOLCANO.replace("@title@", json.dumps(title, ensure_ascii=False))
    return text.replace("@axis@", json.dumps(axis, ensure_ascii=False))
