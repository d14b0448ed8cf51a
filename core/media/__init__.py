"""Slides, volumes and reports as pixels and text. Knows no model and never torch."""
