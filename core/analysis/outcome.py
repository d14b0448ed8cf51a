"""The outcome as the reader wants it: endpoint, time zero, and what a competing event counts as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.cohort import Cohort, Exclusion
from core.errors import PrognoscopeError


class CompetingAs(StrEnum):
    """What a competing event (a transplant, a death of another cause) counts as."""

    CENSORED = "censored"
    COMPETING = "competing"
    EVENT = "event"


@dataclass(frozen=True, eq=False)
class Outcome:
    """Times and events of the ``n`` analysed patients.

    Parameters
    ----------
    rows : (n,) int array
        Row numbers in the cohort.
    ids : tuple of n str
        Pseudonyms.
    entry, time : (n,) float arrays
        Months from ``time_zero``.
    codes : (n,) int array
        0 censored, 1 event, 2 competing event, after the reader's choice.
    label, time_zero, event_label, competing_label : str
        Words for axes and titles; ``competing_label`` is empty unless code 2 is used.
    excluded : tuple of Exclusion
        Selected patients who could not be analysed, and why.
    censored_label : str
        The competing event where some of them count as censored, for the figure to say so; else empty.
    """

    rows: IntArray
    ids: tuple[str, ...]
    entry: FloatArray
    time: FloatArray
    codes: IntArray
    label: str
    time_zero: str
    event_label: str
    competing_label: str
    excluded: tuple[Exclusion, ...]
    censored_label: str = ""

    def __len__(self) -> int:
        return len(self.time)

    @property
    def event(self) -> BoolArray:
        """(n,) True where the event happened."""
        event: BoolArray = self.codes == 1
        return event

    @property
    def remaining(self) -> str:
        """What a survival curve shows of this endpoint, in words.

        ``"Overall survival"``; ``"Free of death without transplant"`` for an endpoint that is named after its event.
        """
        named = any(word in self.label.lower() for word in ("surviv", "free"))
        return self.label if named else f"Free of {self.event_label}"

    @property
    def n_events(self) -> int:
        return int(self.event.sum())

    @property
    def competing(self) -> bool:
        """True when competing events stand apart, so that incidence and not survival is drawn."""
        return bool((self.codes == 2).any())

    @property
    def entry_if_delayed(self) -> FloatArray | None:
        """Entry times where anybody entered late, else None."""
        return self.entry if bool((self.entry > 0).any()) else None

    def take(self, keep: BoolArray) -> Outcome:
        """The outcome of a part of the patients."""
        index = np.flatnonzero(keep)
        return Outcome(
            self.rows[index], tuple(self.ids[i] for i in index), self.entry[index], self.time[index],
            self.codes[index], self.label, self.time_zero, self.event_label, self.competing_label, self.excluded,
            self.censored_label,
        )  # fmt: skip


def make_outcome(
    cohort: Cohort,
    rows: IntArray,
    endpoint: str | None = None,
    competing_as: CompetingAs = CompetingAs.CENSORED,
    landmark: float = 0.0,
) -> Outcome:
    """Times and events of the selected patients.

    Parameters
    ----------
    rows : (m,) int array
        Row numbers of the selected patients.
    endpoint : str or None
        Name of the endpoint; None = the cohort's first.
    competing_as : CompetingAs
        Counts a competing event as censoring, as itself, or as the event.
    landmark : float
        Months after the endpoint's time zero from which time is counted; patients whose follow-up or event-free
        time ended before are left out and counted.

    Raises
    ------
    PrognoscopeError
        When the endpoint is unknown or no selected patient can be analysed.
    """
    chosen = cohort.endpoint(endpoint)
    part = chosen.take(rows)
    known = part.known
    reached = known & (part.time > landmark) if landmark > 0 else known
    counted = (
        ("no usable follow-up time", int((~known).sum())),
        (f"event or end of follow-up before month {landmark:g}", int((known & ~reached).sum())),
    )
    codes = part.codes.copy()
    hidden = competing_as is CompetingAs.CENSORED and bool((codes[reached] == 2).any())
    if competing_as is CompetingAs.CENSORED:
        codes[codes == 2] = 0
    if competing_as is CompetingAs.EVENT:
        codes[codes == 2] = 1
    index = np.asarray(rows, dtype=np.int64)[reached]
    if not len(index):
        raise PrognoscopeError(
            "no patient with a usable follow-up time", f"the selection ({len(rows)} patients)", "remove a filter"
        )
    both = competing_as is CompetingAs.EVENT and chosen.has_competing
    names = np.asarray(cohort.patients.index)[index]
    return Outcome(
        rows=index,
        ids=tuple(str(name) for name in names),
        entry=np.maximum(part.entry[reached] - landmark, 0.0),
        time=part.time[reached] - landmark,
        codes=codes[reached],
        label=chosen.label,
        time_zero=f"the landmark, {landmark:g} months after {chosen.time_zero}" if landmark > 0 else chosen.time_zero,
        event_label=f"{chosen.event_label} or {chosen.competing_label}" if both else chosen.event_label,
        competing_label=chosen.competing_label if competing_as is CompetingAs.COMPETING else "",
        excluded=tuple(Exclusion(reason, count) for reason, count in counted if count),
        censored_label=chosen.competing_label if hidden else "",
    )
