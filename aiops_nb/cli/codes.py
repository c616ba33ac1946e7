"""Exit codes; docs/cli.md explains them."""

OK = 0
MISTAKE = 1
USAGE = 2
ALERTED = 3
INTERRUPTED = 130
