"""Strangers who ask as fast as they are answered, for a time, over connections that they keep.

    .venv/bin/python tests/benchmarks/flood.py --ca FILE --connections 200 --seconds 30 URL...

Only loopback is asked. Prints a JSON document: answers by status, failures, and the seconds of processor that it took itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import ssl
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import loopback_address, tls_context

# An answer that takes longer than this has failed, as for a person.
PATIENCE = 10.0


async def answer(reader: asyncio.StreamReader) -> str:
    """The status of the next answer, whose body is read and thrown away (RFC 9112, sections 6 and 7)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = head.split(" ", 2)[1]
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if fields.get("transfer-encoding") == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    else:
        await reader.readexactly(int(fields.get("content-length", "0")))
    return status


async def stranger(url: httpx.URL, trust: ssl.SSLContext, end: float, counts: Counter[str]) -> None:
    """One connection that is opened again when it is closed."""
    request = f"GET {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n\r\n".encode()
    while time.monotonic() < end:
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                address = loopback_address(url.host)
                reader, writer = await asyncio.open_connection(address, url.port, ssl=trust, server_hostname=url.host)
            counts["connections"] += 1
            while time.monotonic() < end:
                async with asyncio.timeout(PATIENCE):
                    writer.write(request)
                    counts[await answer(reader)] += 1
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            counts[type(error).__name__] += 1
        finally:
            if writer is not None:
                writer.close()


async def flood(urls: list[httpx.URL], ca: Path, connections: int, seconds: float) -> Counter[str]:
    """All of them at once, spread over the URLs."""
    counts: Counter[str] = Counter()
    trust, end = tls_context(ca), time.monotonic() + seconds
    await asyncio.gather(*(stranger(urls[number % len(urls)], trust, end, counts) for number in range(connections)))
    return counts


def main() -> int:
    """Ask, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ca", type=Path, required=True, help="the platform's CA")
    parser.add_argument("--connections", type=int, default=200, help="at once (200)")
    parser.add_argument("--seconds", type=float, default=30, help="for how long (30)")
    parser.add_argument("urls", nargs="+", type=httpx.URL, metavar="URL", help="what is asked for")
    options = parser.parse_args()
    counts = asyncio.run(flood(options.urls, options.ca, options.connections, options.seconds))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"counts": counts, "processor_seconds": used.ru_utime + used.ru_stime}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
