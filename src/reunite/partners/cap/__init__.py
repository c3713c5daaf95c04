"""CAP 1.2, the Common Alerting Protocol: write, sign, list and read alerts.

Specification: OASIS CAP 1.2 (2010), http://docs.oasis-open.org/emergency/cap/v1.2/.
"""
