"""The tree of errors: one code each, one line each, and alive after a journey between processes."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from foleyspace_host import errors
from foleyspace_host.errors import FoleySpaceError, ProtocolError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


def test_all_are_public_and_in_the_drawing() -> None:
    assert {kind.__name__ for kind in KINDS} == set(errors.__all__)
    drawn = dict(
        re.findall(r"^ *[ │├└─]*(\w+) +([a-z_]+)(?:  .*)?$", (errors.__doc__ or "").split("::")[1], re.MULTILINE)
    )
    assert drawn == {kind.__name__: kind.code for kind in KINDS}


def test_codes_tell_them_apart() -> None:
    codes = [kind.code for kind in KINDS if kind is not ProtocolError]
    assert len(codes) == len(set(codes))
    assert ProtocolError.code == errors.InvalidInput.code  # both are the sender's fault


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_they_say_it_in_one_line_and_travel(kind: type[FoleySpaceError]) -> None:
    error = kind("is\nwrong", where="a.wav", cure="do\tthat")
    assert str(error) == "a.wav: is wrong; do that"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), again.problem, again.where, again.cure) == (kind, "is\nwrong", "a.wav", "do\tthat")


def test_what_may_succeed_later() -> None:
    assert {kind.code for kind in KINDS if kind.retryable} == {"busy", "host_not_running"}


def test_a_protocol_error_knows_whom_it_concerns() -> None:
    assert ProtocolError("x").about == {}
    assert ProtocolError("x", about={"request_id": "r"}).about == {"request_id": "r"}
