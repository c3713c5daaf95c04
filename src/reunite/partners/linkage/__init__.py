"""Whether a missing and a found record are one person, by facts: blocking, comparison, weight.

A Fellegi–Sunter model (JASA 64, 1969): every fact that both records know adds the logarithm
of a likelihood ratio, and says why.
"""
