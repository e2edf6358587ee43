"""Files and servers to checked tables in metres."""
