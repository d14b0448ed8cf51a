"""Survival statistics: pure functions of times, events and predictions."""
