"""A Gemini that talks in real time, and says of each talk how it was asked.

The mock's has the names of fields in one spelling, Google's client for Python sends them in another.
"""

import asyncio
import json

from websockets.asyncio.server import serve


async def talk(socket):
    request = socket.request
    setup = json.loads(await socket.recv())["setup"]
    await socket.send(json.dumps({"setupComplete": {}}).encode())
    async for message in socket:
        said = json.loads(message)["client_content"]["turns"][0]["parts"][0]["text"]
        told = {"path": request.path, "headers": dict(request.headers.raw_items()), "setup": setup, "said": said}
        parts = [{"text": json.dumps(told)}]
        # Binary, as Google sends its messages.
        content = {"serverContent": {"modelTurn": {"parts": parts}, "turnComplete": True}}
        await socket.send(json.dumps(content).encode())


async def main():
    async with serve(talk, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        print(f"listening on http://{host}:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main())
