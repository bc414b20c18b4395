"""The HTTP API behind the gateways: the least that answers JSON on a kept connection. `python upstream.py PORT`."""

from __future__ import annotations

import asyncio
import sys

BODY = b'{"id":"7","name":"seven"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
    + str(len(BODY)).encode()
    + b"\r\n\r\n"
    + BODY
)


class Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.read = b""

    def data_received(self, data: bytes) -> None:
        self.read += data
        while (end := self.read.find(b"\r\n\r\n")) >= 0:
            self.read = self.read[end + 4 :]
            self.transport.write(ANSWER)  # type: ignore[attr-defined]  # a stream's transport writes


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


def description(count: int, base_url: str) -> dict[str, object]:
    """An API of so many read operations, each with two parameters."""
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 40}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
    ]
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Items", "version": "1"},
        "servers": [{"url": base_url}],
        "paths": {
            f"/items{number}/{{id}}": {
                "get": {
                    "operationId": f"get_item_{number}",
                    "summary": f"One item of kind {number}.",
                    "parameters": parameters,
                    "responses": {"200": {"description": "the item", "content": content}},
                }
            }
            for number in range(count)
        },
    }


if __name__ == "__main__":
    asyncio.run(main())
