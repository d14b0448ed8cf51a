"""``export-features``."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.output import Answer, ProgressBar
from core.cli.paths import user_path
from core.cohort.modality import Modality
from core.results.workspace import Workspace
from core.tasks.export_features import Layout, export_features


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("export-features", help="write a cohort's slide features as CLAM or TRIDENT files")
    add.add_argument("cohort", metavar="COHORT")
    add.add_argument(
        "--modality", choices=[Modality.SLIDES.value], default=Modality.SLIDES.value,
        help="both formats hold patches of slides alone",
    )  # fmt: skip
    add.add_argument("--format", choices=[x.value for x in Layout], default=Layout.CLAM.value, dest="layout")
    add.add_argument("--to", required=True, metavar="FOLDER", help="a new folder")
    add.set_defaults(run=run_export)


def run_export(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Write the files and say how many."""
    target = user_path(args.to)
    done = export_features(args.cohort, Layout(args.layout), target, workspace, ProgressBar())
    lines = [
        f"{done.slides:,} slides of {done.patients:,} patients, {done.patches:,} patches × {done.width} numbers "
        f"({done.encoder}) in {target}",
        "File names are pseudonyms; coordinates are the patches' corners in level-0 pixels.",
        *(f"  left out: {patient}: {reason}" for patient, reason in done.left_out),
    ]
    return Answer(done.as_json(), lines)
