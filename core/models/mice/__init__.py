"""MICE: consensual, specialised and overlapping experts for many cancers."""
