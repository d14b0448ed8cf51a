"""Hand-over to napari on the same machine: a session file, and the program that opens it. Never torch."""
