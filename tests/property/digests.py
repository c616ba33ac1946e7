"""What the pipeline made of a stream, as digests that differ if one bit does."""

from __future__ import annotations

import hashlib

from aiops_nb.engine.pipeline import Pipeline


class StepDigest:
    """Hashes of features, scores and alerts, in order."""

    def __init__(self):
        self.features, self.scores, self.alerts = (hashlib.sha256() for _ in range(3))
        self.alert_count = self.tick_count = 0

    def write(self, step):
        for tick in step.ticks:
            self.tick_count += 1
            table = tick.features
            self.features.update(f"{table.table} {table.end_ns} {table.series}".encode() + table.values.tobytes())
            for scored in tick.scored:
                for part in (scored.scores.score, scored.scores.expected, scored.scores.lower, scored.scores.upper):
                    self.scores.update(part.tobytes())
                self.scores.update(repr(reasons_of(scored)).encode())
        for change in step.changes:
            self.alert_count += 1
            self.alerts.update(repr(change).encode())

    def close(self):
        pass

    def result(self):
        return self.features.hexdigest(), self.scores.hexdigest(), self.alerts.hexdigest()


def reasons_of(scored):
    """Why each series is strange, in words and numbers."""
    why = scored.reasons
    places = why.series.tolist() if why else []
    return [(at, why.contributions(m), why.phase(m), why.summary(scored, m)) for m, at in enumerate(places)]


def digest_of(items, params=None):
    """Digest and counters of a run over the items."""
    pipeline, digest = Pipeline(params), StepDigest()
    for item in items:
        digest.write(pipeline.push(item))
    counters = pipeline.counters
    return digest, (counters.rows_total, counters.late_total, counters.ahead_total, counters.skipped_ticks_total)
