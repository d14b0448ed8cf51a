"""Many independent pieces of one computation: in this process, in processes of this machine, or on a Ray cluster."""
