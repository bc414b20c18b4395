"""The one abstraction: a `ToolSource` lists and calls, a `Wrapper` stands around one. See `base` and `answer`."""
