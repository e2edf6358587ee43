"""Tables to charts, as SVG or PNG."""
