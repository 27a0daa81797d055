"""Looks at the types of a package's public names where its host has none, and ``pyright --verifytypes`` always fails.

A class that is derived from one of the host's is unknown, and so is what is declared by its name: that is let be. All
else fails: a type that checkers may read differently, and what is unknown for a reason of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

_DERIVED = re.compile(r'Type of (metaclass|base class) unknown|Type of base class "[\w.]+" is partially unknown')
_NAMING = re.compile(r'Type of .* is partially unknown\n\s+\w+ type is "(?P<name>\w+)"')


def main(package: str) -> int:
    """Print what is wrong with each name and return 1, or say how many are as they are for their host's sake."""
    command = ["pyright", "--verifytypes", package, "--ignoreexternal", "--outputjson"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the environment's own
    report = json.loads(done.stdout)
    symbols = [one for one in report["typeCompleteness"]["symbols"] if not one["isTypeKnown"]]
    found = {
        one["name"]: [each["message"] for each in one["diagnostics"] if each["severity"] == "error"] for one in symbols
    }
    derived = {name for name, said in found.items() if said and all(map(_DERIVED.match, said))}
    short = {name.rpartition(".")[2] for name in derived}
    wrong = [each["message"] for each in report["generalDiagnostics"]]
    wrong += [f"{one['name']}: ambiguous" for one in symbols if one["isTypeAmbiguous"]]
    wrong += [
        f"{name}: {each}"
        for name, said in found.items()
        for each in said
        if name not in derived and not ((naming := _NAMING.match(each)) and naming["name"] in short)
    ]
    print(f"{package}: {len(derived)} classes derived from classes without types", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
