"""An HTTP server that answers 204 to everything and looks at nothing: a client's best case. Its argument: a port."""

import asyncio
import sys

ANSWER = b"HTTP/1.1 204 No Content\r\nX-Influxdb-Version: 2.7.0\r\n\r\n"


class Nothing(asyncio.Protocol):
    """Counts bytes up to the end of each request and answers."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.held = bytearray()

    def data_received(self, data: bytes) -> None:
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.held[:end]).lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.held) < end + 4 + length:
                return
            del self.held[: end + 4 + length]
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
