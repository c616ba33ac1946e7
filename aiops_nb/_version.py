"""Real-time monitoring and anomaly detection for people who live in notebooks.

Importing this package is cheap: each public name loads its room on first use.
"""

from __future__ import annotations

__version__ = "0.1.0"
