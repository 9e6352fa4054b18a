"""Metrics as engines write them, and as broken ones do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engines.engine_metrics import EngineMetrics, read_engine_metrics
from workers.engines.llama_cpp_engine import LlamaCppEngine
from workers.engines.vllm_engine import VllmEngine

VLLM = """
# HELP vllm:num_requests_running Number of requests.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 2.0
vllm:num_requests_waiting{engine="0",model_name="m"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 2000.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 1520.0
vllm:iteration_tokens_total_count{engine="0",model_name="m"} 12.0
vllm:generation_tokens_total{engine="0",model_name="m"} 1e+02
"""
LLAMA_CPP = "llamacpp:requests_processing 2\nllamacpp:requests_deferred 1\nllamacpp:tokens_predicted_total 70\n"
LLAMA_CPP += "llamacpp:n_decode_total 33\n"


def test_vllm_tells_load_cache_and_progress() -> None:
    vitals = read_engine_metrics(VllmEngine().gauges, VLLM)
    assert (vitals.running, vitals.waiting, vitals.kv_usage) == (5, 4, 0.25)
    assert (vitals.generated_tokens, vitals.progress) == (100.0, 112.0)
    assert vitals.hit_rate == pytest.approx(0.76)


def test_llama_cpp_tells_load_and_progress() -> None:
    vitals = read_engine_metrics(LlamaCppEngine().gauges, LLAMA_CPP)
    assert (vitals.running, vitals.waiting) == (2, 1)
    assert (vitals.generated_tokens, vitals.progress) == (70.0, 33.0)
    assert vitals.hit_rate is None


def test_values_that_are_no_numbers_are_passed_over() -> None:
    text = "vllm:num_requests_running NaN\nvllm:num_requests_waiting +Inf\nvllm:kv_cache_usage_perc abc\n"
    assert read_engine_metrics(VllmEngine().gauges, text) == EngineMetrics()


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(read_engine_metrics(VllmEngine().gauges, text), EngineMetrics)
