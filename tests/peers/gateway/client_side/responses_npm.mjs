// OpenAI's client for JavaScript, by Responses.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { KEY, QUESTION, serve } from "./steps.mjs";

const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tools = [{ type: "function", name: "get_weather", parameters, strict: true }];
const client = (baseURL, more = {}) => new OpenAI({ baseURL, apiKey: KEY, ...more });
const ends = { completed: "stop", incomplete: "length" };
const finish = (reply) => ends[reply.status] ?? reply.status;

async function answer(url, model, note) {
  const reply = await client(url).responses.create({ model, input: QUESTION });
  note.text = reply.output_text;
  note.finish = finish(reply);
  note.completion_tokens = reply.usage?.output_tokens ?? null;
}

async function stream(url, model, note) {
  Object.assign(note, { text: "", finish: null, completion_tokens: null });
  const events = await client(url).responses.create({ model, input: QUESTION, stream: true });
  for await (const event of events) {
    if (event.type === "response.output_text.delta") note.text += event.delta;
    // the client hands it on as any event
    if (event.type === "response.failed") throw new Error(event.response.error.message);
    if (!["response.completed", "response.incomplete"].includes(event.type)) continue;
    note.finish = finish(event.response);
    note.completion_tokens = event.response.usage.output_tokens;
  }
}

async function stream_helper(url, model, note) {
  note.text = "";
  const events = client(url).responses.stream({ model, input: QUESTION });
  events.on("response.output_text.delta", (event) => (note.text += event.delta));
  const final = await events.finalResponse();
  note.final = final.output_text;
  note.finish = finish(final);
}

async function tool(url, model, note) {
  const input = [{ role: "user", content: QUESTION }];
  const first = await client(url).responses.create({ model, input, tools });
  const call = first.output.find((item) => item.type === "function_call");
  note.calls = [call.name, JSON.parse(call.arguments)];
  const result = { type: "function_call_output", call_id: call.call_id, output: "sun" };
  const told = [...input, ...first.output, result];
  note.text = (await client(url).responses.create({ model, input: told, tools })).output_text;
}

async function stream_tool(url, model, note) {
  const final = await client(url).responses.stream({ model, input: QUESTION, tools }).finalResponse();
  const call = final.output.find((item) => item.type === "function_call");
  note.calls = [call.name, JSON.parse(call.arguments)];
  note.id = call.call_id;
}

async function structured(url, model, note) {
  const City = z.object({ city: z.string(), population: z.int() });
  const text = { format: zodTextFormat(City, "city") };
  note.value = (await client(url).responses.parse({ model, input: QUESTION, text })).output_parsed;
}

async function cancel_stream(url, model, note) {
  const events = await client(url).responses.create({ model, input: QUESTION, stream: true });
  note.text = "";
  for await (const event of events) {
    if (event.type !== "response.output_text.delta") continue;
    note.text += event.delta;
    break;
  }
  events.controller.abort();
}

async function cancel_answer(url, model) {
  const more = { timeout: 1000, maxRetries: 0 };
  await client(url, more).responses.create({ model, input: QUESTION });
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
});
