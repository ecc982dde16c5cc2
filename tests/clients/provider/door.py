"""A door before the mock: judges or rewrites what is asked, and hands it on.

MOCK names the mock. Must never be here: what any provider demands.
"""

import http.client
import http.server
import json
import os
import sys
import urllib.parse

# What a connection's headers say goes no further.
HOPS = {"connection", "content-length", "host", "transfer-encoding"}


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status, said, headers=None):
        said = json.dumps(said).encode()
        self.send_response(status)
        for name, value in ({"content-type": "application/json", "content-length": str(len(said))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def hand_on(self, path, body):
        """Asks the mock at `path`, and answers what it answers, piece by piece."""
        mock = urllib.parse.urlsplit(os.environ["MOCK"])
        connection = http.client.HTTPConnection(mock.hostname, mock.port, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in HOPS:
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while piece := response.read1(65536):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
        connection.close()

    def log_message(self, *_):
        pass


class Doors(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # Clients leave as they like.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(door):
    server = Doors(("127.0.0.1", 0), door)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
