"""What makes a tool hard to use, refused by a model's provider, or dangerous: rules with stable codes. See `run`.

Pure: values in, findings out. The package is not called `lint`, since the public function is: a package of that name
would hide it.
"""
