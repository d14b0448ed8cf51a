"""Every figure a test of this folder draws is measured."""

from __future__ import annotations

from tests.figures.readable import every_figure_is_readable

__all__ = ["every_figure_is_readable"]
