"""Reports without a person: notebooks run with parameters, many at once, by a schedule."""
