"""What a fleet serves. Nothing here, and nobody who asks it, knows that the machines are simulated."""
