"""Online and offline change points on synthetic steps, slopes and changes of variance."""
