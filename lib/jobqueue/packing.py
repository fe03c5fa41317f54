"""Commands as bytes on the wire: the client library's packer is slow with many short words."""

from __future__ import annotations


class Packer:
    """Packs commands of strings, bytes and numbers, the only ones the queue sends."""

    def pack(self, *words: str | bytes | int | float) -> list[bytes]:
        """One command in RESP: an array of bulk strings. A command of two words may come as one string."""
        first = words[0]
        if isinstance(first, str) and " " in first:
            words = (*first.split(), *words[1:])
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
        return [b"".join(parts)]
