"""The one state every page shares: typed, immutable, kept on the server, named in the address by an opaque id."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import streamlit as st

from core.analysis.group_survival import SurvivalOptions
from core.analysis.grouping import Cut, GroupBy, Source
from core.analysis.outcome import CompetingAs
from core.analysis.training_choices import TrainingChoices
from core.cohort.selection import Filter, NamedGroup, Selection
from core.errors import PrognoscopeError
from core.results.trail import Step, Trail
from core.results.views import load_view, save_view
from core.results.workspace import Workspace

KEY = "page_state"
ADDRESS = "view"
TRAIL, EVENTS, RETURNS = "trail", "history_events", "history_returns"
GATHERED = frozenset({"training", "comparing", "auditing"})
"""Forms of many boxes: what is set in one of them without a break is one step."""
DEFAULT_MONTH = 36.0
SETTLING_SECONDS = 3.0
"""For so long after the address was changed a browser may still send the one before."""


@dataclass(frozen=True)
class Choices:
    """What the reader chose on the pages.

    ``evaluate_many`` asks for a run's quality even where that takes seconds; ``picked`` are pseudonyms ticked in a
    table or chosen on a curve (they filter nothing); ``charts`` are the columns drawn on the Cohort page and
    ``table`` the order of its table: (column, largest first, page).
    """

    competing_as: CompetingAs = CompetingAs.CENSORED
    landmark: float = 0.0
    group_by: GroupBy = field(default_factory=lambda: GroupBy(Source.RISK))
    survival: SurvivalOptions = field(default_factory=SurvivalOptions)
    band: bool = True
    evaluate_many: bool = False
    picked: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    table: tuple[str, bool, int] = ("", False, 0)


@dataclass(frozen=True)
class Comparing:
    """What the Compare page shows.

    ``runs`` ids in the order they were chosen · ``baseline`` the one the others are subtracted from · ``pair`` the two
    runs of the scatter · ``month`` of its survival, 0 = the place of the risk within its fold · ``metric`` of the
    forest figure. Empty names mean "the first there is".
    """

    runs: tuple[str, ...] = ()
    baseline: str = ""
    pair: tuple[str, str] = ("", "")
    month: float | None = None
    metric: str = "harrell_c"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparing:
        first, second = value["pair"]
        month = value["month"]
        return cls(
            tuple(str(r) for r in value["runs"]), str(value["baseline"]), (str(first), str(second)),
            None if month is None else float(month), str(value["metric"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Auditing:
    """What the next audit is asked for: the controls as well, the column of the treatment arm (empty = none), and the
    month from which the arms are counted."""

    controls: bool = False
    treatment: str = ""
    landmark: float = 0.0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Auditing:
        return cls(bool(value["controls"]), str(value["treatment"]), float(value["landmark"]))


@dataclass(frozen=True)
class Phenotyping:
    """How the Phenotypes tab makes its groups: by what, of which level, into how many. Empty = the first there is."""

    by: str = ""
    level: str = ""
    count: int = 3

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Phenotyping:
        return cls(str(value["by"]), str(value["level"]), int(value["count"]))


@dataclass(frozen=True)
class PageState:
    """Cohort, run, endpoint, selection, named groups and choices; empty names mean "the first there is".

    ``training`` what the Train page would start · ``job`` the training it shows · ``comparing`` the Compare page ·
    ``auditing`` the Audit tab · ``patient`` the patient all pages speak of, ``beside`` one kept to compare with (both
    pseudonyms, empty = nobody) · ``month`` the horizon shown, one of the run's · ``presented`` how the Patient page
    presents a number (empty = as a sentence) · ``phenotyping`` and ``arm`` (column of the treatment arm) the Phenotypes
    tab.
    """

    cohort: str = ""
    run: str = ""
    endpoint: str = ""
    selection: Selection = field(default_factory=Selection)
    groups: tuple[NamedGroup, ...] = ()
    options: Choices = field(default_factory=Choices)
    training: TrainingChoices = field(default_factory=TrainingChoices)
    job: str = ""
    comparing: Comparing = field(default_factory=Comparing)
    auditing: Auditing = field(default_factory=Auditing)
    patient: str = ""
    beside: str = ""
    month: float = DEFAULT_MONTH
    presented: str = ""
    board: str = ""
    phenotyping: Phenotyping = field(default_factory=Phenotyping)
    arm: str = ""

    def of_cohort(self, name: str) -> PageState:
        """The state after another cohort was chosen: nothing of the old one applies to it."""
        return self if name == self.cohort else PageState(cohort=name)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a saved view."""
        return {
            "cohort": self.cohort, "run": self.run, "endpoint": self.endpoint,
            "selection": self.selection.as_json(),
            "groups": [{"name": g.name, "ids": list(g.ids)} for g in self.groups],
            "options": asdict(self.options),
            "training": self.training.as_json(), "job": self.job, "comparing": asdict(self.comparing),
            "auditing": asdict(self.auditing),
            "patient": self.patient, "beside": self.beside, "month": self.month, "presented": self.presented,
            "board": self.board, "phenotyping": asdict(self.phenotyping), "arm": self.arm,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PageState:
        """Rebuild from :meth:`as_json`, also from a view saved before a part existed; raises for anything else."""
        try:
            options = value["options"]
            by, survival = options["group_by"], options["survival"]
            sort, descending, number = options["table"]
            return cls(
                cohort=str(value["cohort"]), run=str(value["run"]), endpoint=str(value["endpoint"]),
                selection=Selection.from_json(value["selection"]),
                groups=tuple(NamedGroup.of(g["name"], g["ids"]) for g in value["groups"]),
                options=Choices(
                    competing_as=CompetingAs(options["competing_as"]), landmark=float(options["landmark"]),
                    group_by=GroupBy(Source(by["source"]), by["column"], Cut(by["cut"]), tuple(by["points"])),
                    survival=SurvivalOptions(tuple(survival["years"]), survival["tau"], survival["correction"]),
                    band=bool(options["band"]), evaluate_many=bool(options["evaluate_many"]),
                    picked=tuple(options["picked"]), charts=tuple(options["charts"]),
                    table=(str(sort), bool(descending), int(number)),
                ),
                training=TrainingChoices.from_json(value["training"]) if "training" in value else TrainingChoices(),
                job=str(value.get("job", "")),
                comparing=Comparing.from_json(value["comparing"]) if "comparing" in value else Comparing(),
                auditing=Auditing.from_json(value["auditing"]) if "auditing" in value else Auditing(),
                patient=str(value.get("patient", "")), beside=str(value.get("beside", "")),
                month=float(value.get("month", DEFAULT_MONTH)), presented=str(value.get("presented", "")),
                board=str(value.get("board", "")), arm=str(value.get("arm", "")),
                phenotyping=Phenotyping.from_json(value["phenotyping"]) if "phenotyping" in value else Phenotyping(),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise PrognoscopeError(
                "a saved view this version cannot read", "the address", "open the page without ?view="
            ) from error


@dataclass(frozen=True)
class _Held:
    """What the session keeps: the state, and the id under which the address shows it.

    ``published`` the state behind ``shown`` · ``before`` the id that stood in the address until ``since`` (seconds of a
    clock): a click may still be under way with it · ``trail`` what was done so far, ``told`` the state it ends with
    · ``kept`` the history behind ``shown``.
    """

    state: PageState
    shown: str = ""
    published: PageState | None = None
    before: str = ""
    since: float = 0.0
    trail: Trail = field(default_factory=Trail)
    told: PageState | None = None
    kept: Trail = field(default_factory=Trail)


def _held() -> _Held:
    held = st.session_state.get(KEY)
    return held if isinstance(held, _Held) else _Held(PageState())


def current() -> PageState:
    """The state of this session."""
    return _held().state


def put(state: PageState) -> None:
    """Make ``state`` the session's state; the address follows at the end of the run (:func:`publish`)."""
    st.session_state[KEY] = replace(_held(), state=state)


def choose(**changes: Any) -> None:
    """Change choices of the Survival page."""
    state = current()
    put(replace(state, options=replace(state.options, **changes)))


def train_with(**changes: Any) -> None:
    """Change choices of the Train page."""
    state = current()
    put(replace(state, training=replace(state.training, **changes)))


def watch_job(job: str) -> None:
    """Show this job on the Train page."""
    put(replace(current(), job=job))


def compare_with(**changes: Any) -> None:
    """Change choices of the Compare page."""
    state = current()
    put(replace(state, comparing=replace(state.comparing, **changes)))


def choose_patient(patient: str) -> None:
    """Let all pages speak of this patient (a pseudonym; empty = of nobody)."""
    put(replace(current(), patient=patient))


def keep_beside(patient: str) -> None:
    """Keep this patient to compare others with; empty = nobody."""
    put(replace(current(), beside=patient))


def choose_board(board: str) -> None:
    """The list of patients that the Board page shows and patients are added to."""
    put(replace(current(), board=board))


def choose_month(month: float) -> None:
    """The horizon the pages show of a patient."""
    put(replace(current(), month=month))


def phenotypes_by(**changes: Any) -> None:
    """Change how the Phenotypes tab makes its groups."""
    state = current()
    put(replace(state, phenotyping=replace(state.phenotyping, **changes)))


def choose_arm(column: str) -> None:
    """The column of the treatment arm on the Phenotypes tab."""
    put(replace(current(), arm=column))


def audit_with(**changes: Any) -> None:
    """Change choices of the Audit tab."""
    state = current()
    put(replace(state, auditing=replace(state.auditing, **changes)))


def add_filter(*filters: Filter) -> None:
    """Narrow the selection; a filter on the same column or modality is replaced."""
    selection = current().selection
    for item in filters:
        selection = selection.with_filter(item)
    put(replace(current(), selection=selection))


def remove_filter(item: Filter) -> None:
    """Take one filter away (the ✕ of its chip)."""
    put(replace(current(), selection=current().selection.without(item)))


def clear_filters() -> None:
    """Select everybody again."""
    put(replace(current(), selection=Selection()))


def restore(workspace: Workspace) -> None:
    """Take the state the address names, when it names another one than is shown (a shared link, the back button).

    A click is sent with the address the browser had then, which may be older than what the server has put there since:
    what the click changed, or has just been published, is not undone by it.

    Raises
    ------
    PrognoscopeError
        When the view is unknown; the session then keeps its own state and the address is corrected.
    """
    asked = st.query_params.get(ADDRESS, "")
    held = _held()
    if not asked or asked == held.shown:
        return
    if held.published is not None and held.state != held.published:
        return
    if asked == held.before and time.monotonic() - held.since < SETTLING_SECONDS:
        return
    st.session_state[KEY] = replace(held, shown=asked, published=None)  # a broken address is told once, not each click
    value = load_view(asked, workspace)
    state = PageState.from_json(value)
    trail = Trail.from_json(value[TRAIL]).kept_in(asked) if TRAIL in value else Trail()
    st.session_state[KEY] = _Held(state, asked, state, trail=trail, told=state, kept=trail)


Tell = Callable[[PageState | None, PageState], Step | None]
"""Says in a step what changed between two states; None where it is not worth a line."""


def tell_history(title: str, tell: Tell) -> None:
    """Take up into the history what the state changed since it was last told, and what happened beside it."""
    held = _held()
    trail, state = held.trail, held.state
    step = tell(held.told if trail.steps else None, state) if not trail.steps or state != held.told else None
    if step is not None:
        if trail.waits:
            trail = trail.joined(step)
        else:
            trail = trail.again(step) if trail.gathers(step, GATHERED) else trail.done(step)
    elif state != held.told:
        trail = trail.looked_at()
    waiting = events()
    while waiting:
        trail = trail.done(waiting.pop(0))
    st.session_state[KEY] = replace(held, trail=trail.seen(title), told=state)


def publish(workspace: Workspace) -> None:
    """Save the state with its history on the server and put the opaque id, and nothing else, into the address.

    A session that has only just begun has the id of its state alone: the same for everybody who begins there.
    """
    held = _held()
    state, trail = held.state, held.trail
    if trail == held.kept and state == held.published and held.shown:
        name = held.shown
    else:
        began = len(trail.steps) == 1 and len(trail.pages) == 1
        value = state.as_json() if began else state.as_json() | {TRAIL: trail.as_json()}
        name = save_view(value, workspace)
        trail = trail.kept_in(name)
    if st.query_params.get(ADDRESS) != name:
        st.query_params[ADDRESS] = name
    before, since = (held.before, held.since) if held.shown == name else (held.shown, time.monotonic())
    st.session_state[KEY] = _Held(state, name, state, before, since, trail, state, trail)


def events() -> list[Step]:
    """What happened without changing a choice and is not yet in the history; a file's button adds to it."""
    found: list[Step] = st.session_state.setdefault(EVENTS, [])
    return found


def trail() -> Trail:
    """What was done in this session, as of the last finished run."""
    return _held().trail


def return_to(place: int, workspace: Workspace) -> None:
    """Take the choices of an earlier (or undone) step; the steps after it stay in the history.

    Raises
    ------
    PrognoscopeError
        When there is no such step, or its view is no longer kept.
    """
    held = _held()
    if held.trail.waits:  # left before its page was drawn to the end: it must be found again
        name = save_view(held.state.as_json(), workspace)
        held = replace(held, trail=held.trail.kept_in(name))
    there = held.trail.at(place)
    state = PageState.from_json(load_view(there.steps[place].view, workspace))
    st.session_state[KEY] = replace(held, state=state, told=state, trail=there)
    st.session_state[RETURNS] = returns() + 1


def returns() -> int:
    """How often this session has returned to another step of its history."""
    return int(st.session_state.get(RETURNS, 0))
