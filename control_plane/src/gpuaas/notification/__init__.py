"""Worker ``notification``: what happened to an instance becomes its timeline."""
