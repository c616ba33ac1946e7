"""Rules at work: from features or rows to verdicts and alert changes."""
