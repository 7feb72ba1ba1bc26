"""docs/reference/commands.md, from the signatures of the commands."""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args, get_origin

from typer.models import ArgumentInfo

from billing_sim import errors
from billing_sim.cli.app import app
from generators.markdown import code, page, section, table

PROGRAM = "billing-sim"
_EXIT_CODES = (
    (errors.EXIT_FINE, "fine"),
    (errors.EXIT_CHECK_FAILED, "a check or a goal failed"),
    (errors.EXIT_BAD_INPUT, "bad input or usage"),
    (errors.EXIT_INTERRUPTED, "interrupted"),
)


@dataclass(frozen=True)
class Parameter:
    """An argument or option: `names` are the ways to write an option, none for an argument."""

    names: tuple[str, ...]
    metavar: str
    help: str
    default: Any
    choices: tuple[str, ...]
    is_flag: bool
    is_repeated: bool

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Command:
    """A command as its function declares it."""

    name: str
    about: str
    epilog: str
    parameters: tuple[Parameter, ...]

    @property
    def arguments(self) -> list[Parameter]:
        """What is given by its place."""
        return [it for it in self.parameters if not it.names]

    @property
    def options(self) -> list[Parameter]:
        """What is given by its name."""
        return [it for it in self.parameters if it.names]


def commands() -> dict[str, Command]:
    """The commands by name, those of a group with its name before theirs."""
    groups = [("", app), *((f"{it.name} ", it.typer_instance) for it in app.registered_groups)]
    found = {}
    for before, group in groups:
        assert group
        for info in group.registered_commands:
            assert info.name
            assert info.callback
            name, about = before + info.name, inspect.getdoc(info.callback) or ""
            found[name] = Command(name, about, info.epilog or "", _parameters(info.callback))
    return found


def commands_page() -> str:
    """Every command with its arguments, options and an example."""
    return page(
        "Commands",
        f"`{PROGRAM} COMMAND --help` says the same on the terminal; `{PROGRAM} --version` prints the version. "
        "Results go to stdout, everything else to stderr.",
        *(section(code(f"{PROGRAM} {name}"), *_parts(command)) for name, command in commands().items()),
        section("Exit codes", table(("code", "meaning"), _EXIT_CODES)),
    )


def _parameters(function: Any) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(function, include_extras=True)
    given = inspect.signature(function).parameters
    return tuple(_parameter(name, hints[name], given[name].default) for name in given)


def _parameter(name: str, annotated: Any, default: Any) -> Parameter:
    """One parameter from its type with what Typer is told of it, and its default."""
    hint, info = get_args(annotated)
    is_repeated = get_origin(hint) is list
    kinds = [it for it in (get_args(hint) or (hint,)) if it is not type(None)]
    kind = kinds[0] if isinstance(kinds[0], type) else str
    names = () if isinstance(info, ArgumentInfo) else _names(info) or (f"--{name.replace('_', '-')}",)
    choices = tuple(it.value for it in kind) if issubclass(kind, Enum) else ()
    metavar = info.metavar or "|".join(choices) or name.upper()
    return Parameter(names, metavar, info.help or "", default, choices, kind is bool, is_repeated)


def _names(info: Any) -> tuple[str, ...]:
    """The ways to write an option; Typer keeps the first one where a default would be."""
    written = (info.default, *(info.param_decls or ()))
    return tuple(part for it in written if isinstance(it, str) for part in it.split("/"))


def _parts(command: Command) -> list[str]:
    usage = " ".join([PROGRAM, command.name, *map(_place, command.arguments), "[OPTIONS]"])
    parts = [" ".join(paragraph.split()) for paragraph in command.about.split("\n\n")]
    parts.append(f"```text\n{usage}\n```")
    if command.arguments:
        parts.append(table(("argument", ""), [(code(it.metavar), _help(it)) for it in command.arguments]))
    if command.options:
        rows = [(_spelled(it), it.help, _default(it)) for it in command.options]
        parts.append(table(("option", "", "default"), rows))
    return [*parts, *_epilog(command)]


def _place(argument: Parameter) -> str:
    shown = argument.metavar + ("..." if argument.is_repeated else "")
    return shown if argument.is_required else f"[{shown}]"


def _spelled(option: Parameter) -> str:
    names = ", ".join(map(code, option.names))
    return names if option.is_flag else f"{names} {code(option.metavar)}"


def _help(argument: Parameter) -> str:
    return argument.help + (f" One of {', '.join(argument.choices)}." if argument.choices else "")


def _default(option: Parameter) -> str:
    value = option.default
    if option.is_required:
        return "**required**"
    return "" if value in (None, "", False, []) else code(value.value if isinstance(value, Enum) else value)


def _epilog(command: Command) -> list[str]:
    """The list that some commands end with, and their example."""
    listing, _, example = command.epilog.replace("\b\n", "").rpartition("Example:")
    parts = [f"```text\n{listing.strip()}\n```"] if listing.strip() else []
    return [*parts, f"Example:\n\n```sh\n{example.strip()}\n```"]
