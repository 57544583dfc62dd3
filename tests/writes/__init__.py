"""A logged-in user who keeps writing while the platform is damaged, and the account of what became of each write."""
