// The walk of the founding document, through a client that is made from the OpenAPI document.
// Usage: node walk.js API_URL WORKTREE; the worktree has the files that are named here.

import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Event = components["schemas"]["Event"];

declare const process: { argv: string[] };
const [url, worktree] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: url });

function equal(actual: unknown, expected: unknown): void {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new Error(`expected ${e}, not ${a}`);
}

/** The data of an answer that is no refusal. */
function ok<T>(answer: { data?: T; error?: components["schemas"]["ErrorEnvelope"] }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

/** One line per event; `type` tells the compiler what the payload holds. */
function line(event: Event): string {
  switch (event.type) {
    case "console":
      return `${event.seq} ${event.payload.level}: ${event.payload.text}`;
    case "value":
      return `${event.seq} ${event.payload.type} ${event.payload.preview} ${JSON.stringify(event.payload.json)}`;
    case "exception":
    case "system":
      return `${event.seq} ${event.payload.message}`;
    case "input_echo":
    case "stdout":
    case "stderr":
      return `${event.seq} ${event.type}: ${event.payload.text}`;
  }
}

const template = ok(await client.POST("/templates", { body: { name: "etl-runner", engine: "goja" } }));
equal(template.engine, "goja");

// Added in the wrong order on purpose: the second needs what the first has made.
for (const [path, order_index] of [["runtime/globals.js", 20], ["runtime/init.js", 10]] as const) {
  const params = { path: { id: template.id } };
  const file = ok(await client.POST("/templates/{id}/startup-files", { params, body: { path, order_index } }));
  equal([file.path, file.order_index, file.mode], [path, order_index, "eval"]);
}
const detail = ok(await client.GET("/templates/{id}", { params: { path: { id: template.id } } }));
equal(detail.startup_files.map((file) => file.order_index), [10, 20]);
equal(detail.settings.limits.wall_ms, 30000);

const session = ok(await client.POST("/sessions", {
  body: { template_id: template.id, workspace_id: "etl-ws", base_commit_oid: "abc123", worktree_path: worktree },
}));
equal([session.status, session.runtime_meta?.engine], ["ready", "quickjs-ng"]);

const sum = ok(await client.POST("/executions/repl", { body: { session_id: session.id, input: "seed + 2" } }));
equal([sum.status, sum.result], ["ok", { type: "number", preview: "42", json: 42 }]);

const input = "console.log('hi'); 42";
const greeting = ok(await client.POST("/executions/repl", { body: { session_id: session.id, input } }));
equal(greeting.events?.map(line), [`1 input_echo: ${input}`, "2 log: hi", "3 number 42 42"]);

for (const runs of ["1", "2"]) {
  const body = { session_id: session.id, path: "transforms/normalize.js", args: ["a"], env: { MODE: "test" } };
  const ran = ok(await client.POST("/executions/run-file", { body }));
  equal([ran.result?.preview, ran.args, ran.env], [runs, ["a"], { MODE: "test" }]);
}

const listed = ok(await client.GET("/executions", { params: { query: { session_id: session.id, limit: 10 } } }));
equal(listed.map((execution) => execution.kind), ["run_file", "run_file", "repl", "repl", "startup", "startup"]);

const events = ok(await client.GET("/executions/{id}/events", {
  params: { path: { id: greeting.id }, query: { after_seq: 1 } },
}));
equal(events.map(line), ["2 log: hi", "3 number 42 42"]);

const closed = ok(await client.POST("/sessions/{id}/close", { params: { path: { id: session.id } } }));
equal(closed.status, "closed");
const late = await client.POST("/executions/repl", { body: { session_id: session.id, input: "1" } });
equal([late.response.status, late.error?.error.code], [409, "SESSION_NOT_READY"]);

console.log("the walk is done");
