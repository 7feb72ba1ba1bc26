"""Reading experiments: what each arm shows, how far luck alone could have gone, and what is really so."""
