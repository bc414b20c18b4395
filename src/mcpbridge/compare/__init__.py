"""What changed between two sets of tools, and whom it breaks. See `tools` for sets, `schemas` for one schema.

The package is not called `diff`, since the public function is: a package of that name would hide it.
"""
