"""What changed between two states of the pages, in one plain line that names no patient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from core.analysis.methods_text import grouping_words
from core.analysis.outcome import CompetingAs
from core.analysis.phenotypes import By
from core.cohort.cohort import Cohort
from core.cohort.selection import Filter, IdsFilter, Selection
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.naming import model_words, run_words
from core.results.run import Run
from core.results.trail import Step
from pages.widgets.state import PageState, Phenotyping

PHENOTYPE = "phenotype: "


@dataclass(frozen=True)
class Change:
    """Two states of the pages and what they speak of; ``before`` has the cohort of ``after``."""

    before: PageState
    after: PageState
    cohort: Cohort
    runs: tuple[Run, ...]

    def differs(self, name: str) -> bool:
        """Whether a part of the state is another one."""
        return bool(getattr(self.before, name) != getattr(self.after, name))


Part = tuple[str, str]
"""Kind and words."""


def told(before: PageState | None, after: PageState, cohort: Cohort, runs: tuple[Run, ...]) -> Step | None:
    """The step from ``before`` (None: the session begins) to ``after``; None where nothing worth a line changed."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if before is None or before.cohort != after.cohort:
        return Step(now, "cohort", _opened(after, cohort, begins=before is None))
    change = Change(before, after, cohort, runs)
    parts = [part for tell in _TELLERS for part in tell(change)]
    if not parts:
        return None
    words = "; ".join([parts[0][1], *(w[:1].lower() + w[1:] for _, w in parts[1:])])
    patient = after.patient if change.differs("patient") else after.beside if change.differs("beside") else ""
    return Step(now, parts[0][0], words, patient)


def exported(words: str) -> Step:
    """A file was made; no choice changed."""
    return Step(datetime.now(UTC).isoformat(timespec="seconds"), "export", words, event=True)


def _opened(state: PageState, cohort: Cohort, begins: bool) -> str:
    words = f"Cohort {cohort.title} opened ({plural(len(cohort), 'patient')})"
    if begins and state.selection:
        words += f", with a saved selection of {_left(state.selection, cohort)}"
    return words


def _selection(change: Change) -> Iterator[Part]:
    if not change.differs("selection"):
        return
    old, new = change.before.selection.filters, change.after.selection.filters
    left = _left(change.after.selection, change.cohort)
    if not new:
        yield "selection", f"Selection cleared: {left}"
        return
    gone, added = [f for f in old if f not in new], [f for f in new if f not in old]
    if added and len(new) == len(old):
        yield "selection", f"Filter changed to {_listed(added, change.cohort)}: {left}"
    elif added:
        yield "selection", f"{_narrowed(added, change.cohort)}: {left}"
    else:
        yield "selection", f"Filter removed, {_listed(gone, change.cohort)}: {left}"


def _narrowed(added: list[Filter], cohort: Cohort) -> str:
    only = added[0] if len(added) == 1 else None
    if isinstance(only, IdsFilter) and only.label.startswith(PHENOTYPE):
        return f"Phenotype taken as selection, {only.label.removeprefix(PHENOTYPE)}"
    return f"Selected {_listed(added, cohort)}"


def _listed(filters: list[Filter], cohort: Cohort) -> str:
    return ", ".join(f.words(cohort) for f in filters)


def _left(selection: Selection, cohort: Cohort) -> str:
    try:
        count = selection.apply(cohort).count
    except PrognoscopeError:
        return "which cannot be applied to this cohort"
    return f"{count:,} of {plural(len(cohort), 'patient')}"


def _groups(change: Change) -> Iterator[Part]:
    old, new = change.before.groups, change.after.groups
    for group in new:
        if group not in old:
            yield "group", f"Group saved, {group.name} ({plural(len(group), 'patient')})"
    for group in old:
        if group not in new:
            yield "group", f"Group removed, {group.name}"


def _run(change: Change) -> Iterator[Part]:
    if not change.differs("run"):
        return
    run = next((r for r in change.runs if r.id == change.after.run), None)
    yield "run", f"Run chosen, {run_words(run)}" if run is not None else f"Run {change.after.run} chosen"


def _outcome(change: Change) -> Iterator[Part]:
    if change.differs("endpoint"):
        endpoint = change.cohort.endpoint(change.after.endpoint)
        yield "endpoint", f"Endpoint {endpoint.label} ({endpoint.name})"
    old, new = change.before.options, change.after.options
    if old.competing_as is not new.competing_as:
        how = {CompetingAs.CENSORED: "end follow-up", CompetingAs.COMPETING: "are counted apart",
               CompetingAs.EVENT: "count as the event"}  # fmt: skip
        yield "endpoint", f"Competing events {how[new.competing_as]}"
    if old.landmark != new.landmark:
        words = f"Landmark at month {new.landmark:g}" if new.landmark else "Landmark removed"
        yield "landmark", words
    if change.differs("month") and not change.differs("run"):
        yield "month", f"Horizon {change.after.month:g} months"


def _comparison(change: Change) -> Iterator[Part]:
    old, new = change.before.options, change.after.options
    if old.group_by != new.group_by:
        yield "groups", grouping_words(new.group_by, change.cohort)
    if old.survival.years != new.survival.years:
        yield "years", "Survival stated at " + ", ".join(f"{y:g}" for y in new.survival.years) + " years"
    if old.survival.tau != new.survival.tau:
        end = "the shortest follow-up" if new.survival.tau is None else f"month {new.survival.tau:g}"
        yield "tau", f"Restricted mean survival time up to {end}"


def _patient(change: Change) -> Iterator[Part]:
    if change.differs("patient"):
        yield "patient", "Patient chosen" if change.after.patient else "Patient let go"
    if change.differs("beside"):
        yield "patient", "Patient pinned to compare" if change.after.beside else "Patient unpinned"


def _experts(change: Change) -> Iterator[Part]:
    if change.differs("phenotyping"):
        found = change.after.phenotyping
        yield "phenotypes", f"Phenotypes made {phenotyping_words(found)}"
    if change.differs("arm"):
        yield "arm", f"Treatment arm {change.cohort.label(change.after.arm)}"
    old, new = change.before.auditing, change.after.auditing
    if old != new:
        arm = f", treatment arm {change.cohort.label(new.treatment)}" if new.treatment else ""
        controls = ", with controls" if new.controls else ""
        month = f", arms counted from month {new.landmark:g}" if new.treatment and new.landmark else ""
        yield "auditing", f"Audit set up{arm}{month}{controls}"


def phenotyping_words(found: Phenotyping) -> str:
    """``"by dominant expert of level 2"``, ``"by clusters of gates, 3 groups"``."""
    if found.by == By.DOMINANT:
        return "by dominant expert" + (f" of {found.level}" if found.level else "")
    return f"by {found.by}, {found.count} groups"


def _work(change: Change) -> Iterator[Part]:
    if change.differs("training"):
        chosen = change.after.training
        seeds = plural(chosen.seeds, "seed")
        yield "training", f"Training set up, {model_words(chosen.model)}, {chosen.folds}-fold, {seeds}"
    if change.differs("job") and change.after.job:
        yield "job", f"Job {change.after.job[:8]} followed"
    old, new = change.before.comparing, change.after.comparing
    if old != new:
        count = f"{plural(len(new.runs), 'run')} chosen to compare" if old.runs != new.runs else "Comparison changed"
        yield "comparing", count
    if change.differs("board"):
        yield "board", "Board list opened" if change.after.board else "Board list closed"


_TELLERS: tuple[Callable[[Change], Iterator[Part]], ...] = (
    _run, _selection, _groups, _outcome, _comparison, _patient, _experts, _work,
)  # fmt: skip
