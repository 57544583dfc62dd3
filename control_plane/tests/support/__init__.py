"""Real servers, and an issuer of our own, for the tests."""
