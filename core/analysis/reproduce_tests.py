"""The part of a survival figure's scripts that computes the page's tests again: log-rank, Cox, Schoenfeld, RMST.

Only how many entered and left at each time matters to them, so the figure's exported numbers are enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from core.analysis.group_survival import GroupSurvival

_PYTHON = """
# The tests of the page. Its numbers:
PAGE = @page@


def at_risk_at(rows, time):
    before = rows["time"] < time
    left = rows["events"] + rows["competing"] + rows["censored"]
    at_start = rows["entered"][rows["time"] == 0].sum() if time == 0 else 0
    return rows["entered"][before].sum() + at_start - left[before].sum()


def counts_of(names):
    # (groups, times) at risk, and events, at each time of an event
    parts = [numbers[numbers["group"] == name] for name in names]
    times = sorted({t for rows in parts for t in rows["time"][rows["events"] > 0]})
    risk = np.array([[at_risk_at(rows, t) for t in times] for rows in parts], dtype=float)
    died = np.array([[rows["events"][rows["time"] == t].sum() for t in times] for rows in parts], dtype=float)
    return risk, died


def cox(names):
    # log hazard ratios against the first group and their errors: Newton's method, Efron's ties
    risk, died = counts_of(names)
    beta = np.zeros(len(names) - 1)
    for _ in range(50):
        weight = np.exp(np.append(0.0, beta))[:, None]
        gradient, information = died.sum(axis=1), np.zeros((len(names), len(names)))
        for r, d in zip(risk.T, died.T):
            left = weight * (r[:, None] - d[:, None] * np.arange(d.sum()) / d.sum())
            p = left / left.sum(axis=0)
            gradient = gradient - p.sum(axis=1)
            information += np.diag(p.sum(axis=1)) - p @ p.T
        information = information[1:, 1:]
        step = np.linalg.solve(information, gradient[1:])
        beta = beta + step
        if np.abs(step).max() < 1e-12:
            break
    return beta, np.sqrt(np.diag(np.linalg.inv(information)))


def logrank(names):
    risk, died = counts_of(names)
    n, d = risk.sum(axis=0), died.sum(axis=0)
    share, spread = risk / n, d * (n - d) / np.maximum(n - 1, 1)
    gap = (died.sum(axis=1) - share @ d)[:-1]
    covariance = (np.diag(share @ spread) - (share * spread) @ share.T)[:-1, :-1]
    statistic = float(gap @ np.linalg.solve(covariance, gap))
    return statistic, float(chi2.sf(statistic, len(names) - 1))


def holm(p):
    order, adjusted, so_far = np.argsort(p), np.empty(len(p)), 0.0
    for rank, index in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = so_far
    return adjusted


def apart(words, own, page):
    global largest
    own, page = np.atleast_1d(np.asarray(own, dtype=float)), np.atleast_1d(np.asarray(page, dtype=float))
    print(words, *(f"{value:.10g}" for value in own))
    largest = max(largest, float(np.max(np.abs(own - page) / np.maximum(1, np.abs(page)))))


names = list(dict.fromkeys(numbers["group"]))
if PAGE["chisq"] is not None:
    apart("log-rank chi-squared and p:", logrank(names), (PAGE["chisq"], PAGE["p"]))
if PAGE["holm"]:
    pairs = [logrank(pair)[1] for pair in combinations(names, 2)]
    apart("pairs, Holm:", holm(np.array(pairs)), PAGE["holm"])
if PAGE["ratios"]:
    beta, error = cox(names)
    apart("hazard ratios:", np.exp(beta), PAGE["ratios"])
    apart("  from:", np.exp(beta - Z * error), PAGE["low"])
    apart("  to:", np.exp(beta + Z * error), PAGE["high"])
if PAGE["rmst"]:
    apart("RMST differences, months:", [months[n] - months[names[0]] for n in names[1:]], PAGE["rmst"])
