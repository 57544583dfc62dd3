"""Says hello to whoever is logged in, and counts the visits in a database of its own."""

import json
import os
import ssl
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg

USERINFO = os.environ["HELLO_ISSUER"] + "/protocol/openid-connect/userinfo"
TRUSTED = ssl.create_default_context(cafile=os.environ["HELLO_CA_FILE"])
COUNT = """
CREATE TABLE IF NOT EXISTS visits (who text PRIMARY KEY, visits int NOT NULL);
"""
VISIT = """
INSERT INTO visits VALUES (%s, 1) ON CONFLICT (who) DO UPDATE SET visits = visits.visits + 1 RETURNING visits
"""


def database() -> psycopg.Connection:
    password = Path("/run/secrets/gpuaas/database_password").read_text()
    host = os.environ["HELLO_DATABASE_HOST"]
    return psycopg.connect(host=host, dbname="hello", user="hello", password=password, connect_timeout=2)


def visitor(authorization: str) -> str:
    """The name that the issuer knows the bearer by."""
    request = urllib.request.Request(USERINFO, headers={"Authorization": authorization})
    with urllib.request.urlopen(request, timeout=5, context=TRUSTED) as answer:
        return json.load(answer)["preferred_username"]


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            if self.path == "/healthz":
                with database() as connection:
                    connection.execute("SELECT 1")
                self.answer(200, "ready")
            else:
                who = visitor(self.headers.get("Authorization", ""))
                with database() as connection:
                    connection.execute(COUNT)
                    (visits,) = connection.execute(VISIT, (who,)).fetchone()
                self.answer(200, f"hello {who}, visit {visits}")
        except psycopg.OperationalError:
            self.answer(503, "the database does not answer")
        except urllib.error.HTTPError:
            self.answer(401, "log in first")
        except urllib.error.URLError:
            self.answer(503, "the issuer does not answer")

    def answer(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        print(json.dumps({"request": format % args}))


ThreadingHTTPServer(("", 8080), Hello).serve_forever()
