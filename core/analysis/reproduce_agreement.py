"""Python and R that compute the rank correlation of two runs again from the drawn estimates, and draw them."""

from __future__ import annotations

import math

from core.analysis.reproduce_pieces import About, python_script, r_script

_PURPOSE = """\
Computes the rank correlation (Spearman) of two runs again from their exported estimates, compares with that
of the page and with the exported differences, and draws them."""

_PYTHON = """PAGE = @page@  # rank correlation of the page
own = float(np.corrcoef(numbers["first"].rank(), numbers["second"].rank())[0, 1]) if np.isfinite(PAGE) else np.nan
print(f"rank correlation {own:.10g}")
apart(own, PAGE)
apart(numbers["second"] - numbers["first"], numbers["difference"])
figure, axis = plt.subplots(figsize=(6, 6))
for status, part in numbers.groupby("status"):
    axis.scatter(part["first"], part["second"], s=14, label=status)
axis.axline((0, 0), slope=1, color="grey", linestyle=":")
axis.set(title=TITLE, xlabel="first run", ylabel="second run")
axis.legend(frameon=False)
"""

_R = """page <- @page@  # rank correlation of the page
own <- if (is.na(page)) NA else cor(numbers$first, numbers$second, method = "spearman")
cat(sprintf("rank correlation %.10g\\n", own))
apart(own, page)
apart(numbers$second - numbers$first, numbers$difference)
status <- factor(numbers$status)
plot(numbers$first, numbers$second, pch = as.integer(status), main = title, xlab = "first run", ylab = "second run")
abline(0, 1, lty = 3)
legend("topleft", legend = levels(status), pch = seq_along(levels(status)), bty = "n")
"""


def agreement_python(title: str, spearman: float) -> str:
    """Python for the scatter of two runs; ``spearman`` is the page's, NaN where it has none."""
    page = repr(float(spearman)) if math.isfinite(spearman) else 'float("nan")'
    return python_script(About(_PURPOSE, title, ("patient",), patients=False), _PYTHON.replace("@page@", page))


def agreement_r(title: str, spearman: float) -> str:
    """R for the same."""
    page = repr(float(spearman)) if math.isfinite(spearman) else "NA"
    return r_script(About(_PURPOSE, title, ("patient",), patients=False), _R.replace("@page@", page))
