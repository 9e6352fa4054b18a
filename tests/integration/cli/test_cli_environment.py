"""What a command is told of its settings: an address that can't be used, and no fault of its own taken for one."""

from __future__ import annotations

import pytest

from workers.cli.cli_error import BadInput, CliError
from workers.cli.environment import open_ports
from workers.settings import Settings


def test_an_address_that_can_not_be_understood_is_bad_input_with_its_variable() -> None:
    settings = Settings.model_validate({"redis_url": "http://:hunter2@host"})
    with pytest.raises(BadInput, match=r"^CONCLAVE_REDIS_URL can't be used: ") as refused, open_ports(settings):
        pass
    assert "hunter2" not in str(refused.value)


def test_a_value_error_in_the_body_of_a_command_is_not_taken_for_a_wrong_address(environment: Settings) -> None:
    with pytest.raises(ValueError, match=r"^of the command itself$") as raised, open_ports(environment):
        raise ValueError("of the command itself")
    assert not isinstance(raised.value, CliError)
