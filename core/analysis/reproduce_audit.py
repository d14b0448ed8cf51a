"""Python and R that compute what an audit's exported numbers allow to compute again, compare, and draw them."""

from __future__ import annotations

from core.analysis.reproduce_pieces import About, python_script, quoted, r_script
from core.results.audit import AuditReport

KINDS = ("markers", "controls", "weights", "gate", "stability", "treatment")

_PURPOSES = {
    "markers": """\
Computes the differences of the R², their mean in each block (the selectivity) and the p-values corrected over all
markers (Benjamini and Hochberg) again from the exported numbers, compares, and draws them. The R² come from the models
and each p from permuting patients: neither can be computed from this file.""",
    "controls": """\
Computes the p-values of the paired differences again from their means and intervals (t with one degree of freedom less
than there are folds times seeds), corrects them again (Holm), compares, and draws them. Needs scipy in Python. The
selectivities come from the models and their p from permuting patients: neither can be computed from this file.""",
    "weights": """\
Computes the 95 % intervals again from the exported means and standard errors, compares, and draws them. The means are
over patients whose single weights an audit does not keep.""",
    "gate": """\
Computes the 95 % intervals of the rank correlations again from their values and numbers of patients (Fisher's z with
the variance of Bonett and Wright), compares, and draws them. Each p comes from permuting patients: it cannot be
computed from this file.""",
    "stability": """\
Counts the pairs of seeds again, compares, and draws the exported agreement. Mean and range are over pairs of models
whose single values an audit does not keep.""",
    "treatment": """\
Computes each term's Wald test again from its hazard ratio and 95 % interval, compares, and draws them. Needs scipy in
Python. An audit keeps no single patients: the Cox model itself cannot be fitted again from this file.""",
}

_PYTHON = {
    "markers": """PAGE = @page@  # selectivity of each block on the page
own, other, p = (numbers[c].to_numpy(dtype=float) for c in ("R² own expert", "R² other expert", "p"))
low = high = values = own - other
apart(values, numbers["Difference"])
for block, page in PAGE.items():
    mean = values[numbers["Block"] == block].mean()
    print(f"selectivity, {block}: {mean:.10g}")
    apart(mean, page)
if np.isfinite(p).all():
    down = np.argsort(-p, kind="stable")
    q = np.empty(len(p))
    q[down] = np.minimum.accumulate(p[down] * len(p) / np.arange(len(p), 0, -1)).clip(max=1)
    apart(q, numbers["p corrected (Benjamini-Hochberg)"])
names = numbers["Marker"]
""",
    "controls": """from scipy.stats import t as student

TESTS = @tests@  # folds times seeds
names, values = numbers["Model"] + ", " + numbers["Block"], numbers["Selectivity"]
low = high = values
if "Run minus control" in numbers:
    part = numbers[numbers["Run minus control"].notna()]
    mean, start, end, p = (part[c].to_numpy(dtype=float) for c in ("Run minus control", "Low (95 %)", "High (95 %)",
                                                                   "p of it"))
    apart((start + end) / 2, mean)
    error = (end - start) / 2 / student.ppf(0.975, TESTS - 1) if TESTS > 1 else np.zeros(len(p))
    known = error > 0
    apart(2 * student.sf(np.abs(mean[known] / error[known]), TESTS - 1), p[known])
    up, holm = np.argsort(p, kind="stable"), np.empty(len(p))
    holm[up] = np.maximum.accumulate(p[up] * np.arange(len(p), 0, -1)).clip(max=1)
    print("Holm:", *(f"{value:.10g}" for value in holm))
    apart(holm, part["p corrected (Holm)"])
    second = [tuple(numbers[c] for c in ("Run minus control", "Low (95 %)", "High (95 %)")) + ("run minus control",)]
""",
    "weights": """names, values, error = numbers["Fifth"], numbers["Mean tumour weight"], numbers["Standard error"]
low, high = values - 1.96 * error, values + 1.96 * error
apart(low, numbers["Low (95 %)"])
apart(high, numbers["High (95 %)"])
""",
    "gate": """names, values = numbers["Model"], numbers["Rank correlation"].to_numpy(dtype=float)
n = numbers["Patients"].to_numpy(dtype=float)
reach = 1.959963984540054 * np.sqrt((1 + values**2 / 2) / (n - 3))
low, high = np.tanh(np.arctanh(values) - reach), np.tanh(np.arctanh(values) + reach)
for name, start, end in zip(names, low, high):
    print(f"{name}: {start:.10g} to {end:.10g}")
apart(low, numbers["Low (95 %)"])
apart(high, numbers["High (95 %)"])
""",
    "stability": """FOLDS, SEEDS = @folds@, @seeds@
names, values, low, high = (numbers[c] for c in ("Agreement", "Mean", "From", "To"))
apart(np.full(len(numbers), FOLDS * SEEDS * (SEEDS - 1) / 2), numbers["Pairs"])
""",
    "treatment": """from scipy.stats import norm

names, ratio, start, end = (numbers[c] for c in ("Term", "Hazard ratio", "Low (95 %)", "High (95 %)"))
values, low, high = np.log(ratio), np.log(start), np.log(end)
apart((low + high) / 2, values)
wald = 2 * norm.sf(np.abs(values) / ((high - low) / 2 / 1.959963984540054))
print("p:", *(f"{p:.10g}" for p in wald))
apart(wald, numbers["p"])
""",
}
_PYTHON_DRAW = """
panels = [(values, low, high, @axis@), *second]
figure, axes = plt.subplots(1, len(panels), figsize=(8, 0.4 * len(numbers) + 1.5), squeeze=False, sharey=True)
for axis, (middle, start, end, words) in zip(axes[0], panels):
    axis.hlines(range(len(numbers)), start, end)
    axis.plot(middle, range(len(numbers)), "o")
    axis.axvline(@line@, color="grey", linewidth=1)
    axis.set(yticks=range(len(numbers)), yticklabels=names, xlabel=words)
axes[0, 0].invert_yaxis()
figure.suptitle(TITLE)
"""

