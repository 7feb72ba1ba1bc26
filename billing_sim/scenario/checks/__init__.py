"""What a scenario must mean to make sense, as small functions: each takes the tree and yields problems.

A check looks only at values that can be read; one that cannot is refused by its type, which is said elsewhere. So
types and meaning are checked in one go, and a typing mistake never hides a mistake of meaning in another place.
"""
