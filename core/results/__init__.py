"""Records that outlive a process, and the workspace that keeps them. Never imports torch."""
