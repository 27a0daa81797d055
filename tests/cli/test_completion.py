"""What a shell is told when it asks how a command line may go on."""

from __future__ import annotations

from click.shell_completion import ShellComplete

from devinotify.cli.app import cli
from tests.tables import table


@table(
    "arguments, incomplete, expected",
    [
        ([], "ba", [("plain", "balance")]),
        (["outbox"], "re", [("plain", "resume"), ("plain", "retry")]),
        (["bulk"], "", [("plain", "status"), ("plain", "report"), ("file", "")]),
        (["bulk"], "li", [("file", "li")]),
        (["bulk", "status"], "", [("file", "")]),
        (["bulk", "status"], "--wa", [("plain", "--watch")]),
        (["bulk", "report", "campaign.db", "--csv"], "re", [("file", "re")]),
        (["bulk", "list.csv", "--channel"], "v", [("plain", "viber"), ("plain", "viber-sms")]),
        (["send", "--channel"], "sms", [("plain", "sms"), ("plain", "sms-viber")]),
        (["outbox", "list", "--channel"], "nu", [("plain", "null")]),
        (["outbox", "list", "--state"], "q", [("plain", "queued")]),
        (["worker", "--outbox"], "out", [("file", "out")]),
        (["segments", "--file"], "te", [("file", "te")]),
        (["sandbox", "--db"], "me", [("file", "me")]),
        (["completion"], "f", [("plain", "fish")]),
    ],
)
def test_a_command_line_is_completed(arguments: list[str], incomplete: str, expected: list[tuple[str, str]]) -> None:
    """Commands, those behind others, options, channels, states and files."""
    found = ShellComplete(cli, {}, "devinotify", "_DEVINOTIFY_COMPLETE").get_completions(arguments, incomplete)
    assert expected == [(item.type, item.value) for item in found]
