"""Stories and outlets that come from a file, and go into one.

`sheet` takes a spreadsheet apart, `rows` reads what a person wrote in it, `archive`
what this program wrote of its stories; `register` knows what is there already, and
`carried` what of a story only a maintainer can have said. They are pure. `intake` alone
writes, and only after every row was read. `subscriptions` is for outlets.
"""
