"""Every kind of engine by its name."""

from __future__ import annotations

from collections.abc import Mapping

from domain.engine import EngineKind
from workers.engines.engine import Engine
from workers.engines.external_engine import ExternalEngine
from workers.engines.llama_cpp_engine import LlamaCppEngine
from workers.engines.vllm_engine import VllmEngine

ENGINES: Mapping[EngineKind, Engine] = {
    EngineKind.VLLM: VllmEngine(),
    EngineKind.LLAMA_CPP: LlamaCppEngine(),
    EngineKind.EXTERNAL: ExternalEngine(),
}
