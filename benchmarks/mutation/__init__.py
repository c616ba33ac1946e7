"""Faults planted into the pure rooms, one at a time, and whether a test notices: the share that is noticed.

    python -m benchmarks.mutation --results mutants.jsonl [--seconds 900] [--seed 1] [--room alert]

First all unit tests and doctests of the rooms run once, and it is noted which test enters which function. Each mutant
is a copy of the package with one small change, run against the tests that enter the changed function, the quickest
first; it is killed if one fails. Sites are drawn by the seed over all rooms until the time is up. A survivor is printed
with its place: it is a test to write, or a change without an effect.

A run with the same `--results` goes on where the last one ended, `--again` runs its survivors once more. `--reach FILE`
keeps what is noted; with a file that is there only the tests of `--note` are noted, such as new ones. `--wide` names
slower tests that a mutant meets before it counts as a survivor, such as `tests/property`.

Hand-written: mutmut and cosmic-ray draw no seeded sample and keep no bound in time, and the whole takes days here;
coverage.py would note the same as `reach.py`, at the price of a dependency.
"""
