// OpenAI's SDK for Node, driven by `openai_node.py`: a line of JSON on stdin names a scenario, a line on stdout says
// how it went. What the scenarios ask is in `matter.py`, and comes along with the line.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const OpenAI = createRequire(`${process.env.FAIRLEAD_CLIENTS_NODE}/`)('openai');

const connect = (cell, options = {}) =>
  new OpenAI({ baseURL: `${cell.url}/v1`, apiKey: cell.key, timeout: 20_000, maxRetries: 0, ...options });
const user = (content) => [{ role: 'user', content }];
const measured = (cell, city) => `${city} has ${cell.nonce} degrees`;
const both = (cell) => `Found: ${measured(cell, 'Oslo')}; ${measured(cell, 'Rome')}`;

const chatTool = (cell) => ({
  type: 'function',
  function: {
    ...cell.tool,
    parse: JSON.parse,
    function: ({ city }) => measured(cell, city),
  },
});

function spent(usage, input, output) {
  assert.deepEqual([usage[input], usage[output], usage.total_tokens], [120, 30, 150]);
}

async function collect(stream, text) {
  let words = '';
  for await (const event of stream) words += text(event) ?? '';
  return words;
}

const scenarios = {
  async hello(cell) {
    const answer = await connect(cell).chat.completions.create({ model: cell.model, messages: user(cell.hello) });
    assert.equal(answer.choices[0].message.content, cell.said);
    spent(answer.usage, 'prompt_tokens', 'completion_tokens');
  },

  async stream(cell) {
    const options = { model: cell.model, messages: user(cell.hello), stream: true };
    const stream = await connect(cell).chat.completions.create(options);
    assert.equal(await collect(stream, (chunk) => chunk.choices[0]?.delta.content), cell.said);
  },

  // The SDK itself calls the function.
  async weather(cell) {
    const options = { model: cell.model, messages: user(cell.weather), tools: [chatTool(cell)] };
    const runner = connect(cell).chat.completions.runTools(options);
    assert.equal(await runner.finalContent(), both(cell));
  },

  async weather_streamed(cell) {
    const options = { model: cell.model, messages: user(cell.weather), tools: [chatTool(cell)], stream: true };
    const runner = connect(cell).chat.completions.runTools(options);
    assert.equal(await runner.finalContent(), both(cell));
  },

  async forecast(cell) {
    const format = { type: 'json_schema', json_schema: { name: 'Forecast', strict: true, schema: cell.schema } };
    const options = { model: cell.model, messages: user(cell.forecast), response_format: format };
    const answer = await connect(cell).chat.completions.parse(options);
    assert.deepEqual(answer.choices[0].message.parsed, { city: 'Oslo', degrees: 4 });
  },

  async image(cell) {
    const picture = { type: 'image_url', image_url: { url: cell.image } };
    const messages = user([{ type: 'text', text: '<<image>> What is this?' }, picture]);
    const answer = await connect(cell).chat.completions.create({ model: cell.model, messages });
    assert.equal(answer.choices[0].message.content, cell.seen);
  },

  async responses(cell) {
    const answer = await connect(cell).responses.create({ model: cell.model, input: cell.hello });
    assert.equal(answer.output_text, cell.said);
    spent(answer.usage, 'input_tokens', 'output_tokens');
  },

  async responses_streamed(cell) {
    const stream = connect(cell).responses.stream({ model: cell.model, input: cell.hello });
    const text = (event) => (event.type === 'response.output_text.delta' ? event.delta : '');
    assert.equal(await collect(stream, text), cell.said);
    assert.equal((await stream.finalResponse()).output_text, cell.said);
  },

  async responses_weather(cell) {
    const input = user(cell.weather);
    const tools = [{ type: 'function', strict: true, ...cell.tool }];
    const first = await connect(cell).responses.create({ model: cell.model, input, tools });
    input.push(...first.output);
    for (const call of first.output.filter((item) => item.type === 'function_call')) {
      const output = measured(cell, JSON.parse(call.arguments).city);
      input.push({ type: 'function_call_output', call_id: call.call_id, output });
    }
    const last = await connect(cell).responses.create({ model: cell.model, input, tools });
    assert.equal(last.output_text, both(cell));
  },

  async completion(cell) {
    const answer = await connect(cell).completions.create({ model: cell.model, prompt: cell.hello, max_tokens: 100 });
    assert.equal(answer.choices[0].text, cell.said);
    spent(answer.usage, 'prompt_tokens', 'completion_tokens');
  },

  // Anthropic has none.
  async embedding(cell) {
    const asked = connect(cell).embeddings.create({ model: cell.model, input: cell.texts });
    if (cell.model === 'anthropic') {
      await assert.rejects(asked, (error) => error instanceof OpenAI.BadRequestError);
      return;
    }
    assert.deepEqual((await asked).data.map((one) => one.embedding), cell.vectors);
  },

  async bad(cell) {
    const create = connect(cell).chat.completions.create({ model: cell.model, messages: user('<<bad>>') });
    await assert.rejects(create, (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError && error.message.includes(cell.refused), error);
      return true;
    });
  },

  async limited(cell) {
    const create = connect(cell).chat.completions.create({ model: cell.model, messages: user('<<limited>>') });
    await assert.rejects(create, (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError, error);
      assert.equal(error.headers.get('retry-after'), '7');
      return true;
    });
  },

  async busy(cell) {
    const messages = user(`<<busy ${cell.nonce}>>`);
    const answer = await connect(cell, { maxRetries: 1 }).chat.completions.create({ model: cell.model, messages });
    assert.equal(answer.choices[0].message.content, 'At last.');
  },

  async broken(cell) {
    const options = { model: cell.model, messages: user('<<broken>>'), stream: true };
    const stream = await connect(cell).chat.completions.create(options);
    const read = collect(stream, (chunk) => chunk.choices[0]?.delta.content);
    await assert.rejects(read, (error) => error instanceof OpenAI.APIError && error.message.includes(cell.broken));
  },

  async models(cell) {
    const ids = [];
    for await (const model of connect(cell).models.list()) ids.push(model.id);
    assert.ok(ids.includes(cell.model), ids.join());
    const stranger = connect(cell, { apiKey: 'sk-no' }).models.list();
    await assert.rejects(stranger, (error) => error instanceof OpenAI.AuthenticationError);
  },
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

say(Object.keys(scenarios));
for await (const line of createInterface({ input: process.stdin })) {
  const cell = JSON.parse(line);
  try {
    await scenarios[cell.scenario](cell);
    say(null);
  } catch (error) {
    say(String(error?.stack ?? error));
  }
}
