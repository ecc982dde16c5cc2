// Every official Node SDK over every kind of provider, none of them ours; `../run` starts what they talk to.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { harbour, speakers } from './speakers.mjs';

const kinds = ['anthropic', 'azure', 'azure_v1', 'bedrock', 'chat', 'cohere', 'gemini', 'mistral', 'ollama', 'openrouter', 'responses', 'vertex', 'claude_vertex'];
const sea = 'The sea ends where the land begins, and begins there too.';
// One pixel, and behind its end so much that its size tells whether it came.
const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const picture = Buffer.concat([Buffer.from(pixel, 'base64'), Buffer.alloc(6000)]);

// What the mock cannot say: its answers of these kinds count no tokens, or name no limit. (Mistral itself counts unasked.)
const countsNothing = (kind, streamed) => kind === 'ollama' || (kind === 'mistral' && streamed);
const namesNoLimit = (name, kind) =>
  ['ollama', 'responses'].includes(kind) || (kind.startsWith('azure') && ['Responses', 'AiOpenai'].includes(name));

const at = (Speaker, key = 'key-of-clients') => new Speaker(process.env.DIALECTS_URL, key);

/** What the provider was sent for a model, as it noted it. */
async function sent(model) {
  const journal = await (await fetch(`${process.env.MOCK_URL}/__aimock/journal`)).json();
  return journal.findLast(({ body }) => body?.model === model);
}

for (const [name, Speaker] of Object.entries(speakers)) {
  const speaker = at(Speaker);
  for (const streamed of [false, true]) {
    const way = streamed ? 'streamed' : 'whole';
    for (const kind of kinds) {
      // A model that nobody else asks for: what it does touches no other test.
      const own = (does) => `${kind}-${does}-${name}-${way}-node`.toLowerCase();

      describe(`${name} over ${kind}, ${way}`, () => {
        test('text', async () => {
          const answer = await speaker.ask(kind, speaker.question('Where does the sea end?'), { streamed });
          assert.deepEqual([answer.text, answer.calls, answer.finish], [sea, [], 'stop']);
          assert.deepEqual(answer.usage, countsNothing(kind, streamed) ? [0, 0] : [12, 8]);
        });

        test('a tool, there and back', async () => {
          const asked = await speaker.ask(kind, speaker.question('How is the weather?'), { streamed, tools: true });
          assert.deepEqual([asked.calls.length, asked.finish], [1, 'tools']);
          const [call] = asked.calls;
          assert.deepEqual([call.name, call.input], ['weather', { place: 'harbour' }]);
          const said = speaker.results(asked, 'rain at sea');
          const answer = await speaker.ask(kind, said, { streamed, tools: true });
          assert.deepEqual([answer.text, answer.calls, answer.finish], ['There is rain at sea.', [], 'stop']);
        });

        test('two calls at once', async () => {
          const question = speaker.question('How is it at both ends?');
          const asked = await speaker.ask(own('twice'), question, { streamed, tools: true });
          assert.deepEqual(asked.calls.map(({ name, input }) => [name, input.place]), [['weather', 'harbour'], ['weather', 'pier']]);
          const said = speaker.results(asked, 'rain at sea', 'sun on land');
          const answer = await speaker.ask(own('twice'), said, { streamed, tools: true });
          assert.deepEqual([answer.text, answer.calls, answer.finish], ['Rain here, sun there.', [], 'stop']);
          // Both came, in order.
          const results = (await sent(own('twice'))).body.messages.filter(({ role }) => role === 'tool');
          assert.match(JSON.stringify(results), /rain at sea.*sun on land/);
        });

        test('a picture', async () => {
          const answer = await speaker.ask(own('sees'), speaker.question('What is this?', picture), { streamed });
          assert.equal(answer.text, 'A picture of the sea.');
          // The mock notes no pictures of most kinds; that they came shows in how much came.
          assert.ok(Number((await sent(own('sees'))).headers['content-length']) > (picture.length * 4) / 3);
        });

        // This one demands a call of a tool that takes the schema, of models that it does not know.
        const unmade = name === 'AiAnthropic' && kind === 'ollama' && 'Ollama cannot be made to call a tool';
        test('a schema', { skip: unmade }, async () => {
          const answer = await speaker.ask(own('keeps'), speaker.question('Describe a harbour.'), { streamed, schema: true });
          assert.deepEqual(harbour.parse(answer.parsed), { name: 'Old harbour', berths: 3 });
          // And that it was demanded, where the mock notes it.
          if (!['chat', 'cohere'].includes(kind)) return;
          assert.match(JSON.stringify((await sent(own('keeps'))).body), /berths/);
        });

        const skip = namesNoLimit(name, kind) && "the mock's answers name no limit here";
        test('an answer that is cut', { skip }, async () => {
          const answer = await speaker.ask(kind, speaker.question('Go on at length.'), { streamed });
          assert.deepEqual([answer.text, answer.finish], ['The sea goes on and on and', 'length']);
        });

        for (const [does, status] of Object.entries({ throttled: 503, broken: 502, picky: 400 })) {
          test(`an error of the SDK's own: ${does}`, async () => {
            const ask = speaker.ask(own(does), speaker.question(`Be ${does}.`), { streamed });
            await assert.rejects(ask, (error) => {
              assert.ok(speaker.raises(error, status), error);
              assert.equal(/no poems/.test(error.message), status === 400, error.message);
              return true;
            });
          });
        }
      });
    }

    for (const kind of ['anthropic', 'claude_vertex']) test(`${name}, ${way}, ${kind}: thoughts come back sealed`, async () => {
      // The mock refuses, as Anthropic does, a tool's result behind a call whose thoughts or their signature are gone.
      const how = { streamed, tools: true, thinks: true };
      const asked = await speaker.ask(kind, speaker.question('Think of the tide.'), how);
      assert.deepEqual([asked.thoughts, asked.calls.length], ['It turns at noon.', 1]);
      const answer = await speaker.ask(kind, speaker.results(asked, 'low water'), how);
      assert.deepEqual([answer.text, answer.finish], ['The tide is out.', 'stop']);
    });

    test(`${name}, ${way}: what came from a cache is counted`, async () => {
      // Of all that the mock plays, OpenRouter alone tells of it.
      const answer = await speaker.ask('openrouter', speaker.question('What did I ask before?'), { streamed });
      assert.deepEqual([answer.text, answer.usage, answer.cached], ['Of the sea.', [20, 9], 12]);
    });

    for (const [what, key, model, status] of [
      ['an unknown model', undefined, 'nobody-has-this', 404],
      ['a wrong key', 'wrong', 'chat', 401],
    ]) {
      test(`${name}, ${way}: ${what}`, async () => {
        const speaker = at(Speaker, key);
        const ask = speaker.ask(model, speaker.question('Where?'), { streamed });
        await assert.rejects(ask, (error) => {
          assert.ok(speaker.raises(error, status), error);
          return true;
        });
      });
    }
  }

  test(`${name}: models`, { skip: !speaker.models && 'this SDK lists none' }, async () => {
    const models = await speaker.models();
    assert.ok(kinds.every((kind) => models.includes(kind)), models.join());
  });
}
