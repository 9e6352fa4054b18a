"""The blind review: which texts stand for election, in which orders they are shown, which names are taken off."""
