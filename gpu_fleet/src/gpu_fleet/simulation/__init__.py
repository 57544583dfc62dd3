"""The machines, which are simulated, and the API by which one lets them fail."""
