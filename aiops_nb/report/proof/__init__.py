"""Where the figures of a report come from, and whether they still hold."""
