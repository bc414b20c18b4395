"""A source's tools in an agent framework: listed, called, their failures and approvals in the framework's own way."""
