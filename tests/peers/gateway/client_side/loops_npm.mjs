// Loops of agents by clients for JavaScript: the runners of OpenAI's and Anthropic's, and the AI SDK.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { ResponsesToolRunner } from "openai/helpers/responses-tool-runner";
import { HEADERS, KEY, serve } from "./steps.mjs";

const TASK = "Walk to the wall.";
const TURNS = 9; // more than the walk takes
const nowhere = { type: "object", properties: {}, additionalProperties: false };
const there = {
  type: "object",
  properties: { to: { type: "number" }, note: { type: "string" } },
  required: ["to", "note"],
  additionalProperties: false,
};
const forms = { look: nowhere, move: there };
const descriptions = { look: "Look around.", move: "Go somewhere." };

const walking = (note) => {
  Object.assign(note, { steps: [], text: "" });
  return {
    look: async () => {
      note.steps.push("look");
      return "a wall";
    },
    move: async ({ to, note: said }) => {
      note.steps.push([to, said]);
      return `at ${to}`;
    },
  };
};

const openai = (baseURL) => new OpenAI({ baseURL, apiKey: KEY, defaultHeaders: HEADERS });
const anthropic = (url) =>
  new Anthropic({ baseURL: url.replace(/\/v1$/, ""), apiKey: KEY, defaultHeaders: HEADERS });

// OpenAI: `runTools`.
const chat = (stream) => async (url, model, note) => {
  const walk = walking(note);
  const tools = Object.keys(forms).map((name) => ({
    type: "function",
    function: {
      name,
      description: descriptions[name],
      parameters: forms[name],
      parse: (text) => JSON.parse(text || "{}"),
      function: walk[name],
    },
  }));
  const messages = [{ role: "user", content: TASK }];
  const options = { maxChatCompletions: TURNS };
  const runner = openai(url).chat.completions.runTools({ model, messages, tools, stream }, options);
  note.text = await runner.finalContent();
};

async function responses(url, model, note) {
  const walk = walking(note);
  const functions = Object.keys(forms).map((name) => ({
    tool: { type: "function", name, description: descriptions[name], parameters: forms[name], strict: false },
    execute: walk[name],
  }));
  const runner = new ResponsesToolRunner({ functions });
  const told = await runner.run(openai(url), { model, input: TASK }, { maxSteps: TURNS });
  note.text = told.output_text;
}

// Anthropic: `toolRunner`.
const said = (reply) => reply.content.filter((one) => one.type === "text").map((one) => one.text).join("");
const messages = (stream) => async (url, model, note) => {
  const walk = walking(note);
  const tools = Object.keys(forms).map((name) =>
    betaTool({ name, description: descriptions[name], inputSchema: forms[name], run: walk[name] }),
  );
  const runner = anthropic(url).beta.messages.toolRunner({
    model,
    max_tokens: 200,
    max_iterations: TURNS,
    messages: [{ role: "user", content: TASK }],
    tools,
    stream,
  });
  for await (const one of runner) note.text = said(stream ? await one.finalMessage() : one);
};

// The AI SDK.
const providers = {
  openai: (baseURL) => createOpenAI({ baseURL, apiKey: KEY, headers: HEADERS }).chat,
  responses: (baseURL) => createOpenAI({ baseURL, apiKey: KEY, headers: HEADERS }).responses,
  unstored: (baseURL) => createOpenAI({ baseURL, apiKey: KEY, headers: HEADERS }).responses,
  messages: (baseURL) => createAnthropic({ baseURL, apiKey: KEY, headers: HEADERS }),
  compatible: (baseURL) =>
    createOpenAICompatible({ name: "workspan", baseURL, apiKey: KEY, headers: HEADERS, includeUsage: true }),
};
const asked = (provider, url, model, note) => {
  const walk = walking(note);
  const tools = Object.fromEntries(
    Object.keys(forms).map((name) => [
      name,
      tool({ description: descriptions[name], inputSchema: jsonSchema(forms[name]), execute: walk[name] }),
    ]),
  );
  return {
    model: providers[provider](url)(model),
    prompt: TASK,
    tools,
    maxRetries: 0,
    stopWhen: stepCountIs(TURNS),
    providerOptions: provider === "unstored" ? { openai: { store: false } } : {},
  };
};
const generate = (provider) => async (url, model, note) => {
  note.text = (await generateText(asked(provider, url, model, note))).text;
};
const stream = (provider) => async (url, model, note) => {
  let failed = null;
  const told = streamText({
    ...asked(provider, url, model, note),
    onError: ({ error }) => (failed = error),
  });
  await told.consumeStream();
  if (failed) throw failed;
  note.text = await told.text;
};

const twins = (step) => async (url, model, note) => {
  note.notes = [{}, {}];
  await Promise.all(note.notes.map((own) => step(url, model, own)));
};

const steps = {
  chat: chat(false),
  chat_streamed: chat(true),
  responses,
  messages: messages(false),
  messages_streamed: messages(true),
  twins: twins(chat(false)),
};
for (const name of Object.keys(providers)) {
  steps[`ai_${name}`] = generate(name);
  steps[`ai_${name}_streamed`] = stream(name);
  steps[`ai_${name}_twins`] = twins(generate(name));
}
await serve(steps);
