"""The state folder's record and claim."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workers.errors import StackError
from workers.stack.folder import StackRecord, StateFolder

RECORD = StackRecord(
    nats_url="nats://127.0.0.1:1",
    redis_url="redis://127.0.0.1:2",
    engine_url="http://127.0.0.1:3/v1",
    flower_url=None,
    pids={"supervisor": 4},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.write(RECORD)
    assert folder.record() == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["stack.json"]


def test_logins_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    (tmp_path / "logins.json.new").write_text("left behind, open to all")
    logins = folder.logins()
    assert folder.logins() == logins
    assert len({logins.nats, logins.valkey, logins.flower}) == 3
    assert all(len(password) >= 32 for password in (logins.nats, logins.valkey, logins.flower))
    assert (tmp_path / "logins.json").stat().st_mode & 0o777 == 0o600


def test_logins_of_a_version_before_are_kept_and_get_what_they_lack_once(tmp_path: Path) -> None:
    (tmp_path / "logins.json").write_text('{"nats": "n", "valkey": "v", "flower": "f"}')
    folder = StateFolder(tmp_path)
    logins = folder.logins()
    assert (logins.nats, logins.valkey, logins.flower) == ("n", "v", "f")
    assert folder.logins() == logins


def test_logins_that_can_not_be_read_are_said_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "logins.json").write_text("{")
    with pytest.raises(StackError, match=r"logins.json can't be read: remove it, and the stack makes new logins"):
        StateFolder(tmp_path).logins()


def test_an_empty_folder_has_no_record_and_no_holder(tmp_path: Path) -> None:
    assert StateFolder(tmp_path).record() is None
    assert StateFolder(tmp_path).holder() is None
    assert StateFolder(tmp_path / "missing").holder() is None


def test_a_claimed_folder_names_its_holder_and_refuses_another(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    with folder.claimed():
        assert folder.holder() == os.getpid()
        with pytest.raises(StackError, match="another stack"), StateFolder(folder.path).claimed():
            pytest.fail("claimed twice")
    assert folder.holder() is None


def test_a_claim_ends_without_a_record_even_when_the_block_fails(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)

    def fail() -> None:
        with folder.claimed():
            folder.write(RECORD)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert folder.record() is None
    assert folder.holder() is None


def test_a_stale_record_of_a_killed_stack_does_not_hinder(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.write(RECORD)
    with folder.claimed():
        assert folder.holder() == os.getpid()


def test_a_part_whose_place_is_taken_by_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "nats").write_text("")
    with pytest.raises(StackError, match=r"state folder .* can't be used \(File exists\)"):
        StateFolder(tmp_path).part("nats")


@pytest.mark.parametrize("name", ["stack.lock", "stack.json", "logins.json"])
def test_what_another_user_put_there_is_not_believed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StateFolder(tmp_path)
    with folder.claimed():
        folder.logins()
        folder.write(RECORD)
        planted = (tmp_path / name).read_bytes()
    for path in tmp_path.iterdir():
        path.unlink()
    (tmp_path / name).write_bytes(planted)
    monkeypatch.setattr(os, "geteuid", lambda: (tmp_path / name).stat().st_uid + 1)
    reads = {"stack.lock": folder.holder, "stack.json": folder.record, "logins.json": folder.logins}
    with pytest.raises(StackError, match=rf"{name} belongs to another user, so it is not believed"):
        reads[name]()
    if name == "stack.lock":
        with pytest.raises(StackError, match="belongs to another user"), folder.claimed():
            pytest.fail("claimed what is another's")
