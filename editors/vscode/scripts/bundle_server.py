"""Put the server into the extension: its wheel, and the versions of what it depends on, as pip resolves them now."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXTENSION = Path(__file__).resolve().parents[1]
PROJECT = EXTENSION.parents[1]
SERVER = EXTENSION / "server"


def main() -> None:
    """Writes ``server/``: the wheel, ``wheel`` with its name, and ``constraints.txt``."""
    shutil.rmtree(SERVER, ignore_errors=True)
    SERVER.mkdir()
    _pip("wheel", "--no-deps", "--wheel-dir", str(SERVER), str(PROJECT))
    (wheel,) = SERVER.glob("*.whl")
    (SERVER / "wheel").write_text(f"{wheel.name}\n", "utf-8")
    (SERVER / "constraints.txt").write_text("".join(f"{pin}\n" for pin in _pins(wheel)), "utf-8")


def _pins(wheel: Path) -> list[str]:
    """The versions of all dependencies; what another platform needs besides is as pip finds it there."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        _pip("install", "--dry-run", "--ignore-installed", "--report", str(report), str(wheel))
        found = json.loads(report.read_text("utf-8"))["install"]
    told = (package["metadata"] for package in found)
    pins = {package["name"].lower(): package["version"] for package in told}
    return [f"{name}=={version}" for name, version in sorted(pins.items()) if name != "pennyproof"]


def _pip(command: str, *args: str) -> None:
    pip = [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", "--no-input"]
    ran = subprocess.run([*pip, *args], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"pip {command} failed:\n{ran.stdout}{ran.stderr}")


if __name__ == "__main__":
    main()
