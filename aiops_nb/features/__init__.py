"""From rows to features: event-time windows."""
