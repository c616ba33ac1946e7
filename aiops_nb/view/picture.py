"""A still picture of a store."""

from aiops_nb.view.store import ViewStore


def picture_html(store: ViewStore) -> str:
    """To come."""
    return f"<p>{len(store.series.keys)} targets</p>"
