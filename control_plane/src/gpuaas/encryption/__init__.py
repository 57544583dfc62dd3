"""What is sealed, who may open it, and what is refused. No cryptography of its own: joserfc and cryptography do the work."""
