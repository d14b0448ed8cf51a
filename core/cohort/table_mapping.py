"""What the columns of a user's own table mean: proposed by the preview, corrected by the user, read by the import."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.cohort.column_view import CodeCount
from core.cohort.importers.table import PER_MONTH

UNITS = tuple(PER_MONTH)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,23}")


@dataclass(frozen=True)
class EndpointMapping:
    """One endpoint: its time and event column, the meaning of each event code, and the words for its events.

    ``codes`` maps a code to ``censored``, ``event`` or ``competing``; a code that is not in it was not answered yet.
    """

    name: str
    time: str = ""
    event: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    event_label: str = ""
    competing_label: str = ""


@dataclass(frozen=True)
class TableMapping:
    """The meaning of a table's columns; an empty string means "not said yet" or "there is none"."""

    id: str = ""
    time_unit: str = ""
    endpoints: tuple[EndpointMapping, ...] = ()
    entry: str = ""
    site: str = ""
    time_zero: str = ""
    inputs: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def outcome_columns(self) -> tuple[str, ...]:
        """The columns that are id, time, event or entry: no data of the patients themselves."""
        named = (self.id, self.entry, *(c for e in self.endpoints for c in (e.time, e.event)))
        return tuple(dict.fromkeys(c for c in named if c))

    def columns(self) -> dict[str, str]:
        """The ``columns`` option of the import."""
        single = {"id": self.id, "time_unit": self.time_unit, "entry": self.entry, "site": self.site,
                  "time_zero": self.time_zero}  # fmt: skip
        for suffix, endpoint in zip(self._suffixes(), self.endpoints, strict=True):
            single |= {f"time{suffix}": endpoint.time, f"event{suffix}": endpoint.event}
            single |= {f"event_label{suffix}": endpoint.event_label.strip()}
            if "competing" in endpoint.codes.values():
                single |= {f"competing_label{suffix}": endpoint.competing_label.strip()}
        lists = {"input": self.inputs, "marker": self.markers, "drop": self.dropped}
        # a line end stands even after a single name, so that a comma inside a name parts nothing
        return {k: v for k, v in single.items() if v} | {k: "\n".join(v) + "\n" for k, v in lists.items() if v}

    def events(self) -> dict[str, str]:
        """The ``events`` option of the import: each code under its own column."""
        return {f"{e.event}:{code}": meaning for e in self.endpoints for code, meaning in e.codes.items()}

    def _suffixes(self) -> list[str]:
        """``time`` and ``event`` alone mean overall survival; every other endpoint is named."""
        return ["" if e.name == "OS" else f":{e.name}" for e in self.endpoints]

    def open_questions(self, codes: Mapping[str, Sequence[CodeCount]]) -> tuple[str, ...]:
        """What has to be answered before the table can be read, one sentence each; empty when nothing is open.

        Parameters
        ----------
        codes : mapping of event column to its codes
        """
        found = []
        if not self.id:
            found.append("Choose the column that tells the patients apart.")
        if not self.time_unit:
            found.append("Choose the unit of the times.")
        if not self.endpoints:
            found.append("Add an endpoint: a time and an event for each patient.")
        for endpoint in self.endpoints:
            found += _open_in(endpoint, codes.get(endpoint.event, ()))
        names = Counter(e.name for e in self.endpoints)
        found += [f"Two endpoints are called {n}: rename or remove one." for n, count in names.items() if count > 1]
        return (*found, *self._used_twice())

    def _used_twice(self) -> list[str]:
        """Columns with two jobs; two endpoints may share a time, since one follow-up can end in several ways."""
        times = {e.time for e in self.endpoints if e.time}
        events = {e.event for e in self.endpoints if e.event}
        jobs = Counter([*times, *events, *(c for c in (self.id, self.entry, self.site) if c)])
        return [f"The column {c} is used for two things: choose another for one." for c, n in jobs.items() if n > 1]


def _open_in(endpoint: EndpointMapping, codes: Sequence[CodeCount]) -> list[str]:
    found = []
    if not _NAME.fullmatch(endpoint.name):
        found.append("Give each endpoint a short name of letters and digits, such as OS.")
    if not endpoint.time:
        found.append(f"Choose the time column of {endpoint.name}.")
    if not endpoint.event:
        return [*found, f"Choose the event column of {endpoint.name}."]
    if not codes:
        found.append(f"The column {endpoint.event} has too many different values to be an event: choose another.")
        return found
    for code in codes:
        if code.code not in endpoint.codes:
            found.append(f"Say what {code.code} in the column {endpoint.event} means ({code.count:,} patients).")
    meanings = set(endpoint.codes.values())
    if "event" not in meanings and len(endpoint.codes) == len(codes):
        found.append(f"No code of {endpoint.event} means that the event happened: {endpoint.name} needs one.")
    if "competing" in meanings and not endpoint.competing_label.strip():
        found.append(f"Name the competing event of {endpoint.name}, for example liver transplant.")
    return found
