"""The language of expressions: what it gives, what it refuses, and what it costs at most."""

import pytest

pytest.register_assert_rewrite("tests.expressions.marked")
