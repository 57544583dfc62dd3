"""From a request to GPUs that run, and back: workflows on Temporal, whose steps ask the fleet and change the database."""
