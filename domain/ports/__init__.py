"""What the domain needs of the world: a file per port, Protocols only, with the contract in their docstrings.

An adapter bears the port's name after its technology (RedisPlanStore), a fake for tests after Memory.
"""
