"""Fitting parameters of a scenario to aggregates of one's own, and what these do not pin down."""
