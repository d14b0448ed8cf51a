"""Long work outside the web process: a queue in SQLite, one worker a workspace, one child process a job."""
