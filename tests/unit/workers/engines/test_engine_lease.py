"""How engines are told apart: an upgraded worker knows the engine that its predecessor started."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from domain.engine import EngineKind
from workers.engines.lease import fingerprint
from workers.engines.spec import EngineSpec

VLLM = EngineSpec(
    model="Qwen/Qwen3-0.6B", gpus=("0", "1"), slots=32, extra_args=("--flag", "ü"), key=SecretStr("s3cret")
)
LLAMA = EngineSpec(kind=EngineKind.LLAMA_CPP, model="smol", weights="/w", max_model_len=4096, command=("a", "b"))


@pytest.mark.parametrize(("spec", "written"), [(VLLM, "bcc4f98e85bbcdd3"), (LLAMA, "4955097541c1e839")])
def test_an_engine_has_the_fingerprint_that_version_0_1_gave_it(spec: EngineSpec, written: str) -> None:
    assert fingerprint(spec) == written
