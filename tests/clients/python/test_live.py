"""Google's client talks in real time: its websocket through the gateway to `../provider/live.py`.

The client takes `wss:` for any address, so that a door with a certificate of its own stands before the gateway.
"""

import asyncio
import contextlib
import datetime
import json
import os
import ssl
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google import genai
from google.genai import errors, types
from test_dialects import KEY

TIMEOUT = 20


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key, and with the certificate of `localhost` by it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    path = tmp_path_factory.mktemp("door") / "localhost.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    own = key.private_bytes(encoding, form, serialization.NoEncryption())
    path.write_bytes(own + made.sign(key, hashes.SHA256()).public_bytes(encoding))
    return path


@contextlib.asynccontextmanager
async def door(certificate):
    """A door with TLS before the gateway, and a client's options for it."""
    gateway = urllib.parse.urlparse(os.environ["DIALECTS_URL"])

    async def carry(reader, writer):
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def enter(reader, writer):
        inside, outside = await asyncio.open_connection(gateway.hostname, gateway.port)
        await asyncio.gather(carry(reader, outside), carry(inside, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(enter, "127.0.0.1", 0, ssl=context)
    trusts = ssl.create_default_context(cafile=certificate)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    try:
        yield types.HttpOptions(base_url=url, async_client_args={"ssl": trusts})
    finally:
        server.close()


def talk(certificate, model, said=(), **client):
    """What a model answers to each thing said."""

    async def through():
        async with door(certificate) as options:
            live = genai.Client(**({"api_key": KEY} | client), http_options=options).aio.live
            config = {"response_modalities": ["TEXT"]}
            async with live.connect(model=model, config=config) as session:
                return [await turn(session, words) for words in said]

    return asyncio.run(asyncio.wait_for(through(), TIMEOUT))


async def turn(session, words):
    content = types.Content(role="user", parts=[types.Part(text=words)])
    await session.send_client_content(turns=content, turn_complete=True)
    return "".join([message.text or "" async for message in session.receive()])


def test_a_talk_reaches_the_routes_provider(certificate):
    said = ["Where does the sea end?", "And where does it begin?"]
    told = [json.loads(answer) for answer in talk(certificate, "live-python", said)]
    assert [answer["said"] for answer in told] == said
    for answer in told:
        assert answer["path"] == "/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent"
        assert answer["setup"] == {"model": "models/live-python", "generationConfig": {"responseModalities": ["TEXT"]}}
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        assert headers["x-goog-api-key"] == "key-of-live"
        assert KEY not in headers.values() and "sec-websocket-extensions" not in headers


def test_a_model_that_nobody_has_is_told_so(certificate):
    with pytest.raises(errors.APIError) as told:
        talk(certificate, "nobodys-model")
    assert told.value.code == 1008 and "nobodys-model" in str(told.value)


def test_a_talk_with_a_model_that_has_none_is_told_so(certificate):
    with pytest.raises(errors.APIError) as told:
        talk(certificate, "chat-live-python")
    assert told.value.code == 1011 and "talks in real time" in str(told.value)


def test_a_wrong_key_opens_nothing(certificate):
    with pytest.raises(Exception, match="401"):
        talk(certificate, "live", api_key="nobodys-key")
