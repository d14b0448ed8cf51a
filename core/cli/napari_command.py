"""``napari``: a patient's slides and scans with the run's maps in the desktop viewer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.cli.output import Answer
from core.cli.paths import user_path
from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.desktop.make_session import make_session
from core.desktop.screen import no_screen, open_command, picture_command
from core.desktop.session import Looking, Session, load_session, save_session, session_path
from core.errors import PrognoscopeError
from core.media.geojson import Area, read_geojson
from core.media.slides import open_slide
from core.results.run_store import load_run
from core.results.workspace import Workspace


def add_commands(commands: Any) -> None:
    """Register the command of this file."""
    add = commands.add_parser("napari", help="open a patient's slides, scans and maps in napari")
    add.add_argument("run_id", nargs="?", default="", metavar="RUN")
    add.add_argument("patient", nargs="?", default="", metavar="PATIENT", help="pseudonym")
    add.add_argument("--session", default="", metavar="FILE", help="open this session; with RUN PATIENT: write it here")
    add.add_argument("--screenshot", default="", metavar="PNG", help="keep a picture of each window and close them")
    add.add_argument("--slide", type=int, default=1, help="which of the patient's slides, from 1")
    add.add_argument("--at", default="", metavar="X,Y,ZOOM", help="level-0 px in the middle, and screen px for each")
    add.add_argument("--annotations", default="", metavar="GEOJSON", help="areas on that slide, as QuPath writes them")
    add.add_argument("--cohort", default="", help="of a patient who is new to the run; the run's own when left out")
    add.set_defaults(run=run_napari)


def run_napari(args: argparse.Namespace, workspace: Workspace) -> Answer:
    """Write the session and open it; without a screen say so, with the commands that open it elsewhere."""
    if args.run_id and args.patient:
        session = _made(args, workspace)
        target = user_path(args.session) if args.session else session_path(session, workspace)
        path = save_session(session, target)
    elif args.session and not args.run_id:
        path = user_path(args.session)
        session = load_session(path)
    else:
        raise PrognoscopeError("nothing to open", "the command napari", "give RUN PATIENT, or --session FILE")
    reason = no_screen()
    pictures: tuple[Path, ...] = ()
    if not reason:
        from core.desktop.window import open_session

        pictures = open_session(session, user_path(args.screenshot) if args.screenshot else None)
    return _answer(session, path, reason, pictures)


def _made(args: argparse.Namespace, workspace: Workspace) -> Session:
    number = args.slide - 1
    looking = Looking(slide=number)
    if args.at:
        try:
            x, y, zoom = (float(v) for v in args.at.split(","))
        except ValueError as error:
            raise PrognoscopeError(f"{args.at!r} is no place", "--at", "write it as X,Y,ZOOM") from error
        looking = Looking(number, x, y, zoom)
    areas = _areas(args, number, workspace) if args.annotations else {}
    return make_session(args.run_id, args.patient, workspace, looking, areas, args.cohort)


def _areas(args: argparse.Namespace, number: int, workspace: Workspace) -> dict[int, tuple[Area, ...]]:
    cohort = args.cohort or load_run(args.run_id, workspace).cohort
    slides = load_media(cohort, workspace).of(args.patient, Modality.SLIDES, MediaKind.SLIDE)
    if not 0 <= number < len(slides):
        raise PrognoscopeError(f"slide {args.slide} of {len(slides)}", "--slide", "choose one that is there")
    try:
        content = user_path(args.annotations).read_bytes()
    except OSError as error:
        raise PrognoscopeError("a file that cannot be opened", "--annotations", "name a GeoJSON file") from error
    with open_slide(slides[number].path) as slide:
        return {number: read_geojson(content, slide.dimensions).areas}


def _answer(session: Session, path: Path, reason: str, pictures: tuple[Path, ...]) -> Answer:
    lines = [f"Session: {path}", *(f"  note: {n}" for n in session.notes)]
    if reason:
        lines += [
            f"napari was not opened: {reason}.",
            f"  where there is a screen:  {open_command(path)}",
            f"  a picture without one:    {picture_command(path)}",
        ]
    lines += [f"Picture: {p}" for p in pictures]
    answer = {
        "run": session.run,
        "session": str(path),
        "opened": not reason,
        "reason": reason,
        "command": open_command(path),
        "slides": len(session.slides),
        "maps": [m.key for m in session.maps],
        "scans": sum(not s.mask for s in session.scans),
        "pictures": [str(p) for p in pictures],
        "notes": list(session.notes),
    }
    return Answer(answer, lines)
