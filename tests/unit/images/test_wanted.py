"""Which images a lane runs."""

from __future__ import annotations

from ansible_collections.gpuaas.parity.plugins.module_utils._images.wanted import wanted

SERVICES = {
    "db": {"image": "postgres"},
    "api": {"image": "app"},
    "web": {"image": "app"},
    "proxy": {},
    "dns": {"image": "coredns", "provided_by": "the surroundings"},
}


def test_each_image_of_what_the_mode_deploys_once() -> None:
    assert wanted({"target": "kubernetes", "services": SERVICES}) == ["app", "postgres"]


def test_a_compose_project_also_runs_what_hands_out_the_files() -> None:
    assert wanted({"target": "compose", "services": SERVICES}) == ["app", "base", "postgres"]
