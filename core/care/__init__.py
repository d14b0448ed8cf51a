"""Care of the workspace: its version, backups, erasure of patients, errors, and what the System page tells."""
