"""Rules as data: what is judged, by which detector, and the alert that it makes; a file for each family."""

from __future__ import annotations
