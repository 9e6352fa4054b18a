"""What is launched, with which environment: all there is to see of GPU pinning without a GPU."""

from __future__ import annotations

import json
import os
import sys
import sysconfig

import pytest
from pydantic import SecretStr, ValidationError

from domain.engine import EngineKind
from workers.engines.external_engine import ExternalEngine
from workers.engines.llama_cpp_engine import LlamaCppEngine
from workers.engines.spec import EngineSpec
from workers.engines.vllm_engine import VllmEngine
from workers.errors import Unavailable
from workers.settings import EngineOptions

QWEN = "Qwen/Qwen3-0.6B"


def vllm(
    port: int = 8000, without: frozenset[str] = frozenset(), **more: object
) -> tuple[list[str], dict[str, str]]:
    launch = VllmEngine().launch(EngineSpec.model_validate({"model": QWEN, **more}), port, without)
    return list(launch.argv), dict(launch.env)


def value_of(argv: list[str], flag: str) -> str:
    return argv[argv.index(flag) + 1]


def test_vllm_serves_the_model_under_its_name_on_the_given_loopback_port() -> None:
    argv, _ = vllm(port=8123)
    assert argv[:3] == ["vllm", "serve", QWEN]
    assert value_of(argv, "--served-model-name") == QWEN
    assert (value_of(argv, "--host"), value_of(argv, "--port")) == ("127.0.0.1", "8123")


def test_one_gpu_is_pinned_by_the_environment_without_tensor_parallelism() -> None:
    argv, env = vllm(gpus=("3",))
    assert env["CUDA_VISIBLE_DEVICES"] == "3"
    assert "--tensor-parallel-size" not in argv


def test_two_gpus_serve_one_model_by_tensor_parallelism() -> None:
    argv, env = vllm(gpus=("0", "1"))
    assert env["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert value_of(argv, "--tensor-parallel-size") == "2"


def test_without_gpus_the_environment_decides_what_is_visible() -> None:
    assert "CUDA_VISIBLE_DEVICES" not in vllm()[1]


def test_the_prefix_cache_is_on_guided_json_has_no_blanks_and_admission_is_bounded() -> None:
    argv, _ = vllm(slots=32)
    assert "--enable-prefix-caching" in argv
    assert json.loads(value_of(argv, "--structured-outputs-config"))["disable_any_whitespace"] is True
    assert value_of(argv, "--max-num-seqs") == "32"
    assert value_of(argv, "--max-num-queued-reqs") == "64"


def test_the_batch_is_vllms_own_unless_slots_are_set() -> None:
    assert "--max-num-seqs" not in vllm()[0]


def test_flags_that_an_installation_does_not_know_are_left_out_with_their_values() -> None:
    argv, _ = vllm(without=frozenset({"--max-num-queued-reqs", "--structured-outputs-config"}))
    assert not [word for word in argv if "queued" in word or "xgrammar" in word]
    assert VllmEngine().optional("--max-num-queued-reqs")
    assert not VllmEngine().optional("--port")


def test_passed_through_words_come_last_so_that_they_win() -> None:
    argv, _ = vllm(extra_args=("--max-model-len", "2048"), max_model_len=4096)
    assert argv[-2:] == ["--max-model-len", "2048"]
    assert value_of(argv, "--max-model-len") == "4096"


def test_the_vllm_of_this_environment_is_found_though_nobody_activated_it() -> None:
    first, _, rest = vllm()[1]["PATH"].partition(os.pathsep)
    assert (first, rest) == (sysconfig.get_path("scripts"), os.environ["PATH"])


def test_a_command_of_the_operators_is_looked_for_where_they_say() -> None:
    assert "PATH" not in vllm(command=("vllm", "serve"))[1]


def test_weights_may_lie_elsewhere_than_the_name_says() -> None:
    argv, _ = vllm(weights="models/qwen")
    assert argv[:3] == ["vllm", "serve", "models/qwen"]
    assert value_of(argv, "--served-model-name") == QWEN


def test_another_launch_command_may_say_where_the_weights_stand() -> None:
    argv, _ = vllm(command=("python", "-m", "api_server", "--model", "{model}"))
    assert argv[:6] == ["python", "-m", "api_server", "--model", QWEN, "--served-model-name"]


def test_the_key_is_never_on_the_command_line() -> None:
    argv, env = vllm(key=SecretStr("s3cret"))
    assert "s3cret" not in " ".join(argv)
    assert env["VLLM_API_KEY"] == "s3cret"


def test_llama_cpp_is_the_embedded_server_with_this_python() -> None:
    launch = LlamaCppEngine().launch(EngineSpec(kind=EngineKind.LLAMA_CPP, model="smol"), 8000)
    assert launch.argv == (
        *(sys.executable, "-m", "workers.engines.llama_server"),
        *("--host", "127.0.0.1", "--port", "8000", "--model-name", "smol"),
    )


def test_llama_cpp_takes_slots_context_weights_and_gpus() -> None:
    spec = EngineSpec(
        kind=EngineKind.LLAMA_CPP, model="smol", weights="a.gguf", slots=8, max_model_len=2048, gpus=("1",)
    )
    launch = LlamaCppEngine().launch(spec, 8000)
    argv = list(launch.argv)
    assert [value_of(argv, flag) for flag in ("--model-path", "--slots", "--context")] == ["a.gguf", "8", "2048"]
    assert launch.env == {"CUDA_VISIBLE_DEVICES": "1"}


def test_llama_cpp_listens_where_its_worker_says_that_it_does() -> None:
    spec = EngineSpec(kind=EngineKind.LLAMA_CPP, model="smol", host="10.0.3.7")
    assert value_of(list(LlamaCppEngine().launch(spec, 8000).argv), "--host") == "10.0.3.7"


def test_an_external_engine_is_never_launched() -> None:
    spec = EngineSpec(kind=EngineKind.EXTERNAL, model="m", url="https://models.example/v1")
    with pytest.raises(TypeError, match="isn't ours to start"):
        ExternalEngine().launch(spec, 8000)


def test_a_spec_that_contradicts_itself_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match="named twice: 0,0"):
        EngineSpec(model="m", gpus=("0", "0"))
    with pytest.raises(ValidationError, match="needs its URL"):
        EngineSpec(model="m", kind=EngineKind.EXTERNAL)
    with pytest.raises(ValidationError, match="no other kind takes one"):
        EngineSpec(model="m", kind=EngineKind.VLLM, url="http://x/v1")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "external"}, "CONCLAVE_ENGINE_KIND is external and CONCLAVE_ENGINE_URL is not set: "),
        ({"kind": "vllm", "url": "http://x/v1"}, "CONCLAVE_ENGINE_KIND is vllm and CONCLAVE_ENGINE_URL is set: "),
    ],
)
def test_a_worker_is_told_which_settings_contradict_one_another(options: dict[str, str], words: str) -> None:
    with pytest.raises(Unavailable, match=words):
        EngineSpec.of(EngineOptions.model_validate(options), model="m")
