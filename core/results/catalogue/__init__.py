"""Models, their settings and presets in words: what a page offers without loading a single model."""
