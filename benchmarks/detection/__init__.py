"""Every detector against labelled series, beside chance and silence."""
