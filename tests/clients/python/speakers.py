"""The official Python SDKs behind one face: what is asked of each, and what it heard."""

import base64
import json
from typing import NamedTuple

import anthropic
import openai
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

DESCRIPTION = "Weather at a place"
PARAMETERS = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
TIMEOUT = 20


class Harbour(BaseModel):
    name: str
    berths: int


class Call(NamedTuple):
    id: str
    name: str
    arguments: dict


class Heard(NamedTuple):
    text: str
    calls: list
    finish: str
    usage: tuple
    # The request as it has to be said before a tool's result: all that was said so far, in the SDK's own words.
    said: list
    parsed: object = None
    thoughts: str = ""
    # Tokens of the question that came from a cache; all of it is counted in `usage`.
    cached: int = 0


def data_url(picture):
    return "data:image/png;base64," + base64.b64encode(picture).decode()


class Chat:
    """openai: chat completions."""

    FINISHES = {"stop": "stop", "tool_calls": "tools", "length": "length"}

    def __init__(self, url, key):
        self.client = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, timeout=TIMEOUT)

    def question(self, text, picture=None):
        if picture is None:
            return [{"role": "user", "content": text}]
        parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": data_url(picture)}}]
        return [{"role": "user", "content": parts}]

    def results(self, heard, *texts):
        results = zip(heard.calls, texts, strict=True)
        return heard.said + [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in results]

    def ask(self, model, messages, streamed, tools=False, schema=False, thinks=False):
        request = {"model": model, "messages": messages}
        if thinks:
            request["reasoning_effort"] = "low"
        if tools:
            function = {"name": "weather", "description": DESCRIPTION, "parameters": PARAMETERS}
            request["tools"] = [{"type": "function", "function": function}]
        if schema:
            request["response_format"] = Harbour
        if streamed:
            request["stream_options"] = {"include_usage": True}
            with self.client.chat.completions.stream(**request) as stream:
                # Of an answer that was cut the helper makes an exception, whatever it was asked for.
                for _ in stream:
                    pass
                answer = stream.current_completion_snapshot
        else:
            completions = self.client.chat.completions
            answer = (completions.parse if schema else completions.create)(**request)
        choice = answer.choices[0]
        calls = [Call(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or []]
        counted = answer.usage
        usage = (counted.prompt_tokens, counted.completion_tokens) if counted else (0, 0)
        # What seals thoughts is a field of OpenRouter's, which the SDK hands on as it hands on all that it does not know.
        kept = {"role", "content", "tool_calls", "reasoning_details"}
        said = messages + [choice.message.model_dump(include=kept, exclude_none=True)]
        for call in said[-1].get("tool_calls", []):
            call["function"].pop("parsed_arguments", None)
            call.pop("index", None)
        details = counted and counted.prompt_tokens_details
        return Heard(
            choice.message.content or "", calls, self.FINISHES[choice.finish_reason], usage, said,
            getattr(choice.message, "parsed", None),
            getattr(choice.message, "reasoning", None) or getattr(choice.message, "reasoning_content", None) or "",
            details.cached_tokens or 0 if details else 0,
        )

    def models(self):
        return [model.id for model in self.client.models.list()]

    def error(self, status):
        return self.errors(openai)[status]

    @staticmethod
    def errors(sdk):
        return {400: sdk.BadRequestError, 401: sdk.AuthenticationError, 404: sdk.NotFoundError} | {
            status: sdk.InternalServerError for status in (502, 503)
        }

    def status(self, error):
        return error.status_code


class Responses(Chat):
    """openai: responses."""

    def question(self, text, picture=None):
        if picture is None:
            return [{"role": "user", "content": text}]
        parts = [{"type": "input_text", "text": text}, {"type": "input_image", "image_url": data_url(picture), "detail": "auto"}]
        return [{"role": "user", "content": parts}]

    def results(self, heard, *texts):
        results = zip(heard.calls, texts, strict=True)
        return heard.said + [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results]

    def ask(self, model, messages, streamed, tools=False, schema=False, thinks=False):
        request = {"model": model, "input": messages}
        if thinks:
            request |= {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
        if tools:
            function = {"name": "weather", "description": DESCRIPTION, "parameters": PARAMETERS, "strict": False}
            request["tools"] = [{"type": "function", **function}]
        if schema:
            request["text_format"] = Harbour
        if streamed:
            with self.client.responses.stream(**request) as stream:
                ends = [event.response for event in stream if event.type in ("response.completed", "response.incomplete")]
            (answer,) = ends
        else:
            answer = self.client.responses.parse(**request)
        items = [item for item in answer.output if item.type == "function_call"]
        calls = [Call(item.call_id, item.name, json.loads(item.arguments)) for item in items]
        assert answer.error is None
        cut = answer.incomplete_details and answer.incomplete_details.reason == "max_output_tokens"
        finish = "length" if cut else "tools" if calls else {"completed": "stop"}[answer.status]
        said = messages + [item.model_dump(exclude={"parsed_arguments"}, exclude_none=True) for item in answer.output]
        usage = (answer.usage.input_tokens, answer.usage.output_tokens)
        thoughts = "".join(part.text for item in answer.output if item.type == "reasoning" for part in item.summary)
        # The mock's own answers lack these.
        details = answer.usage.input_tokens_details
        cached = details.cached_tokens if details else 0
        return Heard(answer.output_text, calls, finish, usage, said, getattr(answer, "output_parsed", None), thoughts, cached)


class Messages(Chat):
    """anthropic: messages."""

    FINISHES = {"end_turn": "stop", "tool_use": "tools", "max_tokens": "length"}

    def __init__(self, url, key):
        self.client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=TIMEOUT)

    def question(self, text, picture=None):
        if picture is None:
            return [{"role": "user", "content": text}]
        source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(picture).decode()}
        return [{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": text}]}]

    def results(self, heard, *texts):
        results = zip(heard.calls, texts, strict=True)
        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in results]
        return heard.said + [{"role": "user", "content": blocks}]

    def ask(self, model, messages, streamed, tools=False, schema=False, thinks=False):
        request = {"model": model, "messages": messages, "max_tokens": 4000}
        if thinks:
            request["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if tools:
            request["tools"] = [{"name": "weather", "description": DESCRIPTION, "input_schema": PARAMETERS}]
        if schema:
            request["output_format"] = Harbour
        if streamed:
            with self.client.messages.stream(**request) as stream:
                answer = stream.get_final_message()
        else:
            answer = self.client.messages.parse(**request)
        text = "".join(block.text for block in answer.content if block.type == "text")
        calls = [Call(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"]
        blocks = [block.model_dump(exclude={"parsed_output"}, exclude_none=True) for block in answer.content]
        said = messages + [{"role": "assistant", "content": blocks}]
        thoughts = "".join(block.thinking for block in answer.content if block.type == "thinking")
        # What came from a cache is counted apart there.
        cached = answer.usage.cache_read_input_tokens or 0
        usage = (answer.usage.input_tokens + cached, answer.usage.output_tokens)
        parsed = getattr(answer, "parsed_output", None)
        return Heard(text, calls, self.FINISHES[answer.stop_reason], usage, said, parsed, thoughts, cached)

    def error(self, status):
        more = {503: anthropic.ServiceUnavailableError}
        return (self.errors(anthropic) | more)[status]


class Gemini(Chat):
    """google-genai: generateContent."""

    # The mock's word for tools is not Google's; where Gemini is the provider too, it comes as it is.
    FINISHES = {"STOP": "stop", "MAX_TOKENS": "length", "FUNCTION_CALL": "tools"}

    def __init__(self, url, key):
        options = types.HttpOptions(base_url=url, timeout=TIMEOUT * 1000)
        self.client = genai.Client(api_key=key, http_options=options)

    def question(self, text, picture=None):
        parts = [] if picture is None else [types.Part.from_bytes(data=picture, mime_type="image/png")]
        return [types.Content(role="user", parts=parts + [types.Part.from_text(text=text)])]

    def results(self, heard, *texts):
        results = zip(heard.calls, texts, strict=True)
        responses = [types.FunctionResponse(id=c.id, name=c.name, response={"result": text}) for c, text in results]
        return heard.said + [types.Content(role="user", parts=[types.Part(function_response=r) for r in responses])]

    def ask(self, model, messages, streamed, tools=False, schema=False, thinks=False):
        config = {}
        if thinks:
            config["thinking_config"] = types.ThinkingConfig(thinking_budget=1024, include_thoughts=True)
        if tools:
            function = {"name": "weather", "description": DESCRIPTION, "parameters_json_schema": PARAMETERS}
            config["tools"] = [types.Tool(function_declarations=[types.FunctionDeclaration(**function)])]
        if schema:
            config |= {"response_mime_type": "application/json", "response_schema": Harbour}
        request = {"model": model, "contents": messages, "config": types.GenerateContentConfig(**config)}
        if streamed:
            chunks = list(self.client.models.generate_content_stream(**request))
        else:
            chunks = [self.client.models.generate_content(**request)]
        parts = [part for chunk in chunks for part in self.parts(chunk)]
        functions = [part.function_call for part in parts if part.function_call]
        calls = [Call(call.id, call.name, call.args) for call in functions]
        text = "".join(part.text for part in parts if part.text and not part.thought)
        (finish,) = [c.candidates[0].finish_reason.value for c in chunks if c.candidates and c.candidates[0].finish_reason]
        usage = chunks[-1].usage_metadata
        said = messages + [types.Content(role="model", parts=parts)]
        parsed = Harbour.model_validate_json(text) if schema and streamed else chunks[0].parsed
        finish = "tools" if calls and finish == "STOP" else self.FINISHES[finish]
        thoughts = "".join(part.text for part in parts if part.text and part.thought)
        tokens = (usage.prompt_token_count, usage.candidates_token_count) if usage else (0, 0)
        cached = usage.cached_content_token_count or 0 if usage else 0
        return Heard(text, calls, finish, tokens, said, parsed, thoughts, cached)

    @staticmethod
    def parts(chunk):
        content = chunk.candidates[0].content if chunk.candidates else None
        return content.parts or [] if content else []

    def error(self, status):
        return errors.ClientError if status < 500 else errors.ServerError

    def status(self, error):
        return error.code

    def models(self):
        return [model.name.removeprefix("models/") for model in self.client.models.list()]
