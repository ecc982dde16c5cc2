// The official Node SDKs behind one face: what is asked of each, and what it heard.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { APICallError, generateText, Output, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

export const harbour = z.object({ name: z.string(), berths: z.number().int() });

const description = 'Weather at a place';
const parameters = { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] };
const options = { maxRetries: 0, timeout: 20_000 };
const dataUrl = (picture) => `data:image/png;base64,${picture.toString('base64')}`;
const user = (content) => [{ role: 'user', content }];

// What was heard: `said` is all that was said so far, in the SDK's own words, as the next request has to say it.
const heard = (text, calls, finish, usage, said, parsed) => ({ text, calls, finish, usage, said, parsed });

/** openai: chat completions. */
class Chat {
  constructor(url, apiKey) {
    this.client = new OpenAI({ baseURL: `${url}/v1`, apiKey, ...options });
  }

  question(text, picture) {
    if (!picture) return user(text);
    return user([{ type: 'text', text }, { type: 'image_url', image_url: { url: dataUrl(picture) } }]);
  }

  result({ said }, { id }, content) {
    return [...said, { role: 'tool', tool_call_id: id, content }];
  }

  async ask(model, messages, { streamed, tools, schema }) {
    const request = { model, messages };
    if (tools) request.tools = [{ type: 'function', function: { name: 'weather', description, parameters } }];
    if (schema) request.response_format = zodResponseFormat(harbour, 'harbour');
    const chat = this.client.chat.completions;
    const answer = streamed
      ? await chat.stream({ ...request, stream_options: { include_usage: true } }).finalChatCompletion()
      : await chat.create(request);
    const [{ message, finish_reason }] = answer.choices;
    const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: text } }) => ({ id, name, input: JSON.parse(text) }));
    const finish = { stop: 'stop', tool_calls: 'tools', length: 'length' }[finish_reason];
    const usage = [answer.usage.prompt_tokens, answer.usage.completion_tokens];
    const said = [...messages, { role: 'assistant', content: message.content, tool_calls: message.tool_calls }];
    return heard(message.content ?? '', calls, finish, usage, said, schema && JSON.parse(message.content));
  }

  raises(error, status) {
    const kinds = { 400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 404: OpenAI.NotFoundError };
    return error instanceof (kinds[status] ?? OpenAI.InternalServerError) && error.status === status;
  }

  async models() {
    const ids = [];
    for await (const { id } of this.client.models.list()) ids.push(id);
    return ids;
  }
}

/** openai: responses. */
class Responses extends Chat {
  question(text, picture) {
    if (!picture) return user(text);
    return user([{ type: 'input_text', text }, { type: 'input_image', image_url: dataUrl(picture), detail: 'auto' }]);
  }

  result({ said }, { id }, output) {
    return [...said, { type: 'function_call_output', call_id: id, output }];
  }

  async ask(model, input, { streamed, tools, schema }) {
    const request = { model, input };
    if (tools) request.tools = [{ type: 'function', name: 'weather', description, parameters, strict: false }];
    if (schema) request.text = { format: zodTextFormat(harbour, 'harbour') };
    const answer = streamed
      ? await this.client.responses.stream(request).finalResponse()
      : await this.client.responses.create(request);
    const items = answer.output.filter(({ type }) => type === 'function_call');
    const calls = items.map(({ call_id, name, arguments: text }) => ({ id: call_id, name, input: JSON.parse(text) }));
    const cut = answer.incomplete_details?.reason === 'max_output_tokens';
    const finish = cut ? 'length' : calls.length ? 'tools' : { completed: 'stop' }[answer.status];
    const usage = [answer.usage.input_tokens, answer.usage.output_tokens];
    // The helper adds what it read; a request has no place for that.
    const output = answer.output.map(({ parsed_arguments, ...item }) => item);
    return heard(answer.output_text, calls, finish, usage, [...input, ...output], schema && JSON.parse(answer.output_text));
  }
}

/** @anthropic-ai/sdk: messages. */
class Messages {
  constructor(url, apiKey) {
    this.client = new Anthropic({ baseURL: url, apiKey, ...options });
  }

