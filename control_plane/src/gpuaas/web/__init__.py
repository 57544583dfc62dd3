"""The web console: rendered on the server, no token and no script in the browser."""
