"""A worker process of `fit_many`: reads tasks from standard input, runs them, writes outcomes.

Messages are framed by their length: 8 bytes, little-endian. A worker writes 8 bytes for how far it
is (a fraction as a double) and anything longer for an outcome. When the process that
started it ends, however that comes, its input ends and so does it.
"""

from __future__ import annotations

import os
import queue
import struct
import sys
import threading
from typing import IO

FRACTION = struct.Struct("<d")
_LENGTH = struct.Struct("<Q")


def write_message(stream: IO[bytes], message: bytes) -> None:
    """Write a message and send it off."""
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def read_message(stream: IO[bytes]) -> bytes | None:
    """Read a message; None if the stream ends, be it in the middle of one."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None


def main() -> None:
    """Run tasks until the input ends."""
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints must not end up among the messages

    def listen() -> None:
        while (message := read_message(source)) is not None:
            tasks.put(message)
        os._exit(0)  # a fit half done is of no use to anybody; the store holds only whole ones

    threading.Thread(target=listen, daemon=True).start()

    def tell(fraction: float) -> None:
        write_message(sink, FRACTION.pack(fraction))

    # After the listener is at work: tasks are large, and this takes seconds.
    from remitstats.fitting.task import run_packed  # noqa: PLC0415

    while True:
        write_message(sink, run_packed(tasks.get(), tell))


if __name__ == "__main__":
    main()