_R = {
    "markers": """names(numbers) <- c("marker", "block", "patients", "own", "other", "difference", "p", "corrected")
page <- list(@page@)  # selectivity of each block on the page
values <- low <- high <- numbers$own - numbers$other
apart(values, numbers$difference)
for (block in names(page)) {
  mean <- mean(values[numbers$block == block])
  cat(sprintf("selectivity, %s: %.10g\\n", block, mean))
  apart(mean, page[[block]])
}
if (!anyNA(numbers$p)) apart(p.adjust(numbers$p, "BH"), numbers$corrected)
labels <- numbers$marker
""",
    "controls": """tests <- @tests@  # folds times seeds
labels <- paste(numbers$Model, numbers$Block, sep = ", ")
values <- low <- high <- numbers$Selectivity
if (!is.null(numbers[["Run minus control"]])) {
  part <- numbers[!is.na(numbers[["Run minus control"]]), ]
  mean <- part[["Run minus control"]]; start <- part[["Low (95 %)"]]; end <- part[["High (95 %)"]]
  apart((start + end) / 2, mean)
  error <- if (tests > 1) (end - start) / 2 / qt(0.975, tests - 1) else rep(0, nrow(part))
  known <- error > 0
  p <- part[["p of it"]]
  if (any(known)) apart(2 * pt(-abs(mean / error)[known], tests - 1), p[known])
  holm <- p.adjust(p, "holm", n = length(p))
  cat("Holm:", sprintf("%.10g", holm), "\\n")
  apart(holm, part[["p corrected (Holm)"]])
  second <- list(numbers[["Run minus control"]], numbers[["Low (95 %)"]], numbers[["High (95 %)"]], "run minus control")
}
""",
    "weights": """labels <- numbers$Fifth; values <- numbers[["Mean tumour weight"]]
low <- values - 1.96 * numbers[["Standard error"]]; high <- values + 1.96 * numbers[["Standard error"]]
apart(low, numbers[["Low (95 %)"]])
apart(high, numbers[["High (95 %)"]])
""",
    "gate": """labels <- numbers$Model; values <- numbers[["Rank correlation"]]
reach <- qnorm(0.975) * sqrt((1 + values^2 / 2) / (numbers$Patients - 3))
low <- tanh(atanh(values) - reach); high <- tanh(atanh(values) + reach)
cat(sprintf("%s: %.10g to %.10g\\n", labels, low, high), sep = "")
apart(low, numbers[["Low (95 %)"]])
apart(high, numbers[["High (95 %)"]])
""",
    "stability": """folds <- @folds@; seeds <- @seeds@
labels <- numbers$Agreement; values <- numbers$Mean; low <- numbers$From; high <- numbers$To
apart(rep(folds * choose(seeds, 2), nrow(numbers)), numbers$Pairs)
""",
    "treatment": """labels <- numbers$Term; values <- log(numbers[["Hazard ratio"]])
low <- log(numbers[["Low (95 %)"]]); high <- log(numbers[["High (95 %)"]])
apart((low + high) / 2, values)
wald <- 2 * pnorm(-abs(values) / ((high - low) / 2 / qnorm(0.975)))
cat("p:", sprintf("%.10g", wald), "\\n")
apart(wald, numbers$p)
""",
}
_R_DRAW = """place <- rev(seq_along(values))
panels <- c(list(list(values, low, high, @axis@)), if (length(second)) list(second))
par(mfrow = c(1, length(panels)))
for (panel in panels) {
  limits <- range(unlist(panel[1:3]), @line@, na.rm = TRUE)
  dotchart(panel[[1]][place], as.character(labels)[place], xlim = limits, main = title, xlab = panel[[4]], cex = 0.8)
  segments(panel[[2]][place], seq_along(values), panel[[3]][place], seq_along(values))
  abline(v = @line@, lty = 3)
}
"""
_WORDS = ("Marker", "Block", "Model", "Agreement", "Term")
_AXES = {
    "markers": "own expert minus other, share of variation", "controls": "selectivity", "weights": "mean weight",
    "gate": "rank correlation", "stability": "agreement", "treatment": "log hazard ratio",
}  # fmt: skip


