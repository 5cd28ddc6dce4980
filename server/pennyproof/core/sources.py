"""Source files as text that turns back into exactly the bytes it was read from."""

import codecs
import io
import tokenize
from dataclasses import dataclass

from pennyproof.errors import UnreadableSource


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file and the encoding that gives its bytes back.

    Line endings are kept as they are in the file; a byte order mark is part of the encoding
    (``utf-8-sig``), never of the text.
    """

    text: str
    encoding: str = "utf-8"

    def data(self) -> bytes:
        """The file's bytes; characters that its encoding lacks raise UnreadableSource."""
        try:
            return self.text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise UnreadableSource(f"the edit has characters that {self.encoding} cannot write") from error


def decode(data: bytes, *, python: bool = True) -> Source:
    """Decode a file's bytes.

    Args:
        data: The bytes of the whole file.
        python: Honour PEP 263 (a coding comment in the first two lines) as the compiler does.

    Raises:
        UnreadableSource: The bytes are no text in the encoding they claim.
    """
    try:
        if python:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        else:
            encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
        return Source(data.decode(encoding), encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise UnreadableSource(f"not readable as text: {error}") from error
