"""Shared pieces of the workload tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tilegrad.errors import WorkloadError


@pytest.fixture
def refused() -> Callable[..., None]:
    """Return a function that checks that a call is refused in one paragraph with these words."""

    def check(call: Callable[[], object], *words: str) -> None:
        with pytest.raises(WorkloadError) as caught:
            call()
        message = str(caught.value)
        assert "\n" not in message
        missing = [word for word in words if word not in message]
        assert not missing, f"{missing} not in: {message}"

    return check
