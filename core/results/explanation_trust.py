"""How far the explanations of one run may be trusted: measured numbers, what they mean and what would be good."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from core.results.explained import Kind
from core.results.files import MANIFEST, new_folder, read_json, verify_folder, write_json
from core.results.workspace import Workspace, checked_name


@dataclass(frozen=True)
class TrustNumber:
    """One measured number.

    ``name`` what was measured, in plain words · ``value`` None where it could not be · ``good`` the bound that is asked
    for, ``high`` whether values above it are good · ``chance`` what an explanation that knows nothing would reach, or
    None · ``words`` one sentence on what it means.
    """

    name: str
    value: float | None
    good: float
    high: bool
    chance: float | None
    words: str

    @property
    def passed(self) -> bool | None:
        """Whether the bound is met; None without a value."""
        if self.value is None:
            return None
        return self.value >= self.good if self.high else self.value <= self.good


@dataclass(frozen=True)
class ExplanationTrust:
    """The numbers of one kind of explanation of one run.

    ``patients`` how many they were measured on · ``planted`` whether the cohort's truth is known and was compared with.
    """

    run: str
    kind: Kind
    patients: int
    models: int
    synthetic: bool
    planted: bool
    numbers: tuple[TrustNumber, ...]
    command: str
    code_version: str
    notes: tuple[str, ...] = ()


def save_trust(found: ExplanationTrust, workspace: Workspace) -> None:
    """Store it; an earlier one of the same run and kind is replaced."""
    with new_folder(workspace.explanations / checked_name(found.run, "run id") / f"trust-{found.kind}") as folder:
        write_json(folder / "trust.json", asdict(found))


def load_trust(run: str, kind: Kind, workspace: Workspace) -> ExplanationTrust | None:
    """What is stored of a run and kind, or None; raises for a file that was altered."""
    folder = workspace.explanations / checked_name(run, "run id") / f"trust-{kind}"
    if not (folder / MANIFEST).is_file():
        return None
    verify_folder(folder)
    facts = read_json(folder / "trust.json")
    facts["kind"] = Kind(facts["kind"])
    facts["numbers"] = tuple(TrustNumber(**n) for n in facts["numbers"])
    facts["notes"] = tuple(facts["notes"])
    return ExplanationTrust(**facts)
