"""Ask the teller with the caller's certificate; print what it says."""

import os
import socket
import ssl
from pathlib import Path

OWN = Path("/run/certificates")
host, port = os.environ["CALLER_HOST"], int(os.environ["CALLER_PORT"])
tls = ssl.create_default_context(cafile=OWN / "ca.crt")
tls.load_cert_chain(OWN / "tls.crt", OWN / "tls.key")
with socket.create_connection((host, port), 5) as plain, tls.wrap_socket(plain, server_hostname=host) as stream:
    print(stream.recv(100).decode(), end="")
