"""1,000 events to 50 viewers: from the commit of an event until the console's live connection has brought it to a viewer.

    PYTHONPATH=control_plane/src:control_plane/tests .cache/control-plane-venv/bin/python tests/benchmarks/dashboard.py

API and console run as their own processes, with the real stores, on loopback and without an ingress. Each viewer loses its
connection once, half-way, and comes back with its position: nothing may be missing or come twice. One clock stamps both ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import httpx
import psycopg
from figures import Figure, publish
from gpuaas import migrate
from psycopg.types.json import Jsonb
from support import commands, issuer, processes
from support.browser import Browser
from support.live import address, cookies
from support.ports import free_port
from support.processes import Server, wait_for
from support.sealed import SESSION_KEY
from support.tls import Authority
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

ROOT = Path(__file__).parents[2]
VIEWERS, EVENTS = 50, 1000
# As many streams as the API gives one subject, less what is still ending when a viewer comes back.
OF_A_SUBJECT = 3
AIM_SECONDS = 1.0


class Viewer:
    """Follows project alpha, and notes when each position came."""

    def __init__(self, browser: Browser) -> None:
        self._url, self._origin, self._cookies = browser.url, browser.url, cookies(browser)
        self.came: dict[int, float] = {}
        self.twice = 0
        self.reconnects = 0
        self._dropped = False
        self._position: int | None = None
        self.live = asyncio.Event()

    async def run(self, last: int) -> None:
        """Until the last one came; the connection is dropped at a random place of the first half."""
        drop = random.randrange(EVENTS // 4, EVENTS // 2)
        while last not in self.came:
            with suppress(ConnectionClosed):  # As when too many come at once: a browser comes back, too.
                await self._follow(last, drop)
            self.reconnects += last not in self.came
            await asyncio.sleep(random.uniform(0.2, 0.6))

    async def _follow(self, last: int, drop: int) -> None:
        query = {"project": "alpha"} | ({} if self._position is None else {"position": self._position})
        async with connect(
            address(self._url, **query),
            origin=Origin(self._origin),
            additional_headers={"Cookie": self._cookies},
            proxy=None,
            max_size=None,
        ) as socket:
            async for text in socket:
                now, message = time.time(), json.loads(text)
                if message["kind"] == "begins":
                    self._position = message["position"]
                    self.live.set()
                if message["kind"] != "entries":
                    continue
                self._position = message["position"]
                for entry in message["items"]:
                    self.twice += entry["position"] in self.came
                    self.came[entry["position"]] = now
                if last in self.came:
                    return
                if not self._dropped and len(self.came) >= drop:
                    self._dropped = True
                    return


def insert(connection: psycopg.Connection, instance: uuid.UUID, per_second: float, committed: dict[int, float]) -> None:
    """One event after the other, each in its own transaction, as the worker writes them."""
    began = time.monotonic()
    for number in range(EVENTS):
        row = connection.execute(
            "WITH taken AS (UPDATE timeline_position SET last = last + 1 RETURNING last)"
            " INSERT INTO timeline SELECT last, gen_random_uuid(), %s, 'alpha', 'instance.started', now(), 'alice', 'It runs.', %s"
            " FROM taken RETURNING position",
            [instance, Jsonb({"node": "n1"})],
        ).fetchone()
        assert row is not None
        committed[row[0]] = time.time()
        time.sleep(max(0.0, began + (number + 1) / per_second - time.monotonic()))


@contextmanager
def platform(directory: Path) -> Iterator[tuple[str, issuer.Issuer, Server]]:
    """API and console; the console's URL."""
    with ExitStack() as stack:
        postgres = stack.enter_context(processes.postgres())
        valkey = stack.enter_context(processes.valkey())
        provider = stack.enter_context(issuer.running())
        with processes.connect(postgres, "gpuaas_owner") as connection:
            migrate.apply(connection, migrate.load())
        secrets = {
            "database_password": postgres.password,
            "redis_password": valkey.password,
            "oidc_client_secret": issuer.CLIENT_SECRET,
            "session_key": SESSION_KEY,
        }
        (directory / "secrets").mkdir()
        for name, value in secrets.items():
            (directory / "secrets" / name).write_text(value)
        api, web = free_port(), free_port()
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "control_plane" / "src"),
            "GPUAAS_SECURITY_MODE": "PROD",
            "GPUAAS_KEY_PROVIDER": "none",
            "GPUAAS_MEMBER_KEYS": "devices",
            "GPUAAS_LOG_LEVEL": "info",
            "GPUAAS_SECRETS_SOURCE": (directory / "secrets").as_uri(),
            "GPUAAS_CA_FILE": str(Authority(directory).ca_file),
            "GPUAAS_REDIS_HOST": valkey.host,
            "GPUAAS_REDIS_PORT": str(valkey.port),
            "GPUAAS_REDIS_USER": "api",
            "GPUAAS_OIDC_ISSUER": provider.url,
            "GPUAAS_DATABASE_HOST": postgres.host,
            "GPUAAS_DATABASE_PORT": str(postgres.port),
            "GPUAAS_DATABASE_NAME": "gpuaas",
            "GPUAAS_DATABASE_USER": "gpuaas",
            "GPUAAS_DATABASE_POOL_SIZE": "10",
            "GPUAAS_OIDC_AUDIENCE": issuer.AUDIENCE,
            "GPUAAS_OIDC_LEEWAY_SECONDS": "1",
            "GPUAAS_RATE_LIMIT_PER_MINUTE": "600",
            "GPUAAS_SOURCE_LIMIT_PER_MINUTE": "600000",
            "GPUAAS_TRUSTED_PROXIES": "127.0.0.0/8",
            "GPUAAS_CACHE_SECONDS": "5",
            "GPUAAS_PROJECT_GPU_QUOTA": "100",
            "GPUAAS_OIDC_CLIENT_ID": issuer.CLIENT_ID,
            "GPUAAS_WEB_URL": f"http://127.0.0.1:{web}",
            "GPUAAS_API_URL": f"http://127.0.0.1:{api}",
            "GPUAAS_SESSION_SECONDS": "600",
        }
        for command, port in (("api", api), ("web", web)):
            own = {"GPUAAS_LISTEN_PORT": str(port), "GPUAAS_PROBE_PORT": str(free_port()), **commands.USERS.get(command, {})}
            log = stack.enter_context((directory / f"{command}.log").open("w"))
            argv = [sys.executable, "-m", "gpuaas", command]
            process = subprocess.Popen(argv, env=environ | own, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            wait_for(lambda port=port: _answers(port), command, 60)  # type: ignore[misc]
        yield f"http://127.0.0.1:{web}", provider, postgres


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/openapi.json", trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


def _logged_in(url: str, provider: issuer.Issuer) -> Iterator[Browser]:
    """One browser for each viewer, several of a user's."""
    for number in range(VIEWERS):
        subject = f"user-{number // OF_A_SUBJECT}"
        provider.user["sub"], provider.id_token_claims = subject, {"sub": subject}
        with closing(Browser(url)) as browser:
            browser.request("GET", browser.callback())
            yield browser


async def watch(viewers: Sequence[Viewer], postgres: Server, per_second: float) -> dict[int, float]:
    """When each event was committed; every viewer has seen them all."""
    committed: dict[int, float] = {}
    instance = uuid.uuid4()
    with processes.connect(postgres, "gpuaas_owner") as connection:
        connection.execute(
            "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
            " VALUES (%s, 'alpha', 'training-1', 'H100', 1, 'requested', 'alice', now())",
            [instance],
        )
        row = connection.execute("SELECT last FROM timeline_position").fetchone()
        assert row is not None
        following = [asyncio.create_task(viewer.run(row[0] + EVENTS)) for viewer in viewers]
        await asyncio.gather(*(viewer.live.wait() for viewer in viewers))
        await asyncio.to_thread(insert, connection, instance, per_second, committed)
        async with asyncio.timeout(60):
            await asyncio.gather(*following)
    return committed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-second", type=float, default=100)
    parser.add_argument("--output", type=Path, default=ROOT / ".cache" / "bench-dashboard.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, platform(Path(scratch)) as (url, provider, postgres):
        viewers = [Viewer(browser) for browser in _logged_in(url, provider)]
        committed = asyncio.run(watch(viewers, postgres, options.per_second))
    came = [(viewer, position, at) for viewer in viewers for position, at in committed.items()]
    seconds = sorted(viewer.came[position] - at for viewer, position, at in came if position in viewer.came)
    missing, twice = len(came) - len(seconds), sum(viewer.twice for viewer in viewers)
    reconnects = sum(viewer.reconnects for viewer in viewers)
    p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    table = [
        str(figure := Figure("commit to viewer, p99, against the aim", p99, AIM_SECONDS, 1.0)),
        f"{EVENTS} events, {options.per_second:.0f} a second, to {VIEWERS} viewers: p50 {p50:.3f} s, longest {seconds[-1]:.3f} s",
        f"missing {missing}, twice {twice}, after {reconnects} reconnects",
    ]
    publish({"table": table, "figures": [asdict(figure)], "missing": missing, "twice": twice}, options.output)
    if missing or twice or p99 > AIM_SECONDS:
        sys.exit(1)


if __name__ == "__main__":
    main()
