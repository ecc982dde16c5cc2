"""The door of a Bedrock that is none of ours: botocore judges each signature, and the mock behind answers what is signed.

botocore signs here as Amazon's own SDK does, with the key that the request names, over the request as it came; where
that gives another signature than the request has, the answer is Amazon's 403. `GET /door` tells who was let in with what.
Must never be here: any word of how a signature is made.
"""

import datetime
import hashlib
import re

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from door import Door, serve

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


class Bedrock(Door):
    seen = []

    def do_POST(self):
        body = self.body()
        entry = {"path": self.path, "agent": self.headers.get("user-agent"), "refused": None}
        self.seen.append(entry)
        try:
            entry["key"] = check("POST", self.path, self.headers, body)
        except Refused as refused:
            entry["refused"] = str(refused)
            return self.answer(403, {"message": "Not so."}, {"x-amzn-errortype": f"{refused}:http://internal.amazon.com/"})
        self.hand_on(self.path, body)

    def do_GET(self):
        self.answer(200, self.seen)


if __name__ == "__main__":
    serve(Bedrock)
