"""The door of a Vertex that has Claude, before a mock that has Google's models there and Anthropic's elsewhere: what it
demands of a body, and that body as Anthropic takes it.

The model stands in the path and not in the body, the version of the API in the body (Anthropic's
document on Claude on Vertex AI). Must never be here: what a model says.
"""

import json
import re

from door import Door, serve

CLAUDE = re.compile(r"/v1/projects/p/locations/global/publishers/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)")


class Vertex(Door):
    def do_POST(self):
        said = self.body()
        if self.headers.get("authorization") != "Bearer key-of-vertex":
            return self.refuse(401, "Who asks?")
        asked = CLAUDE.fullmatch(self.path)
        if asked is None:
            return self.hand_on(self.path, said)
        model, verb = asked.groups()
        body = json.loads(said)
        if body.pop("anthropic_version", None) != "vertex-2023-10-16" or "model" in body:
            return self.refuse(400, "Say the version in the body, and the model in the path alone.")
        if body.get("stream", False) != (verb == "streamRawPredict"):
            return self.refuse(400, f"No {verb} for this body.")
        self.hand_on("/v1/messages", json.dumps({"model": model} | body).encode())

    def refuse(self, status, message):
        self.answer(status, {"type": "error", "error": {"type": "invalid_request_error", "message": message}})


if __name__ == "__main__":
    serve(Vertex)
