"""How engines are told apart: an upgraded worker knows its predecessor's, and believes no other user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.engine import EngineKind
from workers.engines.errors import EngineError
from workers.engines.lease import fingerprint, take
from workers.engines.spec import EngineSpec

VLLM = EngineSpec(
    model="Qwen/Qwen3-0.6B", gpus=("0", "1"), slots=32, extra_args=("--flag", "ü"), key=SecretStr("s3cret")
)
LLAMA = EngineSpec(kind=EngineKind.LLAMA_CPP, model="smol", weights="/w", max_model_len=4096, command=("a", "b"))


@pytest.mark.parametrize(("spec", "written"), [(VLLM, "bcc4f98e85bbcdd3"), (LLAMA, "4955097541c1e839")])
def test_an_engine_has_the_fingerprint_that_version_0_1_gave_it(spec: EngineSpec, written: str) -> None:
    assert fingerprint(spec) == written


def test_what_another_user_says_of_engines_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = LLAMA.model_copy(update={"state_dir": tmp_path / "engines"})
    take(spec).release()
    assert spec.state_dir.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: spec.state_dir.stat().st_uid + 1)
    with pytest.raises(EngineError, match="belongs to another user: name a folder of your own"):
        take(spec)
