# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program prints, as a collected text."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.gpuaas.parity.plugins.module_utils._run.command import Runner, clean_env, failed

# Below a collector's ten seconds, so that the program is ended and its reason is known.
COMMAND_SECONDS = 9.0


def command_text(run: Runner, argv: Sequence[str], timeout: float = COMMAND_SECONDS) -> str:
    """Both outputs of ``argv``. Raises as `run` does; a failure that printed a result is not one."""
    done = run(argv, timeout=timeout, check=False, env=clean_env())
    if done.rc != 0 and not done.stdout.strip():
        raise failed(argv, done)
    status = f"(ended with status {done.rc})\n" if done.rc != 0 else ""
    return done.stdout + (f"\n--- standard error ---\n{done.stderr}" if done.stderr.strip() else "") + status
