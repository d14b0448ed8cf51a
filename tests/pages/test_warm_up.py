"""A warmed server has everything a page imports, and nothing heavy."""

from __future__ import annotations

import subprocess
import sys

from tests.pages.builders import page

SCRIPT = """
import ast, sys
from pathlib import Path
from pages.widgets.warm_up import load_pages
load_pages()
for script in Path(sys.argv[1]).glob("*.py"):
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(("core", "pages")):
            assert node.module in sys.modules, (script.name, node.module)
assert "torch" not in sys.modules
assert "streamlit.testing.v1" not in sys.modules
"""


def test_every_page_finds_its_parts_loaded() -> None:
    folder = page("main").parent
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)], cwd=folder.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
