"""One file a format: reads foreign files into a Cohort."""
