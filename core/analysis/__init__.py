"""From a cohort, a selection and the reader's choices to the record a figure draws. Never reaches torch."""
