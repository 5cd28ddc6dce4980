"""A small project with gaps that templates cannot fill, and soon give up; and what models answer to them."""

from tests.standin import Reply

WORDS = {
    "words/__init__.py": "",
    "words/slug.py": 'def slug(title):\n    """The title as a part of a URL."""\n    pass\n',
    "words/roman.py": 'def roman(number):\n    """The number in Roman numerals."""\n    pass\n',
    "words/proust.py": 'def proust():\n    """The whole of it."""\n    pass\n',
    "tests/test_slug.py": (
        "from words.slug import slug\n\n\n"
        "def test_slug():\n    assert slug('Hello, big World!') == 'hello-big-world'\n    assert slug('One') == 'one'\n"
    ),
    "tests/test_roman.py": (
        "from words.roman import roman\n\n\n"
        "def test_roman():\n    assert roman(14) == 'XIV'\n    assert roman(9) == 'IX'\n    assert roman(3) == 'III'\n"
    ),
    "tests/test_proust.py": (
        "from words.proust import proust\n\n\n"
        "def test_proust():\n    assert len(proust().split()) > 1_000_000\n    assert 'madeleine' in proust()\n"
    ),
    "tests/test_package.py": "import words\n\n\ndef test_package():\n    assert words.__name__ == 'words'\n",
}
SLUG = "tests/test_slug.py::test_slug"
ROMAN = "tests/test_roman.py::test_roman"
PROUST = "tests/test_proust.py::test_proust"


def edit(path: str, old: str, new: str) -> str:
    """An edit as a model writes it."""
    return f"{path}\n```python\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


def _slug(new: str) -> str:
    return edit("words/slug.py", "    pass", new)


def _roman(new: str) -> str:
    return edit("words/roman.py", "    pass", new)


_NUMERALS = """\
    numerals = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    written = ""
    for value, letters in numerals:
        written += letters * (number // value)
        number %= value
    return written"""

MENDED_BY_FAST = (
    Reply(_slug('    return "-".join(title.lower().split())'), when="deepseek-flash"),
    # Only who was told how the first answer failed gets the second one.
    Reply(
        _slug(
            '    words = "".join(letter for letter in title.lower() if letter.isalnum() or letter == " ")\n'
            '    return "-".join(words.split())'
        ),
        when="hello,-big-world!",
    ),
)
MENDED_BY_STRONG = (
    Reply(_roman(_NUMERALS), when="deepseek-v4-pro", reasoning="Subtractive notation."),
    Reply(_roman('    return "X" * (number // 10) + "I" * (number % 10)'), when="deepseek-flash"),
    Reply(_roman('    return {14: "XIV"}.get(number, "I" * number)'), when="deepseek-flash"),
)
MENDED_BY_NONE = (
    Reply(edit("words/proust.py", "    pass", '    return "madeleine"'), when="deepseek-v4-pro"),
    Reply(edit("tests/test_proust.py", "def test_proust():", "def test_proust():\n    return"), when="deepseek-flash"),
    Reply(edit("words/proust.py", "    pass", '    return "tea"'), when="deepseek-flash"),
    Reply(edit("words/proust.py", "    pass", '    return "time " * 9'), when="deepseek-flash"),
)
