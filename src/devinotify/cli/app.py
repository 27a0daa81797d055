"""The group of all commands: loads each when it is called, and turns every failure into one line and a code."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from devinotify.cli import errors, exposure, named, output, speech
from devinotify.cli.exits import MEANINGS, ExitCode, of_error
from devinotify.cli.groups import Group, NoCommand
from devinotify.exceptions import DevinotifyError
from devinotify.translation import _, speaking, told
from devinotify.words import installing, installing_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "demo": ("demo", "Send SMS and Viber to an embedded gateway and watch them arrive."),
        "send": ("send", "Send an SMS to one or more numbers."),
        "viber": ("viber", "Send a Viber message to one or more numbers."),
        "bulk": ("bulk", "Send to every number of a list, with a journal to go on from."),
        "state": ("state", "Show what became of messages, by their ids."),
        "balance": ("balance", "Show the money left on the account."),
        "incoming": ("incoming", "List the SMS that subscribers sent to the account, or follow them."),
        "stats": ("stats", "Show how many SMS segments were sent and delivered."),
        "segments": ("segments", "Show what texts cost in segments, and why."),
        "phone": ("phone", "Show how phone numbers are read, and why some are refused."),
        "plugins": ("plugins", "List the plugins that are loaded, and those that are not, with the reason."),
        "worker": ("worker", "Send what the outbox holds, watch it, and take the later steps of fallbacks."),
        "outbox": ("outbox", "See what the outbox holds, and retry, forget or export it."),
        "login": ("login", "Store an account, so that commands need no URL."),
        "logout": ("logout", "Remove the password that `devinotify login` has stored; the profile stays."),
        "config": ("config", "Check and show the configuration: profiles and aliases."),
        "url": ("url", "Print the devino:// URL of an account, with every character encoded that has to be."),
        "sandbox": ("sandbox", "Run a local gateway that behaves like the real one, until Ctrl-C."),
        "completion": ("completion", "Print the shell's completion script."),
    }
)
"""Command -> its module here and its help in one line, so that ``--help`` loads none of them. A test compares."""

ASKING: frozenset[str] = frozenset(
    {"state", "balance", "incoming", "stats", "segments", "phone", "plugins", "outbox", "login", "logout"}
    | {"config", "url", "completion"}
)
"""The commands by which nothing is ever sent, whatever interrupts them."""

EXTRAS: Mapping[str, str] = MappingProxyType({"starlette": "sandbox", "tomlkit": "cli", "uvicorn": "sandbox"})
"""Package -> the extra that brings it."""

BROUGHT: Mapping[str, str] = MappingProxyType(
    {"apprise": "apprise", "log-test": "logging", "alert": "monitoring", "opt-out": "opt-out", "webhook": "webhook"}
)
"""Command -> our plugin that brings it, for who calls it without. A test compares with the plugins."""


def _epilog() -> str:
    codes = "\n".join(f"  {code:>3}  {_(meaning)}" for code, meaning in MEANINGS.items())
    return f"\b\n{_('Exit codes:')}\n{codes}"


class _Interrupted(click.ClickException):
    exit_code = ExitCode.INTERRUPTED


class _PipeClosed(click.ClickException):
    exit_code = ExitCode.PIPE_CLOSED


@contextmanager
def _own_interrupts(ctx: click.Context | None = None) -> Iterator[None]:
    # click handles both by itself, with a code of 1 and words of its own.
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        asking = ctx is not None and ctx.invoked_subcommand in ASKING
        raise _Interrupted(
            _("interrupted") if asking else _("interrupted; what was being sent may have gone out")
        ) from None
    except BrokenPipeError:
        raise _PipeClosed(_("nobody reads the output any more")) from None


class Commands(Group):
    """A click group whose own commands come from COMMANDS, and others from plugins, or by ``add_command`` as usual.

    Plugins are loaded when somebody asks for a command that is not ours, or for the list.
    """

    _complete = False

    def _take_in_plugins(self) -> None:
        if not self._complete:
            self._complete = True
            import_module("devinotify.cli.plugins").register_commands(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names: ours in the order of the table, then those added."""
        self._take_in_plugins()
        return [*COMMANDS, *(name for name in super().list_commands(ctx) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command in the language that is spoken, loading its module where it is one of ours."""
        if cmd_name in COMMANDS:
            module = import_module(f"devinotify.cli.{COMMANDS[cmd_name][0]}")
            return speech.localised(module.command)
        if cmd_name not in self.commands:
            self._take_in_plugins()
        found = super().get_command(ctx, cmd_name)
        return None if found is None else speech.localised(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return name, command and the other arguments; a plugin's command has the profile's account as its own."""
        found = super().resolve_command(ctx, args)
        if found[0] not in COMMANDS and not ctx.resilient_parsing:
            ctx.with_resource(named.profile_in_environment())
        return found

    def elsewhere(self, name: str) -> str:
        """Return which of our plugins brings a command that is not here, and how to install it."""
        if name not in BROUGHT:
            return ""
        package = f"devinotify-{BROUGHT[name]}"
        return _(
            "{package} brings it, which is not installed or not loaded (`devinotify plugins` says which): {install}",
            package=package,
            install=told(installing_plugin(BROUGHT[name])),
        )

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Register another command; one that is there is never replaced: raises ValueError."""
        if (name or cmd.name) in COMMANDS:
            raise ValueError(f"devinotify has a command {name or cmd.name} of its own")
        if (name or cmd.name) in self.commands:
            raise ValueError(f"another plugin has brought a command {name or cmd.name}")
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands without loading ours."""
        self._take_in_plugins()
        added = {name: command for name, command in self.commands.items() if not command.hidden}
        rows = [(name, _(text)) for name, (_module, text) in COMMANDS.items()]
        rows += [(name, speech.localised(added[name]).get_short_help_str(80)) for name in sorted(added)]
        with formatter.section(_("Commands")):
            formatter.write_dl(rows)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the help in the language that is spoken."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join(map(_, speech.paragraphs(self.help or ""))))

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return what stands behind the name in the usage."""
        return [_(piece) for piece in super().collect_usage_pieces(ctx)]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``, which click keeps in the language that it was first asked for in."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _("Show this message and exit.")
        return option

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write options and commands in the language that is spoken."""
        records = (speech.translated(each).get_help_record(ctx) for each in self.get_params(ctx))
        with formatter.section(_("Options")):
            formatter.write_dl([record for record in records if record is not None])
        self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the exit codes."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_epilog())

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> click.Context:
        """Parse the command line, ``--help`` and ``--version`` included."""
        with _own_interrupts():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what a command returns is its own affair
        """Run the command."""
        with _own_interrupts(ctx):
            return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = False,  # a text with a * or a $ in it is a text
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> Any:  # noqa: ANN401 - click's own signature
        """Run and exit: an int that a command returns is its exit code, an error is one line on stderr.

        With ``--json`` the error is a JSON document on stdout in place of the line. With ``standalone_mode``
        off, nothing is caught.
        """
        if not standalone_mode:
            return self._run(args, prog_name, complete_var, windows_expand_args=windows_expand_args, **extra)
        given = sys.argv[1:] if args is None else list(args)
        with speaking(speech.asked(given), to_machines=speech.to_machines(given)):
            sys.exit(self._code(given, prog_name, complete_var, windows_expand_args=windows_expand_args, **extra))

    def _code(self, given: list[str], *settings: str | None, **extra: Any) -> int:  # noqa: ANN401 - click's own signature
        """Run, and return the exit code; or exit by an error, which is told."""
        if self._name(given) not in (None, *COMMANDS) and self._asked(given) and exposure.is_exposed(given):
            output.say(_(exposure.ADVICE))  # ours say it themselves, of the URLs that they have read
        as_json = "--json" in given[: given.index("--") if "--" in given else None]
        try:
            value = self._run(given, *settings, **extra)
        except click.ClickException as error:
            _end_by_click(error, as_json=as_json)
        except DevinotifyError as error:
            code, asked = of_error(error), self._asked(given)
            if as_json:
                output.emit({"error": errors.document(error, sending=False, command=asked), "exit_code": code})
            else:
                output.say(errors.sentence(error, sending=False, command=asked))
            sys.exit(int(code))
        except ImportError as error:
            extra_name = EXTRAS.get(error.name or "")
            if extra_name is None:
                _end_by_fault(error, as_json=as_json)
            hint = _("this command needs an extra: {install}", install=told(installing(extra_name)))
            _end("MissingExtra", hint, ExitCode.USAGE, as_json=as_json)
        except OSError as error:
            if not output.is_stuck():
                _end_by_fault(error, as_json=as_json)
            output.lose(error)  # what click itself writes: a help text, the version
            value = None
        except Exception as error:  # noqa: BLE001 - a traceback may quote a URL; the place is enough to find the fault
            _end_by_fault(error, as_json=as_json)
        returned = int(value) if isinstance(value, int) else 0
        return returned or int(ExitCode.OUTPUT_LOST if output.lost() else ExitCode.ACCEPTED)

    def _asked(self, args: Sequence[str]) -> click.Command | None:
        """Return the command that was called, whose context is gone by the time that its error is told."""
        name = self._name(args)
        return None if name is None else self.get_command(click.Context(self), name)

    def _name(self, args: Sequence[str]) -> str | None:
        """Return the name of the command that was called, behind the options that all of them share."""
        own = [each for each in self.params if isinstance(each, click.Option) and not each.is_flag]
        taking = {name for each in own for name in each.opts}
        rest = iter(args)
        for each in rest:
            if not each.startswith("-"):
                return each
            if each in taking:
                next(rest, None)
        return None

    def _run(
        self,
        args: Sequence[str] | None,
        prog_name: str | None,
        complete_var: str | None,
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> Any:  # noqa: ANN401 - click's own signature
        return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)


def _end(kind: str, message: str, code: ExitCode, *, as_json: bool) -> NoReturn:
    if as_json:
        output.emit(errors.plain_document(kind, message, code))
    else:
        output.say(message)
    sys.exit(int(code))


def _asks_for_help(error: click.ClickException) -> bool:
    """Whether a group of commands was called without one, ours or a plugin's: it has its whole help to say."""
    return isinstance(error, NoCommand) or type(error).__name__ == "NoArgsIsHelpError"  # click has it from 8.2 on


def _end_by_click(error: click.ClickException, *, as_json: bool) -> NoReturn:
    if isinstance(error, _PipeClosed):
        output.discard(sys.stdout)
        sys.exit(int(ExitCode.PIPE_CLOSED))
    if isinstance(error, _Interrupted):
        _end("Interrupted", error.message, ExitCode.INTERRUPTED, as_json=as_json)
    if _asks_for_help(error) and not as_json:
        click.echo(error.format_message(), err=True)
        sys.exit(int(ExitCode.USAGE))
    message = errors.hide(told(" ".join(error.format_message().split())))
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message = f"{errors.ended(message)} {_('See: {command}', command=f'{error.ctx.command_path} --help')}"
    _end("UsageError", message, ExitCode.USAGE, as_json=as_json)


def _end_by_fault(error: Exception, *, as_json: bool) -> NoReturn:
    trace = error.__traceback__
    place = "?"
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if not module.startswith(("importlib", "click")):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    message = _("a fault in devinotify: {kind} at {place}.", kind=type(error).__name__, place=place)
    message += " " + _("What was being sent may have gone out.")
    _end("Fault", message, ExitCode.FAULT, as_json=as_json)


@click.group(
    cls=Commands,
    name="devinotify",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    params=[speech.lang_option()],
)
@named.profile_option
@click.version_option(package_name="devinotify", prog_name="devinotify", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """SMS and Viber through the Devino Telecom HTTP API.

    Begin with `devinotify demo`: it needs no account. With one, `devinotify login` stores it, or put its URL into
    DEVINOTIFY_URL.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
