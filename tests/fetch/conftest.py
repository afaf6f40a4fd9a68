"""A publisher's server on loopback, and lists of files that point to it."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from remitstats.sources.registry import Entry

CONTENT = b"cve_ent,cve_mun\n1,1001\n" * 5000


class Publisher(BaseHTTPRequestHandler):
    """Serves what `server.answers` says and counts the requests."""

    def do_GET(self):
        self.server.asked[self.path] += 1
        self.server.headers.append(dict(self.headers))
        answer = self.server.answers.get(self.path, (404, b"gone", {}))
        if callable(answer):
            answer = answer(self.server.asked[self.path])
        status, body, headers = answer
        self.send_response(status)
        headers = {"Content-Length": str(len(body))} | headers
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def publisher(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.daemon_threads = True
    server.asked = Counter()
    server.headers = []
    server.answers = {"/file.csv": (200, CONTENT, {})}
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def entry(publisher):
    """Return a maker of entries that point to the publisher."""

    def make(place="/file.csv", **changes) -> Entry:
        facts = {
            "key": "the-file",
            "publisher": "A publisher",
            "table": "A table",
            "url": publisher.address + place,
            "path": "folder/file.csv",
        }
        return Entry(**(facts | changes))

    return make


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that don't trust it."""

    def handle_error(self, request, address):
        pass


@pytest.fixture
def own_certificate(publisher, tmp_path_factory):
    """Return the address of a server that vouches for itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate, and is not there")
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Quiet(("127.0.0.1", 0), Publisher)
    server.asked, server.headers = Counter(), []
    server.answers = {"/file.csv": (200, CONTENT, {})}
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
