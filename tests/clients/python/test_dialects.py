"""Every official Python SDK over every kind of provider, none of them ours; `../run` starts what they talk to."""

import base64
import functools
import json
import os
import urllib.request

import openai
import pytest
from speakers import Chat, Gemini, Harbour, Messages, Responses

SPEAKERS = [Chat, Responses, Messages, Gemini]
KINDS = ["anthropic", "azure", "azure_v1", "bedrock", "chat", "cohere", "gemini", "mistral", "ollama", "openrouter", "responses", "vertex", "claude_vertex"]
KEY = "key-of-clients"
SEA = "The sea ends where the land begins, and begins there too."
# One pixel, and behind its end so much that its size tells whether it came.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = base64.b64decode(PIXEL) + bytes(6000)
# What the mock cannot say: its answers of these kinds count no tokens, whole or streamed, or name no limit. (Mistral itself
# counts unasked.)
COUNTS_NOTHING = {("ollama", False), ("ollama", True), ("mistral", True)}
NAMES_NO_LIMIT = {"ollama", "responses"}
# Kinds that are asked for responses where the client speaks them.
SPEAK_RESPONSES = {"azure", "azure_v1", "responses"}
# Kinds that are asked for completions where the client asks for them, which the mock does not have.
HAVE_COMPLETIONS = {"azure", "azure_v1", "openrouter"}


@functools.cache
def at_gateway(speaker, key=KEY):
    return speaker(os.environ["DIALECTS_URL"], key)


@pytest.fixture(params=SPEAKERS, ids=lambda speaker: speaker.__name__)
def speaker(request):
    return at_gateway(request.param)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request):
    return request.param


def own_model(kind, speaker, streamed, name):
    """A model that nobody else asks for: what it does touches no other test."""
    return f"{kind}-{name}-{type(speaker).__name__}-{streamed}".lower()


def sent(model):
    """What the provider was sent for a model, as it noted it: head and body."""
    with urllib.request.urlopen(os.environ["MOCK_URL"] + "/__aimock/journal") as journal:
        entries = json.load(journal)
    return [entry for entry in entries if (entry["body"] or {}).get("model") == model][-1]


def test_text(speaker, kind, streamed):
    heard = speaker.ask(kind, speaker.question("Where does the sea end?"), streamed)
    assert (heard.text, heard.calls, heard.finish) == (SEA, [], "stop")
    assert heard.usage == ((0, 0) if (kind, streamed) in COUNTS_NOTHING else (12, 8))


def test_tool_there_and_back(speaker, kind, streamed):
    asked = speaker.ask(kind, speaker.question("How is the weather?"), streamed, tools=True)
    (call,) = asked.calls
    assert (call.name, call.arguments, asked.finish) == ("weather", {"place": "harbour"}, "tools")
    answer = speaker.ask(kind, speaker.results(asked, "rain at sea"), streamed, tools=True)
    assert (answer.text, answer.calls, answer.finish) == ("There is rain at sea.", [], "stop")


def test_two_calls_at_once(speaker, kind, streamed):
    model = own_model(kind, speaker, streamed, "twice")
    asked = speaker.ask(model, speaker.question("How is it at both ends?"), streamed, tools=True)
    assert [(call.name, call.arguments) for call in asked.calls] == [("weather", {"place": "harbour"}), ("weather", {"place": "pier"})]
    # Google's clients need no ids, and Ollama gives none.
    ids = {call.id for call in asked.calls} - {None}
    assert asked.finish == "tools" and len(ids) == (0 if kind == "ollama" and isinstance(speaker, Gemini) else 2)
    answer = speaker.ask(model, speaker.results(asked, "rain at sea", "sun on land"), streamed, tools=True)
    assert (answer.text, answer.calls, answer.finish) == ("Rain here, sun there.", [], "stop")
    # Both came, in order and each for its call.
    results = [turn for turn in sent(model)["body"]["messages"] if turn["role"] == "tool"]
    assert ["rain at sea" in json.dumps(results[0]), "sun on land" in json.dumps(results[1])] == [True, True]


@pytest.mark.parametrize("kind", ["anthropic", "claude_vertex"])
def test_thoughts_come_back_sealed(speaker, kind, streamed):
    # The mock refuses, as Anthropic does, a tool's result behind a call whose thoughts or their signature are gone.
    asked = speaker.ask(kind, speaker.question("Think of the tide."), streamed, tools=True, thinks=True)
    assert (asked.thoughts, len(asked.calls)) == ("It turns at noon.", 1)
    answer = speaker.ask(kind, speaker.results(asked, "low water"), streamed, tools=True, thinks=True)
    assert (answer.text, answer.finish) == ("The tide is out.", "stop")


