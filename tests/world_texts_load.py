"""Scenario texts about gateways under load, to lay over those of `world_texts`."""

CROWDED = """
members: 2000
end: 2025-04-01
gateways:
  northpay: {capacity: 40 per hour}
"""
"""Over `QUIET`: everybody is billed within one hour of the night, some 66 a night, and 40 are taken."""

BUSY_GATEWAYS = """
gateways:
  northpay: {capacity: 0.5 per hour, load: {comfortable: 0.1 per hour, slowdown: 5, timeouts: 5%}}
  harborpay: {capacity: 2 per hour, load: {comfortable: 0.3 per hour}}
routing:
  - {use: {northpay: 60%, harborpay: 40%}, by: success_rate, explore: 20%}
  - {market: [BR], use: {harborpay: 70%, partner: 30%}}
"""
"""Over `BUSY`: everything that this noun knows, at once."""

SWITCHES = {"load": BUSY_GATEWAYS}
"""What random worlds may switch on (see `random_worlds`)."""
