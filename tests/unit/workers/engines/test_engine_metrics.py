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


def test_vllm_reports_load_cache_and_progress() -> None:
    metrics = read_engine_metrics(VllmEngine().metric_names, VLLM)
    assert (metrics.running, metrics.waiting, metrics.kv_usage) == (5, 4, 0.25)
    assert (metrics.generated_tokens, metrics.progress) == (100.0, 112.0)
    assert metrics.hit_rate == pytest.approx(0.76)


def test_llama_cpp_reports_load_and_progress() -> None:
    metrics = read_engine_metrics(LlamaCppEngine().metric_names, LLAMA_CPP)
    assert (metrics.running, metrics.waiting) == (2, 1)
    assert (metrics.generated_tokens, metrics.progress) == (70.0, 33.0)
    assert metrics.hit_rate is None


def test_values_that_are_no_numbers_are_passed_over() -> None:
    text = "vllm:num_requests_running NaN\nvllm:num_requests_waiting +Inf\nvllm:kv_cache_usage_perc abc\n"
    assert read_engine_metrics(VllmEngine().metric_names, text) == EngineMetrics()


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "nan", "1e999", "9" * 400, "abc", ""])
def test_a_value_that_is_no_finite_number_spoils_no_other(value: str) -> None:
    name = "vllm:num_requests_running"
    text = f'{name}{{engine="0"}} {value}\n{name}{{engine="1"}} 2\nvllm:num_requests_waiting 1\n'
    metrics = read_engine_metrics(VllmEngine().metric_names, text)
    assert (metrics.running, metrics.waiting) == (2, 1)


@pytest.mark.parametrize("label", ["a,b", "{a}", "}", 'a\\"b', "a} 7", "a\\nb", "a # b", "ü", ""])
def test_a_labels_value_may_hold_any_character(label: str) -> None:
    text = f'vllm:num_requests_running{{model_name="{label}",engine="0"}} 3 1700000000000\r\n'
    assert read_engine_metrics(VllmEngine().metric_names, text).running == 3


def test_a_metric_whose_name_only_begins_alike_is_another_one() -> None:
    text = "vllm:num_requests_running_by_adapter 7\nvllm:num_requests_running 3\n"
    assert read_engine_metrics(VllmEngine().metric_names, text).running == 3


def test_half_a_line_at_the_end_is_left_out() -> None:
    text = 'vllm:num_requests_waiting 4\nvllm:num_requests_running{engine="'
    metrics = read_engine_metrics(VllmEngine().metric_names, text)
    assert (metrics.running, metrics.waiting) == (0, 4)


@given(st.lists(st.tuples(st.sampled_from(VllmEngine().metric_names.all()), st.text(max_size=40))))
def test_any_text_can_be_read(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(name + rest for name, rest in lines)
    assert isinstance(read_engine_metrics(VllmEngine().metric_names, text), EngineMetrics)


@given(st.text('{}=,"\\ #\t19.e-_aN', max_size=30))
def test_any_labels_and_value_can_be_read(rest: str) -> None:
    text = f"vllm:num_requests_running{rest}\nvllm:num_requests_waiting 4"
    assert read_engine_metrics(VllmEngine().metric_names, text).waiting == 4
