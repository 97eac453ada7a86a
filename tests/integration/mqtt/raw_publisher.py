"""A QoS 1 publisher on a bare socket, sharing no code with anything under test: it knows what the broker confirmed.

Like a meter with its own memory it sends again, after a broken connection, what was not confirmed.
"""

import socket
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator

from tests.services import LOOPBACK

_CONNECT = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x1e\x00\x06meters"
Message = tuple[str, bytes]


def _length(value: int) -> bytes:
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | 128 if value else digit)
        if not value:
            return bytes(encoded)


def publish_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    """A PUBLISH with QoS 1."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + struct.pack(">H", packet_id) + payload
    return b"\x32" + _length(len(body)) + body


class RawPublisher(threading.Thread):
    """Publishes messages in order, ``rate`` a second or as fast as confirmed; ``confirmed`` counts the sure ones."""

    def __init__(self, port: int, messages: Iterator[Message], *, in_flight: int = 50, rate: float = 0) -> None:
        super().__init__(name="publisher", daemon=True)
        self._port = port
        self._messages = messages
        self._in_flight = in_flight
        self._rate = rate
        self._unconfirmed: OrderedDict[int, Message] = OrderedDict()
        self._next_id = 0
        self._exhausted = False
        self.confirmed = 0
        self.sent_again = 0
        self.halt = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.halt.is_set() and not (self._exhausted and not self._unconfirmed):
                try:
                    self._session()
                except OSError:
                    time.sleep(0.05)
        except BaseException as error:  # noqa: BLE001  # a thread's failure is looked at by the test
            self.error = error

    def _session(self) -> None:
        with socket.create_connection((LOOPBACK, self._port), timeout=10) as link:
            link.sendall(_CONNECT)
            assert self._exactly(link, 4)[:1] == b"\x20"
            again = list(self._unconfirmed.items())
            self.sent_again += len(again)
            if again:
                link.sendall(b"".join(publish_packet(*message, packet_id) for packet_id, message in again))
            started, before = time.monotonic(), self.confirmed
            while not self.halt.is_set():
                self._fill(link)
                if not self._unconfirmed:
                    return
                self._take_confirmations(link)
                if self._rate:
                    ahead = (self.confirmed - before) / self._rate - (time.monotonic() - started)
                    if ahead > 0.002:
                        time.sleep(ahead)

    def _fill(self, link: socket.socket) -> None:
        packets = []
        while len(self._unconfirmed) < self._in_flight and not self._exhausted:
            message = next(self._messages, None)
            if message is None:
                self._exhausted = True
                break
            self._next_id = self._next_id % 65_535 + 1
            self._unconfirmed[self._next_id] = message
            packets.append(publish_packet(*message, self._next_id))
        if packets:
            link.sendall(b"".join(packets))

    def _take_confirmations(self, link: socket.socket) -> None:
        """PUBACKs are four bytes each; nothing else is ever sent to us."""
        received = link.recv(4096)
        if not received:
            raise ConnectionError
        received += self._exactly(link, -len(received) % 4)
        for at in range(0, len(received), 4):
            assert received[at : at + 2] == b"\x40\x02", received[at : at + 4]
            del self._unconfirmed[int.from_bytes(received[at + 2 : at + 4])]
            self.confirmed += 1

    @staticmethod
    def _exactly(link: socket.socket, count: int) -> bytes:
        received = b""
        while len(received) < count:
            part = link.recv(count - len(received))
            if not part:
                raise ConnectionError
            received += part
        return received
