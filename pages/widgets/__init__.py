"""What pages share: top bar, chips, strip."""
