// The official client for JavaScript.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { KEY, QUESTION, serve } from "./steps.mjs";

const messages = [{ role: "user", content: QUESTION }];
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
const client = (baseURL, more = {}) => new OpenAI({ baseURL, apiKey: KEY, ...more });

async function answer(url, model, note) {
  const reply = await client(url).chat.completions.create({ model, messages });
  note.text = reply.choices[0].message.content;
  note.finish = reply.choices[0].finish_reason;
  note.completion_tokens = reply.usage?.completion_tokens ?? null;
  note.workspan = reply.workspan ?? null;
}

async function stream(url, model, note) {
  Object.assign(note, { text: "", finish: null, completion_tokens: null });
  const events = await client(url).chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of events) {
    for (const choice of chunk.choices) {
      note.text += choice.delta.content ?? "";
      note.finish = choice.finish_reason ?? note.finish;
    }
    if (chunk.usage) note.completion_tokens = chunk.usage.completion_tokens;
  }
}

async function stream_helper(url, model, note) {
  note.text = "";
  const events = client(url).chat.completions.stream({ model, messages });
  events.on("content", (piece) => (note.text += piece));
  const final = await events.finalChatCompletion();
  note.finish = final.choices[0].finish_reason;
  note.final = final.choices[0].message.content;
}

async function tool(url, model, note) {
  const told = tools[0].function;
  const runner = client(url).chat.completions.runTools({
    model,
    messages,
    tools: [
      {
        type: "function",
        function: {
          ...told,
          parse: JSON.parse,
          function: (args) => {
            note.calls = [told.name, args];
            return "sun";
          },
        },
      },
    ],
  });
  note.text = await runner.finalContent();
}

async function stream_tool(url, model, note) {
  const events = client(url).chat.completions.stream({ model, messages, tools });
  const final = await events.finalChatCompletion();
  const call = final.choices[0].message.tool_calls[0];
  note.calls = [call.function.name, JSON.parse(call.function.arguments)];
  note.id = call.id;
}

async function structured(url, model, note) {
  const City = z.object({ city: z.string(), population: z.int() });
  const reply = await client(url).chat.completions.parse({
    model,
    messages,
    response_format: zodResponseFormat(City, "city"),
  });
  note.value = reply.choices[0].message.parsed;
}

async function cancel_stream(url, model, note) {
  const events = await client(url).chat.completions.create({ model, messages, stream: true });
  note.text = "";
  let count = 0;
  for await (const chunk of events) {
    note.text += chunk.choices[0].delta.content ?? "";
    if (++count === 3) break;
  }
  events.controller.abort();
}

async function cancel_answer(url, model) {
  await client(url, { timeout: 1000, maxRetries: 0 }).chat.completions.create({ model, messages });
}

async function embed(url, model, note) {
  const reply = await client(url).embeddings.create({ model, input: ["a", "b"] });
  note.vectors = reply.data.map((one) => one.embedding);
}

async function models(url, _, note) {
  note.names = [];
  for await (const one of client(url).models.list()) note.names.push(one.id);
}

await serve({
  answer,
  stream,
  stream_helper,
  tool,
  stream_tool,
  structured,
  cancel_stream,
  cancel_answer,
  embed,
  models,
});
