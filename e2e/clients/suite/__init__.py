"""Real clients before a real gateway before stand-ins of providers. `__main__.py` runs it all, `stage.py` sets it up,
`cell.py` is what one check sees, `sdks/` what each client does, `provider/` the stand-in.
"""
