"""Cohorts: patients, endpoints, modalities, importers, splits."""
