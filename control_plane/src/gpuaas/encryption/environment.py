"""What an environment is called."""

from __future__ import annotations

from urllib.parse import urlsplit


def environment_of(issuer: str) -> str:
    """The domain below which everything of it has its name, such as its issuer."""
    return (urlsplit(issuer).hostname or "").partition(".")[2]
