// The TypeScript SDK of either era, with nobody at the client: it is told an id, and calls again after the decision, elsewhere.
import { createInterface } from "node:readline";

const [era, ...replicas] = process.argv.slice(2);
const sdk = {
  old: ["@modelcontextprotocol/sdk/client/index.js", "@modelcontextprotocol/sdk/client/streamableHttp.js", {}],
  new: ["@modelcontextprotocol/client", "@modelcontextprotocol/client", { versionNegotiation: { mode: "auto" } }],
}[era];
const { Client } = await import(sdk[0]);
const { StreamableHTTPClientTransport } = await import(sdk[1]);

async function drop(url) {
  const client = new Client({ name: "judge", version: "1" }, { capabilities: {}, ...sdk[2] });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const told = await client.callTool({ name: "drop_note", arguments: { id: 5 } });
  console.log(JSON.stringify(told));
  await client.close();
}

await drop(replicas[0]);
for await (const _ of createInterface({ input: process.stdin })) break;
await drop(replicas[1]);
await drop(replicas[0]);
