"""The file of the ledger: opened, shared with other servers, and put aside when it is damaged."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pennyproof.tiers.hosted.errors import LedgerUnusable

VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,         -- when it was sent: ISO 8601, with the offset of the user's clock
    day TEXT NOT NULL,        -- the user's own day, which budgets go by
    action TEXT NOT NULL,
    action_id TEXT NOT NULL,  -- the same for all calls of one action
    workspace TEXT NOT NULL,
    tier TEXT NOT NULL,
    model TEXT NOT NULL,
    hit INTEGER NOT NULL,
    miss INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_usd REAL,            -- NULL where the price is not known
    estimated INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    seconds REAL,
    trace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS calls_by_day ON calls (day);
CREATE INDEX IF NOT EXISTS calls_by_action ON calls (action_id);
PRAGMA user_version = {VERSION};
"""
_PATIENCE = 1.0
"""Seconds to wait for another server's transaction; these take less than a millisecond."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Damaged(LedgerUnusable):
    """The file is no ledger, or no longer."""

    def __init__(self, path: Path, file: os.stat_result) -> None:
        super().__init__(f"the ledger {path} is damaged; the next paid call puts it aside")
        self.file = file
        self.written = datetime.fromtimestamp(file.st_mtime, UTC)


class Database:
    """One SQLite file, for several threads and several processes.

    Args:
        path: The file; it and its folder are made when first needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: os.stat_result | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever written; who only reads need not make a file."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # To open it will say what is wrong.
        return True

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other one overlaps; undone when its body raises.

        Raises:
            Damaged: The file cannot be read.
            LedgerUnusable: It is locked, not ours to write, or the disk is full.
        """
        with self._lock:
            try:
                connection = self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                raise self._unusable(error) from error
            except OSError as error:
                raise LedgerUnusable(
                    f"the ledger {self.path} cannot be used ({error.strerror}); {_NO_CALLS}"
                ) from error

    def put_aside(self, damaged: Damaged) -> str:
        """Give a damaged file another name, if no other server has done so; the next transaction makes a new one.

        Returns:
            The name it has now.
        """
        name = f"{self.path.stem}-damaged-{damaged.written:%Y%m%dT%H%M%S}{self.path.suffix}"
        with self._lock:
            self._close()
            if self._is_same_file(damaged.file):
                for suffix in ("", "-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        Path(f"{self.path}{suffix}").rename(self.path.with_name(name + suffix))
        return name

    def close(self) -> None:
        """Close the file; the next transaction opens it again."""
        with self._lock:
            self._close()

    def _open(self) -> sqlite3.Connection:
        # Somebody may have taken the file away, and what is written to a file without a name is lost.
        if self._connection is not None and self._opened is not None and not self._is_same_file(self._opened):
            self._close()
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Made by us and not by SQLite, so that others cannot read it.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._opened = self.path.stat()
            self._connection = sqlite3.connect(
                self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            self._prepare(self._connection)
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            self._close()
            raise LedgerUnusable(f"the ledger {self.path} was written by a newer version; update pennyproof")
        connection.execute("PRAGMA journal_mode = WAL")
        # A loss of power may undo the last calls, which is cheaper than a disk's pause for each of them.
        connection.execute("PRAGMA synchronous = NORMAL")
        if version < VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def _unusable(self, error: sqlite3.DatabaseError) -> LedgerUnusable:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        opened = self._opened
        self._close()
        if code == sqlite3.SQLITE_BUSY:
            return LedgerUnusable(f"the ledger {self.path} is locked by another program; {_NO_CALLS}")
        if code in _DAMAGED and opened is not None and self._is_same_file(opened):
            return Damaged(self.path, self.path.stat())
        return LedgerUnusable(f"the ledger {self.path} cannot be used ({error}); {_NO_CALLS}")

    def _is_same_file(self, opened: os.stat_result) -> bool:
        try:
            return os.path.samestat(self.path.stat(), opened)
        except FileNotFoundError:
            return False

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._opened = None


_NO_CALLS = "no paid calls are made until it can be"
