"""Requests: what scripts write is read, what they cannot mean is refused with the place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foleyspace_host.bridges.reaper.items import render_settings
from foleyspace_host.bridges.reaper.request import parse_request
from foleyspace_host.errors import FoleySpaceError, InvalidInput


def request(**fields: Any) -> dict[str, Any]:
    item = {"id": "{1}", "length_s": 1.5, "sound": {"path": "/a/b.wav", "duration_s": 1.5}}
    return {"foleyspace_mailbox": 1, "kind": "spatialize", "output_folder": "/a", "items": [item], **fields}


def parsed(content: Any) -> Any:
    return parse_request(json.dumps(content).encode())[0]


def test_numbers_may_be_written_as_lua_does() -> None:
    made = parsed(request(project_rate_hz=48000.0))
    assert made.project_rate_hz == 48000
    text = json.dumps(request()).replace(
        '"duration_s": 1.5', '"duration_s": 1.5000000000000000e+00, "channel_mode": 2.0'
    )
    item = parse_request(text.encode())[0].items[0]
    assert item.sound.channel_mode == 2
    assert item.sound.duration_s == 1.5


def test_null_is_left_out_and_unknown_fields_are_told() -> None:
    content = request(settings=None, colour="red")
    content["items"][0] |= {"fade_in": None, "mood": "dark"}
    made, warnings = parse_request(json.dumps(content).encode())
    assert made.settings == {}
    assert made.items[0].fade_in is None
    assert sorted(line.split()[0] for line in warnings) == ["$.colour", "$.items[0].mood"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"kind": "dance"}, "$.kind"),
        ({"project_rate_hz": 48000.5}, "$.project_rate_hz"),
        ({"project_rate_hz": -1}, "$.project_rate_hz"),
        ({"items": [{"id": "x", "length_s": 1.0}, {"id": "x", "length_s": 1.0}]}, "$.items[1].id"),
        ({"items": [{"id": "x"}]}, "$.items[0].length_s"),
        ({"items": [{"id": "x", "length_s": 1, "sound": {}}]}, "$.items[0].sound"),
        ({"items": [{"id": "x", "length_s": 1, "sound": {"path": "/a", "wav": "b"}}]}, "$.items[0].sound"),
        ({"items": [{"id": "x", "length_s": 1, "sound": {"wav": "../b.wav"}}]}, "$.items[0].sound.wav"),
        ({"items": [{"id": "x", "length_s": 1, "sound": {"wav": "/etc/passwd"}}]}, "$.items[0].sound.wav"),
        ({"items": [{"id": "x", "length_s": 1, "fade_in": {"curve": 2}}]}, "$.items[0].fade_in.curve"),
        ({"items": [{"id": "x", "length_s": 1, "volume_envelope": [[1, 1], [0, 1]]}]}, "$.items[0].volume_envelope"),
        ({"items": [{"id": "x", "length_s": 1, "envelope": [[1, 0], [0, -9]]}]}, "$.items[0].envelope"),
        ({"items": [{"id": "x", "length_s": 1, "envelope": [[0, 21]]}]}, "$.items[0].envelope"),
        ({"settings": {"tail_s": -1}}, "$.settings.tail_s"),
        ({"settings": {"tail_s": "long"}}, "$.settings.tail_s"),
        ({"output_folder": ""}, "$.output_folder"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(change: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(request(**change))
    assert str(caught.value.where).startswith(where)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff\xfe", b'{"foleyspace_mailbox": NaN}', b'{"a": 1e999}', b"null"]
)
def test_what_is_no_request_is_one_line(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_request(data)
    assert "\n" not in str(caught.value)


def test_scripts_of_another_version_are_told_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="foleyspace reaper install"):
        parsed(request(foleyspace_mailbox=2))


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["items", "kind", "settings", "profile", "output_folder"]), json_values))
def test_whatever_is_written_gives_a_request_or_one_error(change: dict[str, Any]) -> None:
    try:
        made = parsed(request(**change))
    except FoleySpaceError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert made.kind in ("spatialize", "localize", "generate", "check")


def test_settings_are_the_protocol_s_and_the_tail() -> None:
    made = parsed(
        request(settings={"spread": 1.5, "room": "", "hrtf": None, "tail_s": 0.5, "channels": "mono", "sparkle": 1})
    )
    settings, warnings = render_settings(made)
    assert settings == {"spread": 1.5}
    assert made.tail_s == 0.5
    assert [line.split()[2] for line in warnings] == ["channels", "sparkle"]
