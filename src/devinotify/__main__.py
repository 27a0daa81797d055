"""``python -m devinotify``: the command line where the console script is not on the PATH."""

from devinotify.cli import main

main()
