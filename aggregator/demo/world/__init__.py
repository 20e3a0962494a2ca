"""The recorded outlets, one TOML file each, and the demo's two configuration files.

No code may enter: every text here is invented but for the facts of the press items
(title, outlet, date), and neighbours given to real outlets are of no consequence.
"""
