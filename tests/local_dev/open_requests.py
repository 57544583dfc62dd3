"""Begin requests that do not end, from several addresses of loopback; prints the first line that the last of them gets.

Runs by itself in the ingress' own network: ``python - HOST PORT SOURCES EACH``.
"""

from __future__ import annotations

import socket
import ssl
import sys
from contextlib import ExitStack

SECONDS = 10


def main(host: str, port: int, sources: int, each: int) -> None:
    """``each`` requests from each of so many addresses, all open at once."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # It is counted here, and nothing is told.
    head = f"POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 9\r\n\r\n".encode()
    with ExitStack() as stack:
        for source in range(sources):
            for _number in range(each):
                address = (f"127.0.0.{source + 2}", 0)
                plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS, address))
                last = stack.enter_context(context.wrap_socket(plain, server_hostname=host))
                last.sendall(head)
        print(last.recv(64).split(b"\r\n")[0].decode())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