"""

_R = """
# The tests of the page. Its numbers:
page <- list(@page@)
people <- do.call(rbind, people)
late <- any(numbers$entered[numbers$time > 0] > 0)
logrank <- function(d) {
  if (!late) return(survdiff(Surv(exit, code == 1) ~ group, d)$chisq)
  # survdiff takes no late entry: the same sums over the times of events
  times <- sort(unique(d$exit[d$code == 1])); each <- sort(unique(d$group))
  risk <- sapply(times, function(t) sapply(each, function(g) sum(d$group == g & d$entry < t & d$exit >= t)))
  died <- sapply(times, function(t) sapply(each, function(g) sum(d$group == g & d$code == 1 & d$exit == t)))
  n <- colSums(risk); deaths <- colSums(died); share <- sweep(risk, 2, n, "/")
  spread <- deaths * (n - deaths) / pmax(n - 1, 1)
  gap <- (rowSums(died) - share %*% deaths)[-1]
  covariance <- (diag(as.vector(share %*% spread)) - sweep(share, 2, spread, "*") %*% t(share))[-1, -1]
  sum(gap * solve(covariance, gap))
}
apart <- function(words, own, page) {
  cat(words, sprintf("%.10g", own), "\\n")
  known <- !is.na(page)
  if (any(known)) largest <<- max(largest, (abs(own - page) / pmax(1, abs(page)))[known])
}
if (!is.null(page$chisq)) {
  statistic <- logrank(people)
  p <- pchisq(statistic, length(groups) - 1, lower.tail = FALSE)
  apart("log-rank chi-squared and p:", c(statistic, p), c(page$chisq, page$p))
}
if (!is.null(page$holm)) {
  pairs <- apply(combn(length(groups), 2), 2, function(two)
    pchisq(logrank(people[people$group %in% two, ]), 1, lower.tail = FALSE))
  apart("pairs, Holm:", p.adjust(pairs, "holm"), page$holm)
}
if (!is.null(page$ratios)) {
  fit <- coxph(Surv(entry, exit, code == 1) ~ factor(group), people, ties = "efron")
  limits <- exp(confint(fit))
  apart("hazard ratios:", exp(coef(fit)), page$ratios)
  apart("  from:", limits[, 1], page$low)
  apart("  to:", limits[, 2], page$high)
  apart("proportional hazards, p:", cox.zph(fit, terms = FALSE)$table[seq_along(coef(fit)), "p"], page$zph)
}
if (!is.null(page$rmst)) apart("RMST differences, months:", months[-1] - months[1], page$rmst)
"""


def page_numbers(result: GroupSurvival) -> dict[str, float | list[float] | None]:
    """The page's test results; None or an empty list for a test that was not made or whose p is withheld."""
    test, fit = result.logrank, result.hazard_ratios
    pairs = [p.p_adjusted for p in result.pairwise if p.correction == "holm"]
    gaps = [d.difference for d in result.rmst_differences]
    return {
        "chisq": None if test is None or test.p is None else test.statistic,
        "p": None if test is None else test.p,
        "holm": [float(p) for p in pairs if p is not None] if all(p is not None for p in pairs) else [],
        "ratios": [] if fit is None else fit.hazard_ratios.tolist(),
        "low": [] if fit is None else fit.low.tolist(),
        "high": [] if fit is None else fit.high.tolist(),
        "zph": [] if fit is None else fit.proportional_hazards_p.tolist(),
        "rmst": [float(g) for g in gaps if g is not None] if gaps and all(g is not None for g in gaps) else [],
    }  # fmt: skip


def tau_of(result: GroupSurvival) -> float:
    """The month up to which restricted means are taken; 0 without one."""
    return float(result.tau or 0.0)


def python_tests(result: GroupSurvival) -> str:
    """Python for the tests; empty for a single group."""
    if len(result.groups) < 2:
        return ""
    words = ", ".join(f"{key!r}: {_python(value)}" for key, value in page_numbers(result).items())
    return _PYTHON.replace("@page@", f"{{{words}}}")


def r_tests(result: GroupSurvival) -> str:
    """R for the tests; empty for a single group."""
    if len(result.groups) < 2:
        return ""
    return _R.replace("@page@", ", ".join(_r(page_numbers(result))))


def _python(value: float | list[float] | None) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_python(v) for v in value)}]"
    return repr(value) if value is None or math.isfinite(value) else f'float("{value}")'


def _r(numbers: dict[str, float | list[float] | None]) -> Iterable[str]:
    for key, value in numbers.items():
        many = value if isinstance(value, list) else [] if value is None else [value]
        if many:
            yield f"{key} = c({', '.join(_r_number(v) for v in many)})"


def _r_number(value: float) -> str:
    if math.isnan(value):
        return "NA"
    return ("Inf" if value > 0 else "-Inf") if math.isinf(value) else repr(value)
