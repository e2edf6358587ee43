"""Tables to XLSX."""
