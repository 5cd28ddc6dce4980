"""Server-sent events, decoded as their bytes arrive."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Decoder:
    """Turns the bytes of an event stream into the data of its events, however the bytes are split.

    Comments, fields other than ``data`` and events without data are left out: providers send them to keep the
    connection open. An event that is not ended by an empty line before the stream ends never counts, as the
    standard says.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        """The bytes of a line whose end has not come yet."""
        self._data: list[str] = []
        self._after_return = False
        """Whether the last byte was a carriage return, which a line feed may belong to."""
        self._at_start = True

    @property
    def pending(self) -> int:
        """Bytes of a line whose end has not come yet."""
        return len(self._line)

    def feed(self, data: bytes) -> list[str]:
        """The data of the events that these bytes complete."""
        if not data:
            return []
        if self._after_return:
            data = data.removeprefix(b"\n")
        self._after_return = data.endswith(b"\r")
        # A line that came in parts is joined once: what has no end is not searched again for one.
        first, *others = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._line += first
        events: list[str] = []
        for following in others:
            self._take(bytes(self._line), events)
            self._line = bytearray(following)
        return events

    def _take(self, line: bytes, events: list[str]) -> None:
        if self._at_start:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        if not line:
            if any(self._data):
                events.append("\n".join(self._data))
            self._data.clear()
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
