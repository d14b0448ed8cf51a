"""One file a job the command line (and later the worker) can run."""
