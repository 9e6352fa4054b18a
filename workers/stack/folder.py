"""The state folder of a stack: which process runs in it, where its parts answer, to whom, where data lies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from domain.value import Value
from workers.errors import StackError
from workers.variables import variable

OWNER_ALONE = 0o077
"""File mode creation mask: plans, proposals and logs are no other user's business."""


USER = "conclave"
"""The one user of a stack's servers."""


def _password() -> str:
    return secrets.token_urlsafe(24)


class Logins(Value):
    """The passwords of a stack's user, made once for a state folder: a client goes on after a restart."""

    nats: str = Field(default_factory=_password)
    valkey: str = Field(default_factory=_password)
    flower: str = Field(default_factory=_password)
    engine: str = Field(default_factory=_password)
    """The key of the embedded engine."""
    web: str = Field(default_factory=_password)
    web_secret: str = Field(default_factory=_password)
    """Signs the cookies of the page: who is logged in goes on after a restart, too."""


class StackRecord(Value):
    """What stack.json says of a running stack. Addresses of servers contain the login."""

    nats_url: str
    redis_url: str
    engine_url: str
    engine_key: str = ""
    """What the embedded engine asks for; empty for an engine of the user's."""
    flower_url: str | None
    flower_login: str = ""
    """`user:password` for Flower's pages."""
    web_url: str | None = None
    web_login: str = ""
    """`user:password` for the page."""
    model: str = ""
    """The served model's name, for agents that name none; empty in a record of a version before."""
    pids: dict[str, int]
    """Process id of every part by name, "supervisor" and "guard" among them."""


class StateFolder:
    """A folder that belongs to one running stack at a time, and to one user.

    What lies there says where a command's plans go and which process `conclave down` ends: commands look for it in
    the current folder, where another user may have put some. Every method raises StackError for such a one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder while the block runs; the claim ends with this process, however that ends.

        All files and folders that the block and its child processes make are open to their owner alone; so is the
        folder, unless it was there before. Raises StackError when the folder can't be written, is held by another
        stack or has a broken record.
        """
        with self._open_lock() as lock:
            if not _try_lock(lock):
                raise StackError(
                    f"another stack (pid {self.holder()}) runs in {self.path}: stop it with `conclave down "
                    f"--state {self.path}` or choose another folder with --state"
                )
            self.record()
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            mask = os.umask(OWNER_ALONE)
            try:
                yield
            finally:
                os.umask(mask)
                self.forget()
                os.ftruncate(lock, 0)

    def holder(self) -> int | None:
        """Process id of the stack that holds the folder; None when none does."""
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        try:
            _refuse_anothers(self._lock_path, lock)
            if _try_lock(lock):
                return None
            text = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
            return int(text) if text.isdigit() else None
        finally:
            os.close(lock)

    def record(self) -> StackRecord | None:
        """Read stack.json; None when there is none. Raises StackError when it can't be understood."""
        try:
            return StackRecord.model_validate_json(_read(self._record_path))
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a stack's record"
            raise StackError(
                f"{self._record_path} can't be read ({reason}): remove it, or choose another folder with --state"
            ) from error

    def logins(self) -> Logins:
        """Return the folder's logins, made and kept at the first call; the folder must be claimed.

        Raises StackError when they can't be read or written.
        """
        path = self.path / "logins.json"
        try:
            logins = Logins.model_validate_json(_read(path))
        except FileNotFoundError:
            logins = Logins()
        except (OSError, ValidationError) as error:
            raise StackError(
                f"{path} can't be read: remove it, and the stack makes new logins at its next start"
            ) from error
        if logins.model_fields_set < Logins.model_fields.keys():
            self._replace(path, logins)
        return logins

    def forget(self) -> None:
        """Remove stack.json, if there is one."""
        self._record_path.unlink(missing_ok=True)

    def write(self, record: StackRecord) -> None:
        """Replace stack.json in one step: a reader sees the old one or the new one, whole."""
        self._replace(self._record_path, record)

    def part(self, name: str) -> Path:
        """Create, if missing, the folder of one part's data. Raises StackError when it can't be."""
        folder = self.path / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        return folder

    @property
    def _record_path(self) -> Path:
        return self.path / "stack.json"

    @property
    def _lock_path(self) -> Path:
        return self.path / "stack.lock"

    def _replace(self, path: Path, content: Value) -> None:
        draft = path.with_suffix(".json.new")
        # A draft that was left behind may be open to others.
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content.model_dump_json(indent=2) + "\n")
        os.replace(draft, path)

    @contextlib.contextmanager
    def _open_lock(self) -> Iterator[int]:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            _refuse_anothers(self._lock_path, lock)
            yield lock
        finally:
            os.close(lock)

    def _unusable(self, error: OSError) -> StackError:
        return StackError(
            f"the state folder {self.path} can't be used ({error.strerror}): choose another one with --state"
        )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        _refuse_anothers(path, file.fileno())
        return file.read()


def _refuse_anothers(path: Path, file: int) -> None:
    if os.fstat(file).st_uid != os.geteuid():
        raise StackError(
            f"{path} belongs to another user, so it is not believed: choose a folder of your own with --state "
            f"or {variable('state')}"
        )


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
