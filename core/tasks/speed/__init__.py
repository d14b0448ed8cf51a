"""What ``bench all`` measures beside the other benches: one file a question."""
