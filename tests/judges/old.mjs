// The TypeScript SDK of the older era: lists, reads, and writes after its person said yes.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [where, ...command] = process.argv.slice(2);
const transport =
  where === "stdio"
    ? new StdioClientTransport({ command: command[0], args: command.slice(1) })
    : new StreamableHTTPClientTransport(new URL(where));
const client = new Client({ name: "judge", version: "1" }, { capabilities: { elicitation: {} } });
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: { approve: true } }));
await client.connect(transport);
const tools = [];
let cursor;
do {
  const page = await client.listTools({ cursor });
  tools.push(...page.tools.map((tool) => tool.name));
  cursor = page.nextCursor;
} while (cursor);
const read = await client.callTool({ name: "read_note", arguments: { id: 1 } });
const write = await client.callTool({ name: "drop_note", arguments: { id: 1 } });
console.log(JSON.stringify({ tools, read, write }));
await client.close();
