"""What workers say of themselves and of what they alone can see, for whoever operates the platform: rows of table reports."""
