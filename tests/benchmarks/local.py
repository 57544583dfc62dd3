"""The figures of the compose mode and of the rendering, each as a ratio measured in the same run.

    .venv/bin/python tests/benchmarks/local.py [--rounds 3] [--output FILE]

Nothing is judged: a figure that is over its aim is shown as such. It is the
compose platform of this checkout, which must be down: `make local-dev-down`.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from figures import Figure, publish
from tools import HERE, PLAYBOOKS, ROOT, Ansible, Failed, Watch, run, timed

PROJECT = "gpuaas-local"
RENDERED = ROOT / "deploy" / "local"
SCRATCH = ROOT / ".cache" / "bench-render"


def compose(*argv: str) -> str:
    """Docker Compose on the rendered files, as a person would type it there."""
    return run("docker", "compose", "--project-directory", RENDERED, *files(), *argv)


def files() -> list[str]:
    """The files that the rendered .env names."""
    named = dict(line.split("=", 1) for line in (RENDERED / ".env").read_text(encoding="utf-8").splitlines() if "=" in line)
    profiles = [part for profile in named["COMPOSE_PROFILES"].split(",") for part in ("--profile", profile)]
    return [part for name in named["COMPOSE_FILE"].split(":") for part in ("--file", str(RENDERED / name))] + profiles


def refuse_if_up() -> None:
    """A platform that is up is not ours to take down."""
    if run("docker", "ps", "--all", "--quiet", f"--filter=label=com.docker.compose.project={PROJECT}").strip():
        raise Failed(f"{PROJECT} stands: make local-dev-down")


def measure(rounds: int) -> dict[str, Any]:
    """All figures of one run."""
    local = Ansible("compose", ("parity_lane=core",))
    watch = Watch()
    print("images, rendering, secrets (not timed)", flush=True)
    local(PLAYBOOKS / "up.yml")
    try:
        ours, bare, downs, resets = [], [], [], []
        for _round in range(rounds):
            downs += timed(lambda: local(PLAYBOOKS / "down.yml"), 1)
            with watch.step("local-dev-up"):
                local(PLAYBOOKS / "up.yml")
            ours.append(watch.steps["local-dev-up"])
            resets += timed(lambda: local(PLAYBOOKS / "reset.yml"), 1)
            # The files stay: the bare run has the same images, rendering and secrets.
            compose("down", "--volumes", "--timeout", "10")
            with watch.step("docker compose up --wait"):
                compose("up", "--detach", "--wait")
            bare.append(watch.steps["docker compose up --wait"])
    finally:
        local(PLAYBOOKS / "down.yml")

    start = timed(lambda: local(HERE / "empty.yml"), rounds)
    module = timed(lambda: local(HERE / "module.yml"), rounds)
    rendering = []
    for _round in range(rounds):
        shutil.rmtree(SCRATCH, ignore_errors=True)
        rendering += timed(lambda: local(HERE / "render.yml"), 1)
    shutil.rmtree(SCRATCH)
    middle = statistics.median
    figures = [
        Figure("local-dev-up, images there / docker compose up", middle(ours), middle(bare), 1.2),
        Figure("local-dev-reset / down + up", middle(resets), middle(downs) + middle(ours), 0.25),
        Figure("all four modes rendered / a module run", middle(rendering) - middle(start), middle(module) - middle(start), 1.5),
    ]
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": {
            "up": ours,
            "bare": bare,
            "down": downs,
            "reset": resets,
            "start": start,
            "module": module,
            "rendering": rendering,
        },
        "figures": [{**asdict(figure), "ratio": figure.ratio} for figure in figures],
        "table": [str(figure) for figure in figures],
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each; the median counts (3)")
    parser.add_argument("--output", type=Path, default=ROOT / ".cache" / "bench-local.json", help="where the data goes")
    options = parser.parse_args()
    try:
        refuse_if_up()
        result = measure(options.rounds)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    publish(result, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
