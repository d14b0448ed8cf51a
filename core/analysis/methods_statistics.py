"""The statistics behind each page as sentences of a methods section, and the software they were computed with."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from core import __version__
from core.analysis.group_survival import FEWEST_AT_RISK, FEWEST_EVENTS, FEWEST_PATIENTS, SurvivalOptions
from core.analysis.grouping import Cut, GroupBy, Source
from core.analysis.outcome import CompetingAs

LIBRARIES = ("numpy", "scipy", "pandas")
CHECKED_AGAINST = "R 4.2.2 with survival 3.5-3 and maxstat 0.7-25"
"""The oracle of the tests of the statistics: every number equals it to 1e-6, every count exactly."""


def curve_sentences(competing_as: CompetingAs, options: SurvivalOptions) -> list[str]:
    """How a survival or incidence curve and what is read from it were computed."""
    *first, last = (f"{y:g}" for y in options.years)
    years = f"{', '.join(first)} and {last}" if first else last
    if competing_as is CompetingAs.COMPETING:
        curve = "Cumulative incidence was estimated by Aalen and Johansen's method, with competing events counted apart"
    else:
        curve = "Survival was estimated by Kaplan and Meier's method"
    return [
        f"{curve}, with 95 % intervals on the log(-log) scale.",
        f"It is stated at {years} years and called not estimable with fewer than {FEWEST_AT_RISK} patients at risk.",
    ]


def group_sentences(by: GroupBy, options: SurvivalOptions, competing_as: CompetingAs) -> list[str]:
    """How groups were compared; nothing for a single group."""
    if by.source is Source.NONE:
        return []
    limits = f"fewer than {FEWEST_PATIENTS} patients or {FEWEST_EVENTS} events"
    if by.cut is Cut.BEST and by.source is Source.COLUMN:
        test = "the maximally selected log-rank test, whose p-value is adjusted for the search of the cut"
    else:
        test = f"the log-rank test, pairs of groups with {options.correction.capitalize()}'s correction"
    end = "the shortest follow-up of the groups" if options.tau is None else f"month {options.tau:g}"
    found = [
        f"Groups were compared by {test}; no p-value was given with {limits} in a group.",
        "Hazard ratios come from Cox models with Efron's ties and Wald intervals; proportional hazards were checked "
        "by the score test on Schoenfeld residuals.",
    ]
    if competing_as is CompetingAs.COMPETING:
        return [*found, "Tests and hazard ratios are cause-specific."]
    return [*found, f"Restricted mean survival times were compared up to {end}."]


_OF_PAGE = {
    "Survival": (
        "The run was judged on the selected patients by observed (Kaplan-Meier) against estimated survival in groups, "
        "the calibration slope of the complementary log-log, the integrated calibration index, the Brier score "
        "weighted by the inverse probability of censoring beside the Kaplan-Meier null of each training fold, and the "
        "cumulative/dynamic AUC over pairs within a fold.",
    ),
    "Experts": (
        "Groups made by the model's experts use the gates of models that never saw the patient; agreement between "
        "seeds is the mean adjusted Rand index with a bootstrap interval over patients, stability of a group its mean "
        "Jaccard similarity.",
        "Groups were profiled by the Mann-Whitney test with the rank-biserial correlation as effect and the false "
        "discovery rate of Benjamini and Hochberg over all columns and genes.",
        "Treatment arms within groups were compared by Cox models; whether they differ between groups, by the "
        "likelihood-ratio test of the products of group and arm. This is descriptive, not causal.",
    ),
    "Patient": (
        "Single estimates are the mean of the models that never saw the patient; the spread over these models is "
        "given beside each.",
    ),
    "Compare": (
        "Runs were compared on the patients all of them predicted, by paired bootstrap intervals over patients and by "
        "the corrected resampled t-test over folds and seeds with Holm's correction.",
    ),
    "Evidence": (
        "Decision curves give the net benefit under censoring with bootstrap intervals, beside acting on all, on "
        "nobody, and on the stage alone estimated in the other folds; groups of patients were judged by Harrell's C "
        "and by estimated minus observed survival.",
    ),
}  # fmt: skip


def page_sentences(pages: Sequence[str], has_run: bool) -> list[str]:
    """What the pages that were looked at compute of a run."""
    return [s for page in pages for s in _OF_PAGE.get(page, ())] if has_run else []


def software_sentence() -> str:
    """Program, interpreter and libraries with their versions."""
    found = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return (
        f"Analyses were made with Prognoscope {__version__} (Python {platform.python_version()}, {found}); its "
        f"statistics are its own and are tested against {CHECKED_AGAINST}."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"
