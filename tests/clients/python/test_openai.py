"""The official Python client through the gateway; `../run` starts what it talks to."""

import asyncio
import json
import os

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

QUESTION = [{"role": "user", "content": "Where does the sea end?"}]
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather at a place",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}


def at_chain(key="key-of-clients", kind=OpenAI):
    return kind(base_url=os.environ["CHAIN_URL"], api_key=key, max_retries=0, timeout=20)


def at_zero(kind=OpenAI):
    return kind(base_url=os.environ["ZERO_URL"], api_key="none", max_retries=0, timeout=20)


@pytest.fixture(params=["zero", "chain"])
def served(request):
    """A client and a model that it may ask for, with and without a config."""
    if request.param == "chain":
        return at_chain(), "chat"
    client = at_zero()
    return client, client.models.list().data[0].id


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_whole(served):
    client, model = served
    answer = client.chat.completions.create(model=model, messages=QUESTION)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_streamed_says_the_same(served):
    client, model = served
    whole = client.chat.completions.create(model=model, messages=QUESTION).choices[0].message.content
    chunks = list(client.chat.completions.create(model=model, messages=QUESTION, stream=True))
    assert text_of(chunks) == whole
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


def test_stream_helper(served):
    client, model = served
    with client.chat.completions.stream(model=model, messages=QUESTION) as stream:
        deltas = "".join(event.delta for event in stream if event.type == "content.delta")
        assert deltas == stream.get_final_completion().choices[0].message.content != ""


def test_stream_options_include_usage(served):
    client, model = served
    options = {"include_usage": True}
    last = list(client.chat.completions.create(model=model, messages=QUESTION, stream=True, stream_options=options))[-1]
    assert last.choices == []
    assert last.usage.completion_tokens > 0


def test_async():
    async def ask(client):
        whole, stream = await asyncio.gather(
            client.chat.completions.create(model="chat", messages=QUESTION),
            client.chat.completions.create(model="chat", messages=QUESTION, stream=True),
        )
        return whole.choices[0].message.content, text_of([chunk async for chunk in stream])

    whole, streamed = asyncio.run(ask(at_chain(kind=AsyncOpenAI)))
    assert whole == streamed != ""


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_round_trip(served, streamed):
    client, model = served

    def ask(messages):
        if streamed:
            with client.chat.completions.stream(model=model, messages=messages, tools=[WEATHER]) as stream:
                return stream.get_final_completion().choices[0]
        return client.chat.completions.create(model=model, messages=messages, tools=[WEATHER]).choices[0]

    asked = ask(QUESTION)
    assert asked.finish_reason == "tool_calls"
    (call,) = asked.message.tool_calls
    assert call.function.name == "weather"
    assert isinstance(json.loads(call.function.arguments)["place"], str)

    said = {"id": call.id, "type": "function", "function": {"name": "weather", "arguments": call.function.arguments}}
    turn = [{"role": "assistant", "tool_calls": [said]}, {"role": "tool", "tool_call_id": call.id, "content": "rain at sea"}]
    answer = ask(QUESTION + turn)
    assert answer.finish_reason == "stop"
    assert "rain at sea" in answer.message.content


def test_images(served):
    client, model = served
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
    assert "1 image" in answer.choices[0].message.content


def test_several_choices_with_logprobs(served):
    client, model = served
    answer = client.chat.completions.create(model=model, messages=QUESTION, n=2, logprobs=True, top_logprobs=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    for choice in answer.choices:
        assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
        assert all(len(token.top_logprobs) == 2 for token in choice.logprobs.content)


def test_several_choices_streamed(served):
    client, model = served
    chunks = list(client.chat.completions.create(model=model, messages=QUESTION, n=2, stream=True))
    texts = [text_of([chunk for chunk in chunks if chunk.choices and chunk.choices[0].index == index]) for index in (0, 1)]
    assert all(texts)


def test_json_schema(served):
    class Harbour(BaseModel):
        name: str
        berths: int
        ships: list[str]

    client, model = served
    answer = client.chat.completions.parse(model=model, messages=QUESTION, response_format=Harbour)
    assert isinstance(answer.choices[0].message.parsed, Harbour)


def test_models():
    assert {"chat", "fails"} <= {model.id for model in at_chain().models.list()}
    assert at_chain().models.retrieve("chat").id == "chat"
    with pytest.raises(openai.NotFoundError):
        at_chain().models.retrieve("nobody-has-this")


@pytest.mark.parametrize("model", ["fails", "cuts", "hangs"])
def test_failover_is_not_seen(model):
    create = at_chain().chat.completions.with_raw_response.create
    whole = create(model=model, messages=QUESTION)
    assert whole.headers["x-breakwater-target"] == "b/good"
    assert whole.parse().choices[0].message.content

    stream = create(model=model, messages=QUESTION, stream=True)
    assert stream.headers["x-breakwater-target"] == "b/good"
    assert text_of(stream.parse()) == whole.parse().choices[0].message.content


@pytest.mark.parametrize("streamed", [False, True])
def test_errors_are_the_clients_own(streamed):
    def ask(model="chat", key="key-of-clients"):
        at_chain(key).chat.completions.create(model=model, messages=QUESTION, stream=streamed)

    with pytest.raises(openai.AuthenticationError) as raised:
        ask(key="nobody-has-this")
    assert raised.value.code == "invalid_api_key"

    with pytest.raises(openai.NotFoundError) as raised:
        ask(model="nobody-has-this")
    assert raised.value.code == "model_not_found"

    with pytest.raises(openai.BadRequestError) as raised:
        ask(model="picky")
    assert raised.value.code == "invalid_value"
    assert "This model takes no poems." in raised.value.message


def test_rate_limit():
    client = at_chain("key-of-hasty-python")
    client.chat.completions.create(model="chat", messages=QUESTION)
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model="chat", messages=QUESTION)
    assert raised.value.code == "rate_limit_exceeded"
    assert int(raised.value.response.headers["retry-after"]) > 0


def test_a_stream_that_breaks_raises_after_what_came():
    seen = []
    with pytest.raises(openai.APIError) as raised:
        for chunk in at_chain().chat.completions.create(model="breaks", messages=QUESTION, stream=True):
            seen.append(chunk)
    # Not the connection's error: the gateway itself says how it ended.
    assert raised.value.code == "upstream_failed"
    assert text_of(seen)
    assert not any(choice.finish_reason for chunk in seen for choice in chunk.choices)
