"""The GPU fleet, as a controller sees it: its published contract (gpu_fleet/openapi.json), and nothing of how it works."""
