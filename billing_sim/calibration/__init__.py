"""Calibration: simulated against published figures, fitting to a user's own, and what the assumptions are worth."""
