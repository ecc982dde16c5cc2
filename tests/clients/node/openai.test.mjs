// The official Node client through the gateway; `../run` starts what it talks to.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const messages = [{ role: 'user', content: 'Where does the sea end?' }];
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Weather at a place',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  },
};

const client = (baseURL, apiKey) => new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 });
const chain = (key = 'key-of-clients') => client(process.env.CHAIN_URL, key);
const zero = () => client(process.env.ZERO_URL, 'none');
const modelOf = {
  chain: async () => 'chat',
  zero: async (client) => (await client.models.list()).data[0].id,
};

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');

for (const [name, connect] of Object.entries({ zero, chain })) {
  describe(`chat completions, ${name}`, () => {
    const client = connect();
    const chat = client.chat.completions;
    let model;
    before(async () => {
      model = await modelOf[name](client);
    });

    test('whole and streamed say the same', async () => {
      const whole = await chat.create({ model, messages });
      assert.ok(whole.choices[0].message.content);
      assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
      const chunks = await collect(await chat.create({ model, messages, stream: true }));
      assert.equal(textOf(chunks), whole.choices[0].message.content);
      assert.equal(chunks.findLast((chunk) => chunk.choices.length).choices[0].finish_reason, 'stop');
    });

    test('stream_options: usage comes last', async () => {
      const options = { include_usage: true };
      const chunks = await collect(await chat.create({ model, messages, stream: true, stream_options: options }));
      assert.deepEqual(chunks.at(-1).choices, []);
      assert.ok(chunks.at(-1).usage.completion_tokens > 0);
    });

    for (const streamed of [false, true]) {
      test(`tools, there and back, ${streamed ? 'streamed' : 'whole'}`, async () => {
        const ask = async (messages) => {
          const request = { model, messages, tools: [weather] };
          if (!streamed) return (await chat.create(request)).choices[0];
          return (await chat.stream(request).finalChatCompletion()).choices[0];
        };
        const asked = await ask(messages);
        assert.equal(asked.finish_reason, 'tool_calls');
        const [call] = asked.message.tool_calls;
        assert.equal(call.function.name, 'weather');
        assert.equal(typeof JSON.parse(call.function.arguments).place, 'string');

        const said = { id: call.id, type: 'function', function: call.function };
        const answer = await ask([
          ...messages,
          { role: 'assistant', tool_calls: [said] },
          { role: 'tool', tool_call_id: call.id, content: 'rain at sea' },
        ]);
        assert.equal(answer.finish_reason, 'stop');
        assert.match(answer.message.content, /rain at sea/);
      });
    }

    test('images in messages', async () => {
      const content = [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: pixel } },
      ];
      const answer = await chat.create({ model, messages: [{ role: 'user', content }] });
      assert.match(answer.choices[0].message.content, /1 image/);
    });

    test('several choices with logprobs', async () => {
      const answer = await chat.create({ model, messages, n: 2, logprobs: true, top_logprobs: 2 });
      assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
      for (const { logprobs, message } of answer.choices) {
        assert.equal(logprobs.content.map((token) => token.token).join(''), message.content);
        assert.ok(logprobs.content.every((token) => token.top_logprobs.length === 2));
      }
    });

    test('a JSON schema is kept', async () => {
      const harbour = z.object({ name: z.string(), berths: z.number().int(), ships: z.array(z.string()) });
      const answer = await chat.parse({ model, messages, response_format: zodResponseFormat(harbour, 'harbour') });
      assert.ok(harbour.safeParse(answer.choices[0].message.parsed).success);
    });
  });
}

test('models', async () => {
  const ids = (await collect(await chain().models.list())).map((model) => model.id);
  assert.ok(ids.includes('chat') && ids.includes('fails'), ids.join());
  assert.equal((await chain().models.retrieve('chat')).id, 'chat');
  await assert.rejects(chain().models.retrieve('nobody-has-this'), OpenAI.NotFoundError);
});

for (const model of ['fails', 'cuts', 'hangs']) {
  test(`failover is not seen: the first target ${model}`, async () => {
    const chat = chain().chat.completions;
    const whole = await chat.create({ model, messages }).withResponse();
    assert.equal(whole.response.headers.get('x-breakwater-target'), 'b/good');
    const stream = await chat.create({ model, messages, stream: true }).withResponse();
    assert.equal(stream.response.headers.get('x-breakwater-target'), 'b/good');
    assert.equal(textOf(await collect(stream.data)), whole.data.choices[0].message.content);
  });
}

for (const stream of [false, true]) {
  test(`errors are the client's own, ${stream ? 'streamed' : 'whole'}`, async () => {
    const ask = ({ model = 'chat', key } = {}) => chain(key).chat.completions.create({ model, messages, stream });
    const raises = (kind, code) => (error) => error instanceof kind && error.code === code;
    await assert.rejects(ask({ key: 'nobody-has-this' }), raises(OpenAI.AuthenticationError, 'invalid_api_key'));
    await assert.rejects(ask({ model: 'nobody-has-this' }), raises(OpenAI.NotFoundError, 'model_not_found'));
    await assert.rejects(ask({ model: 'picky' }), (error) => {
      assert.match(error.message, /This model takes no poems\./);
      return raises(OpenAI.BadRequestError, 'invalid_value')(error);
    });
  });
}

test('rate limit', async () => {
  const chat = chain('key-of-hasty-node').chat.completions;
  await chat.create({ model: 'chat', messages });
  await assert.rejects(chat.create({ model: 'chat', messages }), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.equal(error.code, 'rate_limit_exceeded');
    return Number(error.headers.get('retry-after')) > 0;
  });
});

test('a stream that breaks raises after what came', async () => {
  const stream = await chain().chat.completions.create({ model: 'breaks', messages, stream: true });
  const chunks = [];
  await assert.rejects(async () => {
    for await (const chunk of stream) chunks.push(chunk);
  }, (error) => error instanceof OpenAI.APIError && error.code === 'upstream_failed');
  assert.ok(textOf(chunks));
  assert.ok(chunks.every((chunk) => chunk.choices.every((choice) => !choice.finish_reason)));
});
