"""Every job without the browser."""
