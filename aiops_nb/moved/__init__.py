"""Which series left their own baseline, by how much and since when: pure functions on arrays."""
