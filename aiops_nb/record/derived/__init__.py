"""What the engine made of the rows, kept so that nobody has to replay them to look at it.

`features_requests/000000.parquet`, `scores/000000.parquet`, `changes/000000.parquet` and so on, next to
`manifest.json`, which says of which rows and by which engine they were made. A live run keeps them in `derived/` of the
recording; what a reader derives goes to the user's cache directory.
"""

from __future__ import annotations
