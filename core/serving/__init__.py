"""Own routes beside the pages: signed tokens and the check every route passes."""
