"""What API and web share of OpenID Connect: discovery, keys, token checks."""
