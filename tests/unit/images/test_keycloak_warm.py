# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The warm-up of Keycloak's image waits for progress, not for the clock. A shell stands in for the server."""

from __future__ import annotations

import subprocess
from pathlib import Path

AWAIT = Path(__file__).resolve().parents[3] / "platform/components/keycloak/image/build/await.sh"
STRETCH = 10
# Between two looks a second passes on this clock, which stands still otherwise; `look` is what happens meanwhile.
CLOCK = f"""
set -eEuo pipefail
. {AWAIT}
unset SECONDS; SECONDS=0
sleep() {{ SECONDS=$((SECONDS + 1)); look; }}
look() {{ :; }}
ready() {{ [ "$SECONDS" -ge {50 * STRETCH} ]; }}
: > log
idle() {{ cat < held & process=$!; exec 3> held; }}
mkfifo held
"""


def play(directory: Path, script: str) -> subprocess.CompletedProcess[str]:
    """What the shell says of ``script``, in an empty directory."""
    whole = f"{CLOCK}\n{script}\n"
    return subprocess.run(["bash", "-c", whole], cwd=directory, capture_output=True, text=True, check=False, timeout=60)


def test_a_server_that_logs_is_awaited_however_long_it_takes(tmp_path: Path) -> None:
    done = play(
        tmp_path,
        f"""
        idle
        look() {{ [ $((SECONDS % {STRETCH - 1})) -ne 0 ] || echo migrating >> log; }}
        await_ready {STRETCH} $process log ready
        echo "ready after $SECONDS"
        """,
    )
    assert (done.stdout, done.stderr) == (f"ready after {50 * STRETCH}\n", "")


def test_a_server_that_computes_in_silence_is_awaited(tmp_path: Path) -> None:
    done = play(
        tmp_path,
        f"""
        (while :; do :; done) & process=$!
        ready() {{ [ "$SECONDS" -ge {3 * STRETCH} ]; }}
        # The clock goes on when the process had its share: a busy machine slows both.
        look() {{
          local goal=$((SECONDS * 3))
          until [ "$(cpu_ticks $process)" -ge "$goal" ]; do :; done
        }}
        await_ready {STRETCH} $process log ready
        kill $process
        echo "ready after $SECONDS"
        """,
    )
    assert (done.stdout, done.stderr) == (f"ready after {3 * STRETCH}\n", "")


def test_a_server_that_hangs_is_given_up_with_the_line_that_matters(tmp_path: Path) -> None:
    done = play(
        tmp_path,
        f"""
        idle
        printf '%s\\n' 'INFO starting' 'ERROR no connection' 'INFO bye' >> log
        await_ready {STRETCH} $process log ready || echo "after $SECONDS"
        """,
    )
    assert done.stdout == f"after {STRETCH}\n"
    said = done.stderr.splitlines()[-1]
    assert said == f"the server was not ready when it neither logged nor computed for {STRETCH} s: ERROR no connection"


def test_a_server_that_ended_is_not_awaited(tmp_path: Path) -> None:
    done = play(
        tmp_path,
        f"""
        sleep() {{ :; }}
        (echo 'no such option: --x' >> log; exit 2) & process=$!
        await_ready {STRETCH} $process log false || echo "gave up"
        """,
    )
    assert done.stdout == "gave up\n"
    assert done.stderr.splitlines()[-1] == "the server was not ready when it ended with status 2: no such option: --x"
