"""The command line: exit codes, one-line errors, JSON."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import click
import pytest

from foleyspace_host.cli import app
from foleyspace_host.cli.app import COMMANDS, group, main
from foleyspace_host.errors import Cancelled, DiskFull, FoleySpaceError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Replace the command `models` by one that raises."""

    def replace(error: BaseException) -> None:
        @click.command("models")
        @click.option("--json", is_flag=True)
        def command(json: bool) -> None:
            raise error

        monkeypatch.setattr("foleyspace_host.cli.models.command", command)

    return replace


def test_all_commands_are_listed_and_loadable(capsys: pytest.CaptureFixture[str]) -> None:
    context = click.Context(group)
    assert group.list_commands(context) == list(COMMANDS)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert main([name, "--help"]) == 0
    assert "Usage: foleyspace" in capsys.readouterr().out


def test_no_arguments_print_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "spatialize" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dance"], "dance"),
        (["--loud"], "--loud"),
        (["render"], "DRY"),
        (["render", "a.wav", "-o", "b.wav"], "--trajectory"),
        (["spatialize", "a.mp4", "-o", "b.wav", "--distance-gain", "loud"], "loud"),
        (["spatialize", "a.mp4", "-o", "b.wav", "--hfov", "wide"], "wide"),
        (["spatialize", "a.mp4"], "--output"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("foleyspace: error: ")
    assert err.count("\n") == 1
    assert said in err
    assert "--help`" in err


def test_wrong_usage_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DiskFull("no\nspace", where="a.wav", cure="free some"), 1, "a.wav: no space; free some"),
        (FoleySpaceError("bad"), 1, "bad"),
        (Cancelled("stopped"), 130, "cancelled"),
        (KeyboardInterrupt(), 130, "cancelled"),
    ],
)
def test_errors_become_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, failing: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(error)
    assert main(["models"]) == code
    assert capsys.readouterr() == ("", f"foleyspace: error: {line}\n")


def test_errors_as_json_have_code_place_and_cure(failing: Any, capsys: pytest.CaptureFixture[str]) -> None:
    failing(DiskFull("no space", where="a.wav", cure="free some"))
    assert main(["models", "--json"]) == 1
    out, err = capsys.readouterr()
    expected = {"code": "disk_full", "message": "no space", "where": "a.wav", "cure": "free some"}
    assert json.loads(out) == {"error": expected}
    assert err.count("\n") == 1


def test_bugs_are_not_dressed_up_as_bad_input(failing: Any) -> None:
    failing(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        main(["models"])


def test_the_signal_handler_is_given_back(failing: Any) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    failing(Cancelled("stopped"))
    main(["models"])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    with pytest.raises(app._Stopped):
        app._stop(signal.SIGTERM, None)


def test_models_list_shows_terms_and_checksum(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    text = capsys.readouterr().out
    assert "upstream licence: unstated" in text
    assert "kemar" in text
    assert main(["models", "list", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert all(len(model["sha256"]) == 64 and model["size_bytes"] > 0 for model in models)
