"""Text that can be written anywhere."""


def well_formed(text: str) -> str:
    """The text with its surrogate pairs joined, and halves of them replaced, which no file, database or terminal takes.

    JSON may hold such halves, and so may names of files and the environment's values.
    """
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
