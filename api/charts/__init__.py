"""Charts: one Vega-Lite specification each, drawn to SVG on the server."""