def test_thoughts_that_are_gone_are_refused():
    messages = at_gateway(Messages)
    asked = messages.ask("anthropic", messages.question("Think of the tide."), False, tools=True, thinks=True)
    asked.said[-1]["content"] = [block for block in asked.said[-1]["content"] if block["type"] != "thinking"]
    with pytest.raises(messages.error(400)):
        messages.ask("anthropic", messages.results(asked, "low water"), False, tools=True, thinks=True)


def test_what_came_from_a_cache_is_counted(speaker, streamed):
    # Of all that the mock plays, OpenRouter alone tells of it.
    heard = speaker.ask("openrouter", speaker.question("What did I ask before?"), streamed)
    assert (heard.text, heard.usage, heard.cached) == ("Of the sea.", (20, 9), 12)


def test_picture(speaker, kind, streamed):
    model = own_model(kind, speaker, streamed, "sees")
    assert speaker.ask(model, speaker.question("What is this?", PICTURE), streamed).text == "A picture of the sea."
    # The mock notes no pictures of most kinds; that they came shows in how much came.
    assert int(sent(model)["headers"]["content-length"]) > len(PICTURE) * 4 / 3


def test_schema(speaker, kind, streamed):
    model = own_model(kind, speaker, streamed, "keeps")
    heard = speaker.ask(model, speaker.question("Describe a harbour."), streamed, schema=True)
    assert heard.parsed == Harbour(name="Old harbour", berths=3)
    # And that it was demanded, where the mock notes it.
    if kind in ("chat", "cohere"):
        assert "berths" in json.dumps(sent(model)["body"])


def test_length(speaker, kind, streamed):
    if kind in NAMES_NO_LIMIT or (kind in SPEAK_RESPONSES and isinstance(speaker, Responses)):
        pytest.skip(f"the mock's answers of {kind} name no limit")
    heard = speaker.ask(kind, speaker.question("Go on at length."), streamed)
    assert (heard.text, heard.finish) == ("The sea goes on and on and", "length")


@pytest.mark.parametrize(
    "name, question, status, retry_after",
    [("throttled", "Be throttled.", 503, "7"), ("broken", "Be broken.", 502, None), ("picky", "Be picky.", 400, None)],
)
def test_errors_are_the_sdks_own(speaker, kind, streamed, name, question, status, retry_after):
    model = own_model(kind, speaker, streamed, name)
    with pytest.raises(speaker.error(status)) as raised:
        speaker.ask(model, speaker.question(question), streamed)
    assert speaker.status(raised.value) == status
    assert raised.value.response.headers.get("retry-after") == retry_after
    assert ("no poems" in str(raised.value)) == (status == 400)


def test_unknown_model(speaker, streamed):
    with pytest.raises(speaker.error(404)) as raised:
        speaker.ask("nobody-has-this", speaker.question("Where?"), streamed)
    assert speaker.status(raised.value) == 404


def test_wrong_key(speaker, streamed):
    stranger = at_gateway(type(speaker), "wrong")
    with pytest.raises(stranger.error(401)) as raised:
        stranger.ask("chat", stranger.question("Where?"), streamed)
    assert stranger.status(raised.value) == 401


def test_models(speaker):
    assert set(KINDS) <= set(speaker.models())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in HAVE_COMPLETIONS])
def test_completion(kind, streamed):
    create = at_gateway(Chat).client.completions.create
    asked = {"model": kind, "prompt": "Where does the sea end?", "max_tokens": 200}
    if streamed:
        events = list(create(stream=True, stream_options={"include_usage": True}, **asked))
        choices = [choice for event in events for choice in event.choices]
        text, finish, usage = "".join(choice.text for choice in choices), choices[-1].finish_reason, events[-1].usage
        assert len({event.id for event in events}) == 1
    else:
        answer = create(**asked)
        (choice,) = answer.choices
        text, finish, usage = choice.text, choice.finish_reason, answer.usage
    assert (text, finish) == (SEA, "stop")
    counted = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    assert counted == ((0, 0) if (kind, streamed) in COUNTS_NOTHING else (12, 8))


def test_completion_that_nobody_can_be_asked():
    with pytest.raises(openai.BadRequestError) as raised:
        at_gateway(Chat).client.completions.create(model="anthropic", prompt="The sea", suffix="the land.")
    assert raised.value.param == "suffix"


def test_embeddings():
    answer = at_gateway(Chat).client.embeddings.create(model="chat", input=["sea"])
    assert answer.data[0].embedding == [0.25, -0.5, 0.75]


@pytest.mark.parametrize("model, status", [("anthropic", 502), ("chat", 400)], ids=["not found there", "no such operation"])
def test_counting_tokens_is_refused_where_nobody_counts(model, status):
    # The mock counts none for anybody; that those who do are asked is tested elsewhere.
    messages = at_gateway(Messages)
    with pytest.raises(messages.error(status)) as raised:
        messages.client.messages.count_tokens(model=model, messages=messages.question("How many?"))
    assert raised.value.status_code == status
