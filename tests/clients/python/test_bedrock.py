"""Signatures for Bedrock, the gateway's and boto3's, judged by botocore at a door that is none of ours.

`../run` starts the door (`../provider/bedrock.py`), and a gateway that knocks there with keys of all kinds.
"""

import http.client
import json
import os
import urllib.parse
import urllib.request

import boto3
import botocore.config
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from speakers import Chat

REGION = "eu-west-3"
LASTING = ("AKIDLASTING", "secret/of+one+that+lasts", None)
LENT = ("ASIALENT", "secret/of+one+that+ends", "token/of+one+that+ends==")
SEA = "The sea ends where the land begins, and begins there too."
MODELS = {
    "with-colon": ("eu.amazon.nova-pro-v1:0", "eu.amazon.nova-pro-v1%3A0"),
    "profile": (
        "arn:aws:bedrock:eu-west-3:123456789012:inference-profile/eu.meta.llama4-v1:0",
        "arn%3Aaws%3Abedrock%3Aeu-west-3%3A123456789012%3Ainference-profile%2Feu.meta.llama4-v1%3A0",
    ),
}
QUESTION = "Where does the sea end?"
# One call each, for a key that is refused rests.
REFUSALS = [
    ("wrong", False, "InvalidSignatureException"),
    ("away", True, "InvalidSignatureException"),
    ("over", False, "ExpiredTokenException"),
    ("nobodys", True, "UnrecognizedClientException"),
]


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request):
    return request.param


@pytest.fixture(scope="module")
def gateway():
    return Chat(os.environ["SIGNED_URL"], "key-of-clients")


def last_at_door():
    with urllib.request.urlopen(os.environ["DOOR_URL"] + "/door") as seen:
        return json.load(seen)[-1]


def path(escaped, streamed):
    return f"/model/{escaped}/" + ("converse-stream" if streamed else "converse")


@pytest.mark.parametrize("provider, key", [("lasting", LASTING), ("lent", LENT), ("usual", LASTING)], ids=["lasting", "lent", "usual"])
def test_the_gateways_signatures_are_right(gateway, provider, key, model, streamed):
    heard = gateway.ask(f"{provider}/{model[0]}", gateway.question(QUESTION), streamed)
    assert (heard.text, heard.finish, heard.usage) == (SEA, "stop", (12, 8))
    seen = last_at_door()
    assert (seen["path"], seen["key"], seen["refused"]) == (path(model[1], streamed), key[0], None)
    assert seen["agent"].startswith("breakwater/")


def test_tools_are_signed_too(gateway, streamed):
    asked = gateway.ask("lent/m", gateway.question("How is the weather?"), streamed, tools=True)
    (call,) = asked.calls
    answer = gateway.ask("lent/m", gateway.results(asked, "rain at sea \u2614"), streamed, tools=True)
    assert (answer.text, last_at_door()["key"]) == ("There is rain at sea.", LENT[0])


@pytest.mark.parametrize("provider, streamed, why", REFUSALS)
def test_a_refusal_is_no_clients_fault(gateway, provider, streamed, why):
    with pytest.raises(gateway.error(502)) as raised:
        gateway.ask(f"{provider}/m", gateway.question(QUESTION), streamed)
    assert raised.value.status_code == 502
    assert f"403 ({why})" in str(raised.value)
    assert last_at_door()["refused"] == why


def amazons(key, region=REGION):
    name, secret, token = key
    config = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=20)
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=os.environ["DOOR_URL"],
        region_name=region,
        aws_access_key_id=name,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
    )


def ask(client, model, streamed):
    # Of the mock's streams botocore reads no text: they open its block with nothing. That they begin is what counts.
    request = {"modelId": model, "messages": [{"role": "user", "content": [{"text": QUESTION}]}]}
    return (client.converse_stream if streamed else client.converse)(**request)


@pytest.mark.parametrize("key", [LASTING, LENT], ids=["lasting", "lent"])
def test_the_door_lets_boto3_in(key, model, streamed):
    answer = ask(amazons(key), model[0], streamed)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    if not streamed:
        assert answer["output"]["message"]["content"] == [{"text": SEA}]
    seen = last_at_door()
    assert (seen["path"], seen["key"], seen["refused"]) == (path(model[1], streamed), key[0], None)
    assert seen["agent"].startswith("Boto3/")


@pytest.mark.parametrize(
    "key, region, why",
    [
        (("AKIDLASTING", "secret/of+another", None), REGION, "InvalidSignatureException"),
        (LASTING, "us-east-1", "InvalidSignatureException"),
        (("ASIALENT", LENT[1], None), REGION, "UnrecognizedClientException"),
        (("ASIALENT", LENT[1], "token/of+another"), REGION, "UnrecognizedClientException"),
        (("ASIAOVER", "secret/of+one+that+is+over", "token/of+one+that+is+over=="), REGION, "ExpiredTokenException"),
        (("AKIDNOBODY", "secret/of+nobody", None), REGION, "UnrecognizedClientException"),
    ],
    ids=["secret", "region", "no-token", "token", "over", "nobodys"],
)
def test_the_door_turns_boto3_away_with_a_wrong_key(key, region, why, streamed):
    with pytest.raises(ClientError) as raised:
        ask(amazons(key, region), "m", streamed)
    assert raised.value.response["Error"]["Code"] == why


@pytest.mark.parametrize("changed", ["nothing", "body", "path", "host", "content-type", "x-amz-date", "x-amz-target", "escape"])
def test_the_door_sees_whatever_was_changed_on_the_way(changed):
    door = urllib.parse.urlsplit(os.environ["DOOR_URL"])
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]})
    said = {"path": path("a%3A0", False), "body": body}
    headers = {"content-type": "application/json", "host": door.netloc}
    request = AWSRequest("POST", door.geturl() + said["path"], headers=headers, data=said["body"].encode())
    SigV4Auth(Credentials(*LENT), "bedrock", REGION).add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    match changed:
        case "nothing":
            pass
        case "body":
            said["body"] += " "
        case "path":
            said["path"] += "-stream"
        case "escape":
            said["path"] = said["path"].replace("%3A", ":")
        case "x-amz-date":
            headers[changed] = "20200101T000000Z"
        case header:
            headers[header] = "elsewhere"
    connection = http.client.HTTPConnection(door.netloc, timeout=20)
    connection.request("POST", said["path"], said["body"], headers)
    response = connection.getresponse()
    name = response.headers.get("x-amzn-errortype", "").split(":")[0]
    assert (response.status, name) == ((200, "") if changed == "nothing" else (403, "InvalidSignatureException"))
    connection.close()
