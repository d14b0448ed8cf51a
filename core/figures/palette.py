"""The two palettes, light and dark: every colour of figures and pages has a role here, and the roles are measured.

Text roles reach 4.5:1 on ground, surface and chip; mark roles reach 3:1; what is neither only decorates (WCAG 2.2 AA).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for, as ``#RRGGBB``.

    Parameters
    ----------
    scheme : str
        ``"light"`` or ``"dark"``, as browsers call it.
    ground, surface, chip : str
        What everything stands on: the page, a quiet box, a chip.
    ink, soft, muted, accent, warning : str
        Text, from the strongest to the quietest, then the two that say something. All of them may be marks as well.
    on_accent : str
        Text on ``accent``.
    banner, on_banner : str
        The strip at the foot of the page.
    mark : str
        The quietest a mark may be that has to be seen.
    edge, line, faint, hair : str
        Borders of controls and boxes, guide lines, grid lines: decoration.
    pale, rest, middle, deep, balance : str
        Bars that are not the one spoken of, bars of everybody, the middle and end of a scale, the middle of a
        two-sided scale: ``pale`` and ``rest`` carry an outline in ``accent`` or ``mark``.
    liver, tumour, both : str
        Grounds of a report's sentences by what they speak of.
    groups, inks : tuple of str
        Colours of groups as marks, and the same as text.
    """

    scheme: str
    ground: str
    surface: str
    chip: str
    ink: str
    soft: str
    muted: str
    accent: str
    warning: str
    on_accent: str
    banner: str
    on_banner: str
    mark: str
    edge: str
    line: str
    faint: str
    hair: str
    pale: str
    rest: str
    middle: str
    deep: str
    balance: str
    liver: str
    tumour: str
    both: str
    groups: tuple[str, ...]
    inks: tuple[str, ...]

    def roles(self) -> Mapping[str, str]:
        """Role → colour; groups and their inks by number (``group1`` …)."""
        single = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("scheme", "groups", "inks")}
        groups = {f"group{i}": c for i, c in enumerate(self.groups, start=1)}
        return MappingProxyType(single | groups | {f"ink{i}": c for i, c in enumerate(self.inks, start=1)})


LIGHT = Palette(
    scheme="light", ground="#FFFFFF", surface="#F3F7F7", chip="#E9F1F1",
    ink="#17282B", soft="#3C5054", muted="#55676B", accent="#0B5D66", warning="#9A3B00",
    on_accent="#FFFFFF", banner="#0B5D66", on_banner="#FFFFFF",
    mark="#7B8C8F", edge="#B9CDCF", line="#D5DFE0", faint="#C9D6D8", hair="#E7EEEF",
    pale="#9DBFC3", rest="#DCE6E7", middle="#7FB3B8", deep="#06363C", balance="#8C857B",
    liver="#E8F2F9", tumour="#FDF0E7", both="#F7EEF4",
    groups=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"),
    inks=("#0067A1", "#A84800", "#00775A", "#9C4676", "#000000"),
)  # fmt: skip
"""White and teal; also the palette of every file and of print."""

DARK = Palette(
    scheme="dark", ground="#10191B", surface="#1A272A", chip="#223236",
    ink="#E6EFF0", soft="#C3D2D4", muted="#9FB2B5", accent="#5CC2CC", warning="#FFA270",
    on_accent="#10191B", banner="#0B5D66", on_banner="#FFFFFF",
    mark="#7C9296", edge="#4A5D61", line="#33454A", faint="#3D5055", hair="#263639",
    pale="#2F6A72", rest="#2C3E42", middle="#2F7F88", deep="#B5EEF3", balance="#948C82",
    liver="#14304A", tumour="#40261A", both="#3A2434",
    groups=("#3F92E3", "#F4774A", "#00C08B", "#E7A6CB", "#FFFFFF"),
    inks=("#62A9EE", "#F78F68", "#00C08B", "#E7A6CB", "#FFFFFF"),
)  # fmt: skip
"""The same roles on a dark teal ground."""

PALETTES: Mapping[str, Palette] = MappingProxyType({p.scheme: p for p in (LIGHT, DARK)})
