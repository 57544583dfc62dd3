"""The journal: every event of a project in the order in which it was written down, as a chain that a reader verifies."""