def audit_python(kind: str, title: str, report: AuditReport) -> str:
    """Python for one of :data:`KINDS`, from the CSV of the table of that name."""
    page = {block: _number(found.value, "python") for block, found in report.selectivity.items()}
    words = ", ".join(f"{quoted(block)}: {value}" for block, value in page.items())
    body = _filled("second = []\n" + _PYTHON[kind] + _PYTHON_DRAW, kind, report).replace("@page@", f"{{{words}}}")
    return python_script(About(_PURPOSES[kind], title, _WORDS, patients=False), body)


def audit_r(kind: str, title: str, report: AuditReport) -> str:
    """R for the same."""
    words = ", ".join(f"{quoted(block)} = {_number(found.value, 'R')}" for block, found in report.selectivity.items())
    body = _filled("second <- list()\n" + _R[kind] + _R_DRAW, kind, report).replace("@page@", words)
    return r_script(About(_PURPOSES[kind], title, _WORDS, patients=False), body)


def _filled(body: str, kind: str, report: AuditReport) -> str:
    texts = {
        "tests": report.folds * report.seeds, "folds": report.folds, "seeds": report.seeds,
        "line": 0.5 if kind == "weights" else 0, "axis": quoted(_AXES[kind]),
    }  # fmt: skip
    for key, text in texts.items():
        body = body.replace(f"@{key}@", str(text))
    return body


def _number(value: float, language: str) -> str:
    if value == value:
        return repr(float(value))
    return 'float("nan")' if language == "python" else "NA"
