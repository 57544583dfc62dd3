"""What the members of a project look at: how it stands, what happened, and what is sealed for them."""
