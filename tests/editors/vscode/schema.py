"""The settings that the extension for VS Code declares, made from those of the server.

``python -m tests.editors.vscode.schema --write`` puts them into the extension's manifest; a test tells where they have
drifted apart.
"""

import argparse
import ast
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

import pennyproof.settings
from pennyproof.settings import Settings, _adapter, _leaves, _may_come_from_workspace, _Section

MANIFEST = Path(__file__).parents[3] / "editors/vscode/package.json"

Schema = dict[str, Any]

_KEPT = ("type", "enum", "items", "minimum", "exclusiveMinimum")
_OWN: dict[str, Schema] = {
    "pennyproofServer.command": {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "default": None,
        "scope": "machine",
        "markdownDescription": (
            'How the server is started, as a program and its arguments: `["pennyproof", "serve"]`. '
            "By default: the one in the project's `.venv`, else the one in the `PATH`, else the extension's own."
        ),
    },
    "pennyproofServer.python": {
        "type": ["string", "null"],
        "default": None,
        "scope": "machine",
        "markdownDescription": (
            "The Python, 3.11 or newer, that the extension's own server runs with. By default, it is looked for."
        ),
    },
    "pennyproofServer.useOwn": {
        "type": "boolean",
        "default": False,
        "scope": "machine",
        "markdownDescription": "Use the extension's own server, even where the project or the machine has one.",
    },
}
"""What is for the extension alone."""


def properties() -> dict[str, Schema]:
    """All settings, as ``contributes.configuration.properties`` has them.

    None has a default that the server would take for the user's word: the user's own config.toml comes after it.
    """
    documented = _documented()
    return {
        **_OWN,
        **{f"pennyproof.{key}": _property(key, field, documented[key]) for key, field in _leaves(Settings)},
    }


def restricted() -> list[str]:
    """What an untrusted workspace may not set."""
    return [key for key, schema in properties().items() if schema["scope"] == "machine"]


def written(manifest: dict[str, Any]) -> str:
    """The manifest with the settings as they ought to be."""
    manifest["contributes"]["configuration"]["properties"] = properties()
    manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = restricted()
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _property(key: str, field: FieldInfo, text: str) -> Schema:
    whole = _adapter(field).json_schema()
    plain: Schema = next((kind for kind in whole.get("anyOf", []) if kind.get("type") != "null"), whole)
    schema = {name: plain[name] for name in _KEPT if name in plain}
    if "items" in schema:
        schema["items"] = {"type": schema["items"].get("type", "object")}
    default = None if field.is_required() or field.default_factory else field.default
    told = f" Default: `{json.dumps(default)}`." if default not in (None, ()) else ""
    return {
        "type": [schema.pop("type"), "null"],
        **({"enum": [None, *schema.pop("enum")]} if "enum" in schema else {}),
        **schema,
        "default": None,
        "scope": "resource" if _may_come_from_workspace(key) else "machine",
        "markdownDescription": text + told,
    }


def _documented() -> dict[str, str]:
    """Dotted key → what the source says below the setting."""
    tree = ast.parse(inspect.getsource(pennyproof.settings))
    texts: dict[tuple[str, str], str] = {}
    for section in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for field, below in zip(section.body, section.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                match below:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        texts[section.name, field.target.id] = " ".join(text.split())
    return {key: texts[section, name] for key, section, name in _places(Settings)}


def _places(section: type[_Section], prefix: str = "") -> list[tuple[str, str, str]]:
    """Dotted key, section and name of every setting."""
    found = []
    for name, field in section.model_fields.items():
        key = prefix + (field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section):
            found += _places(field.annotation, key + ".")
        else:
            found.append((key, section.__name__, name))
    return found


def main() -> int:
    """Write the manifest, or say whether it has drifted."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("--write", action="store_true", help="put the settings into the manifest")
    write = parser.parse_args().write
    before = MANIFEST.read_text("utf-8")
    after = written(json.loads(before))
    if write:
        MANIFEST.write_text(after, "utf-8")
    return int(before != after and not write)


if __name__ == "__main__":
    sys.exit(main())
