// Runs what a test asks of a client: a line of JSON a step in, a line with what came of it out.
import { createInterface } from "node:readline";

export const QUESTION = "What is 2 + 2?";
export let KEY = ""; // what this step shows the gateway
export let HEADERS = {}; // and says beside it

export function failed(error) {
  const kinds = [];
  for (let kind = error?.constructor; kind?.name; kind = Object.getPrototypeOf(kind)) {
    kinds.push(kind.name);
  }
  return {
    raised: error?.constructor?.name ?? typeof error,
    name: error?.name,
    kinds,
    status: error?.status ?? error?.statusCode ?? null,
    code: error?.code ?? error?.data?.error?.code ?? null,
    message: String(error?.message ?? error).slice(0, 600),
  };
}

export async function serve(steps) {
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line);
    const note = {};
    [KEY, HEADERS] = [told.key, told.headers];
    try {
      await steps[told.do](told.url, told.model, note);
    } catch (error) {
      Object.assign(note, failed(error));
    }
    process.stdout.write(JSON.stringify(note) + "\n");
  }
}
