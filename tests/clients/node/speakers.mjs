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

// What was heard: `said` is all that was said so far, in the SDK's own words, as the next request has to say it; `more` is
// what it thought, and how many tokens of the question came from a cache.
const heard = (text, calls, finish, usage, said, parsed, more) => ({ text, calls, finish, usage, said, parsed, ...more });
// Each call with its result.
const zip = (calls, texts) => calls.map((call, at) => [call, texts[at]]);

/** openai: chat completions. */
class Chat {
  constructor(url, apiKey) {
    this.client = new OpenAI({ baseURL: `${url}/v1`, apiKey, ...options });
  }

  question(text, picture) {
    if (!picture) return user(text);
    return user([{ type: 'text', text }, { type: 'image_url', image_url: { url: dataUrl(picture) } }]);
  }

  results({ said, calls }, ...texts) {
    return [...said, ...zip(calls, texts).map(([{ id }, content]) => ({ role: 'tool', tool_call_id: id, content }))];
  }

  async ask(model, messages, { streamed, tools, schema, thinks }) {
    const request = { model, messages };
    if (thinks) request.reasoning_effort = 'low';
    if (tools) request.tools = [{ type: 'function', function: { name: 'weather', description, parameters } }];
    if (schema) request.response_format = zodResponseFormat(harbour, 'harbour');
    const chat = this.client.chat.completions;
    const answer = streamed
      ? await chat.stream({ ...request, stream_options: { include_usage: true } }).finalChatCompletion()
      : await chat.create(request);
    const [{ message, finish_reason }] = answer.choices;
    const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: text } }) => ({ id, name, input: JSON.parse(text) }));
    const finish = { stop: 'stop', tool_calls: 'tools', length: 'length' }[finish_reason];
    const usage = [answer.usage?.prompt_tokens ?? 0, answer.usage?.completion_tokens ?? 0];
    // What seals thoughts is a field of OpenRouter's, which the SDK hands on as it hands on all that it does not know.
    const { content, tool_calls, reasoning_details, reasoning_content: thoughts } = message;
    const said = [...messages, { role: 'assistant', content, tool_calls, reasoning_details }];
    const more = { thoughts, cached: answer.usage?.prompt_tokens_details?.cached_tokens };
    return heard(content ?? '', calls, finish, usage, said, schema && JSON.parse(content), more);
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

  results({ said, calls }, ...texts) {
    const result = ([{ id }, output]) => ({ type: 'function_call_output', call_id: id, output });
    return [...said, ...zip(calls, texts).map(result)];
  }

  async ask(model, input, { streamed, tools, schema, thinks }) {
    const request = { model, input };
    if (thinks) Object.assign(request, { reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'], store: false });
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
    const thoughts = output.flatMap(({ type, summary }) => (type === 'reasoning' ? summary : [])).map(({ text }) => text).join('');
    const more = { thoughts, cached: answer.usage.input_tokens_details?.cached_tokens };
    return heard(answer.output_text, calls, finish, usage, [...input, ...output], schema && JSON.parse(answer.output_text), more);
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

  results({ said, calls }, ...texts) {
    return [...said, ...user(zip(calls, texts).map(([{ id }, content]) => ({ type: 'tool_result', tool_use_id: id, content })))];
  }

  async ask(model, messages, { streamed, tools, schema, thinks }) {
    const request = { model, messages, max_tokens: 4000 };
    if (thinks) request.thinking = { type: 'enabled', budget_tokens: 1024 };
    if (tools) request.tools = [{ name: 'weather', description, input_schema: parameters }];
    if (schema) request.output_config = { format: zodOutputFormat(harbour) };
    const answer = streamed
      ? await this.client.messages.stream(request).finalMessage()
      : await this.client.messages.create(request);
    const text = answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const calls = answer.content.filter(({ type }) => type === 'tool_use');
    const finish = { end_turn: 'stop', tool_use: 'tools', max_tokens: 'length' }[answer.stop_reason];
    const thoughts = answer.content.map((block) => block.thinking ?? '').join('');
    // What came from a cache is counted apart there.
    const cached = answer.usage.cache_read_input_tokens ?? 0;
    const usage = [answer.usage.input_tokens + cached, answer.usage.output_tokens];
    const said = [...messages, { role: 'assistant', content: answer.content }];
    return heard(text, calls, finish, usage, said, schema && JSON.parse(text), { thoughts, cached });
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

  results({ said, calls }, ...texts) {
    const result = ([{ id, name }, value]) => ({ type: 'tool-result', toolCallId: id, toolName: name, output: { type: 'text', value } });
    return [...said, { role: 'tool', content: zip(calls, texts).map(result) }];
  }

  async ask(model, messages, { streamed, tools, schema, thinks }) {
    const providerOptions = thinks ? this.thinking : this.providerOptions;
    const bounds = { maxRetries: 0, abortSignal: AbortSignal.timeout(20_000) };
    const request = { model: this.provider(model), messages, providerOptions, ...bounds };
    if (tools) request.tools = { weather: tool({ description, inputSchema: z.object({ place: z.string() }) }) };
    if (schema) request.output = Output.object({ schema: harbour });
    const answer = streamed ? await this.streamed(request) : await generateText(request);
    const [text, thoughts, toolCalls, reason, usage, response] = await Promise.all(
      [answer.text, answer.reasoningText, answer.toolCalls, answer.finishReason, answer.usage, answer.response],
    );
    const calls = toolCalls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input }));
    // "other": the mock's word for tools is not Google's; where Gemini is the provider too, it comes as it is.
    const finish = { stop: 'stop', 'tool-calls': 'tools', length: 'length', other: calls.length && 'tools' }[reason];
    const said = [...messages, ...response.messages];
    const { inputTokens = 0, outputTokens = 0, inputTokenDetails, cachedInputTokens } = usage;
    const more = { thoughts, cached: inputTokenDetails?.cacheReadTokens ?? cachedInputTokens };
    return heard(text, calls, finish, [inputTokens, outputTokens], said, schema && (await answer.output), more);
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
    // It does not know this model for one that thinks.
    const thinking = { reasoningEffort: 'low', reasoningSummary: 'auto', forceReasoning: true };
    this.thinking = { openai: { store: false, include: ['reasoning.encrypted_content'], ...thinking } };
  }
}

class AiAnthropic extends Ai {
  constructor(url, apiKey) {
    super();
    this.provider = createAnthropic({ baseURL: `${url}/v1`, apiKey });
    this.thinking = { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } };
  }
}

class AiGoogle extends Ai {
  constructor(url, apiKey) {
    super();
    this.provider = createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey });
    this.thinking = { google: { thinkingConfig: { thinkingBudget: 1024, includeThoughts: true } } };
  }
}

export const speakers = { Chat, Responses, Messages, AiOpenai, AiAnthropic, AiGoogle };
