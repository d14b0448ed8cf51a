"""Where a training keeps what it has finished, so that the same training, started again, goes on from there."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.jobs.task import UNITS
from core.results.files import read_json, write_json
from core.results.training_curve import FILE as CURVES
from core.tasks.provenance import code_version

if TYPE_CHECKING:
    from core.tasks.train import Prepared


@dataclass(frozen=True)
class Scratch:
    """A folder with the finished fits of a training (``units``), its curves, and the id its run will have.

    Fits lie under a hash of everything they depend on, the version of the code included: what another training, other
    data or another version left there is never taken for this one's.
    """

    root: Path

    @property
    def curves(self) -> Path:
        """The file of the epochs' curves."""
        return self.root / CURVES

    def units(self, prepared: Prepared) -> Path:
        """The folder of this training's finished fits, made when it is not there."""
        folder = self.root / UNITS / signature(prepared)
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        return folder

    def run_id(self, prepared: Prepared, make: Callable[[], str]) -> str:
        """The id of the first attempt, so that a run which was stored just before a crash is not stored twice."""
        path = self.units(prepared) / "run.json"
        if not path.is_file():
            write_json(path, {"id": make()})
        return str(read_json(path)["id"])

    def has_units(self, prepared: Prepared) -> bool:
        """Whether an earlier attempt finished anything."""
        return any(self.units(prepared).glob("fold*.safetensors"))


@contextmanager
def scratch_in(folder: Path | None) -> Iterator[Scratch]:
    """The scratch in ``folder``, or in a temporary one that vanishes at the end."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield Scratch(folder)
        return
    with tempfile.TemporaryDirectory(prefix="prognoscope-") as temporary:
        yield Scratch(Path(temporary))


def signature(prepared: Prepared) -> str:
    """A hash of everything a fit depends on."""
    inputs = prepared.dataset.inputs
    defining = [
        code_version(),
        prepared.cohort.content_hash,
        prepared.endpoint,
        asdict(prepared.spec),
        list(inputs.modalities),
        list(inputs.ids),
        prepared.folds.test_fold.tolist(),
        list(prepared.horizons),
        prepared.times.tolist(),
        *([prepared.start.run.id] if prepared.start is not None else []),
    ]
    digest = hashlib.sha256(json.dumps(defining, default=str, sort_keys=True).encode())
    for modality in sorted(inputs.bags):
        for bag in inputs.bags[modality]:
            digest.update(b"" if bag is None else bag.tobytes())
    return digest.hexdigest()[:24]
