"""The demo company: an invented cookware maker with its ledger and its mail, made anew from a seed."""
