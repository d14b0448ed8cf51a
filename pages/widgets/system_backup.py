"""Backups on the System page: which there are, and a button for a new one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.care.backup_list import Backup, list_backups
from core.care.own_backups import VARIABLE, backup_folder
from core.care.words import moment_words, size_words
from core.results.workspace import Workspace
from pages.widgets.html import note, numbers_table
from pages.widgets.job_panel import Wanted, job_again, job_panel

SHOWN = 5
SEALS = {
    "key": "sealed, key file",
    "passphrase": "sealed, passphrase",
    "plain": "readable",
    "left out": "not in it",
}
WANTED = Wanted(
    "backup", {}, "Backup of the workspace", "Make a backup", "No backup yet",
    (
        "One file with everything this workspace keeps, as it is at one moment, every byte checked. Work may go on.",
        "The protected part (original ids, keys, slides and scans kept here) is encrypted; its key is written beside "
        "the backup: keep the two apart.",
    ),
)  # fmt: skip


def backup_panel(workspace: Workspace) -> None:
    """The last backups, or why one should be made."""
    st.header("Backup")
    made = list_backups(workspace)
    if not made:
        job_panel(WANTED, workspace)
    else:
        numbers_table(pd.DataFrame([_row(b) for b in made[:SHOWN]]), right=("Size",))
        job_again(WANTED, "Make a backup", workspace)
    folder = backup_folder(workspace)
    if folder.is_relative_to(workspace.root):
        note(f"It is written into the workspace's own folder “{folder.name}”: copy it to another disk, or name one in "
             f"{VARIABLE}.")  # fmt: skip
    note("On the command line: ./run cli backup FILE, and ./run cli restore FILE WORKSPACE")


def _row(made: Backup) -> dict[str, str]:
    return {
        "Made (UTC)": moment_words(made.made_at), "File": made.name, "Size": size_words(made.bytes),
        "Protected part": SEALS.get(made.seal, made.seal), "": "" if made.there else "moved or deleted",
    }  # fmt: skip
