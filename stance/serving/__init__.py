"""What the labelling page and `stance serve` share.

`access` knows who may reach a server, `guard` stands before the application and raises `refusals`, `process` runs it.
"""
