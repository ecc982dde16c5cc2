"""The door of a Bedrock that is none of ours: botocore judges each signature, and the mock behind answers what is signed.

botocore signs here as Amazon's own SDK does, with the key that the request names, over the request as it came; where
that gives another signature than the request has, the answer is Amazon's 403. `GET /door` tells who was let in with what.
MOCK names the mock. Must never be here: any word of how a signature is made.
"""

import datetime
import hashlib
import http.client
import http.server
import json
import os
import re
import sys
import urllib.parse

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "eu-west-3"
# Key by name: the secret, and the token without which it is worth nothing.
KEYS = {
    "AKIDLASTING": ("secret/of+one+that+lasts", None),
    "ASIALENT": ("secret/of+one+that+ends", "token/of+one+that+ends=="),
    "ASIAOVER": ("secret/of+one+that+is+over", "token/of+one+that+is+over=="),
}
OVER = {"ASIAOVER"}
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")
NEEDED = {"host", "x-amz-date"}
FAR = datetime.timedelta(minutes=5)
# What a connection's headers say goes no further.
HOPS = {"connection", "content-length", "host", "transfer-encoding"}


class Refused(Exception):
    """Why nobody is let in: Amazon's name for it."""


def check(method, path, headers, body):
    """The name of the key that signed; `Refused` where none did."""
    said = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if said is None:
        raise Refused("MissingAuthenticationTokenException")
    name, scope, listed, signature = said.groups()
    signed = listed.split(";")
    secret, token = KEYS.get(name, (None, None))
    if secret is None or headers.get("x-amz-security-token") != token:
        raise Refused("UnrecognizedClientException")
    # Whatever of Amazon's own is sent has to be signed, and a hash beside the body to be that of the body.
    own = {name.lower() for name in headers if name.lower().startswith("x-amz-")}
    hashed = headers.get("x-amz-content-sha256", hashlib.sha256(body).hexdigest())
    if not (NEEDED | own) <= set(signed) or hashed != hashlib.sha256(body).hexdigest():
        raise Refused("InvalidSignatureException")
    date = datetime.datetime.strptime(headers["x-amz-date"], SIGV4_TIMESTAMP)
    if abs(date - datetime.datetime.now(datetime.UTC).replace(tzinfo=None)) > FAR:
        raise Refused("InvalidSignatureException")

    request = AWSRequest(method, f"http://{headers['host']}{path}", data=body)
    for header in signed:
        for value in headers.get_all(header):
            request.headers.add_header(header, value)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(name, secret, token), "bedrock", REGION)
    computed = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if (scope, listed, signature) != (auth.credential_scope(request), auth.signed_headers(request.headers), computed):
        raise Refused("InvalidSignatureException")
    if name in OVER:
        raise Refused("ExpiredTokenException")
    return name


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        entry = {"path": self.path, "agent": self.headers.get("user-agent"), "refused": None}
        self.seen.append(entry)
        try:
            entry["key"] = check("POST", self.path, self.headers, body)
        except Refused as refused:
            entry["refused"] = str(refused)
            return self.answer(403, {"message": "Not so."}, {"x-amzn-errortype": f"{refused}:http://internal.amazon.com/"})
        self.hand_on(body)

    def do_GET(self):
        self.answer(200, self.seen)

    def answer(self, status, said, headers=None):
        said = json.dumps(said).encode()
        self.send_response(status)
        for name, value in ({"content-type": "application/json", "content-length": str(len(said))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def hand_on(self, body):
        """Asks the mock the same, and answers what it answers, piece by piece."""
        mock = urllib.parse.urlsplit(os.environ["MOCK"])
        connection = http.client.HTTPConnection(mock.hostname, mock.port, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
        connection.request("POST", self.path, body, headers)
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


if __name__ == "__main__":
    server = Doors(("127.0.0.1", 0), Door)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
