"""Tables to map.html; the page's script, style and translations lie beside it."""
