"""What was done in a session: steps in the order they were made, each with the saved view it led to.

A trail is a tree told as a list: going back and then doing something else leaves the old steps in sight, as undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import PrognoscopeError

KEPT = 60
"""Steps kept; the oldest are forgotten beyond that."""


@dataclass(frozen=True)
class Step:
    """One thing that was done.

    Parameters
    ----------
    at : str
        Moment in UTC, ISO 8601 to the second.
    kind : str
        What sort of change; a run of the same small change (``gathered``) is told as its last one.
    words : str
        One line without any pseudonym.
    patient : str
        Pseudonym of the patient it speaks of, empty = of nobody.
    view : str
        Opaque id of the view it led to; empty = the view this trail is kept in.
    before : int
        Index of the step it was made from; -1 for the first.
    event : bool
        True for something that changed no choice (a file was exported): there is nothing to go back to.
    """

    at: str
    kind: str
    words: str
    patient: str = ""
    view: str = ""
    before: int = -1
    event: bool = False


@dataclass(frozen=True)
class Trail:
    """The steps, the index of the one whose choices are shown (``place``), and the pages that were looked at."""

    steps: tuple[Step, ...] = ()
    place: int = -1
    pages: tuple[str, ...] = ()

    def done(self, step: Step) -> Trail:
        """With one more step made from the present place, which becomes the place; an event leaves it."""
        steps = (*self.steps, replace(step, before=self.place))
        return replace(self, steps=steps, place=self.place if step.event else len(steps) - 1).within(KEPT)

    def again(self, step: Step) -> Trail:
        """With the last step told anew: the same small change, further on."""
        last = self.steps[-1]
        return replace(self, steps=(*self.steps[:-1], replace(step, before=last.before)))

    def joined(self, step: Step) -> Trail:
        """With what ``step`` says said by the present step as well: it was done before that one was kept."""
        now = self.steps[self.place]
        words = f"{now.words}; {step.words[:1].lower()}{step.words[1:]}"
        both = replace(now, words=words, patient=step.patient or now.patient)
        return replace(self, steps=(*self.steps[: self.place], both, *self.steps[self.place + 1 :]))

    @property
    def waits(self) -> bool:
        """Whether the present step is not yet kept in a view."""
        return bool(self.steps) and not self.steps[self.place].view

    def gathers(self, step: Step, kinds: frozenset[str]) -> bool:
        """Whether ``step`` continues the last one: of the same gathered kind, with nothing made in between."""
        last = len(self.steps) - 1
        return last > 0 and self.place == last and step.kind in kinds and self.steps[last].kind == step.kind

    def at(self, place: int) -> Trail:
        """The same steps seen from another place."""
        if not 0 <= place < len(self.steps) or self.steps[place].event:
            raise PrognoscopeError("no such step", "the history", "choose one of the steps listed")
        return replace(self, place=place)

    def seen(self, page: str) -> Trail:
        """With one more page that was looked at."""
        return self if page in self.pages else replace(self, pages=(*self.pages, page))

    def looked_at(self) -> Trail:
        """With the present step waiting for the view it is kept in: something small was changed since."""
        steps = tuple(replace(s, view="") if i == self.place else s for i, s in enumerate(self.steps))
        return replace(self, steps=steps)

    def kept_in(self, view: str) -> Trail:
        """With ``view`` as the view of the steps that lie in it."""
        return replace(self, steps=tuple(s if s.view or s.event else replace(s, view=view) for s in self.steps))

    @property
    def path(self) -> tuple[int, ...]:
        """Indices from the first step to the place, with the events on the way; the other steps are undone."""
        line, index = [], self.place
        while index >= 0:
            line.append(index)
            index = self.steps[index].before
        on = set(line)
        return tuple(i for i, s in enumerate(self.steps) if i in on or (s.event and s.before in on | {-1}))

    @property
    def back(self) -> int | None:
        """Index of the step that undo leads to, or None at the beginning."""
        before = self.steps[self.place].before if self.steps else -1
        return before if before >= 0 else None

    @property
    def forward(self) -> int | None:
        """Index of the step that redo leads to: the latest one made from here, or None."""
        after = [i for i, s in enumerate(self.steps) if s.before == self.place and not s.event]
        return after[-1] if after else None

    def within(self, most: int) -> Trail:
        """Without the oldest steps beyond ``most``, the place aside; what was made from a forgotten one begins anew."""
        gone = len(self.steps) - most
        if gone <= 0:
            return self
        kept = [i for i in range(len(self.steps)) if i >= gone or i == self.place]
        where = {old: new for new, old in enumerate(kept)}
        steps = tuple(replace(self.steps[i], before=where.get(self.steps[i].before, -1)) for i in kept)
        return replace(self, steps=steps, place=where[self.place])

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a saved view."""
        rows = [[s.at, s.kind, s.words, s.patient, s.view, s.before, s.event] for s in self.steps]
        return {"steps": rows, "place": self.place, "pages": list(self.pages)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Trail:
        """Rebuild from :meth:`as_json`; raises for anything else."""
        try:
            steps = tuple(
                Step(str(at), str(kind), str(words), str(patient), str(view), int(before), bool(event))
                for at, kind, words, patient, view, before, event in value["steps"]
            )
            found = cls(steps, int(value["place"]), tuple(str(p) for p in value["pages"]))
        except (KeyError, TypeError, ValueError) as error:
            raise PrognoscopeError(
                "a history this version cannot read", "a saved view", "open the page without ?view="
            ) from error
        inside = all(-1 <= s.before < i for i, s in enumerate(steps)) and -1 <= found.place < max(len(steps), 1)
        if not inside or (steps and (found.place < 0 or steps[found.place].event)):
            raise PrognoscopeError("a history that leads nowhere", "a saved view", "open the page without ?view=")
        return found