  question(text, picture) {
    if (!picture) return user(text);
    const source = { type: 'base64', media_type: 'image/png', data: picture.toString('base64') };
    return user([{ type: 'image', source }, { type: 'text', text }]);
  }

  result({ said }, { id }, content) {
    return [...said, ...user([{ type: 'tool_result', tool_use_id: id, content }])];
  }

  async ask(model, messages, { streamed, tools, schema }) {
    const request = { model, messages, max_tokens: 1000 };
    if (tools) request.tools = [{ name: 'weather', description, input_schema: parameters }];
    if (schema) request.output_config = { format: zodOutputFormat(harbour) };
    const answer = streamed
      ? await this.client.messages.stream(request).finalMessage()
      : await this.client.messages.create(request);
    const text = answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const calls = answer.content.filter(({ type }) => type === 'tool_use');
    const finish = { end_turn: 'stop', tool_use: 'tools', max_tokens: 'length' }[answer.stop_reason];
    const usage = [answer.usage.input_tokens, answer.usage.output_tokens];
    const said = [...messages, { role: 'assistant', content: answer.content }];
    return heard(text, calls, finish, usage, said, schema && JSON.parse(text));
  }

  raises(error, status) {
    const kinds = { 400: Anthropic.BadRequestError, 401: Anthropic.AuthenticationError, 404: Anthropic.NotFoundError };
    return error instanceof (kinds[status] ?? Anthropic.InternalServerError) && error.status === status;
  }

  async models() {
    const ids = [];
    for await (const { id } of this.client.models.list()) ids.push(id);
    return ids;
  }
}

/** Vercel's AI SDK, which speaks through a package for each dialect; it has no words to list models. */
class Ai {
  question(text, picture) {
    return user([...(picture ? [{ type: 'image', image: picture }] : []), { type: 'text', text }]);
  }

  result({ said }, { id, name }, value) {
    const result = { type: 'tool-result', toolCallId: id, toolName: name, output: { type: 'text', value } };
    return [...said, { role: 'tool', content: [result] }];
  }

  async ask(model, messages, { streamed, tools, schema }) {
    const { providerOptions } = this;
    const bounds = { maxRetries: 0, abortSignal: AbortSignal.timeout(20_000) };
    const request = { model: this.provider(model), messages, providerOptions, ...bounds };
    if (tools) request.tools = { weather: tool({ description, inputSchema: z.object({ place: z.string() }) }) };
    if (schema) request.output = Output.object({ schema: harbour });
    const answer = streamed ? await this.streamed(request) : await generateText(request);
    const [text, toolCalls, reason, { inputTokens, outputTokens }, response] = await Promise.all(
      [answer.text, answer.toolCalls, answer.finishReason, answer.usage, answer.response],
    );
    const calls = toolCalls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input }));
    // "other": the mock's word for tools is not Google's; where Gemini is the provider too, it comes as it is.
    const finish = { stop: 'stop', 'tool-calls': 'tools', length: 'length', other: calls.length && 'tools' }[reason];
    const said = [...messages, ...response.messages];
    return heard(text, calls, finish, [inputTokens, outputTokens], said, schema && (await answer.output));
  }

  async streamed(request) {
    // Errors are parts of its streams.
    const stream = streamText({ ...request, onError: () => {} });
    for await (const part of stream.fullStream) if (part.type === 'error') throw part.error;
    return stream;
  }

  raises(error, status) {
    return APICallError.isInstance(error) && error.statusCode === status;
  }
}

class AiOpenai extends Ai {
  constructor(url, apiKey) {
    super();
    this.provider = createOpenAI({ baseURL: `${url}/v1`, apiKey });
    // Else it refers to what was said by ids alone, which only a provider that keeps answers can look up.
    this.providerOptions = { openai: { store: false } };
  }
}

class AiAnthropic extends Ai {
  constructor(url, apiKey) {
    super();
    this.provider = createAnthropic({ baseURL: `${url}/v1`, apiKey });
  }
}

class AiGoogle extends Ai {
  constructor(url, apiKey) {
    super();
    this.provider = createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey });
  }
}

export const speakers = { Chat, Responses, Messages, AiOpenai, AiAnthropic, AiGoogle };
