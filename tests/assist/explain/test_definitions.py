"""What names stand for: ``$0`` marks the name, the answer is ``path: qualified name``."""

from pathlib import Path

import pytest

from pennyproof.assist.explain.definitions import Resolver
from pennyproof.assist.explain.modules import Modules
from pennyproof.assist.explain.names import definition_at
from pennyproof.core.snapshots import Snapshot

FILES = {
    "src/pkg/__init__.py": "from .models import Cart as Basket\nfrom . import util\n",
    "src/pkg/models.py": (
        "from .util import helper\nclass Base:\n    def shared(self): ...\n"
        "class Cart(Base):\n    limit = 3\n    def __init__(self):\n        self.owner: Base = Base()\n"
        "    def total(self): return helper()\n"
    ),
    "src/pkg/util.py": "from .loop import *\ndef helper() -> 'Cart': ...\nfrom .models import Cart\n",
    "src/pkg/loop.py": "from .util import *\nfrom .loop import missing\n",
    "conftest.py": "import pytest\nfrom pkg import Basket\n@pytest.fixture\ndef basket():\n    return Basket()\n",
    "tests/helpers.py": "def build(): ...\n",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from pkg import Basket\nBas$0ket()", "src/pkg/models.py: Cart"),
        ("from pkg import Basket\nBasket().to$0tal()", "src/pkg/models.py: Cart.total"),
        ("from pkg import Basket\nb = Basket()\nb.sha$0red()", "src/pkg/models.py: Base.shared"),
        ("from pkg import Basket\nb = Basket()\nb.owner.sha$0red()", "src/pkg/models.py: Base.shared"),
        ("import pkg.models as m\nm.Cart.li$0mit", "src/pkg/models.py: Cart.limit"),
        ("import pkg\npkg.util.hel$0per", "src/pkg/util.py: helper"),
        ("from pkg.util import helper\nhelper().to$0tal", "src/pkg/models.py: Cart.total"),
        ("from helpers import build\nbui$0ld()", "tests/helpers.py: build"),
        ("def test_it(bas$0ket): ...", "conftest.py: basket"),
        ("def test_it(basket):\n    basket.to$0tal()", "src/pkg/models.py: Cart.total"),
        ("from pkg import Basket\ndef f(b: Basket):\n    b.to$0tal()", "src/pkg/models.py: Cart.total"),
        ("class A:\n    x = 1\n    def f(self):\n        return self.$0x", "tests/test_it.py: A.x"),
        ("class A:\n    def on$0e(self): ...", "tests/test_it.py: A.one"),
        ("x = 1\nclass A:\n    x = 2\n    def f(self):\n        return $0x", "tests/test_it.py: x"),
        ("if True:\n    def f(): ...\n$0f()", "tests/test_it.py: f"),
        ("é = 1; from helpers import build; bui$0ld()", "tests/helpers.py: build"),
        ("from pkg.loop import missing\nmis$0sing", None),
        ("from pkg.util import nothing\nnoth$0ing", None),
        ("a = a.b\n$0a.b.c", "tests/test_it.py: a"),
        ("a = a()\na().$0c", None),
        ("le$0n([])", None),
        ("# only $0words", None),
    ],
)
def test_a_name_is_followed_to_its_definition(tmp_path: Path, text: str, expected: str | None) -> None:
    for path, content in (FILES | {"tests/test_it.py": text.replace("$0", "")}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    modules = Modules(Snapshot(tmp_path.resolve()))
    module = modules.at("tests/test_it.py")
    assert module is not None
    found = definition_at(Resolver(modules), module, text.index("$0"))
    assert (f"{found.module.path}: {found.name}" if found else None) == expected
