"""Worker ``app-runtime``: what an instance is asked to run is deployed on its GPUs while it runs, and watched."""
