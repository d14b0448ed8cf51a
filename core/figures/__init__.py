"""Record to plotly figure, pure functions, one theme."""
