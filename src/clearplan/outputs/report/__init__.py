"""Tables to report.html, report.pdf and records.html."""
