// The AI SDK, by the provider that is named on the command line.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool as asTool } from "ai";
import { failed, KEY, QUESTION, serve } from "./steps.mjs";

const providers = {
  openai: (baseURL) => createOpenAI({ baseURL, apiKey: KEY }).chat,
  responses: (baseURL) => createOpenAI({ baseURL, apiKey: KEY }).responses,
  messages: (baseURL) => createAnthropic({ baseURL, apiKey: KEY }),
  compatible: (baseURL) =>
    createOpenAICompatible({
      name: "workspan",
      baseURL,
      apiKey: KEY,
      includeUsage: true,
      supportsStructuredOutputs: true,
    }),
};
const provider = providers[process.argv[2]];
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

const weather = (note) => ({
  get_weather: asTool({
    description: "Look it up",
    inputSchema: jsonSchema(parameters),
    execute: async (args) => {
      note.calls = ["get_weather", args];
      return "sun";
    },
  }),
});

// Errors of the last of several tries hold what the server said.
const last = (error) => (error?.lastError ? Object.assign(failed(error.lastError), { tries: error.errors?.length }) : null);

const guarded = (step) => async (url, model, note) => {
  try {
    await step(url, model, note);
  } catch (error) {
    Object.assign(note, last(error) ?? failed(error), { outer: error.name });
  }
};

async function answer(url, model, note) {
  const reply = await generateText({ model: provider(url)(model), prompt: QUESTION });
  note.text = reply.text;
  note.finish = reply.finishReason;
  note.completion_tokens = reply.usage.outputTokens ?? null;
}

async function read(parts, note) {
  Object.assign(note, { text: "", finish: null, completion_tokens: null });
  for await (const part of parts) {
    if (part.type === "text-delta") note.text += part.text;
    if (part.type === "error") Object.assign(note, last(part.error) ?? failed(part.error));
    if (part.type === "finish") {
      note.finish = part.finishReason;
      note.completion_tokens = part.totalUsage?.outputTokens ?? null;
    }
  }
}

async function stream(url, model, note) {
  const told = streamText({ model: provider(url)(model), prompt: QUESTION, onError: () => {} });
  await read(told.fullStream, note);
}

async function tool(url, model, note) {
  const reply = await generateText({
    model: provider(url)(model),
    prompt: QUESTION,
    tools: weather(note),
    stopWhen: stepCountIs(3),
  });
  note.text = reply.text;
}

async function stream_tool(url, model, note) {
  const told = streamText({
    model: provider(url)(model),
    prompt: QUESTION,
    tools: weather(note),
    stopWhen: stepCountIs(3),
    onError: () => {},
  });
  await read(told.fullStream, note);
}

async function structured(url, model, note) {
  const schema = jsonSchema({
    type: "object",
    properties: { city: { type: "string" }, population: { type: "integer" } },
    required: ["city", "population"],
    additionalProperties: false,
  });
  const reply = await generateText({
    model: provider(url)(model),
    prompt: QUESTION,
    output: Output.object({ schema }),
  });
  note.value = reply.output;
}

async function cancel_stream(url, model, note) {
  const stop = new AbortController();
  const told = streamText({
    model: provider(url)(model),
    prompt: QUESTION,
    abortSignal: stop.signal,
    onError: () => {},
  });
  note.text = "";
  let count = 0;
  for await (const part of told.fullStream) {
    if (part.type !== "text-delta") continue;
    note.text += part.text;
    if (++count === 2) stop.abort();
  }
}

const steps = { answer, stream, tool, stream_tool, structured, cancel_stream };
await serve(Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, guarded(step)])));
