"""Exit codes; docs/cli.md explains them."""

from aiops_nb.recording import Recording

OK = 0
MISTAKE = 1
USAGE = 2
ALERTED = 3
INTERRUPTED = 130


def code_of(recording: Recording) -> int:
    """Of a command that read a recording: what could be read is done, what could not has been said."""
    return MISTAKE if recording.unreadable else OK
