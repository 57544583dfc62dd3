"""Say hello to whoever shows a certificate of the CA, by the name that stands in it."""

import socketserver
import ssl
from pathlib import Path

OWN = Path("/run/certificates")
TLS = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=OWN / "ca.crt")
TLS.load_cert_chain(OWN / "tls.crt", OWN / "tls.key")
TLS.verify_mode = ssl.CERT_REQUIRED


class Teller(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            with TLS.wrap_socket(self.request, server_side=True) as stream:
                subject = dict(pair for (pair,) in stream.getpeercert()["subject"])
                stream.sendall(f"hello {subject['commonName']}\n".encode())
        except OSError as error:
            print(f"refused: {error}")


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", 8443), Teller).serve_forever()
