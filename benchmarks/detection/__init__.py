"""Every detector against labelled series, next to chance and silence."""
