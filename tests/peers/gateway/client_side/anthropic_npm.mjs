// Anthropic's client for JavaScript.
import Anthropic from "@anthropic-ai/sdk";
import { KEY, QUESTION, serve } from "./steps.mjs";

const messages = [{ role: "user", content: QUESTION }];
const input_schema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tools = [{ name: "get_weather", description: "Look it up", input_schema }];
const max_tokens = 100;
// It adds /v1 itself.
const client = (url, more = {}) =>
  new Anthropic({ baseURL: url.replace(/\/+$/, "").replace(/\/v1$/, ""), apiKey: KEY, ...more });
const ends = { end_turn: "stop", max_tokens: "length" };
const finish = (reason) => ends[reason] ?? reason;
const said = (reply) => reply.content.filter((one) => one.type === "text").map((one) => one.text).join("");

async function answer(url, model, note) {
  const reply = await client(url).messages.create({ model, messages, max_tokens });
  note.text = said(reply);
  note.finish = finish(reply.stop_reason);
  note.completion_tokens = reply.usage.output_tokens;
}

async function stream(url, model, note) {
  Object.assign(note, { text: "", finish: null, completion_tokens: null });
  const events = await client(url).messages.create({ model, messages, max_tokens, stream: true });
  for await (const event of events) {
    if (event.type === "content_block_delta") note.text += event.delta.text;
    if (event.type !== "message_delta") continue;
    note.finish = finish(event.delta.stop_reason);
    note.completion_tokens = event.usage.output_tokens;
  }
}

async function stream_helper(url, model, note) {
  note.text = "";
  const events = client(url).messages.stream({ model, messages, max_tokens });
  events.on("text", (piece) => (note.text += piece));
  const final = await events.finalMessage();
  note.final = said(final);
  note.finish = finish(final.stop_reason);
}

async function tool(url, model, note) {
  const asked = { model, max_tokens, tools };
  const first = await client(url).messages.create({ ...asked, messages });
  const call = first.content.find((one) => one.type === "tool_use");
  note.calls = [call.name, call.input];
  const result = { type: "tool_result", tool_use_id: call.id, content: "sun" };
  const told = [
    ...messages,
    { role: "assistant", content: first.content },
    { role: "user", content: [result] },
  ];
  note.text = said(await client(url).messages.create({ ...asked, messages: told }));
}

async function stream_tool(url, model, note) {
  const final = await client(url).messages.stream({ model, messages, max_tokens, tools }).finalMessage();
  const call = final.content.find((one) => one.type === "tool_use");
  note.calls = [call.name, call.input];
  note.id = call.id;
}

async function cancel_stream(url, model, note) {
  const events = await client(url).messages.create({ model, messages, max_tokens, stream: true });
  note.text = "";
  for await (const event of events) {
    if (event.type !== "content_block_delta") continue;
    note.text += event.delta.text;
    break;
  }
  events.controller.abort();
}

async function cancel_answer(url, model) {
  await client(url, { timeout: 1000, maxRetries: 0 }).messages.create({ model, messages, max_tokens });
}

await serve({ answer, stream, stream_helper, tool, stream_tool, cancel_stream, cancel_answer });
