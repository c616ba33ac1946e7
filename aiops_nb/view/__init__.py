"""The dashboard: store, charts, live figure."""
